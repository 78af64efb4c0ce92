"""Genomes as objects: how they are made, seen, copied, compared and saved."""

import copy
import math
import pickle
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fastnet as fn
from fastnet import neat

FIGURE_3 = [
    (1, 1, 4, 0.7, True), (2, 2, 4, -0.5, False), (3, 3, 4, 0.5, True), (4, 2, 5, 0.2, True),
    (5, 5, 4, 0.4, True), (6, 1, 5, 0.6, True), (11, 4, 5, 0.6, True)]
IDS = {"inputs": [1, 2, 3], "outputs": [4]}


@pytest.fixture
def config():
    return neat.Config.time_step(3, 1)


@pytest.fixture
def genome(config):
    return neat.Genome.from_connections(config, FIGURE_3, **IDS)


def test_connections_and_nodes(genome):
    assert genome.connections.tolist() == FIGURE_3
    assert genome.connections.dtype.names == (
        "innovation", "source", "target", "weight", "enabled")
    assert [genome.connections.dtype[i].kind for i in range(5)] == ["i", "i", "i", "f", "b"]
    assert genome.nodes.tolist() == [
        (1, "input", "identity", 0.0), (2, "input", "identity", 0.0), (3, "input", "identity", 0.0),
        (4, "output", "sigmoid", 0.0), (5, "hidden", "sigmoid", 0.0)]
    assert genome.nodes.dtype.names == ("id", "kind", "activation", "bias")
    assert genome.size == (1, 6)
    assert genome.fitness is None


def test_what_is_seen_is_read_only_and_stays(genome):
    rows, nodes = genome.connections, genome.nodes
    for array, field in ((rows, "weight"), (nodes, "bias")):
        with pytest.raises(ValueError, match="read-only"):
            array[field][0] = 1.0
    genome.replace_weights(0)
    genome.remove_node(0)
    assert rows.tolist() == FIGURE_3
    assert len(nodes) == 5
    assert len(genome.nodes) == 4


def test_the_order_of_the_connections_is_free(config, genome):
    order = np.random.default_rng(0).permutation(len(FIGURE_3))
    rows = [FIGURE_3[i] for i in order]
    for given_rows in (rows, iter(rows), np.array(rows, genome.connections.dtype)):
        g = neat.Genome.from_connections(config, given_rows, **IDS)
        assert g == genome
        assert g.connections.tolist() == FIGURE_3


def test_numbers_of_all_kinds(config):
    row = (np.int8(1), np.uint16(1), np.int64(4), Fraction(1, 4), np.bool_(True))
    g = neat.Genome.from_connections(config, [row, (2, 2, 4, 3, False)], **IDS)
    assert g.connections.tolist() == [(1, 1, 4, 0.25, True), (2, 2, 4, 3.0, False)]
    for kind in (np.float16, np.float32, np.longdouble):
        g = neat.Genome.from_connections(config, [(1, 1, 4, kind(0.25), True)], **IDS)
        assert g.connections.tolist() == [(1, 1, 4, 0.25, True)]
    largest = 2**63 - 1
    g = neat.Genome.from_connections(config, [(largest, 1, largest, 1.0, True)], **IDS)
    assert g.connections.tolist() == [(largest, 1, largest, 1.0, True)]


@pytest.mark.parametrize("bias", ["node", "per_node", None])
def test_default_ids(bias):
    config = neat.Config(2, 2, bias=bias)
    g = neat.Genome.from_connections(config, [])
    kinds = ["input"] * 2 + ["bias"] * (bias == "node") + ["output"] * 2
    assert g.nodes["kind"].tolist() == kinds
    assert g.nodes["id"].tolist() == list(range(len(kinds)))
    assert g.size == (0, 0)
    assert g.connections.shape == (0,)


def test_given_bias_node():
    config = neat.Config(2, 1)
    g = neat.Genome.from_connections(
        config, [(1, 0, 8, 1.0, True), (2, 7, 8, 1.0, True)], inputs=[9, 7], outputs=[8], bias=0)
    assert g.nodes["id"].tolist() == [9, 7, 0, 8]
    assert g.nodes["kind"].tolist() == ["input", "input", "bias", "output"]


@pytest.mark.parametrize(
    ("ids", "error", "match"),
    [
        ({"inputs": [1, 2]}, ValueError, "inputs must be 3 ids, got 2"),
        ({"inputs": [1, 2, 2]}, ValueError, "got 2 in inputs and inputs"),
        ({"outputs": [0]}, ValueError, "got 0 in inputs and outputs"),
        ({"inputs": [1, 2, 3]}, ValueError, "got 3 in inputs and outputs"),
        ({"inputs": [1, 2, -3]}, ValueError, r"inputs\[2\] must be at least 0, got -3"),
        ({"inputs": [1, 2, 2**63]}, ValueError, r"inputs\[2\] must be at most"),
        ({"inputs": [1, 2, 3.0]}, TypeError, r"inputs\[2\] must be an int, got 3.0"),
        ({"inputs": [1, 2, True]}, TypeError, r"inputs\[2\] must be an int, got True"),
        ({"inputs": 3}, TypeError, "inputs must be a sequence"),
        ({"outputs": "4"}, TypeError, r"outputs\[0\] must be an int"),
        ({"bias": 9}, ValueError, "bias must be None with bias=None"),
        ({"nodes": 3}, TypeError, "nodes must be a sequence")])
def test_bad_ids(config, ids, error, match):
    with pytest.raises(error, match=match):
        neat.Genome.from_connections(config, [], **ids)


@pytest.mark.parametrize(
    ("row", "error", "match"),
    [
        ((1, 2, 4, 1.0, True), ValueError, r"innovations must be distinct.* 1 \(1 -> 4\)"),
        ((9, 1, 4, 1.0, True), ValueError, "two connections 1 -> 4: innovations 1 and 9"),
        ((9, 4, 1, 1.0, True), ValueError, r"connection 9 \(4 -> 1\) enters an input"),
        ((9, 5, 2, 1.0, False), ValueError, "enters an input"),
        ((-1, 3, 5, 1.0, True), ValueError, r"connections\[7\]: innovation must be at least 0"),
        ((9, -3, 5, 1.0, True), ValueError, r"connections\[7\]: source must be at least 0"),
        ((9, 3, -5, 1.0, True), ValueError, r"connections\[7\]: target must be at least 0"),
        ((2**63, 3, 5, 1.0, True), ValueError, "innovation must be at most"),
        ((9, 3, 5, math.nan, True), ValueError, r"connections\[7\]: weight must be finite"),
        ((9, 3, 5, -math.inf, True), ValueError, "weight must be finite"),
        ((9, 3, 5, 10**400, True), ValueError, "weight must be finite"),
        ((9.0, 3, 5, 1.0, True), TypeError, "innovation must be an int, got 9.0"),
        ((9, "3", 5, 1.0, True), TypeError, "source must be an int"),
        ((9, 3, None, 1.0, True), TypeError, "target must be an int"),
        ((9, 3, 5, "1.0", True), TypeError, "weight must be a number"),
        ((9, 3, 5, True, True), TypeError, "weight must be a number"),
        ((9, 3, 5, 1j, True), TypeError, "weight must be a number"),
        ((9, 3, 5, 1.0, 1), TypeError, "enabled must be True or False, got 1"),
        ((9, 3, 5, 1.0, None), TypeError, "enabled must be True or False"),
        ((9, 3, 5, 1.0), ValueError, r"connections\[7\] must be \(innovation"),
        (9, ValueError, r"connections\[7\] must be \(innovation")])
def test_bad_connections(config, row, error, match):
    with pytest.raises(error, match=match):
        neat.Genome.from_connections(config, [*FIGURE_3, row], **IDS)


def test_bad_columns(config, genome):
    """Arrays are looked at as closely as lists."""
    for field, value, match in (
        ("weight", math.nan, "weight of connection 6 .* must be finite"),
        ("innovation", -1, "innovations must be at least 0, got -1"),
        ("innovation", 5, "innovations must be distinct"),
        ("source", -2, "ids of nodes must be at least 0, got -2"),
        ("target", 3, "enters an input")):
        rows = genome.connections.copy()
        rows[field][5] = value
        with pytest.raises(ValueError, match=match):
            neat.Genome.from_connections(config, rows, **IDS)
    with pytest.raises(TypeError, match="connections must be a sequence"):
        neat.Genome.from_connections(config, 3)
    with pytest.raises(TypeError, match="config must be"):
        neat.Genome.from_connections({}, [])
    with pytest.raises(TypeError, match="config must be"):
        neat.Genome(3)


@pytest.mark.parametrize(
    ("rows", "match"),
    [
        ([(7, 3, 5, 1.0, True)], "connection 7 .3 -> 5. leaves an output"),
        ([(7, 3, 3, 1.0, False)], "connection 7 .3 -> 3. leaves an output"),
        ([(7, 5, 5, 1.0, True)], "connection 7 .5 -> 5. closes a cycle"),
        ([(7, 5, 6, 1.0, True), (8, 6, 5, 1.0, False)], "connection [78] .. -> .. closes a cycle"),
        ([(5, 0, 5, 1.0, True), (6, 5, 6, 1.0, True), (7, 6, 7, 1.0, True), (8, 7, 5, 1.0, True)],
         "connection [678] .. -> .. closes a cycle")])
def test_feed_forward_genomes_have_no_cycle(rows, match):
    config = neat.Config(2, 2)      # inputs 0 and 1, bias node 2, outputs 3 and 4
    with pytest.raises(ValueError, match=match):
        neat.Genome.from_connections(config, rows)
    # As a parent it is refused, too
    g = neat.Genome.from_connections(config.replace(mode="recurrent"), rows)
    with pytest.raises(ValueError, match=match):
        neat.crossover(g, g, config, 0, (1.0, 1.0))


def test_nothing_enters_the_bias_node():
    for mode in ("feed_forward", "recurrent", "time_step"):
        with pytest.raises(ValueError, match=r"connection 7 .0 -> 2. enters the bias node"):
            neat.Genome.from_connections(neat.Config(2, 2, mode=mode), [(7, 0, 2, 1.0, True)])


@given(data=st.data())
def test_cycles_are_found(data):
    """As many nodes in a row as may be sorted by a topological order, and not one that cannot."""
    n = data.draw(st.integers(1, 7))
    possible = [(a, b) for a in range(n) for b in range(n)]
    pairs = data.draw(st.lists(st.sampled_from(possible), unique=True, max_size=12))
    rows = [(i, 2 + a, 2 + b, 1.0, i % 3 > 0) for i, (a, b) in enumerate(pairs)]
    # Take away what nothing enters, again and again
    left, edges = set(range(n)), set(pairs)
    while True:
        free = {node for node in left if not any(b == node for _, b in edges)}
        if not free:
            break
        left -= free
        edges = {(a, b) for a, b in edges if a not in free}
    config = neat.Config(1, 1, bias=None)
    if left:
        with pytest.raises(ValueError, match="closes a cycle"):
            neat.Genome.from_connections(config, rows)
    else:
        g = neat.Genome.from_connections(config, rows)
        assert g.connections.tolist() == rows
    neat.Genome.from_connections(config.replace(mode="recurrent"), rows)


def test_nodes_are_given(config):
    config = neat.Config(2, 1, bias="per_node", activation="tanh", output_activation="sigmoid")
    rows = [(1, 0, 3, 1.0, True), (2, 3, 2, 1.0, True)]
    plain = neat.Genome.from_connections(config, rows)
    assert plain.nodes["activation"].tolist() == ["identity", "identity", "sigmoid", "tanh"]
    nodes = [(3, "hidden", "relu", 0.5), (2, "output", "identity", -2)]
    g = neat.Genome.from_connections(config, rows, nodes=nodes)
    assert g != plain
    assert g.nodes.tolist()[2:] == [(2, "output", "identity", -2.0), (3, "hidden", "relu", 0.5)]
    assert neat.Genome.from_connections(config, g.connections, nodes=g.nodes) == g
    assert neat.Genome.from_connections(config, rows, nodes=plain.nodes) == plain


@pytest.mark.parametrize(
    ("node", "error", "match"),
    [
        ((9, "hidden", "tanh", 0.0), ValueError, "no connection touches it"),
        ((3, "output", "tanh", 0.0), ValueError, "node 3 is of kind 'hidden', got 'output'"),
        ((3, "hidden", "tahn", 0.0), ValueError, "did you mean 'tanh'"),
        ((3, "hidden", "softmax", 0.0), ValueError, "no activation of a single node"),
        ((3, "hidden", 3, 0.0), TypeError, "activation must be a name"),
        ((3, "hidden", "tanh", math.inf), ValueError, "bias must be finite"),
        ((3, "hidden", "tanh", "0"), TypeError, "bias must be a number"),
        ((0, "input", "identity", 0.5), ValueError, "bias of node 0 must be 0"),
        ((0, "input", "tanh", 0.0), ValueError, "no activation but identity"),
        ((3, "hidden", "tanh"), ValueError, r"nodes\[0\] must be \(id, kind"),
        (("3", "hidden", "tanh", 0.0), TypeError, "id must be an int")])
def test_bad_nodes(node, error, match):
    config = neat.Config(2, 1, bias="per_node")
    rows = [(1, 0, 3, 1.0, True), (2, 3, 2, 1.0, True)]
    with pytest.raises(error, match=match):
        neat.Genome.from_connections(config, rows, nodes=[node])


def test_biases_need_a_config_with_biases(config):
    with pytest.raises(ValueError, match="bias of node 4 must be 0"):
        neat.Genome.from_connections(
            config, FIGURE_3, **IDS, nodes=[(4, "output", "sigmoid", 0.5)])
    with pytest.raises(ValueError, match="twice"):
        neat.Genome.from_connections(
            config, FIGURE_3, **IDS, nodes=2 * [(4, "output", "sigmoid", 0.0)])


def test_new_genomes_are_reproducible():
    config = neat.Config(3, 2, initial_hidden=(0, 4), initial_connection=0.7)
    assert neat.Genome(config) == neat.Genome(config, rng=0)
    assert neat.Genome(config, 5) == neat.Genome(config, 5)
    assert neat.Genome(config, 5) != neat.Genome(config, 6)
    rng = fn.RandomStream(5)
    assert neat.Genome(config, rng) == neat.Genome(config, 5)
    assert rng.position > 0
    assert neat.Genome(config, rng) != neat.Genome(config, 5)
    first, second = np.random.default_rng(1), np.random.default_rng(1)
    assert neat.Genome(config, first) == neat.Genome(config, second)
    for wrong in ("x", 1.5):
        with pytest.raises(TypeError, match="rng must be"):
            neat.Genome(config, wrong)
    with pytest.raises(TypeError, match="registry must be"):
        neat.Genome(config, 0, "registry")
    with pytest.raises(ValueError, match="registry is for 2 inputs"):
        neat.Genome(config, 0, neat.InnovationRegistry(neat.Config(2, 2)))


def test_copies_go_their_own_way(genome):
    genome.fitness = 2.5
    for twin in (
        genome.copy(), copy.copy(genome), copy.deepcopy(genome),
        pickle.loads(pickle.dumps(genome))):
        assert twin == genome
        assert twin is not genome
        assert type(twin) is neat.Genome
        assert twin.config == genome.config
        assert twin.fitness == 2.5
        assert twin.replace_weights(0)
        assert twin != genome
    assert genome.connections.tolist() == FIGURE_3


def test_subclasses():
    config = neat.Config(2, 1)

    g = Named(config, 3)
    assert g == neat.Genome(config, 3)
    for twin in (g.copy(), pickle.loads(pickle.dumps(g))):
        assert type(twin) is Named
    assert type(Named.from_connections(config, [])) is Named


class Named(neat.Genome):
    """For pickle, which finds classes by name."""


def test_equality(config, genome):
    assert genome == neat.Genome.from_connections(config, FIGURE_3, **IDS)
    for i, row in (
        (0, (0, 1, 4, 0.7, True)), (0, (1, 1, 4, 0.71, True)), (0, (1, 1, 4, 0.7, False)),
        (5, (6, 3, 5, 0.6, True))):
        rows = [*FIGURE_3[:i], row, *FIGURE_3[i + 1:]]
        assert genome != neat.Genome.from_connections(config, rows, **IDS)
    assert genome != neat.Genome.from_connections(config, FIGURE_3[:-1], **IDS)
    assert genome != neat.Genome.from_connections(config, FIGURE_3, inputs=[2, 1, 3], outputs=[4])
    # The same ids, but one is an output and no hidden node
    one = neat.Genome.from_connections(neat.Config.time_step(1, 1), [(0, 0, 2, 1.0, True)])
    two = neat.Genome.from_connections(neat.Config.time_step(1, 2), [(0, 0, 2, 1.0, True)])
    assert one.nodes["id"].tolist() == two.nodes["id"].tolist()
    assert one != two
    assert genome != 3
    with pytest.raises(TypeError, match="unhashable"):
        hash(genome)


def test_repr(genome):
    assert repr(genome) == "Genome(n_hidden=1, n_connections=7, n_enabled=6, fitness=None)"
    genome.fitness = 3.9
    assert repr(genome) == "Genome(n_hidden=1, n_connections=7, n_enabled=6, fitness=3.9)"


def test_attributes(genome):
    for name in ("config", "connections", "nodes", "size"):
        with pytest.raises(AttributeError):
            setattr(genome, name, None)


def test_a_genome_that_was_not_initialized():
    with pytest.raises(TypeError):
        neat.Genome.__new__(neat.Genome)
    g = neat.Genome.__new__(neat.Genome, neat.Config(2, 1))
    assert g.size == (0, 0)
    assert g.nodes["id"].tolist() == [0, 1, 2, 3]


def test_torn_pickles_are_refused(genome):
    make, arguments = genome.__reduce__()
    good = dict(zip(
        ("cls", "config", "connections", "ids", "biases", "activations", "fitness"), arguments,
        strict=True))
    assert make(**good) == genome
    ids, activations = good["ids"], good["activations"]
    for wrong in (
        {"ids": ids[:3]}, {"ids": ids[:4]}, {"ids": ids[::-1]}, {"ids": ids - 2},
        {"ids": np.append(ids, 9)}, {"biases": good["biases"][:4]}, {"biases": ids + 0.5},
        {"activations": activations[:4]}, {"activations": activations + np.uint8(90)},
        {"connections": good["connections"][["innovation", "source"]]},
        {"config": neat.Config(3, 1)}):
        with pytest.raises(ValueError, match=r".+"):
            make(**(good | wrong))
