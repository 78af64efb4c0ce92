"""Dense networks for functions in C."""

from libc.stdint cimport INTPTR_MAX

from fastnet._header cimport NetHandle
from fastnet._kernels.table cimport (
    ALIGNMENT, CUSTOM_ACTIVATION, SLACK_BYTES, Kernels, Monitor, Plan
)
from fastnet._workspace cimport aligned

cdef extern from "fenv_mode.h":
    unsigned int fn_get_mode() noexcept nogil


# Nothing of it changes as long as the owner lives, but for the values of the parameters.
cdef inline void fill_handle(void *owner, const Kernels *kernels, const Plan *plan,
                             const void *parameters, bint has_gradient,
                             NetHandle *handle) noexcept nogil:
    cdef Py_ssize_t i
    handle.owner = owner
    handle.kernels = kernels
    handle.forward = kernels.forward
    handle.itemsize = kernels.itemsize
    handle.plan = plan
    handle.parameters = parameters
    handle.row_bytes = kernels.forward_scratch(plan, 1)
    handle.gradient_bytes = aligned(plan.n_parameters * kernels.itemsize + SLACK_BYTES)
    handle.most_rows = INTPTR_MAX // (kernels.itemsize * max(plan.n_inputs, plan.n_outputs))
    handle.has_functions = False
    for i in range(plan.n_layers):
        if plan.layers[i].activation == CUSTOM_ACTIVATION:
            handle.has_functions = True
    handle.has_gradient = has_gradient
    handle.n_references = 0


# For what runs without the interpreter: nobody asks whether to go on
cdef inline void ready_monitor(const NetHandle *handle, Monitor *monitor) noexcept nogil:
    monitor.poll = NULL
    monitor.context = NULL
    monitor.operations = 0
    # to read it takes as long as a tenth of a small network
    monitor.user_mode = fn_get_mode() if handle.has_functions else 0


# x (n_rows, n_inputs) to y (n_rows, n_outputs) in the precision of the network
cdef inline int forward_rows(const NetHandle *handle, Py_ssize_t n_rows, const void *x, void *y,
                             void *scratch) noexcept nogil:
    cdef Monitor monitor
    if n_rows == 1 and not handle.has_functions:
        # nobody looks at the monitor
        return handle.forward(handle.plan, handle.parameters, 1, x, y, scratch, NULL)
    ready_monitor(handle, &monitor)
    return handle.forward(handle.plan, handle.parameters, n_rows, x, y, scratch, &monitor)


cdef inline void *aligned_pointer(void *memory) noexcept nogil:
    return <char *> memory + (ALIGNMENT - <size_t> memory % ALIGNMENT) % ALIGNMENT
