"""What a training run reports, and when it ends early."""

import math
import numbers
from dataclasses import dataclass, field

from fastnet._checks import checked_int


@dataclass
class History:
    """Figures of a `fit`, one entry an epoch.

    Attributes
    ----------
    loss : list of float
        Mean loss over the training rows, as they were met during the epoch.
    validation_loss : list of float
        Mean loss over ``validation_data`` after the epoch; empty without it.
    metrics : dict of list of float
        Of ``validation_data`` where it is given, else of the training rows, after the epoch.
    epochs : int
        Epochs completed.
    stopped : str
        Why it ended: "epochs", "early_stopping", "callback", "converged" (the optimizer has
        nothing more to do), "interrupted", or "error" where an exception came.
    seconds : float
        Time of the whole call.
    """

    loss: list = field(default_factory=list)
    validation_loss: list = field(default_factory=list)
    metrics: dict = field(default_factory=dict)
    epochs: int = 0
    stopped: str = "epochs"
    seconds: float = 0.0

    def __repr__(self):
        last = f", loss={self.loss[-1]:.4g}" if self.loss else ""
        return f"History(epochs={self.epochs}{last}, stopped={self.stopped!r})"


class EarlyStopping:
    """Ends training when a figure has not improved for a while.

    Parameters
    ----------
    monitor : str
        "validation_loss", "loss" or the name of a metric; metrics are better when larger, except
        "mean_absolute_error".
    patience : int
        Epochs without improvement after which training ends.
    min_delta : float
        What counts as an improvement.
    restore_best : bool
        Whether the network gets back the parameters of its best epoch.

    Notes
    -----
    An object serves any number of runs: each begins anew.
    """

    def __init__(self, monitor="validation_loss", patience=10, min_delta=0.0, restore_best=True):
        if not isinstance(monitor, str):
            raise TypeError(f"monitor must be a str, got {type(monitor).__name__}")
        if isinstance(min_delta, bool) or not isinstance(min_delta, numbers.Real):
            raise TypeError(f"min_delta must be a number, got {type(min_delta).__name__}")
        if not min_delta >= 0:
            raise ValueError(f"min_delta must be at least 0, got {min_delta!r}")
        self.monitor = monitor
        self.patience = checked_int(patience, "patience")
        self.min_delta = float(min_delta)
        self.restore_best = bool(restore_best)

    def __repr__(self):
        return (
            f"EarlyStopping(monitor={self.monitor!r}, patience={self.patience}, "
            f"min_delta={self.min_delta}, restore_best={self.restore_best})"
        )

    def __eq__(self, other):
        return isinstance(other, EarlyStopping) and vars(self) == vars(other)

    __hash__ = None

    def start(self, known):
        """The state of one run whose epochs report these figures."""
        if self.monitor not in known:
            raise ValueError(
                f"early_stopping monitors {self.monitor!r}, but an epoch has only "
                f"{', '.join(known)}: give validation_data= or metrics=, or another monitor"
            )
        return Watchdog(self)


class Watchdog:
    """The best epoch of one run so far."""

    def __init__(self, rule):
        self.rule = rule
        larger_is_better = rule.monitor not in ("loss", "validation_loss", "mean_absolute_error")
        self.sign = -1.0 if larger_is_better else 1.0
        self.best = math.inf
        self.best_parameters = None
        self.waited = 0

    def should_stop(self, net, logs):
        """Note this epoch's figures; True where patience has ended."""
        value = self.sign * logs[self.rule.monitor]
        if value < self.best - self.rule.min_delta:
            self.best = value
            self.waited = 0
            if self.rule.restore_best:
                self.best_parameters = net.parameters.copy()
            return False
        self.waited += 1
        return self.waited >= self.rule.patience

    def restore(self, net):
        """Give the network the parameters of its best epoch."""
        if self.best_parameters is not None:
            net.parameters[:] = self.best_parameters
