"""Memory with the alignment and the slack that kernels expect."""

cimport numpy as cnp

from fastnet._kernels.table cimport ALIGNMENT

cdef extern from *:
    """
    /* Takes a flag; false where somebody holds it.  With the interpreter lock a plain test
       is enough. */
    #if defined(Py_GIL_DISABLED) && (defined(__GNUC__) || defined(__clang__))
    static inline int fn_take(int *flag) { return !__atomic_exchange_n(flag, 1, __ATOMIC_ACQUIRE); }
    static inline void fn_give(int *flag) { __atomic_store_n(flag, 0, __ATOMIC_RELEASE); }
    #elif defined(Py_GIL_DISABLED)
    #include <intrin.h>
    static inline int fn_take(int *flag) { return !_InterlockedExchange((long *)flag, 1); }
    static inline void fn_give(int *flag) { _InterlockedExchange((long *)flag, 0); }
    #else
    static inline int fn_take(int *flag) { return *flag ? 0 : (*flag = 1); }
    static inline void fn_give(int *flag) { *flag = 0; }
    #endif
    """
    bint fn_take(int *flag) noexcept nogil
    void fn_give(int *flag) noexcept nogil


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

# Whether nobody held the workspace; then the caller does, until give() or release()
cdef inline bint take(Workspace workspace) noexcept nogil:
    return fn_take(&workspace.busy)


cdef inline void give(Workspace workspace) noexcept nogil:
    fn_give(&workspace.busy)


# The shared workspace where it is free, else a new one; both are given back with release()
cdef Workspace acquire(Workspace shared, Py_ssize_t n_bytes)

cdef void release(Workspace workspace) noexcept
