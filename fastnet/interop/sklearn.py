"""Networks from scikit-learn's multilayer perceptrons."""

from fastnet.interop.stack import Stack, require

__all__ = ["from_sklearn"]

NAMES = {
    "identity": "identity",
    "logistic": "sigmoid",
    "tanh": "tanh",
    "relu": "relu",
    "softmax": "softmax",
    "exp": "exp",
}


def from_sklearn(cls, mlp):
    """A network with the layers and parameters of a fitted perceptron of scikit-learn.

    Parameters
    ----------
    cls : type
        `fastnet.Network` or a subclass.
    mlp : sklearn.neural_network.MLPClassifier or MLPRegressor
        Fitted.

    Returns
    -------
    Network
        Its outputs are those of ``predict`` of a regressor, (n_rows, n_outputs), and of
        ``predict_proba`` of a classifier; with two classes, or many labels at once, the
        probabilities of ``classes_[1]``, or of each label.  float32 where the perceptron was
        fitted on float32, else float64.

    Raises
    ------
    sklearn.exceptions.NotFittedError
        A ValueError: it is not fitted.
    TypeError
        It is something else; of a pipeline or a search, take the estimator out.
    ImportError
        scikit-learn is not installed.

    Examples
    --------
    >>> import fastnet as fn                                                 # doctest: +SKIP
    >>> from sklearn.neural_network import MLPRegressor
    >>> mlp = MLPRegressor(hidden_layer_sizes=8).fit([[0.0], [1.0], [2.0]], [0.0, 1.0, 4.0])
    >>> fn.Network.from_sklearn(mlp)
    Network([1, 8, 1], dtype='float64')
    """
    perceptrons = require("sklearn.neural_network", "sklearn")
    if not isinstance(mlp, (perceptrons.MLPClassifier, perceptrons.MLPRegressor)):
        raise TypeError(f"mlp must be an MLPClassifier or MLPRegressor, got {type(mlp).__name__}")
    require("sklearn.utils.validation", "sklearn").check_is_fitted(mlp, "coefs_")
    stack = Stack()
    last = len(mlp.coefs_) - 1
    for k, (weights, biases) in enumerate(zip(mlp.coefs_, mlp.intercepts_, strict=True)):
        activation = mlp.activation if k < last else mlp.out_activation_
        where = f"layer {k}: activation {activation!r}"
        if activation not in NAMES:
            raise ValueError(f"{where} is not supported")
        stack = stack.dense(weights, biases, where).activation(NAMES[activation], where)
    return stack.network(cls)
