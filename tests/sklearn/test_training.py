"""Training: step by step what scikit-learn's own estimators do, and what they lack."""

import math

import numpy as np
import pytest
import scipy.sparse
import sklearn
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier as TheirClassifier
from sklearn.neural_network import MLPRegressor as TheirRegressor

import fastnet as fn
from fastnet.sklearn import MLPClassifier, MLPRegressor, base

needs_weights_of_theirs = pytest.mark.skipif(
    tuple(map(int, sklearn.__version__.split(".")[:2])) < (1, 7),
    reason="scikit-learn's own estimators have weights and the Poisson loss since 1.7",
)
ignore_convergence = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

N_ROWS = 48
COMMON = {
    "hidden_layer_sizes": (7, 5),
    "activation": "tanh",
    "shuffle": False,
    "warm_start": True,
    "batch_size": 16,
    "n_iter_no_change": 1000,
    # what a step divides by has epsilon in different places: far below every step, it is nothing
    "epsilon": 1e-30,
    "random_state": 0,
}


def make_rows(n_features=6):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(N_ROWS, n_features))
    return X, X[:, 0] * X[:, 1] + np.sin(X[:, 2])


def targets(kind, z):
    """Targets of a kind and the two estimators for them."""
    if kind == "binary":
        return np.where(z > 0, "yes", "no"), MLPClassifier, TheirClassifier
    if kind == "multiclass":
        return np.digitize(z, [-0.5, 0.5]), MLPClassifier, TheirClassifier
    if kind == "multilabel":
        return np.column_stack([z > 0, z > 0.5, z < 1]).astype(int), MLPClassifier, TheirClassifier
    if kind == "one_output":
        return z, MLPRegressor, TheirRegressor
    return np.column_stack([z, z**2]), MLPRegressor, TheirRegressor


def train_both(kind, epochs=30, sample_weight=None, **parameters):
    """Both estimators, trained from the same weights."""
    X, z = make_rows()
    y, our_kind, their_kind = targets(kind, z)
    parameters = COMMON | parameters
    theirs = their_kind(max_iter=1, **parameters).fit(X, y)
    ours = our_kind(max_iter=1, **parameters).fit(X, y)
    for mine, known in zip(
        ours.coefs_ + ours.intercepts_, theirs.coefs_ + theirs.intercepts_, strict=True
    ):
        mine[...] = known
    for estimator in (ours, theirs):
        weights = {} if sample_weight is None else {"sample_weight": sample_weight}
        estimator.set_params(max_iter=epochs).fit(X, y, **weights)
    return ours, theirs


def assert_same_weights(ours, theirs):
    for mine, known in zip(
        ours.coefs_ + ours.intercepts_, theirs.coefs_ + theirs.intercepts_, strict=True
    ):
        # 90 steps in float64, whose roundings Adam amplifies where a gradient is near 0
        np.testing.assert_allclose(mine, known, rtol=1e-7, atol=1e-9)


@ignore_convergence
@pytest.mark.parametrize("kind", ["binary", "multiclass", "multilabel", "one_output", "two"])
@pytest.mark.parametrize(
    "parameters",
    [
        {"solver": "adam", "learning_rate_init": 0.01, "alpha": 0.1},
        {"solver": "sgd", "learning_rate_init": 0.1, "alpha": 0.5, "momentum": 0.0},
        {"solver": "sgd", "learning_rate_init": 0.02, "nesterovs_momentum": False, "alpha": 0.0},
        {"solver": "sgd", "learning_rate_init": 0.02, "nesterovs_momentum": True, "alpha": 0.0},
        {
            "solver": "sgd",
            "learning_rate": "invscaling",
            "learning_rate_init": 0.3,
            "power_t": 0.4,
            "momentum": 0.0,
            "activation": "logistic",
        },
    ],
)
def test_the_weights_are_those_of_scikit_learn(kind, parameters):
    ours, theirs = train_both(kind, **parameters)
    assert_same_weights(ours, theirs)
    assert ours.t_ == theirs.t_
    assert ours.n_iter_ == theirs.n_iter_
    assert ours.n_layers_ == theirs.n_layers_
    assert ours.n_outputs_ == theirs.n_outputs_
    assert ours.out_activation_ == theirs.out_activation_


@ignore_convergence
@pytest.mark.parametrize("kind", ["binary", "multiclass", "multilabel", "one_output"])
def test_the_losses_are_those_of_scikit_learn(kind):
    """Without the penalty, which scikit-learn takes during the epoch and fastnet after it."""
    ours, theirs = train_both(kind, alpha=0.0, solver="sgd", learning_rate_init=0.01)
    np.testing.assert_allclose(ours.loss_curve_[1:], theirs.loss_curve_[1:], rtol=1e-9)
    assert ours.loss_ == ours.loss_curve_[-1]
    assert ours.best_loss_ == min(ours.loss_curve_)


@needs_weights_of_theirs
@ignore_convergence
def test_poisson_is_that_of_scikit_learn():
    X, z = make_rows()
    y = np.floor(np.exp(z))
    parameters = COMMON | {"loss": "poisson", "solver": "sgd", "learning_rate_init": 0.01}
    theirs = TheirRegressor(max_iter=1, **parameters).fit(X, y)
    ours = MLPRegressor(max_iter=1, **parameters).fit(X, y)
    for mine, known in zip(
        ours.coefs_ + ours.intercepts_, theirs.coefs_ + theirs.intercepts_, strict=True
    ):
        mine[...] = known
    for estimator in (ours, theirs):
        estimator.set_params(max_iter=20).fit(X, y)
    assert ours.out_activation_ == theirs.out_activation_ == "exp"
    assert_same_weights(ours, theirs)
    assert (ours.predict(X) > 0).all()


@needs_weights_of_theirs
@ignore_convergence
@pytest.mark.parametrize("kind", ["binary", "multiclass", "one_output"])
def test_sample_weights_are_those_of_scikit_learn(kind):
    weights = np.random.default_rng(1).uniform(0, 3, N_ROWS)
    ours, theirs = train_both(
        kind, sample_weight=weights, batch_size=N_ROWS, alpha=0.3, learning_rate_init=0.01
    )
    assert_same_weights(ours, theirs)


@ignore_convergence
@pytest.mark.parametrize(("learning_rate", "momentum"), [("constant", 0.5), ("adaptive", 0.0)])
def test_training_ends_in_the_epoch_in_which_scikit_learn_ends(learning_rate, momentum):
    # scikit-learn's velocity has the rate in it, which is another rule once that changes
    ours, theirs = train_both(
        "binary",
        5000,
        alpha=0.0,
        solver="sgd",
        momentum=momentum,
        learning_rate=learning_rate,
        learning_rate_init=0.02,
        tol=2e-3,
        n_iter_no_change=4,
    )
    assert ours.n_iter_ == theirs.n_iter_ < 5000
    assert_same_weights(ours, theirs)


@ignore_convergence
def test_lbfgs_reaches_what_scikit_learn_reaches():
    """A linear model has one minimum."""
    X, z = make_rows()
    for y, our_kind, their_kind in (targets("multiclass", z), targets("one_output", z)):
        options = {
            "hidden_layer_sizes": (),
            "solver": "lbfgs",
            "alpha": 1.0,
            "tol": 1e-8,
            "max_iter": 1000,
        }
        ours = our_kind(random_state=0, **options).fit(X, y)
        theirs = their_kind(random_state=0, **options).fit(X, y)
        predict = "predict_proba" if hasattr(ours, "predict_proba") else "predict"
        # theirs ends at a relative gain of 2e-9, where parameters are still off by the root of it
        np.testing.assert_allclose(
            getattr(ours, predict)(X), getattr(theirs, predict)(X), rtol=1e-3, atol=1e-4
        )


def test_lbfgs_counts_evaluations():
    X, z = make_rows()
    with pytest.warns(ConvergenceWarning):
        regressor = MLPRegressor(solver="lbfgs", max_fun=5, random_state=0).fit(X, z)
    assert regressor.n_iter_ <= 5


def test_a_warning_where_the_epochs_end_first():
    X, z = make_rows()
    with pytest.warns(ConvergenceWarning, match=r"Maximum iterations \(3\)"):
        MLPRegressor(max_iter=3, random_state=0).fit(X, z)


def test_a_warning_where_a_batch_is_larger_than_the_data():
    X, z = make_rows()
    with pytest.warns(UserWarning, match="batch_size=100 for 48 rows"):
        MLPRegressor(batch_size=100, tol=1e9, random_state=0).fit(X, z)


def test_verbose(capsys):
    X, z = make_rows()
    regressor = MLPRegressor(
        verbose=True, tol=1e9, n_iter_no_change=2, early_stopping=True, random_state=0
    ).fit(X, z)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"Iteration 1, loss = {regressor.loss_curve_[0]:.8f}"
    assert lines[1] == f"Validation score: {regressor.validation_scores_[0]:.6f}"
    assert lines[-1].startswith("Validation score did not improve")


def test_an_interrupted_fit_keeps_what_was_learned(monkeypatch):
    X, z = make_rows()
    calls = []

    def interrupt(z):
        calls.append(1)
        if len(calls) > 20:
            raise KeyboardInterrupt
        return z

    activation = fn.Activation(interrupt, lambda z, a: np.ones_like(z))
    regressor = MLPRegressor(hidden_layer_sizes=(3,), activation=activation, random_state=0)
    with pytest.warns(UserWarning, match="interrupted"):
        regressor.fit(X, z)
    assert 0 < regressor.n_iter_ < 200
    assert len(regressor.loss_curve_) == regressor.n_iter_


# -- early stopping ----------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["binary", "multiclass", "multilabel", "one_output", "two"])
def test_early_stopping(kind):
    X, z = make_rows()
    y, our_kind, _ = targets(kind, z)
    X, y = np.tile(X, (10, 1)), np.concatenate([y] * 10)
    estimator = our_kind(
        early_stopping=True,
        validation_fraction=0.2,
        learning_rate_init=0.01,
        max_iter=2000,
        random_state=0,
    ).fit(X, y)
    assert estimator.n_iter_ < 2000
    curves = estimator.validation_scores_, estimator.validation_loss_curve_, estimator.loss_curve_
    assert all(len(curve) == estimator.n_iter_ for curve in curves)
    assert np.isfinite(curves).all()
    assert estimator.best_validation_score_ == max(estimator.validation_scores_)
    assert estimator.best_loss_ is None
    # every row occurs ten times, so that validation rows are as good as training rows
    assert estimator.score(X, y) == pytest.approx(estimator.best_validation_score_, abs=0.15)


@ignore_convergence
@pytest.mark.parametrize("solver", ["lbfgs", "rprop", "levenberg_marquardt"])
def test_early_stopping_of_full_batch_solvers(solver):
    X, z = make_rows()
    z = z + np.random.default_rng(1).normal(size=N_ROWS)
    regressor = MLPRegressor(
        hidden_layer_sizes=(8,),
        solver=solver,
        early_stopping=True,
        validation_fraction=0.3,
        random_state=0,
    ).fit(X, z)
    assert regressor.n_iter_ < 200
    assert len(regressor.validation_scores_) == regressor.n_iter_
    assert regressor.best_validation_score_ == max(regressor.validation_scores_)


@ignore_convergence
def test_the_best_weights_come_back():
    X, z = make_rows()
    regressor = MLPRegressor(
        early_stopping=True,
        validation_fraction=0.25,
        n_iter_no_change=math.inf,
        learning_rate_init=0.05,
        random_state=0,
    ).fit(X, z)
    assert regressor.n_iter_ == 200
    held_out = regressor._hold_out  # the same draw again, after the one of the seed
    regressor._random_state = np.random.RandomState(0)
    regressor._random_state.randint(np.iinfo(np.int32).max)
    rows = held_out(z)
    assert rows.sum() == 12
    assert regressor.score(X[rows], z[rows]) == pytest.approx(regressor.best_validation_score_)
    residual = regressor.predict(X[rows]) - z[rows]
    best = np.argmax(regressor.validation_scores_)
    assert regressor.validation_loss_curve_[best] == pytest.approx((residual**2).mean() / 2)


def test_classes_are_held_out_alike():
    classifier = MLPClassifier(validation_fraction=0.2)
    classifier._random_state = np.random.RandomState(0)
    codes = np.repeat([0, 1, 2, 3], [50, 30, 19, 1])
    for _ in range(20):
        rows = classifier._hold_out(codes)
        assert rows.sum() == 20
        counts = np.bincount(codes[rows], minlength=4)
        assert np.abs(counts - [10, 6, 4, 0]).max() <= 1
        assert counts[3] == 0


def test_a_class_of_one_row_does_not_prevent_early_stopping():
    X, z = make_rows()
    y = np.where(z > 0, "yes", "no")
    y[7] = "perhaps"
    MLPClassifier(early_stopping=True, tol=0.1, random_state=0).fit(X, y)


def test_too_few_rows_to_hold_out():
    X, z = make_rows()
    with pytest.raises(ValueError, match="validation set is too small"):
        MLPRegressor(early_stopping=True, validation_fraction=0.01).fit(X, z)
    with pytest.raises(ValueError, match="validation_fraction"):
        MLPClassifier(early_stopping=True, validation_fraction=0.99).fit(X, z > 0)


def test_partial_fit_has_no_early_stopping():
    X, z = make_rows()
    with pytest.raises(ValueError, match="early_stopping"):
        MLPRegressor(early_stopping=True).partial_fit(X, z)


# -- warm start and streams --------------------------------------------------------------------


@ignore_convergence
def test_warm_start_goes_on():
    X, z = make_rows()
    regressor = MLPRegressor(warm_start=True, max_iter=5, random_state=0).fit(X, z)
    first = regressor.network_
    regressor.fit(X, z)
    assert regressor.network_ is first
    assert len(regressor.loss_curve_) == 10
    assert regressor.n_iter_ == 5
    assert regressor.t_ == 10 * N_ROWS
    assert regressor.loss_curve_[5] < regressor.loss_curve_[0]


@ignore_convergence
def test_warm_start_refuses_another_network_and_other_classes():
    X, z = make_rows()
    y = np.digitize(z, [-0.5, 0.5])
    classifier = MLPClassifier((5,), warm_start=True, max_iter=3, random_state=0).fit(X, y)
    before = classifier.network_.parameters.copy()
    with pytest.raises(ValueError, match="another network"):
        classifier.set_params(hidden_layer_sizes=(6,)).fit(X, y)
    with pytest.raises(ValueError, match="same classes"):
        classifier.set_params(hidden_layer_sizes=(5,)).fit(X, y > 0)
    with pytest.raises(ValueError, match="features"):
        classifier.fit(X[:, :3], y)
    assert np.array_equal(before, classifier.network_.parameters)


@ignore_convergence
def test_partial_fit_is_one_epoch_of_fit():
    X, z = make_rows()
    options = {"shuffle": False, "batch_size": 16, "random_state": 0}
    whole = MLPRegressor(max_iter=4, **options).fit(X, z)
    stream = MLPRegressor(**options)
    for _ in range(4):
        stream.partial_fit(X, z)
    assert np.array_equal(whole.network_.parameters, stream.network_.parameters)
    assert stream.loss_curve_ == whole.loss_curve_
    assert (stream.n_iter_, stream.t_) == (whole.n_iter_, whole.t_)


@ignore_convergence
@pytest.mark.parametrize("kind", ["binary", "multiclass", "multilabel", "two"])
def test_a_stream_of_pieces_is_learned(kind):
    X, z = make_rows()
    y, our_kind, _ = targets(kind, z)
    estimator = our_kind(learning_rate_init=0.01, random_state=0)
    options = {"classes": np.unique(y)} if kind in ("binary", "multiclass") else {}
    for k in range(1200):
        rows = slice(k % 3 * 16, k % 3 * 16 + 16)
        estimator.partial_fit(X[rows], y[rows], **options)
    assert estimator.score(X, y) > 0.9
    assert estimator.n_iter_ == 1200


@pytest.mark.parametrize("solver", ["LBFGS", "Rprop", "LevenbergMarquardt"])
def test_full_batch_solvers_have_no_partial_fit(solver):
    name = "levenberg_marquardt" if solver == "LevenbergMarquardt" else solver.lower()
    for given in (name, getattr(fn.optim, solver)()):
        assert not hasattr(MLPRegressor(solver=given), "partial_fit")
        assert not hasattr(MLPClassifier(solver=given), "partial_fit")
    assert hasattr(MLPClassifier(solver="rmsprop"), "partial_fit")


# -- data --------------------------------------------------------------------------------------


@ignore_convergence
@pytest.mark.parametrize("container", [scipy.sparse.csr_matrix, scipy.sparse.csc_array])
def test_sparse_rows_are_the_same_as_dense_ones(container):
    X, z = make_rows()
    X[np.abs(X) < 0.7] = 0
    dense = MLPRegressor(max_iter=10, batch_size=16, random_state=0).fit(X, z)
    sparse = MLPRegressor(max_iter=10, batch_size=16, random_state=0).fit(container(X), z)
    assert np.array_equal(dense.network_.parameters, sparse.network_.parameters)
    assert np.array_equal(dense.predict(X), sparse.predict(container(X)))


@ignore_convergence
@pytest.mark.parametrize("weighted", [False, True])
def test_large_sparse_data_becomes_dense_in_pieces(monkeypatch, weighted):
    X, z = make_rows()
    sample_weight = np.random.default_rng(0).integers(0, 3, N_ROWS) if weighted else None
    options = {"max_iter": 10, "batch_size": 10, "shuffle": False, "random_state": 0}
    dense = MLPRegressor(**options).fit(X, z, sample_weight)
    monkeypatch.setattr(base, "DENSE_BYTES", 25 * X.shape[1] * 8)
    pieces = MLPRegressor(**options).fit(scipy.sparse.csr_array(X), z, sample_weight)
    assert np.array_equal(dense.network_.parameters, pieces.network_.parameters)
    np.testing.assert_allclose(dense.loss_curve_, pieces.loss_curve_, rtol=1e-12)
    assert np.array_equal(dense.predict(X), pieces.predict(scipy.sparse.csr_array(X)))


def test_large_sparse_data_is_shuffled(monkeypatch):
    X, z = make_rows()
    monkeypatch.setattr(base, "DENSE_BYTES", 25 * X.shape[1] * 8)
    regressor = MLPRegressor(
        batch_size=10, learning_rate_init=0.01, max_iter=3000, random_state=0
    ).fit(scipy.sparse.csr_array(X), z)
    assert regressor.n_iter_ < 3000
    assert regressor.score(X, z) > 0.9


@ignore_convergence
@pytest.mark.parametrize(
    ("given", "asked", "expected"),
    [
        ("float32", "auto", "float32"),
        ("float64", "auto", "float64"),
        ("int64", "auto", "float64"),
        ("float64", "float32", "float32"),
        ("float32", np.float64, "float64"),
    ],
)
def test_precision(given, asked, expected):
    X, z = make_rows()
    regressor = MLPRegressor(dtype=asked, max_iter=3, random_state=0).fit(X.astype(given), z)
    assert regressor.network_.dtype == expected
    assert regressor.predict(X).dtype == expected
    assert all(array.dtype == expected for array in regressor.coefs_ + regressor.intercepts_)


def test_weights_that_are_none():
    X, z = make_rows()
    with pytest.raises(ValueError, match="sample_weight"):
        MLPRegressor().fit(X, z, np.zeros(N_ROWS))
    with pytest.raises(ValueError, match="sample_weight"):
        MLPRegressor().fit(X, z, np.full(N_ROWS, -1.0))
    with pytest.raises(ValueError, match="sample_weight"):
        MLPRegressor().fit(X, z, np.ones((N_ROWS, 2)))


@ignore_convergence
def test_threads_change_nothing():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(5000, 30))
    options = {"hidden_layer_sizes": (64,), "batch_size": 2500, "max_iter": 3, "random_state": 0}
    one = MLPRegressor(n_threads=1, **options).fit(X, X[:, 0])
    two = MLPRegressor(n_threads=2, **options).fit(X, X[:, 0])
    assert np.array_equal(one.predict(X), two.predict(X))


# -- layers ------------------------------------------------------------------------------------


@ignore_convergence
def test_layers_are_as_described():
    X, z = make_rows()
    own = fn.Activation(np.tanh, lambda z, a: 1 - a * a)
    regressor = MLPRegressor(
        hidden_layer_sizes=(4, 3, 2),
        activation=["logistic", own, "gelu"],
        dropout=[0.1, 0, 0.2],
        layer_norm=True,
        max_iter=2,
        random_state=0,
    ).fit(X, z)
    names = [type(layer).__name__.removesuffix("Layer") for layer in regressor.network_.layers]
    assert names == [
        *("Dense", "LayerNorm", "Dropout"),
        *("Dense", "LayerNorm"),
        *("Dense", "LayerNorm", "Dropout"),
        "Dense",
    ]
    assert [layer.activation for layer in regressor.network_.layers[1::3][:1]] == ["sigmoid"]
    assert [w.shape for w in regressor.coefs_] == [(6, 4), (4, 3), (3, 2), (2, 1)]
    assert [b.shape for b in regressor.intercepts_] == [(4,), (3,), (2,), (1,)]
    assert regressor.n_layers_ == 5


@ignore_convergence
def test_dropout_acts_in_training_only():
    X, z = make_rows()
    plain = MLPRegressor(max_iter=5, random_state=0).fit(X, z)
    dropped = MLPRegressor(max_iter=5, random_state=0, dropout=0.5).fit(X, z)
    assert not np.array_equal(plain.predict(X), dropped.predict(X))
    assert np.array_equal(dropped.predict(X), dropped.predict(X))


def test_the_weights_are_views():
    X, z = make_rows()
    regressor = MLPRegressor(tol=1e9, random_state=0).fit(X, z)
    for array in regressor.coefs_ + regressor.intercepts_:
        array[...] = 0
    regressor.intercepts_[-1][...] = 3
    assert (regressor.predict(X) == 3).all()


@ignore_convergence
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_a_further_fit_that_fails_leaves_what_was_learned(method):
    X, y = make_rows()
    model = MLPRegressor(
        hidden_layer_sizes=(5,), solver="sgd", batch_size=16, max_iter=5, warm_start=True,
        random_state=0,
    ).fit(X, y)
    before, curve = model.predict(X), list(model.loss_curve_)
    model.set_params(learning_rate_init=1e30)
    if method == "partial_fit":
        # which goes on with the optimizer that there is
        model._optimizer.learning_rate = 1e30
    with pytest.raises(fn.DivergenceError):
        getattr(model, method)(1e3 * X, 1e3 * y)
    np.testing.assert_array_equal(model.predict(X), before)
    assert model.loss_curve_ == curve
