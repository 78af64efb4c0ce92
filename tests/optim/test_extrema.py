"""Critical points of functions whose critical points are known."""

import copy
import doctest
import importlib
import itertools
import math
import pickle

import mpmath
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import fastnet as fn


def quartic(x):
    """Of document 003."""
    return 3 * x**4 + 5 * x**3 - 20 * x**2 + 8 * x + 10


def quartic_slope(x):
    return 12 * x**3 + 15 * x**2 - 40 * x + 8


def area(x):
    """Of document 002."""
    return 100 * x - x**2


def points(f, interval, **options):
    return [(p.x, p.kind) for p in fn.critical_points(f, interval, **options)]


@pytest.mark.parametrize("interval", [(-4, 4), (-3.0, 1.5), [-10, 10.1], np.array([-2.7, 1.3])])
def test_the_quartic_of_document_003(interval):
    with mpmath.workdps(30):
        roots = [float(mpmath.findroot(quartic_slope, near)) for near in (-2.6, 0.2, 1.1)]
    for derivative, tolerance in ((None, 1e-12), (quartic_slope, 4e-16)):
        found = fn.critical_points(quartic, interval, derivative=derivative)
        assert [p.kind for p in found] == ["minimum", "maximum", "minimum"]
        for p, root in zip(found, roots, strict=True):
            assert p.x == pytest.approx(root, rel=tolerance)
            assert p.value == quartic(p.x)
            assert type(p.x) is float
    assert found[0].value == pytest.approx(-96.81168793630879, rel=1e-15)


@pytest.mark.parametrize("interval", [(0, 100), (49, 53), (-3.7, 1000.3)])
def test_the_fence_of_document_002(interval):
    (p,) = fn.critical_points(area, interval)
    assert p.kind == "maximum"
    # f' is known to eps f / h, and f'' = -2
    assert p.x == pytest.approx(50, abs=1e-10)
    assert p.value == pytest.approx(2500, rel=1e-15)
    (p,) = fn.critical_points(area, interval, derivative=lambda x: 100 - 2 * x)
    assert (p.x, p.value, p.kind) == (50.0, 2500.0, "maximum")


@pytest.mark.parametrize("frequency", [1, 7, 50])
def test_many_points_of_a_periodic_function(frequency):
    expected = [math.pi * (k + 0.5) / frequency for k in range(2 * frequency)]
    for derivative in (None, lambda x: frequency * math.cos(frequency * x)):
        found = points(lambda x: math.sin(frequency * x), (0, 2 * math.pi), derivative=derivative)
        np.testing.assert_allclose([x for x, _ in found], expected, rtol=0, atol=1e-12)
        assert [k for _, k in found] == ["maximum", "minimum"] * frequency


def test_ends_where_the_derivative_is_zero_belong_to_it():
    for derivative in (None, lambda x: -math.sin(x)):
        found = points(math.cos, (0, 2 * math.pi), derivative=derivative)
        assert [k for _, k in found] == ["maximum", "minimum", "maximum"]
        assert found[0][0] == 0
        assert found[-1][0] == 2 * math.pi
    assert points(lambda x: x**3, (0, 1)) == [(0.0, "inflection")]
    assert points(lambda x: x**3, (-1, 0)) == [(0.0, "inflection")]
    assert points(lambda x: -(x**2), (-1, 0)) == [(0.0, "maximum")]


def test_other_ends_do_not():
    assert points(lambda x: x, (0, 1)) == []
    assert points(math.exp, (-1, 1)) == []
    assert points(math.sqrt, (0, 1)) == []


@pytest.mark.parametrize("high", [1, 1.37])
@pytest.mark.parametrize(
    ("f", "slope", "kind", "tolerance"),
    [
        (lambda x: x**2 + 1, lambda x: 2 * x, "minimum", 1e-12),
        (lambda x: 1 - x**2, lambda x: -2 * x, "maximum", 1e-12),
        (lambda x: x**3 + 1, lambda x: 3 * x**2, "inflection", 1e-9),
        (lambda x: -(x**3), lambda x: -3 * x**2, "inflection", 1e-9),
        # where f' cannot be told from 0: the cube root of the rounding of f'
        (lambda x: x**4 + 1, lambda x: 4 * x**3, "minimum", 1e-4),
        (lambda x: x**5 + 1, lambda x: 5 * x**4, "inflection", 1e-3),
        (abs, lambda x: math.copysign(1, x), "minimum", 1e-15),
    ],
)
def test_kinds(f, slope, kind, tolerance, high):
    for derivative in (None, slope):
        ((x, found),) = points(f, (-1, high), derivative=derivative)
        assert found == kind
        assert abs(x) <= tolerance


def test_inflections_between_samples():
    found = points(lambda x: x + math.sin(x), (0, 20))
    assert [k for _, k in found] == ["inflection"] * 3
    np.testing.assert_allclose(
        [x for x, _ in found], [math.pi, 3 * math.pi, 5 * math.pi], rtol=0, atol=1e-9
    )


def test_two_points_between_two_samples():
    # f' = (x - 0.3)^2 - 1e-8 has both of its zeros in a cell of 1e-3
    found = points(lambda x: (x - 0.3003) ** 3 / 3 - 1e-8 * (x - 0.3003), (0, 1))
    assert [k for _, k in found] == ["maximum", "minimum"]
    np.testing.assert_allclose([x for x, _ in found], [0.3002, 0.3004], rtol=0, atol=1e-10)
    # and f' = (x - 0.3)^2 + 1e-6 has none
    assert points(lambda x: (x - 0.3) ** 3 / 3 + 1e-6 * x, (0, 1)) == []


@pytest.mark.parametrize("scale", [1e-9, 1e-3, 1.0, 1e9])
def test_intervals_of_any_length(scale):
    ((x, kind),) = points(lambda x: (x / scale - 0.3) ** 2, (0, scale))
    assert x == pytest.approx(0.3 * scale, rel=1e-12)
    assert kind == "minimum"


def test_poles_are_none():
    assert points(lambda x: 1 / x**2, (-1, 1.37), n_points=100) == []
    assert points(lambda x: 1 / x**2, (-1, 1), n_points=100) == []
    assert points(math.tan, (0, 10), n_points=100) == []


def test_functions_that_end_with_the_interval():
    ((x, kind),) = points(lambda x: x * math.log(x), (0, 1))
    assert x == pytest.approx(1 / math.e, rel=1e-12)
    assert kind == "minimum"


def test_stretches_where_the_function_is_constant():
    assert points(lambda x: 3.0, (0, 1)) == []
    ((x, kind),) = points(lambda x: max(abs(x) - 0.5, 0.0) ** 2, (-1, 1.2))
    assert abs(x) < 0.5
    assert kind == "minimum"


def test_a_function_that_cancels_at_its_maximum():
    """(x + 6)^2 x / 3, written out: 288 eps of rounding in f, divided by steps down to 1e-8."""
    found = fn.critical_points(lambda x: x**3 / 3 + 4 * x**2 + 12 * x, (-7.2, -0.8))
    assert [point.kind for point in found] == ["maximum", "minimum"]
    assert found[0].x == pytest.approx(-6, abs=288 * 2.3e-16 / 1e-8)
    assert found[1].x == pytest.approx(-2, abs=1e-11)


@given(st.lists(st.integers(-20, 20), min_size=1, max_size=4, unique=True))
def test_polynomials_by_the_roots_of_their_derivatives(roots):
    roots = sorted(roots)
    coefficients = np.polynomial.Polynomial.fromroots(roots).integ().coef.tolist()
    low, high = roots[0] - 1.234, roots[-1] + 1.234
    assume(high - low < 30)

    def f(x):
        return sum(c * x**k for k, c in enumerate(coefficients))

    # What f loses by cancellation of its own terms, no difference of its values can see
    assume(all(
        abs(f(x)) > 1e-3 * sum(abs(c * x**k) for k, c in enumerate(coefficients)) for x in roots))
    found = fn.critical_points(f, (low, high), n_points=100)
    assert len(found) == len(roots)
    # f' is known to eps f / h; its slope at a root is a product of distances of at least 1
    size = max(abs(f(x)) for x in np.linspace(low - 3, high + 3, 50))
    for p, root in zip(found, roots, strict=True):
        assert p.x == pytest.approx(root, abs=1e-13 * (1 + size))
    kinds = [p.kind for p in found]
    assert kinds[-1] == "minimum"
    assert all(a != b for a, b in itertools.pairwise(kinds))


def test_points_are_values():
    (p,) = fn.critical_points(area, (0, 100))
    assert pickle.loads(pickle.dumps(p)) == copy.copy(p) == p
    assert repr(p) == "CriticalPoint(x=50.0, value=2500.0, kind='maximum')"


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ((area, (1, 0)), ValueError, "from a lower to a higher"),
        ((area, (1, 1)), ValueError, "from a lower to a higher"),
        ((area, (0, math.nan)), ValueError, r"interval\[1\] must be finite, got nan"),
        ((area, (0, math.inf)), ValueError, r"interval\[1\] must be finite, got inf"),
        ((area, (-1e308, 1e308)), ValueError, "too wide"),
        ((area, (0, 1, 2)), ValueError, "must be two numbers"),
        ((area, 3), ValueError, "must be two numbers"),
        ((area, "ab"), TypeError, "interval must hold real numbers"),
        ((lambda x: math.nan, (0, 1)), ValueError, "f is nan at x = 0.001, inside"),
        ((lambda x: [x, x], (0, 1)), ValueError, r"one number, got an array of shape \(2,\)"),
        ((lambda x: None, (0, 1)), TypeError, "must return a real number"),
        ((lambda x: 1 / 0, (0, 1)), ValueError, "f is finite nowhere inside"),
        ((lambda x: math.inf, (0, 1)), ValueError, "f is finite nowhere inside"),
        ((3, (0, 1)), TypeError, "f must be callable, got int"),
        ((math.log, (-1, 1)), ValueError, "math domain error|expected a positive input"),
    ],
)
def test_refused(arguments, error, words):
    with pytest.raises(error, match=words):
        fn.critical_points(*arguments)


def test_refused_number_of_samples():
    with pytest.raises(ValueError, match="n_points must be at least 2"):
        fn.critical_points(area, (0, 1), n_points=1)


def test_examples():
    result = doctest.testmod(importlib.import_module("fastnet.optim.extrema"))
    assert result.attempted > 0
    assert result.failed == 0
