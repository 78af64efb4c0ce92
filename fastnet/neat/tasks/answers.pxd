"""Outputs of a graph for many rows that have nothing to do with each other."""

from fastnet._kernels.table cimport Graph, Kernels

# y (n_rows, n_outputs) for x (n_rows, n_inputs).  A recurrent graph gets each row for as many steps
# as its longest path has edges and one more (with a cycle: as many as it has nodes, and one more),
# from a blank state; other graphs are called once.  state: graph_state() bytes; scratch:
# answers_scratch() bytes.
cdef Py_ssize_t answers_scratch(const Kernels *kernels, const Graph *graph) noexcept nogil
cdef void answer_rows(const Kernels *kernels, const Graph *graph, const void *parameters,
                      Py_ssize_t n_rows, const void *x, void *y, void *state,
                      void *scratch) noexcept nogil

# The longest path to a computed node in edges; n_nodes where there is a cycle.  depth: (n_nodes,)
cdef Py_ssize_t depth_of(const Graph *graph, int *depth) noexcept nogil
