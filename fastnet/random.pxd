from libc.stdint cimport uint64_t


cdef class RandomStream:
    cdef readonly uint64_t seed
    cdef readonly uint64_t stream
    cdef uint64_t next_element

    cdef uint64_t take(self, Py_ssize_t n, bint whole_blocks) except? 0
    cdef object reals(self, bint normal, object size, object dtype)


# An int of any size, None (from the operating system), a Generator or a RandomStream (drawn from)
cpdef uint64_t as_seed(object seed) except? 0

# A RandomStream as it is, or a new one from what as_seed takes
cpdef RandomStream as_stream(object rng)
