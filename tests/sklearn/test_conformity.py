"""The estimators do what scikit-learn asks of any estimator, and what users do with them."""

import doctest
import importlib
import pickle
import subprocess
import sys

import numpy as np
import pytest
import sklearn
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import fastnet as fn
from fastnet.sklearn import MLPClassifier, MLPRegressor

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning"),
]


@parametrize_with_checks(
    [
        MLPClassifier(),
        MLPClassifier(solver="lbfgs", activation="logistic", class_weight="balanced"),
        MLPClassifier(
            hidden_layer_sizes=(30, 20),
            activation=["tanh", "gelu"],
            solver="sgd",
            learning_rate="adaptive",
            learning_rate_init=0.1,
        ),
        MLPClassifier(loss="hinge", learning_rate_init=0.01, alpha=0),
        MLPClassifier(loss="squared_error", layer_norm=True, solver=fn.Adam(0.01)),
        MLPRegressor(),
        MLPRegressor(solver="lbfgs", activation="tanh"),
        MLPRegressor(
            loss="huber",
            hidden_layer_sizes=20,
            solver="rmsprop",
            learning_rate_init=fn.schedules.Exponential(0.01, 0.999),
        ),
        MLPRegressor(hidden_layer_sizes=(), solver=fn.SGD(0.01, momentum=0.9)),
    ]
)
def test_check_estimator(estimator, check):
    check(estimator)


def make_rows(n=120, n_features=4, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, n_features))
    return X, np.where(X[:, 0] + X[:, 1] ** 2 > 0.5, "yes", "no")


def test_kinds():
    assert is_classifier(MLPClassifier())
    assert is_regressor(MLPRegressor())


def test_parameters_have_the_names_and_defaults_of_scikit_learn():
    from sklearn.neural_network import MLPClassifier as TheirClassifier
    from sklearn.neural_network import MLPRegressor as TheirRegressor

    for ours, theirs in ((MLPClassifier, TheirClassifier), (MLPRegressor, TheirRegressor)):
        known = ours().get_params()
        for name, value in theirs().get_params().items():
            assert known[name] == value, name


def test_positional_parameters():
    assert MLPClassifier((5, 3), "tanh").get_params()["activation"] == "tanh"
    assert MLPRegressor("huber", (5, 3), "tanh").get_params()["hidden_layer_sizes"] == (5, 3)


def test_grid_search_in_two_processes():
    X, y = make_rows()
    pipeline = make_pipeline(StandardScaler(), MLPClassifier(max_iter=60, random_state=0))
    grid = {
        "mlpclassifier__activation": ["logistic", ["silu"], "softsign"],
        "mlpclassifier__solver": ["adam", fn.SGD(0.1, momentum=0.9)],
    }
    search = GridSearchCV(pipeline, grid, cv=3, n_jobs=2).fit(X, y)
    assert search.best_score_ > 0.8
    here = GridSearchCV(pipeline, grid, cv=3).fit(X, y)
    assert np.array_equal(
        search.cv_results_["mean_test_score"], here.cv_results_["mean_test_score"]
    )


@pytest.mark.parametrize("scoring", ["accuracy", "roc_auc", "neg_log_loss"])
def test_cross_validation_of_words(scoring):
    X, y = make_rows()
    classifier = MLPClassifier(learning_rate_init=0.01, random_state=0)
    scores = cross_val_score(classifier, X, y, cv=3, scoring=scoring)
    assert np.isfinite(scores).all()
    assert scores.mean() > (0.8 if scoring != "neg_log_loss" else -0.5)


def test_roc_of_margins():
    X, y = make_rows()
    classifier = MLPClassifier(loss="hinge", learning_rate_init=0.01, random_state=0)
    assert cross_val_score(classifier, X, y, cv=3, scoring="roc_auc").mean() > 0.8


@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
def test_a_pickle_goes_on_like_the_original(solver):
    X, y = make_rows()
    first = MLPClassifier(solver=solver, max_iter=20, random_state=0).fit(X, y)
    second = pickle.loads(pickle.dumps(first))
    assert np.array_equal(first.predict_proba(X), second.predict_proba(X))
    assert second.loss_curve_ == first.loss_curve_
    if solver != "lbfgs":
        for classifier in (first, second):
            classifier.partial_fit(X, y)
        assert np.array_equal(first.network_.parameters, second.network_.parameters)


def test_a_clone_is_unfitted_and_has_its_own_optimizer():
    X, y = make_rows()
    solver = fn.Adam(0.01)
    classifier = MLPClassifier(solver=solver, max_iter=5, random_state=0).fit(X, y)
    assert solver.step_count == 0
    copy = clone(classifier)
    assert not hasattr(copy, "network_")
    assert not hasattr(copy, "coefs_")
    copy.fit(X, y)
    assert np.array_equal(copy.predict_proba(X), classifier.predict_proba(X))


def test_an_optimizer_with_a_past_begins_anew():
    X, y = make_rows()
    used = fn.Adam(0.01)
    used.step(np.zeros(3), np.ones(3))
    fresh = MLPClassifier(solver=fn.Adam(0.01), max_iter=5, random_state=0).fit(X, y)
    other = MLPClassifier(solver=used, max_iter=5, random_state=0).fit(X, y)
    assert np.array_equal(fresh.network_.parameters, other.network_.parameters)


def test_feature_names():
    pandas = pytest.importorskip("pandas")
    X, y = make_rows()
    frame = pandas.DataFrame(X, columns=list("abcd"))
    classifier = MLPClassifier(max_iter=5, random_state=0).fit(frame, y)
    assert list(classifier.feature_names_in_) == list("abcd")
    classifier.predict(frame)
    with pytest.raises(ValueError, match="feature names"):
        classifier.predict(frame[list("dcba")])
    with pytest.warns(UserWarning, match="valid feature names"):
        classifier.predict(X)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("hidden_layer_sizes", (3, 0)),
        ("hidden_layer_sizes", 2.5),
        ("hidden_layer_sizes", "100"),
        ("activation", "rellu"),
        ("activation", ["relu", "relu"]),
        ("activation", None),
        ("solver", "adamm"),
        ("solver", fn.Adam),
        ("alpha", -1),
        ("alpha", "0"),
        ("batch_size", 0),
        ("batch_size", "all"),
        ("learning_rate", "fast"),
        ("learning_rate_init", 0),
        ("power_t", -0.5),
        ("max_iter", 0),
        ("max_iter", 2.0),
        ("shuffle", "yes"),
        ("tol", float("nan")),
        ("verbose", -1),
        ("warm_start", 1),
        ("momentum", 1.5),
        ("nesterovs_momentum", None),
        ("early_stopping", "yes"),
        ("validation_fraction", 1.0),
        ("beta_1", 1.0),
        ("beta_2", -0.1),
        ("epsilon", 0.0),
        ("n_iter_no_change", 0),
        ("max_fun", 0),
        ("loss", "hing"),
        ("dropout", 1.0),
        ("dropout", [0.1, 0.2]),
        ("layer_norm", "yes"),
        ("init", "zero"),
        ("dtype", "float16"),
        ("dtype", None),
        ("n_threads", 0),
        ("random_state", "zero"),
    ],
)
@pytest.mark.parametrize("kind", [MLPClassifier, MLPRegressor])
def test_a_wrong_parameter_is_named(kind, name, value):
    X, y = make_rows(30)
    y = (y == "yes").astype(int)
    estimator = kind(max_iter=2, random_state=0).fit(X, y)
    before = estimator.predict(X)
    good = estimator.get_params()[name]
    estimator.set_params(**{name: value})
    with pytest.raises(ValueError, match=name if name != "random_state" else "seed"):
        estimator.fit(X, y)
    estimator.set_params(**{name: good})
    assert np.array_equal(estimator.predict(X), before)


def test_schedules_exclude_each_other():
    X, y = make_rows(30)
    classifier = MLPClassifier(solver="sgd", learning_rate="adaptive", learning_rate_init=max)
    with pytest.raises(ValueError, match="learning_rate"):
        classifier.fit(X, y)


def test_a_clear_message_without_scikit_learn(tmp_path):
    code = (
        "import sys; sys.modules['sklearn'] = None; import fastnet\n"
        "assert 'sklearn' not in fastnet.__all__\n"
        "try: fastnet.sklearn\n"
        "except ImportError as error: print(error)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "fastnet[sklearn]" in result.stdout, result.stderr


def test_fastnet_itself_does_not_load_scikit_learn():
    code = "import sys, fastnet as fn; fn.Network([2, 1]); print('sklearn' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.stdout == "False\n", result.stderr


@pytest.mark.parametrize("module", ["", ".classifier", ".regressor"])
def test_examples(module):
    result = doctest.testmod(importlib.import_module(f"fastnet.sklearn{module}"))
    assert result.attempted
    assert not result.failed


def test_sklearn_is_still_scikit_learn():
    assert sklearn.__version__
    assert fn.sklearn.MLPClassifier is MLPClassifier
