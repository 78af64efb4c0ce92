"""Learning rates that change with the step, computed without the interpreter."""

from libc.stdint cimport int64_t


cdef class Rule:
    """What schedules and step rules share."""

    # By name, for repr, comparison and pickling
    cdef dict arguments(self)


cdef class Schedule(Rule):
    """What all schedules share."""

    # The rate of step 0, 1, ...
    cdef double at(self, int64_t step) noexcept nogil


cdef class Step(Schedule):
    cdef readonly double initial
    cdef readonly int64_t every
    cdef readonly double factor


cdef class Exponential(Schedule):
    cdef readonly double initial
    cdef readonly double factor


cdef class Cosine(Schedule):
    cdef readonly double initial
    cdef readonly int64_t n_steps
    cdef readonly double final


cdef class Linear(Schedule):
    cdef readonly double initial
    cdef readonly int64_t n_steps
    cdef readonly double final


cdef class InverseScaling(Schedule):
    cdef readonly double initial
    cdef readonly double power


cdef class Warmup(Schedule):
    cdef readonly int64_t n_steps
    cdef readonly object then
    cdef Schedule later             # then, where that is a schedule
    cdef double constant            # then, where it is a number


cdef class Armijo(Rule):
    cdef readonly double initial
    cdef readonly double shrink
    cdef readonly double c


cdef class GrowShrink(Rule):
    cdef readonly double initial
    cdef readonly double grow
    cdef readonly double shrink
