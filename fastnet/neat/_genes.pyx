"""The genes of a genome as slices of an arena, and what every operator does with them."""

from libc.stdint cimport int32_t, int64_t, uint8_t
from libc.string cimport memcmp, memcpy, memmove, memset

from fastnet._workspace cimport Memory, new_memory
from fastnet.neat._rules cimport Rules

cdef enum:
    CONNECTION_BYTES = 3 * sizeof(int64_t) + sizeof(double)
    NODE_BYTES = sizeof(int64_t) + sizeof(double)


cdef class Arena:
    # The columns of eight bytes an element come first, so that all are aligned.

    cdef int clear(self, Py_ssize_t n_connections, Py_ssize_t n_nodes) except -1:
        cdef Memory memory
        if n_connections > self.connection_capacity or n_nodes > self.node_capacity:
            # Half as much again: the next generations are larger
            n_connections = max(n_connections + n_connections // 2, self.connection_capacity)
            n_nodes = max(n_nodes + n_nodes // 2, self.node_capacity)
            memory = new_memory(
                n_connections * (CONNECTION_BYTES + 1) + n_nodes * (NODE_BYTES + 1))
            self.memory = memory
            self.connection_capacity = n_connections
            self.node_capacity = n_nodes
        self.n_connections = 0
        self.n_nodes = 0
        return 0

    cdef int reserve(self, Py_ssize_t n_connections, Py_ssize_t n_nodes) except -1:
        cdef Arena old
        cdef Genes here, there
        if (self.n_connections + n_connections <= self.connection_capacity
                and self.n_nodes + n_nodes <= self.node_capacity):
            return 0
        old = Arena()
        old.memory = self.memory
        old.connection_capacity = self.connection_capacity
        old.node_capacity = self.node_capacity
        here.n_connections = self.n_connections
        here.n_nodes = self.n_nodes
        self.clear(self.n_connections + n_connections, self.n_nodes + n_nodes)
        if here.n_connections or here.n_nodes:
            old.point(&here, 0, 0)
            self.point(&there, 0, 0)
            copy_genes(&here, &there)
            self.take(&there)
        return 0

    cdef void point(self, Genes *genes, Py_ssize_t first_connection,
                    Py_ssize_t first_node) noexcept nogil:
        cdef char *data = <char *> self.memory.data
        cdef Py_ssize_t m = self.connection_capacity, n = self.node_capacity
        genes.innovation = <int64_t *> data + first_connection
        genes.source = <int64_t *> data + m + first_connection
        genes.target = <int64_t *> data + 2 * m + first_connection
        genes.weight = <double *> data + 3 * m + first_connection
        data += m * CONNECTION_BYTES
        genes.node = <int64_t *> data + first_node
        genes.bias = <double *> data + n + first_node
        data += n * NODE_BYTES
        genes.enabled = <uint8_t *> data + first_connection
        genes.activation = <uint8_t *> data + m + first_node

    cdef void point_to_end(self, Genes *genes) noexcept nogil:
        self.point(genes, self.n_connections, self.n_nodes)
        genes.n_connections = 0
        genes.n_nodes = 0

    cdef void take(self, const Genes *genes) noexcept nogil:
        self.n_connections += genes.n_connections
        self.n_nodes += genes.n_nodes


cdef Py_ssize_t lower_bound(const int64_t *ids, Py_ssize_t n, int64_t wanted) noexcept nogil:
    # the first position in ascending ids whose id is not below
    cdef Py_ssize_t first = 0, half
    while n > 0:
        half = n >> 1
        if ids[first + half] < wanted:
            first += half + 1
            n -= half + 1
        else:
            n = half
    return first


cdef Py_ssize_t find_connection(const Genes *genes, int64_t innovation) noexcept nogil:
    cdef Py_ssize_t i = lower_bound(genes.innovation, genes.n_connections, innovation)
    if i < genes.n_connections and genes.innovation[i] == innovation:
        return i
    return -1


cdef Py_ssize_t find_endpoints(const Genes *genes, int64_t source, int64_t target) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(genes.n_connections):
        if genes.source[i] == source and genes.target[i] == target:
            return i
    return -1


cdef Py_ssize_t find_node(const Genes *genes, const Rules *rules, int64_t node) noexcept nogil:
    cdef Py_ssize_t i, n_fixed = rules.n_fixed
    for i in range(n_fixed):
        if genes.node[i] == node:
            return i
    i = n_fixed + lower_bound(genes.node + n_fixed, genes.n_nodes - n_fixed, node)
    if i < genes.n_nodes and genes.node[i] == node:
        return i
    return -1


cdef Py_ssize_t insert_connection(Genes *genes, int64_t innovation, int64_t source, int64_t target,
                                  double weight, bint enabled) noexcept nogil:
    cdef Py_ssize_t n = genes.n_connections
    # New innovations are mostly the highest
    cdef Py_ssize_t i = n
    if n and genes.innovation[n - 1] > innovation:
        i = lower_bound(genes.innovation, n, innovation)
        memmove(genes.innovation + i + 1, genes.innovation + i, (n - i) * sizeof(int64_t))
        memmove(genes.source + i + 1, genes.source + i, (n - i) * sizeof(int64_t))
        memmove(genes.target + i + 1, genes.target + i, (n - i) * sizeof(int64_t))
        memmove(genes.weight + i + 1, genes.weight + i, (n - i) * sizeof(double))
        memmove(genes.enabled + i + 1, genes.enabled + i, n - i)
    genes.innovation[i] = innovation
    genes.source[i] = source
    genes.target[i] = target
    genes.weight[i] = weight
    genes.enabled[i] = enabled
    genes.n_connections = n + 1
    return i


cdef Py_ssize_t insert_node(Genes *genes, const Rules *rules, int64_t node) noexcept nogil:
    cdef Py_ssize_t n = genes.n_nodes, n_fixed = rules.n_fixed
    cdef Py_ssize_t i = n_fixed + lower_bound(genes.node + n_fixed, n - n_fixed, node)
    memmove(genes.node + i + 1, genes.node + i, (n - i) * sizeof(int64_t))
    memmove(genes.bias + i + 1, genes.bias + i, (n - i) * sizeof(double))
    memmove(genes.activation + i + 1, genes.activation + i, n - i)
    genes.node[i] = node
    genes.bias[i] = 0
    genes.activation[i] = rules.activation
    genes.n_nodes = n + 1
    return i


cdef void remove_connection_at(Genes *genes, Py_ssize_t position) noexcept nogil:
    cdef Py_ssize_t i = position, n = genes.n_connections - position - 1
    memmove(genes.innovation + i, genes.innovation + i + 1, n * sizeof(int64_t))
    memmove(genes.source + i, genes.source + i + 1, n * sizeof(int64_t))
    memmove(genes.target + i, genes.target + i + 1, n * sizeof(int64_t))
    memmove(genes.weight + i, genes.weight + i + 1, n * sizeof(double))
    memmove(genes.enabled + i, genes.enabled + i + 1, n)
    genes.n_connections -= 1


cdef void remove_loose_nodes(Genes *genes, const Rules *rules) noexcept nogil:
    cdef Py_ssize_t i, j, kept = rules.n_fixed
    cdef int64_t node
    for i in range(rules.n_fixed, genes.n_nodes):
        node = genes.node[i]
        for j in range(genes.n_connections):
            if genes.source[j] == node or genes.target[j] == node:
                genes.node[kept] = node
                genes.bias[kept] = genes.bias[i]
                genes.activation[kept] = genes.activation[i]
                kept += 1
                break
    genes.n_nodes = kept


cdef void copy_genes(const Genes *genes, Genes *copy) noexcept nogil:
    cdef Py_ssize_t m = genes.n_connections, n = genes.n_nodes
    copy.n_connections = m
    copy.n_nodes = n
    memcpy(copy.innovation, genes.innovation, m * sizeof(int64_t))
    memcpy(copy.source, genes.source, m * sizeof(int64_t))
    memcpy(copy.target, genes.target, m * sizeof(int64_t))
    memcpy(copy.weight, genes.weight, m * sizeof(double))
    memcpy(copy.enabled, genes.enabled, m)
    memcpy(copy.node, genes.node, n * sizeof(int64_t))
    memcpy(copy.bias, genes.bias, n * sizeof(double))
    memcpy(copy.activation, genes.activation, n)


cdef bint equal_structure(const Genes *a, const Genes *b) noexcept nogil:
    cdef Py_ssize_t m = a.n_connections, n = a.n_nodes
    return (
        m == b.n_connections and n == b.n_nodes
        and memcmp(a.innovation, b.innovation, m * sizeof(int64_t)) == 0
        and memcmp(a.source, b.source, m * sizeof(int64_t)) == 0
        and memcmp(a.target, b.target, m * sizeof(int64_t)) == 0
        and memcmp(a.enabled, b.enabled, m) == 0
        and memcmp(a.node, b.node, n * sizeof(int64_t)) == 0
        and memcmp(a.activation, b.activation, n) == 0)


cdef bint equal_genes(const Genes *a, const Genes *b) noexcept nogil:
    cdef Py_ssize_t i
    if not equal_structure(a, b):
        return False
    for i in range(a.n_connections):
        if a.weight[i] != b.weight[i]:
            return False
    for i in range(a.n_nodes):
        if a.bias[i] != b.bias[i]:
            return False
    return True


cdef Py_ssize_t path_scratch(Py_ssize_t n_connections, Py_ssize_t n_nodes) noexcept nogil:
    return (n_nodes + 2 * n_connections) * sizeof(int32_t) + n_nodes * (sizeof(int32_t) + 1)


cdef bint has_path(const Genes *genes, const Rules *rules, int64_t source, int64_t target,
                   void *scratch) noexcept nogil:
    # Depth first, through lists of the connections that leave each node
    cdef Py_ssize_t m = genes.n_connections, n = genes.n_nodes, i
    cdef int32_t *first = <int32_t *> scratch           # (n,): a connection that leaves, or -1
    cdef int32_t *next = first + n                      # (m,): the next one of the same source
    cdef int32_t *end = next + m                        # (m,): the node that it enters
    cdef int32_t *stack = end + m                       # (n,)
    cdef uint8_t *seen = <uint8_t *> (stack + n)        # (n,)
    cdef Py_ssize_t height = 1, goal = find_node(genes, rules, target)
    cdef int32_t node, edge
    if source == target:
        return True
    memset(first, 0xFF, n * sizeof(int32_t))
    memset(seen, 0, n)
    for i in range(m):
        node = <int32_t> find_node(genes, rules, genes.source[i])
        end[i] = <int32_t> find_node(genes, rules, genes.target[i])
        next[i] = first[node]
        first[node] = <int32_t> i
    stack[0] = <int32_t> find_node(genes, rules, source)
    seen[stack[0]] = True
    while height:
        height -= 1
        edge = first[stack[height]]
        while edge >= 0:
            node = end[edge]
            if node == goal:
                return True
            if not seen[node]:
                seen[node] = True
                stack[height] = node
                height += 1
            edge = next[edge]
    return False
