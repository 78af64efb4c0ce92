"""Descents: the curve and its iterates, contours and paths, limits, levels, wrong arguments."""

import itertools
import math
from types import SimpleNamespace

import numpy as np
import pytest

from fastnet.plot import descent
from fastnet.plot._descents import PATHS


def result(path, **more):
    return SimpleNamespace(path=path, **more)


def quartic(x):
    """Document 003."""
    return 3 * x**4 + 5 * x**3 - 20 * x**2 + 8 * x + 10


def slope(x):
    return 12 * x**3 + 15 * x**2 - 40 * x + 8


def bowl(x):
    return x[0] ** 2 + 3 * x[1] ** 2


def rosenbrock(x):
    return (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2


def steps(x, step, n, slope=slope):
    path = [x]
    for _ in range(n):
        path.append(path[-1] - step * slope(path[-1]))
    return path


BOWL = result([[2.0, 1.0], [1.0, -0.5], [0.5, 0.25], [0.0, 0.0]])


# -- one variable ----------------------------------------------------------------------------------


def test_curve_and_iterates(entries):
    path = steps(3.0, 0.01, 23)
    ax = descent(quartic, result(path))
    curve, iterates, start, end = ax.lines
    x = curve.get_xdata()
    np.testing.assert_allclose(curve.get_ydata(), quartic(x), rtol=1e-12)
    assert list(iterates.get_xdata()) == path
    np.testing.assert_allclose(iterates.get_ydata(), quartic(np.array(path)), rtol=1e-12)
    assert start.get_xydata().tolist() == [[3.0, quartic(3.0)]]
    assert end.get_xydata().tolist() == [[path[-1], quartic(path[-1])]]
    assert entries(ax) == ["f(x)", "23 iterations", "start", "end"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("x", "f(x)")


def test_limits_hold_the_path_and_some_of_its_surroundings():
    path = steps(3.0, 0.01, 23)
    ax = descent(quartic, result(path))
    low, high = ax.get_xlim()
    assert min(path) - 3 < low < min(path) < max(path) < high < max(path) + 3
    low, high = ax.get_ylim()
    assert low < quartic(np.array(path)).min()
    assert quartic(3.0) < high < 2 * quartic(3.0)


def test_variables_of_unlike_scales_have_scales_of_their_own():
    """Parameters of a curve: one of them runs from -2 to -0.5, the other from 30 to 180."""
    path = np.array([[-2.0, 30.0], [-0.5, 180.0], [-1.0, 100.0]])
    ax = descent(lambda p: 1e4 * (p[0] + 1) ** 2 + (p[1] - 100) ** 2, result(path))
    (left, right), (bottom, top) = ax.get_xlim(), ax.get_ylim()
    assert -3 < left < -2
    assert -0.5 < right < 0.5
    assert -60 < bottom < 30
    assert 180 < top < 270


def test_given_limits_are_kept():
    ax = descent(quartic, result([0.0, -1.0]), xlim=(-4, 3), ylim=(-120, 120))
    assert ax.get_xlim() == (-4, 3)
    assert ax.get_ylim() == (-120, 120)
    assert ax.lines[0].get_xdata()[[0, -1]].tolist() == [-4, 3]


@pytest.mark.parametrize("x", [0.0, 5.0, 1e9, -1e-9])
def test_a_path_of_one_point(x, entries):
    ax = descent(lambda x: x * x, result([x]))
    assert ax.get_xlim()[0] < x < ax.get_xlim()[1]
    assert entries(ax)[1] == "0 iterations"


def test_a_constant_function():
    ax = descent(lambda x: 7.0, result([0.0, 1.0]))
    assert ax.get_ylim()[0] < 7.0 < ax.get_ylim()[1]


def test_of_a_diverging_path_the_beginning_is_shown(entries):
    """s = .02 from -4 leads away ever faster; the interesting part is within some units."""
    with np.errstate(all="ignore"):
        path = [float(x) for x in steps(np.float64(-4.0), 0.02, 12)]
    assert not math.isfinite(path[-1])
    ax = descent(quartic, result(path, reason="diverged"))
    low, high = ax.get_xlim()
    assert low < -4
    assert high - low < 60
    n = sum(map(math.isfinite, path))
    assert entries(ax) == ["f(x)", f"{n - 1} iterations, diverges", "start"]


def test_a_path_that_ends_far_away_is_shown_in_full():
    path = [1.0, 0.999, -50.0, -50.5]
    low, high = descent(abs, result(path)).get_xlim()
    assert low < -50.5
    assert high > 1


def test_several_results(lightness, entries):
    results = [result(steps(x, 0.005, 50)) for x in (-4.0, 0.0, 2.0)]
    ax = descent(quartic, results, labels=["a", "b", "c"])
    assert entries(ax) == ["f(x)", "a", "b", "c", "start", "end"]
    paths = ax.lines[1:4]
    assert [path.get_xdata()[0] for path in paths] == [-4.0, 0.0, 2.0]
    assert len({path.get_marker() for path in paths}) == 3
    assert len({path.get_linestyle() for path in paths}) == 3
    assert ax.lines[4].get_xdata().tolist() == [-4.0, 0.0, 2.0]


def test_neighboring_paths_differ_in_lightness_and_in_line_and_marker(lightness):
    values = [lightness(color) for color, _, _ in PATHS]
    assert all(abs(a - b) >= 20 for a, b in itertools.pairwise(values))
    for column in (1, 2):
        assert len({path[column] for path in PATHS}) == len(PATHS)


def test_markers_that_would_run_into_each_other_are_left_out():
    ax = descent(abs, result(np.linspace(1, 0, 10_001)))
    assert 20 <= len(ax.lines[1].get_markevery()) <= 120
    ax = descent(abs, result([3.0, 2.0, 1.0]))
    assert ax.lines[1].get_markevery() == [0, 1, 2]


def test_where_f_has_no_value_nothing_is_drawn():
    """math.log raises on the left of 0, which is within the limits."""
    ax = descent(lambda x: x - math.log(x), result([0.1, 0.5, 1.0]), xlim=(-1, 2))
    x, y = ax.lines[0].get_data()
    assert np.isnan(y[x <= 0]).all()
    assert np.isfinite(y[x > 0]).all()
    ax = descent(lambda x: x - np.log(x), result([0.1, 0.5, 1.0]), xlim=(-1, 2))
    assert np.isnan(ax.lines[0].get_ydata()[0])


def test_one_variable_in_an_array():
    def f(x):
        assert x.shape == (1,)
        return x[0] ** 2

    ax = descent(f, result([[2.0], [1.0]]))
    assert ax.lines[1].get_ydata().tolist() == [4.0, 1.0]


def test_f_may_change_its_argument():
    def f(x):
        x *= 2
        return float(x @ x)

    path = np.array([[1.0, 1.0], [0.5, 0.5]])
    descent(f, result(path), n_points=5)
    assert path.tolist() == [[1.0, 1.0], [0.5, 0.5]]


def test_the_legend_covers_nothing(covered):
    for path in (steps(3.0, 0.01, 23), steps(4.0, 0.01, 30), steps(-4.0, 0.005, 30), [57.0, 52.0]):
        assert covered(descent(quartic, result(path))) == 0


# -- two variables ---------------------------------------------------------------------------------


def test_contours_and_path(entries):
    ax = descent(bowl, BOWL)
    path, start, end = ax.lines
    assert path.get_xydata().tolist() == BOWL.path
    assert start.get_xydata().tolist() == [[2.0, 1.0]]
    assert end.get_xydata().tolist() == [[0.0, 0.0]]
    assert entries(ax) == ["3 iterations", "start", "end"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("$x_1$", "$x_2$")
    assert ax.get_aspect() == 1
    assert ax.get_xlim()[0] < 0 < 2 < ax.get_xlim()[1]
    assert ax.get_ylim()[0] < -0.5 < 1 < ax.get_ylim()[1]
    scale, = ax.child_axes
    assert scale.get_ylabel() == "f(x)"


def contour_levels(ax):
    filled, lines = ax.collections[:2]
    assert np.array_equal(filled.levels, lines.levels)
    return filled.levels


def test_levels_are_even_for_a_bowl():
    gaps = np.diff(contour_levels(descent(bowl, BOWL)))
    np.testing.assert_allclose(gaps, gaps[0], rtol=1e-9)


def test_levels_grow_by_factors_for_a_narrow_valley():
    path = [[-1.2, 1.0], [-1.0, 1.0], [0.0, 0.0], [1.0, 1.0]]
    levels = contour_levels(descent(rosenbrock, result(path)))
    assert len(levels) >= 6
    assert levels[0] > 0
    assert levels[-1] >= 100 * levels[0]
    factors = levels[1:] / levels[:-1]
    assert (factors >= 1.9).all()
    assert factors.max() <= 10.1


def test_levels_of_a_maximum_narrow_in_on_it():
    path = [[-1.2, 1.0], [-1.0, 1.0], [0.0, 0.0], [1.0, 1.0]]
    up = contour_levels(descent(lambda x: -rosenbrock(x), result(path)))
    down = contour_levels(descent(rosenbrock, result(path)))
    np.testing.assert_allclose(up, -down[::-1], rtol=1e-12)


def test_the_goal_is_light_and_the_path_dark(lightness):
    for f, order in ((bowl, -1), (lambda x: -bowl(x), 1)):
        ax = descent(f, BOWL)
        bands = [lightness(color[:3]) for color in ax.collections[0].get_facecolor()]
        assert bands == sorted(bands, reverse=order < 0)
        assert min(bands) >= 60
        assert lightness(ax.lines[0].get_color()) <= 40


def test_given_levels():
    assert contour_levels(descent(bowl, BOWL, levels=[1.0, 2.0, 4.0])).tolist() == [1, 2, 4]
    assert len(contour_levels(descent(bowl, BOWL, levels=30))) > 20


def test_without_a_scale():
    assert not descent(bowl, BOWL, colorbar=False).child_axes


def test_the_scale_finds_room_beside_axes_of_the_caller(ax):
    descent(bowl, BOWL, ax=ax)
    assert [axes.get_ylabel() for axes in ax.figure.axes] == ["$x_2$", "f(x)"]


def test_axes_of_the_caller_are_filled(ax):
    """The limits, where they are free, take the shape of the Axes, so that a scale fits."""
    descent(bowl, BOWL, ax=ax, colorbar=False)
    box = ax.get_window_extent()
    width, height = np.diff(ax.get_xlim())[0], np.diff(ax.get_ylim())[0]
    assert height / width == pytest.approx(box.height / box.width)
    descent(bowl, BOWL, ax=ax, xlim=(-1, 3), ylim=(-1, 1))
    assert (ax.get_xlim(), ax.get_ylim()) == ((-1, 3), (-1, 1))


def test_a_plane_of_one_value_has_no_contours():
    ax = descent(lambda x: 1.0, BOWL)
    assert not ax.collections
    assert len(ax.lines) == 3


def test_f_without_values_on_one_side():
    ax = descent(lambda x: math.log(x[0]) + x[1] ** 2, result([[0.1, 1.0], [1.0, 0.0]]),
                 xlim=(-1, 2))
    assert ax.get_xlim() == (-1, 2)


def test_a_strip_is_not_of_equal_aspect():
    ax = descent(bowl, BOWL, xlim=(0, 10), ylim=(0, 1))
    assert ax.get_aspect() == "auto"


def test_the_legend_covers_no_iterate(covered):
    for path in (BOWL.path, [[0.0, 0.0], [1.0, 1.0]], [[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]):
        assert covered(descent(bowl, result(path))) == 0


@pytest.mark.parametrize("path", [BOWL.path, [[0.0, 0.0], [0.1, 30.0]], [[1e-7, 0], [2e-7, 0.0]]])
def test_all_of_a_map_is_within_its_figure(path):
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    ax = descent(bowl, result(path))
    canvas = FigureCanvasAgg(ax.figure)
    canvas.draw()
    box = ax.get_tightbbox(canvas.get_renderer())
    assert box.x0 >= 0
    assert box.y0 >= 0
    assert box.x1 <= ax.figure.bbox.width
    assert box.y1 <= ax.figure.bbox.height


# -- wrong arguments -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("f", "path", "options", "error", "message"),
    [
        (abs, None, {}, ValueError, "result must have a path: ask for it with record=True"),
        (abs, [], {}, ValueError, r"one or two variables, .* got shape \(0,\)"),
        (abs, np.zeros((4, 3)), {}, ValueError, r"one or two variables, .* got shape \(4, 3\)"),
        (abs, np.zeros((4, 2, 1)), {}, ValueError, r"got shape \(4, 2, 1\)"),
        (abs, [math.nan, 1.0], {}, ValueError, "path must be finite, got nan at 0"),
        (abs, [0.0, math.nan, 1.0], {}, ValueError, "path must be finite, got nan at 1"),
        (bowl, [1.0, 0.0], {}, ValueError, "f must be .* of the path, of 1 variable, but"),
        (quartic, BOWL.path, {}, ValueError, r"f must return one real number .* got shape \(2,\)"),
        (lambda x: x[2], BOWL.path, {}, ValueError, "of 2 variables, .* IndexError"),
        (lambda x: "3", [1.0], {}, ValueError, "f must return one real number .* got dtype"),
        (lambda x: math.nan, [1.0], {}, ValueError, "f is finite nowhere from x = "),
        (lambda x: math.nan, BOWL.path, {}, ValueError, "f is finite nowhere within"),
        (3.0, [1.0], {}, TypeError, "f must be callable or a C function, got float"),
        (abs, [1.0], {"xlim": (1, 1)}, ValueError, "xlim must be two finite numbers in ascending"),
        (abs, [1.0], {"ylim": (0, math.inf)}, ValueError, "ylim must be two finite numbers"),
        (abs, [1.0], {"xlim": 3}, TypeError, "xlim must be two numbers, got 3"),
        (abs, [1.0], {"levels": 3}, ValueError, "levels must be None for a function of one"),
        (bowl, BOWL.path, {"levels": [1, 1]}, ValueError, "levels must be .* ascending order"),
        (bowl, BOWL.path, {"levels": 0}, ValueError, "levels must be at least 2, got 0"),
        (bowl, BOWL.path, {"levels": ["a"]}, TypeError, "levels must hold real numbers"),
        (abs, [1.0], {"n_points": 1}, ValueError, "n_points must be at least 2, got 1"),
        (abs, [1.0], {"labels": ["a", "b"]}, ValueError, "labels must be as many as results, 1"),
    ],
)
def test_wrong_arguments(f, path, options, error, message):
    from matplotlib import pyplot

    with pytest.raises(error, match=message):
        descent(f, result(path), **options)
    assert pyplot.get_fignums() == []


def test_wrong_results():
    with pytest.raises(ValueError, match="got an empty sequence"):
        descent(abs, [])
    with pytest.raises(ValueError, match=r"result\[1\] must have a path"):
        descent(abs, [result([1.0]), result(None)])
    with pytest.raises(ValueError, match="paths of the same number of variables, got 1, 2"):
        descent(abs, [result([1.0]), BOWL])


def test_an_error_leaves_the_axes_empty(ax):
    with pytest.raises(ValueError, match="finite nowhere"):
        descent(lambda x: math.nan, result([1.0]), ax=ax)
    assert not ax.has_data()
