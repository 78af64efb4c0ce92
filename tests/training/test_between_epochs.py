"""What the user's functions may do between two epochs, and what they may not."""

import sys

import numpy as np
import pytest

import fastnet as fn

OPTIMIZERS = {
    "adam": fn.Adam, "rmsprop": fn.RMSProp, "adagrad": fn.Adagrad, "rprop": fn.Rprop,
    "lbfgs": fn.LBFGS, "levenberg_marquardt": fn.LevenbergMarquardt,
    "momentum": lambda: fn.SGD(0.01, momentum=0.9),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_reset_in_a_callback_starts_afresh(name, dtype, regression):
    net, x, y = regression(dtype)
    twin, _, _ = regression(dtype)
    optimizer = OPTIMIZERS[name]()
    options = {"batch_size": None, "epochs": 1}
    net.fit(
        x, y, optimizer=optimizer, epochs=3, batch_size=None,
        callbacks=lambda *_: optimizer.reset(),
    )
    for _ in range(3):
        twin.fit(x, y, optimizer=OPTIMIZERS[name](), **options)
    np.testing.assert_array_equal(net.parameters, twin.parameters)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_state_of_another_size_in_a_callback_is_refused(name, dtype, regression):
    net, x, y = regression(dtype)
    optimizer, other = OPTIMIZERS[name](), OPTIMIZERS[name]()
    fn.Network([1, 1], dtype=dtype, seed=0).fit([[1], [2]], [1.0, 3.0], optimizer=other, epochs=1)
    with pytest.raises(ValueError, match="has state for 2 parameters"):
        net.fit(
            x, y, optimizer=optimizer, epochs=3,
            callbacks=lambda *_: optimizer.set_state(other.get_state()),
        )


def test_labels_changed_under_way_do_not_matter(dtype, classification):
    net, x, labels = classification(dtype)
    twin, _, _ = classification(dtype)
    labels = labels.astype(np.int32)
    before = labels.copy()

    def change(*_):
        labels[:] = 10**8

    net.fit(x, labels, epochs=3, shuffle=False, callbacks=change)
    twin.fit(x, before, epochs=3, shuffle=False)
    np.testing.assert_array_equal(net.parameters, twin.parameters)


@pytest.mark.parametrize("kind", ["labels", "targets"])
def test_a_metric_cannot_write_to_what_it_compares(kind, dtype, classification):
    net, x, labels = classification(dtype)
    y = labels.astype(np.int32) if kind == "labels" else np.eye(3, dtype=dtype)[labels]

    def spoils(y_true, y_pred):
        y_true[:] = 10**8
        return 1.0

    before = y.copy()
    with pytest.raises(ValueError, match="read-only"):
        net.fit(x, y, epochs=2, metrics=[spoils])
    np.testing.assert_array_equal(y, before)


def test_a_stop_by_callback_keeps_the_best_epoch_even_if_it_is_the_last(dtype, regression):
    net, x, y = regression(dtype)
    twin, _, _ = regression(dtype)
    history = net.fit(
        x, y, epochs=50, batch_size=None, early_stopping=fn.EarlyStopping("loss", patience=40),
        callbacks=lambda net, epoch, logs: epoch == 9,
    )
    assert history.loss[-1] == min(history.loss)
    twin.fit(x, y, epochs=10, batch_size=None)
    np.testing.assert_array_equal(net.parameters, twin.parameters)


def test_the_best_epoch_is_as_the_epoch_left_it(dtype, regression):
    """A callback that spoils the parameters afterwards does not spoil the copy."""
    net, x, y = regression(dtype)
    kept = []

    def spoil(net, epoch, logs):
        kept.append(net.parameters.copy())
        if epoch > 0:
            net.parameters[:] = 0

    net.fit(
        x, y, epochs=5, batch_size=None, callbacks=spoil,
        early_stopping=fn.EarlyStopping("loss", patience=2),
    )
    assert any((net.parameters == parameters).all() for parameters in kept)
    assert net.parameters.any()


@pytest.mark.parametrize("answer", [np.array([True, False]), np.array([1]), [True], "stop", None])
def test_only_true_stops(answer, dtype, regression):
    net, x, y = regression(dtype)
    assert net.fit(x, y, epochs=2, callbacks=lambda *_: answer).epochs == 2
    assert net.fit(x, y, epochs=2, callbacks=lambda *_: np.True_).epochs == 1


def metric_called(name):
    def metric(y_true, y_pred):
        return 123.0

    metric.__name__ = name
    return metric


@pytest.mark.parametrize(
    "metrics",
    [
        [metric_called("loss")],
        [metric_called("validation_loss")],
        ["r2", metric_called("r2")],
        [lambda t, p: 1.0, lambda t, p: 2.0],
        ["r2", "r2"],
    ],
    ids=["loss", "validation_loss", "built-in", "lambdas", "twice"],
)
def test_metrics_need_names_of_their_own(metrics, dtype, regression):
    net, x, y = regression(dtype)
    with pytest.raises(ValueError, match=r"metrics\[\d\] is called"):
        net.fit(x, y, metrics=metrics)


def test_accuracy_of_several_labels_a_row():
    from fastnet.training.metrics import accuracy

    y = np.array([[1, 1, 0], [0, 0, 0], [0, 1, 0], [1, 0, 1]])
    p = np.array([[0.9, 0.8, 0.1], [0.2, 0.1, 0.4], [0.2, 0.9, 0.6], [0.9, 0.6, 0.7]])
    assert accuracy(y, p) == 0.5


def test_accuracy_of_minus_and_plus_one():
    from fastnet.training.metrics import accuracy

    p = np.array([[-3], [0.2], [-1], [-0.1]])
    assert accuracy(np.array([[-1.0], [1], [1], [-1]]), p) == 0.75


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"class_weight": {0: 0, 1: 0, 2: 0}}, ValueError, "class_weight gives every row"),
        ({"class_weight": {0: "a"}}, TypeError, r"class_weight\[0\] must be a number, got str"),
        ({"class_weight": {0: True}}, TypeError, r"class_weight\[0\] must be a number"),
        ({"metrics": [3]}, TypeError, r"metrics\[0\]"),
        ({"sample_weight": np.full(60, 1e-320)}, ValueError, "sample_weight must have a sum"),
        ({"sample_weight": np.full(60, 1e307)}, ValueError, "sample_weight"),
        ({"early_stopping": 5}, TypeError, "early_stopping"),
    ],
)
def test_bad_arguments_change_nothing(options, error, message, classification):
    net, x, labels = classification("float64")
    before = net.parameters.copy()
    with pytest.raises(error, match=message):
        net.fit(x, labels, **options)
    np.testing.assert_array_equal(net.parameters, before)
    assert net.history is None


def test_class_weights_of_several_labels_a_row_are_refused():
    net = fn.Network([2, 3], output="sigmoid", seed=0)
    y = np.array([[1, 1, 0], [0, 0, 0]])
    with pytest.raises(ValueError, match="class_weight needs classes"):
        net.fit(np.ones((2, 2)), y, loss="binary_cross_entropy", class_weight={0: 2.0})


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"patience": True}, TypeError, "patience"),
        ({"patience": 0}, ValueError, "patience"),
        ({"patience": 2.5}, TypeError, "patience"),
        ({"min_delta": "a"}, TypeError, "min_delta must be a number, got str"),
        ({"min_delta": -1}, ValueError, "min_delta"),
    ],
)
def test_bad_early_stopping(options, error, message):
    with pytest.raises(error, match=message):
        fn.EarlyStopping(**options)
    assert fn.EarlyStopping(patience=np.int64(4)).patience == 4


def test_partial_fit_checks_an_optimizer_that_it_will_not_use(dtype, regression):
    net, x, y = regression(dtype)
    net.partial_fit(x, y)
    with pytest.raises(ValueError, match="nonsense"):
        net.partial_fit(x, y, optimizer="nonsense")


def test_one_optimizer_serves_one_training_at_a_time(regression):
    net, x, y = regression("float64")
    other, _, _ = regression("float64")
    optimizer = fn.SGD(lambda step: other.fit(x, y, optimizer=optimizer, epochs=1) and 0.1)
    with pytest.raises(ValueError, match="in use by a training"):
        net.fit(x, y, optimizer=optimizer, epochs=1)


@pytest.mark.parametrize("memory", [0, 10**6 + 1, 2**60, 2**62])
def test_memory_of_lbfgs_is_bounded(memory):
    with pytest.raises(ValueError, match="memory"):
        fn.LBFGS(memory=memory)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory may be promised there")
def test_a_state_without_memory_for_it_leaves_a_fresh_optimizer():
    net = fn.Network([300, 300], dtype="float64", seed=0)
    fitted = fn.LBFGS()
    x, y = np.ones((2, 300)), np.zeros((2, 300))
    net.fit(x, y, optimizer=fitted, epochs=1)
    greedy = fn.LBFGS(memory=10**6)
    with pytest.raises(MemoryError):
        greedy.set_state(fitted.get_state())
    assert greedy.step_count == 0
    with pytest.raises(MemoryError):
        net.fit(x, y, optimizer=greedy, epochs=1)
