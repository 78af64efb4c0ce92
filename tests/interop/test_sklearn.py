"""Networks from scikit-learn's perceptrons, whose own predictions are what is expected."""

import numpy as np
import pytest

import fastnet as fn

sklearn = pytest.importorskip("sklearn", exc_type=ImportError)
perceptrons = pytest.importorskip("sklearn.neural_network", exc_type=ImportError)

X = np.random.default_rng(0).normal(size=(60, 4))


def classifier(y):
    mlp = perceptrons.MLPClassifier(hidden_layer_sizes=(7, 5), random_state=0)
    for _ in range(3):
        mlp.partial_fit(X, y, classes=np.unique(y))
    return mlp


def regressor(y, x=X, **settings):
    mlp = perceptrons.MLPRegressor(hidden_layer_sizes=(7, 5), random_state=0, **settings)
    for _ in range(3):
        mlp.partial_fit(x, y)
    return mlp


def assert_close(got, expected, n_terms=40):
    tolerance = np.finfo(got.dtype).eps * 8 * n_terms * max(1.0, np.abs(expected).max())
    np.testing.assert_allclose(got, expected, rtol=0, atol=tolerance)


@pytest.mark.parametrize("activation", ["identity", "logistic", "tanh", "relu"])
def test_regressor(activation):
    mlp = regressor(np.stack([X[:, 0], X[:, 1] ** 2], axis=1), activation=activation)
    net = fn.Network.from_sklearn(mlp)
    assert net.dtype == np.float64
    assert [layer.n_outputs for layer in net.layers] == [7, 5, 2]
    assert_close(net(X), mlp.predict(X))


def test_one_output():
    mlp = regressor(X[:, 0])
    assert_close(fn.Network.from_sklearn(mlp)(X)[:, 0], mlp.predict(X))


def test_single_precision_is_kept():
    x = X.astype(np.float32)
    mlp = regressor(x[:, 0], x)
    assert mlp.coefs_[0].dtype == np.float32
    net = fn.Network.from_sklearn(mlp)
    assert net.dtype == np.float32
    np.testing.assert_array_equal(net.layers[1].weights, mlp.coefs_[1])
    np.testing.assert_array_equal(net.layers[1].biases, mlp.intercepts_[1])
    assert_close(net(x)[:, 0], mlp.predict(x))


def test_many_classes():
    mlp = classifier(np.arange(60) % 3)
    net = fn.Network.from_sklearn(mlp)
    assert net.layers[-1].activation == "softmax"
    assert_close(net(X), mlp.predict_proba(X))


def test_two_classes():
    mlp = classifier(np.where(X[:, 0] > 0, "yes", "no"))
    net = fn.Network.from_sklearn(mlp)
    assert net.layers[-1].activation == "sigmoid"
    assert_close(net(X)[:, 0], mlp.predict_proba(X)[:, 1])


def test_many_labels():
    mlp = perceptrons.MLPClassifier(hidden_layer_sizes=(7, 5), random_state=0)
    labels = np.stack([X[:, 0] > 0, X[:, 1] > 0], axis=1).astype(int)
    mlp.partial_fit(X, labels, classes=[0, 1])
    assert_close(fn.Network.from_sklearn(mlp)(X), mlp.predict_proba(X))


@pytest.mark.skipif("loss" not in perceptrons.MLPRegressor().get_params(), reason="is newer")
def test_poisson_regressor():
    mlp = regressor(np.abs(X[:, 0]), loss="poisson")
    net = fn.Network.from_sklearn(mlp)
    assert net.layers[-1].activation == "exp"
    assert_close(net(X)[:, 0], mlp.predict(X))


def test_arrays_are_copies():
    mlp = regressor(X[:, 0])
    before = mlp.coefs_[0].copy()
    fn.Network.from_sklearn(mlp).parameters[:] = 0
    np.testing.assert_array_equal(mlp.coefs_[0], before)


def test_not_fitted():
    with pytest.raises(ValueError, match="not fitted"):
        fn.Network.from_sklearn(perceptrons.MLPRegressor())


@pytest.mark.parametrize("mlp", [None, perceptrons.MLPClassifier, np.zeros(3)])
def test_something_else(mlp):
    with pytest.raises(TypeError, match="mlp must be an MLPClassifier or MLPRegressor"):
        fn.Network.from_sklearn(mlp)
