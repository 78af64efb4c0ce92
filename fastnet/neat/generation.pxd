"""The genomes of one generation with their plans, fitness and species."""

from fastnet._kernels.table cimport Graph
from fastnet._workspace cimport Memory, Workspace
from fastnet.neat._genes cimport Arena, Genes
from fastnet.neat._rules cimport Rules


cdef class Generation:
    cdef readonly object config
    cdef const Rules *rules
    cdef readonly Py_ssize_t n_genomes
    cdef Arena arena
    cdef Memory memory                  # of the arrays (n_genomes,)
    cdef Genes *genes                   # slices of the arena, one genome after another
    cdef const Graph **graphs           # in plans
    cdef void **parameters              # in parameter_memory, float64
    cdef Py_ssize_t *species            # position in the list of species
    cdef Memory plans
    cdef Memory parameter_memory
    cdef readonly object fitness        # (n_genomes,) float64, read-only; NaN before evaluation
    cdef double *values                 # its data
    cdef object sequence                # weak reference to the Genomes that were handed out

    # Whether somebody keeps its genomes: nothing of it may be written over
    cdef bint is_shared(self)
    # The lazy sequence of its genomes
    cdef object as_sequence(self)
    # The network of one genome; genomes: as_sequence()
    cdef object network_at(self, object genomes, Py_ssize_t i)
    # Slices of the arena, which has moved, for the first n genomes
    cdef void point_genes(self, Py_ssize_t n) noexcept nogil
    # A new array of fitness values, all NaN
    cdef int clear_fitness(self) except -1
    # Plans and parameters of all genomes.  Genome i has the structure of genome source[i] of
    # parents, whose plan it gets; or source[i] is -1.
    cdef int make_plans(self, Generation parents, const Py_ssize_t *source,
                        Workspace scratch) except -1
    # Returns the number of plans made: of all, unless a genome has a cycle that it must not have
    cdef Py_ssize_t fill_plans(self, Generation parents, const Py_ssize_t *source,
                               void *scratch) noexcept nogil


# With room for the columns of so many genomes; the arena is empty
cdef Generation new_generation(object config, Py_ssize_t n_genomes)

# The lazy sequence of the networks of a generation
cdef object networks_of(Generation generation)
