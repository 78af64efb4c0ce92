"""scikit-learn's MLPClassifier and MLPRegressor."""

import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier, MLPRegressor

from benchmarks.jobs import layers
from benchmarks.peers import Adapter

TRAINING = ("",)
PREDICTION = ("",)


class Peer(Adapter):
    early_epsilon = True

    def reset(self):
        # fit() goes over whole epochs.
        self.unit = self.job.n_batches
        kind = MLPClassifier if self.job.is_classification else MLPRegressor
        self.model = kind(
            hidden_layer_sizes=self.job.sizes[1:-1], activation=self.job.hidden, alpha=0.0, tol=0.0,
            batch_size=self.job.rows_a_step, learning_rate_init=self.job.learning_rate,
            shuffle=False, warm_start=True, max_iter=1, n_iter_no_change=10**9, random_state=0,
        )  # fmt: skip
        # A first fit makes the arrays that take the initial parameters; on all classes, as the
        # model insists on knowing them.
        y = self.y[:, 0] if self.y.shape[1:] == (1,) else self.y
        self.targets = y
        self.fit(self.x, y, 1)
        for k, (weights, biases) in enumerate(layers(self.job.sizes, self.initial)):
            self.model.coefs_[k][...] = weights
            self.model.intercepts_[k][...] = biases
        # partial_fit goes on with the optimizer it finds.
        if hasattr(self.model, "_optimizer"):
            del self.model._optimizer

    def fit(self, x, y, epochs):
        self.model.max_iter = epochs
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            self.model.fit(x, y)

    def parameters(self):
        parts = []
        for weights, biases in zip(self.model.coefs_, self.model.intercepts_, strict=True):
            parts += [weights.ravel(), biases]
        return np.concatenate(parts)

    def train_step(self, n):
        size = self.job.rows_a_step * min(n, self.job.n_batches)
        self.fit(self.x[:size], self.targets[:size], max(1, n // self.job.n_batches))

    def train_epochs(self, orders):
        for order in orders:
            self.model.partial_fit(self.x[order], self.targets[order])

    def predict(self, x, n=1):
        call = self.model.predict_proba if self.job.is_classification else self.model.predict
        outputs = None
        for _ in range(n):
            outputs = call(x)
        return outputs

    def native(self, x):
        return np.atleast_2d(x)

    def outputs(self, x):
        return self.predict(x).reshape(len(x), -1)
