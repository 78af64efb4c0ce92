"""Optimizers: rules that take a flat parameter vector one step down its gradient.

The same objects train networks (``net.fit(..., optimizer=...)``) and anything else that has a
gradient.
"""

import math
import numbers

import numpy as np

cimport numpy as cnp
from libc.math cimport fabs, sqrt

from fastnet._arrays cimport (
    aligned_zeros, check_overlap, convert, itemsize_of, nearest, output, typenum_of
)
from fastnet._kernels.dispatch cimport flush_denormals, kernels, set_floating_point_mode
from fastnet._kernels.table cimport Kernels

cnp.import_array()

__all__ = ["SGD", "Adam", "Optimizer"]


cdef double number(object value, str name, double low, double high, str interval) except? -1:
    """A real number within the interval, which is written as mathematics does: "[0, 1)"."""
    cdef double x
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value.item()
    if not isinstance(value, numbers.Real) or isinstance(value, bool):
        raise TypeError(f"{name} must be a number in {interval}, got {type(value).__name__}")
    x = float(value)
    if (low <= x <= high and not (x == low and interval[0] == "(")
            and not (x == high and interval[len(interval) - 1] == ")")):
        return x
    raise ValueError(f"{name} must be in {interval}, got {value}")


cdef class Optimizer:
    """What all optimizers share: a learning rate, a step count, and state that one vector owns.

    Use a subclass. An optimizer serves one vector: the first step fixes size and dtype, and `reset`
    frees them.
    """

    def __init__(self, learning_rate):
        if type(self) is Optimizer:
            raise TypeError("Optimizer is a base class: use SGD, Adam ...")
        self.learning_rate = learning_rate
        self.step_count = 0
        self.size = -1
        self.itemsize = 0
        self.arrays = {}
        self.bind()

    @property
    def learning_rate(self):
        """Length of a step: a number > 0, or ``callable(step_index)`` with step_index from 0."""
        return self.constant if self.rate is None else self.rate

    @learning_rate.setter
    def learning_rate(self, value):
        if callable(value):
            self.rate = value
        else:
            self.constant = number(value, "learning_rate", 0, math.inf, "(0, inf)")
            self.rate = None

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
        self.apply(kernels(itemsize_of(typenum)), shape[0], cnp.PyArray_DATA(p),
                   cnp.PyArray_DATA(g), learning_rate)
        set_floating_point_mode(mode)

    def reset(self):
        """Forget all but the arguments: the next step is the first, on a vector of any size."""
        self.check_free()
        self.step_count = 0
        self.size = -1
        self.itemsize = 0
        self.arrays = {}
        self.bind()

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
        self.bind()

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

    cdef double current_rate(self) except? -1:
        if self.rate is None:
            return self.constant
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
        self.bind()
        return 0

    cdef void apply(self, const Kernels *table, Py_ssize_t n, void *parameters, void *gradient,
                    double learning_rate) noexcept nogil:
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


cdef class SGD(Optimizer):
    """Gradient descent, plain, with momentum, or with steps of a fixed length.

    Parameters
    ----------
    learning_rate : float or callable(step_index), default 0.01
    momentum : float in [0, 1), default 0.0
        v = momentum v + g; parameters -= learning_rate v.
    nesterov : bool, default False
        parameters -= learning_rate (g + momentum v): the gradient as if looked up after the
        momentum step.
    weight_decay : float >= 0, default 0.0
        g += weight_decay parameters (L2).
    normalize : bool, default False
        Divide the gradient by its Euclidean norm first, so that a plain step has exactly the length
        ``learning_rate``; a zero gradient stays zero. Momentum and weight decay come after it.

    References
    ----------
    Sutskever, Martens, Dahl, Hinton: On the importance of initialization and momentum in deep
    learning, ICML 2013, section 2, in the form where the learning rate multiplies the velocity.

    Examples
    --------
    >>> import numpy as np
    >>> import fastnet as fn
    >>> x = np.array([3.0, 4.0])
    >>> fn.SGD(learning_rate=0.1).step(x, gradient=2 * x)
    >>> x
    array([2.4, 3.2])
    """

    def __init__(self, learning_rate=0.01, momentum=0.0, nesterov=False, weight_decay=0.0,
                 normalize=False):
        self.momentum = number(momentum, "momentum", 0, 1, "[0, 1)")
        self.nesterov = nesterov
        self.weight_decay = number(weight_decay, "weight_decay", 0, math.inf, "[0, inf)")
        self.normalize = normalize
        if self.nesterov and self.momentum == 0:
            raise ValueError("nesterov needs momentum > 0, got momentum=0")
        super().__init__(learning_rate)

    cdef dict arguments(self):
        return {
            "learning_rate": self.learning_rate, "momentum": self.momentum,
            "nesterov": self.nesterov, "weight_decay": self.weight_decay,
            "normalize": self.normalize,
        }

    cdef dict defaults(self):
        return {
            "learning_rate": 0.01, "momentum": 0.0, "nesterov": False, "weight_decay": 0.0,
            "normalize": False,
        }

    cdef tuple state_names(self):
        return ("velocity",) if self.momentum > 0 else ()

    cdef int bind(self) except -1:
        self.velocity = self.state_data("velocity")
        return 0

    cdef bint overwrites_gradient(self):
        return self.normalize

    cdef void apply(self, const Kernels *table, Py_ssize_t n, void *parameters, void *gradient,
                    double learning_rate) noexcept nogil:
        self.step_count += 1
        if self.normalize:
            normalize(table, n, gradient)
        if self.momentum > 0:
            table.momentum(n, parameters, gradient, self.velocity, learning_rate, self.momentum,
                           self.nesterov, self.weight_decay)
        else:
            table.sgd(n, parameters, gradient, learning_rate, self.weight_decay)


cdef class Adam(Optimizer):
    """Adam: steps scaled by running means of the gradient and of its square.

    Parameters
    ----------
    learning_rate : float or callable(step_index), default 1e-3
    beta1, beta2 : float in [0, 1), default 0.9 and 0.999
        Decay of the two means m and v.
    epsilon : float > 0, default 1e-8
        parameters -= learning_rate m' / (sqrt(v') + epsilon), m' and v' being m and v without their
        bias to zero.

    References
    ----------
    Kingma, Ba: Adam: A Method for Stochastic Optimization, ICLR 2015, algorithm 1.

    Examples
    --------
    >>> import numpy as np
    >>> import fastnet as fn
    >>> x = np.array([3.0, -4.0])
    >>> fn.Adam(learning_rate=0.1).step(x, gradient=2 * x)
    >>> x.round(6)
    array([ 2.9, -3.9])
    """

    def __init__(self, learning_rate=1e-3, beta1=0.9, beta2=0.999, epsilon=1e-8):
        self.beta1 = number(beta1, "beta1", 0, 1, "[0, 1)")
        self.beta2 = number(beta2, "beta2", 0, 1, "[0, 1)")
        self.epsilon = number(epsilon, "epsilon", 0, math.inf, "(0, inf)")
        super().__init__(learning_rate)

    cdef dict arguments(self):
        return {
            "learning_rate": self.learning_rate, "beta1": self.beta1, "beta2": self.beta2,
            "epsilon": self.epsilon,
        }

    cdef dict defaults(self):
        return {"learning_rate": 1e-3, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8}

    cdef tuple state_names(self):
        return ("m", "v")

    cdef int bind(self) except -1:
        self.m = self.state_data("m")
        self.v = self.state_data("v")
        return 0

    cdef void apply(self, const Kernels *table, Py_ssize_t n, void *parameters, void *gradient,
                    double learning_rate) noexcept nogil:
        self.step_count += 1
        table.adam(n, parameters, gradient, self.m, self.v, self.step_count, learning_rate,
                   self.beta1, self.beta2, self.epsilon)


ctypedef fused real:
    float
    double


cdef void divide_by_largest(Py_ssize_t n, real *x) noexcept nogil:
    """x /= max |x|, which makes its squares harmless; a zero vector stays."""
    cdef double largest = 0
    cdef Py_ssize_t i
    for i in range(n):
        largest = max(largest, fabs(x[i]))
    if largest > 0:
        for i in range(n):
            x[i] = <real> (x[i] / largest)


cdef void normalize(const Kernels *table, Py_ssize_t n, void *gradient) noexcept nogil:
    """g /= |g|; a zero gradient stays."""
    cdef double squares = table.dot(n, gradient, gradient)
    # Outside of these the squares, or 1 / |g| in float32, leave the range of normal numbers.
    if squares < 1e-70 or squares > 1e70:
        if table.itemsize == 4:
            divide_by_largest(n, <float *> gradient)
        else:
            divide_by_largest(n, <double *> gradient)
        squares = table.dot(n, gradient, gradient)
    if squares != 0:
        table.scale(n, 1 / sqrt(squares), gradient)


cdef dict KNOWN = {"sgd": SGD, "adam": Adam}


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
    return KNOWN[spec]()
