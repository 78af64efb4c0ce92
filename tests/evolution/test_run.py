"""Runs: generations one after another, tasks, results, copies and threads."""

import copy
import math
import pickle

import numpy as np
import pytest

import fastnet as fn
from fastnet import neat
from fastnet.evolution import History, Record
from fastnet.neat import tasks

X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], float)
Y = np.array([[0], [1], [1], [0]], float)


def xor_net(dtype="float32", **settings):
    return fn.Network([2, 4, 1], hidden="tanh", output="sigmoid", dtype=dtype, seed=0, **settings)


def algorithm(seed=3, n=30, net=None, **settings):
    return fn.GeneticAlgorithm(xor_net() if net is None else net, n, seed=seed, **settings)


def closeness(network):
    """A smooth function of the parameters; larger is better."""
    return -float(np.sum((network.parameters.astype(float) - 1) ** 2))


def of_rows(P):
    return -np.sum((P.astype(float) - 1) ** 2, axis=1)


def state_of(ga):
    return (
        ga.population.tobytes(), ga.fitness.tobytes(), ga.generation, ga.evaluations,
        ga.best_fitness, None if ga.best is None else ga.best.parameters.tobytes(),
        repr(list(ga.history)), repr(ga),
    )  # fmt: skip


def test_the_first_generation_is_the_network_and_others_of_its_initializers():
    net = xor_net(init="he_normal")
    net.parameters[:] = np.arange(17)
    ga = algorithm(net=net, n=400)
    P = ga.ask()
    assert P.shape == (400, 17)
    assert P.dtype == net.dtype
    np.testing.assert_array_equal(P[0], np.arange(17))
    others = fn.Network([2, 4, 1], hidden="tanh", output="sigmoid", init="zeros")
    for row in P[1:]:
        others.parameters[:] = row
        assert not others.layers[0].biases.any()
        assert not others.layers[1].biases.any()
    # He et al. 2015: variance 2 / n_in, here of 399 * 8 and 399 * 4 weights; a sample variance of
    # m normal numbers has the standard deviation sqrt(2 / m) of itself
    assert abs(P[1:, :8].var() - 1) < 4.5 * math.sqrt(2 / (399 * 8))
    assert abs(P[1:, 12:16].var() - 0.5) < 4.5 * 0.5 * math.sqrt(2 / (399 * 4))
    assert len({row.tobytes() for row in P}) == 400
    np.testing.assert_array_equal(net.parameters, np.arange(17))


def test_the_given_population_is_the_first_one(dtype):
    rows = np.random.default_rng(0).normal(size=(30, 17))
    ga = algorithm(net=xor_net(dtype), population=rows)
    np.testing.assert_array_equal(ga.ask(), rows.astype(dtype))
    rows[:] = 0
    assert ga.ask().any()
    lists = algorithm(n=2, population=[[1] * 17, [2] * 17])
    assert lists.ask().tolist() == [[1] * 17, [2] * 17]


def test_the_network_is_copied():
    net = xor_net()
    ga, twin = algorithm(net=net), algorithm()
    net.parameters[:] = 7
    ga.net.parameters[:] = 8
    assert ga.run(closeness, 3).fitness == twin.run(closeness, 3).fitness
    assert (ga.net.parameters == xor_net().parameters).all()


def test_asking_again_gives_the_same_array_that_nobody_can_change():
    ga = algorithm()
    for _ in range(3):
        P = ga.ask()
        assert ga.ask() is P
        with pytest.raises(ValueError, match="read-only"):
            P[0, 0] = 1
        ga.tell(of_rows(P))


def test_a_held_population_stays_what_it_is():
    ga, twin = algorithm(), algorithm()
    held = []
    for generation in range(6):
        P = ga.ask()
        if generation % 2:
            held.append((P, P.copy()))
        else:
            held.append((P[3], P[3].copy()))
        ga.tell(of_rows(P))
        twin.tell(of_rows(twin.ask()))
        del P
    for array, before in held:
        np.testing.assert_array_equal(array, before)
    assert state_of(ga) == state_of(twin)


def test_populations_reuse_memory():
    ga = algorithm()
    addresses = set()
    for _ in range(20):
        P = ga.ask()
        addresses.add(P.ctypes.data)
        fitness = of_rows(P)
        del P
        ga.tell(fitness)
    assert len(addresses) == 2


@pytest.mark.parametrize("selection", ["tournament", "rank", "truncation"])
def test_asking_and_telling_is_running(selection, dtype):
    by_hand, by_run, by_all = (
        algorithm(net=xor_net(dtype), selection=selection) for _ in range(3)
    )
    for _ in range(7):
        by_hand.tell(of_rows(by_hand.ask()))
    by_run.run(closeness, generations=3)
    by_run.run(closeness, generations=4)
    by_all.run(neat.population_fitness(lambda nets: [closeness(net) for net in nets]), 7)
    assert state_of(by_hand) == state_of(by_run) == state_of(by_all)


def test_a_run_may_go_on_from_what_was_asked():
    ga, twin = algorithm(), algorithm()
    for _ in range(2):
        ga.ask()
        ga.run(closeness, 1)
        twin.run(closeness, 1)
        assert state_of(ga) == state_of(twin)
    with pytest.raises(RuntimeError, match="call ask first"):
        ga.tell(np.zeros(30))


def test_figures():
    ga = algorithm(n=4, mutation=None, crossover=None)
    ga.ask()
    ga.tell([1, -math.inf, 4, 2])
    assert ga.generation == 1
    assert ga.evaluations == 4
    assert ga.history[0] == Record(1, 4.0, pytest.approx(7 / 3), pytest.approx(math.sqrt(14) / 3))
    np.testing.assert_array_equal(ga.fitness, [1, -math.inf, 4, 2])
    assert ga.best_fitness == 4
    np.testing.assert_array_equal(ga.best.parameters, ga.population[2])
    ga.ask()
    ga.tell([-math.inf] * 4)
    assert ga.history.best.tolist() == [4, -math.inf]
    assert np.isnan(ga.history[1].mean)
    assert ga.history.generation.tolist() == [1, 2]
    assert repr(ga.history) == "History(2 generations, best=-inf, mean=nan)"
    assert repr(History()) == "History(no generations)"


def test_before_the_first_generation():
    ga = algorithm()
    assert ga.generation == ga.evaluations == len(ga.history) == 0
    assert ga.best is None
    assert ga.best_fitness is None
    assert np.isnan(ga.fitness).all()
    assert not ga.fitness.flags.writeable
    assert repr(ga) == "GeneticAlgorithm(30 networks of 17 parameters, generation 0)"
    result = ga.run(closeness, generations=0)
    assert result.best is result.fitness is result.parameters is None
    assert (result.solved, result.generations, result.evaluations) == (False, 0, 0)


def test_the_best_is_that_of_all_generations():
    ga = algorithm(elitism=0, mutation_rate=1, mutation_power=10)
    seen = []
    for _ in range(5):
        P = ga.ask()
        seen += [(value, row.tobytes()) for value, row in zip(of_rows(P), P, strict=True)]
        ga.tell(of_rows(P))
        value, row = max(seen)
        assert ga.best_fitness == value
        assert ga.best.parameters.tobytes() == row
    assert max(ga.history.best) == ga.best_fitness > ga.history[-1].best
    # of equals, the first
    ga = algorithm()
    P = ga.ask().copy()
    ga.tell(np.zeros(30))
    ga.ask()
    ga.tell(np.zeros(30))
    np.testing.assert_array_equal(ga.best.parameters, P[0])


def test_elitism_keeps_the_best():
    ga = algorithm(mutation_rate=1, mutation_power=10)
    ga.run(closeness, 20)
    assert (np.diff(ga.history.best) >= 0).all()
    assert ga.history[-1].best == ga.best_fitness


# ---- tasks --------------------------------------------------------------------------------------


@pytest.mark.parametrize("crossover", ["uniform", None])
def test_xor_is_solved(crossover, dtype):
    for seed in range(3):
        ga = algorithm(
            seed, 150, xor_net(dtype), crossover=crossover, mutation_power=1.0, tournament_size=2
        )
        result = ga.run(tasks.XOR(), generations=200)
        assert result.solved
        assert ((result.best(X) > 0.5) == (Y > 0.5)).all()
        assert result.generations == len(result.history) == ga.generation
        assert 150 * (ga.generation - 1) < result.evaluations <= 150 * ga.generation
        assert result.fitness > 0
        np.testing.assert_array_equal(result.parameters, result.best.parameters)


def slow_xor(network):
    """The fitness of the task in NumPy: (4 - sum of errors)^2, 0 where they are more than 4."""
    errors = np.abs(network(X) - Y)
    return max(0.0, 4 - float(errors.sum())) ** 2


def test_a_task_and_a_function_of_the_network_agree():
    nets = [
        xor_net("float64"),
        fn.Network([2, 3, 4, 1], hidden=["sin", "gaussian"], dtype="float64"),
        fn.Network([2, 5, 1], bias=False, output="sigmoid", dtype="float64"),
        fn.Network([2, 1], output="sigmoid", dtype="float64"),
    ]
    for net in nets:
        of_task, of_function = (algorithm(net=net) for _ in range(2))
        of_task.run(tasks.XOR(), 1, target=math.inf)
        of_function.run(slow_xor, 1)
        np.testing.assert_allclose(of_task.fitness, of_function.fitness, rtol=1e-12)


@pytest.mark.parametrize("name", sorted(set(fn.activations.names()) - {"softmax"}))
def test_tasks_know_every_elementwise_activation(name, dtype):
    layers = [fn.Dense(3, name, bias=False), fn.Dropout(0.5)]
    layers += [fn.Dense(4, "tanh"), fn.Dense(2, name)]
    net = fn.Network(3, layers=layers, dtype=dtype, seed=1)
    rng = np.random.default_rng(0)
    inputs, targets = rng.normal(size=(20, 3)), rng.normal(size=(20, 2))
    rows = 0.2 * np.abs(rng.normal(size=(10, net.n_parameters))) + 0.1
    ga = algorithm(net=net, n=10, population=rows)
    ga.run(tasks.Dataset(np.abs(inputs), targets), 1)
    double = net._astype("float64")
    for row, fitness in zip(ga.population, ga.fitness, strict=True):
        double.parameters[:] = row
        expected = -np.mean(np.sum((double(np.abs(inputs)) - targets) ** 2, axis=1))
        # of a negative number there is no logarithm
        assert fitness == pytest.approx(-math.inf if np.isnan(expected) else expected, rel=1e-10)


def test_tasks_evaluate_a_dense_network_as_the_run_did(dtype):
    rng = np.random.default_rng(0)
    data = tasks.Dataset(rng.normal(size=(20, 2)), rng.normal(size=20), target=-10)
    outcomes = set()
    for task in (tasks.XOR(), data):
        ga = algorithm(net=xor_net(dtype))
        for generations in (1, 10):
            result = ga.run(task, generations)
            assert task.evaluate(result.best) == result.fitness
            assert task.solved(result.best, result.fitness) == result.solved
            outcomes.add(result.solved)
    assert outcomes == {True, False}


def test_a_pole_is_balanced():
    net = fn.Network([4, 4, 1], hidden="tanh", output="sigmoid", seed=0)
    task = tasks.CartPole()
    histories = []
    for n_threads in (1, 2):
        result = algorithm(seed=0, n=50, net=net).run(task, 50, n_threads=n_threads)
        assert result.solved
        assert task.solved(result.best, result.fitness)
        histories.append(result.history)
    assert histories[0] == histories[1]


def test_poles_in_lanes_are_those_of_one_network_at_a_time():
    # the population's episodes run beside each other, those of evaluate() alone
    net = fn.Network([7, 5, 1], hidden="tanh", output="sigmoid", seed=0)
    task = tasks.DoublePole()
    ga = algorithm(n=20, net=net)
    ga.run(task, 3, target=math.inf)
    for row, fitness in zip(ga.population, ga.fitness, strict=True):
        net.parameters[:] = row
        assert task.evaluate(net) == fitness
    assert len(set(ga.fitness)) > 3


def test_environments_of_gymnasium():
    pytest.importorskip("gymnasium")
    net = fn.Network([4, 4, 2], hidden="tanh", seed=0)
    with_task, by_hand = (algorithm(n=12, net=net) for _ in range(2))
    task = tasks.Gymnasium("CartPole-v1", max_steps=60)
    seeds = []
    with_task.run(task, 2, target=math.inf)

    class Recorder:
        n_inputs = 4
        n_outputs = 2

        def evaluate(self, network, seed=0):
            seeds.append(seed)
            return task.evaluate(network, seed)

    by_hand.run(Recorder(), 2, target=math.inf)
    assert state_of(with_task) == state_of(by_hand)
    assert len(set(seeds)) == 2
    softmax = fn.Network(4, layers=[fn.Dense(3, "relu"), fn.Dense(2, "softmax")], seed=0)
    assert algorithm(n=12, net=softmax).run(task, 1).fitness > 8


def test_bias_of_some_layers_only():
    rng = np.random.default_rng(0)
    inputs, targets = rng.normal(size=(20, 3)), rng.normal(size=(20, 2))
    for biases in ([True, False], [False, True], [False, False]):
        layers = [fn.Dense(5, "tanh", bias=biases[0]), fn.Dense(2, bias=biases[1])]
        net = fn.Network(3, layers=layers, dtype="float64", seed=1)
        ga = algorithm(net=net, n=10, population=rng.normal(size=(10, net.n_parameters)))
        ga.run(tasks.Dataset(inputs, targets), 2)
        for row, fitness in zip(ga.population, ga.fitness, strict=True):
            net.parameters[:] = row
            expected = -np.mean(np.sum((net(inputs) - targets) ** 2, axis=1))
            assert fitness == pytest.approx(expected, rel=1e-12)


def test_threads_make_no_difference(dtype):
    net = fn.Network([2, 100, 100, 1], hidden="tanh", output="sigmoid", dtype=dtype)
    states, results = set(), []
    for n_threads in (1, 2, 5):
        ga = algorithm(net=net, n=53)
        results.append(ga.run(tasks.XOR(), 4, target=math.inf, n_threads=n_threads))
        states.add(state_of(ga))
        # the fitness is that of the rows
        again = algorithm(net=net, n=53, population=ga.population)
        again.run(tasks.XOR(), 1, target=math.inf)
        np.testing.assert_array_equal(again.fitness, ga.fitness)
    assert len(states) == 1
    assert len({result.parameters.tobytes() for result in results}) == 1


class Counting:
    """A task in Python: solved by the network number `winner` that is evaluated."""

    def __init__(self, winner, n_inputs=2):
        self.winner = winner
        self.n_inputs = n_inputs
        self.n_outputs = 1
        self.seeds = []

    def evaluate(self, network, seed=0):
        assert isinstance(network, fn.Network)
        self.seeds.append(seed)
        return len(self.seeds)

    def solved(self, network, fitness):
        return fitness >= self.winner


def test_evaluations_until_a_task_is_solved():
    task = Counting(winner=75)
    ga = algorithm()
    result = ga.run(task, generations=10)
    assert result.solved
    # the fittest of those that solve it, evaluations until the first
    assert (result.generations, result.evaluations, result.fitness) == (3, 75, 90)
    np.testing.assert_array_equal(result.parameters, ga.population[29])
    # one seed for all networks of a generation, another for the next
    assert [len(set(task.seeds[k : k + 30])) for k in (0, 30, 60)] == [1, 1, 1]
    assert len(set(task.seeds)) == 3
    assert all(0 <= seed < 2**32 for seed in task.seeds)
    unsolved = algorithm().run(Counting(winner=1000), generations=2)
    assert (unsolved.solved, unsolved.generations, unsolved.evaluations) == (False, 2, 60)
    assert unsolved.fitness == 60


def test_target():
    result = algorithm().run(Counting(winner=10), generations=3, target=math.inf)
    assert (result.solved, result.evaluations, result.fitness) == (False, 90, 90)
    result = algorithm().run(Counting(winner=1000), generations=3, target=40)
    assert (result.solved, result.evaluations, result.fitness) == (True, 40, 60)
    result = algorithm().run(closeness, generations=3, target=-math.inf)
    assert (result.solved, result.evaluations) == (True, 1)
    assert not algorithm().run(closeness, generations=3).solved


def test_a_population_fitness_gets_a_sequence_of_networks():
    ga = algorithm()
    kept = []

    @neat.population_fitness
    def fitness(networks):
        assert len(networks) == 30
        assert networks[3] is networks[3]
        assert isinstance(networks[0], fn.Network)
        kept.append((networks, [net.parameters.copy() for net in networks[:5]]))
        return [closeness(net) for net in networks]

    ga.run(fitness, 4)
    twin = algorithm()
    twin.run(closeness, 4)
    assert state_of(ga) == state_of(twin)
    for networks, parameters in kept:
        for net, row in zip(networks, parameters, strict=False):
            np.testing.assert_array_equal(net.parameters, row)


def test_a_function_may_keep_and_change_its_network():
    kept = []

    def fitness(network):
        value = closeness(network)
        kept.append((network, network.parameters.copy()))
        return value

    def spoils(network):
        value = closeness(network)
        network.parameters[:] = np.nan
        return value

    ga, twin = algorithm(), algorithm()
    ga.run(fitness, 3)
    twin.run(spoils, 3)
    assert state_of(ga) == state_of(twin)
    for network, parameters in kept:
        np.testing.assert_array_equal(network.parameters, parameters)


def test_networks_that_no_graph_can_express_are_for_functions():
    swish = fn.Activation(lambda z: z / (1 + np.exp(-z)), lambda z, a: a)
    for layers in (
        [fn.Dense(3, "tanh"), fn.Dense(1, "softmax")],
        [fn.Dense(3), fn.LayerNorm("relu"), fn.Dense(1)],
        [fn.Dense(3, swish), fn.Dense(1)],
    ):
        net = fn.Network(2, layers=layers, seed=0)
        ga = algorithm(net=net)
        ga.run(lambda network: float(network(X).sum()), 2)
        assert ga.generation == 2


# ---- reporters and progress ---------------------------------------------------------------------


def test_reporters():
    events = []

    class Reporter:
        def start_generation(self, ga):
            events.append(("start", ga.generation))

        def end_generation(self, ga):
            events.append(("end", ga.generation, ga.history[-1].generation))

        def found_solution(self, ga, network):
            events.append(("found", ga.generation, network.parameters.tobytes()))

    result = algorithm().run(Counting(winner=45), reporters=[Reporter()])
    assert events == [
        ("start", 0), ("end", 1, 1), ("start", 1), ("end", 2, 2),
        ("found", 2, result.parameters.tobytes()),
    ]  # fmt: skip


def test_progress(capsys):
    algorithm().run(Counting(winner=1000), generations=3, progress=True)
    assert capsys.readouterr().err.startswith("3/3 [00:00] best=90")


# ---- copies -------------------------------------------------------------------------------------


def doubles(ga):
    return [ga.copy(), copy.copy(ga), copy.deepcopy(ga), pickle.loads(pickle.dumps(ga))]


@pytest.mark.parametrize("asked", [False, True])
@pytest.mark.parametrize("generation", [0, 1, 4])
def test_copies_go_on_as_the_original(generation, asked, dtype):
    ga = algorithm(net=xor_net(dtype), selection="rank", elitism=2)
    ga.run(closeness, generation)
    if asked:
        ga.ask()
    others = doubles(ga)
    for other in others:
        assert state_of(other) == state_of(ga)
        assert other.selection == "rank"
        if asked:
            other.tell(of_rows(other.ask()))
        else:
            with pytest.raises(RuntimeError, match="call ask first"):
                other.tell(np.zeros(30))
    if asked:
        ga.tell(of_rows(ga.ask()))
    for other in [ga, *others]:
        other.run(closeness, 3)
        assert state_of(other) == state_of(ga)


def test_a_copy_is_by_itself():
    ga = algorithm()
    ga.run(closeness, 2)
    before = state_of(ga)
    for other in doubles(ga):
        other.run(closeness, 2)
        assert other.generation == 4
    assert state_of(ga) == before


def test_a_copy_in_the_middle_of_a_generation_is_from_before_it():
    ga = algorithm()
    ga.run(closeness, 2)
    before = state_of(ga)
    copies = []

    def fitness(network):
        copies.append(ga.copy() if len(copies) % 2 else pickle.loads(pickle.dumps(ga)))
        return closeness(network)

    ga.run(fitness, 1)
    assert all(state_of(other) == before for other in copies)
    copies[7].run(closeness, 1)
    assert state_of(copies[7]) == state_of(ga)


def test_results_and_histories_are_values():
    ga = algorithm()
    result = ga.run(closeness, 2)
    assert repr(result) == (
        f"Result(solved=False, generations=2, evaluations=60, best fitness={ga.best_fitness})"
    )
    again = pickle.loads(pickle.dumps(result))
    np.testing.assert_array_equal(again.parameters, result.parameters)
    assert again.history == result.history
    ga.run(closeness, 1)
    assert len(result.history) == 2
    assert ga.history != result.history
    result.best.parameters[:] = 0
    assert ga.best.parameters.any()


def test_settings_are_attributes():
    settings = {
        "selection": "rank", "tournament_size": 5, "selection_pressure": 1.5,
        "survival_threshold": 0.5, "crossover": None, "crossover_rate": 0.1, "mutation": "uniform",
        "mutation_rate": 0.5, "mutation_power": 2.0, "elitism": 3,
    }  # fmt: skip
    ga = algorithm(seed=9, n=40, **settings)
    assert {name: getattr(ga, name) for name in settings} == settings
    assert (ga.population_size, ga.seed) == (40, 9)
    with pytest.raises(AttributeError):
        ga.elitism = 1


def test_seeds():
    assert state_of(algorithm(seed=2**80)) == state_of(algorithm(seed=2**80))
    assert state_of(algorithm(seed=None)) != state_of(algorithm(seed=None))
    a, b = (algorithm(seed=np.random.default_rng(1)) for _ in range(2))
    assert a.seed == b.seed
    stream = fn.RandomStream(5)
    assert algorithm(seed=stream).seed != algorithm(seed=stream).seed
