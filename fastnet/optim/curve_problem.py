"""What a curve is fitted to: predictions, loss and derivatives of a template, each counted."""

import functools
import math

import numpy as np

from fastnet import losses
from fastnet._arrays import finite_array
from fastnet.optim.derivatives import (
    SINGLE_STEP,
    SINGLE_STEP_2,
    checked_function,
    numbers_of,
    point_of,
    verify_gradient,
)

__all__ = ["Problem", "column_scale"]

# Factor of half the squared error in these losses
SQUARES = {"squared_error": 2.0, "half_squared_error": 1.0}
KEPT = 3                                # predictions, for parameters that are asked for again


def data_of(value, name):
    """A float64 array of finite numbers that nobody else can change."""
    array = finite_array(value, name).copy()
    array.flags.writeable = False
    return array


def kinks_of(loss):
    """Slopes (below, above) the target of a loss that is linear on both sides of it, or None."""
    if isinstance(loss, losses.ParameterizedLoss) and loss.name == "quantile":
        return -loss.parameter, 1 - loss.parameter
    if isinstance(loss, str):
        return {"absolute_error": (-1.0, 1.0), "quantile": (-0.5, 0.5)}.get(loss)
    return None


class Problem:
    """A template with its data and loss, as a function of the parameters.

    Attributes
    ----------
    n_evaluations : int
        Calls of the template.
    kinks : (float, float) or None
        As `kinks_of` the loss.
    """

    def __init__(self, template, x, y, p0, loss, gradient, scale):
        checked_function(template, "template")
        if gradient is not None:
            checked_function(gradient, "gradient")
        self.template = template
        self.gradient = gradient
        self.loss = loss
        self.kinks = kinks_of(loss)
        self.x = data_of(x, "x")
        self.y = data_of(y, "y")
        self.start = point_of(p0, "p0")
        if not isinstance(self.start, np.ndarray):
            self.start = np.array([self.start])
        self.n_evaluations = 0
        self.known = {}
        self.given_scale = scale_of(scale, len(self.start))
        self.check()
        first = self.predict(self.start)
        wrong = ~np.isfinite(first)
        if wrong.any():
            k = int(np.argmax(wrong))
            raise ValueError(f"template(x, *p0)[{k}] is {first[k]}: it must be finite at the start")
        value = self.value(self.start)
        if not math.isfinite(value):
            raise ValueError(f"the loss is {value} at p0: it must be finite at the start")
        if gradient is not None:
            slopes = self.jacobian(self.start)
            wrong = ~np.isfinite(slopes)
            if wrong.any():
                k = np.unravel_index(int(np.argmax(wrong)), wrong.shape)
                raise ValueError(
                    f"gradient(x, *p0)[{k[0]}, {k[1]}] is {slopes[k]}: it must be finite at the "
                    "start"
                )

    def size(self, p):
        """Largest modulus of a target or a prediction: what rounding is relative to."""
        return float(max(np.abs(self.y).max(), np.abs(self.predict(p)).max()))

    @property
    def is_squared(self):
        return isinstance(self.loss, str) and self.loss in SQUARES

    @functools.cached_property
    def scale(self):
        """What parameters are divided by (n_parameters,); see `fit_curve`."""
        if isinstance(self.given_scale, np.ndarray):
            return self.given_scale
        return column_scale(self.jacobian(self.start), rms=self.given_scale == "rms")

    def check(self):
        if self.y.ndim != 1 or self.x.ndim == 0:
            raise ValueError(
                "x must have shape (n_points,) or (n_points, ...) and y (n_points,), "
                f"got {self.x.shape} and {self.y.shape}"
            )
        if len(self.x) != len(self.y):
            raise ValueError(
                f"x and y must have the same length, got {len(self.x)} and {len(self.y)}"
            )
        if len(self.y) < len(self.start):
            raise ValueError(
                f"{len(self.start)} parameters need at least as many points, got {len(self.y)}"
            )

    def call(self, p):
        """F (n_points,) of the template, checked but for being finite."""
        self.n_evaluations += 1
        with np.errstate(all="ignore"):
            result = numbers_of(self.template(self.x, *p.tolist()), "template(x, *parameters)")
        if result.shape != self.y.shape:
            raise ValueError(
                f"template(x, *parameters) must return shape {self.y.shape}, got {result.shape}"
            )
        return result

    def predict(self, p):
        """F (n_points,) as `call` gives it, once for parameters that come again at once."""
        key = p.tobytes()
        if key not in self.known:
            while len(self.known) >= KEPT:
                del self.known[next(iter(self.known))]
            self.known[key] = self.call(p)
        return self.known[key]

    def value(self, p):
        """Mean loss; NaN or infinite where predictions are."""
        predicted = self.predict(p)
        if not np.isfinite(predicted).all():
            return math.nan
        with np.errstate(all="ignore"):
            rows = losses.value(self.loss, predicted[:, None], self.y[:, None])
            return float(np.mean(rows))

    def row_slopes(self, p):
        """Derivative of each point's loss by its prediction (n_points,)."""
        with np.errstate(all="ignore"):
            slopes = losses.gradient(self.loss, self.predict(p)[:, None], self.y[:, None])
        return np.asarray(slopes)[:, 0]

    def steps(self, p, relative):
        """Of differences, one for each parameter (n_parameters,)."""
        start = np.where(self.start == 0, 1.0, np.abs(self.start))
        steps = relative * np.maximum(np.abs(p), start)
        return (p + steps) - p

    def jacobian(self, p):
        """dF / dp (n_points, n_parameters)."""
        if self.gradient is not None:
            with np.errstate(all="ignore"):
                result = numbers_of(self.gradient(self.x, *p.tolist()), "gradient(x, *parameters)")
            expected = (len(self.y), len(p))
            if result.shape != expected:
                raise ValueError(
                    "gradient(x, *parameters) must return shape (n_points, n_parameters) = "
                    f"{expected}, got {result.shape}"
                )
            return result
        result = np.empty((len(self.y), len(p)))
        for k, h in enumerate(self.steps(p, SINGLE_STEP).tolist()):
            above, below = p.copy(), p.copy()
            above[k] += h
            below[k] -= h
            result[:, k] = (self.call(above) - self.call(below)) / (above[k] - below[k])
        return result

    def loss_gradient(self, p, jacobian):
        """d mean loss / dp (n_parameters,); a subgradient at kinks."""
        return jacobian.T @ self.row_slopes(p) / len(self.y)

    def curvature(self, p, weights):
        """Second derivatives (n, n) of ``weights @ F`` by the parameters."""
        h = self.steps(p, SINGLE_STEP_2)
        n = len(p)

        def at(*changes):
            moved = p.copy()
            for k, change in changes:
                moved[k] += change
            return weights @ self.call(moved)

        result = np.empty((n, n))
        center = at()
        for i in range(n):
            result[i, i] = (at((i, h[i])) - 2 * center + at((i, -h[i]))) / h[i] ** 2
            for j in range(i):
                result[i, j] = result[j, i] = (
                    at((i, h[i]), (j, h[j])) - at((i, h[i]), (j, -h[j]))
                    - at((i, -h[i]), (j, h[j])) + at((i, -h[i]), (j, -h[j]))
                ) / (4 * h[i] * h[j])
        return result

    def verify(self):
        """Refuse a gradient that differs from differences of the template, at p0."""
        verify_gradient(
            self.predict, self.jacobian(self.start), self.start, "gradient(x, *p0)",
            self.steps(self.start, SINGLE_STEP),
        )

    def mean_loss(self, p):
        """As `value`, of predictions that are not kept."""
        predicted = self.call(p)
        rows = losses.value(self.loss, predicted[:, None], self.y[:, None])
        return float(np.mean(rows))


def column_scale(jacobian, rms=False):
    """1 / the largest modulus of each column, or the root of its mean square.

    Parameters are in units of the predictions then.
    """
    size = np.sqrt(np.mean(jacobian**2, axis=0)) if rms else np.abs(jacobian).max(axis=0)
    return 1 / np.where(size > 0, size, 1.0)


def scale_of(scale, n):
    """An array (n,), or what `Problem.scale` is to be computed by."""
    if isinstance(scale, str) and scale == "rms":
        return scale
    if isinstance(scale, (bool, np.bool_)):
        return "largest" if scale else np.ones(n)
    if isinstance(scale, str):
        raise ValueError(f"scale must be True, False, 'rms' or numbers, got {scale!r}")
    result = finite_array(scale, "scale").copy()
    if result.shape != (n,):
        raise ValueError(f"scale must have shape ({n},), got {result.shape}")
    if not (result > 0).all():
        raise ValueError(f"scale must be above 0, got {scale}")
    return result
