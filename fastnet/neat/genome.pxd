"""A genome as an object: its own small arena, and the methods that Python sees."""

from fastnet.neat._genes cimport Arena, Genes
from fastnet.neat._rules cimport Rules


cdef class Genome:
    cdef readonly object config
    cdef const Rules *rules         # of config
    cdef Arena arena
    cdef Genes genes                # slices of the arena
    cdef public object fitness      # a float, or None where it was never evaluated
    cdef object __weakref__

    # Room for so many more genes
    cdef int make_room(self, Py_ssize_t n_connections, Py_ssize_t n_nodes) except -1

# A genome with a copy of these genes
cdef Genome genome_of(object config, const Genes *genes, object fitness)

# TypeError or ValueError unless the argument is a genome whose fixed nodes are those of the config,
# and without cycles where the config says so
cdef Genome checked_genome(object genome, object config, str name)
