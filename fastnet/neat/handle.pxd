"""Graphs for functions in C."""

from fastnet._header cimport GraphHandle, fn_graph
from fastnet._kernels.table cimport Graph, Kernels
from fastnet._workspace cimport aligned


# A multiple of what the kernels take at once: more rows in one call would give the same bits
cdef inline Py_ssize_t converted_rows(const Kernels *kernels) noexcept nogil:
    return 8 * kernels.vector_length if kernels.itemsize == 4 else 0


cdef inline Py_ssize_t handle_bytes(const Kernels *kernels, const Graph *graph) noexcept nogil:
    cdef Py_ssize_t n_rows = converted_rows(kernels)
    return (aligned(sizeof(GraphHandle)) + aligned(kernels.graph_rows_scratch(graph))
            + aligned(n_rows * graph.n_inputs * sizeof(float))
            + aligned(n_rows * graph.n_outputs * sizeof(float)))


# In memory of handle_bytes() (64-byte alignment, slack).  The state is the caller's, as it is.
cdef inline fn_graph *place_handle(const Kernels *kernels, const Graph *graph,
                                   const void *parameters, void *state,
                                   void *memory) noexcept nogil:
    cdef GraphHandle *handle = <GraphHandle *> memory
    cdef char *rest = <char *> memory + aligned(sizeof(GraphHandle))
    handle.owner = NULL
    handle.kernels = kernels
    handle.graph = graph
    handle.parameters = parameters
    handle.state = state
    handle.scratch = rest
    rest += aligned(kernels.graph_rows_scratch(graph))
    handle.n_rows = converted_rows(kernels)
    handle.x = <float *> rest
    rest += aligned(handle.n_rows * graph.n_inputs * sizeof(float))
    handle.y = <float *> rest
    return <fn_graph *> handle
