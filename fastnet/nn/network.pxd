from fastnet.nn.dense cimport DenseModel


cdef class Network(DenseModel):
    cdef public object history
    cdef object partial_optimizer       # of partial_fit
