"""Networks in safetensors files, with a self-test.

A file holds ``layer0.weights``, ``layer0.biases`` ... in the precision of the network, and in its
metadata the activations.  ``self_test.input`` and ``self_test.output`` are one row and what the
network made of it; `load` replays them, so that a damaged file or a wrong build does not go
unnoticed.
"""

import json

import numpy as np

from fastnet import _files
from fastnet.nn.network import Network

__all__ = ["load", "save"]

FORMAT = "fastnet.network"
VERSION = 1


def self_test_input(n_inputs):
    """A row that every unit sees: values between -1 and 1, none of them special."""
    k = np.arange(n_inputs, dtype=np.float64)
    return np.sin(1.0 + k)


def save(net, path):
    """Write the network, replacing what is at ``path`` at once."""
    tensors = {}
    specs = []
    for k, layer in enumerate(net.layers):
        if not isinstance(layer.activation, str):
            raise ValueError(
                f"layer {k} has the custom activation {layer.activation!r}: a file holds no code, "
                "so only networks of named activations can be saved (pickle keeps functions)"
            )
        tensors[f"layer{k}.weights"] = layer.weights
        if layer.biases is not None:
            tensors[f"layer{k}.biases"] = layer.biases
        specs.append(layer.activation)
    x = self_test_input(net.n_inputs).astype(net.dtype)
    tensors["self_test.input"] = x
    tensors["self_test.output"] = net(x)
    metadata = {"format": FORMAT, "version": str(VERSION), "activations": json.dumps(specs)}
    _files.write(path, tensors, metadata)


def take(tensors, name, ndim):
    """A tensor of the file, checked."""
    if name not in tensors:
        raise _files.FileFormatError(f"the file has no tensor {name!r}")
    tensor = tensors[name]
    if tensor.ndim != ndim or tensor.dtype not in (np.float32, np.float64):
        raise _files.FileFormatError(
            f"tensor {name!r} must be float32 or float64 with {ndim} dimensions, "
            f"got {tensor.dtype} {tensor.shape}"
        )
    return tensor


def load(path):
    """A network written by ``net.save(path)``.

    Raises
    ------
    OSError
        There is no such file, or it cannot be read.
    fastnet.FileFormatError
        It is no such file, is damaged, or does not reproduce its self-test.
    """
    tensors, metadata = _files.read(path)
    if metadata.get("format") != FORMAT:
        raise _files.FileFormatError(f"{path} does not hold a fastnet network")
    if metadata.get("version") != str(VERSION):
        raise _files.FileFormatError(
            f"{path} has format version {metadata.get('version')!r}; "
            f"this fastnet reads version {VERSION}"
        )
    try:
        specs = json.loads(metadata.get("activations", ""))
    except (json.JSONDecodeError, RecursionError):
        raise _files.FileFormatError("the activations in the metadata are no JSON") from None
    if not isinstance(specs, list) or not specs or not all(isinstance(s, str) for s in specs):
        raise _files.FileFormatError("the metadata names no activations")
    layers = []
    for k, activation in enumerate(specs):
        weights = take(tensors, f"layer{k}.weights", 2)
        biases = None
        if f"layer{k}.biases" in tensors:
            biases = take(tensors, f"layer{k}.biases", 1)
        layers.append((weights, biases, activation))
    x, y = take(tensors, "self_test.input", 1), take(tensors, "self_test.output", 1)
    expected = {"self_test.input", "self_test.output"}
    for k, (_, biases, _) in enumerate(layers):
        expected |= {f"layer{k}.weights"} | ({f"layer{k}.biases"} if biases is not None else set())
    if set(tensors) != expected:
        raise _files.FileFormatError(f"unknown tensors {sorted(set(tensors) - expected)}")
    dtypes = {tensor.dtype for tensor in tensors.values()}
    if len(dtypes) != 1:
        raise _files.FileFormatError(f"tensors of several dtypes: {sorted(map(str, dtypes))}")
    try:
        net = Network.from_arrays(layers, dtype=dtypes.pop())
    except (ValueError, TypeError) as error:
        raise _files.FileFormatError(f"the layers do not make a network: {error}") from None
    if x.shape != (net.n_inputs,) or y.shape != (net.n_outputs,):
        raise _files.FileFormatError("the self-test does not fit the network")
    check_self_test(net, x, y)
    return net


def check_self_test(net, x, expected):
    """Compare within what another instruction set may round differently."""
    with np.errstate(all="ignore"):
        got = net(x)
        # sums of n terms in another order, through every layer
        terms = sum(layer.n_inputs + 8 for layer in net.layers)
        size = max(1.0, float(np.max(np.abs(expected), initial=0.0, where=np.isfinite(expected))))
        tolerance = 64 * np.finfo(net.dtype).eps * terms * size
        same = np.isclose(got, expected, rtol=0, atol=tolerance, equal_nan=True)
    if not same.all():
        k = int(np.argmin(same))
        raise _files.FileFormatError(
            f"the self-test failed: output {k} is {got[k]}, the file says {expected[k]}"
        )
