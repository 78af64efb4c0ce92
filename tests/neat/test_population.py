"""Populations: what a generation is, and what a run does."""

import copy
import itertools
import math
import pickle
import weakref
from collections import Counter

import numpy as np
import pytest

from fastnet import neat

XOR_ROWS = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])

# Rules that differ in what a generation does with them
CONFIGS = {
    "paper": neat.Config.paper(2, 1),
    "time_step": neat.Config.time_step(2, 1, population_size=60),
    "recurrent": neat.Config(
        2,
        2,
        population_size=40,
        mode="recurrent",
        self_loops=True,
        crossover="either",
        tie="both",
        remove_connection_rate=0.3,
        remove_node_rate=0.15,
        add_node_rate=0.1,
        add_connection_rate=0.2,
        toggle_connection_rate=0.2,
        enable_connection_rate=0.2,
        interspecies_rate=0.3,
    ),
    "growing": neat.Config(
        3,
        2,
        population_size=50,
        bias="per_node",
        initial_connection=0.3,
        initial_hidden=(1, 4),
        add_node_rate=0.6,
        add_connection_rate=0.8,
        target_species=6,
        stagnation=4,
        population_stagnation=8,
        activations=("steep_sigmoid", "tanh", "relu"),
        activation_mutation_rate=0.1,
        elitism=2,
    ),
    "one_generation": neat.Config(
        2,
        1,
        population_size=40,
        innovation_scope="generation",
        add_node_rate=0.4,
        add_connection_rate=0.5,
        elitism_species_size=0,
    ),
    "two": neat.Config(2, 1, population_size=2, add_node_rate=0.3),
    "one": neat.Config(1, 1, population_size=1, add_node_rate=0.3),
}


@neat.population_fitness
def noise(networks):
    """Numbers that select for nothing, other ones for every generation."""
    rows = len(networks)
    first = networks[0].genome.connections["weight"]
    return np.random.default_rng(abs(hash(first.tobytes())) % 2**32).normal(size=rows)


def by_weights(network):
    return float(np.sin(np.sum(network.parameters)))


def xor_fitness(network):
    return float((4 - np.abs(network(XOR_ROWS)[:, 0] - [0, 1, 1, 0]).sum()) ** 2)


def genes_of(population):
    return [(g.connections.tolist(), g.nodes.tolist()) for g in population.genomes]


def same(a, b):
    """Whether two populations are in the same state."""
    return (
        genes_of(a) == genes_of(b)
        and np.array_equal(a.fitness, b.fitness, equal_nan=True)
        and a.species == b.species
        and a.generation == b.generation
        and a.registry == b.registry
        and a.threshold == b.threshold
        and (a.best is None if b.best is None else a.best == b.best)
        and a.history == b.history
    )


@pytest.fixture(params=CONFIGS)
def config(request):
    return CONFIGS[request.param]


def test_before_the_first_step_there_are_genomes_only(config):
    pop = neat.Population(config, seed=5)
    assert len(pop.genomes) == config.population_size
    assert pop.generation == pop.evaluations == 0
    assert pop.best is None
    assert pop.species == []
    assert np.isnan(pop.fitness).all()
    assert len(pop.history) == 0
    assert all(genome.fitness is None for genome in pop.genomes)


def test_a_step_describes_the_generation_that_was_evaluated(config):
    pop = neat.Population(config, seed=5)
    before = genes_of(pop)
    seen = []

    def fitness(network):
        seen.append((network.genome.connections.tolist(), network.genome.nodes.tolist()))
        return by_weights(network)

    pop.step(fitness)
    assert genes_of(pop) == before == seen  # the first step breeds nothing
    for generation in (2, 3):
        seen.clear()
        pop.step(fitness)
        assert pop.generation == generation
        assert pop.evaluations == generation * config.population_size
        assert genes_of(pop) == seen
        assert pop.fitness.tolist() == [by_weights(neat.Network(g)) for g in pop.genomes]
        assert [g.fitness for g in pop.genomes] == pop.fitness.tolist()
        members = np.concatenate([species.members for species in pop.species])
        assert sorted(members) == list(range(config.population_size))
        for species in pop.species:
            fit = pop.fitness[species.members]
            assert (np.diff(fit) <= 0).all()
            assert species.best_fitness >= fit[0]


def test_size_and_innovations_over_hundreds_of_generations(config):
    """Never another size, and no number with two meanings: connections, nodes, species."""
    pop = neat.Population(config, seed=11)
    pairs, splits = {}, {}
    species_ids = Counter()
    for _ in range(200):
        pop.step(noise)
        genomes = list(pop.genomes)
        assert len(genomes) == len(pop.fitness) == config.population_size
        assert sum(species.size for species in pop.species) == config.population_size
        for genome in genomes:
            rows = genome.connections
            triples = rows[["innovation", "source", "target"]].tolist()
            assert len({(s, t) for _, s, t in triples}) == len(triples)
            assert (np.diff(rows["innovation"]) > 0).all()
            for innovation, source, target in triples:
                assert pairs.setdefault(innovation, (source, target)) == (source, target)
                assert innovation < pop.registry.next_innovation
            touched = set(rows["source"].tolist()) | set(rows["target"].tolist())
            nodes = genome.nodes
            hidden = nodes["id"][nodes["kind"] == "hidden"].tolist()
            assert set(hidden) <= touched <= set(nodes["id"].tolist())
            assert hidden == sorted(set(hidden))
            assert max(nodes["id"]) < pop.registry.next_node
        for species in pop.species:
            # rows of the table are in order of age, and an id is never given again
            species_ids[species.id] += 1
            assert species_ids[species.id] == species.age + 1
    if config.innovation_scope == "run":
        assert len(set(pairs.values())) == len(pairs)
        for innovation, (source, target) in pairs.items():
            assert pop.registry.innovation_of(source, target) == innovation
        # a node of a split has one meaning: it lies between the ends of that connection
        for innovation in pairs:
            for k in itertools.count():
                node = pop.registry.node_of(innovation, k)
                if node is None:
                    break
                assert splits.setdefault(node, innovation) == innovation


def test_arrays_and_sequences_outlive_their_generation():
    pop = neat.Population(CONFIGS["paper"], seed=0)
    pop.step(noise)
    genomes, fitness, species = pop.genomes, pop.fitness, pop.species
    kept = genes_of(pop), fitness.copy()
    networks = [neat.Network(genome) for genome in genomes]
    outputs = [network(XOR_ROWS) for network in networks]
    for _ in range(5):
        pop.step(noise)
    assert [(g.connections.tolist(), g.nodes.tolist()) for g in genomes] == kept[0]
    assert np.array_equal(fitness, kept[1])
    assert [g.fitness for g in genomes] == kept[1].tolist()
    assert sum(s.size for s in species) == len(genomes)
    assert all(np.array_equal(a(XOR_ROWS), b) for a, b in zip(networks, outputs, strict=True))


def test_a_network_keeps_its_genome_when_the_population_goes_on():
    kept = []

    def fitness(network):
        if len(kept) < 10:
            kept.append((network, network.parameters.copy()))
        return by_weights(network)

    pop = neat.Population(CONFIGS["paper"], seed=3)
    pop.step(fitness)
    first = list(pop.genomes)[:10]
    for _ in range(4):
        pop.step(by_weights)
    for (network, parameters), genome in zip(kept, first, strict=True):
        assert network.genome == genome
        assert np.array_equal(network.parameters, parameters)


def test_what_is_handed_out_cannot_change_the_population():
    pop = neat.Population(CONFIGS["paper"], seed=0)
    pop.step(by_weights)
    twin = pop.copy()
    with pytest.raises(ValueError, match="read-only"):
        pop.fitness[0] = 1.0
    pop.genomes[0].scale_weights(1)
    pop.best.scale_weights(1)
    pop.species[0].members[:] = 0
    pop.run(by_weights, generations=0).history.append(None)
    assert same(pop, twin)


def test_sequence_of_genomes():
    pop = neat.Population(CONFIGS["two"], seed=0)
    genomes = pop.genomes
    assert genomes[-1] == genomes[1]
    assert genomes[0:2] == list(genomes)
    assert [genomes[np.int64(1)]] == genomes[1:]
    with pytest.raises(IndexError, match="index 2 is out of range: there are 2 genomes"):
        genomes[2]
    assert repr(genomes) == "<2 genomes>"
    assert pickle.loads(pickle.dumps(genomes)) == list(genomes)


@pytest.mark.parametrize("seed", range(6))
def test_the_paper_solves_xor(seed):
    config = neat.Config.paper(2, 1)
    pop = neat.Population(config, seed=seed)
    result = pop.run(neat.tasks.XOR(), generations=300)
    assert result.solved
    assert result.generations == pop.generation == len(result.history) <= 300
    outputs = neat.Network(result.best)(XOR_ROWS)[:, 0]
    assert (np.round(outputs) == [0, 1, 1, 0]).all()
    # the paper's count: population x (generations - 1) + position of the first solver
    rights = [
        (np.round(neat.Network(genome)(XOR_ROWS)[:, 0]) == [0, 1, 1, 0]).all()
        for genome in pop.genomes
    ]
    first = rights.index(True)
    assert result.evaluations == config.population_size * (result.generations - 1) + first + 1
    solvers = [fit for fit, right in zip(pop.fitness, rights, strict=True) if right]
    assert result.best.fitness == max(solvers)


def test_task_function_and_population_function_are_one():
    """A native task, an object, a function and a function of all make the same run."""

    class Task:
        n_inputs = 2
        n_outputs = 1

        def __init__(self):
            self.native = neat.tasks.XOR()

        def evaluate(self, network, seed=0):
            return self.native.evaluate(network, seed)

    task = Task()
    forms = [
        task.native,
        task,
        task.evaluate,
        neat.population_fitness(lambda networks: [task.evaluate(n) for n in networks]),
    ]
    runs = []
    for form in forms:
        pop = neat.Population(CONFIGS["paper"], seed=4)
        pop.run(form, generations=12, target=math.inf)
        runs.append(pop)
    assert all(same(runs[0], run) for run in runs[1:])


@pytest.mark.parametrize("n_threads", [2, 3, 7])
def test_threads_make_no_difference(n_threads):
    task = neat.tasks.XOR()
    pops = []
    for threads in (1, n_threads):
        pop = neat.Population(CONFIGS["paper"], seed=9)
        result = pop.run(task, generations=40, n_threads=threads)
        pops.append((pop, result))
    (one, first), (many, second) = pops
    assert same(one, many)
    assert (first.solved, first.evaluations, first.best) == (
        second.solved,
        second.evaluations,
        second.best,
    )


def test_the_seed_decides():
    task = neat.tasks.XOR()
    pops = [neat.Population(CONFIGS["paper"], seed=seed) for seed in (1, 1, 2)]
    for pop in pops:
        for _ in range(6):
            pop.step(task)
    assert same(pops[0], pops[1])
    assert genes_of(pops[0]) != genes_of(pops[2])
    assert pops[0].seed == 1


def test_steps_are_a_run():
    task = neat.tasks.XOR()
    a, b = (neat.Population(CONFIGS["paper"], seed=7) for _ in range(2))
    for _ in range(10):
        a.step(task)
    b.run(task, generations=4, target=math.inf)
    b.run(task, generations=6, target=math.inf)
    assert same(a, b)


def test_a_copy_goes_on_by_itself(config):
    pop = neat.Population(config, seed=2)
    for twin in (copy.copy, copy.deepcopy, lambda p: pickle.loads(pickle.dumps(p))):
        other = twin(pop)
        assert same(pop, other)
        pop.step(noise)
        assert not same(pop, other)
        other.step(noise)
        assert same(pop, other)


def test_elites_are_copied_unchanged():
    config = CONFIGS["paper"].replace(elitism=1, elitism_species_size=5)
    pop = neat.Population(config, seed=0)
    pop.step(by_weights)
    for _ in range(10):
        champions = {}
        for species in pop.species:
            if species.size > 5:
                champions[species.id] = pop.genomes[int(species.members[0])]
        pop.step(by_weights)
        children = list(pop.genomes)
        left = {species.id for species in pop.species}
        for number, champion in champions.items():
            if number in left:
                assert champion in children


def test_children_inherit_from_survivors_only():
    """Without mutation every weight is one that a survivor had."""
    config = neat.Config(
        2,
        1,
        population_size=50,
        weight_mutation_rate=0.0,
        add_node_rate=0.0,
        add_connection_rate=0.0,
        average_crossover_rate=0.0,
        interspecies_rate=0.0,
        survival_threshold=0.1,
        compatibility_threshold=1000.0,
        elitism=0,
    )
    pop = neat.Population(config, seed=0)
    pop.step(by_weights)
    order = np.argsort(-pop.fitness)[:5]  # one species: a tenth of 50
    survivors = [pop.genomes[int(k)] for k in order]
    weights = {float(w) for genome in survivors for w in genome.connections["weight"]}
    pop.step(by_weights)
    for genome in pop.genomes:
        assert set(genome.connections["weight"].tolist()) <= weights


def test_genomes_to_start_from():
    config = neat.Config(2, 1, population_size=20)
    other = neat.Population(config, seed=0)
    other.run(xor_fitness, generations=15, target=math.inf)
    pop = neat.Population(config, seed=1, genomes=other.genomes)
    assert genes_of(pop) == genes_of(other)
    assert all(genome.fitness is None for genome in pop.genomes)
    assert pop.registry.next_innovation <= other.registry.next_innovation
    pop.run(xor_fitness, generations=15, target=math.inf)
    assert len(pop.genomes) == 20
    ids = neat.Genome.from_connections(
        config, [(3, 1, 4, 0.5, True), (5, 7, 4, 1.0, True)], inputs=(1, 7), outputs=(4,), bias=9
    )
    pop = neat.Population(config, genomes=[ids] * 20)
    pop.run(xor_fitness, generations=10, target=math.inf)
    for genome in pop.genomes:
        assert genome.nodes["id"][:4].tolist() == [1, 7, 9, 4]
    assert pop.registry.innovation_of(1, 4) == 3


def test_minus_infinity_is_the_worst():
    pop = neat.Population(CONFIGS["paper"], seed=0)

    def half(network):
        value = by_weights(network)
        return value if value > 0 else -math.inf

    for _ in range(20):
        pop.step(half)
    assert (pop.fitness > 0).sum() > 75  # what failed leaves no children
    record = pop.history[-1]
    finite = pop.fitness[np.isfinite(pop.fitness)]
    assert record.mean == pytest.approx(finite.mean(), rel=1e-12)
    assert record.std == pytest.approx(finite.std(), rel=1e-10)
    pop.step(lambda network: -math.inf)
    pop.step(lambda network: -math.inf)
    assert len(pop.genomes) == 150
    assert math.isnan(pop.history[-1].mean)


def test_best_is_the_first_fittest_of_all_generations():
    values = iter([1.0, 5.0, 5.0, 4.0, 3.0, 2.0])
    pop = neat.Population(CONFIGS["two"], seed=0)
    best = []
    for _ in range(3):
        pop.step(lambda network: next(values))
        best.append((pop.best.fitness, pop.best == pop.genomes[1]))
    assert [fit for fit, _ in best] == [5.0, 5.0, 5.0]
    assert best[0][1]


def test_history_has_the_figures():
    pop = neat.Population(CONFIGS["growing"], seed=0)
    for generation in range(1, 8):
        threshold = pop.threshold
        pop.step(by_weights)
        record = pop.history[-1]
        genomes = list(pop.genomes)
        assert record.generation == generation
        assert record.best == pop.fitness.max()
        assert record.mean == pytest.approx(pop.fitness.mean(), rel=1e-12)
        assert record.std == pytest.approx(pop.fitness.std(), rel=1e-10)
        assert record.n_connections == np.mean([len(g.connections) for g in genomes])
        assert record.n_nodes == np.mean([len(g.nodes) for g in genomes])
        assert record.threshold == threshold
        assert record.species == tuple(species.id for species in pop.species)
        assert record.sizes == tuple(species.size for species in pop.species)
    assert pop.history.best.tolist() == [record.best for record in pop.history]
    assert pop.history.n_species.tolist() == [len(record.sizes) for record in pop.history]
    assert len(pop.history[2:4]) == 2
    assert "7 generations" in repr(pop.history)


def test_history_is_bounded(monkeypatch):
    from fastnet.neat.history import History

    monkeypatch.setattr(History, "LIMIT", 5)
    pop = neat.Population(CONFIGS["two"], seed=0)
    pop.run(by_weights, generations=9, target=math.inf)
    assert pop.history.generation.tolist() == [5, 6, 7, 8, 9]


class Recorder:
    """A reporter that writes down what it hears."""

    def __init__(self):
        self.events = []

    def start_generation(self, population):
        self.events.append(("start", population.generation))

    def end_generation(self, population):
        self.events.append(("end", population.generation))

    def found_solution(self, population, genome):
        self.events.append(("found", genome.fitness))

    def extinction(self, population, species):
        self.events.append(("extinct", species.id, population.generation))

    def species_stagnant(self, population, species):
        assert population.generation - species.last_improved >= population.config.stagnation
        self.events.append(("stagnant", species.id, population.generation))


def test_reporters_hear_of_everything():
    recorder = Recorder()

    class OnlyEnd:
        count = 0

        def end_generation(self, population):
            OnlyEnd.count += 1

    pop = neat.Population(CONFIGS["growing"], seed=0)
    target = 1 - 1e-9
    result = pop.run(by_weights, generations=60, target=math.inf, reporters=(recorder, OnlyEnd()))
    assert OnlyEnd.count == 60
    assert not result.solved
    events = recorder.events
    assert [e for e in events if e[0] == "start"] == [("start", k) for k in range(60)]
    assert [e for e in events if e[0] == "end"] == [("end", k) for k in range(1, 61)]
    # those that are gone, by the history
    gone = []
    for before, after in itertools.pairwise(pop.history):
        gone += [("extinct", k, after.generation) for k in before.species if k not in after.species]
    assert sorted(e for e in events if e[0] == "extinct") == sorted(gone)
    stagnant = [e for e in events if e[0] == "stagnant"]
    assert stagnant
    last = {k: record.generation for record in pop.history for k in record.species}
    for _, number, generation in stagnant:
        assert last[number] == generation  # no children: it is not in the next generation
    recorder.events.clear()
    result = pop.run(by_weights, generations=5, target=min(target, -1.0), reporters=[recorder])
    assert result.solved
    assert recorder.events[-1] == ("found", result.best.fitness)
    assert recorder.events[-2] == ("end", 61)


def test_targets():
    pop = neat.Population(CONFIGS["two"], seed=0)
    result = pop.run(lambda network: 3.0, generations=4, target=3)
    assert (result.solved, result.generations, result.evaluations) == (True, 1, 1)
    result = pop.run(lambda network: 3.0, generations=4)  # a function never says that it is solved
    assert (result.solved, result.generations, result.evaluations) == (False, 5, 10)
    result = pop.run(lambda network: 3.0, generations=4, target=3.5)
    assert (result.solved, result.generations) == (False, 9)
    result = pop.run(lambda network: 3.0, generations=0)
    assert (result.solved, result.generations, result.best.fitness) == (False, 9, 3.0)

    class Task:
        def evaluate(self, network, seed=0):
            return 1.0

        def solved(self, network, fitness):
            assert fitness == 1.0
            return network.genome == winner

    winner = pop.genomes[1]
    pop = neat.Population(CONFIGS["two"], genomes=pop.genomes)
    result = pop.run(Task(), generations=4)
    assert (result.solved, result.evaluations) == (True, 2)
    assert result.best == winner
    assert "solved=True" in repr(result)


def test_a_task_gets_one_seed_a_generation():
    seeds = []

    class Task:
        def evaluate(self, network, seed=0):
            seeds.append(seed)
            return 0.0

    for _ in range(2):
        neat.Population(CONFIGS["two"], seed=5).run(Task(), generations=3)
    assert seeds[:6] == seeds[6:]
    assert [len(set(seeds[k : k + 2])) for k in (0, 2, 4)] == [1, 1, 1]
    assert len(set(seeds)) == 3
    assert all(0 <= seed < 2**32 for seed in seeds)


def test_progress_line(capsys):
    pop = neat.Population(CONFIGS["two"], seed=0)
    pop.run(by_weights, generations=3, progress=True)
    assert "3/3" in capsys.readouterr().err
    pop.run(by_weights, generations=3)
    assert capsys.readouterr().err == ""


def test_repr():
    pop = neat.Population(CONFIGS["two"], seed=0)
    assert repr(pop) == "Population(2 genomes, generation 0)"
    pop.step(lambda network: 1.5)
    assert repr(pop).startswith("Population(2 genomes, generation 1, ")
    assert repr(pop).endswith("species, best=1.5)")


@pytest.mark.parametrize("is_copied", [False, True])
def test_a_kept_network_and_its_generation(config, is_copied):
    """The network itself keeps it, a copy does not; what they compute stays in both cases."""
    pop = neat.Population(config, seed=0)
    kept = []

    @neat.population_fitness
    def keep(networks):
        kept.append(copy.copy(networks[-1]) if is_copied else networks[-1])
        return np.arange(len(networks), dtype=float)

    pop.step(keep)
    genomes = weakref.ref(pop.genomes)      # nobody else holds the sequence
    assert (genomes() is None) == is_copied
    x = [0.5] * config.n_inputs
    before = kept[0].activate(x)
    for _ in range(4):
        pop.step(keep)
    assert kept[0].activate(x) == before
    assert kept[0].genome.network().activate(x) == before
