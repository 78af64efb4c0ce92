"""Loss, gradient and Jacobians of networks of genomes against differences and PyTorch."""

import numpy as np
import pytest

import fastnet as fn
from fastnet import neat

BIASES = ("node", "per_node", None)
SMOOTH = ("identity", "sigmoid", "steep_sigmoid", "tanh", "softplus", "gelu", "sin", "gaussian",
          "silu")


def random_genome(seed, bias="node", output=None, mode="feed_forward", activations=SMOOTH):
    """Disabled genes, hidden nodes that lead nowhere, and inputs that nothing needs."""
    rng = np.random.default_rng(seed)
    config = neat.Config(
        int(rng.integers(1, 5)), int(rng.integers(1, 4)), mode=mode, bias=bias,
        activation="tanh", output_activation=output,
    )
    n_sources = config.n_inputs + (bias == "node")
    n_fixed = n_sources + config.n_outputs
    hidden = list(range(n_fixed, n_fixed + int(rng.integers(1, 7))))
    outputs = list(range(n_sources, n_fixed))
    pairs = [(s, t) for s in range(n_sources) for t in hidden + outputs]
    pairs += [(s, t) for s in hidden for t in hidden + outputs if t > s or t in outputs]
    chosen = [pair for pair in pairs if rng.random() < 0.5] or pairs[:1]
    rows = [
        (number, source, target, rng.normal(), rng.random() < 0.8)
        for number, (source, target) in enumerate(chosen)
    ]
    touched = {node for _, source, target, _, _ in rows for node in (source, target)}
    nodes = [
        (node, "output" if node in outputs else "hidden",
         output if output is not None and node in outputs else str(rng.choice(activations)),
         rng.normal() if bias == "per_node" else 0.0)
        for node in outputs + [node for node in hidden if node in touched]
    ]
    return neat.Genome.from_connections(config, rows, nodes=nodes)


def rows_for(network, n_rows, kind, oracle, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n_rows, network.n_inputs))
    return x, oracle.targets_for(kind, rng, (n_rows, network.n_outputs)), rng.uniform(0, 1, n_rows)


def differences(network, f):
    """Derivatives of f() by the parameters, by central differences: error of the order 1e-9."""
    columns = []
    for k, center in enumerate(network.parameters.tolist()):
        h = 6e-6 * max(1.0, abs(center))
        network.parameters[k] = center + h
        above = f()
        network.parameters[k] = center - h
        below = f()
        network.parameters[k] = center
        columns.append((np.asarray(above) - below) / (2 * h))
    return np.array(columns)


LOSSES = [
    ("squared_error", None), ("half_squared_error", None), ("absolute_error", None),
    (fn.losses.huber(0.5), None), ("log_cosh", None), (fn.losses.quantile(0.3), None),
    ("binary_cross_entropy", "sigmoid"), ("poisson", "softplus"), ("hinge", None),
]


@pytest.mark.parametrize(("loss", "output"), LOSSES, ids=str)
@pytest.mark.parametrize("bias", BIASES)
def test_against_differences(oracle, loss, output, bias):
    kind = loss if isinstance(loss, str) else loss.name
    for seed in range(4):
        network = random_genome(seed, bias, output).network()
        x, y, weights = rows_for(network, 7, kind, oracle, seed)
        for given, reduction in ((None, "mean"), (weights, "mean"), (weights, "sum")):
            value, gradient = network.loss_and_gradient(x, y, loss, given, reduction)
            used = np.ones(7) if given is None else given
            each = fn.losses.value(loss, network(x), y)
            total = used.sum() if reduction == "mean" else 1
            np.testing.assert_allclose(value, (used * each).sum() / total, rtol=1e-12)

            def loss_alone(given=given, reduction=reduction, x=x, y=y, network=network):
                return network.loss_and_gradient(x, y, loss, given, reduction)[0]

            expected = differences(network, loss_alone)
            scale = max(1.0, np.abs(expected).max(initial=0))
            np.testing.assert_allclose(gradient, expected, rtol=0, atol=2e-7 * scale)


@pytest.mark.parametrize("bias", BIASES)
def test_jacobians_against_differences(bias):
    for seed in range(5):
        network = random_genome(seed, bias).network()
        x = np.random.default_rng(seed).normal(size=(3, network.n_inputs))
        jacobian = network.jacobian(x)
        assert jacobian.shape == (3, network.n_outputs, network.n_parameters)
        expected = differences(network, lambda network=network, x=x: network(x))
        expected = expected.reshape(network.n_parameters, 3, network.n_outputs)
        scale = max(1.0, np.abs(expected).max(initial=0))
        np.testing.assert_allclose(
            jacobian, expected.transpose(1, 2, 0), rtol=0, atol=2e-8 * scale)
        assert np.array_equal(network.jacobian(x[1]), jacobian[1])

        by_inputs = network.input_jacobian(x)
        assert by_inputs.shape == (3, network.n_outputs, network.n_inputs)
        for k in range(network.n_inputs):
            h = np.zeros(network.n_inputs)
            h[k] = 6e-6
            expected = (network(x + h) - network(x - h)) / 1.2e-5
            scale = max(1.0, np.abs(expected).max())
            np.testing.assert_allclose(by_inputs[:, :, k], expected, rtol=0, atol=2e-8 * scale)
        assert np.array_equal(network.input_jacobian(x[2]), by_inputs[2])


TORCH = {
    "identity": lambda torch, z: z,
    "sigmoid": lambda torch, z: torch.sigmoid(z),
    "steep_sigmoid": lambda torch, z: torch.sigmoid(4.9 * z),
    "tanh": lambda torch, z: torch.tanh(z),
    "softplus": lambda torch, z: torch.nn.functional.softplus(z, threshold=1e9),
    "gelu": lambda torch, z: torch.nn.functional.gelu(z),
    "sin": lambda torch, z: torch.sin(z),
    "gaussian": lambda torch, z: torch.exp(-z * z),
    "silu": lambda torch, z: torch.nn.functional.silu(z),
}


def torch_outputs(torch, genome, x, weights, biases):
    """Outputs by definition, each node when it is asked for; weights and biases by gene."""
    connections, nodes = genome.connections, genome.nodes
    values = {}
    for k, node in enumerate(nodes):
        if node["kind"] == "input":
            values[node["id"]] = x[:, k]
        elif node["kind"] == "bias":
            values[node["id"]] = torch.ones(len(x), dtype=torch.float64)
    by_id = {node["id"]: (node["activation"], k) for k, node in enumerate(nodes)}

    def value(node):
        if node not in values:
            activation, k = by_id[node]
            z = biases[k] * torch.ones(len(x), dtype=torch.float64)
            for i, gene in enumerate(connections):
                if gene["enabled"] and gene["target"] == node:
                    z = z + weights[i] * value(gene["source"])
            values[node] = TORCH[activation](torch, z)
        return values[node]

    ids = nodes["id"][nodes["kind"] == "output"]
    return torch.stack([value(node) for node in ids], dim=1)


@pytest.mark.parametrize("bias", BIASES)
@pytest.mark.parametrize("seed", range(6))
def test_against_torch(bias, seed):
    torch = pytest.importorskip("torch")
    genome = random_genome(seed, bias)
    network = genome.network()
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(40, network.n_inputs))
    y = rng.normal(size=(40, network.n_outputs))
    row_weights = rng.uniform(0, 1, 40)
    weights = torch.tensor(np.array(genome.connections["weight"]), requires_grad=True)
    biases = torch.tensor(np.array(genome.nodes["bias"]), requires_grad=True)
    outputs = torch_outputs(torch, genome, torch.tensor(x), weights, biases)
    errors = ((outputs - torch.tensor(y)) ** 2).sum(dim=1)
    expected_value = (errors * torch.tensor(row_weights)).sum() / row_weights.sum()
    if expected_value.requires_grad:
        expected_value.backward()
    zeros = torch.zeros_like
    by_weight = (weights.grad if weights.grad is not None else zeros(weights)).numpy()
    by_bias = (biases.grad if biases.grad is not None else zeros(biases)).numpy()
    expected = [*by_weight[genome.connections["enabled"]]]
    if bias == "per_node":
        expected += [*by_bias[network.n_inputs:]]
    value, gradient = network.loss_and_gradient(x, y, "squared_error", row_weights)
    np.testing.assert_allclose(value, expected_value.item(), rtol=1e-12)
    scale = max(1.0, np.abs(expected).max(initial=0))
    np.testing.assert_allclose(gradient, expected, rtol=0, atol=1e-12 * scale)


def test_what_no_output_depends_on_has_gradient_0(oracle):
    config = neat.Config(2, 1, bias="per_node", activation="tanh")
    # node 3 leads to the output 2, node 4 nowhere, node 5 only through a disabled gene
    rows = [(0, 0, 3, 0.5, True), (1, 3, 2, 1.5, True), (2, 1, 4, 0.7, True),
            (3, 1, 5, 0.3, True), (4, 5, 2, 0.2, False), (5, 0, 2, 1.0, True)]
    network = neat.Genome.from_connections(config, rows).network()
    x, y, _ = rows_for(network, 5, "squared_error", oracle)
    _, gradient = network.loss_and_gradient(x, y)
    # weights 0, 1, 2, 3, 5 and biases of 2, 3, 4, 5
    assert (gradient != 0).tolist() == [True, True, False, False, True, True, True, False, False]


def test_an_output_that_feeds_another_node():
    config = neat.Config(1, 2, mode="recurrent", bias=None, activation="sigmoid")
    rows = [(0, 0, 1, 1.5, True), (1, 1, 2, -2.0, True), (2, 0, 2, 0.5, True)]
    network = neat.Genome.from_connections(config, rows).network(mode="feed_forward")
    x, y = np.array([[0.3], [-1.0]]), np.array([[1.0, 0.0], [0.25, 1.0]])
    for loss in ("binary_cross_entropy", "squared_error"):
        _, gradient = network.loss_and_gradient(x, y, loss)
        expected = differences(
            network, lambda loss=loss: network.loss_and_gradient(x, y, loss)[0])
        np.testing.assert_allclose(gradient, expected, rtol=0, atol=1e-8)


def test_custom_loss(oracle):
    loss = fn.Loss(lambda p, y: ((p - y) ** 2).sum(axis=1), lambda p, y: 2 * (p - y))
    network = random_genome(3).network()
    x, y, weights = rows_for(network, 9, "squared_error", oracle)
    value, gradient = network.loss_and_gradient(x, y, loss, weights)
    expected = network.loss_and_gradient(x, y, "squared_error", weights)
    np.testing.assert_allclose(value, expected[0], rtol=1e-12)
    np.testing.assert_allclose(gradient, expected[1], rtol=1e-10, atol=1e-12)

    def fails(p, y):
        raise ArithmeticError("no")

    with pytest.raises(ArithmeticError, match="no"):
        network.loss_and_gradient(x, y, fn.Loss(fails, fails))


@pytest.mark.parametrize("bias", BIASES)
def test_float32(oracle, bias):
    genome = random_genome(5, bias)
    single, double = genome.network(dtype="float32"), genome.network()
    x, y, _ = rows_for(double, 20, "squared_error", oracle)
    value, gradient = single.loss_and_gradient(x, y)
    assert gradient.dtype == np.float32
    expected = double.loss_and_gradient(x, y)
    scale = max(1.0, np.abs(expected[1]).max())
    # as in the tests of the kernels: 20 rows, and no more than 40 edges and 10 nodes
    tolerance = oracle.tolerance(np.float32, 20, [40] + [0] * 9, scale)
    np.testing.assert_allclose(value, expected[0], rtol=tolerance)
    np.testing.assert_allclose(gradient, expected[1], rtol=0, atol=tolerance)


def test_loss_auto(oracle):
    one = neat.Config(1, 1, bias=None, activation="tanh", output_activation="sigmoid")
    rows = [(0, 0, 1, 0.5, True)]
    network = neat.Genome.from_connections(one, rows).network()
    x, y = [[0.5], [2.0]], [1.0, 0.0]
    assert network.loss_and_gradient(x, y)[0] == network.loss_and_gradient(
        x, y, "binary_cross_entropy")[0]
    steep = neat.Genome.from_connections(one.replace(output_activation="steep_sigmoid"), rows)
    assert steep.network().loss_and_gradient(x, y)[0] == steep.network().loss_and_gradient(
        x, y, "squared_error")[0]


def test_out(oracle):
    network = random_genome(1).network()
    x, y, _ = rows_for(network, 4, "squared_error", oracle)
    out = np.empty(network.n_parameters)
    value, gradient = network.loss_and_gradient(x, y, out=out)
    assert gradient is out
    again = network.loss_and_gradient(x, y)
    assert value == again[0]
    assert np.array_equal(out, again[1])
    with pytest.raises(ValueError, match="parameters"):
        network.loss_and_gradient(x, y, out=network.parameters)


def test_a_network_without_parameters():
    config = neat.Config(2, 1, bias=None, activation="sigmoid")
    network = neat.Genome.from_connections(config, []).network()
    value, gradient = network.loss_and_gradient([[1.0, 2.0]], [0.0], "squared_error")
    assert value == 0.25
    assert gradient.shape == (0,)


@pytest.mark.parametrize("mode", ["recurrent", "time_step"])
def test_other_modes_are_refused(mode):
    network = random_genome(0, mode=mode).network()
    x = np.zeros((2, network.n_inputs))
    y = np.zeros((2, network.n_outputs))
    for call in (network.loss_and_gradient, network.fit, network.evaluate):
        with pytest.raises(ValueError, match=f"feed_forward.*{mode}"):
            call(x, y)
    for call in (network.jacobian, network.input_jacobian):
        with pytest.raises(ValueError, match=f"feed_forward.*{mode}"):
            call(x)


def test_losses_that_the_outputs_do_not_suit():
    network = random_genome(0).network()
    x, y = np.zeros((2, network.n_inputs)), np.zeros((2, network.n_outputs))
    for loss in ("cross_entropy", "kl_divergence", "binary_cross_entropy"):
        with pytest.raises(ValueError, match=loss):
            network.loss_and_gradient(x, y, loss)
    config = neat.Config(1, 2, bias=None, activation="sigmoid")
    rows = [(0, 0, 1, 1.0, True), (1, 0, 2, 1.0, True)]
    mixed = neat.Genome.from_connections(config, rows, nodes=[(2, "output", "tanh", 0.0)])
    with pytest.raises(ValueError, match=r"sigmoid.*tanh"):
        mixed.network().loss_and_gradient([[1.0]], [[1.0, 0.0]], "binary_cross_entropy")


def test_bad_input():
    network = neat.Genome(neat.Config(2, 1), rng=0).network()
    with pytest.raises(ValueError, match="X"):
        network.loss_and_gradient(np.zeros((2, 3)), np.zeros(2))
    with pytest.raises(ValueError, match="y"):
        network.loss_and_gradient(np.zeros((2, 2)), np.zeros(3))
    with pytest.raises(ValueError, match="X"):
        network.loss_and_gradient([[np.nan, 0.0]], [0.0])
    with pytest.raises(ValueError, match="sample_weight"):
        network.loss_and_gradient(np.zeros((2, 2)), np.zeros(2), sample_weight=[1.0])
    with pytest.raises(ValueError, match="reduction"):
        network.loss_and_gradient(np.zeros((2, 2)), np.zeros(2), reduction="max")
    for call in (network.jacobian, network.input_jacobian):
        with pytest.raises(ValueError, match="X"):
            call(np.zeros(3))
    unbuilt = neat.Network.__new__(neat.Network)
    for call in (unbuilt.loss_and_gradient, unbuilt.fit, unbuilt.evaluate):
        with pytest.raises(RuntimeError, match="__init__"):
            call(np.zeros((2, 2)), np.zeros(2))
    with pytest.raises(RuntimeError, match="__init__"):
        unbuilt.update_genome()


def test_threads_predict_the_same_bits():
    network = random_genome(2).network()
    x = np.random.default_rng(0).normal(size=(200_000, network.n_inputs))
    expected = network(x)
    assert np.array_equal(network.predict(x, n_threads=2), expected)
    assert np.array_equal(network.predict(x[0], n_threads=2), network(x[0]))
    with pytest.raises(ValueError, match="X"):
        network.predict(np.zeros((200_000, network.n_inputs + 1)), n_threads=2)


def test_check_gradient(dtype):
    config = neat.Config(3, 2, bias="per_node", activation="tanh")
    genome = neat.Genome(config, rng=0)
    for k in range(8):
        genome.add_node(k)
        genome.add_connection(k)
    network = genome.network(dtype=dtype)
    before = network.parameters.copy()
    rng = np.random.default_rng(0)
    assert fn.check_gradient(network, rng.normal(size=(9, 3)), rng.normal(size=(9, 2))) < 1e-6
    assert np.array_equal(network.parameters, before)
    with pytest.raises(TypeError, match="net must be a network"):
        fn.check_gradient(genome, [[1.0]], [1.0])
