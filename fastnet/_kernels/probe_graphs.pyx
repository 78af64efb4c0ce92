"""The kernels of graphs, callable from Python: for the tests and the benchmarks only."""

import numpy as np

cimport numpy as cnp
from libc.stdint cimport int32_t, uint8_t
from libc.string cimport memset

from fastnet._kernels.probe import ACTIVATIONS, LOSSES, SENTINEL

from fastnet._kernels.dispatch cimport floating_point_mode, monotonic_seconds
from fastnet._kernels.probe cimport Table
from fastnet._kernels.table cimport *

cnp.import_array()

__all__ = ["MODES", "GraphOf", "GraphTable"]

MODES = {
    "feed_forward": FEED_FORWARD_GRAPH, "recurrent": RECURRENT_GRAPH, "time_step": TIME_STEP_GRAPH,
}


cdef void *address(array):
    return cnp.PyArray_DATA(<cnp.ndarray> array)


cdef Py_ssize_t take_next(Py_ssize_t *counter) noexcept nogil:
    counter[0] += 1
    return counter[0] - 1


cdef class GraphOf:
    """A plan as kernels see it, of hand-made parts.

    Parameters
    ----------
    n_inputs : int
    nodes : list of (sources, activation)
        The computed nodes; sources are slots: inputs, then the bias node where there is one, then
        these nodes.
    outputs : list of int
        Slots; -1 for an output that is never computed.
    parameters : array-like
        One weight for each source of each node in turn; with ``biases`` one for each node behind.
    mode : "feed_forward", "recurrent" or "time_step"
    bias_node, biases : bool
    step_limit : int
    numbers : (list, list, int), optional
        Numbers of the parameters of the edges and of the biases, and how many weights there are;
        parameters are then taken as they are.
    """

    cdef Graph graph
    cdef readonly object parameters
    cdef object arrays

    def __cinit__(self, n_inputs, nodes, outputs, parameters, mode="feed_forward", *,
                  bias_node=False, biases=False, step_limit=20, numbers=None):
        counts = [len(sources) for sources, _ in nodes]
        n_edges = sum(counts)
        first = np.cumsum([0, *counts], dtype=np.int32)
        source = np.array([s for sources, _ in nodes for s in sources], np.int32)
        # the parameters of the last edges come first, so that the order of the two differs
        weight = np.arange(n_edges - 1, -1, -1, dtype=np.int32)
        bias = np.arange(n_edges, n_edges + len(nodes), dtype=np.int32)
        output = np.array(outputs, np.int32)
        activations = np.array([ACTIVATIONS[name] for _, name in nodes], np.uint8)
        self.parameters = np.array(parameters, float)
        n_weights = n_edges
        if numbers is None:
            self.parameters[:n_edges] = self.parameters[:n_edges][::-1].copy()
        else:
            weight, bias, n_weights = numbers
            weight, bias = np.array(weight, np.int32), np.array(bias, np.int32)
        self.graph.mode = MODES[mode]
        self.graph.activation = activations[0] if len(set(activations)) == 1 else -1
        self.graph.step_limit = step_limit
        self.graph.n_inputs = n_inputs
        self.graph.n_sources = n_inputs + bool(bias_node)
        self.graph.n_outputs = len(outputs)
        self.graph.n_nodes = len(nodes)
        self.graph.n_edges = n_edges
        self.graph.n_weights = n_weights
        self.graph.n_parameters = n_weights + (len(nodes) if biases else 0)
        assert self.parameters.shape == (self.graph.n_parameters,)
        self.graph.first = <const int32_t *> address(first)
        self.graph.source = <const int32_t *> address(source)
        self.graph.weight = <const int32_t *> address(weight)
        self.graph.bias = <const int32_t *> address(bias) if biases else NULL
        self.graph.output = <const int32_t *> address(output)
        self.graph.activations = <const uint8_t *> address(activations)
        self.arrays = (first, source, weight, bias, output, activations)


cdef class GraphTable(Table):
    """The kernels of one instruction set and precision with those of graphs."""

    def __init__(self, isa, dtype, misalign=0):
        super().__init__(isa, dtype, misalign)
        self.graph_prepare()

    def graph_prepare(self):
        self.k.graph_prepare()

    def graph_state(self, GraphOf graph):
        return self.k.graph_state(&graph.graph)

    def graph_rows_scratch(self, GraphOf graph):
        return self.k.graph_rows_scratch(&graph.graph)

    def blank_state(self, GraphOf graph):
        """A state between guards, see `workspace`, full of rubbish."""
        return self.workspace(self.k.graph_state(&graph.graph))

    def graph_reset(self, GraphOf graph, state=None):
        """The values of all slots after a reset."""
        state = self.blank_state(graph) if state is None else state
        self.k.graph_reset(&graph.graph, address(state[0][state[1]:]))
        self.check_scratch(state, "graph_reset")
        return self.values(graph, state)

    def values(self, GraphOf graph, state):
        n = graph.graph.n_sources + graph.graph.n_nodes
        raw, first, _ = state
        return raw[first:first + n * self.dtype.itemsize].view(self.dtype).copy()

    def graph_step(self, GraphOf graph, x, state=None):
        """y of one row; a state that is not given is reset first in recurrent mode."""
        if state is None:
            state = self.blank_state(graph)
            if graph.graph.mode == RECURRENT_GRAPH:
                self.graph_reset(graph, state)
        parameters, x = self.given(graph.parameters), self.given(x)
        raw, first = self.place(graph.graph.n_outputs, SENTINEL)
        self.k.graph_step(&graph.graph, address(parameters), address(x), address(raw[first:]),
                          address(state[0][state[1]:]))
        self.check_scratch(state, "graph_step")
        return self.take(raw, first, (graph.graph.n_outputs,), False, "graph_step")

    def graph_rows(self, GraphOf graph, x):
        x = np.asarray(x)
        n_rows = len(x)
        parameters, x = self.given(graph.parameters), self.given(x)
        raw, first = self.place(n_rows * graph.graph.n_outputs, SENTINEL)
        scratch = self.workspace(self.k.graph_rows_scratch(&graph.graph))
        self.k.graph_rows(&graph.graph, address(parameters), n_rows, address(x),
                          address(raw[first:]), address(scratch[0][scratch[1]:]))
        self.check_scratch(scratch, "graph_rows")
        return self.take(raw, first, (n_rows, graph.graph.n_outputs), False, "graph_rows")

    def graph_rows_at_once(self, GraphOf graph):
        return self.k.graph_rows_at_once(&graph.graph)

    def graph_gradient_scratch(self, GraphOf graph, n_rows):
        return self.k.graph_gradient_scratch(&graph.graph, n_rows)

    def graph_jacobian_scratch(self, GraphOf graph):
        return self.k.graph_jacobian_scratch(&graph.graph)

    def graph_gradient(self, GraphOf graph, x, kind, targets, weights=None, scale=1.0,
                       gradient=True, parameter=0.0):
        """(value, flat gradient or None) of scale sum_i w_i L_i"""
        cdef Monitor monitor
        cdef Rows rows
        cdef Loss loss
        cdef double value = SENTINEL
        cdef Py_ssize_t n = graph.graph.n_parameters
        parameters, x = self.given(graph.parameters), self.given(x)
        targets = self.given(targets)
        memset(&rows, 0, sizeof(rows))
        rows.n_rows = x.shape[0]
        rows.x = address(x)
        rows.targets = address(targets)
        if weights is not None:
            weights = self.given(weights)
            rows.weights = address(weights)
        loss.kind = LOSSES[kind]
        loss.parameter = parameter
        loss.context = NULL
        loss.hook = NULL
        monitor.poll = NULL
        monitor.operations = 0
        monitor.user_mode = floating_point_mode()
        raw, first = self.place(n, SENTINEL)
        scratch = self.workspace(self.k.graph_gradient_scratch(&graph.graph, rows.n_rows))
        status = self.k.graph_gradient(
            &graph.graph, address(parameters), &loss, &rows, scale, &value,
            address(raw[first:]) if gradient else NULL, address(scratch[0][scratch[1]:]), &monitor)
        assert status == OK
        self.check_scratch(scratch, "graph_gradient")
        result = self.take(raw, first, (n,), True, "graph_gradient")
        return value, result if gradient else None

    def graph_jacobian(self, GraphOf graph, x):
        """(d outputs / d parameters, d outputs / d inputs) at one row x"""
        n_outputs = graph.graph.n_outputs
        by_parameters = n_outputs, graph.graph.n_parameters
        by_inputs = n_outputs, graph.graph.n_inputs
        parameters, x = self.given(graph.parameters), self.given(x)
        raw, first = self.place(int(np.prod(by_parameters)), SENTINEL)
        raw_inputs, first_inputs = self.place(int(np.prod(by_inputs)), SENTINEL)
        scratch = self.workspace(self.k.graph_jacobian_scratch(&graph.graph))
        self.k.graph_jacobian(
            &graph.graph, address(parameters), address(x), address(raw[first:]),
            address(raw_inputs[first_inputs:]), address(scratch[0][scratch[1]:]))
        self.check_scratch(scratch, "graph_jacobian")
        return (self.take(raw, first, by_parameters, False, "graph_jacobian by parameters"),
                self.take(raw_inputs, first_inputs, by_inputs, False, "graph_jacobian by inputs"))

    def pole_step(self, state, double force):
        """The state (6,) of two poles after a control step."""
        after = np.array(state, np.float64)
        if self.k.pole_step == NULL or after.shape != (6,):
            raise ValueError("a table of float64 and a state of 6 numbers are needed")
        self.k.pole_step(DOUBLE_POLE, <double *> address(after), force)
        return after

    def pole_lanes(self):
        return 0 if self.k.pole_lanes == NULL else self.k.pole_lanes()

    def pole_episodes(self, GraphOf graph, starts, Py_ssize_t n_steps):
        """Steps of each episode of two poles, of one network with their velocities."""
        cdef Episodes episodes
        cdef const Graph *plan = &graph.graph
        cdef Py_ssize_t n_bytes = (self.k.graph_state(plan) // ALIGNMENT + 1) * ALIGNMENT
        cdef Py_ssize_t counter = 0
        starts = np.array(starts, np.float64)
        if self.k.pole_episodes == NULL or starts.ndim != 2 or starts.shape[1] != 6:
            raise ValueError("a table of float64 and states of 6 numbers are needed")
        if (plan.n_inputs, plan.n_outputs) != (7, 1):
            raise ValueError("the graph must have 7 inputs and 1 output")
        parameters, values = self.given(graph.parameters), np.empty(len(starts))
        states = self.workspace(self.k.pole_lanes() * n_bytes)
        cdef const void *data = address(parameters)
        memset(&episodes, 0, sizeof(Episodes))
        episodes.task = DOUBLE_POLE
        episodes.n_steps = n_steps
        episodes.n_episodes = len(starts)
        episodes.graphs = &plan
        episodes.parameters = &data
        episodes.starts = <double *> address(starts)
        episodes.start_stride = 6
        episodes.values = <double *> address(values)
        episodes.take = take_next
        episodes.next = &counter
        self.k.pole_episodes(&episodes, self.k, address(states[0][states[1]:]), n_bytes, NULL)
        self.check_scratch(states, "pole_episodes")
        return values

    def arms_descend(self, lengths, angles, targets, Py_ssize_t n_epochs, bases=0.0,
                     learning_rate=0.075, tolerance=-1.0, limits=None):
        """(angles, pose, errors, epochs, path) of arms that reach for heights or points."""
        cdef Arms arms
        angles, lengths = np.asarray(angles), self.given(lengths)
        if self.k.arms_descend == NULL or angles.ndim != 2 or lengths.shape != angles.shape[1:]:
            raise ValueError("a table of float64 and an angle of each link of each arm are needed")
        n_arms, n = angles.shape
        targets, bases = self.given(targets), self.given(bases)
        if targets.shape not in ((), (n_arms,), (n_arms, 2)) or bases.shape not in ((), (n_arms,)):
            raise ValueError("one target and one base are needed, or as many as arms")
        memset(&arms, 0, sizeof(Arms))
        arms.n_arms, arms.n_links, arms.n_epochs = n_arms, n, n_epochs
        arms.target_stride, arms.base_stride = targets.size > 1, bases.size > 1
        if targets.ndim == 2:
            arms.target_stride, arms.are_points = 2, True
        arms.learning_rate, arms.tolerance = learning_rate, tolerance
        if limits is not None:
            lower, upper = map(self.given, limits)
            if lower.shape != (n,) or upper.shape != (n,):
                raise ValueError("limits of each joint are needed")
            arms.lower = <double *> address(lower)
            arms.upper = <double *> address(upper)
        shapes = (n_arms, n), (n_arms, n), (n_arms,), (n_arms,), (n_epochs + 1, n_arms, n)
        places = [self.place(int(np.prod(shape)), SENTINEL) for shape in shapes]
        memory = [raw[first:] for raw, first in places]
        memory[0][:angles.size] = angles.ravel()
        memory[3][:n_arms] = 0
        memory[4][:angles.size] = angles.ravel()
        scratch = self.workspace(3 * n * self.k.vector_length * 8)
        arms.lengths, arms.angles = <double *> address(lengths), <double *> address(memory[0])
        arms.targets, arms.bases = <double *> address(targets), <double *> address(bases)
        arms.pose, arms.errors = <double *> address(memory[1]), <double *> address(memory[2])
        arms.epochs, arms.path = <double *> address(memory[3]), <double *> address(memory[4])
        arms.path_stride = angles.size
        self.k.arms_descend(&arms, <double *> address(scratch[0][scratch[1]:]))
        self.check_scratch(scratch, "arms_descend")
        return tuple(self.take(raw, first, shape, False, "arms_descend")
                     for (raw, first), shape in zip(places, shapes, strict=True))

    def seconds(self, GraphOf graph, x, repeats):
        """Mean time of graph_step where x is one row, else of graph_rows."""
        cdef Py_ssize_t n_rows = len(x) if np.ndim(x) == 2 else 0, n = repeats
        cdef const void *p
        cdef const void *source
        cdef void *target
        cdef void *memory
        cdef double started
        parameters, x = self.given(graph.parameters), self.given(x)
        y = self.buffer(max(n_rows, 1) * graph.graph.n_outputs)
        scratch = self.buffer(
            max(self.k.graph_rows_scratch(&graph.graph), self.k.graph_state(&graph.graph)), "uint8")
        p = address(parameters)
        source = address(x)
        target = address(y)
        memory = address(scratch)
        self.k.graph_reset(&graph.graph, memory)
        started = monotonic_seconds()
        for _ in range(n):
            if n_rows:
                self.k.graph_rows(&graph.graph, p, n_rows, source, target, memory)
            else:
                self.k.graph_step(&graph.graph, p, source, target, memory)
        return (monotonic_seconds() - started) / n
