"""The network of a genome: its plan, its parameters and its state."""

from fastnet._kernels.table cimport Graph
from fastnet._workspace cimport Memory, Workspace
from fastnet.neat._genes cimport Genes
from fastnet.training.model cimport Model


cdef class Network(Model):
    cdef readonly object config
    cdef const Graph *graph             # in memory
    cdef Memory memory                  # of the plan
    cdef Memory parameter_memory        # what Model.data points to
    cdef readonly object parameters     # a view of it
    cdef Workspace workspace
    cdef Memory state                   # between calls of step()
    cdef object genomes                 # a sequence: genomes[index] is the genome
    cdef Py_ssize_t index
    cdef int typenum

# The network of genomes[index], which is not asked for before somebody wants it.  graph: the plan
# of genes where one exists (it is copied), or NULL; mode: of Mode.  ValueError for a cycle.
cdef Network network_of(object genomes, Py_ssize_t index, object config, const Genes *genes,
                        const Graph *graph, int mode, int typenum)
