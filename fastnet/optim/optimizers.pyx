"""Optimizers: rules that take a flat parameter vector one step down its gradient.

The same objects train networks (``net.fit(..., optimizer=...)``) and anything else that has a
gradient.
"""

import importlib
import math
import numbers

import numpy as np

cimport numpy as cnp
from libc.math cimport isfinite

from fastnet._arrays cimport (
    aligned_zeros, check_overlap, convert, itemsize_of, nearest, output, typenum_of
)
from fastnet._kernels.dispatch cimport flush_denormals, kernels, set_floating_point_mode
from fastnet._kernels.table cimport Kernels
from fastnet.optim.arguments cimport number
from fastnet.optim.schedules cimport Schedule

cnp.import_array()

__all__ = ["Optimizer", "resolve"]


# name: (module of fastnet.optim, class)
cdef dict KNOWN = {
    "sgd": ("sgd", "SGD"),
    "adam": ("adaptive", "Adam"),
    "adamw": ("adaptive", "AdamW"),
    "rmsprop": ("adaptive", "RMSProp"),
    "adagrad": ("adaptive", "Adagrad"),
    "rprop": ("rprop", "Rprop"),
    "lbfgs": ("lbfgs", "LBFGS"),
    "levenberg_marquardt": ("least_squares", "LevenbergMarquardt"),
}


cdef class Optimizer:
    """What all optimizers share: a learning rate, a step count, and state that one vector owns.

    Use a subclass. An optimizer serves one vector: the first step fixes size and dtype, and `reset`
    frees them.
    """

    def __init__(self, learning_rate):
        if type(self) is Optimizer:
            raise TypeError("Optimizer is a base class: use SGD, Adam ...")
        self.learning_rate = learning_rate
        self.forget()

    @property
    def learning_rate(self):
        """Length of a step: a number > 0, or a schedule, or ``callable(step_index)``, from 0."""
        return self.constant if self.rate is None else self.rate

    @learning_rate.setter
    def learning_rate(self, value):
        # A running training computes the rate from the schedule without the interpreter lock.
        self.check_free()
        if callable(value):
            self.check_schedule(value)
            self.rate = value
            # A schedule that Python code has redefined is any other function.
            if isinstance(value, Schedule) and type(value).__call__ is Schedule.__call__:
                self.schedule = value
            else:
                self.schedule = None
        else:
            self.constant = number(value, "learning_rate", 0, math.inf, "(0, inf)")
            self.rate = None
            self.schedule = None

    def step(self, parameters, gradient):
        """Take one step down the gradient, in place.

        Parameters
        ----------
        parameters : ndarray (n,) of float32 or float64
            Changed in place; C-contiguous and writable.
        gradient : array-like (n,)
            Left as it is.

        Raises
        ------
        ValueError, TypeError
            For arrays of another kind or size than that of the first step, and for a learning rate
            schedule that returns anything but a finite number >= 0. Nothing has changed then.
        """
        cdef cnp.ndarray p, g
        cdef cnp.npy_intp[1] shape
        cdef double learning_rate
        cdef unsigned int mode
        cdef int typenum
        self.check_free()
        if not isinstance(parameters, np.ndarray):
            raise TypeError(
                f"parameters must be a numpy.ndarray, got {type(parameters).__name__}"
            )
        typenum = cnp.PyArray_TYPE(<cnp.ndarray> parameters)
        if typenum != cnp.NPY_FLOAT32 and typenum != cnp.NPY_FLOAT64:
            raise TypeError(
                f"parameters must have dtype float32 or float64, got {parameters.dtype}"
            )
        shape[0] = parameters.size
        p = output(parameters, "parameters", 1, shape, typenum)
        g = convert(gradient, "gradient", typenum)
        if g.ndim != 1 or g.shape[0] != shape[0]:
            raise ValueError(
                f"gradient must have shape ({shape[0]},) like parameters, "
                f"got {(<object> g).shape}"
            )
        check_overlap(p, "parameters", g, "gradient")
        if self.overwrites_gradient() and g is gradient:
            g = (<object> g).copy()
        learning_rate = self.current_rate()
        self.prepare(shape[0], itemsize_of(typenum))
        # As in training: moments would otherwise decay to denormals, where they stick and cost 27x.
        mode = flush_denormals()
        self.begin_step(kernels(self.itemsize), shape[0], cnp.PyArray_DATA(g))
        self.update(kernels(self.itemsize), 0, shape[0], cnp.PyArray_DATA(p),
                    cnp.PyArray_DATA(g), learning_rate)
        set_floating_point_mode(mode)

    def reset(self):
        """Forget all but the arguments: the next step is the first, on a vector of any size."""
        self.check_free()
        self.forget()

    def get_state(self):
        """What a later `set_state` needs to go on from here.

        Returns
        -------
        dict
            "step_count" and, after the first step, "size", "dtype" and a copy of each state array.
        """
        state = {"step_count": self.step_count}
        if self.size >= 0:
            state["size"] = self.size
            state["dtype"] = f"float{8 * self.itemsize}"
            for name, array in self.arrays.items():
                state[name] = np.array(array)
        return state

    def set_state(self, state):
        """Go on from a state that `get_state` of an optimizer of the same kind returned."""
        self.check_free()
        state = dict(state)
        step_count = state.pop("step_count", None)
        if not isinstance(step_count, numbers.Integral) or step_count < 0:
            raise ValueError(f"state['step_count'] must be an integer >= 0, got {step_count!r}")
        size = state.pop("size", -1)
        dtype = state.pop("dtype", None)
        cdef Py_ssize_t itemsize = {"float32": 4, "float64": 8, None: 0}.get(dtype, -1)
        if itemsize < 0 or (itemsize > 0) != (size >= 0):
            raise ValueError(
                f"state['dtype'] must be float32 or float64 for size {size}, got {dtype!r}"
            )
        names = self.state_names() if size >= 0 else ()
        if set(state) != set(names):
            raise ValueError(f"state must hold the arrays {sorted(names)}, got {sorted(state)}")
        arrays = {}
        for name in names:
            array = convert(state[name], f"state[{name!r}]", typenum_of(itemsize))
            if np.shape(array) != (size,):
                raise ValueError(
                    f"state[{name!r}] must have shape ({size},), got {np.shape(array)}"
                )
            arrays[name] = aligned_zeros(size, typenum_of(itemsize))
            arrays[name][:] = array
        self.step_count = step_count
        self.size = size
        self.itemsize = itemsize
        self.arrays = arrays
        try:
            self.bind()
        except MemoryError:
            self.forget()
            raise

    def __reduce__(self):
        return _rebuild, (type(self), self.arguments()), self.get_state()

    def __setstate__(self, state):
        self.set_state(state)

    def __repr__(self):
        defaults = self.defaults()
        changed = [
            f"{name}={value!r}" for name, value in self.arguments().items()
            if value != defaults[name]
        ]
        return f"{type(self).__name__}({', '.join(changed)})"

    cdef int check_free(self) except -1:
        if self.in_use:
            raise ValueError(f"the optimizer {self!r} is in use by a training that runs")
        return 0

    cdef int forget(self) except -1:
        self.step_count = 0
        self.size = -1
        self.itemsize = 0
        self.arrays = {}
        self.bind()
        return 0

    cdef int check_schedule(self, object value) except -1:
        return 0

    cdef bint is_constant(self) noexcept nogil:
        return self.rate is None

    cdef bint needs_python(self) noexcept nogil:
        return self.rate is not None and self.schedule is None

    cdef double current_rate(self) except? -1 nogil:
        cdef double rate
        if self.rate is None:
            return self.constant
        if self.schedule is None:
            with gil:
                return self.called_rate()
        rate = self.schedule.at(self.step_count)
        if not isfinite(rate):
            with gil:
                raise ValueError(
                    f"learning_rate({self.step_count}) must be in [0, inf), got {rate} "
                    f"from {self.schedule!r}"
                )
        return rate

    cdef double called_rate(self) except? -1:
        return number(self.rate(self.step_count), f"learning_rate({self.step_count})", 0, math.inf,
                      "[0, inf)")

    cdef int prepare(self, Py_ssize_t n, Py_ssize_t itemsize) except -1:
        if self.size == n and self.itemsize == itemsize:
            return 0
        if self.size >= 0:
            raise ValueError(
                f"{self!r} has state for {self.size} parameters of float{8 * self.itemsize}, "
                f"got {n} of float{8 * itemsize}: call reset() first"
            )
        self.arrays = {name: aligned_zeros(n, typenum_of(itemsize)) for name in self.state_names()}
        self.size = n
        self.itemsize = itemsize
        try:
            self.bind()
        except MemoryError:
            self.forget()
            raise
        return 0

    cdef void begin_step(self, const Kernels *table, Py_ssize_t n, void *gradient) noexcept nogil:
        self.step_count += 1

    cdef void update(self, const Kernels *table, Py_ssize_t first, Py_ssize_t n, void *parameters,
                     void *gradient, double learning_rate) noexcept nogil:
        pass

    cdef dict arguments(self):
        return {"learning_rate": self.learning_rate}

    cdef dict defaults(self):
        return {}

    cdef tuple state_names(self):
        return ()

    cdef int bind(self) except -1:
        return 0

    cdef bint overwrites_gradient(self):
        return False

    cdef void *state_data(self, str name) except? NULL:
        """Where a state array begins; NULL before the first step."""
        return cnp.PyArray_DATA(<cnp.ndarray> self.arrays[name]) if name in self.arrays else NULL


def _rebuild(cls, arguments):
    return cls(**arguments)


cpdef Optimizer resolve(object spec):
    if isinstance(spec, Optimizer):
        return spec
    if not isinstance(spec, str):
        raise TypeError(
            f"optimizer must be an optimizer like fastnet.Adam() or its name, "
            f"got {spec.__name__ + ' itself' if isinstance(spec, type) else type(spec).__name__}"
        )
    if spec not in KNOWN:
        raise ValueError(nearest(spec, KNOWN, "optimizer"))
    module, name = KNOWN[spec]
    return getattr(importlib.import_module(f"fastnet.optim.{module}"), name)()
