"""Memory with the alignment and the slack that kernels expect."""

cimport numpy as cnp

from fastnet._kernels.table cimport ALIGNMENT

# Where the next array may begin behind so many bytes
cdef inline Py_ssize_t aligned(Py_ssize_t n_bytes) noexcept nogil:
    return (n_bytes + ALIGNMENT - 1) // ALIGNMENT * ALIGNMENT


cdef class Memory:
    """Zeroed bytes; freed with the object."""

    cdef void *data
    cdef Py_ssize_t n_bytes


cdef class Workspace(Memory):
    """Scratch of one computation at a time."""

    cdef int busy

    # At least n_bytes; what was in it is gone.  Only for who holds the workspace.
    cdef int reserve(self, Py_ssize_t n_bytes) except -1


cdef Memory new_memory(Py_ssize_t n_bytes)

# A writable 1-D array over the memory, which it keeps alive
cdef cnp.ndarray as_array(Memory memory, Py_ssize_t n, int typenum)

# The shared workspace where it is free, else a new one; both are given back with release()
cdef Workspace acquire(Workspace shared, Py_ssize_t n_bytes)

cdef void release(Workspace workspace) noexcept
