"""The children of a generation, in the arena of the next one."""

from libc.stdint cimport int64_t, uint64_t

from fastnet._workspace cimport Memory, Workspace
from fastnet.neat._genes cimport Arena
from fastnet.neat.generation cimport Generation
from fastnet.neat.innovations cimport InnovationRegistry
from fastnet.neat.reproduction cimport SpeciesTable

# Stream of what is drawn for child i of a generation, or (WHOLE) for the generation as a whole
cdef enum:
    WHOLE = 0xFFFFFFFF

cdef inline uint64_t stream_of(int64_t generation, uint64_t i) noexcept nogil:
    return (<uint64_t> generation << 32) + i


cdef class Breeder:
    cdef Memory memory
    # (n_genomes,) for each child
    cdef Py_ssize_t *hints              # species of the (fitter) parent: row of the table, or -1
    cdef Py_ssize_t *sources            # the parent with the same structure, or -1
    cdef Workspace workspace
    # Where breeding goes on after the arena has grown
    cdef Py_ssize_t row
    cdef Py_ssize_t done_of_row
    cdef Py_ssize_t n_done
    cdef Py_ssize_t connections_wanted
    cdef Py_ssize_t nodes_wanted

    # Children of what the table allotted, with their plans
    cdef int breed(self, Generation parents, SpeciesTable table, InnovationRegistry registry,
                   uint64_t seed, int64_t generation, Generation children) except -1
    # Genomes without parents, with their plans
    cdef int create(self, InnovationRegistry registry, uint64_t seed,
                    Generation children) except -1
    # Copies of given genomes, with their plans
    cdef int adopt(self, list genomes, Generation children) except -1
    # Puts the children into species: numbers as SpeciesTable.gather() takes them.  Returns how many
    # there are.
    cdef Py_ssize_t assign(self, Generation parents, SpeciesTable table,
                           Generation children) except -1
    # The plans of genomes without parents here
    cdef int plan(self, Generation children) except -1

    cdef int make_children(self, Generation parents, SpeciesTable table,
                           InnovationRegistry registry, uint64_t seed, int64_t generation,
                           Generation children, Arena arena) noexcept nogil


cdef Breeder new_breeder(Py_ssize_t n_genomes)
