"""What a child gets besides matching genes: connections of the other parent, and nodes."""

from libc.stdint cimport int32_t, int64_t, uint8_t
from libc.string cimport memcmp, memcpy, memset

from fastnet.neat._crossing cimport Coins, copy_connections, flip
from fastnet.neat._genes cimport Genes
from fastnet.neat._rules cimport FEED_FORWARD, NODE_BIASES, Rules


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


cdef Py_ssize_t crossing_scratch(Py_ssize_t n_connections, Py_ssize_t n_nodes) noexcept nogil:
    return (3 * n_connections + 5 * n_nodes) * <Py_ssize_t> sizeof(int32_t) + n_nodes


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


cdef void add_genes(const Genes *a, const Genes *b, const Rules *rules, Genes *child,
                    Py_ssize_t n_candidates, int32_t *candidates, Coins *coins,
                    void *scratch) noexcept nogil:
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
