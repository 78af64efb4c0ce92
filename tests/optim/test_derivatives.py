"""Numeric derivatives beside mpmath's, beside exact difference quotients, and what is refused."""

import doctest
import importlib
import math
from fractions import Fraction

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fastnet as fn
from fastnet.optim.derivatives import central_hessian, verify_gradient

EPSILON = np.finfo(np.float64).eps


def quartic(x):
    """Of document 003."""
    return 3 * x**4 + 5 * x**3 - 20 * x**2 + 8 * x + 10


def two_minima(x):
    """Of document 003."""
    return x[0] ** 4 * x[1] ** 2 + (x[0] - 1) ** 2 * (x[1] - 1) ** 4


def two_minima_gradient(x):
    a, b = x
    return np.array([
        4 * a**3 * b**2 + 2 * (a - 1) * (b - 1) ** 4, 2 * a**4 * b + 4 * (a - 1) ** 2 * (b - 1) ** 3
    ])


def two_minima_hessian(x):
    a, b = x
    mixed = 8 * a**3 * b + 8 * (a - 1) * (b - 1) ** 3
    return np.array([
        [12 * a**2 * b**2 + 2 * (b - 1) ** 4, mixed],
        [mixed, 2 * a**4 + 12 * (a - 1) ** 2 * (b - 1) ** 2],
    ])


def tolerance(order, size=1.0, scale=1.0):
    """Rounding of 2^order values of this size, divided by the power of the third step."""
    return EPSILON * 2**order * size / (scale * 113 / 1024 / 16) ** order


FUNCTIONS = {
    "sin": (math.sin, mpmath.sin),
    "exp": (math.exp, mpmath.exp),
    "atan": (math.atan, mpmath.atan),
    "quartic": (quartic, quartic),
    "root": (lambda x: math.sqrt(4 + x), lambda x: mpmath.sqrt(4 + x)),
}


@pytest.mark.parametrize("order", [1, 2, 3, 4])
@pytest.mark.parametrize("x", [-1.5, -0.25, 0.0, 1e-3, 0.7, 1.0])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_smooth_functions(name, x, order):
    f, exact = FUNCTIONS[name]
    with mpmath.workdps(40):
        expected = mpmath.diff(exact, mpmath.mpf(x), order)
        size = max(abs(f(x + d)) for d in np.linspace(-0.2, 0.2, 9))
    got = fn.derivative(f, x, order)
    assert type(got) is float
    assert abs(got - expected) <= 4 * tolerance(order, max(size, 1.0))


@pytest.mark.parametrize("x", [1e-9, 1e-4, 0.01, 3.0, 1e5, 1e12])
def test_steps_fit_where_the_function_ends(x):
    # log and sqrt are defined on one side of 0 only: their scale is x, however small
    assert fn.derivative(math.log, x) == pytest.approx(1 / x, rel=1e-10)
    assert fn.derivative(math.sqrt, x) == pytest.approx(0.5 / math.sqrt(x), rel=1e-9)


@pytest.mark.parametrize("frequency", [1, 64 * math.pi, 200, 1e4])
def test_functions_that_turn_often(frequency):
    for x in (0.1, 1.0, 4.0):
        got = fn.derivative(lambda t: math.sin(frequency * t), x)
        # the argument of the sine is rounded
        error = 1e-11 * frequency + EPSILON * frequency**2 * x
        assert got == pytest.approx(frequency * math.cos(frequency * x), abs=error)


STENCILS = {
    1: {-1: Fraction(-1, 2), 1: Fraction(1, 2)},
    2: {-1: 1, 0: -2, 1: 1},
    3: {-2: Fraction(-1, 2), -1: 1, 1: -1, 2: Fraction(1, 2)},
    4: {-2: 1, -1: -4, 0: 6, 1: -4, 2: 1},
}


@pytest.mark.parametrize("order", STENCILS)
def test_with_a_step_it_is_the_plain_quotient(order):
    x, h = Fraction(3, 4), Fraction(1, 8)
    expected = sum(w * quartic(x + k * h) for k, w in STENCILS[order].items()) / h**order
    # every value is exact in binary
    assert fn.derivative(quartic, float(x), order, step=float(h)) == expected


@given(
    st.lists(st.floats(-10, 10), min_size=1, max_size=4),
    st.floats(-10, 10),
)
def test_polynomials(coefficients, x):
    p = np.polynomial.Polynomial(coefficients)
    size = sum(abs(c) * 12.0**k for k, c in enumerate(coefficients))
    for order in (1, 2):
        expected = p.deriv(order)(x)
        got = fn.derivative(lambda t: float(p(t)), x, order)
        assert abs(got - expected) <= 4 * tolerance(order, max(size, 1e-300))


@pytest.mark.parametrize("x", [3, 3.0, np.float32(3), np.array(3), np.int64(3)])
def test_a_number_gives_a_float(x):
    for got in (fn.derivative(quartic, x), fn.gradient(quartic, x)):
        assert type(got) is float
        assert got == pytest.approx(12 * 27 + 15 * 9 - 120 + 8, abs=tolerance(1, 300))
    assert type(fn.hessian(quartic, x)) is float
    assert fn.hessian(quartic, x) == pytest.approx(36 * 9 + 90 - 40, abs=tolerance(2, 300))


def test_an_array_is_taken_number_by_number():
    x = [[1, 2, 3], [4, 5, 6]]
    got = fn.derivative(quartic, x)
    assert got.shape == (2, 3)
    assert got.tolist() == [[fn.derivative(quartic, float(v)) for v in row] for row in x]
    assert fn.derivative(quartic, []).shape == (0,)


POINTS = [(3.0, 3.0), (0.0, 1.0), (1.0, 0.0), (2 / 3, 1 / 3), (-1.0, 2.0), (0.5, 0.5)]


@pytest.mark.parametrize("x", POINTS)
@pytest.mark.parametrize("kind", [list, tuple, np.array])
def test_gradient_and_hessian_of_two_numbers(x, kind):
    size = max(1.0, two_minima(np.abs(x) + 1))
    given_x = kind(x)
    g, h = fn.gradient(two_minima, given_x), fn.hessian(two_minima, given_x)
    np.testing.assert_allclose(g, two_minima_gradient(x), atol=tolerance(1, size), rtol=0)
    np.testing.assert_allclose(h, two_minima_hessian(x), atol=4 * tolerance(2, size), rtol=0)
    np.testing.assert_array_equal(h, h.T)
    assert tuple(given_x) == x


def test_huge_points():
    # the first step would be 2^1024, and x f' / h more than there are numbers
    assert fn.derivative(lambda x: 3 * (x / 4), 1.7e308) == pytest.approx(0.75, rel=1e-12)
    assert fn.derivative(lambda x: x * x, 1e150) == pytest.approx(2e150, rel=1e-12)


@pytest.mark.parametrize("x", POINTS)
def test_single_steps(x):
    x = np.array(x)
    size = max(1.0, two_minima(np.abs(x) + 1))
    # errors of rounding, eps / h^2, and of the rule, h^2 f'''' / 12, with the steps of the module
    np.testing.assert_allclose(
        central_hessian(two_minima, x), two_minima_hessian(x), atol=1e-6 * size, rtol=0
    )
    assert central_hessian(quartic, 2.0) == pytest.approx(164, abs=1e-5)


def test_the_hessian_of_a_quadratic_is_its_matrix():
    rng = np.random.default_rng(5)
    a = rng.normal(size=(5, 5))
    a = a + a.T
    got = fn.hessian(lambda x: 0.5 * x @ a @ x, rng.normal(size=5))
    np.testing.assert_allclose(got, a, atol=tolerance(2, 20))


def test_the_function_may_keep_and_change_what_it_gets():
    kept = []

    def f(x):
        kept.append(x)
        value = x[0] * x[1]
        x[:] = 0
        return value

    assert fn.gradient(f, [2.0, 3.0]) == pytest.approx([3.0, 2.0], abs=tolerance(1, 9))
    assert fn.hessian(f, [2.0, 3.0]) == pytest.approx(
        np.array([[0.0, 1.0], [1.0, 0.0]]), abs=tolerance(2, 9)
    )
    assert len({id(x) for x in kept}) == len(kept)


def test_kinks_have_the_mean_slope():
    assert fn.derivative(abs, 0.0) == 0.0
    assert fn.derivative(lambda x: max(0.0, x), 0) == 0.5
    # and beside them the slope of their side
    assert fn.derivative(abs, 0.01) == pytest.approx(1.0, abs=1e-12)


def test_huge_arguments():
    for x in (1e200, -1.7e308):
        assert fn.derivative(lambda p: p, x) == pytest.approx(1.0)
        for order, step in ((2, None), (8, None), (2, 1e300)):
            with pytest.raises(ValueError, match="no finite values on both sides"):
                fn.derivative(lambda p: p, x, order=order, step=step)


def test_formulas_take_an_array_of_one():
    assert fn.gradient(quartic, [2.0]).tolist() == [fn.gradient(quartic, 2.0)]
    assert fn.hessian(quartic, [2.0]).tolist() == [[fn.hessian(quartic, 2.0)]]


@pytest.mark.parametrize("call", [fn.derivative, fn.gradient, fn.hessian])
@pytest.mark.parametrize(
    ("f", "x", "error", "words"),
    [
        (math.sin, math.nan, ValueError, "x must be finite, got nan"),
        (math.sin, math.inf, ValueError, "x must be finite, got inf"),
        (math.sin, "1", TypeError, "x must hold real numbers"),
        (math.sin, 1j, TypeError, "x must hold real numbers"),
        (lambda x: np.array([x]), 1.0, ValueError, r"must return one number, .* shape \(1,\)"),
        (lambda x: None, 1.0, TypeError, "must return a real number, got NoneType"),
        (lambda x: 1j, 1.0, TypeError, "must return a real number, got complex"),
        (lambda x: math.nan, 1.0, ValueError, "f is nan at x = 1.0"),
        (lambda x: math.inf, 1.0, ValueError, "f is inf at x = 1.0"),
        (math.sqrt, 0.0, ValueError, "no finite values on both sides of x = 0.0"),
        (math.sqrt, -1.0, ValueError, "math domain error|expected a nonnegative input"),
        (3, 1.0, TypeError, "f must be callable, got int"),
    ],
)
def test_refused(call, f, x, error, words):
    with pytest.raises(error, match=words):
        call(f, x)


@pytest.mark.parametrize("call", [fn.gradient, fn.hessian])
def test_refused_of_vectors(call):
    with pytest.raises(ValueError, match=r"x\[1\] must be finite, got nan"):
        call(two_minima, [0.0, math.nan])
    with pytest.raises(ValueError, match=r"shape \(n,\), got \(1, 2\)"):
        call(two_minima, [[0.0, 1.0]])
    with pytest.raises(ValueError, match=r"got \(0,\)"):
        call(two_minima, [])
    with pytest.raises(ValueError, match=r"one number, got an array of shape \(2,\)"):
        call(lambda x: x, [0.0, 1.0])
    with pytest.raises(ValueError, match="no finite values on both sides"):
        call(lambda x: math.sqrt(x[0]) + x[1], [0.0, 1.0])


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"step": 0}, ValueError, r"step must be in \(0, inf\), got 0"),
        ({"step": -0.1}, ValueError, r"step must be in \(0, inf\)"),
        ({"step": math.nan}, ValueError, r"step must be in \(0, inf\)"),
        ({"step": "0.1"}, TypeError, "step must be a number in"),
        ({"step": 1e-20}, ValueError, "does not change x"),
        ({"order": 0}, ValueError, "order must be at least 1"),
        ({"order": 9}, ValueError, "order must be at most 8"),
        ({"order": 1.5}, TypeError, "order must be an int"),
    ],
)
def test_refused_options(options, error, words):
    with pytest.raises(error, match=words):
        fn.derivative(math.sin, 1.0, **options)


def test_errors_of_the_function_pass():
    def broken(x):
        raise KeyError("inside")

    for call in (fn.derivative, fn.gradient, fn.hessian):
        with pytest.raises(KeyError, match="inside"):
            call(broken, 1.0)


class TestVerifyGradient:
    def test_right_ones_pass(self):
        for x in POINTS:
            verify_gradient(two_minima, two_minima_gradient(x), np.array(x))
        verify_gradient(quartic, 84.0, 2.0)

    @pytest.mark.parametrize("factor", [0.5, 2.0, -1.0, 1.001])
    def test_names_component_and_factor(self, factor):
        x = np.array([1.0, 2.0])
        wrong = two_minima_gradient(x) * [1.0, factor]
        with pytest.raises(ValueError, match=rf"gradient\(x\)\[1\] is .*factor of {factor:g}$"):
            verify_gradient(two_minima, wrong, x)

    def test_of_a_number(self):
        with pytest.raises(
            ValueError, match=r"gradient\(x\) is 42, .* give 84.*wrong by a factor of 0.5"
        ):
            verify_gradient(quartic, 42.0, 2.0)

    def test_zero_in_the_place_of_something(self):
        with pytest.raises(ValueError, match=r"g\[0\] is 0, but central differences give 16"):
            verify_gradient(two_minima, [0.0, 4.0], np.array([1.0, 2.0]), "g")

    def test_of_a_jacobian(self):
        matrix = np.arange(6.0).reshape(3, 2)
        verify_gradient(lambda p: matrix @ p, matrix, np.array([1.0, -1.0]))
        wrong = matrix.copy()
        wrong[2, 0] *= 3
        with pytest.raises(ValueError, match=r"\[2, 0\] is 12, .* a factor of 3"):
            verify_gradient(lambda p: matrix @ p, wrong, np.array([1.0, -1.0]))

    def test_kinks_are_not_judged(self):
        for slope in (1.0, 1.5, 2.0):
            verify_gradient(lambda x: max(x, 2 * x - 1e-7), slope, 1e-7 - 1e-13)


def test_examples():
    result = doctest.testmod(importlib.import_module("fastnet.optim.derivatives"))
    assert result.attempted > 0
    assert result.failed == 0
