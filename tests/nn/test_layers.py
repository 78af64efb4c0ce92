"""Networks with layer normalization and dropout."""

import copy
import pickle

import numpy as np
import pytest

import fastnet as fn

EPSILON = 1e-5


def build(dtype="float64", rate=0.3, output="identity"):
    net = fn.Network(
        5,
        layers=[
            fn.Dropout(rate),
            fn.Dense(7, "tanh"),
            fn.LayerNorm("gelu", EPSILON),
            fn.Dropout(rate),
            fn.Dense(6, bias=False),
            fn.LayerNorm(epsilon=EPSILON),
            fn.Dense(3, output),
        ],
        dtype=dtype,
        seed=3,
    )
    rng = np.random.default_rng(0)
    net.parameters[:] = net.parameters + 0.2 * rng.normal(size=net.n_parameters)
    return net


def normalize(x):
    centered = x - x.mean(axis=1, keepdims=True)
    return centered / np.sqrt((centered**2).mean(axis=1, keepdims=True) + EPSILON)


def predict(oracle, net, parameters, x):
    """The network of build() in NumPy, at these parameters; dropout does nothing."""
    parts, first = [], 0
    for shape in ((5, 7), (7,), (7,), (7,), (7, 6), (6,), (6,), (6, 3), (3,)):
        size = int(np.prod(shape))
        parts.append(np.reshape(parameters[first : first + size], shape))
        first += size
    assert first == len(parameters)
    w1, b1, gains1, shift1, w2, gains2, shift2, w3, b3 = parts
    a = np.tanh(x @ w1 + b1)
    a = oracle.activate("gelu", gains1 * normalize(a) + shift1)
    a = gains2 * normalize(a @ w2) + shift2
    z = a @ w3 + b3
    return oracle.softmax(z) if net.layers[-1].activation == "softmax" else z


def rounding(dtype):
    # some twenty sums and functions, each a few eps, magnified by divisions by spreads around 1/4
    return 400 * np.finfo(dtype).eps


@pytest.mark.parametrize("n_rows", [1, 2, 5, 300])
def test_predict(oracle, dtype, n_rows):
    net = build(dtype)
    x = np.random.default_rng(1).normal(size=(n_rows, 5))
    x = x.astype(dtype).astype(float)
    expected = predict(oracle, net, net.parameters.astype(float), x)
    got = net(x)
    assert got.dtype == dtype
    np.testing.assert_allclose(got, expected, rtol=0, atol=rounding(dtype))
    np.testing.assert_allclose(net(x[0]), expected[0], rtol=0, atol=rounding(dtype))
    np.testing.assert_array_equal(
        net.predict_population(np.stack([net.parameters] * 2), x)[1], net(x) if n_rows > 1 else got
    )


@pytest.mark.parametrize(("output", "loss"), [("identity", "squared_error"), ("softmax", "auto")])
def test_gradient_is_that_of_central_differences(oracle, output, loss):
    net = build(output=output)
    rng = np.random.default_rng(2)
    x, y = rng.normal(size=(300, 5)), rng.integers(0, 3, 300)
    one_hot = np.eye(3)[y]
    value, gradient = net.loss_and_gradient(x, y, loss)

    def f(parameters):
        p = predict(oracle, net, parameters, x)
        if output == "softmax":
            return -(one_hot * np.log(p)).sum() / len(x)
        return ((p - one_hot) ** 2).sum() / len(x)

    assert value == pytest.approx(f(net.parameters), rel=1e-13)
    expected = oracle.central_differences(f, net.parameters.copy())
    np.testing.assert_allclose(gradient, expected, rtol=0, atol=3e-9)
    assert fn.check_gradient(net, x[:9], y[:9], loss) < 1e-6


def test_float32_gradient_is_the_float64_one_rounded():
    nets = build("float32"), build("float64")
    nets[1].parameters[:] = nets[0].parameters
    rng = np.random.default_rng(4)
    x = rng.normal(size=(50, 5)).astype("float32")
    y = rng.normal(size=(50, 3)).astype("float32")
    single, double = (net.loss_and_gradient(x, y)[1] for net in nets)
    np.testing.assert_allclose(single, double, rtol=0, atol=50 * rounding("float32"))


def test_jacobians_are_those_of_central_differences(oracle):
    net = build()
    x = np.random.default_rng(5).normal(size=(4, 5))
    jacobian, by_inputs = net.jacobian(x), net.input_jacobian(x)
    for r, o in np.ndindex(4, 3):
        expected = oracle.central_differences(
            lambda p, r=r, o=o: predict(oracle, net, p, x[[r]])[0, o], net.parameters.copy()
        )
        np.testing.assert_allclose(jacobian[r, o], expected, rtol=0, atol=3e-9)
        expected = oracle.central_differences(
            lambda row, o=o: predict(oracle, net, net.parameters, row[None])[0, o], x[r].copy()
        )
        np.testing.assert_allclose(by_inputs[r, o], expected, rtol=0, atol=3e-9)


def test_trace_agrees_with_the_engine():
    net = build()
    rng = np.random.default_rng(6)
    x, y = rng.normal(size=5), rng.normal(size=3)
    trace = net.trace(x, y, "squared_error")
    np.testing.assert_allclose(trace.outputs[-1], net(x), rtol=0, atol=1e-13)
    value, gradient = net.loss_and_gradient(x[None], y[None])
    assert trace.loss == pytest.approx(value, rel=1e-13)
    parts = []
    for weights, biases in zip(trace.d_weights, trace.d_biases, strict=True):
        parts += [part.ravel() for part in (weights, biases) if part is not None]
    np.testing.assert_allclose(np.concatenate(parts), gradient, rtol=0, atol=1e-12)
    np.testing.assert_allclose(
        trace.d_output_d_outputs[0] @ trace.jacobians[0], net.input_jacobian(x), rtol=0, atol=1e-12
    )


def dropped_inputs(net, rows, **options):
    """Which inputs a training step has dropped, seen from the rows of the weights' gradient."""
    before = net.layers[1].weights.copy()
    net.fit(rows, np.ones((len(rows), 1)), optimizer=fn.SGD(1.0), epochs=1, **options)
    return net.layers[1].weights - before


@pytest.mark.parametrize("rate", [0.25, 0.5])
def test_fit_drops_and_scales(dtype, rate):
    net = fn.Network(
        400, layers=[fn.Dropout(rate), fn.Dense(1, init="zeros", bias=False)], dtype=dtype
    )
    change = dropped_inputs(net, np.ones((1, 400)), seed=1)[:, 0]
    # at zero weights the step is 2 times the input that the layer saw: 0 or 1 / (1 - rate)
    np.testing.assert_array_equal(np.unique(change), np.asarray([0, 2 / (1 - rate)], dtype))
    # five standard deviations of the binomial distribution
    assert abs((change == 0).sum() - 400 * rate) < 5 * np.sqrt(400 * rate * (1 - rate))
    again = fn.Network(
        400, layers=[fn.Dropout(rate), fn.Dense(1, init="zeros", bias=False)], dtype=dtype
    )
    np.testing.assert_array_equal(dropped_inputs(again, np.ones((1, 400)), seed=1)[:, 0], change)
    again.layers[1].weights[:] = 0
    assert (dropped_inputs(again, np.ones((1, 400)), seed=2)[:, 0] != change).any()


def test_every_step_every_row_and_every_layer_drops_other_units():
    net = fn.Network(
        200, layers=[fn.Dropout(0.5), fn.Dropout(0.5), fn.Dense(1, init="zeros", bias=False)]
    )
    seen = []

    def keep(net, epoch, logs):
        seen.append(net.layers[2].weights[:, 0].copy())
        net.layers[2].weights[:] = 0

    net.fit(np.ones((1, 200)), [[1.0]], optimizer=fn.SGD(0.5), epochs=3, callbacks=keep, seed=0)
    kept = np.array([weights != 0 for weights in seen])
    # two independent layers keep a quarter; two independent steps agree on 10/16 of the units
    assert np.all(np.abs(kept.mean(axis=1) - 0.25) < 5 * np.sqrt(0.25 * 0.75 / 200))
    for a, b in ((0, 1), (0, 2), (1, 2)):
        assert abs((kept[a] == kept[b]).mean() - 10 / 16) < 5 * np.sqrt(0.235 / 200)
    # the rows of a batch: each column of the inputs belongs to one row
    rows = np.kron(np.eye(4), np.ones((1, 50)))
    net.layers[2].weights[:] = 0
    net.fit(rows, np.ones((4, 1)), optimizer=fn.SGD(0.5), epochs=1, batch_size=None, seed=0)
    kept = (net.layers[2].weights[:, 0] != 0).reshape(4, 50)
    assert len({tuple(row) for row in kept}) == 4


def test_dropout_acts_in_fit_only():
    net = build(rate=0.9)
    without = fn.Network(
        5, layers=[spec for spec in net._specs() if not isinstance(spec, fn.Dropout)],
        dtype="float64",
    )
    without.parameters[:] = net.parameters
    rng = np.random.default_rng(7)
    x, y = rng.normal(size=(20, 5)), rng.normal(size=(20, 3))
    np.testing.assert_array_equal(net(x), without(x))
    np.testing.assert_array_equal(net(x[0]), without(x[0]))
    assert net.evaluate(x, y) == without.evaluate(x, y)
    value, gradient = net.loss_and_gradient(x, y)
    assert value == without.loss_and_gradient(x, y)[0]
    np.testing.assert_array_equal(gradient, without.loss_and_gradient(x, y)[1])


def test_training_learns_with_both():
    rng = np.random.default_rng(8)
    x = rng.normal(size=(400, 4))
    y = (x[:, 0] * x[:, 1] > 0).astype(int)
    net = fn.Network(
        4,
        layers=[fn.Dense(32), fn.LayerNorm("relu"), fn.Dropout(0.1), fn.Dense(2, "softmax")],
        seed=0,
    )
    net.fit(x, y, optimizer=fn.Adam(0.01), epochs=60, seed=0)
    assert net.evaluate(x, y, metrics=["accuracy"])["accuracy"] > 0.9


def test_views_are_of_the_parameters():
    net = build()
    norm = net.layers[2]
    np.testing.assert_array_equal(
        fn.Network(5, layers=net._specs(), seed=0).layers[2].gains, np.ones(7)
    )
    norm.gains[:] = 2
    norm.biases[:] = 3
    first = 5 * 7 + 7
    np.testing.assert_array_equal(net.parameters[first : first + 14], [2] * 7 + [3] * 7)
    assert (norm.epsilon, norm.activation, norm.n_inputs, norm.n_outputs) == (EPSILON, "gelu", 7, 7)
    assert (net.layers[0].rate, net.layers[0].n_outputs) == (0.3, 5)
    with pytest.raises(AttributeError):
        norm.activation = "relu"
    with pytest.raises(AttributeError):
        net.layers[1].activation = "relu"


def test_copies_pickles_and_files(tmp_path, dtype):
    net = build(dtype)
    net.save(tmp_path / "net.safetensors")
    x = np.random.default_rng(9).normal(size=(6, 5))
    for other in (
        copy.copy(net), copy.deepcopy(net), pickle.loads(pickle.dumps(net)),
        fn.load(tmp_path / "net.safetensors"),
    ):
        assert other.dtype == net.dtype
        assert other._specs() == net._specs()
        assert other.parameters is not net.parameters
        np.testing.assert_array_equal(other(x), net(x))


def test_repr():
    net = fn.Network(3, layers=[fn.Dropout(0.2), fn.Dense(4, "relu"), fn.LayerNorm(), fn.Dense(1)])
    assert repr(net) == (
        "Network(3, layers=[Dropout(0.2), Dense(4, 'relu'), LayerNorm('identity'), "
        "Dense(1, 'identity')])"
    )
    assert repr(net.layers[0]) == "DropoutLayer(3, rate=0.2)"
    assert repr(net.layers[2]) == "LayerNormLayer(4, 'identity')"
    assert repr(fn.LayerNorm("relu", 1e-3)) == "LayerNorm('relu', epsilon=0.001)"
    assert repr(fn.Dense(2, bias=False, init="zeros")) == (
        "Dense(2, 'identity', bias=False, init='zeros')"
    )


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: fn.Dropout(1.0), ValueError, r"rate must be in \[0, 1\), got 1.0"),
        (lambda: fn.Dropout(-0.1), ValueError, "rate"),
        (lambda: fn.Dropout(float("nan")), ValueError, "rate"),
        (lambda: fn.Dropout("half"), TypeError, "rate must be a number, got str"),
        (lambda: fn.Dropout(True), TypeError, "rate must be a number, got bool"),
        (lambda: fn.LayerNorm(epsilon=0), ValueError, "epsilon"),
        (lambda: fn.LayerNorm(epsilon=None), TypeError, "epsilon must be a number"),
        (lambda: fn.LayerNorm("relux"), ValueError, "relux"),
        (
            lambda: fn.Network(3, layers=[fn.Dense(2), "dropout"]),
            TypeError,
            r"layers\[1\] must be a fastnet.Dense, Dropout or LayerNorm, got str",
        ),
        (
            lambda: build().fit(np.ones((4, 5)), np.ones((4, 3)), optimizer="lbfgs"),
            ValueError,
            "dropout",
        ),
    ],
)
def test_bad_layers(make, error, message):
    with pytest.raises(error, match=message):
        make()


@pytest.mark.parametrize("layer", [fn.Dense(3, "tanh"), fn.LayerNorm("tanh"), fn.Dropout(0.5)])
def test_what_describes_a_layer_stays(layer):
    """The network has pointers to its activation."""
    net = fn.Network(3, [layer, fn.Dense(2)], seed=0)
    with pytest.raises(AttributeError, match="spec"):
        net.layers[0].spec = fn.Dense(3, "relu")
    assert net.layers[0].spec == layer


def test_arrays_of_a_layer_are_written_to_not_replaced():
    net = fn.Network(3, [fn.Dense(2), fn.LayerNorm()], seed=0)
    before = net.parameters.copy()
    for layer, name in ((net.layers[0], "weights"), (net.layers[0], "biases"),
                        (net.layers[1], "gains"), (net.layers[1], "weights")):
        with pytest.raises(AttributeError, match=f"^{name} of a layer cannot be replaced"):
            setattr(layer, name, np.ones((3, 2)))
    np.testing.assert_array_equal(net.parameters, before)
    net.layers[0].weights *= 2
    np.testing.assert_array_equal(net.parameters[:6], 2 * before[:6])
