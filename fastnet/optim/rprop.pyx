"""Resilient backpropagation."""

import math

from fastnet._kernels.table cimport Kernels
from fastnet.optim.arguments cimport number
from fastnet.optim.optimizers cimport Optimizer, element

__all__ = ["Rprop"]


cdef class Rprop(Optimizer):
    """Resilient backpropagation: only the signs of the gradient count (the variant iRprop-).

    Each parameter has a step length of its own. It grows while the sign of its derivative stays
    and shrinks when that changes; then the parameter rests for one step. A full-batch optimizer:
    the signs of small batches are noise, so ``fit`` gives it all rows at once.

    Parameters
    ----------
    learning_rate : float, default 0.01
        All first step lengths. No schedule: the lengths find their own way.
    grow : float > 1, default 1.2
    shrink : float in (0, 1), default 0.5
    min_step, max_step : float > 0, default 1e-6 and 50.0
        Bounds of the lengths.

    References
    ----------
    Riedmiller, Braun: A direct adaptive method for faster backpropagation learning: the RPROP
    algorithm, ICNN 1993. Igel, Huesken: Improving the Rprop Learning Algorithm, NC 2000, where
    iRprop- is the variant that sets the derivative to 0 after a change of its sign and does not
    take the last step back; PyTorch has the same one.

    Examples
    --------
    >>> import numpy as np
    >>> import fastnet as fn
    >>> x = np.array([3.0, -4.0])
    >>> optimizer = fn.Rprop(learning_rate=0.5)
    >>> for _ in range(3):
    ...     optimizer.step(x, gradient=2 * x)
    >>> x.round(6)                      # steps of 0.5, 0.6 and 0.72
    array([ 1.18, -2.18])
    """

    def __init__(self, learning_rate=0.01, grow=1.2, shrink=0.5, min_step=1e-6, max_step=50.0):
        self.grow = number(grow, "grow", 1, math.inf, "(1, inf)")
        self.shrink = number(shrink, "shrink", 0, 1, "(0, 1)")
        self.min_step = number(min_step, "min_step", 0, math.inf, "(0, inf)")
        self.max_step = number(max_step, "max_step", self.min_step, math.inf,
                               f"[{self.min_step}, inf)")
        self.is_full_batch = True
        super().__init__(learning_rate)

    cdef int check_schedule(self, object value) except -1:
        raise TypeError(
            "learning_rate of Rprop must be a number in (0, inf), the first step length: "
            f"it takes no schedule, got {type(value).__name__}"
        )

    cdef dict arguments(self):
        return {
            "learning_rate": self.learning_rate, "grow": self.grow, "shrink": self.shrink,
            "min_step": self.min_step, "max_step": self.max_step,
        }

    cdef dict defaults(self):
        return {
            "learning_rate": 0.01, "grow": 1.2, "shrink": 0.5, "min_step": 1e-6, "max_step": 50.0,
        }

    cdef tuple state_names(self):
        return ("signs", "lengths")

    cdef int prepare(self, Py_ssize_t n, Py_ssize_t itemsize) except -1:
        cdef bint is_new = self.size < 0
        Optimizer.prepare(self, n, itemsize)
        if is_new:
            self.arrays["lengths"].fill(self.constant)
        return 0

    cdef int bind(self) except -1:
        self.signs = self.state_data("signs")
        self.lengths = self.state_data("lengths")
        return 0

    cdef void update(self, const Kernels *table, Py_ssize_t first, Py_ssize_t n, void *parameters,
                     void *gradient, double learning_rate) noexcept nogil:
        table.rprop(n, element(table, parameters, first), element(table, gradient, first),
                    element(table, self.signs, first), element(table, self.lengths, first),
                    self.grow, self.shrink, self.min_step, self.max_step)
