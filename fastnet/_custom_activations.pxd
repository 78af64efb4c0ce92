"""Activations of the user, for `fastnet.activations`."""

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

# For z of float32 or float64, contiguous: of any shape, and (n_rows, n) -> (n_rows, n, n)
cdef object custom_value(Activation self, cnp.ndarray z)
cdef object custom_derivative(Activation self, cnp.ndarray z)
cdef cnp.ndarray custom_jacobians(Activation self, cnp.ndarray z)

cdef cnp.ndarray empty_like(cnp.ndarray array)

# (n_rows, n, n) with the rows of d (n_rows, n) on the diagonals
cdef cnp.ndarray diagonal_matrices(cnp.ndarray d)
