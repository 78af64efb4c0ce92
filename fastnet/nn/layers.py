"""Dense layers: what a user writes to describe one, and what a network shows of its own."""

from dataclasses import dataclass


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
