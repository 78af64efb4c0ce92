"""Every wrong argument is refused by name, with what came, and changes nothing."""

import numpy as np
import pytest

import fastnet as fn

X = np.random.default_rng(0).normal(size=(6, 4))
Y = np.random.default_rng(1).normal(size=(6, 3))
LABELS = np.array([0, 2, 1, 1, 0, 2])


def nonfinite(array, value, at=(2, 1)):
    array = array.copy()
    array[at] = value
    return array


class Hostile:
    def __array__(self, dtype=None, copy=None):
        raise RuntimeError("no array")


def raising(*args):
    raise ZeroDivisionError("mine")


NOT_NUMBERS = {
    "complex": X.astype(complex),
    "object": X.astype(object),
    "text": X.astype(str),
    "bytes": X.astype(bytes),
    "dates": np.zeros((6, 4), "M8[s]"),
    "records": np.zeros((6, 4), [("a", float)]),
    "None": None,
    "a word": "abc",
    "ragged": [[1, 2, 3, 4], [1]],
    "dict": {},
}
WRONG_SHAPES = {
    "columns": X[:, :3],
    "3-D": X[None],
    "0-D": np.float64(3),
    "row": X[0, :3],
    "no columns": X[:, :0],
}

REGRESSION = {
    "rows of y": ((X, Y[:5]), r"y.*\b5\b|\b5\b.*y"),
    "columns of y": ((X, Y[:, :2]), r"y.*2"),
    "y vector of wide": ((X, Y[:, 0]), "y"),
    "3-D y": ((X, Y[None]), "y"),
    "complex y": ((X, Y.astype(complex)), "y"),
    "text y": ((X, Y.astype(str)), "y"),
    "object y": ((X, Y.astype(object)), "y"),
    "NaN in X": ((nonfinite(X, np.nan), Y), r"X.*\b2\b.*\b1\b"),
    "infinity in X": ((nonfinite(X, np.inf), Y), r"X.*\b2\b.*\b1\b"),
    "-infinity in X": ((nonfinite(X, -np.inf), Y), r"X.*\b2\b.*\b1\b"),
    "NaN in y": ((X, nonfinite(Y, np.nan)), r"y.*\b2\b.*\b1\b"),
    "infinity in y": ((X, nonfinite(Y, np.inf)), r"y.*\b2\b.*\b1\b"),
    "overflow of float32 in X": ((nonfinite(X, 1e300), Y), r"X.*\b2\b.*\b1\b"),
    "overflow of float32 in y": ((X, nonfinite(Y, -1e300)), r"y.*\b2\b.*\b1\b"),
    "no rows": ((X[:0], Y[:0]), r"(?i)X|empty|rows"),
    **{f"{what} X": ((x, Y), "X") for what, x in NOT_NUMBERS.items()},
    **{f"shape of X: {what}": ((x, Y), "X") for what, x in WRONG_SHAPES.items()},
}
CLASSIFICATION = {
    "label too large": ((X, [0, 1, 2, 3, 0, 1]), r"y.*3"),
    "negative label": ((X, [0, 1, 2, -1, 0, 1]), r"y.*-1"),
    "fractional label": ((X, [0, 1, 2, 0.5, 0, 1]), "y"),
    "number of labels": ((X, LABELS[:5]), "y"),
    "huge label": ((X, [0, 1, 2, 2**40, 0, 1]), "y"),
    "label beyond int64": ((X, np.array([0, 1, 2, 2**63, 0, 1], np.uint64)), "y"),
    "NaN label": ((X, [0, 1, 2, np.nan, 0, 1]), "y"),
    "text labels": ((X, list("abcabc")), "y"),
}
TRAINERS = {
    "fit": lambda net, *args, **options: net.fit(*args, **options),
    "partial_fit": lambda net, *args, **options: net.partial_fit(*args, **options),
    "loss_and_gradient": lambda net, *args, **options: net.loss_and_gradient(*args, **options),
    "evaluate": lambda net, *args, **options: net.evaluate(*args, **options),
}


def regressor():
    return fn.Network([4, 5, 3], hidden="tanh", dtype="float32", seed=0)


def classifier():
    return fn.Network([4, 5, 3], hidden="tanh", output="softmax", dtype="float32", seed=0)


def refused(net, call, pattern, errors=(ValueError, TypeError)):
    """The call raises, names what is wrong, and leaves the network as it was and usable."""
    before = net.parameters.copy()
    history = getattr(net, "history", None)
    with pytest.raises(errors, match=pattern):
        call()
    np.testing.assert_array_equal(net.parameters, before)
    assert getattr(net, "history", None) is history
    assert np.isfinite(net(X)).all()


@pytest.mark.parametrize("trainer", TRAINERS)
@pytest.mark.parametrize("case", REGRESSION)
def test_data(case, trainer):
    net = regressor()
    args, pattern = REGRESSION[case]
    refused(net, lambda: TRAINERS[trainer](net, *args), pattern)


@pytest.mark.parametrize("trainer", TRAINERS)
@pytest.mark.parametrize("case", CLASSIFICATION)
def test_labels(case, trainer):
    net = classifier()
    args, pattern = CLASSIFICATION[case]
    refused(net, lambda: TRAINERS[trainer](net, *args), pattern)


def test_both_shapes_are_in_the_message():
    with pytest.raises(ValueError, match=r"(?s)(?=.*\b4\b)(?=.*\(6, 3\))"):
        regressor()(X[:, :3])
    with pytest.raises(ValueError, match=r"(?s)(?=.*\b6\b)(?=.*\b5\b)"):
        regressor().fit(X, Y[:5])


@pytest.mark.parametrize("method", ["__call__", "predict", "jacobian", "input_jacobian"])
@pytest.mark.parametrize("case", [*NOT_NUMBERS, *WRONG_SHAPES])
def test_inputs_of_predictions(method, case):
    net = regressor()
    wrong = {**NOT_NUMBERS, **WRONG_SHAPES}[case]
    refused(net, lambda: getattr(net, method)(wrong), "X|x")


def test_trace_takes_one_row():
    net = regressor()
    for x in (X, X[0, :3], X[:0], "abc", None):
        refused(net, lambda x=x: net.trace(x), "x")
    refused(net, lambda: net.trace(X[0], Y[0, :2]), "y")
    refused(net, lambda: net.trace(X[0], Y), "y")
    refused(net, lambda: net.trace(X[0], Y[0], loss="no such loss"), "no such loss")


def test_error_of_the_argument_itself_arrives():
    net = regressor()
    refused(net, lambda: net(Hostile()), "no array", RuntimeError)
    refused(net, lambda: net.fit(Hostile(), Y), "no array", RuntimeError)
    refused(net, lambda: net.fit(X, Hostile()), "no array", RuntimeError)


def test_targets_of_cross_entropy_are_shares():
    net = classifier()
    refused(net, lambda: net.loss_and_gradient(X, Y[:, :2]), "y")
    refused(net, lambda: net.fit(X, nonfinite(np.eye(3)[LABELS], np.nan)), "y")


# ---- out


def outs(shape, dtype=np.float32):
    """Buffers that cannot take a result of this shape and dtype."""
    read_only = np.empty(shape, dtype)
    read_only.flags.writeable = False
    yield "another shape", np.empty((*shape[:-1], shape[-1] + 1), dtype)
    yield "smaller", np.empty((*shape[:-1], shape[-1] - 1), dtype)
    yield "another dimension", np.empty((1, *shape), dtype)
    yield "float64", np.empty(shape, np.float64)
    yield "integers", np.empty(shape, np.int32)
    yield "complex", np.empty(shape, np.complex64)
    yield "strided", np.empty((*shape[:-1], 2 * shape[-1]), dtype)[..., ::2]
    yield "byte-swapped", np.empty(shape, np.dtype(dtype).newbyteorder())
    yield "read-only", read_only
    yield (
        "unaligned",
        np.empty(np.prod(shape, dtype=int) * 4 + 1, np.uint8)[1:].view(dtype).reshape(shape),
    )
    yield "list", np.empty(shape, dtype).tolist()
    yield "number", 3.0


@pytest.mark.parametrize("what", [what for what, _ in outs((6, 3))])
def test_out_of_predict(what):
    net = regressor()
    out = dict(outs((6, 3)))[what]
    refused(net, lambda: net.predict(X, out=out), "out")
    if len(np.shape(out)) < 3:
        row = dict(outs((3,)))[what]
        refused(net, lambda: net.predict(X[0], out=row), "out")


@pytest.mark.parametrize("what", [what for what, _ in outs((43,))])
def test_out_of_loss_and_gradient(what):
    net = regressor()
    assert net.n_parameters == 43
    out = dict(outs((43,)))[what]
    refused(net, lambda: net.loss_and_gradient(X, Y, out=out), "out")


def test_out_rows():
    net = regressor()
    for n_rows in (0, 5, 7):
        out = np.empty((n_rows, 3), np.float32)
        refused(net, lambda out=out: net.predict(X, out=out), "out")
    out = np.empty((6, 3), np.float32)
    refused(net, lambda: net.predict(X[0], out=out), "out")
    refused(net, lambda: net.predict(X, out=out[0]), "out")


def test_out_is_not_touched_by_an_error():
    net = regressor()
    out = np.full((6, 3), 7, np.float32)
    refused(net, lambda: net.predict(X[:, :3], out=out), "X|x")
    assert (out == 7).all()
    gradient = np.full(43, 7, np.float32)
    refused(net, lambda: net.loss_and_gradient(nonfinite(X, np.nan), Y, out=gradient), "X")
    assert (gradient == 7).all()


# ---- construction


SIZES = {
    "zero width": [4, 0, 3],
    "no inputs": [0, 3],
    "no outputs": [4, 0],
    "one size": [4],
    "none": [],
    "negative": [4, -5, 3],
    "fraction": [4, 2.5, 3],
    "text": [4, "5", 3],
    "None": [4, None, 3],
    "boolean": [4, True, 3],
    "nested": [[4, 5], 3],
    "a word": "abc",
    "product beyond memory": [2**40, 2**40],
    "product beyond 64 bits": [2**62, 4],
    "sum beyond 64 bits": [2**31, 2**31, 2**31, 2**31],
    "beyond 64 bits": [10**30, 2],
}


@pytest.mark.parametrize("case", SIZES)
def test_sizes(case):
    with pytest.raises((ValueError, TypeError, OverflowError, MemoryError)) as error:
        fn.Network(SIZES[case])
    assert isinstance(error.value, (ValueError, TypeError)), repr(error.value)
    assert str(error.value)


@pytest.mark.parametrize(
    ("call", "pattern"),
    [
        (lambda: fn.Network([4, 5, 3], hidden="no_such"), "no_such"),
        (lambda: fn.Network([4, 5, 3], output="no_such"), "no_such"),
        (lambda: fn.Network([4, 5, 3], init="no_such"), "no_such"),
        (lambda: fn.Network([4, 5, 3], dtype="float16"), "dtype"),
        (lambda: fn.Network([4, 5, 3], dtype="int32"), "dtype"),
        (lambda: fn.Network([4, 5, 3], dtype="no_such"), "dtype|no_such"),
        (lambda: fn.Network([4, 5, 3], seed=-1), "seed"),
        (lambda: fn.Network([4, 5, 3], seed=1.5), "seed"),
        (lambda: fn.Network([4, 5, 3], seed="x"), "seed"),
        (lambda: fn.Network([4, 5, 3], hidden=3), "hidden"),
        (lambda: fn.Network([4, 5, 3], hidden=None), "hidden"),
        (lambda: fn.Network(4, layers=[]), "layers"),
        (lambda: fn.Network(4, layers=[3]), "layers"),
        (lambda: fn.Network(4, layers=fn.Dense(3)), "layers"),
        (lambda: fn.Network(0, layers=[fn.Dense(3)]), "inputs|0"),
        (lambda: fn.Network([4, 5, 3], init=lambda rng, i, o: np.zeros((o, i))), "init"),
        (lambda: fn.Network([4, 5, 3], init=lambda rng, i, o: np.full((i, o), np.nan)), "init"),
        (lambda: fn.Network([4, 5, 3], init=lambda rng, i, o: "abc"), "init"),
        (lambda: fn.Dense(0), "0"),
        (lambda: fn.Dense(-3), "-3"),
        (lambda: fn.Dense(2.5), "2.5"),
        (lambda: fn.Dense("5"), "5"),
        (lambda: fn.Dense(3, "no_such"), "no_such"),
        (lambda: fn.Network.from_arrays([]), "layers|arrays|empty"),
        (lambda: fn.Network.from_arrays([(np.ones((2, 3)), np.ones(4), "relu")]), "bias"),
        (lambda: fn.Network.from_arrays([(np.ones((2, 3)), np.ones((3, 1)), "relu")]), "bias"),
        (lambda: fn.Network.from_arrays([(np.ones(3), None, "relu")]), "weights"),
        (lambda: fn.Network.from_arrays([(np.ones((2, 0)), None, "relu")]), "weights|n_outputs"),
        (lambda: fn.Network.from_arrays([(np.ones((2, 3)), None, "no_such")]), "no_such"),
        (lambda: fn.Network.from_arrays([(np.ones((2, 3), complex), None, "relu")]), "weights"),
        (lambda: fn.Network.from_arrays([(np.ones((2, 3)), None)]), "layers|arrays"),
        (
            lambda: fn.Network.from_arrays(
                [(np.ones((2, 3)), None, "relu"), (np.ones((4, 1)), None, "relu")]
            ),
            r"weights.*4|4.*weights",
        ),
        (lambda: fn.Activation(3, lambda z, a: z), "value"),
        (lambda: fn.Activation(np.sin), "derivative"),
        (lambda: fn.Activation(np.sin, 3), "derivative"),
        (lambda: fn.Activation(np.sin, jacobian=3), "jacobian"),
        (lambda: fn.Activation(np.sin, np.cos, jacobian=np.cos), "jacobian|derivative"),
        (lambda: fn.Loss(3, lambda p, y: p), "value"),
        (lambda: fn.Loss(lambda p, y: p, 3), "gradient"),
        (lambda: fn.SGD(-0.1), "learning_rate"),
        (lambda: fn.SGD(np.nan), "learning_rate"),
        (lambda: fn.SGD(np.inf), "learning_rate"),
        (lambda: fn.SGD("fast"), "learning_rate"),
        (lambda: fn.SGD(0.1, momentum=-0.1), "momentum"),
        (lambda: fn.SGD(0.1, momentum=1.5), "momentum"),
        (lambda: fn.SGD(0.1, weight_decay=-1), "weight_decay"),
        (lambda: fn.Adam(-0.1), "learning_rate"),
        (lambda: fn.Adam(beta1=1.0), "beta1"),
        (lambda: fn.Adam(beta1=-0.1), "beta1"),
        (lambda: fn.Adam(beta2=1.0), "beta2"),
        (lambda: fn.Adam(epsilon=-1e-8), "epsilon"),
        (lambda: fn.EarlyStopping(patience=-1), "patience"),
        (lambda: fn.EarlyStopping(patience=1.5), "patience"),
        (lambda: fn.EarlyStopping(min_delta=-1), "min_delta"),
        (lambda: fn.EarlyStopping(monitor=3), "monitor"),
    ],
)
def test_construction(call, pattern):
    with pytest.raises((ValueError, TypeError), match=pattern):
        call()


@pytest.mark.parametrize(
    ("call", "nearest", "known"),
    [
        (lambda: fn.Network([4, 5, 3], hidden="sigmod"), "sigmoid", "tanh"),
        (lambda: fn.Network([4, 5, 3], output="softmx"), "softmax", "tanh"),
        (lambda: fn.Network([4, 5, 3], init="he_norml"), "he_normal", "zeros"),
        (lambda: fn.Dense(3, "reul"), "relu", "tanh"),
        (
            lambda: regressor().loss_and_gradient(X, Y, loss="squared_eror"),
            "squared_error",
            "cross_entropy",
        ),
        (lambda: regressor().fit(X, Y, loss="cross_entropi"), "cross_entropy", "squared_error"),
        (lambda: regressor().fit(X, Y, optimizer="adm"), "adam", "sgd"),
        (lambda: regressor().fit(X, Y, metrics=["acuracy"]), "accuracy", "r2"),
        (lambda: regressor().evaluate(X, Y, metrics=["acuracy"]), "accuracy", "r2"),
        (lambda: fn.activations.value("tahn", X), "tanh", "relu"),
        (lambda: fn.losses.value("squared_eror", Y, Y), "squared_error", "cross_entropy"),
    ],
)
def test_unknown_names_show_the_known_and_the_nearest(call, nearest, known):
    with pytest.raises((ValueError, TypeError)) as error:
        call()
    message = str(error.value)
    assert known in message
    assert nearest in message
    # the nearest once more than in the list of the known
    assert (
        message.count(nearest) >= 2 or f"mean {nearest}" in message or f"mean '{nearest}" in message
    )


# ---- options of fit


@pytest.mark.parametrize(
    ("options", "pattern"),
    [
        ({"epochs": -1}, "epochs"),
        ({"epochs": 1.5}, "epochs"),
        ({"epochs": "3"}, "epochs"),
        ({"epochs": None}, "epochs"),
        ({"epochs": 10**30}, "epochs"),
        ({"batch_size": 0}, "batch_size"),
        ({"batch_size": -3}, "batch_size"),
        ({"batch_size": 2.5}, "batch_size"),
        ({"batch_size": "8"}, "batch_size"),
        ({"seed": -1}, "seed"),
        ({"seed": "x"}, "seed"),
        ({"seed": 0.5}, "seed"),
        ({"n_threads": 0}, "n_threads"),
        ({"n_threads": -2}, "n_threads"),
        ({"n_threads": 1.5}, "n_threads"),
        ({"optimizer": 3}, "optimizer"),
        ({"optimizer": None}, "optimizer"),
        ({"loss": 3}, "loss"),
        ({"loss": None}, "loss"),
        ({"sample_weight": np.ones(5)}, "sample_weight"),
        ({"sample_weight": np.ones((6, 1))}, "sample_weight"),
        ({"sample_weight": np.zeros(6)}, "sample_weight"),
        ({"sample_weight": -np.ones(6)}, "sample_weight"),
        ({"sample_weight": np.full(6, np.nan)}, "sample_weight"),
        ({"sample_weight": [1, 2, np.inf, 1, 1, 1]}, "sample_weight"),
        ({"sample_weight": "abc"}, "sample_weight"),
        ({"sample_weight": np.ones(6, complex)}, "sample_weight"),
        ({"validation_data": X}, "validation_data"),
        ({"validation_data": (X,)}, "validation_data"),
        ({"validation_data": (X[:, :3], Y)}, "validation_data"),
        ({"validation_data": (X, Y[:5])}, "validation_data"),
        ({"validation_data": (X[:0], Y[:0])}, "validation_data"),
        ({"validation_data": (nonfinite(X, np.nan), Y)}, "validation_data"),
        ({"callbacks": [3]}, "callbacks"),
        ({"callbacks": 3}, "callbacks"),
        ({"metrics": [3]}, "metric"),
        ({"metrics": 3}, "metrics"),
        ({"early_stopping": 3}, "early_stopping"),
        ({"early_stopping": fn.EarlyStopping()}, "validation"),
        ({"early_stopping": fn.EarlyStopping(monitor="no_such")}, "no_such"),
        ({"class_weight": {0: 1.0}}, "class_weight"),
    ],
    ids=str,
)
def test_options_of_fit(options, pattern):
    net = regressor()
    refused(net, lambda: net.fit(X, Y, **options), pattern)


@pytest.mark.parametrize(
    "weight", [{0: 1, 1: 1, 2: -1}, {0: 1, 1: np.nan, 2: 1}, {7: 1.0}, [1, 2], "x", 3]
)
def test_class_weight(weight):
    net = classifier()
    refused(net, lambda: net.fit(X, LABELS, class_weight=weight), "class_weight")


def test_reduction():
    net = regressor()
    for reduction in ("no_such", None, 3):
        refused(net, lambda r=reduction: net.loss_and_gradient(X, Y, reduction=r), "reduction")


@pytest.mark.parametrize(
    ("loss", "output"),
    [
        ("cross_entropy", "softmax"),
        ("kl_divergence", "softmax"),
        ("binary_cross_entropy", "sigmoid"),
    ],
)
def test_fused_losses_need_their_output(loss, output):
    """They take probabilities of a softmax or sigmoid layer."""
    other = {"softmax": "sigmoid", "sigmoid": "softmax"}[output]
    for net in (regressor(), fn.Network([4, 5, 3], output=other, seed=0)):
        for call in (
            lambda net=net: net.fit(X, Y, loss=loss),
            lambda net=net: net.partial_fit(X, Y, loss=loss),
            lambda net=net: net.loss_and_gradient(X, Y, loss=loss),
            lambda net=net: net.evaluate(X, Y, loss=loss),
        ):
            refused(net, call, rf"{loss}' is fused with {output}.*not '")


@pytest.mark.parametrize(
    ("loss", "output", "right", "wrong", "words"),
    [
        ("binary_cross_entropy", "sigmoid", 1, 1.5, "from 0 to 1"),
        ("binary_cross_entropy", "sigmoid", 0, -0.25, "from 0 to 1"),
        ("kl_divergence", "softmax", 1, 2, "from 0 to 1"),
        ("kl_divergence", "softmax", 0, -1, "from 0 to 1"),
        ("poisson", "softplus", 3, -0.5, "at least 0"),
        ("hinge", "identity", -1, 0, "-1 and 1"),
        ("hinge", "identity", 1, 2, "-1 and 1"),
    ],
)
def test_targets_outside_the_domain_of_a_loss(loss, output, right, wrong, words):
    for dtype in ("float32", "float64"):
        net = fn.Network([4, 5, 3], output=output, dtype=dtype, seed=0)
        y = np.full(Y.shape, right, float)
        net.loss_and_gradient(X, y, loss=loss)
        y[2, 1] = wrong
        for call in (
            lambda net=net, y=y: net.fit(X, y, loss=loss),
            lambda net=net, y=y: net.loss_and_gradient(X, y, loss=loss),
            lambda net=net, y=y: net.evaluate(X, y, loss=loss),
        ):
            refused(net, call, rf"y\[2, 1\] is {float(wrong)}: loss '{loss}' takes.* {words}")
        single = fn.Network([4, 1], output="sigmoid", dtype=dtype, seed=0)
        refused(single, lambda net=single: net.fit(X, np.arange(len(X)) * 1.0), r"y\[2\] is 2.0")
        refused(
            net,
            lambda net=net, y=y: net.fit(
                X, np.full(Y.shape, right), loss=loss, validation_data=(X, y)
            ),
            r"validation_data y\[2, 1\]",
        )


@pytest.mark.parametrize(
    "population",
    [np.ones(43), np.ones((2, 42)), np.ones((1, 2, 43)), "x", None, np.ones((2, 43), complex)],
    ids=lambda p: str(np.shape(p)),
)
def test_population(population):
    net = regressor()
    refused(net, lambda: net.predict_population(population, X), r"\bP\b|population|parameters")
    refused(net, lambda: net.predict_population(np.ones((2, 43)), X[:, :3]), "X")


def test_parameters_cannot_be_replaced_by_the_wrong_size():
    net = regressor()
    with pytest.raises(ValueError, match=r"shape|size|broadcast"):
        net.parameters[:] = np.ones(42)
    assert net.parameters.shape == (43,)


# ---- functions of the user


@pytest.mark.parametrize(
    ("value", "derivative"),
    [
        (lambda z: z[:, :2], lambda z, a: z),
        (lambda z: "abc", lambda z, a: z),
        (lambda z: None, lambda z, a: z),
        (lambda z: z, lambda z, a: np.ones(3)),
        (lambda z: z, lambda z, a: 1j * z),
        (lambda z: z, lambda z, a: None),
    ],
    ids=["shape", "text", "None", "derivative's shape", "complex derivative", "no derivative"],
)
def test_results_of_a_custom_activation(value, derivative):
    net = fn.Network(4, layers=[fn.Dense(5, fn.Activation(value, derivative)), fn.Dense(3)], seed=0)
    before = net.parameters.copy()
    for call in (lambda: net.fit(X, Y, epochs=2), lambda: net.loss_and_gradient(X, Y)):
        with pytest.raises((ValueError, TypeError), match=r"(?i)activation|value|derivative"):
            call()
    np.testing.assert_array_equal(net.parameters, before)


@pytest.mark.parametrize("jacobian", [lambda z, a: np.eye(4), lambda z, a: z, lambda z, a: "abc"])
def test_results_of_a_custom_jacobian(jacobian):
    net = fn.Network(
        4, layers=[fn.Dense(5, fn.Activation(np.tanh, jacobian=jacobian)), fn.Dense(3)]
    )
    with pytest.raises((ValueError, TypeError), match=r"(?i)jacobian"):
        net.loss_and_gradient(X, Y)
    with pytest.raises((ValueError, TypeError), match=r"(?i)jacobian"):
        net.jacobian(X)


@pytest.mark.parametrize(
    ("value", "gradient"),
    [
        (lambda p, y: p, lambda p, y: p),
        (lambda p, y: 3.0, lambda p, y: p),
        (lambda p, y: np.zeros(len(p)), lambda p, y: p[:, :2]),
        (lambda p, y: np.zeros(len(p)), lambda p, y: "abc"),
    ],
)
def test_results_of_a_custom_loss(value, gradient):
    net = regressor()
    loss = fn.Loss(value, gradient)
    before = net.parameters.copy()
    with pytest.raises((ValueError, TypeError), match=r"(?i)loss|value|gradient"):
        net.fit(X, Y, loss=loss)
    np.testing.assert_array_equal(net.parameters, before)
    refused(net, lambda: net.loss_and_gradient(X, Y, loss=loss), "(?i)loss|value|gradient")


def test_functions_that_raise():
    net = regressor()
    refused(
        net,
        lambda: net.loss_and_gradient(X, Y, loss=fn.Loss(raising, raising)),
        "mine",
        ZeroDivisionError,
    )
    refused(net, lambda: net.evaluate(X, Y, metrics=[raising]), "mine", ZeroDivisionError)
    with pytest.raises(ZeroDivisionError, match="mine"):
        net.fit(X, Y, epochs=2, metrics=[raising])
    with pytest.raises(ZeroDivisionError, match="mine"):
        fn.Network([4, 3], init=raising)
    custom = fn.Network(4, layers=[fn.Dense(3, fn.Activation(raising, raising))])
    for call in (custom, custom.predict, custom.jacobian, lambda x: custom.trace(x[0])):
        with pytest.raises(ZeroDivisionError, match="mine"):
            call(X)


def test_check_gradient_refuses_what_loss_and_gradient_refuses():
    net = regressor()
    for case in ("rows of y", "NaN in X", "text X", "no rows"):
        args, pattern = REGRESSION[case]
        refused(net, lambda args=args: fn.check_gradient(net, *args), pattern)


def test_optimizer_step():
    optimizer = fn.Adam()
    good = np.ones(3)
    read_only = np.ones(3)
    read_only.flags.writeable = False
    for parameters, gradient in (
        (good, np.ones(4)),
        (good, "abc"),
        (np.ones(3, int), good),
        (read_only, good),
        ([1.0, 2, 3], good),
        (good, 1j * good),
    ):
        with pytest.raises((ValueError, TypeError), match=r"parameters|gradient"):
            optimizer.step(parameters, gradient)
    np.testing.assert_array_equal(good, np.ones(3))
    # the refused calls were not counted as steps
    optimizer.step(good, np.array([1.0, -1, 2]))
    np.testing.assert_allclose(good, 1 - 1e-3 * np.array([1, -1, 1]), rtol=1e-8)
