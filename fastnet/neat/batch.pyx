"""The networks of many genomes in one block of memory."""

import numpy as np

cimport numpy as cnp
from libc.stdlib cimport calloc, free

from fastnet._checks import checked_int
from fastnet._parallel import CHUNK_OPERATIONS, run_chunks
from fastnet.neat.config import MODES

from fastnet._arrays cimport convert, itemsize_of, matrix, typenum_of
from fastnet._kernels.dispatch cimport kernels
from fastnet._kernels.table cimport ALIGNMENT, RECURRENT_GRAPH, SLACK_BYTES, Graph, Kernels
from fastnet._workspace cimport Memory, Workspace, acquire, aligned, new_memory, release
from fastnet.neat._rules cimport Rules, mode_id
from fastnet.neat.genome cimport Genome
from fastnet.neat.graph cimport (
    compile_graph, compile_scratch, gather_parameters, graph_bytes, graph_size
)
from fastnet.neat.network cimport checked_typenum

cnp.import_array()

__all__ = ["NetworkBatch"]

cdef enum:
    UNLOCKED_OPERATIONS = 100000        # shorter work, of some microseconds, keeps the lock

cdef Workspace compiling = Workspace()


cdef class NetworkBatch:
    """The networks of many genomes, stepped together.

    Plans, parameters and states lie beside each other, which for a large population is several
    times as fast as networks one by one.

    Parameters
    ----------
    genomes : sequence of fastnet.neat.Genome
        All with the same numbers of inputs and outputs.
    mode : "feed_forward", "recurrent" or "time_step", optional
        How they compute; by default as the config of the first genome says.
    dtype : "float64" or "float32"

    Attributes
    ----------
    genomes : tuple
        Their later changes do not reach the batch.
    n_inputs, n_outputs : int
    mode : str
    dtype : numpy.dtype

    Raises
    ------
    ValueError, TypeError
        genomes is empty, has something else in it, or networks of different sizes; mode is
        feed_forward and the enabled connections of a genome have a cycle.

    Examples
    --------
    >>> from fastnet import neat
    >>> config = neat.Config(n_inputs=2, n_outputs=1)
    >>> batch = neat.NetworkBatch([neat.Genome(config, rng=i) for i in range(10)])
    >>> import numpy as np
    >>> batch.step(np.zeros((10, 2))).shape, batch(np.zeros((4, 2))).shape
    ((10, 1), (10, 4, 1))
    """

    cdef const Kernels *kernels
    cdef readonly tuple genomes
    cdef readonly Py_ssize_t n_inputs
    cdef readonly Py_ssize_t n_outputs
    cdef readonly object dtype
    cdef Py_ssize_t n
    cdef int mode_id
    cdef Memory memory
    cdef Workspace workspace
    cdef const Graph **graphs           # (n,) in memory
    cdef char **parameters              # (n,)
    cdef char **states                  # (n,)
    cdef Py_ssize_t state_bytes         # of the largest
    cdef Py_ssize_t scratch_bytes       # of many rows, of the largest
    cdef Py_ssize_t n_edges             # of all

    def __cinit__(self):
        self.workspace = Workspace()

    def __init__(self, genomes, mode=None, dtype="float64"):
        cdef Genome genome
        cdef const Rules *rules
        cdef Py_ssize_t k = 0, plan, n_bytes = 0, n_scratch = 0, itemsize
        cdef Py_ssize_t m, n
        cdef char *place
        cdef Workspace scratch
        cdef Graph *graph = NULL
        cdef int typenum = checked_typenum(dtype)
        if self.graphs != NULL:
            raise RuntimeError("a batch is built once")
        try:
            genomes = tuple(genomes)
        except TypeError:
            raise TypeError(
                f"genomes must be a sequence of genomes, got {type(genomes).__name__}") from None
        if not genomes:
            raise ValueError("genomes must hold at least one genome")
        for k, item in enumerate(genomes):
            if not isinstance(item, Genome):
                raise TypeError(
                    f"genomes[{k}] must be a fastnet.neat.Genome, got {type(item).__name__}")
        itemsize = itemsize_of(typenum)
        genome = <Genome> genomes[0]
        n_inputs, n_outputs = genome.rules.n_inputs, genome.rules.n_outputs
        self.mode_id = mode_id(mode, genome.rules)
        for k, item in enumerate(genomes):
            genome = <Genome> item
            if genome.rules.n_inputs != n_inputs or genome.rules.n_outputs != n_outputs:
                raise ValueError(
                    f"genomes must have the same numbers of inputs and outputs: genomes[0] has "
                    f"{n_inputs} and {n_outputs}, genomes[{k}] has {genome.rules.n_inputs} and "
                    f"{genome.rules.n_outputs}")
            m, n = genome.genes.n_connections, genome.genes.n_nodes
            n_scratch = max(n_scratch, compile_scratch(m, n))
            # values, sums and flags of a state are at most this
            n_bytes += (graph_bytes(m, n) + aligned((m + n) * itemsize + SLACK_BYTES)
                        + aligned(2 * n * (itemsize + 1) + ALIGNMENT))
        self.kernels = kernels(itemsize)
        self.memory = new_memory(n_bytes)
        self.n_inputs, self.n_outputs = n_inputs, n_outputs
        self.dtype = np.dtype("float32" if itemsize == 4 else "float64")
        self.n = len(genomes)
        self.graphs = <const Graph **> calloc(self.n, sizeof(Graph *))
        self.parameters = <char **> calloc(self.n, sizeof(char *))
        self.states = <char **> calloc(self.n, sizeof(char *))
        if self.graphs == NULL or self.parameters == NULL or self.states == NULL:
            self.n = 0
            raise MemoryError("no memory for the batch")
        place = <char *> self.memory.data
        scratch = acquire(compiling, n_scratch)
        for k in range(self.n):
            genome = <Genome> genomes[k]
            rules = genome.rules
            graph = compile_graph(
                &genome.genes, rules, self.mode_id, False, place, scratch.data)
            if graph == NULL:
                break
            self.graphs[k] = graph
            place += aligned(graph_size(graph))
            self.parameters[k] = place
            gather_parameters(&genome.genes, rules, itemsize, place)
            place += aligned(graph.n_parameters * itemsize + itemsize)
            self.states[k] = place
            plan = self.kernels.graph_state(graph)
            self.kernels.graph_reset(graph, place)
            place += aligned(plan)
            self.state_bytes = max(self.state_bytes, plan)
            self.scratch_bytes = max(self.scratch_bytes, self.kernels.graph_rows_scratch(graph))
            self.n_edges += graph.n_edges
        release(scratch)
        if graph == NULL:
            self.n = 0
            raise ValueError(
                f"mode must be 'recurrent' or 'time_step' for genomes[{k}]: its enabled "
                "connections have a cycle, got 'feed_forward'")
        self.genomes = genomes

    def __dealloc__(self):
        free(self.graphs)
        free(self.parameters)
        free(self.states)

    cdef int check_built(self) except -1:
        if self.genomes is None:
            raise RuntimeError("NetworkBatch.__init__ was not called")
        return 0

    cdef void step_all(self, const char *x, char *y, char *state) noexcept nogil:
        cdef Py_ssize_t itemsize = self.kernels.itemsize, k
        cdef bint keeps = self.graphs[0].mode == RECURRENT_GRAPH
        for k in range(self.n):
            self.kernels.graph_step(
                self.graphs[k], self.parameters[k], x + k * self.n_inputs * itemsize,
                y + k * self.n_outputs * itemsize, self.states[k] if keeps else state)

    def step(self, X, /):
        """Row k to genome k: one row each.

        In recurrent mode one synchronous step, of which the state is kept until `reset`; in the
        other modes every call begins from a blank state.

        Parameters
        ----------
        X : array-like (n_genomes, n_inputs)

        Returns
        -------
        ndarray (n_genomes, n_outputs)
        """
        self.check_built()
        cdef int typenum = typenum_of(self.kernels.itemsize)
        cdef cnp.ndarray x = convert(X, "X", typenum)
        cdef cnp.npy_intp shape[2]
        cdef cnp.ndarray y
        cdef Workspace workspace
        if (cnp.PyArray_NDIM(x) != 2 or cnp.PyArray_DIM(x, 0) != self.n
                or cnp.PyArray_DIM(x, 1) != self.n_inputs):
            raise ValueError(
                f"X must have shape ({self.n}, {self.n_inputs}), a row for each genome, "
                f"got {np.shape(x)}")
        shape[0] = self.n
        shape[1] = self.n_outputs
        y = cnp.PyArray_SimpleNew(2, shape, typenum)
        workspace = acquire(self.workspace, self.state_bytes)
        if self.n_edges > UNLOCKED_OPERATIONS // 10:
            with nogil:
                self.step_all(<const char *> cnp.PyArray_DATA(x), <char *> cnp.PyArray_DATA(y),
                              <char *> workspace.data)
        else:
            self.step_all(<const char *> cnp.PyArray_DATA(x), <char *> cnp.PyArray_DATA(y),
                          <char *> workspace.data)
        release(workspace)
        return y

    def reset(self):
        """Forget the states of earlier steps."""
        cdef Py_ssize_t k
        self.check_built()
        for k in range(self.n):
            self.kernels.graph_reset(self.graphs[k], self.states[k])

    def __call__(self, X, /, n_threads=1):
        """All rows to all genomes, each row from a blank state.

        Parameters
        ----------
        X : array-like (n_rows, n_inputs)
        n_threads : int
            How many threads work; the result is the same, bit for bit.

        Returns
        -------
        ndarray (n_genomes, n_rows, n_outputs)
        """
        self.check_built()
        cdef cnp.ndarray x = matrix(X, "X", self.n_inputs, typenum_of(self.kernels.itemsize))
        cdef Py_ssize_t n_rows = cnp.PyArray_DIM(x, 0)
        cdef cnp.ndarray y = np.empty((self.n, n_rows, self.n_outputs), self.dtype)
        n_threads = checked_int(n_threads, "n_threads")
        if n_threads == 1 or n_rows == 0:
            self._rows_part(x, y, 0, self.n)
        else:
            operations = 2.0 * n_rows * (self.n_edges + self.n)
            size = max(1, int(self.n * CHUNK_OPERATIONS / operations))
            chunks = [(k, min(k + size, self.n)) for k in range(0, self.n, size)]
            run_chunks(lambda a, b: self._rows_part(x, y, a, b), chunks, n_threads)
        return y

    def _rows_part(self, cnp.ndarray x, cnp.ndarray y, Py_ssize_t first, Py_ssize_t last):
        """Outputs of genomes first to last."""
        cdef Py_ssize_t n_rows = cnp.PyArray_DIM(x, 0), k
        cdef Py_ssize_t size = n_rows * self.n_outputs * self.kernels.itemsize
        cdef const void *source = cnp.PyArray_DATA(x)
        cdef char *target = <char *> cnp.PyArray_DATA(y)
        cdef Workspace workspace = acquire(self.workspace, self.scratch_bytes)
        with nogil:
            for k in range(first, last):
                self.kernels.graph_rows(
                    self.graphs[k], self.parameters[k], n_rows, source, target + k * size,
                    workspace.data)
        release(workspace)

    @property
    def mode(self):
        self.check_built()
        return MODES[self.mode_id]

    def __len__(self):
        return self.n

    def __copy__(self):
        """A batch of the same genomes as they are now, in a blank state."""
        self.check_built()
        return type(self)(self.genomes, self.mode, self.dtype)

    def __reduce__(self):
        self.check_built()
        return type(self), (self.genomes, self.mode, self.dtype.name)

    def __repr__(self):
        if self.genomes is None:
            return f"<{type(self).__name__}: not built>"
        dtype = ", dtype='float32'" if self.kernels.itemsize == 4 else ""
        return (f"<{type(self).__name__}: {self.n} genomes, {self.n_inputs} inputs, "
                f"{self.n_outputs} outputs, mode={self.mode!r}{dtype}>")
