"""The genes of a genome as slices of an arena, and what every operator does with them."""

from libc.stdint cimport int64_t, uint8_t

from fastnet._workspace cimport Memory
from fastnet.neat._rules cimport Rules

# One genome.  A node is what a connection (enabled or not) touches, and every input, the bias node
# and every output.
ctypedef struct Genes:
    Py_ssize_t n_connections
    Py_ssize_t n_nodes
    # (n_connections,)
    int64_t *innovation             # ascending
    int64_t *source                 # ids of nodes
    int64_t *target
    double *weight
    uint8_t *enabled
    # (n_nodes,): inputs, bias node, outputs (Rules.n_fixed of them), then hidden nodes by id
    int64_t *node                   # ids
    double *bias                    # 0 unless each node has one
    uint8_t *activation             # ActivationId; IDENTITY for inputs and the bias node

# What an operator changed
cdef enum Change:
    NOTHING = 0
    WEIGHTS = 1
    BIASES = 2
    STRUCTURE = 4                   # connections, their flags, nodes or activations
    NO_MEMORY = 64                  # of the registry; the genes are as they were before


cdef class Arena:
    """Columns of genes for many genomes, one after another."""

    cdef Memory memory
    cdef Py_ssize_t connection_capacity
    cdef Py_ssize_t node_capacity
    cdef Py_ssize_t n_connections   # taken
    cdef Py_ssize_t n_nodes

    # Forgets what is in it and makes room
    cdef int clear(self, Py_ssize_t n_connections, Py_ssize_t n_nodes) except -1
    # Keeps what is in it and makes room for so many more; slices move
    cdef int reserve(self, Py_ssize_t n_connections, Py_ssize_t n_nodes) except -1
    # The slices that begin at these places; sizes are left alone
    cdef void point(self, Genes *genes, Py_ssize_t first_connection,
                    Py_ssize_t first_node) noexcept nogil
    # Those at the end: where the next genome is made
    cdef void point_to_end(self, Genes *genes) noexcept nogil
    # The genome at the end has these sizes now and is taken
    cdef void take(self, const Genes *genes) noexcept nogil


# Whether four innovations are the same: most genes of relatives match, side by side
cdef inline bint equal_block(const int64_t *x, const int64_t *y) noexcept nogil:
    return ((x[0] ^ y[0]) | (x[1] ^ y[1]) | (x[2] ^ y[2]) | (x[3] ^ y[3])) == 0


# Position of a connection or node, -1 where there is none
cdef Py_ssize_t find_connection(const Genes *genes, int64_t innovation) noexcept nogil
cdef Py_ssize_t find_endpoints(const Genes *genes, int64_t source, int64_t target) noexcept nogil
cdef Py_ssize_t find_node(const Genes *genes, const Rules *rules, int64_t node) noexcept nogil

# For slices with room for one more.  The node of a new hidden id has no bias and the activation of
# hidden nodes; both return the position.
cdef Py_ssize_t insert_connection(Genes *genes, int64_t innovation, int64_t source, int64_t target,
                                  double weight, bint enabled) noexcept nogil
cdef Py_ssize_t insert_node(Genes *genes, const Rules *rules, int64_t node) noexcept nogil

cdef void remove_connection_at(Genes *genes, Py_ssize_t position) noexcept nogil
# Hidden nodes that no connection touches
cdef void remove_loose_nodes(Genes *genes, const Rules *rules) noexcept nogil

# Into slices with enough room
cdef void copy_genes(const Genes *genes, Genes *copy) noexcept nogil
cdef bint equal_genes(const Genes *a, const Genes *b) noexcept nogil
# Same connections, flags, nodes and activations: one plan serves both
cdef bint equal_structure(const Genes *a, const Genes *b) noexcept nogil

# Whether a path leads from one node to another through the connections, enabled or not.  scratch:
# path_scratch() bytes.
cdef Py_ssize_t path_scratch(Py_ssize_t n_connections, Py_ssize_t n_nodes) noexcept nogil
cdef bint has_path(const Genes *genes, const Rules *rules, int64_t source, int64_t target,
                   void *scratch) noexcept nogil
