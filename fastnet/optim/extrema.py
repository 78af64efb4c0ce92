"""Where the derivative of a function of one number is zero: minima, maxima, inflections."""

import itertools
import math
from typing import NamedTuple

import numpy as np

from fastnet._checks import checked_int
from fastnet.optim.derivatives import (
    EPSILON,
    Guarded,
    checked_function,
    extrapolated,
    first_step,
    number_of,
    point_of,
    quotient_along,
)

__all__ = ["CriticalPoint", "critical_points"]

# A derivative within so many times its estimated error of 0 has no sign.
DOUBT = 4.0
# Beside a point where f' touches 0 at least this much of the slope is gone from one grid point to
# the next: 1/4 for a parabola of f', less for anything flatter.
TOUCH = 0.4
# So many times as far as the slopes at the ends of a cell lead nothing but a pole goes.
POLE = 1e3
KINDS = {(-1, 1): "minimum", (1, -1): "maximum", (1, 1): "inflection", (-1, -1): "inflection"}


class CriticalPoint(NamedTuple):
    """A point where the derivative of a function is zero.

    Attributes
    ----------
    x : float
    value : float
        f(x)
    kind : "minimum", "maximum" or "inflection"
        By the sign of the derivative on both sides of x.
    """

    x: float
    value: float
    kind: str


class Slope:
    """The derivative of a function at a point, with its uncertainty, by whatever there is.

    order: 1 for f', 2 for f''.  Of f'' the sign is all that is needed.
    """

    def __init__(self, f, derivative, order, ends, spacing):
        self.is_given = derivative is not None and order == 1
        self.order = order if derivative is None else order - 1
        self.f = f if derivative is None else derivative
        self.ends = ends
        self.spacing = spacing

    def __call__(self, x):
        if self.is_given:
            return self.f(x), 0.0
        # f may be undefined outside of the interval, where the ends have to look nevertheless.
        room = min(x - self.ends[0], self.ends[1] - x) or self.spacing
        return extrapolated(
            quotient_along(self.f, x, self.order), self.order,
            min(first_step(x, self.order), abs(room)),
        )

    def sign(self, x):
        """-1, 1, or 0 for what cannot be told from 0; None where there is no derivative."""
        return sign_of(*self(x))


def sign_of(value, uncertainty):
    if not math.isfinite(value):
        return None
    if abs(value) <= DOUBT * uncertainty:
        return 0
    return 1 if value > 0 else -1


def crossing(slope, low, high, sign):
    """Where a slope that has this sign at low and the other one at high passes 0.

    Secants and bisection find a point without a sign, or two numbers beside each other; around
    such a point, the middle of all that have none.  (The Illinois method: Dowell, Jarratt, BIT 11,
    1971.)
    """
    left, right = low, high
    f_left, f_right = slope(left)[0], slope(right)[0]
    last = 0
    for trial in itertools.count():
        middle = left + (right - left) / 2
        if not left < middle < right:
            return left if abs(slope(left)[0]) <= abs(slope(right)[0]) else right
        if trial % 3 < 2 and f_left != f_right:
            secant = left + (right - left) * (f_left / (f_left - f_right))
            middle = secant if left < secant < right else middle
        value, uncertainty = slope(middle)
        found = sign_of(value, uncertainty)
        if found == 0:
            break
        # without a derivative there, as at a pole: any side
        if found == sign:
            left, f_left = middle, value
            f_right /= 2 if last == sign else 1
        else:
            right, f_right = middle, value
            f_left /= 2 if last == -sign else 1
        last = sign if found == sign else -sign
    if slope.is_given:
        return middle
    middle = (edge(slope, left, middle) + edge(slope, right, middle)) / 2
    # Of the numbers that are equally good, people like round ones best.
    rounded = float(f"{middle:.13g}")
    return rounded if low < rounded < high and slope.sign(rounded) == 0 else middle


def edge(slope, outside, inside):
    """Where the points without a sign begin, to 1 % of the way from there."""
    center = inside
    while abs(inside - outside) > max(
        0.01 * abs(center - inside), 2 * EPSILON * abs(center), math.ulp(0.0)
    ):
        middle = outside + (inside - outside) / 2
        if slope.sign(middle) == 0:
            inside = middle
        else:
            outside = middle
    return inside


class Search:
    """One search: the function, its derivatives, and the points found so far."""

    def __init__(self, f, derivative, ends, n_points):
        self.f = f
        spacing = (ends[1] - ends[0]) / n_points
        self.spacing = spacing
        self.ends = ends
        self.slope = Slope(f, derivative, 1, ends, spacing)
        self.curvature = Slope(f, derivative, 2, ends, spacing)
        self.found = []

    def add(self, x, before, after):
        """A point, with the signs of the slope on both sides of it."""
        value = self.f(x)
        if math.isfinite(value):
            self.found.append(CriticalPoint(x, value, KINDS[before, after]))

    def add_crossing(self, low, high, sign):
        x = crossing(self.slope, low, high, sign)
        # Beside a pole the values leave all that the slopes at the ends can explain.
        reach = POLE * (high - low) * max(abs(self.slope(low)[0]), abs(self.slope(high)[0]))
        if abs(self.f(x) - self.f(low)) <= reach:
            self.add(x, sign, -sign)

    def add_touch(self, low, high, sign):
        """Between points of one sign: where the slope is nearest to 0, if it gets there."""
        if self.curvature.sign(low) == sign or self.curvature.sign(high) == -sign:
            return
        x = crossing(self.curvature, low, high, -sign)
        found = self.slope.sign(x)
        if found == 0 or (self.slope.is_given and self.is_flat(x, low, high)):
            self.add(x, sign, sign)
        elif found == -sign:
            self.add_crossing(low, x, sign)
            self.add_crossing(x, high, -sign)

    def is_flat(self, x, low, high):
        """Whether a given derivative is 0 at x up to the rounding of its values."""
        size = max(abs(self.slope(low)[0]), abs(self.slope(high)[0]))
        return abs(self.slope(x)[0]) <= 64 * EPSILON * size

    def add_end(self, x, outside, inside_sign):
        """An end of the interval, where the slope is 0."""
        outside_sign = self.slope.sign(outside)
        if outside == x or not outside_sign:
            outside_sign = -inside_sign
        pair = (outside_sign, inside_sign)
        self.add(x, *(pair if x == self.ends[0] else pair[::-1]))

    def run(self, grid):
        slopes = [self.slope(x) for x in grid]
        if self.slope.is_given:
            # An end like 2 pi is rounded, and its slope is that of a number beside it.
            for end, next_to in ((0, 1), (-1, -2)):
                bend = (slopes[end][0] - slopes[next_to][0]) / self.spacing
                slopes[end] = (slopes[end][0], EPSILON * abs(grid[end] * bend))
        signs = [
            None if not math.isfinite(value)
            else 0 if abs(value) <= DOUBT * uncertainty
            else math.copysign(1, value)
            for value, uncertainty in slopes
        ]
        start = 0
        for stop in range(len(grid) + 1):
            if stop == len(grid) or signs[stop] is None:
                self.run_between(grid[start:stop], signs[start:stop],
                                 [abs(value) for value, _ in slopes[start:stop]])
                start = stop + 1
        return sorted(self.found)

    def run_between(self, grid, signs, sizes):
        """Over a part of the grid where there are slopes everywhere."""
        last = None
        for k, sign in enumerate(signs):
            if sign == 0:
                continue
            if last is None:
                if k > 0 and grid[0] == self.ends[0]:
                    self.add_end(grid[0], grid[0] - self.spacing, sign)
            elif signs[last] != sign:
                self.add_crossing(grid[last], grid[k], signs[last])
            elif k - last > 1:
                self.add_touch(grid[last], grid[k], sign)
            elif (
                last > 0 and signs[last - 1] == sign
                and sizes[last] <= min(sizes[last - 1], sizes[k])
                and sizes[last] <= TOUCH * max(sizes[last - 1], sizes[k])
            ):
                self.add_touch(grid[last - 1], grid[k], sign)
            last = k
        if last is not None and last < len(grid) - 1 and grid[-1] == self.ends[1]:
            self.add_end(grid[-1], grid[-1] + self.spacing, signs[last])


def interval_of(interval):
    ends = point_of(interval, "interval")
    if not isinstance(ends, np.ndarray) or ends.shape != (2,):
        raise ValueError(f"interval must be two numbers, got {interval!r}")
    low, high = ends.tolist()
    if not low < high:
        raise ValueError(f"interval must go from a lower to a higher number, got {interval!r}")
    if not math.isfinite(high - low):
        raise ValueError(f"interval is too wide: {interval!r}")
    return low, high


def check_values(f, grid):
    """Refuse a function that is undefined inside of the interval; poles are gaps."""
    error = None
    n_finite = 0
    for x in grid[1:-1]:
        try:
            value = number_of(f(x), "f")
        except ArithmeticError as caught:
            error = caught
            continue
        if math.isnan(value):
            raise ValueError(f"f is nan at x = {x}, inside of the interval")
        n_finite += math.isfinite(value)
    if not n_finite:
        raise ValueError("f is finite nowhere inside of the interval") from error


def critical_points(f, interval, derivative=None, n_points=1000):
    """All points of an interval where the derivative of a function is zero.

    The derivative is sampled at equal distances. Where its sign changes, secants and bisection find
    the point; where it comes near to 0 and turns back, the zero of the second derivative does, and
    shows whether the first one touches 0 there.

    Parameters
    ----------
    f : callable
        ``f(x)`` -> float, x a float.
    interval : (float, float)
        Both ends belong to it: they are critical points where the derivative is zero, and not
        because f ends there.
    derivative : callable, optional
        ``derivative(x)`` -> float; central differences by default. With it points are as exact as
        its own zeros; without, to where differences cannot tell f' from 0, about 1e-13 of the
        scale of x, and (1e-13)^(1/3) where f'' and f''' are zero, too; to 1e-7 where f there is a
        small difference of large terms.
    n_points : int, default 1000
        Of the samples. Points closer to each other than the length of the interval divided by this
        may be missed: raise it for functions that turn many times.

    Returns
    -------
    list of CriticalPoint
        Sorted, with ``x``, ``value`` and ``kind``: "minimum", "maximum" or "inflection". A kink
        where the derivative changes sign counts, a pole does not. Where f is constant over a
        stretch there is one, in its middle or at its end that is one of the interval; there is
        none where f is constant all over.

    Raises
    ------
    ValueError, TypeError
        For an interval that is not two finite numbers in order, and where f is NaN inside of it or
        no number. Errors of f inside of the interval pass.

    Examples
    --------
    >>> import fastnet as fn
    >>> f = lambda x: 3 * x**4 + 5 * x**3 - 20 * x**2 + 8 * x + 10
    >>> for point in fn.critical_points(f, (-4, 3)):
    ...     print(f"{point.kind} {point.value:.6f} at {point.x:.6f}")
    minimum -96.811688 at -2.619605
    maximum 10.852313 at 0.221701
    minimum 5.601302 at 1.147904
    """
    checked_function(f)
    if derivative is not None:
        checked_function(derivative, "derivative")
    ends = interval_of(interval)
    n_points = checked_int(n_points, "n_points", 2)
    grid = np.linspace(*ends, n_points + 1).tolist()
    grid[0], grid[-1] = ends
    check_values(f, grid)
    given = None if derivative is None else Guarded(derivative, "derivative")
    return Search(Guarded(f, "f"), given, ends, n_points).run(grid)
