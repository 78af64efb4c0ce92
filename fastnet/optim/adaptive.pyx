"""Optimizers with a step length of its own for each parameter."""

import math

from fastnet._kernels.table cimport Kernels
from fastnet.optim.arguments cimport number
from fastnet.optim.first_order cimport FirstOrder
from fastnet.optim.optimizers cimport Optimizer, element

__all__ = ["Adagrad", "Adam", "AdamW", "RMSProp"]


cdef class Adam(FirstOrder):
    """Adam: steps scaled by running means of the gradient and of its square.

    Parameters
    ----------
    learning_rate : float, schedule or callable(step_index), default 1e-3
    beta1, beta2 : float in [0, 1), default 0.9 and 0.999
        Decay of the two means m and v.
    epsilon : float > 0, default 1e-8
        parameters -= learning_rate m' / (sqrt(v') + epsilon), m' and v' being m and v without their
        bias to zero.
    clip_norm : float > 0, optional
        A gradient of a larger Euclidean norm is scaled down to this one.
    clip_value : float > 0, optional
        Elements of the gradient are first clipped to [-clip_value, clip_value].

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

    def __init__(self, learning_rate=1e-3, beta1=0.9, beta2=0.999, epsilon=1e-8, *, clip_norm=None,
                 clip_value=None):
        self.set_means(beta1, beta2, epsilon)
        self.set_clipping(clip_norm, clip_value)
        super().__init__(learning_rate)

    cdef int set_means(self, object beta1, object beta2, object epsilon) except -1:
        self.beta1 = number(beta1, "beta1", 0, 1, "[0, 1)")
        self.beta2 = number(beta2, "beta2", 0, 1, "[0, 1)")
        self.epsilon = number(epsilon, "epsilon", 0, math.inf, "(0, inf)")
        return 0

    cdef dict arguments(self):
        return {
            "learning_rate": self.learning_rate, "beta1": self.beta1, "beta2": self.beta2,
            "epsilon": self.epsilon,
        } | FirstOrder.arguments(self)

    cdef dict defaults(self):
        return {
            "learning_rate": 1e-3, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8,
        } | FirstOrder.defaults(self)

    cdef tuple state_names(self):
        return ("m", "v")

    cdef int bind(self) except -1:
        self.m = self.state_data("m")
        self.v = self.state_data("v")
        return 0

    cdef void update(self, const Kernels *table, Py_ssize_t first, Py_ssize_t n, void *parameters,
                     void *gradient, double learning_rate) noexcept nogil:
        table.adam(n, element(table, parameters, first), element(table, gradient, first),
                   element(table, self.m, first), element(table, self.v, first), self.step_count,
                   learning_rate, self.beta1, self.beta2, self.epsilon, self.decoupled_decay)


cdef class AdamW(Adam):
    """Adam with weight decay beside the gradient instead of in it.

    Parameters
    ----------
    learning_rate : float, schedule or callable(step_index), default 1e-3
    beta1, beta2 : float in [0, 1), default 0.9 and 0.999
        Decay of the two means m and v.
    epsilon : float > 0, default 1e-8
        As in `Adam`.
    weight_decay : float >= 0, default 0.01
        Each step also subtracts learning_rate weight_decay parameters, of all parameters.
    clip_norm, clip_value : float > 0, optional
        As in `Adam`.

    References
    ----------
    Loshchilov, Hutter: Decoupled Weight Decay Regularization, ICLR 2019, algorithm 2; as in PyTorch
    the decay is multiplied with the whole learning rate.

    Examples
    --------
    >>> import numpy as np
    >>> import fastnet as fn
    >>> x = np.array([3.0, -4.0])
    >>> fn.AdamW(learning_rate=0.1, weight_decay=0.5).step(x, gradient=2 * x)
    >>> x.round(6)
    array([ 2.75, -3.7 ])
    """

    def __init__(self, learning_rate=1e-3, beta1=0.9, beta2=0.999, epsilon=1e-8, weight_decay=0.01,
                 *, clip_norm=None, clip_value=None):
        self.set_means(beta1, beta2, epsilon)
        self.decoupled_decay = number(weight_decay, "weight_decay", 0, math.inf, "[0, inf)")
        self.set_clipping(clip_norm, clip_value)
        Optimizer.__init__(self, learning_rate)

    @property
    def weight_decay(self):
        """Each step also subtracts learning_rate weight_decay parameters."""
        return self.decoupled_decay

    cdef dict arguments(self):
        return Adam.arguments(self) | {"weight_decay": self.decoupled_decay}

    cdef dict defaults(self):
        return Adam.defaults(self) | {"weight_decay": 0.01}


cdef class RMSProp(FirstOrder):
    """Steps divided by the root of a running mean of the squared gradient.

    With momentum, a velocity v = momentum v + g / (sqrt(mean of g^2) + epsilon) takes the place of
    the quotient.

    Parameters
    ----------
    learning_rate : float, schedule or callable(step_index), default 1e-3
    decay : float in [0, 1), default 0.9
        Of the running mean (PyTorch calls it alpha and takes 0.99).
    momentum : float in [0, 1), default 0.0
    epsilon : float > 0, default 1e-8
        Outside of the root, as in PyTorch; Graves has it inside.
    centered : bool, default False
        Subtract the square of the running mean of the gradient: its variance is under the root.
    weight_decay : float >= 0, default 0.0
        g += weight_decay parameters (L2).
    clip_norm : float > 0, optional
        A gradient of a larger Euclidean norm is scaled down to this one.
    clip_value : float > 0, optional
        Elements of the gradient are first clipped to [-clip_value, clip_value].

    References
    ----------
    Tieleman, Hinton: Lecture 6.5 of Neural Networks for Machine Learning, 2012. Graves: Generating
    Sequences With Recurrent Neural Networks, 2013, equations 38 to 41 (centered, momentum).

    Examples
    --------
    >>> import numpy as np
    >>> import fastnet as fn
    >>> x = np.array([3.0, -4.0])
    >>> fn.RMSProp(learning_rate=0.1, decay=0.75).step(x, gradient=2 * x)
    >>> x.round(6)
    array([ 2.8, -3.8])
    """

    def __init__(self, learning_rate=1e-3, decay=0.9, momentum=0.0, epsilon=1e-8, centered=False,
                 weight_decay=0.0, *, clip_norm=None, clip_value=None):
        self.decay = number(decay, "decay", 0, 1, "[0, 1)")
        self.momentum = number(momentum, "momentum", 0, 1, "[0, 1)")
        self.epsilon = number(epsilon, "epsilon", 0, math.inf, "(0, inf)")
        self.centered = centered
        self.weight_decay = number(weight_decay, "weight_decay", 0, math.inf, "[0, inf)")
        self.set_clipping(clip_norm, clip_value)
        super().__init__(learning_rate)

    cdef dict arguments(self):
        return {
            "learning_rate": self.learning_rate, "decay": self.decay, "momentum": self.momentum,
            "epsilon": self.epsilon, "centered": self.centered, "weight_decay": self.weight_decay,
        } | FirstOrder.arguments(self)

    cdef dict defaults(self):
        return {
            "learning_rate": 1e-3, "decay": 0.9, "momentum": 0.0, "epsilon": 1e-8,
            "centered": False, "weight_decay": 0.0,
        } | FirstOrder.defaults(self)

    cdef tuple state_names(self):
        return (
            "square", *(("mean",) if self.centered else ()),
            *(("velocity",) if self.momentum > 0 else ()),
        )

    cdef int bind(self) except -1:
        self.square = self.state_data("square")
        self.mean = self.state_data("mean")
        self.velocity = self.state_data("velocity")
        return 0

    cdef void update(self, const Kernels *table, Py_ssize_t first, Py_ssize_t n, void *parameters,
                     void *gradient, double learning_rate) noexcept nogil:
        table.rmsprop(n, element(table, parameters, first), element(table, gradient, first),
                      element(table, self.square, first), element(table, self.mean, first),
                      element(table, self.velocity, first), learning_rate, self.decay,
                      self.momentum, self.epsilon, self.weight_decay)


cdef class Adagrad(FirstOrder):
    """Steps divided by the root of the sum of all squared gradients so far.

    Parameters
    ----------
    learning_rate : float, schedule or callable(step_index), default 0.01
    initial : float >= 0, default 0.0
        What the sums begin with.
    epsilon : float > 0, default 1e-10
        parameters -= learning_rate g / (sqrt(sum) + epsilon).
    weight_decay : float >= 0, default 0.0
        g += weight_decay parameters (L2).
    clip_norm : float > 0, optional
        A gradient of a larger Euclidean norm is scaled down to this one.
    clip_value : float > 0, optional
        Elements of the gradient are first clipped to [-clip_value, clip_value].

    References
    ----------
    Duchi, Hazan, Singer: Adaptive Subgradient Methods for Online Learning and Stochastic
    Optimization, JMLR 12, 2011: figure 1, with diagonal matrices; epsilon is outside of the root as
    in PyTorch.

    Examples
    --------
    >>> import numpy as np
    >>> import fastnet as fn
    >>> x = np.array([3.0, -4.0])
    >>> optimizer = fn.Adagrad(learning_rate=0.5)
    >>> optimizer.step(x, gradient=2 * x)
    >>> x.round(6)
    array([ 2.5, -3.5])
    """

    def __init__(self, learning_rate=0.01, initial=0.0, epsilon=1e-10, weight_decay=0.0, *,
                 clip_norm=None, clip_value=None):
        self.initial = number(initial, "initial", 0, math.inf, "[0, inf)")
        self.epsilon = number(epsilon, "epsilon", 0, math.inf, "(0, inf)")
        self.weight_decay = number(weight_decay, "weight_decay", 0, math.inf, "[0, inf)")
        self.set_clipping(clip_norm, clip_value)
        super().__init__(learning_rate)

    cdef dict arguments(self):
        return {
            "learning_rate": self.learning_rate, "initial": self.initial, "epsilon": self.epsilon,
            "weight_decay": self.weight_decay,
        } | FirstOrder.arguments(self)

    cdef dict defaults(self):
        return {
            "learning_rate": 0.01, "initial": 0.0, "epsilon": 1e-10, "weight_decay": 0.0,
        } | FirstOrder.defaults(self)

    cdef tuple state_names(self):
        return ("squares",)

    cdef int prepare(self, Py_ssize_t n, Py_ssize_t itemsize) except -1:
        cdef bint is_new = self.size < 0
        Optimizer.prepare(self, n, itemsize)
        if is_new:
            self.arrays["squares"].fill(self.initial)
        return 0

    cdef int bind(self) except -1:
        self.squares = self.state_data("squares")
        return 0

    cdef void update(self, const Kernels *table, Py_ssize_t first, Py_ssize_t n, void *parameters,
                     void *gradient, double learning_rate) noexcept nogil:
        table.adagrad(n, element(table, parameters, first), element(table, gradient, first),
                      element(table, self.squares, first), learning_rate, self.epsilon,
                      self.weight_decay)
