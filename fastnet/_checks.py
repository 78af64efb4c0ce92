"""Checks of arguments that are not arrays."""

import operator
import sys

import numpy as np


def checked_int(value, name, least=1, most=sys.maxsize):
    """The value as an int from ``least`` to ``most``; booleans are no integers here.

    Raises
    ------
    TypeError, ValueError
        Naming the argument.
    """
    if isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{name} must be an int, got {value!r}")
    try:
        value = operator.index(value)
    except TypeError:
        raise TypeError(f"{name} must be an int, got {value!r}") from None
    if value < least:
        raise ValueError(f"{name} must be at least {least}, got {value}")
    if value > most:
        raise ValueError(f"{name} must be at most {most}, got {value}")
    return value
