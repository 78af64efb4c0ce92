"""Slow, obvious NumPy float64 twins of everything that a dense network computes.

A network is a list of layers ``(weights (n_in, n_out), biases (n_out,) or None, activation)``.  An
activation is a name of ``ACTIVATIONS`` or a pair ``(value, jacobian)`` of functions of one row.
``flatten`` gives the layout of ``Network.parameters``: layer by layer, the weights row by row, then
the biases.
"""

import math

import numpy as np

erf = np.vectorize(math.erf, otypes=[float])


def sigmoid(z):
    # e^-|z| never overflows
    e = np.exp(-np.abs(z))
    return np.where(z >= 0, 1 / (1 + e), e / (1 + e))


def sigmoid_derivative(z):
    e = np.exp(-np.abs(z))
    return e / (1 + e) ** 2


def normal_density(z):
    return np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)


def normal_distribution(z):
    return (1 + erf(z / math.sqrt(2))) / 2


def silu_derivative(z):
    return sigmoid(z) + z * sigmoid_derivative(z)


def softplus(z):
    return np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z)))


def mish_derivative(z):
    t = np.tanh(softplus(z))
    return t + z * (1 - t**2) * sigmoid(z)


# Klambauer et al. 2017
SELU_SCALE, SELU_ALPHA = 1.0507009873554804934193349852946, 1.6732632423543772848170429916717


def inverse(z):
    with np.errstate(divide="ignore"):
        return 1 / z


def log(z):
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.log(z)


def softmax(z):
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


# name: (value, derivative), elementwise.  At a kink any value between the one-sided ones is right.
ACTIVATIONS = {
    "identity": (lambda z: z, lambda z: np.ones_like(z)),
    "relu": (lambda z: np.where(z > 0, z, 0), lambda z: np.where(z > 0, 1.0, 0.0)),
    "leaky_relu": (lambda z: np.where(z > 0, z, 0.01 * z), lambda z: np.where(z > 0, 1.0, 0.01)),
    "elu": (
        lambda z: np.where(z > 0, z, np.expm1(np.minimum(z, 0))),
        lambda z: np.where(z > 0, 1.0, np.exp(np.minimum(z, 0))),
    ),
    "sigmoid": (sigmoid, sigmoid_derivative),
    "steep_sigmoid": (lambda z: sigmoid(4.9 * z), lambda z: 4.9 * sigmoid_derivative(4.9 * z)),
    "tanh": (np.tanh, lambda z: 1 - np.tanh(z) ** 2),
    "softplus": (softplus, sigmoid),
    "gelu": (
        lambda z: z * normal_distribution(z),
        lambda z: normal_distribution(z) + z * normal_density(z),
    ),
    "sin": (np.sin, np.cos),
    "gaussian": (lambda z: np.exp(-(z**2)), lambda z: -2 * z * np.exp(-(z**2))),
    "selu": (
        lambda z: SELU_SCALE * np.where(z > 0, z, SELU_ALPHA * np.expm1(np.minimum(z, 0))),
        lambda z: SELU_SCALE * np.where(z > 0, 1.0, SELU_ALPHA * np.exp(np.minimum(z, 0))),
    ),
    "silu": (lambda z: z * sigmoid(z), silu_derivative),
    "mish": (lambda z: z * np.tanh(softplus(z)), mish_derivative),
    "softsign": (lambda z: z / (1 + np.abs(z)), lambda z: 1 / (1 + np.abs(z)) ** 2),
    "elliot": (
        lambda z: z / (2 * (1 + np.abs(z))) + 0.5,
        lambda z: 1 / (2 * (1 + np.abs(z)) ** 2),
    ),
    "hard_tanh": (lambda z: np.clip(z, -1, 1), lambda z: np.where(np.abs(z) < 1, 1.0, 0.0)),
    "hard_sigmoid": (
        lambda z: np.clip((z + 3) / 6, 0, 1),
        lambda z: np.where(np.abs(z) < 3, 1 / 6, 0.0),
    ),
    "abs": (np.abs, np.sign),
    "square": (lambda z: z**2, lambda z: 2 * z),
    "cube": (lambda z: z**3, lambda z: 3 * z**2),
    "exp": (np.exp, np.exp),
    "step": (lambda z: np.where(z > 0, 1.0, 0.0), lambda z: np.zeros_like(z)),
    "inverse": (inverse, lambda z: -(inverse(z) ** 2)),
    "log": (log, lambda z: np.where(z >= 0, inverse(np.abs(z)), np.nan)),
}
# Where the derivative, or the value, jumps; 0 is kept away from in every net value.
KINKS = {"hard_tanh": 1.0, "hard_sigmoid": 3.0}


def activate(activation, z):
    """The outputs (n_rows, n) of one layer from its net values z (n_rows, n)."""
    if activation == "softmax":
        return softmax(z)
    if isinstance(activation, str):
        return ACTIVATIONS[activation][0](z)
    return np.array([activation[0](row) for row in z]).reshape(z.shape)


def activation_jacobian(activation, z):
    """J (n_rows, n, n) with J[r, i, j] = d a_i / d z_j in row r."""
    if activation == "softmax":
        a = softmax(z)
        return np.array([np.diag(row) - np.outer(row, row) for row in a])
    if isinstance(activation, str):
        return np.array([np.diag(row) for row in ACTIVATIONS[activation][1](z)])
    value, jacobian = activation
    return np.array([jacobian(row, value(row)) for row in z])


def flatten(layers):
    """The flat parameters of a network."""
    parts = []
    for weights, biases, _ in layers:
        parts.append(np.ravel(weights))
        if biases is not None:
            parts.append(biases)
    return np.concatenate(parts).astype(float)


def unflatten(layers, parameters):
    """The network of the same shape with other parameters."""
    made, first = [], 0
    for weights, biases, activation in layers:
        shape = np.shape(weights)
        last = first + shape[0] * shape[1]
        weights = np.array(parameters[first:last], dtype=float).reshape(shape)
        first = last
        if biases is not None:
            last = first + shape[1]
            biases = np.array(parameters[first:last], dtype=float)
            first = last
        made.append((weights, biases, activation))
    assert first == len(parameters)
    return made


def layers_of(net, activations):
    """A fastnet network's layers in float64, with the activations that it was built from."""
    return [
        (
            np.array(layer.weights, dtype=float),
            None if layer.biases is None else np.array(layer.biases, dtype=float),
            activation,
        )
        for layer, activation in zip(net.layers, activations, strict=True)
    ]


def tolerance(dtype, n_rows, sizes, scale=1.0):
    """A bound on the rounding of a forward and backward pass with values of the size ``scale``.

    Each sum of n products adds n eps, each activation and loss a few eps (here 16); the factor 2
    is the backward pass.
    """
    eps = float(np.finfo(dtype).eps)
    return 2 * (n_rows + sum(sizes) + 16 * len(sizes)) * eps * max(1.0, float(scale))


def forward(layers, x):
    """Every layer's net values and outputs: two lists, the outputs with the input in front."""
    net_values, outputs = [], [np.asarray(x, dtype=float)]
    for weights, biases, activation in layers:
        z = outputs[-1] @ weights
        if biases is not None:
            z = z + biases
        net_values.append(z)
        outputs.append(activate(activation, z))
    return net_values, outputs


def predict(layers, x):
    return forward(layers, x)[1][-1]


def times_log(y, p):
    """y log p, 0 where y is 0, whatever p is."""
    return np.where(y == 0, 0, y * np.log(np.where(y == 0, 1, p)))


def log_cosh(e):
    t = np.minimum(np.abs(e), 1)
    return np.where(
        np.abs(e) < 1,
        np.log1p(2 * np.sinh(t / 2) ** 2),
        np.abs(e) + np.log1p(np.exp(-2 * np.abs(e))) - math.log(2),
    )


def huber(delta):
    """A pair (value, gradient), which every function here takes for a loss."""

    def value(p, y):
        e = np.abs(p - y)
        return np.where(e <= delta, e**2 / 2, delta * (e - delta / 2)).sum(axis=1)

    return value, lambda p, y: np.clip(p - y, -delta, delta)


def quantile(q):
    def value(p, y):
        return np.where(p < y, q * (y - p), (1 - q) * (p - y)).sum(axis=1)

    return value, lambda p, y: np.select([p < y, p > y], [-q, 1 - q], 0.0)


# name: (loss (n_rows,), derivative by the predictions (n_rows, n)).  At a kink any value between
# the one-sided derivatives is right.
LOSSES = {
    "squared_error": (lambda p, y: ((p - y) ** 2).sum(axis=1), lambda p, y: 2 * (p - y)),
    "half_squared_error": (lambda p, y: ((p - y) ** 2).sum(axis=1) / 2, lambda p, y: p - y),
    "absolute_error": (lambda p, y: np.abs(p - y).sum(axis=1), lambda p, y: np.sign(p - y)),
    "huber": huber(1.0),
    "log_cosh": (lambda p, y: log_cosh(p - y).sum(axis=1), lambda p, y: np.tanh(p - y)),
    "quantile": quantile(0.5),
    "cross_entropy": (
        lambda p, y: -times_log(y, p).sum(axis=1),
        lambda p, y: np.where(y == 0, 0, -y / np.where(y == 0, 1, p)),
    ),
    "kl_divergence": (
        lambda p, y: (times_log(y, y) - times_log(y, p)).sum(axis=1),
        lambda p, y: np.where(y == 0, 0, -y / np.where(y == 0, 1, p)),
    ),
    "binary_cross_entropy": (
        lambda p, y: -(times_log(y, p) + times_log(1 - y, 1 - p)).sum(axis=1),
        lambda p, y: (1 - y) / (1 - p) - y / p,
    ),
    "poisson": (lambda p, y: (p - times_log(y, p)).sum(axis=1), lambda p, y: 1 - y / p),
    "hinge": (
        lambda p, y: np.maximum(0, 1 - y * p).sum(axis=1),
        lambda p, y: np.where(y * p < 1, -y, 0.0),
    ),
}
# The output layer that a loss needs or, for rates, suits; any other takes any
OUTPUT_OF = {
    "cross_entropy": "softmax",
    "kl_divergence": "softmax",
    "binary_cross_entropy": "sigmoid",
    "poisson": "softplus",
}


def targets_for(loss, rng, shape):
    """Random targets that a loss takes, those at the ends of its domain among them."""
    y = rng.normal(size=shape)
    if loss in ("cross_entropy", "kl_divergence"):
        y = np.abs(y) * (rng.random(shape) < 0.8) + 1e-3
        y = y / y.sum(axis=1, keepdims=True)
    elif loss == "binary_cross_entropy":
        y = np.clip(0.5 + y, 0, 1)
    elif loss == "poisson":
        y = np.floor(2 * np.abs(y))
    elif loss == "hinge":
        y = np.where(y > 0, 1.0, -1.0)
    return y


def row_losses(loss, predictions, y):
    """The loss of each row, from the network's outputs; loss: a name or a pair of functions."""
    return (LOSSES[loss] if isinstance(loss, str) else loss)[0](predictions, y)


def loss_gradient(loss, predictions, y):
    """d loss of each row / d predictions."""
    return (LOSSES[loss] if isinstance(loss, str) else loss)[1](predictions, y)


def row_weights(n_rows, sample_weight, reduction):
    weights = np.ones(n_rows) if sample_weight is None else np.asarray(sample_weight, dtype=float)
    return weights / weights.sum() if reduction == "mean" else weights


def loss_and_gradient(layers, x, y, loss, sample_weight=None, reduction="mean"):
    """The loss over rows and its flat gradient, by the product formula."""
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    weights = row_weights(len(x), sample_weight, reduction)
    net_values, outputs = forward(layers, x)
    value = (weights * row_losses(loss, outputs[-1], y)).sum()
    d = weights[:, None] * loss_gradient(loss, outputs[-1], y)
    gradient = []
    for k in reversed(range(len(layers))):
        layer_weights, biases, activation = layers[k]
        # d loss / d z_j = sum_i d loss / d a_i  d a_i / d z_j
        d = np.einsum("ri,rij->rj", d, activation_jacobian(activation, net_values[k]))
        gradient.insert(
            0, (outputs[k].T @ d, None if biases is None else d.sum(axis=0), activation)
        )
        d = d @ layer_weights.T
    return value, flatten(gradient)


def jacobian(layers, x):
    """d outputs / d parameters, (n_rows, n_outputs, n_parameters): one pass for each output."""
    n_outputs = layers[-1][0].shape[1]
    result = np.zeros((len(x), n_outputs, len(flatten(layers))))
    for r, row in enumerate(x):
        for i in range(n_outputs):
            pick = (lambda p, y, i=i: p[:, i], lambda p, y, i=i: np.eye(n_outputs)[[i]])
            result[r, i] = loss_and_gradient(layers, row[None], np.zeros((1, n_outputs)), pick)[1]
    return result


def input_jacobian(layers, x):
    """d outputs / d inputs, (n_rows, n_outputs, n_inputs): the product of the layers' Jacobians."""
    net_values, _ = forward(layers, x)
    result = np.broadcast_to(np.eye(x.shape[1]), (len(x), x.shape[1], x.shape[1]))
    for (weights, _, activation), z in zip(layers, net_values, strict=True):
        result = activation_jacobian(activation, z) @ weights.T @ result
    return result


def central_differences(f, parameters, h=1e-6):
    """The gradient of f at the parameters from 2 n evaluations."""
    gradient = np.zeros(len(parameters))
    for i in range(len(parameters)):
        up, down = np.array(parameters, dtype=float), np.array(parameters, dtype=float)
        up[i] += h
        down[i] -= h
        gradient[i] = (f(up) - f(down)) / (up[i] - down[i])
    return gradient


def clipped(gradient, clip_norm=None, clip_value=None):
    """The gradient with bounded elements, then with a bounded norm."""
    if clip_value is not None:
        gradient = np.clip(gradient, -clip_value, clip_value)
    if clip_norm is not None:
        norm = np.sqrt((gradient**2).sum())
        gradient = gradient * min(1, clip_norm / norm)
    return gradient


class SGD:
    """p -= lr g; momentum: v = mu v + g, p -= lr v; nesterov: p -= lr (g + mu v)."""

    def __init__(
        self,
        learning_rate=0.01,
        momentum=0.0,
        nesterov=False,
        weight_decay=0.0,
        normalize=False,
        **clip,
    ):
        self.learning_rate, self.momentum, self.nesterov = learning_rate, momentum, nesterov
        self.weight_decay, self.normalize = weight_decay, normalize
        self.clip = clip
        self.velocity = 0.0

    def step(self, parameters, gradient):
        gradient = clipped(gradient, **self.clip)
        if self.normalize:
            gradient = gradient / np.sqrt((gradient**2).sum())
        gradient = gradient + self.weight_decay * parameters
        self.velocity = self.momentum * self.velocity + gradient
        direction = gradient + self.momentum * self.velocity if self.nesterov else self.velocity
        return parameters - self.learning_rate * direction


class AdamW:
    """Kingma and Ba 2015, algorithm 1, with the decay of Loshchilov and Hutter 2019."""

    def __init__(
        self,
        learning_rate=1e-3,
        beta1=0.9,
        beta2=0.999,
        epsilon=1e-8,
        weight_decay=0.01,
        **clip,
    ):
        self.learning_rate, self.beta1, self.beta2 = learning_rate, beta1, beta2
        self.epsilon, self.weight_decay, self.clip = epsilon, weight_decay, clip
        self.m = self.v = 0.0
        self.t = 0

    def step(self, parameters, gradient):
        gradient = clipped(gradient, **self.clip)
        self.t += 1
        self.m = self.beta1 * self.m + (1 - self.beta1) * gradient
        self.v = self.beta2 * self.v + (1 - self.beta2) * gradient**2
        m_hat = self.m / (1 - self.beta1**self.t)
        v_hat = self.v / (1 - self.beta2**self.t)
        decayed = parameters - self.learning_rate * self.weight_decay * parameters
        return decayed - self.learning_rate * m_hat / (np.sqrt(v_hat) + self.epsilon)


class Adam(AdamW):
    """The same without decay."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, weight_decay=0.0, **options)


class RMSProp:
    """Graves 2013, equations 38 to 41, with epsilon outside of the root."""

    def __init__(
        self,
        learning_rate=1e-3,
        decay=0.9,
        momentum=0.0,
        epsilon=1e-8,
        centered=False,
        weight_decay=0.0,
        **clip,
    ):
        self.learning_rate, self.decay, self.momentum = learning_rate, decay, momentum
        self.epsilon, self.centered, self.weight_decay = epsilon, centered, weight_decay
        self.clip = clip
        self.square = self.mean = self.velocity = 0.0

    def step(self, parameters, gradient):
        gradient = clipped(gradient, **self.clip) + self.weight_decay * parameters
        self.square = self.decay * self.square + (1 - self.decay) * gradient**2
        self.mean = self.decay * self.mean + (1 - self.decay) * gradient
        variance = self.square - self.mean**2 if self.centered else self.square
        quotient = gradient / (np.sqrt(variance) + self.epsilon)
        self.velocity = self.momentum * self.velocity + quotient
        return parameters - self.learning_rate * self.velocity


class Adagrad:
    """Duchi, Hazan and Singer 2011, figure 1, diagonal."""

    def __init__(self, learning_rate=0.01, initial=0.0, epsilon=1e-10, weight_decay=0.0, **clip):
        self.learning_rate, self.epsilon = learning_rate, epsilon
        self.weight_decay, self.clip = weight_decay, clip
        self.squares = initial

    def step(self, parameters, gradient):
        gradient = clipped(gradient, **self.clip) + self.weight_decay * parameters
        self.squares = self.squares + gradient**2
        return parameters - self.learning_rate * gradient / (np.sqrt(self.squares) + self.epsilon)


class Rprop:
    """iRprop-: Igel and Huesken 2000, one parameter after the other."""

    def __init__(self, learning_rate=0.01, grow=1.2, shrink=0.5, min_step=1e-6, max_step=50.0):
        self.first, self.grow, self.shrink = learning_rate, grow, shrink
        self.min_step, self.max_step = min_step, max_step
        self.before = self.lengths = None

    def step(self, parameters, gradient):
        n = len(parameters)
        if self.lengths is None:
            self.before, self.lengths = np.zeros(n), np.full(n, self.first)
        after = np.array(parameters, dtype=float)
        for i in range(n):
            g = gradient[i]
            if np.sign(g) * np.sign(self.before[i]) > 0:
                self.lengths[i] = min(self.lengths[i] * self.grow, self.max_step)
            elif np.sign(g) * np.sign(self.before[i]) < 0:
                self.lengths[i] = max(self.lengths[i] * self.shrink, self.min_step)
                g = 0.0
            after[i] -= np.sign(g) * self.lengths[i]
            self.before[i] = g
        return after


def batches_in_order(n_rows, batch_size):
    """The batches of one epoch without shuffling; the last one may be smaller."""
    size = n_rows if batch_size is None else batch_size
    return [np.arange(first, min(first + size, n_rows)) for first in range(0, n_rows, size)]


def train(layers, x, y, loss, optimizer, epochs, batch_size=None, sample_weight=None):
    """Epochs without shuffling: the trained layers and the loss of each epoch.

    The loss of an epoch is the mean over its rows, each at the parameters that its batch saw.
    """
    parameters = flatten(layers)
    weights = np.ones(len(x)) if sample_weight is None else np.asarray(sample_weight, dtype=float)
    history = []
    for _ in range(epochs):
        total = 0.0
        for rows in batches_in_order(len(x), batch_size):
            value, gradient = loss_and_gradient(
                unflatten(layers, parameters), x[rows], y[rows], loss, weights[rows]
            )
            total += value * weights[rows].sum()
            parameters = optimizer.step(parameters, gradient)
        history.append(total / weights.sum())
    return unflatten(layers, parameters), history


def random_layers(sizes, activations, seed=0, bias=True, scale=1.0):
    """A network with parameters of the size that training meets, none of them zero."""
    rng = np.random.default_rng(seed)
    layers = []
    for n_in, n_out, activation in zip(sizes[:-1], sizes[1:], activations, strict=True):
        weights = scale * rng.normal(size=(n_in, n_out)) / math.sqrt(n_in)
        layers.append((weights, 0.3 * rng.normal(size=n_out) if bias else None, activation))
    return layers


def away_from_kinks(layers, x, margin=1e-3):
    """The rows of x at which no net value of the network lies near 0 or a kink."""
    net_values, _ = forward(layers, x)
    keep = np.ones(len(x), dtype=bool)
    for z, (_, _, activation) in zip(net_values, layers, strict=True):
        kink = KINKS.get(activation, 0.0) if isinstance(activation, str) else 0.0
        keep &= (np.abs(z) > margin).all(axis=1)
        keep &= (np.abs(np.abs(z) - kink) > margin).all(axis=1)
    return x[keep]
