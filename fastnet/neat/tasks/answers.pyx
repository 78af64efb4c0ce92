"""Outputs of a graph for many rows that have nothing to do with each other."""

from libc.string cimport memset

from fastnet._kernels.table cimport RECURRENT_GRAPH, Graph, Kernels


cdef Py_ssize_t depth_of(const Graph *graph, int *depth) noexcept nogil:
    # Sweeps until nothing changes; without a cycle n_nodes of them are enough in any order of the
    # nodes.
    cdef Py_ssize_t k, e, source, _sweep
    cdef int below, deepest = 0
    cdef bint has_changed
    memset(depth, 0, graph.n_nodes * sizeof(int))
    for _sweep in range(graph.n_nodes + 1):
        has_changed = False
        for k in range(graph.n_nodes):
            below = -1
            for e in range(graph.first[k], graph.first[k + 1]):
                source = graph.source[e] - graph.n_sources
                below = max(below, depth[source] if source >= 0 else 0)
            if below + 1 > depth[k]:
                depth[k] = below + 1
                deepest = max(deepest, depth[k])
                has_changed = True
        if not has_changed:
            return deepest
    return graph.n_nodes


cdef Py_ssize_t answers_scratch(const Kernels *kernels, const Graph *graph) noexcept nogil:
    if graph.mode == RECURRENT_GRAPH:
        return graph.n_nodes * sizeof(int)
    return kernels.graph_rows_scratch(graph)


cdef void answer_rows(const Kernels *kernels, const Graph *graph, const void *parameters,
                      Py_ssize_t n_rows, const void *x, void *y, void *state,
                      void *scratch) noexcept nogil:
    cdef Py_ssize_t n_steps, _row, _step
    cdef const char *x_row = <const char *> x
    cdef char *y_row = <char *> y
    if graph.mode != RECURRENT_GRAPH:
        kernels.graph_rows(graph, parameters, n_rows, x, y, scratch)
        return
    n_steps = depth_of(graph, <int *> scratch) + 1
    for _row in range(n_rows):
        kernels.graph_reset(graph, state)
        for _step in range(n_steps):
            kernels.graph_step(graph, parameters, x_row, y_row, state)
        x_row += graph.n_inputs * kernels.itemsize
        y_row += graph.n_outputs * kernels.itemsize
