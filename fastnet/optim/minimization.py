"""Descent on any function of one or many numbers."""

import math

import numpy as np

from fastnet._arrays import nearest
from fastnet._cfunctions import c_function
from fastnet._checks import checked_int
from fastnet.optim import derivatives
from fastnet.optim.arguments import number
from fastnet.optim.descent import Descent
from fastnet.optim.descent_result import DescentResult
from fastnet.optim.lbfgs import LBFGS
from fastnet.optim.least_squares import LevenbergMarquardt
from fastnet.optim.objective import Function
from fastnet.optim.optimizers import Optimizer, resolve
from fastnet.optim.residuals import ResidualFunction, differenced
from fastnet.optim.schedules import Armijo, GrowShrink

__all__ = ["maximize", "minimize", "multi_start"]

VALUE = "double (intptr_t n, double *x, void *)"
GRADIENT = "void (intptr_t n, double *x, double *g, void *)"

OPTIMIZERS = (
    "adagrad", "adam", "adamw", "lbfgs", "levenberg_marquardt", "rmsprop", "rprop", "sgd",
)  # fmt: skip
STOPS = ("step", "gradient", "value", None)
DEFAULT_STEP = 0.01


def minimize(f, x0, gradient=None, hessian=None, method="steepest_descent", step=DEFAULT_STEP,
             normalize=False, guard=True, max_iterations=1000, tolerance=1e-8, stop_on="step",
             record=False, callback=None, check_gradient=False):
    """Go downhill on a function of one or many numbers, from a point.

    Parameters
    ----------
    f : callable or C function
        ``f(x)`` -> a number; x is a float if x0 is a number, else an array (n,) that f may keep,
        and for n = 1 an array (1,) will do as well, so that formulas take either.
        With Levenberg-Marquardt ``f(x)`` -> residuals (m,). A C function has the signature
        ``double (intptr_t n, double *x, void *)`` and comes as a PyCapsule, a ctypes function, a
        numba cfunc or a tuple (address, signature); it runs without the interpreter, and must leave
        x as it is.
    x0 : float or array-like (n,)
        Where to start.
    gradient : callable or C function, optional
        ``gradient(x)`` -> (n,), or a number if x is one; with Levenberg-Marquardt the Jacobian of
        the residuals (m, n). In C ``void (intptr_t n, double *x, double *g, void *)``. By default
        central differences of f, 2 n evaluations.
    hessian : callable, optional
        ``hessian(x)`` -> (n, n), or a number if x is one: for Newton's method and for the curvature
        of the result. By default central differences of gradient or f.
    method : str or optimizer, default "steepest_descent"
        "steepest_descent": ``x -= step * gradient(x)``. "newton": Newton-Raphson. "lbfgs";
        "levenberg_marquardt", for half the sum of the squares of the residuals; any optimizer like
        ``fn.Adam(0.1)``, of which a new one with the same arguments is used.
    step : float, str, schedule or callable, default 0.01
        Of steepest descent: a constant; "armijo" or ``fn.schedules.Armijo(...)``, which begins
        each iteration with 1 and halves that until f falls enough; "grow_shrink" or
        ``fn.schedules.GrowShrink(...)``, where each trial is an iteration; a schedule;
        ``callable(k)``, called after the gradient at x_k, k from 0. Newton's method takes whole
        steps by default, or damps them by "armijo".
    normalize : bool, default False
        Divide the gradient by its Euclidean norm, so that a step has exactly the length ``step``.
    guard : bool, default True
        Newton's method divides by the absolute eigenvalues of the Hessian, so that it does not
        walk to a maximum or a saddle. False: the plain ``x - f'(x) / f''(x)``.
    max_iterations : int >= 0, default 1000
    tolerance : float >= 0, default 1e-8
    stop_on : "step", "gradient", "value" or None, default "step"
        Converged where the Euclidean length of a step, the Euclidean norm of the gradient (tested
        before the step) or the change of the value is below the tolerance. With any of them an
        exactly zero gradient ends it, and a step that changes no bit of x. With None only that
        gradient, divergence or the count end it: x rests where steps change no bit of it. An
        optimizer that finds that there is no more to gain, like L-BFGS, ends it with a reason of
        its own: its tolerance is 0 where only its name is given.
    record : bool, default False
        Keep all points as ``path``.
    callback : callable, optional
        ``callback(r)`` after each iteration, with ``r.x``, ``r.value``, ``r.gradient`` and
        ``r.n_iterations``; it ends there if that returns True.
    check_gradient : bool, default False
        Compare ``gradient`` at x0 with central differences first.

    Returns
    -------
    DescentResult
        With ``x``, ``value``, ``gradient``, ``n_iterations``, ``n_evaluations``, ``converged``,
        ``reason``, ``path`` and ``curvature``. Where value or gradient become NaN or infinite on
        the way (or Python raises OverflowError for that), the reason is "diverged" and x the last
        point where they are not.

    Raises
    ------
    ValueError, TypeError
        Naming the argument; for x0, or a value or gradient there, that are not finite; for values
        and derivatives of another shape; for derivatives that fail the check. All other errors of
        the functions pass unchanged.

    References
    ----------
    Nocedal, Wright: Numerical Optimization, 2nd edition, 2006: section 3.1 (Armijo), equation 3.23
    and section 3.4 (Newton's method with a modified Hessian), chapters 7 and 10.

    Examples
    --------
    >>> import fastnet as fn
    >>> f = lambda x: 3 * x**4 + 5 * x**3 - 20 * x**2 + 8 * x + 10
    >>> r = fn.minimize(f, 0.0, gradient=lambda x: 12 * x**3 + 15 * x**2 - 40 * x + 8)
    >>> r.reason, r.n_iterations, round(r.x, 6)
    ('step', 22, -2.619605)
    >>> [round(fn.minimize(f, 0.0, method="newton", guard=guard).x, 6) for guard in (True, False)]
    [-2.619605, 0.221701]
    """
    return descend(
        f, x0, gradient, hessian, method, step, normalize, guard, max_iterations, tolerance,
        stop_on, record, callback, check_gradient, sign=1.0,
    )  # fmt: skip


def maximize(f, x0, gradient=None, hessian=None, method="steepest_descent", step=DEFAULT_STEP,
             normalize=False, guard=True, max_iterations=1000, tolerance=1e-8, stop_on="step",
             record=False, callback=None, check_gradient=False):
    """Go uphill on a function of one or many numbers, from a point.

    Exactly the path of `minimize` on -f, of which all arguments and errors are; ``value`` and
    ``gradient`` of the result are those of f, ``curvature`` that of -f.

    Examples
    --------
    The largest rectangle inside a fence of 200 m, by the steps of 3 and 2 m that people would take:

    >>> import fastnet as fn
    >>> r = fn.maximize(lambda l: 100 * l - l**2, 57, gradient=lambda l: 100 - 2 * l,
    ...                 step=lambda k: (3 / 14, 1 / 4)[k], max_iterations=2, record=True)
    >>> r.path.tolist(), r.value
    ([57.0, 54.0, 52.0], 2496.0)
    """
    return descend(
        f, x0, gradient, hessian, method, step, normalize, guard, max_iterations, tolerance,
        stop_on, record, callback, check_gradient, sign=-1.0,
    )  # fmt: skip


def multi_start(f, starts, gradient=None, hessian=None, **options):
    """`minimize` from several points.

    Parameters
    ----------
    f : callable or C function
    starts : sequence of x0
        Numbers or vectors; an array (n_starts,) or (n_starts, n).
    gradient, hessian, **options
        Of `minimize`.

    Returns
    -------
    list of DescentResult
        The lowest value first, equal ones in the order of their starts; those that diverged last.

    Examples
    --------
    >>> import fastnet as fn
    >>> f = lambda x: 3 * x**4 + 5 * x**3 - 20 * x**2 + 8 * x + 10
    >>> [round(r.x, 6) for r in fn.multi_start(f, [-1, 0, 1, 2])]
    [-2.619605, -2.619605, 1.147904, 1.147904]
    """
    try:
        starts = iter(starts)
    except TypeError:
        raise TypeError(
            f"starts must be a sequence of points, got {type(starts).__name__}"
        ) from None
    points = [derivatives.point_of(x0, f"starts[{k}]") for k, x0 in enumerate(starts)]
    if not points:
        raise ValueError("starts must hold at least one point, got none")
    results = [minimize(f, x0, gradient, hessian, **options) for x0 in points]
    return sorted(results, key=lambda r: (r.reason == "diverged", r.value))


def descend(f, x0, gradient, hessian, method, step, normalize, guard, max_iterations, tolerance,
            stop_on, record, callback, check_gradient, sign):
    start = derivatives.point_of(x0, "x0")
    is_scalar = not isinstance(start, np.ndarray)
    method = checked_method(method, normalize, guard)
    step = checked_step(step, method, guard)
    max_iterations = checked_int(max_iterations, "max_iterations", 0, 2**63 - 1)
    tolerance = number(tolerance, "tolerance", 0, math.inf, "[0, inf)")
    if not (stop_on is None or isinstance(stop_on, str)) or stop_on not in STOPS:
        raise ValueError(f"stop_on must be one of {', '.join(map(repr, STOPS))}, got {stop_on!r}")
    for argument, name in ((hessian, "hessian"), (callback, "callback")):
        if argument is not None and not callable(argument):
            raise TypeError(f"{name} must be callable, got {type(argument).__name__}")

    n = 1 if is_scalar else len(start)
    if isinstance(method, LevenbergMarquardt):
        if sign < 0:
            raise ValueError("Levenberg-Marquardt minimizes: it cannot maximize a sum of squares")
        for given, name, signature in ((f, "f", VALUE), (gradient, "gradient", GRADIENT)):
            if c_function(given, name, signature, allow_float=False) is not None:
                raise TypeError(
                    f"{name} must be a Python function with Levenberg-Marquardt, "
                    f"got {type(given).__name__}"
                )
        function = ResidualFunction(f, gradient, n, is_scalar)
        objective = function.objective
    else:
        function = objective = Function(
            n, is_scalar, function_of(f, "f", VALUE),
            None if gradient is None else function_of(gradient, "gradient", GRADIENT), sign,
        )  # fmt: skip
    second = hessian_of(function, gradient is not None, hessian, exact=False)

    def point(x):
        return float(x[0]) if is_scalar else x

    def result(run, reason, path, sources):
        x, g, value = point(run.x), point(run.gradient), run.value
        if sign < 0:
            # without a minus sign before 0
            g, value = 0.0 - g, 0.0 - value
        return DescentResult(
            x, value, g, run.n_iterations, function.n_evaluations, reason, path, sources
        )

    def call_back(run):
        return callback(result(run, None, None, None))

    run = Descent(
        objective, np.reshape(start, -1), second, method, step, normalize, guard, max_iterations,
        tolerance, stop_on, record, None if callback is None else call_back,
    )  # fmt: skip
    # Values that are not finite are told by the reason.
    with np.errstate(all="ignore"):
        if check_gradient and gradient is not None:
            function.verify(start)
        run.run()
    path = run.path
    if path is not None and is_scalar:
        path = path.reshape(-1)

    exact = hessian_of(function, gradient is not None, hessian, exact=True)
    sources = (lambda x: sign * function.gradient(x), lambda x: sign * np.asarray(exact(x)))
    return result(run, run.reason, path, sources)


def hessian_of(function, has_gradient, hessian, exact):
    """``hessian(x)`` as given, or by differences: a few of them for steps, or ``exact``."""
    if hessian is not None:
        return hessian
    if has_gradient or isinstance(function, ResidualFunction):
        return lambda x: differenced_hessian(function.gradient, x)
    if exact:
        return lambda x: derivatives.hessian(function.value, x)
    return lambda x: derivatives.central_hessian(function.value, x)


def differenced_hessian(gradient, x):
    """Symmetric (n, n), or a float where x is one."""
    if not isinstance(x, np.ndarray):
        return float(differenced(lambda p: np.array([gradient(p[0])]), np.array([x]))[0, 0])
    matrix = differenced(gradient, x)
    return 0.5 * (matrix + matrix.T)


def function_of(given, name, signature):
    """A C function, or the Python function itself."""
    native = c_function(given, name, signature, allow_float=False)
    if native is not None:
        return native
    if not callable(given):
        raise TypeError(f"{name} must be callable or a C function, got {type(given).__name__}")
    return given


def checked_method(method, normalize, guard):
    """ "steepest_descent", "newton" or an optimizer that nobody else uses."""
    if isinstance(method, str) and method not in ("steepest_descent", "newton"):
        if method not in OPTIMIZERS:
            raise ValueError(nearest(method, ("steepest_descent", "newton", *OPTIMIZERS), "method"))
        by_name = {"lbfgs": LBFGS, "levenberg_marquardt": LevenbergMarquardt}.get(method)
        method = resolve(method) if by_name is None else by_name(tolerance=0.0)
    elif isinstance(method, Optimizer):
        make, arguments = method.__reduce__()[:2]
        method = make(*arguments)
    elif not isinstance(method, str):
        raise TypeError(
            "method must be a name or an optimizer like fastnet.Adam(), got "
            f"{method.__name__ + ' itself' if isinstance(method, type) else type(method).__name__}"
        )
    if normalize and method != "steepest_descent":
        raise ValueError("normalize=True is for method='steepest_descent' only; fastnet.SGD has a "
                         "normalize of its own")
    if not guard and method != "newton":
        raise ValueError("guard=False is for method='newton' only")
    return method


def checked_step(step, method, guard):
    """What `Descent` takes."""
    if isinstance(step, str):
        rules = {"armijo": Armijo, "grow_shrink": GrowShrink}
        if step not in rules:
            raise ValueError(nearest(step, rules, "step"))
        step = rules[step]()
    elif not (callable(step) or isinstance(step, (Armijo, GrowShrink))):
        step = number(step, "step", 0, math.inf, "(0, inf)")
    if method == "steepest_descent":
        return step
    if method == "newton" and isinstance(step, Armijo):
        if not guard:
            raise ValueError("step='armijo' needs guard=True: plain Newton steps may go uphill")
        return step
    if step != DEFAULT_STEP:
        takes = (
            "method='newton' takes whole steps, or step='armijo'" if method == "newton"
            else f"{type(method).__name__} has its own steps: give it a learning_rate, if it takes "
            "one"
        )
        raise ValueError(f"step is for method='steepest_descent'; {takes}")
    return 1.0
