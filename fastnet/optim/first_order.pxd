"""What optimizers share that make a step from one gradient."""

from fastnet._kernels.table cimport Kernels
from fastnet.optim.optimizers cimport Optimizer


cdef class FirstOrder(Optimizer):
    cdef double norm_limit          # infinite where there is none
    cdef double value_limit

    # For subclasses: what all constructors begin with
    cdef int set_clipping(self, object clip_norm, object clip_value) except -1


# g *= length / |g|, or only where |g| > length; a zero vector stays.  One with a NaN stays if only
# longer ones are asked for, and becomes NaN else.
cdef void rescale(const Kernels *table, Py_ssize_t n, void *gradient, double length,
                  bint only_longer) noexcept nogil
