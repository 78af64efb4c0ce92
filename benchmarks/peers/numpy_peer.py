"""A network written by hand in NumPy: in place, nothing allocated, one flat parameter vector."""

import numpy as np

from benchmarks.jobs import layers
from benchmarks.peers import Adapter

TRAINING = ("",)
PREDICTION = ("",)
GRADIENT = ("",)


class Buffers:
    """Outputs of each layer for so many rows."""

    def __init__(self, job, n_rows):
        self.outputs = [np.empty((n_rows, n), job.dtype) for n in job.sizes[1:]]
        self.deltas = [np.empty((n_rows, n), job.dtype) for n in job.sizes[1:]]
        self.masks = [np.empty((n_rows, n), bool) for n in job.sizes[1:]]
        self.column = np.empty((n_rows, 1), job.dtype)
        self.rows = np.arange(n_rows)


class Peer(Adapter):
    def reset(self):
        self.p = np.array(self.initial)
        self.g, self.m, self.v, self.work = (np.zeros_like(self.p) for _ in range(4))
        self.layers = layers(self.job.sizes, self.p)
        self.gradients = layers(self.job.sizes, self.g)
        self.steps = 0
        self.buffers = {}

    def parameters(self):
        return self.p

    def forward(self, x, buffers):
        for k, (weights, biases) in enumerate(self.layers):
            z = np.matmul(x, weights, out=buffers.outputs[k])
            z += biases
            self.activate(self.job.activations[k], z, buffers)
            x = z
        return x

    def activate(self, name, z, buffers):
        if name == "tanh":
            np.tanh(z, out=z)
        elif name == "relu":
            np.maximum(z, 0, out=z)
        elif name == "softmax":
            z -= z.max(axis=1, keepdims=True, out=buffers.column)
            np.exp(z, out=z)
            z /= z.sum(axis=1, keepdims=True, out=buffers.column)

    def backward(self, x, y, buffers):
        """Fill the gradient of the mean loss after forward."""
        delta = buffers.deltas[-1]
        if self.job.is_classification:
            np.copyto(delta, buffers.outputs[-1])
            delta[buffers.rows, y] -= 1
        else:
            np.subtract(buffers.outputs[-1], y, out=delta)
        delta *= delta.dtype.type(1 / len(x))
        for k in range(len(self.layers) - 1, -1, -1):
            d_weights, d_biases = self.gradients[k]
            below = buffers.outputs[k - 1] if k else x
            np.matmul(below.T, delta, out=d_weights)
            delta.sum(axis=0, out=d_biases)
            if k:
                np.matmul(delta, self.layers[k][0].T, out=buffers.deltas[k - 1])
                delta = buffers.deltas[k - 1]
                if self.job.hidden == "tanh":
                    # The outputs of this layer are not needed again.
                    np.multiply(below, below, out=below)
                    np.subtract(1, below, out=below)
                    delta *= below
                else:
                    delta *= np.greater(below, 0, out=buffers.masks[k - 1])

    def adam(self):
        self.steps += 1
        beta1, beta2, epsilon = 0.9, 0.999, 1e-8
        work = self.work
        self.m *= beta1
        np.multiply(self.g, 1 - beta1, out=work)
        self.m += work
        self.v *= beta2
        np.multiply(self.g, self.g, out=work)
        work *= 1 - beta2
        self.v += work
        correction = 1 - beta2**self.steps
        np.multiply(self.v, 1 / correction, out=work)
        np.sqrt(work, out=work)
        work += epsilon / correction**0.5 if self.early_epsilon else epsilon
        np.divide(self.m, work, out=work)
        work *= self.job.learning_rate / (1 - beta1**self.steps)
        self.p -= work

    def buffers_for(self, n_rows):
        if n_rows not in self.buffers:
            self.buffers[n_rows] = Buffers(self.job, n_rows)
        return self.buffers[n_rows]

    def step(self, x, y):
        buffers = self.buffers_for(len(x))
        self.forward(x, buffers)
        self.backward(x, y, buffers)
        self.adam()

    def train_step(self, n):
        size = self.job.rows_a_step
        for k in range(n):
            first = k % self.job.n_batches * size
            self.step(self.x[first : first + size], self.y[first : first + size])

    def train_epochs(self, orders):
        size = self.job.rows_a_step
        for order in orders:
            for first in range(0, len(order), size):
                batch = order[first : first + size]
                self.step(self.x[batch], self.y[batch])

    def loss_and_gradient(self, n):
        buffers = self.buffers_for(len(self.x))
        loss = 0.0
        for _ in range(n):
            outputs = self.forward(self.x, buffers)
            self.backward(self.x, self.y, buffers)
            # backward left (outputs - y) / n_rows in the last delta
            delta = buffers.deltas[-1].ravel()
            loss = 0.5 * float(delta @ delta) * len(outputs)
        return loss

    def gradient(self):
        return self.loss_and_gradient(1), np.array(self.g)

    def predict(self, x, n=1):
        buffers = self.buffers_for(len(x))
        outputs = None
        for _ in range(n):
            outputs = self.forward(x, buffers)
        return outputs

    def one_row(self, x, n=1):
        return self.predict(x.reshape(1, -1), n)[0]

    def outputs(self, x):
        return np.array(self.predict(x))
