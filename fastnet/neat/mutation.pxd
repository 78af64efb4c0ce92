"""Mutations of the genes of one genome, each alone and in the configured mix.

Each returns bits of Change.  The slices must have room for EXTRA_CONNECTIONS and EXTRA_NODES more.
Positions are those in the slices; -1 is one at random.
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

# Each number is drawn anew with its replace_rate, else perturbed or scaled (all as Rules say)
cdef int mutate_weights(Genes *genes, const Rules *rules, double replace_rate, bint scales,
                        Draws *draws) noexcept nogil
cdef int mutate_biases(Genes *genes, const Rules *rules, Draws *draws) noexcept nogil
# Each node's activation is drawn anew with probability activation_mutation_rate
cdef int mutate_activations(Genes *genes, const Rules *rules, Draws *draws) noexcept nogil

cdef int add_node(Genes *genes, const Rules *rules, InnovationRegistry registry, Draws *draws,
                  Py_ssize_t connection) noexcept nogil
# Whether there may be a new connection between these nodes; target: no input or bias node
cdef bint is_allowed(const Genes *genes, const Rules *rules, Py_ssize_t source, Py_ssize_t target,
                     void *scratch) noexcept nogil
# Two nodes that are given must be allowed; weight: NULL for a random one
cdef int add_connection(Genes *genes, const Rules *rules, InnovationRegistry registry,
                        Draws *draws, Py_ssize_t source, Py_ssize_t target, const double *weight,
                        void *scratch) noexcept nogil
cdef int toggle_connection(Genes *genes, const Rules *rules, Draws *draws,
                           Py_ssize_t connection) noexcept nogil
# The first disabled one
cdef int enable_connection(Genes *genes) noexcept nogil
cdef int remove_connection(Genes *genes, const Rules *rules, Draws *draws,
                           Py_ssize_t connection) noexcept nogil
# node: a hidden one
cdef int remove_node(Genes *genes, const Rules *rules, Draws *draws, Py_ssize_t node,
                     void *scratch) noexcept nogil

# The genes of a new genome without parents, into empty slices with room for initial_connections()
# and initial_nodes()
cdef Py_ssize_t initial_connections(const Rules *rules) noexcept nogil
cdef Py_ssize_t initial_nodes(const Rules *rules) noexcept nogil
cdef int create_genes(Genes *genes, const Rules *rules, InnovationRegistry registry, Draws *draws,
                      void *scratch) noexcept nogil
