"""The types of fastnet.h, and what an fn_graph is."""

from libc.stdint cimport uint32_t, uint64_t

from fastnet._kernels.table cimport Graph, Kernels


cdef extern from "fastnet.h":
    const uint32_t FN_ABI_VERSION

    cdef enum fn_status:
        FN_OK
        FN_ERROR_NULL
        FN_ERROR_SIZE

    cdef enum fn_mode:
        FN_FEED_FORWARD
        FN_RECURRENT
        FN_TIME_STEP

    ctypedef struct fn_graph:
        pass

    ctypedef double (*fn_task)(fn_graph *graph, uint64_t seed, void *user_data) noexcept nogil

    ctypedef struct fn_api:
        uint32_t abi_version
        uint32_t struct_size
        const char *(*status_message)(int status) noexcept nogil
        size_t (*graph_n_inputs)(const fn_graph *graph) noexcept nogil
        size_t (*graph_n_outputs)(const fn_graph *graph) noexcept nogil
        int (*graph_mode)(const fn_graph *graph) noexcept nogil
        int (*graph_reset)(fn_graph *graph) noexcept nogil
        int (*activate)(fn_graph *graph, const double *x, double *y) noexcept nogil
        int (*activate_rows)(fn_graph *graph, size_t n_rows, const double *x,
                             double *y) noexcept nogil


# A graph with its parameters, its state and room to compute; see neat/handle.pxd
ctypedef struct Handle:
    const Kernels *kernels
    const Graph *graph
    const void *parameters
    void *state
    void *scratch                       # of graph_rows
    # So many rows in the precision of the kernels, where that is not double
    Py_ssize_t n_rows
    float *x                            # (n_rows, n_inputs)
    float *y                            # (n_rows, n_outputs)
