"""Functions of a flat vector, as full-batch optimizers see them: without the interpreter."""

from libc.stdint cimport int64_t

from fastnet._kernels.table cimport Kernels


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
