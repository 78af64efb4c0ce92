"""Crossover against the twin: what children can be, and how often they are."""

import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

import fastnet as fn
from fastnet import neat

RULES = [
    {"crossover": "either"}, {"crossover": "fitter", "tie": "both"},
    {"crossover": "fitter", "tie": "neither"}, {"crossover": "fitter", "tie": "random"}]
FITNESS = {1: (2.0, 1.0), 0: (0.5, 0.5), -1: (-1.0, 0.0)}


@given(data=st.data())
def test_children_of_random_parents(data, twins, strategies):
    config = neat.Config(
        disable_rate=data.draw(st.sampled_from([None, 0.0, 0.75, 1.0])),
        average_crossover_rate=data.draw(st.sampled_from([0.0, 0.5, 1.0])),
        **data.draw(strategies.fields()), **data.draw(st.sampled_from(RULES)))
    a, b = (
        twins.write(neat, genome, config)
        for genome in data.draw(strategies.relatives(twins, config)))
    order = data.draw(st.sampled_from([1, 0, -1]))
    before = a.copy(), b.copy()
    seed = data.draw(st.integers(0, 2**32))
    rng = fn.RandomStream(seed)
    for _ in range(4):
        child = neat.crossover(a, b, config, rng, fitness=FITNESS[order])
        twins.check_structure(child, config)
        reason = twins.why_impossible(
            twins.read(child), twins.read(a), twins.read(b), order, config)
        assert reason is None, reason
    assert (a, b) == before
    again = neat.crossover(a, b, config, seed, fitness=FITNESS[order])
    assert again == neat.crossover(a, b, config, seed, fitness=FITNESS[order])


@given(data=st.data())
def test_the_child_of_two_equal_parents_is_equal(data, twins, strategies):
    config = neat.Config(
        disable_rate=data.draw(st.sampled_from([None, 0.75])), tie="both",
        average_crossover_rate=data.draw(st.sampled_from([0.0, 0.5, 1.0])),
        **data.draw(strategies.fields()))
    a = twins.write(neat, data.draw(strategies.genomes(twins, config)), config)
    assert neat.crossover(a, a.copy(), config, 3, fitness=(1.0, 1.0)) == a
    assert neat.crossover(a, a, config, 3, fitness=(1.0, 2.0)) == a


def parents(config):
    """40 matching genes of all pairs of flags, 20 of each parent alone, before and after its end.

    Weights tell where a gene comes from.
    """
    pairs = [(source, 10 + target) for source in range(10) for target in range(8)]
    flags = [(True, True), (True, False), (False, True), (False, False)]
    a, b = [], []
    for i, pair in enumerate(pairs):
        on = flags[i // 2 % 4]
        if i % 2 == 0 or i % 4 == 1:
            a.append((i, *pair, 1 + i / 128, on[0]))
        if i % 2 == 0 or i % 4 == 3:
            b.append((i, *pair, 2 + i / 128, on[1]))
    return (
        neat.Genome.from_connections(config, rows, inputs=range(10), outputs=range(10, 18))
        for rows in (a, b))


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("order", [1, 0, -1])
@pytest.mark.parametrize("disable_rate", [None, 0.75])
def test_shares(twins, rule, order, disable_rate):
    config = neat.Config(
        10, 8, bias=None, disable_rate=disable_rate, average_crossover_rate=0.25, **rule)
    a, b = parents(config)
    n, rng = 800, fn.RandomStream(5)
    children = [
        twins.read(neat.crossover(a, b, config, rng, fitness=FITNESS[order])) for _ in range(n)]
    a, b = twins.read(a), twins.read(b)
    # Gene 0 is on in both: a mean tells that this crossover averages, and then all genes do
    groups = {False: [], True: []}
    for child in children:
        groups[child.genes[0].weight == 1.5].append(child)
    twins.check_share(len(groups[True]), n, 0.25, "averaging")
    for averages, group in groups.items():
        choices = twins.gene_choices(a, b, order, config, averages)
        for innovation, possible in choices.items():
            counts = Counter(child.genes.get(innovation) for child in group)
            assert counts.keys() <= {gene for _, gene in possible}, innovation
            for probability, gene in possible:
                twins.check_share(counts[gene], len(group), probability, (innovation, gene))


@pytest.mark.parametrize("rule", ["fitter", "either"])
def test_genes_are_drawn_one_by_one(twins, rule):
    """The number of weights from a parent has the variance of independent coins."""
    config = neat.Config(
        10, 8, bias=None, crossover=rule, tie="random", average_crossover_rate=0.0,
        disable_rate=0.5)
    a, b = parents(config)
    n, rng = 1500, fn.RandomStream(9)
    matching = set(a.connections["innovation"].tolist()) & set(
        b.connections["innovation"].tolist())
    copies, flags, single = [], [], []
    for _ in range(n):
        child = twins.read(neat.crossover(a, b, config, rng, fitness=(1.0, 1.0)))
        genes = [child.genes[i] for i in matching]
        copies.append(sum(gene.weight < 2 - 1e-9 + i / 128 for i, gene in zip(
            matching, genes, strict=True)))
        flags.append(sum(gene.enabled for gene in genes))
        single.append(len(child.genes) - len(matching))

    def check(sample, n_coins, always, what):
        variance = n_coins / 4
        # Of a binomial distribution with p = 1/2
        fourth = 3 * variance**2 - variance / 2
        twins.check_moments(sample, always + n_coins / 2, variance, fourth, what)

    check(copies, 40, 0, "copies")
    check(flags, 20, 10, "flags")
    if rule == "fitter":
        check(single, 40, 0, "genes of one parent")


@pytest.mark.parametrize("order", [1, 0, -1])
def test_what_nodes_have_of_their_own(twins, order):
    """Matching nodes come from a random parent, with bias and activation; others from theirs."""
    config = neat.Config(
        2, 3, bias="per_node", activations=("tanh", "relu", "sin", "sigmoid", "gaussian"),
        activation="tanh", activation_mutation_rate=1.0, weight_mutation_rate=0.0,
        bias_mutation_rate=1.0, add_node_rate=0.0, add_connection_rate=0.0, crossover="either",
        weight_cap=None)
    shared = [(0, 0, 2, 1.0, True), (1, 0, 5, 1.0, True), (2, 5, 3, 1.0, True)]
    a = neat.Genome.from_connections(config, [*shared, (3, 0, 6, 1.0, True)])
    b = neat.Genome.from_connections(config, [*shared, (4, 1, 7, 1.0, True)])
    registry = neat.InnovationRegistry(config, [a, b])
    a.mutate(1, registry)
    b.mutate(2, registry)
    n, rng = 400, fn.RandomStream(2)
    children = [
        twins.read(neat.crossover(a, b, config, rng, fitness=FITNESS[order])) for _ in range(n)]
    a, b = twins.read(a), twins.read(b)
    for node in (2, 3, 4, 5):
        assert a.nodes[node].bias != b.nodes[node].bias
        counts = Counter(child.nodes[node] for child in children)
        assert counts.keys() == {a.nodes[node], b.nodes[node]}
        twins.check_share(counts[a.nodes[node]], n, 0.5, node)
    assert {child.nodes[6] for child in children} == {a.nodes[6]}
    assert {child.nodes[7] for child in children} == {b.nodes[7]}
    # Four coins
    together = Counter(
        tuple(child.nodes[node] == a.nodes[node] for node in (2, 3, 4, 5)) for child in children)
    assert len(together) == 16


@pytest.mark.parametrize("order", [1, 0, -1])
def test_no_cycle_closes_in_feed_forward(twins, order):
    config = neat.Config(1, 1, bias=None, crossover="either")
    a = neat.Genome.from_connections(
        config, [(0, 0, 2, 1.0, True), (1, 2, 3, 1.0, True), (2, 3, 1, 1.0, True)])
    b = neat.Genome.from_connections(
        config, [(3, 0, 3, 1.0, True), (4, 3, 2, 1.0, False), (5, 2, 1, 1.0, True)])
    expected = {0, 2, 3, 5} | {4 if order < 0 else 1}
    for seed in range(20):
        child = neat.crossover(a, b, config, seed, fitness=FITNESS[order])
        twins.check_structure(child, config)
        if order:
            assert set(child.connections["innovation"].tolist()) == expected
        else:
            assert len(child.connections) == 5
    config = neat.Config(1, 1, bias=None, crossover="either", mode="recurrent")
    a, b = (
        neat.Genome.from_connections(config, g.connections.tolist()) for g in (a, b))
    child = neat.crossover(a, b, config, 0, fitness=FITNESS[order])
    assert child.connections["innovation"].tolist() == list(range(6))


@pytest.mark.parametrize("mode", ["feed_forward", "time_step"])
@pytest.mark.parametrize("order", [1, -1])
def test_one_gene_for_one_pair(twins, mode, order):
    """The same connection found in two generations may have two numbers."""
    config = neat.Config(
        2, 1, mode=mode, bias=None, crossover="either", innovation_scope="generation")
    a = neat.Genome.from_connections(config, [(0, 0, 2, 1.0, True), (7, 1, 2, 7.0, True)])
    b = neat.Genome.from_connections(config, [(0, 0, 2, 1.0, True), (5, 1, 2, 5.0, True)])
    for seed in range(20):
        child = neat.crossover(a, b, config, seed, fitness=FITNESS[order])
        twins.check_structure(child, config)
        assert child.connections["innovation"].tolist() == [0, 7 if order > 0 else 5]


@pytest.mark.parametrize("fitness", [(math.inf, 1.0), (-math.inf, -1e300), (1.0, 1.0 - 1e-16)])
def test_extreme_fitness(twins, fitness):
    config = neat.Config(10, 8, bias=None, average_crossover_rate=0.0)
    a, b = parents(config)
    order = (fitness[0] > fitness[1]) - (fitness[0] < fitness[1])
    child = neat.crossover(a, b, config, 1, fitness=fitness)
    reason = twins.why_impossible(twins.read(child), twins.read(a), twins.read(b), order, config)
    assert reason is None, reason
