"""Regression."""

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.metrics import r2_score
from sklearn.utils import column_or_1d
from sklearn.utils.metaestimators import available_if

import fastnet as fn
from fastnet.sklearn import parameters
from fastnet.sklearn.base import BaseMLP, takes_batches

__all__ = ["MLPRegressor"]

# The output activation whose range is that of the targets of a loss; else identity.
OUTPUT_ACTIVATIONS = {
    "poisson": "exp",
    "binary_cross_entropy": "sigmoid",
    "cross_entropy": "softmax",
    "kl_divergence": "softmax",
}


class MLPRegressor(RegressorMixin, BaseMLP):
    """A multi-layer perceptron that predicts numbers, for every place that takes scikit-learn's.

    It has scikit-learn's parameters and attributes, and what its own regressor lacks: losses such
    as absolute_error, huber and quantile, dropout, layer normalization, an activation for each
    layer and for the output, more activations and solvers, a validation curve, float32.

    Parameters
    ----------
    loss : str or fastnet.Loss, default="squared_error"
        Any of ``fastnet.losses.names()``, ``fastnet.losses.quantile(0.9)`` or one of your own.
        "squared_error" is half of it, as in scikit-learn; several outputs are summed.
    hidden_layer_sizes : int or sequence of int, default=(100,)
        Widths of the hidden layers; ``()`` is a linear model.
    activation : str or fastnet.Activation, or a list of them, default="relu"
        Of every hidden layer, or one for each: any name of ``fastnet.activations.names()``, where
        "logistic" is another word for "sigmoid".
    solver : str or optimizer, default="adam"
        "sgd", "adam", "adamw", "rmsprop", "adagrad", "rprop", "lbfgs" or "levenberg_marquardt", the
        last three on all rows at once and the very last for loss="squared_error" only; or an
        optimizer such as ``fastnet.SGD(0.1)``, of which each fit takes a copy without state.
    alpha : float, default=0.0001
        L2 penalty: alpha / 2 times the sum of squared weights (not biases), divided by the weight
        of the samples of a batch.
    batch_size : int or "auto", default="auto"
        "auto" is 200, or all rows where they are fewer.
    learning_rate : str, default="constant"
        For solver="sgd": "constant"; "invscaling", ``learning_rate_init / (t_ + 1) ** power_t``
        after each epoch; "adaptive", a fifth of the rate where training would end for lack of
        progress.
    learning_rate_init : float or schedule, default=0.001
        For the solvers from "sgd" to "adagrad"; a schedule is ``callable(step_index)``.
    power_t : float, default=0.5
        For "invscaling".
    max_iter : int, default=200
        Epochs at most; iterations for solvers that take all rows at once.
    shuffle : bool, default=True
        A new random order of the rows each epoch.
    random_state : int, RandomState or None, default=None
        Of the initial weights, the order of rows, the validation split and dropout.
    tol : float, default=1e-4
        What counts as progress: of the training loss, or with early stopping of the validation
        score.
    verbose : bool or int, default=False
        Print the loss of each epoch.
    warm_start : bool, default=False
        ``fit`` goes on from the weights of the last one.
    momentum : float, default=0.9
        For solver="sgd".
    nesterovs_momentum : bool, default=True
        For solver="sgd" with momentum.
    early_stopping : bool, default=False
        Hold back ``validation_fraction`` of the rows, end when their score makes no progress, and
        give back the weights of the best epoch.  With ``n_iter_no_change=inf`` it shows the
        validation curve of a full run.
    validation_fraction : float, default=0.1
        Of the rows.
    beta_1, beta_2, epsilon : float, default=0.9, 0.999, 1e-8
        For the solvers "adam" and "adamw".
    n_iter_no_change : int or inf, default=10
        Training ends after more than this many epochs without progress.
    max_fun : int, default=15000
        For solver="lbfgs": evaluations of the loss at most.
    output_activation : str or fastnet.Activation, default="auto"
        "auto" follows the loss: exp for "poisson", sigmoid for "binary_cross_entropy" (shares
        between 0 and 1), softmax for "cross_entropy" and "kl_divergence" (rows that sum to 1), else
        identity.
    dropout : float or list of float, default=0.0
        Share of each hidden layer's units, or of each one's, that a training step leaves out.
    layer_norm : bool, default=False
        Normalize the values of each hidden layer within a row before its activation.
    init : str or callable, default="auto"
        Initial weights: "auto", "he_normal", "glorot_uniform" ..., as in `fastnet.Dense`.
    dtype : "auto", "float32" or "float64", default="auto"
        Precision; "auto" is float32 where X is, else float64.
    n_threads : int, default=1
        Threads that work on a large batch; the results are the same for any number.

    Attributes
    ----------
    network_ : fastnet.Network
        What was trained; ``regressor.network_(x)`` answers for a row at once.
    coefs_, intercepts_ : list of ndarray
        Weights (n_in, n_out) and biases (n_out,) of each layer: views of the network's.
    loss_, best_loss_ : float
        Of the last and of the best epoch, penalty included; ``best_loss_`` is None with early
        stopping.
    loss_curve_ : list of float
        The training loss of each epoch.
    validation_loss_curve_, validation_scores_ : list of float or None
        With early stopping: loss and score (R^2) on the rows held back.
    best_validation_score_ : float or None
    n_iter_, t_ : int
        Epochs, and samples seen.
    n_features_in_, feature_names_in_
        As everywhere in scikit-learn.
    n_layers_, n_outputs_ : int
    out_activation_ : str or fastnet.Activation

    See Also
    --------
    MLPClassifier : The same for classes.
    fastnet.Network : The network by itself.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnet.sklearn import MLPRegressor
    >>> X = np.linspace(-3, 3, 200).reshape(-1, 1)
    >>> regressor = MLPRegressor(
    ...     hidden_layer_sizes=(32,), activation="tanh", solver="lbfgs", random_state=0
    ... )
    >>> regressor.fit(X, np.sin(X[:, 0])).score(X, np.sin(X[:, 0])) > 0.99
    True
    """

    def __init__(
        self,
        loss="squared_error",
        hidden_layer_sizes=(100,),
        activation="relu",
        *,
        solver="adam",
        alpha=0.0001,
        batch_size="auto",
        learning_rate="constant",
        learning_rate_init=0.001,
        power_t=0.5,
        max_iter=200,
        shuffle=True,
        random_state=None,
        tol=1e-4,
        verbose=False,
        warm_start=False,
        momentum=0.9,
        nesterovs_momentum=True,
        early_stopping=False,
        validation_fraction=0.1,
        beta_1=0.9,
        beta_2=0.999,
        epsilon=1e-8,
        n_iter_no_change=10,
        max_fun=15000,
        output_activation="auto",
        dropout=0.0,
        layer_norm=False,
        init="auto",
        dtype="auto",
        n_threads=1,
    ):
        self.loss = loss
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.solver = solver
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.power_t = power_t
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.random_state = random_state
        self.tol = tol
        self.verbose = verbose
        self.warm_start = warm_start
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.n_iter_no_change = n_iter_no_change
        self.max_fun = max_fun
        self.output_activation = output_activation
        self.dropout = dropout
        self.layer_norm = layer_norm
        self.init = init
        self.dtype = dtype
        self.n_threads = n_threads

    _y_numeric = True

    @available_if(takes_batches)
    def partial_fit(self, X, y, sample_weight=None):
        """Go on with one pass over these rows, keeping the state of the optimizer.

        Parameters
        ----------
        X : array-like or sparse matrix (n_samples, n_features)
        y : array-like (n_samples,) or (n_samples, n_outputs)
        sample_weight : array-like (n_samples,), optional

        Returns
        -------
        self
        """
        return self._fit(X, y, sample_weight, incremental=True)

    def predict(self, X):
        """Predictions (n_samples,), or (n_samples, n_outputs) where y had columns."""
        outputs = self._outputs(X)
        return outputs[:, 0] if self.n_outputs_ == 1 else outputs

    def _encode(self, y, classes, fresh, incremental):
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        n_outputs = 1 if y.ndim == 1 else y.shape[1]
        if fresh:
            self.n_outputs_ = n_outputs
        elif n_outputs != self.n_outputs_:
            raise ValueError(
                f"y has {n_outputs} outputs, but the network was fitted with {self.n_outputs_}"
            )
        y = y.astype(np.float64, copy=False)
        if self._loss() == "poisson" and (y < 0).any():
            raise ValueError("y has negative values, which the loss 'poisson' does not allow")
        return y, y

    def _weigh(self, codes, sample_weight, incremental):
        return sample_weight

    def _loss(self):
        if isinstance(self.loss, str):
            if self.loss == "squared_error":
                return "half_squared_error"
            if self.loss not in fn.losses.names():
                names = ", ".join(map(repr, fn.losses.names()))
                parameters.refuse(self, "loss", f"a fastnet.Loss or one of {names}")
        return self.loss

    def _output_activation(self):
        if isinstance(self.output_activation, str) and self.output_activation == "auto":
            self._loss()
            if isinstance(self.loss, str):
                return OUTPUT_ACTIVATIONS.get(self.loss, "identity")
            return "identity"
        return parameters.resolve_activation(self, "output_activation", self.output_activation)

    def _score_outputs(self, y, outputs, sample_weight):
        return r2_score(y, outputs.reshape(y.shape), sample_weight=sample_weight)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
