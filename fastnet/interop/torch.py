"""Networks from and for PyTorch: Sequential of Linear, activations, Dropout and LayerNorm."""

import numpy as np

from fastnet.interop import torch_activations
from fastnet.interop.stack import Stack, check_named_activations, require
from fastnet.nn.layers import Dropout, LayerNorm

__all__ = ["from_torch", "to_torch"]


def from_torch(cls, module):
    """A network with the layers and parameters of a PyTorch module.

    Parameters
    ----------
    cls : type
        `fastnet.Network` or a subclass.
    module : torch.nn.Module
        Linear, or Sequential (also nested) of Linear, LayerNorm over the last axis, Dropout,
        Identity, Flatten of rows (the network takes them flat), and the activations ReLU,
        LeakyReLU (slope 0.01), ELU (alpha 1), SELU, GELU (by erf), SiLU, Mish, Sigmoid, Tanh,
        Softplus (beta 1), Softsign, Hardtanh (-1 to 1), Hardsigmoid, Softmax over the last axis,
        and those that `to_torch` makes.

    Returns
    -------
    Network
        With copies of the parameters: float64 where one is, else float32; half precision is
        widened to float32, which changes no value.

    Raises
    ------
    ValueError
        A part that no fastnet network has; the message says which and where.
    TypeError
        It is no module.
    ImportError
        PyTorch is not installed.

    Examples
    --------
    >>> import torch, fastnet as fn                                          # doctest: +SKIP
    >>> module = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Linear(8, 2))
    >>> fn.Network.from_torch(module)
    Network([4, 8, 2])
    """
    torch = require("torch", "torch")
    if not isinstance(module, torch.nn.Module):
        raise TypeError(f"module must be a torch.nn.Module, got {type(module).__name__}")
    stack = Stack()
    for position, part in parts_of(torch, module, ""):
        where = f"layer {position or 0}: {qualified_name(part)}"
        stack = append(torch, stack, part, where)
    return stack.network(cls)


def qualified_name(part):
    name = f"{type(part).__module__}.{type(part).__qualname__}"
    return f"torch.nn.{type(part).__qualname__}" if name.startswith("torch.nn.modules.") else name


def parts_of(torch, module, position):
    """The modules that a nested Sequential runs one after the other, with their positions."""
    lazy = torch.nn.parameter.UninitializedParameter
    if any(isinstance(p, lazy) for p in module.parameters(recurse=False)):
        raise ValueError(
            f"layer {position or 0}: {qualified_name(module)} has parameters without values yet"
        )
    hooks = module._forward_hooks, module._forward_pre_hooks
    if any(hooks):
        raise ValueError(
            f"layer {position or 0}: {qualified_name(module)} has forward hooks, "
            "and what they do is not known"
        )
    if not runs(module, torch.nn.Sequential):
        yield position, module
        return
    for k, (name, part) in enumerate(module.named_children()):
        inner = f"{position}.{k}" if position else str(k)
        yield from parts_of(torch, part, inner if name == str(k) else f"{inner} ({name!r})")


def runs(module, kind):
    """Whether this is such a module, or a subclass that computes the same."""
    return isinstance(module, kind) and type(module).forward is kind.forward


def append(torch, stack, part, where):
    """The stack with one more module."""
    nn = torch.nn
    if runs(part, nn.Linear):
        biases = None if part.bias is None else values(torch, part.bias, where)
        return stack.dense(values(torch, part.weight, where).T, biases, where)
    if runs(part, nn.LayerNorm):
        if len(part.normalized_shape) != 1:
            raise ValueError(
                f"{where} normalizes over {len(part.normalized_shape)} axes, expected the last one"
            )
        n = part.normalized_shape[0]
        gains = np.ones(n, np.float32)
        biases = np.zeros(n, np.float32)
        if part.weight is not None:
            gains = values(torch, part.weight, where)
        if part.bias is not None:
            biases = values(torch, part.bias, where)
        return stack.layer_norm(gains, biases, part.eps, where)
    if runs(part, nn.Dropout):
        return stack.dropout(part.p, where)
    if runs(part, nn.Identity):
        return stack
    if runs(part, nn.Flatten) and part.start_dim == 1 and part.end_dim == -1:
        return stack
    return stack.activation(activation_of(torch, part, where), where)


def values(torch, tensor, where):
    """A parameter as an array of its own."""
    if tensor.is_meta:
        raise ValueError(f"{where} has parameters without values yet")
    if tensor.is_quantized or not tensor.is_floating_point():
        raise ValueError(f"{where} has parameters of dtype {tensor.dtype}, expected floating point")
    tensor = tensor.detach().cpu()
    if tensor.dtype not in (torch.float32, torch.float64):
        tensor = tensor.to(torch.float32)
    return np.array(tensor.numpy())


def activation_of(torch, part, where):
    """The name of an activation module, with the parameters that fastnet has."""
    nn = torch.nn
    plain = {
        nn.ReLU: "relu",
        nn.SELU: "selu",
        nn.SiLU: "silu",
        nn.Mish: "mish",
        nn.Sigmoid: "sigmoid",
        nn.Tanh: "tanh",
        nn.Softsign: "softsign",
        nn.Hardsigmoid: "hard_sigmoid",
        **{kind: name for name, kind in torch_activations.modules().items()},
    }
    for kind, name in plain.items():
        if runs(part, kind):
            return name
    # kind: name, and what its settings must be
    settings = {
        nn.LeakyReLU: ("leaky_relu", "negative_slope", (0.01,)),
        nn.ELU: ("elu", "alpha", (1.0,)),
        nn.GELU: ("gelu", "approximate", ("none",)),
        nn.Softmax: ("softmax", "dim", (-1, 1, None)),
        nn.Softplus: ("softplus", "beta", (1.0,)),
    }
    for kind, (name, setting, allowed) in settings.items():
        if runs(part, kind):
            if getattr(part, setting) not in allowed:
                raise ValueError(
                    f"{where} has {setting}={getattr(part, setting)!r}, "
                    f"fastnet's {name} is that of {setting}={allowed[0]!r}"
                )
            # beyond its threshold PyTorch's softplus is z, here within 2e-9
            if name == "softplus" and part.threshold < 20:
                raise ValueError(f"{where} has threshold={part.threshold!r}, expected at least 20")
            return name
    if runs(part, nn.Hardtanh):
        if (part.min_val, part.max_val) != (-1, 1):
            raise ValueError(
                f"{where} clips to {part.min_val} ... {part.max_val}, "
                "fastnet's hard_tanh to -1 ... 1"
            )
        return "hard_tanh"
    raise ValueError(f"{where} is not supported")


def to_torch(net):
    """A ``torch.nn.Sequential`` that computes what the network computes.

    Parameters
    ----------
    net : fastnet.Network

    Returns
    -------
    torch.nn.Sequential
        Linear, LayerNorm, Dropout and activations, with copies of the parameters in the precision
        of the network, on the CPU, in evaluation mode: dropout is active after ``.train()``.

    Raises
    ------
    ValueError
        A layer has a custom activation.
    ImportError
        PyTorch is not installed.

    Examples
    --------
    >>> import fastnet as fn                                                 # doctest: +SKIP
    >>> fn.Network([4, 8, 2], hidden="tanh").to_torch()
    Sequential(
      (0): Linear(in_features=4, out_features=8, bias=True)
      (1): Tanh()
      (2): Linear(in_features=8, out_features=2, bias=True)
    )
    """
    torch = require("torch", "torch")
    check_named_activations(net, "a PyTorch module")
    modules = []
    for layer in net.layers:
        modules += modules_of(torch, layer, torch.from_numpy(net.parameters[:0]).dtype)
    return torch.nn.Sequential(*modules).eval()


def modules_of(torch, layer, dtype):
    """The modules of one layer."""
    # skip_init: no random numbers are drawn for what is overwritten
    make = torch.nn.utils.skip_init
    if isinstance(layer.spec, Dropout):
        return [torch.nn.Dropout(layer.rate)]
    if isinstance(layer.spec, LayerNorm):
        n = layer.n_outputs
        module = make(torch.nn.LayerNorm, n, eps=layer.epsilon, dtype=dtype, device="cpu")
        parameters = {"weight": layer.gains, "bias": layer.biases}
    else:
        module = make(
            torch.nn.Linear,
            layer.n_inputs,
            layer.n_outputs,
            bias=layer.biases is not None,
            dtype=dtype,
            device="cpu",
        )
        parameters = {"weight": layer.weights.T}
        if layer.biases is not None:
            parameters["bias"] = layer.biases
    with torch.no_grad():
        for name, array in parameters.items():
            getattr(module, name).copy_(torch.from_numpy(np.array(array)))
    if layer.activation == "identity":
        return [module]
    return [module, activation_module(torch, layer.activation, dtype)]


def activation_module(torch, name, dtype):
    """A module that computes the activation."""
    nn = torch.nn
    own = torch_activations.modules()
    if name in own:
        return own[name]()
    kinds = {
        "relu": nn.ReLU,
        "leaky_relu": nn.LeakyReLU,
        "elu": nn.ELU,
        "selu": nn.SELU,
        "gelu": nn.GELU,
        "silu": nn.SiLU,
        "mish": nn.Mish,
        "sigmoid": nn.Sigmoid,
        "tanh": nn.Tanh,
        "softsign": nn.Softsign,
        "hard_tanh": nn.Hardtanh,
        "hard_sigmoid": nn.Hardsigmoid,
    }
    if name in kinds:
        return kinds[name]()
    if name == "softmax":
        return nn.Softmax(dim=-1)
    if name == "softplus":  # beyond the threshold it is z, as the sum is in this precision
        return nn.Softplus(threshold=20 if dtype == torch.float32 else 40)
    raise ValueError(f"there is no PyTorch module for the activation {name!r}")
