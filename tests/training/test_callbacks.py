"""Callbacks and early stopping."""

import numpy as np
import pytest

import fastnet as fn


def test_callback_sees_every_epoch(dtype, regression):
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


def test_callback_does_not_change_the_numbers(dtype, regression):
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


def test_callback_stops(dtype, regression):
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


def test_callback_that_raises(dtype, regression):
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


def test_callback_may_change_the_network(dtype, regression):
    net, x, y = regression(dtype)

    def clip(network, epoch, logs):
        np.clip(network.parameters, -0.1, 0.1, out=network.parameters)

    net.fit(x, y, epochs=3, optimizer=fn.SGD(0.1), seed=0, callbacks=[clip])
    assert np.abs(net.parameters).max() <= np.float32(0.1)


def test_early_stopping_restores_the_best(dtype, regression):
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


def test_early_stopping_without_restoring(dtype, regression):
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


def test_early_stopping_by_min_delta_and_loss(dtype, regression):
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
