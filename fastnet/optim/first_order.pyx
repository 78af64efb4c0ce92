"""What optimizers share that make a step from one gradient: clipping."""

import math

from libc.math cimport INFINITY, fabs, sqrt

from fastnet._kernels.table cimport Kernels
from fastnet.optim.arguments cimport number
from fastnet.optim.optimizers cimport Optimizer

__all__ = ["FirstOrder"]


cdef class FirstOrder(Optimizer):
    """Optimizers whose steps follow from one gradient, which they can clip.

    Use a subclass. Elements are clipped before the norm, so that both bounds hold.
    """

    @property
    def clip_norm(self):
        """Largest Euclidean norm of a gradient, or None."""
        return None if self.norm_limit == INFINITY else self.norm_limit

    @property
    def clip_value(self):
        """Largest magnitude of an element of a gradient, or None."""
        return None if self.value_limit == INFINITY else self.value_limit

    cdef int set_clipping(self, object clip_norm, object clip_value) except -1:
        cdef double norm_limit = INFINITY, value_limit = INFINITY
        if clip_norm is not None:
            norm_limit = number(clip_norm, "clip_norm", 0, math.inf, "(0, inf)")
        if clip_value is not None:
            value_limit = number(clip_value, "clip_value", 0, math.inf, "(0, inf)")
        self.norm_limit = norm_limit
        self.value_limit = value_limit
        return 0

    cdef void begin_step(self, const Kernels *table, Py_ssize_t n, void *gradient) noexcept nogil:
        self.step_count += 1
        if self.value_limit != INFINITY:
            table.clamp(n, self.value_limit, gradient)
        if self.norm_limit != INFINITY:
            rescale(table, n, gradient, self.norm_limit, True)

    cdef bint overwrites_gradient(self):
        return self.norm_limit != INFINITY or self.value_limit != INFINITY

    cdef dict arguments(self):
        return {"clip_norm": self.clip_norm, "clip_value": self.clip_value}

    cdef dict defaults(self):
        return {"clip_norm": None, "clip_value": None}


ctypedef fused real:
    float
    double


cdef double divide_by_largest(Py_ssize_t n, real *x) noexcept nogil:
    """x /= max |x|, which makes its squares harmless; returns that.  A zero vector stays."""
    cdef double largest = 0
    cdef Py_ssize_t i
    for i in range(n):
        largest = max(largest, fabs(x[i]))
    if largest > 0:
        for i in range(n):
            x[i] = <real> (x[i] / largest)
    return largest


cdef void rescale(const Kernels *table, Py_ssize_t n, void *gradient, double length,
                  bint only_longer) noexcept nogil:
    cdef double squares = table.dot(n, gradient, gradient)
    cdef double largest = 1
    # Outside of these the squares, or 1 / |g| in float32, leave the range of normal numbers.
    if squares < 1e-70 or squares > 1e70:
        if table.itemsize == 4:
            largest = divide_by_largest(n, <float *> gradient)
        else:
            largest = divide_by_largest(n, <double *> gradient)
        if largest == 0:
            return
        squares = table.dot(n, gradient, gradient)
    if squares == 0 or (only_longer and squares != squares):
        return
    # |g| = largest sqrt(squares), which itself may be too large a number
    if not only_longer or largest > length / sqrt(squares):
        table.scale(n, length / sqrt(squares), gradient)
    elif largest != 1:
        table.scale(n, largest, gradient)
