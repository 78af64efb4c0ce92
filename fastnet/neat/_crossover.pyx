"""Crossover of two genomes, gene by gene.

Stanley & Miikkulainen 2002, section 3.2 and figure 4.
"""

from libc.math cimport fabs
from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t
from libc.string cimport memcpy

from fastnet._workspace cimport Memory, new_memory
from fastnet.neat._crossing cimport (
    Coins, add_genes, copy_connections, cross_nodes, crossing_scratch, flip
)
from fastnet.neat._draws cimport Draws, draw_chance, leave, start_from
from fastnet.neat._genes cimport STRUCTURE, Arena, Genes, equal_block, equal_structure
from fastnet.neat._rules cimport TIE_BOTH, TIE_NEITHER, Rules, rules_of
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


cdef inline bint is_taken(Share share, Coins *coins) noexcept nogil:
    return share == ALL_GENES or (share == HALF_OF_GENES and flip(coins, 1) & 1)


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


cdef Py_ssize_t crossover_scratch(Py_ssize_t n_connections, Py_ssize_t n_nodes) noexcept nogil:
    # The candidates first
    return (n_connections * <Py_ssize_t> sizeof(int32_t)
            + crossing_scratch(n_connections, n_nodes))


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
        add_genes(a, b, rules, child, n_candidates, candidates, &coins,
                  candidates + n_candidates)
        return 0 if equal_structure(child, a) else STRUCTURE
    differs |= cross_nodes(a, b, rules, child, &coins)
    return STRUCTURE if differs else 0


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
    cdef Py_ssize_t n_connections, n_nodes
    cdef RandomStream stream
    cdef Memory scratch
    cdef Arena arena = Arena()
    cdef Genes child
    cdef Draws draws
    check_relatives(&first.genes, &second.genes, rules)
    stream = as_stream(rng)
    # From here on with the lock and without Python code, for another thread may mutate the parents
    n_connections = first.genes.n_connections + second.genes.n_connections
    n_nodes = first.genes.n_nodes + second.genes.n_nodes
    arena.clear(n_connections, n_nodes)
    arena.point_to_end(&child)
    scratch = new_memory(crossover_scratch(n_connections, n_nodes))
    start_from(&draws, stream)
    cross_genes(&first.genes, &second.genes, order, rules, &draws, &child, scratch.data)
    leave(&draws, stream)
    return genome_of(config, &child, None)
