"""Dense networks, genomes and activations: what is drawn for each weight, gene and node."""

import random

import numpy as np
import pytest
from matplotlib.colors import to_hex

import fastnet as fn
from fastnet import neat
from fastnet.plot import activation, genome, network
from fastnet.plot._figures import INK, NEGATIVE, NODES, POSITIVE

# -- dense networks --------------------------------------------------------------------------------

WEIGHTS = np.array([[0.5, -1.0, 0.0], [2.0, 0.25, -0.5]])


def small():
    return fn.Network.from_arrays([
        (WEIGHTS, [0.1, -0.2, 0.0], "relu"), (np.array([[1.0], [-2.0], [4.0]]), None, "identity")],
        dtype="float64")


def weight_lines(ax):
    """{(layer, source y, target y): (width, color, alpha, dashed)}"""
    found = {}
    for lines in ax.collections:
        for segment, width, color, dash in zip(
                lines.get_segments(), lines.get_linewidths(), lines.get_colors(),
                np.resize([style[1] is not None for style in lines.get_linestyles()],
                          len(lines.get_segments())), strict=True):
            (x, source), (_, target) = segment
            found[int(x), source, target] = (width, to_hex(color[:3]), color[3], dash)
    return found


def test_a_line_for_each_weight_that_is_not_zero(lightness):
    ax = network(small())
    found = weight_lines(ax)
    first = {(i, j): found.get((0, y, z)) for i, y in enumerate((-0.5, 0.5))
             for j, z in enumerate((-1.0, 0.0, 1.0))}
    assert first[0, 2] is None
    assert len(found) == 8
    for (i, j), look in first.items():
        if look is not None:
            assert look[1] == (POSITIVE if WEIGHTS[i, j] > 0 else NEGATIVE)
            assert look[3] == (WEIGHTS[i, j] < 0)
    # in the order of the sizes, and the largest of all is the widest
    order = sorted((abs(WEIGHTS[k]), look) for k, look in first.items() if look)
    widths = [look[0] for _, look in order]
    assert widths == sorted(widths)
    alphas = [look[2] for _, look in order]
    assert alphas == sorted(alphas)
    assert found[1, 1.0, 0.0][0] == max(look[0] for look in found.values())
    assert found[1, 1.0, 0.0][2] == 1.0
    assert lightness(NEGATIVE) - lightness(POSITIVE) >= 20


def nodes(ax):
    return {line.get_xdata()[0]: line for line in ax.lines if line.get_marker() != "."}


def test_nodes_in_layers(entries):
    ax = network(small())
    assert [nodes(ax)[x].get_ydata().tolist() for x in (0, 1, 2)] == [
        [-0.5, 0.5], [-1.0, 0.0, 1.0], [0.0]]
    assert [text.get_text() for text in ax.texts] == ["2\ninputs", "3\nrelu", "1\nidentity"]
    assert entries(ax) == ["positive weight", "negative weight", "|weight| = 4"]
    assert not ax.axison


def test_wide_layers_are_abbreviated():
    ax = network(fn.Network([784, 100, 17, 16], seed=0), max_nodes=16)
    places = [nodes(ax)[x].get_ydata() for x in range(4)]
    assert [len(y) for y in places] == [16, 16, 16, 16]
    for y in places[:3]:
        # the room of one node is for the dots
        assert np.diff(y).tolist() == [1] * 7 + [2] + [1] * 7
    assert np.diff(places[3]).tolist() == [1] * 15
    dots = [line for line in ax.lines if line.get_marker() == "."]
    assert [line.get_xdata()[0] for line in dots] == [0, 1, 2]
    assert all(abs(line.get_ydata()).max() < 1 for line in dots)
    assert [text.get_text().split()[0] for text in ax.texts] == ["784", "100", "17", "16"]
    assert len(weight_lines(ax)) == 3 * 256


def test_the_first_and_the_last_nodes_stand_for_the_others():
    weights = np.arange(1.0, 11.0)[:, None] * [1.0, 100.0]
    ax = network(fn.Network.from_arrays([(weights, None, "identity")]), max_nodes=3)
    found = weight_lines(ax)
    widths = [found[0, y, -0.5][0] for y in nodes(ax)[0].get_ydata()]
    shares = (np.array(widths) - 0.4) / 3.6 * 1000
    np.testing.assert_allclose(shares, [1, 2, 10], rtol=1e-5)


def test_numbers_and_names():
    net = small()
    ax = network(net, numbers=True, inputs=["a", "b"], outputs=["y"])
    texts = [text.get_text() for text in ax.texts]
    assert {"a", "b", "y"} < set(texts)
    for weight in (*WEIGHTS.ravel(), 1.0, -2.0, 4.0):
        assert f"{weight:.3g}" in texts
    for bias in ("+0.1", "-0.2", "+0"):
        assert bias in texts


def test_names_of_a_wide_layer_are_those_of_its_nodes():
    ax = network(fn.Network([9, 1], seed=0), max_nodes=4, inputs=list("abcdefghi"))
    assert [text.get_text() for text in ax.texts][:4] == ["a", "b", "h", "i"]


def test_other_layers_are_words():
    net = fn.Network(2, layers=[fn.Dense(3, "tanh"), fn.LayerNorm(), fn.Dropout(0.25),
                                fn.Dense(2, "softmax", bias=False)], seed=0)  # fmt: skip
    ax = network(net)
    assert [text.get_text() for text in ax.texts] == [
        "2\ninputs", "3\ntanh\nlayer norm\ndropout 0.25", "2\nsoftmax"]


def test_the_legend_fits_into_a_small_subplot():
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3))
    axes = figure.subplots(1, 4)
    for ax in axes:
        network(small(), ax=ax)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    for ax in axes:
        legend = ax.get_legend().get_window_extent(canvas.get_renderer())
        assert legend.width <= 1.05 * ax.get_window_extent().width
        lowest = max(line.get_ydata().max() for line in ax.lines)
        assert legend.y1 < ax.transData.transform((0, lowest))[1]


def test_zero_weights_have_no_lines():
    ax = network(fn.Network.from_arrays([(np.zeros((2, 2)), None, "identity")]))
    assert not weight_lines(ax)
    assert ax.get_legend() is None


@pytest.mark.parametrize(
    ("net", "options", "error", "message"),
    [
        ("net", {}, TypeError, "net must be a fastnet.Network, got str"),
        (neat.Genome(neat.Config(2, 1), rng=0), {}, TypeError, "got Genome"),
        (small(), {"max_nodes": 1}, ValueError, "max_nodes must be at least 2, got 1"),
        (small(), {"inputs": ["a"]}, ValueError, "inputs must have 2 names, got 1"),
        (small(), {"outputs": []}, ValueError, "outputs must have 1 names, got 0"),
    ],
)
def test_wrong_networks(net, options, error, message):
    with pytest.raises(error, match=message):
        network(net, **options)


def test_weights_must_be_finite():
    net = small()
    net.layers[1].weights[2, 0] = np.nan
    with pytest.raises(ValueError, match=r"net.layers\[1\].weights\[2, 0\] must be finite"):
        network(net)


# -- genomes ---------------------------------------------------------------------------------------

RECURRENT = neat.Genome.from_connections(
    neat.Config(2, 1, mode="recurrent", self_loops=True, bias="node"),
    [(0, 0, 3, 1.0, True), (1, 1, 4, -3.0, True), (2, 4, 3, 0.5, True), (3, 2, 3, 1.0, False),
     (4, 3, 4, 2.0, True), (5, 4, 4, -0.5, True)])  # fmt: skip


def parts(ax, kind):
    return {int(patch.get_gid().split()[1]): patch for patch in ax.patches
            if patch.get_gid() and patch.get_gid().startswith(kind)}


def test_a_line_for_each_connection(lightness, entries):
    ax = genome(RECURRENT)
    lines = parts(ax, "connection")
    assert set(lines) == set(range(6))
    colors = {k: to_hex(line.get_edgecolor()[:3]) for k, line in lines.items()}
    assert colors == {0: POSITIVE, 1: NEGATIVE, 2: POSITIVE, 3: POSITIVE, 4: POSITIVE, 5: NEGATIVE}
    width = {k: line.get_linewidth() for k, line in lines.items()}
    assert width[1] > width[4] > width[0] > width[2] == width[5]
    assert entries(ax) == ["positive", "negative", "disabled"]


def test_disabled_connections_are_dotted():
    lines = parts(genome(RECURRENT), "connection")
    assert lines[3].get_linestyle() not in ("-", "solid")
    assert {line.get_linestyle() for k, line in lines.items() if k != 3} == {"-"}


def bend(patch):
    """How far a line is from its chord, at most, and whether it goes to the right all the way."""
    points = patch.get_path().to_polygons(closed_only=False)[0]
    chord = points[-1] - points[0]
    away = np.abs((points - points[0]) @ [-chord[1], chord[0]]) / np.hypot(*chord)
    return away.max(), (np.diff(points[:, 0]) > 0).all()


def test_recurrent_connections_are_curved():
    lines = parts(genome(RECURRENT), "connection")
    for k in (0, 1, 2, 3):
        away, onwards = bend(lines[k])
        assert away < 15
        assert onwards
    for k in (4, 5):
        away, onwards = bend(lines[k])
        assert away > 20
        assert not onwards


def test_nodes_by_depth(lightness):
    ax = genome(RECURRENT)
    shapes = parts(ax, "node")
    assert set(shapes) == {0, 1, 2, 3, 4}
    kinds = dict(zip(RECURRENT.nodes["id"].tolist(), RECURRENT.nodes["kind"].tolist(), strict=True))
    for k, shape in shapes.items():
        assert (to_hex(shape.get_facecolor()), to_hex(shape.get_edgecolor())) == NODES[kinds[k]]
    x = {int(text.get_text()): text.get_position()[0] for text in ax.texts
         if text.get_text().isdigit()}
    assert x[0] == x[1] == x[2] < x[4] < x[3]
    assert all(lightness(fill) - lightness(INK) >= 60 for fill, _ in NODES.values())
    assert [text.get_text() for text in ax.texts if not text.get_text().isdigit()] == [
        "input", "input", "bias", "output"]


def test_names():
    texts = [text.get_text() for text in genome(RECURRENT, names={0: "left", 4: "memory"}).texts]
    assert {"left", "memory", "input", "bias", "output"} < set(texts)


def test_equal_aspect_and_inputs_on_top():
    ax = genome(RECURRENT)
    assert ax.get_aspect() == 1
    assert ax.yaxis_inverted()
    assert not ax.axison


def test_what_has_a_genome():
    assert len(parts(genome(RECURRENT.network()), "connection")) == 6


@pytest.mark.parametrize("seed", range(5))
def test_everything_is_within_the_limits(seed):
    """Of random genomes, too."""
    rng = random.Random(seed)
    n = rng.randrange(1, 30)
    pairs = {(rng.randrange(12), rng.randrange(3, 12)) for _ in range(n)}
    config = neat.Config(3, 2, mode="recurrent", self_loops=True, bias=None)
    drawn = neat.Genome.from_connections(
        config, [(k, s, t, rng.gauss(0, 2), rng.random() < 0.8)
                 for k, (s, t) in enumerate(sorted(pairs))])
    ax = genome(drawn)
    assert len(parts(ax, "connection")) == len(pairs)
    (left, right), (bottom, top) = ax.get_xlim(), ax.get_ylim()
    for patch in ax.patches:
        box = patch.get_path().get_extents(patch.get_patch_transform())
        assert box.x0 >= left
        assert box.x1 <= right
        assert box.y0 >= top
        assert box.y1 <= bottom


def test_a_genome_without_connections():
    ax = genome(neat.Genome(neat.Config(2, 3, initial_connection="none"), rng=0))
    assert len(parts(ax, "node")) == 6
    assert ax.get_legend() is None


def test_wrong_genomes():
    with pytest.raises(TypeError, match=r"genome must be a neat.Genome, got Network"):
        genome(small())
    with pytest.raises(TypeError, match="names must map ids of nodes to texts, got list"):
        genome(RECURRENT, names=["a"])


# -- activations -----------------------------------------------------------------------------------

ELEMENTWISE = [name for name in fn.activations.names() if name != "softmax"]


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_value_and_derivative(name, entries):
    ax = activation(name)
    value, derivative = ax.lines[-2:]
    assert entries(ax) == [f"{name}(z)", "derivative"]
    for line, of in ((value, fn.activations.value), (derivative, fn.activations.derivative)):
        z, y = line.get_data()
        drawn = np.isfinite(y)
        np.testing.assert_array_equal(y[drawn], of(name, z[drawn]))
        assert drawn.sum() > 300
        assert (np.diff(z) >= 0).all()
    assert ax.get_xlim() == (-5, 5)
    low, high = ax.get_ylim()
    assert -9 < low < high < 9
    assert ax.get_xlabel() == "z"
    assert value.get_linestyle() != derivative.get_linestyle()


def gaps(line):
    z, y = line.get_data()
    return z[np.isnan(y)]


@pytest.mark.parametrize(
    ("name", "in_value", "in_derivative"),
    [("step", [0], []), ("relu", [], [0]), ("hard_tanh", [], [-1, 1]), ("abs", [], [0]),
     ("hard_sigmoid", [], [-3, 3]), ("tanh", [], []), ("selu", [], [0]), ("steep_sigmoid", [], []),
     ("sin", [], []), ("gelu", [], [])])  # fmt: skip
def test_lines_are_interrupted_at_jumps(name, in_value, in_derivative):
    value, derivative = activation(name).lines[-2:]
    # at a kink the derivative may jump twice, to what it is right there and on
    assert {round(z, 9) + 0.0 for z in gaps(value)} == set(in_value)
    assert {round(z, 9) + 0.0 for z in gaps(derivative)} == set(in_derivative)


@pytest.mark.parametrize("xlim", [(-5, 5), (-5, 4.9)])
def test_the_pole_of_inverse_is_no_line(xlim):
    """Whether or not 0 is one of the points."""
    z, y = activation("inverse", xlim=xlim).lines[-2].get_data()
    drawn = np.isfinite(y)
    across = drawn[:-1] & drawn[1:] & (y[:-1] < 0) & (y[1:] > 0)
    assert not across.any()
    assert np.isfinite(y[np.abs(z) > 0.01]).all()


def test_own_activation(entries):
    bent = fn.Activation(lambda z: np.sqrt(z * z + 1) + z,
                         lambda z, a: z / np.sqrt(z * z + 1) + 1, name="bent")
    ax = activation(bent, xlim=(0, 2))
    assert entries(ax) == ["bent(z)", "derivative"]
    z, y = ax.lines[-2].get_data()
    np.testing.assert_allclose(y, np.sqrt(z * z + 1) + z, rtol=1e-12)
    assert ax.get_xlim() == (0, 2)


@pytest.mark.parametrize(
    ("given", "xlim", "error", "message"),
    [
        ("softmax", (-5, 5), ValueError, "softmax.*[Jj]acobian"),
        (fn.Activation(np.tanh, jacobian=lambda z, a: np.diag(1 - a * a)), (-5, 5), ValueError,
         "[Jj]acobian"),
        ("tahn", (-5, 5), ValueError, "tanh"),
        (3, (-5, 5), TypeError, "int"),
        ("log", (-5, -1), ValueError, "activation 'log' is finite nowhere from -5 to -1"),
        ("tanh", (1, 0), ValueError, "xlim must be two finite numbers in ascending order"),
    ],
)
def test_wrong_activations(given, xlim, error, message):
    with pytest.raises(error, match=message):
        activation(given, xlim=xlim)


@pytest.mark.parametrize("name", ["tanh", "relu", "exp", "inverse", "gaussian"])
def test_the_legend_covers_nothing(covered, name):
    assert covered(activation(name)) == 0
