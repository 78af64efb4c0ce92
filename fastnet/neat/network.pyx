"""Networks of evolved topology: what a genome computes."""

import copy
import numbers

import numpy as np

cimport cython
cimport numpy as cnp
from cpython.float cimport (
    PyFloat_AS_DOUBLE, PyFloat_Check, PyFloat_CheckExact, PyFloat_FromDouble
)
from cpython.list cimport (
    PyList_CheckExact, PyList_GET_ITEM, PyList_GET_SIZE, PyList_New, PyList_SET_ITEM
)
from cpython.long cimport PyLong_CheckExact
from cpython.ref cimport Py_INCREF, PyObject
from libc.stdint cimport uintptr_t
from libc.string cimport memcmp, memcpy

from fastnet._parallel import cut_rows, run_chunks
from fastnet.activations import names as activation_names
from fastnet.neat.config import MODES

from fastnet._arrays cimport convert, is_plain, itemsize_of
from fastnet._header cimport GraphHandle
from fastnet._kernels.dispatch cimport kernels
from fastnet._kernels.table cimport OK, RECURRENT_GRAPH, STOPPED, Graph, Loss, Monitor, Rows
from fastnet._workspace cimport Workspace, acquire, aligned, as_array, new_memory, release
from fastnet.neat._genes cimport Genes
from fastnet.neat._rules cimport FEED_FORWARD, Rules, mode_id, rules_of
from fastnet.neat.genome cimport Genome
from fastnet.neat.graph cimport (
    compile_graph, compile_scratch, copy_graph, dense_graph, dense_graph_bytes,
    first_beyond_graphs, gather_parameters, graph_bytes
)
from fastnet.neat.handle cimport handle_bytes, place_handle
from fastnet.nn.dense cimport DenseModel
from fastnet.training.model cimport Model, Watch, raise_stopped, watch

cnp.import_array()

__all__ = ["Network"]

cdef enum:
    UNLOCKED_OPERATIONS = 400000        # shorter work, of a few microseconds, keeps the lock
    POLL_OPERATIONS = 4000000           # between two looks for Ctrl-C

cdef Workspace compiling = Workspace()
cdef tuple DTYPES = (np.dtype("float32"), np.dtype("float64"))


cdef int checked_typenum(object dtype) except -1:
    try:
        dtype = np.dtype(dtype)
    except TypeError:
        raise TypeError(f"dtype must be float32 or float64, got {dtype!r}") from None
    if dtype not in DTYPES or not dtype.isnative:
        raise ValueError(f"dtype must be float32 or float64, got {dtype}")
    return cnp.NPY_FLOAT32 if dtype.itemsize == 4 else cnp.NPY_FLOAT64


cdef Network network_of(object genomes, Py_ssize_t index, object config, const Genes *genes,
                        const Graph *graph, int mode, int typenum):
    cdef Network net = Network.__new__(Network)
    net.build(genomes, index, config, genes, graph, mode, typenum)
    return net


# A blank state for step().  No method, because reset() of a derived class may do something else.
cdef int forget(Network net) except -1:
    cdef Memory state
    if net.state is None:
        state = new_memory(net.kernels.graph_state(net.graph))
        # two threads may be here
        if net.state is None:
            net.state = state
    net.kernels.graph_reset(net.graph, net.state.data)
    return 0


cdef int check_dense(DenseModel net) except -1:
    cdef Py_ssize_t k = first_beyond_graphs(&net.plan)
    if k >= 0:
        raise ValueError(
            f"layers[{k}] of the network is {net.layers[k].spec!r}, which tasks that run without "
            "the interpreter do not know: give a function of the network")
    if net.n_parameters >= 2**31 - 1:
        raise ValueError(
            f"the network has {net.n_parameters} parameters, too many for tasks that run without "
            "the interpreter: give a function of the network")
    return 0


cdef Network network_of_dense(DenseModel dense):
    cdef Network net = Network.__new__(Network)
    check_dense(dense)
    net.memory = new_memory(dense_graph_bytes(&dense.plan))
    net.graph = dense_graph(&dense.plan, net.memory.data)
    net.settle((None,), 0, None, FEED_FORWARD, cnp.NPY_DOUBLE)
    net.parameters[:net.n_parameters - 1] = dense.parameters
    return net


cdef class Network(Model):
    """The network of a genome.

    Parameters
    ----------
    genome : fastnet.neat.Genome
    mode : "feed_forward", "recurrent" or "time_step", optional
        How it computes; by default as the genome's config says.
    dtype : "float64" or "float32"
        Precision of parameters and of everything computed.

    Attributes
    ----------
    parameters : ndarray (n_parameters,)
        Writable: weights of the enabled connections by innovation, then, where the config has
        ``bias="per_node"``, the biases in the order of the genome's nodes without the inputs.
    genome : fastnet.neat.Genome
        What the network was made of; its later changes do not reach the network.
    node_ids : ndarray (n_nodes,)
        Of every node, in the order of ``genome.nodes`` and of the columns of `trace`; ValueError
        where the genome has got other connections or nodes.
    mode : str
    n_inputs, n_outputs, n_parameters : int
    dtype : numpy.dtype
    history : fastnet.History or None
        Of the last `fit`.

    Raises
    ------
    ValueError
        mode is feed_forward and the enabled connections have a cycle.

    Notes
    -----
    The value of a node is f(bias + sum of weight * value over the enabled connections that enter
    it), f its activation; inputs are taken as they are.
    One row (n_inputs,) and many rows are computed by different means, and may differ in the last
    bits.

    A network that a population gave to a fitness function keeps the memory of its generation; a
    copy of it (`copy.copy`) does not.

    * *feed_forward*: nodes in topological order; a node that nothing enters is f(bias).
    * *recurrent*: one step computes all nodes at once from the values before; those begin at 0.
      Calling the network is one step from there, `step` keeps the values.
    * *time_step*: activation spreads from the inputs (and the bias node) in steps.  A node is
      computed in a step if something that feeds it was in the step before, from all values as they
      were; those never reached count 0.  It ends when nothing is computed any more, or at the
      config's ``step_limit``.

    Examples
    --------
    >>> from fastnet import neat
    >>> config = neat.Config(n_inputs=2, n_outputs=1, bias=None, activation="tanh")
    >>> genome = neat.Genome.from_connections(config, [(0, 0, 2, 0.5, True), (1, 1, 2, -1.0, True)])
    >>> network = genome.network()
    >>> network.activate([1.0, 0.5])
    [0.0]
    >>> network([[1.0, 0.5], [0.0, 0.0]]).shape
    (2, 1)
    """

    def __cinit__(self):
        self.workspace = Workspace()

    def __init__(self, genome, mode=None, dtype="float64"):
        if not isinstance(genome, Genome):
            raise TypeError(f"genome must be a fastnet.neat.Genome, got {type(genome).__name__}")
        cdef Genome g = <Genome> genome
        self.build((g,), 0, g.config, &g.genes, NULL, mode_id(mode, g.rules),
                   checked_typenum(dtype))

    cdef int build(self, object genomes, Py_ssize_t index, object config, const Genes *genes,
                   const Graph *graph, int mode, int typenum) except -1:
        cdef const Rules *rules = rules_of(config)
        cdef Workspace scratch
        if self.kernels != NULL:
            raise RuntimeError("a network is built once")
        if graph != NULL:
            self.graph = graph
            self.plan_owner = genomes
        else:
            self.memory = new_memory(graph_bytes(genes.n_connections, genes.n_nodes))
            scratch = acquire(compiling, compile_scratch(genes.n_connections, genes.n_nodes))
            self.graph = compile_graph(genes, rules, mode, False, self.memory.data, scratch.data)
            release(scratch)
            if self.graph == NULL:
                raise ValueError(
                    "mode must be 'recurrent' or 'time_step' for this genome: its enabled "
                    "connections have a cycle, got 'feed_forward'")
        self.settle(genomes, index, config, mode, typenum)
        gather_parameters(genes, rules, itemsize_of(typenum), self.data)
        return 0

    cdef int settle(self, object genomes, Py_ssize_t index, object config, int mode,
                    int typenum) except -1:
        cdef Py_ssize_t itemsize = itemsize_of(typenum)
        self.n_parameters = self.graph.n_parameters
        self.parameter_memory = new_memory(self.n_parameters * itemsize)
        self.data = self.parameter_memory.data
        self.parameters = as_array(self.parameter_memory, self.n_parameters, typenum)
        self.config = config
        self.dtype = DTYPES[itemsize == 8]
        self.genomes = genomes
        self.index = index
        self.mode_id = mode
        self.typenum = typenum
        self.n_inputs = self.graph.n_inputs
        self.n_outputs = self.graph.n_outputs
        self.kernels = kernels(itemsize)
        self.row_bytes = (aligned(self.n_inputs * itemsize) + aligned(self.n_outputs * itemsize)
                          + self.kernels.graph_state(self.graph))
        return 0

    cdef int check_genome(self) except -1:
        cdef Genome genome = self.genome
        cdef const Genes *genes = &genome.genes
        cdef const Graph *mine = self.graph
        cdef const Graph *other
        cdef Workspace workspace
        cdef Py_ssize_t plan = graph_bytes(genes.n_connections, genes.n_nodes), n_bytes
        cdef bint same
        workspace = acquire(
            compiling, plan + compile_scratch(genes.n_connections, genes.n_nodes))
        other = compile_graph(genes, genome.rules, self.mode_id, False, workspace.data,
                              <char *> workspace.data + plan)
        # the arrays lie behind the struct, activations last
        n_bytes = <const char *> (mine.activations + mine.n_nodes) - <const char *> (mine + 1)
        same = (
            other != NULL and other.n_bytes == mine.n_bytes and other.n_nodes == mine.n_nodes
            and other.n_edges == mine.n_edges and other.n_parameters == mine.n_parameters
            and memcmp(other + 1, mine + 1, n_bytes) == 0)
        release(workspace)
        if not same:
            raise ValueError(
                "the genome has other connections or nodes than when its network was made: make "
                "another one with genome.network()")
        return 0

    # -- what training needs -------------------------------------------------------------------

    cdef Py_ssize_t forward_bytes(self, Py_ssize_t n_rows) noexcept nogil:
        return self.kernels.graph_rows_scratch(self.graph)

    cdef Py_ssize_t rows_at_once(self) noexcept nogil:
        return 8 * self.kernels.vector_length

    cdef int forward_rows(self, const void *parameters, Py_ssize_t n_rows, const void *x, void *y,
                          void *scratch, Monitor *monitor) noexcept nogil:
        cdef Py_ssize_t itemsize = self.kernels.itemsize, n
        cdef double operations = 2.0 * self.graph.n_edges + self.graph.n_nodes + 1
        cdef Py_ssize_t most = <Py_ssize_t> (POLL_OPERATIONS / operations)
        most = max(1, most // self.rows_at_once()) * self.rows_at_once()
        while n_rows > 0:
            n = min(n_rows, most)
            self.kernels.graph_rows(self.graph, parameters, n, x, y, scratch)
            x = <const char *> x + n * self.n_inputs * itemsize
            y = <char *> y + n * self.n_outputs * itemsize
            n_rows -= n
            monitor.operations += n * operations
            if monitor.poll != NULL and monitor.operations >= POLL_OPERATIONS:
                monitor.operations = 0
                if monitor.poll(monitor.context) != OK:
                    return 1
        return OK

    cdef Py_ssize_t gradient_bytes(self, Py_ssize_t n_rows) noexcept nogil:
        return self.kernels.graph_gradient_scratch(self.graph, n_rows)

    cdef int gradient_rows(self, const void *parameters, const Loss *loss, const Rows *rows,
                           double scale, double *value, void *gradient, void *scratch,
                           Monitor *monitor) noexcept nogil:
        # learning.pyx says so in words; this is for whoever comes another way
        if self.mode_id != FEED_FORWARD:
            return STOPPED
        return self.kernels.graph_gradient(self.graph, parameters, loss, rows, scale, value,
                                           gradient, scratch, monitor)

    cdef Py_ssize_t jacobian_bytes(self) noexcept nogil:
        return self.kernels.graph_jacobian_scratch(self.graph)

    cdef int jacobian_row(self, const void *parameters, const void *x, void *jacobian,
                          void *scratch, Monitor *monitor) noexcept nogil:
        if self.mode_id != FEED_FORWARD:
            return STOPPED
        self.kernels.graph_jacobian(self.graph, parameters, x, jacobian, NULL, scratch)
        return OK

    cdef void penalize(self, const void *parameters, double l1, double l2, double *value,
                       void *gradient) noexcept nogil:
        value[0] += self.kernels.penalty(self.graph.n_weights, parameters, l1, l2, gradient)

    cdef object output_activation(self):
        """Of the outputs, or of each of them where they differ."""
        names = activation_names()
        own = tuple([
            names[self.graph.activations[self.graph.output[i] - self.graph.n_sources]]
            if self.graph.output[i] >= 0 else None for i in range(self.n_outputs)])
        return own[0] if len(set(own)) == 1 else own

    # -- outputs -------------------------------------------------------------------------------

    cdef void *row_y(self, Workspace workspace) noexcept:
        return <char *> workspace.data + aligned(self.n_inputs * self.kernels.itemsize)

    cdef void *row_state(self, Workspace workspace) noexcept:
        cdef Py_ssize_t itemsize = self.kernels.itemsize
        return (<char *> workspace.data + aligned(self.n_inputs * itemsize)
                + aligned(self.n_outputs * itemsize))

    cdef void one_row(self, const void *x, void *y, Workspace workspace) noexcept:
        cdef void *state = self.row_state(workspace)
        if self.graph.mode == RECURRENT_GRAPH:
            self.kernels.graph_reset(self.graph, state)
        self.kernels.graph_step(self.graph, self.data, x, y, state)

    cdef int step_row(self, const void *x, void *y) except -1:
        cdef Workspace workspace
        if self.graph.mode == RECURRENT_GRAPH:
            if self.state is None:
                forget(self)
            self.kernels.graph_step(self.graph, self.data, x, y, self.state.data)
        else:
            workspace = acquire(self.workspace, self.row_bytes)
            self.one_row(x, y, workspace)
            release(workspace)
        return 0

    def __call__(self, X, /):
        """Outputs for one row (n_inputs,) -> (n_outputs,) or many (n_rows, n_inputs).

        Each row begins from a blank state; in recurrent mode it is one step.  NaN and infinity
        propagate.  The dtype of the result is that of the network.

        Parameters
        ----------
        X : array-like (n_inputs,) or (n_rows, n_inputs)

        Returns
        -------
        ndarray (n_outputs,) or (n_rows, n_outputs)

        Raises
        ------
        ValueError, TypeError
            X has another shape or holds no real numbers.
        """
        cdef cnp.npy_intp n
        cdef cnp.ndarray out
        cdef Workspace workspace
        if self.kernels != NULL and is_plain(X, self.n_inputs, self.typenum):
            n = self.n_outputs
            out = cnp.PyArray_SimpleNew(1, &n, self.typenum)
            workspace = acquire(self.workspace, self.row_bytes)
            self.one_row(cnp.PyArray_DATA(<cnp.ndarray> X), cnp.PyArray_DATA(out), workspace)
            release(workspace)
            return out
        return self.any_rows(X)

    def predict(self, X, n_threads=1):
        """The same as calling the network, on several threads.

        Parameters
        ----------
        X : array-like (n_inputs,) or (n_rows, n_inputs)
        n_threads : int
            For many rows: how many threads work; the result is the same, bit for bit.
        """
        self.check_built()
        x = convert(X, "X", self.typenum)
        n_rows = len(x) if x.ndim == 2 else 1
        chunks = cut_rows(
            n_rows, 2 * self.graph.n_edges + 1, n_threads, self.rows_at_once())
        if len(chunks) < 2 or x.shape[1] != self.n_inputs:
            return self(x)
        y = np.empty((n_rows, self.n_outputs), self.dtype)

        def run(first, last):
            y[first:last] = self(x[first:last])

        run_chunks(run, chunks, n_threads)
        return y

    cdef object any_rows(self, object X):
        cdef cnp.ndarray x, y
        cdef cnp.npy_intp shape[2]
        cdef int ndim, status
        cdef Py_ssize_t n_rows
        cdef Monitor monitor
        cdef Watch state
        cdef Workspace workspace
        self.check_built()
        x = convert(X, "X", self.typenum)
        ndim = cnp.PyArray_NDIM(x)
        if ndim != 1 and ndim != 2 or cnp.PyArray_DIM(x, ndim - 1) != self.n_inputs:
            raise ValueError(
                f"X must have shape ({self.n_inputs},) or (n_rows, {self.n_inputs}), "
                f"got {np.shape(x)}"
            )
        n_rows = cnp.PyArray_DIM(x, 0)
        shape[0] = n_rows if ndim == 2 else self.n_outputs
        shape[1] = self.n_outputs
        y = cnp.PyArray_SimpleNew(ndim, shape, self.typenum)
        if ndim == 1:
            # With the bits of an array that needs no conversion
            workspace = acquire(self.workspace, self.row_bytes)
            self.one_row(cnp.PyArray_DATA(x), cnp.PyArray_DATA(y), workspace)
            release(workspace)
            return y
        workspace = acquire(self.workspace, self.forward_bytes(n_rows))
        watch(&monitor, &state)
        if 2.0 * n_rows * self.graph.n_edges > UNLOCKED_OPERATIONS:
            with nogil:
                status = self.forward_rows(self.data, n_rows, cnp.PyArray_DATA(x),
                                           cnp.PyArray_DATA(y), workspace.data, &monitor)
        else:
            status = self.forward_rows(self.data, n_rows, cnp.PyArray_DATA(x),
                                       cnp.PyArray_DATA(y), workspace.data, &monitor)
        release(workspace)
        if status != OK:
            raise_stopped()
        return y

    cdef int read_numbers(self, object inputs, void *x) except -1:
        """Any sequence of n_inputs real numbers into x."""
        cdef Py_ssize_t i
        cdef double value
        cdef cnp.ndarray row
        if is_plain(inputs, self.n_inputs, cnp.NPY_FLOAT32) or is_plain(
                inputs, self.n_inputs, cnp.NPY_FLOAT64):
            row = convert(inputs, "inputs", self.typenum)
            memcpy(x, cnp.PyArray_DATA(row), self.n_inputs * itemsize_of(self.typenum))
            return 0
        try:
            values = tuple(inputs)
        except TypeError:
            raise TypeError(
                f"inputs must be a list of {self.n_inputs} numbers, got {type(inputs).__name__}"
            ) from None
        if len(values) != self.n_inputs:
            raise ValueError(
                f"inputs must hold {self.n_inputs} numbers, one for each input, got {len(values)}")
        for i in range(self.n_inputs):
            item = values[i]
            if PyFloat_Check(item):         # np.float64 is one
                value = PyFloat_AS_DOUBLE(item)
            else:
                # the question after an abstract class takes as long as a network
                if not PyLong_CheckExact(item) and not isinstance(item, (numbers.Real, np.bool_)):
                    raise TypeError(
                        f"inputs[{i}] must be a real number, got {type(item).__name__}")
                try:
                    value = float(item)
                except OverflowError:
                    raise ValueError(f"inputs[{i}] is too large for a float") from None
            if self.typenum == cnp.NPY_FLOAT64:
                (<double *> x)[i] = value
            else:
                (<float *> x)[i] = <float> value
        return 0

    def activate(self, inputs, /):
        """The same for one row of Python numbers; the fastest way without arrays.

        Parameters
        ----------
        inputs : sequence of n_inputs numbers
            A list of floats takes the least time.

        Returns
        -------
        list of n_outputs floats

        Raises
        ------
        ValueError, TypeError
            There are more or fewer, or something else than real numbers.
        """
        cdef Py_ssize_t i
        cdef bint plain
        cdef Workspace workspace
        cdef PyObject *number           # borrowed: a small call feels counting
        cdef double *x
        cdef float *x_single
        cdef void *y
        self.check_built()
        workspace = acquire(self.workspace, self.row_bytes)
        x = <double *> workspace.data
        x_single = <float *> workspace.data
        plain = PyList_CheckExact(inputs) and PyList_GET_SIZE(inputs) == self.n_inputs
        if plain:
            for i in range(self.n_inputs):
                number = PyList_GET_ITEM(inputs, i)
                if not PyFloat_CheckExact(<object> number):
                    plain = False
                    break
                if self.typenum == cnp.NPY_FLOAT64:
                    x[i] = PyFloat_AS_DOUBLE(<object> number)
                else:
                    x_single[i] = <float> PyFloat_AS_DOUBLE(<object> number)
        try:
            if not plain:
                self.read_numbers(inputs, x)
            y = self.row_y(workspace)
            self.one_row(x, y, workspace)
            out = PyList_New(self.n_outputs)
            for i in range(self.n_outputs):
                if self.typenum == cnp.NPY_FLOAT64:
                    item = PyFloat_FromDouble((<double *> y)[i])
                else:
                    item = PyFloat_FromDouble((<float *> y)[i])
                Py_INCREF(item)
                PyList_SET_ITEM(out, i, item)
        finally:
            release(workspace)
        return out

    def step(self, x, /):
        """One synchronous step from the state that the last one left, in recurrent mode.

        In the other modes, which have no state, the same as calling the network.

        Parameters
        ----------
        x : array-like (n_inputs,)

        Returns
        -------
        ndarray (n_outputs,)
        """
        cdef cnp.npy_intp n
        cdef cnp.ndarray row, out
        self.check_built()
        if is_plain(x, self.n_inputs, self.typenum):
            row = <cnp.ndarray> x
        else:
            row = convert(x, "x", self.typenum)
            if cnp.PyArray_NDIM(row) != 1 or cnp.PyArray_DIM(row, 0) != self.n_inputs:
                raise ValueError(f"x must have shape ({self.n_inputs},), got {np.shape(row)}")
        n = self.n_outputs
        out = cnp.PyArray_SimpleNew(1, &n, self.typenum)
        self.step_row(cnp.PyArray_DATA(row), cnp.PyArray_DATA(out))
        return out

    def reset(self):
        """Forget the state of earlier steps: every computed node is 0 again."""
        self.check_built()
        forget(self)

    # -- gradients and training, see learning.pyx ----------------------------------------------

    def loss_and_gradient(self, X, y, loss="auto", sample_weight=None, reduction="mean", out=None):
        """Loss over rows and its gradient by backpropagation, in feed_forward mode.

        Parameters
        ----------
        X : array-like (n_rows, n_inputs)
        y : array-like
            Targets (n_rows, n_outputs), for one output also (n_rows,), or labels (n_rows,).
        loss : str or fastnet.Loss
            "auto" is binary_cross_entropy after one sigmoid output, else squared_error.
        sample_weight : array-like (n_rows,), optional
        reduction : "mean" or "sum"
            sum(w_i L_i) / sum(w_i), or sum(w_i L_i); L_i is summed over outputs.
        out : ndarray (n_parameters,), optional
            Buffer for the gradient.

        Returns
        -------
        value : float
        gradient : ndarray (n_parameters,), laid out as `parameters`
            0 for what no output depends on.

        Raises
        ------
        ValueError
            The mode is another one; the loss needs another activation of the outputs; wrong shapes.
        """
        from fastnet.neat.learning import loss_and_gradient
        return loss_and_gradient(self, X, y, loss, sample_weight, reduction, out)

    def jacobian(self, X):
        """Derivatives of the outputs by the parameters, in feed_forward mode.

        X (n_inputs,) gives (n_outputs, n_parameters); X (n_rows, n_inputs) gives
        (n_rows, n_outputs, n_parameters).
        """
        from fastnet.neat.learning import jacobian
        return jacobian(self, X, False)

    def input_jacobian(self, X):
        """Derivatives of the outputs by the inputs: (n_outputs, n_inputs), or with rows first."""
        from fastnet.neat.learning import jacobian
        return jacobian(self, X, True)

    def fit(self, X, y, loss="auto", optimizer="adam", epochs=10, batch_size=32, shuffle=True,
            seed=None, sample_weight=None, class_weight=None, validation_data=None, metrics=(),
            early_stopping=None, callbacks=(), progress=False, n_threads=1, l1=0.0, l2=0.0):
        """Train the weights and biases, in feed_forward mode, and write them to the genome.

        The arguments are those of `fastnet.training.fit.fit`.  An exception leaves the genome as it
        was; the parameters of the network are then those of the last step, and `update_genome`
        writes them.  ``genome.fitness``, which was that of the old weights, becomes None.

        Returns
        -------
        fastnet.History
            Also ``network.history``.

        Raises
        ------
        ValueError
            The mode is another one, there is nothing to train, or the genome has other connections
            or nodes than when the network was made, before the training or after it.

        Examples
        --------
        >>> from fastnet import neat
        >>> config = neat.Config(n_inputs=1, n_outputs=1, bias=None, activation="identity")
        >>> genome = neat.Genome.from_connections(config, [(0, 0, 1, 0.5, True)])
        >>> history = genome.network().fit([[1.0], [2.0]], [3.0, 6.0], optimizer="lbfgs")
        >>> round(float(genome.connections["weight"][0]), 6)
        3.0
        """
        from fastnet.neat.learning import fit
        return fit(self, X, y, loss, optimizer, epochs, batch_size, shuffle, seed, sample_weight,
                   class_weight, validation_data, metrics, early_stopping, callbacks, progress,
                   n_threads, l1, l2)

    def evaluate(self, X, y, loss="auto", metrics=()):
        """Mean loss and metrics over the rows, as a dict, in feed_forward mode."""
        from fastnet.neat.learning import evaluate
        return evaluate(self, X, y, loss, metrics)

    def update_genome(self):
        """Write the parameters to the genome they came from, whose fitness becomes None.

        Raises
        ------
        ValueError
            The genome has other connections or nodes than when the network was made, or a parameter
            is not finite: the genome is left as it is.
        """
        from fastnet.neat.learning import update_genome
        update_genome(self)

    # -- a look inside -------------------------------------------------------------------------

    def trace(self, x, steps):
        """Every node's value after each step, from a blank state and with x held.

        Parameters
        ----------
        x : array-like (n_inputs,)
        steps : int
            At least 0; not limited by the config's ``step_limit``.

        Returns
        -------
        ndarray (steps + 1, n_nodes)
            Columns in the order of `node_ids`; row 0 is before the first step: inputs (and the
            bias node) have their values, the other nodes, not yet activated, are NaN.
            *recurrent*: all are computed in every step.  *time_step*: a node stays NaN until
            activation reaches it, and rows repeat once it is quiet.  *feed_forward*: a step is one
            layer; a node is NaN until the longest way to it has been walked.

        Raises
        ------
        TypeError, ValueError
            x has another shape, or steps is no number of steps; or the genome has changed its
            connections or nodes since the network was made.
        """
        from fastnet.neat.trace import trace
        return trace(self, x, steps)

    @property
    def node_ids(self):
        self.check_built()
        self.check_genome()
        return np.array(self.genome.nodes["id"])

    @property
    def genome(self):
        self.check_built()
        if type(self.genomes) is not tuple:
            # a population makes a copy each time; what is written to it must be found again
            self.genomes = (self.genomes[self.index],)
            self.index = 0
        return self.genomes[self.index]

    @property
    def mode(self):
        self.check_built()
        return MODES[self.mode_id]

    @property
    def ctypes(self):
        """For functions in C, ctypes, numba and whatever takes addresses.

        Returns
        -------
        fastnet.neat.interface.CInterface
            ``address``, an int: the ``fn_graph *`` of ``fastnet.h``; and functions of ctypes that
            return 0 or an error: ``activate(address, x, y)``,
            ``activate_rows(address, n_rows, x, y)`` and ``reset(address)``.  The address is of the
            parameters and the state of the network itself, which has to be kept as long as the
            address is used, and used by one thread at a time.

        Examples
        --------
        >>> import numpy as np
        >>> from fastnet import neat
        >>> network = neat.Genome(neat.Config(n_inputs=2, n_outputs=1), rng=0).network()
        >>> x, y = np.array([1.0, -1.0]), np.empty(1)
        >>> network.ctypes.activate(network.ctypes.address, x.ctypes, y.ctypes)
        0
        >>> y == network.step(x)
        array([ True])
        """
        from fastnet.neat.interface import CInterface
        cdef Memory handle
        self.check_built()
        with cython.critical_section(self):
            # made once: an address that another thread has got stays what it is
            if self.handle is None:
                if self.state is None:
                    forget(self)
                handle = new_memory(handle_bytes(self.kernels, self.graph))
                place_handle(self.kernels, self.graph, self.data, self.state.data, handle.data)
                (<GraphHandle *> handle.data).owner = <void *> self
                self.handle = handle
        return CInterface(<uintptr_t> self.handle.data, self)

    # -- the object ----------------------------------------------------------------------------

    def _astype(self, dtype):
        """The network of the same genome with these parameters in another precision."""
        self.check_built()
        self.check_genome()
        net = type(self)(self.genome, self.mode, dtype)
        net.parameters[:] = self.parameters
        return net

    cdef Network twin(self, object genomes, Py_ssize_t index):
        """The same plan, parameters and state with another sequence of genomes."""
        cdef Network net = type(self).__new__(type(self))
        net.memory = new_memory(self.graph.n_bytes)
        net.graph = copy_graph(self.graph, net.memory.data)
        net.settle(genomes, index, self.config, self.mode_id, self.typenum)
        memcpy(net.data, self.data, self.n_parameters * itemsize_of(self.typenum))
        net.history = copy.deepcopy(self.history)
        if self.state is not None:
            forget(net)
            memcpy(net.state.data, self.state.data, self.state.n_bytes)
        return net

    def __copy__(self):
        # with its genome, no longer with the generation that both came from
        self.check_built()
        return self.twin((self.genome,), 0)

    def __deepcopy__(self, memo):
        self.check_built()
        return self.twin((copy.deepcopy(self.genome, memo),), 0)

    def __reduce__(self):
        cdef Py_ssize_t n_slots
        self.check_built()
        self.check_genome()
        state = None
        if self.state is not None:
            n_slots = self.graph.n_sources + self.graph.n_nodes
            state = np.array(as_array(self.state, n_slots, self.typenum))
        return _restore, (type(self), self.genome, self.mode, self.dtype.str[1:],
                          np.array(self.parameters), state, self.history)

    def __repr__(self):
        if self.kernels == NULL:
            return f"<{type(self).__name__}: not built>"
        dtype = ", dtype='float32'" if self.typenum == cnp.NPY_FLOAT32 else ""
        return (f"<{type(self).__name__}: {self.n_inputs} inputs, {self.n_outputs} outputs, "
                f"{self.graph.n_nodes} nodes, {self.graph.n_edges} connections, "
                f"mode={self.mode!r}{dtype}>")


def _restore(cls, genome, mode, dtype, parameters, state, history):
    """A pickled network."""
    cdef Network net = cls(genome, mode, dtype)
    net.parameters[...] = parameters
    net.history = history
    if state is not None:
        forget(net)
        as_array(net.state, net.graph.n_sources + net.graph.n_nodes, net.typenum)[...] = state
    return net
