# Backpropagation through a graph in FEED_FORWARD_GRAPH mode, many rows at a time.
#
# Rows go through in tiles; within a tile every slot has its values of all rows side by side, so
# that a vector holds rows.  A tile is filled up to whole vectors with copies of its last row, whose
# derivatives are zero: no lane then holds a number that the rows themselves do not have.

cdef enum:
    GRAPH_TILE_BYTES = 131072       # values and derivatives of a tile: part of an L2 cache
    GRAPH_LEAST_ROWS = 64           # four of the widest vectors
    GRAPH_MOST_ROWS = 256
    GRAPH_ROUND = 16                # rows of one


cdef inline Py_ssize_t whole(Py_ssize_t n, Py_ssize_t unit) noexcept nogil:
    return (n + unit - 1) // unit * unit


cdef Py_ssize_t graph_rows_at_once(const Graph *graph) noexcept nogil:
    cdef Py_ssize_t units = graph.n_sources + 3 * graph.n_nodes + 3 * graph.n_outputs + 1
    cdef Py_ssize_t rows = GRAPH_TILE_BYTES // (units * <Py_ssize_t> sizeof(real))
    rows = min(max(rows, <Py_ssize_t> GRAPH_LEAST_ROWS), <Py_ssize_t> GRAPH_MOST_ROWS)
    return rows // GRAPH_LEAST_ROWS * GRAPH_LEAST_ROWS


cdef inline Py_ssize_t graph_tile(const Graph *graph, Py_ssize_t n_rows) noexcept nogil:
    return min(whole(max(n_rows, <Py_ssize_t> 1), GRAPH_ROUND), graph_rows_at_once(graph))


# What a gradient keeps, with `tile` elements a slot
ctypedef struct GraphTile:
    Py_ssize_t tile
    Py_ssize_t n_rows               # of the tile that is computed, and those up to whole vectors
    Py_ssize_t n_filled
    real *a                         # (n_sources + n_nodes, tile)
    real *z                         # (n_nodes, tile)
    real *d                         # (n_nodes, tile): dC/da, then dC/dz
    real *outputs                   # (n_rows, n_outputs), as three of them: a, z and derivatives
    real *output_z
    real *output_d
    real *row_loss                  # (n_rows,)
    int32_t *output                 # (n_nodes,): number of the output that a node is, or -1


cdef Py_ssize_t graph_gradient_scratch(const Graph *graph, Py_ssize_t n_rows) noexcept nogil:
    cdef Py_ssize_t tile = graph_tile(graph, n_rows)
    cdef Py_ssize_t units = graph.n_sources + 3 * graph.n_nodes + 3 * graph.n_outputs + 1
    return (units * tile + 3 * 64 + padded(graph.n_nodes)) * sizeof(real)


cdef inline void lay_out(const Graph *graph, Py_ssize_t n_rows, real *scratch,
                         GraphTile *t) noexcept nogil:
    cdef Py_ssize_t i, k
    t.tile = graph_tile(graph, n_rows)
    t.a = scratch
    t.z = t.a + (graph.n_sources + graph.n_nodes) * t.tile
    t.d = t.z + graph.n_nodes * t.tile
    t.row_loss = t.d + graph.n_nodes * t.tile
    t.outputs = t.row_loss + t.tile
    t.output_z = t.outputs + graph.n_outputs * t.tile + 64
    t.output_d = t.output_z + graph.n_outputs * t.tile + 64
    t.output = <int32_t *> (t.output_d + graph.n_outputs * t.tile + 64)
    for k in range(graph.n_nodes):
        t.output[k] = -1
    for i in range(graph.n_outputs):
        if graph.output[i] >= graph.n_sources:
            t.output[graph.output[i] - graph.n_sources] = <int32_t> i
    for k in range(graph.n_inputs, graph.n_sources):
        for i in range(t.tile):
            t.a[k * t.tile + i] = 1


# x (n_rows, n) to y (n, tile), filled up with the last row
cdef inline void rows_to_tile(Py_ssize_t n, const real *x, const GraphTile *t,
                              real *y) noexcept nogil:
    cdef Py_ssize_t i, j
    for j in range(n):
        for i in range(t.n_rows):
            y[j * t.tile + i] = x[i * n + j]
        for i in range(t.n_rows, t.n_filled):
            y[j * t.tile + i] = y[j * t.tile + t.n_rows - 1]


# z (tile,) of one node: the rows of n_vectors vectors from the first on; called with a literal
# n_vectors
cdef inline void tile_sum(int n_vectors, const Graph *graph, Py_ssize_t k, const real *parameters,
                          vf bias, const real *a, Py_ssize_t tile, real *z) noexcept nogil:
    cdef vf s0 = bias, s1 = bias, s2 = bias, s3 = bias
    cdef vf w
    cdef const real *source
    cdef Py_ssize_t e
    for e in range(graph.first[k], graph.first[k + 1]):
        w = vset1(parameters[graph.weight[e]])
        source = a + graph.source[e] * tile
        s0 = vfma(w, vload(source), s0)
        if n_vectors > 1:
            s1 = vfma(w, vload(source + VL), s1)
            s2 = vfma(w, vload(source + 2 * VL), s2)
            s3 = vfma(w, vload(source + 3 * VL), s3)
    vstore(z, s0)
    if n_vectors > 1:
        vstore(z + VL, s1)
        vstore(z + 2 * VL, s2)
        vstore(z + 3 * VL, s3)


cdef inline void graph_forward(const Graph *graph, const real *parameters,
                               const GraphTile *t) noexcept nogil:
    """z and a of every computed node."""
    cdef Py_ssize_t tile = t.tile, k, i
    cdef vf bias = vzero()
    cdef real *z
    for k in range(graph.n_nodes):
        z = t.z + k * tile
        if graph.bias != NULL:
            bias = vset1(parameters[graph.bias[k]])
        i = 0
        while i + 4 * VL <= t.n_filled:
            tile_sum(4, graph, k, parameters, bias, t.a + i, tile, z + i)
            i += 4 * VL
        while i < t.n_filled:
            tile_sum(1, graph, k, parameters, bias, t.a + i, tile, z + i)
            i += VL
        activate(graph.activations[k], t.n_filled, z, t.a + (graph.n_sources + k) * tile)


cdef inline void tile_to_outputs(const Graph *graph, const real *slots, Py_ssize_t first_slot,
                                 const GraphTile *t, real *y) noexcept nogil:
    """y (n_rows, n_outputs) of slots (n, tile) that begin at number first_slot."""
    cdef Py_ssize_t n = graph.n_outputs, i, j
    cdef const real *slot
    for j in range(n):
        if graph.output[j] < first_slot:
            for i in range(t.n_rows):
                y[i * n + j] = 0
            continue
        slot = slots + (graph.output[j] - first_slot) * t.tile
        for i in range(t.n_rows):
            y[i * n + j] = slot[i]


cdef inline void add_outputs(const Graph *graph, Py_ssize_t node, const GraphTile *t,
                             real *d) noexcept nogil:
    """d (n_rows,) += what the loss gave for the output that a node is, if it is one."""
    cdef Py_ssize_t j = t.output[node], n = graph.n_outputs, i
    if j < 0:
        return
    for i in range(t.n_rows):
        d[i] += t.output_d[i * n + j]


# d (n_filled,) of one node by z, a: slots (.., tile):  gradient of the weights of its edges
cdef inline void edge_gradients(const Graph *graph, Py_ssize_t k, const GraphTile *t,
                                const real *d, real *gradient) noexcept nogil:
    cdef Py_ssize_t e = graph.first[k], last = graph.first[k + 1], i
    cdef const real *a0
    cdef const real *a1
    cdef const real *a2
    cdef const real *a3
    cdef vf s0, s1, s2, s3, v
    cdef real sums[4]
    while e + 4 <= last:
        a0 = t.a + graph.source[e] * t.tile
        a1 = t.a + graph.source[e + 1] * t.tile
        a2 = t.a + graph.source[e + 2] * t.tile
        a3 = t.a + graph.source[e + 3] * t.tile
        s0 = vzero()
        s1 = vzero()
        s2 = vzero()
        s3 = vzero()
        i = 0
        while i < t.n_filled:
            v = vload(d + i)
            s0 = vfma(v, vload(a0 + i), s0)
            s1 = vfma(v, vload(a1 + i), s1)
            s2 = vfma(v, vload(a2 + i), s2)
            s3 = vfma(v, vload(a3 + i), s3)
            i += VL
        vreduce4(s0, s1, s2, s3, sums)
        gradient[graph.weight[e]] += sums[0]
        gradient[graph.weight[e + 1]] += sums[1]
        gradient[graph.weight[e + 2]] += sums[2]
        gradient[graph.weight[e + 3]] += sums[3]
        e += 4
    while e < last:
        a0 = t.a + graph.source[e] * t.tile
        s0 = vzero()
        i = 0
        while i < t.n_filled:
            s0 = vfma(vload(d + i), vload(a0 + i), s0)
            i += VL
        gradient[graph.weight[e]] += vsum(s0)
        e += 1


cdef inline void graph_backward(const Graph *graph, const real *parameters, const GraphTile *t,
                                bint by_z, real *gradient) noexcept nogil:
    """Adds the gradient of the rows of a tile; output_d is by z or by a."""
    cdef Py_ssize_t tile = t.tile, k = graph.n_nodes, e, i
    cdef real *d
    cdef real *d_source
    cdef vf w, s
    memset(t.d, 0, graph.n_nodes * tile * sizeof(real))
    while k > 0:
        # all nodes that this one feeds come later in the order: their share of d is complete
        k -= 1
        d = t.d + k * tile
        if not by_z:
            add_outputs(graph, k, t, d)
        if graph.activations[k] != IDENTITY:
            multiply_derivative(graph.activations[k], t.n_filled, t.z + k * tile,
                                t.a + (graph.n_sources + k) * tile, d)
        if by_z:
            add_outputs(graph, k, t, d)
        if graph.bias != NULL:
            s = vzero()
            i = 0
            while i < t.n_filled:
                s = s + vload(d + i)
                i += VL
            gradient[graph.bias[k]] += vsum(s)
        edge_gradients(graph, k, t, d, gradient)
        for e in range(graph.first[k], graph.first[k + 1]):
            if graph.source[e] < graph.n_sources:
                continue
            w = vset1(parameters[graph.weight[e]])
            d_source = t.d + (graph.source[e] - graph.n_sources) * tile
            i = 0
            while i < t.n_filled:
                vstore(d_source + i, vfma(w, vload(d + i), vload(d_source + i)))
                i += VL


cdef int graph_gradient(const Graph *graph, const void *parameters_, const Loss *spec,
                        const Rows *rows, double scale, double *value, void *gradient_,
                        void *scratch_, Monitor *monitor) noexcept nogil:
    """value = scale sum_i w_i L_i and its gradient, tile by tile of rows."""
    cdef const real *parameters = <const real *> parameters_
    cdef real *gradient = <real *> gradient_
    cdef bint by_z = is_fused(spec.kind)
    cdef Py_ssize_t first = 0
    cdef GraphTile t
    cdef Rows part
    lay_out(graph, rows.n_rows, <real *> scratch_, &t)
    value[0] = 0
    if gradient != NULL:
        memset(gradient, 0, graph.n_parameters * sizeof(real))
    while first < rows.n_rows:
        t.n_rows = min(rows.n_rows - first, t.tile)
        t.n_filled = whole(t.n_rows, VL)
        part_of_rows(graph.n_inputs, graph.n_outputs, rows, first, t.n_rows, &part)
        rows_to_tile(graph.n_inputs, <const real *> part.x, &t, t.a)
        graph_forward(graph, parameters, &t)
        tile_to_outputs(graph, t.a, 0, &t, t.outputs)
        if by_z:
            tile_to_outputs(graph, t.z, graph.n_sources, &t, t.output_z)
        if rows_loss(graph.n_outputs, spec, &part, scale, t.output_z, t.outputs,
                     gradient != NULL, t.row_loss, t.output_d, value, monitor) != OK:
            return STOPPED
        if gradient != NULL:
            graph_backward(graph, parameters, &t, by_z, gradient)
        first += t.n_rows
        if poll(monitor, (6.0 if gradient != NULL else 2.0) * t.n_rows
                * (graph.n_edges + 8 * graph.n_nodes)) != OK:
            return STOPPED
    return OK


# ---- one row ---------------------------------------------------------------------------------

cdef Py_ssize_t graph_jacobian_scratch(const Graph *graph) noexcept nogil:
    cdef Py_ssize_t n_slots = graph.n_sources + graph.n_nodes
    return (padded(n_slots) + padded(graph.n_nodes)
            + padded(n_slots * graph.n_outputs)) * sizeof(real)


cdef void graph_jacobian(const Graph *graph, const void *parameters_, const void *x_,
                         void *d_parameters_, void *d_inputs_, void *scratch_) noexcept nogil:
    """d_parameters (n_outputs, n_parameters) and d_inputs (n_outputs, n_inputs), or NULL, at x.

    One backward pass for all outputs: row s of d is d outputs / d slot s.
    """
    cdef const real *parameters = <const real *> parameters_
    cdef const real *x = <const real *> x_
    cdef real *d_parameters = <real *> d_parameters_
    cdef real *d_inputs = <real *> d_inputs_
    cdef Py_ssize_t n = graph.n_outputs, n_sources = graph.n_sources
    cdef Py_ssize_t n_slots = n_sources + graph.n_nodes, k, e, o
    cdef real *a = <real *> scratch_
    cdef real *z = a + padded(n_slots)
    cdef real *d = z + padded(graph.n_nodes)
    cdef real *d_node
    cdef real *d_source
    cdef real slope, w, s
    for k in range(n_sources):
        a[k] = x[k] if k < graph.n_inputs else 1
    for k in range(graph.n_nodes):
        s = parameters[graph.bias[k]] if graph.bias != NULL else 0
        for e in range(graph.first[k], graph.first[k + 1]):
            s += parameters[graph.weight[e]] * a[graph.source[e]]
        z[k] = s
        activate(graph.activations[k], 1, z + k, a + n_sources + k)
    if d_parameters != NULL:
        memset(d_parameters, 0, n * graph.n_parameters * sizeof(real))
    memset(d, 0, n_slots * n * sizeof(real))
    for o in range(n):
        if graph.output[o] >= 0:
            d[graph.output[o] * n + o] = 1
    k = graph.n_nodes
    while k > 0:
        k -= 1
        d_node = d + (n_sources + k) * n
        slope = 1
        if graph.activations[k] != IDENTITY:
            multiply_derivative(graph.activations[k], 1, z + k, a + n_sources + k, &slope)
        for o in range(n):
            d_node[o] *= slope
        if d_parameters != NULL and graph.bias != NULL:
            for o in range(n):
                d_parameters[o * graph.n_parameters + graph.bias[k]] = d_node[o]
        for e in range(graph.first[k], graph.first[k + 1]):
            s = a[graph.source[e]]
            w = parameters[graph.weight[e]]
            d_source = d + graph.source[e] * n
            for o in range(n):
                if d_parameters != NULL:
                    d_parameters[o * graph.n_parameters + graph.weight[e]] = d_node[o] * s
                d_source[o] += w * d_node[o]
    if d_inputs != NULL:
        for k in range(graph.n_inputs):
            for o in range(n):
                d_inputs[o * graph.n_inputs + k] = d[k * n + o]
