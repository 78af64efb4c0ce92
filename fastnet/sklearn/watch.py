"""Following a training run epoch by epoch: curves, the best epoch, the rate, when to end."""

import math

import numpy as np

from fastnet.training.loop import mean_loss


class Watch:
    """A callback of `Network.fit` with scikit-learn's rules.

    Training ends after more than ``n_iter_no_change`` epochs in a row that did not better the
    training loss, or with early stopping the validation score, by more than ``tol``.

    Parameters
    ----------
    estimator : BaseMLP
        Gets the figures of each epoch.
    optimizer : Optimizer
        Its rate follows ``learning_rate``.
    l2 : float
        Factor of half the sum of squared weights in the objective.
    n_rows : int
        Training rows of an epoch.
    validation : tuple (TrainingRows, y, sample_weight or None), optional
        The rows as the network sees them; targets and weights for the score.
    stops : bool
        Whether a lack of progress ends training.
    """

    def __init__(self, estimator, optimizer, l2, n_rows, validation=None, stops=True):
        self.estimator = estimator
        self.optimizer = optimizer
        self.l2 = l2
        self.n_rows = n_rows
        self.validation = validation
        self.stops = stops
        self.waited = 0
        self.converged = False
        self.best_parameters = None
        self.follows_schedule = estimator.solver == "sgd" and estimator.learning_rate != "constant"

    def __call__(self, net, epoch, logs):
        """Note an epoch; True where training has to end."""
        estimator = self.estimator
        estimator.n_iter_ += 1
        estimator.t_ += self.n_rows
        estimator.loss_ = logs["loss"] + self.penalty(net)
        estimator.loss_curve_.append(estimator.loss_)
        if estimator.verbose:
            print(f"Iteration {estimator.n_iter_}, loss = {estimator.loss_:.8f}")
        improved = self.validate(net) if self.validation else self.compare_loss()
        if self.follows_schedule and estimator.learning_rate == "invscaling":
            self.optimizer.learning_rate = (
                estimator.learning_rate_init / (estimator.t_ + 1) ** estimator.power_t
            )
        self.waited = 0 if improved else self.waited + 1
        if self.stops and self.waited > estimator.n_iter_no_change:
            return self.end()
        return estimator.solver == "lbfgs" and self.optimizer.n_evaluations >= estimator.max_fun

    def penalty(self, net):
        """l2/2 sum of squared weights, after the epoch."""
        if not self.l2:
            return 0.0
        weights = (w.reshape(-1) for w in self.estimator.coefs_)
        return self.l2 / 2 * float(sum(w @ w for w in weights))

    def compare_loss(self):
        """Whether the training loss became better by more than tol."""
        estimator = self.estimator
        improved = estimator.loss_ <= estimator.best_loss_ - estimator.tol
        estimator.best_loss_ = min(estimator.best_loss_, estimator.loss_)
        return improved

    def validate(self, net):
        """Note loss and score on the validation rows; whether the score became better."""
        estimator = self.estimator
        rows, y, sample_weight = self.validation
        estimator.validation_loss_curve_.append(mean_loss(net, rows))
        outputs = net.predict(rows.X, n_threads=estimator.n_threads)
        score = math.nan  # where an output overflowed; no improvement
        if np.isfinite(outputs).all():
            score = float(estimator._score_outputs(y, outputs, sample_weight))
        estimator.validation_scores_.append(score)
        if estimator.verbose:
            print(f"Validation score: {score:.6f}")
        best = estimator.best_validation_score_
        if score > best:
            estimator.best_validation_score_ = score
            self.best_parameters = net.parameters.copy()
        return score >= best + estimator.tol if best > -math.inf else score > best

    def end(self):
        """A lack of progress: go on with a smaller rate, or end."""
        estimator = self.estimator
        judged = "Validation score" if self.validation else "Training loss"
        message = (
            f"{judged} did not improve more than tol={estimator.tol:f} "
            f"for {estimator.n_iter_no_change} consecutive epochs."
        )
        answer = "Stopping."
        adaptive = self.follows_schedule and estimator.learning_rate == "adaptive"
        if adaptive and self.optimizer.learning_rate > 1e-6:
            self.optimizer.learning_rate /= 5
            self.waited = 0
            answer = f"Setting learning rate to {self.optimizer.learning_rate:f}"
        else:
            self.converged = True
        if estimator.verbose:
            print(message, answer)
        return self.converged
