"""What training needs of a model: one flat vector of parameters, loss and gradient on rows."""

from fastnet._kernels.table cimport Kernels, Loss, Monitor, Rows


cdef class Model:
    cdef const Kernels *kernels
    cdef void *data                     # the parameters, with slack
    cdef readonly Py_ssize_t n_inputs
    cdef readonly Py_ssize_t n_outputs
    cdef readonly Py_ssize_t n_parameters
    cdef readonly bint has_dropout      # Rows.dropout makes a difference

    # RuntimeError where __init__ was not called
    cdef int check_built(self) except -1
    # Bytes of scratch for so many rows
    cdef Py_ssize_t forward_bytes(self, Py_ssize_t n_rows) noexcept nogil
    cdef Py_ssize_t gradient_bytes(self, Py_ssize_t n_rows) noexcept nogil
    cdef int forward_rows(self, const void *parameters, Py_ssize_t n_rows, const void *x, void *y,
                          void *scratch, Monitor *monitor) noexcept nogil
    # Rows that the kernels take at once
    cdef Py_ssize_t rows_at_once(self) noexcept nogil
    # value = scale sum_i w_i L_i at these parameters (slack); gradient of it (slack), or NULL
    cdef int gradient_rows(self, const void *parameters, const Loss *loss, const Rows *rows,
                           double scale, double *value, void *gradient, void *scratch,
                           Monitor *monitor) noexcept nogil
    # d outputs / d parameters (n_outputs, n_parameters) of one row
    cdef Py_ssize_t jacobian_bytes(self) noexcept nogil
    cdef int jacobian_row(self, const void *parameters, const void *x, void *jacobian,
                          void *scratch, Monitor *monitor) noexcept nogil
    # value += l1 sum |w| + l2 / 2 sum w^2 over the weights; the same to its gradient, or NULL
    cdef void penalize(self, const void *parameters, double l1, double l2, double *value,
                       void *gradient) noexcept nogil
    # The activation of the outputs as activations.resolve() returned it
    cdef object output_activation(self)


# Watches for Ctrl-C at most every 20 ms; context is a Watch
ctypedef struct Watch:
    double last
    unsigned int user_mode

cdef void watch(Monitor *monitor, Watch *state) noexcept nogil

# Raises what a hook left behind after a computation that returned STOPPED
cdef int raise_stopped() except -1
