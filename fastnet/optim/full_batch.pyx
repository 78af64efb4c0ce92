"""Optimizers that evaluate the objective themselves, over all rows."""

import math

import numpy as np

cimport numpy as cnp
from libc.float cimport DBL_EPSILON, FLT_EPSILON
from libc.math cimport fabs, isfinite

from fastnet._arrays cimport convert, typenum_of
from fastnet._workspace cimport Memory, as_array, new_memory
from fastnet.optim.arguments cimport number
from fastnet.optim.objective cimport Objective
from fastnet.optim.optimizers cimport Optimizer

cnp.import_array()

__all__ = ["FullBatchOptimizer", "descend"]

cdef tuple REASONS = (None, "gradient", "step", "value", "stalled")


cdef class FullBatchOptimizer(Optimizer):
    """What optimizers share that choose their own steps, from all rows.

    In ``fit`` an epoch is one iteration, and training ends as soon as `reason` is set.
    """

    def __init__(self, tolerance):
        if type(self) is FullBatchOptimizer:
            raise TypeError(
                "FullBatchOptimizer is a base class: use LBFGS or LevenbergMarquardt"
            )
        self.tolerance = number(tolerance, "tolerance", 0, math.inf, "[0, inf)")
        self.is_full_batch = True
        self.forget()

    @property
    def learning_rate(self):
        raise AttributeError(f"{type(self).__name__} has no learning_rate: it finds its own steps")

    @learning_rate.setter
    def learning_rate(self, value):
        raise AttributeError(f"{type(self).__name__} has no learning_rate: it finds its own steps")

    @property
    def converged(self):
        """Whether the last iteration ended at a minimum, as far as the tolerance can tell."""
        return self.reason_id in (GRADIENT, STEP, VALUE)

    @property
    def reason(self):
        """Why the last iteration was the last one.

        "gradient": its Euclidean norm is at most ``tolerance`` times the largest one so far, and at
        most ``tolerance * max(1, |value|)``; "step" and "value": parameters or objective do not
        change any more beyond rounding; "stalled": no lower value was found otherwise; None: there
        is more to do.
        """
        return REASONS[self.reason_id]

    def step(self, parameters, gradient):
        """Not for this optimizer, which needs the objective and not only one gradient."""
        raise TypeError(
            f"{type(self).__name__} evaluates the objective itself: it has no step(parameters, "
            "gradient). Use net.fit(..., optimizer=...)"
        )

    cdef int forget(self) except -1:
        Optimizer.forget(self)
        self.n_evaluations = 0
        self.largest = 0
        self.reason_id = RUNNING
        return 0

    cdef int iterate(self, Objective f, void *x, double *value) except -1 nogil:
        with gil:
            raise NotImplementedError(f"{type(self).__name__} has no iterate")

    cdef int check(self, Objective f) except -1 nogil:
        """Whether it was prepared for a function like this."""
        if self.size != f.n or self.itemsize != f.kernels.itemsize:
            with gil:
                raise ValueError(
                    f"{self!r} is prepared for {self.size} parameters of "
                    f"float{8 * self.itemsize}, the objective has {f.n} of "
                    f"float{8 * f.kernels.itemsize}"
                )
        return 0

    cdef bint vanishes(self, double norm, double value) noexcept nogil:
        # Each comparison alone would end too early: the first after a start with a gradient that
        # is huge, the second where all values are, or where they are tiny.
        self.largest = max(self.largest, norm)
        return (norm <= self.tolerance * self.largest
                and norm <= self.tolerance * max(1.0, fabs(value)))

    cdef double rounding(self) noexcept nogil:
        return FLT_EPSILON if self.itemsize == 4 else DBL_EPSILON


def descend(FullBatchOptimizer optimizer, Objective objective, x, Py_ssize_t max_iterations=1000):
    """Iterate from x until the optimizer ends.

    Parameters
    ----------
    optimizer : FullBatchOptimizer
    objective : Objective
    x : array-like (n,)
        Left as it is.
    max_iterations : int, default 1000

    Returns
    -------
    x : ndarray (n,)
    value : float
        NaN or infinite where the objective is that at the start.
    n_iterations : int
    """
    cdef Py_ssize_t n = objective.n, itemsize = objective.kernels.itemsize
    cdef Py_ssize_t n_iterations = 0
    cdef Memory memory = new_memory(n * itemsize)
    cdef cnp.ndarray moving = as_array(memory, n, typenum_of(itemsize))
    cdef double value = math.nan
    start = convert(x, "x", typenum_of(itemsize))
    if np.shape(start) != (n,):
        raise ValueError(f"x must have shape ({n},), got {np.shape(start)}")
    (<object> moving)[:] = start
    optimizer.prepare(n, itemsize)
    optimizer.in_use += 1
    try:
        while n_iterations < max_iterations:
            with nogil:
                optimizer.iterate(objective, memory.data, &value)
            n_iterations += 1
            if optimizer.reason_id != RUNNING or not isfinite(value):
                break
    finally:
        optimizer.in_use -= 1
    return moving, value, n_iterations
