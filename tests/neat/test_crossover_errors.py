"""What crossover refuses, and who is the fitter parent; the rules themselves: test_crossover.py."""

import math

import numpy as np
import pytest

import fastnet as fn
from fastnet import neat

# The fitter parent gives all, so that the number of genes tells who that was.
CONFIG = neat.Config.time_step(2, 1, bias=None)
GENES = [(0, 0, 2, 1.0, True), (1, 1, 2, 2.0, True), (2, 0, 3, 3.0, True), (3, 3, 2, 4.0, False)]


def make(n, config=CONFIG, **ids):
    return neat.Genome.from_connections(config, GENES[:n], **ids)


def n_genes(fitness=None, own=(None, None)):
    a, b = make(3), make(4)
    a.fitness, b.fitness = own
    return len(neat.crossover(a, b, CONFIG, 0, fitness=fitness).connections)


def test_fitness_of_the_genomes():
    assert n_genes(own=(1.0, 2.0)) == 4
    assert n_genes(own=(2.0, 1.0)) == 3
    # one that was never evaluated: a tie, and the genes of neither
    assert n_genes(own=(None, 1.0)) == n_genes(own=(1.0, None)) == n_genes() == 3
    assert len(neat.crossover(make(4), make(3), CONFIG, 0).connections) == 3


@pytest.mark.parametrize(
    ("fitness", "expected"),
    [
        ((1.0, 2.0), 4),
        ((2, 1), 3),
        ([-math.inf, math.inf], 4),
        ((math.inf, math.inf), 3),
        (np.array([1.0, 2.0]), 4),
        ((np.float32(1), np.float32(2)), 4),
        ((10**400, 10**401), 4),
    ])
def test_given_fitness_counts(fitness, expected):
    assert n_genes(fitness, own=(5.0, 1.0)) == expected


@pytest.mark.parametrize(
    ("fitness", "error"),
    [
        ((math.nan, 1.0), ValueError),
        ((1.0, math.nan), ValueError),
        (np.array([1.0, np.nan]), ValueError),
        ((1.0,), ValueError),
        ((1.0, 2.0, 3.0), ValueError),
        (1.0, ValueError),
        (("1", "2"), TypeError),
        ((None, 1.0), TypeError),
        ((True, 1.0), TypeError),
        ((1j, 1.0), TypeError),
    ])
def test_bad_fitness(fitness, error):
    a, b = make(3), make(4)
    rng = fn.RandomStream(0)
    with pytest.raises(error, match="fitness"):
        neat.crossover(a, b, CONFIG, rng, fitness=fitness)
    assert (a, b) == (make(3), make(4))
    assert rng.position == 0


@pytest.mark.parametrize(
    ("a", "b", "config", "error", "words"),
    [
        (None, make(3), CONFIG, TypeError, "a must be a Genome"),
        (make(3), "b", CONFIG, TypeError, "b must be a Genome"),
        (make(3), make(3), {}, TypeError, "config"),
        (make(3), make(3), CONFIG.replace(n_inputs=3), ValueError, "a has"),
        (make(3), make(0, CONFIG.replace(n_outputs=2)), CONFIG, ValueError, "b has"),
        (make(2), make(0, inputs=[0, 7], outputs=[2]), CONFIG, ValueError, "same inputs"),
        (make(2), make(0, inputs=[1, 0], outputs=[2]), CONFIG, ValueError, "same inputs"),
    ])
def test_strangers(a, b, config, error, words):
    with pytest.raises(error, match=words):
        neat.crossover(a, b, config, 0)


@pytest.mark.parametrize("gene", [(2, 1, 3, 3.0, True), (2, 0, 4, 3.0, True)])
def test_innovations_that_contradict(gene):
    a = make(4)
    b = neat.Genome.from_connections(CONFIG, [GENES[0], gene])
    for pair in ((a, b), (b, a)):
        with pytest.raises(ValueError, match="innovation 2 is"):
            neat.crossover(*pair, CONFIG, 0)
    # the rest may differ
    b = neat.Genome.from_connections(CONFIG, [GENES[0], (4, 1, 3, 3.0, True)])
    neat.crossover(a, b, CONFIG, 0)


def test_cyclic_parent_of_a_feed_forward_child():
    cyclic = neat.Genome.from_connections(
        CONFIG, [(0, 0, 3, 1.0, True), (1, 3, 4, 1.0, True), (2, 4, 3, 1.0, True)])
    config = CONFIG.replace(mode="feed_forward")
    with pytest.raises(ValueError, match="b: "):
        neat.crossover(make(2), cyclic, config, 0)


@pytest.mark.parametrize("rng", ["0", 1.5, [1]])
def test_bad_rng(rng):
    with pytest.raises(TypeError):
        neat.crossover(make(3), make(4), CONFIG, rng)


def test_stream_advances_and_the_child_is_new():
    config = neat.Config(10, 10, bias=None)
    a, b = (
        neat.Genome.from_connections(
            config, [(i, i // 10, 10 + i % 10, weight + i, True) for i in range(100)])
        for weight in (0.0, 1000.0))
    a.fitness = b.fitness = 3.0
    rng = fn.RandomStream(4, 2)
    first = neat.crossover(a, b, config, rng)
    assert rng.position > 0
    second = neat.crossover(a, b, config, rng)
    assert first != second
    assert neat.crossover(a, b, config, fn.RandomStream(4, 2)) == first
    assert neat.crossover(a, b, config, 5) == neat.crossover(a, b, config, 5)
    assert first.fitness is None
    assert first.config is config


def test_parents_without_genes():
    empty = make(0)
    assert neat.crossover(empty, empty, CONFIG, 0) == empty
    assert neat.crossover(empty, make(4), CONFIG, 0, fitness=(0.0, 1.0)) == make(4)
    assert neat.crossover(empty, make(4), CONFIG, 0, fitness=(1.0, 0.0)) == empty
    either = CONFIG.replace(crossover="either")
    assert neat.crossover(empty, make(4), either, 0) == make(4, either)


class GrowsFirst:
    """A seed whose reading adds connections to a genome, as another thread might at that time."""

    def __init__(self, seed, genome, registry):
        self.seed, self.genome, self.registry = seed, genome, registry

    def __index__(self):
        for k in range(20):
            self.genome.add_node(k, self.registry)
        return self.seed


@pytest.mark.parametrize("which", [0, 1])
def test_a_parent_that_grows_in_the_middle(which):
    parents = make(3), make(4)
    registry = neat.InnovationRegistry(CONFIG, parents)
    child = neat.crossover(*parents, CONFIG, GrowsFirst(7, parents[which], registry))
    assert len(parents[which].connections) == (43, 44)[which]
    assert child == neat.crossover(*parents, CONFIG, 7)
