"""Optimizers with a step length of its own for each parameter."""

from fastnet.optim.optimizers cimport Optimizer


cdef class Adam(Optimizer):
    cdef readonly double beta1
    cdef readonly double beta2
    cdef readonly double epsilon
    cdef void *m
    cdef void *v
