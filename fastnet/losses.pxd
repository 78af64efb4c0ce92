"""Losses by name and custom ones, for the floors above."""

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

# LossId of a name; ValueError with the nearest name
cdef int loss_id(str name) except -1

# What a user may give for a loss: a Loss, or a name, which is checked and returned.  "auto" is not
# resolved here.
cdef object resolve(object spec)

# The loss that "auto" stands for; activation is what activations.resolve() returned for the output
# layer
cdef str auto(object activation, Py_ssize_t n_outputs)

# Any resolved loss as the struct of the kernels
cdef int fill(object resolved, LossHook *hook, Py_ssize_t itemsize) except -1
