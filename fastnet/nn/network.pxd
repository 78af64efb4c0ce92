from fastnet._kernels.table cimport Plan
from fastnet._workspace cimport Memory, Workspace
from fastnet.training.model cimport Model


cdef class Network(Model):
    cdef Plan plan
    cdef Memory memory                  # of the parameters
    cdef Workspace workspace
    cdef int typenum
    cdef bint is_custom                 # some activation enters the interpreter
    cdef readonly object parameters
    cdef readonly tuple layers
    cdef readonly object dtype
    cdef tuple inits
    cdef public object history
    cdef object partial_optimizer       # of partial_fit

    cdef int one_row(self, const void *x, void *y) except -1
    cdef int one_row_apart(self, const void *x, void *y) except -1
    cdef object many_rows(self, object X, object out, object n_threads)
