"""One network called from many threads at once gives the answers of one thread."""

import threading

import numpy as np
import pytest

import fastnet as fn

N_THREADS = 8


def run(work):
    """work(i) in N_THREADS threads that start together; errors arrive here."""
    barrier = threading.Barrier(N_THREADS)
    errors = []

    def target(i):
        barrier.wait()
        try:
            work(i)
        except BaseException as error:  # also failed assertions
            errors.append(error)

    threads = [threading.Thread(target=target, args=(i,)) for i in range(N_THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


@pytest.mark.parametrize("sizes", [(4, 16, 3), (40, 150, 120, 3)], ids=["small", "large"])
def test_calls_from_many_threads(sizes, dtype):
    net = fn.Network(list(sizes), hidden="tanh", output="softmax", dtype=dtype, seed=0)
    rng = np.random.default_rng(1)
    xs = [rng.normal(size=(n, sizes[0])).astype(dtype) for n in (1, 3, 40, 250, 7, 100, 33, 64)]
    labels = [rng.integers(0, 3, len(x)) for x in xs]
    outputs = [net.predict(x) for x in xs]
    single = [net(x[0]) for x in xs]
    gradients = [net.loss_and_gradient(x, y) for x, y in zip(xs, labels, strict=True)]
    jacobians = [net.input_jacobian(x[0]) for x in xs]
    populations = [net.parameters[None] * np.array([[1], [2]], dtype) for _ in xs]
    predicted = [net.predict_population(p, x) for p, x in zip(populations, xs, strict=True)]

    def work(i):
        for k in range(40):
            j = (i + k) % len(xs)
            x = xs[j]
            np.testing.assert_array_equal(net.predict(x), outputs[j])
            np.testing.assert_array_equal(net(x), outputs[j])
            np.testing.assert_array_equal(net(x[0]), single[j])
            value, gradient = net.loss_and_gradient(x, labels[j])
            assert value == gradients[j][0]
            np.testing.assert_array_equal(gradient, gradients[j][1])
            if k % 8 == 0:
                np.testing.assert_array_equal(net.input_jacobian(x[0]), jacobians[j])
                np.testing.assert_array_equal(
                    net.predict_population(populations[j], x), predicted[j]
                )

    run(work)


def test_custom_functions_from_many_threads(dtype):
    activation = fn.Activation(lambda z: np.sin(z) + z, lambda z, a: np.cos(z) + 1)
    loss = fn.Loss(lambda p, y: ((p - y) ** 2).sum(axis=1), lambda p, y: 2 * (p - y))
    net = fn.Network(4, layers=[fn.Dense(9, activation), fn.Dense(2)], dtype=dtype, seed=0)
    rng = np.random.default_rng(1)
    xs = rng.normal(size=(N_THREADS, 50, 4)).astype(dtype)
    y = rng.normal(size=(50, 2)).astype(dtype)
    outputs = [net.predict(x) for x in xs]
    gradients = [net.loss_and_gradient(x, y, loss=loss)[1] for x in xs]

    def work(i):
        for _ in range(20):
            np.testing.assert_array_equal(net.predict(xs[i]), outputs[i])
            np.testing.assert_array_equal(
                net.loss_and_gradient(xs[i], y, loss=loss)[1], gradients[i]
            )

    run(work)


def test_networks_of_their_own_train_at_once(dtype):
    rng = np.random.default_rng(0)
    x, labels = rng.normal(size=(200, 5)).astype(dtype), rng.integers(0, 3, 200)

    def train(seed):
        net = fn.Network([5, 20, 3], output="softmax", dtype=dtype, seed=seed)
        net.fit(x, labels, epochs=20, seed=seed)
        return net.parameters.copy()

    expected = [train(seed) for seed in range(N_THREADS)]

    def work(i):
        np.testing.assert_array_equal(train(i), expected[i])

    run(work)


def test_predict_in_python_threads_inside_a_threaded_predict(dtype):
    net = fn.Network([30, 100, 100, 3], dtype=dtype, seed=0)
    x = np.random.default_rng(0).normal(size=(3000, 30)).astype(dtype)
    expected = net.predict(x)

    def work(i):
        np.testing.assert_array_equal(net.predict(x, n_threads=2), expected)

    run(work)


def test_errors_in_threads_stay_in_their_thread(dtype):
    net = fn.Network([4, 8, 2], dtype=dtype, seed=0)
    x = np.random.default_rng(0).normal(size=(30, 4)).astype(dtype)
    expected = net.predict(x)

    def work(i):
        for _ in range(50):
            if i % 2:
                with pytest.raises(ValueError, match="5"):
                    net.predict(np.zeros((3, 5)))
            else:
                np.testing.assert_array_equal(net.predict(x), expected)

    run(work)
