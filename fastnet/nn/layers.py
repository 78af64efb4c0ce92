"""Dense layers: what a user writes to describe one, and what a network shows of its own."""

import operator
import sys
from dataclasses import dataclass

import numpy as np

from fastnet.activations import resolve as resolve_activation
from fastnet.nn import initializers


def check_width(n, name):
    """A number of units as an int of at least 1."""
    if isinstance(n, (bool, np.bool_)):
        raise TypeError(f"{name} must be an int, got {n!r}")
    try:
        n = operator.index(n)
    except TypeError:
        raise TypeError(f"{name} must be an int, got {n!r}") from None
    if not 1 <= n <= sys.maxsize:
        raise ValueError(f"{name} must be at least 1 and fit in memory, got {n}")
    return n


@dataclass(frozen=True)
class Dense:
    """A layer in which every output sees every input: ``f(x @ weights + biases)``.

    Parameters
    ----------
    n_outputs : int
        Number of units, at least 1.
    activation : str or fastnet.Activation
        A name of ``fastnet.activations.names()`` or a custom activation.
    bias : bool
        Whether the layer has biases.
    init : str or callable
        Initial weights: a name of `fastnet.nn.initializers` or ``callable(rng, n_in, n_out)``.

    Examples
    --------
    >>> import fastnet as fn
    >>> fn.Network(4, layers=[fn.Dense(8, "tanh"), fn.Dense(2, bias=False)], seed=0)
    Network([4, 8, 2], hidden='tanh', bias=[True, False])
    """

    n_outputs: int
    activation: object = "identity"
    bias: bool = True
    init: object = "auto"

    def __post_init__(self):
        # the dataclass is frozen: its fields are set once, here to their checked values
        object.__setattr__(self, "n_outputs", check_width(self.n_outputs, "n_outputs"))
        object.__setattr__(self, "activation", resolve_activation(self.activation))
        if not isinstance(self.bias, (bool, np.bool_)):
            raise TypeError(f"bias must be True or False, got {self.bias!r}")
        initializers.check(self.init)


class Layer:
    """One layer of a network; its arrays are views of ``network.parameters``.

    Attributes
    ----------
    weights : ndarray (n_inputs, n_outputs)
        Writable view.
    biases : ndarray (n_outputs,) or None
        Writable view.
    activation : str or fastnet.Activation
    """

    __slots__ = ("activation", "biases", "weights")

    def __init__(self, weights, biases, activation):
        self.weights = weights
        self.biases = biases
        self.activation = activation

    @property
    def n_inputs(self):
        return self.weights.shape[0]

    @property
    def n_outputs(self):
        return self.weights.shape[1]

    def __repr__(self):
        bias = "" if self.biases is not None else ", bias=False"
        return f"Layer({self.n_inputs}, {self.n_outputs}, {self.activation!r}{bias})"
