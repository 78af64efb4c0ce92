"""C functions of the user as the hooks of kernels: no interpreter between them."""

from cpython.ref cimport PyObject

from fastnet._kernels.table cimport backward_hook, loss_hook, value_hook

# What the context of the hooks points to.  The second function is the derivative of an activation
# or the gradient of a loss.  A function is NULL where it is a Python one.
ctypedef struct CHooks:
    PyObject *owner             # borrowed: the Activation or Loss that this is part of
    void *value
    void *value_data
    void *derivative
    void *derivative_data

# Hooks for numbers of itemsize bytes and functions that work on numbers of function_itemsize: 4 and
# 4, 8 and 8, or 4 and 8.
cdef value_hook c_value(Py_ssize_t itemsize, Py_ssize_t function_itemsize) noexcept nogil
cdef backward_hook c_backward(Py_ssize_t itemsize, Py_ssize_t function_itemsize) noexcept nogil
# Both functions work on numbers of the same size here.
cdef loss_hook c_loss(Py_ssize_t itemsize, Py_ssize_t function_itemsize) noexcept nogil

# d (n,) = the derivative at z (n,) with a = f(z), as `c_backward` without the product
cdef void c_derivative(const CHooks *c, Py_ssize_t itemsize, Py_ssize_t function_itemsize,
                       Py_ssize_t n, const void *z, const void *a, void *d) noexcept nogil
