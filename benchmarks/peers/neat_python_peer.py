"""neat-python: its genomes, grown by its own mutations, its networks and its generations.

Rates of mutation are those of Stanley & Miikkulainen 2002, as fastnet's; what the paper does not
have in this form (sizes of mutations, the threshold of species) is as in neat-python's own XOR
example.
"""

import copy
import random
import tempfile
import time
from pathlib import Path

import neat
from neat.innovation import InnovationTracker
from neat.nn import FeedForwardNetwork

from benchmarks.neat_networks import PlainNetwork, threshold_between

#: What its activation functions multiply their argument by.
STEEPNESS = {"sigmoid": 5.0, "relu": 1.0}
#: Tries to add a connection, for each that is wanted, before growing is given up.
PATIENCE = 1000

SETTINGS = """
[NEAT]
pop_size = {population_size}
fitness_criterion = max
fitness_threshold = 1e9
reset_on_extinction = true
no_fitness_termination = false

[DefaultGenome]
num_inputs = {n_inputs}
num_outputs = {n_outputs}
num_hidden = 0
feed_forward = true
initial_connection = full_direct
compatibility_disjoint_coefficient = 1.0
compatibility_weight_coefficient = 0.5
conn_add_prob = 0.05
conn_delete_prob = 0.0
node_add_prob = 0.03
node_delete_prob = 0.0
single_structural_mutation = false
structural_mutation_surer = false
activation_default = {activation}
activation_mutate_rate = 0.0
activation_options = {activation}
aggregation_default = sum
aggregation_mutate_rate = 0.0
aggregation_options = sum
bias_init_mean = 0.0
bias_init_stdev = 1.0
bias_mutate_rate = 0.72
bias_replace_rate = 0.08
bias_mutate_power = 0.5
bias_max_value = 30.0
bias_min_value = -30.0
response_init_mean = 1.0
response_init_stdev = 0.0
response_mutate_rate = 0.0
response_replace_rate = 0.0
response_mutate_power = 0.0
response_max_value = 30.0
response_min_value = -30.0
weight_init_mean = 0.0
weight_init_stdev = 1.0
weight_mutate_rate = 0.72
weight_replace_rate = 0.08
weight_mutate_power = 0.5
weight_max_value = 30.0
weight_min_value = -30.0
enabled_default = true
enabled_mutate_rate = 0.0

[DefaultSpeciesSet]
compatibility_threshold = {threshold}

[DefaultStagnation]
species_fitness_func = max
max_stagnation = 15
species_elitism = 1

[DefaultReproduction]
elitism = 1
survival_threshold = 0.2
min_species_size = 1
"""

XOR_CASES = (((0.0, 0.0), 0.0), ((0.0, 1.0), 1.0), ((1.0, 0.0), 1.0), ((1.0, 1.0), 0.0))


def configuration(n_inputs, n_outputs, population_size=150, activation="sigmoid", threshold=3.0):
    """Its Config, with a tracker of innovations, which it otherwise gets from a population."""
    text = SETTINGS.format(
        n_inputs=n_inputs, n_outputs=n_outputs, population_size=population_size,
        activation=activation, threshold=threshold,
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "settings")  # it reads nothing but files
        path.write_text(text, encoding="utf-8")
        config = neat.Config(neat.DefaultGenome, neat.DefaultReproduction, neat.DefaultSpeciesSet,
                             neat.DefaultStagnation, str(path))  # fmt: skip
    config.genome_config.innovation_tracker = InnovationTracker()
    return config


# ---- genomes and networks ------------------------------------------------------------------------


def n_enabled(genome):
    return sum(gene.enabled for gene in genome.connections.values())


def n_genes(genome):
    return len(genome.connections)


def new_genome(config, key=0):
    genome = neat.DefaultGenome(key)
    genome.configure_new(config.genome_config)
    return genome


def grow(genome, config, n_hidden, n_connections, counted=n_enabled):
    """Mutate the genome until it has so many hidden nodes and, ``counted``, connections.

    ValueError where that cannot be: the nodes alone bring more, or there is no room for as many.
    """
    settings = config.genome_config
    while len(genome.nodes) - settings.num_outputs < n_hidden:
        genome.mutate_add_node(settings)
    tries = 0
    while counted(genome) < n_connections and tries < PATIENCE * n_connections:
        genome.mutate_add_connection(settings)
        tries += 1
    if counted(genome) != n_connections:
        raise ValueError(
            f"a genome of {n_hidden} hidden nodes cannot have {n_connections} connections, "
            f"got {counted(genome)}"
        )
    return genome


def grown(shape, seed=0, activation="sigmoid", counted=n_enabled):
    """(a genome of a shape, its Config); weights and biases are normal with variance 1."""
    config = configuration(shape.n_inputs, shape.n_outputs, activation=activation)
    random.seed(seed)
    genome = grow(new_genome(config), config, shape.n_hidden, shape.n_connections, counted)
    for node in genome.nodes.values():
        node.bias = random.gauss(0.0, 1.0)  # a new node starts with 0
    return genome, config


def network(genome, config):
    return FeedForwardNetwork.create(genome, config)


def translate(genome, config):
    """The same network as plain numbers.

    f(s (b + r sum)) with steepness s and response r is f(b' + sum') with bias s b and weights s r w
    of everything that enters the node.
    """
    n_inputs = config.genome_config.num_inputs
    names = {node.activation for node in genome.nodes.values()}
    if len(names) != 1 or not names <= STEEPNESS.keys():
        raise ValueError(f"activations: expected one of {tuple(STEEPNESS)} in all, got {names}")
    (activation,) = names
    steepness = STEEPNESS[activation]

    def number(key):
        return -key - 1 if key < 0 else key + n_inputs

    connections = [
        (gene.innovation, number(key[0]), number(key[1]),
         steepness * genome.nodes[key[1]].response * gene.weight, gene.enabled)
        for key, gene in genome.connections.items()
    ]  # fmt: skip
    biases = {number(key): steepness * node.bias for key, node in genome.nodes.items()}
    return PlainNetwork(n_inputs, config.genome_config.num_outputs, tuple(sorted(connections)),
                        biases, activation)  # fmt: skip


# ---- whole runs ----------------------------------------------------------------------------------


def xor_fitness(net):
    """(4 - the sum of absolute errors) squared."""
    return (4.0 - sum(abs(net.activate(x)[0] - y) for x, y in XOR_CASES)) ** 2


def evaluate_xor(genomes, config):
    for _, genome in genomes:
        genome.fitness = xor_fitness(FeedForwardNetwork.create(genome, config))


class XorRun:
    """Generations of XOR from new populations, another seed each."""

    def __init__(self, population_size):
        self.config = configuration(2, 1, population_size)
        self.seed = 0

    def prepare(self):
        self.population = neat.Population(self.config, seed=self.seed)
        self.seed += 1

    def run(self, n):
        self.population.run(evaluate_xor, n)

    def mean_size(self):
        genomes = self.population.population.values()
        return sum(map(n_genes, genomes)) / len(genomes)


def lineages(shape, n_lineages, seed=0):
    """(config, genomes with half of their hidden nodes and connections in common).

    All from one tracker of innovations, so that equal connections have equal numbers.
    """
    config = configuration(shape.n_inputs, shape.n_outputs)
    random.seed(seed)
    ancestor = new_genome(config)
    first = n_genes(ancestor)
    half = max(first + 2 * (shape.n_hidden // 2), shape.n_connections // 2)
    grow(ancestor, config, shape.n_hidden // 2, half, n_genes)
    founders = []
    for _ in range(n_lineages):
        founder = copy.deepcopy(ancestor)
        founders.append(grow(founder, config, shape.n_hidden, shape.n_connections, n_genes))
    return config, founders


class GenerationRun:
    """One generation without a task, always from the same population.

    Members are founders in turn with mutated weights.  ``seconds`` collects, turn by turn, the
    times of reproduction and of speciation.
    """

    def __init__(self, founders, config, fitness, seed=0):
        """``fitness``: one for each member."""
        random.seed(seed)
        self.config = config
        settings = config.genome_config
        self.size = len(fitness)
        reporters = neat.reporting.ReporterSet()
        stagnation = config.stagnation_type(config.stagnation_config, reporters)
        self.reproduction = config.reproduction_type(config.reproduction_config, reporters,
                                                     stagnation)  # fmt: skip
        # What numbers the innovations goes on where growing ended
        self.reproduction.innovation_tracker = settings.innovation_tracker
        population = {}
        for value in map(float, fitness):
            key = next(self.reproduction.genome_indexer)
            member = copied(founders[key % len(founders)], key)
            for gene in member.connections.values():
                gene.mutate(settings)
            member.fitness = value
            population[key] = member
        config.species_set_config.compatibility_threshold = threshold_between(
            list(population.values()), len(founders), lambda a, b: a.distance(b, settings)
        )
        self.species = config.species_set_type(config.species_set_config, reporters)
        self.species.speciate(config, population, 0)
        self.start = dict(self.species.species)
        self.members = {key: dict(found.members) for key, found in self.start.items()}
        self.seconds = []

    def prepare(self):
        """The species as they were before any turn."""
        self.species.species = {}
        for key, found in self.start.items():
            again = copy.copy(found)
            again.members = dict(self.members[key])
            again.fitness_history = list(found.fitness_history)
            self.species.species[key] = again

    def run(self, n=1):
        start = time.perf_counter()
        population = self.reproduction.reproduce(self.config, self.species, self.size, 1)
        middle = time.perf_counter()
        self.species.speciate(self.config, population, 1)
        self.seconds.append((middle - start, time.perf_counter() - middle))
        self.n_bred = len(population)

    @property
    def n_species(self):
        return len(self.species.species)


def copied(genome, key):
    result = neat.DefaultGenome(key)
    result.nodes = {k: node.copy() for k, node in genome.nodes.items()}
    result.connections = {k: gene.copy() for k, gene in genome.connections.items()}
    return result
