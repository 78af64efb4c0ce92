"""Memory with the alignment and the slack that kernels expect."""

cimport numpy as cnp

from fastnet._kernels.dispatch cimport allocate
from fastnet._kernels.dispatch cimport release as free_memory

cnp.import_array()


cdef class Memory:
    def __dealloc__(self):
        free_memory(self.data)


cdef class Workspace(Memory):
    cdef int reserve(self, Py_ssize_t n_bytes) except -1:
        cdef void *data
        if n_bytes <= self.n_bytes:
            return 0
        data = allocate(n_bytes)
        if data == NULL:
            raise MemoryError(f"no memory for {n_bytes} bytes of scratch")
        free_memory(self.data)
        self.data = data
        self.n_bytes = n_bytes
        return 0


cdef Memory new_memory(Py_ssize_t n_bytes):
    cdef Memory memory = Memory()
    memory.data = allocate(n_bytes)
    if memory.data == NULL:
        raise MemoryError(f"no memory for {n_bytes} bytes")
    memory.n_bytes = n_bytes
    return memory


cdef cnp.ndarray as_array(Memory memory, Py_ssize_t n, int typenum):
    cdef cnp.npy_intp size = n
    cdef cnp.ndarray array = cnp.PyArray_SimpleNewFromData(1, &size, typenum, memory.data)
    cnp.set_array_base(array, memory)
    return array


cdef Workspace acquire(Workspace shared, Py_ssize_t n_bytes):
    cdef Workspace workspace = shared
    if not take(shared):
        workspace = Workspace()
        workspace.busy = 1
    if n_bytes > workspace.n_bytes:
        try:
            workspace.reserve(n_bytes)
        except MemoryError:
            release(workspace)
            raise
    return workspace


cdef void release(Workspace workspace) noexcept:
    give(workspace)
