"""What is particular to classification."""

import numpy as np
import pytest
import scipy.sparse
from sklearn.exceptions import NotFittedError
from sklearn.neural_network import MLPClassifier as TheirClassifier
from sklearn.utils.class_weight import compute_sample_weight

import fastnet as fn
from fastnet.sklearn import MLPClassifier

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def make_rows(n=90, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 3))
    return X, np.array(["blue", "green", "red"])[np.digitize(X[:, 0] + X[:, 1], [-0.7, 0.7])]


def test_words_with_early_stopping_on_digits(digits):
    """As accurate as scikit-learn's, up to four standard errors of the difference."""
    X, X_test, y, y_test = digits
    options = {"early_stopping": True, "max_iter": 60, "random_state": 0}
    ours = MLPClassifier(learning_rate_init=0.005, **options).fit(X, y)
    assert ours.best_validation_score_ > 0.9
    assert set(ours.predict(X_test)) == set(y)
    # scikit-learn 1.9 cannot stop early with words
    theirs = TheirClassifier(learning_rate_init=0.005, **options)
    words, codes = np.unique(y, return_inverse=True)
    theirs.fit(X, codes)
    difference = (ours.predict(X_test) == y_test).astype(int)
    difference -= words[theirs.predict(X_test)] == y_test
    assert difference.mean() >= -4 * difference.std() / np.sqrt(len(difference))


@pytest.mark.parametrize(
    "labels",
    [("no", "yes"), (False, True), (-1, 1), (2.0, 5.0), ("a", "b", "c"), (10, 20, 30, 40)],
)
@pytest.mark.parametrize("early_stopping", [False, True])
def test_labels_of_any_kind(labels, early_stopping):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 2))
    edges = np.linspace(-1, 1, len(labels) + 1)[1:-1]
    y = np.array(labels)[np.digitize(X[:, 0], edges)]
    classifier = MLPClassifier(
        learning_rate_init=0.02,
        early_stopping=early_stopping,
        n_iter_no_change=60,
        max_iter=200,
        random_state=0,
    ).fit(X, y)
    assert classifier.classes_.tolist() == sorted(labels)
    predicted = classifier.predict(X)
    assert predicted.dtype == y.dtype
    assert classifier.score(X, y) == (predicted == y).mean() > 0.85
    probabilities = classifier.predict_proba(X)
    assert probabilities.shape == (200, len(labels))
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-12)
    assert np.array_equal(classifier.classes_[probabilities.argmax(axis=1)], predicted)
    np.testing.assert_allclose(np.exp(classifier.predict_log_proba(X)), probabilities, rtol=1e-12)
    assert classifier.n_outputs_ == (1 if len(labels) == 2 else len(labels))


def test_one_class():
    X, _ = make_rows()
    classifier = MLPClassifier(max_iter=5, random_state=0).fit(X, ["only"] * len(X))
    assert set(classifier.predict(X)) == {"only"}
    assert (classifier.predict_proba(X) == 1).all()
    assert classifier.predict_proba(X).shape == (len(X), 1)


def test_class_weights_are_sample_weights():
    X, y = make_rows()
    for class_weight in ({"red": 5.0, "blue": 0.5}, "balanced", {"red": 0, "green": 1, "blue": 2}):
        options = {"max_iter": 20, "batch_size": 32, "random_state": 0}
        one = MLPClassifier(class_weight=class_weight, **options).fit(X, y)
        weights = compute_sample_weight(class_weight, y)
        two = MLPClassifier(**options).fit(X, y, sample_weight=weights)
        np.testing.assert_allclose(one.predict_proba(X), two.predict_proba(X), rtol=1e-9)


def test_balance_counts_sample_weights():
    """A row of weight 3 is three rows, also where classes are counted."""
    X, y = make_rows()
    repeats = np.random.default_rng(1).integers(0, 4, len(y))
    options = {"class_weight": "balanced", "max_iter": 20, "random_state": 0}
    one = MLPClassifier(**options).fit(X, y, sample_weight=repeats)
    two = MLPClassifier(**options).fit(X.repeat(repeats, axis=0), y.repeat(repeats))
    np.testing.assert_allclose(one.predict_proba(X), two.predict_proba(X), rtol=1e-7)


def test_class_weights_move_predictions():
    X, y = make_rows()
    counts = [
        (MLPClassifier(class_weight={"red": w}, random_state=0).fit(X, y).predict(X) == "red").sum()
        for w in (0.01, 1.0, 100.0)
    ]
    assert counts[0] < counts[1] < counts[2]


def test_class_weights_of_several_labels_multiply():
    X, _ = make_rows()
    y = np.column_stack([X[:, 0] > 1, X[:, 1] > 0]).astype(int)
    given = [{0: 1, 1: 4}, {0: 0.5, 1: 1}]
    options = {"max_iter": 20, "random_state": 0}
    one = MLPClassifier(class_weight=given, **options).fit(X, y)
    weights = np.where(y[:, 0], 4, 1) * np.where(y[:, 1], 1, 0.5)
    two = MLPClassifier(**options).fit(X, y, sample_weight=weights)
    np.testing.assert_allclose(one.predict_proba(X), two.predict_proba(X), rtol=1e-9)
    balanced = MLPClassifier(class_weight="balanced", **options).fit(X, y)
    weights = compute_sample_weight("balanced", y)
    two = MLPClassifier(**options).fit(X, y, sample_weight=weights)
    np.testing.assert_allclose(balanced.predict_proba(X), two.predict_proba(X), rtol=1e-9)


@pytest.mark.parametrize(
    ("class_weight", "message"),
    [
        ("equal", "class_weight"),
        (3.0, "class_weight"),
        ({"red": -1.0}, "class_weight"),
        ({"red": float("nan")}, "class_weight"),
        ({"purple": 1.0}, "not in class_weight"),
        ([{0: 1}], "class_weight"),
        ({"red": 0, "green": 0, "blue": 0}, "class_weight"),
    ],
)
def test_class_weights_that_are_none(class_weight, message):
    X, y = make_rows()
    with pytest.raises(ValueError, match=message):
        MLPClassifier(class_weight=class_weight).fit(X, y)


def test_hinge_learns_margins():
    X, y = make_rows()
    classifier = MLPClassifier(loss="hinge", learning_rate_init=0.01, random_state=0).fit(X, y)
    assert classifier.out_activation_ == "identity"
    assert classifier.decision_function(X).shape == (90, 3)
    assert classifier.score(X, y) > 0.9
    assert not hasattr(classifier, "predict_proba")
    assert not hasattr(classifier, "predict_log_proba")
    assert not hasattr(MLPClassifier(), "decision_function")
    two = MLPClassifier(loss="hinge", learning_rate_init=0.01, random_state=0).fit(X, y == "red")
    margins = two.decision_function(X)
    assert margins.shape == (90,)
    assert np.array_equal(two.predict(X), margins > 0)
    assert two.score(X, y == "red") > 0.9


@pytest.mark.parametrize(
    "loss",
    [
        "cross_entropy",
        "squared_error",
        "huber",
        fn.Loss(lambda p, y: ((p - y) ** 4).sum(axis=1), lambda p, y: 4 * (p - y) ** 3),
    ],
)
@pytest.mark.parametrize("kind", ["two", "three", "columns"])
def test_losses(loss, kind):
    X, y = make_rows()
    y = {"two": y == "red", "three": y, "columns": (X > 0).astype(int)}[kind]
    classifier = MLPClassifier(
        loss=loss, learning_rate_init=0.02, max_iter=300, tol=1e-6, random_state=0
    ).fit(X, y)
    assert classifier.score(X, y) > 0.85
    assert classifier.out_activation_ == ("softmax" if kind == "three" else "logistic")


@pytest.mark.parametrize(
    "solver", ["sgd", "adam", "adamw", "rmsprop", "adagrad", "rprop", "lbfgs", fn.Adam(0.02)]
)
def test_solvers(solver):
    X, y = make_rows()
    rate = {"sgd": 0.2, "adagrad": 0.05}.get(solver, 0.01) if isinstance(solver, str) else 0.001
    classifier = MLPClassifier(solver=solver, learning_rate_init=rate, random_state=0).fit(X, y)
    assert classifier.score(X, y) > 0.9
    assert classifier.loss_curve_[-1] < classifier.loss_curve_[0]


# -- several labels ----------------------------------------------------------------------------


def test_columns_of_labels_in_a_stream():
    X, _ = make_rows()
    y = np.column_stack([X[:, 0] > 0, X[:, 1] > 0, X[:, 2] > 0.5, X[:, 0] < 0]).astype(int)
    classifier = MLPClassifier(learning_rate_init=0.01, random_state=0)
    for k in range(600):
        rows = slice(k % 3 * 30, k % 3 * 30 + 30)
        classifier.partial_fit(X[rows], y[rows])
    assert classifier.predict(X).shape == (90, 4)
    assert set(np.unique(classifier.predict(X))) == {0, 1}
    assert classifier.score(X, y) > 0.9
    assert classifier.predict_proba(X).shape == (90, 4)
    assert classifier.classes_.tolist() == [0, 1, 2, 3]
    with pytest.raises(ValueError, match="columns"):
        classifier.partial_fit(X, y[:, :3])
    with pytest.raises(ValueError, match="columns"):
        classifier.partial_fit(X, y[:, 0])


def test_sparse_columns_of_labels():
    X, _ = make_rows()
    y = (X > 0).astype(int)
    dense = MLPClassifier(max_iter=10, random_state=0).fit(X, y)
    sparse = MLPClassifier(max_iter=10, random_state=0).fit(X, scipy.sparse.csr_array(y))
    assert np.array_equal(dense.predict_proba(X), sparse.predict_proba(X))


def test_targets_that_are_no_classes():
    X, _ = make_rows()
    with pytest.raises(ValueError, match="Unknown label type"):
        MLPClassifier().fit(X, X[:, 0])
    with pytest.raises(ValueError, match="multiclass-multioutput"):
        MLPClassifier().fit(X, np.column_stack([np.arange(90) % 3, np.arange(90) % 4]))
    with pytest.raises(ValueError, match="0 or 1"):
        MLPClassifier().fit(X, 1 + (X > 0))


# -- streams of labels -------------------------------------------------------------------------


def test_the_first_call_names_the_classes():
    X, y = make_rows()
    classifier = MLPClassifier(random_state=0)
    with pytest.raises(ValueError, match="classes must be passed on the first call"):
        classifier.partial_fit(X, y)
    rows = y != "red"
    classifier.partial_fit(X[rows], y[rows], classes=["red", "green", "blue"])
    assert classifier.classes_.tolist() == ["blue", "green", "red"]
    assert classifier.predict_proba(X).shape == (90, 3)
    classifier.partial_fit(X, y)
    with pytest.raises(ValueError, match="not the same as on earlier calls"):
        classifier.partial_fit(X, y, classes=["red", "green"])
    with pytest.raises(ValueError, match="classes not in"):
        classifier.partial_fit(X, np.where(y == "red", "purple", y))
    assert classifier.n_iter_ == 2


def test_balance_needs_all_rows():
    X, y = make_rows()
    classifier = MLPClassifier(class_weight="balanced")
    with pytest.raises(ValueError, match="balanced"):
        classifier.partial_fit(X, y, classes=np.unique(y))


def test_unfitted():
    X, _ = make_rows()
    with pytest.raises(NotFittedError):
        MLPClassifier().predict(X)
