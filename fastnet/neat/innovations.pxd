"""Innovation numbers: the same structure found twice gets the same numbers."""

from libc.stdint cimport int64_t

from fastnet.neat._genes cimport Genes
from fastnet.neat._rules cimport Rules


# A hash table from a pair of numbers to a number: open addressing, grown when half full
ctypedef struct PairTable:
    Py_ssize_t n_slots              # a power of two, or 0
    Py_ssize_t n_used
    int64_t *slots                  # (n_slots, 3): key, key, value; value -1: free


cdef class InnovationRegistry:
    cdef readonly object config
    cdef const Rules *rules
    cdef PairTable connections      # (source, target) -> innovation
    cdef PairTable splits           # (split innovation, how often before) -> node
    cdef readonly int64_t next_innovation
    cdef readonly int64_t next_node

    # The number of the connection; a new one where it is not known.  -1: no memory.
    cdef int64_t connection(self, int64_t source, int64_t target) noexcept nogil
    # The node that splits this connection of these genes: the known one that they have not got
    # yet, else a new one.  -1: no memory.
    cdef int64_t split(self, int64_t innovation, const Genes *genes) noexcept nogil
    # A new generation begins: with innovation_scope="generation" forgets all pairs, never a number
    cdef void begin_generation(self) noexcept nogil
    # What a failed step must leave as it was
    cdef InnovationRegistry snapshot(self)
    cdef void restore(self, InnovationRegistry snapshot)


# Of a Python argument: an InnovationRegistry for a config like this one
cdef InnovationRegistry checked_registry(object registry, object config)
