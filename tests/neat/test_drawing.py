"""Pictures of genomes: well-formed, complete, the same each time."""

import itertools
import math
import random
import re
import time
import xml.etree.ElementTree as ElementTree
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastnet import neat
from fastnet.neat.drawing import NEGATIVE, POSITIVE, to_dot, to_svg
from fastnet.neat.layout import layered

SVG = "{http://www.w3.org/2000/svg}"


def random_genome(rng, n_inputs=3, n_outputs=2, n_hidden=5, n_connections=20, mode="recurrent"):
    bias = rng.choice(["node", "per_node", None])
    config = neat.Config(n_inputs, n_outputs, mode=mode, bias=bias, self_loops=True)
    n_sources = n_inputs + (config.bias == "node")
    n_fixed = n_sources + n_outputs
    outputs = list(range(n_sources, n_fixed))
    hidden = list(range(n_fixed, n_fixed + n_hidden))
    order = [*range(n_sources), *hidden, *outputs]
    pairs = [(s, t) for s in order for t in [*hidden, *outputs]]
    if mode == "feed_forward":
        pairs = [(s, t) for s, t in pairs if order.index(s) < order.index(t) and s not in outputs]
    pairs = rng.sample(pairs, min(n_connections, len(pairs)))
    return neat.Genome.from_connections(
        config,
        [(k, s, t, rng.gauss(0, 2), rng.random() < 0.8) for k, (s, t) in enumerate(pairs)])


def cases():
    rng = random.Random(0)
    yield "xor", neat.Genome(neat.Config(2, 1), rng=0)
    yield "empty", neat.Genome(neat.Config(2, 3, initial_connection="none"), rng=0)
    yield "one of each", neat.Genome(neat.Config(1, 1, bias=None), rng=0)
    recurrent = neat.Config(1, 2, mode="recurrent", self_loops=True, bias=None)
    yield "self loops", neat.Genome.from_connections(
        recurrent, [(0, 1, 1, 1.0, True), (1, 3, 3, -1.0, True), (2, 3, 3 - 1, 2.0, False)])
    yield "outputs feed each other", neat.Genome.from_connections(
        recurrent, [(0, 1, 2, 1.0, True), (1, 2, 1, -1.0, True), (2, 2, 3, -1.0, True)])
    yield "a cycle apart from all else", neat.Genome.from_connections(
        recurrent, [(0, 7, 8, 1.0, True), (1, 8, 9, -1.0, True), (2, 9, 7, -1.0, True)])
    yield "only disabled", neat.Genome.from_connections(
        recurrent, [(0, 0, 5, 1.0, False), (1, 5, 1, 0.0, False), (2, 1, 5, 0.0, False)])
    yield "extreme weights", neat.Genome.from_connections(
        recurrent, [(0, 0, 1, 1e308, True), (1, 0, 2, -1e-308, True), (2, 0, 5, -0.0, True)])
    yield "large ids", neat.Genome.from_connections(
        recurrent, [(2**63 - 1, 2**62, 2**63 - 1, 1.0, True)],
        inputs=[2**62], outputs=[2**63 - 1, 5])
    yield "zero weights", neat.Genome.from_connections(recurrent, [(0, 0, 1, 0.0, True)])
    yield "feed forward", random_genome(rng, mode="feed_forward")
    yield "recurrent", random_genome(rng)
    yield "wide", random_genome(rng, 60, 40, 3, 200)


CASES = dict(cases())


@pytest.fixture(params=CASES)
def genome(request):
    return CASES[request.param]


def groups(svg, place):
    """The groups of connections (0) or of nodes (1), each with its tooltip."""
    return [(g.find(f"{SVG}title").text, g) for g in svg.findall(f"{SVG}g")[place]]


def check_picture(genome):
    text = to_svg(genome)
    svg = ElementTree.fromstring(text)
    assert text.isascii()
    assert svg.tag == f"{SVG}svg"
    assert "id" not in {key for element in svg.iter() for key in element.attrib}
    assert not {element.tag for element in svg.iter()} & {f"{SVG}script", f"{SVG}style"}
    assert "http" not in text.replace("http://www.w3.org/2000/svg", "")
    values = [v for e in svg.iter() for k, v in e.attrib.items() if not k.startswith("font-f")]
    assert not [value for value in values[4:] if re.search(r"nan|inf", value)]

    nodes = groups(svg, 1)
    assert len(nodes) == len(genome.nodes)
    for (title, group), node in zip(nodes, genome.nodes, strict=True):
        assert str(node["kind"]) in title
        assert str(node["id"]) in title
        assert group.find(f"{SVG}text").text == str(node["id"])
        if node["kind"] in ("hidden", "output"):
            assert f"activation {node['activation']}" in title
            assert ("bias" in title) == (node["bias"] != 0)

    connections = groups(svg, 0)
    assert len(connections) == len(genome.connections)
    by_innovation = {
        int(re.search(r"innovation (\d+)", title)[1]): (title, group)
        for title, group in connections}
    for connection in genome.connections:
        title, group = by_innovation[connection["innovation"]]
        lines = title.split("\n")
        assert lines[0] == f"{connection['source']} → {connection['target']}"
        assert float(lines[1].removeprefix("weight ")) == connection["weight"]
        assert ("disabled" in lines[2]) == (not connection["enabled"])
        line, head = group.findall("*")[1:]
        assert ("stroke-dasharray" in line.attrib) == (not connection["enabled"])
        negative = connection["weight"] < 0
        assert line.get("stroke") == (NEGATIVE if negative else POSITIVE)
        # without color, too
        assert head.tag == (f"{SVG}circle" if negative else f"{SVG}path")
    return svg


def numbers(text):
    return [float(number) for number in re.findall(r"-?\d+(?:\.\d+)?", text)]


def test_everything_is_in_the_picture(genome):
    check_picture(genome)


def test_all_that_is_drawn_is_inside(genome):
    """Ends and shapes; curves stay within the hull of their control points or were sampled."""
    svg = check_picture(genome)
    left, top, width, height = numbers(svg.get("viewBox"))
    for element in svg.iter():
        if element.tag == f"{SVG}circle":
            x, y, r = (float(element.get(key)) for key in ("cx", "cy", "r"))
            assert left <= x - r < x + r <= left + width
            assert top <= y - r < y + r <= top + height
        elif element.tag == f"{SVG}text":
            assert left <= float(element.get("x")) <= left + width
        elif element.tag == f"{SVG}path" and element.get("fill") == "none":
            values = numbers(element.get("d"))
            points = list(zip(values[::2], values[1::2], strict=True))
            for k in range(0, len(points) - 1, 3):
                p = np.array(points[k : k + 4])
                t = np.linspace(0, 1, 21)[:, None]
                curve = (1 - t)**3 * p[0] + 3 * (1 - t)**2 * t * p[1] \
                    + 3 * (1 - t) * t**2 * p[2] + t**3 * p[3]
                assert (curve >= [left, top]).all()
                assert (curve <= [left + width, top + height]).all()


def positions(svg):
    return np.array([numbers(" ".join(
        [group.find(f"{SVG}text").get("x"), group.find(f"{SVG}text").get("y")]))
        for _, group in groups(svg, 1)])


def test_inputs_left_outputs_right_no_two_nodes_in_one_place(genome):
    svg = check_picture(genome)
    at = positions(svg)
    kind = genome.nodes["kind"]
    sources, outputs = np.isin(kind, ["input", "bias"]), kind == "output"
    assert len(set(at[sources, 0])) == len(set(at[outputs, 0])) == 1
    assert at[sources, 0].max() < at[outputs, 0].min()
    if (kind == "hidden").any():
        assert at[sources, 0].max() < at[kind == "hidden", 0].min()
        assert at[kind == "hidden", 0].max() < at[outputs, 0].min()
    distances = np.hypot(*(at[:, None] - at[None]).T) + np.eye(len(at)) * 1e9
    assert distances.min() > 12
    # both ends keep their order from top to bottom
    assert (np.diff(at[sources, 1]) > 0).all()
    assert (np.diff(at[outputs, 1]) > 0).all()


def test_forward_connections_lead_to_the_right():
    """In a genome without cycles, all of them do."""
    for seed in range(20):
        genome = random_genome(random.Random(seed), mode="feed_forward", n_connections=30)
        at = positions(check_picture(genome))
        index = {node: k for k, node in enumerate(genome.nodes["id"])}
        for connection in genome.connections:
            assert at[index[connection["source"]], 0] < at[index[connection["target"]], 0]


def test_it_is_deterministic(genome):
    assert to_svg(genome) == to_svg(genome.copy())
    assert to_dot(genome) == to_dot(genome.copy())


def test_looking_changes_nothing(genome):
    before = genome.copy()
    to_svg(genome)
    to_dot(genome)
    assert genome == before


@given(seed=st.integers(0, 2**32), mode=st.sampled_from(["feed_forward", "recurrent"]))
def test_random_genomes(seed, mode):
    rng = random.Random(seed)
    sizes = rng.randint(1, 5), rng.randint(1, 4), rng.randint(0, 12), rng.randint(0, 50)
    genome = random_genome(rng, *sizes, mode)
    check_picture(genome)
    check_dot(genome)


def test_wider_lines_for_larger_weights():
    genome = neat.Genome.from_connections(
        neat.Config(3, 1, bias=None), [(0, 0, 3, 0.1, True), (1, 1, 3, -1.0, True),
                                       (2, 2, 3, 4.0, True)])
    svg = ElementTree.fromstring(to_svg(genome))
    widths = {title.split()[0]: float(group.find(f"{SVG}path").get("stroke-width"))
              for title, group in groups(svg, 0)}
    assert widths["0"] < widths["1"] < widths["2"]


def test_activations_that_differ_are_written():
    config = neat.Config(1, 1, bias=None)
    genome = neat.Genome.from_connections(
        config, [(0, 0, 2, 1.0, True), (1, 0, 3, 1.0, True), (2, 3, 1, 1.0, True)],
        nodes=[(2, "hidden", "tanh", 0.0)])
    texts = [element.text for element in ElementTree.fromstring(to_svg(genome)).iter(f"{SVG}text")]
    assert texts.count("tanh") == 1
    assert "steep_sigmoid" not in texts
    assert to_dot(genome).count("tanh") == 2    # label and tooltip


def stand_in(**fields):
    """What only looks like a genome, with any text in it."""
    nodes = np.array(
        [(0, "input", "identity", 0.0), (1, "output", fields["activation"], 0.5)],
        [("id", "i8"), ("kind", "U6"), ("activation", "U40"), ("bias", "f8")])
    connections = np.array(
        [(3, 0, 1, fields["weight"], True)],
        [("innovation", "i8"), ("source", "i8"), ("target", "i8"), ("weight", "f8"),
         ("enabled", "?")])
    return SimpleNamespace(config=neat.Config(1, 1), nodes=nodes, connections=connections)


def test_text_is_escaped():
    name = "<a b=\"c\" d='e'>&\\amp;"
    genome = stand_in(activation=name, weight=1.0)
    svg = ElementTree.fromstring(to_svg(genome))
    assert name in [element.text for element in svg.iter(f"{SVG}text")]
    assert f"activation {name}" in groups(svg, 1)[1][0]
    assert '\\"c\\"' in to_dot(genome)
    assert "\\\\amp" in to_dot(genome)


@pytest.mark.parametrize("weight", [math.nan, math.inf, -math.inf])
def test_weights_that_are_no_numbers_do_not_spoil_the_picture(weight):
    svg = ElementTree.fromstring(to_svg(stand_in(activation="tanh", weight=weight)))
    path = groups(svg, 0)[0][1].find(f"{SVG}path")
    assert 0 < float(path.get("stroke-width")) < 10
    assert repr(weight) in groups(svg, 0)[0][0]


def test_sizes():
    genome = CASES["recurrent"]
    natural = ElementTree.fromstring(to_svg(genome))
    _, _, width, height = numbers(natural.get("viewBox"))
    assert numbers(natural.get("width")) == [width]
    assert numbers(natural.get("height")) == [height]
    for size in ({"width": 300}, {"height": 200.5}, {"width": 300, "height": 900}):
        svg = ElementTree.fromstring(to_svg(genome, **size))
        for name, value in size.items():
            assert float(svg.get(name)) == value
    # the free one keeps the proportions, to the rounding of the numbers
    svg = ElementTree.fromstring(to_svg(genome, width=300))
    assert float(svg.get("height")) == pytest.approx(300 * height / width, abs=0.02)
    bad_sizes = [0, -1, math.nan, math.inf, 1e7, 10**400]
    for name, bad in itertools.product(["width", "height"], bad_sizes):
        with pytest.raises(ValueError, match=rf"^{name} must be from 1 to 1e6 pixels"):
            to_svg(genome, **{name: bad})
    for bad in ("wide", [1], 1j):
        with pytest.raises(TypeError, match=r"^width must be a number of pixels"):
            to_svg(genome, width=bad)


def test_a_wanted_shape_is_filled():
    """The drawing itself takes the proportions, so that little of the area stays empty."""
    for width, height in ((900, 300), (400, 800)):
        svg = ElementTree.fromstring(to_svg(CASES["feed forward"], width=width, height=height))
        _, _, w, h = numbers(svg.get("viewBox"))
        assert w / h == pytest.approx(width / height, rel=0.35)


def check_dot(genome):
    assert to_dot(genome).isascii()
    lines = to_dot(genome).splitlines()
    assert lines[0] == "digraph genome {"
    assert lines[-1] == "}"
    edges = [re.match(r'  "(\d+)" -> "(\d+)" \[(.*)\];$', line) for line in lines if "->" in line]
    assert len(edges) == len(genome.connections)
    for edge, connection in zip(edges, genome.connections, strict=True):
        assert (int(edge[1]), int(edge[2])) == (connection["source"], connection["target"])
        assert f"weight {float(connection['weight'])!r}\\n" in edge[3]
        assert f"innovation {connection['innovation']}" in edge[3]
        assert ("style=dashed" in edge[3]) == (not connection["enabled"])
        assert ("arrowhead=dot" in edge[3]) == (connection["weight"] < 0)
    nodes = [re.match(r'    "(\d+)" \[label=', line) for line in lines]
    assert sorted(int(n[1]) for n in nodes if n) == sorted(genome.nodes["id"])


def test_dot(genome):
    check_dot(genome)


def test_time_of_a_large_genome():
    """500 connections; the limit leaves room for slow and busy machines."""
    genome = random_genome(random.Random(0), 10, 5, 150, 500)
    started = time.process_time()
    check_picture(genome)
    assert time.process_time() - started < 2.0


def test_a_deep_genome():
    """A chain of 300 nodes with connections across all of it."""
    chain = [0, *range(2, 302), 1]
    pairs = [*itertools.pairwise(chain), *((0, node) for node in chain[2:])]
    genome = neat.Genome.from_connections(
        neat.Config(1, 1, bias=None),
        [(k, s, t, 1.0, True) for k, (s, t) in enumerate(pairs)])
    started = time.process_time()
    at = positions(check_picture(genome))
    assert time.process_time() - started < 4.0
    order = np.argsort(at[:, 0])
    assert genome.nodes["id"][order].tolist() == chain


# -- the layout by itself --------------------------------------------------------------------------


def test_layers_are_longest_paths():
    #    0 -> 2 -> 3 -> 1,  0 -> 3,  0 -> 1
    layout = layered(4, [0], [1], [(0, 2), (2, 3), (3, 1), (0, 3), (0, 1)], [True] * 5)
    assert layout.layer.tolist() == [0, 3, 1, 2]
    assert [len(bends) for bends in layout.bends] == [0, 0, 0, 1, 2]
    assert [layer for layer, _ in layout.bends[4]] == [1, 2]


def test_unimportant_edges_are_those_set_aside():
    edges = [(2, 3), (3, 2), (0, 2), (0, 3), (3, 1)]
    for important in ([True, False], [False, True]):
        layout = layered(4, [0], [1], edges, [*important, True, True, True])
        assert [bends is None for bends in layout.bends[:2]] == [not i for i in important]
        assert layout.bends[2] is not None


def test_crossings_are_undone():
    """Two inputs, crosswise joined with two hidden nodes: the hidden nodes change places."""
    layout = layered(6, [0, 1], [2, 3], [(0, 5), (1, 4), (5, 2), (4, 3)], [True] * 4)
    assert layout.place[5] < layout.place[4]


def test_neighbors_in_a_layer_keep_their_distance():
    rng = random.Random(3)
    for _ in range(20):
        n = rng.randint(4, 40)
        edges = [(rng.randrange(n), rng.randrange(2, n)) for _ in range(60)]
        edges = list({(s, t) for s, t in edges if s != t and s != 1})
        layout = layered(n, [0, 1], [2, 3], edges, [True] * len(edges))
        for k in range(layout.n_layers):
            places = np.sort(layout.place[layout.layer == k])
            assert (np.diff(places) > 1 - 1e-9).all()
