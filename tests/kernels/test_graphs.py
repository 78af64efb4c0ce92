"""Graphs in every table against a plain twin, on numbers that every precision adds exactly."""

import numpy as np
import pytest

from fastnet._kernels.probe import ACTIVATIONS
from fastnet._kernels.probe_graphs import GraphOf, GraphTable

EXACT = {
    "identity": lambda z: z,
    "relu": lambda z: max(z, 0.0),
    "abs": abs,
    "step": lambda z: float(z > 0),
    "hard_tanh": lambda z: min(max(z, -1.0), 1.0),
}
MODES = ("feed_forward", "recurrent", "time_step")
# of one row in feed_forward mode computed by other means than of many
LOCAL = ("sigmoid", "steep_sigmoid", "tanh")


@pytest.fixture(params=[0, 1], ids=["aligned", "misaligned"])
def table(isa, dtype, request):
    return GraphTable(isa, dtype, request.param)


class Case:
    """A random graph; its nodes are any, with cycles unless it is feed_forward."""

    def __init__(self, seed, mode, n_inputs=None, n_nodes=None, names=None):
        rng = np.random.default_rng(seed)
        self.mode = mode
        self.n_inputs = int(rng.integers(1, 12)) if n_inputs is None else n_inputs
        self.has_bias_node = bool(rng.integers(2))
        self.n_sources = self.n_inputs + self.has_bias_node
        n_nodes = int(rng.integers(1, 9)) if n_nodes is None else n_nodes
        names = list(rng.choice(list(EXACT), rng.integers(1, 3))) if names is None else names
        self.nodes = []
        for k in range(n_nodes):
            n_known = self.n_sources + (k if mode == "feed_forward" else n_nodes)
            n_edges = int(rng.integers(0, min(n_known, 4) + 1))
            sources = [int(s) for s in rng.choice(n_known, n_edges, replace=False)]
            self.nodes.append((sources, str(rng.choice(names))))
        n_outputs = int(rng.integers(1, 7))
        self.outputs = [self.n_sources + int(k) for k in rng.integers(0, n_nodes, n_outputs)]
        if mode == "time_step":
            self.outputs = [-1 if rng.random() < 0.2 else slot for slot in self.outputs]
        self.first = np.cumsum([0, *(len(sources) for sources, _ in self.nodes)])
        n_edges = self.first[-1]
        self.weights = rng.choice([-1.0, -0.5, 0.5, 1.0], n_edges)
        self.has_biases = bool(rng.integers(2))
        self.biases = rng.choice([-0.5, 0.0, 1.0], n_nodes) * self.has_biases
        self.step_limit = int(rng.integers(1, 7))
        self.graph = GraphOf(
            self.n_inputs,
            self.nodes,
            self.outputs,
            [*self.weights, *self.biases] if self.has_biases else self.weights,
            mode,
            bias_node=self.has_bias_node,
            biases=self.has_biases,
            step_limit=self.step_limit,
        )
        self.rng = rng

    def rows(self, n_rows):
        return self.rng.integers(-4, 5, (n_rows, self.n_inputs)) / 2

    def value(self, k, values):
        sources, name = self.nodes[k]
        z = self.biases[k]
        for e, source in enumerate(sources):
            z += self.weights[self.first[k] + e] * values[source]
        return EXACT[name](z)

    def blank(self, x):
        return [*x, *[1.0] * self.has_bias_node, *[0.0] * len(self.nodes)]

    def step(self, values):
        """Values of all slots after one call of the mode, from these."""
        values = list(values)
        n = self.n_sources
        if self.mode == "feed_forward":
            for k in range(len(self.nodes)):
                values[n + k] = self.value(k, values)
        elif self.mode == "recurrent":
            values[n:] = [self.value(k, values) for k in range(len(self.nodes))]
        else:
            frontier = set(range(n))
            for _ in range(self.step_limit):
                reached = [
                    k for k, (sources, _) in enumerate(self.nodes) if frontier & set(sources)
                ]
                new = {n + k: self.value(k, values) for k in reached}
                for slot, value in new.items():
                    values[slot] = value
                frontier = set(new)
        return values

    def outputs_of(self, values):
        return [0.0 if slot < 0 else values[slot] for slot in self.outputs]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("seed", range(25))
def test_one_row_and_many(table, mode, seed):
    case = Case(seed, mode)
    x = case.rows(table.vector_length * 3 + 1)
    expected = np.array([case.outputs_of(case.step(case.blank(row))) for row in x])
    np.testing.assert_array_equal(table.graph_rows(case.graph, x), expected)
    for i in range(3):
        np.testing.assert_array_equal(table.graph_step(case.graph, x[i]), expected[i])


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("n_inputs", [1, 2, 3, 4, 7, 8, 9, 17])
def test_numbers_of_rows_around_the_tiles(table, mode, n_inputs):
    case = Case(n_inputs, mode, n_inputs=n_inputs)
    vl = table.vector_length
    around = {k * vl + d for k in (1, 2, 4, 8) for d in (-1, 0, 1)}
    for n_rows in sorted({0, 1, 2, 3, 5, 19 * vl + 3} | around):
        x = case.rows(n_rows)
        expected = [case.outputs_of(case.step(case.blank(row))) for row in x]
        np.testing.assert_array_equal(
            table.graph_rows(case.graph, x), np.reshape(expected, (n_rows, len(case.outputs)))
        )


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("n_nodes", [40, 300, 3500])
def test_graphs_beyond_the_cache(table, mode, n_nodes):
    case = Case(n_nodes, mode, n_nodes=n_nodes, names=["hard_tanh", "step"])
    x = case.rows(table.vector_length + 1)
    expected = [case.outputs_of(case.step(case.blank(row))) for row in x]
    np.testing.assert_array_equal(table.graph_rows(case.graph, x), expected)


@pytest.mark.parametrize("seed", range(10))
def test_recurrent_steps_keep_the_state_until_a_reset(table, seed):
    case = Case(seed, "recurrent")
    state = table.blank_state(case.graph)
    for _ in range(2):
        values = case.blank(np.zeros(case.n_inputs))
        np.testing.assert_array_equal(table.graph_reset(case.graph, state), values)
        for x in case.rows(5):
            values = case.step([*x, *values[case.n_inputs :]])
            y = table.graph_step(case.graph, x, state)
            np.testing.assert_array_equal(y, case.outputs_of(values))
            np.testing.assert_array_equal(table.values(case.graph, state), values)


@pytest.mark.parametrize("mode", ["feed_forward", "time_step"])
def test_other_modes_need_no_reset(table, mode):
    """Whatever is in the state: blank_state() is full of rubbish, then of the last row."""
    case = Case(3, mode)
    state = table.blank_state(case.graph)
    for x in case.rows(3):
        y = table.graph_step(case.graph, x, state)
        np.testing.assert_array_equal(y, case.outputs_of(case.step(case.blank(x))))


@pytest.mark.parametrize("name", sorted(set(ACTIVATIONS) - {"softmax"}))
@pytest.mark.parametrize("mode", MODES)
def test_activations_are_those_of_the_table(table, mode, name):
    """Alone in a graph and beside another one, for one row and for many."""
    x = np.array([[-50.0], [-3.0], [-0.75], [0.0], [0.25], [1.0], [2.5], [31.0]])
    expected = np.asarray(table.activate(name, x[:, 0]))
    # of one row the polynomials of local.pxi (test_local.py): 2 and 3 units in the last place
    eps = np.finfo(table.dtype).eps if mode == "feed_forward" and name in LOCAL else 0
    for others in ((), ("identity",)):
        nodes = [([0], name), *[([0], other) for other in others]]
        graph = GraphOf(1, nodes, [1], np.ones(len(nodes)), mode)
        np.testing.assert_array_equal(table.graph_rows(graph, x)[:, 0], expected)
        for row, value in zip(x, expected, strict=True):
            np.testing.assert_allclose(table.graph_step(graph, row), [value], rtol=5 * eps, atol=0)


@pytest.mark.parametrize("names", [["relu", "gelu"], ["tanh", "sigmoid"]])
@pytest.mark.parametrize("mode", MODES)
def test_a_row_is_the_same_alone(table, mode, names):
    """Sums that are rounded, too: the same bits, unless a sigmoid is a polynomial of local.pxi."""
    rng = np.random.default_rng(5)
    case = Case(11, mode, n_nodes=8, names=names)
    n = len(case.graph.parameters)
    graph = GraphOf(
        case.n_inputs, case.nodes, case.outputs, rng.uniform(-0.2, 0.2, n), mode,
        bias_node=case.has_bias_node, biases=case.has_biases, step_limit=case.step_limit,
    )
    x = rng.normal(size=(9 * table.vector_length + 2, case.n_inputs))
    together = table.graph_rows(graph, x)
    is_local = mode == "feed_forward" and names[0] in LOCAL
    for i in (0, 1, len(x) // 2, len(x) - 1):
        alone = table.graph_step(graph, x[i])
        if is_local:
            # 8 nodes, each 5 units apart at most; 4 edges of at most 0.2 make no deviation larger
            eps = np.finfo(table.dtype).eps
            np.testing.assert_allclose(alone, together[i], rtol=0, atol=8 * 5 * eps)
        else:
            np.testing.assert_array_equal(alone, together[i])


@pytest.mark.parametrize("mode", MODES)
def test_nan_goes_where_it_is_led(table, mode):
    graph = GraphOf(2, [([0], "tanh"), ([1], "elu")], [2, 3], [1.0, 1.0], mode)
    x = np.array([[np.nan, 0.5]])
    expected = [np.nan, 0.5]
    np.testing.assert_array_equal(table.graph_step(graph, x[0]), expected)
    np.testing.assert_array_equal(table.graph_rows(graph, x), [expected])


def test_activation_in_time_steps_overrides_and_oscillates(table):
    """0 -> 2 (1), 2 -> 1 (2), 1 -> 2 (-3): hard_tanh flips between its ends for ever."""
    values = []
    for step_limit in range(1, 7):
        graph = GraphOf(
            1, [([2], "hard_tanh"), ([0, 1], "hard_tanh")], [1], [2.0, 1.0, -3.0], "time_step",
            step_limit=step_limit,
        )
        values.append(table.graph_step(graph, [0.5])[0])
    # by hand: node 2 is .5, .5, -1, -1, 1, 1; node 1 twice what node 2 was a step before
    assert values == [0.0, 1.0, 1.0, -1.0, -1.0, 1.0]
