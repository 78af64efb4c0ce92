"""Networks from ONNX models."""

import dataclasses
import math
import os

import numpy as np

from fastnet import activations
from fastnet._files import FileFormatError, brief
from fastnet.interop.onnx_activations import (
    DEFAULTS,
    ELEMENTWISE,
    Expression,
    comparable,
    formulas,
)
from fastnet.interop.stack import Stack, real_array, require

__all__ = ["from_onnx"]

OPS = Expression()
# No formula of an activation has more operators; x := x * x would double it again and again
LONGEST = 64


def from_onnx(cls, model):
    """A network with the layers and parameters of an ONNX model.

    The graph must be a chain from one input to one output of Gemm, or MatMul and Add, with
    constant matrices; LayerNormalization over the last axis; Dropout, which infers nothing and
    leaves nothing; Identity, Cast, Flatten and Reshape that keep rows as they are; and the
    activations of fastnet, each as its operator or written out in simpler ones. An input of more
    dimensions is taken where it is flattened at once: the network takes the flat rows.

    Parameters
    ----------
    cls : type
        `fastnet.Network` or a subclass.
    model : onnx.ModelProto, bytes, str or path-like
        A model, the content of a file, or the path of one.

    Returns
    -------
    Network
        With copies of the parameters: float64 where one is, else float32; half precision is
        widened to float32, which changes no value.

    Raises
    ------
    ValueError
        A part that no fastnet network has; the message says which and where.
    fastnet.FileFormatError
        A ValueError: it is no ONNX model.
    OSError
        The file cannot be read.
    ImportError
        The package onnx is not installed.

    Examples
    --------
    >>> import fastnet as fn                                                 # doctest: +SKIP
    >>> net = fn.Network([4, 8, 2], hidden="tanh", output="softmax", seed=0)
    >>> fn.Network.from_onnx(net.to_onnx())
    Network([4, 8, 2], hidden='tanh', output='softmax')
    """
    onnx = require("onnx", "onnx")
    model = read(onnx, model)
    graph = model.graph
    reader = Reader(onnx, model)
    for k, node in enumerate(graph.node):
        name = f" {brief.repr(node.name)}" if node.name else ""
        domain = f"{node.domain}." if node.domain not in ("", "ai.onnx") else ""
        reader.take(node, f"node {k} ({domain}{node.op_type}{name})")
    if len(graph.output) != 1:
        raise ValueError(f"the graph must have one output, got {len(graph.output)}")
    name = graph.output[0].name
    value = reader.values.get(name)
    if value is None:
        raise ValueError(f"output {brief.repr(name)} does not depend on the input")
    stack = reader.settle(value)
    if None not in (reader.n_inputs, stack.n_inputs) and reader.n_inputs != stack.n_inputs:
        raise ValueError(
            f"the input has {reader.n_inputs} columns, but the first layer takes {stack.n_inputs}"
        )
    return stack.network(cls)


def read(onnx, model):
    """The checked model of a path, of bytes or of itself, without functions of its own."""
    if not isinstance(model, (str, bytes, bytearray, memoryview, os.PathLike, onnx.ModelProto)):
        raise TypeError(
            f"model must be an onnx.ModelProto, bytes or a path, got {type(model).__name__}"
        )
    decoding = require("google.protobuf.message", "onnx").Error
    errors = (ValueError, RuntimeError, TypeError, decoding, onnx.checker.ValidationError)
    try:
        if isinstance(model, (str, os.PathLike)):
            model = onnx.load(model)
        elif not isinstance(model, onnx.ModelProto):
            model = onnx.load_model_from_string(bytes(model))
        onnx.checker.check_model(model)
        if model.functions:
            model = require("onnx.inliner", "onnx").inline_local_functions(model)
    except errors as error:
        raise FileFormatError(f"no ONNX model: {str(error)[:500]}") from None
    return model


@dataclasses.dataclass(frozen=True)
class Value:
    """A tensor of the graph: a formula of the outputs of a stack of layers."""

    stack: Stack
    expression: object
    size: int  # operators in the formula
    where: str  # the node that gives it
    is_flat: bool = True  # (n_rows, n); more dimensions must be flattened first


class Reader:
    """The tensors of a graph, node by node."""

    def __init__(self, onnx, model):
        self.onnx = onnx
        self.opset = max(
            [o.version for o in model.opset_import if o.domain in ("", "ai.onnx")] + [0]
        )
        if self.opset < 7:
            raise ValueError(f"the model has opset {self.opset}, expected 7 or later")
        self.formulas = formulas(activations.names())
        graph = model.graph
        if graph.sparse_initializer:
            raise ValueError("the graph has sparse initializers, expected dense ones")
        self.protos = {proto.name: proto for proto in graph.initializer}
        self.constants = {}
        inputs = [entry for entry in graph.input if entry.name not in self.protos]
        if len(inputs) != 1:
            raise ValueError(f"the graph must have one input, got {len(inputs)}")
        self.shape = shape_of(inputs[0])
        if self.shape is not None and len(self.shape) < 2:
            raise ValueError(
                f"input {brief.repr(inputs[0].name)} has {len(self.shape)} dimensions, "
                "expected (n_rows, n_inputs)"
            )
        sizes = self.shape[1:] if self.shape is not None else [None]
        self.n_inputs = None if None in sizes else math.prod(sizes)
        where = f"input {brief.repr(inputs[0].name)}"
        first = Value(Stack(), Expression.Z, 0, where, self.shape is None or len(self.shape) == 2)
        self.values = {inputs[0].name: first}

    def constant(self, name, where):
        """A constant array, or None where the tensor depends on the input."""
        if name in self.protos:
            self.constants[name] = self.array_of(self.protos.pop(name), where)
        array = self.constants.get(name)
        if array is None and name not in self.values:
            raise ValueError(f"{where} uses {brief.repr(name)}, which no supported node gives")
        return array

    def array_of(self, proto, where):
        try:
            return self.onnx.numpy_helper.to_array(proto)
        except (ValueError, TypeError, KeyError, RuntimeError, OSError) as error:
            raise ValueError(f"{where} has a damaged constant: {error!r}") from None

    def settle(self, value):
        """The stack with the formula as the activation of its last layer."""
        if not value.is_flat:
            raise ValueError(f"{value.where} has rows of {len(self.shape) - 1} dimensions")
        if value.expression == Expression.Z:
            return value.stack
        name = self.formulas.get(comparable(value.expression))
        if name is None:
            raise ValueError(f"{value.where} ends a formula that is no activation of fastnet")
        return value.stack.activation(name, value.where)

    def take(self, node, where):
        """Define the output of a node."""
        if node.domain not in ("", "ai.onnx"):
            raise ValueError(f"{where} is not supported")
        attributes = {a.name: self.onnx.helper.get_attribute_value(a) for a in node.attribute}
        attributes = {
            k: v.decode(errors="replace") if isinstance(v, bytes) else v
            for k, v in attributes.items()
        }
        inputs = list(node.input)
        while inputs and not inputs[-1]:
            inputs.pop()
        if node.op_type == "Constant":
            self.constants[node.output[0]] = self.constant_of(attributes, where)
            return
        arrays = [self.constant(name, where) if name else None for name in inputs]
        values = [self.values.get(name) for name in inputs]
        if inputs and all(array is not None for array in arrays):
            self.constants[node.output[0]] = folded(node.op_type, arrays, attributes, where)
            return
        if node.op_type in ELEMENTWISE:
            value = self.elementwise(node.op_type, inputs, arrays, values, attributes, where)
        else:
            if node.op_type not in OTHERS:
                raise ValueError(f"{where} is not supported")
            if values[0] is None:
                raise ValueError(f"{where} has a constant first input, which is not supported")
            if any(value is not None for value in values[1:]):
                raise ValueError(f"{where} joins two computed tensors, which is not supported")
            if OTHERS[node.op_type] and (len(arrays) < 2 or arrays[1] is None):
                raise ValueError(f"{where} misses an input")
            method = getattr(self, f"take_{node.op_type.lower()}")
            value = method(values[0], arrays[1:], attributes, where)
        self.values[node.output[0]] = value

    def constant_of(self, attributes, where):
        if "value" in attributes:
            return self.array_of(attributes["value"], where)
        for name in ("value_float", "value_floats", "value_int", "value_ints"):
            if name in attributes:
                return np.array(attributes[name], np.float32 if "float" in name else np.int64)
        raise ValueError(f"{where} is not supported")

    # -- layers --------------------------------------------------------------------------------

    def take_gemm(self, value, arrays, attributes, where):
        if attributes.get("transA", 0):
            raise ValueError(f"{where} has transA=1, which mixes rows")
        weights = real_array(arrays[0], "B", 2, where)
        if attributes.get("transB", 0):
            weights = weights.T
        weights = weights * weights.dtype.type(attributes.get("alpha", 1.0))
        biases = None
        if len(arrays) > 1 and arrays[1] is not None:
            biases = one_row(arrays[1], weights.shape[1], where)
            biases = biases * biases.dtype.type(attributes.get("beta", 1.0))
        return bare(self.settle(value).dense(weights, biases, where), where)

    def take_matmul(self, value, arrays, attributes, where):
        return bare(self.settle(value).dense(arrays[0], None, where), where)

    def take_layernormalization(self, value, arrays, attributes, where):
        if attributes.get("axis", -1) not in (-1, 1):
            raise ValueError(f"{where} normalizes from axis {attributes['axis']} on, expected -1")
        stack = self.settle(value)
        n = stack.n_outputs or self.n_inputs or arrays[0].size
        gains = one_row(arrays[0], n, where)
        biases = np.zeros(n, gains.dtype)
        if len(arrays) > 1 and arrays[1] is not None:
            biases = one_row(arrays[1], n, where)
        # the attribute is float32: what was written as 1e-5 is to be 1e-5 again
        epsilon = float(str(np.float32(attributes.get("epsilon", 1e-5))))
        return bare(stack.layer_norm(gains, biases, epsilon, where), where)

    # -- what leaves nothing -------------------------------------------------------------------

    def take_identity(self, value, arrays, attributes, where):
        return value

    def take_dropout(self, value, arrays, attributes, where):
        if len(arrays) > 1 and arrays[1] is not None and arrays[1].any():
            raise ValueError(f"{where} is in training mode")
        return value

    def take_cast(self, value, arrays, attributes, where):
        kinds = (self.onnx.TensorProto.FLOAT, self.onnx.TensorProto.DOUBLE)
        if attributes.get("to") not in kinds:
            raise ValueError(f"{where} casts to another type than float32 and float64")
        if value.expression[0] in ("Equal", "Greater", "Less"):
            expression = OPS.Cast(value.expression)
            return dataclasses.replace(value, expression=expression, where=where)
        return value

    def take_flatten(self, value, arrays, attributes, where):
        if attributes.get("axis", 1) == 1 or (attributes["axis"] == -1 and value.is_flat):
            return dataclasses.replace(value, is_flat=True)
        raise ValueError(f"{where} flattens from axis {attributes['axis']} on, expected 1")

    def take_reshape(self, value, arrays, attributes, where):
        shape = np.ravel(arrays[0]).tolist() if arrays[0].dtype == np.int64 else []
        width = value.stack.n_outputs or self.n_inputs
        first = self.shape[0] if self.shape else None
        keeps_rows = len(shape) == 2 and (
            (shape[0] in (0, first) and shape[1] in (-1, width))
            or (shape[0] == -1 and shape[1] == width)
        )
        if not keeps_rows or (0 in shape and attributes.get("allowzero", 0)):
            raise ValueError(f"{where} reshapes to {brief.repr(shape)}, expected flat rows")
        return dataclasses.replace(value, is_flat=True)

    # -- formulas ------------------------------------------------------------------------------

    def take_softmax(self, value, arrays, attributes, where):
        axis = attributes.get("axis", -1 if self.opset >= 13 else 1)
        if axis not in (-1, 1) or not value.is_flat:
            raise ValueError(f"{where} works along axis {axis}, expected the last one")
        return extended(value, OPS.Softmax(value.expression, axis=-1), value.size + 1, where)

    def elementwise(self, op, inputs, arrays, values, attributes, where):
        """The value of an operator of tensors with the same layers behind them and of numbers."""
        computed = [value for value in values if value is not None]
        value = computed[0]
        if any(v.stack is not value.stack or v.is_flat != value.is_flat for v in computed[1:]):
            raise ValueError(f"{where} joins two branches, which is not supported")
        if op == "Add" or (op == "Sub" and values[0] is not None):
            biased = self.biased(op, value, [a for a in arrays if a is not None], where)
            if biased is not None:
                return biased
        size = 1 + sum(v.size for v in computed)
        if size > LONGEST:
            raise ValueError(f"{where} is part of a formula that is no activation of fastnet")
        width = value.stack.n_outputs or self.n_inputs
        operands = [
            v.expression if v is not None else number(array, width, where)
            for v, array in zip(values, arrays, strict=True)
        ]
        given = DEFAULTS.get(op, {}) | attributes
        if op == "Clip":
            if self.opset < 11:  # the bounds were attributes
                operands += [given.get("min"), given.get("max")]
            expression = clipped(*operands)
        else:
            if None in operands:
                raise ValueError(f"{where} misses an input")
            expression = OPS.apply(op, *operands, **given)
        return extended(value, expression, size, where)

    def biased(self, op, value, arrays, where):
        """The value of a dense layer with a row added, or None where this is something else."""
        stack = value.stack
        if value.expression != Expression.Z or len(arrays) != 1 or not stack.layers:
            return None
        (row,) = arrays
        spec, named = stack.layers[-1]
        is_row = row.ndim and row.shape[-1] == stack.n_outputs and row.size == stack.n_outputs
        if "weights" not in named or spec.activation != "identity" or not is_row or row.ndim > 2:
            return None
        row = real_array(row.reshape(-1), "biases", 1, where)
        return bare(stack.add_biases(-row if op == "Sub" else row), where)


# Operators with a method of their own, and whether their second input must be there
OTHERS = {
    "Cast": False,
    "Dropout": False,
    "Flatten": False,
    "Gemm": True,
    "Identity": False,
    "LayerNormalization": True,
    "MatMul": True,
    "Reshape": True,
    "Softmax": False,
}


def shape_of(entry):
    """Sizes of a graph's input, None where one is free; None where nothing is said."""
    kind = entry.type.tensor_type
    if not entry.type.HasField("tensor_type") or not kind.HasField("shape"):
        return None
    return [d.dim_value if d.HasField("dim_value") else None for d in kind.shape.dim]


def bare(stack, where):
    return Value(stack, Expression.Z, 0, where)


def extended(value, expression, size, where):
    if isinstance(expression, float):
        raise ValueError(f"{where} gives a constant, whatever the input")
    return dataclasses.replace(value, expression=expression, size=size, where=where)


def one_row(array, n, where):
    """An array that is added to each row, or multiplies it, as (n,)."""
    array = np.asarray(array)
    if array.size not in (1, n) or array.ndim > 2 or (array.size == n and n != array.shape[-1]):
        raise ValueError(f"{where} has a constant of shape {array.shape}, expected ({n},)")
    return np.array(np.broadcast_to(real_array(array.reshape(-1), "a constant", 1, where), n))


def number(array, width, where):
    """A constant that is the same for each unit, as a float; None for a missing one."""
    if array is None:
        return None
    if (
        array.dtype.kind in "fiub"
        and array.size in (1, width)
        and array.ndim <= 2
        and array.size == (array.shape[-1] if array.ndim else 1)
        and (array == array.reshape(-1)[0]).all()
    ):
        return float(array.reshape(-1)[0])
    raise ValueError(f"{where} has a constant of shape {array.shape}, which is no biases")


def clipped(x, low=None, high=None):
    """Clip to what is given; relu where nothing is above."""
    low = -math.inf if low is None or low <= np.finfo(np.float32).min else low
    high = math.inf if high is None or high >= np.finfo(np.float32).max else high
    if high == math.inf:
        return x if low == -math.inf else OPS.Max(x, low)
    return OPS.Clip(x, low, high)


def folded(op, arrays, attributes, where):
    """What a node makes of constants: exporters leave turned matrices."""
    if op == "Identity":
        return arrays[0]
    if op == "Transpose":
        return np.transpose(arrays[0], attributes.get("perm"))
    raise ValueError(f"{where} computes with constants only, which is not supported")
