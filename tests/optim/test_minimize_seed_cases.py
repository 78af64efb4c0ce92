"""What documents 002 and 003 demand of descent (tests/data/seed_cases.json and seeds.md).

Compared as the file says: |got - expected| <= tol max(1, |expected|); counts and words are equal.
"""

import json
from pathlib import Path

import numpy as np
import pytest

import fastnet as fn

FILE = Path(__file__).parents[1] / "data" / "seed_cases.json"
CASES = {case["id"]: case for case in json.loads(FILE.read_text("utf-8"))["cases"]}
LEFT, MAXIMUM, RIGHT = map(float, CASES["003.1d.critical"]["expected"]["critical_x"])


def named(prefix):
    return pytest.mark.parametrize("name", sorted(n for n in CASES if n.startswith(prefix)))


def f(x):
    return 3 * x**4 + 5 * x**3 - 20 * x**2 + 8 * x + 10


def df(x):
    return 12 * x**3 + 15 * x**2 - 40 * x + 8


def d2f(x):
    return 36 * x**2 + 30 * x - 40


def f2(x):
    a, b = map(float, x)
    return a**4 * b**2 + (a - 1) ** 2 * (b - 1) ** 4


def df2(x):
    a, b = map(float, x)
    return [4 * a**3 * b**2 + 2 * (a - 1) * (b - 1) ** 4,
            2 * a**4 * b + 4 * (a - 1) ** 2 * (b - 1) ** 3]  # fmt: skip


def d2f2(x):
    a, b = x
    mixed = 8 * a**3 * b + 8 * (a - 1) * (b - 1) ** 3
    return [[12 * a**2 * b**2 + 2 * (b - 1) ** 4, mixed],
            [mixed, 2 * a**4 + 12 * (a - 1) ** 2 * (b - 1) ** 2]]  # fmt: skip


def area(x):
    return 100 * x - x**2


def d_area(x):
    return 100 - 2 * x


def check(got, expected, tolerance):
    expected = np.array(expected, float)
    got = np.asarray(got)
    assert got.shape == expected.shape
    assert np.all(np.abs(got - expected) <= tolerance * np.maximum(1, np.abs(expected)))


# ---- document 002: the fence -------------------------------------------------------------------


def test_ascent_by_the_steps_of_the_document():
    r = fn.maximize(
        area, 57, d_area, step=lambda k: (3 / 14, 1 / 4)[k], max_iterations=2, record=True)
    assert r.path.tolist() == [57, 54, 52]
    assert (r.value, r.gradient) == (2496, -4)


@named("002.fence.ascent_lr")
def test_ascent_at_a_constant_rate(name):
    case = CASES[name]
    inputs, expected = case["inputs"], case["expected"]
    assert inputs["maximise"]
    r = fn.maximize(area, inputs["start"], d_area, step=inputs["lr"], stop_on=None,
                    max_iterations=inputs["steps"], record=True)
    check(r.path, expected["x"], case["tol"])
    steps = expected["steps_until_abs_dA_below_1e_6"]
    r = fn.maximize(area, inputs["start"], d_area, step=inputs["lr"], stop_on="gradient",
                    tolerance=1e-6)
    assert (r.n_iterations if r.converged else None) == steps


def test_ascent_with_the_rate_of_newton_ends_exactly():
    r = fn.maximize(area, 57, d_area, step=0.5)
    assert (r.x, r.value, r.gradient, r.n_iterations, r.reason) == (50, 2500, 0, 1, "exact")
    assert fn.maximize(area, 57, d_area, step=0.1, stop_on="gradient",
                       tolerance=1e-6).n_iterations == 74
    r = fn.maximize(area, 57, method="newton")
    assert r.x == pytest.approx(50, abs=1e-7)
    assert r.curvature == "positive"


# ---- document 003, one variable ----------------------------------------------------------------


@named("003.1d.gd_s")
def test_fixed_steps(name):
    case = CASES[name]
    expected = case["expected"]
    assert expected["status"] == "converged"
    r = fn.minimize(f, case["inputs"]["x0"], df, step=case["inputs"]["s"], tolerance=1e-10,
                    record=True)
    assert r.reason == "step"
    assert r.n_iterations == expected["steps_until_dx_below_1e_10"]
    check(r.path[: len(expected["x"])], expected["x"], case["tol"])
    check(r.x, expected["x_final"], case["tol"])
    assert len(r.path) == r.n_iterations + 1
    assert r.curvature == "positive"


def test_basins():
    for s, starts in CASES["003.1d.gd_basins"]["expected"].items():
        for x0, where in starts.items():
            r = fn.minimize(f, float(x0), df, step=float(s), tolerance=1e-10)
            if where == "div":
                assert r.reason == "diverged", (s, x0)
            elif where == "cycle":
                assert r.reason == "max_iterations", (s, x0)
            else:
                assert r.reason == "step", (s, x0)
                assert abs(r.x - {"L": LEFT, "R": RIGHT}[where]) < 1e-7, (s, x0)


@pytest.mark.parametrize("kind", ["newton", "newton_abs"])
@pytest.mark.parametrize("hessian", [d2f, None])
def test_newton(kind, hessian):
    names = [n for n in CASES if n.startswith(f"003.1d.{kind}_x")]
    assert len(names) >= 8
    for name in names:
        case = CASES[name]
        expected = case["expected"]
        r = fn.minimize(f, case["inputs"]["x0"], df, hessian, "newton", tolerance=1e-12,
                        guard=kind == "newton_abs", record=True)
        if hessian is not None:
            check(r.path[: len(expected["x"])], expected["x"], case["tol"])
        check(r.x, expected["limit"], 1e-13)
        assert r.converged
        assert r.curvature == {"min": "positive", "max": "indefinite"}[expected["kind"]]


@named("003.1d.armijo")
def test_armijo(name):
    case = CASES[name]
    check_armijo(case, f, df, case["inputs"]["x0"], np.ravel(case["expected"]["x"]),
                 case["expected"]["final"][0])


def check_armijo(case, function, gradient, x0, x, final):
    inputs, expected = case["inputs"], case["expected"]
    assert (inputs["s0"], inputs["beta"], inputs["c"]) == (1, 0.5, 1e-4)
    r = fn.minimize(
        function, x0, gradient, step="armijo", stop_on="gradient", record=True,
        tolerance=inputs["stop_when_grad_norm_below"], max_iterations=inputs["max_iterations"])
    check(r.path[: len(x)], x, case["tol"])
    check(r.x, final, case["tol"])
    check(r.value, expected["f_final"], case["tol"])
    assert r.n_iterations == expected["iterations"]
    # each trial is an evaluation
    if len(expected["halvings"]) == r.n_iterations:
        assert r.n_evaluations == 1 + sum(1 + n for n in expected["halvings"])


# ---- document 003, two variables ---------------------------------------------------------------


def test_the_function():
    case = CASES["003.2d.derivatives"]
    for point, value, gradient, hessian in zip(
        case["inputs"]["points"], *(case["expected"][key] for key in ("f", "grad", "hess")),
        strict=True,
    ):
        check(f2(point), value, case["tol"])
        check(df2(point), gradient, case["tol"])
        check(d2f2(point), hessian, case["tol"])
        fn.minimize(f2, point, df2, max_iterations=0, check_gradient=True)


@named("003.2d.sd_s0")
def test_fixed_steps_in_the_plane(name):
    case = CASES[name]
    expected = dict(case["expected"])
    diverged_at = expected.pop("diverged_at", None)
    n = max(map(int, expected))
    r = fn.minimize(f2, case["inputs"]["x0"], df2, step=case["inputs"]["s"], stop_on=None,
                    max_iterations=n if diverged_at is None else 100, record=True)
    for k, row in expected.items():
        x = r.path[int(k)]
        check([*x, f2(x)], row, case["tol"])
    if diverged_at is not None:
        assert r.reason == "diverged"
        far = np.abs(r.path).max(axis=1) > case["inputs"]["diverged_when_abs_x_above"]
        assert np.argmax(far) == diverged_at
        assert np.isfinite([*r.path[-1], r.value, *r.gradient]).all()
    else:
        assert (r.reason, r.n_iterations) == ("max_iterations", n)


def test_which_minimum_in_the_plane():
    for where, minimum in CASES["003.2d.sd_limits"]["expected"].items():
        s, x0 = (part.split("=")[1] for part in where.split())
        r = fn.minimize(f2, json.loads(f"[{x0[1:-1]}]"), df2, step=float(s), stop_on="gradient",
                        tolerance=5e-3, max_iterations=20_000)
        if minimum == "diverged":
            assert r.reason == "diverged"
        else:
            assert r.converged, where
            nearest = min([(0, 1), (1, 0)], key=lambda m, r=r: np.hypot(*(r.x - m)))
            assert str(nearest).replace(" ", "") == minimum, where


@pytest.mark.parametrize(
    ("tolerance", "n_iterations", "x1", "hessian"),
    [
        (1e-4, 1267, 0.137, d2f2),
        (1e-4, 1267, 0.137, None),
        (1e-5, 4905, 0.05906, None),
        (1e-6, 20317, 0.02664, None),
    ],
)
def test_a_step_rule_stops_far_from_a_degenerate_minimum_and_says_so(
        tolerance, n_iterations, x1, hessian):
    r = fn.minimize(f2, [0.5, 0.5], df2, hessian, tolerance=tolerance, max_iterations=30_000)
    assert (r.reason, r.n_iterations) == ("step", n_iterations)
    assert r.x[0] == pytest.approx(x1, rel=4e-4)    # as many digits as the document has
    assert r.curvature == "degenerate"


@pytest.mark.parametrize(
    ("start", "options"),
    [
        ([0.0, 0.0], {"step": "armijo", "max_iterations": 40}),
        ([1.0, 1.0], {"step": "armijo", "max_iterations": 40}),
        ([-0.1274176, 0.2545082], {"max_iterations": 20_000}),
    ],
)
def test_a_degenerate_minimum_is_told_where_one_variable_is_much_nearer_to_it(start, options):
    """Newton's first step goes too far in that one, to where the curvature is larger."""
    r = fn.minimize(f2, start, df2, **options)
    assert np.hypot(*(r.x - [0, 1])) < 0.1
    assert r.curvature == "degenerate"


@pytest.mark.parametrize("tolerance", [1e-4, 1e-6])
@pytest.mark.parametrize("hessian", [d2f2, None])
def test_the_same_rule_stops_close_to_a_simple_minimum(tolerance, hessian):
    r = fn.minimize(f2, [0.7, 0.3], df2, hessian, tolerance=tolerance, max_iterations=30_000)
    assert r.curvature == "positive"
    # linear with the factor 1 - 2 s in the limit
    assert np.hypot(*(r.x - [1, 0])) < 1.1 * tolerance * (1 - 0.02) / 0.02


@named("003.2d.armijo")
def test_armijo_in_the_plane(name):
    case = CASES[name]
    check_armijo(case, f2, df2, case["inputs"]["x0"], case["expected"]["x"],
                 case["expected"]["final"])


@named("003.2d.bold")
def test_grow_shrink(name):
    case = CASES[name]
    inputs, expected = case["inputs"], case["expected"]
    rule = fn.schedules.GrowShrink(inputs["s0"], inputs["up"], inputs["down"])
    assert rule == fn.schedules.GrowShrink()
    r = fn.minimize(f2, inputs["x0"], df2, step="grow_shrink", stop_on=None, record=True,
                    max_iterations=inputs["iterations"])
    for k, x in expected["x_at"].items():
        check(r.path[int(k)], x, case["tol"])
    check(r.value, expected["f_final"], case["tol"])
    rejected = sum(np.array_equal(a, b) for a, b in zip(r.path, r.path[1:], strict=False))
    assert (r.n_iterations - rejected, rejected) == (expected["accepted"], expected["rejected"])


@named("003.2d.newton")
def test_newton_in_the_plane(name):
    case = CASES[name]
    r = fn.minimize(f2, case["inputs"]["x0"], df2, d2f2, "newton", guard=False, record=True,
                    max_iterations=case["inputs"]["iterations"])
    check(r.path, case["expected"]["x"], case["tol"])


def test_newton_without_a_guard_goes_to_the_saddle():
    r = fn.minimize(f2, [0.6, 0.4], df2, d2f2, "newton", guard=False)
    np.testing.assert_allclose(r.x, [2 / 3, 1 / 3], atol=1e-12)
    assert r.curvature == "indefinite"
    r = fn.minimize(f2, [0.6, 0.4], df2, d2f2, "newton", max_iterations=200)
    assert r.value < 1e-9


def test_newton_approaches_the_degenerate_minimum_by_a_third():
    r = fn.minimize(f2, [0.1, 0.9], df2, d2f2, "newton", guard=False, max_iterations=20,
                    record=True)
    distances = np.hypot(*(r.path - [0, 1]).T)
    np.testing.assert_allclose(distances[11:] / distances[10:-1], 2 / 3, rtol=1e-3)
    assert r.curvature == "degenerate"
