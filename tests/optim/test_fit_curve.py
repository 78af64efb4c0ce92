"""Curves fitted to points: document 002, linear programs, SciPy's fits, and what is refused."""

import copy
import doctest
import importlib
import itertools
import json
import math
import pickle

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import fastnet as fn

optimize = pytest.importorskip("scipy.optimize")

X = np.arange(100.0)
Y = 100 * X - X**2
START = (-2, 30)


def parabola(x, a, b):
    return a * x**2 + b * x


def parabola_gradient(x, a, b):
    return np.stack([x**2, x], axis=1)


@pytest.fixture(scope="module")
def case(data_directory):
    """case(name): a case of document 002 with numbers for decimal strings."""
    lines = (data_directory / "seed_cases.json").read_text(encoding="utf-8")
    cases = {c["id"]: c for c in json.loads(lines)["cases"]}

    def numbers(value):
        if isinstance(value, dict):
            return {k: numbers(v) for k, v in value.items()}
        if isinstance(value, list):
            return [numbers(v) for v in value]
        try:
            return float(value) if isinstance(value, str) else value
        except ValueError:
            return value

    def find(name):
        found = cases[f"002.{name}"]
        return numbers(found["expected"]), found["tol"]

    return find


def close(got, expected, tolerance):
    """The comparison of the cases: abs(got - expected) <= tolerance max(1, abs(expected))."""
    got, expected = np.asarray(got, float), np.asarray(expected, float)
    assert got.shape == expected.shape
    assert (np.abs(got - expected) <= tolerance * np.maximum(1, np.abs(expected))).all()


def mean_error(p, x=X, y=Y, template=parabola):
    return np.mean(np.abs(template(x, *p) - y))


def states(r):
    """(a, b, mean absolute error) of each entry of the path."""
    return [[*p, mean_error(p)] for p in r.path]


class TestDocument002:
    def test_start(self, case):
        expected, tolerance = case("fit.start")
        r = fn.fit_curve(parabola, X, Y, START, max_iterations=0)
        assert r.reason == "max_iterations"
        close(r.loss, expected["MAE"], tolerance)
        r = fn.fit_curve(parabola, X, Y, START, loss="squared_error", max_iterations=0)
        close(r.loss, expected["MSE"], tolerance)
        signed = parabola(X, *START) - Y
        assert signed.sum() == expected["sum_signed_error"]
        assert signed.mean() == expected["mean_signed_error"]
        # the subgradient is what one unscaled step of length 1 goes against
        r = fn.fit_curve(
            parabola, X, Y, START, gradient=parabola_gradient, scale=False, step=1.0,
            max_iterations=1, record=True,
        )
        close(r.path[0] - r.path[1], expected["subgradient"], tolerance)

    def test_recovers_the_curve(self):
        r = fn.fit_curve(parabola, X, Y, START)
        close(r.parameters, [-1, 100], 1e-9)
        assert r.n_evaluations <= 250
        assert r.loss == mean_error(r.parameters)
        assert r.reason == "exact"
        assert r.loss == 0

    @pytest.mark.parametrize("gradient", [None, parabola_gradient])
    def test_counts_every_call(self, gradient):
        calls = 0

        def template(x, a, b):
            nonlocal calls
            calls += 1
            return parabola(x, a, b)

        for options in ({}, {"loss": "squared_error"}, {"loss": "huber"}, {"step": "exact"}):
            calls = 0
            r = fn.fit_curve(template, X, Y, START, gradient=gradient, **options)
            assert r.n_evaluations == calls

    def test_raw_features_crawl(self, case):
        expected, tolerance = case("descent.raw_lr1e-6")
        r = fn.fit_curve(
            parabola, X, Y, START, gradient=parabola_gradient, scale=False, step=1e-6,
            max_iterations=2000, record=True,
        )
        assert (r.reason, r.n_iterations, r.converged) == ("max_iterations", 2000, False)
        found = states(r)
        close(found[:len(expected["first"])], expected["first"], tolerance)
        close(found[-1], expected["final"], tolerance)
        close(min(s[2] for s in found), expected["best_MAE"], tolerance)

    def test_polyak_steps_on_scaled_features(self, case):
        expected, tolerance = case("descent.polyak_rms")
        r = fn.fit_curve(
            parabola, X, Y, START, gradient=parabola_gradient, scale="rms", step="polyak",
            max_iterations=200, tolerance=0, record=True,
        )
        found = states(r)
        for k, state in expected["state_at"].items():
            close(found[int(k)], state, tolerance)
        for bound, k in expected["first_k_with_MAE_below"].items():
            assert next(i for i, s in enumerate(found) if s[2] < float(bound)) == k

    def test_polyak_steps_on_features_scaled_by_the_largest(self):
        # of the table in the notes on document 002
        r = fn.fit_curve(
            parabola, X, Y, START, gradient=parabola_gradient, step="polyak", record=True,
            max_iterations=140, tolerance=0,
        )
        found = states(r)
        close(found[1], [-1.36318754401, 124.091440419, 353.323370315], 1e-11)
        for bound, k in ((1, 33), (1e-3, 67), (1e-6, 103), (1e-9, 139)):
            assert next(i for i, s in enumerate(found) if s[2] < bound) == k

    def test_normalized_steps_that_shrink(self, case):
        expected, tolerance = case("descent.geometric")
        for step in (fn.schedules.Exponential(1000, 0.95), lambda k: 1000 * 0.95**k):
            r = fn.fit_curve(
                parabola, X, Y, START, gradient=parabola_gradient, step=step, normalize=True,
                max_iterations=600, tolerance=0, record=True,
            )
            found = states(r)
            for k, state in expected["state_at"].items():
                close(found[int(k)], state, tolerance)

    @pytest.mark.parametrize("gradient", [None, parabola_gradient])
    def test_exact_line_search(self, case, gradient):
        expected, tolerance = case("descent.exact_linesearch_raw")
        r = fn.fit_curve(
            parabola, X, Y, START, gradient=gradient, scale=False, step="exact", record=True
        )
        assert r.n_iterations == expected["updates"]
        assert r.reason == "exact"
        # a numeric derivative has an error of 1e-10
        close(states(r), expected["path"], tolerance if gradient else 1e-9)
        assert r.parameters.tolist() == [-1, 100]
        # the notes on document 002: four updates with scaled features
        r = fn.fit_curve(parabola, X, Y, START, gradient=gradient, step="exact")
        assert (r.n_iterations, r.reason) == (4, "exact")
        assert r.parameters.tolist() == [-1, 100]

    def test_stops_at_exactly_zero(self, case):
        # "make both bigger": steps of a constant length against the signs, exact in binary
        expected, _ = case("stop.dyadic")
        length = 1 / 64
        r = fn.fit_curve(
            parabola, X, Y, START, method=fn.Rprop(length, min_step=length, max_step=length),
            scale=(1, 70), record=True,
        )
        assert r.n_iterations == expected["updates"]
        assert r.parameters.tolist() == [expected["a"], expected["b"]]
        assert (r.loss, r.reason) == (0, "exact")
        assert r.path[32].tolist() == [expected["a_at_32"], expected["b_at_32"]]
        assert mean_error(r.path[32]) == expected["MAE_at_32"]

    @pytest.mark.parametrize("method", ["auto", "newton", "steepest_descent", "lbfgs", "adam"])
    def test_does_nothing_at_the_solution(self, method):
        r = fn.fit_curve(parabola, X, Y, (-1, 100), method=method, record=True)
        assert (r.n_iterations, r.n_evaluations, r.reason, r.loss) == (0, 1, "exact", 0)
        assert r.path.tolist() == [[-1, 100]]

    @pytest.mark.parametrize("guard", [True, False])
    def test_newton_lands_in_one_step(self, case, guard):
        expected, tolerance = case("mse.newton")
        r = fn.fit_curve(
            parabola, X, Y, START, gradient=parabola_gradient, loss="squared_error",
            method="newton", guard=guard, max_iterations=1,
        )
        close(r.parameters, expected["newton_result"], tolerance)
        H = fn.hessian(lambda p: np.mean((parabola(X, *p) - Y) ** 2), START)
        close(H, expected["hessian"], 1e-7)
        assert np.linalg.cond(H) == pytest.approx(expected["hessian_cond_raw"], rel=1e-4)

    def test_values_inside_a_fence(self, case):
        expected, _ = case("fence.values")
        lengths = [49, 50, 51, 52, 54, 57, 0, 100]

        def area(x):
            return 100 * x - x**2

        assert [area(x) for x in lengths] == expected["A"]
        np.testing.assert_allclose(
            [fn.derivative(area, x) for x in lengths], expected["dA"], atol=1e-10
        )
        np.testing.assert_allclose(
            [fn.derivative(area, x, order=2) for x in lengths], expected["d2A"], atol=1e-8
        )
        (p,) = fn.critical_points(area, (0, 100))
        assert (p.x, p.value, p.kind) == (
            expected["critical_point"], expected["A_max"], expected["kind"]
        )

    def test_outliers(self):
        rng = np.random.default_rng(2)
        for _ in range(10):
            y = Y.copy()
            moved = rng.choice(100, 10, replace=False)
            y[moved] += rng.choice([-500, 500], 10)
            r = fn.fit_curve(parabola, X, y, START)
            best = least_deviations(parabola_gradient(X, 0, 0), y)
            assert r.loss == pytest.approx(best, abs=1e-9)
            close(r.parameters, [-1, 100], 1e-9)
            assert r.reason == "gradient"
            assert r.converged
            assert r.n_evaluations <= 250


def least_deviations(A, y, q=0.5):
    """Least mean of q (y - f) or (1 - q) (f - y), f = A p: a linear program, times 1 / q at 0.5."""
    m, n = A.shape
    cost = np.concatenate([np.zeros(2 * n), np.full(m, 1 - q), np.full(m, q)])
    scale = np.abs(A).max(axis=0)
    A = A / scale
    equal = np.hstack([A, -A, -np.eye(m), np.eye(m)])
    found = optimize.linprog(cost, A_eq=equal, b_eq=y, method="highs")
    assert found.status == 0
    return found.fun / m * (2 if q == 0.5 else 1)


def random_linear(rng, m, n, digits=None):
    """A template that is linear in n parameters, with its matrix."""
    A = rng.normal(size=(m, n)) * 10.0 ** rng.uniform(-3, 3, n)
    if digits is not None:
        A = np.round(A / np.abs(A).max(axis=0) * digits)
        A[:, 0] = 1

    def template(x, *p):
        return A @ np.array(p)

    return template, A


@given(st.integers(0, 2**32), st.integers(1, 5), st.integers(5, 60))
def test_exact_recovery_of_linear_templates(seed, n, m):
    rng = np.random.default_rng(seed)
    template, A = random_linear(rng, m, n)
    true = rng.normal(size=n) / np.abs(A).max(axis=0)
    y = A @ true
    start = true * rng.normal(size=n)
    cond = np.linalg.cond(A / np.abs(A).max(axis=0))
    assume(cond < 1e4)
    # A vertex is as exact as its equations. Squares end where the gradient, 2 A^T A error / m, is
    # below 1e-10; the least eigenvalue of A^T A is at least 1 / cond^2 with columns of up to 1.
    rounding = 1e-12 * cond * np.abs(y).max()
    for loss, tolerance in (
        ("absolute_error", rounding), ("squared_error", rounding + 1e-10 * m * cond**2)
    ):
        r = fn.fit_curve(template, np.zeros(m), y, start, loss=loss)
        error = np.abs((r.parameters - true) * np.abs(A).max(axis=0))
        assert error.max() <= tolerance


@pytest.mark.parametrize("digits", [None, 3])
@pytest.mark.parametrize("outliers", [0.0, 0.1])
@pytest.mark.parametrize("noise", [0.0, 1.0])
@pytest.mark.parametrize("n", [1, 2, 5])
def test_the_optimum_of_the_linear_program(n, noise, outliers, digits):
    # with few digits many points tie: the hard case of the simplex method
    rng = np.random.default_rng(n)
    for m in (n, 20, 121):
        template, A = random_linear(rng, m, n, digits)
        y = A @ rng.normal(size=n) + noise * rng.normal(size=m)
        y[rng.random(m) < outliers] += 500
        r = fn.fit_curve(template, np.zeros(m), y, rng.normal(size=n))
        assert r.loss == pytest.approx(least_deviations(A, y), abs=1e-9 * max(1, np.abs(y).max()))
        assert r.converged


@pytest.mark.parametrize("q", [0.1, 0.5, 0.9])
def test_quantiles(q):
    rng = np.random.default_rng(1)
    template, A = random_linear(rng, 101, 3, digits=3)
    y = rng.normal(size=101)
    r = fn.fit_curve(template, np.zeros(101), y, np.zeros(3), loss=fn.losses.quantile(q))
    best = least_deviations(A, y, q) / (2 if q == 0.5 else 1)
    assert r.loss == pytest.approx(best, abs=1e-10)
    # a share of q of the points is below the curve, which has a constant, or on it
    above = np.sum(y > template(None, *r.parameters) + 1e-9)
    assert abs(above - (1 - q) * 101) <= 3


def decay(x, a, b, c):
    return a * np.exp(-b * x) + c


def bell(x, a, m, s):
    return a * np.exp(-((x - m) ** 2) / (2 * s * s))


def wave(x, a, w, p):
    return a * np.sin(w * x + p)


def saturation(x, a, b):
    return a * x / (b + x)


def logistic(x, top, k, m):
    return top / (1 + np.exp(-k * (x - m)))


def power(x, a, b):
    return a * x**b


CURVES = {
    "decay": (decay, (2.5, 1.3, 0.5), (1, 1, 0), np.linspace(0, 4, 60)),
    "bell": (bell, (3, 0.5, 0.7), (1, 0, 1), np.linspace(-3, 3, 80)),
    "wave": (wave, (2, 1.5, 0.3), (1.5, 1.4, 0), np.linspace(0, 6, 90)),
    "saturation": (saturation, (3, 1.2), (1, 1), np.linspace(0.1, 10, 40)),
    "logistic": (logistic, (5, 2, 1), (1, 1, 0), np.linspace(-3, 5, 50)),
    "power": (power, (1.7, 2.3), (1, 1), np.linspace(0.1, 5, 40)),
}


def noisy(name, noise, outliers=0):
    template, true, start, x = CURVES[name]
    rng = np.random.default_rng(len(name))
    y = template(x, *true) + noise * rng.normal(size=len(x))
    y[rng.choice(len(x), outliers, replace=False)] += 500
    return template, x, y, start


@pytest.mark.parametrize("outliers", [0, 4])
@pytest.mark.parametrize("noise", [0.0, 0.01, 0.3])
@pytest.mark.parametrize("name", CURVES)
def test_absolute_error_of_curves(name, noise, outliers):
    template, x, y, start = noisy(name, noise, outliers)
    r = fn.fit_curve(template, x, y, start)
    assert r.converged
    assert r.n_evaluations <= 500
    # at least as good as the simplex of Nelder and Mead from there, and from the true parameters
    for p in (r.parameters, CURVES[name][1]):
        other = optimize.minimize(
            lambda p: np.mean(np.abs(template(x, *p) - y)), p, method="Nelder-Mead",
            options={"xatol": 1e-12, "fatol": 1e-14, "maxiter": 4000, "maxfev": 4000},
        )
        assert r.loss <= other.fun + 1e-9
    if noise == 0:
        close(r.parameters, CURVES[name][1], 1e-9)


@pytest.mark.parametrize("noise", [0.0, 0.01, 0.3])
@pytest.mark.parametrize("name", CURVES)
def test_squared_error_of_curves(name, noise):
    template, x, y, start = noisy(name, noise)
    expected, _ = optimize.curve_fit(
        template, x, y, start, ftol=1e-15, xtol=1e-15, gtol=1e-15, maxfev=10000
    )
    r = fn.fit_curve(template, x, y, start, loss="squared_error")
    # it ends where the gradient is below 1e-10; the least curvature of these is above 0.01
    assert r.loss <= np.mean((template(x, *expected) - y) ** 2) * (1 + 1e-12) + 1e-20 / 0.02
    close(r.parameters, expected, 1e-6)
    assert r.converged


@pytest.mark.parametrize("name", ["decay", "wave", "logistic"])
def test_huber_loss_of_curves(name):
    template, x, y, start = noisy(name, 0.1, 3)
    found = optimize.least_squares(
        lambda p: template(x, *p) - y, CURVES[name][1], loss="huber", f_scale=0.1,
        xtol=1e-14, ftol=1e-14,
    )
    r = fn.fit_curve(template, x, y, start, loss=fn.losses.huber(0.1))
    # SciPy's cost is half the sum of rho(e^2), which is the sum of Huber's function
    assert r.loss == pytest.approx(found.cost / len(x), rel=1e-9)
    close(r.parameters, found.x, 1e-4)
    assert r.converged


def test_custom_losses():
    cube = fn.Loss(
        lambda y_pred, y: (np.abs(y_pred - y) ** 3)[:, 0],
        lambda y_pred, y: 3 * (y_pred - y) * np.abs(y_pred - y),
    )
    rng = np.random.default_rng(4)
    y = 2 * X + 5 + rng.normal(size=100)
    r = fn.fit_curve(lambda x, a, b: a * x + b, X, y, (1, 0), loss=cube)
    # the derivative of the sum of the cubes is 0
    e = r.parameters[0] * X + r.parameters[1] - y
    assert abs(np.mean(e * np.abs(e))) <= 1e-6
    assert abs(np.mean(e * np.abs(e) * X)) <= 1e-6 * 100


@pytest.mark.parametrize("method", ["lbfgs", "newton", fn.LBFGS(), fn.LevenbergMarquardt()])
def test_methods_agree(method):
    template, x, y, start = noisy("saturation", 0.3)
    expected = fn.fit_curve(template, x, y, start, loss="squared_error")
    start = 1.1 * expected.parameters
    r = fn.fit_curve(template, x, y, start, loss="squared_error", method=method)
    close(r.parameters, expected.parameters, 1e-6)
    assert r.converged


@pytest.mark.parametrize("method", ["adam", fn.Adam(0.05), fn.SGD(0.05, momentum=0.9)])
def test_optimizers_of_networks(method):
    template, x, y, start = noisy("decay", 0.0)
    r = fn.fit_curve(
        template, x, y, start, loss="squared_error", method=method, max_iterations=3000
    )
    before = np.mean((template(x, *start) - y) ** 2)
    assert r.loss < 0.01 * before
    # it is a copy that descends
    if not isinstance(method, str):
        assert method.get_state()["step_count"] == 0


@pytest.mark.parametrize(
    "step", ["armijo", "grow_shrink", fn.schedules.Armijo(4.0), fn.schedules.GrowShrink(0.1)]
)
def test_steps_that_only_descend(step):
    template, x, y, start = noisy("saturation", 0.3)
    for options in ({"loss": "squared_error"}, {}):
        r = fn.fit_curve(template, x, y, start, step=step, record=True, **options)
        values = [
            np.mean(np.abs(template(x, *p) - y) ** (2 if options else 1)) for p in r.path
        ]
        assert all(b <= a for a, b in itertools.pairwise(values))
        assert values[-1] < 0.9 * values[0]
        assert r.loss == pytest.approx(values[-1], rel=1e-14)


@pytest.mark.parametrize(
    "step", [1e-3, fn.schedules.Exponential(1e-3, 0.99), "armijo", fn.schedules.GrowShrink(1e-3)]
)
def test_steps_are_those_of_minimize(step):
    template, x, y, start = noisy("decay", 0.1)

    def slopes(x, a, b, c):
        e = np.exp(-b * x)
        return np.stack([e, -a * x * e, np.ones_like(x)], axis=1)

    r = fn.fit_curve(
        template, x, y, start, loss="squared_error", gradient=slopes, scale=False, step=step,
        max_iterations=30, record=True,
    )
    expected = fn.minimize(
        lambda p: np.mean((template(x, *p) - y) ** 2), [float(v) for v in start],
        gradient=lambda p: 2 * slopes(x, *p).T @ (template(x, *p) - y) / len(x),
        step=step, max_iterations=30, record=True,
    )
    np.testing.assert_allclose(r.path, expected.path, rtol=1e-10, atol=1e-12)


class TestReasons:
    def test_divergence_is_a_result(self):
        r = fn.fit_curve(parabola, X, Y, START, loss="squared_error", step=10.0, record=True)
        assert r.reason == "diverged"
        assert not r.converged
        assert r.n_iterations < 1000
        assert np.isfinite(r.parameters).all()
        assert math.isfinite(r.loss)
        assert r.path.shape == (r.n_iterations + 1, 2)

    def test_a_step_below_the_tolerance(self):
        r = fn.fit_curve(
            parabola, X, Y, START, step=lambda k: 1000 * 0.9**k, normalize=True, tolerance=1e-3
        )
        assert (r.reason, r.converged) == ("step", True)
        # the first k with 1000 0.9^k < 1e-3, counted from 0, is the last
        assert r.n_iterations == math.ceil(math.log(1e-6) / math.log(0.9)) + 1

    def test_a_stall(self):
        r = fn.fit_curve(parabola, X, Y, START, step=1e-30, tolerance=0)
        assert (r.reason, r.converged, r.n_iterations) == ("stalled", False, 1)
        r = fn.fit_curve(
            parabola, X, Y, START, step=lambda k: 1000 * 0.5**k, normalize=True, tolerance=0
        )
        assert r.reason == "stalled"
        assert r.n_iterations < 100

    def test_the_count(self):
        r = fn.fit_curve(parabola, X, Y, START, step=1e-9, max_iterations=7, record=True)
        assert (r.reason, r.n_iterations, len(r.path)) == ("max_iterations", 7, 8)

    def test_no_derivative(self):
        r = fn.fit_curve(lambda x, a: np.zeros(100) + 0 * a, X, Y, 1.0, loss="squared_error")
        assert r.reason == "gradient"
        for step in ("armijo", "grow_shrink", 0.1):
            r = fn.fit_curve(
                lambda x, a: 0 * x * a, X, Y, [1.0], loss="squared_error", step=step
            )
            assert (r.reason, r.n_iterations) == ("gradient", 0)

    def test_a_parameter_without_effect_stays(self):
        r = fn.fit_curve(lambda x, a, b: a * x + 0 * b, X, 3 * X, (1, 7))
        assert r.parameters.tolist() == [3, 7]


@pytest.mark.parametrize("start", [(1e150, 1), (1e300, 1e300)])
@pytest.mark.parametrize("step", ["auto", "exact"])
def test_starts_far_beyond_the_data(start, step):
    r = fn.fit_curve(parabola, X, Y, start, step=step)
    np.testing.assert_allclose(r.parameters, [-1, 100], rtol=1e-9)
    assert r.converged


def test_newton_where_there_is_no_curvature_is_a_result():
    r = fn.fit_curve(parabola, X, Y, START, method="newton")
    assert not r.converged


def test_results_are_values():
    r = fn.fit_curve(parabola, X, Y, START, record=True)
    for other in (copy.deepcopy(r), pickle.loads(pickle.dumps(r))):
        np.testing.assert_array_equal(other.path, r.path)
        assert (other.reason, other.loss, other.n_iterations) == (r.reason, r.loss, r.n_iterations)
    assert repr(r) == "CurveFit([ -1. 100.], loss=0, 2 iterations, 'exact')"
    assert r.path[0].tolist() == list(START)
    assert r.path[-1].tolist() == r.parameters.tolist()
    assert len(r.path) == r.n_iterations + 1
    assert fn.fit_curve(parabola, X, Y, START).path is None


def test_kinds_of_input():
    for x, y, start in (
        (list(range(100)), Y.tolist(), [-2, 30]),
        (range(100), Y.astype(np.float32), np.array([-2, 30], np.int8)),
    ):
        assert fn.fit_curve(parabola, x, y, start).parameters.tolist() == [-1, 100]
    # one parameter; and points in a plane
    assert fn.fit_curve(lambda x, a: a * x, X, 3 * X, 1).parameters.tolist() == [3]
    plane = np.random.default_rng(0).normal(size=(50, 2))
    r = fn.fit_curve(lambda x, a, b: x @ [a, b], plane, plane @ [2.0, -1.0], (0, 0))
    close(r.parameters, [2, -1], 1e-12)


def test_the_template_cannot_change_the_data():
    x = X.copy()

    def template(x, a, b):
        x += 1
        return parabola(x, a, b)

    with pytest.raises(ValueError, match="read-only"):
        fn.fit_curve(template, x, Y, START)
    np.testing.assert_array_equal(x, X)


def wrong_gradient(x, a, b):
    return parabola_gradient(x, a, b) * [1, 2]


NAN = float("nan")


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"x": X[:50]}, ValueError, "x and y must have the same length, got 50 and 100"),
        ({"x": X[:1], "y": Y[:1]}, ValueError, "2 parameters need at least as many points, got 1"),
        ({"x": [], "y": []}, ValueError, "2 parameters need at least as many points, got 0"),
        ({"y": Y[:, None]}, ValueError, r"y \(n_points,\), got \(100,\) and \(100, 1\)"),
        ({"x": 3.0}, ValueError, r"got \(\) and \(100,\)"),
        ({"y": np.where(X == 3, NAN, Y)}, ValueError, r"y\[3\] must be finite, got nan"),
        ({"x": np.where(X == 4, np.inf, X)}, ValueError, r"x\[4\] must be finite, got inf"),
        ({"x": ["a"] * 100}, TypeError, "x must hold real numbers"),
        ({"p0": (NAN, 1)}, ValueError, r"p0\[0\] must be finite, got nan"),
        ({"p0": ()}, ValueError, r"p0 must be .* got \(0,\)"),
        ({"p0": [[1, 2]]}, ValueError, r"p0 must be .* got \(1, 2\)"),
        ({"template": lambda x, a, b: a}, ValueError, r"must return shape \(100,\), got \(\)"),
        ({"template": lambda x, a, b: x[1:]}, ValueError, r"shape \(100,\), got \(99,\)"),
        ({"template": lambda x, a, b: x * 1j}, TypeError, "must return real numbers"),
        ({"template": lambda x, a, b: x * NAN}, ValueError, r"template\(x, \*p0\)\[0\] is nan"),
        ({"template": lambda x, a: x}, TypeError, "positional argument"),
        ({"gradient": lambda x, a, b: x}, ValueError, r"\(100, 2\), got \(100,\)"),
        ({"gradient": lambda x, a, b: parabola_gradient(x, a, b).T}, ValueError, r"\(2, 100\)"),
        ({"gradient": lambda x, a, b: parabola_gradient(x, a, b) * [1, NAN]}, ValueError,
         r"gradient\(x, \*p0\)\[0, 1\] is nan"),
        ({"gradient": 3}, TypeError, "gradient must be callable, got int"),
        ({"template": 3}, TypeError, "template must be callable, got int"),
        ({"gradient": wrong_gradient, "check_gradient": True}, ValueError,
         r"gradient\(x, \*p0\)\[99, 1\] is 198, .* give 99.*factor of 2"),
        ({"loss": "absolut_error"}, ValueError, "absolute_error"),
        ({"loss": 3}, TypeError, "a loss must be"),
        ({"loss": "poisson"}, ValueError, "the loss is nan at p0"),
        ({"method": "simplex"}, ValueError, "method must be an optimizer, its name, or one of"),
        ({"method": 3}, TypeError, "method must be a name or an optimizer, got int"),
        ({"method": "levenberg_marquardt"}, ValueError, "squared_error and half_squared_error"),
        ({"method": "least_deviations", "loss": "huber"}, ValueError, "absolute_error and quanti"),
        ({"step": "exact", "loss": "huber"}, ValueError, "step='exact' is for the losses"),
        ({"step": "exact", "normalize": True}, ValueError, "without normalize"),
        ({"step": 0}, ValueError, r"step must be in \(0, inf\), got 0"),
        ({"step": -1.0}, ValueError, r"step must be in \(0, inf\)"),
        ({"step": NAN}, ValueError, r"step must be in \(0, inf\)"),
        ({"step": "armjo"}, ValueError, "step must be one of auto, armijo"),
        ({"step": None}, TypeError, "step must be a number in"),
        ({"step": lambda k: -1.0}, ValueError, r"step\(0\) must be in \(0, inf\), got -1.0"),
        ({"step": 0.1, "method": "newton"}, ValueError, "step and normalize are for method='steep"),
        ({"step": lambda k: None}, TypeError, r"step\(0\) must be a number"),
        ({"guard": False}, ValueError, "guard=False is for method='newton' only"),
        ({"scale": "ab"}, ValueError, "scale must be True, False"),
        ({"scale": ["a", "b"]}, TypeError, "scale must hold real numbers"),
        ({"normalize": True}, ValueError, "step and normalize are for method='steep"),
        ({"scale": (1,), "step": 1}, ValueError, r"scale must have shape \(2,\), got \(1,\)"),
        ({"scale": (1, 0), "step": 1}, ValueError, "scale must be above 0"),
        ({"scale": "max", "step": 1}, ValueError, "scale must be True, False, 'rms' or numbers"),
        ({"tolerance": -1}, ValueError, r"tolerance must be in \[0, inf\)"),
        ({"tolerance": "small"}, TypeError, "tolerance must be a number"),
        ({"max_iterations": -1}, ValueError, "max_iterations must be at least 0"),
        ({"max_iterations": 1.5}, TypeError, "max_iterations must be an int"),
    ],
)
def test_refused(change, error, words):
    arguments = {"template": parabola, "x": X, "y": Y, "p0": START} | change
    with pytest.raises(error, match=words):
        fn.fit_curve(**arguments)


def test_errors_of_the_template_pass():
    def template(x, a, b):
        raise KeyError("inside")

    with pytest.raises(KeyError, match="inside"):
        fn.fit_curve(template, X, Y, START)


def test_a_right_gradient_passes_the_check():
    r = fn.fit_curve(parabola, X, Y, START, gradient=parabola_gradient, check_gradient=True)
    assert r.reason == "exact"


def test_examples():
    result = doctest.testmod(importlib.import_module("fastnet.optim.curve_fit"))
    assert result.attempted > 0
    assert result.failed == 0
