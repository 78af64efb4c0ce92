"""fastnet beside neat-python: the same networks, and generations to time."""

import itertools
import math
import statistics
import time

import numpy as np

from benchmarks.neat_networks import threshold_between
from fastnet import neat

#: Tasks in Python get arrays: what a program holds that calls ``network(x)``.
XOR_CASES = (
    (np.array([0.0, 0.0]), 0.0),
    (np.array([0.0, 1.0]), 1.0),
    (np.array([1.0, 0.0]), 1.0),
    (np.array([1.0, 1.0]), 0.0),
)


def settings(plain, **fields):
    """The paper's, with a bias in each node, as neat-python's genomes have it."""
    return neat.Config.paper(
        plain.n_inputs, plain.n_outputs, bias="per_node", activation=plain.activation, **fields
    )


def genome(plain, config=None):
    """A genome with these connections; its biases are 0."""
    config = settings(plain) if config is None else config
    return neat.Genome.from_connections(
        config, plain.connections, inputs=plain.inputs, outputs=plain.outputs
    )


def network(plain, dtype="float64"):
    """The network with these weights and biases."""
    net = genome(plain).network(dtype=dtype)
    net.parameters[:] = plain.parameters
    return net


def xor_fitness(net):
    """(4 - the sum of absolute errors) squared, in Python."""
    return (4.0 - sum(abs(float(net(x)[0]) - y) for x, y in XOR_CASES)) ** 2


class XorRuns:
    """Generations of XOR from new populations, another seed each."""

    def __init__(self, population_size, fitness, n_populations, n_generations):
        self.config = neat.Config.paper(2, 1, population_size=population_size)
        self.fitness = fitness
        self.n_populations, self.n_generations = n_populations, n_generations
        self.seeds = itertools.count()

    @property
    def unit(self):
        """Generations of one turn."""
        return self.n_populations * self.n_generations

    def prepare(self):
        self.populations = [
            neat.Population(self.config, seed=next(self.seeds)) for _ in range(self.n_populations)
        ]

    def run(self, n):
        for population in self.populations:
            population.run(self.fitness, n // self.n_populations, target=math.inf)

    def mean_size(self):
        """Connections of a genome, the mean over all."""
        sizes = [len(g.connections) for p in self.populations for g in p.genomes]
        return sum(sizes) / len(sizes)


class GenerationRun:
    """One generation without a task, always from the same population.

    Members are the founders in turn with mutated weights.  ``seconds`` collects, turn by turn, the
    times of reproduction and of speciation.  A few generations go before each turn, untimed: the
    first one evaluates the members, and two more leave the memory that generations hand on to each
    other.
    """

    WARM_UP = 3

    def __init__(self, plains, fitness, n_copies=1, seed=0, **fields):
        """``fitness``: one for each member; ``n_copies`` populations are bred one after another."""
        self.fitness = np.asarray(fitness, float)
        size = len(self.fitness)
        # The distance of neat-python's settings: its weights are a fifth of these
        config = settings(plains[0], population_size=size, distance_normalization="size",
                          c_weight=0.5 / 5, **fields)  # fmt: skip
        founders = [genome(plain, config) for plain in plains]
        self.members = []
        for k in range(size):
            member = founders[k % len(founders)].copy()
            member.perturb_weights(seed + k)
            self.members.append(member)
        threshold = threshold_between(
            self.members, len(founders), lambda a, b: neat.distance(a, b, config)
        )
        self.config = config.replace(compatibility_threshold=threshold)
        self.n_copies = n_copies
        self.seconds = []

        @neat.population_fitness
        def evaluate(networks):
            self.evaluated = time.perf_counter()
            return self.fitness

        self.evaluate = evaluate

    def prepare(self):
        self.populations = [
            neat.Population(self.config, seed=0, genomes=self.members)
            for _ in range(self.n_copies)
        ]
        for population in self.populations:
            for _ in range(self.WARM_UP):
                population.step(self.evaluate)

    def run(self, n):
        breeding = sorting = 0.0
        for population in self.populations:
            start = time.perf_counter()
            population.step(self.evaluate)
            breeding += self.evaluated - start
            sorting += time.perf_counter() - self.evaluated
        self.seconds.append((breeding / self.n_copies, sorting / self.n_copies))

    @property
    def n_species(self):
        return len(self.populations[0].species)

    @property
    def n_bred(self):
        return len(self.populations[0].genomes)


class Children:
    """The networks of generations whose members all have the structure of a parent.

    They are made where evolution makes them: when a generation has been bred.  ``seconds`` collects
    the time of one network, the median of a turn.
    """

    GENERATIONS = 20

    def __init__(self, plain, population_size):
        config = settings(plain, population_size=population_size, add_node_rate=0.0,
                          add_connection_rate=0.0, crossover_rate=0.0)  # fmt: skip
        members = [genome(plain, config) for _ in range(population_size)]
        self.population = neat.Population(config, seed=0, genomes=members)
        self.seconds = []
        self.marks = []
        fitness = np.arange(population_size, dtype=float)

        @neat.population_fitness
        def build(networks):
            start = time.perf_counter()
            list(networks)
            self.marks.append((time.perf_counter() - start) / population_size)
            return fitness

        self.build = build

    def prepare(self):
        self.population.step(self.build)
        self.marks.clear()

    def run(self, n):
        for _ in range(self.GENERATIONS):
            self.population.step(self.build)
        self.seconds.append(statistics.median(self.marks))
