"""Whatever goes wrong leaves a population as it was, and able to go on."""

import _thread
import functools
import math
import operator
import os
import signal
import threading
import time

import numpy as np
import pytest

from fastnet import neat

CONFIG = neat.Config(2, 1, population_size=30, add_node_rate=0.5, add_connection_rate=0.5)


def good(network):
    return float(np.sin(np.sum(network.parameters)))


def state_of(population):
    return (
        [(g.connections.tolist(), g.nodes.tolist(), g.fitness) for g in population.genomes],
        population.fitness.tobytes(),
        population.species,
        population.generation,
        population.evaluations,
        population.threshold,
        population.registry.copy(),
        list(population.history),
        population.best,
    )


@pytest.fixture(params=[0, 1, 5], ids=["new", "first", "later"])
def population(request):
    pop = neat.Population(CONFIG, seed=3)
    for _ in range(request.param):
        pop.step(good)
    return pop


def check_unchanged(population, fitness, error, match):
    """The step fails, nothing changes, and the next one is what it would have been."""
    twin = population.copy()
    before = state_of(population)
    for call in (population.step, population.run):
        with pytest.raises(error, match=match):
            call(fitness)
        assert state_of(population) == before
    for _ in range(3):
        population.step(good)
        twin.step(good)
    assert state_of(population) == state_of(twin)


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


@pytest.mark.parametrize("n", [0, 13, 29])
@pytest.mark.parametrize(
    ("value", "error", "match"),
    [
        (None, TypeError, "the fitness of genome {} must be a number, got None"),
        (math.nan, ValueError, "the fitness of genome {} is nan"),
        (math.inf, ValueError, "the fitness of genome {} is inf: it must be a number or -inf"),
        ("1.0", TypeError, "the fitness of genome {} must be a number, got '1.0'"),
        (1j, TypeError, "the fitness of genome {} must be a number"),
        ([1.0], TypeError, "the fitness of genome {} must be a number"),
        (np.ones(1), TypeError, "the fitness of genome {} must be a number"),
        (10**400, ValueError, "the fitness of genome {} is too large"),
    ],
    ids=["none", "nan", "inf", "text", "complex", "list", "array", "huge"],
)
def test_values_that_are_no_fitness(population, n, value, error, match):
    check_unchanged(population, after(n, lambda: value), error, match.format(n))


def test_numbers_of_other_types_are_fitness():
    pop = neat.Population(CONFIG, seed=0)
    for value in (1, True, np.float32(0.5), np.int64(3), np.array(2.0)):
        pop.step(lambda network, value=value: value)
        assert (pop.fitness == float(value)).all()


@pytest.mark.parametrize("n", [0, 13, 29])
def test_a_fitness_that_raises(population, n):
    def fail():
        raise ZeroDivisionError("on purpose")

    def stop():
        raise KeyboardInterrupt("by hand")

    check_unchanged(population, after(n, fail), ZeroDivisionError, "on purpose")
    check_unchanged(population, after(n, stop), KeyboardInterrupt, "by hand")


@pytest.mark.parametrize(
    ("values", "error", "match"),
    [
        (np.ones(29), ValueError, r"must return an array of shape \(30,\), got \(29,\)"),
        (np.ones((30, 1)), ValueError, r"must return an array of shape \(30,\), got \(30, 1\)"),
        (1.0, ValueError, r"must return an array of shape \(30,\), got \(\)"),
        (None, TypeError, "a population fitness must return 30 numbers, got NoneType"),
        (["a"] * 30, TypeError, "a population fitness must return 30 numbers, got list"),
        ([None] * 30, TypeError, "the fitness of genome 0 must be a number, got None"),
        ([1.0] * 29 + [math.nan], ValueError, "the fitness of genome 29 is nan"),
        ([1.0] * 28 + [math.inf, 1.0], ValueError, "the fitness of genome 28 is inf"),
        ([[1.0], [2.0, 3.0]], (TypeError, ValueError), "a population fitness must return"),
        (np.ones(30, complex), TypeError, "a population fitness must return 30 numbers"),
    ],
)
def test_arrays_that_are_no_fitness(population, values, error, match):
    check_unchanged(population, neat.population_fitness(lambda networks: values), error, match)


def test_a_population_fitness_may_use_every_network(population):
    @neat.population_fitness
    def fails(networks):
        assert len(networks) == 30
        assert networks[-1] is networks[29]
        assert len(networks[3:5]) == 2
        assert repr(networks) == "<30 networks>"
        assert [network.genome.fitness for network in networks] == [None] * 30
        with pytest.raises(IndexError, match="index 30 is out of range"):
            networks[30]
        raise OSError("done")

    check_unchanged(population, fails, OSError, "done")


@pytest.mark.parametrize(
    ("fitness", "error", "match"),
    [
        (None, TypeError, "fitness must be a task, a function"),
        (3.0, TypeError, "fitness must be a task, a function"),
        (neat.tasks.XOR, TypeError, r"got the class XOR: give an instance, as XOR\(\)"),
        (
            neat.tasks.Dataset(np.zeros((4, 3)), np.zeros((4, 1)), "squared_error"),
            ValueError,
            "Dataset has n_inputs=3, the config n_inputs=2",
        ),
    ],
    ids=["none", "number", "class", "sizes"],
)
def test_what_is_no_fitness(population, fitness, error, match):
    check_unchanged(population, fitness, error, match)


def test_a_task_whose_solved_raises(population):
    class Task:
        def evaluate(self, network, seed=0):
            return 1.0

        def solved(self, network, fitness):
            raise ZeroDivisionError("in solved")

    before = state_of(population)
    with pytest.raises(ZeroDivisionError, match="in solved"):
        population.run(Task(), generations=2)
    assert state_of(population) == before
    population.step(Task())  # asks nobody whether it is solved


def test_a_fitness_must_not_step(population):
    def nested(network):
        population.step(good)

    check_unchanged(population, nested, RuntimeError, "in the middle of a step")


def test_a_population_is_built_once(population):
    def again(network):
        population.__init__(CONFIG.replace(population_size=500))

    check_unchanged(population, again, RuntimeError, "built once")


@pytest.mark.parametrize("scope", ["run", "generation"])
def test_a_copy_in_the_middle_of_a_step_is_of_before(scope):
    pop = neat.Population(CONFIG.replace(innovation_scope=scope), seed=3)
    copies = []

    def fitness(network):
        if len(copies) == pop.generation:
            copies.append(pop.copy())
        return good(network)

    for _ in range(4):
        pop.step(fitness)
    for k, copy in enumerate(copies):
        assert copy.generation == k
        for _ in range(4 - k):
            copy.step(good)
        assert state_of(copy) == state_of(pop)


def test_threads_look_at_a_population_that_goes_on():
    pop = neat.Population(CONFIG.replace(population_size=1000), seed=0)
    stop = threading.Event()
    copies = []

    def look():
        k = 0
        while not stop.is_set():
            k += 1
            copies[:] = [pop.copy()]
            genome = neat.Genome(CONFIG, rng=k, registry=pop.registry)
            genome.add_node(k, pop.registry)
            assert pop.registry.innovation_of(0, 3) == 0
            assert sum(species.size for species in copies[0].species) in (0, 1000)
            assert len(pop.genomes[:10]) == 10

    failed = []
    watcher = threading.Thread(target=lambda: failed.append(run_safely(look)))
    watcher.start()
    try:
        for _ in range(40):
            pop.step(neat.tasks.XOR())
    finally:
        stop.set()
        watcher.join()
    assert failed == [None]
    copies[0].step(good)


def run_safely(function):
    try:
        function()
    except Exception as error:
        return error
    return None


def test_numbers_given_out_by_a_failing_fitness_keep_their_meaning():
    pop = neat.Population(CONFIG, seed=3)
    pop.step(good)
    made = []

    def fails(network):
        genome = network.genome.copy()
        genome.add_node(1, pop.registry)
        made.append(genome)
        if len(made) == 30:
            raise OSError("full")
        return 1.0

    with pytest.raises(OSError, match="full"):
        pop.step(fails)
    pairs = {}
    for _ in range(5):
        pop.step(good)
    for genome in [*made, *pop.genomes]:
        for row in genome.connections:
            pair = (int(row["source"]), int(row["target"]))
            assert pairs.setdefault(int(row["innovation"]), pair) == pair


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        ({"generations": -1}, ValueError, "generations must be at least 0"),
        ({"generations": 2.5}, TypeError, "generations must be an int"),
        ({"n_threads": 0}, ValueError, "n_threads must be at least 1"),
        ({"target": 10**400}, ValueError, "target is too large"),
        ({"target": math.nan}, ValueError, "target must not be NaN"),
        ({"target": "best"}, TypeError, "target must be a number or None"),
        ({"target": True}, TypeError, "target must be a number or None"),
        ({"reporters": 3}, TypeError, "reporters must be a sequence"),
        ({"reporters": (object(),)}, TypeError, r"reporters\[0\] must have one of the methods"),
    ],
)
def test_arguments_of_run(population, arguments, error, match):
    before = state_of(population)
    for fitness in (neat.tasks.XOR(), good):
        with pytest.raises(error, match=match):
            population.run(fitness, **arguments)
    assert state_of(population) == before


def test_arguments_of_a_population():
    genome = neat.Genome(CONFIG)
    other = neat.Genome(neat.Config(3, 1))
    with pytest.raises(TypeError, match=r"config must be a fastnet\.neat\.Config"):
        neat.Population({"n_inputs": 2})
    with pytest.raises(ValueError, match="seed must be at least 0"):
        neat.Population(CONFIG, seed=-1)
    with pytest.raises(TypeError, match="genomes must be a sequence of genomes, got int"):
        neat.Population(CONFIG, genomes=3)
    with pytest.raises(ValueError, match="genomes must be population_size = 30 genomes, got 1"):
        neat.Population(CONFIG, genomes=[genome])
    with pytest.raises(ValueError, match="got 0"):
        neat.Population(CONFIG, genomes=[])
    with pytest.raises(TypeError, match=r"genomes\[2\] must be a Genome, got str"):
        neat.Population(CONFIG, genomes=[genome, genome, "genome"])
    with pytest.raises(ValueError, match=r"genomes\[1\] has 3 inputs"):
        neat.Population(CONFIG, genomes=[genome, other])
    contradiction = [
        neat.Genome.from_connections(CONFIG, [(1, 0, 3, 1.0, True)]),
        neat.Genome.from_connections(CONFIG, [(1, 1, 3, 1.0, True)]),
    ] * 15
    with pytest.raises(ValueError, match="genomes contradict each other"):
        neat.Population(CONFIG, genomes=contradiction)
    loose = CONFIG.replace(mode="recurrent")
    cyclic = neat.Genome.from_connections(
        loose, [(1, 0, 3, 1.0, True), (2, 3, 9, 1.0, False), (3, 9, 3, 1.0, True)]
    )
    with pytest.raises(ValueError, match=r"genomes\[0\]: .*leaves an output"):
        neat.Population(CONFIG, genomes=[cyclic] * 30)


def test_a_population_that_was_never_built():
    pop = neat.Population.__new__(neat.Population)
    for use in (
        lambda: pop.genomes,
        lambda: pop.fitness,
        lambda: pop.species,
        lambda: pop.best,
        lambda: pop.evaluations,
        lambda: pop.step(good),
        lambda: pop.run(good),
        lambda: pop.copy(),
        lambda: pop.save("never"),
    ):
        with pytest.raises(RuntimeError, match="__init__ was not called"):
            use()
    assert repr(pop) == "Population(not initialized)"


def test_sequences_are_made_by_populations():
    pop = neat.Population(CONFIG)
    kinds = [type(pop.genomes)]

    @neat.population_fitness
    def fitness(networks):
        kinds.append(type(networks))
        return np.zeros(len(networks))

    pop.step(fitness)
    for kind in kinds:
        with pytest.raises(TypeError, match="made by a population"):
            kind()
        empty = kind.__new__(kind)
        for use in (len, repr, list, lambda x: x[0], lambda x: x[:]):
            with pytest.raises(TypeError, match="made by a population"):
                use(empty)


def test_a_reporter_that_raises_ends_the_run(population):
    class Full:
        def end_generation(self, population):
            raise OSError("disk full")

    generation = population.generation
    with pytest.raises(OSError, match="disk full"):
        population.run(good, generations=5, reporters=[Full()])
    assert population.generation == generation + 1
    population.step(good)


def test_one_and_two_genomes_go_on():
    for size in (1, 2):
        pop = neat.Population(CONFIG.replace(population_size=size), seed=0)
        for _ in range(100):
            pop.step(good)
            assert len(pop.genomes) == size


def test_hopeless_fitness_does_not_end_a_population():
    """All stagnant, all alike, all failed: the size stays, and the best species is exempt."""
    config = CONFIG.replace(stagnation=2, population_stagnation=3, compatibility_threshold=0.5)
    pop = neat.Population(config, seed=0)
    for value in (0.0, -1e300, -math.inf, 1e308, 5e-324):
        for _ in range(12):
            pop.step(lambda network, value=value: value)
            assert len(pop.genomes) == 30
            assert pop.species


def test_an_interrupt_comes_before_or_after_a_step(population, interrupts):
    """The fitness is 0 and leaves a signal behind, which waits for the next Python code."""
    twin = population.copy()
    twin.step(lambda network: 0)
    # all of it in C: counts the network in an iterator that is empty after one call
    fitness = functools.partial(operator.countOf, iter(_thread.interrupt_main, None))
    with pytest.raises(KeyboardInterrupt):
        population.step(fitness)
    assert state_of(population) == state_of(twin)
    for _ in range(5):
        population.step(good)
        twin.step(good)
    assert state_of(population) == state_of(twin)


@pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")
def test_ctrl_c_stops_a_task_without_the_interpreter(interrupts):
    rows = np.zeros((20_000, 2))
    task = neat.tasks.Dataset(rows, np.zeros((20_000, 1)), "squared_error")
    pop = neat.Population(CONFIG.replace(population_size=500), seed=0)
    pop.step(good)
    before = state_of(pop)
    timer = threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        pop.run(task, generations=10**6, target=math.inf)
    timer.join()
    assert time.monotonic() - started < 30
    if pop.generation == 1:
        assert state_of(pop) == before
    pop.step(good)
