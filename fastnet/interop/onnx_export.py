"""Networks as ONNX models."""

import os
from importlib.metadata import PackageNotFoundError

import numpy as np

from fastnet import _files
from fastnet._config import version
from fastnet.interop.onnx_activations import EXPORT, EXPORT64, SINCE, Ops
from fastnet.interop.stack import check_named_activations, require
from fastnet.nn.layers import Dropout, LayerNorm

__all__ = ["to_onnx"]

# Protocol buffers end at 2 GiB
LARGEST = 2**31 - 2**20


class Nodes(Ops):
    """The nodes of a graph in the making."""

    def __init__(self, onnx, dtype):
        self.onnx = onnx
        self.dtype = dtype
        self.opset = 13
        self.prefix = ""
        self.nodes = []
        self.initializers = {}

    def array(self, name, array):
        """An array that the model holds."""
        array = np.ascontiguousarray(array, self.dtype)
        self.initializers[name] = self.onnx.numpy_helper.from_array(array, name)
        return name

    def apply(self, op, *inputs, **attributes):
        names = [
            x if isinstance(x, str) else self.array(f"constant {x:.17g}", np.array(x))
            for x in inputs
        ]
        output = f"{self.prefix}.{op}{len(self.nodes)}"
        node = self.onnx.helper.make_node(op, names, [output], name=output, **attributes)
        self.nodes.append(node)
        self.opset = max(self.opset, SINCE.get(op, 13))
        return output


def to_onnx(net, path=None):
    """An ONNX model that computes what the network computes.

    The graph takes ``X`` (n_rows, n_inputs) and gives ``y`` (n_rows, n_outputs), in the precision
    of the network, with any number of rows.  Dropout layers, which pass everything through after
    training, leave nothing.  The opset is the lowest that has the operators: 13, or 16 for
    leaky_relu, 17 for layer normalization, 18 for mish, 20 for gelu.

    Parameters
    ----------
    net : fastnet.Network
    path : str or path-like, optional
        A file to write, too, replacing what is there at once.

    Returns
    -------
    onnx.ModelProto

    Raises
    ------
    ValueError
        A layer has a custom activation, or the model would be larger than 2 GiB.
    OSError
        The file cannot be written; what was there before is untouched.
    ImportError
        The package onnx is not installed.

    Notes
    -----
    The standard holds the epsilon of a layer normalization in float32. ONNX Runtime's CPU kernels
    have no gelu in float64, although the standard has.

    Examples
    --------
    >>> import onnxruntime, fastnet as fn                                    # doctest: +SKIP
    >>> model = fn.Network([4, 8, 2], seed=0).to_onnx("net.onnx")
    >>> session = onnxruntime.InferenceSession("net.onnx")
    >>> (y,) = session.run(["y"], {"X": X})
    """
    if path is not None:
        path = os.fspath(path)
    onnx = require("onnx", "onnx")
    require("onnx.numpy_helper", "onnx")
    check_named_activations(net, "an ONNX model")
    if net.n_parameters * net.dtype.itemsize > LARGEST:
        raise ValueError(f"{net.n_parameters} parameters are more than an ONNX model holds (2 GiB)")
    helper = onnx.helper
    nodes = Nodes(onnx, net.dtype)
    output = "X"
    for k, layer in enumerate(net.layers):
        nodes.prefix = f"layer{k}"
        output = add_layer(nodes, layer, output, nodes.prefix)
    nodes.nodes.append(helper.make_node("Identity", [output], ["y"], name="y"))
    kind = helper.np_dtype_to_tensor_dtype(net.dtype)
    graph = helper.make_graph(
        nodes.nodes,
        "network",
        [helper.make_tensor_value_info("X", kind, ["n_rows", net.n_inputs])],
        [helper.make_tensor_value_info("y", kind, ["n_rows", net.n_outputs])],
        list(nodes.initializers.values()),
    )
    opsets = [helper.make_opsetid("", nodes.opset)]
    model = helper.make_model(
        graph,
        producer_name="fastnet",
        producer_version=own_version(),
        opset_imports=opsets,
        ir_version=helper.find_min_ir_version_for(opsets),
    )
    if path is not None:
        _files.replace(path, [model.SerializeToString()])
    return model


def own_version():
    """The version of fastnet; nothing where it runs without being installed."""
    try:
        return version()
    except PackageNotFoundError:
        return ""


def add_layer(nodes, layer, x, name):
    """The nodes of one layer; the name of its output."""
    if isinstance(layer.spec, Dropout):
        return x
    if isinstance(layer.spec, LayerNorm):
        gains = nodes.array(f"{name}.gains", layer.gains)
        biases = nodes.array(f"{name}.biases", layer.biases)
        z = nodes.LayerNormalization(x, gains, biases, axis=-1, epsilon=layer.epsilon)
    else:
        arrays = [nodes.array(f"{name}.weights", layer.weights)]
        if layer.biases is not None:
            arrays.append(nodes.array(f"{name}.biases", layer.biases))
        z = nodes.Gemm(x, *arrays)
    table = EXPORT if nodes.dtype == np.float32 else EXPORT64
    if layer.activation not in table:
        raise ValueError(f"there are no ONNX operators for the activation {layer.activation!r}")
    return table[layer.activation](nodes, z)
