"""Losses by name, and custom ones."""

import copy
import math
import pickle

import numpy as np
import pytest

from fastnet import losses

SQUARED = ["squared_error", "half_squared_error"]


def quartic_value(y_pred, y):
    return ((y_pred - y) ** 4).sum(axis=1)


def quartic_gradient(y_pred, y):
    return 4 * (y_pred - y) ** 3


FUSED = ["cross_entropy", "binary_cross_entropy", "kl_divergence"]


def rows(dtype, n_rows=7, n=5, seed=0):
    """Rows of probabilities for predictions and targets: right for every loss but hinge."""
    rng = np.random.default_rng(seed)
    y_pred, y = rng.uniform(0.1, 1, (2, n_rows, n))
    return (
        (y_pred / y_pred.sum(axis=1, keepdims=True)).astype(dtype),
        (y / y.sum(axis=1, keepdims=True)).astype(dtype),
    )


def dtype_of(number, dtype):
    return np.dtype(dtype).type(number)


def tolerance(dtype, n):
    # n terms of a size up to 1, each rounded a few times; some losses are differences of two
    return dict(rtol=4 * (n + 2) * np.finfo(dtype).eps, atol=(n + 2) * np.finfo(dtype).eps)


@pytest.mark.parametrize("shape", [(0, 3), (1, 1), (1, 5), (7, 1), (6, 2), (7, 5), (3, 33)])
@pytest.mark.parametrize("name", losses.names())
def test_value_and_gradient(oracle, name, dtype, shape):
    y_pred, y = rows(dtype, *shape)
    # one output would be the probability 1
    y_pred, y = y_pred * dtype_of(0.9, dtype), y * dtype_of(0.8, dtype)
    if name == "hinge":
        y = np.where(y > y.mean(), 1, -1).astype(dtype) if y.size else y
    value = losses.value(name, y_pred, y)
    gradient = losses.gradient(name, y_pred, y)
    assert value.dtype == gradient.dtype == dtype
    wide = y_pred.astype(float), y.astype(float)
    np.testing.assert_allclose(value, oracle.row_losses(name, *wide), **tolerance(dtype, shape[1]))
    np.testing.assert_allclose(
        gradient, oracle.loss_gradient(name, *wide), **tolerance(dtype, shape[1])
    )


@pytest.mark.parametrize("name", losses.names())
def test_gradient_against_differences(name):
    y_pred, y = rows("float64")
    h = 1e-6
    gradient = losses.gradient(name, y_pred, y)
    for column in range(y_pred.shape[1]):
        up, down = y_pred.copy(), y_pred.copy()
        up[:, column] += h
        down[:, column] -= h
        difference = (losses.value(name, up, y) - losses.value(name, down, y)) / (2 * h)
        np.testing.assert_allclose(gradient[:, column], difference, rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize("name", losses.names())
def test_one_row(name):
    y_pred, y = rows("float64", 1, 4)
    value = losses.value(name, y_pred[0], y[0])
    assert np.ndim(value) == 0
    assert value == losses.value(name, y_pred, y)[0]
    gradient = losses.gradient(name, y_pred[0], y[0])
    np.testing.assert_array_equal(gradient, losses.gradient(name, y_pred, y)[0])


def test_one_number():
    assert losses.value("squared_error", 3.0, 1.0) == 4
    assert losses.gradient("squared_error", 3.0, 1.0) == 4


@pytest.mark.parametrize("name", losses.names())
def test_one_output_takes_a_vector_of_targets(name):
    y_pred, y = rows("float64", 4, 1)
    y_pred = y_pred * 0.5
    np.testing.assert_array_equal(
        losses.value(name, y_pred, y.ravel()), losses.value(name, y_pred, y)
    )


@pytest.mark.parametrize("kind", ["int64", "uint8", ">i4", "bool"])
@pytest.mark.parametrize("name", [*FUSED, "hinge"])
def test_labels(name, kind, dtype):
    y_pred, _ = rows(dtype, 4, 2)
    labels = np.array([0, 1, 1, 0]).astype(kind)
    one_hot = np.eye(2)[labels.astype(int)]
    if name == "hinge":
        one_hot = 2 * one_hot - 1
    for function in (losses.value, losses.gradient):
        np.testing.assert_array_equal(
            function(name, y_pred, labels), function(name, y_pred, one_hot)
        )
    assert losses.value(name, y_pred[0], 1) == losses.value(name, y_pred, [1] * 4)[0]


def test_labels_are_for_classes():
    with pytest.raises(ValueError, match=r"y must have shape \(4, 2\)"):
        losses.value("absolute_error", np.ones((4, 2)), [0, 1, 1, 0])


def test_cross_entropy_at_the_edges(dtype):
    p = np.array([[0, 1], [0, 1], [0.5, 0.5], [np.nan, 1]], dtype)
    y = np.array([[0, 1], [1, 0], [0, 0], [0, 1]], dtype)
    np.testing.assert_array_equal(
        losses.value("cross_entropy", p, y), np.array([0, np.inf, 0, np.nan], dtype)
    )
    gradient = losses.gradient("cross_entropy", p, y)
    np.testing.assert_array_equal(gradient[:3], [[0, -1], [-np.inf, 0], [0, 0]])
    assert math.isnan(gradient[3, 0])


@pytest.mark.parametrize("name", FUSED)
def test_a_certain_prediction_that_is_right_costs_nothing(name, dtype):
    p = np.array([[0, 1], [1, 0]], dtype)
    np.testing.assert_array_equal(losses.value(name, p, p), [0, 0])
    gradient = losses.gradient(name, p, p)
    assert np.isfinite(gradient).all()
    assert gradient[0, 1] == gradient[1, 0] == -1


def test_binary_cross_entropy_at_the_edges(dtype):
    p = np.array([[0], [1], [0], [1], [0.5]], dtype)
    y = np.array([[1], [0], [0.5], [0.5], [0]], dtype)
    value = losses.value("binary_cross_entropy", p, y)
    np.testing.assert_array_equal(value[:4], [np.inf] * 4)
    assert value[4] == pytest.approx(math.log(2), rel=1e-6)
    gradient = losses.gradient("binary_cross_entropy", p, y)
    np.testing.assert_array_equal(gradient, [[-np.inf], [np.inf], [-np.inf], [np.inf], [2]])


def test_kl_divergence_of_a_distribution_from_itself(dtype):
    p, y = rows(dtype)
    np.testing.assert_allclose(losses.value("kl_divergence", p, p), 0, atol=8 * np.finfo(dtype).eps)
    assert (losses.value("kl_divergence", p, y) > 0).all()


def test_poisson_at_the_edges(dtype):
    p = np.array([[0], [0], [-1], [-1], [np.inf], [2]], dtype)
    y = np.array([[0], [2], [0], [2], [2], [0]], dtype)
    inf, nan = np.inf, np.nan
    np.testing.assert_array_equal(losses.value("poisson", p, y), [0, inf, nan, nan, inf, 2])
    np.testing.assert_array_equal(
        losses.gradient("poisson", p, y).ravel(), [1, -inf, nan, nan, 1, 1]
    )


@pytest.mark.parametrize(
    ("name", "p", "y", "low", "high"),
    [
        ("absolute_error", 2, 2, 0, 0),
        ("quantile", 2, 2, -0.5, 0.5),
        (losses.quantile(0.9), 2, 2, -0.9, 0.1),
        ("hinge", 1, 1, -1, 0),
        ("hinge", -1, -1, 0, 1),
    ],
)
def test_at_a_kink(name, p, y, low, high, dtype):
    gradient = losses.gradient(name, np.array([[p]], dtype), [[y]])
    assert low <= gradient[0, 0] <= high


class TestParameters:
    def test_against_the_oracle(self, oracle, dtype):
        rng = np.random.default_rng(5)
        p, y = (2 * rng.normal(size=(2, 40, 3))).astype(dtype)
        for given, twin in [
            *((losses.huber(delta), oracle.huber(delta)) for delta in (0.25, 1, 3.5)),
            *((losses.quantile(q), oracle.quantile(q)) for q in (0.05, 0.5, 0.9)),
        ]:
            wide = p.astype(float), y.astype(float)
            np.testing.assert_allclose(
                losses.value(given, p, y), twin[0](*wide), **tolerance(dtype, 6)
            )
            np.testing.assert_allclose(
                losses.gradient(given, p, y), twin[1](*wide), **tolerance(dtype, 2)
            )

    def test_plain_names(self):
        p, y = rows("float64")
        for plain, given in (("huber", losses.huber()), ("quantile", losses.quantile())):
            np.testing.assert_array_equal(losses.value(plain, p, y), losses.value(given, p, y))
        assert losses.huber() == losses.huber(delta=1.0)
        assert losses.quantile() == losses.quantile(0.5)

    def test_huber_of_a_wide_range(self, dtype):
        e = np.array([[0.0], [1e-3], [1.0], [1e3], [np.inf]], dtype)
        np.testing.assert_allclose(
            losses.value(losses.huber(1e300), e, np.zeros((5, 1))),
            [0, 5e-7, 0.5, 5e5, np.inf],
            rtol=1e-6,
        )
        gradient = losses.gradient(losses.huber(2), e, np.zeros((5, 1)))
        np.testing.assert_allclose(gradient.ravel(), [0, 1e-3, 1, 2, 2], rtol=1e-6)

    def test_the_quantile_minimizes_its_loss(self):
        y = np.random.default_rng(2).normal(size=(1001, 1))
        candidates = np.linspace(-3, 3, 6001)
        for q in (0.1, 0.5, 0.8):
            loss = losses.quantile(q)
            total = [losses.value(loss, np.full_like(y, c), y).sum() for c in candidates[::20]]
            assert candidates[::20][np.argmin(total)] == pytest.approx(np.quantile(y, q), abs=0.03)

    def test_objects(self):
        one, other = losses.huber(2), losses.quantile(0.9)
        assert repr(one) == "fastnet.losses.huber(delta=2.0)"
        assert repr(other) == "fastnet.losses.quantile(0.9)"
        assert (one.name, one.parameter) == ("huber", 2.0)
        for loss in (one, other):
            for twin in (pickle.loads(pickle.dumps(loss)), copy.copy(loss), copy.deepcopy(loss)):
                assert twin == loss
                assert hash(twin) == hash(loss)
        assert losses.huber(np.float32(0.5)) == losses.huber(0.5)
        assert len({one, losses.huber(2.0), losses.huber(3), other}) == 3
        assert one != other
        assert one != "huber"
        with pytest.raises(AttributeError):
            one.parameter = 3

    @pytest.mark.parametrize("delta", [0, -1, math.inf, math.nan])
    def test_bad_delta(self, delta):
        with pytest.raises(ValueError, match="delta must be above 0 and finite, got"):
            losses.huber(delta)

    @pytest.mark.parametrize("q", [0, 1, -0.5, 90, math.nan])
    def test_bad_quantile(self, q):
        with pytest.raises(ValueError, match="q must be between 0 and 1, got"):
            losses.quantile(q)

    @pytest.mark.parametrize("bad", ["1", None, 1j, [1.0], True])
    def test_no_number(self, bad):
        with pytest.raises(TypeError, match="delta must be a number, got"):
            losses.huber(bad)
        with pytest.raises(TypeError, match="q must be a number, got"):
            losses.quantile(bad)

    def test_other_losses_have_none(self):
        with pytest.raises(ValueError, match=r"name must be .*huber, quantile.*got 'hinge'"):
            losses.ParameterizedLoss("hinge", 1.0)


@pytest.mark.parametrize("name", [name for name in losses.names() if name != "hinge"])
def test_against_torch(name):
    torch = pytest.importorskip("torch")
    functional = torch.nn.functional
    p, y = rows("float64")
    reference = {
        "squared_error": lambda p, y: functional.mse_loss(p, y, reduction="none"),
        "half_squared_error": lambda p, y: functional.mse_loss(p, y, reduction="none") / 2,
        "absolute_error": lambda p, y: functional.l1_loss(p, y, reduction="none"),
        "huber": lambda p, y: functional.huber_loss(p, y, reduction="none"),
        "log_cosh": lambda p, y: torch.log(torch.cosh(p - y)),
        "quantile": lambda p, y: functional.l1_loss(p, y, reduction="none") / 2,
        "cross_entropy": lambda p, y: -y * torch.log(p),
        "kl_divergence": lambda p, y: functional.kl_div(torch.log(p), y, reduction="none"),
        "binary_cross_entropy": lambda p, y: functional.binary_cross_entropy(
            p, y, reduction="none"
        ),
        "poisson": lambda p, y: functional.poisson_nll_loss(
            p, y, log_input=False, eps=0, reduction="none"
        ),
    }[name]
    tensor = torch.tensor(p, requires_grad=True)
    loss = reference(tensor, torch.tensor(y)).sum(axis=1)
    loss.sum().backward()
    np.testing.assert_allclose(losses.value(name, p, y), loss.detach().numpy(), rtol=1e-12)
    np.testing.assert_allclose(losses.gradient(name, p, y), tensor.grad.numpy(), rtol=1e-12)


@pytest.mark.parametrize("name", losses.names())
def test_nan_stays_in_its_row(name):
    y_pred, y = rows("float64")
    y_pred[2, 1] = np.nan
    nan = np.isnan(losses.value(name, y_pred, y))
    assert nan.tolist() == [row == 2 for row in range(7)]
    assert np.argwhere(np.isnan(losses.gradient(name, y_pred, y))).tolist() == [[2, 1]]


def test_any_layout_and_dtype():
    y_pred, y = rows("float64")
    expected = losses.value("squared_error", y_pred, y)
    wide = np.zeros((7, 10))
    wide[:, ::2] = y_pred
    for other in (np.asfortranarray(y_pred), wide[:, ::2], y_pred.tolist(), y_pred.astype(">f8")):
        np.testing.assert_array_equal(losses.value("squared_error", other, y), expected)
    # y takes the dtype of the predictions
    assert losses.value("squared_error", y_pred.astype("float32"), y).dtype == np.float32


@pytest.mark.parametrize(
    ("y_pred", "y", "error", "words"),
    [
        (np.ones((3, 2)), np.ones((3, 3)), ValueError, r"y must have shape \(3, 2\), got \(3, 3\)"),
        (np.ones((3, 2)), np.ones((4, 2)), ValueError, r"y must have shape \(3, 2\), got \(4, 2\)"),
        (np.ones((3, 1)), np.ones(4), ValueError, r"y must have shape \(3, 1\) or \(3,\), got"),
        (np.ones(3), np.ones(4), ValueError, r"y must have shape \(3,\) like y_pred, got \(4,\)"),
        (np.ones((2, 2, 2)), np.ones((2, 2, 2)), ValueError, "y_pred must have shape"),
        (np.ones((3, 2)) * 1j, np.ones((3, 2)), TypeError, "y_pred must hold real numbers"),
        (np.ones((3, 2)), [["a"] * 2] * 3, TypeError, "y must hold real numbers, got dtype <U1"),
    ],
)
@pytest.mark.parametrize("function", [losses.value, losses.gradient])
def test_wrong_arrays(function, y_pred, y, error, words):
    with pytest.raises(error, match=words):
        function("squared_error", y_pred, y)


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        ([0, 3], r"y\[1\] is 3: class labels must be from 0 to 2"),
        ([-1, 0], r"y\[0\] is -1: class labels must be from 0 to 2"),
        (np.array([0, 2**63], np.uint64), r"y\[1\] is 9223372036854775808"),
        ([0, 1, 2], r"y must hold one class label a row, shape \(2,\), got \(3,\)"),
    ],
)
def test_wrong_labels(labels, words):
    with pytest.raises(ValueError, match=words):
        losses.value("cross_entropy", np.full((2, 3), 1 / 3), labels)


def test_unknown_names_suggest_the_nearest():
    with pytest.raises(
        ValueError, match="unknown loss 'square_error': did you mean 'squared_error"
    ):
        losses.value("square_error", [1.0], [1.0])
    with pytest.raises(TypeError, match=r"name or a fastnet\.Loss, got NoneType"):
        losses.gradient(None, [1.0], [1.0])


class TestCustom:
    quartic = losses.Loss(quartic_value, quartic_gradient)

    def test_value_and_gradient(self, dtype):
        y_pred, y = rows(dtype)
        value = losses.value(self.quartic, y_pred, y)
        gradient = losses.gradient(self.quartic, y_pred, y)
        assert value.dtype == gradient.dtype == dtype
        np.testing.assert_array_equal(value, quartic_value(y_pred, y))
        np.testing.assert_array_equal(gradient, quartic_gradient(y_pred, y))
        assert losses.value(self.quartic, y_pred[0], y[0]) == value[0]

    def test_functions_may_change_what_they_get(self):
        def value(y_pred, y):
            y_pred -= y
            y[:] = 0
            return y_pred.sum(axis=1)

        y_pred, y = rows("float64")
        before = y_pred.copy(), y.copy()
        losses.value(losses.Loss(value, quartic_gradient), y_pred, y)
        np.testing.assert_array_equal((y_pred, y), before)

    def test_what_functions_return_is_checked(self):
        y = np.ones((2, 3))
        bad = losses.Loss(lambda y_pred, y: 1.0, lambda y_pred, y: y_pred[0], name="bad")
        with pytest.raises(
            ValueError, match=r"value of loss 'bad' must have shape \(2,\), got \(\)"
        ):
            losses.value(bad, y, y)
        with pytest.raises(ValueError, match=r"gradient of loss 'bad' must have shape \(2, 3\)"):
            losses.gradient(bad, y, y)
        bad = losses.Loss(lambda y_pred, y: [1j, 1j], quartic_gradient, name="bad")
        with pytest.raises(TypeError, match="value of loss 'bad' must hold real numbers"):
            losses.value(bad, y, y)

    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            ((1, abs), "value must be callable or a C function, got int"),
            ((abs, None), "gradient must be callable or a C function, got NoneType"),
            ((abs, abs, 3), "name must be a str or None, got int"),
        ],
    )
    def test_bad_arguments(self, arguments, words):
        with pytest.raises(TypeError, match=words):
            losses.Loss(*arguments)

    def test_equality_pickle_copy_and_repr(self):
        one = self.quartic
        for twin in (pickle.loads(pickle.dumps(one)), copy.copy(one), copy.deepcopy(one)):
            assert twin == one
            assert hash(twin) == hash(one)
            assert (twin.value, twin.gradient, twin.name) == (one.value, one.gradient, one.name)
        assert one != losses.Loss(quartic_value, quartic_value)
        assert repr(one) == "<fastnet.Loss 'quartic_value'>"
