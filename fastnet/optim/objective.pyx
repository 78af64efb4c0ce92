"""Functions of a flat vector, as full-batch optimizers see them."""

import itertools

import numpy as np

from fastnet.optim.derivatives import number_of, verify_gradient

cimport numpy as cnp
from cpython.float cimport PyFloat_AS_DOUBLE, PyFloat_CheckExact
from libc.float cimport DBL_EPSILON
from libc.math cimport NAN, cbrt, fabs
from libc.string cimport memcmp, memcpy

from fastnet._arrays cimport checked_result, copy_rows, typenum_of
from fastnet._cfunctions cimport CFunction
from fastnet._kernels.dispatch cimport kernels
from fastnet._kernels.table cimport SLACK_BYTES
from fastnet._workspace cimport aligned, new_memory

cnp.import_array()

cdef object serials = itertools.count()

# Of central differences, relative to max(1, |x|): balances eps / h with h^2
cdef double DIFFERENCE = cbrt(DBL_EPSILON)


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


cdef class Function(Objective):
    """A function of n numbers of float64 and its gradient, in Python or in C.

    Parameters
    ----------
    n : int
    is_scalar : bool
        Whether Python functions see x as a float (n is 1), or else as an array (n,).
    value : callable or CFunction
        ``value(x)`` -> float
    gradient : callable, CFunction or None
        ``gradient(x)`` -> (n,), or a float where x is one; None for central differences.
    sign : 1.0 or -1.0
        What its optimizers see is ``sign`` times the function.
    """

    def __cinit__(self, Py_ssize_t n, bint is_scalar, value, gradient=None, double sign=1):
        cdef Py_ssize_t stride
        if n < 1 or (is_scalar and n > 1):
            raise ValueError(f"n must be 1 of a number and at least 1 else, got {n}")
        stride = aligned(n * sizeof(double) + SLACK_BYTES)
        self.n = n
        self.is_scalar = is_scalar
        self.kernels = kernels(sizeof(double))
        self.sign = sign
        self.f = value
        self.df = gradient
        if isinstance(value, CFunction):
            self.f_address = <c_value> (<CFunction> value).address
            self.f_data = (<CFunction> value).user_data
        if isinstance(gradient, CFunction):
            self.df_address = <c_gradient> (<CFunction> gradient).address
            self.df_data = (<CFunction> gradient).user_data
        self.has_differences = gradient is None
        self.buffers = new_memory(3 * stride)
        self.last_x = <double *> self.buffers.data
        self.last_g = <double *> (<char *> self.last_x + stride)
        self.moved = <double *> (<char *> self.last_g + stride)

    def value(self, x):
        """The function itself at a float or array as Python functions see it."""
        cdef double value
        self.value_at(<double *> cnp.PyArray_DATA(self.checked_point(x)), &value)
        return self.sign * value

    def verify(self, x):
        """Refuse a gradient that is not that of the function at x."""
        verify_gradient(self.value, self.gradient(x), x)

    def gradient(self, x):
        """Its gradient there, as Python functions return it."""
        cdef cnp.ndarray g = np.empty(self.n)
        self.gradient_at(<double *> cnp.PyArray_DATA(self.checked_point(x)),
                         <double *> cnp.PyArray_DATA(g))
        (<object> g)[:] *= self.sign
        return float(g[0]) if self.is_scalar else g

    cdef bint is_python(self) noexcept nogil:
        return self.f_address == NULL or (self.df_address == NULL and not self.has_differences)

    cdef cnp.ndarray checked_point(self, object x):
        """A copy, which functions of the user may change."""
        return np.array(checked_result(np.reshape(x, -1), "x", (self.n,), cnp.NPY_FLOAT64))

    cdef object point(self, const double *x):
        """What a function of the user may keep or change."""
        cdef cnp.npy_intp n = self.n
        if self.is_scalar:
            return x[0]
        array = cnp.PyArray_EMPTY(1, &n, cnp.NPY_FLOAT64, 0)
        memcpy(cnp.PyArray_DATA(<cnp.ndarray> array), x, n * sizeof(double))
        return array

    cdef int value_at(self, double *x, double *value) except -1 nogil:
        self.n_evaluations += 1
        if self.f_address != NULL:
            value[0] = self.sign * self.f_address(self.n, x, self.f_data)
            return 0
        with gil:
            value[0] = self.sign * self.called_value(x)
        return 0

    cdef double called_value(self, const double *x) except? -1:
        try:
            result = self.f(self.point(x))
        except OverflowError:
            # Where NumPy gives infinity, Python's own numbers raise.
            if not self.may_overflow:
                raise
            return NAN
        if PyFloat_CheckExact(result):
            return PyFloat_AS_DOUBLE(result)
        return number_of(result, "f", self.n == 1 and not self.is_scalar)

    cdef int gradient_at(self, double *x, double *gradient) except -1 nogil:
        cdef Py_ssize_t i
        if self.has_differences:
            return self.differences(x, gradient)
        if self.df_address != NULL:
            self.df_address(self.n, x, gradient, self.df_data)
        else:
            with gil:
                self.call_gradient(x, gradient)
        if self.sign < 0:
            for i in range(self.n):
                gradient[i] = -gradient[i]
        return 0

    cdef int call_gradient(self, const double *x, double *gradient) except -1:
        cdef cnp.ndarray array
        cdef Py_ssize_t i
        try:
            result = self.df(self.point(x))
        except OverflowError:
            if not self.may_overflow:
                raise
            for i in range(self.n):
                gradient[i] = NAN
            return 0
        if self.is_scalar:
            if PyFloat_CheckExact(result):
                gradient[0] = PyFloat_AS_DOUBLE(result)
            else:
                gradient[0] = number_of(result, "gradient")
            return 0
        array = checked_result(result, "gradient(x)", (self.n,), cnp.NPY_FLOAT64)
        memcpy(gradient, cnp.PyArray_DATA(array), self.n * sizeof(double))
        return 0

    cdef int differences(self, const double *x, double *gradient) except -1 nogil:
        """Central differences: 2 n evaluations, about 10 digits."""
        cdef Py_ssize_t i
        cdef double h, above, below, high, low
        for i in range(self.n):
            h = DIFFERENCE * max(1.0, fabs(x[i]))
            above = x[i] + h
            below = x[i] - h
            memcpy(self.moved, x, self.n * sizeof(double))
            self.moved[i] = above
            self.value_at(self.moved, &high)
            memcpy(self.moved, x, self.n * sizeof(double))
            self.moved[i] = below
            self.value_at(self.moved, &low)
            gradient[i] = (high - low) / (above - below)
        return 0

    cdef int evaluate(self, const void *x, double *value, void *gradient) except -1 nogil:
        """For full-batch optimizers, which know nothing of what was computed here before."""
        cdef Py_ssize_t n_bytes = self.n * sizeof(double)
        if self.known == 0 or memcmp(x, self.last_x, n_bytes) != 0:
            self.known = 0
            memcpy(self.last_x, x, n_bytes)
            memcpy(self.moved, x, n_bytes)
            self.value_at(self.moved, &self.last_value)
            self.known = 1
        value[0] = self.last_value
        if gradient != NULL:
            if self.known < 2:
                memcpy(self.moved, x, n_bytes)
                self.gradient_at(<double *> x if self.has_differences else self.moved, self.last_g)
                self.known = 2
            memcpy(gradient, self.last_g, n_bytes)
        return 0
