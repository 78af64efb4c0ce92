"""Checks of genes that come from outside: connections of a user, files, pickles."""

from libc.math cimport isfinite
from libc.stdint cimport int32_t, int64_t, uint8_t
from libc.string cimport memset

from fastnet._kernels.table cimport IDENTITY, LOG, SOFTMAX
from fastnet._workspace cimport Memory, new_memory
from fastnet.neat._genes cimport Genes, find_node
from fastnet.neat._rules cimport FEED_FORWARD, NODE_BIASES, Rules
from fastnet.neat.innovations cimport PairTable, free_pairs, look_up, put, reserve_pairs


cdef str connection_text(const Genes *genes, Py_ssize_t i):
    return f"connection {genes.innovation[i]} ({genes.source[i]} -> {genes.target[i]})"


cdef int check_genes(const Genes *genes, const Rules *rules) except -1:
    # Nodes: (id, 0) -> position; pairs: (source, target) -> innovation
    cdef PairTable nodes, pairs
    memset(&nodes, 0, sizeof(PairTable))
    memset(&pairs, 0, sizeof(PairTable))
    try:
        if reserve_pairs(&nodes, genes.n_nodes) or reserve_pairs(&pairs, genes.n_connections):
            raise MemoryError(
                f"no memory for {genes.n_nodes} nodes and {genes.n_connections} connections")
        check_nodes(genes, rules, &nodes)
        check_connections(genes, rules, &nodes, &pairs)
    finally:
        free_pairs(&nodes)
        free_pairs(&pairs)
    if rules.mode == FEED_FORWARD:
        check_acyclic(genes, rules)
    return 0


cdef int check_nodes(const Genes *genes, const Rules *rules, PairTable *nodes) except -1:
    cdef Py_ssize_t i
    cdef int64_t node
    for i in range(genes.n_nodes):
        node = genes.node[i]
        if node < 0:
            raise ValueError(f"ids of nodes must be at least 0, got {node}")
        if look_up(nodes, node, 0) >= 0:
            raise ValueError(f"ids of nodes must be distinct, got {node} twice")
        put(nodes, node, 0, i)
        if i > rules.n_fixed and node < genes.node[i - 1]:
            raise ValueError(f"hidden nodes must be in the order of their ids, got {node} late")
        if genes.activation[i] > LOG or genes.activation[i] == SOFTMAX:
            raise ValueError(f"node {node} has no activation of a single node")
        if not isfinite(genes.bias[i]):
            raise ValueError(f"the bias of node {node} must be finite, got {genes.bias[i]}")
        if genes.bias[i] != 0 and (rules.bias != NODE_BIASES or i < rules.n_sources):
            raise ValueError(
                f"the bias of node {node} must be 0, got {genes.bias[i]}: only with "
                "bias='per_node', hidden and output nodes have one")
        if i < rules.n_sources and genes.activation[i] != IDENTITY:
            raise ValueError(f"inputs and bias node have no activation but identity: node {node}")
    return 0


cdef int check_connections(const Genes *genes, const Rules *rules, const PairTable *nodes,
                           PairTable *pairs) except -1:
    cdef Py_ssize_t i
    cdef int64_t source, target, other, innovation
    cdef Memory memory = new_memory(genes.n_nodes)
    cdef uint8_t *is_touched = <uint8_t *> memory.data
    for i in range(genes.n_connections):
        innovation = genes.innovation[i]
        if innovation < 0:
            raise ValueError(f"innovations must be at least 0, got {innovation}")
        if i and innovation == genes.innovation[i - 1]:
            raise ValueError(
                f"innovations must be distinct, got {connection_text(genes, i - 1)} and "
                f"{connection_text(genes, i)}")
        if i and innovation < genes.innovation[i - 1]:
            raise ValueError(f"innovations must ascend, got {innovation} late")
        source = look_up(nodes, genes.source[i], 0)
        target = look_up(nodes, genes.target[i], 0)
        if source < 0 or target < 0:
            raise ValueError(f"{connection_text(genes, i)} has an end that is no node")
        if target < rules.n_sources:
            kind = "the bias node" if target == rules.n_inputs else "an input"
            raise ValueError(f"{connection_text(genes, i)} enters {kind}")
        other = look_up(pairs, genes.source[i], genes.target[i])
        if other >= 0:
            raise ValueError(
                f"two connections {genes.source[i]} -> {genes.target[i]}: "
                f"innovations {other} and {innovation}")
        put(pairs, genes.source[i], genes.target[i], innovation)
        if not isfinite(genes.weight[i]):
            raise ValueError(
                f"the weight of {connection_text(genes, i)} must be finite, "
                f"got {genes.weight[i]}")
        if genes.enabled[i] > 1:
            raise ValueError(f"{connection_text(genes, i)} must be enabled or not")
        is_touched[source] = True
        is_touched[target] = True
    for i in range(rules.n_fixed, genes.n_nodes):
        if not is_touched[i]:
            raise ValueError(f"no connection touches hidden node {genes.node[i]}")
    return 0


cdef int check_acyclic(const Genes *genes, const Rules *rules) except -1:
    # Depth first.  A connection to a node whose own connections are being followed closes a cycle.
    cdef Py_ssize_t m = genes.n_connections, n = genes.n_nodes, i, height
    cdef Memory memory = new_memory(2 * n * sizeof(int32_t) + 2 * m * sizeof(int32_t) + n)
    cdef int32_t *next_of_node = <int32_t *> memory.data    # (n,): next connection to follow, or -1
    cdef int32_t *stack = next_of_node + n                  # (n,)
    cdef int32_t *next = stack + n                          # (m,): another one of the same source
    cdef int32_t *end = next + m                            # (m,): position of the target
    cdef uint8_t *state = <uint8_t *> (end + m)             # (n,): 0 unseen, 1 on the stack, 2 done
    cdef int32_t node, edge
    memset(next_of_node, 0xFF, n * sizeof(int32_t))
    for i in range(m - 1, -1, -1):
        node = <int32_t> find_node(genes, rules, genes.source[i])
        if rules.n_sources <= node < rules.n_fixed:
            raise ValueError(
                f"{connection_text(genes, i)} leaves an output, which a feed_forward config "
                "does not allow")
        end[i] = <int32_t> find_node(genes, rules, genes.target[i])
        next[i] = next_of_node[node]
        next_of_node[node] = <int32_t> i
    for i in range(n):
        if state[i]:
            continue
        stack[0] = <int32_t> i
        state[i] = 1
        height = 1
        while height:
            node = stack[height - 1]
            edge = next_of_node[node]
            if edge < 0:
                state[node] = 2
                height -= 1
                continue
            next_of_node[node] = next[edge]
            node = end[edge]
            if state[node] == 1:
                raise ValueError(
                    f"{connection_text(genes, edge)} closes a cycle, which a feed_forward config "
                    "does not allow (disabled connections count)")
            if state[node] == 0:
                state[node] = 1
                stack[height] = node
                height += 1
    return 0
