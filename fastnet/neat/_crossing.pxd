"""What a child gets besides matching genes: connections of the other parent, and nodes."""

from libc.stdint cimport int32_t, int64_t, uint64_t
from libc.string cimport memcpy

from fastnet.neat._draws cimport Draws, draw_bits
from fastnet.neat._genes cimport Genes
from fastnet.neat._rules cimport Rules

# Random bits, 64 with a draw
ctypedef struct Coins:
    Draws *draws
    uint64_t bits
    int left


cdef inline uint64_t flip(Coins *coins, int n) noexcept nogil:
    # n fair coins in the lowest bits; what is above them means nothing
    cdef uint64_t bits
    if coins.left < n:
        coins.bits = draw_bits(coins.draws)
        coins.left = 64
    bits = coins.bits
    coins.bits >>= n
    coins.left -= n
    return bits


cdef inline void copy_connections(const Genes *genes, Py_ssize_t i, Genes *child, Py_ssize_t k,
                                  Py_ssize_t n) noexcept nogil:
    memcpy(child.innovation + k, genes.innovation + i, n * sizeof(int64_t))
    memcpy(child.source + k, genes.source + i, n * sizeof(int64_t))
    memcpy(child.target + k, genes.target + i, n * sizeof(int64_t))
    memcpy(child.weight + k, genes.weight + i, n * sizeof(double))
    memcpy(child.enabled + k, genes.enabled + i, n)


# The nodes of a, which the child has the connections of.  Returns whether an activation is not
# that of a.
cdef bint cross_nodes(const Genes *a, const Genes *b, const Rules *rules, Genes *child,
                      Coins *coins) noexcept nogil

# Bytes of scratch for two parents with so many connections and nodes together
cdef Py_ssize_t crossing_scratch(Py_ssize_t n_connections, Py_ssize_t n_nodes) noexcept nogil

# To a child that has its connections from a and its matching ones: these of b (positions,
# ascending; overwritten) but what would be a second connection of the same nodes or close a cycle
# in feed_forward mode; then the nodes that it needs.
cdef void add_genes(const Genes *a, const Genes *b, const Rules *rules, Genes *child,
                    Py_ssize_t n_candidates, int32_t *candidates, Coins *coins,
                    void *scratch) noexcept nogil
