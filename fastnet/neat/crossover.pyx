"""Crossover of two genomes, gene by gene.

Stanley & Miikkulainen 2002, section 3.2 and figure 4.
"""

from libc.math cimport fabs
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.string cimport memcmp, memcpy, memset

from fastnet._workspace cimport Memory, new_memory
from fastnet.neat._draws cimport Draws, draw_bits, draw_chance, leave, start_from
from fastnet.neat._genes cimport Arena, Change, Genes, equal_structure
from fastnet.neat._rules cimport FEED_FORWARD, NODE_BIASES, TIE_BOTH, TIE_NEITHER, Rules, rules_of
from fastnet.neat.genome cimport Genome, checked_genome, genome_of
from fastnet.random cimport RandomStream, as_stream

import numbers

__all__ = ["crossover"]

# Which disjoint and excess genes of a parent the child gets
cdef enum Share:
    NO_GENES
    ALL_GENES
    HALF_OF_GENES               # each with probability 1/2

cdef enum:
    BLOCK = 4


# Random bits, 64 with a draw
ctypedef struct Coins:
    Draws *draws
    uint64_t bits
    int left


cdef inline uint64_t flip(Coins *coins, int n) noexcept nogil:
    # n fair coins in the lowest bits; what is above them means nothing
    cdef uint64_t bits
    if coins.left < n:
        coins.bits = draw_bits(coins.draws)
        coins.left = 64
    bits = coins.bits
    coins.bits >>= n
    coins.left -= n
    return bits


cdef inline bint is_taken(Share share, Coins *coins) noexcept nogil:
    return share == ALL_GENES or (share == HALF_OF_GENES and flip(coins, 1) & 1)


cdef inline bint equal_block(const int64_t *x, const int64_t *y) noexcept nogil:
    return ((x[0] ^ y[0]) | (x[1] ^ y[1]) | (x[2] ^ y[2]) | (x[3] ^ y[3])) == 0


cdef inline void mix_weights(const double *a, const double *b, double *c, uint64_t bits,
                             int n) noexcept nogil:
    # That of b where the bit is set, by masks: a branch would be mispredicted every other time.
    cdef uint64_t x, y
    cdef int q
    for q in range(n):
        memcpy(&x, a + q, sizeof(double))
        memcpy(&y, b + q, sizeof(double))
        x ^= (x ^ y) & (0 - ((bits >> q) & 1))
        memcpy(c + q, &x, sizeof(double))


cdef inline double mean(double a, double b) noexcept nogil:
    cdef double total = a + b
    # The halves lose a bit where they are denormal, so they are taken only where the sum overflows.
    return 0.5 * total if fabs(total) <= 1.7976931348623157e308 else 0.5 * a + 0.5 * b


cdef inline bint cross_block(const Genes *a, Py_ssize_t i, const Genes *b, Py_ssize_t j,
                             Genes *child, Py_ssize_t k, bint averages, const Rules *rules,
                             Coins *coins, int n) noexcept nogil:
    # n matching genes, 1 or BLOCK.  Returns whether a flag is not that of a.
    cdef int q
    cdef uint32_t flags_a, flags_b
    cdef bint differs = False
    memcpy(child.innovation + k, a.innovation + i, n * sizeof(int64_t))
    memcpy(child.source + k, a.source + i, n * sizeof(int64_t))
    memcpy(child.target + k, a.target + i, n * sizeof(int64_t))
    memcpy(child.enabled + k, a.enabled + i, n)
    if averages:
        for q in range(n):
            child.weight[k + q] = mean(a.weight[i + q], b.weight[j + q])
    else:
        mix_weights(a.weight + i, b.weight + j, child.weight + k, flip(coins, n), n)
    if n == BLOCK:
        memcpy(&flags_a, a.enabled + i, BLOCK)
        memcpy(&flags_b, b.enabled + j, BLOCK)
        if flags_a == flags_b:
            return False
    for q in range(n):
        if a.enabled[i + q] != b.enabled[j + q]:
            if rules.prefers_active:
                child.enabled[k + q] = True
                if not averages:
                    child.weight[k + q] = (
                        a.weight[i + q] if a.enabled[i + q] else b.weight[j + q])
            else:
                child.enabled[k + q] = not draw_chance(coins.draws, rules.disable_rate)
            differs |= child.enabled[k + q] != a.enabled[i + q]
    return differs


cdef inline void copy_connections(const Genes *genes, Py_ssize_t i, Genes *child, Py_ssize_t k,
                                  Py_ssize_t n) noexcept nogil:
    memcpy(child.innovation + k, genes.innovation + i, n * sizeof(int64_t))
    memcpy(child.source + k, genes.source + i, n * sizeof(int64_t))
    memcpy(child.target + k, genes.target + i, n * sizeof(int64_t))
    memcpy(child.weight + k, genes.weight + i, n * sizeof(double))
    memcpy(child.enabled + k, genes.enabled + i, n)


cdef inline void cross_node(const Genes *a, Py_ssize_t i, const Genes *b, Py_ssize_t j,
                            Genes *child, Py_ssize_t k, Coins *coins) noexcept nogil:
    # Bias and activation of a node that both have, from one of them
    if flip(coins, 1) & 1:
        child.bias[k] = b.bias[j]
        child.activation[k] = b.activation[j]
    else:
        child.bias[k] = a.bias[i]
        child.activation[k] = a.activation[i]


cdef bint equal_nodes(const Genes *a, const Genes *b, const Rules *rules) noexcept nogil:
    # Whether it does not matter whose bias and activation a node gets
    cdef Py_ssize_t i
    cdef uint8_t other = 0
    if rules.bias == NODE_BIASES:
        return False
    if memcmp(a.activation, b.activation, rules.n_fixed):
        return False
    for i in range(rules.n_fixed, a.n_nodes):
        other |= a.activation[i] ^ rules.activation
    for i in range(rules.n_fixed, b.n_nodes):
        other |= b.activation[i] ^ rules.activation
    return other == 0


cdef bint cross_nodes(const Genes *a, const Genes *b, const Rules *rules, Genes *child,
                      Coins *coins) noexcept nogil:
    # The nodes of a.  Returns whether an activation is not that of a.
    cdef Py_ssize_t i, j
    child.n_nodes = a.n_nodes
    memcpy(child.node, a.node, a.n_nodes * sizeof(int64_t))
    memcpy(child.bias, a.bias, a.n_nodes * sizeof(double))
    memcpy(child.activation, a.activation, a.n_nodes)
    if equal_nodes(a, b, rules):
        return False
    for i in range(rules.n_sources, rules.n_fixed):
        cross_node(a, i, b, i, child, i, coins)
    i = j = rules.n_fixed
    while i < a.n_nodes and j < b.n_nodes:
        if a.node[i] == b.node[j]:
            cross_node(a, i, b, j, child, i, coins)
            i += 1
            j += 1
        elif a.node[i] < b.node[j]:
            i += 1
        else:
            j += 1
    return memcmp(child.activation, a.activation, a.n_nodes) != 0


# The nodes of both parents and the connections of the child, to look for what must be left out
ctypedef struct Union:
    Py_ssize_t n_fixed
    Py_ssize_t n_nodes
    Py_ssize_t n_edges
    const int64_t *node         # (n_nodes,): ids, in the order of genes
    # (n_nodes,)
    int32_t *in_a               # position there, or -1
    int32_t *in_b
    int32_t *first              # an edge that leaves, or -1
    int32_t *degree             # edges that enter; scratch
    int32_t *stack
    uint8_t *seen
    # (n_edges,)
    int32_t *next               # another edge that leaves the same node, or -1
    int32_t *source             # positions of nodes
    int32_t *target


cdef Py_ssize_t crossover_scratch(Py_ssize_t n_connections, Py_ssize_t n_nodes) noexcept nogil:
    return (4 * n_connections + 5 * n_nodes) * <Py_ssize_t> sizeof(int32_t) + n_nodes


cdef inline int32_t place_of(const Union *u, int64_t node) noexcept nogil:
    cdef Py_ssize_t first, n, half
    if 0 <= node < u.n_fixed and u.node[node] == node:
        return <int32_t> node
    first = u.n_fixed
    n = u.n_nodes - first
    while n > 0:
        half = n >> 1
        if u.node[first + half] < node:
            first += half + 1
            n -= half + 1
        else:
            n = half
    if first < u.n_nodes and u.node[first] == node:
        return <int32_t> first
    for first in range(u.n_fixed):
        if u.node[first] == node:
            break
    return <int32_t> first


cdef inline void add_edge(Union *u, int32_t source, int32_t target) noexcept nogil:
    cdef Py_ssize_t e = u.n_edges
    u.source[e] = source
    u.target[e] = target
    u.next[e] = u.first[source]
    u.first[source] = <int32_t> e
    u.n_edges = e + 1


cdef inline bint has_edge(const Union *u, int32_t source, int32_t target) noexcept nogil:
    cdef int32_t e = u.first[source]
    while e >= 0:
        if u.target[e] == target:
            return True
        e = u.next[e]
    return False


cdef bint is_acyclic(Union *u) noexcept nogil:
    # Nodes that nothing enters are taken away until none is left.
    cdef Py_ssize_t i, height = 0, n_taken = 0
    cdef int32_t e
    memset(u.degree, 0, u.n_nodes * sizeof(int32_t))
    for i in range(u.n_edges):
        u.degree[u.target[i]] += 1
    for i in range(u.n_nodes):
        if u.degree[i] == 0:
            u.stack[height] = <int32_t> i
            height += 1
    while height:
        height -= 1
        n_taken += 1
        e = u.first[u.stack[height]]
        while e >= 0:
            i = u.target[e]
            u.degree[i] -= 1
            if u.degree[i] == 0:
                u.stack[height] = <int32_t> i
                height += 1
            e = u.next[e]
    return n_taken == u.n_nodes


cdef bint leads_to(Union *u, int32_t start, int32_t goal) noexcept nogil:
    cdef Py_ssize_t height = 1
    cdef int32_t e, node
    if start == goal:
        return True
    memset(u.seen, 0, u.n_nodes)
    u.stack[0] = start
    u.seen[start] = True
    while height:
        height -= 1
        e = u.first[u.stack[height]]
        while e >= 0:
            node = u.target[e]
            if node == goal:
                return True
            if not u.seen[node]:
                u.seen[node] = True
                u.stack[height] = node
                height += 1
            e = u.next[e]
    return False


cdef void unite_nodes(const Genes *a, const Genes *b, const Rules *rules, int64_t *node,
                      Union *u) noexcept nogil:
    cdef Py_ssize_t i, j, k
    for k in range(rules.n_fixed):
        node[k] = a.node[k]
        u.in_a[k] = u.in_b[k] = <int32_t> k
    i = j = k = rules.n_fixed
    while i < a.n_nodes or j < b.n_nodes:
        u.in_a[k] = u.in_b[k] = -1
        if j == b.n_nodes or (i < a.n_nodes and a.node[i] <= b.node[j]):
            node[k] = a.node[i]
            u.in_a[k] = <int32_t> i
        else:
            node[k] = b.node[j]
        if j < b.n_nodes and b.node[j] == node[k]:
            u.in_b[k] = <int32_t> j
            j += 1
        i += u.in_a[k] >= 0
        k += 1
    u.n_nodes = k
    u.node = node


cdef Py_ssize_t choose_candidates(const Genes *b, Py_ssize_t n_candidates, int32_t *candidates,
                                  bint feed_forward, Union *u) noexcept nogil:
    # Leaves out what would be a second connection of the same nodes or close a cycle; returns how
    # many are left.  All together rarely close one: that is tried first.
    cdef Py_ssize_t n_before = u.n_edges, n, c, e
    cdef int32_t source, target
    n = 0
    for c in range(n_candidates):
        source = place_of(u, b.source[candidates[c]])
        target = place_of(u, b.target[candidates[c]])
        if not has_edge(u, source, target):
            candidates[n] = candidates[c]
            n += 1
            add_edge(u, source, target)
    if not feed_forward or is_acyclic(u):
        return n
    for e in range(u.n_edges - 1, n_before - 1, -1):
        u.first[u.source[e]] = u.next[e]
    u.n_edges = n_before
    n_candidates = n
    n = 0
    for c in range(n_candidates):
        source = place_of(u, b.source[candidates[c]])
        target = place_of(u, b.target[candidates[c]])
        if not leads_to(u, target, source):
            candidates[n] = candidates[c]
            n += 1
            add_edge(u, source, target)
    return n


cdef void complete(const Genes *a, const Genes *b, const Rules *rules, Genes *child,
                   Py_ssize_t n_candidates, int32_t *candidates, Coins *coins,
                   char *scratch) noexcept nogil:
    # The child has its connections but these of b; adds them, and its nodes.
    cdef Py_ssize_t n_nodes = a.n_nodes + b.n_nodes, i, j, k, n, c
    cdef Union u
    u.n_fixed = rules.n_fixed
    u.in_a = <int32_t *> scratch
    u.in_b = u.in_a + n_nodes
    u.first = u.in_b + n_nodes
    u.degree = u.first + n_nodes
    u.stack = u.degree + n_nodes
    u.next = u.stack + n_nodes
    n = child.n_connections + n_candidates
    u.source = u.next + n
    u.target = u.source + n
    u.seen = <uint8_t *> (u.target + n)
    unite_nodes(a, b, rules, child.node, &u)
    memset(u.first, 0xFF, u.n_nodes * sizeof(int32_t))
    u.n_edges = 0
    for i in range(child.n_connections):
        add_edge(&u, place_of(&u, child.source[i]), place_of(&u, child.target[i]))
    if n_candidates:
        n_candidates = choose_candidates(
            b, n_candidates, candidates, rules.mode == FEED_FORWARD, &u)
        # Merged from the end, where there is room
        i = child.n_connections - 1
        child.n_connections += n_candidates
        c = n_candidates - 1
        k = child.n_connections - 1
        while c >= 0:
            j = candidates[c]
            if i >= 0 and child.innovation[i] > b.innovation[j]:
                copy_connections(child, i, child, k, 1)
                i -= 1
            else:
                copy_connections(b, j, child, k, 1)
                c -= 1
            k -= 1
    memset(u.seen, 0, u.n_nodes)
    for i in range(u.n_edges):
        u.seen[u.source[i]] = True
        u.seen[u.target[i]] = True
    n = 0
    for k in range(u.n_nodes):
        if k >= rules.n_fixed and not u.seen[k]:
            continue
        child.node[n] = child.node[k]
        i = u.in_a[k]
        j = u.in_b[k]
        if i >= 0 and j >= 0:
            cross_node(a, i, b, j, child, n, coins)
        elif i >= 0:
            child.bias[n] = a.bias[i]
            child.activation[n] = a.activation[i]
        else:
            child.bias[n] = b.bias[j]
            child.activation[n] = b.activation[j]
        n += 1
    child.n_nodes = n


cdef int cross_genes(const Genes *a, const Genes *b, int order, const Rules *rules, Draws *draws,
                     Genes *child, void *scratch) noexcept nogil:
    # a is the fitter parent below.  Draws, in this order: whether weights are averaged; a bit for
    # each matching gene (1: that of b) and, with HALF_OF_GENES, for each other, 64 with a draw;
    # between them one uniform number for each gene that is off in exactly one parent; at the end a
    # bit for each matching node.
    cdef Py_ssize_t i = 0, j = 0, k = 0, n_a, n_b, n_candidates = 0
    cdef const int64_t *x
    cdef const int64_t *y
    cdef int32_t *candidates = <int32_t *> scratch
    cdef Share share_a = ALL_GENES, share_b = NO_GENES
    cdef bint averages, is_whole = True, differs = False
    cdef Coins coins
    if order < 0:
        a, b = b, a
    if rules.either:
        share_b = ALL_GENES
    elif order == 0:
        if rules.tie == TIE_BOTH:
            share_a = share_b = ALL_GENES
        elif rules.tie == TIE_NEITHER:
            share_a = share_b = NO_GENES
        else:
            share_a = share_b = HALF_OF_GENES
    coins.draws = draws
    coins.bits = 0
    coins.left = 0
    averages = draw_chance(draws, rules.average_crossover_rate)
    n_a = a.n_connections
    n_b = b.n_connections
    x = a.innovation
    y = b.innovation
    while i < n_a and j < n_b:
        if x[i] == y[j]:
            if i + BLOCK <= n_a and j + BLOCK <= n_b and equal_block(x + i, y + j):
                differs |= cross_block(
                    a, i, b, j, child, k, averages, rules, &coins, BLOCK)
                i += BLOCK
                j += BLOCK
                k += BLOCK
            else:
                differs |= cross_block(a, i, b, j, child, k, averages, rules, &coins, 1)
                i += 1
                j += 1
                k += 1
        elif x[i] < y[j]:
            if is_taken(share_a, &coins):
                copy_connections(a, i, child, k, 1)
                k += 1
            else:
                is_whole = False
            i += 1
        else:
            if is_taken(share_b, &coins):
                candidates[n_candidates] = <int32_t> j
                n_candidates += 1
            j += 1
    if i < n_a and share_a == ALL_GENES:
        copy_connections(a, i, child, k, n_a - i)
        k += n_a - i
        i = n_a
    while i < n_a:
        if is_taken(share_a, &coins):
            copy_connections(a, i, child, k, 1)
            k += 1
        else:
            is_whole = False
        i += 1
    while j < n_b and share_b != NO_GENES:
        if is_taken(share_b, &coins):
            candidates[n_candidates] = <int32_t> j
            n_candidates += 1
        j += 1
    child.n_connections = k
    if not is_whole or n_candidates:
        complete(a, b, rules, child, n_candidates, candidates, &coins,
                 <char *> (candidates + n_candidates))
        return 0 if equal_structure(child, a) else Change.STRUCTURE
    differs |= cross_nodes(a, b, rules, child, &coins)
    return Change.STRUCTURE if differs else 0


cdef int check_relatives(const Genes *a, const Genes *b, const Rules *rules) except -1:
    # Innovations and fixed nodes must mean the same in both.
    cdef Py_ssize_t i, j = 0
    for i in range(rules.n_fixed):
        if a.node[i] != b.node[i]:
            raise ValueError(
                f"a and b must have the same inputs, bias node and outputs: node {i} is "
                f"{a.node[i]} in a and {b.node[i]} in b")
    for i in range(a.n_connections):
        while j < b.n_connections and b.innovation[j] < a.innovation[i]:
            j += 1
        if j == b.n_connections:
            break
        if b.innovation[j] == a.innovation[i] and (
                b.source[j] != a.source[i] or b.target[j] != a.target[i]):
            raise ValueError(
                f"a and b must number their connections alike: innovation {a.innovation[i]} is "
                f"{a.source[i]} -> {a.target[i]} in a and {b.source[j]} -> {b.target[j]} in b")
    return 0


cdef int order_of(object fitness, object first, object second) except -2:
    # Above 0 where a is fitter, below 0 where b is, 0 for a tie
    if fitness is None:
        if first is None or second is None:
            return 0
        values = (first, second)
    else:
        try:
            values = tuple(fitness)
        except TypeError:
            values = ()
        if len(values) != 2:
            raise ValueError(f"fitness must be a pair of numbers, got {fitness!r}")
    for value in values:
        if isinstance(value, bool) or not isinstance(value, numbers.Real):
            raise TypeError(f"fitness must be a pair of numbers, got {values!r}")
        if value != value:
            raise ValueError(f"fitness must not be NaN, got {values!r}")
    return bool(values[0] > values[1]) - bool(values[0] < values[1])


def crossover(a, b, config, rng, fitness=None):
    """A child of two genomes.

    Genes with the same innovation match: the child gets the weight of a random parent, or the mean
    of both (``average_crossover_rate``).  Whose disjoint and excess genes it gets, ``crossover``
    and ``tie`` of the config say; they keep their flag.  A matching gene that is disabled in one
    parent only is so in the child with probability ``disable_rate``; with None the enabled copy is
    taken, weight and all.  In mode feed_forward a gene of the less fit parent (of b in a tie) that
    would close a cycle is left out, and in every mode one whose nodes the child has connected
    already.  Biases and activations of nodes that both have are from a random parent (Stanley &
    Miikkulainen 2002, section 3.2 and figure 4).

    Parameters
    ----------
    a, b : Genome
        Neither changes.
    config : Config
    rng : int, numpy.random.Generator or RandomStream
        A stream or generator advances.
    fitness : pair of floats, optional
        Of a and b; that of the genomes by default, a tie where one has none.

    Returns
    -------
    Genome
        Without a fitness.

    Raises
    ------
    TypeError, ValueError
        The genomes do not belong to the config or to each other: their fixed nodes differ, or an
        innovation joins other nodes in one than in the other; or a fitness is NaN.

    Examples
    --------
    >>> from fastnet import neat
    >>> config = neat.Config(n_inputs=2, n_outputs=1)
    >>> a = neat.Genome.from_connections(config, [(0, 0, 3, 1.0, True)])
    >>> b = neat.Genome.from_connections(config, [(0, 0, 3, 1.0, True), (1, 1, 3, 2.0, True)])
    >>> child = neat.crossover(a, b, config, rng=0, fitness=(0.5, 0.9))
    >>> child.connections["innovation"].tolist()
    [0, 1]
    """
    cdef const Rules *rules = rules_of(config)
    cdef Genome first = checked_genome(a, config, "a")
    cdef Genome second = checked_genome(b, config, "b")
    cdef int order = order_of(fitness, first.fitness, second.fitness)
    cdef Py_ssize_t n_connections = first.genes.n_connections + second.genes.n_connections
    cdef Py_ssize_t n_nodes = first.genes.n_nodes + second.genes.n_nodes
    cdef RandomStream stream
    cdef Memory scratch
    cdef Arena arena = Arena()
    cdef Genes child
    cdef Draws draws
    check_relatives(&first.genes, &second.genes, rules)
    arena.clear(n_connections, n_nodes)
    arena.point_to_end(&child)
    scratch = new_memory(crossover_scratch(n_connections, n_nodes))
    stream = as_stream(rng)
    start_from(&draws, stream)
    with nogil:
        cross_genes(&first.genes, &second.genes, order, rules, &draws, &child, scratch.data)
    leave(&draws, stream)
    return genome_of(config, &child, None)
