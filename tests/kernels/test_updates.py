"""Parameter updates against their formulas in float64."""

import itertools

import numpy as np
import pytest

from fastnet._kernels import dispatch, probe

TABLES = list(itertools.product(dispatch.supported(), ("float32", "float64"), (0, 1)))
N_STEPS = 5


@pytest.fixture(params=TABLES, ids=lambda p: f"{p[0]}-{p[1]}-misalign{p[2]}")
def table(request):
    return probe.Table(*request.param)


def lengths(table):
    vl = table.vector_length
    return sorted({0, 1, 2, vl - 1, vl, vl + 1, 2 * vl + 1, 4 * vl, 33, 101})


def sgd_twin(p, g, learning_rate, weight_decay):
    return p - learning_rate * (g + weight_decay * p)


def momentum_twin(p, g, v, learning_rate, momentum, nesterov, weight_decay):
    g = g + weight_decay * p
    v = momentum * v + g
    return p - learning_rate * (g + momentum * v if nesterov else v), v


def adam_twin(p, g, m, v, step, learning_rate, beta1, beta2, epsilon, weight_decay):
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    # Algorithm 1, with the epsilon that the efficient form stands for
    m_hat, v_hat = m / (1 - beta1**step), v / (1 - beta2**step)
    p = p - learning_rate * weight_decay * p
    return p - learning_rate * m_hat / (np.sqrt(v_hat) + epsilon), m, v


def rmsprop_twin(p, g, s, c, v, learning_rate, rho, momentum, epsilon, weight_decay):
    g = g + weight_decay * p
    s = rho * s + (1 - rho) * g**2
    c = None if c is None else rho * c + (1 - rho) * g
    q = g / (np.sqrt(s if c is None else s - c**2) + epsilon)
    v = None if v is None else momentum * v + q
    return p - learning_rate * (q if v is None else v), s, c, v


def adagrad_twin(p, g, s, learning_rate, epsilon, weight_decay):
    g = g + weight_decay * p
    s = s + g**2
    return p - learning_rate * g / (np.sqrt(s) + epsilon), s


def rprop_twin(p, g, t, lengths, grow, shrink, least, most):
    product = np.sign(g) * t
    lengths = np.where(product > 0, np.minimum(grow * lengths, most), lengths)
    lengths = np.where(product < 0, np.maximum(shrink * lengths, least), lengths)
    s = np.where(product < 0, 0, np.sign(g))
    return p - s * lengths, s, lengths


def assert_close(got, expected, size, dtype, ulps=8):
    """Within some roundings of the magnitude of the terms that were added."""
    assert got.dtype == dtype
    bound = ulps * np.finfo(dtype).eps * size
    assert np.all(np.abs(got - expected) <= bound)


def exact(values, dtype):
    """The values that the kernel gets, as float64."""
    return np.asarray(values, dtype).astype(float)


@pytest.mark.parametrize("weight_decay", [0.0, 0.125])
def test_sgd(table, weight_decay):
    rng = np.random.default_rng(1)
    for n in lengths(table):
        p, g = (exact(rng.normal(size=n), table.dtype) for _ in range(2))
        got = table.sgd(p, g, 0.03, weight_decay)
        expected = sgd_twin(p, g, 0.03, weight_decay)
        assert_close(got, expected, np.abs(p) + 0.03 * np.abs(g), table.dtype, 3)


@pytest.mark.parametrize("weight_decay", [0.0, 0.125])
@pytest.mark.parametrize("nesterov", [False, True])
def test_momentum(table, nesterov, weight_decay):
    rng = np.random.default_rng(2)
    for n in lengths(table):
        p, v = exact(rng.normal(size=n), table.dtype), np.zeros(n)
        for _ in range(N_STEPS):
            g = exact(rng.normal(size=n), table.dtype)
            p_got, v_got = table.momentum(p, g, v, 0.03, 0.9, nesterov, weight_decay)
            p_expected, v_expected = momentum_twin(p, g, v, 0.03, 0.9, nesterov, weight_decay)
            size = np.abs(g) + np.abs(v) + np.abs(p)
            assert_close(v_got, v_expected, size, table.dtype, 4)
            assert_close(p_got, p_expected, size, table.dtype, 4)
            p, v = p_got.astype(float), v_got.astype(float)


@pytest.mark.parametrize("step", [1, 2, 10, 100_000])
@pytest.mark.parametrize("weight_decay", [0.0, 0.125])
def test_adam(table, step, weight_decay):
    rng = np.random.default_rng(3)
    for n in lengths(table):
        p, m, g = (exact(rng.normal(size=n), table.dtype) for _ in range(3))
        v = exact(rng.random(n), table.dtype)
        got = table.adam(p, g, m, v, step, 0.01, 0.9, 0.999, 1e-8, weight_decay)
        expected = adam_twin(p, g, m, v, step, 0.01, 0.9, 0.999, 1e-8, weight_decay)
        assert_close(got[0], expected[0], np.abs(p) + np.abs(expected[0] - p), table.dtype)
        assert_close(got[1], expected[1], np.abs(m) + np.abs(g), table.dtype, 3)
        assert_close(got[2], expected[2], v + g**2, table.dtype, 4)


def test_adam_first_step_is_the_learning_rate(table):
    # m / sqrt(v) = sign(g) at step 1, whatever the size of the gradient
    g = np.array([1e-3, -1e-3, 7.0, -2e6] * 5)
    zero = np.zeros(g.size)
    got, _, _ = table.adam(zero, g, zero, zero, 1, 0.01, 0.9, 0.999, 0.0)
    assert_close(got, -0.01 * np.sign(g), 0.01, table.dtype)


def test_adam_epsilon_counts_where_the_gradient_is_tiny(table):
    g = np.full(19, 1e-8)
    zero = np.zeros(g.size)
    got, _, _ = table.adam(zero, g, zero, zero, 1, 0.01, 0.9, 0.999, 1e-8)
    assert_close(got, np.full(19, -0.005), 0.01, table.dtype)


def test_adam_without_averages(table):
    # beta1 = beta2 = 0: a step of the learning rate against the sign, at any step
    rng = np.random.default_rng(4)
    g = exact(rng.normal(size=21), table.dtype)
    got, m, v = table.adam(np.zeros(21), g, np.ones(21), np.ones(21), 7, 0.5, 0.0, 0.0, 0.0)
    assert_close(got, -0.5 * np.sign(g), 0.5, table.dtype)
    np.testing.assert_array_equal(m, g)
    assert_close(v, g**2, g**2, table.dtype, 1)


@pytest.mark.parametrize("weight_decay", [0.0, 0.125])
@pytest.mark.parametrize("with_momentum", [False, True])
@pytest.mark.parametrize("centered", [False, True])
def test_rmsprop(table, centered, with_momentum, weight_decay):
    rng = np.random.default_rng(5)
    for n in lengths(table):
        p, g, c, v = (exact(rng.normal(size=n), table.dtype) for _ in range(4))
        # far enough from c^2 that the difference keeps its digits
        s = exact(c**2 + 1 + rng.random(n), table.dtype)
        c, v = c if centered else None, v if with_momentum else None
        got = table.rmsprop(p, g, s, c, v, 0.03, 0.75, 0.9, 0.01, weight_decay)
        expected = rmsprop_twin(p, g, s, c, v, 0.03, 0.75, 0.9, 0.01, weight_decay)
        size = np.abs(g) + np.abs(p)
        assert_close(got[1], expected[1], s + size**2, table.dtype, 4)
        # roundings of the variance count relative to it: it is at least 3/4, s at most 2 + c^2
        spread = (1 + size) * (expected[1] / 0.75)
        assert_close(got[0], expected[0], size + spread, table.dtype)
        if centered:
            assert_close(got[2], expected[2], np.abs(c) + size, table.dtype, 3)
        else:
            assert got[2] is None
        if with_momentum:
            assert_close(got[3], expected[3], np.abs(v) + spread, table.dtype)
        else:
            assert got[3] is None


@pytest.mark.parametrize("weight_decay", [0.0, 0.125])
def test_adagrad(table, weight_decay):
    rng = np.random.default_rng(6)
    for n in lengths(table):
        p, g = (exact(rng.normal(size=n), table.dtype) for _ in range(2))
        s = exact(rng.random(n), table.dtype)
        got = table.adagrad(p, g, s, 0.03, 0.01, weight_decay)
        expected = adagrad_twin(p, g, s, 0.03, 0.01, weight_decay)
        assert_close(got[0], expected[0], np.abs(p) + 0.03, table.dtype)
        assert_close(got[1], expected[1], s + (np.abs(g) + np.abs(p)) ** 2, table.dtype, 4)


def test_rprop(table):
    # Quarters and powers of two: every operation is exact.
    rng = np.random.default_rng(7)
    for n in lengths(table):
        p = rng.integers(-40, 40, n) / 4
        t, steps = np.zeros(n), np.full(n, 0.5)
        for _ in range(12):
            g = rng.integers(-2, 3, n).astype(float)
            got = table.rprop(p, g, t, steps, 1.5, 0.5, 0.25, 2.0)
            p, t, steps = rprop_twin(p, g, t, steps, 1.5, 0.5, 0.25, 2.0)
            for value, wanted in zip(got, (p, t, steps), strict=True):
                np.testing.assert_array_equal(value, wanted)
    assert {0.25, 2.0} <= set(steps)  # both bounds were met


def test_clamp(table):
    rng = np.random.default_rng(8)
    for n in lengths(table):
        x = exact(rng.normal(size=n), table.dtype)
        np.testing.assert_array_equal(table.clamp(0.5, x), np.clip(x, -0.5, 0.5))
        x[::3] = np.nan
        x[1::3] = -np.inf
        np.testing.assert_array_equal(table.clamp(0.5, x), np.clip(x, -0.5, 0.5))


def test_not_a_number_stays_where_it_is(table):
    for n in lengths(table):
        for bad in range(0, n, max(1, n // 3)):
            p, g = np.zeros(n), np.ones(n)
            g[bad] = np.nan
            where = np.arange(n) == bad
            np.testing.assert_array_equal(np.isnan(table.sgd(p, g, 0.1)), where)
            for got in table.momentum(p, g, p, 0.1, 0.9, True, 0.1):
                np.testing.assert_array_equal(np.isnan(got), where)
            for got in table.adam(p, g, p, p, 1, 0.1, 0.9, 0.999, 1e-8, 0.1):
                np.testing.assert_array_equal(np.isnan(got), where)
            for got in table.rmsprop(p, g, p, p, p, 0.1, 0.5, 0.9, 1e-8, 0.1):
                np.testing.assert_array_equal(np.isnan(got), where)
            for got in table.adagrad(p, g, p, 0.1, 1e-8, 0.1):
                np.testing.assert_array_equal(np.isnan(got), where)
            for got in table.rprop(p, g, p, p + 1, 1.5, 0.5, 0.1, 2.0)[:2]:
                np.testing.assert_array_equal(np.isnan(got), where)


def test_infinite_gradient_without_decay(table):
    g = np.array([np.inf, -np.inf, 1.0])
    np.testing.assert_array_equal(table.sgd(np.zeros(3), g, 0.5), [-np.inf, np.inf, -0.5])
    p, v = table.momentum(np.zeros(3), g, np.zeros(3), 0.5, 0.9)
    np.testing.assert_array_equal(p, [-np.inf, np.inf, -0.5])
    np.testing.assert_array_equal(v, g)
    # an infinite parameter is left infinite, not made NaN by a decay of 0
    np.testing.assert_array_equal(table.sgd([np.inf, -np.inf], [1.0, 1.0], 0.5), [np.inf, -np.inf])
