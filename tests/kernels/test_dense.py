"""The dense engine of every table against the oracle: forward, loss and gradient, Jacobians."""

import numpy as np
import pytest

NETS = [
    ((1, 1), ("identity",)),
    ((2, 8, 1), ("tanh", "sigmoid")),
    ((3, 5, 4, 2), ("relu", "softplus", "identity")),
    ((4, 64, 64, 2), ("tanh", "gelu", "identity")),
    ((17, 16, 15), ("softmax", "elu")),
    ((33, 3, 31), ("sin", "gaussian")),
    ((5, 9, 18, 3), ("silu", "mish", "selu")),
    ((6, 17, 4, 5), ("softsign", "elliot", "hard_tanh")),
    ((6, 5, 19, 2), ("hard_sigmoid", "abs", "exp")),
    ((3, 4, 6, 7), ("step", "cube", "square")),
    ((9, 30, 300, 270, 7), ("tanh", "leaky_relu", "steep_sigmoid", "tanh")),
]


def build(table, oracle, sizes, activations, n_rows, bias=True):
    """A network and rows in the table's precision, held in float64."""
    layers = [
        (
            w.astype(table.dtype).astype(float),
            None if b is None else b.astype(table.dtype).astype(float),
            f,
        )
        for w, b, f in oracle.random_layers(sizes, activations, seed=n_rows, bias=bias)
    ]
    rng = np.random.default_rng(7)
    x = rng.normal(size=(8 * n_rows + 20, sizes[0])).astype(table.dtype).astype(float)
    x = oracle.away_from_kinks(layers, x, 1e-5)
    assert len(x) >= n_rows
    y = rng.normal(size=(n_rows, sizes[-1])).astype(table.dtype).astype(float)
    return layers, x[:n_rows], y


@pytest.mark.parametrize(("sizes", "activations"), NETS, ids=str)
@pytest.mark.parametrize("n_rows", [0, 1, 2, 7, 33, 100])
def test_forward(table, oracle, sizes, activations, n_rows):
    for bias in (True, False):
        layers, x, _ = build(table, oracle, sizes, activations, n_rows, bias)
        expected = oracle.predict(layers, x)
        tolerance = oracle.tolerance(table.dtype, 0, sizes, 4)
        np.testing.assert_allclose(table.forward(layers, x), expected, rtol=0, atol=tolerance)


@pytest.mark.parametrize(("sizes", "activations"), NETS, ids=str)
@pytest.mark.parametrize("n_rows", [1, 2, 7, 33, 100])
def test_loss_gradient(table, oracle, sizes, activations, n_rows):
    layers, x, y = build(table, oracle, sizes, activations, n_rows)
    weights = np.arange(1, n_rows + 1) % 5 / 4
    for kind, given in (("squared_error", None), ("half_squared_error", weights)):
        value, gradient = table.loss_gradient(layers, x, kind, y, weights=given, scale=0.125)
        expected = oracle.loss_and_gradient(layers, x, y, kind, given, "sum")
        tolerance = oracle.tolerance(table.dtype, n_rows, sizes, np.abs(expected[1]).max())
        np.testing.assert_allclose(value, expected[0] / 8, rtol=tolerance, atol=tolerance)
        np.testing.assert_allclose(gradient, expected[1] / 8, rtol=0, atol=tolerance)
        again, none = table.loss_gradient(
            layers, x, kind, y, weights=given, scale=0.125, gradient=False
        )
        assert none is None
        np.testing.assert_allclose(again, value, rtol=tolerance)


@pytest.mark.parametrize("sizes", [(4, 3), (5, 16, 10), (6, 7, 17), (300, 280, 20)], ids=str)
@pytest.mark.parametrize("n_rows", [1, 5, 32, 65])
def test_cross_entropy(table, oracle, sizes, n_rows):
    activations = ("tanh",) * (len(sizes) - 2) + ("softmax",)
    layers, x, _ = build(table, oracle, sizes, activations, n_rows)
    labels = np.random.default_rng(3).integers(0, sizes[-1], n_rows)
    one_hot = np.eye(sizes[-1])[labels]
    expected = oracle.loss_and_gradient(layers, x, one_hot, "cross_entropy")
    tolerance = oracle.tolerance(table.dtype, n_rows, sizes, np.abs(expected[1]).max())
    for target in ({"labels": labels}, {"targets": one_hot}):
        value, gradient = table.loss_gradient(
            layers, x, "cross_entropy", scale=1 / n_rows, **target
        )
        np.testing.assert_allclose(value, expected[0], rtol=tolerance)
        np.testing.assert_allclose(gradient, expected[1], rtol=0, atol=tolerance)


@pytest.mark.parametrize(("sizes", "activations"), NETS[:-1], ids=str)
def test_jacobian(table, oracle, sizes, activations):
    for bias in (True, False):
        layers, x, _ = build(table, oracle, sizes, activations, 2, bias)
        for row in x:
            by_parameters, by_inputs = table.jacobian(layers, row)
            expected = oracle.jacobian(layers, row[None])[0]
            tolerance = oracle.tolerance(table.dtype, 1, sizes, np.abs(expected).max())
            np.testing.assert_allclose(by_parameters, expected, rtol=0, atol=tolerance)
            expected = oracle.input_jacobian(layers, row[None])[0]
            np.testing.assert_allclose(by_inputs, expected, rtol=0, atol=tolerance)


def test_rows_in_chunks_equal_all_at_once(table, oracle):
    """More rows than one chunk of the engine."""
    sizes = (40, 50, 3)
    layers, x, y = build(table, oracle, sizes, ("tanh", "identity"), 2000)
    assert len(x) > table.rows_at_once(layers) or table.rows_at_once(layers) >= 2000
    expected = oracle.loss_and_gradient(layers, x, y, "squared_error")
    value, gradient = table.loss_gradient(layers, x, "squared_error", y, scale=1 / len(x))
    tolerance = oracle.tolerance(table.dtype, 2000, sizes, np.abs(expected[1]).max())
    np.testing.assert_allclose(value, expected[0], rtol=tolerance)
    np.testing.assert_allclose(gradient, expected[1], rtol=0, atol=tolerance)
    np.testing.assert_allclose(
        table.forward(layers, x),
        oracle.predict(layers, x),
        rtol=0,
        atol=oracle.tolerance(table.dtype, 0, sizes, 4),
    )
