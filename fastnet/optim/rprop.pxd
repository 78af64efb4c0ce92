"""Resilient backpropagation."""

from fastnet.optim.optimizers cimport Optimizer


cdef class Rprop(Optimizer):
    cdef readonly double grow
    cdef readonly double shrink
    cdef readonly double min_step
    cdef readonly double max_step
    cdef void *signs
    cdef void *lengths
