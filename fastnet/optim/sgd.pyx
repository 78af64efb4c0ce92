"""Gradient descent, plain, with momentum, or with steps of a fixed length."""

import math

from libc.math cimport fabs, sqrt

from fastnet._kernels.table cimport Kernels
from fastnet.optim.arguments cimport number
from fastnet.optim.optimizers cimport Optimizer

__all__ = ["SGD"]


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
