"""The four products of a dense layer, against NumPy in float64.

Bounds: a sum of n products in any order, fused or not, is off by at most n eps |x| |w| to first
order (Higham 2002, section 3.1); the bias adds one term.  The float64 reference has the same bound,
so float64 gets it twice.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

# (rows, inputs, outputs) beside those around the vector length
SHAPES = [
    (0, 3, 2),
    (3, 0, 2),
    (3, 2, 0),
    (0, 0, 0),
    (1, 1, 1),
    (1, 5, 1),
    (2, 1, 3),
    (5, 1, 1),
    (7, 1, 40),
    (4, 2, 8),
    (4, 8, 1),
    (32, 4, 64),
    (32, 64, 2),
    (32, 64, 10),
    (10, 32, 16),
    (13, 17, 19),
    (31, 37, 41),
    (97, 101, 103),
    (1, 211, 223),
    (53, 3, 2),
    (6, 257, 5),
    (50, 300, 70),
    (64, 256, 33),
    (64, 258, 34),
    (3, 521, 9),
    (17, 777, 3),  # blocks of K
    (48, 256, 300),
    (49, 263, 271),
    (61, 300, 290),
    (256, 300, 256),  # over 256 KB of weights
    (300, 10, 4),
    (300, 4, 10),
    (509, 7, 5),
]
NARROW = [
    (n_rows, n_inputs, n_outputs)
    for n_outputs in range(1, 6)
    for n_rows, n_inputs in ((1, 3), (3, 8), (9, 33), (34, 65))
]


def around_vectors(length):
    sizes = sorted(
        {1, length - 1, length, length + 1, 2 * length + 1, 4 * length, 4 * length + 1} - {0}
    )
    shapes = [(r, k, n) for r in (1, 5, 6) for k in (1, length + 1) for n in sizes]
    shapes += [(r, k, 3) for r in (4, 7) for k in sizes]
    return shapes + [(r, 9, length + 3) for r in sizes]


def all_shapes(table):
    return SHAPES + NARROW + around_vectors(table.vector_length)


def bound(table, n, magnitude):
    eps = np.finfo(table.dtype).eps
    terms = 2 * n if table.dtype == np.float64 else n
    return (terms + 4) * eps * magnitude + n * np.finfo(table.dtype).tiny


def draw(table, shape, seed=0):
    rng = np.random.default_rng((*shape, seed))
    n_rows, n_inputs, n_outputs = shape
    return (
        rng.normal(size=(n_rows, n_inputs)).astype(table.dtype),
        rng.normal(size=(n_inputs, n_outputs)).astype(table.dtype),
        rng.normal(size=n_outputs).astype(table.dtype),
        rng.normal(size=(n_rows, n_outputs)).astype(table.dtype),
    )


def draw_integers(table, shape):
    """Small integers: every product and partial sum is exact in float32, in any order."""
    rng = np.random.default_rng(shape)
    n_rows, n_inputs, n_outputs = shape
    return (
        rng.integers(-9, 10, (n_rows, n_inputs)).astype(table.dtype),
        rng.integers(-9, 10, (n_inputs, n_outputs)).astype(table.dtype),
        rng.integers(-99, 100, n_outputs).astype(table.dtype),
        rng.integers(-9, 10, (n_rows, n_outputs)).astype(table.dtype),
    )


def double(*arrays):
    return [array.astype(np.float64) for array in arrays]


def assert_within(got, expected, tolerance, what):
    assert got.shape == expected.shape
    wrong = ~(np.abs(got - expected) <= tolerance)  # NaN is wrong, too
    assert not wrong.any(), (
        f"{what}: {wrong.sum()} of {wrong.size} elements, the first at {np.argwhere(wrong)[0]}: "
        f"got {got[wrong][0]!r}, expected {expected[wrong][0]!r}"
    )


@pytest.mark.parametrize("bias", [True, False])
def test_matmul_is_exact_on_integers(table, bias):
    for shape in all_shapes(table):
        x, w, b, _ = draw_integers(table, shape)
        expected = x.astype(np.float64) @ w + (b if bias else 0)
        assert_within(table.matmul(x, w, b if bias else None), expected, 0, shape)


def test_gradient_weights_is_exact_on_integers(table):
    for shape in all_shapes(table):
        x, w, _, d = draw_integers(table, shape)
        expected = x.astype(np.float64).T @ d
        assert_within(table.gradient_weights(x, d), expected, 0, shape)
        assert_within(table.gradient_weights(x, d, out=w), expected + w, 0, (*shape, "accumulate"))


def test_gradient_inputs_is_exact_on_integers(table):
    for shape in all_shapes(table):
        _, w, _, d = draw_integers(table, shape)
        assert_within(table.gradient_inputs(d, w), d.astype(np.float64) @ w.T, 0, shape)


@pytest.mark.parametrize("bias", [True, False])
def test_matvec_is_exact_on_integers(table, bias):
    for shape in all_shapes(table):
        if shape[0] == 0:
            continue
        x, w, b, _ = draw_integers(table, shape)
        expected = x[0].astype(np.float64) @ w + (b if bias else 0)
        assert_within(table.matvec(x[0], w, b if bias else None), expected, 0, shape)


def test_products_within_the_rounding_bound(table):
    for shape in all_shapes(table):
        n_rows, n_inputs, n_outputs = shape
        x, w, b, d = draw(table, shape)
        x_, w_, b_, d_ = double(x, w, b, d)
        magnitude = np.abs(x_) @ np.abs(w_) + np.abs(b_)
        y = x_ @ w_ + b_
        assert_within(
            table.matmul(x, w, b), y, bound(table, n_inputs + 1, magnitude), ("matmul", shape)
        )
        if n_rows:
            assert_within(
                table.matvec(x[0], w, b),
                y[0],
                bound(table, n_inputs + 1, magnitude[0]),
                ("matvec", shape),
            )
        assert_within(
            table.gradient_weights(x, d),
            x_.T @ d_,
            bound(table, n_rows, np.abs(x_).T @ np.abs(d_)),
            ("gradient_weights", shape),
        )
        assert_within(
            table.gradient_inputs(d, w),
            d_ @ w_.T,
            bound(table, n_outputs, np.abs(d_) @ np.abs(w_).T),
            ("gradient_inputs", shape),
        )


# largest slope of each activation, which carries the error of the net value to the output
SLOPES = {
    "identity": 1,
    "relu": 1,
    "leaky_relu": 1,
    "elu": 1,
    "sigmoid": 0.25,
    "steep_sigmoid": 4.9 / 4,
    "tanh": 1,
    "softplus": 1,
    "gelu": 1.13,
    "sin": 1,
    "gaussian": 0.86,
}


@pytest.mark.parametrize("activation", sorted(SLOPES))
def test_matmul_and_matvec_with_activation(table, oracle, activation):
    length = table.vector_length
    for shape in (
        (1, 1, 1),
        (3, 5, length + 1),
        (6, 17, 2 * length - 1),
        (37, 8, 1),
        (7, 300, 3),
        (49, 270, 250),
    ):
        n_inputs = shape[1]
        x, w, b, _ = draw(table, shape)
        w /= table.dtype.type(np.sqrt(n_inputs))
        x_, w_, b_ = double(x, w, b)
        expected = oracle.activate(activation, x_ @ w_ + b_)
        magnitude = np.abs(x_) @ np.abs(w_) + np.abs(b_)
        # 16 ulp cover the activation's own few and the cancellation of e^z - 1 near 0
        tolerance = (
            SLOPES[activation] * bound(table, n_inputs + 1, magnitude)
            + 16 * np.finfo(table.dtype).eps
        )
        assert_within(table.matmul(x, w, b, activation), expected, tolerance, ("matmul", shape))
        assert_within(
            table.matvec(x[0], w, b, activation), expected[0], tolerance[0], ("matvec", shape)
        )


def test_matmul_with_softmax(table, oracle):
    length = table.vector_length
    for shape in (
        (1, 1, 1),
        (4, 3, 2),
        (5, 7, 10),
        (3, 5, length + 1),
        (6, 300, 3),
        (49, 270, 250),
    ):
        x, w, b, _ = draw(table, shape)
        w /= table.dtype.type(np.sqrt(shape[1]))
        x_, w_, b_ = double(x, w, b)
        expected = oracle.softmax(x_ @ w_ + b_)
        error = bound(table, shape[1] + 1, np.abs(x_) @ np.abs(w_) + np.abs(b_)).max(
            axis=1, keepdims=True
        )
        # |d softmax_i| <= 2 p_i max |d z|; the sum over the row adds n eps
        tolerance = expected * (2 * error + (shape[2] + 16) * np.finfo(table.dtype).eps)
        assert_within(table.matmul(x, w, b, "softmax"), expected, tolerance, ("matmul", shape))


@pytest.mark.parametrize("misalign", [1, 3])
def test_unaligned(isa, dtype, misalign):
    from fastnet._kernels.probe import Table

    table = Table(isa, dtype, misalign=misalign)
    length = table.vector_length
    for shape in (
        (1, 1, 1),
        (5, 7, length),
        (6, length + 1, 2 * length + 1),
        (49, 263, 271),
        (7, 64, 3),
    ):
        x, w, b, d = draw_integers(table, shape)
        x_, w_, d_ = double(x, w, d)
        assert_within(table.matmul(x, w, b), x_ @ w_ + b, 0, shape)
        assert_within(table.matvec(x[0], w, b), x_[0] @ w_ + b, 0, shape)
        assert_within(table.gradient_weights(x, d), x_.T @ d_, 0, shape)
        assert_within(table.gradient_weights(x, d, out=w), x_.T @ d_ + w, 0, shape)
        assert_within(table.gradient_inputs(d, w), d_ @ w_.T, 0, shape)


def test_nonfinite_inputs_reach_their_outputs_and_no_others(table):
    """A NaN in row r of x makes row r of y NaN; one in column j of w makes column j NaN."""
    length = table.vector_length
    for shape in ((5, 7, 3), (6, 9, length + 1), (49, 263, 271)):
        for value in (np.nan, np.inf):
            x, w, b, _ = draw(table, shape)
            x[2, 1] = value
            y = table.matmul(x, w, b)
            assert not np.isfinite(y[2]).any()
            assert np.isfinite(np.delete(y, 2, axis=0)).all()
            assert not np.isfinite(table.matvec(x[2], w, b)).any()
            x, w, b, _ = draw(table, shape)
            w[3, 1] = value
            for y in (table.matmul(x, w, b), table.matvec(x[0], w, b)[None]):
                assert not np.isfinite(y[:, 1]).any()
                assert np.isfinite(np.delete(y, 1, axis=1)).all()


def test_relu_passes_nan(table):
    x = np.ones((3, 4), table.dtype)
    x[1, 2] = np.nan
    for n_outputs in (1, 3, table.vector_length, table.vector_length + 1):
        w = -np.ones((4, n_outputs), table.dtype)
        for activation in ("relu", "leaky_relu", "tanh", "sigmoid", "elu"):
            y = table.matmul(x, w, None, activation)
            assert np.isnan(y[1]).all(), (activation, n_outputs)
            assert not np.isnan(y[[0, 2]]).any(), (activation, n_outputs)
            assert np.isnan(table.matvec(x[1], w, None, activation)).all(), (activation, n_outputs)


def test_one_row_equals_the_batch_to_rounding(table):
    for shape in ((9, 33, 17), (50, 64, 10), (49, 300, 290)):
        x, w, b, _ = draw(table, shape)
        magnitude = np.abs(x).astype(np.float64) @ np.abs(w) + np.abs(b)
        batch = table.matmul(x, w, b)
        for r in (0, shape[0] // 2, shape[0] - 1):
            tolerance = 2 * bound(table, shape[1] + 1, magnitude[r])
            assert_within(table.matmul(x[[r]], w, b)[0], batch[r], tolerance, shape)
            assert_within(table.matvec(x[r], w, b), batch[r], tolerance, shape)


def test_same_call_same_bits(table):
    x, w, b, d = draw(table, (49, 263, 271))
    np.testing.assert_array_equal(table.matmul(x, w, b), table.matmul(x, w, b))
    np.testing.assert_array_equal(table.gradient_weights(x, d), table.gradient_weights(x, d))
    np.testing.assert_array_equal(table.gradient_inputs(d, w), table.gradient_inputs(d, w))


@settings(max_examples=25)
@given(
    n_rows=st.integers(0, 70),
    n_inputs=st.integers(0, 300),
    n_outputs=st.integers(0, 70),
    misalign=st.integers(0, 3),
)
def test_any_shape(isa, dtype, n_rows, n_inputs, n_outputs, misalign):
    from fastnet._kernels.probe import Table

    table = Table(isa, dtype, misalign=misalign)
    x, w, b, d = draw_integers(table, (n_rows, n_inputs, n_outputs))
    x_, w_, d_ = double(x, w, d)
    assert_within(table.matmul(x, w, b), x_ @ w_ + b, 0, "matmul")
    assert_within(table.gradient_weights(x, d), x_.T @ d_, 0, "gradient_weights")
    assert_within(table.gradient_inputs(d, w), d_ @ w_.T, 0, "gradient_inputs")
    if n_rows:
        assert_within(table.matvec(x[0], w, b), x_[0] @ w_ + b, 0, "matvec")
