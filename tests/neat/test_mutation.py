"""Mutations against the twins: what may change, what must not, and how often."""

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fastnet as fn
from fastnet import neat

OFF = dict.fromkeys(
    (
        "weight_mutation_rate", "bias_mutation_rate", "activation_mutation_rate", "add_node_rate",
        "add_connection_rate", "toggle_connection_rate", "enable_connection_rate",
        "remove_connection_rate", "remove_node_rate"),
    0.0)
STRUCTURE = {"added", "removed", "flags", "added_nodes", "removed_nodes"}
# fourth central moment / variance^2
UNIFORM, NORMAL = 9 / 5, 3.0


def only(n_inputs=2, n_outputs=1, **fields):
    """A config with all rates at 0 but those given."""
    return neat.Config(n_inputs, n_outputs, **(OFF | fields))


def wide(config, weight=0.0, n=1000):
    """A genome with many genes of one weight."""
    side = math.isqrt(n) + 1
    config = config.replace(n_inputs=side, n_outputs=side)
    pairs = [(source, side + target) for source in range(side) for target in range(side)][:n]
    return neat.Genome.from_connections(
        config, [(i, *pair, weight, i % 3 > 0) for i, pair in enumerate(pairs)],
        inputs=range(side), outputs=range(side, 2 * side))


def small(config):
    """Two inputs, an output, three hidden nodes, a disabled gene; inputs 0 and 1, bias node 2."""
    rows = [
        (0, 0, 3, 1.0, True), (1, 1, 3, 1.0, False), (2, 0, 4, 1.0, True), (3, 4, 5, 1.0, True),
        (4, 5, 3, 1.0, True), (5, 1, 6, 1.0, True), (6, 6, 3, 1.0, True), (7, 2, 3, 1.0, True)]
    return neat.Genome.from_connections(config, rows)


def check_sample(twins, sample, variance, kurtosis, mean=0.0, what=""):
    twins.check_moments(sample, mean, variance, kurtosis * variance**2, what)


# One mutation alone


@pytest.mark.parametrize(
    ("fields", "low", "high", "mean", "variance", "kurtosis"),
    [
        (
            {"weight_distribution": "uniform", "weight_power": 2.5},
            -2.5, 2.5, 0, 2.5**2 / 3, UNIFORM),
        ({"weight_distribution": "gaussian", "weight_power": 0.5}, -4, 4, 0, 0.25, NORMAL)])
@pytest.mark.parametrize("method", ["perturb_weights", "replace_weights"])
def test_added_and_new_weights(twins, method, fields, low, high, mean, variance, kurtosis):
    old = 3.0
    g = wide(only(bias=None, weight_cap=None, **fields), old)
    before = g.copy()
    rng, sample = fn.RandomStream(8), []
    for _ in range(20):
        g = before.copy()
        assert getattr(g, method)(rng)
        assert twins.difference(twins.read(before), twins.read(g)).names == {"weights"}
        sample.extend(g.connections["weight"] - (old if method == "perturb_weights" else 0.0))
    assert min(sample) >= low
    assert max(sample) <= high
    check_sample(twins, sample, variance, kurtosis, mean, method)
    # Neighbors have nothing to do with each other: 5 standard errors of a correlation
    x = np.array(sample)
    assert abs(np.corrcoef(x[1:], x[:-1])[0, 1]) < 5 / math.sqrt(x.size)


def test_scaled_weights(twins):
    g = wide(only(bias=None, weight_mutation="scale"), -0.5)
    before = g.copy()
    assert g.scale_weights(3)
    assert twins.difference(twins.read(before), twins.read(g)).names == {"weights"}
    factors = g.connections["weight"] / -0.5
    assert factors.min() >= 0
    assert factors.max() < 2
    check_sample(twins, factors, 1 / 3, UNIFORM, 1.0)


@pytest.mark.parametrize(
    ("method", "distribution", "share"),
    [
        # Of U(-2, 2) beyond +-1.5, of N(0, 2) beyond +-1.5, of 1.2 U(0, 2) beyond 1.5
        ("replace_weights", "uniform", 0.25),
        ("replace_weights", "gaussian", math.erfc(0.75 / math.sqrt(2))),
        ("perturb_weights", "uniform", (2 - 0.3) / 4),
        ("scale_weights", "uniform", 1 - 1.25 / 2)])
def test_weight_cap(twins, method, distribution, share):
    old = 1.2
    g = wide(only(bias=None, weight_cap=1.5, weight_power=2.0, weight_distribution=distribution),
             old)
    before, rng = g.copy(), fn.RandomStream(4)
    weights = []
    for _ in range(5):
        g = before.copy()
        assert getattr(g, method)(rng)
        weights.extend(g.connections["weight"])
    weights = np.array(weights)
    assert np.abs(weights).max() == 1.5
    capped = int((np.abs(weights) == 1.5).sum())
    twins.check_share(capped, weights.size, share, "capped")


@given(data=st.data())
def test_structural_mutations_one_after_another(data, twins, strategies):
    """The same calls on a twin: the same genes, nodes, flags and numbers."""
    config = neat.Config(**data.draw(strategies.fields()))
    genomes = data.draw(strategies.relatives(twins, config, max_mutations=5))
    fast = [twins.write(neat, genome, config) for genome in genomes]
    registry = neat.InnovationRegistry(config, fast)
    twin_registry = twins.Registry(genomes)
    for _ in range(10):
        which = data.draw(st.integers(0, 1))
        g, genome = fast[which], genomes[which]
        kind = data.draw(st.sampled_from(
            ["add_node", "add_connection", "toggle", "remove_connection", "remove_node"]))
        innovations = sorted(genome.genes)
        if kind == "add_node" and innovations:
            innovation = data.draw(st.sampled_from(innovations))
            changes = genome.genes[innovation].enabled
            if genome.genes[innovation].source == genome.bias:
                continue
            if changes:
                twins.add_node(genome, twin_registry, config, innovation)
            assert g.add_node(1, registry, connection=innovation) == changes
        elif kind == "add_connection" and twins.free_pairs(genome, config):
            pair = data.draw(st.sampled_from(twins.free_pairs(genome, config)))
            twins.add_connection(genome, twin_registry, config, pair, 0.5)
            assert g.add_connection(1, registry, source=pair[0], target=pair[1], weight=0.5)
        elif kind == "toggle" and innovations:
            innovation = data.draw(st.sampled_from(innovations))
            twins.toggle(genome, innovation)
            assert g.toggle_connection(1, innovation=innovation)
        elif kind == "remove_connection" and innovations:
            innovation = data.draw(st.sampled_from(innovations))
            twins.remove_connection(genome, config, innovation)
            assert g.remove_connection(1, innovation=innovation)
        elif kind == "remove_node" and genome.hidden:
            node = data.draw(st.sampled_from(genome.hidden))
            twins.remove_node(genome, config, node)
            assert g.remove_node(1, node=node)
        twins.check_structure(g, config)
        assert twins.read(g) == genome
        assert registry.next_innovation == twin_registry.next_innovation
        assert registry.next_node == twin_registry.next_node


@given(data=st.data())
def test_add_connection_takes_what_is_free(data, twins, strategies):
    config = neat.Config(**data.draw(strategies.fields()))
    genome = data.draw(strategies.genomes(twins, config))
    free = twins.free_pairs(genome, config)
    g = twins.write(neat, genome, config)
    registry = neat.InnovationRegistry(config, [g])
    changed = g.add_connection(data.draw(st.integers(0, 2**32)), registry)
    assert changed == bool(free)
    twins.check_structure(g, config)
    after = twins.read(g)
    what = twins.difference(genome, after)
    assert what.names == ({"added"} if changed else set())
    for innovation in what.added:
        gene = after.genes[innovation]
        assert (gene.source, gene.target) in free
        assert gene.enabled
        assert abs(gene.weight) <= config.initial_weight_power


@pytest.mark.parametrize("mode", ["feed_forward", "recurrent"])
@pytest.mark.parametrize("self_loops", [False, True])
def test_added_connections_are_uniform(twins, mode, self_loops):
    config = only(mode=mode, self_loops=self_loops and mode != "feed_forward",
                  initial_weight_power=0.5)
    g = small(config)
    registry = neat.InnovationRegistry(config, [g])
    counts, weights, rng = Counter(), [], fn.RandomStream(6)
    for _ in range(2400):
        child = g.copy()
        assert child.add_connection(rng, registry)
        gene = next(gene for gene in child.connections if gene["innovation"] > 7)
        counts[int(gene["source"]), int(gene["target"])] += 1
        weights.append(float(gene["weight"]))
    twins.check_uniform(counts, twins.free_pairs(twins.read(g), config))
    assert max(map(abs, weights)) <= 0.5
    check_sample(twins, weights, 1 / 12, UNIFORM)


def test_the_last_free_pair_is_found(twins):
    """Where tries would hardly ever hit it."""
    n = 40
    config = only(n, 40, bias=None)
    pairs = [(source, n + target) for source in range(n) for target in range(40)]
    missing = pairs.pop(777)
    g = neat.Genome.from_connections(
        config, [(i, *pair, 1.0, True) for i, pair in enumerate(pairs)])
    registry = neat.InnovationRegistry(config, [g])
    assert g.add_connection(1, registry)
    assert missing in twins.read(g).pairs
    before = g.copy()
    assert not g.add_connection(1, registry)
    assert g == before


def split_counts(twins, config):
    """How often each connection of the small genome is split, in 1500 children."""
    g = small(config)
    registry = neat.InnovationRegistry(config, [g])
    counts, rng = Counter(), fn.RandomStream(7)
    for _ in range(1500):
        child = g.copy()
        assert child.add_node(rng, registry)
        what = twins.difference(twins.read(g), twins.read(child))
        assert what.names == {"added", "flags", "added_nodes"}
        assert len(what.added) == 2
        counts.update(what.flags)
    assert twins.splittable(twins.read(g)) == [0, 2, 3, 4, 5, 6]
    return counts


# It has 8 connections
@pytest.mark.parametrize("limit", [0, 8])
def test_split_connections_are_uniform(twins, limit):
    """Enabled ones that do not come from the bias node."""
    counts = split_counts(twins, only(split_oldest_below=limit))
    twins.check_uniform(counts, [0, 2, 3, 4, 5, 6])


def test_small_genomes_split_old_connections(twins):
    counts = split_counts(twins, only(split_oldest_below=9))
    assert counts.keys() <= {0, 2, 3, 4, 5, 6}
    for k, innovation in enumerate([0, 2, 3, 4, 5]):
        twins.check_share(counts[innovation], 1500, 0.7 * 0.3**k, innovation)


def test_the_only_connection_is_split(twins):
    config = only(split_oldest_below=15)
    rows = [(0, 0, 3, 1.0, False), (1, 1, 3, 1.0, True), (2, 2, 3, 1.0, True)]
    for seed in range(20):
        g = neat.Genome.from_connections(config, rows)
        assert g.add_node(seed, neat.InnovationRegistry(config, [g]))
        assert g.connections["enabled"].tolist() == [False, False, True, True, True]


def test_nothing_to_split():
    config = only()
    g = neat.Genome.from_connections(config, [(0, 2, 3, 1.0, True), (1, 0, 3, 1.0, False)])
    registry = neat.InnovationRegistry(config, [g])
    before = g.copy()
    assert not g.add_node(1, registry)
    assert not g.add_node(1, registry, connection=1)
    with pytest.raises(ValueError, match="connection"):
        g.add_node(1, registry, connection=9)
    assert g == before
    assert (registry.next_innovation, registry.next_node) == (2, 4)


def test_toggled_and_removed_ones_are_uniform(twins):
    config = only()
    g = small(config)
    before = twins.read(g)
    rng = fn.RandomStream(8)
    toggled, removed, nodes = Counter(), Counter(), Counter()
    for _ in range(1500):
        child = g.copy()
        assert child.toggle_connection(rng)
        what = twins.difference(before, twins.read(child))
        assert what.names == {"flags"}
        toggled.update(what.flags)
        child = g.copy()
        assert child.remove_connection(rng)
        twins.check_structure(child, config)
        what = twins.difference(before, twins.read(child))
        assert what.names <= {"removed", "removed_nodes"}
        removed.update(what.removed)
        child = g.copy()
        assert child.remove_node(rng)
        twins.check_structure(child, config)
        what = twins.difference(before, twins.read(child))
        # Taking 4 away may take 5 with it only where nothing else touches 5
        assert len(what.removed_nodes) == 1
        nodes.update(what.removed_nodes)
    twins.check_uniform(toggled, range(8))
    twins.check_uniform(removed, range(8))
    twins.check_uniform(nodes, [4, 5, 6])


def test_nothing_to_take_away(twins):
    config = only(bias=None)
    g = neat.Genome.from_connections(config, [])
    before = g.copy()
    assert not g.remove_connection(1)
    assert not g.remove_node(1)
    assert not g.toggle_connection(1)
    assert not g.scale_weights(1)
    assert not g.perturb_weights(1)
    assert not g.replace_weights(1)
    assert g == before


def test_the_same_split_is_the_same_node_in_every_genome(twins):
    config = only(mode="recurrent")
    first = small(config)
    second = first.copy()
    registry = neat.InnovationRegistry(config, [first])
    for connection in (0, 3):
        assert first.add_node(1, registry, connection=connection)
    for connection in (3, 0):
        assert second.add_node(2, registry, connection=connection)
    assert first == second
    # The same split again needs another node, which is the same again
    for g in (first, second):
        assert g.toggle_connection(1, innovation=0)
        assert g.add_node(1, registry, connection=0)
        twins.check_structure(g, config)
    assert first == second
    assert first.size[0] == 6


# The configured mix


def mixed(config, g, n=1000, seed=1):
    """Genomes after the mix, each from the same one."""
    registry = neat.InnovationRegistry(config, [g])
    rng = fn.RandomStream(seed)
    for _ in range(n):
        child = g.copy()
        child.mutate(rng, registry)
        yield child


@pytest.mark.parametrize(
    ("field", "names"),
    [
        ("add_node_rate", {"added", "flags", "added_nodes"}),
        ("add_connection_rate", {"added"}),
        ("toggle_connection_rate", {"flags"}),
        ("enable_connection_rate", {"flags"}),
        ("remove_connection_rate", {"removed"}),
        ("remove_node_rate", {"removed", "removed_nodes"}),
        ("weight_mutation_rate", {"weights"}),
        ("bias_mutation_rate", {"biases"})])
def test_shares_of_the_mix(twins, field, names):
    bias = "per_node" if field == "bias_mutation_rate" else "node"
    config = only(bias=bias, **{field: 0.3})
    if bias == "node":
        g = small(config)
    else:
        g = neat.Genome.from_connections(config, [(0, 0, 3, 1.0, True), (1, 3, 2, 1.0, True)])
    before = twins.read(g)
    n = 1000
    changed = 0
    for child in mixed(config, g, n):
        what = twins.difference(before, twins.read(child))
        assert what.names <= names | {"removed_nodes"}
        changed += what.names >= names
        assert not what.names or what.names >= names
        if field == "enable_connection_rate":
            assert what.flags <= {1}
        twins.check_structure(child, config)
    twins.check_share(changed, n, 0.3, field)


def test_the_first_disabled_connection_is_enabled(twins):
    config = only(enable_connection_rate=1.0)
    rows = [(i, i % 2, 3 + i // 2, 1.0, i not in (2, 5)) for i in range(6)]
    rows = [(i, s, t, w, on) for i, s, t, w, on in rows]
    g = neat.Genome.from_connections(config, rows)
    before = twins.read(g)
    [child] = mixed(config, g, 1)
    assert twins.difference(before, twins.read(child)).flags == {2}
    [child] = mixed(config, child, 1)
    assert twins.difference(before, twins.read(child)).flags == {2, 5}


@pytest.mark.parametrize("mutation", ["perturb", "scale"])
@pytest.mark.parametrize("distribution", ["uniform", "gaussian"])
def test_weights_in_the_mix(twins, mutation, distribution):
    """Of the chosen genomes each weight is drawn anew or perturbed (scaled) by itself."""
    config = only(
        bias=None, weight_mutation_rate=0.5, weight_replace_rate=0.2, weight_power=2.0,
        weight_cap=None, weight_mutation=mutation, weight_distribution=distribution)
    old = 1e9
    g = wide(config, old, n=200)
    n_chosen, n_replaced, fresh, changed = 0, [], [], []
    for child in mixed(g.config, g, 300):
        weights = child.connections["weight"]
        if (weights == old).all():
            continue
        n_chosen += 1
        # A factor that small has a probability of 3e-8
        is_new = np.abs(weights) < 50
        n_replaced.append(int(is_new.sum()))
        fresh.extend(weights[is_new])
        changed.extend(weights[~is_new])
    twins.check_share(n_chosen, 300, 0.5, "genomes")
    twins.check_share(sum(n_replaced), 200 * n_chosen, 0.2, "drawn anew")
    # By itself: a binomial distribution of each genome's number
    variance = 200 * 0.2 * 0.8
    assert len(set(n_replaced)) > 10
    got = np.mean((np.array(n_replaced) - 40.0) ** 2)
    assert abs(got - variance) < 5 * variance * math.sqrt(2 / n_chosen)
    variance, kurtosis = (4.0, NORMAL) if distribution == "gaussian" else (4 / 3, UNIFORM)
    check_sample(twins, fresh, variance, kurtosis, what="drawn anew")
    if mutation == "scale":
        factors = np.array(changed) / old
        assert factors.min() >= 0
        assert factors.max() < 2
        check_sample(twins, factors, 1 / 3, UNIFORM, 1.0, "factors")
    else:
        check_sample(twins, np.array(changed) - old, variance, kurtosis, what="perturbed")


def test_biases_in_the_mix(twins):
    config = only(
        40, 40, bias="per_node", bias_mutation_rate=0.5, bias_replace_rate=0.3, bias_power=0.5,
        weight_cap=8.0)
    rows = [(i, i, 40 + i, 1.0, True) for i in range(40)]
    g = neat.Genome.from_connections(config, rows)
    n_chosen, sample = 0, []
    for child in mixed(config, g, 400):
        what = twins.difference(twins.read(g), twins.read(child))
        assert what.names <= {"biases"}
        n_chosen += bool(what.biases)
        if what.biases:
            assert len(what.biases) == 40
            sample.extend(child.nodes["bias"][40:])
    twins.check_share(n_chosen, 400, 0.5, "genomes")
    # From 0 both are U(-power, power)
    assert max(map(abs, sample)) <= 0.5
    check_sample(twins, sample, 1 / 12, UNIFORM)
    # After many mutations: variance v = 0.7 (v + p^2 / 3) + 0.3 p^2 / 3
    registry, rng, sample = neat.InnovationRegistry(config, [g]), fn.RandomStream(2), []
    for _ in range(100):
        child = g.copy()
        for _ in range(40):
            child.mutate(rng, registry)
        sample.extend(child.nodes["bias"][40:])
    v = 0.25 / 3 / 0.3
    # 5 standard errors of 4,000 with a kurtosis of 4.7 (sums of a geometric number of uniforms)
    assert abs(np.mean(np.square(sample)) - v) < 0.16 * v


def test_biases_are_capped(twins):
    config = only(5, 30, bias="per_node", bias_mutation_rate=1.0, bias_power=3.0, weight_cap=1.0)
    g = neat.Genome.from_connections(config, [])
    biases = np.concatenate([child.nodes["bias"][5:] for child in mixed(config, g, 100)])
    assert np.abs(biases).max() == 1.0
    twins.check_share(int((np.abs(biases) == 1).sum()), biases.size, 2 / 3, "capped")


def test_activations_in_the_mix(twins):
    names = ("tanh", "relu", "sin", "identity")
    config = only(2, 3, bias=None, activation="tanh", activations=names,
                  activation_mutation_rate=0.4)
    g = neat.Genome.from_connections(config, [(0, 0, 5, 1.0, True), (1, 5, 2, 1.0, True)])
    counts = {node: Counter() for node in (2, 3, 4, 5)}
    n = 1500
    for child in mixed(config, g, n):
        assert twins.difference(twins.read(g), twins.read(child)).names <= {"activations"}
        for node, own in twins.read(child).nodes.items():
            counts[node][own.activation] += 1
    for node, count in counts.items():
        assert count.keys() == set(names)
        for name in names[1:]:
            twins.check_share(count[name], n, 0.4 / 4, (node, name))


def test_nodes_of_equal_structure_draw_their_own(twins):
    """Two nodes do not change together."""
    config = only(1, 2, bias=None, activation="tanh", activations=("tanh", "relu"),
                  activation_mutation_rate=1.0)
    g = neat.Genome.from_connections(config, [])
    counts = Counter(
        tuple(child.nodes["activation"][1:].tolist()) for child in mixed(config, g, 400))
    twins.check_uniform(
        counts, [(a, b) for a in ("tanh", "relu") for b in ("tanh", "relu")])


@pytest.mark.parametrize("exclusive", [True, False])
def test_structure_or_weights(twins, exclusive):
    config = only(
        add_node_rate=0.5, remove_connection_rate=0.2, weight_mutation_rate=0.9,
        toggle_connection_rate=0.1, structural_mutation_only=exclusive)
    g = small(config)
    n, n_weights, n_structure, n_added = 1000, 0, 0, 0
    for child in mixed(config, g, n):
        what = twins.difference(twins.read(g), twins.read(child))
        n_added += bool(what.added_nodes)
        if what.added or what.removed:
            n_structure += 1
            if exclusive:
                assert not what.weights
        else:
            n_weights += bool(what.weights)
    twins.check_share(n_added, n, 0.5, "nodes")
    twins.check_share(n_weights, n - n_structure, 0.9, "weights")


@pytest.mark.parametrize("exclusive", [True, False])
def test_structure_that_is_not_possible_still_keeps_the_weights(twins, exclusive):
    """As in the authors' program: which kind of mutation it is, is drawn before it is tried."""
    config = only(
        add_connection_rate=0.5, remove_node_rate=0.2, weight_mutation_rate=0.9,
        structural_mutation_only=exclusive)
    g = neat.Genome(config, rng=0)      # every connection is there, and no hidden node
    n, n_weights = 1000, 0
    for child in mixed(config, g, n):
        what = twins.difference(twins.read(g), twins.read(child))
        assert not what.added
        assert not what.removed
        n_weights += bool(what.weights)
    twins.check_share(n_weights, n, 0.5 * 0.8 * 0.9 if exclusive else 0.9, "weights")


@given(data=st.data())
def test_genomes_stay_sound(data, twins, strategies):
    rates = {name: data.draw(st.sampled_from([0.0, 0.5, 1.0])) for name in OFF}
    config = neat.Config(
        **data.draw(strategies.fields()), **rates, activations=("sigmoid", "relu"),
        structural_mutation_only=data.draw(st.booleans()), weight_cap=3.0)
    g = twins.write(neat, data.draw(strategies.genomes(twins, config)), config)
    registry = neat.InnovationRegistry(config, [g])
    seed = data.draw(st.integers(0, 2**32))
    rng, again = fn.RandomStream(seed), fn.RandomStream(seed)
    ends = {
        innovation: (gene.source, gene.target)
        for innovation, gene in twins.read(g).genes.items()}
    for _ in range(8):
        before, position = g.copy(), rng.position
        g.mutate(rng, registry)
        twins.check_structure(g, config)
        twins.difference(twins.read(before), twins.read(g))
        assert not g.connections["weight"].size or np.abs(g.connections["weight"]).max() <= 3
        for innovation, gene in twins.read(g).genes.items():
            assert ends.setdefault(innovation, (gene.source, gene.target)) == (
                gene.source, gene.target)
        # The registry knows the innovations now, so the same draws give the same child
        again.position = position
        before.mutate(again, registry)
        assert before == g


# New genomes


@pytest.mark.parametrize("bias", ["node", "per_node", None])
@pytest.mark.parametrize("connection", ["full", "none", 0.3])
@pytest.mark.parametrize("hidden", [0, 3, (1, 4)])
def test_new_genomes(twins, bias, connection, hidden):
    config = neat.Config(
        3, 2, bias=bias, initial_connection=connection, initial_hidden=hidden,
        initial_weight_power=0.5)
    rng = fn.RandomStream(11)
    sizes, counts, weights = Counter(), Counter(), []
    registry = neat.InnovationRegistry(config)
    ends = {}
    for _ in range(300):
        g = neat.Genome(config, rng, registry)
        twins.check_structure(g, config)
        counts[len(g.connections)] += 1
        sizes[g.size[0]] += 1
        weights.extend(g.connections["weight"])
        for innovation, gene in twins.read(g).genes.items():
            assert ends.setdefault(innovation, (gene.source, gene.target)) == (
                gene.source, gene.target)
    if connection == "none":
        assert counts == {0: 300}
        return
    assert max(map(abs, weights)) <= 0.5
    check_sample(twins, weights, 1 / 12, UNIFORM)
    n_pairs = (3 + (bias == "node")) * 2
    if hidden == 0:
        assert sizes == {0: 300}
        if connection == "full":
            assert counts == {n_pairs: 300}
        else:
            mean = sum(size * count for size, count in counts.items()) / 300
            assert abs(mean - 0.3 * n_pairs) <= 0.5
    elif connection == "full":
        low, high = hidden if isinstance(hidden, tuple) else (hidden, hidden)
        assert sizes.keys() == set(range(low, high + 1))
        twins.check_uniform(sizes, range(low, high + 1))


def test_random_streams_advance(twins):
    config = only(weight_mutation_rate=1.0)
    g, other = small(config), small(config)
    registry = neat.InnovationRegistry(config, [g])
    rng = fn.RandomStream(5)
    g.mutate(rng, registry)
    other.mutate(fn.RandomStream(5), registry)
    assert g == other
    g.mutate(rng, registry)
    other.mutate(fn.RandomStream(5), registry)
    assert g != other
    first, second = small(config), small(config)
    first.mutate(7, registry)
    second.mutate(7, registry)
    assert first == second
