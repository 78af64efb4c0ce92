"""The numbers that the documents 001 and 003 demand of dense networks (tests/data/seed_cases.json).

Compared as the file says: |got - expected| <= tol max(1, |expected|), element by element.  The
documents write weights as (n_out, n_in), fastnet as (n_in, n_out).
"""

import json
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

import fastnet as fn

FILE = Path(__file__).parents[1] / "data" / "seed_cases.json"
CASES = {case["id"]: case for case in json.loads(FILE.read_text("utf-8"))["cases"]}
NETS = sorted(name for name in CASES if name.startswith("001.net."))


def numbers(expected):
    """The decimal strings of the file as an array."""
    return np.vectorize(float, otypes=[float])(np.array(expected, dtype=object))


def check(got, expected, tolerance, what=""):
    expected = numbers(expected)
    got = np.asarray(got)
    assert got.shape == expected.shape, what
    deviation = np.abs(got - expected) / np.maximum(1, np.abs(expected))
    assert (deviation <= tolerance).all(), (what, deviation.max(), got, expected)


def shifted(v):
    return v + np.append(0, v[:-1]) / 2


def coupled_jacobian(z, a):
    """a_i = tanh(z_i + z_(i-1) / 2): J[i, i] = 1 - a_i^2, J[i, i - 1] = (1 - a_i^2) / 2."""
    slopes = 1 - np.tanh(shifted(z)) ** 2
    return np.diag(slopes) + np.diag(slopes[1:] / 2, -1)


def weird(predictions, y):
    i = np.arange(1, predictions.shape[1] + 1)
    squares = (i * (predictions - y) ** 2).sum(axis=1)
    return np.log1p(squares) + np.sin(predictions[:, 0] * predictions[:, -1])


def weird_gradient(predictions, y):
    i = np.arange(1, predictions.shape[1] + 1)
    squares = (i * (predictions - y) ** 2).sum(axis=1, keepdims=True)
    d = 2 * i * (predictions - y) / (1 + squares)
    first, last = predictions[:, 0].copy(), predictions[:, -1].copy()
    d[:, 0] += np.cos(first * last) * last
    d[:, -1] += np.cos(first * last) * first
    return d


def activation(name):
    if name != "coupled":
        return name
    return fn.Activation(lambda z: np.tanh(shifted(z)), jacobian=coupled_jacobian)


def loss(name):
    known = {"half_sse": "half_squared_error", "cross_entropy": "cross_entropy"}
    return fn.Loss(weird, weird_gradient) if name == "weird" else known[name]


def network(weights, activations):
    return fn.Network.from_arrays(
        [(numbers(w).T, None, activation(f)) for w, f in zip(weights, activations, strict=True)],
        dtype="float64",
    )


def given_of(case):
    """Inputs of a case.  Net A is described in the text (tanh, sigmoid, identity; half of the
    squared error); its weights and rows stand in the descent that starts from it."""
    if case != "001.net.A_elementwise":
        return CASES[case]["inputs"]
    descent = CASES["001.batch_gd"]
    x, y = descent["inputs"]["data"][0]
    return {
        "W": descent["expected"]["0"]["W"],
        "acts": ["tanh", "sigmoid", "identity"],
        "cost": "half_sse",
        "x": x,
        "y": y,
    }


def inputs(case):
    given = given_of(case)
    return numbers(given["x"]), numbers(given["y"]), loss(given["cost"])


def case_network(case):
    given = given_of(case)
    return network(given["W"], given["acts"])


@pytest.mark.parametrize("case", NETS)
def test_forward(case):
    expected, tolerance = CASES[case]["expected"], CASES[case]["tol"]
    x, y, cost = inputs(case)
    net = case_network(case)
    check(net(x), expected["g"], tolerance)
    check(net(x[None])[0], expected["g"], tolerance)
    check(net.predict(x[None])[0], expected["g"], tolerance)
    trace = net.trace(x)
    assert len(trace.net_values) == len(trace.jacobians) == len(net.layers)
    assert len(trace.outputs) == len(net.layers) + 1
    for k in range(len(net.layers)):
        check(trace.net_values[k], expected["net"][str(k + 2)], tolerance, f"net {k + 2}")
        check(trace.jacobians[k], expected["jacobian_f"][str(k + 2)], tolerance, f"J {k + 2}")
    for k in range(len(net.layers) + 1):
        check(trace.outputs[k], expected["o"][str(k + 1)], tolerance, f"o {k + 1}")
    assert net.evaluate(x[None], y[None], loss=cost)["loss"] == pytest.approx(
        float(expected["C"]), rel=tolerance, abs=tolerance
    )


@pytest.mark.parametrize("case", NETS)
def test_every_derivative_of_the_trace(case):
    expected, tolerance = CASES[case]["expected"], CASES[case]["tol"]
    x, y, cost = inputs(case)
    net = case_network(case)
    trace = net.trace(x, y, loss=cost)
    check(trace.loss, expected["C"], tolerance)
    assert len(trace.d_loss_d_outputs) == len(trace.d_output_d_outputs) == len(net.layers)
    assert len(trace.d_weights) == len(trace.d_biases) == len(net.layers)
    check(trace.d_loss_d_outputs[-1], expected["dC_dg"], tolerance, "dC/dg")
    for k in range(len(net.layers)):
        check(trace.d_loss_d_outputs[k], expected["dC_do"][str(k + 2)], tolerance, f"dC/do {k + 2}")
        check(
            trace.d_output_d_outputs[k], expected["dg_do"][str(k + 2)], tolerance, f"dg/do {k + 2}"
        )
        check(trace.d_weights[k].T, expected["dC_dW"][str(k + 1)], tolerance, f"dC/dW {k + 1}")
        assert trace.d_biases[k] is None


@pytest.mark.parametrize("case", NETS)
def test_loss_and_gradient(case):
    expected, tolerance = CASES[case]["expected"], CASES[case]["tol"]
    x, y, cost = inputs(case)
    net = case_network(case)
    flat = np.concatenate(
        [numbers(expected["dC_dW"][str(k + 1)]).T.ravel() for k in range(len(net.layers))]
    )
    for reduction in ("mean", "sum"):
        value, gradient = net.loss_and_gradient(x[None], y[None], loss=cost, reduction=reduction)
        check(value, expected["C"], tolerance)
        check(gradient, flat, tolerance)
    # the same row three times: the same mean
    value, gradient = net.loss_and_gradient(np.tile(x, (3, 1)), np.tile(y, (3, 1)), loss=cost)
    check(value, expected["C"], tolerance)
    check(gradient, flat, tolerance)


def test_trap_misreadings():
    case = CASES["001.trap.misreadings"]
    expected, tolerance = case["expected"], case["tol"]
    x, y, cost = inputs("001.trap.misreadings")
    net = case_network("001.trap.misreadings")
    value, gradient = net.loss_and_gradient(x[None], y[None], loss=cost)
    check(value, expected["C"], tolerance)
    first = gradient[:4].reshape(2, 2).T
    check(first, expected["correct_dC_dW1"], tolerance)
    check(net.trace(x, y, loss=cost).d_weights[0].T, expected["correct_dC_dW1"], tolerance)
    for misreading in ("product_ascending", "f_prime_index_l", "transposed_jacobian"):
        assert np.abs(first - numbers(expected[misreading])).max() > 1e-3, misreading


NET_A = ("tanh", "sigmoid", "identity")


def net_a():
    """001.net.A_elementwise: its weights are the start of 001.batch_gd, its row the first one."""
    return network(CASES["001.batch_gd"]["expected"]["0"]["W"], NET_A)


def test_net_a():
    """The numbers of document 001's table and example, 15 and 12 digits."""
    x, y = numbers([0.5, -1.25, 2]), numbers([0.3, -0.7])
    net = net_a()
    trace = net.trace(x, y, loss="half_squared_error")
    check(net(x), [0.11831120429, 0.244846073737], 1e-11)
    check(trace.loss, 0.462872460771373, 1e-14)
    first = [-0.048268053815001, 0.1206701345375, -0.19307221526001]
    check(trace.d_weights[0].T[0], first, 1e-13)


def test_tensor_contracts_with_the_net_index():
    """d net_i / d W_pq = delta_ip o_q, row vector first, is the gradient."""
    case = CASES["001.tensor.numpy_dot"]
    expected, k = case["expected"], case["inputs"]["k"]
    assert case["inputs"]["net"] == "A_elementwise"
    trace = net_a().trace([0.5, -1.25, 2], [0.3, -0.7], loss="half_squared_error")
    delta = trace.d_loss_d_outputs[k - 2] @ trace.jacobians[k - 2]
    tensor = np.einsum("ip,q->ipq", np.eye(len(delta)), trace.outputs[k - 2])
    assert list(tensor.shape) == expected["T_shape"]
    contracted = np.dot(delta[None], tensor)
    assert list(contracted.shape) == expected["left_to_right_shape"]
    np.testing.assert_allclose(contracted[0], trace.d_weights[k - 2].T, rtol=1e-15, atol=1e-17)
    assert expected["left_to_right_equals_gradient"]


def batch_gd():
    case = CASES["001.batch_gd"]
    net = net_a()
    x, y = (numbers([pair[i] for pair in case["inputs"]["data"]]) for i in (0, 1))
    return net, x, y, case["inputs"]["alpha"], case["expected"], case["tol"]


def check_weights(net, expected, tolerance):
    for layer, weights in zip(net.layers, expected["W"], strict=True):
        check(layer.weights.T, weights, tolerance)


def test_batch_gradient_descent_step_by_step():
    net, x, y, alpha, expected, tolerance = batch_gd()
    optimizer = fn.SGD(alpha)
    for k in range(101):
        value, gradient = net.loss_and_gradient(x, y, loss="half_squared_error")
        if str(k) in expected:
            now = expected[str(k)]
            check(value, now["mean_C"], tolerance, k)
            check_weights(net, now, tolerance)
            if "mean_grad" in now:
                flat = np.concatenate([numbers(g).T.ravel() for g in now["mean_grad"]])
                check(gradient, flat, tolerance, k)
        optimizer.step(net.parameters, gradient)


@pytest.mark.parametrize("k", [1, 2, 10, 100])
def test_batch_gradient_descent_by_fit(k):
    net, x, y, alpha, expected, tolerance = batch_gd()
    history = net.fit(
        x,
        y,
        loss="half_squared_error",
        optimizer=fn.SGD(alpha),
        epochs=k,
        batch_size=None,
        shuffle=False,
    )
    check_weights(net, expected[str(k)], tolerance)
    check(history.loss[0], expected["0"]["mean_C"], tolerance)
    check(
        net.evaluate(x, y, loss="half_squared_error")["loss"], expected[str(k)]["mean_C"], tolerance
    )


def test_softmax_edges():
    case = CASES["001.softmax_edges"]
    for v, p, jacobian in zip(
        case["inputs"]["v"], case["expected"]["p"], case["expected"]["J"], strict=True
    ):
        z = np.array(v, dtype=float)
        check(fn.activations.value("softmax", z), p, case["tol"])
        check(fn.activations.jacobian("softmax", z), jacobian, case["tol"])
        net = fn.Network.from_arrays([(np.eye(3), None, "softmax")], dtype="float64")
        check(net(z), p, case["tol"])


def test_sigmoid_edges():
    case = CASES["003.nn.sigmoid_edges"]
    z = numbers(case["inputs"]["v"])
    check(fn.activations.value("sigmoid", z), case["expected"]["sigma"], case["tol"])
    check(fn.activations.derivative("sigmoid", z), case["expected"]["dsigma"], case["tol"])


# The 2-2-1 network of document 003; theta: w11 w12 b1, w21 w22 b2, then w11 w12 b1 of the output.
THETA = np.array(CASES["003.nn.train_eta0.1"]["inputs"]["theta"])
X = np.array([[3.0, -2.0], [-1.0, 1.0]])
Y = np.array([1.2, 0.7])
ORDER = [0, 3, 1, 4, 2, 5, 6, 7, 8]  # of theta in the flat parameters
LABELS = ["w11(1)", "w12(1)", "b1(1)", "w21(1)", "w22(1)", "b2(1)", "w11(2)", "w12(2)", "b1(2)"]

GRADIENT = [
    -0.404152354153,
    0.287296044585,
    -0.0632728841205,
    -0.125750644592,
    0.0890434740055,
    -0.0210780377544,
    -0.161131311284,
    -0.234073279464,
    -0.415670479869,
]
SENSITIVITIES = [
    [
        0.448876872347206,
        -0.29925124823147,
        0.149625624115735,
        0.141002227320957,
        -0.0940014848806378,
        0.0470007424403189,
        0.47502081252106,
        0.622459331201855,
        1,
    ],
    [
        -0.146674987014448,
        0.146674987014448,
        0.146674987014448,
        -0.0427819393040589,
        0.0427819393040589,
        0.0427819393040589,
        0.574442516811659,
        0.689974481127612,
        1,
    ],
]


def lecture_network(theta=THETA):
    net = fn.Network([2, 2, 1], hidden="sigmoid", output="identity", dtype="float64", seed=0)
    net.parameters[:] = theta[ORDER]
    return net


def theta_of(flat):
    theta = np.empty(9)
    theta[ORDER] = flat
    return theta


def test_lecture_layout():
    net = lecture_network()
    np.testing.assert_array_equal(net.layers[0].weights, [[0.2, 0.3], [0.4, 0.5]])
    np.testing.assert_array_equal(net.layers[0].biases, [0.1, 0.6])
    np.testing.assert_array_equal(net.layers[1].weights, [[0.6], [0.2]])
    np.testing.assert_array_equal(net.layers[1].biases, [0.4])


def test_lecture_state():
    """The table of document 003, 15 digits."""
    net = lecture_network()
    value, gradient = net.loss_and_gradient(X, Y, loss="squared_error", reduction="sum")
    check(value, 0.1858516737721109, 1e-14)
    check(theta_of(gradient), GRADIENT, 1e-12)
    check(np.linalg.norm(gradient), 0.726363129908182, 1e-14)
    sensitivities = net.jacobian(X)
    assert sensitivities.shape == (2, 1, 9)
    for r in range(2):
        check(theta_of(sensitivities[r, 0]), SENSITIVITIES[r], 1e-14)
        check(theta_of(net.jacobian(X[r])[0]), SENSITIVITIES[r], 1e-14)


@pytest.mark.parametrize(
    ("optimizer", "expected"),
    [
        (fn.SGD(0.1), 0.144373010537075),
        (fn.SGD(0.01), 0.180686437402157),
        (fn.SGD(0.1, normalize=True), 0.134746807794979),
    ],
)
def test_lecture_step(optimizer, expected):
    net = lecture_network()
    _, gradient = net.loss_and_gradient(X, Y, loss="squared_error", reduction="sum")
    optimizer.step(net.parameters, gradient)
    value, _ = net.loss_and_gradient(X, Y, loss="squared_error", reduction="sum")
    check(value, expected, 1e-14)


def test_lecture_training_step_by_step():
    case = CASES["003.nn.train_eta0.1"]
    net = lecture_network()
    optimizer = fn.SGD(case["inputs"]["eta"])
    for k in range(1001):
        value, gradient = net.loss_and_gradient(X, Y, loss="squared_error", reduction="sum")
        if str(k) in case["expected"]:
            now = case["expected"][str(k)]
            check(value, now["R"], case["tol"], k)
            check(theta_of(net.parameters), now["theta"], case["tol"], k)
            check(net(X)[:, 0], now["outputs"], case["tol"], k)
        optimizer.step(net.parameters, gradient)


@pytest.mark.parametrize("k", [1, 2, 5, 10, 100, 1000])
def test_lecture_training_by_fit(k):
    """fit descends on the mean over the two rows, which is R / 2."""
    case = CASES["003.nn.train_eta0.1"]
    net = lecture_network()
    net.fit(
        X,
        Y,
        loss="squared_error",
        optimizer=fn.SGD(2 * case["inputs"]["eta"]),
        epochs=k,
        batch_size=None,
        shuffle=False,
    )
    check(theta_of(net.parameters), case["expected"][str(k)]["theta"], case["tol"])
    check(
        2 * net.evaluate(X, Y, loss="squared_error")["loss"],
        case["expected"][str(k)]["R"],
        case["tol"],
    )


def test_lecture_reconstruction():
    """Ten sets of weights of the second hidden node give the same outputs and gradient."""
    case = CASES["003.nn.reconstruction"]
    expected, tolerance = case["expected"], case["tol"]
    check(
        fn.activations.value("sigmoid", numbers(expected["z_from_printed"])),
        [0.622, 0.689],
        tolerance,
    )
    check(
        fn.activations.value("sigmoid", numbers(expected["nice_z"])),
        expected["sigmoid_nice_z"],
        tolerance,
    )
    assert numbers(expected["chosen"]).tolist() == [0.3, 0.5, 0.6]
    gradients = []
    for candidate in numbers(expected["candidates_w21_w22_b2"]):
        theta = THETA.copy()
        theta[3:6] = candidate
        net = lecture_network(theta)
        z = [net.trace(x).net_values[0][1] for x in X]
        check(z, expected["nice_z"], tolerance)
        gradients.append(net.loss_and_gradient(X, Y, loss="squared_error", reduction="sum")[1])
    assert len(gradients) == 10
    for gradient in gradients:
        check(theta_of(gradient), GRADIENT, 1e-12)


def test_lecture_printed_numbers():
    """Each number of the slides is right, truncated or wrong as the file says."""
    case = CASES["003.nn.printed_vs_exact"]
    net = lecture_network()
    traces = [net.trace(x) for x in X]
    computed = {}
    for i, trace in enumerate(traces):
        for node in range(2):
            computed[f"z{node + 1}(1) obs{i + 1}"] = trace.net_values[0][node]
            computed[f"a{node + 1}(1) obs{i + 1}"] = trace.outputs[1][node]
        computed[f"a1(2) obs{i + 1}"] = trace.outputs[2][0]
        computed[f"e{i + 1}"] = Y[i] - trace.outputs[2][0]
        for label, value in zip(LABELS, theta_of(net.jacobian(X[i])[0]), strict=True):
            for prefix in ("sens ", "contribution entry ", "nudge "):
                suffix = "" if prefix == "sens " else f" obs{i + 1}"
                computed.setdefault(prefix + label + suffix, value)
    for quantity, printed, exact, verdict in case["expected"]:
        got = computed[quantity]
        check(got, exact, case["tol"], quantity)
        unit = Decimal(1).scaleb(Decimal(printed).as_tuple().exponent)
        error = abs(Decimal(float(got)) - Decimal(printed))
        truncated = error < unit and abs(got) > abs(float(printed))
        found = "ok" if error <= unit / 2 else "truncated" if truncated else "WRONG"
        assert found == verdict, quantity
