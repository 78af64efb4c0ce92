"""Optimizers that evaluate the objective themselves, over all rows."""

from libc.stdint cimport int64_t

from fastnet.optim.objective cimport Objective
from fastnet.optim.optimizers cimport Optimizer

# Why an optimizer has ended, if it has
cdef enum Reason:
    RUNNING = 0
    GRADIENT            # it is zero within the tolerance
    STEP                # the parameters do not change any more beyond rounding
    VALUE               # the objective does not
    STALLED             # no lower value was found, and none of those holds


cdef class FullBatchOptimizer(Optimizer):
    """A caller prepares it once for f.n and the itemsize, then calls ``iterate`` until ``reason``
    is set or it has had enough, counting itself in ``in_use`` meanwhile as with any optimizer.
    """

    cdef readonly double tolerance
    cdef readonly int64_t n_evaluations     # of the objective, since the last reset
    cdef int reason_id
    cdef double largest                     # norm of a gradient since the last reset

    # One iteration, with its line search or its trials of a damping; counts as a step.  x moves in
    # place (alignment and slack as in objective.pxd), *value is the objective at the new x, which
    # is never larger than at the old one.  Afterwards reason_id tells whether another iteration
    # has any use.  Where f is NaN or infinite at x, *value says so and x is left as it is.
    cdef int iterate(self, Objective f, void *x, double *value) except -1 nogil

    # For subclasses: an error where it is not prepared for f; whether a gradient is zero within the
    # tolerance; the distance of 1 from the next number of the precision
    cdef int check(self, Objective f) except -1 nogil
    cdef bint vanishes(self, double norm, double value) noexcept nogil
    cdef double rounding(self) noexcept nogil

# Predicted decreases of this many roundings of the value cannot be told from none.
cdef enum:
    NOISE = 100
