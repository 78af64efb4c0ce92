"""First-order optimizers on flat vectors, against obvious float64 twins."""

import copy
import math
import pickle

import numpy as np
import pytest

from fastnet import optim

SGD_VARIANTS = [
    {},
    {"learning_rate": 0.3},
    {"momentum": 0.9},
    {"momentum": 0.5, "nesterov": True},
    {"weight_decay": 0.1},
    {"momentum": 0.9, "nesterov": True, "weight_decay": 0.01},
    {"normalize": True},
    {"normalize": True, "momentum": 0.8, "weight_decay": 0.05},
    {"clip_norm": 1.0},
    {"clip_value": 0.5, "momentum": 0.9},
    {"clip_norm": 1.0, "clip_value": 0.5, "weight_decay": 0.1},
]
ADAM_VARIANTS = [
    {},
    {"learning_rate": 0.1},
    {"beta1": 0.5, "beta2": 0.9},
    {"beta1": 0.0, "beta2": 0.0},
    {"epsilon": 0.1},
    {"clip_norm": 1.0},
    {"clip_value": 0.5},
]
ADAMW_VARIANTS = [{}, {"weight_decay": 0.0}, {"weight_decay": 0.5, "learning_rate": 0.1}]
RMSPROP_VARIANTS = [
    {},
    {"decay": 0.5, "learning_rate": 0.1},
    {"momentum": 0.9},
    {"epsilon": 0.1, "weight_decay": 0.1},
    {"centered": True, "epsilon": 0.1},
    {"centered": True, "epsilon": 0.1, "momentum": 0.5},
    {"momentum": 0.5, "weight_decay": 0.1},
    {"centered": True, "epsilon": 0.1, "weight_decay": 0.1},
    {"centered": True, "epsilon": 0.1, "weight_decay": 0.1, "momentum": 0.5, "clip_norm": 2.0},
]
ADAGRAD_VARIANTS = [
    {},
    {"initial": 0.5, "epsilon": 0.1},
    {"weight_decay": 0.1, "learning_rate": 0.1},
    {"clip_norm": 0.5, "clip_value": 0.4},
]
RPROP_VARIANTS = [
    {},
    {"learning_rate": 0.5, "grow": 2.0, "shrink": 0.25},
    {"min_step": 0.008, "max_step": 0.011},
]
VARIANTS = [
    *(("SGD", v) for v in SGD_VARIANTS),
    *(("Adam", v) for v in ADAM_VARIANTS),
    *(("AdamW", v) for v in ADAMW_VARIANTS),
    *(("RMSProp", v) for v in RMSPROP_VARIANTS),
    *(("Adagrad", v) for v in ADAGRAD_VARIANTS),
    *(("Rprop", v) for v in RPROP_VARIANTS),
]
KINDS = [optim.SGD, optim.Adam, optim.AdamW, optim.RMSProp, optim.Adagrad, optim.Rprop]
with_variants = pytest.mark.parametrize(
    ("kind", "arguments"), VARIANTS, ids=[f"{k}-{'-'.join(v) or 'default'}" for k, v in VARIANTS]
)


def vectors(n, dtype, n_steps=5, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=n).astype(dtype), rng.normal(size=(n_steps, n)).astype(dtype)


def state_equal(a, b):
    a, b = a.get_state(), b.get_state()
    assert a.keys() == b.keys()
    for name in a:
        np.testing.assert_array_equal(a[name], b[name])


@with_variants
@pytest.mark.parametrize("n", [1, 7, 16, 33, 101])
def test_against_the_twin(oracle, kind, arguments, n, dtype):
    parameters, gradients = vectors(n, dtype)
    optimizer = getattr(optim, kind)(**arguments)
    twin = getattr(oracle, kind)(**arguments)
    expected = parameters.astype(float)
    for step, gradient in enumerate(gradients):
        optimizer.step(parameters, gradient)
        expected = twin.step(expected, gradient.astype(float))
        # Each of the steps so far rounds the parameters and, a few times, the state.
        eps = 16 * (step + 1) * np.finfo(dtype).eps
        np.testing.assert_allclose(parameters, expected, rtol=eps, atol=eps)
    assert parameters.dtype == dtype
    assert optimizer.step_count == len(gradients)


@with_variants
def test_the_gradient_is_left_alone(kind, arguments, dtype):
    parameters, gradients = vectors(20, dtype)
    before = gradients.copy()
    optimizer = getattr(optim, kind)(**arguments)
    for gradient in gradients:
        optimizer.step(parameters, gradient)
    np.testing.assert_array_equal(gradients, before)


@pytest.mark.parametrize("exponent", [-0.98, -0.52, -0.1, 0, 0.1, 0.52, 0.98])
def test_normalized_steps_have_the_length_of_the_rate(dtype, exponent):
    # Powers of the largest number: at both ends the squares leave the range of the dtype.
    scale = float(np.finfo(dtype).max) ** exponent
    parameters = np.zeros(2, dtype)
    optim.SGD(learning_rate=0.5, normalize=True).step(
        parameters, np.array([3 * scale, -4 * scale], dtype)
    )
    np.testing.assert_allclose(parameters, [-0.3, 0.4], rtol=8 * np.finfo(dtype).eps)


def test_a_zero_gradient_is_no_normalized_step(dtype):
    parameters = np.ones(5, dtype)
    optim.SGD(normalize=True).step(parameters, np.zeros(5, dtype))
    np.testing.assert_array_equal(parameters, np.ones(5))


@with_variants
def test_nan_and_infinity_arrive(kind, arguments, dtype):
    parameters, gradients = vectors(20, dtype)
    gradient = gradients[0]
    gradient[3] = np.nan
    optimizer = getattr(optim, kind)(**arguments)
    optimizer.step(parameters, gradient)
    assert np.isnan(parameters[3])
    if not arguments.get("normalize"):  # whose norm is NaN
        assert np.isfinite(np.delete(parameters, 3)).all()


def test_any_array_like_is_a_gradient(dtype):
    parameters, _ = vectors(6, dtype)
    expected = parameters.copy()
    optim.SGD().step(expected, np.arange(6, dtype=dtype))
    for gradient in (np.arange(6), list(range(6)), np.arange(12.0)[::2] / 2):
        p = parameters.copy()
        optim.SGD().step(p, gradient)
        np.testing.assert_array_equal(p, expected)


def test_an_empty_vector(dtype):
    optimizer = optim.Adam()
    optimizer.step(np.zeros(0, dtype), [])
    assert optimizer.step_count == 1


class TestLearningRate:
    def test_callable_gets_the_index_of_the_step(self):
        asked = []

        def rate(step):
            asked.append(step)
            return 1.0 / (1 + step)

        optimizer = optim.SGD(rate)
        parameters = np.zeros(1)
        for _ in range(3):
            optimizer.step(parameters, np.ones(1))
        assert asked == [0, 1, 2]
        assert parameters[0] == pytest.approx(-(1 + 1 / 2 + 1 / 3), rel=1e-15)

    def test_zero_from_a_schedule_is_no_step(self):
        optimizer = optim.SGD(lambda step: 0.1 * step)
        parameters = np.ones(1)
        optimizer.step(parameters, np.ones(1))
        assert parameters[0] == 1
        optimizer.step(parameters, np.ones(1))
        assert parameters[0] == 0.9

    @pytest.mark.parametrize(
        ("returned", "error"),
        [(-1.0, ValueError), (math.nan, ValueError), (math.inf, ValueError), (None, TypeError),
         ("0.1", TypeError), (1j, TypeError)],
    )  # fmt: skip
    def test_what_a_schedule_returns_is_checked(self, returned, error):
        optimizer = optim.Adam(lambda step: 0.1 if step == 0 else returned)
        parameters = np.ones(3)
        optimizer.step(parameters, np.ones(3))
        state, before = optimizer.get_state(), parameters.copy()
        with pytest.raises(error, match=r"learning_rate\(1\) must be "):
            optimizer.step(parameters, np.ones(3))
        np.testing.assert_array_equal(parameters, before)
        assert optimizer.step_count == state["step_count"] == 1
        np.testing.assert_array_equal(optimizer.get_state()["m"], state["m"])

    def test_it_can_be_changed(self):
        optimizer = optim.SGD(0.5)
        optimizer.learning_rate = 0.25
        assert optimizer.learning_rate == 0.25
        parameters = np.zeros(1)
        optimizer.step(parameters, np.ones(1))
        assert parameters[0] == -0.25
        with pytest.raises(ValueError, match="learning_rate"):
            optimizer.learning_rate = 0
        assert optimizer.learning_rate == 0.25


@pytest.mark.parametrize("value", [-0.1, 0.0, math.inf, math.nan])
@pytest.mark.parametrize("kind", KINDS)
def test_bad_learning_rates(kind, value):
    with pytest.raises(ValueError, match=r"learning_rate must be in \(0, inf\), got "):
        kind(learning_rate=value)


@pytest.mark.parametrize("value", ["0.1", None, 1j, [0.1], True])
@pytest.mark.parametrize("kind", KINDS)
def test_learning_rates_of_a_wrong_type(kind, value):
    with pytest.raises(TypeError, match="learning_rate must be a number"):
        kind(learning_rate=value)


@pytest.mark.parametrize(
    ("kind", "name", "value", "interval"),
    [
        ("SGD", "momentum", -0.1, r"\[0, 1\)"),
        ("SGD", "momentum", 1.0, r"\[0, 1\)"),
        ("SGD", "weight_decay", -1e-9, r"\[0, inf\)"),
        ("SGD", "weight_decay", math.inf, r"\[0, inf\)"),
        ("Adam", "beta1", 1.0, r"\[0, 1\)"),
        ("Adam", "beta2", -0.5, r"\[0, 1\)"),
        ("Adam", "beta2", math.nan, r"\[0, 1\)"),
        ("Adam", "epsilon", 0.0, r"\(0, inf\)"),
        ("Adam", "clip_norm", 0.0, r"\(0, inf\)"),
        ("SGD", "clip_value", math.inf, r"\(0, inf\)"),
        ("AdamW", "weight_decay", -1.0, r"\[0, inf\)"),
        ("AdamW", "beta1", 1.0, r"\[0, 1\)"),
        ("RMSProp", "decay", 1.0, r"\[0, 1\)"),
        ("RMSProp", "momentum", 1.0, r"\[0, 1\)"),
        ("RMSProp", "epsilon", 0.0, r"\(0, inf\)"),
        ("RMSProp", "weight_decay", math.nan, r"\[0, inf\)"),
        ("Adagrad", "initial", -0.1, r"\[0, inf\)"),
        ("Adagrad", "epsilon", 0.0, r"\(0, inf\)"),
        ("Rprop", "grow", 1.0, r"\(1, inf\)"),
        ("Rprop", "shrink", 1.0, r"\(0, 1\)"),
        ("Rprop", "min_step", 0.0, r"\(0, inf\)"),
        ("Rprop", "max_step", 1e-7, r"\[1e-06, inf\)"),
    ],
)
def test_bad_hyperparameters(kind, name, value, interval):
    with pytest.raises(ValueError, match=f"{name} must be in {interval}, got "):
        getattr(optim, kind)(**{name: value})


def test_nesterov_needs_momentum():
    with pytest.raises(ValueError, match="nesterov needs momentum > 0"):
        optim.SGD(nesterov=True)


def test_normalize_and_clipping_exclude_each_other():
    for clip in ({"clip_norm": 1.0}, {"clip_value": 1.0}):
        with pytest.raises(ValueError, match="normalize=True fixes the length"):
            optim.SGD(normalize=True, **clip)


def test_clipping_is_by_keyword_only():
    with pytest.raises(TypeError, match="positional"):
        optim.Adam(1e-3, 0.9, 0.999, 1e-8, 1.0)


def test_the_base_is_abstract():
    with pytest.raises(TypeError, match="base class"):
        optim.Optimizer(0.1)


@pytest.mark.parametrize(
    ("parameters", "gradient", "error", "words"),
    [
        ([1.0, 2.0], [0, 0], TypeError, "parameters must be a numpy.ndarray, got list"),
        (np.arange(2), [0, 0], TypeError, "dtype float32 or float64, got int64"),
        (np.ones(2, ">f4"), [0, 0], TypeError, "parameters must have dtype float32, got >f4"),
        (np.ones((2, 1)), [0, 0], ValueError, r"parameters must have shape \(2,\), got \(2, 1\)"),
        (np.ones(4)[::2], [0, 0], ValueError, "parameters must be C-contiguous"),
        (np.broadcast_to(1.0, (1,)), [0], ValueError, "parameters must be writable"),
        (np.frombuffer(bytearray(17), offset=1), [0, 0], ValueError, "parameters must be aligned"),
        (np.ones(2), [0, 0, 0], ValueError, r"gradient must have shape \(2,\).*got \(3,\)"),
        (np.ones(2), [[0, 0]], ValueError, r"gradient must have shape \(2,\).*got \(1, 2\)"),
        (np.ones(2), [1j, 0], TypeError, "gradient must hold real numbers, got dtype complex"),
    ],
)
def test_bad_arrays(parameters, gradient, error, words):
    optimizer = optim.Adam()
    before = np.array(parameters)
    with pytest.raises(error, match=words):
        optimizer.step(parameters, gradient)
    np.testing.assert_array_equal(parameters, before)
    assert optimizer.get_state() == {"step_count": 0}


def test_parameters_are_not_their_own_gradient():
    both = np.ones(5)
    with pytest.raises(ValueError, match="parameters must not share memory with gradient"):
        optim.SGD().step(both, both)
    with pytest.raises(ValueError, match="must not share memory"):
        optim.SGD().step(both[:3], both[2:])
    optim.SGD().step(both[:2], both[2:4])


@pytest.mark.parametrize("other", [np.ones(4), np.ones(3, "float32")])
@pytest.mark.parametrize("kind", KINDS)
def test_one_vector_until_reset(kind, other):
    optimizer = kind()
    optimizer.step(np.ones(3), np.ones(3))
    before = other.copy()
    with pytest.raises(ValueError, match=r"3 parameters of float64.*call reset\(\) first"):
        optimizer.step(other, np.ones(len(other)))
    np.testing.assert_array_equal(other, before)
    assert optimizer.step_count == 1
    optimizer.reset()
    optimizer.step(other, np.ones(len(other)))
    assert (other != before).all()
    assert optimizer.step_count == 1


@with_variants
def test_reset_is_a_new_optimizer(kind, arguments):
    start, gradients = vectors(20, "float64")
    optimizer = getattr(optim, kind)(**arguments)
    first, second = start.copy(), start.copy()
    for gradient in gradients:
        optimizer.step(first, gradient)
    optimizer.reset()
    assert optimizer.step_count == 0
    for gradient in gradients:
        optimizer.step(second, gradient)
    np.testing.assert_array_equal(first, second)


@with_variants
@pytest.mark.parametrize(
    "clone", [copy.copy, copy.deepcopy, lambda o: pickle.loads(pickle.dumps(o))]
)
def test_copies_go_on_alone(kind, arguments, clone, dtype):
    parameters, gradients = vectors(20, dtype)
    optimizer = getattr(optim, kind)(**arguments)
    fresh = clone(optimizer)
    assert repr(fresh) == repr(optimizer)
    optimizer.step(parameters, gradients[0])
    twin = clone(optimizer)
    state_equal(optimizer, twin)
    other = parameters.copy()
    optimizer.step(parameters, gradients[1])
    assert twin.step_count == 1
    twin.step(other, gradients[1])
    np.testing.assert_array_equal(parameters, other)
    state_equal(optimizer, twin)


class TestState:
    def test_round_trip(self):
        parameters, gradients = vectors(9, "float32")
        optimizer = optim.Adam()
        optimizer.step(parameters, gradients[0])
        state = optimizer.get_state()
        assert state["dtype"] == "float32"
        assert state["size"] == 9
        state["m"][0] = 3
        assert optimizer.get_state()["m"][0] != 3
        other = optim.Adam()
        other.set_state(state)
        assert other.step_count == 1
        np.testing.assert_array_equal(other.get_state()["m"], state["m"])

    @pytest.mark.parametrize(
        ("change", "words"),
        [
            ({"step_count": -1}, "step_count"),
            ({"step_count": 1.5}, "step_count"),
            ({"dtype": "int32"}, "dtype"),
            ({"m": np.ones(3)}, r"state\['m'\] must have shape \(4,\), got \(3,\)"),
            ({"velocity": np.ones(4)}, "must hold the arrays"),
        ],
    )
    def test_what_does_not_fit(self, change, words):
        optimizer = optim.Adam()
        optimizer.step(np.ones(4), np.ones(4))
        before = copy.copy(optimizer)
        with pytest.raises(ValueError, match=words):
            optimizer.set_state({**optimizer.get_state(), **change})
        state_equal(optimizer, before)

    def test_of_another_kind(self):
        optimizer = optim.SGD(momentum=0.9)
        optimizer.step(np.ones(4), np.ones(4))
        with pytest.raises(
            ValueError, match=r"must hold the arrays \['m', 'v'\], got \['velocity'\]"
        ):
            optim.Adam().set_state(optimizer.get_state())


def test_repr_shows_what_is_not_default():
    assert repr(optim.SGD()) == "SGD()"
    assert repr(optim.SGD(0.1, momentum=0.9, nesterov=True)) == (
        "SGD(learning_rate=0.1, momentum=0.9, nesterov=True)"
    )
    assert repr(optim.Adam(beta2=0.99)) == "Adam(beta2=0.99)"
    assert repr(optim.Adam(clip_norm=2)) == "Adam(clip_norm=2.0)"
    assert repr(optim.AdamW(weight_decay=0.1)) == "AdamW(weight_decay=0.1)"
    assert repr(optim.RMSProp(centered=True)) == "RMSProp(centered=True)"
    assert repr(optim.Adagrad(initial=1)) == "Adagrad(initial=1.0)"
    assert repr(optim.Rprop(0.5)) == "Rprop(learning_rate=0.5)"
    assert repr(optim.Adam(optim.schedules.Step(0.5, 10))) == (
        "Adam(learning_rate=Step(initial=0.5, every=10, factor=0.1))"
    )


def test_hyperparameters_can_be_read():
    sgd = optim.SGD(0.1, 0.9, True, 0.01, True)
    assert (sgd.learning_rate, sgd.momentum, sgd.nesterov, sgd.weight_decay, sgd.normalize) == (
        0.1, 0.9, True, 0.01, True,
    )  # fmt: skip
    adam = optim.Adam(0.1, 0.8, 0.9, 1e-6)
    assert (adam.learning_rate, adam.beta1, adam.beta2, adam.epsilon) == (0.1, 0.8, 0.9, 1e-6)


@with_variants
def test_every_hyperparameter_can_be_read(kind, arguments):
    optimizer = getattr(optim, kind)(**arguments)
    assert {name: getattr(optimizer, name) for name in arguments} == arguments
    assert optimizer.is_full_batch == (kind == "Rprop")


def test_rprop_takes_no_schedule():
    with pytest.raises(TypeError, match="learning_rate of Rprop must be a number"):
        optim.Rprop(lambda step: 0.1)
    optimizer = optim.Rprop()
    with pytest.raises(TypeError, match="it takes no schedule, got Step"):
        optimizer.learning_rate = optim.schedules.Step(0.5, 10)
    assert optimizer.learning_rate == 0.01


def test_rprop_compares_signs_of_gradients_whose_product_is_zero(dtype):
    tiny = np.finfo(dtype).tiny
    optimizer = optim.Rprop(1.0, grow=2.0)
    parameters = np.zeros(1, dtype)
    for _ in range(3):
        optimizer.step(parameters, np.full(1, tiny, dtype))
    assert parameters[0] == -(1 + 2 + 4)


def test_a_centered_variance_of_zero_is_not_negative(dtype):
    # mean of squares and square of the mean are equal but for rounding
    optimizer = optim.RMSProp(0.1, decay=0.5, centered=True, epsilon=1.0)
    parameters = np.zeros(50, dtype)
    gradient = np.linspace(0.1, 3, 50).astype(dtype)
    for _ in range(100):
        optimizer.step(parameters, gradient)
    assert np.isfinite(parameters).all()


def test_moments_that_decay_do_not_end_as_denormals(dtype):
    # Rounding to the nearest denormal would keep them at a few times the smallest one for ever.
    optimizer = optim.Adam(beta1=0.9)
    parameters = np.zeros(1, dtype)
    optimizer.step(parameters, np.full(1, np.finfo(dtype).tiny, dtype))
    for _ in range(200):
        optimizer.step(parameters, np.zeros(1, dtype))
    assert optimizer.get_state()["m"][0] == 0
