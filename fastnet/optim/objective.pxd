"""Functions of a flat vector, as full-batch optimizers see them: without the interpreter."""

cimport numpy as cnp
from libc.stdint cimport int64_t

from fastnet._kernels.table cimport Kernels
from fastnet._workspace cimport Memory

ctypedef double (*c_value)(Py_ssize_t n, double *x, void *data) noexcept nogil
ctypedef void (*c_gradient)(Py_ssize_t n, double *x, double *g, void *data) noexcept nogil


cdef class Objective:
    """A function of ``n`` numbers of the precision of ``kernels``.

    Vectors have the alignment and the slack of `_workspace.new_memory`.  What ``evaluate`` does
    must depend on x alone as long as the object lives.
    """

    cdef readonly Py_ssize_t n
    cdef const Kernels *kernels
    cdef int64_t serial                 # of no other objective, set by the constructor

    # *value = f(x) and, where gradient is not NULL, gradient (n,) = f'(x)
    cdef int evaluate(self, const void *x, double *value, void *gradient) except -1 nogil


cdef class Residuals(Objective):
    """A sum of squares f(x) = c sum_i w_i r_i(x)^2 with any constants c, w_i > 0."""

    # *value = f(x), gradient (n,) = f'(x) = 2 c J^T W r and hessian (n, n) = 2 c J^T W J, the
    # Gauss-Newton approximation of f''; all of its elements are set.  With c = 1/2, w_i = 1 these
    # are r.r / 2, J^T r and J^T J.
    cdef int normal_equations(self, const void *x, double *value, double *hessian,
                              double *gradient) except -1 nogil


cdef class CallableObjective(Objective):
    cdef object value
    cdef object gradient
    cdef int call(self, const void *x, double *value, void *gradient) except -1


cdef class CallableResiduals(Residuals):
    cdef object residuals
    cdef object jacobian
    cdef int call(self, const void *x, double *value, void *gradient, double *hessian,
                  double *gradient64) except -1


cdef class Function(Objective):
    cdef readonly bint is_scalar
    cdef readonly int64_t n_evaluations     # calls of ``value``
    cdef double sign
    cdef object f
    cdef object df
    cdef c_value f_address                  # NULL where it is a Python function
    cdef void *f_data
    cdef c_gradient df_address
    cdef void *df_data
    cdef bint has_differences
    cdef bint may_overflow                  # Python's error of that name is a value that is NaN
    cdef Memory buffers                     # x, gradient and a moved x of the last `evaluate`
    cdef double *last_x
    cdef double *last_g
    cdef double *moved
    cdef double last_value
    cdef int known                          # of the last x: nothing, the value, also the gradient

    # Whether a call takes the interpreter
    cdef bint is_python(self) noexcept nogil
    # ``sign`` times the function, and times its gradient, at x (n,)
    cdef int value_at(self, double *x, double *value) except -1 nogil
    cdef int gradient_at(self, double *x, double *gradient) except -1 nogil
    # What a Python function gets at x: its own copy
    cdef object point(self, const double *x)
    cdef cnp.ndarray checked_point(self, object x)
    cdef double called_value(self, const double *x) except? -1
    cdef int call_gradient(self, const double *x, double *gradient) except -1
    cdef int differences(self, const double *x, double *gradient) except -1 nogil
