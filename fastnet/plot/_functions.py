"""A function of one or several variables, evaluated point by point."""

import numpy as np

from fastnet._cfunctions import c_function

SIGNATURE = "double (intptr_t n, double *x, void *)"


class Function:
    """What was minimized, with NaN where it has no value.

    Parameters
    ----------
    f : callable or C function
    point : ndarray, shape () or (n,)
        Where it must have a value.

    Raises
    ------
    ValueError, TypeError
        A function that does not take such a point, or does not return one number.
    """

    def __init__(self, f, point):
        self.shape = point.shape
        native = c_function(f, "f", SIGNATURE, allow_float=False)
        if native is not None:
            from fastnet.optim.objective import Function as Native

            f = Native(max(point.size, 1), point.shape == (), native).value
        elif not callable(f):
            raise TypeError(f"f must be callable or a C function, got {type(f).__name__}")
        self.f = f
        at = f"the first point of the path, {point.tolist()}"
        try:
            with np.errstate(all="ignore"):
                value = np.asarray(f(self.argument(point)))
        except Exception as error:
            raise ValueError(
                f"f must be the function of the path, of {max(point.size, 1)} "
                f"variable{'s' if point.size > 1 else ''}, but at {at} it raises "
                f"{type(error).__name__}: {error}") from error
        if value.size != 1 or value.dtype.kind not in "biuf":
            raise ValueError(
                f"f must return one real number at {at}, got "
                + (f"dtype {value.dtype}" if value.size == 1 else f"shape {value.shape}"))

    def argument(self, point):
        """A float where the path is one of floats, else an array of its own."""
        return float(point) if self.shape == () else np.array(point)

    def values(self, points):
        """Values at points (k, ...): (k,) float64."""
        values = np.full(len(points), np.nan)
        with np.errstate(all="ignore"):
            for k, point in enumerate(points):
                try:
                    values[k] = np.asarray(self.f(self.argument(point))).item()
                except (ValueError, ArithmeticError):
                    # outside of where it is defined
                    continue
        return values
