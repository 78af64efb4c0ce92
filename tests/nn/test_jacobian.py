"""Derivatives of the outputs by parameters and inputs, and the trace, against the oracle."""

import numpy as np
import pytest

import fastnet as fn

NETS = [
    ((3, 2), ("identity",)),
    ((1, 1), ("tanh",)),
    ((3, 5, 2), ("tanh", "identity")),
    ((4, 6, 3), ("sigmoid", "softmax")),
    ((2, 3, 4, 5), ("softmax", "gelu", "sin")),
    ((7, 17, 1), ("softplus", "identity")),
    ((17, 4, 16), ("gaussian", "elu")),
]


def build(sizes, activations, dtype, bias=True):
    layers = [fn.Dense(n, a, bias=bias) for n, a in zip(sizes[1:], activations, strict=True)]
    net = fn.Network(sizes[0], layers=layers, dtype=dtype, seed=5)
    rng = np.random.default_rng(6)
    net.parameters[:] += 0.1 * rng.normal(size=net.n_parameters).astype(dtype)
    return net, rng.normal(size=(6, sizes[0])).astype(dtype)


@pytest.mark.parametrize(("sizes", "activations"), NETS, ids=str)
@pytest.mark.parametrize("bias", [True, False])
def test_jacobians_equal_the_oracle(sizes, activations, bias, dtype, oracle):
    net, x = build(sizes, activations, dtype, bias)
    layers = oracle.layers_of(net, activations)
    by_parameters = oracle.jacobian(layers, x.astype(float))
    by_inputs = oracle.input_jacobian(layers, x.astype(float))
    for got, expected in ((net.jacobian(x), by_parameters), (net.input_jacobian(x), by_inputs)):
        assert got.shape == expected.shape
        assert got.dtype == dtype
        tolerance = oracle.tolerance(dtype, 1, sizes, np.abs(expected).max())
        np.testing.assert_allclose(got, expected, rtol=0, atol=tolerance)
    for got, expected in (
        (net.jacobian(x[2]), by_parameters[2]),
        (net.input_jacobian(x[2]), by_inputs[2]),
    ):
        assert got.shape == expected.shape
        tolerance = oracle.tolerance(dtype, 1, sizes, np.abs(expected).max())
        np.testing.assert_allclose(got, expected, rtol=0, atol=tolerance)


def test_relu_jacobians(dtype, oracle):
    net, x = build((5, 8, 3), ("relu", "leaky_relu"), dtype)
    layers = oracle.layers_of(net, ("relu", "leaky_relu"))
    x = oracle.away_from_kinks(layers, x)
    assert len(x) > 2
    tolerance = oracle.tolerance(dtype, 1, (5, 8, 3), 4)
    np.testing.assert_allclose(net.jacobian(x), oracle.jacobian(layers, x), rtol=0, atol=tolerance)
    np.testing.assert_allclose(
        net.input_jacobian(x), oracle.input_jacobian(layers, x), rtol=0, atol=tolerance
    )


def test_empty(dtype):
    net, _ = build((3, 5, 2), ("tanh", "identity"), dtype)
    assert net.jacobian(np.empty((0, 3))).shape == (0, 2, net.n_parameters)
    assert net.input_jacobian(np.empty((0, 3))).shape == (0, 2, 3)


def test_nonfinite_inputs_propagate(dtype):
    net, x = build((3, 5, 2), ("tanh", "identity"), dtype)
    clean = net.jacobian(x)
    x[1, 0] = np.nan
    result = net.jacobian(x)
    assert np.isnan(result[1]).any()
    np.testing.assert_array_equal(np.delete(result, 1, axis=0), np.delete(clean, 1, axis=0))
    assert np.isnan(net.input_jacobian(x)[1]).any()
    assert np.isnan(net.trace(x[1]).outputs[-1]).all()


def coupled(z):
    return np.tanh(z + np.append(0, z[:-1]) / 2)


def coupled_jacobian(z, a):
    slopes = 1 - coupled(z) ** 2
    return np.diag(slopes) + np.diag(slopes[1:] / 2, -1)


def test_custom_jacobian(dtype, oracle):
    activations = (
        fn.Activation(coupled, jacobian=coupled_jacobian),
        fn.Activation(np.sin, lambda z, a: np.cos(z)),
        "softmax",
    )
    net, x = build((3, 5, 4, 2), activations, dtype)
    twins = ((coupled, coupled_jacobian), "sin", "softmax")
    layers = oracle.layers_of(net, twins)
    tolerance = oracle.tolerance(dtype, 1, (3, 5, 4, 2))
    np.testing.assert_allclose(net.jacobian(x), oracle.jacobian(layers, x), rtol=0, atol=tolerance)
    np.testing.assert_allclose(
        net.input_jacobian(x), oracle.input_jacobian(layers, x), rtol=0, atol=tolerance
    )


@pytest.mark.parametrize(("sizes", "activations"), NETS, ids=str)
def test_trace(sizes, activations, dtype, oracle):
    net, x = build(sizes, activations, dtype)
    layers = oracle.layers_of(net, activations)
    net_values, outputs = oracle.forward(layers, x[:1].astype(float))
    y = np.full(sizes[-1], 1 / sizes[-1])
    trace = net.trace(x[0], y, loss="half_squared_error")
    tolerance = 4 * oracle.tolerance(dtype, 1, sizes)
    n = len(layers)
    for k in range(n):
        np.testing.assert_allclose(trace.net_values[k], net_values[k][0], rtol=0, atol=tolerance)
        jacobian = oracle.activation_jacobian(activations[k], net_values[k])[0]
        assert trace.jacobians[k].shape == jacobian.shape
        np.testing.assert_allclose(trace.jacobians[k], jacobian, rtol=0, atol=tolerance)
    for k in range(n + 1):
        np.testing.assert_allclose(trace.outputs[k], outputs[k][0], rtol=0, atol=tolerance)
    value, gradient = oracle.loss_and_gradient(layers, x[:1], y[None], "half_squared_error")
    assert trace.loss == pytest.approx(value, rel=tolerance, abs=tolerance)
    for k, (d_weights, d_biases, _) in enumerate(oracle.unflatten(layers, gradient)):
        np.testing.assert_allclose(trace.d_weights[k], d_weights, rtol=0, atol=tolerance)
        np.testing.assert_allclose(trace.d_biases[k], d_biases, rtol=0, atol=tolerance)
    # dg/do of layer k: the input Jacobian of the layers behind it
    for k in range(n):
        rest = layers[k + 1 :]
        expected = oracle.input_jacobian(rest, outputs[k + 1])[0] if rest else np.eye(sizes[-1])
        np.testing.assert_allclose(trace.d_output_d_outputs[k], expected, rtol=0, atol=tolerance)
        d_loss = (outputs[-1][0] - y) @ expected
        np.testing.assert_allclose(trace.d_loss_d_outputs[k], d_loss, rtol=0, atol=tolerance)


def test_trace_of_cross_entropy_is_by_the_outputs(dtype):
    """Fused inside, but the trace shows dC/dg = -y / g."""
    net, x = build((4, 6, 3), ("sigmoid", "softmax"), dtype)
    g = net(x[0]).astype(float)
    for y in ([0, 1, 0], [0.25, 0.25, 0.5]):
        trace = net.trace(x[0], y, loss="cross_entropy")
        np.testing.assert_allclose(
            trace.d_loss_d_outputs[-1], -np.array(y) / g, rtol=64 * np.finfo(dtype).eps
        )
        auto = net.trace(x[0], y)
        assert auto.loss == trace.loss
    by_label = net.trace(x[0], 1)
    assert by_label.loss == pytest.approx(-np.log(g[1]), rel=64 * float(np.finfo(dtype).eps))
