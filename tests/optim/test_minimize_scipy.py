"""Minima where SciPy finds them."""

import numpy as np
import pytest

import fastnet as fn

optimize = pytest.importorskip("scipy.optimize")


def rosenbrock(x):
    a, b = map(float, x)
    return 100 * (b - a * a) ** 2 + (1 - a) ** 2


def d_rosenbrock(x):
    a, b = map(float, x)
    return np.array([-400 * a * (b - a * a) - 2 * (1 - a), 200 * (b - a * a)])


def himmelblau(x):
    a, b = map(float, x)
    return (a * a + b - 11) ** 2 + (a + b * b - 7) ** 2


def d_himmelblau(x):
    a, b = map(float, x)
    u, v = a * a + b - 11, a + b * b - 7
    return np.array([4 * a * u + 2 * v, 2 * u + 4 * b * v])


TARGETS = np.array([1.5, 2.25, 2.625])
POWERS = np.arange(1, 4)


def beale_residuals(x):
    return TARGETS - x[0] * (1 - x[1] ** POWERS)


def beale_jacobian(x):
    return np.stack([x[1] ** POWERS - 1, x[0] * POWERS * x[1] ** (POWERS - 1)], axis=1)


def beale(x):
    r = beale_residuals(x)
    return float(r @ r)


def d_beale(x):
    return 2 * beale_jacobian(x).T @ beale_residuals(x)


FUNCTIONS = [
    (rosenbrock, d_rosenbrock, [-1.2, 1.0]),
    (himmelblau, d_himmelblau, [4.0, 1.0]),
    (himmelblau, d_himmelblau, [-3.0, 3.0]),
    (himmelblau, d_himmelblau, [-4.0, -4.0]),
    (himmelblau, d_himmelblau, [4.0, -2.0]),
    (beale, d_beale, [2.0, 0.0]),
    (beale, d_beale, [1.0, 0.3]),
]


def name(value):
    return getattr(value, "__name__", str(value))


with_functions = pytest.mark.parametrize(("f", "df", "x0"), FUNCTIONS, ids=name)


def check(r, f, df, expected, numeric):
    """At the same minimum, as closely as the gradient there lets SciPy and us say."""
    assert r.converged
    assert r.curvature == "positive"
    largest = 1e-5 if numeric else 1e-6
    assert np.linalg.norm(df(r.x)) < largest
    # the least eigenvalue of the Hessians at these minima is above 0.1
    np.testing.assert_allclose(r.x, expected.x, atol=(largest + np.linalg.norm(expected.jac)) / 0.1)
    assert r.value == f(r.x)


@with_functions
@pytest.mark.parametrize("numeric", [False, True])
@pytest.mark.parametrize("method", ["lbfgs", "newton"])
def test_the_minimum_of_bfgs(f, df, x0, method, numeric):
    expected = optimize.minimize(f, x0, jac=df, method="BFGS", options={"gtol": 1e-8})
    step = {"step": "armijo"} if method == "newton" else {}
    r = fn.minimize(f, x0, None if numeric else df, method=method, **step)
    check(r, f, df, expected, numeric)


@pytest.mark.parametrize(("f", "df", "x0"), FUNCTIONS[1:5], ids=name)
@pytest.mark.parametrize("step", [0.01, "armijo", "grow_shrink"])
def test_steepest_descent_in_the_same_basin(f, df, x0, step):
    expected = optimize.minimize(f, x0, jac=df, method="BFGS", options={"gtol": 1e-8})
    r = fn.minimize(f, x0, df, step=step, stop_on="gradient", tolerance=1e-7)
    check(r, f, df, expected, False)


@pytest.mark.parametrize("x0", [[2.0, 0.0], [1.0, 0.3]])
@pytest.mark.parametrize("jacobian", [beale_jacobian, None])
def test_least_squares(x0, jacobian):
    expected = optimize.least_squares(beale_residuals, x0, jac=beale_jacobian, method="lm")
    r = fn.minimize(beale_residuals, x0, jacobian, method="levenberg_marquardt")
    np.testing.assert_allclose(r.x, expected.x, atol=1e-6)
    assert r.value == pytest.approx(expected.cost, abs=1e-14)
    assert r.converged


def quadratic(seed):
    """x.A x / 2 - b.x with eigenvalues from 0.5 to 3.5, and its minimum."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 9))
    q, _ = np.linalg.qr(rng.normal(size=(n, n)))
    a = (q * rng.uniform(0.5, 3.5, n)) @ q.T
    a = (a + a.T) / 2
    b = rng.normal(size=n)
    return a, b, rng.normal(size=n) * 5


@pytest.mark.parametrize("seed", range(20))
def test_quadratics(seed):
    a, b, x0 = quadratic(seed)

    def f(x):
        return 0.5 * x @ a @ x - b @ x

    def df(x):
        return a @ x - b

    expected = optimize.minimize(f, x0, jac=df, method="L-BFGS-B",
                                 options={"gtol": 1e-10, "ftol": 0})
    minimum = np.linalg.solve(a, b)
    for options in (
        {"step": 0.25}, {"step": "armijo"}, {"step": "grow_shrink"}, {"method": "newton"},
        {"method": "newton", "hessian": lambda x: a, "guard": False}, {"method": "lbfgs"},
        {"method": fn.SGD(0.2, momentum=0.5)},
    ):  # fmt: skip
        r = fn.minimize(f, x0, df, stop_on="gradient", tolerance=1e-7, **options)
        # |x - minimum| <= |gradient| / least eigenvalue
        assert np.linalg.norm(r.x - minimum) <= 1e-7 / 0.5, options
        assert np.linalg.norm(r.x - expected.x) <= 1e-6, options
        assert r.converged
        assert r.curvature == "positive"
    root = np.linalg.cholesky(a).T
    r = fn.minimize(lambda x: root @ (x - minimum), x0, method="levenberg_marquardt")
    np.testing.assert_allclose(r.x, minimum, atol=1e-7)
