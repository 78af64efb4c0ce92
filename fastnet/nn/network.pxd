from fastnet._workspace cimport Memory
from fastnet.nn.dense cimport DenseModel


cdef class Network(DenseModel):
    cdef public object history
    cdef object partial_optimizer       # of partial_fit
    cdef Memory handle                  # what C functions are given, once somebody asked for it
