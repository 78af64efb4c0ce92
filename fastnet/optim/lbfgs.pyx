"""Limited-memory BFGS with a strong-Wolfe line search."""

import math

import numpy as np

cimport numpy as cnp
from libc.math cimport INFINITY, fabs, isfinite, sqrt
from libc.string cimport memcmp, memcpy

from fastnet._arrays cimport copy_rows, matrix, typenum_of
from fastnet._checks import checked_int

from fastnet._kernels.dispatch cimport kernels
from fastnet._kernels.table cimport ALIGNMENT, SLACK_BYTES, Kernels
from fastnet._workspace cimport new_memory
from fastnet.optim.arguments cimport number
from fastnet.optim.full_batch cimport (
    GRADIENT, NOISE, RUNNING, STALLED, STEP, VALUE, FullBatchOptimizer
)
from fastnet.optim.objective cimport Objective

cnp.import_array()

__all__ = ["LBFGS"]

cdef enum:
    N_WORK = 6                          # vectors beside the pairs
    FLAT_ITERATIONS = 3                 # without a lower value, and it is the lowest
    MOST_EXPANSION = 10                 # of the step in one trial

cdef double ARMIJO = 1e-4               # c1 and c2 of Nocedal & Wright
cdef double CURVATURE = 0.9


cdef class LBFGS(FullBatchOptimizer):
    """L-BFGS: quasi-Newton steps from the last few changes of the gradient.

    A full-batch optimizer: in ``fit`` an epoch is one iteration over all rows, which takes one to
    two evaluations as a rule, and training ends when there is nothing more to gain. The objective
    never rises. Dropout and other noise in the objective would mislead it.

    Parameters
    ----------
    memory : int >= 1, default 10
        Pairs of changes that are kept.
    tolerance : float >= 0, default 1e-8
        It has converged where the Euclidean norm of the gradient is at most ``tolerance`` times
        the largest one so far, and at most ``tolerance * max(1, |value|)``; or where rounding lets
        nothing change any more.
    max_line_search : int >= 1, default 20
        Evaluations of one line search.

    Attributes
    ----------
    converged : bool
    reason : str or None
        "gradient", "step", "value" or "stalled"; None before the end.
    n_evaluations : int
        Of objective and gradient, since the last `reset`.

    References
    ----------
    Nocedal, Wright: Numerical Optimization, 2nd edition, 2006: algorithms 7.4 and 7.5 (two-loop
    recursion, scaling 7.20), 3.5 and 3.6 (strong Wolfe conditions, c1 = 1e-4, c2 = 0.9), cubic
    interpolation 3.59. Where the decrease drowns in the rounding of the value, a step is accepted
    by its slope alone (Hager, Zhang 2005, section 2.1), but never one to a larger value.

    Examples
    --------
    >>> import fastnet as fn
    >>> fn.LBFGS(memory=20)
    LBFGS(memory=20)
    """

    def __init__(self, memory=10, tolerance=1e-8, max_line_search=20):
        self.memory = checked_int(memory, "memory", 1, 10**6)
        self.max_line_search = checked_int(max_line_search, "max_line_search", 1, 10**6)
        super().__init__(tolerance)

    cdef dict arguments(self):
        return {
            "memory": self.memory, "tolerance": self.tolerance,
            "max_line_search": self.max_line_search,
        }

    cdef dict defaults(self):
        return {"memory": 10, "tolerance": 1e-8, "max_line_search": 20}

    def get_state(self):
        """What a later `set_state` needs to go on from here.

        Returns
        -------
        dict
            "step_count", "n_evaluations", "largest_gradient" (norm), "n_flat" (iterations that the
            value has stood still) and, after the first iteration, "size", "dtype" and the
            pairs "s" and "y" (n_pairs, size), oldest first.
        """
        cdef Py_ssize_t k
        state = super().get_state()
        state["n_evaluations"] = self.n_evaluations
        state["largest_gradient"] = self.largest
        state["n_flat"] = self.n_flat
        if self.size >= 0:
            for name, is_y in (("s", False), ("y", True)):
                state[name] = np.empty((self.n_pairs, self.size), state["dtype"])
                for k in range(self.n_pairs):
                    state[name][k] = copy_rows(
                        self.pair(self.newest - self.n_pairs + 1 + k, is_y), 1, self.size,
                        typenum_of(self.itemsize))
        return state

    def set_state(self, state):
        """Go on from a state that `get_state` of another L-BFGS returned."""
        cdef cnp.ndarray s, y
        cdef Py_ssize_t k, row_bytes
        cdef double largest
        state = dict(state)
        pairs = None
        n_evaluations = checked_int(state.pop("n_evaluations", None), "state['n_evaluations']", 0)
        largest = number(state.pop("largest_gradient", None), "state['largest_gradient']", 0,
                         math.inf, "[0, inf]")
        n_flat = checked_int(state.pop("n_flat", None), "state['n_flat']", 0, FLAT_ITERATIONS)
        if "size" in state:
            size = checked_int(state["size"], "state['size']", 0)
            if state.get("dtype") not in ("float32", "float64"):
                raise ValueError(
                    f"state['dtype'] must be float32 or float64, got {state.get('dtype')!r}"
                )
            pairs = [
                matrix(state.pop(name, None), f"state[{name!r}]", size,
                       cnp.NPY_FLOAT32 if state["dtype"] == "float32" else cnp.NPY_FLOAT64)
                for name in ("s", "y")
            ]
            if len(pairs[0]) != len(pairs[1]) or len(pairs[0]) > self.memory:
                raise ValueError(
                    f"state['s'] and state['y'] must have as many rows, at most {self.memory}, "
                    f"got {len(pairs[0])} and {len(pairs[1])}"
                )
        super().set_state(state)
        self.n_evaluations = n_evaluations
        self.n_flat = n_flat
        self.largest = largest
        if pairs is not None:
            s, y = pairs
            row_bytes = self.size * self.itemsize
            for k in range(s.shape[0]):
                memcpy(self.pair(k, False), <char *> cnp.PyArray_DATA(s) + k * row_bytes, row_bytes)
                memcpy(self.pair(k, True), <char *> cnp.PyArray_DATA(y) + k * row_bytes, row_bytes)
                self.remember(kernels(self.itemsize))

    cdef int bind(self) except -1:
        """Empty memory for the present size."""
        cdef Py_ssize_t first
        self.n_pairs = 0
        self.newest = -1
        self.n_flat = 0
        self.serial = -1
        self.reason_id = RUNNING
        self.vectors = self.numbers = None
        if self.size < 0:
            return 0
        self.stride = self.size * self.itemsize + SLACK_BYTES
        self.stride += -self.stride % ALIGNMENT
        self.vectors = new_memory((2 * self.memory + N_WORK) * self.stride)
        self.numbers = new_memory(2 * self.memory * sizeof(double))
        self.rho = <double *> self.numbers.data
        self.factors = self.rho + self.memory
        first = 2 * self.memory
        self.x = self.vector(first)
        self.g = self.vector(first + 1)
        self.direction = self.vector(first + 2)
        self.trial = self.vector(first + 3)
        self.g_trial = self.vector(first + 4)
        self.g_low = self.vector(first + 5)
        return 0

    cdef char *vector(self, Py_ssize_t k) noexcept nogil:
        return <char *> self.vectors.data + k * self.stride

    cdef char *pair(self, Py_ssize_t k, bint is_y) noexcept nogil:
        """s or y in slot k of the ring, k > -memory."""
        return self.vector(2 * ((k + self.memory) % self.memory) + is_y)

    cdef int remember(self, const Kernels *k) noexcept nogil:
        """Take the pair in the slot after the newest into the ring, if its curvature is positive.

        Otherwise the oldest pair may be lost, in whose slot it lies.
        """
        cdef Py_ssize_t slot = (self.newest + 1) % self.memory
        cdef char *s = self.pair(slot, False)
        cdef char *y = self.pair(slot, True)
        cdef double sy = k.dot(self.size, s, y), yy = k.dot(self.size, y, y)
        if not sy > self.rounding() * sqrt(k.dot(self.size, s, s) * yy):
            self.n_pairs = min(self.n_pairs, self.memory - 1)
            return 0
        self.newest = slot
        self.n_pairs = min(self.n_pairs + 1, self.memory)
        self.rho[slot] = 1 / sy
        self.scaling = sy / yy
        return 1

    cdef void find_direction(self, const Kernels *k) noexcept nogil:
        """direction = -H g by the two-loop recursion (algorithm 7.4)."""
        cdef Py_ssize_t n = self.size, slot
        cdef Py_ssize_t i
        memcpy(self.direction, self.g, n * self.itemsize)
        k.scale(n, -1, self.direction)
        for i in range(self.n_pairs):
            slot = (self.newest - i + self.memory) % self.memory
            self.factors[slot] = self.rho[slot] * k.dot(n, self.pair(slot, False), self.direction)
            k.sgd(n, self.direction, self.pair(slot, True), self.factors[slot], 0)
        if self.n_pairs > 0:
            k.scale(n, self.scaling, self.direction)
        for i in range(self.n_pairs - 1, -1, -1):
            slot = (self.newest - i + self.memory) % self.memory
            self.factors[slot] -= self.rho[slot] * k.dot(n, self.pair(slot, True), self.direction)
            k.sgd(n, self.direction, self.pair(slot, False), -self.factors[slot], 0)

    cdef void go(self, const Kernels *k, const void *x, double a) noexcept nogil:
        """trial = x + a direction"""
        memcpy(self.trial, x, self.size * self.itemsize)
        k.sgd(self.size, self.trial, self.direction, -a, 0)

    cdef int evaluate(self, Objective f, const void *x, Point *at) except -1 nogil:
        """Value, slope and gradient (g_trial) at x + a direction."""
        self.go(f.kernels, x, at.a)
        f.evaluate(self.trial, &at.value, self.g_trial)
        self.n_evaluations += 1
        at.slope = f.kernels.dot(self.size, self.g_trial, self.direction)
        return 0

    cdef int search(self, Objective f, const void *x, double slope, double first,
                    Point *found) except -1 nogil:
        """A step that satisfies the strong Wolfe conditions, else one to the lowest value seen.

        Returns 0 where no lower value was found; g_trial is the gradient after the step.
        """
        cdef Point low, high, before, at
        cdef double lowest_slope = -CURVATURE * slope
        cdef bint is_noise
        low.a = 0
        low.value = self.value
        low.slope = slope
        before = low
        high = low
        high.a = high.value = INFINITY
        at.a = first
        for _ in range(self.max_line_search):
            self.evaluate(f, x, &at)
            if not (isfinite(at.value) and isfinite(at.slope)):
                at.value = INFINITY
                high = at
            elif (at.value > self.value + ARMIJO * at.a * slope
                    or (low.a > 0 and at.value >= low.value)):
                is_noise = -at.a * slope <= NOISE * self.rounding() * fabs(self.value)
                if is_noise and at.value <= self.value and fabs(at.slope) <= lowest_slope:
                    found[0] = at
                    return 1
                high = at
            else:
                if fabs(at.slope) <= lowest_slope:
                    found[0] = at
                    return 1
                # where the slope leads away from high, the minimum lies on the other side
                if at.slope * (high.a - low.a) >= 0:
                    high = low
                before = low
                low = at
                self.g_low, self.g_trial = self.g_trial, self.g_low
            if high.a == INFINITY:
                at.a = expanded(&before, &low)
            else:
                at.a = between(&low, &high)
                if fabs(high.a - low.a) <= self.rounding() * max(high.a, low.a):
                    break
        if low.a > 0 and low.value < self.value:
            self.g_low, self.g_trial = self.g_trial, self.g_low
            found[0] = low
            return 1
        return 0

    cdef void accept(self, const Kernels *k, void *x, const Point *found) noexcept nogil:
        """Move x, take the change of it and of the gradient into the memory, look for an end."""
        cdef Py_ssize_t n = self.size, n_bytes = self.size * self.itemsize
        cdef char *s = self.pair(self.newest + 1, False)
        cdef char *y = self.pair(self.newest + 1, True)
        cdef double moved, decrease = self.value - found.value
        self.go(k, x, found.a)
        memcpy(s, self.trial, n_bytes)
        k.sgd(n, s, x, 1, 0)
        memcpy(y, self.g_trial, n_bytes)
        k.sgd(n, y, self.g, 1, 0)
        moved = sqrt(k.dot(n, s, s))
        memcpy(x, self.trial, n_bytes)
        self.x, self.trial = self.trial, self.x
        self.g, self.g_trial = self.g_trial, self.g
        self.value = found.value
        self.remember(k)
        if decrease <= self.rounding() * fabs(self.value):
            self.n_flat = min(self.n_flat + 1, FLAT_ITERATIONS)
        else:
            self.n_flat = 0
        if self.vanishes(sqrt(k.dot(n, self.g, self.g)), self.value):
            self.reason_id = GRADIENT
        elif moved == 0:
            self.reason_id = STALLED
        elif moved <= self.rounding() * sqrt(k.dot(n, x, x)):
            self.reason_id = STEP
        elif self.n_flat >= FLAT_ITERATIONS:
            self.reason_id = VALUE

    cdef int iterate(self, Objective f, void *x, double *value) except -1 nogil:
        cdef const Kernels *k = f.kernels
        cdef Py_ssize_t n_bytes = self.size * self.itemsize
        cdef double norm, slope, size, first
        cdef Point found
        self.check(f)
        self.step_count += 1
        self.reason_id = RUNNING
        if self.serial != f.serial or memcmp(x, self.x, n_bytes) != 0:
            if self.serial >= 0:
                self.n_flat = 0
            self.serial = -1
            memcpy(self.x, x, n_bytes)
            f.evaluate(self.x, &self.value, self.g)
            self.n_evaluations += 1
        value[0] = self.value
        if not isfinite(self.value):
            return 0
        self.serial = f.serial
        norm = sqrt(k.dot(self.size, self.g, self.g))
        if self.vanishes(norm, self.value):
            self.reason_id = GRADIENT
            return 0
        while True:
            self.find_direction(k)
            slope = k.dot(self.size, self.g, self.direction)
            first = 1
            if self.n_pairs == 0:
                # of the length of the gradient, but short, and not lost in the rounding of x
                size = sqrt(k.dot(self.size, x, x))
                first = min(max(norm, 1e-3 * size), max(1.0, 1e-2 * size)) / norm
            if slope < 0 and isfinite(slope):
                if self.search(f, x, slope, first, &found):
                    self.accept(k, x, &found)
                    value[0] = self.value
                    return 0
                # Minus the slope is about twice the decrease that a quasi-Newton step promises.
                if self.n_pairs > 0 and -slope <= NOISE * self.rounding() * fabs(self.value):
                    self.reason_id = VALUE
                    return 0
            if self.n_pairs == 0:
                self.reason_id = STALLED
                return 0
            self.n_pairs = 0


cdef double cubic_minimum(const Point *p, const Point *q) noexcept nogil:
    """Where the cubic through two points with their slopes is lowest (3.59); NaN if nowhere."""
    cdef double d1 = p.slope + q.slope - 3 * (p.value - q.value) / (p.a - q.a)
    cdef double d2 = sqrt(d1 * d1 - p.slope * q.slope)
    if q.a < p.a:
        d2 = -d2
    return q.a - (q.a - p.a) * ((q.slope + d2 - d1) / (q.slope - p.slope + 2 * d2))


cdef double expanded(const Point *before, const Point *low) noexcept nogil:
    """A longer step, where the slope is still too steep at the longest one so far."""
    cdef double step = low.a - before.a
    cdef double a = cubic_minimum(before, low)
    if not low.a < a < low.a + MOST_EXPANSION * step:
        return low.a + MOST_EXPANSION * step
    return max(a, low.a + 0.5 * step)


cdef double between(const Point *low, const Point *high) noexcept nogil:
    """A step between two others and not too close to either."""
    cdef double width = high.a - low.a, part
    if high.value == INFINITY:
        return low.a + 0.1 * width
    part = (cubic_minimum(low, high) - low.a) / width
    if part != part:
        part = 0.5
    return low.a + min(max(part, 0.1), 0.9) * width
