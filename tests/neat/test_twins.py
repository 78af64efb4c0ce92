"""The twins themselves: by hand, and against numbers that others computed."""

import math
import random
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

X = (1.0, 0.5, -0.25)
PARENT_1 = [
    (1, 1, 4, 1.01, True), (2, 2, 4, 1.02, False), (3, 3, 4, 1.03, True), (4, 2, 5, 1.04, True),
    (5, 5, 4, 1.05, True), (8, 1, 5, 1.08, True)]
PARENT_2 = [
    (1, 1, 4, 2.01, True), (2, 2, 4, 2.02, False), (3, 3, 4, 2.03, True), (4, 2, 5, 2.04, True),
    (5, 5, 4, 2.05, False), (6, 5, 6, 2.06, True), (7, 6, 4, 2.07, True), (9, 3, 5, 2.09, True),
    (10, 1, 6, 2.10, True)]


def settings(**fields):
    """The fields of a Config that these tests need."""
    return SimpleNamespace(**{
        "n_inputs": 3, "n_outputs": 1, "mode": "time_step", "bias": None, "self_loops": False,
        "activation": "identity", "output_activation": None, "c_excess": 1.0, "c_disjoint": 1.0,
        "c_weight": 0.4, "distance_normalization": "one", "crossover": "fitter", "tie": "neither",
        "disable_rate": None, "average_crossover_rate": 0.0} | fields)


def build(twins, rows, **fields):
    return twins.build(settings(**fields), rows, inputs=(1, 2, 3), outputs=(4,))


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        ([], False), ([(0, 1), (1, 2), (0, 2)], False), ([(1, 1)], True),
        ([(0, 1), (1, 2), (2, 1)], True), ([(0, 1), (1, 2), (2, 3), (3, 4), (4, 2)], True)])
def test_cycles(twins, pairs, expected):
    assert twins.has_cycle(pairs) == expected


@pytest.mark.parametrize(("normalization", "expected"), [("one", 5.4), ("size", 5 / 9 + 0.4)])
def test_distance_of_figure_4(twins, normalization, expected):
    a, b = build(twins, PARENT_1), build(twins, PARENT_2)
    config = settings(distance_normalization=normalization)
    assert twins.distance(a, b, config) == pytest.approx(expected, rel=1e-14)
    assert twins.distance(b, a, config) == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize(
    ("coefficients", "expected"), [((1, 0, 0), 2), ((0, 1, 0), 3), ((0, 0, 1), 1)])
def test_parts_of_the_distance(twins, coefficients, expected):
    a, b = build(twins, PARENT_1), build(twins, PARENT_2)
    names = ("c_excess", "c_disjoint", "c_weight")
    config = settings(**dict(zip(names, coefficients, strict=True)))
    assert twins.distance(a, b, config) == pytest.approx(expected, rel=1e-14)


def test_distance_from_nothing(twins):
    a, b = build(twins, PARENT_1), build(twins, [])
    assert twins.distance(a, b, settings(c_disjoint=100.0)) == 6
    assert twins.distance(b, a, settings(distance_normalization="size")) == 1
    assert twins.distance(b, b, settings(distance_normalization="size")) == 0


@pytest.mark.parametrize(
    ("rule", "order", "single"),
    [
        ({"crossover": "fitter"}, 1, {8}),
        ({"crossover": "fitter"}, -1, {6, 7, 9, 10}),
        ({"crossover": "fitter"}, 0, set()),
        ({"crossover": "fitter", "tie": "both"}, 0, {6, 7, 8, 9, 10}),
        ({"crossover": "either"}, 1, {6, 7, 8, 9, 10}),
        ({"crossover": "either"}, -1, {6, 7, 8, 9, 10})])
def test_choices_of_figure_4(twins, rule, order, single):
    a, b = build(twins, PARENT_1), build(twins, PARENT_2)
    choices = twins.gene_choices(a, b, order, settings(**rule), False)
    assert {i for i in choices if i > 5 and choices[i][0][1] is not None} == single
    for i in (1, 3, 4):
        assert [(p, gene.weight) for p, gene in choices[i]] == [
            (0.5, 1 + i / 100), (0.5, 2 + i / 100)]
        assert all(gene.enabled for _, gene in choices[i])
    assert not any(gene.enabled for _, gene in choices[2])
    assert choices[5] == [(1.0, twins.Gene(5, 4, 1.05, True))]
    child = build(twins, PARENT_1)
    reason = twins.why_impossible(child, a, b, order, settings(**rule))
    assert (reason is None) == (single == {8})


def test_choices_with_a_disable_rate_or_averages(twins):
    a, b = build(twins, PARENT_1), build(twins, PARENT_2)
    choices = twins.gene_choices(a, b, 1, settings(disable_rate=0.75), False)
    assert {(p, gene.weight, gene.enabled) for p, gene in choices[5]} == {
        (0.375, 1.05, False), (0.125, 1.05, True), (0.375, 2.05, False), (0.125, 2.05, True)}
    choices = twins.gene_choices(a, b, 0, settings(disable_rate=0.0, tie="random"), True)
    assert choices[5] == [(1.0, twins.Gene(5, 4, (1.05 + 2.05) / 2, True))]
    assert choices[8] == [(0.5, a.genes[8]), (0.5, None)]


def test_figure_5(twins):
    rows = [
        (1, 1, 4, 0.7, True), (2, 2, 4, -0.5, False), (3, 3, 4, 0.5, True), (4, 2, 5, 0.2, True),
        (5, 5, 4, 0.4, True), (6, 1, 5, 0.6, True)]
    config = settings()
    genome, other = build(twins, rows), build(twins, rows)
    registry = twins.Registry([genome])
    assert twins.free_pairs(genome, config) == [(3, 5), (4, 5)]
    assert twins.splittable(genome) == [1, 3, 4, 5, 6]
    for each in (genome, other):
        twins.add_connection(each, registry, config, (3, 5), 0.1)
        twins.add_node(each, registry, config, 3)
        assert each.genes[7] == twins.Gene(3, 5, 0.1)
        assert each.genes[8] == twins.Gene(3, 6, 1.0)
        assert each.genes[9] == twins.Gene(6, 4, 0.5)
        assert not each.genes[3].enabled
    twins.toggle(genome, 3)
    twins.add_node(genome, registry, config, 3)
    assert genome.genes[10] == twins.Gene(3, 7, 1.0)
    assert genome.genes[11] == twins.Gene(7, 4, 0.5)
    assert twins.difference(other, genome) == twins.Difference(
        frozenset({10, 11}), *[frozenset()] * 3, frozenset({7}), *[frozenset()] * 3)
    twins.remove_node(genome, config, 7)
    assert genome.genes == other.genes
    twins.remove_connection(genome, config, 8)
    assert genome.hidden == [5, 6]
    twins.remove_connection(genome, config, 9)
    assert genome.hidden == [5]


def test_free_pairs_of_a_feed_forward_genome(twins):
    # 0 -> 2 -> 1 (disabled), 2 -> 3 -> 1
    config = settings(n_inputs=1, mode="feed_forward", self_loops=False)
    genome = twins.build(
        config, [(0, 0, 2, 1.0, True), (1, 2, 1, 1.0, False), (2, 2, 3, 1.0, True),
                 (3, 3, 1, 1.0, True)])
    assert set(twins.free_pairs(genome, config)) == {(0, 1), (0, 3)}
    config = settings(n_inputs=1, mode="recurrent", self_loops=True)
    assert set(twins.free_pairs(genome, config)) == {
        (0, 1), (0, 3), (1, 1), (1, 2), (1, 3), (2, 2), (3, 2), (3, 3)}


def test_the_three_modes_by_hand(twins, stepping, oracle):
    # 0 -> 2 (2), 2 -> 1 (3), 1 -> 2 (1), 4 -> 1 (5, nothing reaches 4)
    config = settings(n_inputs=1, bias="per_node", mode="recurrent")
    rows = [(0, 0, 2, 2.0, True), (1, 2, 1, 3.0, True), (2, 1, 2, 1.0, True),
            (3, 4, 1, 5.0, True), (4, 0, 1, 9.0, False)]
    genome = twins.build(config, rows)
    genome.nodes = {1: twins.Node("identity", 1.0), 2: twins.Node("square", -1.0),
                    4: twins.Node("identity", 0.5)}
    table = oracle.ACTIVATIONS
    state = stepping.recurrent_step(genome, [1.0], stepping.blank(genome, [1.0]), table)
    assert state == {0: 1.0, 1: 1.0, 2: 1.0, 4: 0.5}
    state = stepping.recurrent_step(genome, [0.0], state, table)
    assert state == {0: 0.0, 1: 1 + 3 + 2.5, 2: 0.0, 4: 0.5}
    states, frontiers = stepping.time_steps(genome, [1.0], 3, table)
    assert frontiers == [{0}, {2}, {1}, {2}]
    assert states[1] == {0: 1.0, 1: None, 2: 1.0, 4: None}
    assert states[2] == {0: 1.0, 1: 4.0, 2: 1.0, 4: None}
    assert states[3] == {0: 1.0, 1: 4.0, 2: 25.0, 4: None}
    assert stepping.outputs(genome, [1.0], "time_step", 1, table) == [0.0]
    genome.genes.pop(2)
    assert stepping.feed_forward(genome, [1.0], table) == {0: 1.0, 2: 1.0, 4: 0.5, 1: 6.5}
    assert stepping.depth(genome) == 2


@given(data=st.data())
def test_time_steps_of_an_acyclic_genome_are_feed_forward(
        data, twins, stepping, strategies, oracle):
    """Where everything can be reached from the inputs, as the document says of acyclic genomes."""
    config = strategies.namespace(data.draw(strategies.fields(mode="time_step")))
    genome = data.draw(strategies.genomes(twins, config, acyclic=True))
    reached = set(genome.sources)
    for _ in genome.nodes:
        reached |= {gene.target for gene in genome.enabled if gene.source in reached}
    genome.genes = {
        innovation: gene for innovation, gene in genome.genes.items() if gene.source in reached}
    [x] = data.draw(strategies.inputs(config, n_rows=1))
    states, frontiers = stepping.time_steps(genome, x, 100, oracle.ACTIVATIONS)
    assert len(states) <= len(genome.nodes) + 1
    assert len(frontiers) == len(states)
    expected = stepping.feed_forward(genome, x, oracle.ACTIVATIONS)
    for node in reached & genome.nodes.keys():
        assert states[-1][node] == expected[node]
    assert all(states[-1][node] is None for node in genome.nodes.keys() - reached)


@given(data=st.data())
def test_descendants_are_sound(data, twins, strategies):
    config = strategies.namespace(data.draw(strategies.fields()))
    a, b = data.draw(strategies.relatives(twins, config))
    for innovation in a.genes.keys() & b.genes.keys():
        first, second = a.genes[innovation], b.genes[innovation]
        assert (first.source, first.target) == (second.source, second.target)
    for genome in (a, b):
        assert len(genome.pairs) == len(genome.genes)
        assert not {target for _, target in genome.pairs} & set(genome.sources)
        touched = {node for pair in genome.pairs for node in pair}
        assert touched | {*genome.sources, *genome.outputs} == set(genome.order)
        if config.mode == "feed_forward":
            assert not twins.has_cycle(genome.pairs)
            assert not {source for source, _ in genome.pairs} & set(genome.outputs)


@pytest.mark.parametrize("unit", [2.0**-24, 2.0**-53])
@pytest.mark.parametrize("name", ["identity", "tanh", "square", "step", "abs", "sin", "exp"])
def test_bounds_hold_for_arithmetic_of_that_precision(stepping, oracle, name, unit):
    """And are not so wide that they say nothing."""
    dtype = np.float32 if unit > 1e-10 else np.float64
    rng = random.Random(3)
    for _ in range(50):
        terms = [(float(np.float32(rng.uniform(-2, 2))), float(np.float32(rng.uniform(-2, 2))))
                 for _ in range(rng.randrange(1, 8))]
        exact = stepping.weighted_sum(
            0.5, [(w, stepping.Rounded(a, unit, 3 * unit)) for w, a in terms])
        z = dtype(0.5)
        for w, a in reversed(terms):
            z = z + dtype(w) * dtype(a * (1 + unit))
        assert stepping.is_within(z, exact)
        assert exact.error < 400 * unit
        exact = stepping.activate(oracle.ACTIVATIONS, name, exact)
        a = oracle.ACTIVATIONS[name][0](np.asarray(z, dtype=float))
        assert stepping.is_within(a, exact)
        if name != "step":
            assert exact.error < 4000 * unit * (1 + math.exp(2) * abs(exact.value))
            assert not stepping.is_within(a + 2 * exact.error + 1e-300, exact)


def test_parameters_of_a_genome(twins, stepping):
    config = settings(n_inputs=2, bias="per_node")
    rows = [(7, 0, 2, 0.7, True), (5, 0, 9, 0.5, True), (6, 1, 2, 0.6, False),
            (8, 9, 2, 0.8, True), (1, 5, 9, 0.1, True)]
    genome = twins.build(config, rows)
    assert stepping.parameters(genome, False) == [0.1, 0.5, 0.7, 0.8]
    values = [1.0, 2.0, 3.0, 4.0, 10.0, 11.0, 12.0]
    other = stepping.with_parameters(genome, values, True)
    assert stepping.parameters(other, True) == values
    assert [other.nodes[i].bias for i in (2, 5, 9)] == [10.0, 11.0, 12.0]
    assert other.genes[6].weight == 0.6
