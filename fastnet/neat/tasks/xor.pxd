from fastnet.neat.tasks.base cimport NativeTask


cdef class XOR(NativeTask):
    pass
