"""Mutations with wrong arguments: a clear error, and genome, registry and stream as before."""

import math
import pickle

import numpy as np
import pytest

import fastnet as fn
from fastnet import neat

# Inputs 0 and 1, bias node 2, output 3, hidden nodes 4 and 5
ROWS = [
    (0, 0, 3, 1.0, True), (1, 1, 3, 1.0, False), (2, 2, 3, 1.0, True), (3, 0, 4, 1.0, True),
    (4, 4, 5, 1.0, True), (5, 5, 3, 1.0, True)]
ONE = ("mutate_weights", "scale_weights", "replace_weights", "perturb_weights", "mutate_biases",
       "mutate_activations", "toggle_connection", "enable_connection", "remove_connection",
       "remove_node")
WITH_REGISTRY = ("mutate", "add_node", "add_connection")


@pytest.fixture
def config():
    return neat.Config(2, 1)


@pytest.fixture
def genome(config):
    return neat.Genome.from_connections(config, ROWS)


@pytest.fixture
def registry(config, genome):
    return neat.InnovationRegistry(config, [genome])


@pytest.mark.parametrize("name", ONE + WITH_REGISTRY)
@pytest.mark.parametrize("rng", ["x", 1.5, [1]])
def test_bad_rng(genome, name, rng):
    before = genome.copy()
    with pytest.raises(TypeError, match="rng must be"):
        getattr(genome, name)(rng)
    assert genome == before


@pytest.mark.parametrize("name", ONE + WITH_REGISTRY)
def test_negative_rng(genome, name):
    with pytest.raises(ValueError, match="rng must be at least 0"):
        getattr(genome, name)(-1)


@pytest.mark.parametrize(
    ("name", "arguments", "error", "match"),
    [
        ("add_node", {"connection": 9}, ValueError, "connection must be that of a connection"),
        ("add_node", {"connection": -1}, ValueError, "connection must be at least 0"),
        ("add_node", {"connection": "0"}, TypeError, "connection must be an int"),
        ("toggle_connection", {"innovation": 9}, ValueError, "innovation must be that of"),
        ("toggle_connection", {"innovation": 1.0}, TypeError, "innovation must be an int"),
        ("remove_connection", {"innovation": 9}, ValueError, "innovation must be that of"),
        ("remove_connection", {"innovation": 2**63}, ValueError, "innovation must be at most"),
        ("remove_node", {"node": 9}, ValueError, "node must be a node of the genome, got 9"),
        ("remove_node", {"node": 0}, ValueError, "node must be a hidden one, got 0"),
        ("remove_node", {"node": 2}, ValueError, "node must be a hidden one"),
        ("remove_node", {"node": 3}, ValueError, "node must be a hidden one"),
        ("remove_node", {"node": True}, TypeError, "node must be an int"),
        ("add_connection", {"source": 9}, ValueError, "source must be a node of the genome"),
        ("add_connection", {"target": 9}, ValueError, "target must be a node of the genome"),
        ("add_connection", {"target": 1}, ValueError, "target must not be an input"),
        ("add_connection", {"target": 2}, ValueError, "target must not be an input or the bias"),
        ("add_connection", {"source": 3}, ValueError, "source must not be an output"),
        ("add_connection", {"source": 5, "target": 5}, ValueError, "5 -> 5 needs self_loops"),
        ("add_connection", {"source": 5, "target": 4}, ValueError, "5 -> 4 closes a cycle"),
        ("add_connection", {"weight": math.nan}, ValueError, "weight must be finite"),
        ("add_connection", {"weight": math.inf}, ValueError, "weight must be finite"),
        ("add_connection", {"weight": np.float32("inf")}, ValueError, "weight must be finite"),
        ("add_connection", {"weight": 10**400}, ValueError, "weight must be finite"),
        ("add_connection", {"weight": "1"}, TypeError, "weight must be a number")])
def test_bad_arguments(genome, registry, name, arguments, error, match):
    if name.startswith("add"):
        arguments = arguments | {"registry": registry}
    before, known, rng = genome.copy(), registry.copy(), fn.RandomStream(1)
    genome.fitness = 1.0
    with pytest.raises(error, match=match):
        getattr(genome, name)(rng, **arguments)
    assert genome == before
    assert genome.fitness == 1.0
    assert registry == known
    assert rng.position == 0


@pytest.mark.parametrize("name", WITH_REGISTRY)
def test_bad_registry(genome, config, name):
    before = genome.copy()
    method = getattr(genome, name)
    with pytest.raises(TypeError, match="registry must be an InnovationRegistry, got int"):
        method(0, 3)
    with pytest.raises(ValueError, match="registry is for 3 inputs"):
        method(0, neat.InnovationRegistry(neat.Config(3, 1)))
    # Its numbers would collide with those of the genome
    with pytest.raises(ValueError, match=r"does not know connection 3 \(0 -> 4\)"):
        method(0, neat.InnovationRegistry(config))
    other = neat.Genome.from_connections(config, [], inputs=[7, 8], outputs=[9], bias=6)
    with pytest.raises(ValueError, match="registry has other ids of inputs"):
        method(0, neat.InnovationRegistry(config, [other]))
    other = neat.Genome.from_connections(config, [*ROWS[:5], (9, 5, 3, 1.0, True)])
    with pytest.raises(ValueError, match=r"does not know connection 5 \(5 -> 3\)"):
        method(0, neat.InnovationRegistry(config, [other]))
    assert genome == before


def test_registry_of_a_generation_must_be_ahead(genome):
    config = neat.Config(2, 1, innovation_scope="generation")
    genome = neat.Genome.from_connections(config, ROWS)
    with pytest.raises(ValueError, match="does not know connection"):
        genome.add_node(0, neat.InnovationRegistry(config))
    other = neat.Genome.from_connections(config, [(99, 0, 3, 1.0, True)])
    with pytest.raises(ValueError, match="does not know node 5"):
        genome.add_node(0, neat.InnovationRegistry(config, [other]))


@pytest.mark.parametrize("name", WITH_REGISTRY)
def test_without_a_registry(genome, config, name):
    """One that knows just this genome."""
    other = genome.copy()
    registry = neat.InnovationRegistry(config, [genome])
    for seed in range(5):
        assert getattr(genome, name)(seed) == getattr(other, name)(seed, registry)
        if name == "add_connection":
            assert genome == other
        registry = neat.InnovationRegistry(config, [other])
        genome = other.copy()


def test_nothing_changes_where_nothing_can(genome, registry):
    before, known = genome.copy(), registry.copy()
    genome.fitness = 1.0
    assert not genome.add_node(0, registry, connection=1)
    assert not genome.add_connection(0, registry, source=0, target=3)
    assert not genome.add_connection(0, registry, source=1, target=3)
    assert not genome.mutate_biases(0)
    assert not genome.mutate_activations(0)
    assert genome == before
    assert genome.fitness == 1.0
    assert registry == known


def test_powers_of_zero_change_nothing():
    config = neat.Config(2, 1, weight_power=0.0)
    g = neat.Genome.from_connections(config, ROWS)
    assert not g.perturb_weights(0)
    assert g.replace_weights(0)
    assert not g.connections["weight"].any()
    for name in ("scale_weights", "replace_weights", "perturb_weights", "mutate_weights"):
        assert not getattr(g, name)(0)


@pytest.mark.parametrize("name", ["scale_weights", "toggle_connection", "enable_connection"])
def test_fitness_goes_with_a_change(genome, name):
    genome.fitness = 1.0
    assert getattr(genome, name)(0)
    assert genome.fitness is None


def test_one_end_may_be_given():
    config = neat.Config(2, 1, mode="recurrent")
    g = neat.Genome.from_connections(config, ROWS)
    registry = neat.InnovationRegistry(config, [g])
    for end in ("source", "target"):
        for node in (3, 4, 5):
            child = g.copy()
            n_added = 0
            while child.add_connection(n_added, registry, **{end: node}):
                n_added += 1
            added = child.connections[child.connections["innovation"] > 5]
            assert (added[end] == node).all()
            # Everything but itself: targets 3, 4, 5, sources 0 to 5
            n_all = 2 if end == "source" else 5
            assert np.count_nonzero(child.connections[end] == node) == n_all


def test_self_loops():
    for self_loops in (False, True):
        config = neat.Config(1, 1, mode="recurrent", self_loops=self_loops)
        g = neat.Genome.from_connections(config, [(0, 0, 2, 1.0, True), (1, 1, 2, 1.0, True)])
        assert g.add_connection(0) == self_loops
        if self_loops:
            assert g.connections.tolist()[2][:3] == (2, 2, 2)
            assert g.remove_connection(0, innovation=2)
            assert g.add_connection(0, source=2, target=2)


def test_weights_stay_finite():
    """Without a cap they stop at the largest number."""
    config = neat.Config.time_step(1, 1)
    largest = np.finfo(np.float64).max
    g = neat.Genome.from_connections(config, [(i, 0, 2 + i, largest, True) for i in range(30)]
                                     + [(90, 0, 1, -largest, True)])
    for seed in range(5):
        g.scale_weights(seed)
    assert np.isfinite(g.connections["weight"]).all()
    assert (g.connections["weight"] == largest).any()
    pickle.loads(pickle.dumps(g))


def test_large_genomes():
    """Slices grow; what was in them stays."""
    config = neat.Config(30, 20, mode="recurrent")
    registry = neat.InnovationRegistry(config)
    rng = fn.RandomStream(2)
    g = neat.Genome(config, rng, registry)
    for _ in range(300):
        before = {row[0]: row[1:4] for row in g.connections.tolist()}
        assert g.add_node(rng, registry)
        assert g.add_connection(rng, registry)
        after = {row[0]: row[1:4] for row in g.connections.tolist()}
        assert after.items() >= before.items()
        assert len(after) == len(before) + 3
    assert g.size == (300, 31 * 20 + 2 * 300)
    assert neat.Genome.from_connections(config, g.connections) == g
