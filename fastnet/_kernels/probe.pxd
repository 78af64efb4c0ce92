from fastnet._kernels.table cimport Kernels


cdef class Table:
    cdef const Kernels *k
    cdef readonly str isa
    cdef readonly object dtype
    cdef readonly Py_ssize_t misalign
