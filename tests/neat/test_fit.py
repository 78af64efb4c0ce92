"""Training the network of a genome, and what its genome has of it."""

import copy
import pickle

import numpy as np
import pytest

import fastnet as fn
from fastnet import neat

X = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
Y = np.array([0.0, 1.0, 1.0, 0.0])
# inputs 0 and 1, bias 2, output 3; three hidden nodes
XOR_ROWS = [
    (0, 0, 3, 0.1, True), (1, 1, 3, -0.2, True), (2, 2, 3, 0.3, True),
    (3, 0, 4, 0.9, True), (4, 1, 4, 0.8, True), (5, 2, 4, -0.3, True), (6, 4, 3, -0.7, True),
    (7, 0, 5, -0.6, True), (8, 1, 5, 0.5, True), (9, 2, 5, 0.2, True), (10, 5, 3, 0.4, True),
    (11, 4, 6, 0.5, False), (12, 6, 3, 0.25, True),
]


def xor_genome(**fields):
    fields = {"activation": "tanh", "output_activation": "sigmoid"} | fields
    return neat.Genome.from_connections(neat.Config(2, 1, **fields), XOR_ROWS)


def test_xor_is_learned_and_written_back(dtype):
    genome = xor_genome()
    genome.fitness = 9.0
    network = genome.network(dtype=dtype)
    history = network.fit(X, Y, optimizer=fn.optim.Adam(0.05), epochs=400, batch_size=None, seed=0)
    assert network.history is history
    assert history.loss[-1] < 0.05 < history.loss[0]
    assert ((network(X)[:, 0] > 0.5) == (Y > 0.5)).all()
    connections = genome.connections
    assert np.array_equal(connections["weight"][connections["enabled"]], network.parameters)
    # the weight of a disabled connection stays
    assert connections["weight"][11] == 0.5
    assert np.array_equal(genome.network(dtype=dtype)(X), network(X))
    assert genome.fitness is None
    assert neat.tasks.XOR().solved(network, neat.tasks.XOR().evaluate(network))
    assert network.evaluate(X, Y, metrics=["accuracy"])["accuracy"] == 1


@pytest.mark.parametrize("optimizer", [
    "sgd", "adam", "adamw", "rmsprop", "adagrad", "rprop", "lbfgs", "levenberg_marquardt",
])
def test_optimizers(optimizer):
    genome = xor_genome()
    before = genome.copy()
    network = genome.network()
    start = network.evaluate(X, Y, "squared_error")["loss"]
    history = network.fit(X, Y, "squared_error", optimizer, epochs=20, batch_size=None, seed=0)
    assert history.loss[-1] < start
    assert network.evaluate(X, Y, "squared_error")["loss"] < start
    assert genome != before


@pytest.mark.parametrize("optimizer", ["lbfgs", "levenberg_marquardt"])
def test_a_linear_network_finds_the_least_squares(optimizer):
    rng = np.random.default_rng(0)
    config = neat.Config(3, 2, activation="identity")
    genome = neat.Genome(config, rng=0)
    x, y = rng.normal(size=(30, 3)), rng.normal(size=(30, 2))
    weights = rng.uniform(0.5, 1.5, 30)
    network = genome.network()
    network.fit(x, y, optimizer=optimizer, epochs=100, sample_weight=weights)
    root = np.sqrt(weights)[:, None]
    design = np.column_stack([x, np.ones(30)])
    expected = np.linalg.lstsq(root * design, root * y, rcond=None)[0]
    np.testing.assert_allclose(network(x), design @ expected, rtol=0, atol=1e-5)
    written = {(c["source"], c["target"]): c["weight"] for c in genome.connections}
    for source in range(4):
        for k in range(2):
            np.testing.assert_allclose(written[source, 4 + k], expected[source, k], atol=1e-5)


def test_biases_of_nodes_are_written_back():
    config = neat.Config(1, 1, bias="per_node", activation="identity")
    rows = [(0, 0, 2, 1.0, True), (1, 2, 1, 1.0, True), (2, 0, 1, 0.5, False)]
    genome = neat.Genome.from_connections(config, rows, nodes=[(2, "hidden", "tanh", 0.5)])
    network = genome.network()
    x = np.linspace(-1, 1, 9)[:, None]
    network.fit(x, np.sin(2 * x) + 1, optimizer="lbfgs", epochs=50)
    assert genome.nodes["bias"].tolist() == [0.0, *network.parameters[2:]]
    assert network.parameters[2:].all()
    assert genome.connections["weight"].tolist() == [*network.parameters[:2], 0.5]


def test_l2_is_of_weights_and_not_of_biases():
    config = neat.Config(1, 1, bias="per_node", activation="identity")
    genome = neat.Genome.from_connections(
        config, [(0, 0, 1, 2.0, True)], nodes=[(1, "output", "identity", 3.0)])
    network = genome.network()
    # one step of 0.1 at a point where the loss itself has no slope
    network.fit([[1.0]], [5.0], optimizer=fn.optim.SGD(0.1), epochs=1, l2=1.0)
    np.testing.assert_allclose(network.parameters, [2.0 - 0.1 * 2.0, 3.0])


def test_threads_give_the_same_bits():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(5000, 2))
    y = (x[:, 0] * x[:, 1] > 0).astype(float)
    ends = []
    for n_threads in (1, 2):
        network = xor_genome().network()
        network.fit(x, y, epochs=2, batch_size=2000, seed=3, n_threads=n_threads)
        ends.append(network.parameters.copy())
    assert np.array_equal(*ends)


def test_everything_that_fit_reports():
    network = xor_genome().network()
    seen = []
    history = network.fit(
        X, Y, epochs=6, seed=0, metrics=["accuracy"], validation_data=(X, Y),
        early_stopping=fn.EarlyStopping(patience=50),
        callbacks=[lambda net, epoch, logs: seen.append((net, epoch))], class_weight="balanced",
    )
    assert seen == [(network, k) for k in range(6)]
    assert len(history.validation_loss) == 6
    assert len(history.metrics["accuracy"]) == 6
    assert set(network.evaluate(X, Y, metrics=["accuracy"])) == {"loss", "accuracy"}
    for other in (copy.copy(network), copy.deepcopy(network), pickle.loads(pickle.dumps(network))):
        assert np.array_equal(other.parameters, network.parameters)
        assert other.history.loss == history.loss


def test_structure_that_changed_before():
    genome = xor_genome()
    network = genome.network()
    before = network.parameters.copy()
    genome.toggle_connection(0, innovation=11)
    changed = genome.copy()
    with pytest.raises(ValueError, match="genome"):
        network.fit(X, Y, epochs=1)
    with pytest.raises(ValueError, match="genome"):
        network.update_genome()
    assert genome == changed
    assert np.array_equal(network.parameters, before)
    assert network.history is None


def test_structure_that_changes_meanwhile():
    genome = xor_genome()
    network = genome.network()
    with pytest.raises(ValueError, match="during the training"):
        network.fit(
            X, Y, epochs=1,
            callbacks=lambda net, epoch, logs: genome.toggle_connection(0, innovation=11) and None)
    weights = genome.connections["weight"].tolist()
    assert weights == [row[3] for row in XOR_ROWS]


def test_an_error_leaves_the_genome():
    genome = xor_genome()
    before = genome.copy()
    network = genome.network()

    def fails(net, epoch, logs):
        raise ArithmeticError("no")

    with pytest.raises(ArithmeticError):
        network.fit(X, Y, epochs=3, callbacks=fails)
    assert genome == before
    assert not np.array_equal(network.parameters, before.network().parameters)
    # what was learned can still be had
    network.update_genome()
    assert np.array_equal(genome.network().parameters, network.parameters)


def test_numbers_that_no_genome_may_have():
    genome = xor_genome()
    before = genome.copy()
    network = genome.network()
    network.parameters[2] = np.inf
    with pytest.raises(ValueError, match=r"parameters\[2\]"):
        network.update_genome()
    assert genome == before


def test_parameters_of_the_user_are_where_training_starts():
    genome = xor_genome()
    network = genome.network()
    network.parameters[:] = 0.5
    network.fit(X, Y, epochs=0)
    enabled = genome.connections["enabled"]
    assert (genome.connections["weight"][enabled] == 0.5).all()


def test_a_network_of_a_population_keeps_its_genome():
    """It is a copy of the one in the population, which training must not change."""
    seen = []

    @neat.population_fitness
    def fitness(networks):
        seen.extend(networks[k] for k in (0, 3))
        return np.arange(len(networks))

    config = neat.Config(2, 1, population_size=6, activation="tanh", output_activation="sigmoid")
    population = neat.Population(config, seed=0)
    population.step(fitness)
    network = seen[1]
    before = population.genomes[3]
    assert network.genome is network.genome
    assert network.genome == before
    network.fit(X, Y, epochs=5, seed=0)
    assert np.array_equal(network.genome.network().parameters, network.parameters)
    assert network.genome != before
    assert population.genomes[3] == before


def test_nothing_to_train():
    config = neat.Config(2, 1, bias=None)
    network = neat.Genome.from_connections(config, [(0, 0, 2, 1.0, False)]).network()
    for optimizer in ("adam", "levenberg_marquardt"):
        with pytest.raises(ValueError, match="nothing can be trained"):
            network.fit(X, Y, optimizer=optimizer)


def test_wrong_arguments_change_nothing():
    genome = xor_genome()
    before = genome.copy()
    network = genome.network()
    for arguments, error in (
        ({"epochs": -1}, ValueError), ({"optimizer": "addam"}, ValueError),
        ({"loss": "cross_entropy"}, ValueError), ({"batch_size": 0}, ValueError),
        ({"n_threads": 0}, ValueError), ({"l1": -1.0}, ValueError), ({"callbacks": 3}, TypeError),
        ({"seed": "a"}, TypeError),
    ):
        with pytest.raises(error, match=next(iter(arguments))):
            network.fit(X, Y, **arguments)
    assert genome == before
    assert np.array_equal(network.parameters, before.network().parameters)
    assert network.history is None
