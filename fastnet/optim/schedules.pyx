"""Learning rates that change with the step, and step lengths that a minimizer finds by trials.

A schedule goes where a learning rate goes: ``fn.Adam(fn.schedules.Cosine(1e-3, n_steps=5000))``.
Steps are counted from 0 over the whole life of the optimizer, one for each batch. Training computes
a schedule without the interpreter; any other ``callable(step_index)`` does as well, at the cost of
a Python call each step. ``schedule(step_index)`` is the rate of a step, for plots and tests.

`Armijo` and `GrowShrink` choose steps by the values of the function at the points tried, so they go
to ``fn.minimize(..., step=...)`` only.
"""

import math

from libc.math cimport M_PI, cos, pow
from libc.stdint cimport int64_t

from fastnet._checks import checked_int

from fastnet.optim.arguments cimport number

__all__ = [
    "Armijo", "Cosine", "Exponential", "GrowShrink", "InverseScaling", "Linear", "Schedule", "Step",
    "Warmup",
]

cdef int64_t MOST_STEPS = 2**63 - 1


cdef class Rule:
    """What schedules and step rules share: they can be compared and pickled."""

    def __init__(self):
        raise TypeError(f"{type(self).__name__} is a base class: use Step, Cosine ...")

    def __eq__(self, other):
        if type(other) is not type(self):
            return NotImplemented
        return self.arguments() == (<Rule> other).arguments()

    def __hash__(self):
        return hash((type(self), *self.arguments().items()))

    def __repr__(self):
        arguments = ", ".join(f"{name}={value!r}" for name, value in self.arguments().items())
        return f"{type(self).__name__}({arguments})"

    def __reduce__(self):
        return type(self), tuple(self.arguments().values())

    cdef dict arguments(self):
        return {}


cdef class Schedule(Rule):
    """What all schedules share: they can be called, compared and pickled.

    Use a subclass, or any function of the step index instead.
    """

    def __call__(self, step_index):
        """The learning rate of a step.

        Parameters
        ----------
        step_index : int
            From 0.

        Returns
        -------
        float
        """
        return self.at(checked_int(step_index, "step_index", 0, MOST_STEPS))

    cdef double at(self, int64_t step) noexcept nogil:
        return 0


cdef double positive(object value, str name) except? -1:
    return number(value, name, 0, math.inf, "(0, inf)")


cdef class Step(Schedule):
    """``initial * factor ** (step // every)``: a new rate every so many steps.

    Parameters
    ----------
    initial : float > 0
    every : int >= 1
        Steps between two changes.
    factor : float > 0, default 0.1

    Examples
    --------
    >>> import fastnet as fn
    >>> schedule = fn.schedules.Step(0.5, every=100, factor=0.5)
    >>> [schedule(0), schedule(99), schedule(100), schedule(200)]
    [0.5, 0.5, 0.25, 0.125]
    """

    def __init__(self, initial, every, factor=0.1):
        self.initial = positive(initial, "initial")
        self.every = checked_int(every, "every", 1, MOST_STEPS)
        self.factor = positive(factor, "factor")

    cdef double at(self, int64_t step) noexcept nogil:
        return self.initial * pow(self.factor, <double> (step // self.every))

    cdef dict arguments(self):
        return {"initial": self.initial, "every": self.every, "factor": self.factor}


cdef class Exponential(Schedule):
    """``initial * factor ** step``.

    Parameters
    ----------
    initial : float > 0
    factor : float > 0
        Of each step, so a number just below 1: ``0.5 ** (1 / 1000)`` halves the rate in 1000 steps.

    Examples
    --------
    >>> import fastnet as fn
    >>> fn.schedules.Exponential(1.0, factor=0.5)(3)
    0.125
    """

    def __init__(self, initial, factor):
        self.initial = positive(initial, "initial")
        self.factor = positive(factor, "factor")

    cdef double at(self, int64_t step) noexcept nogil:
        return self.initial * pow(self.factor, <double> step)

    cdef dict arguments(self):
        return {"initial": self.initial, "factor": self.factor}


cdef class Cosine(Schedule):
    """From ``initial`` to ``final`` along half a cosine wave; ``final`` from then on.

    ``final + (initial - final) * (1 + cos(pi * step / n_steps)) / 2`` (Loshchilov, Hutter: SGDR:
    Stochastic Gradient Descent with Warm Restarts, ICLR 2017, equation 5, without restarts).

    Parameters
    ----------
    initial : float > 0
    n_steps : int >= 1
    final : float >= 0, default 0.0

    Examples
    --------
    >>> import fastnet as fn
    >>> schedule = fn.schedules.Cosine(1.0, n_steps=100)
    >>> [schedule(0), round(schedule(50), 12), schedule(100), schedule(1000)]
    [1.0, 0.5, 0.0, 0.0]
    """

    def __init__(self, initial, n_steps, final=0.0):
        self.initial = positive(initial, "initial")
        self.n_steps = checked_int(n_steps, "n_steps", 1, MOST_STEPS)
        self.final = number(final, "final", 0, math.inf, "[0, inf)")

    cdef double at(self, int64_t step) noexcept nogil:
        if step >= self.n_steps:
            return self.final
        return self.final + (self.initial - self.final) * (
            0.5 + 0.5 * cos(M_PI * (<double> step / <double> self.n_steps)))

    cdef dict arguments(self):
        return {"initial": self.initial, "n_steps": self.n_steps, "final": self.final}


cdef class Linear(Schedule):
    """From ``initial`` to ``final`` along a straight line; ``final`` from then on.

    Parameters
    ----------
    initial : float > 0
    n_steps : int >= 1
    final : float >= 0, default 0.0

    Examples
    --------
    >>> import fastnet as fn
    >>> schedule = fn.schedules.Linear(1.0, n_steps=4, final=0.5)
    >>> [schedule(step) for step in range(6)]
    [1.0, 0.875, 0.75, 0.625, 0.5, 0.5]
    """

    def __init__(self, initial, n_steps, final=0.0):
        self.initial = positive(initial, "initial")
        self.n_steps = checked_int(n_steps, "n_steps", 1, MOST_STEPS)
        self.final = number(final, "final", 0, math.inf, "[0, inf)")

    cdef double at(self, int64_t step) noexcept nogil:
        if step >= self.n_steps:
            return self.final
        return self.initial + (self.final - self.initial) * (<double> step / <double> self.n_steps)

    cdef dict arguments(self):
        return {"initial": self.initial, "n_steps": self.n_steps, "final": self.final}


cdef class InverseScaling(Schedule):
    """``initial / (step + 1) ** power``.

    Parameters
    ----------
    initial : float > 0
    power : float > 0, default 0.5

    Examples
    --------
    >>> import fastnet as fn
    >>> fn.schedules.InverseScaling(1.0)(3)
    0.5
    """

    def __init__(self, initial, power=0.5):
        self.initial = positive(initial, "initial")
        self.power = positive(power, "power")

    cdef double at(self, int64_t step) noexcept nogil:
        return self.initial / pow(<double> step + 1, self.power)

    cdef dict arguments(self):
        return {"initial": self.initial, "power": self.power}


cdef class Warmup(Schedule):
    """A straight line up to the first rate of another schedule, which then takes over.

    Step k < ``n_steps`` has ``(k + 1) / n_steps`` of that rate, so that no step is lost at a rate
    of 0. The other schedule counts from its own step 0.

    Parameters
    ----------
    n_steps : int >= 1
    then : float > 0 or schedule

    Examples
    --------
    >>> import fastnet as fn
    >>> schedule = fn.schedules.Warmup(4, then=fn.schedules.Step(1.0, every=2))
    >>> [schedule(step) for step in range(7)]
    [0.25, 0.5, 0.75, 1.0, 1.0, 1.0, 0.1]
    """

    def __init__(self, n_steps, then):
        self.n_steps = checked_int(n_steps, "n_steps", 1, MOST_STEPS)
        if isinstance(then, Schedule):
            self.later = then
            self.then = then
        elif callable(then):
            raise TypeError(
                f"then must be a number or a schedule of fastnet.schedules, "
                f"got {type(then).__name__}: call your function in one of your own instead"
            )
        else:
            self.constant = positive(then, "then")
            self.then = self.constant

    cdef double at(self, int64_t step) noexcept nogil:
        cdef double rate
        if self.later is None:
            rate = self.constant
        else:
            rate = self.later.at(max(step - self.n_steps, 0))
        if step < self.n_steps:
            rate *= <double> (step + 1) / <double> self.n_steps
        return rate

    cdef dict arguments(self):
        return {"n_steps": self.n_steps, "then": self.then}


cdef class Armijo(Rule):
    """Backtracking: each iteration shortens its step until the function falls enough.

    The first step of an iteration is ``initial``; a step s along -p is taken if
    ``f(x - s p) <= f(x) - c s g.p`` and else multiplied by ``shrink``. For ``fn.minimize`` only;
    ``step="armijo"`` there is the one with these defaults.

    Parameters
    ----------
    initial : float > 0, default 1.0
    shrink : float in (0, 1), default 0.5
    c : float in (0, 1), default 1e-4
        The part of the decrease that the slope promises.

    References
    ----------
    Armijo: Minimization of functions having Lipschitz continuous first partial derivatives, Pacific
    J. Math. 16, 1966. Nocedal, Wright: Numerical Optimization, 2nd edition, 2006, algorithm 3.1.

    Examples
    --------
    >>> import fastnet as fn
    >>> step = fn.schedules.Armijo(initial=2.0)
    >>> r = fn.minimize(lambda x: x**2, 3.0, gradient=lambda x: 2 * x, step=step, record=True)
    >>> r.path.tolist()                 # steps of 2 and 1 go from 3 to -9 and -3, not down
    [3.0, 0.0]
    """

    def __init__(self, initial=1.0, shrink=0.5, c=1e-4):
        self.initial = positive(initial, "initial")
        self.shrink = number(shrink, "shrink", 0, 1, "(0, 1)")
        self.c = number(c, "c", 0, 1, "(0, 1)")

    cdef dict arguments(self):
        return {"initial": self.initial, "shrink": self.shrink, "c": self.c}


cdef class GrowShrink(Rule):
    """A step that grows while the function falls, and shrinks after a trial that would raise it.

    Every trial is an iteration; one that would raise the function, or leave where it is finite, is
    rejected and leaves x as it was. For ``fn.minimize`` only; ``step="grow_shrink"`` there is the
    one with these defaults.

    Parameters
    ----------
    initial : float > 0, default 0.01
    grow : float > 1, default 1.1
    shrink : float in (0, 1), default 0.5

    References
    ----------
    Vogl, Mangis, Rigler, Zink, Alkon: Accelerating the convergence of the back-propagation method,
    Biological Cybernetics 59, 1988, of which this is the step length without the momentum.

    Examples
    --------
    >>> import fastnet as fn
    >>> step = fn.schedules.GrowShrink(0.9)
    >>> r = fn.minimize(lambda x: x**2, 1.0, gradient=lambda x: 2 * x, step=step,
    ...                 max_iterations=4, record=True)
    >>> r.path.round(3).tolist()        # steps of 0.9, 0.99, 1.089 (rejected), 0.5445
    [1.0, -0.8, 0.784, 0.784, -0.07]
    """

    def __init__(self, initial=0.01, grow=1.1, shrink=0.5):
        self.initial = positive(initial, "initial")
        self.grow = number(grow, "grow", 1, math.inf, "(1, inf)")
        self.shrink = number(shrink, "shrink", 0, 1, "(0, 1)")

    cdef dict arguments(self):
        return {"initial": self.initial, "grow": self.grow, "shrink": self.shrink}
