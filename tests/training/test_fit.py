"""Training: the steps against the oracle, weights, metrics, history, `partial_fit`."""

import numpy as np
import pytest

import fastnet as fn

OPTIMIZERS = {
    "sgd": lambda m: m.SGD(0.05),
    "momentum": lambda m: m.SGD(0.02, momentum=0.9),
    "nesterov": lambda m: m.SGD(0.02, momentum=0.9, nesterov=True),
    "decay": lambda m: m.SGD(0.05, weight_decay=0.01),
    "normalize": lambda m: m.SGD(0.05, normalize=True),
    "adam": lambda m: m.Adam(0.01),
    "adam, other constants": lambda m: m.Adam(0.02, beta1=0.8, beta2=0.95, epsilon=1e-6),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("batch_size", [None, 8, 7, 1])
def test_steps_equal_the_oracle(name, batch_size, dtype, oracle, regression):
    net, x, y = regression(dtype)
    layers = oracle.layers_of(net, ["tanh", "identity"])
    epochs = 5
    history = net.fit(
        x, y, optimizer=OPTIMIZERS[name](fn), epochs=epochs, batch_size=batch_size, shuffle=False
    )
    expected, losses = oracle.train(
        layers,
        x.astype(float),
        y.astype(float),
        "squared_error",
        OPTIMIZERS[name](oracle),
        epochs,
        batch_size,
    )
    steps = epochs * len(oracle.batches_in_order(24, batch_size))
    # the rounding of each step stays in the parameters; the net is far from chaotic
    tolerance = steps * oracle.tolerance(dtype, batch_size or 24, (3, 8, 2)) / 4
    np.testing.assert_allclose(net.parameters, oracle.flatten(expected), rtol=0, atol=tolerance)
    np.testing.assert_allclose(history.loss, losses, rtol=0, atol=10 * tolerance)
    assert history.epochs == epochs
    assert history.stopped == "epochs"
    assert net.history is history


def test_classification_steps_equal_the_oracle(dtype, oracle, classification):
    net, x, labels = classification(dtype)
    layers = oracle.layers_of(net, ["tanh", "softmax"])
    net.fit(x, labels, optimizer=fn.SGD(0.1), epochs=4, batch_size=16, shuffle=False)
    expected, _ = oracle.train(
        layers, x.astype(float), np.eye(3)[labels], "cross_entropy", oracle.SGD(0.1), 4, 16
    )
    tolerance = 16 * oracle.tolerance(dtype, 16, (4, 9, 3)) / 4
    np.testing.assert_allclose(net.parameters, oracle.flatten(expected), rtol=0, atol=tolerance)


def test_sample_weight_in_a_full_batch(dtype, oracle, regression):
    net, x, y = regression(dtype)
    layers = oracle.layers_of(net, ["tanh", "identity"])
    weights = np.random.default_rng(3).uniform(0, 2, 24)
    net.fit(
        x,
        y,
        optimizer=fn.SGD(0.05),
        epochs=6,
        batch_size=None,
        shuffle=False,
        sample_weight=weights,
    )
    expected, _ = oracle.train(
        layers,
        x.astype(float),
        y.astype(float),
        "squared_error",
        oracle.SGD(0.05),
        6,
        None,
        weights,
    )
    tolerance = 6 * oracle.tolerance(dtype, 24, (3, 8, 2))
    np.testing.assert_allclose(net.parameters, oracle.flatten(expected), rtol=0, atol=tolerance)


def test_class_weight_is_a_sample_weight(dtype, classification):
    first, x, labels = classification(dtype)
    second, _, _ = classification(dtype)
    weight = {0: 0.5, 1: 2.0, 2: 1.0}
    options = {"epochs": 3, "batch_size": None, "shuffle": False}
    first.fit(x, labels, class_weight=weight, **options)
    second.fit(x, labels, sample_weight=[weight[k] for k in labels], **options)
    np.testing.assert_allclose(
        first.parameters, second.parameters, rtol=0, atol=64 * float(np.finfo(dtype).eps)
    )
    third, _, _ = classification(dtype)
    third.fit(x, labels, **options)
    assert np.abs(first.parameters - third.parameters).max() > 1e-4


def test_optimizer_by_name(dtype, regression):
    for name, optimizer in (("sgd", fn.SGD()), ("adam", fn.Adam())):
        by_name, x, y = regression(dtype)
        by_object, _, _ = regression(dtype)
        by_name.fit(x, y, optimizer=name, epochs=3, seed=0)
        by_object.fit(x, y, optimizer=optimizer, epochs=3, seed=0)
        np.testing.assert_array_equal(by_name.parameters, by_object.parameters)


def test_default_is_adam_with_batches_of_32(dtype, regression):
    first, x, y = regression(dtype, 100)
    second, _, _ = regression(dtype, 100)
    first.fit(x, y, seed=0)
    second.fit(x, y, loss="auto", optimizer="adam", epochs=10, batch_size=32, shuffle=True, seed=0)
    np.testing.assert_array_equal(first.parameters, second.parameters)


def test_same_seed_same_bits(dtype, regression):
    def train(seed, **options):
        net, x, y = regression(dtype, 100)
        net.fit(x, y, epochs=4, batch_size=16, seed=seed, **options)
        return net.parameters.copy()

    first = train(5)
    np.testing.assert_array_equal(first, train(5))
    np.testing.assert_array_equal(first, train(5, n_threads=2))
    assert not np.array_equal(first, train(6))
    assert not np.array_equal(first, train(5, shuffle=False))
    assert not np.array_equal(train(None), train(None))


def test_every_epoch_sees_every_row_once(dtype):
    """The network is the identity and learns nothing, so a custom loss sees the rows."""
    n_rows = 20
    net = fn.Network.from_arrays([(np.ones((1, 1)), None, "identity")], dtype=dtype)
    seen = []

    def gradient(p, y):
        seen.append(p[:, 0].copy())
        return np.zeros_like(p)

    loss = fn.Loss(lambda p, y: np.zeros(len(p)), gradient)
    x = np.arange(1, n_rows + 1, dtype=dtype)[:, None]
    net.fit(
        x, np.zeros((n_rows, 1)), loss=loss, optimizer=fn.SGD(0.1), epochs=3, batch_size=6, seed=0
    )
    # batches of 6, 6, 6 and 2
    assert [len(p) for p in seen] == 3 * [6, 6, 6, 2]
    epochs = np.concatenate(seen).reshape(3, n_rows)
    for epoch in epochs:
        np.testing.assert_array_equal(np.sort(epoch), x[:, 0])
    assert not np.array_equal(epochs[0], epochs[1])
    assert not np.array_equal(epochs[1], epochs[2])
    assert not np.array_equal(epochs[0], x[:, 0])


def test_learns_xor(dtype):
    x = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
    solved = 0
    for seed in range(5):
        net = fn.Network([2, 8, 1], hidden="tanh", dtype=dtype, seed=seed)
        net.fit(x, [0, 1, 1, 0], optimizer=fn.Adam(0.02), epochs=600, batch_size=4, seed=seed)
        solved += np.array_equal(net(x)[:, 0] > 0.5, [0, 1, 1, 0])
    assert solved == 5


def test_learns_classes(dtype):
    """Ten noisy patterns of 64 pixels; the nearest pattern itself is right on 99 % of them."""
    rng = np.random.default_rng(0)
    patterns = rng.uniform(0, 1, size=(10, 64))
    labels = rng.integers(0, 10, 1200)
    x = (patterns[labels] + 0.5 * rng.normal(size=(1200, 64))).astype(dtype)
    distance = ((x[1000:, None] - patterns) ** 2).sum(axis=2)
    best = (distance.argmin(axis=1) == labels[1000:]).mean()
    net = fn.Network([64, 32, 10], hidden="relu", output="softmax", dtype=dtype, seed=0)
    history = net.fit(
        x[:1000],
        labels[:1000],
        epochs=15,
        seed=0,
        metrics=["accuracy"],
        validation_data=(x[1000:], labels[1000:]),
    )
    accuracy = net.evaluate(x[1000:], labels[1000:], metrics=["accuracy"])["accuracy"]
    assert accuracy > best - 0.1
    assert history.loss[-1] < 0.3 * history.loss[0]
    assert accuracy == (net.predict(x[1000:]).argmax(axis=1) == labels[1000:]).mean()


def test_losses_fall(dtype, regression):
    net, x, y = regression(dtype, 200)
    before = net.evaluate(x, y)["loss"]
    history = net.fit(x, y, optimizer=fn.Adam(0.01), epochs=60, seed=0)
    assert net.evaluate(x, y)["loss"] < 0.1 * before
    assert history.loss[-1] < history.loss[0]


def test_history(dtype, regression):
    net, x, y = regression(dtype)
    history = net.fit(
        x,
        y,
        epochs=4,
        seed=0,
        metrics=["mean_absolute_error", "r2"],
        validation_data=(x[:7], y[:7]),
    )
    assert history.epochs == 4
    assert history.stopped == "epochs"
    assert len(history.loss) == len(history.validation_loss) == 4
    assert all(isinstance(float(value), float) for value in history.loss)
    assert len(history.metrics["r2"]) == len(history.metrics["mean_absolute_error"]) == 4
    last = net.evaluate(x[:7], y[:7])["loss"]
    assert history.validation_loss[-1] == pytest.approx(last, rel=64 * float(np.finfo(dtype).eps))


def test_no_epochs(dtype, regression):
    net, x, y = regression(dtype)
    before = net.parameters.copy()
    history = net.fit(x, y, epochs=0)
    assert history.epochs == 0
    assert len(history.loss) == 0
    np.testing.assert_array_equal(net.parameters, before)


def test_custom_metric(dtype, regression):
    net, x, y = regression(dtype)

    def largest(y_true, y_pred):
        assert y_true.shape == y_pred.shape
        return np.abs(y_true - y_pred).max()

    figures = net.evaluate(x, y, metrics=[largest])
    expected = np.abs(net(x) - y).max()
    assert expected in list(figures.values())
    assert net.fit(x, y, epochs=2, metrics=[largest], validation_data=(x, y)).epochs == 2


def test_partial_fit_keeps_the_optimizers_state(dtype, regression):
    first, x, y = regression(dtype)
    second, _, _ = regression(dtype)
    first.fit(x, y, optimizer=fn.Adam(0.01), epochs=5, batch_size=8, shuffle=False)
    for _ in range(5):
        second.partial_fit(x, y, optimizer=fn.Adam(0.01), batch_size=8, shuffle=False)
    np.testing.assert_array_equal(first.parameters, second.parameters)


def test_partial_fit_on_growing_data(dtype, oracle, regression):
    net, x, y = regression(dtype)
    layers = oracle.layers_of(net, ["tanh", "identity"])
    net.partial_fit(
        x[:10], y[:10], optimizer=fn.SGD(0.02, momentum=0.9), batch_size=None, shuffle=False
    )
    net.partial_fit(x[10:], y[10:], batch_size=None, shuffle=False)
    twin = oracle.SGD(0.02, momentum=0.9)
    for rows in (slice(0, 10), slice(10, 24)):
        layers, _ = oracle.train(
            layers, x[rows].astype(float), y[rows].astype(float), "squared_error", twin, 1
        )
    tolerance = 2 * oracle.tolerance(dtype, 24, (3, 8, 2))
    np.testing.assert_allclose(net.parameters, oracle.flatten(layers), rtol=0, atol=tolerance)


def test_fit_starts_with_a_fresh_optimizer_by_name(dtype, regression):
    first, x, y = regression(dtype)
    second, _, _ = regression(dtype)
    options = {"optimizer": "adam", "epochs": 2, "batch_size": None, "shuffle": False}
    first.fit(x, y, **options)
    second.fit(x, y, **options)
    second_again = fn.Network([3, 8, 2], hidden="tanh", dtype=dtype, seed=0)
    second_again.parameters[:] = second.parameters
    first.fit(x, y, **options)
    second_again.fit(x, y, **options)
    np.testing.assert_array_equal(first.parameters, second_again.parameters)


@pytest.mark.parametrize("loss", ["auto", "squared_error"])
def test_a_weight_counts_a_row_so_many_times(loss, dtype, classification):
    weights = np.random.default_rng(4).integers(0, 4, 60)
    weighted, x, labels = classification(dtype)
    repeated, _, _ = classification(dtype)
    options = {"loss": loss, "optimizer": fn.SGD(0.1), "epochs": 5, "batch_size": None}
    weighted.fit(x, labels, sample_weight=weights, **options)
    repeated.fit(np.repeat(x, weights, axis=0), np.repeat(labels, weights), **options)
    # five steps, each a mean of 60 to 240 rows of the size 1 in another order
    bound = 5 * 240 * float(np.finfo(dtype).eps)
    np.testing.assert_allclose(weighted.parameters, repeated.parameters, rtol=0, atol=bound)
    unweighted, _, _ = classification(dtype)
    unweighted.fit(x, labels, **options)
    assert np.abs(weighted.parameters - unweighted.parameters).max() > 100 * bound


def test_balanced_classes_weigh_the_same(dtype, classification):
    net, x, labels = classification(dtype)
    keep = np.r_[np.flatnonzero(labels == 0)[:4], np.flatnonzero(labels > 0)]
    x, labels = x[keep], labels[keep]
    counts = np.bincount(labels)
    twin, _, _ = classification(dtype)
    options = {"optimizer": fn.SGD(0.1), "epochs": 3, "batch_size": None}
    net.fit(x, labels, class_weight="balanced", **options)
    twin.fit(x, labels, sample_weight=(len(labels) / (3 * counts))[labels], **options)
    np.testing.assert_array_equal(net.parameters, twin.parameters)


def test_a_stream_of_batches_equals_epochs_over_them(dtype, regression):
    streamed, x, y = regression(dtype)
    whole, _, _ = regression(dtype)
    for _ in range(3):
        for first in range(0, 24, 6):
            part = slice(first, first + 6)
            streamed.partial_fit(x[part], y[part], optimizer=fn.Adam(0.01), batch_size=None)
    whole.fit(x, y, optimizer=fn.Adam(0.01), epochs=3, batch_size=6, shuffle=False)
    np.testing.assert_array_equal(streamed.parameters, whole.parameters)
