"""Gradient descent."""

from fastnet.optim.first_order cimport FirstOrder


cdef class SGD(FirstOrder):
    cdef readonly double momentum
    cdef readonly bint nesterov
    cdef readonly double weight_decay
    cdef readonly bint normalize
    cdef void *velocity
