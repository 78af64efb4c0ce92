"""Innovation numbers: the same structure found twice gets the same numbers."""

from libc.stdint cimport int32_t, int64_t

from fastnet.neat._genes cimport Genes
from fastnet.neat._rules cimport Rules


# A hash table from a pair of numbers to a number: open addressing, at most half full.  Entries stay
# in the order they came, so the last ones can be taken back.
ctypedef struct PairTable:
    Py_ssize_t n_entries
    Py_ssize_t capacity             # of entries: a power of two, or 0
    int64_t *entries                # (capacity, 3): key, key, value
    int32_t *slots                  # (2 capacity,): number of an entry; -1: free


# The value, or -1
cdef int64_t look_up(const PairTable *table, int64_t a, int64_t b) noexcept nogil
# Makes room for n more; -1: no memory, and the table is as it was
cdef int reserve_pairs(PairTable *table, Py_ssize_t n) noexcept nogil
# A pair that is not known, where there is room
cdef void put(PairTable *table, int64_t a, int64_t b, int64_t value) noexcept nogil
# All but the first n entries go
cdef void keep_first(PairTable *table, Py_ssize_t n) noexcept nogil
cdef void free_pairs(PairTable *table) noexcept nogil


cdef class InnovationRegistry:
    cdef readonly object config
    cdef const Rules *rules
    cdef PairTable connections      # (source, target) -> innovation
    cdef PairTable splits           # (split innovation, how often before) -> node
    cdef readonly int64_t next_innovation
    cdef readonly int64_t next_node
    cdef int64_t *fixed             # (rules.n_fixed,): ids of inputs, bias node, outputs
    cdef int64_t first_hidden       # of new genomes; -1: not needed so far
    cdef bint is_snapshot           # then the tables are empty, and had so many entries:
    cdef Py_ssize_t n_connections
    cdef Py_ssize_t n_splits
    cdef bint is_built
    cdef object lock                # held by whoever changes or packs the population of this run
    cdef bint is_breeding           # under the lock: tables may move without the interpreter

    # Until no other thread breeds with it: nothing changes then, as long as this one keeps the
    # interpreter
    cdef int wait(self) except -1
    # The number of the connection; a new one where it is not known.  -1: no memory.
    cdef int64_t connection(self, int64_t source, int64_t target) noexcept nogil
    # The node that splits this connection of these genes: the known one that they have not got
    # yet, else a new one.  -1: no memory.
    cdef int64_t split(self, int64_t innovation, const Genes *genes) noexcept nogil
    # Room for so many new connections and nodes, so that the two above cannot fail.  -1: no memory.
    cdef int reserve(self, Py_ssize_t n_connections, Py_ssize_t n_nodes) noexcept nogil
    # The first of the rules.most_hidden ids of hidden nodes of genomes without parents
    cdef int64_t initial_node(self) noexcept nogil
    # A new generation begins: with innovation_scope="generation" forgets all pairs, never a number
    cdef void begin_generation(self) noexcept nogil
    # What a failed step must leave as it was; cheap with innovation_scope="run", where a snapshot
    # holds numbers of entries and not the entries
    cpdef InnovationRegistry snapshot(self)
    cpdef restore(self, InnovationRegistry snapshot)
    # ValueError unless all these genes are known: other numbers could collide with theirs
    cdef int check_known(self, const Genes *genes) except -1


# Of a Python argument: an InnovationRegistry for a config like this one
cdef InnovationRegistry checked_registry(object registry, object config)
