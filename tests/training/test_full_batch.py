"""Optimizers that see all rows at once, in fit: objective, least squares, and how they end."""

import numpy as np
import pytest

import fastnet as fn

NAMES = ["rprop", "lbfgs", "levenberg_marquardt"]


def data(n_rows=60, seed=0, noise=0.0):
    rng = np.random.default_rng(seed)
    X = rng.uniform(-2, 2, size=(n_rows, 2))
    y = np.stack([np.sin(X[:, 0]) * X[:, 1], np.cos(X[:, 1])], axis=1)
    return X, y + noise * rng.normal(size=y.shape)


def network(dtype="float64", seed=0):
    return fn.Network([2, 10, 2], hidden="tanh", dtype=dtype, seed=seed)


@pytest.mark.parametrize("optimizer", NAMES)
def test_the_batch_size_does_not_matter(optimizer):
    X, y = data()
    results = []
    for batch_size in (7, 32, None):
        net = network()
        history = net.fit(X, y, optimizer=optimizer, epochs=5, batch_size=batch_size, seed=0)
        results.append((history.loss, net.parameters.copy()))
    for loss, parameters in results[1:]:
        assert loss == results[0][0]
        np.testing.assert_array_equal(parameters, results[0][1])


@pytest.mark.parametrize("optimizer", ["lbfgs", "levenberg_marquardt"])
def test_the_loss_never_rises(optimizer):
    X, y = data(noise=0.05)
    history = network().fit(X, y, optimizer=optimizer, epochs=100)
    assert (np.diff(history.loss) <= 0).all()
    assert history.loss[-1] < 0.1 * history.loss[0]


@pytest.mark.parametrize("optimizer", ["lbfgs", "levenberg_marquardt"])
def test_the_end_is_a_minimum(optimizer):
    X, y = data(noise=0.05)
    weights = np.random.default_rng(3).uniform(0.5, 2, len(X))
    net, l2 = network(), 0.01
    history = net.fit(X, y, optimizer=optimizer, epochs=3000, l2=l2, sample_weight=weights)
    assert history.stopped == "converged"
    assert history.epochs == len(history.loss) < 3000
    value, gradient = net.loss_and_gradient(X, y, sample_weight=weights)
    # history.loss is the loss of the rows, whatever the penalty
    assert history.loss[-1] == pytest.approx(value, rel=1e-12)
    for k, layer in enumerate(net.layers):
        first = 0 if k == 0 else 2 * 10 + 10
        n = layer.weights.size
        gradient[first : first + n] += l2 * layer.weights.reshape(-1)
    assert np.sqrt((gradient**2).sum()) < 1e-6


def test_both_reach_the_least_squares_of_a_linear_network():
    rng = np.random.default_rng(1)
    X, y = rng.normal(size=(50, 3)), rng.normal(size=(50, 2))
    weights = rng.uniform(0, 2, 50)
    root = np.sqrt(weights)[:, None]
    design = np.hstack([X, np.ones((50, 1))])
    expected = np.linalg.lstsq(root * design, root * y, rcond=None)[0]
    for optimizer in ("lbfgs", "levenberg_marquardt"):
        net = fn.Network([3, 2], dtype="float64", seed=0)
        net.fit(X, y, optimizer=optimizer, epochs=200, sample_weight=weights)
        np.testing.assert_allclose(net.layers[0].weights, expected[:3], rtol=0, atol=1e-7)
        np.testing.assert_allclose(net.layers[0].biases, expected[3], rtol=0, atol=1e-7)


@pytest.mark.parametrize("loss", ["squared_error", "half_squared_error"])
def test_levenberg_marquardt_takes_the_step_of_its_equations(loss):
    # the first iteration by its definition, from the Jacobian of the network
    X, y = data(30)
    weights = np.random.default_rng(2).uniform(0, 2, 30)
    net = network()
    jacobian = net.jacobian(X).reshape(60, -1)
    residuals = (net(X) - y).reshape(-1)
    factor = 2.0 if loss == "squared_error" else 1.0
    w = factor * np.repeat(weights, 2) / weights.sum()
    hessian = jacobian.T @ (w[:, None] * jacobian)
    gradient = jacobian.T @ (w * residuals)
    l2 = 0.1
    is_weight = np.r_[np.ones(20), np.zeros(10), np.ones(20), np.zeros(2)]
    hessian += l2 * np.diag(is_weight)
    gradient += l2 * is_weight * net.parameters
    # so large that the first trial descends
    damping = 10 * np.diag(hessian).max() * np.eye(len(gradient))
    expected = net.parameters - np.linalg.solve(hessian + damping, gradient)
    net.fit(X, y, loss, fn.LevenbergMarquardt(10.0), epochs=1, sample_weight=weights, l2=l2)
    np.testing.assert_allclose(net.parameters, expected, rtol=0, atol=1e-9)


def test_levenberg_marquardt_goes_through_many_rows_in_parts():
    # 3000 rows of two outputs are many chunks of the Jacobian
    X, y = data(3000)
    net, other = network(), network()
    net.fit(X, y, optimizer="levenberg_marquardt", epochs=3)
    first = np.repeat(np.arange(0, 3000, 3), 1)
    # the same objective: every third row, three times the weight, where the rows come in triples
    X3, y3 = np.repeat(X[first], 3, axis=0), np.repeat(y[first], 3, axis=0)
    net = network()
    net.fit(X3, y3, optimizer="levenberg_marquardt", epochs=3)
    other.fit(X[first], y[first], optimizer="levenberg_marquardt", epochs=3,
              sample_weight=np.full(len(first), 3.0))
    np.testing.assert_allclose(net.parameters, other.parameters, rtol=0, atol=1e-7)


@pytest.mark.parametrize("optimizer", NAMES)
def test_they_learn_a_surface(optimizer, dtype):
    X, y = data(200)
    net = network(dtype)
    start = net.evaluate(X, y)["loss"]
    net.fit(X, y, optimizer=optimizer, epochs=150)
    assert net.evaluate(X, y)["loss"] < 0.01 * start


def test_lbfgs_on_threads_has_the_same_bits():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(4000, 40)), rng.integers(0, 5, 4000)
    results = []
    for n_threads in (1, 2, 3):
        net = fn.Network([40, 150, 120, 5], output="softmax", seed=0)
        history = net.fit(X, y, optimizer="lbfgs", epochs=3, n_threads=n_threads, l1=1e-4)
        results.append((history.loss, net.parameters.copy()))
    for loss, parameters in results[1:]:
        assert loss == results[0][0]
        np.testing.assert_array_equal(parameters, results[0][1])


def test_an_exception_in_a_line_search_arrives_and_leaves_finite_parameters():
    calls = []

    def value(z):
        calls.append(1)
        if len(calls) == 12:
            raise ZeroDivisionError("in a hook")
        return np.tanh(z)

    bent = fn.Activation(value, lambda z, a: 1 - a * a)
    X, y = data()
    for optimizer in ("lbfgs", "levenberg_marquardt"):
        calls.clear()
        net = fn.Network([2, 5, 2], hidden=bent, dtype="float64", seed=0)
        start = net.loss_and_gradient(X, y)[0]
        with pytest.raises(ZeroDivisionError, match="in a hook"):
            net.fit(X, y, optimizer=optimizer, epochs=50)
        assert net.history is None or net.history.stopped == "error"
        assert net.loss_and_gradient(X, y)[0] <= start


def test_a_callback_may_stop_them():
    X, y = data()
    history = network().fit(
        X, y, optimizer="lbfgs", epochs=50, callbacks=lambda net, epoch, logs: epoch == 2
    )
    assert (history.stopped, history.epochs) == ("callback", 3)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"loss": "absolute_error"}, "sums of squares: loss must be 'squared_error'"),
        ({"l1": 0.1}, "sums of squares: l1 must be 0"),
    ],
)
def test_what_levenberg_marquardt_refuses(options, message):
    X, y = data()
    net = network()
    before = net.parameters.copy()
    with pytest.raises(ValueError, match=message):
        net.fit(X, y, optimizer="levenberg_marquardt", **options)
    np.testing.assert_array_equal(net.parameters, before)


@pytest.mark.parametrize("optimizer", ["lbfgs", "levenberg_marquardt"])
def test_divergence_at_the_start_is_reported(optimizer):
    X, y = data()
    net = fn.Network([2, 10, 2], hidden="exp", seed=0)
    net.parameters[:] = 1e3
    with pytest.raises(fn.DivergenceError, match="epoch 0"):
        net.fit(X, y, optimizer=optimizer, epochs=5)
