"""The tasks that run without the interpreter, against their definitions."""

import copy
import pickle
import threading

import numpy as np
import pytest

import fastnet as fn
from fastnet import neat
from fastnet.neat.tasks.base import is_population_fitness

PATTERNS = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]
TARGETS = [0.0, 1.0, 1.0, 0.0]

# inputs 0 and 1, bias 2, output 3: x or y, not (x and y), both
SOLUTION = [
    (0, 0, 4, 4.0, True), (1, 1, 4, 4.0, True), (2, 2, 4, -2.0, True),
    (3, 0, 5, -4.0, True), (4, 1, 5, -4.0, True), (5, 2, 5, 6.0, True),
    (6, 4, 3, 4.0, True), (7, 5, 3, 4.0, True), (8, 2, 3, -6.0, True),
]


def network_of(rows, mode="feed_forward", dtype="float64", **fields):
    config = neat.Config(2, 1, mode=mode, **fields)
    return neat.Genome.from_connections(config, rows).network(dtype=dtype)


def paper_fitness(outputs):
    return (4 - sum(abs(y - t) for y, t in zip(outputs, TARGETS, strict=True))) ** 2


@pytest.mark.parametrize("mode", ["feed_forward", "recurrent", "time_step"])
def test_xor_of_a_solution(mode, dtype):
    task = neat.tasks.XOR()
    network = network_of(SOLUTION, mode, dtype)
    fitness = task.evaluate(network)
    assert fitness > 15.9
    assert task.solved(network, fitness)


def test_xor_by_definition(dtype):
    task = neat.tasks.XOR()
    for seed in range(30):
        rng = np.random.default_rng(seed)
        rows = [(*row[:3], rng.normal(), row[4]) for row in SOLUTION]
        network = network_of(rows, dtype=dtype)
        outputs = network(PATTERNS)[:, 0].astype(float)
        fitness = task.evaluate(network)
        np.testing.assert_allclose(fitness, paper_fitness(outputs), rtol=1e-13)
        assert task.solved(network, fitness) == (
            outputs[0] < 0.5 and outputs[1] > 0.5 and outputs[2] > 0.5 and outputs[3] < 0.5)
        assert task.evaluate(network, seed=7) == fitness


@pytest.mark.parametrize("errors", [
    (0.49, 0.49, 0.49, 0.49), (0.51, 0.0, 0.0, 0.0), (0.0, 0.51, 0.0, 0.0), (0.0, 0.0, 0.51, 0.0),
    (0.0, 0.0, 0.0, 0.51), (0.1, 0.2, 0.3, 0.4), (0.49, 0.49, 0.49, 0.51), (0.5, 0.5, 0.5, 0.5),
])
def test_xor_is_solved_on_the_right_side_of_one_half(errors):
    """A network with these very errors: cases on both sides of what the fitness alone decides."""
    task = neat.tasks.XOR()
    # values at the patterns of a + b x + c y + d relu(x + y - 1)
    y = [abs(t - e) for t, e in zip(TARGETS, errors, strict=True)]
    a, b, c = y[0], y[2] - y[0], y[1] - y[0]
    rows = [(0, 2, 3, a, True), (1, 0, 3, b, True), (2, 1, 3, c, True),
            (3, 0, 4, 1.0, True), (4, 1, 4, 1.0, True), (5, 2, 4, -1.0, True),
            (6, 4, 3, y[3] - a - b - c, True)]
    network = network_of(rows, activation="relu", output_activation="identity")
    np.testing.assert_allclose(network(PATTERNS)[:, 0], y, rtol=0, atol=1e-15)
    fitness = task.evaluate(network)
    np.testing.assert_allclose(fitness, (4 - sum(errors)) ** 2, rtol=1e-12)
    assert task.solved(network, fitness) == all(error < 0.5 for error in errors)


def test_xor_of_outputs_out_of_range():
    """Errors of more than 4 together would be rewarded by the square alone; NaN is no fitness."""
    task = neat.tasks.XOR()
    for weight in (1e3, -1e3, 1e308):
        network = network_of(
            [(0, 0, 3, weight, True), (1, 1, 3, weight, True)], activation="identity")
        assert task.evaluate(network) == 0
        assert not task.solved(network, 0.0)
    network = network_of(
        [(0, 0, 3, 1e308, True), (1, 1, 3, -1e308, True), (2, 2, 4, 1e308, True),
         (3, 4, 3, 1e308, True), (4, 4, 5, 1e308, True), (5, 5, 3, -1e308, True)],
        activation="identity")
    assert np.isnan(network(PATTERNS)).all()
    assert task.evaluate(network) == 0


def steps_of(network, n):
    """Outputs for the patterns after n steps each from a blank state."""
    outputs = []
    for pattern in PATTERNS:
        network.reset()
        for _ in range(n):
            y = network.step(pattern)
        outputs.append(float(y[0]))
    network.reset()
    return outputs


def test_xor_of_recurrent_networks():
    """As many steps as the longest path and one more; with a cycle as many as nodes, and one."""
    task = neat.tasks.XOR()
    chain = [(0, 0, 4, 1.5, True), (1, 4, 5, -2.0, True), (2, 5, 3, 2.5, True),
             (3, 1, 3, 0.5, True), (4, 2, 4, 0.25, True)]
    network = network_of(chain, "recurrent")
    settled = network_of(chain)(PATTERNS)[:, 0]
    assert steps_of(network, 4) == steps_of(network, 3) != steps_of(network, 2)
    np.testing.assert_allclose(task.evaluate(network), paper_fitness(settled), rtol=1e-13)

    # nodes 3, 4, 5 in a cycle: 3 + 1 steps
    cycle = [*chain, (5, 3, 4, 0.75, True)]
    network = network_of(cycle, "recurrent")
    outputs = steps_of(network, 4)
    assert outputs not in (steps_of(network, 3), steps_of(network, 5))
    np.testing.assert_allclose(task.evaluate(network), paper_fitness(outputs), rtol=1e-13)


def test_evaluation_leaves_the_state_of_the_network():
    network = network_of(SOLUTION, "recurrent")
    network.step([1.0, 0.0])
    other = copy.copy(network)
    neat.tasks.XOR().evaluate(network)
    for _ in range(3):
        assert network.step([1.0, 1.0]) == other.step([1.0, 1.0])


def test_config_of_a_task():
    task = neat.tasks.XOR()
    assert task.config() == neat.Config.paper(2, 1)
    assert task.config(population_size=20) == neat.Config.paper(2, 1, population_size=20)
    assert (task.n_inputs, task.n_outputs) == (2, 1)
    data = neat.tasks.Dataset(np.zeros((5, 3)), np.zeros((5, 2)))
    assert data.config(bias=None) == neat.Config.paper(3, 2, bias=None)


def test_xor_object():
    task = neat.tasks.XOR()
    assert repr(task) == "XOR()"
    assert task == neat.tasks.XOR() == pickle.loads(pickle.dumps(task)) == copy.deepcopy(task)
    assert task != 3
    assert hash(task) == hash(neat.tasks.XOR())
    for given, options in (((3,), {}), ((), {"n_inputs": 3})):
        with pytest.raises(TypeError):
            neat.tasks.XOR(*given, **options)
    assert isinstance(task, neat.tasks.NativeTask)


# ---- data sets

LOSSES = ["squared_error", "half_squared_error", "absolute_error", "huber", "log_cosh", "poisson",
          "hinge", "quantile", "binary_cross_entropy", fn.losses.huber(0.25),
          fn.losses.quantile(0.8)]


@pytest.mark.parametrize("loss", LOSSES, ids=str)
@pytest.mark.parametrize("n_rows", [1, 50, 2500])
def test_dataset_by_definition(oracle, loss, n_rows):
    rng = np.random.default_rng(n_rows)
    kind = loss if isinstance(loss, str) else loss.name
    x = rng.normal(size=(n_rows, 2))
    y = oracle.targets_for(kind, rng, (n_rows, 2))
    config = neat.Config(2, 2, activation="sigmoid")
    genome = neat.Genome(config, rng=1)
    task = neat.tasks.Dataset(x, y, loss)
    network = genome.network()
    expected = -fn.losses.value(loss, network(x), y).mean()
    np.testing.assert_allclose(task.evaluate(network), expected, rtol=1e-11)
    single = genome.network(dtype="float32")
    # sums of 5000 terms of about 1, logarithms near 0
    np.testing.assert_allclose(task.evaluate(single), expected, rtol=2e-4)


@pytest.mark.parametrize("mode", ["recurrent", "time_step"])
def test_dataset_of_other_modes(mode):
    """Every row from a blank state; recurrent networks settle, as with XOR."""
    x = np.array(PATTERNS)
    task = neat.tasks.Dataset(x, TARGETS)
    network = network_of(SOLUTION, mode)
    outputs = steps_of(network, 3) if mode == "recurrent" else network(x)[:, 0]
    expected = -np.mean((np.array(outputs) - TARGETS) ** 2)
    np.testing.assert_allclose(task.evaluate(network), expected, rtol=1e-12)
    assert expected > -0.01


def test_dataset_target():
    x, y = np.array(PATTERNS), np.array(TARGETS)
    network = network_of(SOLUTION)
    fitness = neat.tasks.Dataset(x, y).evaluate(network)
    assert not neat.tasks.Dataset(x, y).solved(network, fitness)
    assert neat.tasks.Dataset(x, y, target=fitness).solved(network, fitness)
    assert not neat.tasks.Dataset(x, y, target=fitness / 2).solved(network, fitness)
    assert not neat.tasks.Dataset(x, y, target=-1.0).solved(network, -2.0)


def test_dataset_of_losses_without_end():
    task = neat.tasks.Dataset([[1.0], [2.0]], [1.0, 2.0], "poisson")
    config = neat.Config(1, 1, bias=None, activation="identity")
    negative = neat.Genome.from_connections(config, [(0, 0, 1, -1.0, True)]).network()
    assert task.evaluate(negative) == -np.inf
    task = neat.tasks.Dataset([[1.0]], [1.0], "binary_cross_entropy")
    sure = neat.Genome.from_connections(config, [(0, 0, 1, 1.0, True)]).network()
    assert task.evaluate(sure) == 0
    wrong = neat.Genome.from_connections(config, [(0, 0, 1, 0.0, True)]).network()
    assert task.evaluate(wrong) == -np.inf
    beyond = neat.Genome.from_connections(config, [(0, 0, 1, 1.5, True)]).network()
    assert task.evaluate(beyond) == -np.inf
    assert not neat.tasks.Dataset([[1.0]], [1.0], target=-1.0).solved(beyond, -np.inf)


def test_dataset_copies():
    x, y = np.array(PATTERNS), np.array(TARGETS)
    task = neat.tasks.Dataset(x, y)
    network = network_of(SOLUTION)
    before = task.evaluate(network)
    x[:] = 5
    y[:] = 5
    assert task.evaluate(network) == before
    assert task.y.shape == (4, 1)
    for array in (task.X, task.y):
        with pytest.raises(ValueError, match="read-only"):
            array[0, 0] = 1
    with pytest.raises(RuntimeError, match="built once"):
        task.__init__(x, y)
    assert task.evaluate(network) == before


def test_dataset_object():
    x, y = np.array(PATTERNS), np.array(TARGETS)
    task = neat.tasks.Dataset(x, y, fn.losses.huber(0.5), target=-0.25)
    assert repr(task) == (
        "Dataset(<4 rows, 2 inputs, 1 outputs>, loss=fastnet.losses.huber(delta=0.5), "
        "target=-0.25)")
    network = network_of(SOLUTION)
    for other in (pickle.loads(pickle.dumps(task)), copy.deepcopy(task), copy.copy(task)):
        assert other == task
        assert other.evaluate(network) == task.evaluate(network)
    assert task != neat.tasks.Dataset(x, y)
    assert task != neat.tasks.Dataset(x, y, fn.losses.huber(0.5))
    assert task != neat.tasks.Dataset(x, 1 - y, fn.losses.huber(0.5), target=-0.25)
    assert task != "a task"
    with pytest.raises(TypeError, match="unhashable"):
        hash(task)


@pytest.mark.parametrize(("arguments", "error", "name"), [
    (([], []), ValueError, "X"),
    ((np.zeros((0, 2)), np.zeros(0)), ValueError, "X"),
    ((np.zeros((3, 0)), np.zeros(3)), ValueError, "X"),
    ((np.zeros(3), np.zeros(3)), ValueError, "X"),
    (([[np.nan]], [0.0]), ValueError, "X"),
    (([["a"]], [0.0]), TypeError, "X"),
    (([[1.0]], [np.inf]), ValueError, "y"),
    (([[1.0]], [0.0, 1.0]), ValueError, "y"),
    ((np.zeros((3, 1)), np.zeros((3, 0))), ValueError, "y"),
    ((np.zeros((3, 1)), np.zeros((3, 1, 1))), ValueError, "y"),
    (([[1.0]], [2.0], "binary_cross_entropy"), ValueError, "y"),
    (([[1.0]], [0.5], "hinge"), ValueError, "y"),
    (([[1.0]], [0.5], "squared_eror"), ValueError, "squared_error"),
    (([[1.0]], [0.5], 3), TypeError, "loss"),
    (([[1.0]], [0.5], "cross_entropy"), ValueError, "softmax"),
    (([[1.0]], [0.5], "kl_divergence"), ValueError, "softmax"),
    (([[1.0]], [0.5], "squared_error", "a"), TypeError, "target"),
    (([[1.0]], [0.5], "squared_error", True), TypeError, "target"),
    (([[1.0]], [0.5], "squared_error", np.nan), ValueError, "target"),
    (([[1.0]], [0.5], "squared_error", 10**400), ValueError, "target"),
])
def test_bad_data(arguments, error, name):
    with pytest.raises(error, match=name):
        neat.tasks.Dataset(*arguments)


def test_custom_losses_are_for_fitness_functions():
    loss = fn.Loss(lambda p, y: (p - y).sum(axis=1), lambda p, y: np.ones_like(p))
    with pytest.raises(TypeError, match="fitness function"):
        neat.tasks.Dataset([[1.0]], [1.0], loss)


def test_bad_networks():
    task = neat.tasks.XOR()
    other = neat.Genome(neat.Config(3, 1), rng=0).network()
    for call in (task.evaluate, lambda network: task.solved(network, 1.0)):
        with pytest.raises(ValueError, match="2 inputs and 1 outputs, got 3 and 1"):
            call(other)
        with pytest.raises(TypeError, match="network"):
            call(other.genome)
        with pytest.raises(RuntimeError, match="__init__"):
            call(neat.Network.__new__(neat.Network))
    network = network_of(SOLUTION)
    with pytest.raises(TypeError, match="seed"):
        task.evaluate(network, "a")
    with pytest.raises(ValueError, match="seed"):
        task.evaluate(network, -1)
    with pytest.raises(TypeError, match="fitness must be a number"):
        task.solved(network, "nan")
    with pytest.raises(ValueError, match="fitness is too large"):
        task.solved(network, 10**400)


def test_many_threads_use_one_task():
    rng = np.random.default_rng(0)
    task = neat.tasks.Dataset(rng.normal(size=(3000, 2)), rng.normal(size=3000))
    networks = [
        network_of([(*row[:3], rng.normal(), True) for row in SOLUTION]) for _ in range(4)
    ]
    expected = [task.evaluate(network) for network in networks]
    got = [[] for _ in networks]

    def work(k):
        got[k] += [task.evaluate(networks[k]) for _ in range(20)]

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got == [[value] * 20 for value in expected]


def test_methods_of_a_class_derived_from_a_task_count():
    class Halved(neat.tasks.XOR):
        def evaluate(self, network, seed=0):
            return super().evaluate(network, seed) / 2

    class Never(neat.tasks.XOR):
        def solved(self, network, fitness):
            return False

    class Same(neat.tasks.XOR):
        pass

    config = neat.tasks.XOR().config(population_size=20)
    populations = [neat.Population(config, seed=1) for _ in range(3)]
    for population, task in zip(populations, (neat.tasks.XOR(), Halved(), Same()), strict=True):
        population.step(task)
    plain, halved, same = (population.fitness for population in populations)
    np.testing.assert_array_equal(halved, plain / 2)
    np.testing.assert_array_equal(same, plain)
    genome = neat.Genome.from_connections(config.replace(population_size=1), SOLUTION)
    for task, solved in ((neat.tasks.XOR(), True), (Never(), False)):
        population = neat.Population(genome.config, genomes=[genome])
        assert population.run(task, generations=1).solved is solved


# ---- population_fitness

def test_population_fitness_marks():
    @neat.population_fitness
    def fitness(networks):
        return [0.0] * len(networks)

    assert is_population_fitness(fitness)
    assert fitness([1, 2]) == [0.0, 0.0]
    assert not is_population_fitness(lambda network: 0.0)

    class Judge:
        @neat.population_fitness
        def judge(self, networks):
            return [1.0] * len(networks)

    assert is_population_fitness(Judge().judge)
    with pytest.raises(TypeError, match="callable"):
        neat.population_fitness(3)
    with pytest.raises(TypeError, match="wrap it"):
        neat.population_fitness(len)
