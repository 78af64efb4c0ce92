"""Arms: start, solution and target, what is taken from the result and what is given."""

from types import SimpleNamespace

import numpy as np
import pytest

from fastnet.plot import arm
from fastnet.plot._arms import SOLUTION, START

ARM = SimpleNamespace(lengths=np.array([1.0, 2.0]))
RIGHT = np.pi / 2


def joints(angles, base=0.0):
    """The specification: Y_i = Y_(i-1) + l_i sin w_i, and x likewise."""
    points = [[0.0, base]]
    for length, angle in zip(ARM.lengths, angles, strict=True):
        points.append([points[-1][0] + length * np.cos(angle),
                       points[-1][1] + length * np.sin(angle)])
    return np.array(points)


def solved(path, target, base=0.0, **more):
    """What `solve` with record=True says of a height."""
    path = np.array(path, float)
    pose = joints(path[-1], base)[1:, 1]
    return SimpleNamespace(angles=path[-1], path=path, pose=pose, error=pose[-1] - target, **more)


def named(ax):
    return {line.get_label(): line for line in ax.lines}


PATH = [[0.1, 0.2], [0.1, 0.0], [0.05, -0.2], [0.0, -0.3]]


def test_start_solution_and_target(entries):
    ax = arm(ARM, solved(PATH, target=-0.5))
    lines = named(ax)
    np.testing.assert_allclose(lines["start"].get_xydata(), joints(PATH[0]), atol=1e-15)
    np.testing.assert_allclose(lines["solution"].get_xydata(), joints(PATH[-1]), atol=1e-15)
    np.testing.assert_allclose(lines["target"].get_ydata(), -0.5, atol=1e-15)
    assert entries(ax) == ["start", "solution", "target"]
    assert ax.get_aspect() == 1
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("x (length)", "height y (length)")


def test_red_and_green_differ_in_lightness_and_in_line(lightness):
    assert lightness(START) - lightness(SOLUTION) >= 20
    lines = named(arm(ARM, solved(PATH, 0)))
    assert lines["start"].get_color() == START
    assert lines["solution"].get_color() == SOLUTION
    assert lines["start"].get_linestyle() == "--"
    assert lines["solution"].get_linestyle() == "-"
    # red has most of red, and green of green
    from matplotlib.colors import to_rgb

    assert np.argmax(to_rgb(START)) == 0
    assert np.argmax(to_rgb(SOLUTION)) == 1


def test_arms_of_the_epochs_between_and_the_way_of_the_end():
    path = np.linspace(PATH[0], PATH[-1], 101)
    ax = arm(ARM, solved(path, 0))
    way = named(ax)["way of the end"].get_xydata()
    np.testing.assert_allclose(way, [joints(angles)[-1] for angles in path], atol=1e-15)
    ghosts, = ax.collections
    assert 5 <= len(ghosts.get_segments()) <= 12
    every = np.array([joints(angles) for angles in path])
    for segment in ghosts.get_segments():
        assert np.abs(every - segment).max(axis=(1, 2)).min() < 1e-15


def test_without_a_path_the_start_is_that_of_the_result_or_given():
    result = solved(PATH, 0, start=np.array([0.5, 0.5]))
    result.path = None
    np.testing.assert_allclose(
        named(arm(ARM, result))["start"].get_xydata(), joints([0.5, 0.5]), atol=1e-15)
    ax = arm(ARM, result, start=[0.0, RIGHT])
    np.testing.assert_allclose(
        named(ax)["start"].get_xydata(), [[0, 0], [1, 0], [1, 2]], atol=1e-15)
    assert not ax.collections
    assert "way of the end" not in named(ax)


def test_the_base_follows_from_the_pose_or_is_given():
    ax = arm(ARM, solved(PATH, 0.7, base=0.7))
    np.testing.assert_allclose(named(ax)["solution"].get_xydata(), joints(PATH[-1], 0.7))
    np.testing.assert_allclose(named(ax)["base"].get_xydata(), [[0, 0.7]])
    np.testing.assert_allclose(named(ax)["target"].get_ydata(), 0.7)
    result = solved(PATH, 0)
    result.base = -2.0
    assert named(arm(ARM, result))["base"].get_ydata() == [-2.0]
    assert named(arm(ARM, result, base=3))["base"].get_ydata() == [3.0]


@pytest.mark.parametrize("how", ["of the result", "given"])
def test_a_point_as_the_target(how):
    result = solved(PATH, 0)
    result.error = 0.25
    if how == "given":
        ax = arm(ARM, result, target=(2.5, 1.0))
    else:
        result.target = np.array([2.5, 1.0])
        ax = arm(ARM, result)
    target = named(ax)["target"]
    assert target.get_xydata().tolist() == [[2.5, 1.0]]
    assert target.get_marker() == "X"
    assert ax.get_xlim()[0] < 0 < 2.5 < ax.get_xlim()[1]


def test_a_target_out_of_reach_is_in_the_picture():
    low, high = arm(ARM, solved(PATH, 4)).get_ylim()
    assert high > 4
    assert low < 0


def test_one_of_many():
    angles = np.array([PATH[0], PATH[-1]])
    heights = np.array([joints(w)[-1, 1] for w in angles])
    targets = heights - [0.5, 0.25]
    result = SimpleNamespace(
        angles=angles, path=np.array([angles + 1, angles]), error=np.array([0.5, 0.25]),
        pose=np.array([joints(w)[1:, 1] for w in angles]), target=targets, base=0.0)
    for k in (0, 1):
        lines = named(arm(ARM, result, index=k))
        np.testing.assert_allclose(lines["solution"].get_xydata(), joints(angles[k]), atol=1e-15)
        np.testing.assert_allclose(lines["start"].get_xydata(), joints(angles[k] + 1), atol=1e-15)
        np.testing.assert_allclose(lines["target"].get_ydata(), targets[k])
    # the same numbers as one point for both
    result.error = np.array([3.0, 3.0])
    assert named(arm(ARM, result, index=1))["target"].get_xydata().tolist() == [targets.tolist()]


@pytest.mark.parametrize("degrees", [
    (22, -20, 14), (10, 15, 10), (-15, 15, 45), (-60, 20, -40), (-85, 15, 10), (35, -75, 75),
    (-75, 70, 45), (90, 90, 90), (0, 0, 0)])  # fmt: skip
def test_the_legend_covers_no_joint(covered, degrees):
    three = SimpleNamespace(lengths=np.ones(3))
    angles = np.radians(degrees)
    assert covered(arm(three, SimpleNamespace(angles=angles, start=angles * 1.1), target=0)) <= 2


@pytest.mark.parametrize(
    ("change", "options", "error", "message"),
    [
        ({"path": None}, {}, ValueError, "must have a path to know its start: solve with record"),
        ({"path": [[0.0] * 3]}, {}, ValueError, r"result.path must have shape \(n, 2\)"),
        ({"path": [[0.0, np.nan]]}, {}, ValueError, r"result.path\[0, 1\] must be finite, got nan"),
        ({"angles": [0.0]}, {}, ValueError, r"result.angles must have shape \(2,\)"),
        ({"angles": [0.0, np.inf]}, {}, ValueError, r"result.angles\[1\] must be finite, got inf"),
        ({"angles": None}, {}, TypeError, "result must be that of PlanarArm.solve"),
        ({"angles": np.zeros((5, 2))}, {}, ValueError, "result is of 5 arms: .* index="),
        ({"angles": np.zeros((5, 2))}, {"index": 5}, ValueError, "index must be at most 4, got 5"),
        ({}, {"index": 0}, ValueError, "index must be None for a result of one arm"),
        ({}, {"start": [0.0]}, ValueError, r"start must have shape \(2,\)"),
        ({}, {"target": [1.0, 2.0, 3.0]}, ValueError, r"a height or a point .* got shape \(3,\)"),
        ({}, {"target": np.nan}, ValueError, "target must be finite, got nan"),
        ({}, {"base": "low"}, TypeError, "base must hold real numbers, got dtype"),
    ],
)
def test_wrong_arguments(change, options, error, message):
    result = SimpleNamespace(**vars(solved(PATH, 0)) | change)
    with pytest.raises(error, match=message):
        arm(ARM, result, **options)


def test_an_arm_must_have_lengths():
    with pytest.raises(TypeError, match=r"arm.lengths must hold real numbers"):
        arm(None, solved(PATH, 0))
