"""What the contenders compute: networks, data and initial parameters, the same for all."""

import itertools
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np


@dataclass(frozen=True)
class Job:
    """A dense network and how it is trained.

    The loss is cross entropy on labels where the output is softmax, else half the squared error,
    summed over outputs; its mean over the rows of a batch is descended by Adam.

    ``batch_size`` None is the full batch of ``n_rows``; ``hidden`` is "tanh" or "relu", ``output``
    "identity" or "softmax".
    """

    sizes: tuple[int, ...]
    hidden: str
    output: str = "identity"
    batch_size: int | None = None
    n_rows: int = 1024
    dtype: str = "float32"
    learning_rate: float = 1e-3

    @property
    def name(self):
        return "-".join(map(str, self.sizes))

    @property
    def rows_a_step(self):
        return self.n_rows if self.batch_size is None else self.batch_size

    @property
    def n_batches(self):
        return self.n_rows // self.rows_a_step

    @property
    def is_classification(self):
        return self.output == "softmax"

    @property
    def activations(self):
        return [self.hidden] * (len(self.sizes) - 2) + [self.output]

    @property
    def step_operations(self):
        """Floating-point operations of the matrix products of one training step."""
        products = [a * b for a, b in itertools.pairwise(self.sizes)]
        return 2 * self.rows_a_step * (3 * sum(products) - products[0])

    @cached_property
    def parameters(self):
        """Initial parameters, flat: layer by layer, weights (n_in, n_out), then biases."""
        return initial_parameters(self.sizes, self.dtype, seed=1)

    @cached_property
    def data(self):
        """X (n_rows, n_inputs) and y: targets (n_rows, n_outputs), or labels (n_rows,)."""
        rng = np.random.default_rng(2)
        x = rng.standard_normal((self.n_rows, self.sizes[0])).astype(self.dtype)
        if self.is_classification:
            return x, rng.integers(0, self.sizes[-1], self.n_rows).astype(np.int32)
        return x, rng.standard_normal((self.n_rows, self.sizes[-1])).astype(self.dtype)


def initial_parameters(sizes, dtype, seed):
    """Glorot uniform weights and small biases, so that a wrong bias gradient shows."""
    rng = np.random.default_rng(seed)
    parts = []
    for n_in, n_out in itertools.pairwise(sizes):
        bound = np.sqrt(6 / (n_in + n_out))
        parts += [rng.uniform(-bound, bound, n_in * n_out), rng.uniform(-0.1, 0.1, n_out)]
    return np.concatenate(parts).astype(dtype)


def layers(sizes, flat):
    """(weights (n_in, n_out), biases (n_out,)) of each layer, views of the flat vector."""
    views, first = [], 0
    for n_in, n_out in itertools.pairwise(sizes):
        weights = flat[first : first + n_in * n_out].reshape(n_in, n_out)
        first += n_in * n_out
        views.append((weights, flat[first : first + n_out]))
        first += n_out
    return views


@dataclass(frozen=True)
class Digits:
    """The handwritten digits of the UCI repository, scaled to [0, 1], split once."""

    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray

    job = Job((64, 64, 10), "relu", "softmax", batch_size=32, learning_rate=0.003)

    def accuracy(self, outputs):
        return float(np.mean(np.argmax(outputs, axis=1) == self.y_test))

    def orders(self, seed, epochs):
        """The order of the rows in each epoch."""
        rng = np.random.default_rng(seed)
        return [rng.permutation(len(self.y_train)).astype(np.int32) for _ in range(epochs)]


def load_digits():
    """The digits of examples/, else of scikit-learn; None where neither is there."""
    path = Path(__file__).parents[1] / "examples" / "digits.csv.gz"
    if path.exists():
        table = np.loadtxt(path, delimiter=",")
    else:
        try:
            from sklearn.datasets import load_digits as bundled
        except ImportError:
            return None
        table = np.column_stack(bundled(return_X_y=True))
    table = table[np.random.default_rng(0).permutation(len(table))]
    x, y = (table[:, :-1] / 16).astype(np.float32), table[:, -1].astype(np.int32)
    n_test = len(y) // 5
    return Digits(x[n_test:], y[n_test:], x[:n_test], y[:n_test])
