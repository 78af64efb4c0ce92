"""Layers: what a user writes to describe one, and what a network shows of its own."""

import numbers
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

    def __repr__(self):
        changed = "" if self.bias else ", bias=False"
        if self.init != "auto":
            changed += f", init={self.init!r}"
        return f"Dense({self.n_outputs}, {self.activation!r}{changed})"


@dataclass(frozen=True)
class Dropout:
    """A layer that sets each value to 0 with probability ``rate`` while a network is trained.

    The values that are kept are divided by ``1 - rate``. Only `fit` and `partial_fit` drop;
    ``net(X)``, ``predict``, ``evaluate`` and ``loss_and_gradient`` pass everything through.

    Parameters
    ----------
    rate : float in [0, 1)

    References
    ----------
    Srivastava, Hinton, Krizhevsky, Sutskever, Salakhutdinov: Dropout: A Simple Way to Prevent
    Neural Networks from Overfitting, JMLR 15, 2014.

    Examples
    --------
    >>> import fastnet as fn
    >>> fn.Network(4, layers=[fn.Dense(8, "relu"), fn.Dropout(0.2), fn.Dense(2)], seed=0)
    Network(4, layers=[Dense(8, 'relu'), Dropout(0.2), Dense(2, 'identity')])
    """

    rate: float = 0.5

    def __post_init__(self):
        rate = checked_number(self.rate, "rate")
        if not 0 <= rate < 1:
            raise ValueError(f"rate must be in [0, 1), got {self.rate!r}")
        object.__setattr__(self, "rate", rate)

    def __repr__(self):
        return f"Dropout({self.rate!r})"


@dataclass(frozen=True)
class LayerNorm:
    """A layer that gives the values of each row mean 0 and variance 1, then scales and shifts them.

    ``f(gains * (x - mean) / sqrt(variance + epsilon) + biases)`` with mean and variance over the
    values of the row; gains begin at 1 and biases at 0.

    Parameters
    ----------
    activation : str or fastnet.Activation
        Of the normalized values; "identity" by default.
    epsilon : float > 0

    References
    ----------
    Ba, Kiros, Hinton: Layer Normalization, 2016, equation 4.

    Examples
    --------
    >>> import fastnet as fn
    >>> fn.Network(4, layers=[fn.Dense(8), fn.LayerNorm("relu"), fn.Dense(2)], seed=0)
    Network(4, layers=[Dense(8, 'identity'), LayerNorm('relu'), Dense(2, 'identity')])
    """

    activation: object = "identity"
    epsilon: float = 1e-5

    def __post_init__(self):
        object.__setattr__(self, "activation", resolve_activation(self.activation))
        epsilon = checked_number(self.epsilon, "epsilon")
        if not 0 < epsilon < np.inf:
            raise ValueError(f"epsilon must be in (0, inf), got {self.epsilon!r}")
        object.__setattr__(self, "epsilon", epsilon)

    def __repr__(self):
        changed = "" if self.epsilon == 1e-5 else f", epsilon={self.epsilon!r}"
        return f"LayerNorm({self.activation!r}{changed})"


def checked_number(value, name):
    """A real number as a float."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise TypeError(f"{name} must be a number, got {type(value).__name__}")
    return float(value)


# For constructors, which have no need of the check below
_set = object.__setattr__


class _Layer:
    __slots__ = ()

    def __setattr__(self, name, value):
        # The arrays are views, and spec keeps the activation that the network calls
        if getattr(self, name, value) is not value:
            raise AttributeError(
                f"{name} of a layer cannot be replaced; its arrays can be written to, as in "
                f"layer.weights[:] = ..."
            )
        object.__setattr__(self, name, value)


class DenseLayer(_Layer):
    """A dense layer of a network; its arrays are views of ``network.parameters``.

    Attributes
    ----------
    weights : ndarray (n_inputs, n_outputs)
        Writable view.
    biases : ndarray (n_outputs,) or None
        Writable view.
    activation : str or fastnet.Activation
    spec : Dense
        What describes the layer.
    """

    __slots__ = ("biases", "n_inputs", "n_outputs", "spec", "weights")

    def __init__(self, spec, n_inputs, parameters):
        _set(self, "spec", spec)
        _set(self, "n_inputs", n_inputs)
        _set(self, "n_outputs", spec.n_outputs)
        n = n_inputs * spec.n_outputs
        _set(self, "weights", parameters[:n].reshape(n_inputs, spec.n_outputs))
        _set(self, "biases", parameters[n:] if spec.bias else None)

    @property
    def activation(self):
        return self.spec.activation

    def __repr__(self):
        bias = "" if self.biases is not None else ", bias=False"
        return f"DenseLayer({self.n_inputs}, {self.n_outputs}, {self.activation!r}{bias})"


class DropoutLayer(_Layer):
    """A dropout layer of a network.

    Attributes
    ----------
    rate : float
    spec : Dropout
        What describes the layer.
    """

    __slots__ = ("n_inputs", "n_outputs", "spec")
    activation = "identity"
    weights = None
    biases = None

    def __init__(self, spec, n_inputs, parameters):
        _set(self, "spec", spec)
        _set(self, "n_inputs", n_inputs)
        _set(self, "n_outputs", n_inputs)

    @property
    def rate(self):
        return self.spec.rate

    def __repr__(self):
        return f"DropoutLayer({self.n_outputs}, rate={self.rate!r})"


class LayerNormLayer(_Layer):
    """A layer normalization of a network; its arrays are views of ``network.parameters``.

    Attributes
    ----------
    gains, biases : ndarray (n_outputs,)
        Writable views.
    activation : str or fastnet.Activation
    epsilon : float
    spec : LayerNorm
        What describes the layer.
    """

    __slots__ = ("biases", "gains", "n_inputs", "n_outputs", "spec")
    weights = None

    def __init__(self, spec, n_inputs, parameters):
        _set(self, "spec", spec)
        _set(self, "n_inputs", n_inputs)
        _set(self, "n_outputs", n_inputs)
        _set(self, "gains", parameters[:n_inputs])
        _set(self, "biases", parameters[n_inputs:])

    @property
    def activation(self):
        return self.spec.activation

    @property
    def epsilon(self):
        return self.spec.epsilon

    def __repr__(self):
        return f"LayerNormLayer({self.n_outputs}, {self.activation!r})"


def n_outputs_of(spec, n_inputs):
    """Units of a described layer behind so many inputs."""
    return spec.n_outputs if isinstance(spec, Dense) else n_inputs


def n_parameters_of(spec, n_inputs):
    """Parameters of a described layer behind so many inputs, as an int that cannot overflow."""
    if isinstance(spec, Dense):
        return (int(n_inputs) + bool(spec.bias)) * spec.n_outputs
    return 2 * int(n_inputs) if isinstance(spec, LayerNorm) else 0


def view_of(spec, n_inputs, parameters):
    """What a network shows of a described layer, over its part of the flat parameters."""
    return VIEWS[type(spec)](spec, n_inputs, parameters)


VIEWS = {Dense: DenseLayer, Dropout: DropoutLayer, LayerNorm: LayerNormLayer}


def describe(inputs, layers, hidden, output_activation, bias, init):
    """Both forms of construction as (n_inputs, list of layers)."""
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
                f"layers must be a list such as [fastnet.Dense(16)], got {type(layers).__name__}"
            ) from None
        if not layers:
            raise ValueError("layers must hold at least one layer")
        for k, layer in enumerate(layers):
            if type(layer) not in VIEWS:
                raise TypeError(
                    f"layers[{k}] must be a fastnet.Dense, Dropout or LayerNorm, "
                    f"got {type(layer).__name__}"
                )
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
