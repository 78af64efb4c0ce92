"""The oracle itself, against central differences and 60-digit arithmetic."""

import mpmath
import numpy as np
import pytest

SELU_SCALE = mpmath.mpf("1.0507009873554804934193349852946")
SELU_ALPHA = mpmath.mpf("1.6732632423543772848170429916717")
MP = {
    "sigmoid": lambda z: 1 / (1 + mpmath.exp(-z)),
    "steep_sigmoid": lambda z: 1 / (1 + mpmath.exp(-mpmath.mpf("4.9") * z)),
    "tanh": mpmath.tanh,
    "softplus": lambda z: mpmath.log(1 + mpmath.exp(z)),
    "gelu": lambda z: z * mpmath.ncdf(z),
    "gaussian": lambda z: mpmath.exp(-z * z),
    "elu": lambda z: z if z > 0 else mpmath.exp(z) - 1,
    "sin": mpmath.sin,
    "selu": lambda z: SELU_SCALE * (z if z > 0 else SELU_ALPHA * mpmath.expm1(z)),
    "silu": lambda z: z / (1 + mpmath.exp(-z)),
    "mish": lambda z: z * mpmath.tanh(mpmath.log(1 + mpmath.exp(z))),
    "softsign": lambda z: z / (1 + abs(z)),
    "elliot": lambda z: z / (2 * (1 + abs(z))) + mpmath.mpf(1) / 2,
    "hard_tanh": lambda z: max(-1, min(1, z)),
    "hard_sigmoid": lambda z: max(0, min(1, z / 6 + mpmath.mpf(1) / 2)),
    "abs": abs,
    "square": lambda z: z**2,
    "cube": lambda z: z**3,
    "exp": mpmath.exp,
    "step": lambda z: mpmath.mpf(z > 0),
    "inverse": lambda z: 1 / z,
}


def weird(g, y):
    i = np.arange(1, g.shape[1] + 1)
    return np.log1p((i * (g - y) ** 2).sum(axis=1)) + np.sin(g[:, 0] * g[:, -1])


def weird_gradient(g, y):
    i = np.arange(1, g.shape[1] + 1)
    d = 2 * i * (g - y) / (1 + (i * (g - y) ** 2).sum(axis=1, keepdims=True))
    product = np.cos(g[:, 0] * g[:, -1])
    d[:, 0] += product * g[:, -1]
    d[:, -1] += product * g[:, 0]
    return d


@pytest.mark.parametrize("name", sorted(MP))
def test_activations_against_60_digits(oracle, name):
    z = np.array([-30.0, -6.5, -1.1, -0.3, 1e-3, 0.7, 2.0, 11.0])
    value, derivative = oracle.ACTIVATIONS[name]
    with mpmath.workdps(60):
        expected = [float(MP[name](mpmath.mpf(float(v)))) for v in z]
        slopes = [float(mpmath.diff(MP[name], mpmath.mpf(float(v)))) for v in z]
    # gelu and tanh' cancel: absolute terms of a few ulp of 1 (times z)
    np.testing.assert_allclose(value(z), expected, rtol=1e-13, atol=1e-14)
    np.testing.assert_allclose(derivative(z), slopes, rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize("loss", ["squared_error", "half_squared_error", "cross_entropy", "weird"])
@pytest.mark.parametrize("bias", [True, False])
def test_gradient_against_central_differences(oracle, loss, bias):
    function = (weird, weird_gradient) if loss == "weird" else loss
    output = "softmax" if loss == "cross_entropy" else "identity"
    coupled = (
        lambda v: np.tanh(v + np.append(0, v[:-1]) / 2),
        lambda v, a: np.diag(1 - a**2) + np.diag((1 - a**2)[1:] / 2, -1),
    )
    layers = oracle.random_layers((3, 5, 4, 3), ("tanh", coupled, output), seed=1, bias=bias)
    rng = np.random.default_rng(2)
    x = rng.normal(size=(4, 3))
    y = np.eye(3)[[0, 2, 1, 1]] if loss == "cross_entropy" else rng.normal(size=(4, 3))
    weights = rng.uniform(0.5, 2, size=4)
    for reduction in ("mean", "sum"):
        value, gradient = oracle.loss_and_gradient(layers, x, y, function, weights, reduction)
        numeric = oracle.central_differences(
            lambda p, r=reduction: oracle.loss_and_gradient(
                oracle.unflatten(layers, p), x, y, function, weights, r
            )[0],
            oracle.flatten(layers),
        )
        np.testing.assert_allclose(gradient, numeric, rtol=1e-6, atol=1e-8)
        assert np.isfinite(value)


def test_jacobians_against_central_differences(oracle):
    layers = oracle.random_layers((3, 4, 2), ("tanh", "softmax"), seed=3)
    x = np.random.default_rng(4).normal(size=(2, 3))
    by_parameters, by_inputs = oracle.jacobian(layers, x), oracle.input_jacobian(layers, x)
    for r in range(2):
        for i in range(2):
            numeric = oracle.central_differences(
                lambda p, r=r, i=i: oracle.predict(oracle.unflatten(layers, p), x[[r]])[0, i],
                oracle.flatten(layers),
            )
            np.testing.assert_allclose(by_parameters[r, i], numeric, rtol=1e-6, atol=1e-9)
            numeric = oracle.central_differences(
                lambda v, i=i: oracle.predict(layers, v[None])[0, i], x[r]
            )
            np.testing.assert_allclose(by_inputs[r, i], numeric, rtol=1e-6, atol=1e-9)


def test_cross_entropy_with_softmax_is_output_minus_target(oracle):
    layers = oracle.random_layers((4, 3), ("softmax",), seed=5)
    x = np.random.default_rng(6).normal(size=(1, 4))
    y = np.array([[0.0, 1.0, 0.0]])
    _, gradient = oracle.loss_and_gradient(layers, x, y, "cross_entropy")
    delta = oracle.predict(layers, x) - y
    np.testing.assert_allclose(gradient[:12].reshape(4, 3), x.T @ delta, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(gradient[12:], delta[0], rtol=1e-12)


def test_optimizers_first_steps_by_hand(oracle):
    p, g = np.array([1.0, -2.0]), np.array([3.0, -0.5])
    np.testing.assert_allclose(oracle.SGD(0.1).step(p, g), [0.7, -1.95])
    np.testing.assert_allclose(oracle.SGD(0.1, weight_decay=0.5).step(p, g), [0.65, -1.85])
    unit = oracle.SGD(0.1, normalize=True).step(p, g)
    assert np.hypot(*(unit - p)) == pytest.approx(0.1, rel=1e-14)
    momentum = oracle.SGD(0.1, momentum=0.5)
    np.testing.assert_allclose(momentum.step(momentum.step(p, g), g), p - 0.1 * (g + 1.5 * g))
    nesterov = oracle.SGD(0.1, momentum=0.5, nesterov=True)
    np.testing.assert_allclose(nesterov.step(p, g), p - 0.1 * 1.5 * g)
    # the first step of Adam is the sign of the gradient
    np.testing.assert_allclose(oracle.Adam(0.1, epsilon=0).step(p, g), [0.9, -1.9])


def test_flatten_is_layer_by_layer_weights_row_major_then_biases(oracle):
    layers = [
        (np.array([[1, 2, 3], [4, 5, 6]]), np.array([7, 8, 9]), "tanh"),
        (np.array([[10], [11], [12]]), None, "identity"),
    ]
    np.testing.assert_array_equal(oracle.flatten(layers), np.arange(1, 13))
    again = oracle.unflatten(layers, np.arange(1, 13))
    np.testing.assert_array_equal(again[0][0], layers[0][0])
    np.testing.assert_array_equal(again[0][1], layers[0][1])
    assert again[1][1] is None
