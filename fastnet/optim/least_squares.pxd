"""Levenberg-Marquardt."""

from fastnet._workspace cimport Memory
from fastnet.optim.full_batch cimport FullBatchOptimizer
from fastnet.optim.objective cimport Objective, Residuals


cdef class LevenbergMarquardt(FullBatchOptimizer):
    cdef double first_damping
    cdef readonly bint scale
    cdef double mu                      # damping of the next trial; 0 before the first
    cdef double nu                      # its factor after a trial that fails
    cdef int n_flat                     # iterations in which the value stood still

    cdef Memory hessian                 # (n, n), float64
    cdef Memory gradient                # (n,), float64
    cdef Memory change                  # (n,), float64
    cdef Memory trial                   # (n,) of the precision of x

    cdef int descend(self, Residuals f, void *x, double *value) except -1 nogil
    cdef void take(self, void *x, double *value, double new_value) noexcept nogil
    cdef double try_damping(self, const void *x, int *moved) except? -1
