"""What training needs of a model: one flat vector of parameters, loss and gradient on rows."""

from cpython.exc cimport PyErr_Occurred

from fastnet._kernels.dispatch cimport (
    floating_point_mode,
    monotonic_seconds,
    set_floating_point_mode,
)
from fastnet._kernels.table cimport OK, STOPPED, Loss, Monitor, Rows

cdef extern from "Python.h":
    # Declared without its exception, which has to stay set until the computation has unwound.
    int PyErr_CheckSignals() noexcept


cdef class Model:
    cdef int check_built(self) except -1:
        if self.kernels == NULL:
            raise RuntimeError(f"{type(self).__name__}.__init__ was not called")
        return 0

    cdef Py_ssize_t forward_bytes(self, Py_ssize_t n_rows) noexcept nogil:
        return 0

    cdef Py_ssize_t gradient_bytes(self, Py_ssize_t n_rows) noexcept nogil:
        return 0

    cdef int forward_rows(self, const void *parameters, Py_ssize_t n_rows, const void *x, void *y,
                          void *scratch, Monitor *monitor) noexcept nogil:
        return STOPPED

    cdef Py_ssize_t rows_at_once(self) noexcept nogil:
        return 1

    cdef int gradient_rows(self, const void *parameters, const Loss *loss, const Rows *rows,
                           double scale, double *value, void *gradient, void *scratch,
                           Monitor *monitor) noexcept nogil:
        return STOPPED

    cdef Py_ssize_t jacobian_bytes(self) noexcept nogil:
        return 0

    cdef int jacobian_row(self, const void *parameters, const void *x, void *jacobian,
                          void *scratch, Monitor *monitor) noexcept nogil:
        return STOPPED

    cdef void penalize(self, const void *parameters, double l1, double l2, double *value,
                       void *gradient) noexcept nogil:
        pass

    cdef object output_activation(self):
        return "identity"


cdef double WATCH_SECONDS = 0.02


cdef int check_signals(void *context, unsigned int mode) noexcept with gil:
    cdef unsigned int own = floating_point_mode()
    cdef int status
    set_floating_point_mode(mode)
    status = PyErr_CheckSignals()
    set_floating_point_mode(own)
    return STOPPED if status else OK


cdef int poll_signals(void *context) noexcept nogil:
    # The clock decides when to look, never what is computed.
    cdef Watch *state = <Watch *> context
    cdef double now = monotonic_seconds()
    if now - state.last < WATCH_SECONDS:
        return OK
    state.last = now
    return check_signals(context, state.user_mode)


cdef void watch(Monitor *monitor, Watch *state) noexcept nogil:
    monitor.poll = poll_signals
    monitor.context = state
    monitor.operations = 0
    monitor.user_mode = floating_point_mode()
    state.user_mode = monitor.user_mode
    state.last = monotonic_seconds()


cdef int raise_stopped() except -1:
    if PyErr_Occurred() == NULL:
        raise RuntimeError("a hook stopped the computation without an exception")
    return -1
