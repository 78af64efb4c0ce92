"""Every cell (precision x instruction set x kernel) is filled and runs.

The names come from table.pxd and the addresses from the table itself, so a new entry fails here
until every kernel module fills it, ``GraphTable`` has a method of its name and CALLS an example.
"""

import importlib.resources
import re

import numpy as np
import pytest

from fastnet._kernels.probe_graphs import GraphOf, GraphTable


@pytest.fixture
def table(isa, dtype):
    return GraphTable(isa, dtype)


def names():
    text = importlib.resources.files("fastnet._kernels").joinpath("table.pxd").read_text("utf-8")
    struct = text[text.index("ctypedef struct Kernels:") :]
    return re.findall(r"\(\*\s*(\w+)\)\s*\(", struct)


X = np.array([[0.5, -1.0, 2.0], [1.0, 0.25, -0.5]])
W = np.array([[1.0, -0.5], [0.25, 0.5], [-1.0, 2.0]])
B = np.array([0.5, -0.25])
D = np.array([[1.0, -2.0], [0.5, 0.25]])

NETWORK = [(W, B, "identity"), (D, None, "identity")]
# d (x W D) / d (W, B, D), output by output, at the row X[0]
HIDDEN = X[0] @ W + B
BY_PARAMETERS = np.array(
    [
        [*np.outer(X[0], D[:, i]).ravel(), *D[:, i], *np.outer(HIDDEN, np.eye(2)[i]).ravel()]
        for i in range(2)
    ]
)

# 0 -> 1 with weight 2, 1 -> 2 with weight -1, and the output 2
CHAIN = GraphOf(1, [([0], "identity"), ([1], "relu")], [2], [2.0, -1.0])

# 0 -> 1 with weight 2
SIGMOID = GraphOf(1, [([0], "sigmoid")], [1], [2.0])

# The force is always -10 N
PUSH = GraphOf(7, [([0], "identity")], [7], [0.0])

FLOAT64_ONLY = {"pole_step", "pole_lanes", "pole_episodes", "arms_descend"}

# name: (call, expected) of an example that every precision computes exactly, or to rounding
CALLS = {
    "matmul": (lambda t: t.matmul(X, W, B), X @ W + B),
    "gradient_weights": (lambda t: t.gradient_weights(X, D), X.T @ D),
    "gradient_inputs": (lambda t: t.gradient_inputs(D, W), D @ W.T),
    "matvec": (lambda t: t.matvec(X[0], W, B), X[0] @ W + B),
    "matmul_scratch": (lambda t: t.matmul_scratch(2, 3, 2) >= 0, True),
    "activate": (lambda t: t.activate("relu", X), np.maximum(X, 0)),
    "multiply_derivative": (
        lambda t: t.multiply_derivative("relu", X, np.maximum(X, 0), X),
        np.maximum(X, 0),
    ),
    "softmax": (lambda t: t.softmax(np.zeros((2, 4))), np.full((2, 4), 0.25)),
    "softmax_backward": (
        lambda t: t.softmax_backward(np.full((1, 2), 0.5), np.array([[1.0, 0.0]])),
        [[0.25, -0.25]],
    ),
    "exp": (lambda t: t.exp(np.zeros(3)), np.ones(3)),
    "log": (lambda t: t.log(np.ones(3)), np.zeros(3)),
    "loss": (lambda t: t.loss("squared_error", X, X + 1)[0], 6.0),
    "layer_norm": (lambda t: t.layer_norm(np.ones((1, 3)), X[0], X[1], 1e-5)[0], X[1]),
    "layer_norm_backward": (
        # x - mean is 0, so with epsilon 1 what is left is the gradient less its mean
        lambda t: t.layer_norm_backward(np.ones((1, 3)), np.ones(3), 1.0, X[:1])[1],
        X[:1] - 0.5,
    ),
    "dropout_mask": (lambda t: t.dropout_mask(0.0, 1, 2, 0, 9), np.ones(9)),
    "penalty": (lambda t: t.penalty(X, 2.0, 4.0)[1], 2 * np.sign(X) + 4 * X),
    "sgd": (lambda t: t.sgd(B, B, 0.5), B / 2),
    "momentum": (lambda t: t.momentum(B, B, B, 0.5, 0.5)[1], 1.5 * B),
    "adam": (lambda t: t.adam(B, B, 0 * B, 0 * B, 1, 0.5, 0.5, 0.5, 0.0)[0], B - 0.5 * np.sign(B)),
    "rmsprop": (
        lambda t: t.rmsprop(B, B, 0 * B, None, None, 0.5, 0.75, 0.0, 0.0)[0],
        B - np.sign(B),
    ),
    "adagrad": (lambda t: t.adagrad(B, B, 0 * B, 0.5, 0.0)[0], B - 0.5 * np.sign(B)),
    "rprop": (
        lambda t: t.rprop(B, B, 0 * B, 0 * B + 0.5, 1.5, 0.5, 0.1, 2.0)[0],
        B - 0.5 * np.sign(B),
    ),
    "clamp": (lambda t: t.clamp(0.5, B), np.clip(B, -0.5, 0.5)),
    "gather": (lambda t: t.gather(X, [1, 0, 1]), X[[1, 0, 1]]),
    "column_sums": (lambda t: t.column_sums(X), X.sum(axis=0)),
    "sum": (lambda t: t.sum(X), X.sum()),
    "dot": (lambda t: t.dot(X, X), (X * X).sum()),
    "first_nonfinite": (lambda t: t.first_nonfinite(np.array([1, 2, np.inf])), 2),
    "scale": (lambda t: t.scale(0.5, X), X / 2),
    "multiply": (lambda t: t.multiply(X, X), X * X),
    "add": (lambda t: t.add(0.5, X, X), 1.5 * X),
    "random_bits": (lambda t: len(set(t.random_bits(1, 2, 0, 50))), 50),
    "uniform": (
        lambda t: ((t.uniform(1, 2, 0, 50) >= 0) & (t.uniform(1, 2, 0, 50) < 1)).all(),
        True,
    ),
    "normal": (lambda t: np.isfinite(t.normal(1, 2, 0, 50)).all(), True),
    "permutation": (lambda t: np.sort(t.permutation(1, 2, 50)), np.arange(50)),
    "rows_at_once": (lambda t: t.rows_at_once(NETWORK) > 0, True),
    "forward_scratch": (lambda t: t.forward_scratch(NETWORK, 2) >= 0, True),
    "forward": (lambda t: t.forward(NETWORK, X), (X @ W + B) @ D),
    "gradient_scratch": (lambda t: t.gradient_scratch(NETWORK, 2) >= 0, True),
    "loss_gradient": (
        lambda t: t.loss_gradient(NETWORK, X, "half_squared_error", (X @ W + B) @ D - 1)[0],
        2.0,
    ),
    "jacobian_scratch": (lambda t: t.jacobian_scratch(NETWORK) >= 0, True),
    "jacobian": (lambda t: t.jacobian(NETWORK, X[0])[0], BY_PARAMETERS),
    # values, sums and two flags each
    "graph_prepare": (
        lambda t: t.graph_prepare() or t.graph_step(SIGMOID, [0.5]), [1 / (1 + np.exp(-1.0))],
    ),
    "graph_state": (lambda t: t.graph_state(CHAIN) >= 5 * t.dtype.itemsize, True),
    "graph_reset": (lambda t: t.graph_reset(CHAIN), np.zeros(3)),
    "graph_step": (lambda t: t.graph_step(CHAIN, [-1.5]), [3.0]),
    "graph_rows_scratch": (lambda t: t.graph_rows_scratch(CHAIN) > 0, True),
    "graph_rows": (lambda t: t.graph_rows(CHAIN, [[-1.5], [1.0]]), [[3.0], [0.0]]),
    "graph_rows_at_once": (lambda t: t.graph_rows_at_once(CHAIN) > 0, True),
    "graph_gradient_scratch": (lambda t: t.graph_gradient_scratch(CHAIN, 2) > 0, True),
    # (3 - 1)^2, whose derivatives by the weights are 2 * 2 * (1.5, -3); the graph keeps the last
    # weight first
    "graph_gradient": (
        lambda t: t.graph_gradient(CHAIN, np.array([[-1.5]]), "squared_error", [[1.0]])[1],
        [-12.0, 6.0],
    ),
    "graph_jacobian_scratch": (lambda t: t.graph_jacobian_scratch(CHAIN) > 0, True),
    "graph_jacobian": (lambda t: t.graph_jacobian(CHAIN, np.array([-1.5]))[1], [[-2.0]]),
    # a cart that rolls below upright poles, for 0.02 s
    "pole_step": (lambda t: t.pole_step([0, 1, 0, 0, 0, 0], 0.0), [0.02, 1, 0, 0, 0, 0]),
    "pole_lanes": (lambda t: t.pole_lanes() > 0, True),
    # one that leaves its track at once, and one that stands
    "pole_episodes": (
        lambda t: t.pole_episodes(PUSH, [[2.4, 1, 0, 0, 0, 0], [0.0] * 6], 3), [0, 3],
    ),
    # two arms of two links that lie flat, one of them with its end at its target: the other turns
    # its links by rate x error x length
    "arms_descend": (
        lambda t: t.arms_descend([1.0, 2.0], np.zeros((2, 2)), [0.5, 0.0], 1, 0.0, 0.25)[0],
        [[0.125, 0.25], [0.0, 0.0]],
    ),
    # a <- a / 2 + 1 / 4 ends at 1 / 2, what a lane leaves in the sum; 100 repeats count 200 for it
    "fma_chain": (lambda t: np.divide(*t.fma_chain(100)), 400.0),
}


def test_names_are_those_of_the_struct(table):
    assert len(names()) == len(set(names())) == len(table.entries()) > 30


@pytest.mark.parametrize("name", names())
def test_cell(table, name):
    if name in FLOAT64_ONLY and table.dtype == np.float32:
        assert table.entries()[names().index(name)] == 0
        return
    assert table.entries()[names().index(name)] != 0, f"{name} is NULL in {table.isa}_{table.dtype}"
    assert hasattr(table, name), f"GraphTable has no method {name}"
    call, expected = CALLS[name]
    np.testing.assert_allclose(call(table), expected, rtol=4 * np.finfo(table.dtype).eps, atol=0)
