"""JAX: a jitted step called from Python, and ``lax.scan`` over 100 steps in one call.

The scan is quicker on one flat parameter vector for the smallest networks and on an array for each
layer for all others, so both are there.
"""

import os

import numpy as np

os.environ.setdefault("JAX_PLATFORMS", "cpu")

import jax
import jax.numpy as jnp

from benchmarks.jobs import layers
from benchmarks.peers import Adapter

# Float64 for the workloads that ask for it; arrays keep the dtype of their NumPy originals.
jax.config.update("jax_enable_x64", True)
# On one thread a queue only adds to every call.
jax.config.update("jax_cpu_enable_async_dispatch", False)

SCAN_STEPS = 100
TRAINING = ("step", "scan", "scan flat")
PREDICTION = ("",)
GRADIENT = ("",)
ACTIVATIONS = {
    "tanh": jnp.tanh,
    "relu": jax.nn.relu,
    "identity": lambda z: z,
    "softmax": lambda z: jax.nn.softmax(z, axis=1),
}


def adam(parameters, gradients, state, learning_rate):
    beta1, beta2, epsilon = 0.9, 0.999, 1e-8
    moments, squares, count = state
    count = count + 1
    dtype = jax.tree.leaves(parameters)[0].dtype
    t = count.astype(dtype)
    rate = learning_rate / (1 - dtype.type(beta1) ** t)
    correction = 1 / (1 - dtype.type(beta2) ** t)
    tree = jax.tree.map
    moments = tree(lambda m, g: beta1 * m + (1 - beta1) * g, moments, gradients)
    squares = tree(lambda v, g: beta2 * v + (1 - beta2) * g * g, squares, gradients)
    parameters = tree(
        lambda p, m, v: p - rate * m / (jnp.sqrt(v * correction) + epsilon),
        parameters, moments, squares,
    )  # fmt: skip
    return parameters, (moments, squares, count)


class Peer(Adapter):
    def reset(self):
        self.unit = 1 if self.variant == "step" else SCAN_STEPS
        # Copies: the jitted steps take over the buffers they are given.
        self.tree = jnp.array(self.initial, copy=True)
        if self.variant != "scan flat":
            self.tree = jax.tree.map(jnp.copy, layers(self.job.sizes, self.tree))
        zeros = (jax.tree.map(jnp.zeros_like, self.tree) for _ in range(2))
        self.state = (*zeros, jnp.int32(0))
        size, n_batches = self.job.rows_a_step, self.job.n_batches
        if hasattr(self, "forward"):
            return
        self.data_x, self.data_y = jnp.asarray(self.x), jnp.asarray(self.y)
        n = n_batches * size
        self.batches = (
            self.data_x[:n].reshape(n_batches, size, *self.data_x.shape[1:]),
            self.data_y[:n].reshape(n_batches, size, *self.data_y.shape[1:]),
        )
        self.pairs = [(self.batches[0][k], self.batches[1][k]) for k in range(n_batches)]
        self.forward = jax.jit(self.outputs_of)
        self.value_and_grad = jax.jit(jax.value_and_grad(self.loss))
        self.step = jax.jit(self.one_step, donate_argnums=(0, 1))
        self.scan = jax.jit(self.scan_steps, donate_argnums=(0, 1))
        self.epoch = jax.jit(self.one_epoch, donate_argnums=(0, 1))

    def parameters(self):
        return np.concatenate([np.asarray(a).ravel() for a in jax.tree.leaves(self.tree)])

    def scores(self, tree, x):
        if self.variant == "scan flat":
            tree = layers(self.job.sizes, tree)
        hidden = ACTIVATIONS[self.job.hidden]
        for weights, biases in tree[:-1]:
            x = hidden(x @ weights + biases)
        weights, biases = tree[-1]
        return x @ weights + biases

    def outputs_of(self, tree, x):
        return ACTIVATIONS[self.job.output](self.scores(tree, x))

    def loss(self, tree, x, y):
        scores = self.scores(tree, x)
        if self.job.is_classification:
            rows = jnp.arange(len(y))
            return -jnp.mean(jax.nn.log_softmax(scores, axis=1)[rows, y])
        return 0.5 * jnp.sum((scores - y) ** 2) / len(x)

    def one_step(self, tree, state, x, y):
        gradients = jax.grad(self.loss)(tree, x, y)
        return adam(tree, gradients, state, self.job.learning_rate)

    def scan_steps(self, tree, state, x, y, indices):
        def body(carry, k):
            return self.one_step(*carry, x[k], y[k]), None

        return jax.lax.scan(body, (tree, state), indices)[0]

    def one_epoch(self, tree, state, x, y, order):
        size = self.job.rows_a_step
        n_full = len(order) // size

        def body(carry, batch):
            return self.one_step(*carry, x[batch], y[batch]), None

        full = order[: n_full * size].reshape(n_full, size)
        carry, _ = jax.lax.scan(body, (tree, state), full)
        rest = order[n_full * size :]
        return self.one_step(*carry, x[rest], y[rest]) if len(rest) else carry

    def train_step(self, n):
        tree, state = self.tree, self.state
        if self.variant != "step":
            for first in range(0, n, SCAN_STEPS):
                indices = (first + np.arange(min(SCAN_STEPS, n - first))) % self.job.n_batches
                tree, state = self.scan(tree, state, *self.batches, indices)
        else:
            step, pairs = self.step, self.pairs
            for k in range(n):
                tree, state = step(tree, state, *pairs[k % len(pairs)])
        self.tree, self.state = jax.block_until_ready((tree, state))

    def train_epochs(self, orders):
        tree, state = self.tree, self.state
        for order in orders:
            tree, state = self.epoch(tree, state, self.data_x, self.data_y, order)
        self.tree, self.state = jax.block_until_ready((tree, state))

    def loss_and_gradient(self, n):
        result = None
        for _ in range(n):
            result = self.value_and_grad(self.tree, self.data_x, self.data_y)
        return jax.block_until_ready(result)

    def gradient(self):
        loss, tree = self.loss_and_gradient(1)
        return float(loss), np.concatenate([np.asarray(a).ravel() for a in jax.tree.leaves(tree)])

    def native(self, x):
        return jnp.asarray(np.atleast_2d(x))

    def predict(self, x, n=1):
        outputs = None
        for _ in range(n):
            outputs = jax.block_until_ready(self.forward(self.tree, x))
        return outputs
