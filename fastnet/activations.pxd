"""Activations by name and custom ones, for the floors above."""

cimport numpy as cnp

from fastnet._cfunctions cimport CFunction
from fastnet._chooks cimport CHooks
from fastnet._kernels.table cimport CustomActivation

cdef class Activation:
    """A custom activation.  ``derivative`` or ``jacobian`` is None."""

    cdef readonly object value
    cdef readonly object derivative
    cdef readonly object jacobian
    cdef readonly str name
    cdef CFunction c_value              # or None where it is a Python function
    cdef CFunction c_derivative
    cdef CHooks context

    # Hooks that call this object's functions on rows of float32 (itemsize 4) or float64 (8).  Their
    # context is a borrowed reference to this object: who keeps the hooks keeps the object.  After a
    # nonzero return the exception is set in the calling thread's state.  ValueError for C functions
    # of float where the itemsize is 8.
    cdef int fill_hooks(self, CustomActivation *hooks, Py_ssize_t itemsize) except -1

    # Whether the value, and so a forward pass, enters the interpreter
    cdef bint value_is_python(self) noexcept

    cdef tuple functions(self)

# ActivationId of a name; ValueError with the nearest name
cdef int activation_id(str name) except -1

# What a user may give for an activation: an Activation, or a name, which is checked and returned
cpdef object resolve(object spec)

# ActivationId of what resolve() returned
cdef int resolved_id(object resolved) except -1

# (n_rows, n, n) Jacobians of a resolved activation at z (n_rows, n), J[r, i, j] = da_i/dz_j; z of
# float32 or float64, contiguous
cdef cnp.ndarray jacobians(object resolved, cnp.ndarray z)
