"""Explicit fitness sharing: what each species counts, and how many children that is.

A genome counts its fitness divided by the size of its species, so that a species counts the mean
fitness of its members (Stanley & Miikkulainen 2002, section 3.3).  Where a fitness is negative,
dividing would make crowding pay: then all count what they are above the worst of the population,
plus its spread divided by its number: the worst counts least, but not nothing.  Infinite values
count as the nearest finite one of the population.
"""

# items by keys[item], the largest first; those that are equal stay in order.  scratch (n,).
cdef void sort_descending(Py_ssize_t *items, const double *keys, Py_ssize_t n,
                          Py_ssize_t *scratch) noexcept nogil

# shares (n_species,) of n genomes.  Those of species s are sizes[s] of members (n,), from first[s].
cdef void share_fitness(const double *fitness, Py_ssize_t n, const Py_ssize_t *members,
                        const Py_ssize_t *first, const Py_ssize_t *sizes, Py_ssize_t n_species,
                        double *shares) noexcept nogil

# n children in proportion to the shares by largest remainder, the first in a tie; they always add
# up to n.  A share below 0 takes no part; all have alike where none is above 0.  shares become
# remainders, or stay below 0.  n_each, order, scratch (n_species,).
cdef void divide(double *shares, Py_ssize_t n_species, Py_ssize_t n, Py_ssize_t *n_each,
                 Py_ssize_t *order, Py_ssize_t *scratch) noexcept nogil
