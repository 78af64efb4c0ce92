"""Functions of a flat vector, as full-batch optimizers see them."""

import itertools

import numpy as np

cimport numpy as cnp
from libc.string cimport memcpy

from fastnet._arrays cimport checked_result, copy_rows, typenum_of
from fastnet._kernels.dispatch cimport kernels

cnp.import_array()

cdef object serials = itertools.count()


cdef class Objective:
    """A function of n numbers and its gradient; see objective.pxd."""

    def __cinit__(self):
        self.serial = next(serials)

    cdef int evaluate(self, const void *x, double *value, void *gradient) except -1 nogil:
        with gil:
            raise NotImplementedError(f"{type(self).__name__} has no evaluate")


cdef class Residuals(Objective):
    """A weighted sum of squares, which has a Gauss-Newton approximation of its Hessian."""

    cdef int normal_equations(self, const void *x, double *value, double *hessian,
                              double *gradient) except -1 nogil:
        with gil:
            raise NotImplementedError(f"{type(self).__name__} has no normal_equations")


cdef object vector(const void *x, Py_ssize_t n, Py_ssize_t itemsize):
    """A copy that a function of the user may keep or change."""
    return (<object> copy_rows(x, 1, n, typenum_of(itemsize))).reshape(n)


cdef class CallableObjective(Objective):
    """An objective from Python functions.

    Parameters
    ----------
    n : int
    value : callable
        ``value(x)`` -> float, x (n,)
    gradient : callable
        ``gradient(x)`` -> (n,)
    dtype : "float64" or "float32"
        Of x.
    """

    def __init__(self, n, value, gradient, dtype="float64"):
        self.n = n
        self.kernels = kernels(np.dtype(dtype).itemsize)
        self.value = value
        self.gradient = gradient

    cdef int evaluate(self, const void *x, double *value, void *gradient) except -1 nogil:
        with gil:
            self.call(x, value, gradient)
        return 0

    cdef int call(self, const void *x, double *value, void *gradient) except -1:
        cdef Py_ssize_t itemsize = self.kernels.itemsize
        cdef cnp.ndarray g
        value[0] = self.value(vector(x, self.n, itemsize))
        if gradient != NULL:
            g = checked_result(self.gradient(vector(x, self.n, itemsize)), "gradient(x)",
                               (self.n,), typenum_of(itemsize))
            memcpy(gradient, cnp.PyArray_DATA(g), self.n * itemsize)
        return 0


cdef class CallableResiduals(Residuals):
    """Half the sum of the squares of the residuals that a Python function gives.

    Parameters
    ----------
    n : int
    residuals : callable
        ``residuals(x)`` -> (m,), x (n,)
    jacobian : callable
        ``jacobian(x)`` -> (m, n), d residuals / d x
    dtype : "float64" or "float32"
        Of x; residuals and Jacobian count in float64.
    """

    def __init__(self, n, residuals, jacobian, dtype="float64"):
        self.n = n
        self.kernels = kernels(np.dtype(dtype).itemsize)
        self.residuals = residuals
        self.jacobian = jacobian

    cdef int evaluate(self, const void *x, double *value, void *gradient) except -1 nogil:
        with gil:
            self.call(x, value, gradient, NULL, NULL)
        return 0

    cdef int normal_equations(self, const void *x, double *value, double *hessian,
                              double *gradient) except -1 nogil:
        with gil:
            self.call(x, value, NULL, hessian, gradient)
        return 0

    cdef int call(self, const void *x, double *value, void *gradient, double *hessian,
                  double *gradient64) except -1:
        cdef Py_ssize_t itemsize = self.kernels.itemsize
        cdef cnp.ndarray product
        r = np.asarray(self.residuals(vector(x, self.n, itemsize)), np.float64)
        value[0] = 0.5 * (r @ r)
        if gradient == NULL and hessian == NULL:
            return 0
        jacobian = np.asarray(self.jacobian(vector(x, self.n, itemsize)), np.float64)
        if jacobian.shape != (r.size, self.n):
            raise ValueError(
                f"jacobian(x) must have shape ({r.size}, {self.n}), got {jacobian.shape}"
            )
        if gradient != NULL:
            product = checked_result(jacobian.T @ r, "gradient", (self.n,), typenum_of(itemsize))
            memcpy(gradient, cnp.PyArray_DATA(product), self.n * itemsize)
        if hessian != NULL:
            product = checked_result(jacobian.T @ r, "gradient", (self.n,), cnp.NPY_FLOAT64)
            memcpy(gradient64, cnp.PyArray_DATA(product), self.n * sizeof(double))
            product = checked_result(
                np.ascontiguousarray(jacobian.T @ jacobian), "J^T J", (self.n, self.n),
                cnp.NPY_FLOAT64)
            memcpy(hessian, cnp.PyArray_DATA(product), self.n * self.n * sizeof(double))
        return 0
