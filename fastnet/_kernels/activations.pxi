cdef void activate(int activation, Py_ssize_t n, const void *z, void *a) noexcept nogil:
    pass


cdef void multiply_derivative(int activation, Py_ssize_t n, const void *z, const void *a,
                              void *d) noexcept nogil:
    pass


cdef void softmax(Py_ssize_t n_rows, Py_ssize_t n, const void *z, void *a) noexcept nogil:
    pass


cdef void softmax_backward(Py_ssize_t n_rows, Py_ssize_t n, const void *a,
                           void *d) noexcept nogil:
    pass


cdef void exp_rows(Py_ssize_t n, const void *x, void *y) noexcept nogil:
    pass


cdef void log_rows(Py_ssize_t n, const void *x, void *y) noexcept nogil:
    pass


cdef inline vf apply_activation(int activation, vf z) noexcept nogil:
    return z


cdef inline bint needs_input(int activation) noexcept nogil:
    return False
