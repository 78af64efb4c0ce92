"""Derivatives by central differences, and the check of a gradient that somebody gave.

Every central difference quotient D(h) of a smooth function is D(0) + c h^2 + d h^4 + ...: two of
them give one with an error of h^4, three one of h^6, and so on (Richardson).  `extrapolated` takes
steps from large to small, compares what it extrapolates, and keeps the value that its neighbors
confirm best (Ridders: Accurate computation of F'(x) and F'(x)F''(x), Advances in Engineering
Software 4, 1982).  That finds about 12 digits without a guess at the best step, which depends on
the function.
"""

import itertools
import math
from numbers import Real

import numpy as np

from fastnet._arrays import finite_array
from fastnet._checks import checked_int
from fastnet.optim.arguments import number

__all__ = ["derivative", "gradient", "hessian"]

EPSILON = float(np.finfo(np.float64).eps)
# Of the first step, relative to max(1, |x|).  No round number, which could be the period of a
# function, but few bits, so that x + h and all its quarters are mostly exact.
FIRST_STEP = 113 / 1024
SHRINK = 4.0
# Steps have powers that are finite.
MOST_EXPONENT = 1000
LEAST_LEVELS = 3
MOST_LEVELS = 24
HIGHEST_ORDER = 8
# Where one quotient must do: rounding of the values, eps / h^order, balances the h^2 of the rule.
SINGLE_STEP = EPSILON ** (1 / 3)
SINGLE_STEP_2 = EPSILON ** (1 / 4)
# A derivative that deviates less from differences, relative to them, is not wrong.
GRADIENT_TOLERANCE = 1e-5
# Steps of the check, relative to `SINGLE_STEP`: a function may turn within the widest.
CHECK_SHRINKS = (1.0, 1 / 16, 1 / 256)
# Of its largest component, what rounding may leave in all others
GRADIENT_ROUNDING = 1e-10


def number_of(value, name, may_be_row=False):
    """One real number that a function returned, as a float.

    may_be_row: an array (1,) is a number, too.

    Raises
    ------
    TypeError, ValueError
        Naming what returned it.
    """
    if type(value) is float:
        return value
    if isinstance(value, Real):
        return float(value)
    array = np.asarray(value)
    if array.dtype.kind not in "fiub":
        raise TypeError(f"{name} must return a real number, got {type(value).__name__}")
    if array.shape != () and not (may_be_row and array.shape == (1,)):
        raise ValueError(
            f"{name} must return one number, got an array of shape {array.shape}"
        )
    return float(array.reshape(()))


def checked_function(f, name="f"):
    if not callable(f):
        raise TypeError(f"{name} must be callable, got {type(f).__name__}")


def numbers_of(values, name):
    """Real numbers that a function returned, as a float64 array of its own.

    Raises
    ------
    TypeError
        Naming what returned them.
    """
    array = np.asarray(values)
    if array.dtype.kind not in "fiub":
        raise TypeError(f"{name} must return real numbers, got dtype {array.dtype}")
    return np.array(array, np.float64)


def point_of(x, name="x"):
    """A float for a number, else a float64 copy (n,) of a vector.

    Raises
    ------
    TypeError, ValueError
        For what holds no real numbers, NaN or infinity, with its position.
    """
    array = finite_array(x, name)
    if array.ndim > 1 or array.size == 0:
        raise ValueError(f"{name} must be a number or have shape (n,), got {array.shape}")
    return array.copy() if array.ndim else float(array)


def central_weights(order):
    """Weights of the values at x - m h, ..., x + m h in the central difference of an order.

    Even orders have the powers of the second difference (1, -2, 1); odd ones are one of these,
    averaged over its two neighbors: (-1, 0, 1) / 2 times such a power.
    """
    weights = np.array([-0.5, 0.0, 0.5]) if order % 2 else np.ones(1)
    for _ in range(order // 2):
        weights = np.convolve(weights, [1.0, -2.0, 1.0])
    return weights.tolist()


def extrapolated(quotient, order, step):
    """The limit of a central difference quotient for h -> 0.

    Parameters
    ----------
    quotient : callable
        ``quotient(h)`` -> the quotient and the largest modulus of a value in its numerator
    order : int
        Power of h in the denominator.
    step : float
        The first h.

    Returns
    -------
    limit, uncertainty : float
        NaN and infinite where no step gives finite numbers.
    """
    best, uncertainty = math.nan, math.inf
    older = []
    for level in range(MOST_LEVELS):
        value, size = quotient(step)
        row = [value]
        if math.isfinite(value):
            noise = EPSILON * max(size, abs(value) * step**order) / step**order
            found, error = value, math.inf
            power = 1.0
            for before in older:
                power *= SHRINK**2
                row.append(row[-1] + (row[-1] - before) / (power - 1))
                change = max(abs(row[-1] - row[-2]), abs(row[-1] - before), noise)
                if change <= error:
                    found, error = row[-1], change
            # Wide steps, which divide by a high power of h, agree on next to nothing where the
            # function turns many times inside of them: what contradicts them is right.
            if error <= uncertainty or abs(found - best) > 2 * (error + uncertainty):
                best, uncertainty = found, error
            # Rounding, which grows with every step that is smaller, already exceeds the error.
            if level + 1 >= LEAST_LEVELS and uncertainty <= SHRINK**order * noise:
                break
            older = row
        else:
            older = []
        step /= SHRINK
    return best, uncertainty


class Guarded:
    """A function whose values away from x may be missing: outside of where it is defined.

    Calls give NaN there, and keep the error for whoever needs to say why.
    """

    def __init__(self, f, name, may_be_row=False):
        self.f = f
        self.name = name
        self.may_be_row = may_be_row
        self.error = None

    def __call__(self, x):
        try:
            with np.errstate(all="ignore"):
                return number_of(self.f(x), self.name, self.may_be_row)
        except (ArithmeticError, ValueError) as error:
            self.error = error
            return math.nan


def value_at(f, x, name="f", may_be_row=False):
    """f(x), which must be finite."""
    value = number_of(f(x), name, may_be_row)
    if not math.isfinite(value):
        raise ValueError(f"{name} is {value} at x = {x}: it must be finite there")
    return value


def quotient_along(f, x, order, value=None):
    """``quotient(h)`` for `extrapolated`, of a function of one number; value: f(x) if known."""
    weights = central_weights(order)
    middle = len(weights) // 2
    terms = [(k - middle, weight) for k, weight in enumerate(weights) if weight]

    def quotient(h):
        # the step that floating point really makes
        h = (x + h) - x
        if h == 0:
            return math.nan, 0.0
        try:
            divisor = h**order
        except OverflowError:
            return math.nan, 0.0
        total = size = 0.0
        for k, weight in terms:
            v = value if k == 0 and value is not None else f(x + k * h)
            total += weight * v
            size = max(size, abs(weight * v))
        if order == 1:
            # f works with a rounded x, which shows where its values are small
            size = max(size, abs(x * (total / h)))
        return total / divisor, size

    return quotient


def first_step(x, order):
    """For `extrapolated`: rounding is divided by the power of h, so high orders start wider."""
    exponent = (order - 1) // 2 + max(0, math.frexp(x)[1])
    return math.ldexp(FIRST_STEP, min(exponent, MOST_EXPONENT // order))


def failed(guarded, x):
    message = (
        f"{guarded.name} has no finite values on both sides of x = {x}: central differences "
        "need them"
    )
    return ValueError(message)


def derivative_at(f, x, order, step):
    value = value_at(f, x)
    guarded = Guarded(f, "f")
    quotient = quotient_along(guarded, x, order, value)
    if step is None:
        result, _ = extrapolated(quotient, order, first_step(x, order))
    else:
        if x + step == x:
            raise ValueError(f"step {step} does not change x = {x} in floating point")
        result, _ = quotient(step)
    if not math.isfinite(result):
        raise failed(guarded, x) from guarded.error
    return result


def derivative(f, x, order=1, step=None):
    """Derivative of a function of one number, by central differences.

    Parameters
    ----------
    f : callable
        ``f(x)`` -> float, x a float
    x : float or array-like
        Where; of an array, at each of its numbers.
    order : int from 1 to 8, default 1
    step : float > 0, optional
        With a step h it is the plain difference quotient: (f(x + h) - f(x - h)) / (2 h) for order
        1, (f(x + h) - 2 f(x) + f(x - h)) / h^2 for order 2, and so on, with an error of h^2.
        Without, quotients of several steps are extrapolated to h = 0, which for smooth functions
        that vary over distances of about max(1, abs(x)) leaves 12 digits of a first and 10 of a
        second derivative.

    Returns
    -------
    float, or ndarray of the shape of x

    Raises
    ------
    ValueError, TypeError
        For x that is not finite, a step that is not above 0, a value of f that is not one finite
        number.  Errors of f at x pass.

    References
    ----------
    Ridders: Accurate computation of F'(x) and F'(x)F''(x), Advances in Engineering Software 4,
    1982.

    Examples
    --------
    The area of a rectangle of the length l inside a fence of 200 m:

    >>> import fastnet as fn
    >>> area = lambda l: 100 * l - l**2
    >>> round(fn.derivative(area, 57), 9), round(fn.derivative(area, 57, order=2), 9)
    (-14.0, -2.0)
    """
    checked_function(f)
    order = checked_int(order, "order", 1, HIGHEST_ORDER)
    if step is not None:
        step = number(step, "step", 0, math.inf, "(0, inf)")
    if np.ndim(x) == 0:
        return derivative_at(f, point_of(x), order, step)
    points = np.asarray(x)
    flat = points.reshape(-1)
    if flat.size:
        flat = point_of(flat)
    return np.array(
        [derivative_at(f, float(p), order, step) for p in flat], np.float64
    ).reshape(points.shape)


def shifted(x, changes):
    """A copy of x with ``x[k] + change`` for each (k, change)."""
    moved = x.copy()
    for k, change in changes:
        moved[k] += change
    return moved


def gradient(f, x):
    """Gradient of a function of many numbers, by central differences.

    Parameters
    ----------
    f : callable
        ``f(x)`` -> float, x a float64 array (n,), or a float where x is a number
    x : float or array-like (n,)

    Returns
    -------
    float, or ndarray (n,)
        Of several steps, extrapolated as by `derivative`: 6 to 10 evaluations for each component.

    Raises
    ------
    ValueError, TypeError
        As for `derivative`.

    Examples
    --------
    >>> import fastnet as fn
    >>> f = lambda x: x[0] ** 4 * x[1] ** 2 + (x[0] - 1) ** 2 * (x[1] - 1) ** 4
    >>> fn.gradient(f, [1.0, 2.0]).round(9)
    array([16.,  4.])
    """
    checked_function(f)
    x = point_of(x)
    if not isinstance(x, np.ndarray):
        return derivative_at(f, x, 1, None)
    may_be_row = len(x) == 1
    value = value_at(lambda p: f(p.copy()), x, may_be_row=may_be_row)
    result = np.empty(len(x))
    for k, center in enumerate(x.tolist()):
        guarded = Guarded(lambda p, k=k: f(replaced(x, k, p)), "f", may_be_row)
        quotient = quotient_along(guarded, center, 1, value)
        result[k], _ = extrapolated(quotient, 1, first_step(center, 1))
        if not math.isfinite(result[k]):
            raise failed(guarded, x) from guarded.error
    return result


def replaced(x, k, value):
    x = x.copy()
    x[k] = value
    return x


def hessian(f, x):
    """Second derivatives of a function of many numbers, by central differences.

    Parameters
    ----------
    f : callable
        ``f(x)`` -> float, x a float64 array (n,), or a float where x is a number
    x : float or array-like (n,)

    Returns
    -------
    float, or ndarray (n, n)
        Symmetric; of several steps, extrapolated as by `derivative`.

    Raises
    ------
    ValueError, TypeError
        As for `derivative`.

    Examples
    --------
    >>> import fastnet as fn
    >>> f = lambda x: x[0] ** 4 * x[1] ** 2 + (x[0] - 1) ** 2 * (x[1] - 1) ** 4
    >>> fn.hessian(f, [1.0, 0.0]).round(9)
    array([[2., 0.],
           [0., 2.]])
    """
    checked_function(f)
    x = point_of(x)
    if not isinstance(x, np.ndarray):
        return derivative_at(f, x, 2, None)
    may_be_row = len(x) == 1
    value = value_at(lambda p: f(p.copy()), x, may_be_row=may_be_row)
    guarded = Guarded(f, "f")
    result = np.empty((len(x), len(x)))
    scales = [first_step(center, 2) for center in x.tolist()]
    for i, center in enumerate(x.tolist()):
        along = Guarded(lambda p, i=i: f(replaced(x, i, p)), "f", may_be_row)
        result[i, i], _ = extrapolated(
            quotient_along(along, center, 2, value), 2, scales[i]
        )
        if not math.isfinite(result[i, i]):
            raise failed(along, x) from along.error
    for i, j in itertools.combinations(range(len(x)), 2):
        result[i, j], _ = extrapolated(
            mixed_quotient(guarded, x, i, j, scales[i], scales[j]), 2, 1.0
        )
        if not math.isfinite(result[i, j]):
            raise failed(guarded, x) from guarded.error
        result[j, i] = result[i, j]
    return result


def mixed_quotient(f, x, i, j, scale_i, scale_j):
    """``quotient(h)`` for `extrapolated` of d^2 f / dx_i dx_j, with steps h scale_i and h scale_j.

    (f(+, +) - f(+, -) - f(-, +) + f(-, -)) / (4 h_i h_j)
    """
    def quotient(h):
        h_i = (x[i] + h * scale_i) - x[i]
        h_j = (x[j] + h * scale_j) - x[j]
        if h_i == 0 or h_j == 0:
            return math.nan, 0.0
        total = size = 0.0
        for a, b in ((1, 1), (1, -1), (-1, 1), (-1, -1)):
            v = f(shifted(x, ((i, a * h_i), (j, b * h_j))))
            total += a * b * v
            size = max(size, abs(v))
        # size in units of the quotient by h^2, which is what rounding is judged by
        return float(total / (4 * h_i * h_j)), float(size / (scale_i * scale_j))

    return quotient


def central_hessian(f, x):
    """``f(x)`` -> float, x (n,) or a float; (n, n) or a float.

    Without extrapolation, for the iterations of minimizers: 1 + 2 n^2 evaluations, about 8 digits.
    What is not finite stays so and is the caller's to judge.
    """
    value = f(x)
    if not isinstance(x, np.ndarray):
        h = SINGLE_STEP_2 * max(1.0, abs(x))
        h = (x + h) - x
        return (f(x + h) - 2 * value + f(x - h)) / h**2
    n = len(x)
    steps = SINGLE_STEP_2 * np.maximum(1.0, np.abs(x))
    steps = (x + steps) - x
    result = np.empty((n, n))
    for i in range(n):
        h = steps[i]
        result[i, i] = (
            f(shifted(x, ((i, h),))) - 2 * value + f(shifted(x, ((i, -h),)))
        ) / h**2
    for i, j in itertools.combinations(range(n), 2):
        result[i, j], _ = mixed_quotient(f, x, i, j, steps[i], steps[j])(1.0)
        result[j, i] = result[i, j]
    return result


def slopes(function, x, k, h, value):
    """Forward and backward difference quotients of a vector-valued function along x[k]."""
    above, below = replaced(x, k, x[k] + h), replaced(x, k, x[k] - h)
    return (
        (np.asarray(function(above), np.float64) - value) / (above[k] - x[k]),
        (value - np.asarray(function(below), np.float64)) / (x[k] - below[k]),
    )


def verify_gradient(function, given, x, name="gradient(x)", steps=None):
    """Refuse derivatives that are not those of the function.

    Parameters
    ----------
    function : callable
        ``function(x)`` -> float, or an array (m,)
    given : array-like (n,) or (m, n), or a float where x is a number
        Derivatives of the function at x, as somebody says.
    x : float or ndarray (n,)
    name : str
        What gave them, for the message.
    steps : ndarray (n,), optional
        Of the differences.

    Raises
    ------
    ValueError
        Naming the component that deviates most from central differences, both values, and the
        factor between them.  Components where differences are too uncertain to judge, as beside a
        kink, pass.
    """
    is_scalar = not isinstance(x, np.ndarray)
    if is_scalar:
        f = function
        x = np.array([x])

        def function(p):
            return f(float(p[0]))

    given = np.asarray(given, np.float64)
    jacobian = given.reshape(-1, len(x))
    if steps is None:
        steps = SINGLE_STEP * np.maximum(1.0, np.abs(x))
    deviations = np.full(jacobian.shape, math.inf)
    numeric = np.empty(jacobian.shape)
    least_doubt = np.full(jacobian.shape, math.inf)
    floor = GRADIENT_ROUNDING * np.abs(jacobian).max(initial=0)
    with np.errstate(all="ignore"):
        value = np.asarray(function(x.copy()), np.float64)
        for k, shrink in itertools.product(range(len(x)), CHECK_SHRINKS):
            h = steps[k] * shrink
            forward, backward = slopes(function, x, k, h, value)
            quotient = (forward + backward) / 2
            doubt = np.abs(forward - backward) + 16 * EPSILON * np.abs(value) / h
            deviation = np.abs(jacobian[:, k] - quotient) - doubt - np.maximum(
                GRADIENT_TOLERANCE * np.abs(quotient), floor
            )
            deviations[:, k] = np.fmin(deviations[:, k], deviation)
            is_better = np.atleast_1d(doubt < least_doubt[:, k])
            numeric[is_better, k] = np.atleast_1d(quotient)[is_better]
            least_doubt[is_better, k] = np.atleast_1d(doubt)[is_better]
    deviations[np.isinf(least_doubt) | np.isnan(deviations)] = -math.inf
    worst = int(np.argmax(deviations))
    if not deviations.reshape(-1)[worst] > 0:
        return
    got, expected = float(jacobian.reshape(-1)[worst]), float(numeric.reshape(-1)[worst])
    place = name
    if not is_scalar:
        place += f"[{', '.join(str(k) for k in np.unravel_index(worst, given.shape))}]"
    factor = f": wrong by a factor of {got / expected:.6g}" if expected and got else ""
    raise ValueError(
        f"{place} is {got:.10g}, but central differences give {expected:.7g}{factor}"
    )
