"""Dense layers: what a user writes to describe one, and what a network shows of its own."""

from dataclasses import dataclass

import numpy as np

from fastnet._checks import checked_int
from fastnet.activations import resolve as resolve_activation
from fastnet.nn import initializers


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
        object.__setattr__(self, "n_outputs", checked_int(self.n_outputs, "n_outputs"))
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


def describe(inputs, layers, hidden, output_activation, bias, init):
    """Both forms of construction as (n_inputs, list of Dense)."""
    if layers is not None:
        if isinstance(inputs, (list, tuple, np.ndarray)):
            raise TypeError(
                "inputs must be the number of inputs (an int) where layers= is given, "
                f"got {inputs!r}"
            )
        try:
            layers = list(layers)
        except TypeError:
            raise TypeError(
                f"layers must be a list of fastnet.Dense, got {type(layers).__name__}"
            ) from None
        if not layers:
            raise ValueError("layers must hold at least one layer")
        for k, layer in enumerate(layers):
            if not isinstance(layer, Dense):
                raise TypeError(f"layers[{k}] must be a fastnet.Dense, got {type(layer).__name__}")
        return inputs, layers
    if isinstance(inputs, (int, np.integer)):
        raise TypeError(f"sizes must be a list such as [{inputs}, 16, 1]; or give layers=[...]")
    try:
        sizes = list(inputs)
    except TypeError:
        raise TypeError(f"sizes must be a list of ints, got {type(inputs).__name__}") from None
    if len(sizes) < 2:
        raise ValueError(f"sizes must name inputs and at least one layer, got {sizes}")
    if not isinstance(hidden, (list, tuple)):
        hidden = [hidden] * (len(sizes) - 2)
    elif len(hidden) != len(sizes) - 2:
        raise ValueError(
            f"hidden must be one activation or {len(sizes) - 2} of them, got {len(hidden)}"
        )
    activations = [named("hidden", f) for f in hidden] + [named("output", output_activation)]
    widths = [checked_int(n, f"sizes[{k}]") for k, n in enumerate(sizes)]
    return widths[0], [
        Dense(n, f, bias, init) for n, f in zip(widths[1:], activations, strict=True)
    ]


def named(argument, activation):
    """The activation, checked; messages name the argument it came by."""
    try:
        return resolve_activation(activation)
    except (ValueError, TypeError) as error:
        raise type(error)(f"{argument}: {error}") from None
