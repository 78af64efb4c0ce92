"""Derivatives of a network taken apart (`trace`) and checked (`check_gradient`)."""

from dataclasses import dataclass

import numpy as np

from fastnet import activations, losses
from fastnet.nn.layers import Dropout, LayerNorm
from fastnet.training.model import Model
from fastnet.training.rows import TrainingRows

__all__ = ["Trace", "check_gradient", "trace"]


@dataclass(frozen=True)
class Trace:
    """One row through a network, forward and back; lists have one entry a layer.

    Attributes
    ----------
    net_values : list of ndarray (n_out,)
        ``net = o @ weights + biases`` of each layer; of a LayerNorm the normalized, scaled and
        shifted values, of a Dropout ``o``.
    outputs : list of ndarray
        ``o = f(net)``; the input of the network stands in front.
    jacobians : list of ndarray (n_out, n_out)
        ``do_i / dnet_j`` of each activation.
    loss : float or None
        Set with the following where y was given.
    d_loss_d_outputs : list of ndarray (n_out,)
        Derivative of the loss by the outputs of each layer.
    d_output_d_outputs : list of ndarray (n_outputs, n_out)
        Derivative of the network's output by the outputs of each layer; the last is the identity.
    d_weights : list of ndarray (n_in, n_out)
        Of a LayerNorm by its gains (n_out,), of a Dropout None.
    d_biases : list of ndarray (n_out,) or None
    """

    net_values: list
    outputs: list
    jacobians: list
    loss: object = None
    d_loss_d_outputs: object = None
    d_output_d_outputs: object = None
    d_weights: object = None
    d_biases: object = None

    def __repr__(self):
        sizes = [len(o) for o in self.outputs]
        loss = "" if self.loss is None else f", loss={self.loss:.6g}"
        return f"Trace({sizes}{loss})"


def normalized(layer, o):
    """Outputs (n,) of the layer below with mean 0 and variance 1, and 1 / standard deviation."""
    centered = o - o.mean()
    reciprocal = 1 / np.sqrt((centered * centered).mean() + np.asarray(layer.epsilon, o.dtype))
    return centered * reciprocal, reciprocal


def net_value(layer, o):
    """What the activation of a layer sees, for outputs o (n_in,) of the layer below."""
    if isinstance(layer.spec, Dropout):
        return o
    if isinstance(layer.spec, LayerNorm):
        return layer.gains * normalized(layer, o)[0] + layer.biases
    z = o @ layer.weights
    return z if layer.biases is None else z + layer.biases


def net_jacobian(layer, o):
    """(n_out, n_in) matrix of dnet_i / do_j."""
    if isinstance(layer.spec, Dropout):
        return np.eye(len(o), dtype=o.dtype)
    if isinstance(layer.spec, LayerNorm):
        y, reciprocal = normalized(layer, o)
        centered = np.eye(len(o), dtype=o.dtype) - (1 + np.outer(y, y)) / len(o)
        return (layer.gains * reciprocal)[:, None] * centered
    return layer.weights.T


def weight_gradient(layer, o, d_net):
    """dC / d weights of a dense layer, dC / d gains of a layer normalization."""
    if isinstance(layer.spec, Dropout):
        return None
    if isinstance(layer.spec, LayerNorm):
        return d_net * normalized(layer, o)[0]
    return np.outer(o, d_net)


def trace(net, x, y=None, loss="auto"):
    """Every quantity of the forward and the backward pass of one row.

    The chain rule as total derivatives: with ``J_k`` the Jacobian of activation k and, for dense
    layers, ``W_k`` (n_in, n_out), ``dg/do_{k-1} = dg/do_k J_k W_k^T`` and
    ``dC/dW_k = o_{k-1} (dC/do_k J_k)``.

    Parameters
    ----------
    net : Network
    x : array-like (n_inputs,)
    y : array-like (n_outputs,) or a label, optional
    loss : str or fastnet.Loss

    Returns
    -------
    Trace
    """
    x = np.asarray(x)
    if x.shape != (net.n_inputs,):
        raise ValueError(f"x must be one row of shape ({net.n_inputs},), got {x.shape}")
    if x.dtype.kind not in "fiub":
        raise TypeError(f"x must hold real numbers, got dtype {x.dtype}")
    o = x.astype(net.dtype)
    net_values, outputs, jacobians = [], [o], []
    for layer in net.layers:
        z = net_value(layer, o)
        o = activations.value(layer.activation, z)
        net_values.append(z)
        outputs.append(o)
        jacobians.append(activations.jacobian(layer.activation, z))
    if y is None:
        return Trace(net_values, outputs, jacobians)

    rows = TrainingRows(net, np.zeros((1, net.n_inputs)), np.asarray(y)[None], loss)
    target = rows.targets if rows.targets is not None else rows.labels
    value = float(losses.value(rows.resolved, o[None], target)[0])
    d_outputs = losses.gradient(rows.resolved, o[None], target)[0]
    d_loss, d_output, d_weights, d_biases = [], [], [], []
    by_output = np.eye(net.n_outputs, dtype=net.dtype)
    for k in reversed(range(len(net.layers))):
        layer = net.layers[k]
        d_net = d_outputs @ jacobians[k]
        d_loss.append(d_outputs)
        d_output.append(by_output)
        d_weights.append(weight_gradient(layer, outputs[k], d_net))
        d_biases.append(d_net if layer.biases is not None else None)
        by_inputs = net_jacobian(layer, outputs[k])
        d_outputs = d_net @ by_inputs
        by_output = by_output @ jacobians[k] @ by_inputs
    return Trace(
        net_values,
        outputs,
        jacobians,
        value,
        d_loss[::-1],
        d_output[::-1],
        d_weights[::-1],
        d_biases[::-1],
    )


def check_gradient(net, X, y, loss="auto"):
    """Largest relative deviation of the gradient from central differences.

    Both are taken in float64 whatever the precision of the network, so that a right derivative
    gives about 1e-8 and a wrong one about 1.  The deviation of a component is relative to the
    larger of its two values, but at least to the root mean square of the gradient: differences
    cannot resolve components that are much smaller.

    Parameters
    ----------
    net : Network or fastnet.neat.Network
    X, y, loss
        As for ``net.loss_and_gradient``.

    Returns
    -------
    float

    Raises
    ------
    TypeError
        net is no network.
    """
    if not isinstance(net, Model):
        raise TypeError(f"net must be a network, got {type(net).__name__}")
    net = net._astype("float64")
    _, gradient = net.loss_and_gradient(X, y, loss)
    parameters = net.parameters
    numeric = np.empty_like(gradient)
    for k, center in enumerate(parameters.tolist()):
        # error of the rule ~ h^2, of rounding ~ eps / h: best at the cube root of eps
        h = 6e-6 * max(1.0, abs(center))
        parameters[k] = center + h
        above, _ = net.loss_and_gradient(X, y, loss)
        parameters[k] = center - h
        below, _ = net.loss_and_gradient(X, y, loss)
        parameters[k] = center
        numeric[k] = (above - below) / (2 * h)
    floor = np.sqrt(np.mean(gradient**2)) or np.finfo(np.float64).tiny
    scale = np.maximum(np.maximum(np.abs(gradient), np.abs(numeric)), floor)
    return float(np.max(np.abs(gradient - numeric) / scale))
