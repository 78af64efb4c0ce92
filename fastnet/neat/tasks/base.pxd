"""Tasks that evaluate a network without the interpreter."""

from libc.stdint cimport uint64_t

from fastnet._kernels.table cimport Graph, Kernels
from fastnet._workspace cimport Workspace


cdef class NativeTask:
    cdef readonly Py_ssize_t n_inputs   # 0: any number
    cdef readonly Py_ssize_t n_outputs
    cdef Workspace workspace            # of evaluate() and solved()

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
