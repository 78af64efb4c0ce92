"""Training: the steps themselves against the oracle, then everything around them."""

import json
import subprocess
import sys
import textwrap

import numpy as np
import pytest

import fastnet as fn


def regression(dtype, n_rows=24, sizes=(3, 8, 2), seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n_rows, sizes[0])).astype(dtype)
    y = np.stack([np.sin(x[:, 0]) + x[:, 1], x.sum(axis=1) / 2], axis=1)[:, : sizes[-1]]
    return fn.Network(list(sizes), hidden="tanh", dtype=dtype, seed=1), x, y.astype(dtype)


def classification(dtype, n_rows=60, hidden="tanh"):
    rng = np.random.default_rng(2)
    labels = rng.integers(0, 3, n_rows)
    centers = np.array([[2.0, 0, 0, 1], [0, 2, 0, -1], [-1, -1, 1, 0]])
    x = (centers[labels] + rng.normal(size=(n_rows, 4))).astype(dtype)
    return fn.Network([4, 9, 3], hidden=hidden, output="softmax", dtype=dtype, seed=1), x, labels


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
def test_steps_equal_the_oracle(name, batch_size, dtype, oracle):
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


def test_classification_steps_equal_the_oracle(dtype, oracle):
    net, x, labels = classification(dtype)
    layers = oracle.layers_of(net, ["tanh", "softmax"])
    net.fit(x, labels, optimizer=fn.SGD(0.1), epochs=4, batch_size=16, shuffle=False)
    expected, _ = oracle.train(
        layers, x.astype(float), np.eye(3)[labels], "cross_entropy", oracle.SGD(0.1), 4, 16
    )
    tolerance = 16 * oracle.tolerance(dtype, 16, (4, 9, 3)) / 4
    np.testing.assert_allclose(net.parameters, oracle.flatten(expected), rtol=0, atol=tolerance)


def test_sample_weight_in_a_full_batch(dtype, oracle):
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


def test_class_weight_is_a_sample_weight(dtype):
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


def test_optimizer_by_name(dtype):
    for name, optimizer in (("sgd", fn.SGD()), ("adam", fn.Adam())):
        by_name, x, y = regression(dtype)
        by_object, _, _ = regression(dtype)
        by_name.fit(x, y, optimizer=name, epochs=3, seed=0)
        by_object.fit(x, y, optimizer=optimizer, epochs=3, seed=0)
        np.testing.assert_array_equal(by_name.parameters, by_object.parameters)


def test_default_is_adam_with_batches_of_32(dtype):
    first, x, y = regression(dtype, 100)
    second, _, _ = regression(dtype, 100)
    first.fit(x, y, seed=0)
    second.fit(x, y, loss="auto", optimizer="adam", epochs=10, batch_size=32, shuffle=True, seed=0)
    np.testing.assert_array_equal(first.parameters, second.parameters)


# ---- the order of the rows


def test_same_seed_same_bits(dtype):
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


# ---- it learns


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


def test_losses_fall(dtype):
    net, x, y = regression(dtype, 200)
    before = net.evaluate(x, y)["loss"]
    history = net.fit(x, y, optimizer=fn.Adam(0.01), epochs=60, seed=0)
    assert net.evaluate(x, y)["loss"] < 0.1 * before
    assert history.loss[-1] < history.loss[0]


# ---- history, validation, metrics, callbacks


def test_history(dtype):
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


def test_no_epochs(dtype):
    net, x, y = regression(dtype)
    before = net.parameters.copy()
    history = net.fit(x, y, epochs=0)
    assert history.epochs == 0
    assert len(history.loss) == 0
    np.testing.assert_array_equal(net.parameters, before)


def test_custom_metric(dtype):
    net, x, y = regression(dtype)

    def largest(y_true, y_pred):
        assert y_true.shape == y_pred.shape
        return np.abs(y_true - y_pred).max()

    figures = net.evaluate(x, y, metrics=[largest])
    expected = np.abs(net(x) - y).max()
    assert expected in list(figures.values())
    assert net.fit(x, y, epochs=2, metrics=[largest], validation_data=(x, y)).epochs == 2


def test_callback_sees_every_epoch(dtype):
    net, x, y = regression(dtype)
    calls = []

    def callback(network, epoch, logs):
        assert network is net
        assert np.isfinite(logs["loss"])
        calls.append((epoch, logs["loss"], logs["validation_loss"], network.evaluate(x, y)["loss"]))

    history = net.fit(x, y, epochs=4, seed=0, callbacks=[callback], validation_data=(x, y))
    assert [call[1] for call in calls] == list(history.loss)
    assert [call[2] for call in calls] == list(history.validation_loss)
    assert np.diff([call[0] for call in calls]).tolist() == [1, 1, 1]
    for call in calls:
        assert call[2] == pytest.approx(call[3], rel=64 * float(np.finfo(dtype).eps))


def test_callback_does_not_change_the_numbers(dtype):
    plain, x, y = regression(dtype)
    watched, _, _ = regression(dtype)
    options = {"epochs": 5, "batch_size": 8, "seed": 0}
    plain.fit(x, y, **options)
    watched.fit(
        x,
        y,
        callbacks=[lambda net, epoch, logs: None],
        validation_data=(x, y),
        metrics=["r2"],
        **options,
    )
    np.testing.assert_array_equal(plain.parameters, watched.parameters)


def test_callback_stops(dtype):
    net, x, y = regression(dtype)
    count = []
    history = net.fit(
        x,
        y,
        epochs=100,
        seed=0,
        callbacks=[lambda net, epoch, logs: count.append(1) or len(count) == 3],
    )
    assert history.epochs == len(history.loss) == 3
    assert history.stopped == "callback"
    other, _, _ = regression(dtype)
    other.fit(x, y, epochs=3, seed=0)
    np.testing.assert_array_equal(net.parameters, other.parameters)


def test_callback_that_raises(dtype):
    net, x, y = regression(dtype)
    count = []

    def callback(network, epoch, logs):
        count.append(1)
        if len(count) == 3:
            raise RuntimeError("from the callback")

    with pytest.raises(RuntimeError, match="from the callback"):
        net.fit(x, y, epochs=10, seed=0, callbacks=[callback])
    other, _, _ = regression(dtype)
    other.fit(x, y, epochs=3, seed=0)
    np.testing.assert_array_equal(net.parameters, other.parameters)
    # and it can go on
    assert net.fit(x, y, epochs=2, seed=1).epochs == 2


def test_callback_may_change_the_network(dtype):
    net, x, y = regression(dtype)

    def clip(network, epoch, logs):
        np.clip(network.parameters, -0.1, 0.1, out=network.parameters)

    net.fit(x, y, epochs=3, optimizer=fn.SGD(0.1), seed=0, callbacks=[clip])
    assert np.abs(net.parameters).max() <= np.float32(0.1)


def test_early_stopping_restores_the_best(dtype):
    """Targets of the validation rows are turned round, so training makes them worse soon."""
    net, x, y = regression(dtype, 64)
    snapshots = []
    history = net.fit(
        x,
        y,
        epochs=300,
        seed=0,
        optimizer=fn.Adam(0.02),
        validation_data=(x[:16], -y[:16]),
        early_stopping=fn.EarlyStopping(patience=4),
        callbacks=[lambda n, epoch, logs: snapshots.append(n.parameters.copy()) and None],
    )
    assert history.stopped == "early_stopping"
    best = int(np.argmin(history.validation_loss))
    assert history.epochs == best + 1 + 4
    np.testing.assert_array_equal(net.parameters, snapshots[best])
    assert net.evaluate(x[:16], -y[:16])["loss"] == pytest.approx(
        min(history.validation_loss), rel=1e-5
    )


def test_early_stopping_without_restoring(dtype):
    net, x, y = regression(dtype, 64)
    snapshots = []
    history = net.fit(
        x,
        y,
        epochs=300,
        seed=0,
        optimizer=fn.Adam(0.02),
        validation_data=(x[:16], -y[:16]),
        early_stopping=fn.EarlyStopping(patience=4, restore_best=False),
        callbacks=[lambda n, epoch, logs: snapshots.append(n.parameters.copy()) and None],
    )
    assert history.stopped == "early_stopping"
    np.testing.assert_array_equal(net.parameters, snapshots[-1])


def test_early_stopping_by_min_delta_and_loss(dtype):
    net, x, y = regression(dtype, 64)
    history = net.fit(
        x,
        y,
        epochs=300,
        seed=0,
        optimizer=fn.SGD(1e-9),
        shuffle=False,
        early_stopping=fn.EarlyStopping(monitor="loss", patience=3, min_delta=0.1),
    )
    assert history.stopped == "early_stopping"
    assert history.epochs == 4


# ---- partial_fit


def test_partial_fit_keeps_the_optimizers_state(dtype):
    first, x, y = regression(dtype)
    second, _, _ = regression(dtype)
    first.fit(x, y, optimizer=fn.Adam(0.01), epochs=5, batch_size=8, shuffle=False)
    for _ in range(5):
        second.partial_fit(x, y, optimizer=fn.Adam(0.01), batch_size=8, shuffle=False)
    np.testing.assert_array_equal(first.parameters, second.parameters)


def test_partial_fit_on_growing_data(dtype, oracle):
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


def test_fit_starts_with_a_fresh_optimizer_by_name(dtype):
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


# ---- numbers


def test_flush_to_zero_in_training_and_restored_after():
    """The gradient -2 x y of the only weight is the denormal 2e-40; flushed, the weight stays 0."""
    x = np.full((4, 1), 1e-20, np.float32)
    tiny = np.float32(1e-40)
    inside = []
    for callbacks in ((), [lambda net, epoch, logs: inside.append(float(tiny * np.float32(1)))]):
        net = fn.Network.from_arrays([(np.zeros((1, 1)), None, "identity")], dtype="float32")
        net.fit(x, x, loss="squared_error", optimizer=fn.SGD(1.0), epochs=3, callbacks=callbacks)
        assert float(tiny * np.float32(1)) == float(tiny) != 0
        assert net.parameters[0] == 0
    assert len(inside) == 3
    assert all(value == float(tiny) for value in inside)


def test_custom_functions_see_denormals():
    tiny = np.float32(1e-40)
    inside = []

    def value(z):
        inside.append(float(tiny * np.float32(1)))
        return z

    net = fn.Network(1, layers=[fn.Dense(1, fn.Activation(value, lambda z, a: np.ones_like(z)))])
    net.fit(np.ones((4, 1)), np.ones((4, 1)), epochs=2)
    assert inside
    assert all(value == float(tiny) for value in inside)


def test_flush_to_zero_is_restored_after_an_error():
    tiny = np.float32(1e-40)

    def fail(z, a):
        raise RuntimeError("broken derivative")

    net = fn.Network(1, layers=[fn.Dense(1, fn.Activation(lambda z: z, fail))])
    with pytest.raises(RuntimeError, match="broken derivative"):
        net.fit(np.ones((4, 1)), np.ones((4, 1)), epochs=2)
    assert float(tiny * np.float32(1)) == float(tiny)


def test_a_loss_that_becomes_nan_is_reported(dtype):
    net, x, y = regression(dtype)
    with pytest.raises(ValueError, match=r"(?i)epoch.*batch|batch.*epoch"):
        net.fit(1e3 * x, 1e3 * y, optimizer=fn.SGD(1e30), epochs=50, batch_size=8, seed=0)
    assert float(np.float32(1e-40) * np.float32(1)) != 0


@pytest.mark.parametrize("where", ["value", "derivative", "loss", "loss gradient"])
def test_exception_of_a_custom_function_arrives(where, dtype):
    """It comes in the 5th call; the parameters are those of a whole number of steps."""
    count = []

    def fail_later(name, result):
        if name == where:
            count.append(1)
            if len(count) == 5:
                raise ZeroDivisionError(f"in {where}")
        return result

    activation = fn.Activation(
        lambda z: fail_later("value", np.tanh(z)), lambda z, a: fail_later("derivative", 1 - a**2)
    )
    loss = fn.Loss(
        lambda p, y: fail_later("loss", ((p - y) ** 2).sum(axis=1)),
        lambda p, y: fail_later("loss gradient", 2 * (p - y)),
    )
    net = fn.Network(3, layers=[fn.Dense(8, activation), fn.Dense(2)], dtype=dtype, seed=1)
    start = net.parameters.copy()
    _, x, y = regression(dtype)
    with pytest.raises(ZeroDivisionError, match=f"in {where}"):
        net.fit(x, y, loss=loss, optimizer=fn.SGD(0.1), epochs=10, batch_size=8, shuffle=False)
    after = net.parameters.copy()
    count.append(1)
    steps = []
    net.parameters[:] = start
    for rows in 4 * [slice(0, 8), slice(8, 16), slice(16, 24)]:
        _, gradient = net.loss_and_gradient(x[rows], y[rows], loss=loss)
        net.parameters[:] -= np.dtype(dtype).type(0.1) * gradient
        steps.append(net.parameters.copy())
    close = [np.abs(after - p).max() < 1e-5 for p in [start, *steps]]
    assert any(close)
    net.parameters[:] = after
    assert net.fit(x, y, loss=loss, epochs=2).epochs == 2


INTERRUPT = """
import json, os, signal, sys, threading, time
import numpy as np
import fastnet as fn

sizes, n_rows, batch_size = json.loads(sys.argv[1])
rng = np.random.default_rng(0)
x = rng.normal(size=(n_rows, sizes[0])).astype(np.float32)
y = rng.normal(size=(n_rows, sizes[-1])).astype(np.float32)
net = fn.Network(sizes, seed=0)
start = net.parameters.copy()
delays = []
for _ in range(3):
    sent = []
    def interrupt():
        time.sleep(0.4)
        sent.append(time.perf_counter())
        os.kill(os.getpid(), signal.SIGINT)
    thread = threading.Thread(target=interrupt)
    thread.start()
    try:
        net.fit(x, y, epochs=10**9, batch_size=batch_size, seed=0, optimizer=fn.SGD(1e-6))
        raise SystemExit("fit came to an end")
    except KeyboardInterrupt:
        delays.append(time.perf_counter() - sent[0])
    thread.join()
print(json.dumps({
    "delay": min(delays), "stopped": net.history.stopped, "epochs": net.history.epochs,
    "losses": len(net.history.loss), "changed": bool((net.parameters != start).any()),
    "finite": bool(np.isfinite(net.parameters).all()),
    "denormal": float(np.float32(1e-40) * np.float32(1)),
}))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="os.kill sends no Ctrl-C on Windows")
@pytest.mark.parametrize(
    ("sizes", "n_rows", "batch_size"),
    [
        ((4, 16, 2), 1000, 4),  # many small steps
        ((100, 400, 400, 10), 6000, None),  # one step takes longer than the limit
    ],
    ids=["small", "wide"],
)
def test_interrupt(sizes, n_rows, batch_size):
    result = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(INTERRUPT), json.dumps([sizes, n_rows, batch_size])],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    report = json.loads(result.stdout)
    assert report["delay"] < 0.1
    assert report["stopped"] == "interrupted"
    assert report["epochs"] == report["losses"]
    assert report["finite"]
    assert report["changed"] or batch_size is None
    assert report["denormal"] != 0


def test_progress_is_off_by_default(capfd, dtype):
    net, x, y = regression(dtype)
    net.fit(x, y, epochs=3)
    captured = capfd.readouterr()
    assert captured.out == captured.err == ""


def test_progress(capfd, dtype):
    net, x, y = regression(dtype)
    plain, _, _ = regression(dtype)
    net.fit(x, y, epochs=3, seed=0, progress=True)
    captured = capfd.readouterr()
    assert captured.out + captured.err != ""
    plain.fit(x, y, epochs=3, seed=0)
    np.testing.assert_array_equal(net.parameters, plain.parameters)
