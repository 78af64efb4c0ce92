"""What L-BFGS and Levenberg-Marquardt share: ends, state, errors, and that nothing gets worse."""

import copy
import pickle

import numpy as np
import pytest

from fastnet import optim
from fastnet.optim.full_batch import FullBatchOptimizer, descend
from fastnet.optim.objective import CallableObjective, CallableResiduals, Objective, Residuals

KINDS = [optim.LBFGS, optim.LevenbergMarquardt]
MATRIX = np.random.default_rng(0).normal(size=(30, 6))
START = np.linspace(-2, 3, 6)


def residuals(x):
    return np.sin(MATRIX @ x.astype(float)) + 0.1 * (MATRIX @ x.astype(float)) - 1


def jacobian(x):
    return (np.cos(MATRIX @ x.astype(float)) + 0.1)[:, None] * MATRIX


def curved(dtype="float64"):
    """Sums of squares with many minima."""
    return CallableResiduals(6, residuals, jacobian, dtype)


def straight(target=1.0, dtype="float64"):
    return CallableResiduals(6, lambda x: MATRIX @ x - target, lambda x: MATRIX, dtype)


@pytest.mark.parametrize("kind", KINDS)
def test_every_iteration_is_no_worse_than_the_last(kind, dtype):
    for seed in range(10):
        optimizer, f = kind(), curved(dtype)
        x = np.random.default_rng(seed).normal(size=6, scale=3)
        last = 0.5 * (residuals(x) ** 2).sum()
        for _ in range(200):
            x, value, n = descend(optimizer, f, x, 1)
            assert n == 1
            assert value <= last
            assert value == pytest.approx(0.5 * (residuals(x) ** 2).sum(), rel=1e-12)
            last = value
            if optimizer.reason is not None:
                break
        gradient = jacobian(x).T @ residuals(x)
        # where float32 can place x: the Hessian is at most |J|^2 + |r| |J|^2 or so
        size = np.linalg.norm(MATRIX, 2) ** 2 * (1 + np.linalg.norm(residuals(x), np.inf))
        bound = np.sqrt(np.finfo(dtype).eps) * size * max(1, np.linalg.norm(x))
        assert np.linalg.norm(gradient) <= bound
        assert optimizer.converged == (optimizer.reason != "stalled")


@pytest.mark.parametrize("kind", KINDS)
def test_gradient_is_the_reason_at_a_minimum(kind):
    expected = np.linalg.lstsq(MATRIX, np.ones(30), rcond=None)[0]
    optimizer = kind()
    x, _, n = descend(optimizer, straight(), START)
    assert optimizer.reason == "gradient"
    assert optimizer.converged is True
    assert optimizer.step_count == n
    gradient = MATRIX.T @ (MATRIX @ x - 1)
    assert np.linalg.norm(gradient) <= 1e-8 * max(1, 0.5 * ((MATRIX @ x - 1) ** 2).sum())
    least = np.linalg.svd(MATRIX, compute_uv=False)[-1] ** 2
    assert np.linalg.norm(x - expected) <= np.linalg.norm(gradient) / least * 1.01
    # and again at once, without a move
    again, _, n = descend(optimizer, straight(), x)
    assert n == 1
    assert optimizer.reason == "gradient"
    np.testing.assert_array_equal(again, x)


@pytest.mark.parametrize("kind", KINDS)
def test_zero_tolerance_ends_at_rounding(kind, dtype):
    optimizer = kind(tolerance=0.0)
    x, _, n = descend(optimizer, straight(dtype=dtype), START, 500)
    assert n < 100
    assert optimizer.reason is not None
    expected = np.linalg.lstsq(MATRIX, np.ones(30), rcond=None)[0]
    # A value within rounding of the least one allows the square root of it in x.
    np.testing.assert_allclose(x, expected, atol=10 * np.sqrt(np.finfo(dtype).eps))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("scale", "distance"),
    [(1e-12, 1.0), (1e-6, 1.0), (1e6, 1.0), (1e12, 1.0), (1.0, 1e9), (1e6, 1e9)],
)
def test_it_does_not_end_early_whatever_the_scale(kind, scale, distance):
    f = CallableResiduals(6, lambda x: scale * (MATRIX @ x - 1), lambda x: scale * MATRIX)
    optimizer = kind()
    x, _, n = descend(optimizer, f, distance * START)
    assert optimizer.converged
    assert n < 100
    expected = np.linalg.lstsq(MATRIX, np.ones(30), rcond=None)[0]
    np.testing.assert_allclose(x, expected, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_evaluations_are_counted(kind):
    calls = []

    def counted(x):
        calls.append(x)
        return residuals(x)

    optimizer = kind()
    descend(optimizer, CallableResiduals(6, counted, jacobian), START, 7)
    assert optimizer.n_evaluations == len(calls) > 7
    optimizer.reset()
    assert optimizer.n_evaluations == 0
    assert optimizer.reason is None


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_start_that_is_not_finite(kind, bad):
    f = CallableResiduals(2, lambda x: np.array([x[0], bad]), lambda x: np.ones((2, 2)))
    optimizer = kind()
    x, value, n = descend(optimizer, f, [1.0, 2.0])
    assert n == 1
    assert not np.isfinite(value)
    assert optimizer.reason is None
    np.testing.assert_array_equal(x, [1, 2])
    # and it can go on elsewhere
    optimizer.reset()
    _, value, _ = descend(optimizer, straight(), START)
    assert np.isfinite(value)
    assert optimizer.converged


@pytest.mark.parametrize("kind", KINDS)
def test_steps_into_what_is_not_finite_are_cut(kind):
    # log r explodes below 0, where the first step leads
    f = CallableResiduals(
        1,
        lambda x: np.log(x) if x[0] > 0 else np.array([np.nan]),
        lambda x: 1 / x[:, None] if x[0] > 0 else np.array([[np.nan]]),
    )
    x, _, _ = descend(kind(), f, [60.0], 100)
    assert x[0] == pytest.approx(1, abs=1e-7)


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_of_the_function_arrives(kind):
    n_calls = 0

    def fails(x):
        nonlocal n_calls
        n_calls += 1
        if n_calls > 4:
            raise RuntimeError("no more")
        return residuals(x)

    optimizer = kind()
    with pytest.raises(RuntimeError, match="no more"):
        descend(optimizer, CallableResiduals(6, fails, jacobian), START)
    # it is free again
    optimizer.reset()
    descend(optimizer, curved(), START, 2)


@pytest.mark.parametrize("kind", KINDS)
def test_the_objective_may_change(kind):
    # What was known of the first one must not be taken for the second, even at the same x.
    optimizer = kind()
    x, _, _ = descend(optimizer, straight(1.0), START, 3)
    _, value, _ = descend(optimizer, straight(5.0), x, 1)
    assert value < 0.5 * ((MATRIX @ x - 5) ** 2).sum()
    x, _, _ = descend(optimizer, straight(5.0), x)
    assert optimizer.converged
    expected = np.linalg.lstsq(MATRIX, np.full(30, 5.0), rcond=None)[0]
    np.testing.assert_allclose(x, expected, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n_before", [0, 1, 4, 25])
@pytest.mark.parametrize(
    "clone", [copy.copy, copy.deepcopy, lambda o: pickle.loads(pickle.dumps(o))]
)
def test_copies_go_on_alone(kind, n_before, clone, dtype):
    optimizer, f = kind(tolerance=0.0), curved(dtype)
    x = START
    if n_before:
        x, _, _ = descend(optimizer, f, x, n_before)
    twin = clone(optimizer)
    assert repr(twin) == repr(optimizer)
    assert twin.step_count == optimizer.step_count
    assert twin.n_evaluations == optimizer.n_evaluations
    first, value, _ = descend(optimizer, f, x, 5)
    second, other, _ = descend(twin, f, x, 5)
    np.testing.assert_array_equal(first, second)
    assert value == other


@pytest.mark.parametrize("kind", KINDS)
def test_reset_is_a_new_optimizer(kind):
    optimizer, f = kind(), curved()
    first, _, _ = descend(optimizer, f, START, 6)
    optimizer.reset()
    assert optimizer.step_count == 0
    second, _, _ = descend(optimizer, f, START, 6)
    np.testing.assert_array_equal(first, second)
    optimizer.reset()
    descend(optimizer, CallableResiduals(2, lambda x: x, lambda x: np.eye(2), "float32"), [1, 2], 3)


@pytest.mark.parametrize("kind", KINDS)
def test_one_vector_until_reset(kind):
    optimizer = kind()
    descend(optimizer, curved(), START, 2)
    with pytest.raises(
        ValueError, match=r"state for 6 parameters of float64.*call reset\(\) first"
    ):
        descend(optimizer, curved("float32"), START, 2)


@pytest.mark.parametrize("kind", KINDS)
def test_no_step_from_a_gradient_alone(kind):
    optimizer = kind()
    with pytest.raises(
        TypeError, match=rf"{kind.__name__} evaluates the objective itself.*net.fit"
    ):
        optimizer.step(np.ones(2), np.ones(2))
    assert optimizer.is_full_batch
    assert not hasattr(optimizer, "learning_rate")
    with pytest.raises(AttributeError, match="has no learning_rate"):
        optimizer.learning_rate = 0.1


def test_bases_are_abstract():
    with pytest.raises(TypeError, match="base class"):
        FullBatchOptimizer(0.1)
    for objective in (Objective(), Residuals()):
        assert objective.n == 0


@pytest.mark.parametrize("kind", KINDS)
def test_bad_starts(kind):
    with pytest.raises(ValueError, match=r"x must have shape \(6,\), got \(5,\)"):
        descend(kind(), curved(), np.ones(5))
    f = CallableResiduals(2, lambda x: np.ones(3), lambda x: np.eye(2))
    with pytest.raises(ValueError, match=r"jacobian\(x\) must have shape \(3, 2\), got \(2, 2\)"):
        descend(kind(), f, np.ones(2))


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: optim.LBFGS(memory=0), ValueError, "memory must be at least 1, got 0"),
        (lambda: optim.LBFGS(memory=2.0), TypeError, "memory must be an int, got 2.0"),
        (lambda: optim.LBFGS(tolerance=-1), ValueError, r"tolerance must be in \[0, inf\)"),
        (lambda: optim.LBFGS(max_line_search=0), ValueError, "max_line_search must be at least 1"),
        (lambda: optim.LevenbergMarquardt(0), ValueError, r"damping must be in \(0, inf\), got 0"),
        (lambda: optim.LevenbergMarquardt(tolerance="1"), TypeError, "tolerance must be a number"),
    ],
)
def test_bad_arguments(make, error, words):
    with pytest.raises(error, match=words):
        make()


@pytest.mark.parametrize(
    ("kind", "change", "words"),
    [
        ("LBFGS", {"s": np.ones((2, 5))}, r"state\['s'\] must have shape"),
        ("LBFGS", {"s": np.ones((1, 6))}, "must have as many rows"),
        ("LBFGS", {"s": np.ones((11, 6)), "y": np.ones((11, 6))}, "at most 10, got 11 and 11"),
        ("LBFGS", {"dtype": "int8"}, "dtype"),
        ("LBFGS", {"m": np.ones(6)}, "must hold the arrays"),
        ("LBFGS", {"step_count": -1}, "step_count"),
        ("LBFGS", {"n_evaluations": -1}, "n_evaluations"),
        ("LBFGS", {"n_flat": -1}, "n_flat"),
        ("LBFGS", {"largest_gradient": np.nan}, "largest_gradient"),
        ("LevenbergMarquardt", {"mu": -1.0}, r"state\['mu'\] must be in \[0, inf\)"),
        ("LevenbergMarquardt", {"nu": 1.0}, r"state\['nu'\] must be in \[2, inf\)"),
        ("LevenbergMarquardt", {"s": np.ones(6)}, "must hold the arrays"),
    ],
)
def test_state_that_does_not_fit(kind, change, words):
    optimizer = getattr(optim, kind)(tolerance=0.0)
    x, _, _ = descend(optimizer, curved(), START, 4)
    twin = copy.copy(optimizer)
    with pytest.raises(ValueError, match=words):
        optimizer.set_state({**optimizer.get_state(), **change})
    first, _, _ = descend(optimizer, curved(), x, 3)
    second, _, _ = descend(twin, curved(), x, 3)
    np.testing.assert_array_equal(first, second)


def test_repr():
    assert repr(optim.LBFGS()) == "LBFGS()"
    assert repr(optim.LBFGS(5, 1e-6, 10)) == "LBFGS(memory=5, tolerance=1e-06, max_line_search=10)"
    assert repr(optim.LevenbergMarquardt(scale=True)) == "LevenbergMarquardt(scale=True)"
    assert repr(optim.LevenbergMarquardt(0.5)) == "LevenbergMarquardt(damping=0.5)"


def test_an_empty_vector():
    f = CallableObjective(0, lambda x: 1.0, lambda x: x)
    _, value, n = descend(optim.LBFGS(), f, [])
    assert (value, n) == (1.0, 1)


@pytest.mark.parametrize(
    "name", ["sgd", "adam", "adamw", "rmsprop", "adagrad", "rprop", "lbfgs", "levenberg_marquardt"]
)
def test_names(name):
    from fastnet.optim.optimizers import resolve

    optimizer = resolve(name)
    assert type(optimizer).__name__.lower() == name.replace("_", "")
    assert resolve(optimizer) is optimizer
    assert repr(optimizer) == f"{type(optimizer).__name__}()"


def test_unknown_names():
    from fastnet.optim.optimizers import resolve

    with pytest.raises(ValueError, match="unknown optimizer 'l-bfgs': did you mean 'lbfgs'"):
        resolve("l-bfgs")
    with pytest.raises(TypeError, match="got LBFGS itself"):
        resolve(optim.LBFGS)
