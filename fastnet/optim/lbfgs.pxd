"""Limited-memory BFGS."""

from libc.stdint cimport int64_t

from fastnet._kernels.table cimport Kernels
from fastnet._workspace cimport Memory
from fastnet.optim.full_batch cimport FullBatchOptimizer
from fastnet.optim.objective cimport Objective


# A point of the line search: f(x + a d) and its derivative by a
ctypedef struct Point:
    double a
    double value
    double slope


cdef class LBFGS(FullBatchOptimizer):
    cdef readonly Py_ssize_t memory
    cdef readonly int max_line_search

    # The pairs s = change of x, y = change of the gradient are in a ring; the newest is in slot
    # ``newest`` and rho is 1 / s.y.
    cdef Memory vectors
    cdef Memory numbers
    cdef Py_ssize_t stride              # bytes of a vector with its slack
    cdef Py_ssize_t n_pairs
    cdef Py_ssize_t newest
    cdef double *rho
    cdef double *factors
    cdef double scaling                 # s.y / y.y of the newest pair

    # The last point, for the next iteration to begin with
    cdef int64_t serial                 # of the objective there; -1: of none
    cdef double value
    cdef int n_flat                     # iterations in which the value stood still
    cdef char *x
    cdef char *g

    cdef char *direction
    cdef char *trial
    cdef char *g_trial
    cdef char *g_low

    cdef char *vector(self, Py_ssize_t k) noexcept nogil
    cdef char *pair(self, Py_ssize_t k, bint is_y) noexcept nogil
    cdef int remember(self, const Kernels *k) noexcept nogil
    cdef void find_direction(self, const Kernels *k) noexcept nogil
    cdef void go(self, const Kernels *k, const void *x, double a) noexcept nogil
    cdef int evaluate(self, Objective f, const void *x, Point *at) except -1 nogil
    cdef int search(self, Objective f, const void *x, double slope, double first,
                    Point *found) except -1 nogil
    cdef void accept(self, const Kernels *k, void *x, const Point *found) noexcept nogil
