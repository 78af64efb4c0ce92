"""Whole runs: what must hold in every generation, and that the same seed gives the same bits."""

import itertools
import math
from collections import Counter

import numpy as np
import pytest

from fastnet import neat

STILL = dict.fromkeys(
    (
        "weight_mutation_rate", "bias_mutation_rate", "activation_mutation_rate", "add_node_rate",
        "add_connection_rate", "toggle_connection_rate", "enable_connection_rate",
        "remove_connection_rate", "remove_node_rate", "crossover_rate"),
    0.0)
BUSY = {
    "weight_mutation_rate": 0.5, "add_node_rate": 0.2, "add_connection_rate": 0.3,
    "toggle_connection_rate": 0.1, "enable_connection_rate": 0.1, "remove_connection_rate": 0.1,
    "remove_node_rate": 0.05, "interspecies_rate": 0.1, "population_stagnation": None}
CONFIGS = {
    "paper": neat.Config.paper(2, 1, population_size=60),
    "time_step": neat.Config.time_step(2, 1, population_size=47),
    "recurrent": neat.Config(
        2, 2, mode="recurrent", bias="per_node", activations=("steep_sigmoid", "tanh"),
        activation_mutation_rate=0.1, self_loops=True, population_size=40, target_species=6,
        **BUSY),
    "both": neat.Config(
        3, 1, crossover="either", disable_rate=None, population_size=31, initial_hidden=(0, 3),
        initial_connection=0.5, stagnation=5, distance_normalization="size",
        compatibility_threshold=0.8, **BUSY),
    "generation": neat.Config(
        2, 1, innovation_scope="generation", tie="both", population_size=30, bias=None,
        representative="best", elitism=2, elitism_species_size=0, stagnation=None, **BUSY)}


def by_genome(value):
    """A fitness that asks the genome only: the same in every mode and precision."""
    @neat.population_fitness
    def fitness(networks):
        return np.array([value(network.genome) for network in networks], dtype=float)
    return fitness


def size_and_weights(genome):
    weights = genome.connections["weight"]
    return float(np.cos(weights).sum()) - 0.05 * len(weights)


def everything(pop):
    """What two equal runs have in common."""
    return {
        "genomes": [
            (g.connections.tobytes(), g.nodes.tobytes(), g.fitness) for g in pop.genomes],
        "fitness": np.asarray(pop.fitness).tobytes(),
        "species": [
            (s.id, tuple(s.members), s.best_fitness, s.age, s.last_improved) for s in pop.species],
        "registry": (pop.registry.next_innovation, pop.registry.next_node),
        "generation": pop.generation,
        "evaluations": pop.evaluations,
        "best": (pop.best.connections.tobytes(), pop.best.fitness)}


class Watcher:
    """Checks each generation against the one before."""

    def __init__(self, twins, config):
        self.twins, self.config = twins, config
        self.ends = {}
        self.numbers = {}
        self.species = []
        self.last_species = -1

    def check(self, pop):
        config = self.config
        assert len(pop.genomes) == config.population_size
        assert np.shape(pop.fitness) == (config.population_size,)
        genomes = list(pop.genomes)
        for i, g in enumerate(genomes):
            assert g.fitness == pop.fitness[i]
            self.check_innovations(g, pop.registry)
        for g in genomes[pop.generation % 7 :: 7]:
            self.twins.check_structure(g, config)
        self.check_species(pop, genomes)

    def check_innovations(self, g, registry):
        """A number never changes its meaning; in one run a connection has one number."""
        genes = g.connections
        innovations = genes["innovation"].tolist()
        assert all(a < b for a, b in itertools.pairwise(innovations))
        for innovation, *ends in zip(
            innovations, genes["source"].tolist(), genes["target"].tolist(), strict=True
        ):
            ends = tuple(ends)
            assert self.ends.setdefault(innovation, ends) == ends
            if self.config.innovation_scope == "run":
                assert self.numbers.setdefault(ends, innovation) == innovation
        assert max(innovations, default=-1) < registry.next_innovation
        assert int(g.nodes["id"].max()) < registry.next_node
        if self.config.weight_cap is not None and innovations:
            assert np.abs(genes["weight"]).max() <= self.config.weight_cap

    def check_species(self, pop, genomes):
        species = list(pop.species)
        members = [i for each in species for i in each.members]
        assert sorted(members) == list(range(self.config.population_size))
        ids = [each.id for each in species]
        assert ids == sorted(set(ids))
        old = {each.id: each for each in self.species}
        assert all(number > self.last_species for number in ids if number not in old)
        self.last_species = max(self.last_species, *ids)
        fitness = np.asarray(pop.fitness)
        for each in species:
            assert len(each.members) == each.size > 0
            best = fitness[list(each.members)].max()
            if each.id in old:
                best = max(best, old[each.id].best_fitness)
            assert each.best_fitness == best
        if self.config.target_species is None:
            self.check_distances(species, genomes)
        self.species = species

    def check_distances(self, species, genomes):
        """Each member is compatible with what stands for its species, which is a random member of
        the generation before; who founds a species is not compatible with any."""
        threshold = self.config.compatibility_threshold
        old = {each.id: each.representative for each in self.species}
        # One that got no children is gone; whether it could take in those of others is left open
        alive = [old[each.id] for each in species if each.id in old]
        founders = []
        for each in species:
            if each.id in old:
                one = old[each.id]
            else:
                one = genomes[min(each.members)]
                for other in [*alive, *founders]:
                    assert neat.distance(one, other, self.config) >= threshold
                founders.append(one)
            for i in each.members:
                assert neat.distance(genomes[i], one, self.config) < threshold
        for each in species:
            assert any(each.representative == genomes[i] for i in each.members)


@pytest.mark.parametrize("name", CONFIGS)
def test_what_holds_in_every_generation(twins, name):
    config = CONFIGS[name]
    pop, watcher = neat.Population(config, seed=7), Watcher(twins, config)
    fitness = by_genome(size_and_weights)
    best = -math.inf
    for generation in range(1, 101):
        pop.step(fitness)
        assert pop.generation == generation
        assert pop.evaluations == generation * config.population_size
        watcher.check(pop)
        best = max(best, np.max(pop.fitness))
        assert pop.best.fitness == best
    assert max(len(g.connections) for g in pop.genomes) > 5


@pytest.mark.slow
@pytest.mark.parametrize("name", CONFIGS)
def test_what_holds_for_long(twins, name):
    config = CONFIGS[name].replace(population_size=150)
    pop, watcher = neat.Population(config, seed=8), Watcher(twins, config)
    # Children that get the genes of both parents only grow: to thousands of connections
    for _ in range(150 if config.crossover == "either" else 500):
        pop.step(neat.tasks.XOR() if config.n_outputs == 1 and config.n_inputs == 2
                 else by_genome(size_and_weights))
        watcher.check(pop)


@pytest.mark.parametrize("size", [1, 2, 3, 5])
@pytest.mark.parametrize("name", CONFIGS)
def test_small_populations_keep_their_size(twins, name, size):
    config = CONFIGS[name].replace(population_size=size)
    pop, watcher = neat.Population(config, seed=size), Watcher(twins, config)
    for _ in range(40):
        pop.step(by_genome(size_and_weights))
        watcher.check(pop)


@pytest.mark.parametrize(
    "value",
    [
        lambda genome: -1e9 - float(np.abs(genome.connections["weight"]).sum()),
        lambda genome: 0.0,
        lambda genome: 1e300 * float(np.sign(genome.connections["weight"].sum())),
        lambda genome: 1e-310 * len(genome.connections)])
def test_any_finite_fitness(twins, value):
    config = CONFIGS["both"]
    pop, watcher = neat.Population(config, seed=1), Watcher(twins, config)
    for _ in range(25):
        pop.step(by_genome(value))
        watcher.check(pop)


@pytest.mark.parametrize("name", CONFIGS)
def test_a_seed_says_everything(name):
    config = CONFIGS[name]
    pops = [neat.Population(config, seed=seed) for seed in (3, 3, 4)]
    for pop in pops:
        for _ in range(12):
            pop.step(by_genome(size_and_weights))
    assert everything(pops[0]) == everything(pops[1])
    assert everything(pops[0]) != everything(pops[2])


@pytest.mark.parametrize("name", ["paper", "time_step"])
def test_threads_change_nothing(name):
    config = CONFIGS[name].replace(population_size=150)
    pops = []
    for n_threads in (1, 2, 3):
        pop = neat.Population(config, seed=5)
        pop.run(neat.tasks.XOR(), generations=15, target=math.inf, n_threads=n_threads)
        pops.append(pop)
    assert everything(pops[0]) == everything(pops[1]) == everything(pops[2])


@pytest.mark.parametrize("name", CONFIGS)
@pytest.mark.parametrize("k", [1, 10])
def test_a_saved_run_goes_on(tmp_path, name, k):
    config, fitness = CONFIGS[name], by_genome(size_and_weights)
    whole, half = (neat.Population(config, seed=9) for _ in range(2))
    whole.run(fitness, generations=2 * k, target=math.inf)
    half.run(fitness, generations=k, target=math.inf)
    half.save(tmp_path / "run.fnpop")
    loaded = neat.Population.load(tmp_path / "run.fnpop")
    assert everything(loaded) == everything(half)
    assert loaded.config == config
    for pop in (half, loaded):
        pop.run(fitness, generations=k, target=math.inf)
        assert everything(pop) == everything(whole)


def test_a_saved_run_goes_on_with_a_task(tmp_path):
    config, task = CONFIGS["paper"], neat.tasks.XOR()
    whole, half = (neat.Population(config, seed=2) for _ in range(2))
    whole.run(task, generations=30, target=math.inf)
    half.run(task, generations=15, target=math.inf)
    half.save(tmp_path / "run.fnpop")
    loaded = neat.Population.load(tmp_path / "run.fnpop")
    loaded.run(task, generations=15, target=math.inf)
    assert everything(loaded) == everything(whole)


# Selection


def one_species(n, **fields):
    """Distinct genomes of one species; nothing but selection happens to them."""
    config = neat.Config(
        1, 1, bias=None, population_size=n, compatibility_threshold=1e6, stagnation=None,
        population_stagnation=None, **(STILL | {"elitism": 0} | fields))
    genomes = [
        neat.Genome.from_connections(config, [(0, 0, 1, i / n, True)]) for i in range(n)]
    return config, genomes


def weight(genome):
    return float(genome.connections["weight"][0])


@pytest.mark.parametrize(("survival", "n_parents"), [(0.01, 10), (0.005, 5), (0.02, 20)])
def test_parents_are_uniform_among_the_best(twins, survival, n_parents):
    n = 1000
    config, genomes = one_species(n, survival_threshold=survival)
    pop = neat.Population(config, seed=3, genomes=genomes)
    for _ in range(2):
        pop.step(by_genome(weight))
    counts = Counter(round(weight(g) * n) for g in pop.genomes)
    twins.check_uniform(counts, range(n - n_parents, n))


def test_elites_are_unchanged_and_the_best():
    fields = {"elitism": 3, "elitism_species_size": 5, "weight_mutation_rate": 1.0}
    config, genomes = one_species(20, **fields)
    pop = neat.Population(config, seed=3, genomes=genomes)
    pop.step(by_genome(weight))
    for _ in range(20):
        best = sorted(map(weight, pop.genomes))[-3:]
        pop.step(by_genome(weight))
        weights = list(map(weight, pop.genomes))
        assert all(each in weights for each in best)


@pytest.mark.parametrize(("elitism_size", "kept"), [(20, False), (19, True)])
def test_small_species_have_no_elites(elitism_size, kept):
    config, genomes = one_species(
        20, elitism=1, elitism_species_size=elitism_size, weight_mutation_rate=1.0)
    pop = neat.Population(config, seed=3, genomes=genomes)
    for _ in range(2):
        pop.step(by_genome(weight))
    assert (0.95 in list(map(weight, pop.genomes))) == kept


@pytest.mark.parametrize("rate", [0.0, 0.3, 1.0])
def test_share_of_children_with_two_parents(twins, rate):
    """Ten parents with many genes, so that only a child of one is equal to one."""
    n = 1000
    config = neat.Config(
        8, 4, bias=None, population_size=n, compatibility_threshold=1e6, stagnation=None,
        survival_threshold=0.01, average_crossover_rate=0.0,
        **(STILL | {"crossover_rate": rate, "elitism": 0}))
    pop = neat.Population(config, seed=6)
    pop.step(by_genome(lambda genome: float(genome.connections["weight"].sum())))
    fitness = np.asarray(pop.fitness)
    best = np.argsort(fitness)[-10:]
    parents = {pop.genomes[i].connections["weight"].tobytes() for i in best}
    pop.step(by_genome(size_and_weights))
    copies = sum(g.connections["weight"].tobytes() in parents for g in pop.genomes)
    # Where both parents may be the same genome one in ten such children is a copy, too
    deviation = 5 * math.sqrt(n * rate * (1 - rate) + n * rate / 10)
    assert n * (1 - rate) - deviation <= copies <= n * (1 - rate) + n * rate / 10 + deviation


def two_species(n, shares, **fields):
    """Two species that only their disjoint genes tell apart; weights 0 and 1 say which one."""
    config = neat.Config(
        2, 1, bias=None, population_size=n, compatibility_threshold=0.5,
        **({"stagnation": None, "population_stagnation": None, "elitism": 0} | STILL | fields))
    genomes = [
        neat.Genome.from_connections(config, [(kind, kind, 2, float(kind), True)])
        for kind, count in enumerate(shares) for _ in range(count)]
    return neat.Population(config, seed=4, genomes=genomes)


def sizes(pop):
    counts = Counter(weight(g) for g in pop.genomes)
    return counts[0.0], counts[1.0]


@pytest.mark.parametrize("shares", [(50, 50), (90, 10), (7, 93)])
def test_species_share_their_fitness(shares):
    """Offspring in proportion to the mean fitness, whatever the size (section 3.3)."""
    pop = two_species(100, shares)
    for _ in range(2):
        pop.step(by_genome(lambda genome: 1.0 + 2 * weight(genome)))
    assert len(pop.species) == 2
    assert sizes(pop) == (25, 75)


@pytest.mark.parametrize("shares", [(50, 50), (90, 10), (10, 90)])
def test_crowding_does_not_pay_where_fitness_is_negative(shares):
    pop = two_species(100, shares)
    for _ in range(2):
        pop.step(by_genome(lambda genome: -10.0 + 9 * weight(genome)))
    first, second = sizes(pop)
    assert first + second == 100
    assert second > first


def test_stagnant_species_have_no_children_but_the_best_has():
    pop = two_species(20, (10, 10), stagnation=4)
    alive = []
    for _ in range(15):
        pop.step(by_genome(lambda genome: 1.0 + weight(genome)))
        alive.append(sizes(pop)[0] > 0)
    assert sizes(pop) == (0, 20)
    # Alive for 4 generations without a better maximum, and not for long after them
    assert all(alive[:5])
    assert not any(alive[6:])


def test_representatives_are_random_members(twins):
    counts = Counter()
    config, genomes = one_species(8)
    for seed in range(400):
        pop = neat.Population(config, seed=seed, genomes=genomes)
        pop.step(by_genome(weight))
        [species] = pop.species
        counts[round(8 * weight(species.representative))] += 1
    twins.check_uniform(counts, range(8))
    config = config.replace(representative="best")
    pop = neat.Population(config, seed=0, genomes=genomes)
    pop.step(by_genome(weight))
    assert weight(pop.species[0].representative) == 7 / 8


def test_the_threshold_is_steered_to_the_wanted_number_of_species():
    config = neat.Config(
        3, 2, population_size=100, target_species=8, compatibility_threshold=50.0,
        threshold_step=0.5, distance_normalization="one", add_connection_rate=0.3,
        add_node_rate=0.3, stagnation=None, population_stagnation=None)
    pop = neat.Population(config, seed=1)
    found = []
    for _ in range(150):
        pop.step(by_genome(size_and_weights))
        found.append(len(pop.species))
    assert found[0] == 1
    assert 4 <= np.mean(found[-30:]) <= 16


@pytest.mark.parametrize(("target", "first"), [(3, 2.0), (8, 2.0), (15, 1.0)])
def test_a_larger_threshold_makes_fewer_species(target, first):
    """Too many species at first: they must merge, not only die out."""
    config = neat.Config(
        2, 1, target_species=target, compatibility_threshold=first, split_oldest_below=0)
    for seed in range(3):
        pop = neat.Population(config, seed=seed)
        history = pop.run(neat.tasks.XOR(), generations=100, target=math.inf).history
        assert max(history.n_species) > 1.4 * target
        assert 0.75 * target <= np.mean(history.n_species[-50:]) <= 1.3 * target
