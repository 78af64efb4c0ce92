"""One adapter for each library, all with the interface of ``Adapter``.

A module names its ways of training and of predicting in ``TRAINING`` and ``PREDICTION``; each name
is a variant that its ``Peer`` takes.
"""

import importlib
import importlib.util

import numpy as np

#: name: (module, what has to be importable)
PEERS = {
    "numpy": ("benchmarks.peers.numpy_peer", "numpy"),
    "torch": ("benchmarks.peers.torch_peer", "torch"),
    "jax": ("benchmarks.peers.jax_peer", "jax"),
    "sklearn": ("benchmarks.peers.sklearn_peer", "sklearn"),
    "onnx": ("benchmarks.peers.onnx_peer", "onnxruntime"),
}

#: The same for evolved networks; these have no ``Adapter``.
NEAT_PEERS = {"neat-python": ("benchmarks.peers.neat_python_peer", "neat")}


class Adapter:
    """A network of a job in one library.

    Data are handed over in the library's own form beforehand, and what it computes stays in that
    form, so that no conversion is timed.
    """

    #: Training steps come in multiples of it.
    unit = 1
    #: Adam's epsilon is added to sqrt(v) before the bias of v is corrected, not after.
    early_epsilon = False

    def __init__(self, job, variant="", data=None, parameters=None):
        """``data`` and ``parameters``: by default those of the job."""
        self.job = job
        self.variant = variant
        self.x, self.y = job.data if data is None else data
        self.initial = job.parameters if parameters is None else parameters
        self.reset()

    def reset(self):
        """Initial parameters, fresh optimizer."""
        raise NotImplementedError

    def train_step(self, n):
        """n training steps on the batches of the data in order, then from the first one again."""
        raise NotImplementedError

    def train_epochs(self, orders):
        """One epoch for each order of the rows; the last batch may be short."""
        raise NotImplementedError

    def epochs_until(self, reached, orders):
        """How many of the epochs it takes until ``reached(self)``; None where all do not do."""
        for k, order in enumerate(orders):
            self.train_epochs([order])
            if reached(self):
                return k + 1
        return None

    def loss_and_gradient(self, n):
        """The loss on all rows and its gradient, n times."""
        raise NotImplementedError

    def gradient(self):
        """(loss, flat gradient) of one such computation, as NumPy."""
        raise NotImplementedError

    def parameters(self):
        """Flat, as NumPy."""
        raise NotImplementedError

    def native(self, x):
        """x in the form that predict and one_row take."""
        return x

    def predict(self, x, n=1):
        """Outputs for rows x, n times; the last ones, in the library's form."""
        raise NotImplementedError

    def one_row(self, x, n=1):
        """Outputs for one row, n times."""
        return self.predict(x, n)

    def outputs(self, x):
        """Outputs for rows x (n_rows, n_inputs), as NumPy."""
        return np.asarray(self.predict(self.native(x)))


def load(names, known=PEERS):
    """(modules by name, names of those that are not installed)."""
    found, missing = {}, []
    for name in names:
        module, package = known[name]
        if importlib.util.find_spec(package) is None:
            missing.append(name)
        else:
            found[name] = importlib.import_module(module)
    return found, missing
