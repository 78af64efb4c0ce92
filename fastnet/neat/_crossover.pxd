"""Crossover of two genomes, gene by gene."""

from fastnet.neat._draws cimport Draws
from fastnet.neat._genes cimport Genes
from fastnet.neat._rules cimport Rules

# Bytes of scratch for two parents with so many connections and nodes together
cdef Py_ssize_t crossover_scratch(Py_ssize_t n_connections, Py_ssize_t n_nodes) noexcept nogil

# The child of a and b into empty slices with room for the genes of both.  order: above 0 where a is
# fitter, below 0 where b is, 0 for a tie.  Returns 0, or STRUCTURE (Change) unless the child has
# the connections, flags, nodes and activations of the fitter parent (of a in a tie).
cdef int cross_genes(const Genes *a, const Genes *b, int order, const Rules *rules, Draws *draws,
                     Genes *child, void *scratch) noexcept nogil
