"""Networks for Cython: the functions of fastnet.h, which says what they do.

Compile with ``include_dirs=[fastnet.get_include()]``.
"""

from fastnet._header cimport (
    FN_ERROR_DTYPE, FN_ERROR_FORMAT, FN_ERROR_MEMORY, FN_ERROR_NULL, FN_ERROR_SIZE,
    FN_ERROR_UNSUPPORTED, FN_ERROR_WORKSPACE, FN_FEED_FORWARD, FN_FLOAT32, FN_FLOAT64, FN_OK,
    FN_RECURRENT, FN_TIME_STEP, fn_dtype, fn_graph, fn_mode, fn_net, fn_status, fn_task,
    fn_workspace
)

cdef public const char *fn_status_message(int status) noexcept nogil
cdef public size_t fn_graph_n_inputs(const fn_graph *graph) noexcept nogil
cdef public size_t fn_graph_n_outputs(const fn_graph *graph) noexcept nogil
cdef public int fn_graph_mode(const fn_graph *graph) noexcept nogil
cdef public int fn_graph_reset(fn_graph *graph) noexcept nogil
cdef public int fn_activate(fn_graph *graph, const double *x, double *y) noexcept nogil
cdef public int fn_activate_rows(fn_graph *graph, size_t n_rows, const double *x,
                                 double *y) noexcept nogil

# With the interpreter, as objects are: fn_net_from_object(<void *> network)
cdef public fn_net *fn_net_from_object(void *network) except NULL
cdef public fn_net *fn_net_from_memory(const void *data, size_t n_bytes,
                                       int *status) noexcept nogil
cdef public fn_net *fn_net_retain(fn_net *net) noexcept nogil
cdef public void fn_net_release(fn_net *net) noexcept nogil
cdef public size_t fn_net_n_inputs(const fn_net *net) noexcept nogil
cdef public size_t fn_net_n_outputs(const fn_net *net) noexcept nogil
cdef public size_t fn_net_n_parameters(const fn_net *net) noexcept nogil
cdef public int fn_net_dtype(const fn_net *net) noexcept nogil
cdef public size_t fn_workspace_size(const fn_net *net, size_t n_rows, int gradient) noexcept nogil
cdef public fn_workspace *fn_workspace_new(size_t n_bytes) noexcept nogil
cdef public fn_workspace *fn_workspace_place(void *memory, size_t n_bytes) noexcept nogil
cdef public size_t fn_workspace_overhead() noexcept nogil
cdef public void fn_workspace_free(fn_workspace *work) noexcept nogil
cdef public int fn_forward_f32(const fn_net *net, fn_workspace *work, size_t n_rows,
                               const float *x, float *y) noexcept nogil
cdef public int fn_forward_f64(const fn_net *net, fn_workspace *work, size_t n_rows,
                               const double *x, double *y) noexcept nogil
cdef public int fn_loss_id(const char *name) noexcept nogil
cdef public int fn_loss_and_gradient_f32(const fn_net *net, fn_workspace *work, int loss,
                                         size_t n_rows, const float *x, const float *targets,
                                         float *value, float *gradient) noexcept nogil
cdef public int fn_loss_and_gradient_f64(const fn_net *net, fn_workspace *work, int loss,
                                         size_t n_rows, const double *x, const double *targets,
                                         double *value, double *gradient) noexcept nogil
cdef public fn_graph *fn_graph_from_object(void *network) except NULL
cdef public fn_graph *fn_graph_from_memory(const void *json, size_t n_bytes,
                                           int *status) noexcept nogil
cdef public fn_graph *fn_graph_clone(const fn_graph *graph) noexcept nogil
cdef public void fn_graph_release(fn_graph *graph) noexcept nogil
