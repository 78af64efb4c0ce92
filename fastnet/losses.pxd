"""Losses by name and custom ones, for the floors above."""

cimport numpy as cnp

from fastnet._custom_losses cimport Loss
from fastnet._kernels.table cimport Loss as LossHook

cdef class ParameterizedLoss:
    """A loss of the kernels with a parameter."""

    cdef readonly str name
    cdef readonly double parameter

# LossId of a name; ValueError with the nearest name
cdef int loss_id(str name) except -1

# What a user may give for a loss: a Loss, a ParameterizedLoss, or a name, which is checked and
# returned.  "auto" is not resolved here.
cdef object resolve(object spec)

# The loss that "auto" stands for; activation is what activations.resolve() returned for the output
# layer
cdef str auto(object activation, Py_ssize_t n_outputs)

# Any resolved loss as the struct of the kernels
cdef int fill(object resolved, LossHook *hook, Py_ssize_t itemsize) except -1

# The name of a resolved loss; None for a custom one
cdef str name_of(object resolved)

# The output activation that a loss is fused with, or None
cdef str fused_with(int kind)

# ValueError with the position (in an array of this shape) of the first target that the loss does
# not take; expected: float32 or float64, contiguous
cdef int check_domain(int kind, str loss, cnp.ndarray expected, str name, tuple shape) except -1

# Targets (n_rows, n) of class labels (n_rows,): 1 for the class, 0 or, for hinge, -1 for the others
cdef object one_hot(int kind, cnp.ndarray classes, Py_ssize_t n, object dtype)
