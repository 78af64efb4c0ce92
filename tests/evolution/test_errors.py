"""Whatever goes wrong leaves a genetic algorithm as it was, and able to go on."""

import _thread
import functools
import math
import operator
import threading

import numpy as np
import pytest

import fastnet as fn
from fastnet import neat
from fastnet.neat import tasks

NET = fn.Network([2, 4, 1], hidden="tanh", output="sigmoid", seed=0)


def good(network):
    return float(np.sin(network.parameters.astype(float).sum()))


def state_of(ga):
    return (
        ga.population.tobytes(), ga.fitness.tobytes(), ga.generation, ga.evaluations,
        ga.best_fitness, None if ga.best is None else ga.best.parameters.tobytes(),
        repr(list(ga.history)), repr(ga),
    )  # fmt: skip


@pytest.fixture(params=[0, 1, 4], ids=["new", "first", "later"])
def ga(request):
    ga = fn.GeneticAlgorithm(NET, 30, seed=3)
    ga.run(good, request.param)
    return ga


def check_unchanged(ga, fitness, error, match):
    """The generation fails, nothing changes, and the next one is what it would have been."""
    twin = ga.copy()
    before = state_of(ga)
    for _ in range(2):
        with pytest.raises(error, match=match):
            ga.run(fitness, 3)
        assert state_of(ga) == before
    ga.run(good, 3)
    twin.run(good, 3)
    assert state_of(ga) == state_of(twin)


def after(n, fail):
    """A fitness that is good n times, then fails, and begins anew."""
    done = [0]

    def fitness(network):
        if done[0] == n:
            done[0] = 0
            return fail()
        done[0] += 1
        return good(network)

    return fitness


BAD_NUMBERS = [
    (None, TypeError, "the fitness of network {} must be a number, got None"),
    (math.nan, ValueError, "the fitness of network {} is nan"),
    (math.inf, ValueError, "the fitness of network {} is inf: it must be a number or -inf"),
    ("1.0", TypeError, "the fitness of network {} must be a number, got '1.0'"),
    (1j, TypeError, "the fitness of network {} must be a number"),
    (np.ones(1), TypeError, "the fitness of network {} must be a number"),
    (10**400, ValueError, "the fitness of network {} is too large"),
]


@pytest.mark.parametrize("n", [0, 13, 29])
@pytest.mark.parametrize(("value", "error", "match"), BAD_NUMBERS)
def test_values_that_are_no_fitness(ga, n, value, error, match):
    check_unchanged(ga, after(n, lambda: value), error, match.format(n))


def test_a_fitness_that_raises(ga):
    def fail():
        raise ZeroDivisionError("on purpose")

    def stop():
        raise KeyboardInterrupt("by hand")

    for n in (0, 13, 29):
        check_unchanged(ga.copy(), after(n, fail), ZeroDivisionError, "on purpose")
        check_unchanged(ga.copy(), after(n, stop), KeyboardInterrupt, "by hand")


BAD_ARRAYS = [
    (np.ones(29), ValueError, r"an array of shape \(30,\), got \(29,\)"),
    (np.ones((30, 1)), ValueError, r"an array of shape \(30,\), got \(30, 1\)"),
    (1.0, ValueError, r"an array of shape \(30,\), got \(\)"),
    (None, TypeError, "30 numbers, got NoneType"),
    (["a"] * 30, TypeError, "30 numbers, got list"),
    ([None] * 30, TypeError, "the fitness of network 0 must be a number, got None"),
    ([1.0] * 29 + [math.nan], ValueError, "the fitness of network 29 is nan"),
    ([1.0] * 28 + [math.inf, 1.0], ValueError, "the fitness of network 28 is inf"),
    ([[1.0], [2.0, 3.0]], TypeError, "30 numbers, got list"),
    (np.ones(30, complex), TypeError, "30 numbers, got ndarray"),
]


@pytest.mark.parametrize(("values", "error", "match"), BAD_ARRAYS)
def test_arrays_that_are_no_fitness(ga, values, error, match):
    fitness = neat.population_fitness(lambda networks: values)
    if "network" not in match:
        match = "a population fitness must return " + match
    check_unchanged(ga, fitness, error, match)


@pytest.mark.parametrize(("values", "error", "match"), BAD_ARRAYS)
def test_tell_refuses_what_is_no_fitness(ga, values, error, match):
    twin = ga.copy()
    P = ga.ask()
    before = state_of(ga)
    with pytest.raises(error, match=match if "network" in match else "fitness must be " + match):
        ga.tell(values)
    assert state_of(ga) == before
    assert ga.ask() is P
    for one in (ga, twin):
        one.ask()
        one.tell(np.arange(30))
    assert state_of(ga) == state_of(twin)


def test_tell_takes_any_real_numbers():
    for values in (range(30), [True] * 30, np.arange(30, dtype=np.int8), [np.float32(1)] * 30):
        ga = fn.GeneticAlgorithm(NET, 30)
        ga.ask()
        ga.tell(values)
        assert ga.fitness.tolist() == [float(value) for value in values]


def test_tell_needs_ask(ga):
    for _ in range(2):
        before = state_of(ga)
        with pytest.raises(RuntimeError, match="call ask first"):
            ga.tell(np.zeros(30))
        assert state_of(ga) == before
        ga.ask()
        ga.tell(np.zeros(30))


@pytest.mark.parametrize(
    ("fitness", "error", "match"),
    [
        (None, TypeError, "fitness must be a task, a function"),
        (3.0, TypeError, "fitness must be a task, a function"),
        (tasks.XOR, TypeError, r"got the class XOR: give an instance, as XOR\(\)"),
        (
            tasks.Dataset(np.ones((4, 3)), np.ones(4)), ValueError,
            "Dataset has n_inputs=3, the network n_inputs=2",
        ),
        (
            tasks.Dataset(np.ones((4, 2)), np.ones((4, 2))), ValueError,
            "Dataset has n_outputs=2, the network n_outputs=1",
        ),
    ],
)  # fmt: skip
def test_what_is_no_fitness(ga, fitness, error, match):
    check_unchanged(ga, fitness, error, match)


@pytest.mark.parametrize(
    ("layers", "match"),
    [
        ([fn.Dense(3), fn.Dense(1, "softmax")], r"layers\[1\] of the network is Dense\(1, 'soft"),
        ([fn.Dense(3), fn.LayerNorm("relu"), fn.Dense(1)], r"layers\[1\] .* LayerNorm\('relu'\)"),
        (
            [fn.Dropout(0.1), fn.Dense(1, fn.Activation(np.sin, lambda z, a: np.cos(z)))],
            r"layers\[1\] of the network is Dense\(1, <fastnet.Activation 'sin'",
        ),
    ],
)  # fmt: skip
def test_layers_that_native_tasks_do_not_know(layers, match):
    net = fn.Network(2, layers=layers, seed=0)
    with pytest.raises(ValueError, match=match + ".*give a function of the network"):
        tasks.XOR().evaluate(net)
    ga = fn.GeneticAlgorithm(net, 30)
    for generation in range(2):
        with pytest.raises(ValueError, match=match + ".*give a function of the network"):
            ga.run(tasks.XOR())
        assert ga.generation == generation
        ga.run(good, 1)


def test_a_generation_cannot_begin_in_the_middle_of_another():
    ga = fn.GeneticAlgorithm(NET, 30)

    def fitness(network):
        for call in (lambda: ga.run(good), ga.ask, lambda: ga.tell(np.zeros(30))):
            with pytest.raises(RuntimeError, match="in the middle of a generation"):
                call()
        return good(network)

    twin = ga.copy()
    ga.run(fitness, 2)
    twin.run(good, 2)
    assert state_of(ga) == state_of(twin)


def test_reporters_that_raise():
    class Reporter:
        def end_generation(self, ga):
            if ga.generation == 2:
                raise OSError("disk full")

    ga = fn.GeneticAlgorithm(NET, 30)
    with pytest.raises(OSError, match="disk full"):
        ga.run(good, 5, reporters=[Reporter()])
    assert ga.generation == 2
    ga.run(good, 3)
    twin = fn.GeneticAlgorithm(NET, 30)
    twin.run(good, 5)
    assert state_of(ga) == state_of(twin)


def test_an_interruption_leaves_a_whole_generation(interrupts):
    # A signal may come after any line of Python
    task = tasks.XOR()
    whole = {}
    twin = fn.GeneticAlgorithm(NET, 30)
    for generation in range(40):
        whole[generation] = state_of(twin)
        twin.run(task, 1, target=math.inf)
    for seconds in np.linspace(0, 3e-3, 30):
        ga = fn.GeneticAlgorithm(NET, 30)
        timer = threading.Timer(seconds, _thread.interrupt_main)
        try:
            timer.start()
            ga.run(task, 10**9, target=math.inf)
        except KeyboardInterrupt:
            pass
        timer.join()
        assert len(ga.history) == ga.generation
        if ga.generation < 40:
            assert state_of(ga) == whole[ga.generation]
        else:
            again = fn.GeneticAlgorithm(NET, 30)
            again.run(task, ga.generation, target=math.inf)
            assert state_of(ga) == state_of(again)


def test_an_interruption_between_record_and_generation():
    # The record is there already, its generation is not
    ga, twin = (fn.GeneticAlgorithm(NET, 30) for _ in range(2))
    ga.run(good, 2)
    ga.history.append(ga.history[-1]._replace(generation=3))
    assert len(ga.history) == 2
    ga.run(good, 1)
    twin.run(good, 3)
    assert state_of(ga) == state_of(twin)


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        ({"generations": -1}, ValueError, "generations must be at least 0, got -1"),
        ({"generations": 1.5}, TypeError, "generations must be an int"),
        ({"target": math.nan}, ValueError, "target must be from -inf to inf, got nan"),
        ({"target": "1"}, TypeError, "target must be a number, got '1'"),
        ({"target": True}, TypeError, "target must be a number, got True"),
        ({"target": 10**400}, ValueError, "target is too large"),
        ({"n_threads": 0}, ValueError, "n_threads must be at least 1"),
        ({"reporters": [3]}, TypeError, r"reporters\[0\] must have one of the methods"),
        ({"reporters": 3}, TypeError, "reporters must be a sequence"),
    ],
)
def test_arguments_of_run(ga, arguments, error, match):
    before = state_of(ga)
    with pytest.raises(error, match=match):
        ga.run(good, **arguments)
    assert state_of(ga) == before


@pytest.mark.parametrize(
    ("settings", "error", "match"),
    [
        ({"population_size": 1}, ValueError, "population_size must be at least 2, got 1"),
        ({"population_size": 10.0}, TypeError, "population_size must be an int, got 10.0"),
        ({"population_size": True}, TypeError, "population_size must be an int, got True"),
        ({"population_size": 2**32}, ValueError, "population_size must be at most"),
        ({"selection": "roulette"}, ValueError, "selection must be one of .*'rank'.*'roulette'"),
        ({"selection": None}, ValueError, "selection must be one of"),
        ({"selection": 3}, TypeError, "selection must be one of"),
        ({"selection": ["rank"]}, TypeError, "selection must be one of"),
        ({"tournament_size": 0}, ValueError, "tournament_size must be at least 1"),
        ({"selection_pressure": 0.5}, ValueError, "selection_pressure must be from 1 to 2, got"),
        ({"selection_pressure": 2.5}, ValueError, "selection_pressure must be from 1 to 2"),
        ({"survival_threshold": 0}, ValueError, "survival_threshold must be above 0"),
        ({"survival_threshold": 1.01}, ValueError, "survival_threshold must be from 0 to 1"),
        ({"crossover": "one_point"}, ValueError, "crossover must be one of"),
        ({"crossover": False}, TypeError, "crossover must be one of"),
        ({"crossover_rate": -0.1}, ValueError, "crossover_rate must be from 0 to 1"),
        ({"mutation": "cauchy"}, ValueError, "mutation must be one of"),
        ({"mutation_rate": 1.1}, ValueError, "mutation_rate must be from 0 to 1, got 1.1"),
        ({"mutation_rate": math.nan}, ValueError, "mutation_rate must be from 0 to 1, got nan"),
        ({"mutation_rate": "1"}, TypeError, "mutation_rate must be a number"),
        ({"mutation_rate": True}, TypeError, "mutation_rate must be a number"),
        ({"mutation_power": -1}, ValueError, "mutation_power must be from 0"),
        ({"mutation_power": math.inf}, ValueError, "mutation_power must be from 0"),
        ({"mutation_power": 10**400}, ValueError, "mutation_power is too large"),
        ({"elitism": -1}, ValueError, "elitism must be at least 0"),
        ({"elitism": 100}, ValueError, "elitism must be less than population_size = 100, got 100"),
        ({"seed": -1}, ValueError, "seed must be at least 0"),
        ({"seed": 1.5}, TypeError, "seed must be an int"),
        ({"population": 3}, ValueError, r"n_parameters\) = \(100, 17\), got \(\)"),
        ({"population": np.ones((99, 17))}, ValueError, r"\(100, 17\), got \(99, 17\)"),
        ({"population": np.ones((100, 16))}, ValueError, r"\(100, 17\), got \(100, 16\)"),
        ({"population": "abc"}, TypeError, "population must be an array of real numbers, got str"),
        ({"population": np.ones((100, 17), complex)}, TypeError, "array of real numbers"),
        ({"population": [[1], [1, 2]]}, TypeError, "array of real numbers, got list"),
        (
            {"population": np.full((100, 17), 1e39)}, ValueError,
            r"population must be finite in float32: element \(0, 0\) is 1e\+39",
        ),
    ],
)  # fmt: skip
def test_settings(settings, error, match):
    with pytest.raises(error, match=match):
        fn.GeneticAlgorithm(NET, **settings)


def test_networks_that_cannot_evolve():
    class Other:
        n_parameters = 3

    genome = neat.Genome(neat.Config(2, 1))
    for net in (None, [2, 4, 1], Other(), genome.network(), fn.Network):
        with pytest.raises(TypeError, match=r"net must be a fastnet\.Network, got"):
            fn.GeneticAlgorithm(net)
    with pytest.raises(ValueError, match="net must have parameters"):
        fn.GeneticAlgorithm(fn.Network(2, layers=[fn.Dropout(0.5)]))
    net = fn.Network([2, 3, 1], seed=0)
    net.parameters[5] = math.nan
    with pytest.raises(ValueError, match=r"parameters of net must be finite.*\(0, 5\) is nan"):
        fn.GeneticAlgorithm(net)
    population = np.zeros((10, 13))
    assert fn.GeneticAlgorithm(net, 10, population=population).ask().shape == (10, 13)


def test_threads_that_ask_at_once_get_the_same():
    ga = fn.GeneticAlgorithm(NET, 30)
    ga.run(good, 1)
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(ga.ask().tobytes())) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 1


def test_individuals_check_their_arguments():
    from fastnet.evolution.individuals import Individuals

    some = Individuals(NET, 3)
    with pytest.raises(ValueError, match="do not fit"):
        some.fill(np.zeros((2, 17)), 2)
    with pytest.raises(ValueError, match="do not fit"):
        some.fill(np.zeros((2, 16)))
    with pytest.raises(ValueError, match="do not fit"):
        some.fill(np.zeros((2, 17)), -1)
    with pytest.raises(ValueError, match=r"rows of shape \(17,\) do not fit"):
        some.fill(np.zeros(17))
    with pytest.raises(IndexError):
        some.network(3)
    with pytest.raises(IndexError):
        some.network(-1)
    with pytest.raises(ValueError, match="n must be at least 1"):
        Individuals(NET, 0)
    with pytest.raises(TypeError):
        Individuals.__new__(Individuals)


@pytest.mark.parametrize("method", ["sum", "min"])
def test_functions_of_other_kinds_are_fitness(method):
    """A partial, a method, an object with __call__."""

    class Callable:
        def __call__(self, network):
            return float(getattr(network.parameters, method)())

        def score(self, network):
            return self(network)

    states = set()
    for fitness in (
        Callable(), Callable().score, functools.partial(Callable.score, Callable()),
        lambda network: operator.methodcaller(method)(network.parameters),
    ):  # fmt: skip
        ga = fn.GeneticAlgorithm(NET, 30)
        ga.run(fitness, 2)
        states.add(state_of(ga))
    assert len(states) == 1
