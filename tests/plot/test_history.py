"""Training and evolution over time, sizes of species."""

import itertools
from types import SimpleNamespace

import numpy as np
import pytest

import fastnet as fn
from fastnet import neat
from fastnet.evolution.history import History as FixedHistory
from fastnet.evolution.history import Record as FixedRecord
from fastnet.neat.history import History, Record
from fastnet.plot import history, species
from fastnet.plot._figures import SERIES
from fastnet.plot._histories import BANDS


def trained(loss, validation_loss=(), **metrics):
    return fn.History(list(loss), list(validation_loss), metrics, len(loss))


def record(generation, ids, sizes, best=1.0, mean=0.5, std=0.1):
    return Record(generation, best, mean, std, 3.0, 4.0, 3.0, tuple(ids), tuple(sizes))


def twin_of(ax):
    return [axes for axes in ax.figure.axes if axes is not ax]


# -- training --------------------------------------------------------------------------------------


def test_loss_and_validation_loss(entries):
    ax = history(trained([3.0, 2.0, 1.0], [3.5, 2.5, 2.0]))
    loss, validation = ax.lines
    assert loss.get_xydata().tolist() == [[1, 3], [2, 2], [3, 1]]
    assert validation.get_ydata().tolist() == [3.5, 2.5, 2.0]
    assert entries(ax) == ["loss", "validation loss"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("epoch", "loss")
    assert ax.get_yscale() == "linear"
    assert not twin_of(ax)


def test_metrics_have_an_axis_of_their_own(entries):
    ax = history(trained([2.0, 1.0], accuracy=[0.5, 0.75]))
    right, = twin_of(ax)
    assert right.lines[0].get_xydata().tolist() == [[1, 0.5], [2, 0.75]]
    assert right.get_ylabel() == "accuracy"
    assert entries(ax) == ["loss", "accuracy"]
    ax = history(trained([2.0, 1.0], accuracy=[0.5, 0.75], r2=[0.1, 0.2]))
    assert twin_of(ax)[0].get_ylabel() == "metrics"
    assert entries(ax) == ["loss", "accuracy", "r2"]


def test_lines_differ_without_color(lightness):
    ax = history(trained([2.0, 1.0], [2.0, 1.5], accuracy=[0.5, 0.75], r2=[0.1, 0.2]))
    lines = [*ax.lines, *twin_of(ax)[0].lines]
    assert len({line.get_linestyle() for line in lines}) == 4
    assert len({line.get_marker() for line in lines}) == 4
    values = [lightness(color) for color, _, _ in SERIES]
    assert all(abs(a - b) >= 25 for a, b in itertools.pairwise(values))


@pytest.mark.parametrize(
    ("loss", "scale"),
    [([30.0, 1.0], "linear"), ([31.0, 1.0], "log"), ([31.0, 0.0], "linear"),
     ([31.0, -1.0], "linear"), ([31.0, np.nan, 1.0, np.inf], "log")])  # fmt: skip
def test_scale_of_the_loss(loss, scale):
    assert history(trained(loss)).get_yscale() == scale


def test_scale_by_wish():
    assert history(trained([31.0, 1.0]), log=False).get_yscale() == "linear"
    assert history(trained([2.0, 1.0]), log=True).get_yscale() == "log"


def test_infinite_losses_are_gaps():
    ax = history(trained([3.0, np.inf, 1.0, np.nan]))
    np.testing.assert_array_equal(ax.lines[0].get_ydata(), [3.0, np.nan, 1.0, np.nan])


def test_epochs_are_whole_numbers():
    for n in (1, 2, 3, 50):
        ax = history(trained(np.linspace(2, 1, n)))
        ax.figure.canvas.draw()
        assert all(tick == round(tick) for tick in ax.get_xticks())


def test_few_epochs_have_markers():
    assert history(trained([1.0])).lines[0].get_marker() == "o"
    assert history(trained(np.ones(100))).lines[0].get_marker() in (None, "None")


def test_a_network_shows_its_last_history(entries):
    net = fn.Network([1, 4, 1], seed=0)
    with pytest.raises(ValueError, match="this Network has not been fitted"):
        history(net)
    net.fit([[0], [1]], [1, 0], epochs=3, validation_data=([[0.5]], [0.5]))
    ax = history(net)
    assert ax.lines[0].get_ydata().tolist() == net.history.loss
    assert ax.lines[1].get_ydata().tolist() == net.history.validation_loss


@pytest.mark.parametrize("seed", range(4))
def test_the_legend_covers_nothing(covered, seed):
    rng = np.random.default_rng(seed)
    falling = np.exp(-np.arange(40) / 10)
    ax = history(trained(falling, falling + 0.2 + 0.1 * rng.random(40), accuracy=1 - falling))
    assert covered(ax, *twin_of(ax)) == 0
    noise = rng.random((4, 40))
    ax = history(trained(*noise[:2], accuracy=noise[2], r2=noise[3]))
    assert covered(ax, *twin_of(ax)) == 0


# -- evolution -------------------------------------------------------------------------------------

EVOLVED = History([
    record(3, (0, 1), (6, 4), 2.0, 1.0, 0.5), record(4, (0, 2), (5, 5), 3.0, 1.5, 0.25)])


def test_best_and_mean_fitness(entries):
    ax = history(EVOLVED)
    best, mean = ax.lines
    assert best.get_xydata().tolist() == [[3, 2], [4, 3]]
    assert mean.get_xydata().tolist() == [[3, 1], [4, 1.5]]
    assert entries(ax) == ["best", "mean", "standard deviation"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("generation", "fitness")
    corners = {tuple(p) for p in ax.collections[0].get_paths()[0].vertices.tolist()}
    assert {(3, 0.5), (3, 1.5), (4, 1.25), (4, 1.75)} <= corners


def test_what_has_a_history():
    population = neat.Population(neat.Config(2, 1, population_size=10), seed=0)
    result = population.run(lambda network: 1.0, generations=2, target=float("inf"))
    for owner in (population, result, result.history):
        assert history(owner).lines[0].get_ydata().tolist() == [1, 1]
        assert species(owner).get_ylim() == (0, 10)


def test_a_genetic_algorithm(entries):
    fixed = FixedHistory([FixedRecord(1, 2.0, 1.0, 0.5)])
    assert entries(history(fixed)) == ["best", "mean", "standard deviation"]
    with pytest.raises(TypeError, match="which has species, got History"):
        species(fixed)


def test_no_finite_mean_is_a_gap():
    ax = history(History([record(1, (0,), (9,), np.inf, np.nan, np.nan),
                          record(2, (0,), (9,), 3.0, 2.0, 1.0)]))
    assert np.isnan(ax.lines[0].get_ydata()[0])
    assert np.isnan(ax.lines[1].get_ydata()[0])


# -- species ---------------------------------------------------------------------------------------


def heights(polygon, x):
    """Lowest and highest y of a polygon's corners at x."""
    corners = polygon.get_paths()[0].vertices
    y = corners[corners[:, 0] == x, 1]
    return y.min(), y.max()


def test_bands_are_stacked_by_age():
    ax = species(History([
        record(1, (0,), (10,)), record(2, (0, 1), (6, 4)), record(3, (1, 2), (7, 3)),
        record(4, (1, 2), (7, 3))]))
    bands = {band.get_label(): band for band in ax.collections}
    assert list(bands) == ["species 0", "species 1", "species 2"]
    assert heights(bands["species 0"], 1) == (0, 10)
    assert heights(bands["species 0"], 2) == (0, 6)
    assert heights(bands["species 0"], 3) == (0, 0)
    assert heights(bands["species 1"], 1) == (10, 10)
    assert heights(bands["species 1"], 2) == (6, 10)
    assert heights(bands["species 1"], 3) == (0, 7)
    assert heights(bands["species 2"], 4) == (7, 10)
    # gone for more than a generation, it is no longer drawn
    assert not (bands["species 0"].get_paths()[0].vertices[:, 0] == 4).any()
    assert ax.get_xlim() == (1, 4)
    assert ax.get_ylim() == (0, 10)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("generation", "genomes by species")


def test_wide_bands_have_their_id_inside():
    sizes = [(80, 18, 2)] * 50
    ax = species(History([record(k + 1, (3, 5, 8), s) for k, s in enumerate(sizes)]))
    texts = {text.get_text(): text.get_position() for text in ax.texts}
    assert set(texts) == {"3", "5"}
    assert texts["3"][1] == 40
    assert texts["5"][1] == 89
    assert all(1 < x < 50 for x, _ in texts.values())


def test_one_generation_has_some_width():
    ax = species(History([record(7, (0, 1), (6, 4))]))
    low, high = ax.get_xlim()
    assert low < 7 < high
    assert {text.get_position() for text in ax.texts} == {(7, 3), (7, 8)}


def test_bands_alternate_between_dark_and_light(lightness):
    values = [lightness(color) for color in BANDS]
    assert max(values[::2]) + 20 <= min(values[1::2])
    ax = species(History([record(k, range(6), (5,) * 6) for k in (1, 2, 3)]))
    values = [lightness(band.get_facecolor()[0, :3]) for band in ax.collections]
    assert all(abs(a - b) >= 20 for a, b in itertools.pairwise(values))
    for text in ax.texts:
        below = values[int(text.get_text())]
        assert abs(lightness(text.get_color()) - below) >= 40


def test_neighbors_never_have_the_same_color():
    """Also where those that stood between them have died out."""
    rng = np.random.default_rng(0)
    records, alive, born = [], [0], 1
    for generation in range(1, 60):
        alive = [k for k in alive if rng.random() < 0.85] or alive[:1]
        if rng.random() < 0.7:
            alive.append(born)
            born += 1
        records.append(record(generation, alive, [10] * len(alive)))
    ax = species(History(records))
    color = {int(band.get_label().split()[1]): tuple(band.get_facecolor()[0])
             for band in ax.collections}
    assert born > 20
    for r in records:
        for a, b in itertools.pairwise(r.species):
            assert color[a] != color[b]


# -- wrong arguments -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("draw", "argument", "error", "message"),
    [
        (history, trained([]), ValueError, "history.loss must have at least one figure, got none"),
        (history, trained([np.nan]), ValueError, "history.loss must have at least one finite"),
        (history, trained([1.0], [np.nan]), ValueError, "history.validation_loss must have"),
        (history, trained([1.0], r2=[np.inf]), ValueError, r"history.metrics\['r2'\] must have"),
        (history, History(), ValueError, "history.best must have at least one figure, got none"),
        (species, History(), ValueError, "history must have at least one generation, got none"),
        (history, [1.0, 2.0], TypeError, "that of a fit or of an evolution, .* got list"),
        (species, trained([1.0]), TypeError, "a neat.Population, which has species, got History"),
        (history, SimpleNamespace(history=3), TypeError, "got int"),
    ],
)
def test_wrong_arguments(draw, argument, error, message):
    with pytest.raises(error, match=message):
        draw(argument)


def test_fitness_has_no_logarithm():
    with pytest.raises(ValueError, match="log must be None or False"):
        history(EVOLVED, log=True)
