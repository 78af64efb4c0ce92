"""What a minimizer found, and what kind of point that is."""

import numpy as np

__all__ = ["DescentResult"]

# Numbers of x in a repr
MOST_SHOWN = 6

CONVERGED = ("gradient", "step", "value", "exact")

# Newton steps towards a minimum, to see whether it is a simple one.
MOST_STEPS = 12
# What a Newton step leaves of the curvature where that vanishes at the minimum: 4/9 where the
# function grows like the fourth power of the distance, 1/e in the limit of high powers.  Near a
# simple minimum nearly all remains.
VANISHING = 0.6
# Steps in a row that leave less, or all of it, and are enough: one step alone may go too far, where
# one variable is much nearer to the minimum than another.
ENOUGH_VANISHING = 6
ENOUGH_REMAINING = 2
# Relative to the largest eigenvalue, one that is rounding of differences
ROUNDING = 1e-9
# How far away from x the neighbors are, and what is nothing beside their curvature
NEIGHBOR = 1e-3
NEGLIGIBLE = 1e-2


class DescentResult:
    """Where a descent ended and why.

    Attributes
    ----------
    x : float or ndarray (n,)
        The last point at which the function was finite; a float if the start was one.
    value : float
        Of the function at x; with residuals half the sum of their squares.
    gradient : float or ndarray (n,)
        Of the function at x.
    n_iterations : int
        Steps; trials with "grow_shrink".
    n_evaluations : int
        Calls of the function, those for numeric derivatives included.
    reason : str
        "exact": the gradient is exactly zero; "gradient", "step", "value": it, the last step or
        the last change of the value is smaller than the tolerance; "stalled": a step does not
        change x in floating point, or no step lowers the function; "diverged": the next point had
        a value or gradient that is NaN or infinite; "max_iterations"; "callback".
    converged : bool
        True for "gradient", "step", "value" and "exact".
    path : ndarray (n_iterations + 1,) or (n_iterations + 1, n), or None
        All points from the start on, with ``record=True``.
    curvature : str or None
        "positive" at or close to a simple minimum, where the Hessian has positive eigenvalues only;
        "indefinite" where one is negative, as at a saddle or a maximum; "degenerate" where one is
        zero, or is not yet but vanishes on the way that Newton's steps take from x: around such a
        minimum gradients die out, and a rule that looks at steps, values or gradients stops far
        away from it. Of -f after `maximize`. Computed when first asked for and before pickling,
        from ``hessian`` or from differences of the gradient or the function; None where the Hessian
        is not finite.
    """

    def __init__(self, x, value, gradient, n_iterations, n_evaluations, reason, path,
                 derivatives=None):
        self.x = x
        self.value = value
        self.gradient = gradient
        self.n_iterations = n_iterations
        self.n_evaluations = n_evaluations
        self.reason = reason
        self.path = path
        # (gradient, hessian) of what was minimized, as functions of x, until they were asked
        self._derivatives = derivatives
        self._curvature = None

    @property
    def converged(self):
        return self.reason in CONVERGED

    @property
    def curvature(self):
        if self._derivatives is not None:
            with np.errstate(all="ignore"):
                self._curvature = curvature_at(*self._derivatives, self.x)
            self._derivatives = None
        return self._curvature

    def __eq__(self, other):
        if type(other) is not type(self):
            return NotImplemented
        names = set(vars(self)) - {"_derivatives", "_curvature"}
        return all(same(getattr(self, name), getattr(other, name)) for name in names)

    __hash__ = None

    def __getstate__(self):
        # The functions stay behind: most cannot be pickled.
        return vars(self) | {"_curvature": self.curvature, "_derivatives": None}

    def __repr__(self):
        if isinstance(self.x, np.ndarray):
            numbers = [f"{x:.6g}" for x in self.x[:MOST_SHOWN]]
            if len(self.x) > MOST_SHOWN:
                numbers[-1] = "..."
            x = f"[{', '.join(numbers)}]"
        else:
            x = f"{self.x:.9g}"
        return (
            f"DescentResult(x={x}, value={self.value:.9g}, reason={self.reason!r}, "
            f"n_iterations={self.n_iterations})"
        )


def same(a, b):
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        return isinstance(a, np.ndarray) and isinstance(b, np.ndarray) and np.array_equal(a, b)
    return a == b


def curvature_at(gradient, hessian, x):
    """What `DescentResult.curvature` is, for functions that return floats or arrays."""
    values, vectors = eigen(hessian, x)
    if values is None:
        return None
    smallest, floor = values[0], ROUNDING * np.abs(values).max()
    if abs(smallest) <= max(floor, neighborhood(hessian, x, vectors[:, 0])):
        return "degenerate"
    if smallest < 0:
        return "indefinite"
    n_vanishing = n_remaining = 0
    for _ in range(MOST_STEPS):
        g = np.reshape(gradient(x), -1)
        step = vectors @ ((vectors.T @ g) / values)
        moved = x - step if isinstance(x, np.ndarray) else x - float(step[0])
        if not np.isfinite(step).all() or np.all(moved == x):
            return "positive"
        x = moved
        before = values
        values, vectors = eigen(hessian, x)
        if values is None:
            return "positive"
        left = values / before
        remains = np.all((left > VANISHING) & (left < 1 / VANISHING))
        n_remaining = n_remaining + 1 if remains else 0
        n_vanishing = n_vanishing + 1 if np.any(left <= VANISHING) else 0
        if n_remaining == ENOUGH_REMAINING:
            return "positive"
        if n_vanishing == ENOUGH_VANISHING or values[0] <= ROUNDING * np.abs(values).max():
            break
    return "degenerate"


def neighborhood(hessian, x, along):
    """Curvature that differences may show at x where there is none, from points beside it.

    A Hessian by differences is not exactly zero at a minimum like that of x^4, but small beside
    those of its neighbors.
    """
    shift = NEIGHBOR * np.maximum(1.0, np.abs(x)) * along
    if not isinstance(x, np.ndarray):
        shift = float(shift[0])
    sides = [finite_matrix(hessian, moved) for moved in (x + shift, x - shift)]
    if any(side is None for side in sides):
        return 0.0
    return NEGLIGIBLE * min(abs(along @ side @ along) for side in sides)


def finite_matrix(hessian, x):
    try:
        matrix = np.asarray(hessian(x), np.float64)
    except (ArithmeticError, ValueError):
        return None
    return np.atleast_2d(matrix) if np.isfinite(matrix).all() else None


def eigen(hessian, x):
    matrix = finite_matrix(hessian, x)
    return (None, None) if matrix is None else np.linalg.eigh(matrix)
