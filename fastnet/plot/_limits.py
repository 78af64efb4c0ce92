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


def padded(low, high, share):
    """The range with this share of its width added at both ends; a point becomes a range."""
    width = high - low
    if width <= 1e-12 * max(abs(low), abs(high)):
        width = max(abs(low), abs(high), 1.0)
    return low - share * width, high + share * width
