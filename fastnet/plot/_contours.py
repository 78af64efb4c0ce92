"""Levels of contours: even ones, or such that narrow in on the lowest or highest point."""

import math
from numbers import Integral

import numpy as np

from fastnet._arrays import finite_array
from fastnet._checks import checked_int
from fastnet.plot._figures import shades

N_LEVELS = 12
# Even levels show a valley as long as the lowest tenth of the area has 1 / 40 of the range; in a
# round bowl it has about 1 / 30.
MOST_LINEAR = 40.0
# Near the goal, and far from it.
NEAR, FAR = "#ffffff", "#86a6c4"


def contours(z, goal, upwards, levels):
    """What draws the contours of a grid.

    Parameters
    ----------
    z : ndarray, shape (n_y, n_x)
        Values; NaN and infinite ones are left blank.
    goal : float
        Value at the end of the path, which the grid may miss.
    upwards : bool
        Whether the highest values are the goal, which is to be light, and not the lowest.
    levels : int, sequence of float or None

    Returns
    -------
    callable
        ``draw(ax, x, y)`` -> the filled contours, or None where all values are the same.

    Raises
    ------
    ValueError, TypeError
        For wrong levels.
    """
    z = np.ma.masked_invalid(z)
    low, high = float(z.min()), float(z.max())
    if levels is None or isinstance(levels, Integral):
        n = N_LEVELS if levels is None else checked_int(levels, "levels", 2, 1000)
        values = z.compressed()
        if np.isfinite(goal):
            values = np.append(values, goal)
        levels = _chosen(values, n, upwards)
    else:
        levels = finite_array(levels, "levels")
        if levels.ndim != 1 or not len(levels) or not (np.diff(levels) > 0).all():
            raise ValueError("levels must be an int or values in ascending order")

    def draw(ax, x, y):
        if low == high:
            return None
        bands = shades(NEAR, FAR, len(levels) + 1)
        if upwards:
            bands = bands[::-1]
        filled = ax.contourf(x, y, z, levels=levels, colors=bands, extend="both", zorder=0)
        lines = shades("#6d8296", "#33475a", len(levels))
        ax.contour(x, y, z, levels=levels, colors=lines[::-1] if upwards else lines,
                   linewidths=0.6, linestyles="solid", zorder=1)
        return filled

    return draw


def _chosen(values, n, upwards):
    """About n levels between the lowest and the highest value."""
    from matplotlib.ticker import MaxNLocator

    low, high = values.min(), values.max()
    if low == high:
        return np.array([low])
    above = np.sort(high - values if upwards else values - low)
    inner, tenth = above[len(above) // 200], above[len(above) // 10]
    if (high - low) <= MOST_LINEAR * tenth or inner <= 0:
        levels = MaxNLocator(n).tick_values(low, high)
        return levels[(levels > low) & (levels < high)]
    steps = _round_numbers(inner, high - low, n)
    # a goal that is nearly zero is zero, which gives round levels
    if upwards:
        return ((0.0 if -steps[0] < high <= 0 else high) - steps)[::-1]
    return (0.0 if 0 <= low < steps[0] else low) + steps


def _round_numbers(first, last, n):
    """About n round numbers from one to the other, each several times the one before."""
    decades = math.log10(last / first)
    for mantissas, step in (((1, 2, 5), 1), ((1, 3), 1), ((1,), 1), ((1,), 2), ((1,), 3)):
        if decades * len(mantissas) / step <= 1.3 * n:
            break
    exponents = range(math.floor(math.log10(first)), math.ceil(math.log10(last)) + 1)
    numbers = [m * 10.0**e for e in exponents if e % step == 0 for m in mantissas]
    chosen = np.array([number for number in numbers if first <= number < last])
    return chosen if len(chosen) else np.geomspace(first, last, n + 1)[:-1]
