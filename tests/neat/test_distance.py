"""Compatibility distance against the twin."""

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastnet import neat

coefficients = st.floats(0, 4)


def check(got, expected, n):
    # Nothing is subtracted but the two weights: every operation rounds once, here and there
    assert abs(got - expected) <= (2 * n + 16) * np.finfo(float).eps * expected


@given(data=st.data())
def test_of_random_genomes(data, twins, strategies):
    config = neat.Config(
        c_excess=data.draw(coefficients), c_disjoint=data.draw(coefficients),
        c_weight=data.draw(coefficients),
        distance_normalization=data.draw(st.sampled_from(["one", "size"])),
        **data.draw(strategies.fields()))
    if data.draw(st.booleans()):
        genomes = data.draw(strategies.relatives(twins, config))
    else:
        # Unrelated ones share the numbers only
        genomes = [
            data.draw(strategies.genomes(twins, config)) for _ in range(2)]
    a, b = (twins.write(neat, genome, config) for genome in genomes)
    expected = twins.distance(*genomes, config)
    got = neat.distance(a, b, config)
    assert type(got) is float
    n = sum(len(genome.genes) for genome in genomes)
    check(got, expected, n)
    check(neat.distance(b, a, config), expected, n)
    assert neat.distance(a, a, config) == 0
    assert neat.distance(b, b.copy(), config) == 0


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("normalization", ["one", "size"])
def test_of_long_genomes(twins, seed, normalization):
    """Long runs of equal innovations, gaps of every length, one genome inside the other."""
    chance = random.Random(seed)
    config = neat.Config(
        40, 20, bias=None, distance_normalization=normalization, c_excess=1.5, c_disjoint=0.75)
    pairs = [(source, 40 + target) for source in range(40) for target in range(20)]
    first, last = chance.randrange(100), chance.randrange(600, 800)
    shares = [1.0, chance.choice([0.05, 0.5, 0.95])]
    genomes = []
    for share in shares:
        rows = [
            (3 * i, *pair, chance.uniform(-5, 5), True) for i, pair in enumerate(pairs)
            if chance.random() < share and first <= i < last]
        genomes.append(twins.build(config, rows))
        first, last = 0, 800 if seed % 2 else 300
    a, b = (twins.write(neat, genome, config) for genome in genomes)
    expected = twins.distance(*genomes, config)
    check(neat.distance(a, b, config), expected, 1600)
    check(neat.distance(b, a, config), expected, 1600)


def test_flags_nodes_and_biases_do_not_count():
    config = neat.Config(2, 1, bias="per_node", distance_normalization="one")
    rows = [(0, 0, 2, 1.0, True), (1, 1, 2, 1.0, True)]
    a = neat.Genome.from_connections(config, rows)
    b = a.copy()
    assert b.toggle_connection(1, innovation=0)
    assert neat.distance(a, b, config) == 0


def test_counts_by_hand():
    config = neat.Config(6, 1, c_excess=1.0, c_disjoint=10.0, c_weight=0.0)
    a, b, c = (
        neat.Genome.from_connections(config, [(i, i, 7, 1.0, True) for i in part])
        for part in (range(3), range(1, 6), range(0, 6, 2)))
    assert neat.distance(a, b, config) == 3 + 10
    assert neat.distance(b, c, config) == 1 + 30
    assert neat.distance(a, c, config) == 1 + 10
