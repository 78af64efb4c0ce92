# Networks of any topology, stepped through a compiled plan (Graph): one row, and many rows with a
# vector across rows.
#
# Slots are the inputs, then 1 where there is a bias node, then the computed nodes.  The value of a
# node is f(bias + sum of w v over its edges, in their order); both ways add in the same order with
# the same operations, so a row has the same bits alone and among others.
#
# One row is a chain of short sums, each waiting for the one before: a node at a time with its
# activation on one vector wins over passes by level, because evolved networks are deep and narrow.

cdef enum:
    # Vectors of rows at once, and what their values may fill: what stays in the first cache.  Eight
    # accumulators hide the latency of the multiply-add.
    GRAPH_VECTORS = 8
    GRAPH_CACHE = 40000

    FIRED = 1               # flags of a slot: in the last step
    ACTIVE = 2              # ever


# Blank state of all slots; stride: rows beside each other
cdef inline void blank(const Graph *graph, Py_ssize_t stride, real *values) noexcept nogil:
    cdef Py_ssize_t i, n_before = graph.n_inputs * stride, n_bias
    n_bias = (graph.n_sources - graph.n_inputs) * stride
    for i in range(n_before, n_before + n_bias):
        values[i] = 1
    memset(values + n_before + n_bias, 0, graph.n_nodes * stride * sizeof(real))


# What a state holds: values of all slots, a sum for each computed node, flags of all slots, and a
# byte for each computed node
cdef Py_ssize_t graph_state(const Graph *graph) noexcept nogil:
    cdef Py_ssize_t n_slots = graph.n_sources + graph.n_nodes
    return (n_slots + graph.n_nodes) * (<Py_ssize_t> sizeof(real) + 1)


cdef void graph_reset(const Graph *graph, void *state) noexcept nogil:
    cdef real *values = <real *> state
    memset(values, 0, graph_state(graph))
    blank(graph, 1, values)


# ---- one row ---------------------------------------------------------------------------------

# Any activation on one vector; not inlined, or every node would carry all of them
cdef vf activate_vector(int activation, vf z) noexcept nogil:
    return apply_activation(activation, z)


cdef inline vf node_sum(const Graph *graph, const real *p, const real *values,
                        Py_ssize_t k) noexcept nogil:
    cdef Py_ssize_t e = graph.first[k], end = graph.first[k + 1]
    cdef vf s = vset1(p[graph.bias[k]]) if graph.bias != NULL else vzero()
    while e < end:
        s = vfma(vset1(p[graph.weight[e]]), vset1(values[graph.source[e]]), s)
        e += 1
    return s


# Topological pass; activation: a literal that all nodes have, or -1
cdef inline void sweep(int activation, const Graph *graph, const real *p,
                       real *values) noexcept nogil:
    cdef real *out = values + graph.n_sources
    cdef Py_ssize_t k
    cdef vf s
    for k in range(graph.n_nodes):
        s = node_sum(graph, p, values, k)
        if activation >= 0:
            s = apply_activation(activation, s)
        else:
            s = activate_vector(graph.activations[k], s)
        out[k] = vfirst(s)


cdef void feed_forward_step(const Graph *graph, const real *p, real *values) noexcept nogil:
    # Copies of the loop for what most networks have
    if graph.activation == SIGMOID:
        sweep(SIGMOID, graph, p, values)
    elif graph.activation == STEEP_SIGMOID:
        sweep(STEEP_SIGMOID, graph, p, values)
    elif graph.activation == TANH:
        sweep(TANH, graph, p, values)
    elif graph.activation == RELU:
        sweep(RELU, graph, p, values)
    elif graph.activation == IDENTITY:
        sweep(IDENTITY, graph, p, values)
    else:
        sweep(-1, graph, p, values)


# a[k] = f(a[k]) of computed nodes, a (n_nodes, n)
cdef inline void activate_nodes(const Graph *graph, Py_ssize_t n, real *a) noexcept nogil:
    cdef Py_ssize_t k
    if graph.activation >= 0:
        activate(graph.activation, graph.n_nodes * n, a, a)
    else:
        for k in range(graph.n_nodes):
            activate(graph.activations[k], n, a + k * n, a + k * n)


cdef void recurrent_step(const Graph *graph, const real *p, real *values) noexcept nogil:
    # All sums from the old values, then one pass of the activation
    cdef real *old = values + graph.n_sources
    cdef real *sums = old + graph.n_nodes
    cdef Py_ssize_t k
    for k in range(graph.n_nodes):
        sums[k] = vfirst(node_sum(graph, p, values, k))
    activate_nodes(graph, 1, sums)
    memcpy(old, sums, graph.n_nodes * sizeof(real))


# Nodes that an edge from a node of the last step enters; false where there is none.  Which nodes
# fire in which step depends on the edges alone, so all rows share it.
cdef inline bint spread(const Graph *graph, const uint8_t *flags, uint8_t *fires) noexcept nogil:
    cdef Py_ssize_t k, e = 0, end
    cdef uint8_t any_edge, any_node = 0
    for k in range(graph.n_nodes):
        any_edge = 0
        end = graph.first[k + 1]
        while e < end:
            any_edge |= flags[graph.source[e]]
            e += 1
        fires[k] = any_edge & FIRED
        any_node |= fires[k]
    return any_node != 0


cdef inline void begin_spreading(const Graph *graph, uint8_t *flags) noexcept nogil:
    memset(flags, FIRED | ACTIVE, graph.n_sources)
    memset(flags + graph.n_sources, 0, graph.n_nodes)


cdef inline void end_step(const Graph *graph, uint8_t *flags, const uint8_t *fires) noexcept nogil:
    cdef Py_ssize_t k
    memset(flags, ACTIVE, graph.n_sources)
    flags += graph.n_sources
    for k in range(graph.n_nodes):
        flags[k] = (flags[k] & ACTIVE) | (FIRED | ACTIVE if fires[k] else 0)


cdef void time_steps(const Graph *graph, const real *p, real *values) noexcept nogil:
    cdef real *nodes = values + graph.n_sources
    cdef real *sums = nodes + graph.n_nodes
    cdef uint8_t *flags = <uint8_t *> (sums + graph.n_nodes)
    cdef uint8_t *fires = flags + graph.n_sources + graph.n_nodes
    cdef Py_ssize_t k, _step
    blank(graph, 1, values)
    memset(sums, 0, graph.n_nodes * sizeof(real))
    begin_spreading(graph, flags)
    for _step in range(graph.step_limit):
        if not spread(graph, flags, fires):
            break
        for k in range(graph.n_nodes):
            if fires[k]:
                sums[k] = vfirst(node_sum(graph, p, values, k))
        activate_nodes(graph, 1, sums)
        for k in range(graph.n_nodes):
            if fires[k]:
                nodes[k] = sums[k]
        end_step(graph, flags, fires)


cdef void graph_step(const Graph *graph, const void *parameters, const void *x_, void *y_,
                     void *state) noexcept nogil:
    cdef const real *p = <const real *> parameters
    cdef const real *x = <const real *> x_
    cdef real *y = <real *> y_
    cdef real *values = <real *> state
    cdef Py_ssize_t i
    for i in range(graph.n_inputs):
        values[i] = x[i]
    if graph.mode == FEED_FORWARD_GRAPH:
        if graph.n_sources > graph.n_inputs:
            values[graph.n_inputs] = 1
        feed_forward_step(graph, p, values)
    elif graph.mode == RECURRENT_GRAPH:
        recurrent_step(graph, p, values)
    else:
        time_steps(graph, p, values)
    for i in range(graph.n_outputs):
        y[i] = values[graph.output[i]] if graph.output[i] >= 0 else 0


# ---- many rows -------------------------------------------------------------------------------

# Vectors of rows at once, a power of two
cdef inline Py_ssize_t graph_vectors(const Graph *graph) noexcept nogil:
    cdef Py_ssize_t t = GRAPH_VECTORS
    cdef Py_ssize_t row = (graph.n_sources + graph.n_nodes) * VL * <Py_ssize_t> sizeof(real)
    while t > 2 and t * row > GRAPH_CACHE:
        t //= 2
    return t


# values (n_slots, rows), the new values of computed nodes (n_nodes, rows), flags and bytes as in a
# state
cdef Py_ssize_t graph_rows_scratch(const Graph *graph) noexcept nogil:
    cdef Py_ssize_t n_slots = graph.n_sources + graph.n_nodes, n_bytes = n_slots + graph.n_nodes
    return n_bytes * (graph_vectors(graph) * VL * <Py_ssize_t> sizeof(real) + 1)


# out (T VL,) = f(bias + sum) of node k in T vectors of rows
cdef inline void node_rows(int T, const Graph *graph, const real *p, const real *values,
                           Py_ssize_t k, real *out) noexcept nogil:
    cdef vf sums[GRAPH_VECTORS]
    cdef vf w
    cdef const real *v
    cdef Py_ssize_t e = graph.first[k], end = graph.first[k + 1]
    cdef int activation = graph.activations[k]
    cdef int t
    w = vset1(p[graph.bias[k]]) if graph.bias != NULL else vzero()
    for t in range(T):
        sums[t] = w
    while e < end:
        w = vset1(p[graph.weight[e]])
        v = values + graph.source[e] * (T * VL)
        for t in range(T):
            sums[t] = vfma(w, vload(v + t * VL), sums[t])
        e += 1
    if activation == RELU:
        for t in range(T):
            vstore(out + t * VL, relu(sums[t]))
        return
    for t in range(T):
        vstore(out + t * VL, sums[t])
    if activation != IDENTITY:
        activate(activation, T * VL, out, out)


# n_rows <= T VL rows, in T vectors
cdef inline void tile_rows(int T, const Graph *graph, const real *p, Py_ssize_t n_rows,
                           const real *x, real *y, real *values) noexcept nogil:
    cdef Py_ssize_t rows = T * VL, n_nodes = graph.n_nodes, i, j, k, _step
    cdef real *nodes = values + graph.n_sources * rows
    cdef real *new = nodes + n_nodes * rows
    cdef uint8_t *flags = <uint8_t *> (new + n_nodes * rows)
    cdef uint8_t *fires = flags + graph.n_sources + n_nodes
    cdef const real *out
    if n_rows < rows:
        memset(values, 0, graph.n_inputs * rows * sizeof(real))
    pack_transposed(n_rows, graph.n_inputs, x, graph.n_inputs, values, rows)
    if graph.mode == FEED_FORWARD_GRAPH:
        for i in range(graph.n_inputs * rows, graph.n_sources * rows):
            values[i] = 1
        for k in range(n_nodes):
            node_rows(T, graph, p, values, k, nodes + k * rows)
    elif graph.mode == RECURRENT_GRAPH:
        blank(graph, rows, values)
        for k in range(n_nodes):
            node_rows(T, graph, p, values, k, new + k * rows)
        memcpy(nodes, new, n_nodes * rows * sizeof(real))
    else:
        blank(graph, rows, values)
        begin_spreading(graph, flags)
        for _step in range(graph.step_limit):
            if not spread(graph, flags, fires):
                break
            for k in range(n_nodes):
                if fires[k]:
                    node_rows(T, graph, p, values, k, new + k * rows)
            for k in range(n_nodes):
                if fires[k]:
                    memcpy(nodes + k * rows, new + k * rows, rows * sizeof(real))
            end_step(graph, flags, fires)
    for j in range(graph.n_outputs):
        if graph.output[j] < 0:
            for i in range(n_rows):
                y[i * graph.n_outputs + j] = 0
            continue
        out = values + graph.output[j] * rows
        if graph.n_outputs == 1:
            memcpy(y, out, n_rows * sizeof(real))
        else:
            for i in range(n_rows):
                y[i * graph.n_outputs + j] = out[i]


# x (n_rows, n_inputs) to y (n_rows, n_outputs)
cdef void graph_rows(const Graph *graph, const void *parameters, Py_ssize_t n_rows, const void *x_,
                     void *y_, void *scratch) noexcept nogil:
    cdef const real *p = <const real *> parameters
    cdef const real *x = <const real *> x_
    cdef real *y = <real *> y_
    cdef real *values = <real *> scratch
    cdef Py_ssize_t most = graph_vectors(graph), n, left = n_rows
    while left > 0:
        n = min(left, most * VL)
        if n > 4 * VL:
            tile_rows(8, graph, p, n, x, y, values)
        elif n > 2 * VL:
            tile_rows(4, graph, p, n, x, y, values)
        elif n > VL:
            tile_rows(2, graph, p, n, x, y, values)
        else:
            tile_rows(1, graph, p, n, x, y, values)
        x += n * graph.n_inputs
        y += n * graph.n_outputs
        left -= n
