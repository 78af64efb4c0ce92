"""Gradient descent."""

from fastnet.optim.optimizers cimport Optimizer


cdef class SGD(Optimizer):
    cdef readonly double momentum
    cdef readonly bint nesterov
    cdef readonly double weight_decay
    cdef readonly bint normalize
    cdef void *velocity
