"""What both estimators share: data, network, training, prediction."""

import copy
import math
import warnings

import numpy as np
import scipy.sparse
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_array, check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

import fastnet as fn
from fastnet.nn.layers import DenseLayer
from fastnet.sklearn import parameters
from fastnet.sklearn.watch import Watch
from fastnet.training.rows import TrainingRows

__all__ = ["BaseMLP"]

# Attributes whose objects a further fit changes
CHANGED_IN_PLACE = {
    "network_", "loss_curve_", "validation_scores_", "validation_loss_curve_", "_optimizer",
    "_random_state",
}

# Sparse rows that would need more memory than this become dense piece by piece.
DENSE_BYTES = 2**28


def takes_batches(estimator):
    """Whether the solver can learn from a stream; scikit-learn's error where it cannot."""
    if parameters.solver_name(estimator.solver) in parameters.FULL_BATCH:
        raise AttributeError(
            "partial_fit is only available for stochastic optimizers: "
            f"{estimator.solver!r} sees all rows at each step"
        )
    return True


class BaseMLP(BaseEstimator):
    """Common parts of `MLPClassifier` and `MLPRegressor`.

    A subclass has the parameters as scikit-learn wants them (an explicit ``__init__``) and says how
    its targets are encoded and its outputs judged.
    """

    def fit(self, X, y, sample_weight=None):
        """Train on the rows, from the start unless ``warm_start`` is set.

        Parameters
        ----------
        X : array-like or sparse matrix (n_samples, n_features)
        y : array-like (n_samples,) or (n_samples, n_outputs)
        sample_weight : array-like (n_samples,), optional
            A weight of 2 counts a row twice.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            A parameter or the data is wrong, or the loss became NaN or infinite.

        Warns
        -----
        ConvergenceWarning
            ``max_iter`` came before the end of progress.
        """
        return self._fit(X, y, sample_weight)

    def _fit(self, X, y, sample_weight, classes=None, incremental=False):
        before = vars(self).copy()
        for name in CHANGED_IN_PLACE & before.keys():
            before[name] = copy.deepcopy(before[name])
        try:
            return self._fit_or_fail(X, y, sample_weight, classes, incremental)
        except Exception:
            # what an earlier fit has learned is still there after an error
            vars(self).clear()
            vars(self).update(before)
            raise

    def _fit_or_fail(self, X, y, sample_weight, classes, incremental):
        parameters.check(self)
        if incremental and self.early_stopping:
            raise ValueError("partial_fit does not support early_stopping=True")
        fresh = not hasattr(self, "network_") or not (self.warm_start or incremental)
        X, y = validate_data(
            self,
            X,
            y,
            accept_sparse="csr",
            multi_output=True,
            y_numeric=self._y_numeric,
            dtype=self._input_dtype(fresh),
            reset=fresh,
        )
        sample_weight = check_weights(sample_weight, X.shape[0])
        y, codes = self._encode(y, classes, fresh, incremental)
        weights = self._weigh(codes, sample_weight, incremental)
        if fresh:
            self._random_state = check_random_state(self.random_state)
        seed = int(self._random_state.randint(np.iinfo(np.int32).max))
        held_out = self._hold_out(codes) if self.early_stopping else None
        self._build(X, fresh, seed)
        if fresh or not incremental:
            self._optimizer = parameters.optimizer(self)
            self.n_iter_ = 0
        validation = None
        if held_out is not None:
            score_weight = None if sample_weight is None else sample_weight[held_out]
            rows = TrainingRows(
                self.network_,
                dense(X[held_out]),
                y[held_out],
                self._loss(),
                None if weights is None else weights[held_out],
                "validation rows of X",
                "validation rows of y",
            )
            validation = rows, codes[held_out], score_weight
            X, y = X[~held_out], y[~held_out]
            weights = None if weights is None else weights[~held_out]
        self._train(X, y, weights, validation, seed, incremental)
        return self

    def _input_dtype(self, fresh):
        """The dtypes in which X is taken."""
        if not fresh:
            return self.network_.dtype
        if isinstance(self.dtype, str) and self.dtype == "auto":
            return (np.float64, np.float32)
        return parameters.precision(self.dtype)

    def _build(self, X, fresh, seed):
        """The network, or the one there is where it is as the parameters say."""
        layers = parameters.layers(self, self.n_outputs_, self._output_activation())
        if fresh:
            self.network_ = fn.Network(X.shape[1], layers=layers, dtype=X.dtype, seed=seed)
            self.t_ = 0
            self.loss_curve_ = []
            self.validation_scores_ = [] if self.early_stopping else None
            self.validation_loss_curve_ = [] if self.early_stopping else None
            self.best_validation_score_ = -math.inf if self.early_stopping else None
            self.best_loss_ = None if self.early_stopping else math.inf
        elif layers != self.network_._specs():
            raise ValueError(
                "the parameters describe another network than the one that was fitted: "
                f"{layers}, not {self.network_._specs()}"
            )

    def _hold_out(self, codes):
        """Which rows are for validation, as a mask (n_rows,); classes are divided alike."""
        n_rows = len(codes)
        n_held_out = math.ceil(self.validation_fraction * n_rows)
        if n_held_out < 2:
            raise ValueError(
                "The validation set is too small. Increase 'validation_fraction' "
                "or the size of your dataset."
            )
        order = self._random_state.permutation(n_rows)
        candidates = order
        if not self._y_numeric:
            # Neighbours are of one class, of which the first always serves training.
            labels = np.unique(codes, axis=0, return_inverse=True)[1].reshape(-1)[order]
            order = order[np.argsort(labels, kind="stable")]
            candidates = np.delete(order, np.unique(np.sort(labels), return_index=True)[1])
        if n_held_out > len(candidates) or n_held_out == n_rows:
            raise ValueError(
                f"validation_fraction={self.validation_fraction} of {n_rows} rows leaves too few "
                "for training, which needs one row of each class."
            )
        # evenly spaced with a random beginning
        n = len(candidates)
        places = (np.arange(n_held_out) * n + self._random_state.randint(n)) // n_held_out
        held_out = np.zeros(n_rows, bool)
        held_out[candidates[places]] = True
        return held_out

    def _train(self, X, y, weights, validation, seed, incremental):
        n_rows = len(y)
        epochs = 1 if incremental else self.max_iter
        solver = parameters.solver_name(self.solver)
        batch_size = min(200 if self.batch_size == "auto" else self.batch_size, n_rows)
        if self.batch_size != "auto" and self.batch_size > n_rows:
            warnings.warn(
                f"Got batch_size={self.batch_size} for {n_rows} rows: it is clipped", stacklevel=4
            )
        if solver in parameters.FULL_BATCH:
            batch_size = n_rows
        total_weight = n_rows if weights is None else float(weights.sum())
        # alpha is divided by the weight of a batch, of which this is the mean
        l2 = self.alpha * n_rows / (batch_size * total_weight) if total_weight else 0.0
        stops = validation is not None or solver not in parameters.SELF_STOPPING
        watch = Watch(self, self._optimizer, l2, n_rows, validation, stops)
        options = {
            "loss": self._loss(),
            "optimizer": self._optimizer,
            "batch_size": batch_size,
            "l2": l2,
            "n_threads": self.n_threads,
        }
        pieces = scipy.sparse.issparse(X) and batch_size < n_rows
        try:
            if pieces and n_rows * X.shape[1] * X.dtype.itemsize > DENSE_BYTES:
                self._train_in_pieces(X, y, weights, seed, epochs, watch, options)
            else:
                history = self.network_.fit(
                    dense(X),
                    y,
                    epochs=epochs,
                    shuffle=bool(self.shuffle),
                    seed=seed,
                    sample_weight=weights,
                    callbacks=watch,
                    **options,
                )
                watch.converged |= history.stopped == "converged"
        except KeyboardInterrupt:
            warnings.warn("Training interrupted by user.", stacklevel=4)
            watch.converged = True
        if watch.best_parameters is not None:
            self.network_.parameters[:] = watch.best_parameters
        if not (watch.converged or incremental):
            warnings.warn(
                f"Maximum iterations ({self.max_iter}) reached and the optimization hasn't "
                "converged yet.",
                ConvergenceWarning,
                stacklevel=4,
            )

    def _train_in_pieces(self, X, y, weights, seed, epochs, watch, options):
        """`Network.fit` for sparse rows of which only a piece at a time is made dense."""
        n_rows = len(y)
        rng = np.random.default_rng(seed)
        batch_bytes = options["batch_size"] * X.shape[1] * X.dtype.itemsize
        step = options["batch_size"] * max(1, DENSE_BYTES // batch_bytes)
        for epoch in range(epochs):
            order = rng.permutation(n_rows) if self.shuffle else np.arange(n_rows)
            loss = total_weight = 0.0
            for first in range(0, n_rows, step):
                rows = order[first : first + step]
                weight = len(rows) if weights is None else float(weights[rows].sum())
                if weight == 0:
                    continue
                history = self.network_.fit(
                    X[rows].toarray(),
                    y[rows],
                    epochs=1,
                    shuffle=False,
                    seed=int(rng.integers(2**63)),
                    sample_weight=None if weights is None else weights[rows],
                    **options,
                )
                loss += history.loss[-1] * weight
                total_weight += weight
            if watch(self.network_, epoch, {"loss": loss / total_weight}):
                break

    def _outputs(self, X):
        """Outputs of the network (n_samples, n_outputs)."""
        check_is_fitted(self)
        dtype = self.network_.dtype
        X = validate_data(self, X, accept_sparse="csr", dtype=dtype, reset=False)
        if not scipy.sparse.issparse(X):
            return self.network_.predict(X, n_threads=self.n_threads)
        outputs = np.empty((X.shape[0], self.n_outputs_), dtype)
        step = max(1, DENSE_BYTES // (X.shape[1] * dtype.itemsize))
        for first in range(0, X.shape[0], step):
            piece = X[first : first + step].toarray()
            outputs[first : first + step] = self.network_.predict(piece, n_threads=self.n_threads)
        return outputs

    @property
    def coefs_(self):
        """Weights (n_in, n_out) of each dense layer: writable views of the network's."""
        return [layer.weights for layer in self._dense_layers()]

    @property
    def intercepts_(self):
        """Biases (n_out,) of each dense layer: writable views of the network's."""
        return [layer.biases for layer in self._dense_layers()]

    def _dense_layers(self):
        # an AttributeError where there is no network yet, so that hasattr says no
        return [layer for layer in self.network_.layers if isinstance(layer, DenseLayer)]

    @property
    def n_layers_(self):
        """Layers, inputs and outputs included."""
        return len(self._dense_layers()) + 1

    @property
    def out_activation_(self):
        """Activation of the output layer, by the name scikit-learn gives it."""
        activation = self.network_.layers[-1].activation
        return "logistic" if activation == "sigmoid" else activation

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


def dense(X):
    return X.toarray() if scipy.sparse.issparse(X) else X


def check_weights(sample_weight, n_rows):
    """Weights of the rows as float64 (n_rows,), or None; a number is the weight of each."""
    if sample_weight is None:
        return None
    if parameters.is_number(sample_weight):
        sample_weight = np.full(n_rows, sample_weight, np.float64)
    weights = check_array(
        sample_weight, ensure_2d=False, dtype=np.float64, input_name="sample_weight"
    )
    if weights.shape != (n_rows,):
        raise ValueError(f"sample_weight must have shape ({n_rows},), got {weights.shape}")
    if (weights < 0).any():
        raise ValueError("Negative values in data passed to sample_weight")
    if not weights.any():
        raise ValueError("sample_weight is all zero: no row counts")
    return weights
