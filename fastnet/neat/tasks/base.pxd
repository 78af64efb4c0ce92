"""Tasks that evaluate a network without the interpreter."""

from libc.stdint cimport uint8_t, uint64_t

from fastnet._kernels.table cimport Graph, Kernels, Monitor
from fastnet._workspace cimport Workspace
from fastnet.neat.network cimport Network

# Graphs that want a fitness.  Threads share them: each takes what none has begun.
ctypedef struct Contest:
    Py_ssize_t n_graphs
    const Graph **graphs
    const void **parameters
    uint64_t seed
    double *fitness                 # (n_graphs,)
    uint8_t *is_solved              # (n_graphs,) zeros, or NULL where nobody wants to know
    Py_ssize_t next                 # 0 at first


cdef class NativeTask:
    cdef readonly Py_ssize_t n_inputs   # 0: any number
    cdef readonly Py_ssize_t n_outputs
    cdef Workspace workspace            # of evaluate() and solved()
    cdef bint is_judged_later           # evaluate_graphs() leaves is_solved to others

    # A graph has the inputs and outputs of the task, and kernels are those of its parameters.
    # Many threads may be in these functions at once; each has its own state and scratch.

    # Bytes of scratch of the functions below (64-byte alignment, slack)
    cdef Py_ssize_t scratch_bytes(self, const Kernels *kernels, const Graph *graph) noexcept nogil
    # Fitness: a number or -infinity; anything else becomes an error.  state: graph_state() bytes,
    # which need no reset before; parameters with slack.
    cdef double evaluate_graph(self, const Kernels *kernels, const Graph *graph,
                               const void *parameters, void *state, uint64_t seed,
                               void *scratch) noexcept nogil
    # Whether a graph that got this fitness solves the task; cheap where it clearly does not
    cdef bint graph_solves(self, const Kernels *kernels, const Graph *graph,
                           const void *parameters, void *state, double fitness,
                           void *scratch) noexcept nogil
    # All of them that are not taken yet, with the same results.  state and scratch: what the
    # largest of all graphs needs; monitor: or NULL.
    cdef int evaluate_graphs(self, const Kernels *kernels, Contest *contest, void *state,
                             void *scratch, Monitor *monitor) noexcept nogil

# The network where it is one with the inputs and outputs of the task, or TypeError or ValueError
cdef Network checked_network(NativeTask task, object network)

# A finite or infinite number or NaN, as a double
cdef double checked_number(object value, str name) except? -1

# Where scratch begins after the state
cdef Py_ssize_t scratch_offset(Network net) noexcept
