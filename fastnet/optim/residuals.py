"""Residuals as Levenberg-Marquardt sees them, from functions of a user."""

import numpy as np

from fastnet.optim import derivatives
from fastnet.optim.objective import CallableResiduals

__all__ = ["ResidualFunction", "differenced"]


def differenced(function, x):
    """Jacobian (m, n) of ``function(x)`` -> (m,) at an array (n,), by central differences."""
    columns = []
    for k, center in enumerate(x.tolist()):
        h = derivatives.SINGLE_STEP * max(1.0, abs(center))
        above, below = center + h, center - h
        difference = (function(derivatives.replaced(x, k, above))
                      - function(derivatives.replaced(x, k, below)))
        columns.append(difference / (above - below))
    return np.stack(columns, axis=1)


class ResidualFunction:
    """Half the sum of the squares of residuals, with their Jacobian given or by differences.

    Parameters
    ----------
    residuals : callable
        ``residuals(x)`` -> (m,)
    jacobian : callable or None
        ``jacobian(x)`` -> (m, n), or (m,) where x is a number; None for central differences.
    n : int
    is_scalar : bool
        Whether the functions take a float instead of an array (n,).

    Attributes
    ----------
    objective : CallableResiduals
    n_evaluations : int
        Calls of ``residuals``.
    """

    def __init__(self, residuals, jacobian, n, is_scalar):
        for function, name in ((residuals, "f"), (jacobian, "gradient")):
            if not callable(function) and not (name == "gradient" and function is None):
                raise TypeError(
                    f"{name} must be a Python function with Levenberg-Marquardt, "
                    f"got {type(function).__name__}"
                )
        self._residuals = residuals
        self._jacobian = jacobian
        self._n = n
        self._is_scalar = is_scalar
        self._n_residuals = None
        # of the last points: x as bytes, and what was found there
        self._last = {}
        self.n_evaluations = 0
        self.objective = CallableResiduals(n, self.residuals, self.jacobian)

    def _point(self, x):
        return float(x[0]) if self._is_scalar else x.copy()

    def _once(self, name, compute, x):
        """Optimizer and loop ask for the same point one after another."""
        key = x.tobytes()
        known = self._last.get(name)
        if known is None or known[0] != key:
            known = self._last[name] = key, compute(x)
        return known[1]

    def residuals(self, x):
        """(m,) at an array (n,); NaN where Python's numbers overflow."""
        return self._once("residuals", self._compute_residuals, x)

    def _compute_residuals(self, x):
        self.n_evaluations += 1
        try:
            r = derivatives.numbers_of(self._residuals(self._point(x)), "f")
        except OverflowError:
            if self._n_residuals is None:
                raise
            return np.full(self._n_residuals, np.nan)
        if r.ndim != 1 or r.size == 0:
            raise ValueError(f"f(x) must be residuals of shape (m,), got {r.shape}")
        if self._n_residuals is None:
            self._n_residuals = r.size
        if r.size != self._n_residuals:
            raise ValueError(
                f"f(x) must have as many residuals everywhere, got {r.size} after "
                f"{self._n_residuals}"
            )
        return r

    def jacobian(self, x):
        """(m, n) at an array (n,)."""
        return self._once("jacobian", self._compute_jacobian, x)

    def _compute_jacobian(self, x):
        if self._jacobian is None:
            return differenced(self._compute_residuals, x)
        try:
            jacobian = derivatives.numbers_of(self._jacobian(self._point(x)), "gradient")
        except OverflowError:
            return np.full((self._n_residuals, self._n), np.nan)
        if self._is_scalar and jacobian.ndim == 1:
            jacobian = jacobian[:, None]
        if jacobian.shape != (self._n_residuals, self._n):
            raise ValueError(
                "gradient(x) must be the Jacobian of the residuals, shape "
                f"({self._n_residuals}, {self._n}), got {jacobian.shape}"
            )
        return jacobian

    def value(self, x):
        """Half the sum of squares at a point as the functions of the user see it."""
        r = self.residuals(np.array(x, np.float64).reshape(-1))
        return 0.5 * float(r @ r)

    def gradient(self, x):
        """J^T r there: (n,), or a float where x is one."""
        x = np.array(x, np.float64).reshape(-1)
        g = self.jacobian(x).T @ self.residuals(x)
        return float(g[0]) if self._is_scalar else g

    def verify(self, x):
        """Refuse a Jacobian that is not that of the residuals."""
        x = np.array(x, np.float64).reshape(-1)
        self.residuals(x)
        derivatives.verify_gradient(self._compute_residuals, self.jacobian(x), x)
