"""Innovation registries: equal structure gets equal numbers, and a number keeps its meaning."""

import copy
import pickle

import numpy as np
import pytest

import fastnet as fn
from fastnet import neat

# Figure 5 of the document: inputs 1, 2, 3, output 4, hidden node 5
FIGURE_5 = [
    (1, 1, 4, 0.7, True), (2, 2, 4, -0.5, False), (3, 3, 4, 0.5, True), (4, 2, 5, 0.2, True),
    (5, 5, 4, 0.4, True), (6, 1, 5, 0.6, True)]


@pytest.fixture
def config():
    return neat.Config.time_step(3, 1)


@pytest.fixture
def genome(config):
    return neat.Genome.from_connections(config, FIGURE_5, inputs=[1, 2, 3], outputs=[4])


def genes(genome):
    return [row[:3] for row in genome.connections.tolist()]


def numbers(registry):
    return registry.next_innovation, registry.next_node


def test_figure_5(config, genome):
    registry = neat.InnovationRegistry(config, [genome])
    assert numbers(registry) == (7, 6)
    other = genome.copy()
    for g in (genome, other):
        assert g.add_connection(0, registry, source=3, target=5, weight=0.25)
        assert g.add_node(0, registry, connection=3)
        assert genes(g)[6:] == [(7, 3, 5), (8, 3, 6), (9, 6, 4)]
        assert g.connections["weight"][6:].tolist() == [0.25, 1.0, 0.5]
        assert g.connections["enabled"].tolist() == [
            True, False, False, True, True, True, True, True, True]
        assert g.nodes["id"].tolist() == [1, 2, 3, 4, 5, 6]
        assert numbers(registry) == (10, 7)
    assert genome == other
    for g in (genome, other):
        assert g.toggle_connection(0, innovation=3)
        assert g.add_node(0, registry, connection=3)
        assert genes(g)[9:] == [(10, 3, 7), (11, 7, 4)]
        assert numbers(registry) == (12, 8)
    assert [registry.node_of(3, k) for k in range(3)] == [6, 7, None]
    assert registry.innovation_of(3, 7) == 10
    assert registry.innovation_of(7, 3) is None


def test_a_node_that_went_away_comes_back(config, genome):
    registry = neat.InnovationRegistry(config, [genome])
    genome.add_node(0, registry, connection=3)
    before = genome.copy()
    genome.remove_node(0, node=6)
    genome.toggle_connection(0, innovation=3)
    genome.add_node(0, registry, connection=3)
    assert genome == before
    assert numbers(registry) == (9, 7)


@pytest.mark.parametrize(
    ("bias", "hidden", "pairs"),
    [
        (None, 0, [(0, 2), (0, 3), (1, 2), (1, 3)]),
        ("node", 0, [(0, 3), (0, 4), (1, 3), (1, 4), (2, 3), (2, 4)]),
        (None, (1, 2), [(0, 2), (0, 3), (1, 2), (1, 3), (0, 4), (1, 4), (4, 2), (4, 3),
                        (0, 5), (1, 5), (5, 2), (5, 3)])])
def test_first_numbers_are_those_of_new_genomes(bias, hidden, pairs):
    config = neat.Config(2, 2, bias=bias, initial_hidden=hidden)
    registry = neat.InnovationRegistry(config)
    assert [registry.innovation_of(*pair) for pair in pairs] == list(range(len(pairs)))
    n_fixed = 4 + (bias == "node")
    assert numbers(registry) == (len(pairs), n_fixed + (2 if hidden else 0))
    before = registry.copy()
    for seed in range(5):
        for connection in ("full", 0.5, "none"):
            g = neat.Genome(config.replace(initial_connection=connection), seed, registry)
            assert all(pairs[number] == (s, t) for number, s, t in genes(g))
    assert registry == before


def test_separate_genomes_agree():
    config = neat.Config(2, 1, initial_hidden=(0, 3))
    genomes = [neat.Genome(config, seed) for seed in range(20)]
    assert len({g.size for g in genomes}) == 4
    registry = neat.InnovationRegistry(config, genomes)
    assert registry.next_innovation == 1 + max(g.connections["innovation"].max() for g in genomes)
    assert registry.next_node == 1 + max(g.nodes["id"].max() for g in genomes)


def test_new_genomes_have_the_fixed_nodes_of_the_registry(config, genome):
    registry = neat.InnovationRegistry(config, [genome])
    g = neat.Genome(config, 0, registry)
    assert g.nodes["id"].tolist() == [1, 2, 3, 4]
    # 3 -> 4, 1 -> 4 and 2 -> 4 are known
    assert genes(g) == [(1, 1, 4), (2, 2, 4), (3, 3, 4)]
    assert numbers(registry) == (7, 6)


def test_hidden_nodes_of_new_genomes_follow_those_of_the_given(config, genome):
    config = config.replace(initial_hidden=2)
    registry = neat.InnovationRegistry(config, [genome])
    first, second = neat.Genome(config, 0, registry), neat.Genome(config, 1, registry)
    assert first.nodes["id"].tolist() == second.nodes["id"].tolist() == [1, 2, 3, 4, 6, 7]
    assert genes(first) == genes(second)
    assert numbers(registry) == (15, 8)


def test_genomes_that_contradict_each_other(config, genome):
    def other(rows, **ids):
        return neat.Genome.from_connections(config, rows, **({"inputs": [1, 2, 3]} | ids))

    one = other([(1, 2, 4, 1.0, True)], outputs=[4])
    with pytest.raises(ValueError, match="innovation 1 is both 1 -> 4 and 2 -> 4"):
        neat.InnovationRegistry(config, [genome, one])
    one = other([(9, 1, 4, 1.0, True)], outputs=[4])
    with pytest.raises(ValueError, match="1 -> 4 is both innovation 1 and 9"):
        neat.InnovationRegistry(config, [genome, one])
    one = other([(1, 1, 4, 1.0, True)], outputs=[5])
    with pytest.raises(ValueError, match=r"genomes\[1\] has other ids"):
        neat.InnovationRegistry(config, [genome, one])


def test_with_the_scope_of_a_generation_a_pair_may_have_two_numbers(config, genome):
    config = config.replace(innovation_scope="generation")
    one = neat.Genome.from_connections(
        config, [(9, 1, 4, 1.0, True)], inputs=[1, 2, 3], outputs=[4])
    registry = neat.InnovationRegistry(config, [genome, one])
    assert registry.innovation_of(1, 4) == 9
    # A number has one meaning all the same
    one = neat.Genome.from_connections(
        config, [(1, 2, 4, 1.0, True)], inputs=[1, 2, 3], outputs=[4])
    with pytest.raises(ValueError, match="innovation 1 is both"):
        neat.InnovationRegistry(config, [genome, one])


def test_scope_of_a_generation(config, genome):
    config = config.replace(innovation_scope="generation")
    registry = neat.InnovationRegistry(config, [genome])
    first, same, later = genome.copy(), genome.copy(), genome.copy()
    first.add_node(0, registry, connection=3)
    same.add_node(0, registry, connection=3)
    assert first == same
    assert numbers(registry) == (9, 7)
    snapshot = registry.snapshot()
    registry.new_generation()
    assert registry.innovation_of(3, 6) is None
    later.add_node(0, registry, connection=3)
    assert genes(later)[6:] == [(9, 3, 7), (10, 7, 4)]
    registry.restore(snapshot)
    assert numbers(registry) == (9, 7)
    assert registry.innovation_of(3, 6) == 7
    # With the scope of the run nothing is forgotten
    registry = neat.InnovationRegistry(config.replace(innovation_scope="run"), [genome])
    registry.new_generation()
    assert registry.innovation_of(1, 4) == 1


def grow(config, registry, seed, n):
    rng = fn.RandomStream(seed)
    g = neat.Genome(config, rng, registry)
    for _ in range(n):
        g.add_node(rng, registry)
        g.add_connection(rng, registry)
    return g


@pytest.mark.parametrize("scope", ["run", "generation"])
def test_restore(scope):
    config = neat.Config(3, 2, mode="recurrent", innovation_scope=scope)
    registry = neat.InnovationRegistry(config)
    for n in (0, 1, 7, 100):
        grow(config, registry, n, n)
        before, snapshot = registry.copy(), registry.snapshot()
        grown = grow(config, registry, 1, 150)
        after = registry.copy()
        assert after != before
        for _ in range(2):
            registry.restore(snapshot)
            assert registry == before
            assert registry.innovation_of(0, 4) == before.innovation_of(0, 4)
            assert grow(config, registry, 1, 150) == grown
            assert registry == after
        for innovation, source, target in genes(grown):
            assert registry.innovation_of(source, target) == innovation
        registry.restore(before)
        assert registry == before


def test_restore_refuses_what_is_no_snapshot_of_it(config, genome):
    registry = neat.InnovationRegistry(config, [genome])
    other = neat.InnovationRegistry(config)
    with pytest.raises(ValueError, match="snapshot"):
        other.restore(registry.snapshot())
    with pytest.raises(ValueError, match="snapshot"):
        neat.InnovationRegistry(neat.Config(2, 2)).restore(other.snapshot())
    small = neat.InnovationRegistry(config)
    grow(config, other, 0, 3)
    with pytest.raises(ValueError, match="knows more"):
        small.restore(other.snapshot())
    for wrong in (None, 3, "x"):
        with pytest.raises(TypeError):
            registry.restore(wrong)
    # A snapshot itself knows nothing, and can be asked
    assert registry.snapshot().innovation_of(1, 4) is None
    # and a copy of it would be taken for a registry that knows nothing
    with pytest.raises(TypeError, match="snapshot"):
        copy.copy(registry.snapshot())


def test_many_pairs():
    """Tables grow; every number is found again and has one meaning."""
    config = neat.Config(40, 30, bias=None, initial_hidden=20)
    registry = neat.InnovationRegistry(config)
    pairs = [(s, t) for s in range(40) for t in range(40, 70)]
    for hidden in range(70, 90):
        pairs += [(s, hidden) for s in range(40)] + [(hidden, t) for t in range(40, 70)]
    assert [registry.innovation_of(*pair) for pair in pairs] == list(range(len(pairs)))
    assert registry.innovation_of(70, 71) is None


def test_objects(config, genome):
    registry = neat.InnovationRegistry(config, [genome])
    genome.add_node(0, registry, connection=3)
    assert repr(registry) == "InnovationRegistry(next_innovation=9, next_node=7)"
    for twin in (
        registry.copy(), copy.copy(registry), copy.deepcopy(registry),
        pickle.loads(pickle.dumps(registry))):
        assert twin == registry
        assert twin.config == config
        assert [twin.node_of(3, k) for k in range(2)] == [6, None]
        other = genome.copy()
        other.add_connection(0, twin, source=3, target=5)
        assert twin != registry
        assert numbers(registry) == (9, 7)
    assert registry != "registry"
    assert (registry == 3) is False
    with pytest.raises(TypeError, match="unhashable"):
        hash(registry)
    with pytest.raises(AttributeError):
        registry.next_node = 3


def test_bad_arguments(config, genome):
    with pytest.raises(TypeError, match="config must be"):
        neat.InnovationRegistry(3)
    with pytest.raises(TypeError, match="genomes must be a sequence"):
        neat.InnovationRegistry(config, genome)
    with pytest.raises(TypeError, match=r"genomes\[1\] must be a Genome, got int"):
        neat.InnovationRegistry(config, [genome, 3])
    with pytest.raises(ValueError, match=r"genomes\[0\] is for 3 inputs"):
        neat.InnovationRegistry(neat.Config.time_step(2, 1), [genome])
    registry = neat.InnovationRegistry(config)
    for wrong, error in (("1", TypeError), (1.5, TypeError), (None, TypeError), (-1, ValueError),
                         (2**63, ValueError), (float("inf"), TypeError)):
        for call in (lambda x: registry.innovation_of(x, 2), lambda x: registry.innovation_of(2, x),
                     registry.node_of, lambda x: registry.node_of(0, x)):
            with pytest.raises(error, match="must be"):
                call(wrong)
    with pytest.raises(RuntimeError, match="built once"):
        registry.__init__(config)
    config = neat.Config(1_000_000, 1_000_000)
    with pytest.raises(MemoryError, match="1000001000000 connections"):
        neat.InnovationRegistry(config)
    with pytest.raises(MemoryError, match="connections"):
        neat.Genome(config)


def test_numbers_must_not_run_out(config):
    for row in [(2**63 - 1, 1, 4, 1.0, True), (1, 1, 2**63 - 1, 1.0, True)]:
        g = neat.Genome.from_connections(config, [row], inputs=[1, 2, 3], outputs=[4])
        with pytest.raises(ValueError, match=f"{2**63 - 1} is too large"):
            neat.InnovationRegistry(config, [g])


def test_torn_pickles_are_refused(config, genome):
    registry = neat.InnovationRegistry(config, [genome])
    make, arguments = registry.__reduce__()
    good = dict(zip(
        ("config", "fixed", "connections", "splits", "next_innovation", "next_node",
         "first_hidden"), arguments, strict=True))
    assert make(**good) == registry
    connections = good["connections"]
    for wrong in (
        {"fixed": np.arange(2)}, {"fixed": np.arange(4.0)}, {"connections": connections[:, :2]},
        {"connections": connections - 3}, {"next_innovation": 5}, {"next_innovation": 2**63 - 1},
        {"next_node": -1}, {"connections": np.concatenate([connections, connections])},
        {"splits": np.array([[3, 0, 6]])}, {"fixed": np.array([1, 2, 3, 3])},
        {"fixed": np.array([-1, 2, 3, 4])}, {"fixed": np.array([1, 2, 3, 6])},
        {"connections": np.concatenate([connections, np.add(connections, [1, 0, 0])])},
        {"splits": np.array([[3, 0, 5], [4, 0, 5]])}, {"first_hidden": 7}, {"first_hidden": -2},
         {"first_hidden": 0}, {"first_hidden": 2**40}):
        with pytest.raises(ValueError, match=r".+"):
            make(**(good | wrong))
