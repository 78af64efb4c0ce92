"""Levenberg-Marquardt on classic least-squares problems, and beside SciPy's."""

import numpy as np
import pytest

from fastnet.optim import LevenbergMarquardt
from fastnet.optim.full_batch import descend
from fastnet.optim.objective import CallableObjective, CallableResiduals

T = np.linspace(0, 4, 40)
NOISE = np.random.default_rng(1).normal(size=40)
ROOT5, ROOT10 = np.sqrt(5), np.sqrt(10)


def exponential(p):
    return p[0] * np.exp(-p[1] * T) + p[2]


def exponential_jacobian(p):
    e = np.exp(-p[1] * T)
    return np.stack([e, -p[0] * T * e, np.ones(40)], axis=1)


NOISY = exponential([3.0, 1.3, 0.5]) + 0.05 * NOISE
# Thousands, thousandths and units
UNITS = np.array([3e3, 1e-3, 50.0])

# name: (residuals, Jacobian, start)
PROBLEMS = {
    "rosenbrock": (
        lambda x: np.array([10 * (x[1] - x[0] ** 2), 1 - x[0]]),
        lambda x: np.array([[-20 * x[0], 10], [-1, 0]]),
        [-1.2, 1.0],
    ),
    "powell_singular": (
        lambda x: np.array([
            x[0] + 10 * x[1], ROOT5 * (x[2] - x[3]), (x[1] - 2 * x[2]) ** 2,
            ROOT10 * (x[0] - x[3]) ** 2,
        ]),
        lambda x: np.array([
            [1, 10, 0, 0],
            [0, 0, ROOT5, -ROOT5],
            [0, 2 * (x[1] - 2 * x[2]), -4 * (x[1] - 2 * x[2]), 0],
            [2 * ROOT10 * (x[0] - x[3]), 0, 0, -2 * ROOT10 * (x[0] - x[3])],
        ]),
        [3.0, -1.0, 0.0, 1.0],
    ),
    "exponential": (
        lambda p: exponential(p) - NOISY,
        exponential_jacobian,
        [1.0, 0.1, 0.0],
    ),
    "beale": (
        lambda x: np.array([1.5, 2.25, 2.625]) - x[0] * (1 - x[1] ** np.arange(1, 4)),
        lambda x: np.stack(
            [x[1] ** np.arange(1, 4) - 1, x[0] * np.arange(1, 4) * x[1] ** np.arange(3)], axis=1
        ),
        [1.0, 1.0],
    ),
}  # fmt: skip


def fit(problem, dtype="float64", max_iterations=200, **options):
    residuals, jacobian, start = problem
    f = CallableResiduals(
        len(start),
        lambda x: residuals(x.astype(float)),
        lambda x: jacobian(x.astype(float)),
        dtype,
    )
    optimizer = LevenbergMarquardt(**options)
    x, value, n = descend(optimizer, f, start, max_iterations)
    assert value == pytest.approx(0.5 * (residuals(x.astype(float)) ** 2).sum(), rel=1e-14)
    return optimizer, x, n


@pytest.mark.parametrize("scale", [False, True])
@pytest.mark.parametrize("name", PROBLEMS)
def test_beside_scipys(name, scale):
    optimize = pytest.importorskip("scipy.optimize")
    residuals, jacobian, start = PROBLEMS[name]
    theirs = optimize.least_squares(
        residuals, start, jacobian, method="lm", xtol=1e-15, ftol=1e-15, gtol=1e-12
    )
    optimizer, x, n = fit(PROBLEMS[name], scale=scale, tolerance=1e-10)
    assert optimizer.reason == "gradient"
    assert n <= 2 * theirs.nfev
    value = 0.5 * (residuals(x) ** 2).sum()
    # the singular one has a valley of degree four: gradient 1e-10 is value 1e-13 or so
    assert value <= theirs.cost + (1e-12 if name == "powell_singular" else 1e-15)
    np.testing.assert_allclose(x, theirs.x, atol=2e-3 if name == "powell_singular" else 1e-6)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("rosenbrock", [1, 1]), ("beale", [3, 0.5]), ("powell_singular", [0] * 4)],
)
@pytest.mark.parametrize("scale", [False, True])
def test_known_minima(name, expected, scale, dtype):
    optimizer, x, _ = fit(PROBLEMS[name], dtype, scale=scale)
    assert optimizer.converged
    np.testing.assert_allclose(x, expected, atol=1e-2 if name == "powell_singular" else 1e-6)


@pytest.mark.parametrize("scale", [False, True])
def test_a_linear_problem_takes_few_iterations(scale):
    rng = np.random.default_rng(0)
    matrix, target = rng.normal(size=(30, 10)), rng.normal(size=30)
    problem = (lambda x: matrix @ x - target, lambda x: matrix, np.zeros(10))
    optimizer, x, n = fit(problem, scale=scale)
    assert n <= 6
    assert optimizer.reason == "gradient"
    expected = np.linalg.lstsq(matrix, target, rcond=None)[0]
    np.testing.assert_allclose(x, expected, atol=1e-8)


@pytest.mark.parametrize("scale", [False, True])
def test_a_singular_system(scale):
    # A parameter without influence stays; of two that do the same, any split is a solution.
    rng = np.random.default_rng(0)
    matrix, target = rng.normal(size=(30, 6)), rng.normal(size=30)
    matrix[:, 3] = 0
    matrix[:, 5] = matrix[:, 4]
    start = np.arange(6.0)
    optimizer, x, _ = fit((lambda x: matrix @ x - target, lambda x: matrix, start), scale=scale)
    assert optimizer.converged
    assert x[3] == 3
    expected = np.linalg.lstsq(matrix, target, rcond=None)[0]
    np.testing.assert_allclose(matrix @ x, matrix @ expected, atol=1e-7)


def test_units_do_not_matter_with_scale():
    exact = exponential([3.0, 1.3, 0.5])
    plain = (lambda p: exponential(p) - exact, exponential_jacobian, [1.0, 0.1, 0.0])
    scaled = (
        lambda p: exponential(p / UNITS) - exact,
        lambda p: exponential_jacobian(p / UNITS) / UNITS,
        UNITS * [1.0, 0.1, 0.0],
    )
    one, x, n = fit(plain, scale=True)
    other, y, n_other = fit(scaled, scale=True, tolerance=1e-11)
    assert one.converged
    assert other.converged
    assert abs(n - n_other) <= 3
    np.testing.assert_allclose(x, [3.0, 1.3, 0.5], rtol=1e-7)
    np.testing.assert_allclose(y, UNITS * [3.0, 1.3, 0.5], rtol=1e-7)


def test_a_residual_that_cannot_fall_ends():
    problem = (lambda x: np.abs(x) + 1, lambda x: np.sign(x)[:, None] * np.eye(1), [0.5])
    optimizer, x, n = fit(problem)
    assert n < 200
    assert optimizer.reason is not None
    assert abs(x[0]) < 0.5


def test_a_wrong_jacobian_stalls():
    problem = (lambda x: x, lambda x: -np.eye(3), np.ones(3))
    optimizer, x, n = fit(problem)
    assert (optimizer.reason, optimizer.converged, n) == ("stalled", False, 1)
    np.testing.assert_array_equal(x, np.ones(3))


def test_a_jacobian_that_is_not_finite():
    problem = (lambda x: x, lambda x: np.full((2, 2), np.nan), np.ones(2))
    optimizer, x, _ = fit(problem)
    assert optimizer.reason == "stalled"
    np.testing.assert_array_equal(x, np.ones(2))


def test_sums_of_squares_only():
    f = CallableObjective(2, lambda x: float(x @ x), lambda x: 2 * x)
    with pytest.raises(TypeError, match="LevenbergMarquardt minimizes sums of squares only"):
        descend(LevenbergMarquardt(), f, np.ones(2))
