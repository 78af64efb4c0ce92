"""Activations, their derivatives and softmax: every length, in place, and the edges."""

import json

import mpmath
import numpy as np
import pytest

from fastnet._kernels.probe import Table

nan, inf = float("nan"), float("inf")

NAMES = (
    "identity", "relu", "leaky_relu", "elu", "sigmoid", "steep_sigmoid", "tanh", "softplus", "gelu",
    "sin", "gaussian", "selu", "silu", "mish", "softsign", "elliot", "hard_tanh", "hard_sigmoid",
    "abs", "square", "cube", "exp", "step", "inverse", "log",
)  # fmt: skip
# The derivative of these is a function of the input; that of the others of the output alone.
BY_INPUT = (
    "gelu", "sin", "gaussian", "silu", "mish", "softsign", "elliot", "hard_sigmoid", "abs",
    "square", "cube", "log",
)  # fmt: skip
# |f'| <= this, which scales the rounding errors of f'
LARGEST_DERIVATIVE = {
    "steep_sigmoid": 4.9 / 4, "gelu": 1.13, "selu": 1.7581, "silu": 1.1, "mish": 1.09,
}  # fmt: skip


def lengths(table):
    width = table.vector_length
    return sorted({0, 1, 2, width - 1, width, width + 1, 2 * width + 1, 4 * width, 37, 101})


def tolerance(table):
    # The bound of test_functions.py is 4 units; the twins add a few of float64, and gelu's twin
    # forms 1 + erf, whose error is one of 1.
    eps = np.finfo(table.dtype).eps
    return {"rtol": 8 * eps, "atol": 4 * eps}


@pytest.mark.parametrize("misalign", [0, 1])
@pytest.mark.parametrize("name", NAMES)
def test_value_at_every_length(isa, dtype, name, misalign, oracle):
    table = Table(isa, dtype, misalign)
    rng = np.random.default_rng(7)
    for n in lengths(table):
        z = (3 * rng.normal(size=n)).astype(dtype)
        expected = oracle.ACTIVATIONS[name][0](z.astype(float))
        np.testing.assert_allclose(table.activate(name, z), expected, **tolerance(table))
        np.testing.assert_array_equal(table.activate(name, z, in_place=True),
                                      table.activate(name, z))  # fmt: skip


@pytest.mark.parametrize("misalign", [0, 1])
@pytest.mark.parametrize("name", NAMES)
def test_derivative_at_every_length(isa, dtype, name, misalign, oracle):
    table = Table(isa, dtype, misalign)
    rng = np.random.default_rng(8)
    value, derivative = oracle.ACTIVATIONS[name]
    for n in lengths(table):
        z = (2 * rng.normal(size=n)).astype(dtype)
        d = rng.choice([-2.0, 1.0, 4.0], n)
        a = value(z.astype(float)).astype(dtype)
        computed = table.multiply_derivative(name, z if name in BY_INPUT else None, a, d)
        # scaled back, exactly, so that the tolerance is that of f'
        np.testing.assert_allclose(computed / d, derivative(z.astype(float)), **tolerance(table))


@pytest.mark.parametrize("misalign", [0, 1])
def test_exp_and_log_at_every_length(isa, dtype, misalign):
    table = Table(isa, dtype, misalign)
    for n in lengths(table):
        x = np.linspace(0.5, 5, n).astype(dtype)
        rtol = 2 * np.finfo(dtype).eps
        np.testing.assert_allclose(table.exp(x), np.exp(x.astype(float)), rtol=rtol)
        np.testing.assert_allclose(table.log(x), np.log(x.astype(float)), rtol=rtol)


def exact_derivatives():
    """name -> exact derivative as a function of z, with mpmath."""
    exp, sqrt = mpmath.exp, mpmath.sqrt

    def logistic(z):
        return 1 / (1 + exp(-z))

    def logistic_derivative(z):
        return logistic(z) * logistic(-z)

    def mish_derivative(z):
        t = mpmath.tanh(mpmath.log1p(exp(z)))
        return t + z * (1 - t * t) * logistic(z)

    scale = mpmath.mpf("1.0507009873554804934193349852946")
    alpha = mpmath.mpf("1.6732632423543772848170429916717")

    return {
        "elu": lambda z: mpmath.mpf(1) if z > 0 else exp(z),
        "sigmoid": logistic_derivative,
        "steep_sigmoid": lambda z: mpmath.mpf("4.9") * logistic_derivative(z * 49 / 10),
        "tanh": lambda z: mpmath.sech(z) ** 2,
        "softplus": logistic,
        "gelu": lambda z: mpmath.erfc(-z / sqrt(2)) / 2 + z * mpmath.npdf(z),
        "sin": mpmath.cos,
        "gaussian": lambda z: -2 * z * exp(-z * z),
        "selu": lambda z: scale if z > 0 else scale * alpha * exp(z),
        "silu": lambda z: logistic(z) + z * logistic_derivative(z),
        "mish": mish_derivative,
        "softsign": lambda z: 1 / (1 + abs(z)) ** 2,
        "elliot": lambda z: 1 / (2 * (1 + abs(z)) ** 2),
        "hard_tanh": lambda z: mpmath.mpf(abs(z) < 1),
        "hard_sigmoid": lambda z: mpmath.mpf(abs(z) < 3) / 6,
        "abs": mpmath.sign,
        "step": lambda z: mpmath.mpf(0),
    }


@pytest.mark.parametrize("name", exact_derivatives())
def test_derivative_is_accurate(table, name):
    # Within 4 roundings of the derivative's largest value, everywhere: what backpropagation needs.
    # (tanh' near saturation can do no better from an output that is itself rounded.)
    z = np.concatenate([np.linspace(-45, 45, 301), np.linspace(-2, 2, 200)]).astype(table.dtype)
    with mpmath.workprec(200):
        exact = exact_derivatives()[name]
        expected = np.array([float(exact(mpmath.mpf(float(v)))) for v in z])
    a = table.activate(name, z)
    computed = table.multiply_derivative(name, z, a, np.ones_like(z))
    largest = max(1, LARGEST_DERIVATIVE.get(name, 1))
    error = np.abs(computed - expected).max() / (np.finfo(table.dtype).eps * largest)
    assert error <= 4, f"{name}': {error:.2f} roundings"


@pytest.mark.parametrize(
    ("name", "lowest"),
    [("softplus", -9), ("gaussian", -9), ("elu", -9), ("selu", -9), ("silu", -85), ("mish", -85)],
)
def test_derivative_is_accurate_in_the_tail(table, name, lowest):
    # relatively, too
    z = np.linspace(lowest, -2, 200).astype(table.dtype)
    with mpmath.workprec(200):
        exact = exact_derivatives()[name]
        expected = np.array([float(exact(mpmath.mpf(float(v)))) for v in z])
    a = table.activate(name, z)
    computed = table.multiply_derivative(name, z, a, np.ones_like(z))
    # a' = 1 + a of elu is exact from an a within a unit of 1
    atol = {"elu": 1, "selu": 2}.get(name, 0) * np.finfo(table.dtype).eps
    np.testing.assert_allclose(computed, expected, rtol=6 * np.finfo(table.dtype).eps, atol=atol)


# name: the derivative at -inf, 0 and inf
LIMITS = {
    "identity": (1, 1, 1),
    "relu": (0, 0, 1),
    "leaky_relu": (0.01, 0.01, 1),
    "elu": (0, 1, 1),
    "sigmoid": (0, 0.25, 0),
    "steep_sigmoid": (0, 1.225, 0),
    "tanh": (0, 1, 0),
    "softplus": (0, 0.5, 1),
    "gelu": (0, 0.5, 1),
    "sin": (nan, 1, nan),
    "gaussian": (0, 0, 0),
    "selu": (0, 1.7580993408473766, 1.0507009873554805),
    "silu": (0, 0.5, 1),
    "mish": (0, 0.6, 1),
    "softsign": (0, 1, 0),
    "elliot": (0, 0.5, 0),
    "hard_tanh": (0, 1, 0),
    "hard_sigmoid": (0, 1 / 6, 0),
    "abs": (-1, 0, 1),
    "square": (-inf, 0, inf),
    "cube": (inf, 0, inf),
    "exp": (0, 1, inf),
    "step": (0, 0, 0),
    "inverse": (0, -inf, 0),
    "log": (nan, inf, 0),
}
# 1e30 is not yet the limit of these
SLOW = ("sin", "softsign", "elliot", "square", "cube", "inverse", "log")


@pytest.mark.parametrize("name", NAMES)
def test_derivative_at_the_edges(table, name):
    z = np.array([-inf, 0, inf, -1e30, 1e30])
    a = table.activate(name, z)
    computed = table.multiply_derivative(name, z, a, np.ones(5))
    low, middle, high = LIMITS[name]
    rtol = 2 * np.finfo(table.dtype).eps
    np.testing.assert_allclose(computed[:3], [low, middle, high], rtol=rtol, atol=0)
    if name not in SLOW:
        np.testing.assert_allclose(computed[3:], [low, high], rtol=rtol, atol=0)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "identity"])
def test_derivative_of_nan_is_nan(table, name):
    n = 2 * table.vector_length + 1
    for i in (0, table.vector_length, n - 1):
        z = np.ones(n)
        z[i] = nan
        a = table.activate(name, z)
        computed = table.multiply_derivative(name, z if name in BY_INPUT else None, a, np.ones(n))
        np.testing.assert_array_equal(np.isnan(computed), np.arange(n) == i)


def test_rectifiers(table):
    z = np.array([-inf, -2.0, -0.0, 0.0, 2.0, inf, nan])
    np.testing.assert_array_equal(table.activate("relu", z), [0, 0, 0, 0, 2, inf, nan])
    leak = table.dtype.type(0.01)
    np.testing.assert_array_equal(
        table.activate("leaky_relu", z), [-inf, -2 * leak, 0, 0, 2, inf, nan]
    )


def test_at_a_kink_the_derivative_lies_between_the_one_sided_ones(table):
    z = np.array([-3.0, -1.0, -0.0, 0.0, 1.0, 3.0])
    for name, low, high in (
        ("hard_tanh", [0, 0, 1, 1, 0, 0], [0, 1, 1, 1, 1, 0]),
        ("hard_sigmoid", [0, 1 / 6, 1 / 6, 1 / 6, 1 / 6, 0], [1 / 6] * 6),
        ("abs", [-1, -1, -1, -1, 1, 1], [-1, -1, 1, 1, 1, 1]),
        ("relu", [0, 0, 0, 0, 1, 1], [0, 0, 1, 1, 1, 1]),
        ("selu", [0, 0.64, 1.05, 1.05, 1.05, 1.05], [0.1, 0.65, 1.76, 1.76, 1.06, 1.06]),
        ("step", [0] * 6, [0] * 6),
    ):
        d = table.multiply_derivative(name, z, table.activate(name, z), np.ones(6))
        low, high = np.asarray(low, table.dtype), np.asarray(high, table.dtype)
        assert (low <= d).all(), name
        assert (d <= high).all(), name


def test_hard_sigmoid_has_its_slope_up_to_the_kink(table):
    # the value rounds to 1 before
    z = np.nextafter(table.dtype.type(3), table.dtype.type(0))
    z = np.array([-z, z])
    d = table.multiply_derivative("hard_sigmoid", z, table.activate("hard_sigmoid", z), np.ones(2))
    np.testing.assert_array_equal(d, table.dtype.type(1 / 6))


def test_log_has_no_derivative_below_zero(table):
    z = np.array([-1.0, -1e-30, -0.0, 0.0, 4.0])
    d = table.multiply_derivative("log", z, table.activate("log", z), np.ones(5))
    np.testing.assert_array_equal(d, [nan, nan, inf, inf, 0.25])


def cases(data_directory, name):
    found = json.loads((data_directory / "seed_cases.json").read_text("utf-8"))["cases"]
    return next(case for case in found if case["id"] == name)


def test_sigmoid_edges(isa, data_directory):
    case = cases(data_directory, "003.nn.sigmoid_edges")
    table = Table(isa, "float64")
    z = np.array(case["inputs"]["v"])
    a = table.activate("sigmoid", z)
    expected = np.array(case["expected"]["sigma"], float)
    np.testing.assert_allclose(a, expected, rtol=3 * np.finfo(float).eps, atol=5e-324)
    derivative = table.multiply_derivative("sigmoid", None, a, np.ones_like(z))
    expected = np.array(case["expected"]["dsigma"], float)
    np.testing.assert_allclose(derivative, expected, rtol=0, atol=case["tol"])


# Softmax


@pytest.mark.parametrize("in_place", [False, True])
@pytest.mark.parametrize("misalign", [0, 1])
def test_softmax_of_every_shape(isa, dtype, misalign, in_place, oracle):
    table = Table(isa, dtype, misalign)
    rng = np.random.default_rng(9)
    for n in [n for n in lengths(table) if n]:
        for n_rows in (0, 1, 3, 32):
            z = (4 * rng.normal(size=(n_rows, n))).astype(dtype)
            a = table.softmax(z, in_place=in_place)
            # the subtraction of the maximum rounds z by up to 16 u, e^ and the sum a few more
            rtol = (16 + 4 + np.log2(n)) * np.finfo(dtype).eps
            np.testing.assert_allclose(
                a, oracle.softmax(z.astype(float)) if n_rows else z, rtol=rtol
            )
            np.testing.assert_allclose(a.astype(float).sum(axis=1), 1, rtol=rtol)


@pytest.mark.parametrize("misalign", [0, 1])
def test_softmax_backward_of_every_shape(isa, dtype, misalign, oracle):
    table = Table(isa, dtype, misalign)
    rng = np.random.default_rng(10)
    for n in [n for n in lengths(table) if n]:
        for n_rows in (0, 1, 3, 17):
            a = rng.dirichlet(np.ones(n), n_rows).reshape(n_rows, n).astype(dtype)
            d = rng.normal(size=(n_rows, n)).astype(dtype)
            exact = a.astype(float)
            expected = np.array([(np.diag(p) - np.outer(p, p)) @ v for p, v in
                                 zip(exact, d.astype(float), strict=True)])  # fmt: skip
            computed = table.softmax_backward(a, d)
            # |a d| <= 4.5 and sum a = 1, each with a rounding
            atol = 16 * np.finfo(dtype).eps
            np.testing.assert_allclose(computed, expected.reshape(n_rows, n), rtol=0, atol=atol)


def widths(table):
    """A narrow and a wide row."""
    return 3, 4 * table.vector_length + 1


def test_softmax_edges(isa, data_directory):
    case = cases(data_directory, "001.softmax_edges")
    table = Table(isa, "float64")
    for v, p, jacobian in zip(
        case["inputs"]["v"], case["expected"]["p"], case["expected"]["J"], strict=True
    ):
        a = table.softmax(np.array([v]))
        np.testing.assert_allclose(a[0], np.array(p, float), rtol=0, atol=case["tol"])
        for i in range(3):
            row = table.softmax_backward(a, np.eye(3)[[i]])[0]
            np.testing.assert_allclose(row, np.array(jacobian[i], float), rtol=0, atol=case["tol"])


def test_softmax_does_not_overflow(table):
    for n in widths(table):
        for shift in (-1000.0, 1000.0, 3e38 if table.dtype == np.float32 else 1.7e308):
            a = table.softmax(np.full((2, n), shift))
            np.testing.assert_allclose(a, 1 / n, rtol=4 * np.finfo(table.dtype).eps)
        z = np.zeros((1, n))
        z[0, n - 1] = 1000
        np.testing.assert_array_equal(table.softmax(z), np.arange(n)[None] == n - 1)


def test_softmax_of_one_column_is_one(table):
    np.testing.assert_array_equal(table.softmax([[3.0], [-700.0], [1e30]]), np.ones((3, 1)))


def test_softmax_spreads_nan_over_its_row_only(table):
    for n in widths(table):
        for j in range(n):
            z = np.zeros((3, n))
            z[1, j] = nan
            a = table.softmax(z)
            assert np.isnan(a[1]).all()
            np.testing.assert_allclose(a[[0, 2]], 1 / n, rtol=4 * np.finfo(table.dtype).eps)


def test_softmax_of_minus_infinity_is_zero(table):
    for n in widths(table):
        for j in range(n):
            z = np.zeros((1, n))
            z[0, j] = -inf
            expected = np.full((1, n), 1 / (n - 1))
            expected[0, j] = 0
            rtol = 4 * np.finfo(table.dtype).eps
            np.testing.assert_allclose(table.softmax(z), expected, rtol=rtol)
