"""minimize, maximize and multi_start: methods, steps, reasons, results, and bad input."""

import _thread
import copy
import ctypes
import itertools
import math
import pickle
import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fastnet as fn
from fastnet import schedules

OPTIMIZERS = [
    fn.SGD(0.1), fn.SGD(0.05, momentum=0.5), fn.SGD(0.05, momentum=0.5, nesterov=True),
    fn.SGD(fn.schedules.Exponential(0.5, 0.95), normalize=True), fn.SGD(0.1, clip_norm=1.0),
    fn.Adam(0.1), fn.AdamW(0.1), fn.RMSProp(0.01), fn.Adagrad(0.5), fn.Rprop(0.1), fn.LBFGS(),
]  # fmt: skip
METHODS = ["steepest_descent", "newton", "lbfgs", *OPTIMIZERS]


def bowl(x):
    """Minimum 3 at (1, -2)."""
    return 0.5 * ((x[0] - 1) ** 2 + 4 * (x[1] + 2) ** 2) + 3


def d_bowl(x):
    return np.array([x[0] - 1, 4 * (x[1] + 2)])


def quartic(x):
    return 3 * x**4 + 5 * x**3 - 20 * x**2 + 8 * x + 10


def d_quartic(x):
    return 12 * x**3 + 15 * x**2 - 40 * x + 8


# ---- methods and steps -------------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS, ids=repr)
@pytest.mark.parametrize("gradient", [d_bowl, None])
def test_every_method_finds_the_bottom_of_a_bowl(method, gradient):
    r = fn.minimize(bowl, [4.0, 1.0], gradient, method=method, max_iterations=3000, tolerance=1e-9,
                    **({"step": 0.3} if method == "steepest_descent" else {}))
    # AdamW decays towards 0: the minimum is where the decay of 0.01 balances a normalized step.
    tolerance = 0.1 if isinstance(method, fn.AdamW) else 2e-2 if method is OPTIMIZERS[7] else 1e-5
    np.testing.assert_allclose(r.x, [1, -2], atol=tolerance)
    assert r.value == bowl(r.x)
    assert r.n_evaluations >= r.n_iterations or r.n_iterations == 3000
    assert r.curvature == "positive"


@pytest.mark.parametrize("optimizer", OPTIMIZERS[:-1], ids=repr)
def test_an_optimizer_takes_the_steps_that_it_takes_alone(optimizer):
    x = np.array([4.0, 1.0])
    expected = [x.copy()]
    alone = copy.deepcopy(optimizer)
    for _ in range(20):
        alone.step(x, d_bowl(x))
        expected.append(x.copy())
    r = fn.minimize(bowl, [4, 1], d_bowl, method=optimizer, stop_on=None, max_iterations=20,
                    record=True)
    np.testing.assert_array_equal(r.path, expected)
    # where Rprop rests, nothing is new
    assert r.n_evaluations == 1 + np.any(np.diff(r.path, axis=0) != 0, axis=1).sum()


def test_an_optimizer_of_the_caller_is_left_alone():
    optimizer = fn.Adam(0.1)
    x = np.ones(3)
    optimizer.step(x, x.copy())
    before = optimizer.get_state()
    first = fn.minimize(bowl, [4, 1], d_bowl, method=optimizer)
    assert first == fn.minimize(bowl, [4, 1], d_bowl, method=optimizer)
    after = optimizer.get_state()
    assert before.keys() == after.keys()
    assert all(np.array_equal(before[name], after[name]) for name in before)
    assert fn.minimize(bowl, [4, 1], method="sgd") == fn.minimize(
        bowl, [4, 1], method=fn.SGD())


def test_lbfgs_takes_the_steps_that_it_takes_alone():
    from fastnet.optim.full_batch import descend
    from fastnet.optim.objective import CallableObjective

    alone = fn.LBFGS(tolerance=1e-8)
    x, value, n = descend(alone, CallableObjective(2, bowl, d_bowl), [4.0, 1.0])
    r = fn.minimize(bowl, [4, 1], d_bowl, method=fn.LBFGS(tolerance=1e-8), stop_on=None)
    np.testing.assert_array_equal(r.x, x)
    assert (r.value, r.reason) == (value, alone.reason)
    # what the loop asks for once more was known
    assert r.n_evaluations == alone.n_evaluations
    assert r.n_iterations in (n - 1, n)     # the last one may only see that there is no more to do


def test_step_by_a_schedule_and_by_any_function():
    asked = []

    def step(k):
        asked.append(k)
        return 0.2 * 0.9**k

    by_schedule, by_function = (
        fn.minimize(quartic, 0.3, d_quartic, step=s, max_iterations=30, stop_on=None, record=True,
                    normalize=True)
        for s in (schedules.Exponential(0.2, 0.9), step))
    assert asked == list(range(30))
    # pow() of C and of Python may differ in the last bit
    np.testing.assert_allclose(by_schedule.path, by_function.path, rtol=1e-14)
    lengths = np.abs(np.diff(by_function.path))
    np.testing.assert_allclose(lengths, [0.2 * 0.9**k for k in range(30)], rtol=1e-13)


def test_the_step_is_asked_for_after_the_gradient_once_an_iteration():
    calls = []

    def gradient(x):
        calls.append(("gradient", x))
        return 2 * x

    def step(k):
        calls.append(("step", k))
        return 0.25

    fn.minimize(lambda x: x * x, 8.0, gradient, step=step, max_iterations=3)
    assert calls == [
        ("gradient", 8), ("step", 0), ("gradient", 4), ("step", 1), ("gradient", 2), ("step", 2),
        ("gradient", 1)]  # fmt: skip


@pytest.mark.parametrize("x0", [1e-160, 3.0, -1e200])
@pytest.mark.parametrize("n", [1, 2, 7])
def test_normalized_steps_have_exactly_their_length(x0, n):
    x0 = np.full(n, x0)
    r = fn.minimize(lambda x: float(np.abs(x).sum()), np.zeros(n), lambda x: x0, step=0.5,
                    normalize=True, max_iterations=1, stop_on=None)
    # a sum of n squares, a root and a division
    assert np.linalg.norm(r.x) == pytest.approx(0.5, rel=(n + 3) * 2**-52)
    if n == 1:
        assert abs(r.x[0]) == 0.5


def test_damped_newton():
    # Whole steps from here overshoot ever more: |x| > 1.39 diverges for sqrt(1 + x^2).
    def f(x):
        return math.sqrt(1 + x * x)

    def df(x):
        return x / math.sqrt(1 + x * x)

    def d2f(x):
        return (1 + x * x) ** -1.5

    assert fn.minimize(f, 2.0, df, d2f, "newton").reason == "diverged"
    r = fn.minimize(f, 2.0, df, d2f, "newton", step="armijo")
    assert r.converged
    assert abs(r.x) < 1e-8


def test_newton_where_the_second_derivative_is_zero():
    def f(x):
        return x**3 - x

    r = fn.minimize(f, 0.0, lambda x: 3 * x * x - 1, lambda x: 6 * x, "newton", guard=False)
    assert (r.reason, r.x, r.n_iterations) == ("diverged", 0.0, 0)
    r = fn.minimize(f, 0.0, lambda x: 3 * x * x - 1, lambda x: 6 * x, "newton")
    assert r.x == pytest.approx(3**-0.5)
    # Only x + y counts: the Hessian is singular, and the guarded step leaves x - y alone.
    r = fn.minimize(lambda x: (x[0] + x[1] - 1) ** 2, [3.0, 1.0], method="newton", record=True,
                    gradient=lambda x: [2 * (x[0] + x[1] - 1)] * 2, hessian=lambda x: [[2, 2]] * 2)
    np.testing.assert_allclose(r.x, [1.5, -0.5], atol=1e-14)
    assert r.curvature == "degenerate"


def test_levenberg_marquardt_for_residuals():
    def residuals(x):
        return [10 * (x[1] - x[0] ** 2), 1 - x[0]]

    def jacobian(x):
        return [[-20 * x[0], 10], [-1, 0]]

    for gradient in (jacobian, None):
        for method in ("levenberg_marquardt", fn.LevenbergMarquardt(scale=True)):
            r = fn.minimize(residuals, [-1.2, 1], gradient, method=method, check_gradient=True)
            np.testing.assert_allclose(r.x, [1, 1], atol=1e-7)
            assert r.converged
            assert r.curvature == "positive"
            assert r.value == 0.5 * sum(v * v for v in residuals(r.x))
    # of a number: half of (x - 3)^2 + (2 x)^2
    r = fn.minimize(lambda x: [x - 3, 2 * x], 1, lambda x: [1, 2], method="levenberg_marquardt")
    assert type(r.x) is float
    assert r.x == pytest.approx(0.6, abs=1e-9)
    assert r.value == pytest.approx(0.5 * (2.4**2 + 1.2**2))


# ---- properties --------------------------------------------------------------------------------

coefficients = st.lists(st.floats(-3, 3), min_size=4, max_size=4)


def polynomial(c):
    """A quartic that grows in both directions, and its derivative."""
    p = np.polynomial.Polynomial([*c, 1.0])
    d = p.deriv()
    return lambda x: float(p(x)), lambda x: float(d(x))


@given(coefficients, st.floats(-3, 3), st.booleans())
def test_armijo_never_increases_f(c, x0, normalize):
    f, df = polynomial(c)
    r = fn.minimize(f, x0, df, step="armijo", normalize=normalize, record=True, max_iterations=50)
    values = [f(x) for x in r.path]
    assert all(after <= before for before, after in itertools.pairwise(values))
    assert r.reason != "diverged"


@given(coefficients, st.floats(-3, 3))
def test_grow_shrink_never_increases_f(c, x0):
    f, df = polynomial(c)
    r = fn.minimize(f, x0, df, step=schedules.GrowShrink(0.5), record=True, max_iterations=50)
    values = [f(x) for x in r.path]
    assert all(after <= before for before, after in itertools.pairwise(values))
    assert len(r.path) == r.n_iterations + 1


@given(coefficients, st.floats(-3, 3), st.sampled_from(
    [{"step": 0.01}, {"step": "armijo"}, {"step": "grow_shrink"}, {"method": "newton"},
     {"method": "newton", "guard": False}, {"method": "lbfgs"}, {"method": fn.Adam(0.1)},
     {"step": 0.1, "normalize": True}]), st.booleans())  # fmt: skip
def test_maximize_is_minimize_of_minus_f(c, x0, options, has_gradient):
    f, df = polynomial(c)
    options = options | {"max_iterations": 30, "record": True}
    down = fn.minimize(f, x0, df if has_gradient else None, **options)
    up = fn.maximize(lambda x: -f(x), x0, (lambda x: -df(x)) if has_gradient else None, **options)
    np.testing.assert_array_equal(up.path, down.path)
    assert (up.value, up.gradient) == (-down.value, -down.gradient)
    for name in ("x", "reason", "n_iterations", "n_evaluations", "curvature"):
        assert getattr(up, name) == getattr(down, name)


@given(coefficients, st.floats(-3, 3), st.sampled_from(
    [{"step": 0.01}, {"step": "armijo"}, {"step": "grow_shrink"}, {"method": "lbfgs"},
     {"method": "newton", "guard": False}, {"method": fn.Rprop()},
     {"step": 0.1, "normalize": True}]), st.booleans())  # fmt: skip
def test_a_number_a_list_and_an_array_give_the_same(c, x0, options, has_gradient):
    f, df = polynomial(c)
    options = options | {"max_iterations": 30, "record": True}
    hessian = None
    if options.get("method") == "newton":
        second = np.polynomial.Polynomial([*c, 1.0]).deriv(2)
        options["hessian"] = lambda x: float(second(x))
    number = fn.minimize(f, x0, df if has_gradient else None, **options)
    if "hessian" in options:
        options["hessian"] = lambda x: [[hessian(x[0])]]
        hessian = second
    for start in ([x0], np.array([x0]), (x0,)):
        r = fn.minimize(lambda x: f(x[0]), start, (lambda x: [df(x[0])]) if has_gradient else None,
                        **options)
        assert isinstance(r.x, np.ndarray)
        np.testing.assert_array_equal(r.path[:, 0], number.path)
        assert (r.x[0], r.value, r.gradient[0]) == (number.x, number.value, number.gradient)
        for name in ("reason", "n_iterations", "n_evaluations", "curvature"):
            assert getattr(r, name) == getattr(number, name)
    assert fn.minimize(f, np.array(x0), df if has_gradient else None, **{
        **options, "hessian": (lambda x: float(hessian(x))) if hessian is not None else None,
    }) == number


# ---- why it ends -------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["steepest_descent", "newton", "lbfgs"])
def test_formulas_take_a_number_or_an_array_of_one(method):
    def second(x):
        return 36 * x**2 + 30 * x - 40

    number = fn.minimize(quartic, 0.5, d_quartic, second, method=method, record=True)
    array = fn.minimize(quartic, [0.5], d_quartic, second, method=method, record=True)
    assert array.path.shape == (number.n_iterations + 1, 1)
    assert array.x == pytest.approx(number.x, abs=1e-13)
    assert (array.reason, array.curvature) == (number.reason, number.curvature)


def test_reasons():
    def f(x):
        return x * x

    def df(x):
        return 2 * x

    def run(x0=1.0, **options):
        r = fn.minimize(f, x0, df, **options)
        assert r.converged == (r.reason in ("exact", "gradient", "step", "value"))
        return r.reason, r.n_iterations, r.x

    # x is halved each time
    assert run(step=0.25, tolerance=2**-10) == ("step", 11, 2**-11)
    assert run(step=0.25, tolerance=2**-9, stop_on="gradient") == ("gradient", 11, 2**-11)
    assert run(step=0.25, tolerance=2**-18, stop_on="value") == ("value", 10, 2**-10)
    assert run(step=0.25, max_iterations=7) == ("max_iterations", 7, 2**-7)
    assert run(step=0.5) == ("exact", 1, 0.0)
    assert run(0.0) == ("exact", 0, 0.0)
    assert run(0.0, max_iterations=0) == ("exact", 0, 0.0)
    assert run(max_iterations=0) == ("max_iterations", 0, 1.0)
    assert run(2.0**-10, stop_on="gradient", tolerance=2**-8) == ("gradient", 0, 2**-10)
    # a step of 2^-60 does not change 1, which is a step below the tolerance, if there is one
    for stop_on in ("gradient", "value"):
        assert run(step=2**-61, stop_on=stop_on, tolerance=0) == ("stalled", 0, 1.0)
    assert run(step=2**-61, tolerance=0) == ("stalled", 0, 1.0)
    assert run(step=2**-61) == ("step", 1, 1.0)
    assert run(step=2**-61, stop_on="value") == ("stalled", 0, 1.0)
    # without a rule only the count ends that
    assert run(step=2**-61, stop_on=None, max_iterations=9) == ("max_iterations", 9, 1.0)
    # a rate of zero is a rest
    assert run(step=lambda k: 0.5 * (k > 3), tolerance=1e-9) == ("exact", 5, 0.0)
    # uphill, so that no trial is lower
    for step in ("armijo", "grow_shrink"):
        r = fn.minimize(f, 1.0, lambda x: -2 * x, step=step)
        assert (r.reason, r.x) == ("stalled", 1.0)
        r = fn.minimize(f, 1.0, lambda x: -2 * x, step=step, stop_on=None, record=True)
        assert (r.reason, r.n_iterations) == ("max_iterations", 1000)
        assert r.path.tolist() == [1.0] * 1001


def test_an_x_that_rests_can_be_interrupted_by_another_thread(interrupts):
    timer = threading.Timer(0.05, _thread.interrupt_main)
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        fn.minimize(lambda x: x, 1.0, lambda x: 1e-30, stop_on=None, max_iterations=2 * 10**9)
    timer.join()


def test_a_rest_of_rprop_is_no_end():
    r = fn.minimize(lambda x: x * x, 1.0, lambda x: 2 * x, method=fn.Rprop(0.3), record=True)
    assert (np.diff(r.path) == 0).any()
    assert abs(r.x) < 1e-6


@pytest.mark.parametrize("as_array", [False, True])
def test_divergence_is_a_result(as_array):
    # Python's own numbers raise OverflowError, NumPy's become infinite
    x0 = np.array([3.0]) if as_array else 3.0

    def f(x):
        return (x**4).sum() if as_array else x**4

    r = fn.minimize(f, x0, lambda x: 4 * x**3, step=1.0, record=True)
    assert (r.reason, r.converged) == ("diverged", False)
    assert np.isfinite([r.value, np.sum(r.gradient), np.sum(r.x)]).all()
    assert r.value == f(r.x)
    assert len(r.path) == r.n_iterations + 1
    np.testing.assert_array_equal(r.path[-1], r.x)
    assert r.n_iterations < 10
    for options in ({"step": "armijo"}, {"step": "grow_shrink"}, {"method": "lbfgs"}):
        r = fn.minimize(f, x0, lambda x: 4 * x**3, **options)
        assert r.reason != "diverged"


def test_values_that_are_not_finite():
    def f(x):
        return math.nan if x < 0 else x * x + x

    # the minimum lies outside of where f is defined
    assert fn.minimize(f, 1.0, lambda x: 2 * x + 1, step=0.3).reason == "diverged"
    r = fn.minimize(f, 1.0, lambda x: 2 * x + 1, step="armijo", max_iterations=200)
    assert r.reason != "diverged"
    assert 0 <= r.x < 1e-3
    # without a lower bound
    r = fn.minimize(lambda x: -x if x < 100 else -math.inf, 0.0, lambda x: -1.0, step=30.0)
    assert (r.reason, r.x, r.n_iterations) == ("diverged", 90.0, 3)
    r = fn.minimize(lambda x: -x, 0.0, lambda x: -1.0 if x < 100 else math.nan, step=30.0)
    assert (r.reason, r.x) == ("diverged", 90.0)
    r = fn.minimize(lambda x: x * x, 1.0, lambda x: 2 * x, lambda x: math.nan, "newton")
    assert (r.reason, r.x, r.curvature) == ("diverged", 1.0, None)


def test_callback():
    seen = []

    def callback(r):
        seen.append((r.x, r.value, r.gradient, r.n_iterations, r.reason))
        return r.n_iterations == 3

    r = fn.minimize(lambda x: x * x, 8.0, lambda x: 2 * x, step=0.25, callback=callback)
    assert seen == [(4, 16, 8, 1, None), (2, 4, 4, 2, None), (1, 1, 2, 3, None)]
    assert (r.reason, r.converged, r.x) == ("callback", False, 1.0)
    # of maximize with the values of f itself, and once an iteration whatever ends it
    seen.clear()
    r = fn.maximize(lambda x: -x * x, 8.0, lambda x: -2 * x, step=0.25, tolerance=1.5,
                    callback=callback)
    assert seen[-1] == (1, -1, -2, 3, None)
    assert r.reason == "step"
    with pytest.raises(ZeroDivisionError):
        fn.minimize(bowl, [4, 1], callback=lambda r: 1 / 0)


def test_what_a_function_keeps_or_changes_is_its_own():
    kept = []

    def f(x):
        kept.append(x)
        value = bowl(x)
        x[:] = np.nan
        return value

    def gradient(x):
        value = d_bowl(x)
        x[:] = np.nan
        return value

    start = np.array([4.0, 1.0])
    for method in ("steepest_descent", "lbfgs", "newton"):
        assert fn.minimize(f, start, gradient, method=method) == fn.minimize(
            bowl, start, d_bowl, method=method)
    assert start.tolist() == [4, 1]
    assert len({id(x) for x in kept}) == len(kept)


# ---- multi_start, results ----------------------------------------------------------------------


def test_multi_start():
    starts = [3.0, -4.0, 0.0, 1.0]
    results = fn.multi_start(quartic, starts, gradient=d_quartic, step=0.02, max_iterations=200)
    assert [r.value for r in results[:-1]] == sorted(r.value for r in results[:-1])
    assert results[-1] == fn.minimize(quartic, -4.0, d_quartic, step=0.02, max_iterations=200)
    assert results[-1].reason == "diverged"
    plane = fn.multi_start(bowl, np.array([[4, 1], [1, -2], [0, 0]]), method="lbfgs")
    assert len(plane) == 3
    assert all(r.x.shape == (2,) for r in plane)
    assert fn.multi_start(quartic, (0, 1), d_quartic) == [
        fn.minimize(quartic, x0, d_quartic) for x0 in (0, 1)]
    with pytest.raises(ValueError, match="starts must hold at least one point"):
        fn.multi_start(quartic, [])
    with pytest.raises(ValueError, match=r"starts\[1\] must be finite, got nan"):
        fn.multi_start(quartic, [0.0, math.nan])
    for starts in (1.0, None, np.array(1.0)):
        with pytest.raises(TypeError, match="starts must be a sequence of points"):
            fn.multi_start(quartic, starts)


def test_a_result_can_be_shown_compared_copied_and_pickled():
    r = fn.minimize(bowl, [4, 1], d_bowl, record=True)
    assert repr(r).startswith("DescentResult(x=[1.")
    assert repr(r).endswith("reason='max_iterations', n_iterations=1000)")
    assert repr(fn.minimize(lambda x: x * x, 1.0, lambda x: 2 * x, step=0.5)) == (
        "DescentResult(x=0, value=0, reason='exact', n_iterations=1)")
    assert len(repr(fn.minimize(lambda x: float(x @ x), np.ones(1000), lambda x: 2 * x))) < 200
    for again in (pickle.loads(pickle.dumps(r)), copy.copy(r), copy.deepcopy(r)):
        assert again == r
        assert again.curvature == r.curvature == "positive"
        np.testing.assert_array_equal(again.path, r.path)
    assert r != fn.minimize(bowl, [4, 1], d_bowl)
    assert r != fn.minimize(bowl, [4, 1.5], d_bowl, record=True)
    assert r != 3
    assert fn.minimize(bowl, [4, 1], d_bowl).path is None


@pytest.mark.parametrize(
    ("f", "x", "curvature"),
    [
        (lambda x: x * x, 0.0, "positive"),
        (lambda x: x * x, 10.0, "positive"),
        (lambda x: 5 + 1e-3 * x * x, 1.0, "positive"),
        (math.cosh, 3.0, "positive"),
        (lambda x: -x * x, 0.0, "indefinite"),
        (lambda x: x**4, 0.0, "degenerate"),
        (lambda x: x**4, 0.05, "degenerate"),
        (lambda x: x**6, 0.1, "degenerate"),
        (lambda x: x**3, 0.0, "degenerate"),
        (lambda x: 3.0, 1.0, "degenerate"),
        (lambda x: x[0] ** 2 - x[1] ** 2, [0.0, 0.0], "indefinite"),
        (lambda x: (x[0] + x[1]) ** 2, [0.5, -0.5], "degenerate"),
        (lambda x: x[0] ** 2 + x[1] ** 4, [0.1, 0.1], "degenerate"),
        (lambda x: x[0] ** 2 + 0.01 * x[1] ** 2, [0.1, 0.1], "positive"),
    ],
)
@pytest.mark.parametrize("has_gradient", [False, True])
def test_curvature(f, x, curvature, has_gradient):
    from fastnet.optim.derivatives import gradient

    options = {"gradient": lambda p: gradient(f, p)} if has_gradient else {}
    assert fn.minimize(f, x, max_iterations=0, **options).curvature == curvature
    assert fn.maximize(
        lambda p: -f(p), x, max_iterations=0,
        **({"gradient": lambda p: -gradient(f, p)} if has_gradient else {})).curvature == curvature


@pytest.mark.parametrize("size", [1e-250, 1e-170, 1.0, 1e170, 1e250])
def test_lengths_whose_squares_leave_the_range_of_numbers(size):
    def run(x0, **options):
        return fn.minimize(lambda x: size * float(x @ x), x0, lambda x: 2 * size * x, **options)

    # The gradient at x0 has the length 10 size.
    x0 = [3.0, 4.0]
    near = {"stop_on": "gradient", "step": 0.25 / size}
    assert run(x0, tolerance=10.1 * size, **near).n_iterations == 0
    # 0.25 / size halves x; its length passes from 10 to 5 size
    assert run(x0, tolerance=9.9 * size, **near).n_iterations == 1
    assert run(x0, tolerance=4.9 * size, **near).n_iterations == 2
    r = run(x0, step=5.0, normalize=True, stop_on=None)
    assert r.n_iterations == 1
    np.testing.assert_allclose(r.x, 0, atol=1e-14)


def test_armijo_where_the_slope_overflows():
    r = fn.minimize(lambda x: 1e200 * float(x @ x), [1.0, 1.0], lambda x: 2e200 * x, step="armijo",
                    record=True)
    assert r.reason in ("exact", "step")
    np.testing.assert_allclose(r.x, 0, atol=1e-8)
    assert len(r.path) > 1


# ---- bad input ---------------------------------------------------------------------------------


def refused(error, match, *arguments, function=fn.minimize, **options):
    with pytest.raises(error, match=match):
        function(*arguments, **options)


def test_values_of_f_that_are_refused():
    for value in (math.nan, math.inf, -math.inf):
        refused(ValueError, rf"f\(x0\) must be finite, got {value}", lambda x, v=value: v, 1.0)
        refused(ValueError, rf"f\(x0\) must be finite, got {value}", lambda x, v=value: v, 1.0,
                function=fn.maximize)
        refused(ValueError, r"gradient\(x0\)\[1\] must be finite", bowl, [1, 2],
                lambda x, v=value: [1, v])
    refused(ValueError, r"array of shape \(2,\)", lambda x: x, [1.0, 2.0])
    refused(ValueError, r"array of shape \(1,\)", lambda x: np.array([x]), 1.0)
    refused(ValueError, r"array of shape \(1, 1\)", lambda x: x[None], [1.0])
    refused(TypeError, "real number, got NoneType", lambda x: None, 1.0)
    refused(TypeError, "real number, got complex", lambda x: 1j, 1.0)
    refused(OverflowError, None, lambda x: x**400, 1e200)
    for value in (2, np.float32(2), np.array(2.0), True):
        assert fn.minimize(lambda x, v=value: v, 1.0).value == value
    for error in (KeyError("mine"), FloatingPointError("mine"), KeyboardInterrupt()):
        def f(x, error=error):
            if x < 0.9:
                raise error
            return x * x

        with pytest.raises(type(error)) as caught:
            fn.minimize(f, 1.0, lambda x: 2 * x, step=0.1)
        assert caught.value is error


def test_derivatives_that_are_refused():
    refused(ValueError, r"gradient\(x\) must have shape \(2,\), got \(3,\)", bowl, [1, 2],
            lambda x: [1, 2, 3])
    refused(ValueError, r"gradient\(x\) must have shape \(2,\), got \(\)", bowl, [1, 2],
            lambda x: 1.0)
    refused(ValueError, r"gradient .*shape \(1,\)", quartic, 1.0, lambda x: [1.0])
    refused(ValueError, r"hessian\(x\) must have shape \(2, 2\), got \(2,\)", bowl, [4, 2], d_bowl,
            lambda x: [1, 2], "newton")
    refused(ValueError, r"gradient\(x\) must be the Jacobian .* \(2, 1\), got \(1, 2\)",
            lambda x: [x[0], x[0]], [1.0], lambda x: [[1, 2]], method="levenberg_marquardt")
    refused(ValueError, r"residuals of shape \(m,\), got \(\)", lambda x: 1.0, 1.0,
            method="levenberg_marquardt")


def test_check_gradient():
    fn.minimize(bowl, [4, 1], d_bowl, check_gradient=True)
    fn.minimize(bowl, [4, 1], check_gradient=True)
    fn.maximize(quartic, 0.5, d_quartic, check_gradient=True, max_iterations=5)
    refused(ValueError, r"gradient\(x\)\[1\] is 24, .* give 12: wrong by a factor of 2", bowl,
            [4, 1], lambda x: d_bowl(x) * [1, 2], check_gradient=True)
    for wrong in (["a"], [1j]):
        refused(TypeError, "f must return real numbers", lambda x, v=wrong: v, 1.0,
                method="levenberg_marquardt")
        refused(TypeError, "gradient must return real numbers", lambda x: [x], 1.0,
                lambda x, v=wrong: v, method="levenberg_marquardt")
    refused(ValueError, r"gradient\(x\) is .* by a factor of -1", quartic, 0.7,
            lambda x: -d_quartic(x), check_gradient=True)
    refused(ValueError, r"gradient\(x\) is .* by a factor of 0.5", quartic, 0.7,
            lambda x: d_quartic(x) / 2, check_gradient=True, function=fn.maximize)
    refused(ValueError, r"gradient\(x\)\[1, 0\] is 7, .* give 2: wrong by a factor of 3.5",
            lambda x: [x[0], 2 * x[0]], [1.0], lambda x: [[1], [7]], check_gradient=True,
            method="levenberg_marquardt")


def test_check_gradient_of_unlike_components():
    def steep(x):
        return 1e6 * x[0] ** 2 + x[1] ** 2

    def slope(x):
        return np.array([2e6 * x[0], 2 * x[1]])

    fn.minimize(steep, [1, 1], slope, check_gradient=True, max_iterations=0)
    refused(ValueError, r"gradient\(x\)\[1\] is 4, .* by a factor of 2", steep, [1, 1],
            lambda x: slope(x) * [1, 2], check_gradient=True)


def test_check_gradient_of_a_function_that_turns_often():
    def wave(x):
        return math.sin(1e4 * x)

    fn.minimize(wave, 150.0, lambda x: 1e4 * math.cos(1e4 * x), check_gradient=True,
                max_iterations=0)
    refused(ValueError, "by a factor of 2", wave, 150.0, lambda x: 2e4 * math.cos(1e4 * x),
            check_gradient=True)


def test_arguments_that_are_refused():
    for x0, message in (
        ([1, math.nan], r"x0\[1\] must be finite, got nan"),
        (math.inf, "x0 must be finite, got inf"), ([], "x0 must"), ([1, [2]], "x0 must be a rect"),
        ([[1.0, 2.0]], "x0 must"),
    ):  # fmt: skip
        refused(ValueError, message, bowl, x0)
    refused(TypeError, "x0 must hold real numbers", bowl, "here")
    refused(TypeError, "f must be callable or a C function, got float", 3.0, 1.0)
    refused(TypeError, "gradient must be callable or a C function, got list", bowl, [1, 2], [1, 2])
    refused(TypeError, "hessian must be callable, got int", bowl, [1, 2], None, 3)
    refused(TypeError, "callback must be callable, got int", bowl, [1, 2], callback=3)
    for step in (0, -0.1, math.nan, math.inf, 10**400):
        refused(ValueError, r"step must be in \(0, inf\)", quartic, 1.0, step=step)
    for step in (None, [0.1], True):
        refused(TypeError, "step must", quartic, 1.0, step=step)
    refused(ValueError, "unknown step 'armino': did you mean 'armijo'", quartic, 1.0, step="armino")
    refused(ValueError, r"step\(0\) must be in \[0, inf\), got -1", quartic, 1.0, step=lambda k: -1)
    refused(ValueError, r"step\(0\) must be in \[0, inf\), got nan", quartic, 1.0,
            step=lambda k: math.nan)
    refused(ValueError, r"step\(1\) must be in", quartic, 1.0,
            step=schedules.Exponential(2.0, 1e308), stop_on=None)
    refused(TypeError, r"step\(0\) must be a number", quartic, 1.0, step=lambda k: None)
    refused(ValueError, "unknown method 'newtom': did you mean 'newton'", quartic, 1.0,
            method="newtom")
    refused(TypeError, "method must be .*Adam itself", quartic, 1.0, method=fn.Adam)
    refused(TypeError, "method must be .* got int", quartic, 1.0, method=3)
    for stop_on in ("steps", ["step"], np.array(["step", "value"])):
        refused(ValueError, "stop_on must be one of", quartic, 1.0, stop_on=stop_on)
    for tolerance in (-1, math.nan, math.inf):
        refused(ValueError, r"tolerance must be in \[0, inf\)", quartic, 1.0, tolerance=tolerance)
    refused(TypeError, "tolerance must be a number", quartic, 1.0, tolerance=[1])
    refused(ValueError, "max_iterations must be at least 0, got -1", quartic, 1.0,
            max_iterations=-1)
    refused(TypeError, "max_iterations must be an int", quartic, 1.0, max_iterations=1e3)
    refused(TypeError, "step must be a number .* got NoneType", quartic, 1.0, step=None)
    refused(TypeError, "tolerance must be a number .* got str", quartic, 1.0, tolerance="small")


def test_arguments_that_do_not_go_together():
    refused(ValueError, "step is for method='steepest_descent'; Adam has its own", quartic, 1.0,
            method=fn.Adam(), step=0.1)
    refused(ValueError, "'newton' takes whole steps", quartic, 1.0, method="newton", step=0.1)
    refused(ValueError, "'armijo' needs guard=True", quartic, 1.0, method="newton", step="armijo",
            guard=False)
    refused(ValueError, "normalize=True is for", quartic, 1.0, method="newton", normalize=True)
    refused(ValueError, "guard=False is for", quartic, 1.0, guard=False)
    refused(ValueError, r"gradient\(x\) must be the Jacobian .* \(1, 1\), got \(2, 1\)",
            lambda x: [x], 1.0, lambda x: [[1], [2]], method="levenberg_marquardt")
    refused(ValueError, "cannot maximize a sum of squares", lambda x: [x], 1.0,
            method="levenberg_marquardt", function=fn.maximize)


def test_step_rules():
    assert repr(schedules.GrowShrink()) == "GrowShrink(initial=0.01, grow=1.1, shrink=0.5)"
    assert repr(schedules.Armijo()) == "Armijo(initial=1.0, shrink=0.5, c=0.0001)"
    for rule in (schedules.GrowShrink(0.1, 2, 0.25), schedules.Armijo(2, 0.25, 0.1)):
        for again in (pickle.loads(pickle.dumps(rule)), copy.deepcopy(rule)):
            assert again == rule
            assert hash(again) == hash(rule)
        assert rule != type(rule)()
        # They choose by values, which a training does not give them.
        with pytest.raises(TypeError, match="learning_rate must be a number"):
            fn.Adam(rule)
    for wrong in ({"initial": 0}, {"grow": 1}, {"shrink": 1}, {"shrink": 0}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            schedules.GrowShrink(**wrong)
    for wrong in ({"initial": math.inf}, {"shrink": 1}, {"c": 0}, {"c": 1}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            schedules.Armijo(**wrong)
    for rule in (schedules.Armijo(), schedules.GrowShrink()):
        name = {"Armijo": "armijo", "GrowShrink": "grow_shrink"}[type(rule).__name__]
        assert fn.minimize(quartic, 0.0, step=rule) == fn.minimize(quartic, 0.0, step=name)


def test_examples_of_the_documentation():
    import doctest

    from fastnet.optim import minimization

    for module in (minimization, schedules):
        assert doctest.testmod(module).failed == 0


def test_ctypes_without_types_is_no_python_function():
    refused(ValueError, "argtypes", ctypes.CDLL(None).sqrt, 1.0)
