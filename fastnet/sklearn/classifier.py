"""Classification."""

import numpy as np
import scipy.sparse
from sklearn.base import ClassifierMixin
from sklearn.metrics import accuracy_score
from sklearn.utils import column_or_1d
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets, type_of_target

import fastnet as fn
from fastnet.sklearn import parameters
from fastnet.sklearn.base import BaseMLP, takes_batches

__all__ = ["MLPClassifier"]

# On labels these are all the negative logarithm of the probability of the right class.
LOG_LOSSES = ("log_loss", "cross_entropy", "binary_cross_entropy", "kl_divergence")


def gives_probabilities(estimator):
    """Whether outputs are probabilities; scikit-learn's error where they are not."""
    if is_hinge(estimator):
        raise AttributeError("probabilities are not available with loss='hinge'")
    return True


def gives_margins(estimator):
    """Whether outputs are signed distances."""
    if not is_hinge(estimator):
        raise AttributeError("decision_function is only available with loss='hinge'")
    return True


def is_hinge(estimator):
    return isinstance(estimator.loss, str) and estimator.loss == "hinge"


class MLPClassifier(ClassifierMixin, BaseMLP):
    """A multi-layer perceptron that classifies, for every place that takes scikit-learn's.

    It has scikit-learn's parameters and attributes, and what its own classifier lacks: class
    weights, dropout, layer normalization, an activation for each layer, more activations, losses
    and solvers, a validation curve, multilabel `partial_fit`, float32.

    Two classes are one logistic output, more are a softmax; columns of 0 and 1 in y (multilabel)
    are one logistic output each.

    Parameters
    ----------
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
        Of the rows, of each class alike (of each combination of labels).
    beta_1, beta_2, epsilon : float, default=0.9, 0.999, 1e-8
        For the solvers "adam" and "adamw".
    n_iter_no_change : int or inf, default=10
        Training ends after more than this many epochs without progress.
    max_fun : int, default=15000
        For solver="lbfgs": evaluations of the loss at most.
    loss : str or fastnet.Loss, default="log_loss"
        "log_loss" is the cross-entropy; "hinge" learns margins and gives `decision_function` in
        place of probabilities; any other of ``fastnet.losses.names()``, or one of your own, is
        taken between probabilities and 0 or 1, "squared_error" as half of it.
    class_weight : dict, "balanced" or None, default=None
        Weight of each class, by its label; "balanced" is n / (k count), with sample weights
        counted.  For multilabel targets a list with a dict {0: ..., 1: ...} for each column.
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
    classes_ : ndarray (n_classes,)
        The labels, sorted.
    network_ : fastnet.Network
        What was trained; ``classifier.network_(x)`` answers for a row at once.
    coefs_, intercepts_ : list of ndarray
        Weights (n_in, n_out) and biases (n_out,) of each layer: views of the network's.
    loss_, best_loss_ : float
        Of the last and of the best epoch, penalty included; ``best_loss_`` is None with early
        stopping.
    loss_curve_ : list of float
        The training loss of each epoch.
    validation_loss_curve_, validation_scores_ : list of float or None
        With early stopping: loss and score (accuracy) on the rows held back.
    best_validation_score_ : float or None
    n_iter_, t_ : int
        Epochs, and samples seen.
    n_features_in_, feature_names_in_
        As everywhere in scikit-learn.
    n_layers_, n_outputs_ : int
    out_activation_ : str or fastnet.Activation

    See Also
    --------
    MLPRegressor : The same for numbers.
    fastnet.Network : The network by itself.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from fastnet.sklearn import MLPClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> classifier = MLPClassifier((32,), learning_rate_init=0.01, max_iter=1000, random_state=0)
    >>> classifier.fit(X, y).score(X, y) > 0.95
    True
    """

    def __init__(
        self,
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
        loss="log_loss",
        class_weight=None,
        dropout=0.0,
        layer_norm=False,
        init="auto",
        dtype="auto",
        n_threads=1,
    ):
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
        self.loss = loss
        self.class_weight = class_weight
        self.dropout = dropout
        self.layer_norm = layer_norm
        self.init = init
        self.dtype = dtype
        self.n_threads = n_threads

    _y_numeric = False

    @available_if(takes_batches)
    def partial_fit(self, X, y, classes=None, sample_weight=None):
        """Go on with one pass over these rows, keeping the state of the optimizer.

        Parameters
        ----------
        X : array-like or sparse matrix (n_samples, n_features)
        y : array-like (n_samples,) or (n_samples, n_labels)
        classes : array-like (n_classes,), optional
            All labels that will ever come: needed in the first call unless y has columns of 0 and
            1, later ones may repeat it.
        sample_weight : array-like (n_samples,), optional

        Returns
        -------
        self
        """
        return self._fit(X, y, sample_weight, classes, incremental=True)

    def predict(self, X):
        """Labels (n_samples,), or 0 and 1 (n_samples, n_labels) where y had columns."""
        decided = self._decide(self._outputs(X))
        return decided if self._multilabel else self.classes_[decided]

    @available_if(gives_probabilities)
    def predict_proba(self, X):
        """Probabilities (n_samples, n_classes), or of each label being 1."""
        outputs = self._outputs(X)
        if self._multilabel or self.n_outputs_ > 1:
            return outputs
        if len(self.classes_) == 1:
            return np.ones_like(outputs)
        return np.hstack([1 - outputs, outputs])

    @available_if(gives_probabilities)
    def predict_log_proba(self, X):
        """Natural logarithm of `predict_proba`; -inf where that is 0."""
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))

    @available_if(gives_margins)
    def decision_function(self, X):
        """With loss="hinge" the outputs (n_samples, n_classes); (n_samples,) for two classes."""
        outputs = self._outputs(X)
        return outputs if self._multilabel or self.n_outputs_ > 1 else outputs[:, 0]

    def _decide(self, outputs):
        """Class numbers (n_samples,), or 0 and 1 (n_samples, n_labels)."""
        if self.n_outputs_ > 1 and not self._multilabel:
            return outputs.argmax(axis=1)
        positive = (outputs > (0 if is_hinge(self) else 0.5)).astype(np.intp)
        if self._multilabel:
            return positive
        return np.minimum(positive[:, 0], len(self.classes_) - 1)

    def _encode(self, y, classes, fresh, incremental):
        check_classification_targets(y)
        kind = type_of_target(y, input_name="y")
        multilabel = kind == "multilabel-indicator"
        if kind == "multiclass-multioutput":
            raise ValueError(
                "multiclass-multioutput targets are not supported: y must be labels (n_samples,) "
                "or columns of 0 and 1"
            )
        if scipy.sparse.issparse(y):
            y = y.toarray()
        if not multilabel:
            y = column_or_1d(y, warn=True)
        known = self._known_classes(y, multilabel, classes, fresh, incremental)
        if multilabel:
            if not np.isin(y, (0, 1)).all():
                raise ValueError(f"multilabel y must be 0 or 1, got {np.unique(y)}")
            codes = np.asarray(y, np.intp)
        else:
            present = np.unique(y)
            unknown = np.setdiff1d(present, known)
            if len(unknown):
                raise ValueError(
                    f"`y` has classes not in `self.classes_`: {unknown}. "
                    f"`self.classes_` has {known}."
                )
            codes = np.searchsorted(known, y)
        if fresh:
            self.classes_ = known
            self._multilabel = multilabel
            self.n_outputs_ = len(known) if multilabel or len(known) > 2 else 1
        return self._targets(codes), codes

    def _known_classes(self, y, multilabel, classes, fresh, incremental):
        """The sorted classes, checked against those of earlier calls."""
        if fresh and not multilabel:
            if classes is not None:
                return np.unique(column_or_1d(np.asarray(classes)))
            if incremental:
                raise ValueError("classes must be passed on the first call to partial_fit.")
            return np.unique(y)
        if fresh:
            columns = np.arange(y.shape[1])
            if classes is not None and len(classes) != len(columns):
                raise ValueError(f"y has {len(columns)} columns, but classes has {len(classes)}")
            return columns if classes is None else np.unique(classes)
        if multilabel != self._multilabel or (multilabel and y.shape[1] != self.n_outputs_):
            raise ValueError("y must have the same kind and number of columns as in earlier calls")
        if classes is not None and not np.array_equal(self.classes_, np.unique(classes)):
            raise ValueError(
                f"classes={classes!r} is not the same as on earlier calls: {self.classes_}"
            )
        if not (incremental or multilabel or np.array_equal(np.unique(y), self.classes_)):
            raise ValueError(
                "warm_start can only be used where `y` has the same classes as in the previous "
                f"call to fit. Previously got {self.classes_}, `y` has {np.unique(y)}"
            )
        return self.classes_

    def _targets(self, codes):
        """What the network learns for these classes."""
        if self.n_outputs_ > 1 and not self._multilabel:
            if self._loss() == "cross_entropy":
                return codes
            codes = codes[:, None] == np.arange(self.n_outputs_)
        targets = codes.astype(np.float64)
        return 2 * targets - 1 if is_hinge(self) else targets

    def _weigh(self, codes, sample_weight, incremental):
        """Sample weights with the class weights worked in; those of several columns multiply."""
        if self.class_weight is None:
            return sample_weight
        balanced = isinstance(self.class_weight, str)
        if (balanced and self.class_weight != "balanced") or not (
            balanced or isinstance(self.class_weight, (dict, list, tuple))
        ):
            parameters.refuse(self, "class_weight", "a dict, 'balanced' or None")
        if balanced and incremental:
            raise ValueError(
                "class_weight='balanced' is not supported for partial_fit, which does not see all "
                "rows: give a dict"
            )
        columns = codes.reshape(len(codes), -1).T
        classes = np.array([0, 1]) if self._multilabel else self.classes_
        given = [self.class_weight] if balanced or not self._multilabel else self.class_weight
        given = list(given) * len(columns) if balanced else list(given)
        if len(given) != len(columns) or not all(balanced or isinstance(w, dict) for w in given):
            parameters.refuse(self, "class_weight", "one dict for each column of y, or 'balanced'")
        weights = np.ones(len(codes)) if sample_weight is None else sample_weight
        total = weights
        for column, weight in zip(columns, given, strict=True):
            if balanced:
                counts = np.bincount(column, weights, len(classes))
                table = np.divide(
                    weights.sum(),
                    counts * np.count_nonzero(counts),
                    where=counts > 0,
                    out=np.zeros(len(classes)),
                )
            else:
                table = compute_class_weight(weight, classes=classes, y=classes[column])
                if not (np.isfinite(table).all() and (table >= 0).all()):
                    parameters.refuse(self, "class_weight", "finite and at least 0")
            total = total * table[column]
        if not total.any():
            raise ValueError("class_weight and sample_weight leave no row any weight")
        return total

    def _loss(self):
        if not isinstance(self.loss, str):
            return self.loss
        if self.loss in LOG_LOSSES:
            multiclass = self.n_outputs_ > 1 and not self._multilabel
            return "cross_entropy" if multiclass else "binary_cross_entropy"
        if self.loss not in fn.losses.names():
            names = ", ".join(map(repr, ("log_loss", *fn.losses.names())))
            parameters.refuse(self, "loss", f"a fastnet.Loss or one of {names}")
        return "half_squared_error" if self.loss == "squared_error" else self.loss

    def _output_activation(self):
        if is_hinge(self):
            return "identity"
        return "softmax" if self.n_outputs_ > 1 and not self._multilabel else "sigmoid"

    def _score_outputs(self, y, outputs, sample_weight):
        return accuracy_score(y, self._decide(outputs), sample_weight=sample_weight)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
