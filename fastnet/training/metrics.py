"""Figures of merit of predictions."""

import numpy as np

from fastnet._arrays import nearest


def classes(y):
    """Class numbers of labels, one-hot rows, probabilities, or one probability a row.

    One column with numbers below 0 has the classes -1 and +1, as the hinge loss does: 0 and 1.
    """
    y = np.asarray(y)
    if y.ndim == 2 and y.shape[1] > 1:
        return y.argmax(axis=1)
    y = y.reshape(len(y))
    if (y < 0).any():
        return (y > 0).astype(np.int64)
    return y if y.dtype.kind in "iub" else (y > 0.5).astype(np.int64)


def is_multilabel(y):
    """Whether rows of 0 and 1 have other numbers of ones than one each."""
    y = np.asarray(y)
    return bool(
        y.ndim == 2 and y.shape[1] > 1 and np.isin(y, (0, 1)).all() and (y.sum(axis=1) != 1).any()
    )


def accuracy(y_true, y_pred):
    """Share of rows whose class is right.

    One output is a probability of class 1, or, where targets are -1 and +1, its sign counts. With
    several labels a row (rows of 0 and 1 that do not sum to 1) all of them must be right, each a
    probability.
    """
    y_true, y_pred = np.asarray(y_true), np.asarray(y_pred)
    if is_multilabel(y_true):
        return float(np.mean(((y_true > 0.5) == (y_pred > 0.5)).all(axis=1)))
    if y_true.size == y_pred.size == len(y_true) and (y_true < 0).any():
        return float(np.mean((y_true > 0).ravel() == (y_pred > 0).ravel()))
    return float(np.mean(classes(y_true) == classes(y_pred)))


def r2(y_true, y_pred):
    """1 - sum (y - p)^2 / sum (y - mean y)^2, averaged over outputs; 0 for constant targets."""
    y_pred = np.asarray(y_pred, np.float64)
    y_true = np.asarray(y_true, np.float64).reshape(y_pred.shape)
    residual = ((y_true - y_pred) ** 2).sum(axis=0)
    total = ((y_true - y_true.mean(axis=0)) ** 2).sum(axis=0)
    perfect = (residual == 0).astype(np.float64)
    scores = np.divide(total - residual, total, out=perfect, where=total > 0)
    return float(np.mean(scores))


def mean_absolute_error(y_true, y_pred):
    """Mean of abs(y - p) over rows and outputs."""
    y_pred = np.asarray(y_pred, np.float64)
    return float(np.mean(np.abs(np.asarray(y_true, np.float64).reshape(y_pred.shape) - y_pred)))


# Figures that every epoch has
RESERVED = ("loss", "validation_loss")

METRICS = {"accuracy": accuracy, "r2": r2, "mean_absolute_error": mean_absolute_error}


def resolve(metrics):
    """Names and callables as {name: function(y_true, y_pred) -> float}."""
    if isinstance(metrics, str) or callable(metrics):
        metrics = (metrics,)
    try:
        metrics = tuple(metrics)
    except TypeError:
        raise TypeError(
            f"metrics must be a sequence of names or callables, got {type(metrics).__name__}"
        ) from None
    resolved = {}
    for k, metric in enumerate(metrics):
        if callable(metric):
            name, function = getattr(metric, "__name__", repr(metric)), metric
        elif isinstance(metric, str) and metric in METRICS:
            name, function = metric, METRICS[metric]
        elif isinstance(metric, str):
            raise ValueError(nearest(metric, METRICS, "metric"))
        else:
            raise TypeError(
                f"metrics[{k}] must be a name or a callable, got {type(metric).__name__}"
            )
        if name in RESERVED or name in resolved:
            raise ValueError(
                f"metrics[{k}] is called {name!r} like another figure of an epoch: give the "
                "function another __name__"
            )
        resolved[name] = function
    return resolved


def measure(resolved, y_true, y_pred):
    """{name: value}; a metric must return one number."""
    values = {}
    for name, function in resolved.items():
        value = function(y_true, y_pred)
        try:
            values[name] = float(value)
        except (TypeError, ValueError):
            raise TypeError(f"metric {name!r} must return a number, got {value!r}") from None
    return values
