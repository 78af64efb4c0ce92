"""Networks for C, Cython, numba and ctypes: the functions of ``include/fastnet.h``.

Here they are functions of ctypes, with the types of their arguments: ``fn_activate(graph, x, y)``
takes addresses (ints) and arrays as ``x.ctypes``, in Python and in what numba compiles.  A net is
the address of ``net.ctypes``, a graph what a task gets or the address of ``network.ctypes``.

>>> import numpy as np, fastnet as fn
>>> from fastnet.capi import fn_forward_f32
>>> net = fn.Network([2, 8, 1], seed=0)
>>> work = net.ctypes.workspace()
>>> x, y = np.array([1, -1], np.float32), np.empty(1, np.float32)
>>> fn_forward_f32(net.ctypes.address, work.address, 1, x.ctypes, y.ctypes)
0
>>> y == net(x)
array([ True])
"""

from cpython.buffer cimport PyBUF_READ
from cpython.memoryview cimport PyMemoryView_FromMemory
from cpython.object cimport PyObject
from cpython.pycapsule cimport PyCapsule_New
from cpython.ref cimport Py_DECREF, Py_INCREF
from libc.stdint cimport INTPTR_MAX, uintptr_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy, strcmp

from copy import copy

# of this module: makes the functions that Python sees
from fastnet._prototypes import __getattr__  # no-cython-lint

from fastnet._header cimport (
    FN_ABI_VERSION, FN_ERROR_DTYPE, FN_ERROR_FORMAT, FN_ERROR_MEMORY, FN_ERROR_NULL,
    FN_ERROR_SIZE, FN_ERROR_UNSUPPORTED, FN_ERROR_WORKSPACE, FN_FLOAT32, FN_FLOAT64, FN_OK,
    GraphHandle, NetHandle, Scratch, fn_api, fn_graph, fn_net, fn_workspace
)
from fastnet._kernels.table cimport (
    ALIGNMENT, BINARY_CROSS_ENTROPY, CROSS_ENTROPY, HUBER, KL_DIVERGENCE, QUANTILE,
    RECURRENT_GRAPH, SIGMOID, SLACK_BYTES, SOFTMAX, Loss, Monitor, Rows
)
from fastnet._kernels.table cimport OK as KERNEL_OK
from fastnet._workspace cimport aligned
from fastnet.nn.handle cimport aligned_pointer, forward_rows, ready_monitor

cdef extern from *:
    """
    /* What the counter was before */
    #if defined(__GNUC__) || defined(__clang__)
    static inline long fn_count(long *counter, long change) {
        return __atomic_fetch_add(counter, change, __ATOMIC_ACQ_REL);
    }
    #else
    #include <intrin.h>
    static inline long fn_count(long *counter, long change) {
        return _InterlockedExchangeAdd(counter, change);
    }
    #endif
    """
    long fn_count(long *counter, long change) noexcept nogil

cdef extern from "Python.h":
    int Py_IsInitialized() nogil
    # Without the check that Cython adds, which needs this module to be set up
    PyObject *import_module "PyImport_ImportModule"(const char *name)
    void clear_error "PyErr_Clear"()
    void drop_reference "Py_DecRef"(PyObject *object)

__all__ = [
    "fn_activate", "fn_activate_rows", "fn_forward_f32", "fn_forward_f64", "fn_graph_clone",
    "fn_graph_from_memory", "fn_graph_from_object", "fn_graph_mode", "fn_graph_n_inputs",
    "fn_graph_n_outputs", "fn_graph_release", "fn_graph_reset", "fn_loss_and_gradient_f32",
    "fn_loss_and_gradient_f64", "fn_loss_id", "fn_net_dtype", "fn_net_from_memory",
    "fn_net_from_object", "fn_net_n_inputs", "fn_net_n_outputs", "fn_net_n_parameters",
    "fn_net_release", "fn_net_retain", "fn_status_message", "fn_workspace_free",
    "fn_workspace_new", "fn_workspace_overhead", "fn_workspace_place", "fn_workspace_size",
]


cdef const char *fn_status_message(int status) noexcept nogil:
    if status == FN_OK:
        return "no error"
    if status == FN_ERROR_NULL:
        return "a handle or an array is NULL"
    if status == FN_ERROR_DTYPE:
        return "the network has the other precision"
    if status == FN_ERROR_SIZE:
        return "more rows than memory could hold, or none where they are averaged"
    if status == FN_ERROR_WORKSPACE:
        return "the workspace is too small for so many rows"
    if status == FN_ERROR_FORMAT:
        return "no file of a network, or a damaged one"
    if status == FN_ERROR_MEMORY:
        return "no memory"
    if status == FN_ERROR_UNSUPPORTED:
        return "this network cannot do that, or there is no interpreter"
    return "unknown status"


# -- references --------------------------------------------------------------------------------

cdef void take_reference(void *owner) noexcept nogil:
    if owner != NULL and Py_IsInitialized():
        with gil:
            Py_INCREF(<object> owner)


cdef void give_reference(void *owner) noexcept nogil:
    if owner != NULL and Py_IsInitialized():
        with gil:
            Py_DECREF(<object> owner)


cdef inline void set_status(int *status, int value) noexcept nogil:
    if status != NULL:
        status[0] = value


cdef bint is_set_up() noexcept:
    """Imports this module, which who loads the library by its path need not have done.

    Comes before all that needs the interpreter; false with an exception set.
    """
    cdef PyObject *module = import_module("fastnet.capi")
    if module != NULL:
        drop_reference(module)
    return module != NULL


cdef void *read_handle(const void *data, Py_ssize_t n_bytes, bint is_graph, int *status) noexcept:
    """Of a network that nobody else has, with the reference to it."""
    try:
        content = PyMemoryView_FromMemory(<char *> data, n_bytes, PyBUF_READ)
        if is_graph:
            from fastnet.neat.genome_json import from_json
            network = from_json(str(content, "utf-8")).network()
        else:
            from fastnet.nn.files import from_bytes
            network = from_bytes(content)
        handle = network.ctypes.address
    except MemoryError:
        set_status(status, FN_ERROR_MEMORY)
        return NULL
    except ValueError:
        set_status(status, FN_ERROR_FORMAT)
        return NULL
    except BaseException:
        set_status(status, FN_ERROR_UNSUPPORTED)
        return NULL
    Py_INCREF(network)
    if not is_graph:
        (<NetHandle *> <uintptr_t> handle).n_references = 1
    set_status(status, FN_OK)
    return <void *> <uintptr_t> handle


cdef void *from_memory(const void *data, size_t n_bytes, bint is_graph, int *status) noexcept nogil:
    if data == NULL:
        set_status(status, FN_ERROR_NULL)
        return NULL
    if n_bytes > <size_t> INTPTR_MAX:
        set_status(status, FN_ERROR_FORMAT)
        return NULL
    if Py_IsInitialized():
        with gil:
            if is_set_up():
                return read_handle(data, <Py_ssize_t> n_bytes, is_graph, status)
            clear_error()
    set_status(status, FN_ERROR_UNSUPPORTED)
    return NULL


# -- dense networks ----------------------------------------------------------------------------

cdef fn_net *fn_net_from_object(void *network) except NULL:
    if not is_set_up():
        return NULL
    from fastnet.nn.network import Network
    if network == NULL:
        raise TypeError("network must be a fastnet.Network, got NULL")
    net = <object> network
    if not isinstance(net, Network):
        raise TypeError(f"network must be a fastnet.Network, got {type(net).__name__}")
    return fn_net_retain(<fn_net *> <uintptr_t> net.ctypes.address)


cdef fn_net *fn_net_from_memory(const void *data, size_t n_bytes, int *status) noexcept nogil:
    return <fn_net *> from_memory(data, n_bytes, False, status)


cdef fn_net *fn_net_retain(fn_net *net) noexcept nogil:
    cdef NetHandle *handle = <NetHandle *> net
    if net != NULL and fn_count(&handle.n_references, 1) == 0:
        take_reference(handle.owner)
    return net


cdef void fn_net_release(fn_net *net) noexcept nogil:
    cdef NetHandle *handle = <NetHandle *> net
    if net != NULL and fn_count(&handle.n_references, -1) == 1:
        give_reference(handle.owner)


cdef size_t fn_net_n_inputs(const fn_net *net) noexcept nogil:
    return 0 if net == NULL else (<const NetHandle *> net).plan.n_inputs


cdef size_t fn_net_n_outputs(const fn_net *net) noexcept nogil:
    return 0 if net == NULL else (<const NetHandle *> net).plan.n_outputs


cdef size_t fn_net_n_parameters(const fn_net *net) noexcept nogil:
    return 0 if net == NULL else (<const NetHandle *> net).plan.n_parameters


cdef int fn_net_dtype(const fn_net *net) noexcept nogil:
    if net == NULL:
        return FN_ERROR_NULL
    return FN_FLOAT32 if (<const NetHandle *> net).itemsize == 4 else FN_FLOAT64


cdef inline size_t forward_bytes(const NetHandle *handle, size_t n_rows) noexcept nogil:
    if n_rows <= 1:
        return handle.row_bytes
    return handle.kernels.forward_scratch(handle.plan, n_rows)


cdef inline size_t gradient_bytes(const NetHandle *handle, size_t n_rows) noexcept nogil:
    return handle.gradient_bytes + handle.kernels.gradient_scratch(handle.plan, n_rows)


cdef size_t fn_workspace_size(const fn_net *net, size_t n_rows, int gradient) noexcept nogil:
    cdef const NetHandle *handle = <const NetHandle *> net
    cdef size_t n_bytes
    if net == NULL or n_rows > handle.most_rows:
        return 0
    # a row alone is computed in another way than two
    n_bytes = max(forward_bytes(handle, n_rows), <size_t> handle.row_bytes)
    return max(n_bytes, gradient_bytes(handle, n_rows)) if gradient else n_bytes


# -- workspaces --------------------------------------------------------------------------------

cdef size_t fn_workspace_overhead() noexcept nogil:
    # whatever the alignment of the memory
    return aligned(sizeof(Scratch)) + ALIGNMENT + SLACK_BYTES


cdef fn_workspace *fn_workspace_place(void *memory, size_t n_bytes) noexcept nogil:
    cdef Scratch *scratch
    if memory == NULL or n_bytes < fn_workspace_overhead():
        return NULL
    scratch = <Scratch *> aligned_pointer(memory)
    scratch.data = <char *> scratch + aligned(sizeof(Scratch))
    scratch.n_bytes = n_bytes - fn_workspace_overhead()
    scratch.memory = NULL
    return <fn_workspace *> scratch


cdef fn_workspace *fn_workspace_new(size_t n_bytes) noexcept nogil:
    cdef size_t total = n_bytes + fn_workspace_overhead()
    cdef void *memory
    cdef fn_workspace *work
    if total < n_bytes:
        return NULL
    memory = calloc(1, total)
    work = fn_workspace_place(memory, total)
    if work != NULL:
        (<Scratch *> work).memory = memory
    return work


cdef void fn_workspace_free(fn_workspace *work) noexcept nogil:
    if work != NULL:
        free((<Scratch *> work).memory)


# -- forward -----------------------------------------------------------------------------------

cdef inline int check_rows(const fn_net *net, const fn_workspace *work, Py_ssize_t itemsize,
                           size_t n_rows) noexcept nogil:
    if net == NULL or work == NULL:
        return FN_ERROR_NULL
    if (<const NetHandle *> net).itemsize != itemsize:
        return FN_ERROR_DTYPE
    return FN_ERROR_SIZE if n_rows > (<const NetHandle *> net).most_rows else FN_OK


cdef inline int forward(const fn_net *net, fn_workspace *work, Py_ssize_t itemsize, size_t n_rows,
                        const void *x, void *y) noexcept nogil:
    cdef const NetHandle *handle = <const NetHandle *> net
    cdef int status
    if x == NULL or y == NULL:
        return FN_ERROR_NULL
    status = check_rows(net, work, itemsize, n_rows)
    if status != FN_OK or n_rows == 0:
        return status
    if (<Scratch *> work).n_bytes < forward_bytes(handle, n_rows):
        return FN_ERROR_WORKSPACE
    if forward_rows(handle, n_rows, x, y, (<Scratch *> work).data) != KERNEL_OK:
        return FN_ERROR_UNSUPPORTED
    return FN_OK


cdef int fn_forward_f32(const fn_net *net, fn_workspace *work, size_t n_rows, const float *x,
                        float *y) noexcept nogil:
    return forward(net, work, sizeof(float), n_rows, x, y)


cdef int fn_forward_f64(const fn_net *net, fn_workspace *work, size_t n_rows, const double *x,
                        double *y) noexcept nogil:
    return forward(net, work, sizeof(double), n_rows, x, y)


# -- loss and gradient -------------------------------------------------------------------------

cdef int fn_loss_id(const char *name) noexcept nogil:
    cdef const char *names[11]      # by LossId
    cdef int i
    names[0] = "squared_error"
    names[1] = "half_squared_error"
    names[2] = "cross_entropy"
    names[3] = "binary_cross_entropy"
    names[4] = "kl_divergence"
    names[5] = "absolute_error"
    names[6] = "huber"
    names[7] = "log_cosh"
    names[8] = "poisson"
    names[9] = "hinge"
    names[10] = "quantile"
    if name == NULL:
        return FN_ERROR_NULL
    for i in range(11):
        if strcmp(name, names[i]) == 0:
            return i
    return FN_ERROR_UNSUPPORTED


cdef inline bint takes_loss(const NetHandle *handle, int loss) noexcept nogil:
    """Whether there is such a loss, and it is fused with no other activation of the outputs."""
    cdef int activation = handle.plan.layers[handle.plan.n_layers - 1].activation
    if loss == CROSS_ENTROPY or loss == KL_DIVERGENCE:
        return activation == SOFTMAX
    if loss == BINARY_CROSS_ENTROPY:
        return activation == SIGMOID
    return 0 <= loss <= QUANTILE


cdef inline int loss_and_gradient(const fn_net *net, fn_workspace *work, Py_ssize_t itemsize,
                                  int loss, size_t n_rows, const void *x, const void *targets,
                                  double *value, void *gradient) noexcept nogil:
    cdef const NetHandle *handle = <const NetHandle *> net
    cdef char *scratch
    cdef Loss spec
    cdef Rows rows
    cdef Monitor monitor
    cdef int status
    if x == NULL or targets == NULL or gradient == NULL:
        return FN_ERROR_NULL
    status = check_rows(net, work, itemsize, n_rows)
    if status != FN_OK:
        return status
    if n_rows == 0:
        return FN_ERROR_SIZE
    if not handle.has_gradient or not takes_loss(handle, loss):
        return FN_ERROR_UNSUPPORTED
    if (<Scratch *> work).n_bytes < gradient_bytes(handle, n_rows):
        return FN_ERROR_WORKSPACE
    spec.kind = loss
    # of the plain names
    spec.parameter = 1.0 if loss == HUBER else 0.5 if loss == QUANTILE else 0.0
    spec.context = NULL
    spec.hook = NULL
    rows.n_rows = n_rows
    rows.x = x
    rows.targets = targets
    rows.labels = NULL
    rows.weights = NULL
    rows.dropout.is_active = False
    rows.dropout.seed = rows.dropout.stream = 0
    rows.dropout.first_row = 0
    ready_monitor(handle, &monitor)
    # Kernels write whole vectors, so the gradient is formed where there is room
    scratch = <char *> (<Scratch *> work).data
    if handle.kernels.loss_gradient(
            handle.plan, handle.parameters, &spec, &rows, 1.0 / n_rows, value, scratch,
            scratch + handle.gradient_bytes, &monitor) != KERNEL_OK:
        return FN_ERROR_UNSUPPORTED
    memcpy(gradient, scratch, handle.plan.n_parameters * itemsize)
    return FN_OK


cdef int fn_loss_and_gradient_f32(const fn_net *net, fn_workspace *work, int loss, size_t n_rows,
                                  const float *x, const float *targets, float *value,
                                  float *gradient) noexcept nogil:
    cdef double mean
    cdef int status
    if value == NULL:
        return FN_ERROR_NULL
    status = loss_and_gradient(
        net, work, sizeof(float), loss, n_rows, x, targets, &mean, gradient)
    if status == FN_OK:
        value[0] = <float> mean
    return status


cdef int fn_loss_and_gradient_f64(const fn_net *net, fn_workspace *work, int loss, size_t n_rows,
                                  const double *x, const double *targets, double *value,
                                  double *gradient) noexcept nogil:
    cdef double mean
    cdef int status
    if value == NULL:
        return FN_ERROR_NULL
    status = loss_and_gradient(
        net, work, sizeof(double), loss, n_rows, x, targets, &mean, gradient)
    if status == FN_OK:
        value[0] = mean
    return status


# -- evolved networks --------------------------------------------------------------------------

cdef fn_graph *own_graph(object network) except NULL:
    """The handle of a copy with a state of its own, with the reference to it."""
    twin = copy(network)
    handle = <fn_graph *> <uintptr_t> twin.ctypes.address
    # not twin.reset(), which a derived class may have changed
    fn_graph_reset(handle)
    Py_INCREF(twin)
    return handle


cdef fn_graph *fn_graph_from_object(void *network) except NULL:
    if not is_set_up():
        return NULL
    from fastnet.neat.network import Network
    if network == NULL:
        raise TypeError("network must be a fastnet.neat.Network, got NULL")
    if not isinstance(<object> network, Network):
        raise TypeError(
            f"network must be a fastnet.neat.Network, got {type(<object> network).__name__}")
    return own_graph(<object> network)


cdef fn_graph *fn_graph_from_memory(const void *json, size_t n_bytes,
                                    int *status) noexcept nogil:
    return <fn_graph *> from_memory(json, n_bytes, True, status)


cdef fn_graph *clone_owned(void *owner) noexcept:
    try:
        return own_graph(<object> owner)
    except BaseException:
        return NULL


cdef fn_graph *fn_graph_clone(const fn_graph *graph) noexcept nogil:
    cdef void *owner = NULL if graph == NULL else (<const GraphHandle *> graph).owner
    if owner != NULL and Py_IsInitialized():
        with gil:
            return clone_owned(owner)
    return NULL


cdef void fn_graph_release(fn_graph *graph) noexcept nogil:
    if graph != NULL:
        give_reference((<GraphHandle *> graph).owner)


cdef size_t fn_graph_n_inputs(const fn_graph *graph) noexcept nogil:
    return 0 if graph == NULL else (<const GraphHandle *> graph).graph.n_inputs


cdef size_t fn_graph_n_outputs(const fn_graph *graph) noexcept nogil:
    return 0 if graph == NULL else (<const GraphHandle *> graph).graph.n_outputs


cdef int fn_graph_mode(const fn_graph *graph) noexcept nogil:
    return <int> FN_ERROR_NULL if graph == NULL else (<const GraphHandle *> graph).graph.mode


cdef int fn_graph_reset(fn_graph *graph) noexcept nogil:
    cdef GraphHandle *handle = <GraphHandle *> graph
    if graph == NULL:
        return FN_ERROR_NULL
    if handle.graph.mode == RECURRENT_GRAPH:
        handle.kernels.graph_reset(handle.graph, handle.state)
    return FN_OK


cdef int fn_activate(fn_graph *graph, const double *x, double *y) noexcept nogil:
    cdef GraphHandle *handle = <GraphHandle *> graph
    if graph == NULL or x == NULL or y == NULL:
        return FN_ERROR_NULL
    if handle.n_rows == 0:
        handle.kernels.graph_step(handle.graph, handle.parameters, x, y, handle.state)
    else:
        narrow(handle.graph.n_inputs, x, handle.x)
        handle.kernels.graph_step(
            handle.graph, handle.parameters, handle.x, handle.y, handle.state)
        widen(handle.graph.n_outputs, handle.y, y)
    return FN_OK


cdef int fn_activate_rows(fn_graph *graph, size_t n_rows, const double *x,
                          double *y) noexcept nogil:
    cdef GraphHandle *handle = <GraphHandle *> graph
    cdef Py_ssize_t n_inputs, n_outputs, n
    if graph == NULL or x == NULL or y == NULL:
        return FN_ERROR_NULL
    n_inputs = handle.graph.n_inputs
    n_outputs = handle.graph.n_outputs
    if n_rows > <size_t> INTPTR_MAX // (sizeof(double) * max(n_inputs, n_outputs, 1)):
        return FN_ERROR_SIZE
    if handle.graph.mode != RECURRENT_GRAPH and handle.n_rows == 0:
        handle.kernels.graph_rows(
            handle.graph, handle.parameters, n_rows, x, y, handle.scratch)
        return FN_OK
    while n_rows > 0:
        if handle.graph.mode == RECURRENT_GRAPH:
            n = 1
            fn_activate(graph, x, y)
        else:
            n = min(<Py_ssize_t> n_rows, handle.n_rows)
            narrow(n * n_inputs, x, handle.x)
            handle.kernels.graph_rows(
                handle.graph, handle.parameters, n, handle.x, handle.y, handle.scratch)
            widen(n * n_outputs, handle.y, y)
        x += n * n_inputs
        y += n * n_outputs
        n_rows -= n
    return FN_OK


cdef void narrow(Py_ssize_t n, const double *source, float *target) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(n):
        target[i] = <float> source[i]


cdef void widen(Py_ssize_t n, const float *source, double *target) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(n):
        target[i] = source[i]


cdef fn_api api
api.abi_version = FN_ABI_VERSION
api.struct_size = sizeof(fn_api)
api.status_message = fn_status_message
api.graph_n_inputs = fn_graph_n_inputs
api.graph_n_outputs = fn_graph_n_outputs
api.graph_mode = fn_graph_mode
api.graph_reset = fn_graph_reset
api.activate = fn_activate
api.activate_rows = fn_activate_rows
api.net_from_object = fn_net_from_object
api.net_from_memory = fn_net_from_memory
api.net_retain = fn_net_retain
api.net_release = fn_net_release
api.net_n_inputs = fn_net_n_inputs
api.net_n_outputs = fn_net_n_outputs
api.net_n_parameters = fn_net_n_parameters
api.net_dtype = fn_net_dtype
api.workspace_size = fn_workspace_size
api.workspace_new = fn_workspace_new
api.workspace_place = fn_workspace_place
api.workspace_overhead = fn_workspace_overhead
api.workspace_free = fn_workspace_free
api.forward_f32 = fn_forward_f32
api.forward_f64 = fn_forward_f64
api.loss_id = fn_loss_id
api.loss_and_gradient_f32 = fn_loss_and_gradient_f32
api.loss_and_gradient_f64 = fn_loss_and_gradient_f64
api.graph_from_object = fn_graph_from_object
api.graph_from_memory = fn_graph_from_memory
api.graph_clone = fn_graph_clone
api.graph_release = fn_graph_release

_capi = PyCapsule_New(&api, "fastnet._capi", NULL)
