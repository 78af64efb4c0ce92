"""`fit`, `partial_fit` and `evaluate` of any model: arguments, epochs, history.

Each epoch is one call of `TrainingLoop.epoch`, which needs no interpreter; between epochs come
validation, metrics, callbacks and early stopping.
"""

import math
import numbers
import secrets
import time

import numpy as np

from fastnet._checks import checked_int
from fastnet._progress import Progress
from fastnet.optim.optimizers import resolve as resolve_optimizer
from fastnet.training import metrics as metrics_module
from fastnet.training.history import EarlyStopping, History
from fastnet.training.loop import TrainingLoop, mean_loss
from fastnet.training.rows import TrainingRows

__all__ = ["evaluate", "fit", "partial_fit"]


def check_seed(seed):
    """A seed of 64 bits: an int of at least 0, or from the system."""
    if seed is None:
        return secrets.randbits(64)
    return checked_int(seed, "seed", 0, math.inf) % 2**64


def weigh_classes(class_weight, y, sample_weight, n_outputs):
    """Weights of rows from weights of their classes: a dict, or "balanced" for n / (k count)."""
    y = np.asarray(y)
    is_binary = n_outputs == 1 and (np.isin(y, (0, 1)).all() or np.isin(y, (-1, 1)).all())
    is_one_hot = y.ndim == 2 and np.isin(y, (0, 1)).all() and not metrics_module.is_multilabel(y)
    if not is_binary and not is_one_hot and not (y.ndim == 1 and y.dtype.kind in "iub"):
        raise ValueError("class_weight needs classes: y must be labels or one-hot rows")
    labels = metrics_module.classes(y)
    if class_weight == "balanced":
        present, counts = np.unique(labels, return_counts=True)
        class_weight = dict(
            zip(present.tolist(), len(labels) / (len(present) * counts), strict=True)
        )
    if not isinstance(class_weight, dict):
        raise TypeError(
            f"class_weight must be a dict or 'balanced', got {type(class_weight).__name__}"
        )
    n_classes = max(2, n_outputs)
    table = np.ones(n_classes)
    for label, weight in class_weight.items():
        if not isinstance(label, (int, np.integer)) or not 0 <= label < n_classes:
            raise ValueError(f"class_weight names class {label!r}: expected 0..{n_classes - 1}")
        if isinstance(weight, bool) or not isinstance(weight, numbers.Real):
            raise TypeError(
                f"class_weight[{label}] must be a number, got {type(weight).__name__}"
            )
        if not (np.isfinite(weight) and weight >= 0):
            raise ValueError(f"class_weight[{label}] must be finite and at least 0, got {weight}")
        table[label] = weight
    weights = table[labels]
    if not weights.any():
        raise ValueError("class_weight gives every row the weight 0: no row counts")
    return weights if sample_weight is None else weights * np.asarray(sample_weight, np.float64)


def check_penalty(value, name):
    """A finite number of at least 0, as a float."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise TypeError(f"{name} must be a number, got {type(value).__name__}")
    if not 0 <= value < math.inf:
        raise ValueError(f"{name} must be finite and at least 0, got {value}")
    return float(value)


def check_callbacks(callbacks):
    """A tuple of callables; a single one may stand alone."""
    if callable(callbacks):
        return (callbacks,)
    try:
        callbacks = tuple(callbacks)
    except TypeError:
        raise TypeError(
            f"callbacks must be a sequence of callables, got {type(callbacks).__name__}"
        ) from None
    for k, callback in enumerate(callbacks):
        if not callable(callback):
            raise TypeError(f"callbacks[{k}] must be callable, got {type(callback).__name__}")
    return callbacks


def prepare(model, X, y, loss, sample_weight, class_weight):
    """Checked rows, with class weights worked in."""
    rows = TrainingRows(model, X, y, loss, sample_weight)
    if class_weight is not None:
        weights = weigh_classes(class_weight, y, sample_weight, model.n_outputs)
        rows = TrainingRows(model, X, y, loss, weights)
    return rows


def known_targets(rows):
    """What metrics compare predictions with; they may not write to it."""
    known = (rows.labels if rows.labels is not None else rows.targets).view()
    known.flags.writeable = False
    return known


def fit(
    net,
    X,
    y,
    loss="auto",
    optimizer="adam",
    epochs=10,
    batch_size=32,
    shuffle=True,
    seed=None,
    sample_weight=None,
    class_weight=None,
    validation_data=None,
    metrics=(),
    early_stopping=None,
    callbacks=(),
    progress=False,
    n_threads=1,
    l1=0.0,
    l2=0.0,
):
    """Descend on the mean loss over the rows, plus the penalties.

    Parameters
    ----------
    X : array-like (n_rows, n_inputs)
        Finite numbers; converted to the precision of the network.
    y : array-like
        Targets (n_rows, n_outputs), for one output also (n_rows,), or labels (n_rows,).
    loss : str or fastnet.Loss
        "auto": cross_entropy after softmax, binary_cross_entropy after one sigmoid output, else
        squared_error.
    optimizer : str or optimizer
        A name such as "adam", "sgd" or "lbfgs", or an object, which keeps its state.
    epochs : int
        "lbfgs" and "levenberg_marquardt": at most so many iterations.
    batch_size : int or None
        Rows of one step; None is all of them.  The last batch of an epoch may be smaller.
        "rprop", "lbfgs" and "levenberg_marquardt" always take all of them.
    shuffle : bool
        A new random order each epoch.
    seed : int or None
        Of that order, and of dropout.
    sample_weight : array-like (n_rows,), optional
        A weight of 2 counts a row twice.
    class_weight : dict or "balanced", optional
        Weight of each class, multiplied with the sample weights.
    validation_data : (X, y), optional
    metrics : sequence of str or callable
        "accuracy", "r2", "mean_absolute_error" or ``callable(y_true, y_pred)``; taken on the
        validation data where there are some, else on the training rows.
    early_stopping : fastnet.EarlyStopping, optional
    callbacks : sequence of callable
        ``callback(net, epoch, logs)`` after each epoch, epochs counted from 0; returning True
        ends training.
    progress : bool
        One line on standard error.
    n_threads : int
        Threads that share the rows of a batch, where they are worth it; the result is the same,
        bit for bit.
    l1, l2 : float
        The objective is the mean loss plus ``l1 sum |w| + l2 / 2 sum w^2`` over the weights of
        dense layers (not the biases). ``history.loss`` is the mean loss alone.

    Returns
    -------
    fastnet.History
        Also ``net.history``, even where training ends by an exception after its first epoch.

    Raises
    ------
    ValueError, TypeError
        An argument is wrong: nothing was changed.
    DivergenceError
        The loss became NaN or infinite (a ValueError).
    KeyboardInterrupt
        Ctrl-C: the parameters are those of the last step.
    """
    epochs = checked_int(epochs, "epochs", 0)
    rows = prepare(net, X, y, loss, sample_weight, class_weight)
    n_rows = len(rows.X)
    batch_size = n_rows if batch_size is None else checked_int(batch_size, "batch_size")
    optimizer = resolve_optimizer(optimizer)
    measured = metrics_module.resolve(metrics)
    n_threads = checked_int(n_threads, "n_threads")
    l1, l2 = check_penalty(l1, "l1"), check_penalty(l2, "l2")
    seed = check_seed(seed)
    callbacks = check_callbacks(callbacks)
    if early_stopping is not None and not isinstance(early_stopping, EarlyStopping):
        raise TypeError(
            f"early_stopping must be a fastnet.EarlyStopping, got {type(early_stopping).__name__}"
        )
    validation = None
    if validation_data is not None:
        try:
            validation_X, validation_y = validation_data
        except (TypeError, ValueError):
            raise ValueError("validation_data must be a pair (X, y)") from None
        validation = TrainingRows(
            net, validation_X, validation_y, loss, None, "validation_data X", "validation_data y"
        )
    judged = rows if validation is None else validation
    watchdog = None
    if early_stopping is not None:
        known = ["loss", *(["validation_loss"] if validation is not None else []), *measured]
        watchdog = early_stopping.start(known)
    loop = TrainingLoop(net, rows, optimizer, batch_size, bool(shuffle), seed, l1, l2, n_threads)

    earlier = net.history
    history = History(metrics={name: [] for name in measured})
    net.history = history
    started = time.perf_counter()
    try:
        with loop.team, Progress(epochs, progress) as line:
            started = time.perf_counter()
            for epoch in range(epochs):
                logs = {"loss": loop.epoch(epoch)}
                if validation is not None:
                    logs["validation_loss"] = loop.mean_loss(validation)
                if measured:
                    predictions = net.predict(judged.X, n_threads=n_threads)
                    logs |= metrics_module.measure(measured, known_targets(judged), predictions)
                record(history, logs)
                if progress:
                    line.update(**logs)
                # before callbacks, which may change the parameters that the figures are of
                is_stale = watchdog is not None and watchdog.should_stop(net, logs)
                # all of them see the epoch, whichever wants to stop
                answers = [callback(net, epoch, dict(logs)) for callback in callbacks]
                if any(isinstance(a, (bool, np.bool_)) and a for a in answers):
                    history.stopped = "callback"
                    break
                if is_stale:
                    history.stopped = "early_stopping"
                    break
                if loop.has_converged:
                    history.stopped = "converged"
                    break
    except KeyboardInterrupt:
        history.stopped = "interrupted"
        raise
    except BaseException:
        history.stopped = "error"
        if not history.epochs:
            net.history = earlier
        raise
    finally:
        history.seconds = time.perf_counter() - started
    if watchdog is not None:
        watchdog.restore(net)
    return history


def record(history, logs):
    """Append the figures of one epoch."""
    history.epochs += 1
    for name, value in logs.items():
        if name in ("loss", "validation_loss"):
            getattr(history, name).append(value)
        else:
            history.metrics[name].append(value)


def partial_fit(net, X, y, optimizer=None, **options):
    """One pass over X; the optimizer of the first call serves all later ones."""
    given = resolve_optimizer("adam" if optimizer is None else optimizer)
    kept = net._partial_optimizer
    if kept is None:
        kept = given
    history = fit(net, X, y, optimizer=kept, epochs=1, **options)
    net._partial_optimizer = kept
    return history


def evaluate(net, X, y, loss="auto", metrics=()):
    """{"loss": mean loss, and one entry a metric}."""
    measured = metrics_module.resolve(metrics)
    rows = TrainingRows(net, X, y, loss)
    figures = {"loss": mean_loss(net, rows)}
    if measured:
        figures |= metrics_module.measure(measured, known_targets(rows), net.predict(rows.X))
    return figures
