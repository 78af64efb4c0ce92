"""Exclusive or: the smallest task that needs a hidden node."""

from libc.math cimport fabs
from libc.stdint cimport uint64_t

from fastnet._kernels.table cimport ALIGNMENT, Graph, Kernels
from fastnet.neat.tasks.answers cimport answer_rows, answers_scratch
from fastnet.neat.tasks.base cimport NativeTask

__all__ = ["XOR"]

cdef float PATTERNS_32[8]
cdef double PATTERNS_64[8]
PATTERNS_32[:] = [0, 0, 0, 1, 1, 0, 1, 1]
PATTERNS_64[:] = [0, 0, 0, 1, 1, 0, 1, 1]
cdef double TARGETS[4]
TARGETS[:] = [0, 1, 1, 0]


cdef class XOR(NativeTask):
    """Exclusive or of two inputs of 0 and 1 (Stanley & Miikkulainen 2002, section 4.1).

    The fitness is ``(4 - e)^2`` with e the sum of the absolute errors on the four patterns, and 0
    for e above 4, which only outputs beyond 0 to 1 have.  The task is solved when all four outputs
    are on the right side of 0.5.

    A recurrent network gets each pattern from a blank state for as many steps as its longest path
    has connections, and one more; where it has a cycle, as many as it has nodes, and one more.

    Examples
    --------
    >>> from fastnet import neat
    >>> task = neat.tasks.XOR()
    >>> network = neat.Genome(task.config(), rng=0).network()
    >>> 0 <= task.evaluate(network) <= 16
    True
    """

    def __cinit__(self):
        self.n_inputs = 2
        self.n_outputs = 1

    def __init__(self):
        # arguments would be ignored without it
        pass

    cdef Py_ssize_t scratch_bytes(self, const Kernels *kernels, const Graph *graph) noexcept nogil:
        return ALIGNMENT + answers_scratch(kernels, graph)

    cdef double evaluate_graph(self, const Kernels *kernels, const Graph *graph,
                               const void *parameters, void *state, uint64_t seed,
                               void *scratch) noexcept nogil:
        cdef double y[4]
        cdef double rest = 4
        cdef int i
        four_outputs(kernels, graph, parameters, state, scratch, y)
        for i in range(4):
            rest -= fabs(y[i] - TARGETS[i])
        # also 0 for NaN
        return rest * rest if rest > 0 else 0

    cdef bint graph_solves(self, const Kernels *kernels, const Graph *graph,
                           const void *parameters, void *state, double fitness,
                           void *scratch) noexcept nogil:
        cdef double y[4]
        cdef int i
        # One output on the wrong side costs 0.5 at least, four on the right side 2 at most: the
        # fitness alone decides outside 2^2 and 3.5^2, here with room for rounding.
        if not fitness > 3.9:
            return False
        if fitness > 12.3:
            return True
        four_outputs(kernels, graph, parameters, state, scratch, y)
        for i in range(4):
            if not (y[i] > 0.5 if TARGETS[i] > 0 else y[i] < 0.5):
                return False
        return True

    def __eq__(self, other):
        return True if isinstance(other, XOR) else NotImplemented

    def __hash__(self):
        return hash(XOR)

    def __reduce__(self):
        return type(self), ()

    def __repr__(self):
        return f"{type(self).__name__}()"


cdef void four_outputs(const Kernels *kernels, const Graph *graph, const void *parameters,
                       void *state, void *scratch, double *y) noexcept nogil:
    cdef int i
    if kernels.itemsize == 4:
        answer_rows(kernels, graph, parameters, 4, PATTERNS_32, scratch, state,
                    <char *> scratch + ALIGNMENT)
        for i in range(4):
            y[i] = (<float *> scratch)[i]
    else:
        answer_rows(kernels, graph, parameters, 4, PATTERNS_64, scratch, state,
                    <char *> scratch + ALIGNMENT)
        for i in range(4):
            y[i] = (<double *> scratch)[i]
