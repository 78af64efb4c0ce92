"""A population that evolves."""

from libc.stdint cimport int64_t, uint64_t

from fastnet._threads cimport Team
from fastnet.neat._draws cimport Draws
from fastnet.neat._rules cimport Rules
from fastnet.neat.breeding cimport Breeder
from fastnet.neat.evaluation cimport Evaluator
from fastnet.neat.generation cimport Generation
from fastnet.neat.genome cimport Genome
from fastnet.neat.innovations cimport InnovationRegistry
from fastnet.neat.reproduction cimport Species, SpeciesTable


cdef class Population:
    cdef readonly object config
    cdef const Rules *rules
    cdef readonly uint64_t seed
    cdef readonly int64_t generation    # evaluated ones
    cdef readonly InnovationRegistry registry
    cdef readonly object history
    cdef Generation current             # the last one, or the first before it is evaluated
    cdef Generation spare               # what the next one is made in
    cdef Breeder breeder
    cdef SpeciesTable table
    cdef Genome champion                # the fittest of all generations
    cdef InnovationRegistry known       # in the middle of a step: the registry before it
    cdef bint is_busy

    cdef int check_built(self) except -1
    # Also where another thread, or the fitness function, asks for what a step is changing
    cdef int check_idle(self) except -1
    # Everything but the genomes of the generation that it returns
    cdef Generation prepare(self, object config, uint64_t seed, InnovationRegistry registry)
    # One generation.  With wants_solved the evaluator says afterwards who solves the task.
    cdef int advance(self, Evaluator evaluator, bint wants_solved, Team team) except -1
    # An empty generation that nobody keeps
    cdef Generation take_spare(self)
    # The evaluated generation becomes the current one, wholly or not at all
    cdef int commit(self, Generation generation, int64_t number, Draws *draws) except -1
    cdef Genome genome_at(self, Py_ssize_t i)
    cdef Species species_at(self, Py_ssize_t row)
    # Figures of the current generation, which this threshold put into species
    cdef object record_of(self, double threshold)
    # The fittest genome that solves the task, or -1; and how many were evaluated until the first
    cdef Py_ssize_t winner(self, Evaluator evaluator, double target,
                           Py_ssize_t *n_evaluated) noexcept
    cdef int tell_of_species(self, object told, list before) except -1
