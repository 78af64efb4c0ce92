from fastnet._cfunctions cimport CFunction
from fastnet._header cimport fn_task
from fastnet.neat.tasks.base cimport NativeTask


cdef class FunctionTask(NativeTask):
    cdef readonly CFunction function
    cdef readonly object target
    cdef fn_task call
    cdef void *user_data
    cdef unsigned int mode              # of floating point, while the function runs
    cdef double least                   # target; infinity and has_target false where there is none
    cdef bint has_target
