"""What somebody else does with networks and graphs, without the interpreter."""

from libc.stdlib cimport free, malloc

from fastnet.capi cimport (
    FN_ERROR_DTYPE, FN_ERROR_MEMORY, FN_ERROR_NULL, FN_ERROR_WORKSPACE, FN_FLOAT32, FN_FLOAT64,
    FN_OK, fn_activate, fn_activate_rows, fn_forward_f32, fn_forward_f64, fn_graph, fn_graph_clone,
    fn_graph_from_memory, fn_graph_from_object, fn_graph_mode, fn_graph_n_inputs,
    fn_graph_n_outputs, fn_graph_release, fn_graph_reset, fn_loss_and_gradient_f32,
    fn_loss_and_gradient_f64, fn_loss_id, fn_mode, fn_net, fn_net_dtype, fn_net_from_memory,
    fn_net_from_object, fn_net_n_inputs, fn_net_n_outputs, fn_net_n_parameters, fn_net_release,
    fn_net_retain, fn_status_message, fn_workspace, fn_workspace_free, fn_workspace_new,
    fn_workspace_overhead, fn_workspace_place, fn_workspace_size
)

ctypedef fused real:
    float
    double


cdef int forward(const fn_net *net, fn_workspace *work, size_t n, const real *x,
                 real *y) noexcept nogil:
    if real is float:
        return fn_forward_f32(net, work, n, x, y)
    else:
        return fn_forward_f64(net, work, n, x, y)


cdef int gradient(const fn_net *net, fn_workspace *work, size_t n, const real *x, const real *t,
                  real *value, real *d) noexcept nogil:
    cdef int loss = fn_loss_id("squared_error")
    if real is float:
        return fn_loss_and_gradient_f32(net, work, loss, n, x, t, value, d)
    else:
        return fn_loss_and_gradient_f64(net, work, loss, n, x, t, value, d)


cdef int everything(fn_net *net, size_t n, const real *x, const real *t, real *rows, real *single,
                    real *value, real *d) noexcept nogil:
    """Rows at once, the same one by one, loss and gradient; 0 or what is wrong."""
    cdef size_t n_inputs = fn_net_n_inputs(net), n_outputs = fn_net_n_outputs(net), i, n_bytes
    cdef fn_workspace *work = fn_workspace_new(fn_workspace_size(net, n, 1))
    cdef fn_workspace *small
    cdef void *memory
    cdef int status
    if work == NULL:
        return FN_ERROR_MEMORY
    fn_net_retain(net)
    status = forward(net, work, n, x, rows)
    if status == FN_OK:
        status = gradient(net, work, n, x, t, value, d)
    fn_workspace_free(work)
    n_bytes = fn_workspace_size(net, 1, 0) + fn_workspace_overhead()
    memory = malloc(n_bytes)
    small = fn_workspace_place(memory, n_bytes)
    for i in range(n):
        if status == FN_OK:
            status = forward(net, small, 1, x + i * n_inputs, single + i * n_outputs)
    if status == FN_OK and gradient(net, small, n, x, t, value, d) != FN_ERROR_WORKSPACE:
        status = 1
    free(memory)
    if status == FN_OK and forward[real](NULL, NULL, 1, x, rows) != FN_ERROR_NULL:
        status = 2
    fn_net_release(net)
    return status


cdef object computed(fn_net *net, real[:, ::1] x, real[:, ::1] t, real[:, ::1] rows,
                     real[:, ::1] single, real[::1] value, real[::1] d):
    cdef int status
    if fn_net_n_parameters(net) != <size_t> d.shape[0]:
        raise ValueError("d")
    if fn_net_dtype(net) != (FN_FLOAT32 if sizeof(real) == 4 else FN_FLOAT64):
        return FN_ERROR_DTYPE, fn_status_message(FN_ERROR_DTYPE).decode()
    with nogil:
        status = everything(net, x.shape[0], &x[0, 0], &t[0, 0], &rows[0, 0], &single[0, 0],
                            &value[0], &d[0])
    return status, fn_status_message(status).decode()


def of_object(net, real[:, ::1] x, real[:, ::1] t, real[:, ::1] rows, real[:, ::1] single,
              real[::1] value, real[::1] d):
    cdef fn_net *handle = fn_net_from_object(<void *> net)
    try:
        return computed[real](handle, x, t, rows, single, value, d)
    finally:
        fn_net_release(handle)


def of_file(bytes content, real[:, ::1] x, real[:, ::1] t, real[:, ::1] rows,
            real[:, ::1] single, real[::1] value, real[::1] d):
    cdef int status
    cdef const char *data = content
    cdef size_t n_bytes = len(content)
    cdef fn_net *handle
    with nogil:
        handle = fn_net_from_memory(data, n_bytes, &status)
    if handle == NULL:
        return status, fn_status_message(status).decode()
    try:
        return computed[real](handle, x, t, rows, single, value, d)
    finally:
        fn_net_release(handle)


cdef int walk(fn_graph *graph, size_t n, const double *x, double *y) noexcept nogil:
    """The rows twice: step by step, and from the beginning at once."""
    cdef size_t n_inputs = fn_graph_n_inputs(graph), n_outputs = fn_graph_n_outputs(graph), i
    cdef int status = FN_OK
    for i in range(n):
        status |= fn_activate(graph, x + i * n_inputs, y + i * n_outputs)
    status |= fn_graph_reset(graph)
    return status | fn_activate_rows(graph, n, x, y + n * n_outputs)


def graphs(network, bytes json, double[:, ::1] x, double[:, :, ::1] y):
    """From the object, a clone of it and from JSON: y (3, 2 n_rows, n_outputs)."""
    cdef fn_graph *graph[3]
    cdef int status, total = 0, i
    cdef const char *text = json
    cdef size_t n_bytes = len(json)
    graph[0] = fn_graph_from_object(<void *> network)
    with nogil:
        graph[2] = fn_graph_from_memory(text, n_bytes, &status)
        graph[1] = fn_graph_clone(graph[0])
        for i in range(3):
            total |= walk(graph[i], x.shape[0], &x[0, 0], &y[i, 0, 0])
    modes = [<fn_mode> fn_graph_mode(graph[i]) for i in range(3)]
    for i in range(3):
        fn_graph_release(graph[i])
    return total | status, modes
