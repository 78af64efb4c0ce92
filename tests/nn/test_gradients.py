"""The loss and its gradient, against the oracle and central differences."""

import itertools

import numpy as np
import pytest

import fastnet as fn

HIDDEN = fn.activations.names()
# Layers of these get net values in their domain, or small ones: they grow fast.
POSITIVE = ("log", "inverse")
STEEP = ("exp", "square", "cube")
FUSED = {"cross_entropy": "softmax", "kl_divergence": "softmax", "binary_cross_entropy": "sigmoid"}
# every activation with the losses of least squares, every loss with outputs of each kind it takes
PAIRS = [
    *itertools.product(HIDDEN, ["squared_error", "half_squared_error"]),
    *((output, loss) for loss, output in FUSED.items()),
    *itertools.product(
        ["identity", "sigmoid", "softmax", "silu"],
        ["absolute_error", "huber", "log_cosh", "hinge", "quantile"],
    ),
    *itertools.product(["softplus", "sigmoid", "softmax", "exp"], ["poisson"]),
]


def test_every_loss_is_here():
    assert {loss for _, loss in PAIRS} == set(fn.losses.names())


def problem(dtype, hidden, output, loss, oracle, sizes=(5, 7, 6, 4), n_rows=11):
    net = fn.Network(list(sizes), hidden=hidden, output=output, dtype=dtype, seed=3)
    rng = np.random.default_rng(4)
    net.parameters[:] += 0.1 * rng.normal(size=net.n_parameters).astype(dtype)  # biases, too
    activations = [hidden] * (len(sizes) - 2) + [output]
    for layer, activation in zip(net.layers, activations, strict=True):
        if activation in POSITIVE or activation in STEEP:
            layer.weights[:] *= 0.3
        if activation in POSITIVE:
            layer.biases[:] += 2
    layers = oracle.layers_of(net, activations)
    x = oracle.away_from_kinks(layers, rng.normal(size=(3 * n_rows, sizes[0])).astype(dtype))[
        :n_rows
    ]
    assert len(x) == n_rows
    y = oracle.targets_for(loss, rng, (n_rows, sizes[-1])).astype(dtype)
    return net, layers, x, y


def check(net, layers, x, y, loss, oracle, **options):
    """One network's loss and gradient against the oracle's, within rounding."""
    value, gradient = net.loss_and_gradient(x, y, loss=loss, **options)
    expected = oracle.loss_and_gradient(layers, x, y, loss, **options)
    sizes = (net.n_inputs, *(w.shape[1] for w, _, _ in layers))
    scale = max(np.abs(expected[1]).max(), abs(expected[0]))
    tolerance = oracle.tolerance(net.dtype, len(x), sizes, scale)
    assert isinstance(value, float)
    assert gradient.shape == (net.n_parameters,)
    assert gradient.dtype == net.dtype
    assert value == pytest.approx(expected[0], abs=tolerance, rel=tolerance)
    np.testing.assert_allclose(gradient, expected[1], rtol=0, atol=tolerance)
    return value, gradient


@pytest.mark.parametrize(("activation", "loss"), PAIRS)
def test_every_activation_and_loss_equals_the_oracle(activation, loss, dtype, oracle):
    for hidden, output in {(activation, activation), ("tanh", activation)}:
        net, layers, x, y = problem(dtype, hidden, output, loss, oracle)
        for reduction in ("mean", "sum"):
            check(net, layers, x, y, loss, oracle, reduction=reduction)


@pytest.mark.parametrize("loss", FUSED)
@pytest.mark.parametrize("hidden", HIDDEN)
def test_fused_losses_below_every_hidden_activation(hidden, loss, dtype, oracle):
    net, layers, x, y = problem(dtype, hidden, FUSED[loss], loss, oracle)
    check(net, layers, x, y, loss, oracle)


@pytest.mark.parametrize("n_outputs", [1, 2, 9])
@pytest.mark.parametrize("loss", [name for name in fn.losses.names() if name not in FUSED])
def test_losses_with_weights_and_any_number_of_outputs(loss, n_outputs, dtype, oracle):
    output = oracle.OUTPUT_OF.get(loss, "identity")
    net, layers, x, y = problem(dtype, "tanh", output, loss, oracle, (5, 7, n_outputs), 23)
    weights = np.random.default_rng(6).uniform(0, 3, len(x))
    weights[2] = 0
    for given in (None, weights):
        check(net, layers, x, y, loss, oracle, sample_weight=given)


@pytest.mark.parametrize("n_outputs", [1, 2, 9])
def test_binary_cross_entropy_with_any_number_of_outputs(n_outputs, dtype, oracle):
    loss = "binary_cross_entropy"
    net, layers, x, y = problem(dtype, "tanh", "sigmoid", loss, oracle, (5, 7, n_outputs), 23)
    weights = np.random.default_rng(6).uniform(0, 3, len(x))
    for given in (None, weights):
        check(net, layers, x, y, loss, oracle, sample_weight=given)


def test_losses_with_a_parameter(dtype, oracle):
    net, layers, x, y = problem(dtype, "tanh", "identity", "squared_error", oracle)
    for loss, twin in (
        (fn.losses.huber(0.4), oracle.huber(0.4)),
        (fn.losses.huber(delta=3), oracle.huber(3)),
        (fn.losses.quantile(0.9), oracle.quantile(0.9)),
    ):
        value, gradient = net.loss_and_gradient(x, y, loss=loss)
        expected = oracle.loss_and_gradient(layers, x, y, twin)
        tolerance = oracle.tolerance(dtype, len(x), (5, 7, 6, 4))
        assert value == pytest.approx(expected[0], rel=tolerance)
        np.testing.assert_allclose(gradient, expected[1], rtol=0, atol=tolerance)
        assert net.evaluate(x, y, loss=loss)["loss"] == pytest.approx(value, rel=tolerance)
        trace = net.trace(x[0], y[0], loss=loss)
        np.testing.assert_allclose(
            trace.d_loss_d_outputs[-1], twin[1](net(x[:1]), y[:1])[0], rtol=0, atol=tolerance
        )


def test_labels_stand_for_targets_of_every_loss_of_classes(dtype, oracle):
    labels = np.random.default_rng(5).integers(0, 4, 11)
    for loss, output in (*FUSED.items(), ("hinge", "identity"), ("squared_error", "identity")):
        net, layers, x, _ = problem(dtype, "tanh", output, loss, oracle)
        y = np.eye(4)[labels]
        if loss == "hinge":
            y = 2 * y - 1
        value, gradient = check(net, layers, x, y, loss, oracle)
        again = net.loss_and_gradient(x, labels, loss=loss)
        assert again[0] == pytest.approx(value, rel=16 * float(np.finfo(dtype).eps))
        np.testing.assert_allclose(again[1], gradient, rtol=0, atol=16 * np.finfo(dtype).eps)
        trace = net.trace(x[0], labels[0], loss=loss)
        assert trace.loss == pytest.approx(net.trace(x[0], y[0], loss=loss).loss, rel=1e-6)


@pytest.mark.parametrize(("z", "y", "value", "slope"), [
    (1e4, 1, 0, 0), (1e4, 0, 1e4, 1), (-1e4, 1, 1e4, -1), (-1e4, 0, 0, 0), (1e4, 0.5, 5e3, 0.5),
])  # fmt: skip
def test_binary_cross_entropy_survives_saturation(z, y, value, slope, dtype):
    net = fn.Network.from_arrays([(np.array([[z]]), None, "sigmoid")], dtype=dtype)
    loss, gradient = net.loss_and_gradient([[1.0]], [y])
    assert loss == pytest.approx(value, rel=1e-6)
    np.testing.assert_allclose(gradient, [slope], rtol=1e-6)


@pytest.mark.parametrize(("activation", "loss"), PAIRS)
def test_every_activation_and_loss_against_central_differences(activation, loss, oracle):
    """The library against itself: its gradient is the derivative of its own loss."""
    net, _, x, y = problem("float64", activation, activation, loss, oracle)
    _, gradient = net.loss_and_gradient(x, y, loss=loss)
    start = net.parameters.copy()

    def value(parameters):
        net.parameters[:] = parameters
        return net.loss_and_gradient(x, y, loss=loss)[0]

    numeric = oracle.central_differences(value, start, h=1e-5)
    # h^2 f''' / 6 with derivatives up to 4.9^3, and eps f / h
    np.testing.assert_allclose(gradient, numeric, rtol=1e-6, atol=2e-8)


@pytest.mark.parametrize(
    "sizes",
    [(1, 1), (2, 8, 1), (3, 1, 5), (17, 16, 15), (33, 3, 2), (4, 64, 64, 2), (5, 4, 3, 2, 1)],
    ids=str,
)
@pytest.mark.parametrize("n_rows", [1, 2, 3, 7, 16, 32, 33, 100])
def test_shapes(sizes, n_rows, dtype, oracle):
    net, layers, x, y = problem(dtype, "tanh", "identity", "squared_error", oracle, sizes, n_rows)
    check(net, layers, x, y, "squared_error", oracle)


def test_wide(dtype, oracle):
    """Weights beyond one block of the cache, with enough rows that they are packed."""
    net, layers, x, y = problem(
        dtype, "tanh", "softmax", "cross_entropy", oracle, (290, 270, 300, 5), 60
    )
    check(net, layers, x, y, "cross_entropy", oracle)


def test_without_bias(dtype, oracle):
    layers = oracle.random_layers((4, 6, 5, 3), ("tanh", "sigmoid", "softmax"), seed=1, bias=False)
    layers[1] = (layers[1][0], np.full(5, 0.25), "sigmoid")
    net = fn.Network.from_arrays(layers, dtype=dtype)
    layers = oracle.layers_of(net, ["tanh", "sigmoid", "softmax"])
    rng = np.random.default_rng(0)
    x = rng.normal(size=(9, 4)).astype(dtype)
    check(net, layers, x, np.eye(3)[rng.integers(0, 3, 9)], "cross_entropy", oracle)


def test_labels_equal_one_hot(dtype, oracle):
    net, layers, x, _ = problem(dtype, "tanh", "softmax", "cross_entropy", oracle)
    labels = np.random.default_rng(5).integers(0, 4, len(x))
    one_hot = np.eye(4, dtype=dtype)[labels]
    value, gradient = check(net, layers, x, one_hot, "cross_entropy", oracle)
    for given in (labels, labels.astype(np.uint8), labels.astype(np.int32), labels.tolist()):
        again = net.loss_and_gradient(x, given, loss="cross_entropy")
        assert again[0] == pytest.approx(value, rel=16 * float(np.finfo(dtype).eps))
        np.testing.assert_allclose(again[1], gradient, rtol=0, atol=16 * np.finfo(dtype).eps)


def test_auto_loss(dtype, oracle):
    net, _, x, y = problem(dtype, "tanh", "softmax", "cross_entropy", oracle)
    assert net.loss_and_gradient(x, y)[0] == net.loss_and_gradient(x, y, loss="cross_entropy")[0]
    for output in ("identity", "sigmoid"):  # several sigmoid outputs, too
        net, _, x, y = problem(dtype, "tanh", output, "squared_error", oracle)
        expected = net.loss_and_gradient(x, y, loss="squared_error")[0]
        assert net.loss_and_gradient(x, y)[0] == expected
    loss = "binary_cross_entropy"
    net, _, x, y = problem(dtype, "tanh", "sigmoid", loss, oracle, (5, 7, 1))
    assert net.loss_and_gradient(x, y)[0] == net.loss_and_gradient(x, y, loss=loss)[0]


def test_cross_entropy_survives_saturation(dtype):
    """softmax (0, 1000): the loss of the impossible label is 1000, not infinity."""
    net = fn.Network.from_arrays([(np.array([[0.0, 1000.0]]), None, "softmax")], dtype=dtype)
    value, gradient = net.loss_and_gradient([[1.0]], [0], loss="cross_entropy")
    assert value == pytest.approx(1000, rel=1e-6)
    np.testing.assert_allclose(gradient, [-1, 1], rtol=1e-6)
    value, gradient = net.loss_and_gradient([[1.0]], [1], loss="cross_entropy")
    assert value == 0
    np.testing.assert_array_equal(gradient, [0, 0])


def test_one_output_target_may_be_a_vector(dtype):
    net = fn.Network([3, 4, 1], dtype=dtype, seed=0)
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(6, 3)), rng.normal(size=6)
    value, gradient = net.loss_and_gradient(x, y)
    again = net.loss_and_gradient(x, y[:, None])
    assert again[0] == value
    np.testing.assert_array_equal(again[1], gradient)


def cubic(p, y):
    return (np.abs(p - y) ** 3).sum(axis=1)


def cubic_gradient(p, y):
    return 3 * (p - y) * np.abs(p - y)


@pytest.mark.parametrize("output", ["identity", "softmax", "tanh"])
def test_custom_loss(output, dtype, oracle):
    net, layers, x, y = problem(dtype, "tanh", output, "squared_error", oracle)
    loss = fn.Loss(cubic, cubic_gradient)
    # the oracle takes the functions, not our object
    value, gradient = net.loss_and_gradient(x, y, loss=loss)
    expected = oracle.loss_and_gradient(layers, x, y, (cubic, cubic_gradient))
    tolerance = oracle.tolerance(dtype, len(x), (5, 7, 6, 4), np.abs(expected[1]).max())
    assert value == pytest.approx(expected[0], rel=tolerance, abs=tolerance)
    np.testing.assert_allclose(gradient, expected[1], rtol=0, atol=tolerance)


def test_custom_activations(dtype, oracle):
    """One elementwise, one with a full and non-symmetric Jacobian, on several rows."""

    def mixed(z):
        return np.tanh(z + np.append(0, z[:-1]) / 2)

    def mixed_jacobian(z, a):
        return np.diag(1 - mixed(z) ** 2) + np.diag((1 - mixed(z) ** 2)[1:] / 2, -1)

    wavy = fn.Activation(lambda z: np.sin(z) + z, lambda z, a: np.cos(z) + 1)
    full = fn.Activation(mixed, jacobian=mixed_jacobian)
    net = fn.Network(
        4, layers=[fn.Dense(6, wavy), fn.Dense(5, full), fn.Dense(3)], dtype=dtype, seed=0
    )
    twin = (lambda z: np.sin(z) + z, lambda z, a: np.diag(np.cos(z) + 1))
    layers = oracle.layers_of(net, [twin, (mixed, mixed_jacobian), "identity"])
    rng = np.random.default_rng(1)
    check(
        net,
        layers,
        rng.normal(size=(9, 4)).astype(dtype),
        rng.normal(size=(9, 3)).astype(dtype),
        "squared_error",
        oracle,
    )


# ---- options


def test_out(dtype, oracle):
    net, _, x, y = problem(dtype, "tanh", "identity", "squared_error", oracle)
    value, gradient = net.loss_and_gradient(x, y)
    out = np.full(net.n_parameters, np.nan, dtype)
    again = net.loss_and_gradient(x, y, out=out)
    assert again[1] is out
    assert again[0] == value
    np.testing.assert_array_equal(out, gradient)
    buffer = np.full(net.n_parameters + 64, 123, dtype)
    net.loss_and_gradient(x, y, out=buffer[32:-32])
    np.testing.assert_array_equal(buffer[32:-32], gradient)
    assert (buffer[:32] == 123).all()
    assert (buffer[-32:] == 123).all()


def test_result_is_the_callers_own(dtype, oracle):
    net, _, x, y = problem(dtype, "tanh", "identity", "squared_error", oracle)
    _, first = net.loss_and_gradient(x, y)
    kept = first.copy()
    net.loss_and_gradient(-x, y)
    np.testing.assert_array_equal(first, kept)
    assert not np.shares_memory(first, net.parameters)


def test_parameters_are_not_changed(dtype, oracle):
    net, _, x, y = problem(dtype, "tanh", "identity", "squared_error", oracle)
    before = net.parameters.copy()
    net.loss_and_gradient(x, y)
    net.jacobian(x)
    net.input_jacobian(x)
    net.trace(x[0], y[0])
    fn.check_gradient(net, x, y)
    net.evaluate(x, y)
    np.testing.assert_array_equal(net.parameters, before)


def test_sample_weight_equals_the_oracle(dtype, oracle):
    for output, loss in (("identity", "squared_error"), ("softmax", "cross_entropy")):
        net, layers, x, y = problem(dtype, "tanh", output, loss, oracle)
        weights = np.random.default_rng(6).uniform(0, 3, len(x))
        weights[2] = 0
        for reduction in ("mean", "sum"):
            check(net, layers, x, y, loss, oracle, sample_weight=weights, reduction=reduction)


def test_sample_weight_equals_repeated_rows(dtype, oracle):
    net, _, x, y = problem(dtype, "tanh", "identity", "squared_error", oracle)
    times = np.array([2, 0, 1, 3, 1, 1, 0, 2, 5, 1, 1])
    repeated_x, repeated_y = np.repeat(x, times, axis=0), np.repeat(y, times, axis=0)
    for reduction in ("mean", "sum"):
        value, gradient = net.loss_and_gradient(x, y, sample_weight=times, reduction=reduction)
        again = net.loss_and_gradient(repeated_x, repeated_y, reduction=reduction)
        tolerance = oracle.tolerance(dtype, 17, (5, 7, 6, 4), np.abs(again[1]).max())
        assert value == pytest.approx(again[0], rel=tolerance)
        np.testing.assert_allclose(gradient, again[1], rtol=0, atol=tolerance)


def test_custom_loss_with_sample_weight(dtype, oracle):
    net, layers, x, y = problem(dtype, "tanh", "softmax", "squared_error", oracle)
    weights = np.arange(len(x)) / 4
    value, gradient = net.loss_and_gradient(
        x, y, loss=fn.Loss(cubic, cubic_gradient), sample_weight=weights
    )
    expected = oracle.loss_and_gradient(layers, x, y, (cubic, cubic_gradient), weights)
    tolerance = oracle.tolerance(dtype, len(x), (5, 7, 6, 4))
    assert value == pytest.approx(expected[0], rel=tolerance)
    np.testing.assert_allclose(gradient, expected[1], rtol=0, atol=tolerance)


def test_sum_is_n_times_the_mean(dtype, oracle):
    net, _, x, y = problem(dtype, "tanh", "identity", "squared_error", oracle)
    mean, sum_ = (net.loss_and_gradient(x, y, reduction=r) for r in ("mean", "sum"))
    assert sum_[0] == pytest.approx(len(x) * mean[0], rel=8 * float(np.finfo(dtype).eps))
    np.testing.assert_allclose(
        sum_[1],
        len(x) * mean[1],
        rtol=0,
        atol=oracle.tolerance(dtype, 11, (5, 7, 6, 4), np.abs(sum_[1]).max()),
    )


def test_same_call_same_bits(dtype, oracle):
    net, _, x, y = problem(dtype, "gelu", "softmax", "cross_entropy", oracle, (20, 50, 30, 7), 200)
    first = net.loss_and_gradient(x, y)
    for _ in range(3):
        again = net.loss_and_gradient(x, y)
        assert again[0] == first[0]
        np.testing.assert_array_equal(again[1], first[1])


# ---- check_gradient


def test_check_gradient_is_small_where_the_gradient_is_right(oracle):
    for activation, loss in PAIRS:
        net, _, x, y = problem("float64", activation, activation, loss, oracle)
        assert fn.check_gradient(net, x, y, loss=loss) < 1e-5, (activation, loss)


def test_check_gradient_of_a_float32_network(oracle):
    net, _, x, y = problem("float32", "tanh", "identity", "squared_error", oracle)
    assert fn.check_gradient(net, x, y) < 0.02


def test_check_gradient_finds_a_wrong_derivative():
    right = fn.Activation(lambda z: z**3, lambda z, a: 3 * z**2)
    wrong = fn.Activation(lambda z: z**3, lambda z, a: 2 * z**2)
    x, y = np.random.default_rng(0).normal(size=(2, 8, 3))
    for activation, found in ((right, False), (wrong, True)):
        net = fn.Network(3, layers=[fn.Dense(4, activation), fn.Dense(3)], dtype="float64", seed=0)
        deviation = fn.check_gradient(net, x, y)
        assert (deviation > 0.1) == found
        assert found or deviation < 1e-6


def test_check_gradient_finds_a_transposed_jacobian():
    value = lambda z: np.tanh(z + np.append(0, z[:-1]) / 2)  # noqa: E731

    def jacobian(z, a):
        return np.diag(1 - a**2) + np.diag((1 - a**2)[1:] / 2, -1)

    x, y = np.random.default_rng(0).normal(size=(2, 8, 3))
    for j, found in ((jacobian, False), (lambda z, a: jacobian(z, a).T, True)):
        activation = fn.Activation(value, jacobian=j)
        net = fn.Network(3, layers=[fn.Dense(4, activation), fn.Dense(3)], dtype="float64", seed=0)
        assert (fn.check_gradient(net, x, y) > 1e-2) == found


def test_check_gradient_finds_a_wrong_loss():
    wrong = fn.Loss(cubic, lambda p, y: cubic_gradient(p, y) / 2)
    x, y = np.random.default_rng(0).normal(size=(2, 8, 3))
    net = fn.Network([3, 4, 3], hidden="tanh", dtype="float64", seed=0)
    assert fn.check_gradient(net, x, y, loss=wrong) > 0.1
    assert fn.check_gradient(net, x, y, loss=fn.Loss(cubic, cubic_gradient)) < 1e-5
