"""Checks of arguments and ranges of axes."""

import numpy as np


def checked_limits(limits, name):
    """Two finite numbers in ascending order.

    Raises
    ------
    ValueError, TypeError
        Naming the argument.
    """
    try:
        first, last = (float(value) for value in limits)
    except (TypeError, ValueError):
        raise TypeError(f"{name} must be two numbers, got {limits!r}") from None
    if not (np.isfinite(first) and np.isfinite(last) and first < last):
        raise ValueError(f"{name} must be two finite numbers in ascending order, got {limits!r}")
    return first, last


def finite_array(values, name):
    """Real numbers as float64.

    Raises
    ------
    ValueError, TypeError
        Naming the argument and the place of the first that is NaN or infinite.
    """
    try:
        array = np.asarray(values)
        if array.dtype.kind not in "biuf":
            raise TypeError
        array = array.astype(np.float64)
    except (TypeError, ValueError):
        raise TypeError(f"{name} must be real numbers, got {type(values).__name__}") from None
    if not np.isfinite(array).all():
        where = tuple(int(k) for k in np.argwhere(~np.isfinite(array))[0])
        place = f" at {where[0] if len(where) == 1 else where}" if where else ""
        raise ValueError(f"{name} must be finite, got {array[where]}{place}")
    return array


def padded(low, high, share):
    """The range with this share of its width added at both ends; a point becomes a range."""
    width = high - low
    if width <= 1e-12 * max(abs(low), abs(high)):
        width = max(abs(low), abs(high), 1.0)
    return low - share * width, high + share * width
