"""Fitting the parameters of a curve to points."""

import copy
import math
from dataclasses import dataclass

import numpy as np

from fastnet._checks import checked_int
from fastnet.optim import curve_methods
from fastnet.optim.arguments import number
from fastnet.optim.curve_problem import Problem
from fastnet.optim.full_batch import FullBatchOptimizer
from fastnet.optim.lbfgs import LBFGS
from fastnet.optim.least_squares import LevenbergMarquardt
from fastnet.optim.optimizers import Optimizer, resolve
from fastnet.optim.schedules import Armijo, GrowShrink

__all__ = ["CurveFit", "fit_curve"]

METHODS = ("auto", "least_deviations", "newton", "steepest_descent")
STEPS = ("auto", "armijo", "exact", "grow_shrink", "polyak")
CONVERGED = ("exact", "gradient", "step", "value")


@dataclass(eq=False)
class CurveFit:
    """What `fit_curve` found.

    Attributes
    ----------
    parameters : ndarray (n_parameters,)
    loss : float
        Mean over the points.
    n_iterations : int
    n_evaluations : int
        Calls of the template, those for numeric derivatives included.
    reason : str
        "exact" (the loss is 0), "gradient" (the derivative, or for losses with kinks the least
        subgradient, is 0 as far as the tolerance tells), "step" (shorter than the tolerance),
        "value" (nothing lower beyond rounding), "stalled" (a step no longer changes the
        parameters, or none was found that descends), "diverged" or "max_iterations".
    path : ndarray (n_iterations + 1, n_parameters) or None
        Parameters from p0 on, with record=True.
    """

    parameters: np.ndarray
    loss: float
    n_iterations: int
    n_evaluations: int
    reason: str
    path: object = None

    @property
    def converged(self):
        """Whether it ended at a minimum, as far as the tolerance can tell."""
        return self.reason in CONVERGED

    def __repr__(self):
        return (
            f"CurveFit({np.array2string(self.parameters, precision=6, threshold=8)}, "
            f"loss={self.loss:.6g}, {self.n_iterations} iterations, {self.reason!r})"
        )


def run(problem, iterations, max_iterations, record):
    """The result of a method."""
    p = problem.start
    path = [p]
    n_iterations, reason = 0, None
    value = problem.value(p)
    while reason is None:
        if value == 0:
            reason = "exact"
        elif n_iterations == max_iterations:
            reason = "max_iterations"
        else:
            try:
                new = next(iterations)
            except StopIteration as end:
                reason = end.value
                break
            n_iterations += 1
            path.append(new)
            new_value = problem.value(new) if np.isfinite(new).all() else math.nan
            if math.isfinite(new_value):
                p, value = new, new_value
            else:
                reason = "diverged"
    return CurveFit(
        p.copy(), value, n_iterations, problem.n_evaluations, reason,
        np.array(path) if record else None,
    )


def checked_step(step):
    if isinstance(step, str):
        if step not in STEPS:
            raise ValueError(f"step must be one of {', '.join(STEPS)}, a number or a callable, "
                             f"got {step!r}")
        return step
    if callable(step) or isinstance(step, (Armijo, GrowShrink)):
        return step
    return number(step, "step", 0, math.inf, "(0, inf)")


def rule_of(step):
    """``length(k, value, squared norm of the gradient)`` of a constant, callable or Polyak step."""
    if step == "polyak":
        return lambda k, value, squared: value / squared
    if not callable(step):
        return lambda k, value, squared: step

    def length(k, value, squared):
        return number(step(k), f"step({k})", 0, math.inf, "(0, inf)")

    return length


def fit_curve(template, x, y, p0, loss="absolute_error", gradient=None, method="auto", scale=True,
              step="auto", normalize=False, guard=True, max_iterations=1000, tolerance=1e-10,
              check_gradient=False, record=False):
    """Fit the parameters of a curve to points: descend on the mean loss over the points.

    Parameters
    ----------
    template : callable
        ``template(x, *parameters)`` -> array (n_points,), parameters as floats.
    x : array-like (n_points,) or (n_points, ...)
        Given to the template as a float64 array that it cannot change.
    y : array-like (n_points,)
    p0 : array-like (n_parameters,), or a number for one parameter
        Where to start.
    loss : str, `fn.losses.huber`, `fn.losses.quantile` or Loss, default "absolute_error"
        A loss of `fn.losses.names`, one with its parameter, or a custom one. absolute_error has
        the subgradient 0 where a point is on the curve.
    gradient : callable, optional
        ``gradient(x, *parameters)`` -> (n_points, n_parameters), derivatives of the template;
        central differences by default, which take 2 n_parameters calls of the template.
    method : str or optimizer, default "auto"
        "auto" is "least_deviations" for absolute_error and quantile, "levenberg_marquardt" for
        squared_error and half_squared_error, "lbfgs" for all others, and "steepest_descent" where
        a step is given.

        "least_deviations" solves the linear program of the linearized template in a trust region
        until nothing is gained: where the template is linear in its parameters one program finds
        the optimum. "newton" uses a numeric Hessian; the other names are those of the optimizers
        of networks, and an optimizer itself goes, too.
    scale : bool, "rms" or array-like (n_parameters,), default True
        Steepest descent and optimizers work on ``parameters / scale``. True divides by the largest
        modulus of each derivative of the template at p0, so that each parameter is counted in the
        predictions that it moves, "rms" by the root of its mean square; False is 1. Levenberg-
        Marquardt and least deviations find their own scale.
    step : float, callable or str, default "auto"
        Of steepest descent: a constant, a schedule or ``callable(k)``; "armijo", "grow_shrink", an
        `fn.schedules.Armijo` or `fn.schedules.GrowShrink`, as in `minimize`; "polyak" (loss
        divided by the squared norm of the gradient: for fits that leave no loss); "exact" (to the
        minimum along the least subgradient, for absolute_error and quantile on a template that is
        linear in its parameters). "auto" is "exact" for these two losses, else "armijo".
    normalize : bool, default False
        Steps of exactly the length ``step`` in scaled parameters.
    guard : bool, default True
        Newton's method takes the absolute eigenvalues of the Hessian, and so never climbs.
    max_iterations : int, default 1000
    tolerance : float >= 0, default 1e-10
        It ends where a step is shorter than this (in scaled parameters), or, with Levenberg-
        Marquardt and L-BFGS, where the gradient is (as they say). 0 switches it off.
    check_gradient : bool, default False
        Compare the gradient with central differences at p0 before the start.
    record : bool, default False
        Keep the path.

    Returns
    -------
    CurveFit
        With ``parameters``, ``loss``, ``n_iterations``, ``n_evaluations``, ``reason``,
        ``converged`` and ``path``. A fit that diverges ends with that reason, and the last
        parameters whose loss is finite.

    Raises
    ------
    ValueError, TypeError
        For x and y of different lengths, fewer points than parameters, what is not finite in x, y
        or p0; a template or a gradient of the wrong shape, or not finite at p0; a gradient that is
        wrong, with its component and factor; options that make no sense. Errors of the template
        pass.

    References
    ----------
    Osborne, Watson: On an algorithm for discrete nonlinear L1 approximation, The Computer Journal
    14, 1971. Fletcher, Sainz de la Maza: Nonlinear programming and nonsmooth optimization by
    successive linear programming, Mathematical Programming 43, 1989.

    Examples
    --------
    The area inside a fence of 200 m, by its length; one of the points is far off:

    >>> import numpy as np
    >>> import fastnet as fn
    >>> x = np.arange(100)
    >>> y = 100 * x - x**2
    >>> y[70] += 500
    >>> r = fn.fit_curve(lambda x, a, b: a * x**2 + b * x, x, y, (-2, 30))
    >>> r.parameters.round(9), round(r.loss, 9)
    (array([ -1., 100.]), 5.0)
    """
    problem = Problem(template, x, y, p0, loss, gradient, scale)
    max_iterations = checked_int(max_iterations, "max_iterations", 0)
    tolerance = number(tolerance, "tolerance", 0, math.inf, "[0, inf)")
    step = checked_step(step)
    iterations = iterations_of(problem, method, step, normalize, guard, tolerance)
    # Numbers that are not finite are told by the reason.
    with np.errstate(all="ignore"):
        if check_gradient:
            problem.verify()
        return run(problem, iterations, max_iterations, record)


def iterations_of(problem, method, step, normalize, guard, tolerance):
    """The generator that a method is."""
    if isinstance(method, str) and method == "auto":
        if step != "auto":
            method = "steepest_descent"
        elif problem.kinks is not None:
            method = "least_deviations"
        else:
            method = "levenberg_marquardt" if problem.is_squared else "lbfgs"
    if method != "steepest_descent" and (step != "auto" or normalize):
        raise ValueError(
            f"step and normalize are for method='steepest_descent', got method={method!r}"
        )
    if not guard and method != "newton":
        raise ValueError("guard=False is for method='newton' only")
    if method == "steepest_descent":
        return steepest_descent(problem, step, normalize, tolerance)
    if method == "newton":
        return curve_methods.newton(problem, guard, tolerance)
    if method == "least_deviations":
        if problem.kinks is None:
            raise ValueError(
                "method='least_deviations' is for the losses absolute_error and quantile, "
                f"got {problem.loss!r}"
            )
        return curve_methods.least_deviations(problem, tolerance)
    return by_optimizer(problem, optimizer_of(method, tolerance), tolerance)


def steepest_descent(problem, step, normalize, tolerance):
    if step == "auto":
        step = "armijo" if problem.kinks is None else "exact"
    if step == "exact":
        if problem.kinks is None or normalize:
            raise ValueError(
                "step='exact' is for the losses absolute_error and quantile without normalize, "
                f"got {problem.loss!r}"
            )
        return curve_methods.exact(problem, tolerance)
    rules = {"armijo": Armijo(), "grow_shrink": GrowShrink()}
    step = rules.get(step, step) if isinstance(step, str) else step
    if isinstance(step, Armijo):
        return curve_methods.armijo(problem, step, normalize, tolerance)
    if isinstance(step, GrowShrink):
        return curve_methods.grow_shrink(problem, step, normalize, tolerance)
    return curve_methods.fixed(problem, rule_of(step), normalize, tolerance)


def optimizer_of(method, tolerance):
    if isinstance(method, Optimizer):
        optimizer = copy.copy(method)
        optimizer.reset()
        return optimizer
    if not isinstance(method, str):
        raise TypeError(f"method must be a name or an optimizer, got {type(method).__name__}")
    if method == "levenberg_marquardt":
        return LevenbergMarquardt(tolerance=tolerance, scale=True)
    if method == "lbfgs":
        return LBFGS(tolerance=tolerance)
    try:
        return resolve(method)
    except ValueError:
        raise ValueError(
            f"method must be an optimizer, its name, or one of {', '.join(METHODS)}, got {method!r}"
        ) from None


def by_optimizer(problem, optimizer, tolerance):
    if isinstance(optimizer, LevenbergMarquardt):
        if not problem.is_squared:
            raise ValueError(
                "Levenberg-Marquardt is for the losses squared_error and half_squared_error, "
                f"got {problem.loss!r}"
            )
        return curve_methods.levenberg_marquardt(problem, optimizer)
    if isinstance(optimizer, FullBatchOptimizer):
        return curve_methods.lbfgs(problem, optimizer)
    return curve_methods.first_order(problem, optimizer, tolerance)
