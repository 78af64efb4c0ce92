"""Two poles: the test of generalization, what counts as solved, and whole populations."""

import json
import math
import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

import fastnet as fn
from fastnet import neat

# Evaluates genomes as one generation, whatever instruction set is in use
CODE = """
import json, sys
from fastnet import isa, neat
velocities, genomes = json.load(sys.stdin)
genomes = [neat.Genome.from_json(text) for text in genomes]
config = genomes[0].config.replace(population_size=len(genomes))
population = neat.Population(config, genomes=genomes)
population.step(neat.tasks.DoublePole(velocities))
print(json.dumps([isa(), population.fitness.tolist()]))
"""


@pytest.fixture(scope="module")
def blind():
    return neat.tasks.DoublePole(velocities=False)


def genome_of(controller):
    return neat.Genome.from_connections(
        neat.Config(**controller.fields()), controller.connections())


def drifting(poles, gain):
    """Newtons for a meter that drive the cart away from the middle, or too fast to it."""
    return poles.without_velocities((poles.NOW[0] + gain, *poles.NOW[1:]))


# ---- generalization

@pytest.mark.parametrize("gain", [0.0, -4.0, 2.4, 2.8])
def test_generalization(blind, poles, gain):
    controller = drifting(poles, gain)
    count = blind.generalization(genome_of(controller).network())
    assert type(count) is int
    assert count == poles.generalization(controller)
    assert 0 < count < 625


def test_generalization_does_not_depend_on_the_start_angle(poles):
    network = genome_of(drifting(poles, 2.4)).network()
    counts = {
        neat.tasks.DoublePole(False, angle).generalization(network) for angle in (0.07, -0.3, 0.0)}
    assert len(counts) == 1


def test_without_a_force_only_what_is_upright_and_at_rest_stands(blind):
    """That is one place of five, five velocities, angles and rates."""
    config = neat.Config(4, 1, mode="recurrent", bias=None)
    assert blind.generalization(neat.Genome.from_connections(config, []).network()) == 5


def test_solved(blind, poles):
    """100,000 steps and 200 starts, whatever the fitness."""
    for controller, solved in (
        (drifting(poles, 0.0), True),
        # falls after 4,180 steps, though 369 starts are balanced
        (drifting(poles, 2.2), False),
        # stands for ever, but few starts are balanced
        (poles.without_velocities(share=0.59), False),
        # falls at once
        (poles.Feedback([0.0, 0.0, 0.0, 0.0]), False),
    ):
        network = genome_of(controller).network()
        assert blind.solved(network, blind.evaluate(network)) is solved
    weak = poles.without_velocities(share=0.59)
    assert len(blind.simulate(genome_of(weak).network(), 100_000)) == 100_001
    assert poles.generalization(weak) < 200


# ---- populations

def varied(poles, n, velocities):
    """Genomes with all kinds of fitness."""
    rng = np.random.default_rng(n)
    for k in range(n):
        if velocities:
            controller = poles.with_velocities()
            controller.now = [w * (1 + (k % 7) / 7 * rng.normal()) for w in controller.now]
        else:
            controller = drifting(poles, 40 * rng.normal() * (k % 5) / 5)
        yield genome_of(controller)


@pytest.mark.parametrize("velocities", [True, False])
def test_a_population_gets_what_each_network_gets(poles, velocities):
    """Bit for bit, in any number of threads, however episodes are packed."""
    task = neat.tasks.DoublePole(velocities)
    genomes = list(varied(poles, 61, velocities))
    expected = [task.evaluate(genome.network()) for genome in genomes]
    assert len(set(expected)) > 20
    for n_threads in (1, 2, 3):
        population = neat.Population(
            genomes[0].config.replace(population_size=len(genomes)), genomes=genomes)
        population.run(task, generations=1, n_threads=n_threads, target=math.inf)
        np.testing.assert_array_equal(population.fitness, expected)


@pytest.mark.parametrize("velocities", [True, False])
def test_every_instruction_set(isa, poles, velocities):
    """Each in a process of its own, which chooses when it starts."""
    task = neat.tasks.DoublePole(velocities)
    genomes = list(varied(poles, 37, velocities))
    environment = os.environ | {
        "FASTNET_ISA": isa, "PYTHONPATH": str(Path(fn.__file__).parents[1])}
    done = subprocess.run([sys.executable, "-c", CODE], env=environment, text=True, timeout=120,
                          input=json.dumps([velocities, [g.to_json() for g in genomes]]),
                          capture_output=True, check=False)  # fmt: skip
    assert done.returncode == 0, done.stderr
    used, fitness = json.loads(done.stdout)
    assert used == isa
    expected = [task.evaluate(genome.network()) for genome in genomes]
    if not velocities:
        # the sums of those that come to rest are rounding
        fitness, expected = np.minimum(fitness, 1000), np.minimum(expected, 1000)
    np.testing.assert_allclose(fitness, expected, rtol=1e-6)


@pytest.mark.parametrize("velocities", [True, False])
def test_evolution_is_the_same_on_two_threads(velocities):
    task = neat.tasks.DoublePole(velocities)
    config = task.config(population_size=100)
    runs = []
    for n_threads in (1, 2):
        population = neat.Population(config, seed=4)
        result = population.run(task, generations=8, n_threads=n_threads)
        runs.append((population.fitness.tobytes(), result.best.to_json(), result.evaluations))
    assert runs[0] == runs[1]


def test_evolution_with_velocities():
    task = neat.tasks.DoublePole()
    population = neat.Population(task.config(), seed=0)
    result = population.run(task, generations=200)
    assert result.solved
    assert result.best.fitness == 100_000
    network = result.best.network()
    assert task.evaluate(network) == 100_000
    assert len(task.simulate(network, 2000)) == 2001


def test_a_population_with_a_solution_is_solved(blind, poles):
    genomes = [genome_of(drifting(poles, gain)) for gain in (4.0, 2.2, 0.0, 8.0)]
    config = genomes[0].config.replace(population_size=4)
    for chosen, solved in ((genomes, True), ([genomes[0]] * 4, False)):
        population = neat.Population(config, genomes=chosen)
        result = population.run(blind, generations=1)
        assert result.solved is solved
    assert neat.Population(config, genomes=genomes).run(blind, generations=1).best == genomes[2]


def test_many_threads_use_one_task(blind, poles):
    networks = [genome_of(drifting(poles, gain)).network() for gain in (0.0, 2.4, 4.0, -8.0)]
    expected = [(blind.evaluate(n), len(blind.simulate(n, 300))) for n in networks]
    got = [[] for _ in networks]

    def work(k):
        for _ in range(5):
            got[k].append((blind.evaluate(networks[k]), len(blind.simulate(networks[k], 300))))

    threads = [threading.Thread(target=work, args=(k,)) for k in range(len(networks))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got == [[value] * 5 for value in expected]
