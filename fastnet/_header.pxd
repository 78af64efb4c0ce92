"""The types of fastnet.h, and what its handles are."""

from libc.stdint cimport uint32_t, uint64_t

from fastnet._kernels.table cimport Graph, Kernels, Monitor, Plan


cdef extern from "fastnet.h":
    const uint32_t FN_ABI_VERSION

    cdef enum fn_status:
        FN_OK
        FN_ERROR_NULL
        FN_ERROR_DTYPE
        FN_ERROR_SIZE
        FN_ERROR_WORKSPACE
        FN_ERROR_FORMAT
        FN_ERROR_MEMORY
        FN_ERROR_UNSUPPORTED

    cdef enum fn_dtype:
        FN_FLOAT32
        FN_FLOAT64

    cdef enum fn_mode:
        FN_FEED_FORWARD
        FN_RECURRENT
        FN_TIME_STEP

    ctypedef struct fn_net:
        pass

    ctypedef struct fn_graph:
        pass

    ctypedef struct fn_workspace:
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
        fn_net *(*net_from_object)(void *network) except NULL
        fn_net *(*net_from_memory)(const void *data, size_t n_bytes, int *status) noexcept nogil
        fn_net *(*net_retain)(fn_net *net) noexcept nogil
        void (*net_release)(fn_net *net) noexcept nogil
        size_t (*net_n_inputs)(const fn_net *net) noexcept nogil
        size_t (*net_n_outputs)(const fn_net *net) noexcept nogil
        size_t (*net_n_parameters)(const fn_net *net) noexcept nogil
        int (*net_dtype)(const fn_net *net) noexcept nogil
        size_t (*workspace_size)(const fn_net *net, size_t n_rows, int gradient) noexcept nogil
        fn_workspace *(*workspace_new)(size_t n_bytes) noexcept nogil
        fn_workspace *(*workspace_place)(void *memory, size_t n_bytes) noexcept nogil
        size_t (*workspace_overhead)() noexcept nogil
        void (*workspace_free)(fn_workspace *work) noexcept nogil
        int (*forward_f32)(const fn_net *net, fn_workspace *work, size_t n_rows, const float *x,
                           float *y) noexcept nogil
        int (*forward_f64)(const fn_net *net, fn_workspace *work, size_t n_rows, const double *x,
                           double *y) noexcept nogil
        int (*loss_id)(const char *name) noexcept nogil
        int (*loss_and_gradient_f32)(const fn_net *net, fn_workspace *work, int loss,
                                     size_t n_rows, const float *x, const float *targets,
                                     float *value, float *gradient) noexcept nogil
        int (*loss_and_gradient_f64)(const fn_net *net, fn_workspace *work, int loss,
                                     size_t n_rows, const double *x, const double *targets,
                                     double *value, double *gradient) noexcept nogil
        fn_graph *(*graph_from_object)(void *network) except NULL
        fn_graph *(*graph_from_memory)(const void *json, size_t n_bytes,
                                       int *status) noexcept nogil
        fn_graph *(*graph_clone)(const fn_graph *graph) noexcept nogil
        void (*graph_release)(fn_graph *graph) noexcept nogil


# What fn_net is.  All of it belongs to a network of Python; see nn/handle.pxd
# Forward of a row reads no more than the first 64 bytes, which are one line of the cache.
ctypedef struct NetHandle:
    int (*forward)(const Plan *plan, const void *parameters, Py_ssize_t n_rows, const void *x,
                   void *y, void *scratch, Monitor *monitor) noexcept nogil     # of the kernels
    const Plan *plan
    const void *parameters
    Py_ssize_t row_bytes                # of scratch for one row
    size_t most_rows                    # that memory could hold
    Py_ssize_t itemsize
    bint has_functions                  # activations that are functions of C
    bint has_gradient                   # no derivative enters the interpreter
    Py_ssize_t gradient_bytes           # of a gradient, with slack
    const Kernels *kernels
    void *owner                         # the network: whoever keeps the handle keeps that
    long n_references                   # by fn_net_retain and its like: together one to the owner


# What fn_workspace is: the head of a block
ctypedef struct Scratch:
    void *data                          # aligned, with slack
    size_t n_bytes
    void *memory                        # to free, or NULL where it is the caller's


# What fn_graph is: a graph with its parameters, its state and room to compute; see neat/handle.pxd
ctypedef struct GraphHandle:
    void *owner                         # the network, NULL in a task
    const Kernels *kernels
    const Graph *graph
    const void *parameters
    void *state
    void *scratch                       # of graph_rows
    # So many rows in the precision of the kernels, where that is not double
    Py_ssize_t n_rows
    float *x                            # (n_rows, n_inputs)
    float *y                            # (n_rows, n_outputs)
