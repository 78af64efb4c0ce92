"""Descent from a point, for `fastnet.minimize`: one loop for all methods, steps and functions.

It runs on any `Function`, of Python or of C, and takes the interpreter only for what is Python.
"""

import numpy as np

from fastnet.optim.derivatives import number_of

cimport numpy as cnp
from libc.float cimport DBL_EPSILON, DBL_MAX
from libc.math cimport INFINITY, NAN, fabs, isfinite, sqrt
from libc.stdint cimport int64_t
from libc.stdlib cimport free, realloc
from libc.string cimport memcpy

from fastnet._arrays cimport checked_result, convert, copy_rows
from fastnet._kernels.dispatch cimport monotonic_seconds
from fastnet._workspace cimport Memory, aligned, new_memory
from fastnet._kernels.table cimport SLACK_BYTES
from fastnet.optim.arguments cimport number
from fastnet.optim.full_batch cimport RUNNING, FullBatchOptimizer
from fastnet.optim.objective cimport Function, Objective
from fastnet.optim.optimizers cimport Optimizer
from fastnet.optim.schedules cimport Armijo, GrowShrink, Schedule

cnp.import_array()

__all__ = ["Descent"]

cdef extern from "Python.h":
    Py_ssize_t PY_SSIZE_T_MAX
    int PyErr_CheckSignals() except -1

# Longest time without a look for Ctrl-C, as long as trials take about the same time
cdef double WATCH_SECONDS = 0.02


cdef enum Method:
    STEEPEST
    NEWTON
    FIRST_ORDER
    FULL_BATCH

cdef enum Rule:
    RATE                # a number, or a schedule, or a function of the step index
    ARMIJO
    GROW_SHRINK

cdef enum StopOn:
    NOTHING
    ON_STEP
    ON_GRADIENT
    ON_VALUE

cdef enum End:
    NONE
    BY_GRADIENT
    BY_STEP
    BY_VALUE
    EXACT
    STALLED
    DIVERGED
    MAX_ITERATIONS
    BY_CALLBACK
    BY_OPTIMIZER

cdef dict METHODS = {"steepest_descent": STEEPEST, "newton": NEWTON}
cdef dict STOPS = {None: NOTHING, "step": ON_STEP, "gradient": ON_GRADIENT, "value": ON_VALUE}
cdef tuple REASONS = (None, "gradient", "step", "value", "exact", "stalled", "diverged",
                      "max_iterations", "callback")


def newton_direction(hessian, gradient, bint guard):
    """p of the step x - p (n,): H p = g, or with the guard abs(H) p = g.

    abs(H) has the absolute eigenvalues of H; along eigenvectors whose eigenvalue is zero within
    rounding, where Newton's step is not defined, the guarded direction is the gradient's.  Not
    finite where the plain one is not defined.
    """
    n = len(gradient)
    if not np.isfinite(hessian).all():
        return np.full(n, np.nan)
    if guard:
        values, vectors = np.linalg.eigh(hessian)
        values = np.abs(values)
        values[values <= n * DBL_EPSILON * values.max()] = 1
        return vectors @ ((vectors.T @ gradient) / values)
    try:
        return np.linalg.solve(hessian, gradient)
    except np.linalg.LinAlgError:
        return np.full(n, np.nan)


cdef class Descent:
    """One run from a point; see `fastnet.minimize`, which has checked all arguments.

    Parameters
    ----------
    objective : Function, or Residuals for Levenberg-Marquardt
    start : ndarray (n,) of float64
    hessian : callable or None
        ``hessian(x)`` for Newton: (n, n), or a float where x is one.
    method : "steepest_descent", "newton" or Optimizer
        An optimizer is used up: it must be a fresh one.
    step : float, Schedule, callable, Armijo or GrowShrink
    normalize, guard : bool
    max_iterations : int
    tolerance : float
    stop_on : "step", "gradient", "value" or None
    record : bool
    callback : callable or None
        ``callback(run)``, which may read ``x``, ``value``, ``gradient``, ``n_iterations``.
    """

    cdef Function f                     # None for residuals
    cdef Objective objective
    cdef Py_ssize_t n
    cdef object hessian
    cdef Optimizer optimizer
    cdef object step
    cdef Schedule schedule
    cdef object callback
    cdef Method method
    cdef Rule rule
    cdef StopOn stop_on
    cdef bint normalize
    cdef bint guard
    cdef int64_t max_iterations
    cdef double tolerance
    cdef double rate                    # constant, or the present one
    cdef double shrink
    cdef double grow
    cdef double c                       # of Armijo

    cdef Memory buffers
    cdef double *now                    # where it is
    cdef double *g                      # the gradient there
    cdef double *new_x
    cdef double *new_g
    cdef double *p                      # x moves along -p
    cdef double f_x
    cdef double f_new
    cdef readonly int64_t n_iterations
    cdef int end
    cdef bint rested                    # x is as it was before the last iteration

    cdef bint record
    cdef double *path_data              # (n_path, n)
    cdef Py_ssize_t path_capacity       # in points

    cdef double last_look               # for Ctrl-C
    cdef int64_t n_trials               # iterations, and trials within them
    cdef int64_t next_look
    cdef int64_t look_every

    def __cinit__(self, Objective objective not None, cnp.ndarray start, hessian, method, step,
                  bint normalize, bint guard, max_iterations, double tolerance, stop_on,
                  bint record, callback):
        cdef Py_ssize_t n = objective.n
        cdef Py_ssize_t stride = aligned(n * sizeof(double) + SLACK_BYTES)
        cdef char *first
        self.objective = objective
        self.f = objective if isinstance(objective, Function) else None
        self.n = n
        self.hessian = hessian
        self.callback = callback
        if isinstance(method, Optimizer):
            self.optimizer = method
            self.optimizer.prepare(n, sizeof(double))
            self.method = FULL_BATCH if isinstance(method, FullBatchOptimizer) else FIRST_ORDER
        else:
            self.method = METHODS[method]
        if self.f is None and self.method != FULL_BATCH:
            raise TypeError("residuals are for Levenberg-Marquardt only")
        self.set_step(step)
        self.stop_on = STOPS[stop_on]
        self.normalize = normalize
        self.guard = guard
        self.max_iterations = max_iterations
        self.tolerance = tolerance
        self.record = record
        self.look_every = 1
        self.buffers = new_memory(5 * stride)
        first = <char *> self.buffers.data
        self.now = <double *> first
        self.g = <double *> (first + stride)
        self.new_x = <double *> (first + 2 * stride)
        self.new_g = <double *> (first + 3 * stride)
        self.p = <double *> (first + 4 * stride)
        start = checked_result(start, "x0", (n,), cnp.NPY_FLOAT64)
        memcpy(self.now, cnp.PyArray_DATA(start), n * sizeof(double))

    def __dealloc__(self):
        free(self.path_data)

    cdef int set_step(self, object step) except -1:
        self.rule = RATE
        if isinstance(step, Armijo):
            self.rule = ARMIJO
            self.rate = (<Armijo> step).initial
            self.shrink = (<Armijo> step).shrink
            self.c = (<Armijo> step).c
        elif isinstance(step, GrowShrink):
            self.rule = GROW_SHRINK
            self.rate = (<GrowShrink> step).initial
            self.shrink = (<GrowShrink> step).shrink
            self.grow = (<GrowShrink> step).grow
        elif isinstance(step, Schedule) and type(step).__call__ is Schedule.__call__:
            self.schedule = step
        elif callable(step):
            self.step = step
        else:
            self.rate = step
        return 0

    # ---- what Python sees ---------------------------------------------------------------------

    @property
    def x(self):
        """Where it is: an array (n,)."""
        return self.copied(self.now)

    @property
    def value(self):
        """What is minimized, there."""
        return self.f_x

    @property
    def gradient(self):
        """Of what is minimized, there: an array (n,)."""
        return self.copied(self.g)

    @property
    def reason(self):
        """Why it ended; None before."""
        if self.end == BY_OPTIMIZER:
            return (<FullBatchOptimizer> self.optimizer).reason
        return REASONS[self.end]

    @property
    def path(self):
        """(n_iterations + 1, n), or None where it was not recorded."""
        if self.path_data == NULL:
            return None
        return copy_rows(self.path_data, self.n_iterations + 1, self.n, cnp.NPY_FLOAT64)

    cdef object copied(self, const double *vector):
        return (<object> copy_rows(vector, 1, self.n, cnp.NPY_FLOAT64)).reshape(self.n)

    def run(self):
        """Descend until it ends."""
        cdef bint is_python = self.f is None or self.f.is_python()
        if self.f is not None:
            self.f.may_overflow = False
        self.begin()
        self.check_start()
        if self.f is not None:
            self.f.may_overflow = True
        if self.optimizer is not None:
            self.optimizer.in_use += 1
        self.last_look = monotonic_seconds()
        try:
            # Functions in Python would give the interpreter back and take it again all the time.
            if is_python:
                self.descend()
            else:
                with nogil:
                    self.descend()
        finally:
            if self.optimizer is not None:
                self.optimizer.in_use -= 1

    cdef int check_start(self) except -1:
        cdef double sign = 1 if self.f is None else self.f.sign
        cdef Py_ssize_t i
        if not isfinite(self.f_x):
            raise ValueError(f"f(x0) must be finite, got {sign * self.f_x}")
        for i in range(self.n):
            if not isfinite(self.g[i]):
                place = "" if self.f is not None and self.f.is_scalar else f"[{i}]"
                raise ValueError(
                    f"gradient(x0){place} must be finite, got {sign * self.g[i]}"
                )
        return 0

    # ---- the loop ----------------------------------------------------------------------------

    cdef int begin(self) except -1 nogil:
        if self.method == FULL_BATCH:
            self.objective.evaluate(self.now, &self.f_x, self.g)
        else:
            self.f.value_at(self.now, &self.f_x)
            self.f.gradient_at(self.now, self.g)
        if self.record:
            self.keep()
        return 0

    cdef int descend(self) except -1 nogil:
        cdef int end
        while True:
            self.end = self.before_step()
            if self.end != NONE:
                return 0
            end = self.move()
            if end != NONE and self.rested:
                self.end = end
                return 0
            self.n_iterations += 1
            if self.rested:
                self.end = NONE
            else:
                self.end = self.after_step()
                if self.end == NONE:
                    self.end = end
            if self.record:
                self.keep()
            if self.callback is not None:
                with gil:
                    if self.callback(self) and self.end == NONE:
                        self.end = BY_CALLBACK
            if self.end != NONE:
                return 0
            self.n_trials += 1
            if self.n_trials >= self.next_look:
                self.look()

    cdef int before_step(self) noexcept nogil:
        cdef Py_ssize_t i
        for i in range(self.n):
            if self.g[i] != 0:
                break
        else:
            return EXACT
        if self.stop_on == ON_GRADIENT and norm(self.n, self.g) < self.tolerance:
            return BY_GRADIENT
        if self.n_iterations >= self.max_iterations:
            return MAX_ITERATIONS
        return NONE

    cdef int after_step(self) noexcept nogil:
        """Whether the step that was just made is the last; takes it."""
        cdef double length, change = fabs(self.f_new - self.f_x)
        cdef Py_ssize_t i
        cdef int end = NONE
        if self.stop_on == ON_STEP:
            for i in range(self.n):
                self.p[i] = self.new_x[i] - self.now[i]
            length = norm(self.n, self.p)
            if length < self.tolerance:
                end = BY_STEP
        elif self.stop_on == ON_VALUE and change < self.tolerance:
            end = BY_VALUE
        self.now, self.new_x = self.new_x, self.now
        self.g, self.new_g = self.new_g, self.g
        self.f_x = self.f_new
        return end

    # One iteration: sets new_x, new_g, f_new, or ``rested`` where x stays.  Not NONE if there can
    # be no further one.
    cdef int move(self) except -1 nogil:
        cdef bint had_rested = self.rested
        cdef int end
        self.rested = False
        if self.method == FULL_BATCH:
            return self.move_full_batch()
        if self.method == FIRST_ORDER:
            self.move_first_order()
            if not self.is_new():
                # Rprop rests for one step after each change of a sign.
                self.rested = not had_rested
                return NONE if self.rested else self.unchanged()
            return self.arrive()
        end = self.find_direction()
        if end != NONE:
            self.rested = True
            return end
        if self.rule == ARMIJO:
            return self.backtrack()
        if self.rule == GROW_SHRINK:
            return self.try_step()
        self.rate = self.present_rate()
        self.go(self.rate)
        if not self.is_new():
            if self.rate == 0:
                self.rested = True
                return NONE
            return self.unchanged()
        return self.arrive()

    cdef int unchanged(self) noexcept nogil:
        """A step that leaves x as it is."""
        if self.stop_on == ON_STEP and self.tolerance > 0:
            memcpy(self.new_g, self.g, self.n * sizeof(double))
            self.f_new = self.f_x
            return NONE
        return self.stalled()

    cdef int stalled(self) noexcept nogil:
        """No step changes x; without a rule to stop it rests until the count ends it."""
        self.rested = True
        return NONE if self.stop_on == NOTHING else STALLED

    cdef int arrive(self) except -1 nogil:
        """Value and gradient at new_x."""
        self.f_new = INFINITY
        if is_finite(self.n, self.new_x):
            self.f.value_at(self.new_x, &self.f_new)
        return self.accept()

    cdef int accept(self) except -1 nogil:
        """The gradient at new_x, whose value is f_new."""
        if isfinite(self.f_new):
            self.f.gradient_at(self.new_x, self.new_g)
            if is_finite(self.n, self.new_g):
                return NONE
        self.rested = True
        return DIVERGED

    cdef int backtrack(self) except -1 nogil:
        cdef double rate = self.rate
        while True:
            self.go(rate)
            if not self.is_new():
                # Nothing is lower.  At a minimum that is rounding, and then already the first
                # step was too short to count.
                if self.rate * norm(self.n, self.p) < self.tolerance:
                    return self.unchanged()
                return self.stalled()
            if is_finite(self.n, self.new_x):
                self.f.value_at(self.new_x, &self.f_new)
                if self.f_new <= self.f_x - self.c * self.promised(rate):
                    return self.accept()
            rate *= self.shrink
            self.n_trials += 1
            if self.n_trials >= self.next_look:
                self.look()

    cdef int try_step(self) except -1 nogil:
        self.go(self.rate)
        if not self.is_new():
            return self.stalled()
        if is_finite(self.n, self.new_x):
            self.f.value_at(self.new_x, &self.f_new)
            if self.f_new <= self.f_x:
                self.rate = min(self.rate * self.grow, DBL_MAX)
                return self.accept()
        self.rate *= self.shrink
        self.rested = True
        return NONE

    cdef int move_full_batch(self) except -1 nogil:
        memcpy(self.new_x, self.now, self.n * sizeof(double))
        (<FullBatchOptimizer> self.optimizer).iterate(self.objective, self.new_x, &self.f_new)
        if not isfinite(self.f_new):
            self.rested = True
            return DIVERGED
        self.rested = not self.is_new()
        if not self.rested:
            self.objective.evaluate(self.new_x, &self.f_new, self.new_g)
            if not is_finite(self.n, self.new_g):
                self.rested = True
                return DIVERGED
        if (<FullBatchOptimizer> self.optimizer).reason_id == RUNNING:
            return NONE
        return BY_OPTIMIZER

    cdef int move_first_order(self) except -1 nogil:
        cdef double rate = self.optimizer.current_rate()
        memcpy(self.new_x, self.now, self.n * sizeof(double))
        memcpy(self.p, self.g, self.n * sizeof(double))
        self.optimizer.begin_step(self.objective.kernels, self.n, self.p)
        self.optimizer.update(self.objective.kernels, 0, self.n, self.new_x, self.p, rate)
        return 0

    cdef int find_direction(self) except -1 nogil:
        """p, along which x moves back."""
        cdef Py_ssize_t i
        cdef double size, length
        if self.method == NEWTON:
            with gil:
                self.call_hessian()
            return NONE if is_finite(self.n, self.p) else DIVERGED
        memcpy(self.p, self.g, self.n * sizeof(double))
        if self.normalize:
            length = scaled_norm(self.n, self.p, &size)
            for i in range(self.n):
                self.p[i] = self.p[i] / size / length
        return NONE

    cdef int call_hessian(self) except -1:
        cdef cnp.ndarray p
        cdef double second
        try:
            result = self.hessian(self.f.point(self.now))
        except OverflowError:
            result = np.full((self.n, self.n), np.nan) if not self.f.is_scalar else NAN
        if self.f.is_scalar:
            second = self.f.sign * <double> number_of(result, "hessian")
            if self.guard:
                second = fabs(second) if second != 0 else 1
            # a division by zero is a step to infinity
            self.p[0] = self.g[0] / second if second != 0 else INFINITY
            return 0
        if self.n == 1 and np.shape(result) == (1,):
            result = np.reshape(result, (1, 1))
        matrix = checked_result(result, "hessian(x)", (self.n, self.n), cnp.NPY_FLOAT64)
        p = convert(newton_direction(self.f.sign * (<object> matrix), self.copied(self.g),
                                     self.guard), "p", cnp.NPY_FLOAT64)
        memcpy(self.p, cnp.PyArray_DATA(p), self.n * sizeof(double))
        return 0

    cdef double present_rate(self) except? -1 nogil:
        cdef double rate
        if self.step is not None:
            with gil:
                return number(self.step(self.n_iterations), f"step({self.n_iterations})", 0,
                              DBL_MAX, "[0, inf)")
        if self.schedule is None:
            return self.rate
        rate = self.schedule.at(self.n_iterations)
        if not isfinite(rate):
            with gil:
                raise ValueError(
                    f"step({self.n_iterations}) must be in [0, inf), got {rate} "
                    f"from {self.schedule!r}"
                )
        return rate

    cdef void go(self, double rate) noexcept nogil:
        """new_x = x - rate p"""
        cdef Py_ssize_t i
        for i in range(self.n):
            self.new_x[i] = self.now[i] - rate * self.p[i]

    cdef double promised(self, double rate) noexcept nogil:
        """How far the slope says that f falls; g.p alone may overflow where this does not."""
        cdef double total = 0
        cdef Py_ssize_t i
        for i in range(self.n):
            total += self.g[i] * (rate * self.p[i])
        return total

    cdef bint is_new(self) noexcept nogil:
        cdef Py_ssize_t i
        for i in range(self.n):
            if self.new_x[i] != self.now[i]:
                return True
        return False

    cdef int keep(self) except -1 nogil:
        """x becomes the next point of the path."""
        cdef Py_ssize_t capacity
        cdef void *data
        if self.n_iterations >= self.path_capacity:
            capacity = max(1 + 4096 // self.n, 2 * self.path_capacity)
            data = NULL
            if capacity <= PY_SSIZE_T_MAX // (<Py_ssize_t> sizeof(double) * self.n):
                data = realloc(self.path_data, capacity * self.n * sizeof(double))
            if data == NULL:
                with gil:
                    raise MemoryError(f"no memory for a path of {capacity} points")
            self.path_data = <double *> data
            self.path_capacity = capacity
        memcpy(self.path_data + self.n_iterations * self.n, self.now, self.n * sizeof(double))
        return 0

    cdef int look(self) except -1 nogil:
        """Look for Ctrl-C, and find out after how many trials to do so again."""
        cdef double now = monotonic_seconds()
        if now - self.last_look < 0.5 * WATCH_SECONDS:
            self.look_every *= 2
        elif now - self.last_look > WATCH_SECONDS and self.look_every > 1:
            self.look_every //= 2
        self.last_look = now
        self.next_look = self.n_trials + self.look_every
        with gil:
            # An x that rests calls no function in Python, where other threads would have a turn.
            with nogil:
                pass
            PyErr_CheckSignals()
        return 0


# The Euclidean norm of a / size, where size is 1 unless squares would leave the range of normal
# numbers, and then the largest modulus
cdef double scaled_norm(Py_ssize_t n, const double *a, double *size) noexcept nogil:
    cdef double total = 0, largest = 0
    cdef Py_ssize_t i
    size[0] = 1
    for i in range(n):
        total += a[i] * a[i]
    if 1e-280 < total < 1e280:
        return sqrt(total)
    for i in range(n):
        largest = max(largest, fabs(a[i]))
    if largest == 0:
        return 0
    size[0] = largest
    total = 0
    for i in range(n):
        total += (a[i] / largest) * (a[i] / largest)
    return sqrt(total)


cdef double norm(Py_ssize_t n, const double *a) noexcept nogil:
    cdef double size
    cdef double length = scaled_norm(n, a, &size)
    return size * length


cdef bint is_finite(Py_ssize_t n, const double *a) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(n):
        if not isfinite(a[i]):
            return False
    return True
