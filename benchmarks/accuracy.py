"""Accuracy and time of whole trainings: fastnet's and scikit-learn's estimators, and PyTorch.

All train the same network (relu, Glorot uniform weights) by Adam with the same learning rate,
batches and epochs, without penalty or early stopping, on the same standardized rows in float32.  A
seed makes the split, the initial weights and the order of the rows.
"""

import importlib.util
import itertools
import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from benchmarks import noise
from benchmarks.report import Figure, Requirement, Row
from benchmarks.timing import Contender

NAMES = {"sklearn": "scikit-learn", "torch": "PyTorch"}


@dataclass(frozen=True)
class Task:
    """Data and how they are learned.  ``bound``: least speed over scikit-learn."""

    load: Callable
    hidden: tuple[int, ...]
    epochs: int
    batch_size: int = 32
    learning_rate: float = 1e-3
    is_classification: bool = True
    n_seeds: int = 10
    repeats: int = 3
    bound: float | None = 10.0

    def score(self, predictions, y):
        """Accuracy in percent, or R^2."""
        if self.is_classification:
            return 100 * float(np.mean(predictions == y))
        y = y.astype(float)
        residual = np.sum((y - np.ravel(predictions)) ** 2)
        return float(1 - residual / np.sum((y - y.mean()) ** 2))


def bundled(name):
    def load():
        from sklearn import datasets

        return getattr(datasets, f"load_{name}")(return_X_y=True)

    return load


def synthetic():
    from sklearn.datasets import make_classification

    return make_classification(
        100_000, 20, n_informative=10, n_classes=2, flip_y=0.02, random_state=0
    )


TASKS = {
    "digits": Task(bundled("digits"), (64,), 30),
    "breast cancer": Task(bundled("breast_cancer"), (32,), 30),
    "diabetes": Task(bundled("diabetes"), (32,), 60, is_classification=False),
    "synthetic, 100,000 rows": Task(
        synthetic, (64, 64), 5, batch_size=256, n_seeds=5, repeats=1, bound=None
    ),
}


def split(task, x, y, seed):
    """(x_train, y_train, x_test, y_test): a fifth is for the test, all by the training rows."""
    order = np.random.default_rng(seed).permutation(len(y))
    test, train = np.split(order, [len(y) // 5])
    mean, deviation = x[train].mean(axis=0), x[train].std(axis=0)
    x = ((x - mean) / np.where(deviation > 0, deviation, 1)).astype(np.float32)
    if task.is_classification:
        y = y.astype(np.int64)
    else:
        y = ((y - y[train].mean()) / y[train].std()).astype(np.float32)
    return x[train], y[train], x[test], y[test]


def estimator(module, **further):
    """What makes an estimator of scikit-learn, or the one of fastnet of that name."""

    def make(task, seed, x, y):
        kind = module.MLPClassifier if task.is_classification else module.MLPRegressor
        return kind(
            hidden_layer_sizes=task.hidden, activation="relu", alpha=0.0, tol=0.0,
            batch_size=task.batch_size, learning_rate_init=task.learning_rate,
            max_iter=task.epochs, n_iter_no_change=10**6, random_state=seed, **further,
        )  # fmt: skip

    return make


class TorchLoop:
    """The loop that a user of PyTorch writes, with its quickest Adam."""

    def __init__(self, task, seed, x, y):
        import torch

        self.torch, self.task = torch, task
        self.generator = torch.Generator().manual_seed(seed)
        classes = len(np.unique(y)) if task.is_classification else 1
        self.is_binary = task.is_classification and classes == 2
        sizes = [x.shape[1], *task.hidden, 1 if self.is_binary else classes]
        parts = []
        for n_in, n_out in itertools.pairwise(sizes):
            linear = torch.nn.Linear(n_in, n_out)
            torch.nn.init.xavier_uniform_(linear.weight, generator=self.generator)
            torch.nn.init.zeros_(linear.bias)
            parts += [linear, torch.nn.ReLU()]
        self.model = torch.nn.Sequential(*parts[:-1])

    def fit(self, x, y):
        torch, size = self.torch, self.task.batch_size
        optimizer = torch.optim.Adam(
            self.model.parameters(), lr=self.task.learning_rate, fused=True
        )
        loss = torch.nn.MSELoss()
        if self.is_binary:
            loss = torch.nn.BCEWithLogitsLoss()
        elif self.task.is_classification:
            loss = torch.nn.CrossEntropyLoss()
        x, y = torch.from_numpy(x), torch.from_numpy(y)
        if self.is_binary or not self.task.is_classification:
            y = y.to(torch.float32)[:, None]
        for _ in range(self.task.epochs):
            for batch in torch.randperm(len(x), generator=self.generator).split(size):
                optimizer.zero_grad()
                loss(self.model(x[batch]), y[batch]).backward()
                optimizer.step()

    def predict(self, x):
        with self.torch.inference_mode():
            outputs = self.model(self.torch.from_numpy(x)).numpy()
        if self.is_binary:
            return (outputs[:, 0] > 0).astype(int)
        return outputs.argmax(axis=1) if self.task.is_classification else outputs[:, 0]


def contenders(peers):
    """{name: what makes its model}, fastnet first."""
    import fastnet.sklearn

    makers = {"fastnet": estimator(fastnet.sklearn, init="glorot_uniform")}
    if "sklearn" in peers:
        import sklearn.neural_network

        makers["sklearn"] = estimator(sklearn.neural_network)
    if "torch" in peers:
        makers["torch"] = TorchLoop
    return makers


class Trainings:
    """The model of one contender for one seed, made anew before each turn."""

    def __init__(self, make, task, seed, x, y):
        self.arguments = task, seed, x, y
        self.make = make

    def prepare(self):
        self.model = self.make(*self.arguments)

    def run(self, n):
        _, _, x, y = self.arguments
        with warnings.catch_warnings():
            # that the epochs ended before the loss did no longer fall, as asked for
            warnings.simplefilter("ignore")
            self.model.fit(x, y)


def one_seed(context, task, makers, data, seed):
    """({name: score on the test rows}, {name: median seconds of fit})."""
    x, y, x_test, y_test = split(task, *data, seed)
    trainings = {name: Trainings(make, task, seed, x, y) for name, make in makers.items()}
    timings = context.limited(task.repeats).measure(
        [Contender(name, t.run, prepare=t.prepare) for name, t in trainings.items()]
    )
    scores = {}
    for name, training in trainings.items():
        if not hasattr(training, "model"):
            training.prepare()
            training.run(1)
        scores[name] = task.score(training.model.predict(x_test), y_test)
    return scores, {name: timing.median for name, timing in timings.items()}


def compare(workload, task, scores, times):
    """The row: ``scores`` and ``times`` are {name: one number a seed}."""
    n = len(scores["fastnet"])
    kind = "accuracy" if task.is_classification else "R^2"
    requirements, details, unequal = [], {}, []
    for name in scores:
        if name == "fastnet":
            continue
        apart = noise.distance(scores["fastnet"], scores[name])
        requirements.append(
            Requirement(f"{kind} apart from {NAMES[name]}'s", apart, noise.EQUAL, "SE")
        )
        if not apart < noise.EQUAL:
            unequal.append(NAMES[name])
        # The same seeds and splits, so that the noise of pairs is the smaller one
        pairs = zip(scores["fastnet"], scores[name], strict=True)
        mean, error = noise.mean_and_error([a - b for a, b in pairs])
        details[f"{kind} above {NAMES[name]}, in pairs"] = mean
        details[f"its standard error, {NAMES[name]}"] = error
    means = {name: noise.mean_and_error(values) for name, values in times.items()}
    if task.bound is not None and "sklearn" in means:
        speed = means["sklearn"][0] / means["fastnet"][0]
        requirements.append(
            Requirement("speed over scikit-learn", speed, task.bound, "x", at_least=True)
        )
    if len(scores) == 1:
        remark = ""
    else:
        remark = f"not that of {' and '.join(unequal)}" if unequal else "equal within noise"
    ratio = noise.least_ratio({name: mean for name, (mean, _) in means.items()})
    by_score = {name: noise.mean_and_error(values) for name, values in scores.items()}
    short = workload.removeprefix("accuracy: ")
    return Row(
        workload,
        means["fastnet"][0],
        {},
        requirements,
        note=f"{n} seeds; equal: means less than {noise.EQUAL:g} combined standard errors (SE) "
        "apart",
        details=details,
        figures=[
            Figure(f"{short}: test {kind}", "%" if task.is_classification else "",
                   *by_library(by_score), remark),
            Figure(f"{short}: training", "s", *by_library(means),
                   f"{ratio:.3g} x" if math.isfinite(ratio) else ""),
        ],
        group="accuracy",
    )  # fmt: skip


def by_library(pairs):
    """({name: mean}, {name: error}) of {name: (mean, error)}."""
    means = {name: mean for name, (mean, _) in pairs.items()}
    return means, {name: error for name, (_, error) in pairs.items()}


def run(context, workload, task):
    if importlib.util.find_spec("sklearn") is None:
        return Row(workload, math.nan, note="skipped: scikit-learn has the data", group="accuracy")
    makers = contenders(context.peers)
    data = task.load()
    if context.smoke:
        data = data[0][:300], data[1][:300]
    n_seeds = 2 if context.smoke else 5 if context.quick else task.n_seeds
    results = [one_seed(context, task, makers, data, seed) for seed in range(n_seeds)]
    scores, times = (
        {name: [result[k][name] for result in results] for name in makers} for k in (0, 1)
    )
    return compare(workload, task, scores, times)
