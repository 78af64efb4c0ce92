"""Sums of absolute values of linear functions, and of any other functions with one kink.

The sum is ``sum_i h_i(e_i)`` of the deviations e = A z - b (m,), A (m, n); h_i has the slope
``low[i]`` where e_i < 0 and ``high[i]`` where e_i > 0.  With low = -1 and high = 1 it is the sum of
absolute deviations, with -q and 1 - q that of quantile regression.
"""

import numpy as np

__all__ = ["LeastDeviations", "line_search", "steepest_direction"]

EPSILON = float(np.finfo(np.float64).eps)
# The least slope that tells a violated condition from rounding, where all slopes together are 1.
SLACK = 1e-12
PERTURBATION = 1e-12
REFRESH = 16
MOST_PIVOTS = 50


def line_search(e, q, low, high, slope):
    """Minimum of ``t -> sum_i h_i(e_i + t q_i)`` over t >= 0.

    The function is convex and its slope rises by ``(high - low) abs(q)`` where a deviation changes
    its sign: the minimum is where the sum of the rises, in order of t, reaches -slope, which is a
    weighted median.

    Parameters
    ----------
    e, q, low, high : ndarray (m,)
    slope : float < 0
        At t = 0.

    Returns
    -------
    t : float
        Infinite where the slope stays below 0.
    index : int
        Of the deviation that is 0 there; -1 if t is infinite.
    """
    meets = np.flatnonzero((e * q < 0) & (np.abs(q) > SLACK * np.abs(q).max(initial=0)))
    t = -e[meets] / q[meets]
    order = np.argsort(t, kind="stable")
    rises = ((high - low)[meets] * np.abs(q[meets]))[order]
    k = int(np.searchsorted(np.cumsum(rises), -slope))
    if k == len(order):
        return np.inf, -1
    return float(t[order[k]]), int(meets[order[k]])


class LeastDeviations:
    """Minimum of a sum of kinks by descent from vertex to vertex.

    At a vertex n deviations are zero.  One of them is given up: that whose multiplier is farthest
    outside of its slopes; along the edge on which the others stay zero a line search goes to the
    next vertex, past as many others as it takes.  Ties, which data without noise are full of,
    could make this go round in circles: b is perturbed by random numbers, which breaks them, and
    the last vertex is computed from b itself.

    Parameters
    ----------
    A : ndarray (m, n)
    b, low, high : ndarray (m,)
    basis : ndarray (n,)
        The rows of a first vertex, linearly independent.
    size : float
        Of what b was measured as, for the perturbation.

    References
    ----------
    Bloomfield, Steiger: Least absolute deviations curve-fitting, SIAM J. Sci. Stat. Comput. 1,
    1980. Barrodale, Roberts: An improved algorithm for discrete l1 linear approximation, SIAM J.
    Numer. Anal. 10, 1973.
    """

    def __init__(self, A, b, low, high, basis, size):
        self.A = A
        self.b = b
        self.low = low
        self.high = high
        self.basis = np.array(basis)
        noise = np.random.default_rng(0).uniform(-1, 1, len(b))
        self.perturbed = b + PERTURBATION * size * noise
        self.perturbed[basis] = b[basis]
        self.invert()

    def invert(self):
        self.inverse = np.linalg.inv(self.A[self.basis])

    def vertex(self, b):
        """z (n,) where the deviations of the basis from b are zero."""
        z = self.inverse @ b[self.basis]
        return z + self.inverse @ (b[self.basis] - self.A[self.basis] @ z)

    def solve(self):
        """z (n,), and the multipliers of the rows of the basis (n,)."""
        for pivot in range(MOST_PIVOTS * (self.A.shape[1] + 10)):
            if pivot % REFRESH == REFRESH - 1:
                self.invert()
            z = self.vertex(self.perturbed)
            e = self.A @ z - self.perturbed
            e[self.basis] = 0
            slopes = np.where(e > 0, self.high, self.low)
            slopes[self.basis] = 0
            multipliers = -(self.inverse.T @ (self.A.T @ slopes))
            above = multipliers - self.high[self.basis]
            below = self.low[self.basis] - multipliers
            excess = np.maximum(above, below)
            rates = excess / np.sqrt(np.einsum("ij,ij->j", self.inverse, self.inverse))
            rates[excess <= SLACK] = -np.inf
            j = int(np.argmax(rates))
            if rates[j] == -np.inf:
                break
            direction = self.inverse[:, j] * (1 if above[j] > below[j] else -1)
            q = self.A @ direction
            q[self.basis] = 0
            _, entering = line_search(e, q, self.low, self.high, -excess[j])
            if entering < 0:
                break
            self.replace(j, entering)
        self.invert()
        return self.vertex(self.b), multipliers

    def replace(self, j, entering):
        """One row of the basis is another; the inverse follows (Gauss-Jordan)."""
        row = self.A[entering] @ self.inverse
        pivot = self.inverse[:, j] / row[j]
        self.inverse -= np.outer(pivot, row)
        self.inverse[:, j] = pivot
        self.basis[j] = entering


def steepest_direction(g, A, low, high):
    """The subgradient of least Euclidean norm: minus the direction of steepest descent.

    Parameters
    ----------
    g : ndarray (n,)
        Gradient of what has no kink here.
    A : ndarray (k, n)
        Rows whose deviations are zero: they add any ``c @ A`` with low <= c <= high.
    low, high : ndarray (k,)

    Returns
    -------
    ndarray (n,)
        ``g + c @ A``, by an active set for least squares with bounds.

    References
    ----------
    Stark, Parker: Bounded-variable least-squares, Computational Statistics 10, 1995.
    """
    c = np.clip(np.zeros(len(A)), low, high)
    free = np.zeros(len(A), bool)
    used = np.abs(A).max(axis=1, initial=0) > 0
    for _ in range(10 * len(A) + 10):
        d = g + c @ A
        pull = A @ d
        # which bounded ones would shorten it by moving inside
        inside = used & ~free & (((pull < 0) & (c < high)) | ((pull > 0) & (c > low)))
        size = np.abs(pull) * inside
        k = int(np.argmax(size)) if len(size) else 0
        scale = np.abs(A).max(initial=0) * (np.abs(g).max(initial=0) + np.abs(A).sum())
        if not len(size) or size[k] <= 16 * EPSILON * scale:
            return d
        free[k] = True
        while free.any():
            held = g + c[~free] @ A[~free]
            best = np.linalg.lstsq(A[free].T, -held, rcond=None)[0]
            now = c[free]
            change = best - now
            lo, hi = low[free], high[free]
            with np.errstate(divide="ignore", invalid="ignore"):
                room = np.where(change > 0, (hi - now) / change, (lo - now) / change)
            room[change == 0] = np.inf
            step = min(1.0, room.min(initial=np.inf))
            c[free] = np.clip(now + step * change, lo, hi)
            if step == 1.0:
                break
            leaving = np.flatnonzero(free)[room <= step]
            free[leaving] = False
    return g + c @ A
