"""Mutations of the genes of one genome, each alone and in the configured mix.

Each returns bits of Change.  The slices must have room for EXTRA_CONNECTIONS and EXTRA_NODES more.
"""

from libc.stdint cimport int64_t

from fastnet.neat._draws cimport Draws
from fastnet.neat._genes cimport Genes
from fastnet.neat._rules cimport Rules
from fastnet.neat.innovations cimport InnovationRegistry

cdef enum:
    EXTRA_CONNECTIONS = 3           # what the mix can add to one genome
    EXTRA_NODES = 1

# Bytes of scratch of every function here, for genes with so many connections and nodes
cdef Py_ssize_t mutation_scratch(Py_ssize_t n_connections, Py_ssize_t n_nodes) noexcept nogil

# The configured mix
cdef int mutate_genes(Genes *genes, const Rules *rules, InnovationRegistry registry, Draws *draws,
                      void *scratch) noexcept nogil

# The genes of a new genome without parents, into empty slices with room for initial_connections()
# and initial_nodes()
cdef Py_ssize_t initial_connections(const Rules *rules) noexcept nogil
cdef Py_ssize_t initial_nodes(const Rules *rules) noexcept nogil
cdef int create_genes(Genes *genes, const Rules *rules, InnovationRegistry registry, Draws *draws,
                      void *scratch) noexcept nogil
