"""What is particular to regression."""

import numpy as np
import pytest
from sklearn.datasets import load_diabetes
from sklearn.exceptions import DataConversionWarning
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPRegressor as TheirRegressor
from sklearn.preprocessing import scale

import fastnet as fn
from fastnet.sklearn import MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def make_rows(n=400, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.uniform(-2, 2, size=(n, 2))
    return X, np.sin(X[:, 0]) + X[:, 1] ** 2, rng


def test_diabetes():
    """As accurate as scikit-learn's, up to four standard errors of the difference."""
    X, y = load_diabetes(return_X_y=True)
    X, X_test, y, y_test = train_test_split(scale(X), y, random_state=0)
    options = {"learning_rate_init": 0.01, "random_state": 0}
    ours = MLPRegressor(**options).fit(X, y)
    theirs = TheirRegressor(**options).fit(X, y)
    difference = (ours.predict(X_test) - y_test) ** 2 - (theirs.predict(X_test) - y_test) ** 2
    assert difference.mean() <= 4 * difference.std() / np.sqrt(len(difference))
    assert ours.score(X_test, y_test) > 0.2


def test_shapes():
    X, y, _ = make_rows()
    assert MLPRegressor(max_iter=2).fit(X, y).predict(X).shape == (400,)
    two = MLPRegressor(max_iter=2).fit(X, np.column_stack([y, -y]))
    assert two.predict(X).shape == (400, 2)
    with pytest.warns(DataConversionWarning):
        one = MLPRegressor(max_iter=2).fit(X, y[:, None])
    assert one.predict(X).shape == (400,)
    with pytest.raises(ValueError, match="2 outputs"):
        one.partial_fit(X, np.column_stack([y, -y]))


def test_several_outputs_are_learned():
    X, y, _ = make_rows()
    Y = np.column_stack([y, X[:, 0] * X[:, 1]])
    regressor = MLPRegressor(learning_rate_init=0.01, max_iter=500, random_state=0).fit(X, Y)
    assert regressor.score(X, Y) > 0.95


@pytest.mark.parametrize("q", [0.1, 0.5, 0.9])
def test_quantiles(q):
    """The share of targets below, within four standard errors of a share of fresh rows."""
    X, _, rng = make_rows(4000)
    y = X[:, 0] + (1 + 0.5 * X[:, 1]) * rng.normal(size=4000)
    regressor = MLPRegressor(
        loss=fn.losses.quantile(q),
        hidden_layer_sizes=(16,),
        activation="tanh",
        learning_rate_init=0.005,
        max_iter=100,
        random_state=0,
    ).fit(X[:2000], y[:2000])
    below = (y[2000:] < regressor.predict(X[2000:])).mean()
    # both the fit and the count come from 2000 rows
    assert abs(below - q) < 4 * np.sqrt(2 * q * (1 - q) / 2000)


def test_huber_and_absolute_error_resist_outliers():
    X, y, rng = make_rows()
    spoiled = y.copy()
    spoiled[rng.permutation(400)[:40]] += 100
    options = {"learning_rate_init": 0.01, "max_iter": 300, "random_state": 0}
    for loss in ("absolute_error", fn.losses.huber(delta=0.5)):
        assert MLPRegressor(loss, **options).fit(X, spoiled).score(X, y) > 0.8
    assert MLPRegressor("squared_error", **options).fit(X, spoiled).score(X, y) < 0


def test_rates_and_shares():
    X, _, rng = make_rows()
    rate = np.exp(X[:, 0])
    counts = rng.poisson(rate)
    regressor = MLPRegressor("poisson", learning_rate_init=0.01, random_state=0).fit(X, counts)
    assert regressor.out_activation_ == "exp"
    assert np.corrcoef(np.log(regressor.predict(X)), X[:, 0])[0, 1] > 0.9
    with pytest.raises(ValueError, match="negative"):
        MLPRegressor("poisson").fit(X, counts - 1)
    share = 1 / (1 + np.exp(-X[:, 0]))
    regressor = MLPRegressor(
        "binary_cross_entropy", learning_rate_init=0.01, tol=1e-6, random_state=0
    ).fit(X, share)
    assert regressor.out_activation_ == "logistic"
    assert regressor.score(X, share) > 0.95
    shares = np.column_stack([share, 1 - share])
    regressor = MLPRegressor(
        "kl_divergence", learning_rate_init=0.01, tol=1e-6, random_state=0
    ).fit(X, shares)
    assert regressor.out_activation_ == "softmax"
    assert regressor.score(X, shares) > 0.95


def test_output_activation():
    X, y, _ = make_rows()
    regressor = MLPRegressor(output_activation="softplus", max_iter=20, random_state=0).fit(X, y)
    assert regressor.out_activation_ == "softplus"
    assert (regressor.predict(X) > 0).all()
    with pytest.raises(ValueError, match="output_activation"):
        MLPRegressor(output_activation="soft").fit(X, y)


def test_a_weight_counts_a_row_so_often():
    X, y, rng = make_rows(60)
    repeats = rng.integers(0, 4, len(y))
    options = {"max_iter": 50, "alpha": 0.1, "random_state": 0}
    one = MLPRegressor(**options).fit(X, y, sample_weight=repeats)
    two = MLPRegressor(**options).fit(X.repeat(repeats, axis=0), y.repeat(repeats))
    np.testing.assert_allclose(one.predict(X), two.predict(X), rtol=1e-7)


@pytest.mark.parametrize(
    "solver", ["adamw", "rmsprop", "rprop", "lbfgs", "levenberg_marquardt", fn.SGD(0.02)]
)
def test_solvers(solver):
    X, y, _ = make_rows()
    regressor = MLPRegressor(
        hidden_layer_sizes=(16,),
        activation="tanh",
        solver=solver,
        learning_rate_init=0.01,
        max_iter=500,
        random_state=0,
    ).fit(X, y)
    assert regressor.score(X, y) > 0.9


def test_divergence_is_an_error():
    X, y, _ = make_rows()
    regressor = MLPRegressor(
        solver="sgd", activation="identity", learning_rate_init=100.0, random_state=0
    )
    with pytest.raises(ValueError, match="NaN or infinite"):
        regressor.fit(X, y)
