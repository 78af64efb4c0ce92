"""Levenberg-Marquardt for sums of squares."""

import math

import numpy as np

cimport numpy as cnp
from libc.math cimport fabs, isfinite, sqrt
from libc.string cimport memcpy

from fastnet._checks import checked_int

from fastnet._kernels.dispatch cimport kernels
from fastnet._kernels.table cimport Kernels
from fastnet._workspace cimport as_array, new_memory
from fastnet.optim.arguments cimport number
from fastnet.optim.full_batch cimport (
    GRADIENT, NOISE, RUNNING, STALLED, STEP, VALUE, FullBatchOptimizer
)
from fastnet.optim.objective cimport Objective, Residuals

cnp.import_array()

__all__ = ["LevenbergMarquardt"]

cdef enum:
    FLAT_ITERATIONS = 3                 # without a lower value, and it is the lowest
    MOST_TRIALS = 60                    # the damping grows beyond all bounds long before

# What a trial changes
cdef enum:
    NOTHING = 0
    ROUNDING = 1                        # no parameter by more than the rounding of it
    BEYOND_ROUNDING = 2

cdef double LEAST_DAMPING = 1e-15       # relative to the diagonal


cdef class LevenbergMarquardt(FullBatchOptimizer):
    """Levenberg-Marquardt: Gauss-Newton steps, damped as much as it takes to descend.

    For sums of squares only: in ``fit`` the losses squared_error and half_squared_error. A
    full-batch optimizer: an epoch is one iteration, which solves one or more systems of n equations
    for n parameters, so it is meant for up to about 2000 of them; with few it reaches in tens of
    iterations what first-order optimizers take thousands for. The objective never rises.

    Parameters
    ----------
    damping : float > 0, default 1e-3
        First damping, relative to the largest diagonal element of J^T J. From then on it follows
        the ratio of the true decrease to the predicted one.
    tolerance : float >= 0, default 1e-8
        It has converged where the Euclidean norm of the gradient is at most ``tolerance`` times
        the largest one so far, and at most ``tolerance * max(1, |value|)``; or where rounding lets
        nothing change any more.
    scale : bool, default False
        Damp each parameter in proportion to its diagonal element of J^T J (Marquardt) instead of
        all alike (Levenberg): for parameters of very different units. Networks, whose saturated
        units have tiny derivatives, do better without.

    Attributes
    ----------
    converged : bool
    reason : str or None
        "gradient", "step", "value" or "stalled"; None before the end.
    n_evaluations : int
        Of the objective, with or without J^T J, since the last `reset`.

    References
    ----------
    Marquardt: An Algorithm for Least-Squares Estimation of Nonlinear Parameters, SIAM J. Appl.
    Math. 11, 1963. Madsen, Nielsen, Tingleff: Methods for Non-Linear Least Squares Problems, 2nd
    edition, 2004, algorithm 3.16, with the damping of Nielsen (equation 2.21).

    Examples
    --------
    >>> import fastnet as fn
    >>> fn.LevenbergMarquardt(damping=0.01)
    LevenbergMarquardt(damping=0.01)
    """

    def __init__(self, damping=1e-3, tolerance=1e-8, scale=False):
        self.first_damping = number(damping, "damping", 0, math.inf, "(0, inf)")
        self.scale = scale
        super().__init__(tolerance)

    @property
    def damping(self):
        """First damping, relative to the diagonal of J^T J."""
        return self.first_damping

    cdef dict arguments(self):
        return {
            "damping": self.first_damping, "tolerance": self.tolerance, "scale": self.scale,
        }

    cdef dict defaults(self):
        return {"damping": 1e-3, "tolerance": 1e-8, "scale": False}

    def get_state(self):
        """What a later `set_state` needs to go on from here.

        Returns
        -------
        dict
            "step_count", "n_evaluations", "largest_gradient" (norm), "mu" (the present damping, 0
            before the first), "nu" (its factor after a trial that fails), "n_flat" (iterations that
            the value has stood still) and, after the first iteration, "size" and "dtype".
        """
        return super().get_state() | {
            "n_evaluations": self.n_evaluations, "mu": self.mu, "nu": self.nu,
            "n_flat": self.n_flat, "largest_gradient": self.largest,
        }

    def set_state(self, state):
        """Go on from a state that `get_state` of another Levenberg-Marquardt returned."""
        cdef double mu, nu, largest
        state = dict(state)
        n_evaluations = checked_int(state.pop("n_evaluations", None), "state['n_evaluations']", 0)
        largest = number(state.pop("largest_gradient", None), "state['largest_gradient']", 0,
                         math.inf, "[0, inf]")
        n_flat = checked_int(state.pop("n_flat", None), "state['n_flat']", 0, FLAT_ITERATIONS)
        mu = number(state.pop("mu", None), "state['mu']", 0, math.inf, "[0, inf)")
        nu = number(state.pop("nu", None), "state['nu']", 2, math.inf, "[2, inf)")
        super().set_state(state)
        self.n_evaluations = n_evaluations
        self.n_flat = n_flat
        self.largest = largest
        self.mu = mu
        self.nu = nu

    cdef int bind(self) except -1:
        """Memory for the present size."""
        self.mu = 0
        self.nu = 2
        self.n_flat = 0
        self.reason_id = RUNNING
        self.hessian = self.gradient = self.change = self.trial = None
        if self.size < 0:
            return 0
        if self.size > 2**29:
            raise MemoryError(f"no memory for the ({self.size}, {self.size}) matrix J^T J")
        self.hessian = new_memory(self.size * self.size * sizeof(double))
        self.gradient = new_memory(self.size * sizeof(double))
        self.change = new_memory(self.size * sizeof(double))
        self.trial = new_memory(self.size * self.itemsize)
        return 0

    cdef int iterate(self, Objective f, void *x, double *value) except -1 nogil:
        self.check(f)
        with gil:
            if not isinstance(f, Residuals):
                raise TypeError(
                    "LevenbergMarquardt minimizes sums of squares only, "
                    f"got {type(f).__name__}"
                )
        self.step_count += 1
        self.reason_id = RUNNING
        return self.descend(<Residuals> f, x, value)

    cdef int descend(self, Residuals f, void *x, double *value) except -1 nogil:
        cdef const Kernels *k = kernels(8)
        cdef double *gradient = <double *> self.gradient.data
        cdef double predicted, first_predicted = 0, new_value, ratio
        cdef int i, moved = 0
        f.normal_equations(x, value, <double *> self.hessian.data, gradient)
        self.n_evaluations += 1
        if not isfinite(value[0]):
            return 0
        if self.vanishes(sqrt(k.dot(self.size, gradient, gradient)), value[0]):
            self.reason_id = GRADIENT
            return 0
        if (k.first_nonfinite(self.size, gradient) >= 0
                or k.first_nonfinite(self.size * self.size, self.hessian.data) >= 0):
            self.reason_id = STALLED
            return 0
        for i in range(MOST_TRIALS):
            with gil:
                predicted = self.try_damping(x, &moved)
            if i == 0:
                first_predicted = predicted
                if predicted > 0 and moved < BEYOND_ROUNDING:
                    self.reason_id = STEP
                    return 0
            if predicted > 0:
                if moved == NOTHING:
                    break
                f.evaluate(self.trial.data, &new_value, NULL)
                self.n_evaluations += 1
                if isfinite(new_value) and new_value < value[0]:
                    ratio = (value[0] - new_value) / predicted
                    self.mu *= max(1.0 / 3, 1 - (2 * ratio - 1) ** 3)
                    self.nu = 2
                    self.take(x, value, new_value)
                    return 0
            self.mu *= self.nu
            self.nu *= 2
            if not isfinite(self.mu):
                break
        # All dampings failed: at a minimum, if not even the first promised more than rounding.
        self.mu = 0
        self.nu = 2
        self.reason_id = STALLED
        if first_predicted <= NOISE * self.rounding() * fabs(value[0]):
            self.reason_id = VALUE
        return 0

    cdef void take(self, void *x, double *value, double new_value) noexcept nogil:
        """Move x to the trial."""
        memcpy(x, self.trial.data, self.size * self.itemsize)
        if value[0] - new_value <= self.rounding() * fabs(new_value):
            self.n_flat = min(self.n_flat + 1, FLAT_ITERATIONS)
        else:
            self.n_flat = 0
        value[0] = new_value
        if self.n_flat >= FLAT_ITERATIONS:
            self.reason_id = VALUE

    cdef double try_damping(self, const void *x, int *moved) except? -1:
        """Solve (J^T J + mu D) h = -J^T r; trial = x + h; moved: what that changes.

        Returns the predicted decrease, or a value <= 0 where the system cannot be solved.
        """
        cdef Py_ssize_t n = self.size, i
        cdef double *h = <double *> self.change.data
        cdef double predicted = 0, before, after
        matrix = np.array(as_array(self.hessian, n * n, cnp.NPY_FLOAT64)).reshape(n, n)
        gradient = as_array(self.gradient, n, cnp.NPY_FLOAT64)
        change = as_array(self.change, n, cnp.NPY_FLOAT64)
        diagonal = matrix.diagonal()
        largest = diagonal.max()
        if not largest > 0:
            return 0
        if self.scale:
            weights = np.maximum(diagonal, np.finfo(np.float64).eps * largest)
        else:
            weights = np.full(n, largest)
        if self.mu == 0:
            self.mu = self.first_damping
        self.mu = max(self.mu, LEAST_DAMPING)
        with np.errstate(all="ignore"):
            weights *= self.mu
            matrix.reshape(-1)[::n + 1] += weights
            try:
                change[:] = np.linalg.solve(matrix, -gradient)
            except np.linalg.LinAlgError:
                return 0
            predicted = 0.5 * (change @ (weights * change - gradient))
        if not predicted > 0:
            return 0
        moved[0] = NOTHING
        for i in range(n):
            if self.itemsize == 4:
                before = (<const float *> x)[i]
                (<float *> self.trial.data)[i] = <float> (before + h[i])
                after = (<float *> self.trial.data)[i]
            else:
                before = (<const double *> x)[i]
                (<double *> self.trial.data)[i] = after = before + h[i]
            if fabs(after - before) > self.rounding() * fabs(before):
                moved[0] = BEYOND_ROUNDING
            elif after != before:
                moved[0] = max(moved[0], ROUNDING)
        return predicted
