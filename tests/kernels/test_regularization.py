"""Layer normalization, dropout masks and penalties against NumPy in float64."""

import itertools

import numpy as np
import pytest

from fastnet._kernels import dispatch, probe

TABLES = list(itertools.product(dispatch.supported(), ("float32", "float64"), (0, 1)))
EPSILON = 1e-5


@pytest.fixture(params=TABLES, ids=lambda p: f"{p[0]}-{p[1]}-misalign{p[2]}")
def table(request):
    return probe.Table(*request.param)


def widths(table):
    vl = table.vector_length
    return sorted({1, 2, 3, vl - 1, vl, vl + 1, 2 * vl + 3, 101} - {0})


def exact(values, dtype):
    """The values that the kernel gets, as float64."""
    return np.asarray(values, dtype).astype(float)


def normalize(x, epsilon=EPSILON):
    centered = x - x.mean(axis=1, keepdims=True)
    return centered / np.sqrt((centered**2).mean(axis=1, keepdims=True) + epsilon)


def normalization_jacobian(x, epsilon=EPSILON):
    """d y_j / d x_i of one row, from the definition of mean and variance, term by term."""
    n = len(x)
    centered = x - x.mean()
    d_centered = np.eye(n) - 1 / n
    variance = (centered**2).mean()
    d_variance = 2 * centered @ d_centered / n
    return (
        d_centered / np.sqrt(variance + epsilon)
        - np.outer(centered, d_variance) / 2 / (variance + epsilon) ** 1.5
    )


@pytest.mark.parametrize("in_place", [False, True])
def test_layer_norm(table, in_place):
    rng = np.random.default_rng(0)
    eps = np.finfo(table.dtype).eps
    for n, n_rows, shift in itertools.product(widths(table), (0, 1, 5), (0.0, 30.0)):
        x = exact(rng.normal(size=(n_rows, n)) * 3 + shift, table.dtype)
        gains, biases = exact(rng.normal(size=(2, n)), table.dtype)
        got = table.layer_norm(x, gains, biases, EPSILON, in_place)
        # The mean is off by some eps of the largest value, which the division makes larger where
        # the row varies little
        spread = np.sqrt(x.var(axis=1, keepdims=True) + EPSILON)
        error = (n + 8) * eps * (np.abs(x).max(axis=1, initial=0, keepdims=True) / spread + 1)
        bound = error * (1 + np.abs(normalize(x))) * np.abs(gains) + 4 * eps * np.abs(biases)
        assert got.dtype == table.dtype
        assert np.all(np.abs(got - (gains * normalize(x) + biases)) <= bound)


@pytest.mark.parametrize("accumulate", [False, True])
def test_layer_norm_backward(table, accumulate):
    rng = np.random.default_rng(1)
    eps = np.finfo(table.dtype).eps
    for n, n_rows in itertools.product(widths(table), (1, 2, 5)):
        x = exact(rng.normal(size=(n_rows, n)), table.dtype)
        d = exact(rng.normal(size=(n_rows, n)), table.dtype)
        gains, start = exact(rng.normal(size=(2, n)), table.dtype)
        d_gains, d_x = table.layer_norm_backward(
            x, gains, EPSILON, d, start if accumulate else None
        )
        scale = 1 / np.sqrt(x.var(axis=1, keepdims=True) + EPSILON)
        size = (n + 16) * eps * (1 + np.abs(x).max() * scale.max()) ** 2
        expected = (d * normalize(x)).sum(axis=0) + accumulate * start
        assert np.all(np.abs(d_gains - expected) <= 4 * n_rows * size * (1 + np.abs(d).max()))
        for r in range(n_rows):
            expected = (d[r] * gains) @ normalization_jacobian(x[r])
            bound = 4 * size * scale[r] * np.abs(d[r] * gains).max()
            assert np.all(np.abs(d_x[r] - expected) <= bound)


def test_layer_norm_of_a_constant_row_is_its_biases(table):
    gains, biases = np.full(9, 2.0), np.arange(9.0)
    got = table.layer_norm(np.full((1, 9), 0.5), gains, biases, EPSILON)
    np.testing.assert_array_equal(got[0], biases)


def test_layer_norm_propagates_nan_within_the_row(table):
    x = np.ones((2, 9))
    x[0, 4] = np.nan
    got = table.layer_norm(x, np.ones(9), np.zeros(9), EPSILON)
    assert np.isnan(got[0]).all()
    assert np.isfinite(got[1]).all()


@pytest.mark.parametrize("rate", [0.0, 0.2, 0.5, 0.9])
def test_dropout_mask_keeps_what_the_random_stream_says(table, rate):
    kept = np.asarray(1 / (1 - rate), table.dtype)
    for n, first in itertools.product([0, 1, 3, 17, 200], [0, 1, 5, 64]):
        u = table.uniform(7, 3, first, n)
        expected = np.where(u >= np.asarray(rate, table.dtype), kept, 0)
        np.testing.assert_array_equal(table.dropout_mask(rate, 7, 3, first, n), expected)


def test_share_of_dropout(table):
    n, rate = 20000, 0.3
    dropped = (table.dropout_mask(rate, 1, 2, 0, n) == 0).sum()
    # five standard deviations of the binomial distribution
    assert abs(dropped - rate * n) < 5 * np.sqrt(n * rate * (1 - rate))


def test_penalty(table):
    rng = np.random.default_rng(2)
    eps = np.finfo(table.dtype).eps
    for n, (l1, l2) in itertools.product(
        [0, 1, 5, 33, 1009, 9000], [(0, 0), (0.25, 0), (0, 0.5), (0.25, 0.5)]
    ):
        w = exact(rng.normal(size=n), table.dtype)
        w[: n // 4] = 0
        start = exact(rng.normal(size=n), table.dtype)
        value, d = table.penalty(w, l1, l2, start)
        expected = l1 * np.abs(w).sum() + l2 / 2 * (w**2).sum()
        assert abs(value - expected) <= 300 * eps * expected
        expected = start + l1 * np.sign(w) + l2 * w
        assert np.all(np.abs(d - expected) <= 4 * eps * (np.abs(start) + np.abs(w) + 1))


def test_multiply_and_add(table):
    rng = np.random.default_rng(3)
    eps = np.finfo(table.dtype).eps
    for n in [0, 1, 3, 16, 33, 101]:
        x, y = exact(rng.normal(size=(2, n)), table.dtype)
        np.testing.assert_allclose(table.multiply(x, y), x * y, rtol=eps, atol=0)
        got = table.add(0.75, x, y)
        bound = 2 * eps * (np.abs(0.75 * x) + np.abs(y))
        assert np.all(np.abs(got - (0.75 * x + y)) <= bound)
