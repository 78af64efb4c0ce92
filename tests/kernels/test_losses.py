"""Losses and their gradients against the formulas in float64."""

import itertools

import numpy as np
import pytest

from fastnet._kernels import dispatch, probe

TABLES = list(itertools.product(dispatch.supported(), ("float32", "float64"), (0, 1)))
KINDS = ("squared_error", "half_squared_error", "cross_entropy")


@pytest.fixture(params=TABLES, ids=lambda p: f"{p[0]}-{p[1]}-misalign{p[2]}")
def table(request):
    return probe.Table(*request.param)


def shapes(table):
    vl = table.vector_length
    widths = sorted({1, 2, 3, 4, 10, vl - 1, vl, vl + 1, 2 * vl + 3} - {0})
    return [(0, 3), (4, 1), (32, 10), (129, 1), *((7, n) for n in widths), (67, 5), (1, 5003)]


def exact(values, dtype):
    """The values that the kernel gets, as float64."""
    return np.asarray(values, dtype).astype(float)


def softmax_twin(z):
    shifted = z - z.max(axis=1, keepdims=True, initial=-np.inf)
    return np.exp(shifted) / np.exp(shifted).sum(axis=1, keepdims=True)


def twin(kind, predictions, targets, z=None):
    """(row losses, gradient, magnitude of its terms) by predictions, or by z for cross entropy."""
    if kind == "cross_entropy":
        top = z.max(axis=1, keepdims=True, initial=-np.inf)
        log_sum = top + np.log(np.exp(z - top).sum(axis=1, keepdims=True))
        terms = np.where(targets == 0, 0.0, targets * (log_sum - np.where(targets == 0, 0.0, z)))
        # From the given softmax: its own rounding is not the loss's
        mass = predictions * targets.sum(axis=1, keepdims=True)
        return terms.sum(axis=1), mass - targets, mass + targets
    half = 0.5 if kind == "half_squared_error" else 1.0
    error = predictions - targets
    return half * (error**2).sum(axis=1), 2 * half * error, 2 * half * np.abs(error)


def batch(kind, shape, dtype, rng):
    """(predictions, targets, z) as the kernel gets them."""
    z = exact(3 * rng.normal(size=shape), dtype)
    if kind == "cross_entropy":
        return exact(softmax_twin(z), dtype), exact(rng.random(shape), dtype), z
    return z, exact(rng.normal(size=shape), dtype), z


def assert_losses(table, got, expected, size, weights, scale, ulps):
    """Each within some roundings of ``size``, the magnitude of the terms of a row."""
    value, got_rows, got_d = got
    row_losses, gradient, gradient_size = expected
    eps = np.finfo(table.dtype).eps
    bound = ulps * eps * size
    if got_rows is not None:
        assert got_rows.dtype == table.dtype
        assert np.all(np.abs(got_rows - row_losses) <= bound)
    assert abs(value - (weights * row_losses).sum()) <= (weights * bound).sum()
    if got_d is not None:
        factor = scale * weights[:, None]
        # the sum of the targets is all that the number of outputs touches
        bound = (4 + ulps * (gradient.shape[1] > 1)) * eps * factor * gradient_size
        assert np.all(np.abs(got_d - factor * gradient) <= bound)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("wanted", list(itertools.product([False, True], repeat=2)))
def test_against_the_formula(table, kind, weighted, wanted):
    rng = np.random.default_rng(1)
    for shape in shapes(table):
        n_rows, n = shape
        p, y, z = batch(kind, shape, table.dtype, rng)
        weights = exact(rng.random(n_rows), table.dtype)
        scale = 0.3
        expected = twin(kind, p, y, z)
        got = table.loss(kind, p, y, z, None, weights if weighted else None, scale, *wanted)
        assert (got[1] is not None, got[2] is not None) == wanted
        if not weighted:
            weights = np.ones(n_rows)
        size = expected[0] + (y.sum(axis=1) if kind == "cross_entropy" else 0.0)
        # Lanes are summed one after another, and so are their blocks
        ulps = 8 + 2 * n / table.vector_length
        assert_losses(table, got, expected, size, weights, scale, ulps)


@pytest.mark.parametrize("weighted", [False, True])
def test_labels_are_one_hot_targets(table, weighted):
    rng = np.random.default_rng(2)
    for n_rows, n in shapes(table):
        p, _, z = batch("cross_entropy", (n_rows, n), table.dtype, rng)
        labels = rng.integers(0, n, n_rows)
        weights = exact(rng.random(n_rows), table.dtype)
        expected = twin("cross_entropy", p, np.eye(n)[labels], z)
        for targets in ({"labels": labels}, {"targets": np.eye(n)[labels]}):
            got = table.loss(
                "cross_entropy", p, z=z, scale=0.7, weights=weights if weighted else None, **targets
            )
            assert_losses(
                table,
                got,
                expected,
                expected[0] + 1.0,
                weights if weighted else np.ones(n_rows),
                0.7,
                8,
            )


@pytest.mark.parametrize("kind", ["labels", "targets"])
def test_cross_entropy_where_probabilities_underflow(table, kind):
    # exact by hand: lse of (1000, -1000, 0) is 1000
    z = np.array([[1000.0, -1000.0, 0.0], [-1e4, 3e4, 0.0], [90.0, 0.0, -1.0]])
    labels = [1, 0, 1]
    p = softmax_twin(z)
    targets = {"labels": labels} if kind == "labels" else {"targets": np.eye(3)[labels]}
    value, row_loss, d = table.loss("cross_entropy", p, z=z, **targets)
    np.testing.assert_array_equal(row_loss, [2000.0, 4e4, 90.0])
    assert value == 42090.0
    expected = [[1, -1, 0], [-1, 1, 0], [1, -1, 0]]
    np.testing.assert_allclose(d, expected, atol=1e-30)


def test_impossible_class_without_weight_does_not_count(table):
    z = np.array([[0.0, -np.inf, 0.0]])
    p = np.array([[0.5, 0.0, 0.5]])
    for targets in ({"labels": [2]}, {"targets": [[0.0, 0.0, 1.0]]}):
        value, row_loss, d = table.loss("cross_entropy", p, z=z, **targets)
        rel = 2 * float(np.finfo(table.dtype).eps)
        assert value == pytest.approx(np.log(2), rel=rel)
        assert row_loss[0] == pytest.approx(np.log(2), rel=rel)
        np.testing.assert_array_equal(d, [[0.5, 0.0, -0.5]])
    for targets in ({"labels": [1]}, {"targets": [[0.0, 1.0, 0.0]]}):
        assert table.loss("cross_entropy", p, z=z, **targets)[0] == np.inf


def test_targets_that_do_not_sum_to_one(table):
    # d is p sum(y) - y, so the gradient sums to 0 in every row
    z = np.zeros((2, 4))
    p = np.full((2, 4), 0.25)
    y = np.array([[2.0, 0.0, 0.0, 2.0], [0.0, 0.0, 0.0, 0.0]])
    _, row_loss, d = table.loss("cross_entropy", p, y, z)
    np.testing.assert_allclose(row_loss, [4 * np.log(4), 0.0], rtol=4 * np.finfo(table.dtype).eps)
    np.testing.assert_array_equal(d, [[-1, 1, 1, -1], [0, 0, 0, 0]])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("weighted", [False, True])
def test_not_a_number_reaches_the_value(table, kind, weighted):
    rng = np.random.default_rng(3)
    for shape in [(4, 1), (7, 3), (67, 5), (3, 2 * table.vector_length + 3)]:
        p, y, z = batch(kind, shape, table.dtype, rng)
        weights = np.ones(shape[0]) if weighted else None
        for place in (p, y):
            for column in {0, shape[1] - 1}:
                before = place.copy()
                if place is p and kind == "cross_entropy":
                    z[2], p[2] = np.nan, np.nan  # softmax leaves nothing of such a row
                else:
                    place[2, column] = np.nan
                value, row_loss, d = table.loss(kind, p, y, z, None, weights)
                assert np.isnan(value)
                np.testing.assert_array_equal(np.isnan(row_loss), np.arange(shape[0]) == 2)
                assert np.isnan(d[2, column])
                assert not np.isnan(np.delete(d, 2, axis=0)).any()
                place[...] = before
        if kind == "cross_entropy":
            p[2] = z[2] = np.nan
            assert np.isnan(table.loss(kind, p, z=z, labels=np.zeros(shape[0]))[0])


def test_squared_error_propagates_infinity(table):
    value, row_loss, d = table.loss("squared_error", [[np.inf, 1.0], [0.0, 0.0]], np.zeros((2, 2)))
    assert value == np.inf
    np.testing.assert_array_equal(row_loss, [np.inf, 0.0])
    np.testing.assert_array_equal(d, [[np.inf, 2.0], [0.0, 0.0]])


@pytest.mark.parametrize("kind", KINDS)
def test_gradient_is_the_derivative_of_the_value(kind):
    rng = np.random.default_rng(4)
    for isa in dispatch.supported():
        table = probe.Table(isa, "float64")
        p, y, z = batch(kind, (3, 5), "float64", rng)
        weights = rng.random(3)

        def value(z, y=y, kind=kind, weights=weights, table=table):
            p = softmax_twin(z) if kind == "cross_entropy" else z
            return table.loss(kind, p, y, z, None, weights)[0]

        _, _, d = table.loss(kind, p, y, z, None, weights)
        for index in np.ndindex(3, 5):
            step = np.zeros((3, 5))
            step[index] = 1e-5
            slope = (value(z + step) - value(z - step)) / 2e-5
            assert d[index] == pytest.approx(slope, abs=1e-8)
