"""The network of a genome: its plan, its parameters and its state."""

from fastnet._kernels.table cimport Graph
from fastnet._workspace cimport Memory, Workspace
from fastnet.neat._genes cimport Genes
from fastnet.nn.dense cimport DenseModel
from fastnet.training.model cimport Model


cdef class Network(Model):
    cdef readonly object config
    cdef readonly object dtype
    cdef public object history
    cdef const Graph *graph             # in memory, or of plan_owner
    cdef Memory memory                  # of the plan
    cdef Memory parameter_memory        # what Model.data points to
    cdef readonly object parameters     # a view of it
    cdef Workspace workspace
    cdef Py_ssize_t row_bytes           # of the workspace for one row: x, y and a state
    cdef Memory state                   # between calls of step()
    cdef Memory handle                  # what C functions are given, once somebody asked for it
    cdef object plan_owner              # keeps a plan that is not in the memory of this network
    cdef object genomes                 # a sequence: genomes[index] is the genome
    cdef Py_ssize_t index
    cdef int mode_id                    # Mode; the plan may have a simpler one with the same values
    cdef int typenum

    # The plan of these genes, or the one that is there already, and their parameters
    cdef int build(self, object genomes, Py_ssize_t index, object config, const Genes *genes,
                   const Graph *graph, int mode, int typenum) except -1
    # All of it but the values of the parameters; the plan is there
    cdef int settle(self, object genomes, Py_ssize_t index, object config, int mode,
                    int typenum) except -1
    cdef Network twin(self, object genomes, Py_ssize_t index)
    # ValueError where the connections of the genome are no longer those that the plan was made of
    cdef int check_genome(self) except -1
    # Pointers into a workspace of row_bytes
    cdef void *row_y(self, Workspace workspace) noexcept
    cdef void *row_state(self, Workspace workspace) noexcept
    # x (n_inputs,) to y (n_outputs,), both of the network's precision, with such a workspace
    cdef void one_row(self, const void *x, void *y, Workspace workspace) noexcept
    cdef int step_row(self, const void *x, void *y) except -1
    cdef int read_numbers(self, object inputs, void *x) except -1
    # Whatever a call may be given
    cdef object any_rows(self, object X)

# NPY_FLOAT32 or NPY_FLOAT64 of a dtype; ValueError or TypeError for any other
cdef int checked_typenum(object dtype) except -1

# The network of genomes[index], which is not asked for before somebody wants it.  graph: the plan
# of genes where one exists, which must stay as long as genomes lives, or NULL; mode: of Mode.
# ValueError for a cycle.
cdef Network network_of(object genomes, Py_ssize_t index, object config, const Genes *genes,
                        const Graph *graph, int mode, int typenum)

# A dense network as one of this kind, without a genome and in float64, as tasks evaluate it.
# ValueError where it has layers that no graph can express.
cdef Network network_of_dense(DenseModel net)
cdef int check_dense(DenseModel net) except -1
