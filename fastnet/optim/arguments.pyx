"""Checks of hyperparameters."""

import numbers

import numpy as np


cpdef double number(object value, str name, double low, double high, str interval) except? -1:
    cdef double x
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value.item()
    if not isinstance(value, numbers.Real) or isinstance(value, bool):
        raise TypeError(f"{name} must be a number in {interval}, got {type(value).__name__}")
    try:
        x = float(value)
    except OverflowError:
        raise ValueError(
            f"{name} must be in {interval}, got an int too large for a float"
        ) from None
    if (low <= x <= high and not (x == low and interval[0] == "(")
            and not (x == high and interval[len(interval) - 1] == ")")):
        return x
    raise ValueError(f"{name} must be in {interval}, got {value}")
