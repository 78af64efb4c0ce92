"""Construction, layout and forward pass of a dense network."""

import numpy as np
import pytest

import fastnet as fn

SIZES = [(1, 1), (2, 8, 1), (4, 64, 64, 2), (3, 17, 5), (8, 32, 1), (5, 1, 5), (40, 33, 31, 3)]


def build(sizes, dtype, hidden="tanh", output="identity", **options):
    return fn.Network(list(sizes), hidden=hidden, output=output, dtype=dtype, seed=1, **options)


def names(sizes, hidden="tanh", output="identity"):
    return [hidden] * (len(sizes) - 2) + [output]


def rows(n_rows, n, dtype, seed=0):
    return np.random.default_rng(seed).normal(size=(n_rows, n)).astype(dtype)


# ---- construction


def test_sizes_form():
    net = fn.Network([3, 5, 4, 2])
    assert (net.n_inputs, net.n_outputs) == (3, 2)
    assert net.n_parameters == 3 * 5 + 5 + 5 * 4 + 4 + 4 * 2 + 2
    assert net.dtype == np.float32
    assert [layer.weights.shape for layer in net.layers] == [(3, 5), (5, 4), (4, 2)]
    assert [layer.biases.shape for layer in net.layers] == [(5,), (4,), (2,)]
    assert [str(layer.activation) for layer in net.layers] == ["relu", "relu", "identity"]


def test_layers_form():
    net = fn.Network(3, layers=[fn.Dense(5, "tanh"), fn.Dense(2, "softmax", bias=False)], seed=0)
    assert (net.n_inputs, net.n_outputs, net.n_parameters) == (3, 2, 3 * 5 + 5 + 5 * 2)
    assert net.layers[1].biases is None
    assert [str(layer.activation) for layer in net.layers] == ["tanh", "softmax"]


def test_without_bias():
    net = fn.Network([3, 5, 2], bias=False)
    assert net.n_parameters == 3 * 5 + 5 * 2
    assert all(layer.biases is None for layer in net.layers)
    np.testing.assert_array_equal(net(np.zeros(3)), np.zeros(2))


def test_from_arrays(dtype, oracle):
    layers = oracle.random_layers((3, 4, 2), ("tanh", "sigmoid"), seed=2)
    layers[0] = (layers[0][0], None, "tanh")
    net = fn.Network.from_arrays(layers, dtype=dtype)
    assert net.dtype == dtype
    assert net.parameters.size == net.n_parameters == 12 + 8 + 2
    np.testing.assert_array_equal(net.parameters, oracle.flatten(layers).astype(dtype))
    x = rows(5, 3, dtype)
    np.testing.assert_allclose(
        net(x),
        oracle.predict(layers, x.astype(float)),
        rtol=0,
        atol=oracle.tolerance(dtype, 0, (3, 4, 2)),
    )


def test_from_arrays_copies():
    weights = np.ones((2, 3), np.float32)
    net = fn.Network.from_arrays([(weights, None, "identity")])
    net.parameters[:] = 0
    assert (weights == 1).all()


def test_same_seed_same_network(dtype):
    first, again = build((5, 9, 2), dtype), build((5, 9, 2), dtype)
    np.testing.assert_array_equal(first.parameters, again.parameters)
    other = fn.Network([5, 9, 2], hidden="tanh", dtype=dtype, seed=2)
    assert not np.array_equal(first.parameters, other.parameters)
    assert not np.array_equal(fn.Network([5, 9]).parameters, fn.Network([5, 9]).parameters)


def test_reinitialize(dtype):
    net = build((5, 9, 2), dtype)
    start = net.parameters.copy()
    net.parameters[:] = 7
    net.reinitialize(1)
    np.testing.assert_array_equal(net.parameters, start)
    net.reinitialize(2)
    assert not np.array_equal(net.parameters, start)


# name: (standard deviation, largest) of weights (n_in, n_out), without parameters
INITIALIZERS = {
    "he_normal": (lambda i, o: np.sqrt(2 / i), None),
    "he_uniform": (lambda i, o: np.sqrt(2 / i), lambda i, o: np.sqrt(6 / i)),
    "glorot_normal": (lambda i, o: np.sqrt(2 / (i + o)), None),
    "glorot_uniform": (lambda i, o: np.sqrt(2 / (i + o)), lambda i, o: np.sqrt(6 / (i + o))),
    "lecun_normal": (lambda i, o: np.sqrt(1 / i), None),
}


@pytest.mark.parametrize("name", sorted(INITIALIZERS))
def test_initializer(name, dtype):
    n_in, n_out = 120, 250
    deviation, largest = INITIALIZERS[name]
    weights = fn.Network([n_in, n_out], init=name, dtype=dtype, seed=3).layers[0].weights
    n = weights.size
    # six standard errors of a mean, and of a standard deviation of at most normal kurtosis
    assert abs(weights.mean(dtype=float)) < 6 * deviation(n_in, n_out) / np.sqrt(n)
    ratio = weights.std(dtype=float) / deviation(n_in, n_out)
    assert abs(ratio - 1) < 6 / np.sqrt(2 * n)
    assert len(np.unique(weights)) > 0.99 * n
    if largest is not None:
        assert 0.99 < np.abs(weights).max() / largest(n_in, n_out) <= 1 + 1e-6


@pytest.mark.parametrize(
    ("hidden", "expected"), [("relu", "he"), ("leaky_relu", "he"), ("tanh", "glorot")]
)
def test_auto_initializer(hidden, expected):
    weights = fn.Network([100, 300, 1], hidden=hidden, seed=0).layers[0].weights
    deviation = np.sqrt(2 / 100) if expected == "he" else np.sqrt(2 / 400)
    assert weights.std(dtype=float) == pytest.approx(deviation, rel=0.03)


def test_zeros_initializer(dtype):
    assert not fn.Network([4, 3], init="zeros", dtype=dtype).parameters.any()


def test_callable_initializer(dtype):
    shapes = []

    def init(rng, n_in, n_out):
        shapes.append((n_in, n_out))
        return np.arange(n_in * n_out).reshape(n_in, n_out)

    net = fn.Network([2, 3, 4], init=init, dtype=dtype)
    assert shapes == [(2, 3), (3, 4)]
    np.testing.assert_array_equal(net.layers[0].weights, [[0, 1, 2], [3, 4, 5]])
    np.testing.assert_array_equal(net.layers[1].weights, np.arange(12).reshape(3, 4))


# ---- the flat vector


def test_flat_layout(dtype):
    net = fn.Network(
        2, layers=[fn.Dense(3, "tanh"), fn.Dense(2, bias=False), fn.Dense(1)], dtype=dtype
    )
    assert net.parameters.shape == (net.n_parameters,)
    assert net.parameters.dtype == dtype
    net.parameters[:] = np.arange(net.n_parameters)
    first, second, third = net.layers
    np.testing.assert_array_equal(first.weights, [[0, 1, 2], [3, 4, 5]])
    np.testing.assert_array_equal(first.biases, [6, 7, 8])
    np.testing.assert_array_equal(second.weights, [[9, 10], [11, 12], [13, 14]])
    np.testing.assert_array_equal(third.weights, [[15], [16]])
    np.testing.assert_array_equal(third.biases, [17])


def test_views_are_views(dtype):
    net = build((2, 3, 1), dtype)
    x = np.array([0.5, -1], dtype)
    before = net(x)
    for layer in net.layers:
        assert np.shares_memory(layer.weights, net.parameters)
        assert np.shares_memory(layer.biases, net.parameters)
        assert layer.weights.flags.writeable
        assert layer.biases.flags.writeable
    net.layers[1].biases[0] += 2
    np.testing.assert_allclose(net(x), before + 2, rtol=4 * float(np.finfo(dtype).eps))
    net.layers[1].weights[:] = 0
    net.layers[1].biases[:] = 5
    assert net(x)[0] == 5
    net.parameters[:] = 0
    assert net(x)[0] == 0


def test_view_outlives_the_network(dtype):
    parameters = build((2, 3, 1), dtype).parameters
    weights = build((2, 3, 1), dtype).layers[0].weights
    junk = [np.full(1000, 9.0) for _ in range(50)]
    np.testing.assert_array_equal(parameters[:6].reshape(2, 3), weights)
    assert len(junk) == 50


# ---- forward


@pytest.mark.parametrize("sizes", SIZES, ids=str)
@pytest.mark.parametrize("bias", [True, False])
def test_forward_equals_oracle(sizes, bias, dtype, oracle):
    net = build(sizes, dtype, bias=bias)
    layers = oracle.layers_of(net, names(sizes))
    for n_rows in (0, 1, 2, 3, 5, 7, 16, 17, 31, 65, 200):
        x = rows(n_rows, sizes[0], dtype, n_rows)
        expected = oracle.predict(layers, x.astype(float))
        tolerance = oracle.tolerance(dtype, 0, sizes, np.abs(expected).max(initial=1))
        for y in (net(x), net.predict(x)):
            assert y.shape == (n_rows, sizes[-1])
            assert y.dtype == dtype
            np.testing.assert_allclose(y, expected, rtol=0, atol=tolerance)
        for r in range(min(n_rows, 3)):
            y = net(x[r])
            assert y.shape == (sizes[-1],)
            np.testing.assert_allclose(y, expected[r], rtol=0, atol=tolerance)
            np.testing.assert_allclose(net.predict(x[r]), expected[r], rtol=0, atol=tolerance)


def test_every_activation(dtype, oracle):
    for name in [*oracle.ACTIVATIONS, "softmax"]:
        net = build((6, 19, 7), dtype, hidden=name, output=name)
        if name in ("log", "inverse"):  # net values in their domain, away from the pole
            for layer in net.layers:
                layer.weights[:] *= 0.2
                layer.biases[:] = 2
        layers = oracle.layers_of(net, [name, name])
        x = rows(21, 6, dtype)
        expected = oracle.predict(layers, x.astype(float))
        # the slope of steep_sigmoid, 1.225, is the largest
        tolerance = 1.3**2 * oracle.tolerance(dtype, 0, (6, 19, 7), np.abs(expected).max())
        np.testing.assert_allclose(net(x), expected, rtol=0, atol=tolerance, err_msg=name)
        np.testing.assert_allclose(net(x[3]), expected[3], rtol=0, atol=tolerance, err_msg=name)


def test_wide_network(dtype, oracle):
    sizes = (300, 280, 260, 10)
    net = build(sizes, dtype, hidden="relu", output="softmax")
    x = rows(100, 300, dtype)
    expected = oracle.predict(oracle.layers_of(net, ["relu", "relu", "softmax"]), x.astype(float))
    scale = 10  # He-initialized: net values of about 1, four standard deviations and a margin
    tolerance = oracle.tolerance(dtype, 0, sizes, scale)
    np.testing.assert_allclose(net(x), expected, rtol=0, atol=tolerance)
    np.testing.assert_allclose(net(x[0]), expected[0], rtol=0, atol=tolerance)


def test_scalar_like_inputs():
    net = fn.Network([1, 1], dtype="float64", seed=0)
    net.parameters[:] = [2, 1]
    np.testing.assert_array_equal(net([3]), [7])
    np.testing.assert_array_equal(net([[3], [4]]), [[7], [9]])


def forms(x):
    """The same numbers in every form that an array can take."""
    wide = np.zeros((x.shape[0], 2 * x.shape[1]), x.dtype)
    wide[:, ::2] = x
    yield "strided", wide[:, ::2]
    yield "reversed", x[::-1, ::-1].copy()[::-1, ::-1]
    yield "fortran", np.asfortranarray(x)
    read_only = x.copy()
    read_only.flags.writeable = False
    yield "read-only", read_only
    buffer = np.zeros(x.nbytes + 1, np.uint8)
    unaligned = buffer[1:].view(x.dtype).reshape(x.shape)
    unaligned[...] = x
    assert not unaligned.flags.aligned
    yield "unaligned", unaligned
    yield "byte-swapped", x.astype(x.dtype.newbyteorder())
    for other in ("float16", "float32", "float64", "longdouble", "int8", "int64", "uint16"):
        yield other, x.astype(other)
    yield "list", x.tolist()
    yield "tuple", tuple(map(tuple, x.tolist()))
    yield "subclass", x.view(type("Sub", (np.ndarray,), {}))
    yield "broadcast", np.broadcast_to(x, (1, *x.shape))[0]


def test_every_form_of_input(dtype):
    net = build((4, 8, 3), dtype)
    x = np.arange(24, dtype=dtype).reshape(6, 4) % 7
    y = np.arange(18, dtype=dtype).reshape(6, 3) % 5
    expected = net(x)
    row = net(x[2])
    value, gradient = net.loss_and_gradient(x, y)
    for form, array in forms(x):
        np.testing.assert_array_equal(net(array), expected, err_msg=form)
        np.testing.assert_array_equal(net.predict(array), expected, err_msg=form)
        np.testing.assert_array_equal(net(array[2]), row, err_msg=form)
        again = net.loss_and_gradient(array, y)
        assert again[0] == value, form
        np.testing.assert_array_equal(again[1], gradient, err_msg=form)
    for form, array in forms(y):
        assert net.loss_and_gradient(x, array)[0] == value, form
    booleans = x > 3
    np.testing.assert_array_equal(net(booleans), net(booleans.astype(dtype)))


def test_inputs_are_not_changed(dtype):
    net = build((4, 8, 3), dtype)
    x, y = rows(6, 4, dtype), rows(6, 3, dtype)
    x_before, y_before = x.copy(), y.copy()
    net(x)
    net.predict(x)
    net.loss_and_gradient(x, y)
    net.fit(x, y, epochs=2, seed=0)
    net.jacobian(x)
    np.testing.assert_array_equal(x, x_before)
    np.testing.assert_array_equal(y, y_before)


def test_rows_one_at_a_time_equal_the_batch(dtype, oracle):
    sizes = (9, 33, 17, 5)
    net = build(sizes, dtype, hidden="gelu", output="softmax")
    x = rows(37, 9, dtype)
    batch = net(x)
    tolerance = 2 * oracle.tolerance(dtype, 0, sizes)
    np.testing.assert_allclose([net(row) for row in x], batch, rtol=0, atol=tolerance)
    np.testing.assert_allclose(
        np.concatenate([net(x[i : i + 1]) for i in range(37)]), batch, rtol=0, atol=tolerance
    )


def test_result_is_the_callers_own(dtype):
    net = build((4, 8, 3), dtype)
    x = rows(2, 4, dtype)
    first = net(x[0])
    kept = first.copy()
    second = net(x[1])
    np.testing.assert_array_equal(first, kept)
    assert not np.shares_memory(first, second)
    assert first.flags.writeable
    batch = net.predict(x)
    kept = batch.copy()
    net.predict(-x)
    np.testing.assert_array_equal(batch, kept)


def test_predict_out(dtype):
    net = build((4, 8, 3), dtype)
    x = rows(6, 4, dtype)
    out = np.full((6, 3), np.nan, dtype)
    assert net.predict(x, out=out) is out
    np.testing.assert_array_equal(out, net.predict(x))
    row = np.full(3, np.nan, dtype)
    assert net.predict(x[0], out=row) is row
    np.testing.assert_array_equal(row, net.predict(x[0]))
    empty = np.empty((0, 3), dtype)
    assert net.predict(np.empty((0, 4), dtype), out=empty) is empty


def test_predict_out_writes_nothing_else(dtype):
    for sizes in ((4, 8, 3), (4, 1), (7, 17), (3, 5, 16)):
        net = build(sizes, dtype)
        for n_rows in (1, 2, 5, 33):
            buffer = np.full(n_rows * sizes[-1] + 64, 123, dtype)
            out = buffer[32:-32].reshape(n_rows, sizes[-1])
            x = rows(n_rows, sizes[0], dtype)
            net.predict(x, out=out)
            assert (buffer[:32] == 123).all()
            assert (buffer[-32:] == 123).all()
            np.testing.assert_array_equal(out, net.predict(x))
        buffer = np.full(sizes[-1] + 64, 123, dtype)
        net.predict(x[0], out=buffer[32:-32])
        assert (buffer[:32] == 123).all()
        assert (buffer[-32:] == 123).all()


def test_predict_out_may_share_memory_with_the_input(dtype):
    net = build((5, 9, 5), dtype)
    x = rows(11, 5, dtype)
    expected = net.predict(x)
    shifted = x.copy()
    np.testing.assert_array_equal(net.predict(shifted, out=shifted), expected)
    shifted = x.copy()
    np.testing.assert_array_equal(net.predict(shifted[1:], out=shifted[:-1]), expected[1:])
    row = x[0].copy()
    np.testing.assert_array_equal(net.predict(row, out=row), net.predict(x[0]))


def test_predict_population(dtype):
    net = build((4, 8, 3), dtype)
    own = net.parameters.copy()
    population = rows(5, net.n_parameters, dtype)
    x = rows(6, 4, dtype)
    result = net.predict_population(population, x)
    assert result.shape == (5, 6, 3)
    assert result.dtype == dtype
    np.testing.assert_array_equal(net.parameters, own)
    for parameters, outputs in zip(population, result, strict=True):
        net.parameters[:] = parameters
        np.testing.assert_array_equal(outputs, net.predict(x))
    assert net.predict_population(population[:0], x).shape == (0, 6, 3)
    assert net.predict_population(population, x[:0]).shape == (5, 0, 3)


def test_number_of_threads_does_not_change_a_bit(dtype):
    net = build((20, 60, 60, 4), dtype)
    x = rows(5000, 20, dtype)
    expected = net.predict(x)
    for n_threads in (2, 3, 8):
        np.testing.assert_array_equal(net.predict(x, n_threads=n_threads), expected)


def test_nonfinite_rows_propagate(dtype):
    net = build((4, 8, 3), dtype)
    for n_rows in (1, 3, 9, 40):
        x = rows(n_rows, 4, dtype)
        clean = net.predict(x)
        x[n_rows // 2, 1] = np.nan
        y = net.predict(x)
        assert np.isnan(y[n_rows // 2]).all()
        others = np.arange(n_rows) != n_rows // 2
        np.testing.assert_array_equal(y[others], clean[others])
        assert np.isnan(net(x[n_rows // 2])).all()


def test_infinity_saturates():
    net = fn.Network.from_arrays([([[1.0, -1.0]], None, "tanh"), (np.eye(2), None, "sigmoid")])
    np.testing.assert_allclose(
        net([np.inf]), [1 / (1 + np.exp(-1)), 1 / (1 + np.exp(1))], rtol=1e-6
    )
    assert np.isnan(net([np.nan])).all()
    for name, (low, high) in {
        "relu": (0, np.inf),
        "sigmoid": (0, 1),
        "softplus": (0, np.inf),
        "elu": (-1, np.inf),
        "gaussian": (0, 0),
    }.items():
        net = fn.Network.from_arrays([([[1.0]], None, name)])
        np.testing.assert_array_equal(net([[-np.inf], [np.inf]]), [[low], [high]], err_msg=name)
        np.testing.assert_array_equal(net([-np.inf]), [low], err_msg=name)


def test_float64_beyond_float32_becomes_infinity_in_predict():
    net = fn.Network.from_arrays([([[1.0]], None, "identity")], dtype="float32")
    np.testing.assert_array_equal(net(np.array([1e300])), [np.inf])
    np.testing.assert_array_equal(net.predict(np.array([[-1e300], [2.0]])), [[-np.inf], [2]])


def test_custom_activation_in_the_forward_pass(dtype, oracle):
    wavy = fn.Activation(lambda z: np.sin(z) + z, lambda z, a: np.cos(z) + 1)
    net = fn.Network(4, layers=[fn.Dense(9, wavy), fn.Dense(2)], dtype=dtype, seed=0)
    twin = (lambda z: np.sin(z) + z, lambda z, a: np.diag(np.cos(z) + 1))
    layers = oracle.layers_of(net, [twin, "identity"])
    x = rows(13, 4, dtype)
    expected = oracle.predict(layers, x.astype(float))
    tolerance = 2 * oracle.tolerance(dtype, 0, (4, 9, 2), np.abs(expected).max())
    np.testing.assert_allclose(net(x), expected, rtol=0, atol=tolerance)
    np.testing.assert_allclose(net(x[0]), expected[0], rtol=0, atol=tolerance)


def test_error_of_a_custom_activation_arrives(dtype):
    def fail(z):
        raise RuntimeError("broken value")

    net = fn.Network(4, layers=[fn.Dense(9, fn.Activation(fail, lambda z, a: z))], dtype=dtype)
    for x in (rows(3, 4, dtype), rows(3, 4, dtype)[0]):
        with pytest.raises(RuntimeError, match="broken value"):
            net(x)
        with pytest.raises(RuntimeError, match="broken value"):
            net.predict(x)


def test_evaluate(dtype, oracle):
    net = build((4, 6, 3), dtype, output="softmax")
    x = rows(30, 4, dtype)
    labels = np.random.default_rng(1).integers(0, 3, 30)
    layers = oracle.layers_of(net, ["tanh", "softmax"])
    expected, _ = oracle.loss_and_gradient(layers, x, np.eye(3)[labels], "cross_entropy")
    figures = net.evaluate(x, labels, metrics=["accuracy"])
    assert figures["loss"] == pytest.approx(expected, rel=oracle.tolerance(dtype, 30, (4, 6, 3)))
    predicted = oracle.predict(layers, x.astype(float)).argmax(axis=1)
    assert figures["accuracy"] == pytest.approx((predicted == labels).mean())
    assert net.evaluate(x, np.eye(3)[labels])["loss"] == pytest.approx(figures["loss"])


def test_metrics(dtype, oracle):
    net = build((4, 6, 2), dtype)
    x, y = rows(30, 4, dtype), rows(30, 2, dtype, 1)
    p = oracle.predict(oracle.layers_of(net, ["tanh", "identity"]), x.astype(float))
    figures = net.evaluate(x, y, metrics=["mean_absolute_error", "r2"])
    tolerance = oracle.tolerance(dtype, 30, (4, 6, 2))
    assert figures["mean_absolute_error"] == pytest.approx(np.abs(p - y).mean(), rel=tolerance)
    assert figures["loss"] == pytest.approx(((p - y) ** 2).sum(axis=1).mean(), rel=tolerance)
    column = build((4, 6, 1), dtype)
    p = oracle.predict(oracle.layers_of(column, ["tanh", "identity"]), x.astype(float))[:, 0]
    target = y[:, 0].astype(float)
    expected = 1 - ((p - target) ** 2).sum() / ((target - target.mean()) ** 2).sum()
    for given in (y[:, 0], y[:, :1]):
        got = column.evaluate(x, given, metrics=["r2"])["r2"]
        assert got == pytest.approx(expected, abs=10 * tolerance)


@pytest.mark.parametrize("places", [[0], [1], [3], [0, 1, 2, 3], [0, 0, 1, 1, 1, 2, 3, 3]])
def test_dropout_passes_rows_through(places, dtype):
    """Wherever the layers stand, for one row and for many."""
    layers = [fn.Dense(5, "tanh"), fn.LayerNorm("relu"), fn.Dense(3, "softmax")]
    plain = fn.Network(4, layers=layers, dtype=dtype, seed=0)
    for place in sorted(places, reverse=True):
        layers.insert(place, fn.Dropout(0.5))
    net = fn.Network(4, layers=layers, dtype=dtype)
    net.parameters[:] = plain.parameters
    x = np.linspace(-1, 1, 400).reshape(100, 4)
    np.testing.assert_array_equal(net(x), plain(x))
    np.testing.assert_array_equal(net(x[0]), plain(x[0]))


def test_predict_does_not_write_over_its_own_parameters(dtype):
    net = fn.Network([4, 4, 4], dtype=dtype, seed=0)
    before = net.parameters.copy()
    with pytest.raises(ValueError, match=r"out.*parameters"):
        net.predict(np.ones((2, 4)), out=net.parameters[8:16].reshape(2, 4))
    np.testing.assert_array_equal(net.parameters, before)


@pytest.mark.parametrize(
    ("layers", "error", "message"),
    [
        (5, TypeError, "layers must be a list"),
        ([5], ValueError, r"layers\[0\] must be"),
        ([([[1, 2], [3]], None, "relu")], ValueError, r"layers\[0\]: weights must be a rect"),
        ([([["a"]], None, "relu")], TypeError, r"layers\[0\]: weights must hold real numbers"),
        ([([[1.0]], ["b"], "relu")], TypeError, r"layers\[0\]: biases must hold real numbers"),
    ],
)
def test_what_from_arrays_refuses(layers, error, message):
    with pytest.raises(error, match=message):
        fn.Network.from_arrays(layers)


def test_a_subclass_of_a_layer_is_refused():
    class Wide(fn.Dense):
        pass

    with pytest.raises(TypeError, match=r"layers\[0\] must be a fastnet.Dense.*got Wide"):
        fn.Network(3, layers=[Wide(4)])
