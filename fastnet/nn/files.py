"""Networks in safetensors files, with a self-test.

A file holds ``layer0.weights``, ``layer0.biases`` ... in the precision of the network, and in its
metadata the layers.  ``self_test.input`` and ``self_test.output`` are one row and what the
network made of it; `load` replays them, so that a wrong build does not go unnoticed.  One row says
nothing of units that are off for it: against damage there is a checksum of all that is read.
"""

import binascii
import json
import sys

import numpy as np

from fastnet import _files
from fastnet.nn.layers import Dense, Dropout, LayerNorm
from fastnet.nn.network import Network

__all__ = ["load", "save"]

FORMAT = "fastnet.network"
VERSION = 1

# What describes a layer in the metadata, by its kind
KEYS = {
    "dense": ["activation", "kind"],
    "dropout": ["kind", "rate"],
    "layer_norm": ["activation", "epsilon", "kind"],
}


def self_test_input(n_inputs):
    """A row that every unit sees: values between -1 and 1, none of them special."""
    k = np.arange(n_inputs, dtype=np.float64)
    return np.sin(1.0 + k)


def save(net, path):
    """Write the network, replacing what is at ``path`` at once."""
    tensors = {}
    described = []
    for k, layer in enumerate(net.layers):
        if not isinstance(layer.activation, str):
            raise ValueError(
                f"layer {k} has the custom activation {layer.activation!r}: a file holds no code, "
                "so only networks of named activations can be saved (pickle keeps functions)"
            )
        for name in ("weights", "gains", "biases"):
            if getattr(layer, name, None) is not None:
                tensors[f"layer{k}.{name}"] = getattr(layer, name)
        described.append(describe(layer.spec))
    x = self_test_input(net.n_inputs).astype(net.dtype)
    tensors["self_test.input"] = x
    tensors["self_test.output"] = net(x)
    text = json.dumps(described)
    metadata = {
        "format": FORMAT,
        "version": str(VERSION),
        "layers": text,
        "checksum": checksum(tensors, text),
    }
    _files.write(path, tensors, metadata)


def checksum(tensors, text):
    """CRC-32 of the text that describes the layers and of all tensors."""
    crc = binascii.crc32(text.encode("utf-8", "surrogatepass"))
    for name in sorted(tensors):
        tensor = np.ascontiguousarray(tensors[name])
        if sys.byteorder == "big":
            tensor = tensor.astype(tensor.dtype.newbyteorder("<"))
        crc = binascii.crc32(repr((name, tensor.dtype.str, tensor.shape)).encode(), crc)
        crc = binascii.crc32(tensor, crc)
    return f"{crc:08x}"


def describe(spec):
    """A layer as JSON has it; sizes and biases are seen from the tensors."""
    if isinstance(spec, Dropout):
        return {"kind": "dropout", "rate": spec.rate}
    if isinstance(spec, LayerNorm):
        return {"kind": "layer_norm", "activation": spec.activation, "epsilon": spec.epsilon}
    return {"kind": "dense", "activation": spec.activation}


def parse_layers(text):
    """The descriptions of the layers in the metadata, each with the keys of its kind."""
    described = _files.parse_json(text, "the description of the layers", floats=True)
    if not isinstance(described, list) or not described:
        raise _files.FileFormatError("the metadata names no layers")
    for k, entry in enumerate(described):
        kind = entry.get("kind") if isinstance(entry, dict) else None
        if not isinstance(kind, str) or sorted(entry) != KEYS.get(kind):
            raise _files.FileFormatError(f"layer {k} in the metadata is no known layer")
    return described


def restore(entry, k, tensors, n_inputs):
    """The layer of an entry, and how many outputs it has."""
    try:
        if entry["kind"] == "dropout":
            return Dropout(entry["rate"]), n_inputs
        if entry["kind"] == "layer_norm":
            n = take(tensors, f"layer{k}.gains", 1).shape[0]
            return LayerNorm(entry["activation"], entry["epsilon"]), n
        n = take(tensors, f"layer{k}.weights", 2).shape[1]
        has_biases = f"layer{k}.biases" in tensors
        return Dense(n, entry["activation"], has_biases), n
    except (ValueError, TypeError) as error:
        if isinstance(error, _files.FileFormatError):
            raise
        # cut, for an unknown activation is quoted however long it is
        raise _files.FileFormatError(f"layer {k}: {str(error)[:500]}") from None


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


def shapes_of(n_inputs, specs):
    """The tensors of a network of these layers, and their shapes."""
    shapes = {}
    n = n_inputs
    for k, spec in enumerate(specs):
        if isinstance(spec, Dense):
            shapes[f"layer{k}.weights"] = (n, spec.n_outputs)
            n = spec.n_outputs
            if spec.bias:
                shapes[f"layer{k}.biases"] = (n,)
        elif isinstance(spec, LayerNorm):
            shapes[f"layer{k}.gains"] = shapes[f"layer{k}.biases"] = (n,)
    return shapes


def load(path):
    """A network written by ``net.save(path)``.

    Raises
    ------
    OSError
        There is no such file, or it cannot be read.
    fastnet.FileFormatError
        It is no such file, is damaged, or does not reproduce its self-test.
    """
    return restored(*_files.read(path), path)


def from_bytes(data):
    """The same from the content of a file, which is copied."""
    return restored(*_files.read_bytes(data), "the file")


def restored(tensors, metadata, path):
    """The network of a file, with every check; path is for messages."""
    if metadata.get("format") != FORMAT:
        raise _files.FileFormatError(f"{path} does not hold a fastnet network")
    if metadata.get("version") != str(VERSION):
        raise _files.FileFormatError(
            f"{path} has format version {_files.brief.repr(metadata.get('version'))}; "
            f"this fastnet reads version {VERSION}"
        )
    text = metadata.get("layers", "")
    entries = parse_layers(text)
    x, y = take(tensors, "self_test.input", 1), take(tensors, "self_test.output", 1)
    dtypes = {tensor.dtype for tensor in tensors.values()}
    if len(dtypes) != 1:
        raise _files.FileFormatError(f"tensors of several dtypes: {sorted(map(str, dtypes))}")
    specs = []
    n = len(x)
    for k, entry in enumerate(entries):
        spec, n = restore(entry, k, tensors, n)
        specs.append(spec)
    shapes = shapes_of(len(x), specs)
    for name, shape in shapes.items():
        if take(tensors, name, len(shape)).shape != shape:
            raise _files.FileFormatError(
                f"tensor {name!r} has shape {tensors[name].shape}, expected {shape}"
            )
    unknown = set(tensors) - set(shapes) - {"self_test.input", "self_test.output"}
    if unknown:
        raise _files.FileFormatError(f"unknown tensors {_files.brief.repr(sorted(unknown))}")
    if y.shape != (n,):
        raise _files.FileFormatError("the self-test does not fit the network")
    try:
        net = Network._of_layers(len(x), specs, dtypes.pop())
    except (ValueError, TypeError) as error:
        raise _files.FileFormatError(f"the layers do not make a network: {error}") from None
    for k, layer in enumerate(net.layers):
        for name in ("weights", "gains", "biases"):
            if f"layer{k}.{name}" in shapes:
                getattr(layer, name)[...] = tensors[f"layer{k}.{name}"]
    if metadata.get("checksum") != checksum(tensors, text):
        raise _files.FileFormatError(f"{path} is damaged: its checksum is another")
    check_self_test(net, x, y)
    return net


def check_self_test(net, x, expected):
    """Compare within what another instruction set may round differently."""
    eps = float(np.finfo(net.dtype).eps)
    with np.errstate(all="ignore"):
        got = net(x)
        # sums of n terms in another order, through every layer
        terms = sum(layer.n_inputs + 8 for layer in net.layers)
        size = max(1.0, float(np.max(np.abs(expected), initial=0.0, where=np.isfinite(expected))))
        tolerance = 64.0 * eps * terms * size
        same = np.isclose(got, expected, rtol=0, atol=tolerance, equal_nan=True)
        if not same.all():
            # where the last bits of the input make more of a difference, rounding does so, too
            signs = np.sign(np.sin(1.0 + np.arange(4 * x.size)).reshape(4, -1))
            moved = net((x * (1 + 4 * eps * signs)).astype(net.dtype))
            spread = 64.0 * np.max(np.abs(moved - got).astype(np.float64), axis=0)
            same |= np.abs(got - expected.astype(np.float64)) <= spread
    if not same.all():
        k = int(np.argmin(same))
        raise _files.FileFormatError(
            f"the self-test failed: output {k} is {got[k]}, the file says {expected[k]}"
        )
