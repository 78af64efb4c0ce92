"""Losses by name and custom ones, for the floors above."""

cimport numpy as cnp

from fastnet._cfunctions cimport CFunction
from fastnet._chooks cimport CHooks
from fastnet._kernels.table cimport Loss as LossHook

cdef class Loss:
    """A custom loss."""

    cdef readonly object value
    cdef readonly object gradient
    cdef readonly str name
    cdef CFunction c_value              # or None where they are Python functions; both or neither
    cdef CFunction c_gradient
    cdef CHooks context

    # Sets kind, context and hook for rows of float32 (itemsize 4) or float64 (8).  The context is a
    # borrowed reference to this object: who keeps the hook keeps the object.  After a nonzero
    # return of the hook the exception is set in the calling thread's state.  The hook takes NULL
    # for row_loss or d where they are not wanted.  ValueError for C functions of float where the
    # itemsize is 8.
    cdef int fill_hook(self, LossHook *hook, Py_ssize_t itemsize) except -1

    cdef tuple functions(self)

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
