"""Distance of genomes, and how a generation falls into species."""

from fastnet.neat._genes cimport Genes
from fastnet.neat._rules cimport Rules

# c_excess E / N + c_disjoint D / N + c_weight W
cdef double gene_distance(const Genes *a, const Genes *b, const Rules *rules) noexcept nogil

# Whether gene_distance() is below the threshold, which is often known before all genes are seen
cdef bint is_compatible(const Genes *a, const Genes *b, const Rules *rules,
                        double threshold) noexcept nogil

# For each of n genomes the number of its species: the first, among the hinted one and then all in
# order, whose representative it is compatible with; else it founds one and represents it.
# representatives (n_species + n,) are genomes, new ones are added at the end; hints (n,) are
# numbers of species or -1.  Returns the number of species.
cdef Py_ssize_t assign_species(const Genes *genomes, Py_ssize_t n, const Rules *rules,
                               double threshold, Genes *representatives, Py_ssize_t n_species,
                               const Py_ssize_t *hints, Py_ssize_t *species) noexcept nogil
