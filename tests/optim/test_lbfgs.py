"""L-BFGS on functions whose minima are known, and beside SciPy's."""

import numpy as np
import pytest

from fastnet.optim import LBFGS
from fastnet.optim.full_batch import descend
from fastnet.optim.objective import CallableObjective


def rosenbrock(x):
    x = x.astype(float)
    return float((100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum())


def rosenbrock_gradient(x):
    x = x.astype(float)
    g = np.zeros(len(x))
    d = x[1:] - x[:-1] ** 2
    g[1:] = 200 * d
    g[:-1] += -400 * x[:-1] * d - 2 * (1 - x[:-1])
    return g


def rosenbrock_start(n):
    return np.tile([-1.2, 1.0], n // 2)


def minimize(value, gradient, start, dtype="float64", max_iterations=2000, **options):
    optimizer = LBFGS(**options)
    f = CallableObjective(len(start), value, gradient, dtype)
    x, last, n = descend(optimizer, f, start, max_iterations)
    assert last == value(x)
    return optimizer, x, n


@pytest.mark.parametrize("n", [2, 10, 100])
@pytest.mark.parametrize("memory", [1, 3, 10, 50])
def test_rosenbrock(n, memory):
    optimizer, x, _ = minimize(
        rosenbrock, rosenbrock_gradient, rosenbrock_start(n), memory=memory, tolerance=1e-10
    )
    assert optimizer.reason == "gradient"
    # The least eigenvalue of the Hessian at the minimum is 0.399 in 2-D and larger in more.
    np.testing.assert_allclose(x, np.ones(n), atol=1e-10 / 0.39)


@pytest.mark.parametrize("n", [2, 100])
def test_rosenbrock_in_float32(n):
    optimizer, x, n_iterations = minimize(
        rosenbrock, rosenbrock_gradient, rosenbrock_start(n), "float32", tolerance=0.0
    )
    assert n_iterations < 2000
    assert optimizer.reason is not None
    # x is rounded, which costs about |f''| (eps x)^2 / 2 each in the value, |f''| <= 1002
    assert rosenbrock(x) <= 1002 / 2 * n * np.finfo("float32").eps ** 2 * 100
    np.testing.assert_allclose(x, np.ones(n), atol=2e-3)


@pytest.mark.parametrize("offset", [0.0, 1.0, -1e3])
@pytest.mark.parametrize("condition", [1.0, 1e2, 1e4])
def test_quadratics(condition, offset):
    weights = np.logspace(0, np.log10(condition), 30)
    optimizer, x, _ = minimize(
        lambda x: float(offset + 0.5 * x @ (weights * x)),
        lambda x: weights * x,
        np.ones(30),
        tolerance=1e-10 / max(1, abs(offset)),
    )
    if offset == 0:
        assert optimizer.reason == "gradient"
        np.testing.assert_allclose(x, np.zeros(30), atol=1e-10)
    else:
        # The value alone tells x to no more than this.
        assert optimizer.converged
        least = np.sqrt(2 * 1e3 * np.finfo(float).eps * abs(offset))
        assert np.sqrt(x @ (weights * x)) <= least


@pytest.mark.parametrize("factor", [1e-8, 1e-3, 1e3, 1e8])
def test_the_scale_of_the_function_does_not_matter(factor):
    optimizer, x, _ = minimize(
        lambda x: factor * rosenbrock(x),
        lambda x: factor * rosenbrock_gradient(x),
        rosenbrock_start(10),
        tolerance=0.0,
    )
    assert optimizer.n_evaluations < 300
    np.testing.assert_allclose(x, np.ones(10), atol=1e-7)


@pytest.mark.parametrize("factor", [1e-6, 1e6])
def test_the_scale_of_the_arguments_does_not_matter(factor):
    _, x, _ = minimize(
        lambda x: rosenbrock(x / factor),
        lambda x: rosenbrock_gradient(x / factor) / factor,
        factor * rosenbrock_start(10),
        tolerance=0.0,
    )
    np.testing.assert_allclose(x / factor, np.ones(10), atol=1e-7)


def test_it_is_as_frugal_as_scipys():
    optimize = pytest.importorskip("scipy.optimize")
    rng = np.random.default_rng(0)
    matrix = rng.normal(size=(200, 20))
    signs = np.sign(matrix @ rng.normal(size=20) + rng.normal(size=200))
    problems = [
        (rosenbrock, rosenbrock_gradient, rosenbrock_start(2)),
        (rosenbrock, rosenbrock_gradient, rosenbrock_start(100)),
        (
            lambda w: float(np.logaddexp(0, -signs * (matrix @ w)).mean()),
            lambda w: -matrix.T @ (signs / (1 + np.exp(signs * (matrix @ w)))) / 200,
            np.zeros(20),
        ),
    ]
    for value, gradient, start in problems:
        theirs = optimize.minimize(
            value, start, jac=gradient, method="L-BFGS-B",
            options={"maxcor": 10, "gtol": 1e-8, "ftol": 0.0, "maxiter": 5000, "maxfun": 10**5},
        )  # fmt: skip
        ours, x, _ = minimize(value, gradient, start)
        assert ours.reason == "gradient"
        assert ours.n_evaluations <= 1.5 * theirs.nfev
        assert value(x) <= theirs.fun + 1e-12
        np.testing.assert_allclose(x, theirs.x, atol=1e-5)


def test_one_evaluation_an_iteration_where_the_first_step_is_good():
    # A sphere: the first step is short, the second one arrives.
    optimizer, x, n = minimize(
        lambda x: 0.5 * float(x @ x), lambda x: x, np.full(5, 10.0), tolerance=1e-12
    )
    assert n <= 4
    assert optimizer.n_evaluations <= 6
    np.testing.assert_allclose(x, np.zeros(5), atol=1e-12)


def test_the_steps_satisfy_the_wolfe_conditions():
    optimizer = LBFGS(tolerance=0.0)
    f = CallableObjective(10, rosenbrock, rosenbrock_gradient)
    x = rosenbrock_start(10)
    for _ in range(40):
        after, value, _ = descend(optimizer, f, x, 1)
        step = after - x
        slope, slope_after = rosenbrock_gradient(x) @ step, rosenbrock_gradient(after) @ step
        assert slope < 0
        assert value <= rosenbrock(x) + 1e-4 * slope + 1e-12
        assert abs(slope_after) <= 0.9 * abs(slope) * (1 + 1e-9)
        x = after


def test_a_wrong_gradient_stalls():
    optimizer, x, n = minimize(lambda x: float(x @ x), lambda x: -2 * x, np.ones(3))
    assert (optimizer.reason, optimizer.converged, n) == ("stalled", False, 1)
    np.testing.assert_array_equal(x, np.ones(3))


def test_a_kink_ends():
    # No minimum with a gradient of 0: what it finds is lower, and it does not search for ever.
    optimizer, x, n = minimize(
        lambda x: float(np.abs(x).sum()), np.sign, np.linspace(-1, 2, 7), max_iterations=10_000
    )
    assert n < 10_000
    assert optimizer.reason is not None
    assert np.abs(x).sum() < 1


def test_a_start_far_away(dtype):
    # steps of length 1 would be lost in the rounding of x
    _, x, n = minimize(
        lambda x: 0.5 * float(x.astype(float) @ x), lambda x: x, np.full(3, 1e12), dtype
    )
    assert n < 20
    np.testing.assert_allclose(x, np.zeros(3), atol=1e-6)


@pytest.mark.filterwarnings("ignore:overflow")
def test_a_function_without_minimum():
    optimizer, x, _ = minimize(
        lambda x: -float((x**4).sum()),
        lambda x: -4 * x**3,
        np.ones(2),
        max_iterations=500,
        tolerance=0.0,
    )
    assert optimizer.reason == "stalled"
    assert np.isfinite(x).all()
    assert (x > 1e50).all()
