"""What every importer fills: a stack of layers with their arrays, made a network at the end."""

import dataclasses
import importlib

import numpy as np

from fastnet.nn.layers import Dense, Dropout, LayerNorm

__all__ = ["Stack", "check_named_activations", "real_array", "require"]

# f(s x) = s f(x) for s >= 0: it makes no difference whether dropout comes before or after them
HOMOGENEOUS = ("identity", "relu", "leaky_relu", "abs")


def require(module, extra):
    """The module of an optional dependency.

    Raises
    ------
    ImportError
        It is not installed; the message has the extra that brings it.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] != module.partition(".")[0]:
            raise  # it is there, but something that it needs is not
        raise ImportError(
            f"this needs {module.partition('.')[0]}, which is not installed: "
            f"pip install 'fastnet[{extra}]'",
            name=error.name,
        ) from None


@dataclasses.dataclass(frozen=True)
class Stack:
    """Layers so far, as pairs of what describes one and its arrays by name.

    Methods give a new stack.  What does not fit is a ValueError that begins with ``where``, the
    part of the other library's model and its position.
    """

    layers: tuple = ()

    @property
    def n_outputs(self):
        """Units of the last layer; None where the inputs come, of which there may be any number."""
        for spec, arrays in reversed(self.layers):
            if isinstance(spec, Dense):
                return spec.n_outputs
            if isinstance(spec, LayerNorm):
                return arrays["gains"].shape[0]
        return None

    @property
    def n_inputs(self):
        """Inputs that the layers expect; None where any number is right."""
        for spec, arrays in self.layers:
            if isinstance(spec, Dense):
                return arrays["weights"].shape[0]
            if isinstance(spec, LayerNorm):
                return arrays["gains"].shape[0]
        return None

    def dense(self, weights, biases, where):
        """weights (n_in, n_out), biases (n_out,) or None."""
        weights = real_array(weights, "weights", 2, where)
        if 0 in weights.shape:
            raise ValueError(f"{where} has no units: weights of shape {weights.shape}")
        self.check_width(weights.shape[0], where)
        arrays = {"weights": weights}
        if biases is not None:
            arrays["biases"] = real_array(biases, "biases", 1, where)
            if arrays["biases"].shape != weights.shape[1:]:
                raise ValueError(
                    f"{where} has {arrays['biases'].shape[0]} biases for {weights.shape[1]} units"
                )
        return Stack((*self.layers, (Dense(weights.shape[1], bias=biases is not None), arrays)))

    def layer_norm(self, gains, biases, epsilon, where):
        """gains and biases (n,)."""
        arrays = {
            "gains": real_array(gains, "gains", 1, where),
            "biases": real_array(biases, "biases", 1, where),
        }
        if arrays["gains"].shape != arrays["biases"].shape or not arrays["gains"].size:
            raise ValueError(
                f"{where} has {arrays['gains'].size} gains and {arrays['biases'].size} biases"
            )
        self.check_width(arrays["gains"].size, where)
        try:
            spec = LayerNorm(epsilon=epsilon)
        except ValueError as error:
            raise ValueError(f"{where}: {error}") from None
        return Stack((*self.layers, (spec, arrays)))

    def dropout(self, rate, where):
        try:
            return Stack((*self.layers, (Dropout(rate), {})))
        except ValueError as error:
            raise ValueError(f"{where}: {error}") from None

    def activation(self, name, where):
        """The activation of the last layer, which must have none yet."""
        if name == "identity":
            return self
        k = len(self.layers) - 1
        while k >= 0 and isinstance(self.layers[k][0], Dropout) and name in HOMOGENEOUS:
            k -= 1
        if k < 0:
            raise ValueError(f"{where} is applied to the inputs: fastnet has no layer for that")
        spec, arrays = self.layers[k]
        if isinstance(spec, Dropout):
            raise ValueError(
                f"{where} follows dropout: in a fastnet network dropout comes after the activation"
            )
        if spec.activation != "identity":
            raise ValueError(
                f"{where} follows the activation {spec.activation!r}: a layer has only one"
            )
        spec = dataclasses.replace(spec, activation=name)
        return Stack((*self.layers[:k], (spec, arrays), *self.layers[k + 1 :]))

    def add_biases(self, biases):
        """The stack with these added to the biases of the last layer, which is Dense."""
        spec, arrays = self.layers[-1]
        if spec.bias:
            biases = arrays["biases"] + biases
        last = dataclasses.replace(spec, bias=True), {**arrays, "biases": biases}
        return Stack((*self.layers[:-1], last))

    def check_width(self, n, where):
        if self.n_outputs not in (None, n):
            raise ValueError(
                f"{where} takes {n} values, but the layer before gives {self.n_outputs}"
            )

    def network(self, cls):
        """The network; float64 where an array is, else float32."""
        if self.n_inputs is None:
            raise ValueError("the model has no layers with parameters")
        arrays = [array for _, named in self.layers for array in named.values()]
        dtype = "float64" if any(array.dtype == np.float64 for array in arrays) else "float32"
        net = cls._of_layers(self.n_inputs, [spec for spec, _ in self.layers], dtype)
        for layer, (_, named) in zip(net.layers, self.layers, strict=True):
            for name, array in named.items():
                getattr(layer, name)[...] = array
        return net


def real_array(values, name, ndim, where):
    """A float32 or float64 array of so many dimensions."""
    array = np.asarray(values)
    if array.dtype == np.float16:
        array = array.astype(np.float32)
    if array.dtype not in (np.float32, np.float64):
        raise ValueError(f"{where} has {name} of dtype {array.dtype}, expected float32 or float64")
    if array.ndim != ndim:
        raise ValueError(f"{where} has {name} of shape {array.shape}, expected {ndim} dimensions")
    return array


def check_named_activations(net, what):
    """A custom activation is code, which no other library has."""
    for k, layer in enumerate(net.layers):
        if not isinstance(layer.activation, str):
            raise ValueError(
                f"layer {k} has the custom activation {layer.activation!r}, which {what} cannot "
                "have: only networks of named activations can be converted"
            )
