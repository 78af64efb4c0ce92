"""Limits of the joints of a planar arm, and what it can reach within them."""

import numpy as np

from fastnet._arrays import finite_array

__all__ = ["can_reach", "checked_limits"]

ROUNDING = 4 * 2.0**-52  # of a distance, by the numbers that it is computed from
DIRECTIONS = np.arange(32) * (np.pi / 16)


def checked_limits(limits, n):
    """Least and largest angles of n links, (2, n); see `fastnet.PlanarArm.solve`.

    Raises
    ------
    TypeError, ValueError
    """
    if isinstance(limits, tuple) and len(limits) == 2:
        sides = [finite_array(side, "limits", True) for side in limits]
    else:
        pairs = finite_array(limits, "limits", True)
        if pairs.shape not in ((2,), (n, 2)):
            raise ValueError(
                f"limits must be a pair (lower, upper), or have shape ({n}, 2), a pair for each "
                f"link, got shape {pairs.shape}"
            )
        sides = pairs.T
    for side in sides:
        if side.shape not in ((), (n,)):
            raise ValueError(
                f"limits must have a number or {n} numbers for each side, got shape {side.shape}"
            )
    bounds = np.empty((2, n))
    bounds[0], bounds[1] = sides
    lower, upper = bounds
    crossed = (lower > upper) | (lower == np.inf) | (upper == -np.inf)
    if crossed.any():
        k = int(crossed.argmax())
        raise ValueError(
            f"limits of link {k} are crossed: no angle is from {lower[k]} to {upper[k]}"
        )
    return bounds


def can_reach(lengths, reach, base, target, bounds):
    """Whether there are angles for the target, to rounding.

    Parameters
    ----------
    lengths : ndarray (n,)
    reach : float
        Their sum.
    base : float or ndarray (N,)
    target : float, tuple (x, y), ndarray (N,) or (N, 2)
    bounds : ndarray (2, n) or None
        Of the angles.  Points within them are found out of reach only beyond the convex hull of
        what the end reaches, by its extent in some directions.

    Returns
    -------
    bool or ndarray of bool (N,)
    """
    if isinstance(target, tuple) or np.ndim(target) == 2:
        x, y = target if isinstance(target, tuple) else target.T
        distance = np.hypot(x, y - base)
        hole = 2 * lengths.max() - reach
        slack = ROUNDING * (reach + abs(base) + abs(x) + abs(y))
        is_near = (distance <= reach + slack) & (distance >= hole - slack)
        for direction in () if bounds is None else DIRECTIONS:
            # cos(w - direction) = sin(w + shift)
            shift = np.pi / 2 - direction
            most = _most_sine(lengths, bounds + shift)
            along = np.cos(direction) * x + np.sin(direction) * (y - base)
            is_near = is_near & (along <= most + slack)
        return is_near
    low, high = -reach, reach
    if bounds is not None:
        # links turn each by itself, so the end takes every height between those two
        low, high = -_most_sine(lengths, -bounds[::-1]), _most_sine(lengths, bounds)
    rise = target - base
    slack = ROUNDING * (reach + abs(base) + abs(target))
    return (rise >= low - slack) & (rise <= high + slack)


def _most_sine(lengths, bounds):
    """Largest sum of l_k sin w_k."""
    lower, upper = bounds
    # 1 is that of pi / 2, and a turn from there
    turn, top = 2 * np.pi, np.pi / 2
    has_top = np.ceil((lower - top) / turn) * turn + top <= upper
    with np.errstate(invalid="ignore"):
        return lengths @ np.where(has_top, 1.0, np.maximum(np.sin(lower), np.sin(upper)))
