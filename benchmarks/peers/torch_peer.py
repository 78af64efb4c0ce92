"""PyTorch: eager with each implementation of Adam, and the whole step compiled.

Eager code calls the functional forms on bare tensors, which is quicker than modules.
"""

import itertools

import numpy as np
import torch
import torch.nn.functional as F

from benchmarks.jobs import layers
from benchmarks.peers import Adapter

torch.set_num_threads(1)
torch.set_flush_denormal(True)

OPTIMIZERS = {
    "for-loop": {"foreach": False, "fused": False},
    "foreach": {"foreach": True},
    "fused": {"fused": True},
}
TRAINING = (*OPTIMIZERS, "compiled")
PREDICTION = ("", "compiled")
GRADIENT = ("",)
ACTIVATIONS = {
    "tanh": torch.tanh,
    "relu": torch.relu,
    "identity": lambda z: z,
    "softmax": lambda z: torch.softmax(z, dim=1),
}


class Peer(Adapter):
    def reset(self):
        # PyTorch keeps weights as (n_out, n_in).
        self.tensors = []
        for weights, biases in layers(self.job.sizes, self.initial):
            self.tensors += [torch.tensor(weights.T.copy()), torch.tensor(biases.copy())]
        for tensor in self.tensors:
            tensor.requires_grad_(self.variant != "compiled")
        self.data_x = torch.from_numpy(self.x)
        labels = self.job.is_classification
        self.data_y = torch.from_numpy(self.y.astype(np.int64) if labels else self.y)
        size = self.job.rows_a_step
        self.batches = list(zip(self.data_x.split(size), self.data_y.split(size), strict=True))[
            : self.job.n_batches
        ]
        if self.variant in OPTIMIZERS:
            self.optimizer = torch.optim.Adam(
                self.tensors, lr=self.job.learning_rate, **OPTIMIZERS[self.variant]
            )
            self.step = self.eager_step
        else:
            self.moments = [torch.zeros_like(t) for t in self.tensors]
            self.squares = [torch.zeros_like(t) for t in self.tensors]
            # The number of steps is a tensor: a Python number would be compiled in.
            self.count = torch.zeros((), dtype=torch.float64)
            if self.variant == "compiled" and not hasattr(self, "compiled"):
                # What was compiled for other networks counts towards a limit.
                torch.compiler.reset()
                self.compiled = torch.compile(self.functional_step, fullgraph=True, dynamic=False)
                self.compiled_forward = torch.compile(self.forward, fullgraph=True, dynamic=False)
            self.step = self.compiled_step

    def pairs(self):
        return zip(self.tensors[::2], self.tensors[1::2], strict=True)

    def parameters(self):
        parts = []
        for weights, biases in self.pairs():
            parts += [weights.detach().numpy().T.ravel(), biases.detach().numpy()]
        return np.concatenate(parts)

    def scores(self, tensors, x):
        """The output layer before its activation."""
        last = len(tensors) - 2
        hidden = ACTIVATIONS[self.job.hidden]
        for k in range(0, last, 2):
            x = hidden(F.linear(x, tensors[k], tensors[k + 1]))
        return F.linear(x, tensors[last], tensors[last + 1])

    def forward(self, tensors, x):
        return ACTIVATIONS[self.job.output](self.scores(tensors, x))

    def loss(self, tensors, x, y):
        scores = self.scores(tensors, x)
        if self.job.is_classification:
            return F.cross_entropy(scores, y)
        return F.mse_loss(scores, y, reduction="sum") * (0.5 / len(x))

    def eager_step(self, x, y):
        self.optimizer.zero_grad(set_to_none=True)
        self.loss(self.tensors, x, y).backward()
        self.optimizer.step()

    def functional_step(self, tensors, moments, squares, count, x, y):
        beta1, beta2, epsilon = 0.9, 0.999, 1e-8
        gradients = torch.func.grad(self.loss)(tensors, x, y)
        count += 1
        # In float64 until the last moment, as the optimizers of PyTorch have them
        rate = (self.job.learning_rate / (1 - beta1**count)).to(x.dtype)
        correction = (1 - beta2**count).sqrt().to(x.dtype)
        for p, g, m, v in zip(tensors, gradients, moments, squares, strict=True):
            m.lerp_(g, 1 - beta1)
            v.mul_(beta2).addcmul_(g, g, value=1 - beta2)
            p -= rate * m / (v.sqrt() / correction + epsilon)

    def compiled_step(self, x, y):
        self.compiled(self.tensors, self.moments, self.squares, self.count, x, y)

    def train_step(self, n):
        step = self.step
        for x, y in itertools.islice(itertools.cycle(self.batches), n):
            step(x, y)

    def train_epochs(self, orders):
        size = self.job.rows_a_step
        for order in orders:
            for batch in torch.from_numpy(order).split(size):
                self.step(self.data_x[batch], self.data_y[batch])

    def loss_and_gradient(self, n):
        loss = None
        for _ in range(n):
            for tensor in self.tensors:
                tensor.grad = None
            loss = self.loss(self.tensors, self.data_x, self.data_y)
            loss.backward()
        return loss

    def gradient(self):
        loss = self.loss_and_gradient(1)
        parts = []
        for weights, biases in self.pairs():
            parts += [weights.grad.numpy().T.ravel(), biases.grad.numpy()]
        return float(loss.detach()), np.concatenate(parts)

    def native(self, x):
        return torch.from_numpy(np.atleast_2d(x))

    def predict(self, x, n=1):
        forward = self.compiled_forward if self.variant == "compiled" else self.forward
        outputs = None
        with torch.inference_mode():
            for _ in range(n):
                outputs = forward(self.tensors, x)
        return outputs
