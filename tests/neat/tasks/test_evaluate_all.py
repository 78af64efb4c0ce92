"""Tasks written in Python that evaluate all networks of a generation at once."""

import numpy as np
import pytest

import fastnet as fn
from fastnet import neat


class Sum:
    """Fitness is the output at (1, 2); who says so is solved."""

    n_inputs = 2
    n_outputs = 1

    def __init__(self, solved=lambda network, fitness: False):
        self.seeds = []
        self.asked = []
        self.decide = solved

    def evaluate(self, network, seed=0):
        raise AssertionError("one network alone")

    def evaluate_all(self, networks, seed=0):
        self.seeds.append(seed)
        return [float(network([1.0, 2.0])[0]) for network in networks]

    def solved(self, network, fitness):
        assert fitness == network([1.0, 2.0])[0]
        self.asked.append(fitness)
        return self.decide(network, fitness)


def test_a_generation_at_once():
    config = neat.Config(2, 1, population_size=20, activation="tanh")
    task = Sum()
    populations = [neat.Population(config, seed=0) for _ in range(2)]
    for _ in range(3):
        populations[0].step(task)
        populations[1].step(lambda network: float(network([1.0, 2.0])[0]))
    np.testing.assert_array_equal(populations[0].fitness, populations[1].fitness)
    assert len(set(task.seeds)) == len(task.seeds) == 3
    assert not task.asked

    class OneByOne(Sum):
        evaluate_all = None

        def evaluate(self, network, seed=0):
            self.seeds.append(seed)
            return 0.0

    other = OneByOne()
    neat.Population(config, seed=0).step(other)
    assert other.seeds == task.seeds[:1] * 20


def test_the_fittest_is_asked_first():
    config = neat.Config(2, 1, population_size=20, activation="tanh")
    task = Sum(solved=lambda network, fitness: len(task.asked) == 4)
    population = neat.Population(config, seed=0)
    result = population.run(task, generations=5)
    assert result.solved
    assert result.generations == 1
    best = np.sort(population.fitness)[::-1]
    place = int(np.flatnonzero(population.fitness == best[3])[0])
    # then those before it, which might be the first solver
    before = [fitness for fitness in population.fitness[:place].tolist() if fitness < best[3]]
    assert len(before) > 1
    assert task.asked == best[:4].tolist() + before
    assert result.best.fitness == best[3]
    assert result.evaluations == place + 1
    # with a target nobody is asked
    del task.asked[:]
    assert neat.Population(config, seed=0).run(task, generations=5, target=best[0]).solved
    assert not task.asked


@pytest.mark.parametrize("breed", [
    lambda: neat.Population(neat.Config(2, 1, population_size=20), seed=0),
    lambda: fn.GeneticAlgorithm(fn.Network([2, 1], dtype="float64", seed=0), 20, seed=0),
])
def test_evaluations_are_counted_up_to_the_first_solver(breed):
    class Place(Sum):
        def evaluate_all(self, networks, seed=0):
            return self.values

        def solved(self, network, fitness):
            self.asked.append(fitness)
            return fitness in self.solvers

    class OneByOne(Place):
        evaluate_all = None

        def evaluate(self, network, seed=0):
            self.seeds.append(seed)
            return self.values[len(self.seeds) - 1]

    for kind in (Place, OneByOne):
        for solvers, n_evaluations, n_asked in (
                ({17.0}, 18, 20), ({17.0, 4.0}, 5, 8), ({17.0, 3.0, 5.0}, 4, 7), ({0.0}, 1, 20)):
            task = kind()
            task.solvers = solvers
            task.values = [float(i) for i in range(20)]
            result = breed().run(task, generations=1)
            assert result.solved
            assert result.evaluations == n_evaluations
            fitness = result.best.fitness if hasattr(result.best, "fitness") else result.fitness
            assert fitness == max(solvers)
            assert len(task.asked) == (20 if kind is OneByOne else n_asked)


def test_a_genetic_algorithm_asks_as_well():
    task = Sum(solved=lambda network, fitness: len(task.asked) == 3)
    ga = fn.GeneticAlgorithm(fn.Network([2, 1], dtype="float64", seed=0), 10, seed=0)
    result = ga.run(task, generations=5)
    assert result.solved
    assert task.asked[:3] == np.sort(ga.fitness)[::-1][:3].tolist()
    assert result.fitness == task.asked[2]


@pytest.mark.parametrize(("given", "error", "message"), [
    ([1.0] * 19, ValueError, r"shape \(20,\), got \(19,\)"),
    ([1.0] * 19 + [np.nan], ValueError, "the fitness of genome 19 is nan"),
    ("abc", TypeError, "20 numbers, got str"),
])
def test_bad_fitness(given, error, message):
    class Bad(Sum):
        def evaluate_all(self, networks, seed=0):
            return given

    population = neat.Population(neat.Config(2, 1, population_size=20), seed=0)
    with pytest.raises(error, match=message):
        population.step(Bad())
    assert population.generation == 0
    population.step(Sum())


def test_bad_sizes():
    with pytest.raises(ValueError, match="Sum has n_inputs=2, the config n_inputs=3"):
        neat.Population(neat.Config(3, 1), seed=0).step(Sum())
