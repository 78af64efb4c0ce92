"""Episodes in vector lanes: the same bits as alone, wherever and beside whatever they run."""

import math
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

import fastnet as fn
from fastnet import neat

MODES = ["feed_forward", "recurrent", "time_step"]


def task_named(name):
    """With a start from which poles that nobody pushes stand for more than 100 steps."""
    return {
        "double": neat.tasks.DoublePole(start_angle=1e-14),
        "hidden": neat.tasks.DoublePole(velocities=False, start_angle=1e-14),
        "cart": neat.tasks.CartPole(),
    }[name]


def genomes_of(task, mode, n):
    """Genomes of many shapes that push the harder and let it fall the sooner the larger weights
    they have."""
    config = task.config(
        mode=mode, population_size=n, add_node_rate=0.5, add_connection_rate=0.5)
    registry = neat.InnovationRegistry(config)
    genomes = []
    for i in range(n):
        genome = neat.Genome(config, rng=i, registry=registry)
        for j in range(i % 12):
            genome.mutate(1000 * i + j, registry)
        rows = genome.connections.tolist()
        genomes.append(neat.Genome.from_connections(
            config, [(*row[:3], row[3] * 100.0 ** -(i % 7), row[4]) for row in rows]))
    return genomes


def together(task, genomes, n_threads=1):
    config = genomes[0].config.replace(population_size=len(genomes))
    population = neat.Population(config, genomes=genomes)
    population.run(task, generations=1, target=math.inf, n_threads=n_threads)
    return population.fitness


def check_sizes(name, mode):
    """Populations of fewer and of more genomes than there are lanes."""
    task = task_named(name)
    genomes = genomes_of(task, mode, 40)
    alone = np.array([task.evaluate(genome.network(), seed=0) for genome in genomes])
    # one pole falls soon, and ends in one of few steps
    assert len(set(alone)) > (4 if name == "cart" else 15)
    if name == "hidden":
        # more than the length of an episode alone can give: some have the 100 steps that count
        assert alone.max() > 0.1
    if name == "cart":
        # a start is drawn for each generation, and the first one of every population is the same
        alone = together(task, genomes)
    for n in (1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 40):
        np.testing.assert_array_equal(together(task, genomes[:n]), alone[:n])
        np.testing.assert_array_equal(together(task, genomes[-n:][::-1]), alone[-n:][::-1])


def check_threads(name, mode):
    task = task_named(name)
    genomes = genomes_of(task, mode, 40)
    expected = together(task, genomes)
    for n_threads in (2, 3, 50):
        np.testing.assert_array_equal(together(task, genomes, n_threads), expected)


def check_neighbors():
    """Lanes that leave the range of the short polynomials, become infinite or NaN."""
    task = neat.tasks.DoublePole()
    config = task.config(activation="identity", weight_cap=None)

    def linear(*weights):
        rows = [(k, k, 7, w, True) for k, w in enumerate(weights)]
        return neat.Genome.from_connections(config, rows)

    calm = linear(0, 0, 0, 0, 0, 0, 1.0)
    wild = [linear(0, 0, w, 0, 0, 0, 1.0)
            for w in (1e3, -1e3, 1e5, -1e5, 1e30, 1e200, -1e300, 1e308)]
    alone = task.evaluate(calm.network())
    assert alone > 5
    fitness = together(task, [calm, *wild, calm, *wild, calm, calm])
    np.testing.assert_array_equal(fitness[[0, 9, 18, 19]], alone)
    np.testing.assert_array_equal(fitness[1:9], [task.evaluate(g.network()) for g in wild])
    np.testing.assert_array_equal(fitness[1:9], fitness[10:18])
    assert (fitness[5:9] == 0).all()


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", ["double", "hidden", "cart"])
def test_any_number_of_episodes(name, mode):
    check_sizes(name, mode)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", ["double", "hidden", "cart"])
def test_any_number_of_threads(name, mode):
    check_threads(name, mode)


def test_neighbors_do_not_matter():
    check_neighbors()


def test_every_instruction_set(isa):
    """The same in a process of its own for each, which chooses when it starts."""
    code = f"""
import importlib.util
spec = importlib.util.spec_from_file_location("lanes", {__file__!r})
lanes = importlib.util.module_from_spec(spec)
spec.loader.exec_module(lanes)
assert lanes.fn.isa() == {isa!r}
for name, mode in (("double", "feed_forward"), ("hidden", "recurrent"), ("cart", "time_step")):
    lanes.check_sizes(name, mode)
    lanes.check_threads(name, mode)
lanes.check_neighbors()
"""
    environment = os.environ | {
        "FASTNET_ISA": isa, "PYTHONPATH": str(Path(fn.__file__).parents[1])}
    done = subprocess.run([sys.executable, "-c", code], env=environment, timeout=120,
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_cart_pole_of_a_generation_is_that_of_its_seed():
    """Genomes of one generation have one start, those of the next another."""
    task = neat.tasks.CartPole()
    genome = genomes_of(task, "feed_forward", 1)[0]
    config = genome.config.replace(population_size=20)
    population = neat.Population(config, genomes=[genome] * 20)
    population.run(task, generations=1, target=math.inf)
    assert len(set(population.fitness)) == 1
    assert len({task.evaluate(genome.network(), seed) for seed in range(30)}) > 1


@pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")
@pytest.mark.parametrize("n_threads", [1, 2])
def test_ctrl_c_in_the_middle_of_a_generation(n_threads, interrupts):
    """A network without connections keeps two upright poles upright for as long as one likes."""
    task = neat.tasks.DoublePole(start_angle=0.0)
    config = task.config(population_size=20_000)
    still = neat.Genome.from_connections(config, [])
    population = neat.Population(config, genomes=[still] * 20_000)
    timer = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        population.run(task, generations=1, n_threads=n_threads)
    timer.join()
    # not after the end of it
    assert population.generation == 0
    assert np.isnan(population.fitness).all()


def test_tasks_with_arguments_of_their_own():
    class Tilted(neat.tasks.DoublePole):
        def __init__(self, degrees, note):
            super().__init__(start_angle=math.radians(degrees))
            self.note = note

    class Careless(neat.tasks.DoublePole):
        def __init__(self, note):
            self.note = note

    task = Tilted(2.0, note="of 2 degrees")
    genomes = genomes_of(task, "feed_forward", 10)
    np.testing.assert_array_equal(
        together(task, genomes),
        together(neat.tasks.DoublePole(start_angle=math.radians(2.0)), genomes))
    assert Careless("without a base") == neat.tasks.DoublePole()
    with pytest.raises(RuntimeError, match="built once"):
        task.__init__(3.0, note="")


def test_sizes_of_a_derived_class_do_not_reach_the_loops():
    class Large(neat.tasks.DoublePole):
        n_inputs = 300
        n_outputs = 50

    population = neat.Population(neat.Config(300, 50, population_size=5), seed=0)
    with pytest.raises(ValueError, match="Large evaluates networks with 7 inputs and 1 outputs"):
        population.step(Large())
    assert population.generation == 0
    assert np.isnan(population.fitness).all()
    with pytest.raises(ValueError, match="Large evaluates networks with 7 inputs"):
        fn.GeneticAlgorithm(fn.Network([300, 50], seed=0), 5, seed=0).run(Large(), generations=1)
