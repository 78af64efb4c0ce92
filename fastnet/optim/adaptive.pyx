"""Optimizers with a step length of its own for each parameter."""

import math

from fastnet._kernels.table cimport Kernels
from fastnet.optim.arguments cimport number
from fastnet.optim.optimizers cimport Optimizer

__all__ = ["Adam"]


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
