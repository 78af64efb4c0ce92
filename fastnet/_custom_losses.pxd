"""Losses of the user, for `fastnet.losses`."""

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

# L (n_rows,) and dL/d predictions (n_rows, n); all arrays float32 or all float64, contiguous, and
# the user's to change
cdef cnp.ndarray custom_value(Loss self, cnp.ndarray predictions, cnp.ndarray expected)
cdef cnp.ndarray custom_gradient(Loss self, cnp.ndarray predictions, cnp.ndarray expected)
