"""What comes between: denormals, divergence, exceptions of custom functions, Ctrl-C, progress."""

import json
import subprocess
import sys
import textwrap

import numpy as np
import pytest

import fastnet as fn


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


def test_a_loss_that_becomes_nan_is_reported(dtype, regression):
    net, x, y = regression(dtype)
    with pytest.raises(ValueError, match=r"(?i)epoch.*batch|batch.*epoch"):
        net.fit(1e3 * x, 1e3 * y, optimizer=fn.SGD(1e30), epochs=50, batch_size=8, seed=0)
    assert float(np.float32(1e-40) * np.float32(1)) != 0


@pytest.mark.parametrize("where", ["value", "derivative", "loss", "loss gradient"])
def test_exception_of_a_custom_function_arrives(where, dtype, regression):
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

# a job in the background of a shell has SIGINT ignored, and its children inherit that
signal.signal(signal.SIGINT, signal.default_int_handler)
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


def test_progress_is_off_by_default(capfd, dtype, regression):
    net, x, y = regression(dtype)
    net.fit(x, y, epochs=3)
    captured = capfd.readouterr()
    assert captured.out == captured.err == ""


def test_progress(capfd, dtype, regression):
    net, x, y = regression(dtype)
    plain, _, _ = regression(dtype)
    net.fit(x, y, epochs=3, seed=0, progress=True)
    captured = capfd.readouterr()
    assert captured.out + captured.err != ""
    plain.fit(x, y, epochs=3, seed=0)
    np.testing.assert_array_equal(net.parameters, plain.parameters)
