"""Backpropagation through graphs in every table, against derivatives carried forward."""

import numpy as np
import pytest

from fastnet._kernels.probe import ACTIVATIONS
from fastnet._kernels.probe_graphs import GraphOf, GraphTable

# With derivatives of moderate size everywhere; each one alone is tested below
SMOOTH = ("identity", "sigmoid", "steep_sigmoid", "tanh", "softplus", "gelu", "sin", "gaussian",
          "silu", "mish", "softsign", "elliot")
BENT = ("relu", "leaky_relu", "elu", "selu", "hard_tanh", "hard_sigmoid", "abs")


@pytest.fixture
def table(isa, dtype):
    return GraphTable(isa, dtype)


class Description:
    """A graph as `GraphOf` takes it, with parameters, in plain lists."""

    def __init__(self, n_inputs, has_bias_node, nodes, outputs, n_weights, parameters):
        self.n_inputs = n_inputs
        self.n_sources = n_inputs + has_bias_node
        self.nodes = nodes
        self.outputs = outputs
        self.parameters = parameters
        biases = [bias for _, bias, _ in nodes if bias is not None]
        weights = [number for _, _, edges in nodes for _, number in edges]
        self.graph = GraphOf(
            n_inputs, [([slot for slot, _ in edges], name) for name, _, edges in nodes], outputs,
            parameters, bias_node=has_bias_node, biases=bool(biases),
            numbers=(weights, biases, n_weights),
        )

    def tangents(self, oracle, x):
        """z of every node, outputs, d outputs / d parameters and by inputs, at one row.

        Derivatives go forward with the values, each by its definition.  The last is the same as
        the derivatives by parameters with all terms positive: what rounding is relative to.
        """
        n = len(self.parameters)
        constants = self.n_sources - self.n_inputs
        values = [*map(float, x), *[1.0] * constants]
        derivatives = [*np.eye(self.n_inputs, n + self.n_inputs, n)]
        derivatives += [np.zeros(n + self.n_inputs)] * constants
        sizes = [np.abs(d) for d in derivatives]
        net_values = []
        for activation, bias, edges in self.nodes:
            z, d, size = 0.0, np.zeros(n + self.n_inputs), np.zeros(n + self.n_inputs)
            if bias is not None:
                z = self.parameters[bias]
                d[bias] = size[bias] = 1
            for slot, number in edges:
                z += self.parameters[number] * values[slot]
                d = d + self.parameters[number] * derivatives[slot]
                size = size + abs(self.parameters[number]) * sizes[slot]
                d[number] += values[slot]
                size[number] += abs(values[slot])
            value, derivative = oracle.ACTIVATIONS[activation]
            net_values.append(z)
            values.append(float(value(np.array(z))))
            slope = float(derivative(np.array(z)))
            derivatives.append(slope * d)
            sizes.append(max(1.0, abs(slope)) * size)
        outputs = np.array([values[slot] for slot in self.outputs])
        by_all = np.array([derivatives[slot] for slot in self.outputs])
        sizes = np.array([sizes[slot] for slot in self.outputs])
        return np.array(net_values), outputs, by_all[:, :n], by_all[:, n:], sizes

    def loss_and_gradient(self, oracle, x, y, kind, weights):
        value, gradient, size = 0.0, 0.0, 0.0
        for row, target, weight in zip(x, y, weights, strict=True):
            _, outputs, by_parameters, _, sizes = self.tangents(oracle, row)
            value += weight * oracle.row_losses(kind, outputs[None], target[None])[0]
            d = weight * oracle.loss_gradient(kind, outputs[None], target[None])[0]
            gradient = gradient + d @ by_parameters
            size = size + np.abs(d) @ sizes
        return value, gradient, np.max(size)

    def tolerance(self, oracle, dtype, n_rows, size):
        """Each of the terms that ``size`` sums is rounded once a sum and a few times a node."""
        return oracle.tolerance(dtype, n_rows, [len(edges) for _, _, edges in self.nodes], size)


def random_graph(seed, dtype, activations, output_activation=None):
    """Some inputs reach nothing, some parameters belong to no edge, outputs feed other nodes."""
    rng = np.random.default_rng(seed)
    n_inputs, n_nodes = int(rng.integers(1, 6)), int(rng.integers(1, 12))
    has_bias_node = seed % 3 == 0
    n_sources = n_inputs + has_bias_node
    incoming = []
    for k in range(n_nodes):
        earlier = n_sources + k
        n = int(rng.integers(0, min(earlier, 7) + 1))
        incoming.append([int(slot) for slot in rng.choice(earlier, n, replace=False)])
    n_weights = sum(map(len, incoming)) + int(rng.integers(0, 3))
    numbers = iter(rng.permutation(n_weights).tolist())
    biases = rng.permutation(n_nodes) + n_weights if seed % 3 == 1 else [None] * n_nodes
    n_outputs = int(rng.integers(1, min(n_nodes, 4) + 1))
    outputs = rng.choice(n_nodes, n_outputs, replace=False) + n_sources
    shared = str(rng.choice(activations)) if seed % 2 else None
    nodes = []
    for k, slots in enumerate(incoming):
        activation = shared or str(rng.choice(activations))
        if output_activation is not None and k + n_sources in outputs:
            activation = output_activation
        bias = None if biases[k] is None else int(biases[k])
        nodes.append((activation, bias, [(slot, next(numbers)) for slot in slots]))
    n_parameters = n_weights + (n_nodes if seed % 3 == 1 else 0)
    parameters = rng.normal(size=n_parameters).astype(dtype).astype(float)
    return Description(n_inputs, has_bias_node, nodes, outputs.tolist(), n_weights, parameters)


def rows_for(description, oracle, table, n_rows, kind="squared_error", seed=0):
    """Rows at which no net value is near a kink; targets and weights with zeros in them."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(4 * n_rows + 20, description.n_inputs))
    x = x.astype(table.dtype).astype(float)
    rows = []
    for row in x:
        z = np.array(description.tangents(oracle, row)[0])
        distances = [np.min(np.abs(np.abs(z) - kink)) for kink in (1.0, 3.0)]
        # z is exactly 0 only without an edge, where every kernel has that very 0
        if min(distances) > 1e-4 and (np.abs(z[z != 0]) > 1e-4).all():
            rows.append(row)
    assert len(rows) >= n_rows
    y = oracle.targets_for(kind, rng, (n_rows, len(description.outputs)))
    y = y.astype(table.dtype).astype(float)
    weights = (np.arange(n_rows) % 4 / 4 + (n_rows < 2)).astype(float)
    return np.array(rows[:n_rows]), y, weights


def check(table, oracle, description, n_rows, kind="squared_error"):
    x, y, weights = rows_for(description, oracle, table, n_rows, kind)
    scale = 0.25
    for given in (None, weights):
        used = np.ones(n_rows) if given is None else given
        value, gradient = table.graph_gradient(
            description.graph, x, kind, y, given, scale
        )
        expected, expected_gradient, size = description.loss_and_gradient(
            oracle, x, y, kind, scale * used
        )
        tolerance = description.tolerance(oracle, table.dtype, n_rows, size + abs(expected))
        np.testing.assert_allclose(value, expected, rtol=0, atol=tolerance)
        np.testing.assert_allclose(gradient, expected_gradient, rtol=0, atol=tolerance)
        again, none = table.graph_gradient(
            description.graph, x, kind, y, given, scale, gradient=False
        )
        assert none is None
        assert again == value


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("activations", [SMOOTH, BENT], ids=["smooth", "bent"])
def test_random_graphs(table, oracle, seed, activations):
    check(table, oracle, random_graph(seed, table.dtype, activations), n_rows=1 + seed % 5 * 4)


@pytest.mark.parametrize("n_rows", [1, 2, 7, 16, 33])
def test_numbers_of_rows(table, oracle, n_rows):
    check(table, oracle, random_graph(7, table.dtype, SMOOTH), n_rows)


@pytest.mark.parametrize("kind", [
    "half_squared_error", "absolute_error", "huber", "log_cosh", "hinge", "binary_cross_entropy",
    "poisson",
])
def test_losses(table, oracle, kind):
    needed = {"binary_cross_entropy": "sigmoid", "poisson": "softplus"}.get(kind)
    for seed in (2, 4, 6):
        description = random_graph(seed, table.dtype, SMOOTH, needed)
        x, y, _ = rows_for(description, oracle, table, 9, kind)
        value, gradient = table.graph_gradient(
            description.graph, x, kind, y, parameter=1.0
        )
        expected = description.loss_and_gradient(oracle, x, y, kind, np.ones(9))
        tolerance = description.tolerance(
            oracle, table.dtype, 9, expected[2] + abs(expected[0]))
        np.testing.assert_allclose(value, expected[0], rtol=0, atol=tolerance)
        np.testing.assert_allclose(gradient, expected[1], rtol=0, atol=tolerance)


@pytest.mark.parametrize("activation", [name for name in ACTIVATIONS if name != "softmax"])
def test_each_activation(table, oracle, activation):
    """Net values from 0.5 to 2.5, where all of them are smooth but the two with a corner at 1."""
    nodes = [
        (activation, 4, [(0, 0), (1, 1)]),
        (activation, 5, [(0, 2), (2, 3)]),
    ]
    parameters = np.array([0.25, -0.125, 0.5, 0.0625, 1.5, 1.75])
    description = Description(2, False, nodes, [3], 4, parameters)
    x = np.random.default_rng(1).uniform(-1, 1, (10, 2)).astype(table.dtype).astype(float)
    y = np.zeros((10, 1))
    for row in x:
        z = description.tangents(oracle, row)[0]
        assert (z > 0.4).all()
        assert (np.abs(z - 1) > 1e-3).all()
    value, gradient = table.graph_gradient(
        description.graph, x, "squared_error", y
    )
    expected = description.loss_and_gradient(oracle, x, y, "squared_error", np.ones(10))
    tolerance = description.tolerance(oracle, table.dtype, 10, expected[2] + abs(expected[0]))
    np.testing.assert_allclose(value, expected[0], rtol=0, atol=tolerance)
    np.testing.assert_allclose(gradient, expected[1], rtol=0, atol=tolerance)


def test_fused_loss_of_an_output_that_feeds_another(table, oracle):
    """Its derivative by z has a share of the loss and one of the node behind it."""
    nodes = [("sigmoid", None, [(0, 0)]), ("sigmoid", None, [(1, 1), (0, 2)])]
    description = Description(1, False, nodes, [1, 2], 3, np.array([1.5, -2.0, 0.5]))
    check(table, oracle, description, 5, "binary_cross_entropy")


def test_parameters_without_an_edge(table, oracle):
    """They have the gradient 0, and so has what nothing depends on."""
    nodes = [("tanh", 4, [(0, 2)]), ("tanh", 3, [(1, 0)])]
    description = Description(2, False, nodes, [3], 3, np.array([0.5, 99.0, 1.0, 0.25, 0.125]))
    x, y, _ = rows_for(description, oracle, table, 6)
    _, gradient = table.graph_gradient(
        description.graph, x, "squared_error", y
    )
    assert gradient[[1, 2, 4]].tolist() == [0, 0, 0]
    assert (gradient[[0, 3]] != 0).all()


def test_no_row_has_no_loss(table):
    description = Description(1, False, [("tanh", None, [(0, 0)])], [1], 1, np.ones(1))
    value, gradient = table.graph_gradient(
        description.graph, np.zeros((0, 1)), "squared_error",
        np.zeros((0, 1))
    )
    assert value == 0
    assert gradient.tolist() == [0]


def test_tiles_equal_all_rows_at_once(table, oracle):
    """More rows than one tile, the last of them not full."""
    description = random_graph(4, table.dtype, SMOOTH)
    at_once = table.graph_rows_at_once(description.graph)
    assert at_once >= 64
    assert at_once % 64 == 0
    n_rows = 2 * at_once + 5
    rng = np.random.default_rng(0)
    x = rng.normal(size=(n_rows, description.n_inputs)).astype(table.dtype)
    y = rng.normal(size=(n_rows, len(description.outputs))).astype(table.dtype)
    weights = rng.uniform(0.5, 1, n_rows).astype(table.dtype)
    value, gradient = table.graph_gradient(
        description.graph, x, "squared_error", y, weights, 1 / n_rows
    )
    expected = description.loss_and_gradient(
        oracle, x.astype(float), y.astype(float), "squared_error", weights.astype(float) / n_rows
    )
    tolerance = description.tolerance(
        oracle, table.dtype, n_rows, expected[2] + abs(expected[0]))
    np.testing.assert_allclose(value, expected[0], rtol=0, atol=tolerance)
    np.testing.assert_allclose(gradient, expected[1], rtol=0, atol=tolerance)


def test_a_row_of_infinite_slope_spoils_no_other(table):
    """The derivative of 1 / z at 0 is not a number; that row has no weight in the other node."""
    nodes = [("inverse", None, [(0, 0)]), ("identity", None, [(1, 1)])]
    description = Description(2, False, nodes, [2, 3], 2, np.ones(2))
    x = np.array([[2.0, 1.0], [4.0, 1.0], [0.0, 1.0]])
    y = np.zeros((3, 2))
    _, gradient = table.graph_gradient(
        description.graph, x, "squared_error", y
    )
    assert not np.isfinite(gradient[0])
    assert gradient[1] == 6
    _, gradient = table.graph_gradient(
        description.graph, x[:2], "squared_error", y[:2]
    )
    # d (1 / w x)^2 / dw = -2 / (w^3 x^2)
    np.testing.assert_allclose(gradient, [-2 / 4 - 2 / 16, 4], rtol=1e-6)


@pytest.mark.parametrize("seed", range(12))
def test_jacobian(table, oracle, seed):
    description = random_graph(seed, table.dtype, SMOOTH)
    x, _, _ = rows_for(description, oracle, table, 2)
    for row in x:
        by_parameters, by_inputs = table.graph_jacobian(
            description.graph, row
        )
        _, _, expected, expected_inputs, sizes = description.tangents(oracle, row)
        tolerance = description.tolerance(oracle, table.dtype, 1, np.max(sizes))
        np.testing.assert_allclose(by_parameters, expected, rtol=0, atol=tolerance)
        np.testing.assert_allclose(by_inputs, expected_inputs, rtol=0, atol=tolerance)
