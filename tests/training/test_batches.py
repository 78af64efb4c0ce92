"""Batches cut into spans on several threads, and penalties on weights."""

import threading

import numpy as np
import pytest

import fastnet as fn

SIZES = [40, 150, 120, 5]


def data(n_rows, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n_rows, SIZES[0])), rng.integers(0, SIZES[-1], n_rows)


def network(dtype="float32", layers=None, **options):
    if layers is not None:
        return fn.Network(SIZES[0], layers=layers, dtype=dtype, seed=0)
    return fn.Network(SIZES, hidden="tanh", output="softmax", dtype=dtype, seed=0, **options)


LAYERS = [
    fn.Dense(150), fn.LayerNorm("relu"), fn.Dropout(0.2), fn.Dense(120, "gelu"),
    fn.Dense(5, "softmax"),
]


@pytest.mark.parametrize("layers", [None, LAYERS], ids=["dense", "dropout"])
@pytest.mark.parametrize("n_rows", [300, 2003])
@pytest.mark.parametrize("weighted", [False, True])
def test_any_number_of_threads_gives_the_same_bits(dtype, layers, n_rows, weighted):
    X, y = data(n_rows)
    weights = np.random.default_rng(1).uniform(0, 2, n_rows) if weighted else None
    results = []
    for n_threads in (1, 2, 3, 7):
        net = network(dtype, layers)
        history = net.fit(
            X, y, epochs=2, batch_size=1100, seed=5, sample_weight=weights, n_threads=n_threads
        )
        results.append((history.loss, net.parameters.copy()))
    for loss, parameters in results[1:]:
        assert loss == results[0][0]
        np.testing.assert_array_equal(parameters, results[0][1])


def test_spans_sum_to_the_gradient_of_the_batch():
    # 4000 rows are several spans; loss_and_gradient knows none
    X, y = data(4000)
    net = network("float64")
    value, gradient = net.loss_and_gradient(X, y)
    before = net.parameters.copy()
    history = net.fit(X, y, optimizer=fn.SGD(1.0), epochs=1, batch_size=None, n_threads=2)
    assert history.loss[0] == pytest.approx(value, rel=1e-14)
    np.testing.assert_allclose(before - net.parameters, gradient, rtol=0, atol=1e-14)


def test_threads_end_with_the_training():
    X, y = data(3000)
    before = threading.active_count()
    seen = []
    network().fit(
        X, y, epochs=2, batch_size=None, n_threads=4,
        callbacks=lambda net, epoch, logs: seen.append(threading.active_count()),
    )
    # the caller and one for each other span, of which 3,000 rows of this network are six
    assert seen == [before + 3] * 2
    assert threading.active_count() == before


def test_no_thread_is_started_that_would_have_nothing_to_do():
    X, y = data(30)
    before = threading.active_count()
    seen = []
    network().fit(
        X, y, epochs=1, n_threads=64,
        callbacks=lambda *_: seen.append(threading.active_count()),
    )
    assert seen == [before]


@pytest.mark.parametrize(
    "optimizer",
    [
        fn.SGD(0.1), fn.SGD(0.1, momentum=0.9, nesterov=True, weight_decay=0.01),
        fn.SGD(0.1, normalize=True), fn.AdamW(0.01, clip_norm=0.1), fn.Adagrad(clip_value=1e-3),
        fn.RMSProp(momentum=0.5, centered=True), fn.Rprop(),
    ],
    ids=repr,
)
def test_threads_share_the_update_of_many_parameters(optimizer, dtype):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(600, 300)), rng.integers(0, 5, 600)
    results = []
    for n_threads in (1, 3):
        net = fn.Network([300, 400, 100, 5], output="softmax", dtype=dtype, seed=0)
        assert net.n_parameters > 131072
        optimizer.reset()
        net.fit(X, y, optimizer=optimizer, epochs=2, batch_size=None, n_threads=n_threads)
        results.append(net.parameters.copy())
    np.testing.assert_array_equal(*results)


def test_python_functions_run_on_every_thread():
    X, y = data(4000)
    threads, another = set(), threading.Event()
    another.set()

    def value(z):
        threads.add(threading.get_ident())
        is_main = threading.current_thread() is threading.main_thread()
        if not is_main or not another.wait(timeout=60):     # on a busy machine it may come late
            another.set()
        return np.tanh(z)

    layers = [fn.Dense(150, fn.Activation(value, lambda z, a: 1 - a * a)), fn.Dense(5, "softmax")]
    single, shared = network("float64", layers), network("float64", layers)
    single.fit(X, y, epochs=1, batch_size=None)
    assert threads == {threading.get_ident()}
    another.clear()
    shared.fit(X, y, epochs=3, batch_size=None, n_threads=3)
    assert len(threads) > 1
    again = network("float64", layers)
    again.fit(X, y, epochs=3, batch_size=None)
    np.testing.assert_array_equal(shared.parameters, again.parameters)


@pytest.mark.parametrize("n_threads", [1, 2, 4])
def test_an_exception_on_any_thread_arrives(n_threads):
    X, y = data(4000)
    calls = []

    def value(z):
        calls.append(len(z))
        if len(calls) == 5:
            raise ZeroDivisionError("in a hook")
        return np.tanh(z)

    layers = [fn.Dense(150, fn.Activation(value, lambda z, a: 1 - a * a)), fn.Dense(5, "softmax")]
    net = network("float64", layers)
    before = threading.active_count()
    with pytest.raises(ZeroDivisionError, match="in a hook"):
        net.fit(X, y, epochs=5, batch_size=None, n_threads=n_threads)
    assert threading.active_count() == before
    assert np.isfinite(net.parameters).all()
    net.fit(X, y, epochs=1, batch_size=None, n_threads=n_threads)


def test_divergence_is_reported_from_threads():
    X, y = data(4000)
    net = fn.Network(SIZES, hidden="relu", seed=0)
    with pytest.raises(fn.DivergenceError, match="epoch"):
        net.fit(X, np.eye(5)[y] * 1e6, optimizer=fn.SGD(1e6), epochs=50, batch_size=None,
                n_threads=2)


@pytest.mark.parametrize("n_threads", [0, -1, 1.5, "two"])
def test_bad_n_threads(n_threads):
    X, y = data(10)
    with pytest.raises((ValueError, TypeError), match="n_threads"):
        network().fit(X, y, n_threads=n_threads)


def penalized(net, X, y, l1, l2):
    """Gradient of the objective by the definition: weights of dense layers count, nothing else."""
    _, gradient = net.loss_and_gradient(X, y)
    first = 0
    for layer in net.layers:
        if isinstance(layer.spec, fn.Dense):
            n = layer.weights.size
            w = layer.weights.reshape(-1)
            gradient[first : first + n] += l1 * np.sign(w) + l2 * w
            first += n
        elif isinstance(layer.spec, fn.LayerNorm):
            first += layer.n_outputs
        first += 0 if layer.biases is None else layer.n_outputs
    assert first == net.n_parameters
    return gradient


@pytest.mark.parametrize(("l1", "l2"), [(0.0, 0.5), (0.25, 0.0), (0.25, 0.5)])
def test_penalties(dtype, l1, l2):
    X, y = data(30)
    layers = [fn.Dense(20, "tanh"), fn.LayerNorm(), fn.Dense(5, "softmax")]
    net = network(dtype, layers)
    net.parameters[:] = net.parameters + 0.1
    before = net.parameters.astype(float)
    loss = net.evaluate(X, y)["loss"]
    gradient = penalized(net, X, y, l1, l2)
    history = net.fit(X, y, optimizer=fn.SGD(0.5), epochs=1, batch_size=None, l1=l1, l2=l2)
    # each gradient is a sum of 30 rows through 65 units; the two orders of summation differ
    bound = 200 * float(np.finfo(dtype).eps)
    np.testing.assert_allclose((before - net.parameters) / 0.5, gradient, rtol=0, atol=bound)
    assert history.loss[0] == pytest.approx(loss, rel=bound)


@pytest.mark.parametrize("name", ["l1", "l2"])
@pytest.mark.parametrize("value", [-1e-3, np.nan, np.inf, "1", True, None])
def test_bad_penalties(name, value):
    X, y = data(10)
    net = network()
    before = net.parameters.copy()
    with pytest.raises((ValueError, TypeError), match=name):
        net.fit(X, y, **{name: value})
    np.testing.assert_array_equal(net.parameters, before)
