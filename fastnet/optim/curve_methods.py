"""The ways to fit a curve.

Each is a generator: it yields the parameters after each iteration, and returns the reason to end
where it has one.  ``problem.scale`` (n_parameters,): parameters are ``p = scale * u``, and descent
is by u.
"""

import itertools
import math

import numpy as np

from fastnet.optim.curve_problem import SQUARES, column_scale
from fastnet.optim.derivatives import hessian
from fastnet.optim.full_batch import descend
from fastnet.optim.least_deviations import LeastDeviations, line_search, steepest_direction
from fastnet.optim.objective import CallableObjective, CallableResiduals

__all__ = [
    "armijo", "exact", "first_order", "fixed", "grow_shrink", "lbfgs", "least_deviations",
    "levenberg_marquardt", "newton",
]

EPSILON = float(np.finfo(np.float64).eps)
# The first trust region, in units of all that is there: none.
FREE = 1e6
# A trial that keeps less of the promised decrease is taken back.
TAKEN = 0.1
MOST_TRIALS = 60


def fixed(problem, length, normalize, tolerance):
    """Steps against the gradient, of the length that ``length(k, value, squared norm)`` gives."""
    scale = problem.scale
    p = problem.start
    for k in itertools.count():
        g = problem.loss_gradient(p, problem.jacobian(p)) * scale
        squared = float(g @ g)
        if squared == 0:
            return "gradient"
        if normalize:
            g = g / math.sqrt(squared)
        new = p - length(k, problem.value(p), squared) * scale * g
        yield new
        if (new == p).all():
            return "stalled"
        if np.linalg.norm((new - p) / scale) < tolerance:
            return "step"
        p = new


def armijo(problem, rule, normalize, tolerance):
    """Steps of a `schedules.Armijo`."""
    scale = problem.scale
    p = problem.start
    while True:
        g = problem.loss_gradient(p, problem.jacobian(p)) * scale
        squared = float(g @ g)
        if squared == 0:
            return "gradient"
        if normalize:
            g = g / math.sqrt(squared)
            squared = math.sqrt(squared)
        length, value = rule.initial, problem.value(p)
        while True:
            new = p - length * scale * g
            if (new == p).all():
                return "stalled"
            if problem.value(new) <= value - rule.c * length * squared:
                break
            length *= rule.shrink
        yield new
        if np.linalg.norm((new - p) / scale) < tolerance:
            return "step"
        p = new


def grow_shrink(problem, rule, normalize, tolerance):
    """Steps of a `schedules.GrowShrink`: a trial that does not descend is taken back."""
    scale = problem.scale
    p, length = problem.start, rule.initial
    g = None
    while True:
        if g is None:
            g = problem.loss_gradient(p, problem.jacobian(p)) * scale
            norm = np.linalg.norm(g)
            if norm == 0:
                return "gradient"
            if normalize:
                g = g / norm
        new = p - length * scale * g
        if (new == p).all():
            return "stalled"
        if problem.value(new) <= problem.value(p):
            length *= rule.grow
            yield new
            if np.linalg.norm((new - p) / scale) < tolerance:
                return "step"
            p, g = new, None
        else:
            length *= rule.shrink
            yield p


def exact(problem, tolerance):
    """Steepest descent by the least subgradient, with exact line searches.

    For templates that are linear in their parameters.
    """
    scale = problem.scale
    p = problem.start
    low, high = kinks_of_mean(problem)
    # What is 0 at a kink that a line search went to, with the error of a numeric derivative
    relative = 1e-12 if problem.gradient is not None else 1e-9
    while True:
        zero = problem.size(p) * relative
        e = problem.predict(p) - problem.y
        A = problem.jacobian(p) * scale
        at_kink = np.abs(e) <= zero
        slopes = np.where(e > 0, high, low)
        g = A[~at_kink].T @ slopes[~at_kink]
        d = steepest_direction(g, A[at_kink], low[at_kink], high[at_kink])
        norm = np.linalg.norm(d)
        if norm <= 1e-9 * np.abs(A).max(initial=0):
            return "gradient"
        q = -(A @ d)
        q[at_kink & (np.abs(q) <= 1e-9 * np.abs(A).max() * norm)] = 0
        resting = at_kink & (q != 0)
        slope = -norm**2
        t, _ = line_search(np.where(at_kink, 0, e), q, low, high, slope)
        if not math.isfinite(t):
            return "stalled"
        new = p - t * scale * d
        new = settled(problem, new, A, scale, (at_kink & ~resting), zero)
        if (new == p).all():
            return "stalled"
        if not problem.value(new) <= problem.value(p):
            return "stalled"
        yield new
        if np.linalg.norm((new - p) / scale) < tolerance:
            return "step"
        p = new


def settled(problem, p, A, scale, kept, zero):
    """p moved by rounding errors, to where the deviations that should be 0 are."""
    for _ in range(3):
        e = problem.predict(p) - problem.y
        held = kept | (np.abs(e) <= zero)
        moved = p + scale * np.linalg.lstsq(A[held], -e[held], rcond=1e-10)[0]
        if not problem.value(moved) < problem.value(p):
            break
        p = moved
    return rounded(problem, p) if problem.value(p) <= zero else p


def rounded(problem, p):
    """p in 15 digits, if that fits as well: the last bits are rounding errors."""
    candidate = np.array([float(f"{v:.15g}") for v in p.tolist()])
    return candidate if problem.value(candidate) <= problem.value(p) else p


def least_deviations(problem, tolerance):
    """Linear programs of the linearized template, one after the other, in a trust region.

    Exact in one where the template is linear in its parameters.  Where fewer points than parameters
    are interpolated, curvature decides: a Newton step on the manifold where these points stay
    interpolated follows (Fletcher, Sainz de la Maza: Nonlinear programming and nonsmooth
    optimization by successive linear programming, Mathematical Programming 43, 1989).
    """
    p = problem.start
    low, high = kinks_of_mean(problem)
    radius = None
    value = problem.value(p)
    while True:
        e = problem.predict(p) - problem.y
        size = problem.size(p)
        J = problem.jacobian(p)
        if not np.isfinite(J).all():
            return "stalled"
        scale = column_scale(J)
        A = J * scale
        # What a parameter may change by, in units of the predictions, times the radius
        room = problem.steps(p, 1.0) / scale
        if radius is None:
            radius = FREE * max(1.0, (np.abs(e).max() / room).max())
        for _ in range(MOST_TRIALS):
            z, basis, multipliers = linear_program(A, -e, low, high, radius * room)
            promised = value - kinked_value(e + A @ z, low, high)
            if promised <= 4 * EPSILON * size:
                new = p + scale * z
                new = rounded(problem, new if problem.value(new) < value else p)
                if (new != p).any():
                    yield new
                return "gradient"
            new, new_value = p + scale * z, problem.value(p + scale * z)
            gained = value - new_value
            if not is_vertex(basis, A):
                other = second_order(problem, p, e, A, scale, basis, multipliers, low, high)
                if other is not None and problem.value(other) < min(value, new_value):
                    yield other
                    new, new_value = other, problem.value(other)
                    gained = math.inf
                    break
            if (new == p).all():
                return "gradient" if promised <= tolerance * size else "stalled"
            reach = np.abs(z / room).max()
            if gained >= TAKEN * promised and gained > 0:
                yield new
                break
            if promised <= tolerance * size:
                return "gradient"
            radius = min(reach / 4, 1.0)
        else:
            return "stalled"
        if gained == math.inf:
            pass
        elif gained >= 0.75 * promised:
            radius = max(radius, 2 * reach)
        elif gained < 0.25 * promised:
            radius = reach / 2
        if value - new_value <= 4 * EPSILON * new_value:
            return "value"
        p, value = new, new_value


def kinks_of_mean(problem):
    """Slopes of the mean loss by each prediction: below and above its target (n_points,)."""
    n = len(problem.y)
    return tuple(np.full(n, slope / n) for slope in problem.kinks)


def kinked_value(e, low, high):
    return float(np.sum(np.where(e > 0, high, low) * e))


def is_vertex(basis, A):
    return (basis < len(A)).all()


def linear_program(A, b, low, high, radius):
    """Minimum of a sum of kinks over ``abs(z) <= radius`` (n,).

    Returns
    -------
    z : ndarray (n,)
    basis : ndarray (n,)
        Rows that are 0 there: below len(A) those of A, above it bounds.
    multipliers : ndarray (n,)
    """
    m, n = A.shape
    # A slope that no sum of kinks exceeds makes each bound a kink as well; one next to 0 makes z
    # = 0 the first vertex, and the choice where the minimum is not unique.
    wall = 1 + 2 * (np.maximum(np.abs(low), np.abs(high)) @ np.abs(A))
    faint = np.full(n, 1e-12 * wall.max())
    eye = np.eye(n)
    walls = np.concatenate([faint, wall / 2, wall / 2])
    program = LeastDeviations(
        np.vstack([A, eye, eye, eye]),
        np.concatenate([b, np.zeros(n), radius, -radius]),
        np.concatenate([low, -walls]),
        np.concatenate([high, walls]),
        np.arange(m, m + n),
        np.abs(b).max(),
    )
    z, multipliers = program.solve()
    return z, program.basis, multipliers


def second_order(problem, p, e, A, scale, basis, multipliers, low, high):
    """The step to where the derivative is 0 and the points of the basis stay interpolated."""
    n = len(p)
    inside = basis < len(A)
    held = basis[inside]
    weights = np.where(e > 0, high, low)
    weights[held] = multipliers[inside]
    free = weights.copy()
    free[held] = 0
    W = problem.curvature(p, weights) * np.outer(scale, scale)
    k = len(held)
    system = np.zeros((n + k, n + k))
    system[:n, :n] = W
    system[n:, :n] = A[held]
    system[:n, n:] = A[held].T
    right = np.concatenate([-(A.T @ free), -e[held]])
    if not np.isfinite(system).all():
        return None
    z = np.linalg.lstsq(system, right, rcond=1e-12)[0][:n]
    return p + scale * z


def newton(problem, guard, tolerance):
    """u - H^-1 g; with the guard the absolute eigenvalues of H."""
    scale = problem.scale
    u = problem.start / scale
    while True:
        p = u * scale
        g = problem.loss_gradient(p, problem.jacobian(p)) * scale
        if not g.any():
            return "gradient"
        try:
            H = hessian(lambda v: problem.mean_loss(v * scale), u)
        except ValueError:
            # nothing finite around u
            return "diverged"
        if guard:
            values, vectors = np.linalg.eigh(H)
            values = np.maximum(np.abs(values), EPSILON * np.abs(values).max())
            change = -(vectors @ ((vectors.T @ g) / values)) if values.all() else -g
        else:
            change = -np.linalg.lstsq(H, g, rcond=None)[0]
        new = u + change
        yield new * scale
        if (new == u).all():
            return "stalled"
        if np.linalg.norm(change) < tolerance:
            return "step"
        u = new


def full_batch(problem, optimizer, objective, scale):
    """Iterations of L-BFGS or Levenberg-Marquardt on the parameters divided by the scale."""
    u = problem.start / scale
    while True:
        new, _, _ = descend(optimizer, objective, u, 1)
        if (new != u).any():
            yield new * scale
        if optimizer.reason is not None:
            return optimizer.reason
        u = new


def levenberg_marquardt(problem, optimizer):
    factor = math.sqrt(SQUARES[problem.loss] / len(problem.y))
    objective = CallableResiduals(
        len(problem.start),
        lambda p: factor * (problem.predict(p) - problem.y),
        lambda p: factor * problem.jacobian(p),
    )
    return full_batch(problem, optimizer, objective, np.ones(len(problem.start)))


def lbfgs(problem, optimizer):
    scale = problem.scale
    objective = CallableObjective(
        len(problem.start),
        lambda u: problem.value(u * scale),
        lambda u: problem.loss_gradient(u * scale, problem.jacobian(u * scale)) * scale,
    )
    return (yield from full_batch(problem, optimizer, objective, scale))


def first_order(problem, optimizer, tolerance):
    """Steps of an optimizer of networks, on what the parameters are away from p0, by the scale."""
    scale = problem.scale
    u = np.zeros(len(problem.start))
    p = problem.start
    while True:
        g = problem.loss_gradient(p, problem.jacobian(p)) * scale
        if not g.any():
            return "gradient"
        optimizer.step(u, g)
        new = problem.start + scale * u
        yield new
        if np.linalg.norm((new - p) / scale) < tolerance:
            return "step"
        p = new
