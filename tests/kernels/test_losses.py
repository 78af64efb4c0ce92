"""Losses and their gradients against the formulas in float64."""

import itertools

import numpy as np
import pytest

from fastnet._kernels import dispatch, probe

TABLES = list(itertools.product(dispatch.supported(), ("float32", "float64"), (0, 1)))
KINDS = tuple(probe.LOSSES)
SOFTMAX_KINDS = ("cross_entropy", "kl_divergence")
# Beside the others in the argument ``parameter``
PARAMETER = {"huber": 0.75, "quantile": 0.8}
inf, nan = float("inf"), float("nan")


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


def times_log(y, p):
    return np.where(y == 0, 0.0, y * np.log(np.where(y == 0, 1.0, p)))


def elementwise_twin(kind, p, y, z):
    """(loss, its derivative, magnitude of the terms of either) of each element."""
    e = p - y
    size = np.abs(e)
    if kind == "absolute_error":
        return size, np.sign(e), size, np.ones_like(e)
    if kind == "huber":
        delta = PARAMETER[kind]
        loss = np.where(size <= delta, e**2 / 2, delta * (size - delta / 2))
        return loss, np.clip(e, -delta, delta), loss, np.minimum(size, delta)
    if kind == "log_cosh":
        t = np.minimum(size, 1)
        loss = np.where(
            size < 1,
            np.log1p(2 * np.sinh(t / 2) ** 2),
            size + np.log1p(np.exp(-2 * size)) - np.log(2),
        )
        return loss, np.tanh(e), loss, 1.5 * np.abs(np.tanh(e))
    if kind == "binary_cross_entropy":
        cost = np.where(z >= 0, 1 - y, y)
        loss = np.where(cost == 0, 0, cost * np.abs(z)) + np.log1p(np.exp(-np.abs(z)))
        return loss, p - y, loss, p + y
    if kind == "poisson":
        return p - times_log(y, p), 1 - y / p, p + np.abs(times_log(y, p)), 1 + y / p
    if kind == "hinge":
        margin = 1 - y * p
        return np.maximum(0, margin), np.where(margin > 0, -y, 0.0), 1 + np.abs(p), np.abs(y)
    if kind == "quantile":
        q = PARAMETER[kind]
        price = np.where(e > 0, 1 - q, -q)
        return price * e, price, np.abs(price * e), np.abs(price)
    half = 0.5 if kind == "half_squared_error" else 1.0
    return half * e**2, 2 * half * e, half * e**2, 2 * half * size


def twin(kind, predictions, targets, z=None):
    """(row losses, gradient, magnitude of the terms of either), by z for the fused losses."""
    if kind in SOFTMAX_KINDS:
        top = z.max(axis=1, keepdims=True, initial=-np.inf)
        log_sum = top + np.log(np.exp(z - top).sum(axis=1, keepdims=True))
        terms = np.where(targets == 0, 0.0, targets * (log_sum - np.where(targets == 0, 0.0, z)))
        size = terms + targets  # the logarithm of a softmax has an error of its own
        if kind == "kl_divergence":
            entropy = times_log(targets, targets)
            terms, size = terms + entropy, size + np.abs(entropy)
        # From the given softmax: its own rounding is not the loss's
        mass = predictions * targets.sum(axis=1, keepdims=True)
        return terms.sum(axis=1), mass - targets, size.sum(axis=1), mass + targets
    loss, slope, size, slope_size = elementwise_twin(kind, predictions, targets, z)
    return loss.sum(axis=1), slope, size.sum(axis=1), slope_size


def batch(kind, shape, dtype, rng):
    """(predictions, targets, z) as the kernel gets them."""
    z = exact(3 * rng.normal(size=shape), dtype)
    p, y = z, rng.normal(size=shape)
    if kind in SOFTMAX_KINDS:
        p, y = softmax_twin(z), rng.random(shape) * (rng.random(shape) < 0.7)
    elif kind == "binary_cross_entropy":
        p, y = 1 / (1 + np.exp(-z)), np.clip(y + 0.5, 0, 1)
    elif kind == "poisson":
        p, y = np.exp(z / 2), np.floor(2 * np.abs(y))
    elif kind == "hinge":
        y = np.where(y > 0, 1.0, -1.0)
    return exact(p, dtype), exact(y, dtype), z


def assert_losses(table, got, expected, weights, scale, ulps):
    """Each within some roundings of the magnitude of its terms."""
    value, got_rows, got_d = got
    row_losses, gradient, size, gradient_size = expected
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
        got = table.loss(kind, p, y, z, None, weights if weighted else None, scale, *wanted,
                         parameter=PARAMETER.get(kind, 0.0))  # fmt: skip
        assert (got[1] is not None, got[2] is not None) == wanted
        if not weighted:
            weights = np.ones(n_rows)
        # Lanes are summed one after another, and so are their blocks
        ulps = 8 + 2 * max(n, n_rows * n if n == 1 else 0) / table.vector_length
        assert_losses(table, got, expected, weights, scale, ulps)


@pytest.mark.parametrize("kind", SOFTMAX_KINDS)
@pytest.mark.parametrize("weighted", [False, True])
def test_labels_are_one_hot_targets(table, weighted, kind):
    rng = np.random.default_rng(2)
    for n_rows, n in shapes(table):
        p, _, z = batch(kind, (n_rows, n), table.dtype, rng)
        labels = rng.integers(0, n, n_rows)
        weights = exact(rng.random(n_rows), table.dtype)
        expected = twin(kind, p, np.eye(n)[labels], z)
        for targets in ({"labels": labels}, {"targets": np.eye(n)[labels]}):
            got = table.loss(
                kind, p, z=z, scale=0.7, weights=weights if weighted else None, **targets
            )
            assert_losses(table, got, expected, weights if weighted else np.ones(n_rows), 0.7, 8)


@pytest.mark.parametrize("loss", SOFTMAX_KINDS)
@pytest.mark.parametrize("kind", ["labels", "targets"])
def test_where_probabilities_underflow(table, kind, loss):
    # exact by hand: lse of (1000, -1000, 0) is 1000
    z = np.array([[1000.0, -1000.0, 0.0], [-1e4, 3e4, 0.0], [90.0, 0.0, -1.0]])
    labels = [1, 0, 1]
    p = softmax_twin(z)
    targets = {"labels": labels} if kind == "labels" else {"targets": np.eye(3)[labels]}
    value, row_loss, d = table.loss(loss, p, z=z, **targets)
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
                if place is p and kind in SOFTMAX_KINDS:
                    z[2], p[2] = np.nan, np.nan  # softmax leaves nothing of such a row
                else:
                    place[2, column] = np.nan
                    if place is p:
                        z[2, column] = np.nan
                value, row_loss, d = table.loss(
                    kind, p, y, z, None, weights, parameter=PARAMETER.get(kind, 0.0)
                )
                assert np.isnan(value)
                np.testing.assert_array_equal(np.isnan(row_loss), np.arange(shape[0]) == 2)
                assert np.isnan(d[2, column])
                assert not np.isnan(np.delete(d, 2, axis=0)).any()
                place[...] = before
                z[2] = 0.0
        if kind in SOFTMAX_KINDS:
            p[2] = z[2] = np.nan
            assert np.isnan(table.loss(kind, p, z=z, labels=np.zeros(shape[0]))[0])


def test_squared_error_propagates_infinity(table):
    value, row_loss, d = table.loss("squared_error", [[np.inf, 1.0], [0.0, 0.0]], np.zeros((2, 2)))
    assert value == np.inf
    np.testing.assert_array_equal(row_loss, [np.inf, 0.0])
    np.testing.assert_array_equal(d, [[np.inf, 2.0], [0.0, 0.0]])


# kind: (prediction, target, loss, derivative), the same in both precisions.  The prediction of
# binary_cross_entropy is the logit.
EXTREMES = {
    "absolute_error": [(3, 3, 0, 0), (-0.0, 0, 0, 0), (inf, 0, inf, 1), (-inf, 0, inf, -1),
                       (1e30, 0, 1e30, 1)],
    "huber": [(3, 3, 0, 0), (0.75, 0, 0.28125, 0.75), (inf, 0, inf, 0.75), (-inf, 0, inf, -0.75)],
    "log_cosh": [(3, 3, 0, 0), (1e4, 0, 1e4 - np.log(2), 1), (-1e4, 0, 1e4 - np.log(2), -1),
                 (inf, 0, inf, 1), (-inf, 0, inf, -1), (1e-10, 0, 5e-21, 1e-10)],
    "binary_cross_entropy": [(1e4, 1, 0, 0), (1e4, 0, 1e4, 1), (-1e4, 1, 1e4, -1), (-1e4, 0, 0, 0),
                             (1e4, 0.5, 5e3, 0.5), (inf, 1, 0, 0), (inf, 0, inf, 1),
                             (-inf, 0, 0, 0), (-inf, 1, inf, -1), (0, 0.5, np.log(2), 0)],
    "poisson": [(0, 0, 0, 1), (0, 2, inf, -inf), (-1, 0, nan, nan), (-1, 2, nan, nan),
                (inf, 0, inf, 1), (inf, 3, inf, 1), (1e30, 2, 1e30, 1), (2, 0, 2, 1)],
    "hinge": [(1, 1, 0, 0), (-1, -1, 0, 0), (0, 1, 1, -1), (0, -1, 1, 1), (1e4, 1, 0, 0),
              (1e4, -1, 10001, 1), (inf, 1, 0, 0), (inf, -1, inf, 1), (-inf, 1, inf, -1)],
    "quantile": [(3, 3, 0, 0), (inf, 0, inf, 0.2), (-inf, 0, inf, -0.8), (2, 1, 0.2, 0.2),
                 (1, 2, 0.8, -0.8)],
}  # fmt: skip


@pytest.mark.parametrize("kind", EXTREMES)
def test_extremes(table, kind):
    p, y, losses, slopes = np.array(EXTREMES[kind], float).T
    z = p
    if kind == "binary_cross_entropy":
        p = table.activate("sigmoid", z)
    # by rows of one output, in the vector loop and in its rest
    for repeats in (1, 2 * table.vector_length):
        for transposed in (False, True):
            got = [np.repeat(v, repeats)[:, None] for v in (p, y, z)]
            if transposed:
                got = [v.T for v in got]
            value, row_loss, d = table.loss(kind, *got, parameter=PARAMETER.get(kind, 0.0))
            rtol = 4 * np.finfo(table.dtype).eps
            expected = np.repeat(losses, repeats)
            np.testing.assert_allclose(d.ravel(), np.repeat(slopes, repeats), rtol=rtol)
            if transposed:
                np.testing.assert_allclose(row_loss, [expected.sum()], rtol=rtol)
            else:
                np.testing.assert_allclose(row_loss, expected, rtol=rtol)
            np.testing.assert_allclose(value, expected.sum(), rtol=rtol)


def test_small_errors_of_log_cosh_keep_their_accuracy(table):
    e = np.concatenate([10.0 ** np.linspace(-15, 1.5, 400), np.linspace(0.9, 1.1, 101)])
    e = exact(e, table.dtype)
    # log cosh e = e^2 / 2 - e^4 / 12 + ..., or by the twin where that does not cancel
    expected, slope, _, _ = elementwise_twin("log_cosh", e, 0 * e, e)
    _, row_loss, d = table.loss("log_cosh", e[:, None], 0 * e[:, None])
    eps = np.finfo(table.dtype).eps
    np.testing.assert_allclose(row_loss, expected, rtol=6 * eps, atol=0)
    np.testing.assert_allclose(d.ravel(), slope, rtol=6 * eps, atol=0)


def test_confident_logits_keep_the_accuracy_of_their_loss(table):
    # 1 - p is 0 long before the loss is
    z = exact(np.linspace(-80, 80, 321), table.dtype)
    p = table.activate("sigmoid", z)
    for y in (np.zeros_like(z), np.ones_like(z)):
        expected = np.logaddexp(0, np.where(y == 1, -z, z))
        _, row_loss, _ = table.loss("binary_cross_entropy", p[:, None], y[:, None], z[:, None])
        rtol = 4 * np.finfo(table.dtype).eps
        np.testing.assert_allclose(row_loss, expected, rtol=rtol, atol=0)


def test_kl_divergence_of_a_distribution_from_itself(table):
    rng = np.random.default_rng(6)
    for n in (1, 3, 2 * table.vector_length + 1, 5003):
        z = exact(rng.normal(size=(2, n)), table.dtype)
        p = exact(softmax_twin(z), table.dtype)
        value, row_loss, _ = table.loss("kl_divergence", p, p, z)
        # two sums of the size of the entropy
        bound = (8 + 2 * n / table.vector_length) * np.finfo(table.dtype).eps * (1 + np.log(n))
        assert np.all(np.abs(row_loss) <= bound)
        assert abs(value) <= 2 * bound


def test_kl_divergence_of_targets_with_zeros(table):
    z = np.zeros((2, 4))
    p = np.full((2, 4), 0.25)
    y = np.array([[0.5, 0.5, 0, 0], [0, 0, 0, 0]])
    _, row_loss, d = table.loss("kl_divergence", p, y, z)
    np.testing.assert_allclose(row_loss, [np.log(2), 0], rtol=4 * np.finfo(table.dtype).eps)
    np.testing.assert_array_equal(d, [[-0.25, -0.25, 0.25, 0.25], [0, 0, 0, 0]])


def test_huber_is_a_square_where_delta_is_no_number_of_this_precision(table):
    _, row_loss, d = table.loss("huber", [[3.0], [1e4]], [[0.0], [0.0]], parameter=1e300)
    np.testing.assert_array_equal(row_loss, [4.5, 5e7])
    np.testing.assert_array_equal(d, [[3.0], [1e4]])


@pytest.mark.parametrize("kind", KINDS)
def test_gradient_is_the_derivative_of_the_value(kind):
    rng = np.random.default_rng(4)
    for isa in dispatch.supported():
        table = probe.Table(isa, "float64")
        p, y, z = batch(kind, (3, 5), "float64", rng)
        weights = rng.random(3)
        option = {"parameter": PARAMETER.get(kind, 0.0)}

        def value(z, y=y, kind=kind, option=option, weights=weights, table=table):
            if kind in SOFTMAX_KINDS:
                p = softmax_twin(z)
            elif kind == "binary_cross_entropy":
                p = 1 / (1 + np.exp(-z))
            else:
                p = z
            return table.loss(kind, p, y, z, None, weights, **option)[0]

        if kind == "poisson":
            z = p
        _, _, d = table.loss(kind, p, y, z, None, weights, **option)
        for index in np.ndindex(3, 5):
            step = np.zeros((3, 5))
            step[index] = 1e-5
            slope = (value(z + step) - value(z - step)) / 2e-5
            assert d[index] == pytest.approx(slope, abs=1e-8, rel=1e-7)
