# Networks of any topology, stepped through a compiled plan (Graph): one row, and many rows with a
# vector across rows.
#
# Slots are the inputs, then 1 where there is a bias node, then the computed nodes.  The value of a
# node is f(bias + sum of w v over its edges, in their order); both ways add in the same order, but
# the sigmoids of one row are those of local.pxi, and may differ in their last bits.
#
# One row is a chain of short sums, each waiting for the one before: a node at a time with its
# activation on one vector wins over passes by level, because evolved networks are deep and narrow.

cdef enum:
    # Vectors of rows at once, and what their values may fill.  Eight accumulators hide the latency
    # of the multiply-add, which is worth more than the first cache: 1.6 times at 500 connections.
    GRAPH_VECTORS = 8
    GRAPH_CACHE = 200000

    ANY = -1                # instead of one activation of all nodes
    UNPREPARED = -2         # any, before graph_prepare()

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

cdef inline vf node_sum(const Graph *graph, const real *p, const real *values,
                        Py_ssize_t k) noexcept nogil:
    cdef Py_ssize_t e = graph.first[k], end = graph.first[k + 1]
    cdef vf s = vset1(p[graph.bias[k]]) if graph.bias != NULL else vzero()
    while e < end:
        s = vfma(vset1(p[graph.weight[e]]), vset1(values[graph.source[e]]), s)
        e += 1
    return s


# Topological pass; activation: a literal that all nodes have, or ANY
cdef inline void sweep(int activation, const Graph *graph, const real *p,
                       real *values) noexcept nogil:
    cdef real *out = values + graph.n_sources
    cdef Py_ssize_t k
    cdef vf s
    for k in range(graph.n_nodes):
        s = node_sum(graph, p, values, k)
        if activation == UNPREPARED:
            s = activate_vector(graph.activations[k], s)
        elif activation == ANY:
            s = activate_one(graph.activations[k], s)
        else:
            s = activate_one(activation, s)
        out[k] = vfirst(s)


cdef void feed_forward_step(const Graph *graph, const real *p, real *values) noexcept nogil:
    # Copies of the loop for what most networks have
    if not cells_are_ready:
        sweep(UNPREPARED, graph, p, values)
    elif graph.activation == SIGMOID:
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
        sweep(ANY, graph, p, values)


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


# True where the same nodes fired as in the step before: then they will in all steps to come
cdef inline bint end_step(const Graph *graph, uint8_t *flags,
                          const uint8_t *fires) noexcept nogil:
    cdef Py_ssize_t k
    cdef uint8_t changes = flags[0] & FIRED if graph.n_sources > 0 else 0
    memset(flags, ACTIVE, graph.n_sources)
    flags += graph.n_sources
    for k in range(graph.n_nodes):
        changes |= (flags[k] & FIRED) ^ fires[k]
        flags[k] = (flags[k] & ACTIVE) | (fires[k] * (FIRED | ACTIVE))
    return changes == 0


cdef void time_steps(const Graph *graph, const real *p, real *values) noexcept nogil:
    cdef real *nodes = values + graph.n_sources
    cdef real *sums = nodes + graph.n_nodes
    cdef uint8_t *flags = <uint8_t *> (sums + graph.n_nodes)
    cdef uint8_t *fires = flags + graph.n_sources + graph.n_nodes
    cdef Py_ssize_t k, _step
    cdef bint settled = False
    blank(graph, 1, values)
    memset(sums, 0, graph.n_nodes * sizeof(real))
    begin_spreading(graph, flags)
    for _step in range(graph.step_limit):
        if not settled and not spread(graph, flags, fires):
            break
        for k in range(graph.n_nodes):
            if fires[k]:
                sums[k] = vfirst(node_sum(graph, p, values, k))
        activate_nodes(graph, 1, sums)
        for k in range(graph.n_nodes):
            if fires[k]:
                nodes[k] = sums[k]
        if not settled:
            settled = end_step(graph, flags, fires)


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


# values (n_slots, rows), the new values of computed nodes (n_nodes, rows) with room for a block of
# the transpose behind the inputs, flags and bytes as in a state
cdef Py_ssize_t graph_rows_scratch(const Graph *graph) noexcept nogil:
    cdef Py_ssize_t n = graph.n_sources + 2 * graph.n_nodes
    return (n + TRANSPOSE_BLOCK) * graph_vectors(graph) * VL * <Py_ssize_t> sizeof(real) + n


# where the flags are
cdef inline uint8_t *rows_flags(const Graph *graph, Py_ssize_t rows,
                                real *values) noexcept nogil:
    cdef Py_ssize_t n = graph.n_sources + 2 * graph.n_nodes
    return <uint8_t *> (values + (n + TRANSPOSE_BLOCK) * rows)


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


# values (n, rows) = transpose of x (n_rows, n), of which n_readable elements may be read.  Whole
# blocks, though the last columns then are of the next row: what they put behind the n slots is
# overwritten later.
cdef inline void inputs_to_slots(Py_ssize_t n_rows, Py_ssize_t n, Py_ssize_t n_readable,
                                 const real *x, Py_ssize_t rows, real *values) noexcept nogil:
    cdef Py_ssize_t i = 0, j
    while i + TRANSPOSE_BLOCK <= n_rows:
        j = 0
        while j < n:
            if (i + TRANSPOSE_BLOCK - 1) * n + j + TRANSPOSE_BLOCK > n_readable:
                break
            transpose_block(x + i * n + j, n, values + j * rows + i, rows)
            j += TRANSPOSE_BLOCK
        if j < n:
            break
        i += TRANSPOSE_BLOCK
    while i < n_rows:
        for j in range(n):
            values[j * rows + i] = x[i * n + j]
        i += 1


# y (n_rows, n) from one slot each; called with a literal n where it is small, for whose stores the
# compilers interleave vectors
cdef inline void slots_to_outputs(Py_ssize_t n, const Graph *graph, Py_ssize_t n_rows,
                                  Py_ssize_t rows, const real *values, real *y) noexcept nogil:
    cdef const real *slot[4]
    cdef Py_ssize_t i, j
    if n <= 4:
        for j in range(n):
            slot[j] = values + max(graph.output[j], 0) * rows
        for i in range(n_rows):
            for j in range(n):
                y[i * n + j] = slot[j][i]
        return
    for j in range(n):
        slot[0] = values + max(graph.output[j], 0) * rows
        for i in range(n_rows):
            y[i * n + j] = slot[0][i]


# n_rows <= T VL rows, in T vectors; x: n_readable elements from there on
cdef inline void tile_rows(int T, const Graph *graph, const real *p, Py_ssize_t n_rows,
                           Py_ssize_t n_readable, const real *x, real *y,
                           real *values) noexcept nogil:
    cdef Py_ssize_t rows = T * VL, n_nodes = graph.n_nodes, i, j, k, n, _step
    cdef real *nodes = values + graph.n_sources * rows
    cdef real *new = nodes + n_nodes * rows
    cdef uint8_t *flags = rows_flags(graph, rows, values)
    cdef uint8_t *fires = flags + graph.n_sources + n_nodes
    cdef bint settled = False
    if n_rows < rows:
        memset(values, 0, graph.n_inputs * rows * sizeof(real))
    inputs_to_slots(n_rows, graph.n_inputs, n_readable, x, rows, values)
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
            if not settled and not spread(graph, flags, fires):
                break
            for k in range(n_nodes):
                if fires[k]:
                    node_rows(T, graph, p, values, k, new + k * rows)
            for k in range(n_nodes):
                if fires[k]:
                    memcpy(nodes + k * rows, new + k * rows, rows * sizeof(real))
            if not settled:
                settled = end_step(graph, flags, fires)
    n = graph.n_outputs
    if n == 1:
        slots_to_outputs(1, graph, n_rows, rows, values, y)
    elif n == 2:
        slots_to_outputs(2, graph, n_rows, rows, values, y)
    elif n == 3:
        slots_to_outputs(3, graph, n_rows, rows, values, y)
    elif n == 4:
        slots_to_outputs(4, graph, n_rows, rows, values, y)
    else:
        slots_to_outputs(n, graph, n_rows, rows, values, y)
    for j in range(n):
        if graph.output[j] < 0:
            for i in range(n_rows):
                y[i * n + j] = 0


# x (n_rows, n_inputs) to y (n_rows, n_outputs)
cdef void graph_rows(const Graph *graph, const void *parameters, Py_ssize_t n_rows, const void *x_,
                     void *y_, void *scratch) noexcept nogil:
    cdef const real *p = <const real *> parameters
    cdef const real *x = <const real *> x_
    cdef real *y = <real *> y_
    cdef real *values = <real *> scratch
    cdef Py_ssize_t most = graph_vectors(graph), n, left = n_rows, readable
    while left > 0:
        n = min(left, most * VL)
        readable = left * graph.n_inputs
        if n > 4 * VL:
            tile_rows(8, graph, p, n, readable, x, y, values)
        elif n > 2 * VL:
            tile_rows(4, graph, p, n, readable, x, y, values)
        elif n > VL:
            tile_rows(2, graph, p, n, readable, x, y, values)
        else:
            tile_rows(1, graph, p, n, readable, x, y, values)
        x += n * graph.n_inputs
        y += n * graph.n_outputs
        left -= n
