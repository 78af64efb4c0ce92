"""Optimizers with a step length of its own for each parameter."""

from fastnet.optim.first_order cimport FirstOrder


cdef class Adam(FirstOrder):
    cdef readonly double beta1
    cdef readonly double beta2
    cdef readonly double epsilon
    cdef double decoupled_decay         # of AdamW
    cdef void *m
    cdef void *v
    cdef int set_means(self, object beta1, object beta2, object epsilon) except -1


cdef class AdamW(Adam):
    pass


cdef class RMSProp(FirstOrder):
    cdef readonly double decay
    cdef readonly double momentum
    cdef readonly double epsilon
    cdef readonly bint centered
    cdef readonly double weight_decay
    cdef void *square
    cdef void *mean
    cdef void *velocity


cdef class Adagrad(FirstOrder):
    cdef readonly double initial
    cdef readonly double epsilon
    cdef readonly double weight_decay
    cdef void *squares
