"""Optimizers: hyperparameters, state, and one fused update that needs no interpreter."""

from libc.stdint cimport int64_t

from fastnet._kernels.table cimport Kernels


cdef class Optimizer:
    """What all optimizers share.  An optimizer serves one vector: its size and dtype are those of the first step.

    A training loop calls ``prepare`` once, then for each step ``current_rate`` (where ``constant_rate`` is false) and
    ``apply``.  While it has released the interpreter lock it counts itself in ``in_use``, so that nobody frees or
    moves the state under it.
    """

    cdef object rate                    # a float, or callable(step_index)
    cdef readonly int64_t step_count
    cdef Py_ssize_t size                # of the vector; -1 where it is still free
    cdef Py_ssize_t itemsize
    cdef dict arrays                    # name: state array, contiguous, aligned to ALIGNMENT
    cdef int in_use

    cdef bint constant_rate(self) noexcept
    # The learning rate of the coming step; ValueError where a schedule returns no number or a negative one
    cdef double current_rate(self) except? -1
    # Allocates the state, or checks that it is of this size and itemsize
    cdef int prepare(self, Py_ssize_t n, Py_ssize_t itemsize) except -1
    # One step in place; counts it.  The gradient may be overwritten.
    cdef void apply(self, const Kernels *kernels, Py_ssize_t n, void *parameters, void *gradient,
                    double learning_rate) noexcept nogil
    # Names of the state arrays, each as long as the vector
    cdef tuple state_names(self)
    # Called after the state arrays were replaced
    cdef void bind(self) noexcept
    cdef bint overwrites_gradient(self) noexcept nogil


cdef class SGD(Optimizer):
    cdef readonly double momentum
    cdef readonly bint nesterov
    cdef readonly double weight_decay
    cdef readonly bint normalize
    cdef void *velocity


cdef class Adam(Optimizer):
    cdef readonly double beta1
    cdef readonly double beta2
    cdef readonly double epsilon
    cdef void *m
    cdef void *v

# An optimizer, or a new one of that lower-case name
cdef Optimizer resolve(object spec)
