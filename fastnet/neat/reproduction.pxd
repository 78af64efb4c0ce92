"""How many children each species has, and who may be a parent: bookkeeping without genes."""

from libc.stdint cimport int64_t

from fastnet._workspace cimport Memory
from fastnet.neat._draws cimport Draws, draw_below
from fastnet.neat._rules cimport Rules


cdef class SpeciesTable:
    """The species of one generation, oldest first, and what is remembered of them."""

    cdef Memory memory
    cdef Py_ssize_t species_capacity
    cdef Py_ssize_t genome_capacity
    cdef readonly Py_ssize_t n_species
    cdef readonly Py_ssize_t n_genomes
    cdef readonly int64_t generation
    cdef readonly int64_t next_id
    cdef readonly double threshold          # of compatibility, for the next generation
    cdef readonly double best_fitness       # of all generations
    cdef readonly int64_t last_improved     # the generation of best_fitness
    cdef readonly Py_ssize_t champion       # index of the fittest genome; the first in a tie
    # (n_species,)
    cdef int64_t *ids                       # ascending, never used again
    cdef int64_t *created                   # generation
    cdef int64_t *improved                  # generation in which best was reached, or of refocus()
    cdef double *best                       # fitness, of all generations
    cdef Py_ssize_t *sizes                  # above 0
    cdef Py_ssize_t *first                  # of its members
    cdef Py_ssize_t *representatives        # indices of genomes
    cdef Py_ssize_t *n_children             # together: those allot() was asked for
    cdef Py_ssize_t *n_elites               # of them: unchanged copies of the first members
    cdef Py_ssize_t *n_parents              # the first members, at least one
    # (n_genomes,): indices of genomes, species after species, fittest first, then by index
    cdef Py_ssize_t *members
    # scratch; after allot() shares[row] is below 0 where a stagnant species may have no children
    cdef double *shares                     # (n_species,)
    cdef Py_ssize_t *numbers                # (n_species,)
    cdef Py_ssize_t *order                  # (n_genomes,)

    # Makes room, keeps what is known.  The one thing here that can fail: called before the others
    # with the number of species that assign_species() returned, or more.
    cdef int reserve(self, Py_ssize_t n_species, Py_ssize_t n_genomes) except -1
    # A generation was evaluated and assigned: species (n,) are numbers below n_species as from
    # assign_species(), the known ones first.  New ones get ids, those without members go, and
    # species becomes the rows of this table.  fitness (n,) has no NaN.
    cdef void gather(self, Py_ssize_t *species, const double *fitness, Py_ssize_t n,
                     Py_ssize_t n_species, int64_t generation) noexcept nogil
    # Only the two species with the fittest genomes take part: shares of the others are below 0
    cdef void refocus(self, const double *fitness) noexcept nogil
    # n_children, n_elites and n_parents of each species for the next generation of n genomes
    cdef void allot(self, const double *fitness, const Rules *rules, Py_ssize_t n) noexcept nogil
    # A random member of each species, or the best
    cdef void choose_representatives(self, const Rules *rules, Draws *draws) noexcept nogil
    # The threshold one step towards target_species
    cdef void steer(self, const Rules *rules) noexcept nogil


# A random parent of a species: the index of a genome
cdef inline Py_ssize_t draw_parent(SpeciesTable table, Py_ssize_t row, Draws *draws) noexcept nogil:
    return table.members[table.first[row] + draw_below(draws, table.n_parents[row])]


# For `Population.species`
cdef class Species:
    cdef readonly int64_t id
    cdef readonly object members
    cdef readonly object representative
    cdef readonly double best_fitness
    cdef readonly int64_t age
    cdef readonly int64_t last_improved
