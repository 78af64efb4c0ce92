"""A genome compiled to the flat arrays that kernels step.

Sources of each node by a counting sort of the enabled connections, then a depth-first walk from the
outputs against the direction of the connections: it leaves out what no output depends on, and the
order in which it leaves the nodes is topological.
"""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint64_t
from libc.string cimport memcpy, memset

from fastnet._kernels cimport dispatch
from fastnet._kernels.table cimport (
    ALIGNMENT, CUSTOM_ACTIVATION, DENSE, DROPOUT, FEED_FORWARD_GRAPH, SOFTMAX, Graph, Layer, Plan
)
from fastnet.neat._genes cimport Genes
from fastnet.neat._rules cimport FEED_FORWARD, NODE_BIASES, TIME_STEP, Rules

# Positions of nodes by id: open addressing, at most half full
ctypedef struct Place:
    int64_t node
    int64_t position                # -1: free

cdef enum:
    UNSEEN = 0
    OPEN                            # on the path that is being walked
    CLOSED

cdef enum:
    MOST_SORTED = 16                # edges of a node


dispatch.float32.graph_prepare()
dispatch.float64.graph_prepare()


cdef inline Py_ssize_t table_bits(Py_ssize_t n_nodes) noexcept nogil:
    cdef Py_ssize_t bits = 3
    while (<Py_ssize_t> 1 << bits) < 2 * n_nodes:
        bits += 1
    return bits


# The slot of a node in the table, or the free one where it belongs
cdef inline Place *find_place(Place *places, int shift, Py_ssize_t mask,
                              int64_t node) noexcept nogil:
    # the multiplier spreads neighboring ids (Knuth, The Art of Computer Programming 3, 6.4)
    cdef Py_ssize_t i = <Py_ssize_t> ((<uint64_t> node * <uint64_t> 0x9E3779B97F4A7C15) >> shift)
    while places[i].position >= 0 and places[i].node != node:
        i = (i + 1) & mask
    return places + i


cdef Py_ssize_t graph_bytes(Py_ssize_t n_connections, Py_ssize_t n_nodes) noexcept nogil:
    # first, bias and output have at most one element a node (and one); activations are bytes
    return (sizeof(Graph) + (2 * n_connections + 3 * n_nodes + 1) * sizeof(int32_t)
            + n_nodes + ALIGNMENT) // ALIGNMENT * ALIGNMENT


cdef Py_ssize_t compile_scratch(Py_ssize_t n_connections, Py_ssize_t n_nodes) noexcept nogil:
    return ((sizeof(Place) << table_bits(n_nodes))
            + (4 * n_connections + 6 * n_nodes + 1) * sizeof(int32_t))


cdef Py_ssize_t graph_size(const Graph *graph) noexcept nogil:
    return graph.n_bytes


# Where the arrays of a plan lie; all counts are set
cdef void lay_out(Graph *graph, bint has_biases) noexcept nogil:
    cdef int32_t *array = <int32_t *> (graph + 1)
    graph.first = array
    array += graph.n_nodes + 1
    graph.source = array
    array += graph.n_edges
    graph.weight = array
    array += graph.n_edges
    graph.bias = NULL
    if has_biases:
        graph.bias = array
        array += graph.n_nodes
    graph.output = array
    array += graph.n_outputs
    graph.activations = <const uint8_t *> array
    graph.n_bytes = (<const char *> (graph.activations + graph.n_nodes) - <char *> graph
                     + ALIGNMENT - 1) // ALIGNMENT * ALIGNMENT


cdef Graph *copy_graph(const Graph *graph, void *memory) noexcept nogil:
    cdef Graph *copy = <Graph *> memory
    memcpy(copy, graph, graph.n_bytes)
    lay_out(copy, graph.bias != NULL)
    return copy


# The parts of the scratch of compile_graph
ctypedef struct Scratch:
    Py_ssize_t mask                 # places: mask + 1
    int shift
    Place *places
    # by position in genes.node, but for what says otherwise
    int32_t *from_                  # (m,) of each enabled connection
    int32_t *to                     # (m,)
    int32_t *source                 # (m,) of each edge, edges sorted by target
    int32_t *weight                 # (m,)
    int32_t *first                  # (n + 1,) edge that enters each node
    int32_t *next                   # (n,) edge to sort in; later, to walk
    int32_t *order                  # (n,) nodes as the walk leaves them
    int32_t *slot                   # (n,)
    int32_t *stack                  # (n,)
    int32_t *state                  # (n,)


cdef inline void divide_scratch(Scratch *s, Py_ssize_t m, Py_ssize_t n,
                                void *scratch) noexcept nogil:
    cdef Py_ssize_t bits = table_bits(n)
    s.mask = (<Py_ssize_t> 1 << bits) - 1
    s.shift = 64 - <int> bits
    s.places = <Place *> scratch
    s.from_ = <int32_t *> (s.places + s.mask + 1)
    s.to = s.from_ + m
    s.source = s.to + m
    s.weight = s.source + m
    s.first = s.weight + m
    s.next = s.first + n + 1
    s.order = s.next + n
    s.slot = s.order + n
    s.stack = s.slot + n
    s.state = s.stack + n


cdef const int32_t *node_slots(const Genes *genes, void *scratch) noexcept nogil:
    cdef Scratch s
    divide_scratch(&s, genes.n_connections, genes.n_nodes, scratch)
    return s.slot


# Nodes of one depth, the longest way from a source, beside each other: they do not wait for each
# other, and one row is nothing but waiting (half the time at 500 connections).  Returns the
# largest depth.
cdef inline Py_ssize_t sort_by_depth(Scratch *s, Py_ssize_t n, Py_ssize_t n_sources,
                                     Py_ssize_t n_kept) noexcept nogil:
    cdef int32_t *depth = s.state
    cdef int32_t *place = s.next                # (n,) of the next node of each depth
    cdef int32_t *sorted_ = s.stack
    cdef int32_t *swap
    cdef int32_t node, most, total, count
    cdef Py_ssize_t k, e, n_depths = 0
    memset(depth, 0, n_sources * sizeof(int32_t))
    memset(place, 0, n * sizeof(int32_t))
    for k in range(n_kept):
        node = s.order[k]
        most = 0
        for e in range(s.first[node], s.first[node + 1]):
            most = max(most, depth[s.source[e]])
        depth[node] = most + 1
        place[most] += 1
    total = 0
    for k in range(n_kept):
        count = place[k]
        place[k] = total
        total += count
        if count:
            n_depths = k + 1
    for k in range(n_kept):
        node = s.order[k]
        sorted_[place[depth[node] - 1]] = node
        place[depth[node] - 1] += 1
    swap = s.order
    s.order = sorted_
    s.stack = swap
    return n_depths


# Only nodes that a way leads to from a source, of n_kept in topological order: in TIME_STEP the
# others are never computed
cdef inline Py_ssize_t keep_reached(Scratch *s, Py_ssize_t n_sources,
                                    Py_ssize_t n_kept) noexcept nogil:
    cdef Py_ssize_t k, e, n_reached = 0
    cdef int32_t node
    cdef bint reached
    for k in range(n_sources):
        s.state[k] = True
    for k in range(n_kept):
        node = s.order[k]
        reached = False
        for e in range(s.first[node], s.first[node + 1]):
            reached = reached or s.state[s.source[e]]
        s.state[node] = reached
        if reached:
            s.order[n_reached] = node
            n_reached += 1
    return n_reached


cdef Graph *compile_graph(const Genes *genes, const Rules *rules, int mode, bint all_nodes,
                          void *memory, void *scratch) noexcept nogil:
    cdef Py_ssize_t m = genes.n_connections, n = genes.n_nodes, n_sources = rules.n_sources
    cdef Scratch s
    divide_scratch(&s, m, n, scratch)
    cdef Py_ssize_t mask = s.mask
    cdef int shift = s.shift
    cdef Place *places = s.places
    cdef int32_t *from_ = s.from_
    cdef int32_t *to = s.to
    cdef int32_t *source = s.source
    cdef int32_t *weight = s.weight
    cdef int32_t *first = s.first
    cdef int32_t *next = s.next
    cdef int32_t *order = s.order
    cdef int32_t *slot = s.slot
    cdef int32_t *stack = s.stack
    cdef int32_t *state = s.state
    cdef Graph *graph = <Graph *> memory
    cdef Place *place
    cdef Py_ssize_t i, e, k, height, n_enabled = 0, n_order = 0, n_kept = 0
    cdef int32_t node, other, total, edge, begin
    cdef bint is_feed_forward = mode == FEED_FORWARD, has_cycle = False
    cdef int32_t *out
    cdef int32_t *out_weight
    cdef uint8_t *activations

    memset(places, 0xFF, (mask + 1) * sizeof(Place))
    for i in range(n):
        place = find_place(places, shift, mask, genes.node[i])
        place.node = genes.node[i]
        place.position = i

    memset(first, 0, (n + 1) * sizeof(int32_t))
    for i in range(m):
        # without a branch on a flag that nobody can foresee
        from_[n_enabled] = <int32_t> find_place(places, shift, mask, genes.source[i]).position
        to[n_enabled] = <int32_t> find_place(places, shift, mask, genes.target[i]).position
        first[to[n_enabled]] += genes.enabled[i] != 0
        n_enabled += genes.enabled[i] != 0
    total = 0
    for i in range(n):
        node = first[i]
        first[i] = next[i] = total
        total += node
    first[n] = total
    for i in range(n_enabled):
        edge = next[to[i]]
        next[to[i]] = edge + 1
        source[edge] = from_[i]
        weight[edge] = <int32_t> i

    # The walk: from the outputs, then from all other nodes where they are wanted or where a cycle
    # has to be found
    memcpy(next, first, n * sizeof(int32_t))
    memset(state, 0, n * sizeof(int32_t))
    for i in range(n_sources, n):
        if i == rules.n_fixed:
            n_kept = n_order
            if not (is_feed_forward or all_nodes):
                break
        if state[i] != UNSEEN:
            continue
        if i < rules.n_fixed and mode == TIME_STEP and first[i] == first[i + 1] and not all_nodes:
            continue
        stack[0] = <int32_t> i
        state[i] = OPEN
        height = 1
        while height:
            node = stack[height - 1]
            if next[node] < first[node + 1]:
                other = source[next[node]]
                next[node] += 1
                if other >= n_sources:
                    if state[other] == UNSEEN:
                        state[other] = OPEN
                        stack[height] = other
                        height += 1
                    elif state[other] == OPEN:
                        if is_feed_forward:
                            return NULL
                        has_cycle = True
            else:
                state[node] = CLOSED
                order[n_order] = node
                n_order += 1
                height -= 1
    if all_nodes or n == rules.n_fixed:
        n_kept = n_order
    if is_feed_forward:
        sort_by_depth(&s, n, n_sources, n_kept)
    elif mode == TIME_STEP and not all_nodes and not has_cycle:
        # Without a cycle every node is computed for the last time when all that feeds it has been:
        # one pass gives the same values, if the steps are not too few for it
        n_kept = keep_reached(&s, n_sources, n_kept)
        if sort_by_depth(&s, n, n_sources, n_kept) <= rules.step_limit:
            mode = FEED_FORWARD
    order = s.order

    total = 0
    for i in range(n_sources):
        slot[i] = <int32_t> i
    for i in range(n_sources, n):
        slot[i] = -1
    for k in range(n_kept):
        node = order[k]
        slot[node] = <int32_t> (n_sources + k)
    for k in range(n_kept):
        node = order[k]
        for e in range(first[node], first[node + 1]):
            total += slot[source[e]] >= 0

    graph.mode = mode
    graph.activation = -1
    graph.step_limit = rules.step_limit
    graph.n_inputs = rules.n_inputs
    graph.n_sources = n_sources
    graph.n_outputs = rules.n_outputs
    graph.n_nodes = n_kept
    graph.n_edges = total
    graph.n_weights = n_enabled
    graph.n_parameters = n_enabled
    if rules.bias == NODE_BIASES:
        graph.n_parameters += n - n_sources
    lay_out(graph, rules.bias == NODE_BIASES)
    out = <int32_t *> graph.source
    out_weight = <int32_t *> graph.weight
    activations = <uint8_t *> graph.activations
    total = 0
    for k in range(n_kept):
        node = order[k]
        begin = total
        (<int32_t *> graph.first)[k] = begin
        for e in range(first[node], first[node + 1]):
            other = slot[source[e]]
            if other < 0:
                continue
            # What is computed last is added last: a node waits for one edge instead of for all.
            # Among very many edges that gains little.
            i = total
            if total - begin < MOST_SORTED:
                while i > begin and out[i - 1] > other:
                    out[i] = out[i - 1]
                    out_weight[i] = out_weight[i - 1]
                    i -= 1
            out[i] = other
            out_weight[i] = weight[e]
            total += 1
        activations[k] = genes.activation[node]
    (<int32_t *> graph.first)[n_kept] = total
    if graph.bias != NULL:
        for k in range(n_kept):
            (<int32_t *> graph.bias)[k] = <int32_t> (n_enabled + order[k] - n_sources)
    for i in range(rules.n_outputs):
        (<int32_t *> graph.output)[i] = slot[n_sources + i]
    if n_kept:
        graph.activation = activations[0]
        for k in range(1, n_kept):
            if activations[k] != activations[0]:
                graph.activation = -1
                break
    return graph


cdef void gather_parameters(const Genes *genes, const Rules *rules, Py_ssize_t itemsize,
                            void *parameters) noexcept nogil:
    cdef double *d = <double *> parameters
    cdef float *f = <float *> parameters
    cdef Py_ssize_t i, n = 0
    # Without a branch: a disabled connection's weight is overwritten by the next one, the last of
    # them in the slack
    if itemsize == 8:
        for i in range(genes.n_connections):
            d[n] = genes.weight[i]
            n += genes.enabled[i] != 0
        if rules.bias == NODE_BIASES:
            memcpy(d + n, genes.bias + rules.n_sources,
                   (genes.n_nodes - rules.n_sources) * sizeof(double))
    else:
        for i in range(genes.n_connections):
            f[n] = <float> genes.weight[i]
            n += genes.enabled[i] != 0
        if rules.bias == NODE_BIASES:
            for i in range(rules.n_sources, genes.n_nodes):
                f[n] = <float> genes.bias[i]
                n += 1


cdef Py_ssize_t first_beyond_graphs(const Plan *plan) noexcept nogil:
    cdef Py_ssize_t i
    cdef const Layer *layer
    for i in range(plan.n_layers):
        layer = plan.layers + i
        if layer.kind != DROPOUT and (
                layer.kind != DENSE or layer.activation == SOFTMAX
                or layer.activation == CUSTOM_ACTIVATION):
            return i
    return -1


# Nodes and edges of a dense network
cdef void count_dense(const Plan *plan, Py_ssize_t *n_nodes, Py_ssize_t *n_edges) noexcept nogil:
    cdef Py_ssize_t i
    cdef const Layer *layer
    n_nodes[0] = n_edges[0] = 0
    for i in range(plan.n_layers):
        layer = plan.layers + i
        if layer.kind == DENSE:
            n_nodes[0] += layer.n_outputs
            n_edges[0] += layer.n_inputs * layer.n_outputs


cdef Py_ssize_t dense_graph_bytes(const Plan *plan) noexcept nogil:
    cdef Py_ssize_t n_nodes, n_edges
    count_dense(plan, &n_nodes, &n_edges)
    # outputs are nodes or, where there is none, inputs
    return graph_bytes(n_edges, n_nodes + plan.n_inputs)


cdef Graph *dense_graph(const Plan *plan, void *memory) noexcept nogil:
    cdef Graph *graph = <Graph *> memory
    cdef Py_ssize_t i, j, source, k = 0, edge = 0
    cdef Py_ssize_t first = 0           # slot of the first unit of the layer below
    cdef Py_ssize_t n = plan.n_inputs   # its units
    cdef const Layer *layer
    cdef int activation = -1
    graph.mode = FEED_FORWARD_GRAPH
    graph.step_limit = 1
    graph.n_inputs = graph.n_sources = n
    graph.n_outputs = plan.n_outputs
    graph.n_weights = graph.n_parameters = plan.n_parameters + 1
    count_dense(plan, &graph.n_nodes, &graph.n_edges)
    lay_out(graph, True)
    for i in range(plan.n_layers):
        layer = plan.layers + i
        if layer.kind != DENSE:
            continue
        for j in range(layer.n_outputs):
            (<int32_t *> graph.first)[k] = <int32_t> edge
            for source in range(n):
                (<int32_t *> graph.source)[edge] = <int32_t> (first + source)
                (<int32_t *> graph.weight)[edge] = <int32_t> (
                    layer.weights + source * layer.n_outputs + j)
                edge += 1
            (<int32_t *> graph.bias)[k] = <int32_t> (
                layer.biases + j if layer.biases >= 0 else plan.n_parameters)
            (<uint8_t *> graph.activations)[k] = <uint8_t> layer.activation
            k += 1
        activation = layer.activation if first == 0 or activation == layer.activation else -1
        first = graph.n_sources + k - layer.n_outputs
        n = layer.n_outputs
    (<int32_t *> graph.first)[k] = <int32_t> edge
    for j in range(n):
        (<int32_t *> graph.output)[j] = <int32_t> (first + j)
    graph.activation = activation
    return graph
