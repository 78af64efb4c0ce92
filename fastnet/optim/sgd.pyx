"""Gradient descent, plain, with momentum, or with steps of a fixed length."""

import math

from fastnet._kernels.table cimport Kernels
from fastnet.optim.arguments cimport number
from fastnet.optim.first_order cimport FirstOrder, rescale
from fastnet.optim.optimizers cimport element

__all__ = ["SGD"]


cdef class SGD(FirstOrder):
    """Gradient descent, plain, with momentum, or with steps of a fixed length.

    Parameters
    ----------
    learning_rate : float, schedule or callable(step_index), default 0.01
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
        Not together with clipping.
    clip_norm : float > 0, optional
        A gradient of a larger Euclidean norm is scaled down to this one.
    clip_value : float > 0, optional
        Elements of the gradient are first clipped to [-clip_value, clip_value].

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
                 normalize=False, *, clip_norm=None, clip_value=None):
        self.momentum = number(momentum, "momentum", 0, 1, "[0, 1)")
        self.nesterov = nesterov
        self.weight_decay = number(weight_decay, "weight_decay", 0, math.inf, "[0, inf)")
        self.normalize = normalize
        if self.nesterov and self.momentum == 0:
            raise ValueError("nesterov needs momentum > 0, got momentum=0")
        if self.normalize and (clip_norm is not None or clip_value is not None):
            raise ValueError("normalize=True fixes the length already: it takes no clip_norm or "
                             "clip_value")
        self.set_clipping(clip_norm, clip_value)
        super().__init__(learning_rate)

    cdef dict arguments(self):
        return {
            "learning_rate": self.learning_rate, "momentum": self.momentum,
            "nesterov": self.nesterov, "weight_decay": self.weight_decay,
            "normalize": self.normalize,
        } | FirstOrder.arguments(self)

    cdef dict defaults(self):
        return {
            "learning_rate": 0.01, "momentum": 0.0, "nesterov": False, "weight_decay": 0.0,
            "normalize": False,
        } | FirstOrder.defaults(self)

    cdef tuple state_names(self):
        return ("velocity",) if self.momentum > 0 else ()

    cdef int bind(self) except -1:
        self.velocity = self.state_data("velocity")
        return 0

    cdef bint overwrites_gradient(self):
        return self.normalize or FirstOrder.overwrites_gradient(self)

    cdef void begin_step(self, const Kernels *table, Py_ssize_t n, void *gradient) noexcept nogil:
        FirstOrder.begin_step(self, table, n, gradient)
        if self.normalize:
            rescale(table, n, gradient, 1, False)

    cdef void update(self, const Kernels *table, Py_ssize_t first, Py_ssize_t n, void *parameters,
                     void *gradient, double learning_rate) noexcept nogil:
        cdef void *p = element(table, parameters, first)
        cdef void *g = element(table, gradient, first)
        if self.momentum > 0:
            table.momentum(n, p, g, element(table, self.velocity, first), learning_rate,
                           self.momentum, self.nesterov, self.weight_decay)
        else:
            table.sgd(n, p, g, learning_rate, self.weight_decay)
