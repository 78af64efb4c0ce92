"""A genome compiled to the flat arrays that kernels step."""

from libc.stdint cimport int32_t

from fastnet._kernels.table cimport Graph, Plan
from fastnet.neat._genes cimport Genes
from fastnet.neat._rules cimport Rules

# Bytes of the plan of genes with so many connections and nodes, and of the scratch of compiling
cdef Py_ssize_t graph_bytes(Py_ssize_t n_connections, Py_ssize_t n_nodes) noexcept nogil
cdef Py_ssize_t compile_scratch(Py_ssize_t n_connections, Py_ssize_t n_nodes) noexcept nogil

# The plan of genes, in memory (64-byte aligned) that it fills from the start; NULL where mode is
# FEED_FORWARD and the enabled connections have a cycle.  all_nodes: also those that no output
# depends on.  Its size is graph_size().
cdef Graph *compile_graph(const Genes *genes, const Rules *rules, int mode, bint all_nodes,
                          void *memory, void *scratch) noexcept nogil
# After that, in the same scratch: the slot of each node of genes, -1 where it is left out
cdef const int32_t *node_slots(const Genes *genes, void *scratch) noexcept nogil
cdef Py_ssize_t graph_size(const Graph *graph) noexcept nogil
# The same plan elsewhere
cdef Graph *copy_graph(const Graph *graph, void *memory) noexcept nogil

# The parameters of these genes: weights of the enabled connections by innovation, then biases.
# parameters (n_parameters; slack) of the given itemsize.
cdef void gather_parameters(const Genes *genes, const Rules *rules, Py_ssize_t itemsize,
                            void *parameters) noexcept nogil

# The plan of a dense network as one of a graph, whose parameters are those of the network and then
# one that is 0 (layers without biases have it in their place).  Dropout is left out, as in every
# prediction.  memory: dense_graph_bytes().
cdef Py_ssize_t dense_graph_bytes(const Plan *plan) noexcept nogil
cdef Graph *dense_graph(const Plan *plan, void *memory) noexcept nogil
# The first layer that no graph can express, or -1
cdef Py_ssize_t first_beyond_graphs(const Plan *plan) noexcept nogil
