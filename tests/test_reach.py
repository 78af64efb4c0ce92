"""Limits of the joints of a planar arm, and what it says that it can reach within them."""

import itertools

import numpy as np
import pytest

import fastnet as fn


def test_reach_of_heights():
    arm = fn.PlanarArm((0.1, 0.2, 0.7))
    assert arm.reach == pytest.approx(1)
    heights = [1.0, -1.0, 1 + 1e-9, -1 - 1e-9, 0.5]
    start = np.full(3, 0.1)
    assert arm.solve(start, heights).reachable.tolist() == [True, True, False, False, True]
    lifted = [h + 0.3 for h in heights]
    assert arm.solve(start, lifted, 0.3).reachable.tolist() == [True, True, False, False, True]


def test_reach_of_points():
    """A ring, which is a disk where no link is longer than all others together."""
    start = np.full(2, 0.1)
    points = np.array([[3, 0], [1, 0], [0.99, 0], [0, -3.01], [0, -2.99], [0.5, 0]])
    ring = fn.PlanarArm((2, 1)).solve(start, points + np.array([0, 0.5]), 0.5)
    assert ring.reachable.tolist() == [True, True, False, False, True, False]
    disk = fn.PlanarArm((1.5, 1.5)).solve(start, points)
    assert disk.reachable.tolist() == [True, True, True, False, True, True]


def test_reach_of_heights_with_limits():
    """The sums of the least and the largest sines, here over grids of angles."""
    rng = np.random.default_rng(9)
    arm = fn.PlanarArm((1.0, 0.5))
    for low, width in itertools.product(np.linspace(-9, 9, 13), [0.0, 0.5, 3.0, 7.0]):
        limits = np.array([[low, low + width], [-0.3, 0.4]])
        grid = np.sin(np.linspace(low, low + width, 20_001))
        least, most = grid.min() + 0.5 * np.sin(-0.3), grid.max() + 0.5 * np.sin(0.4)
        targets = np.array([least + 1e-6, most - 1e-6, least - 1e-6, most + 1e-6])
        targets[:2] = np.clip(targets[:2], least, most)
        r = arm.solve(rng.normal(size=2), targets, limits=limits)
        assert r.reachable.tolist() == [True, True, False, False]
    r = arm.solve([0.0, 0.0], [1.4, 1.6], limits=[(-np.inf, np.inf), (1.5, 1.6)])
    assert r.reachable.tolist() == [True, False]


def test_reach_of_points_with_limits():
    """What some angles reach is never said to be out of reach, what is far off always."""
    rng = np.random.default_rng(11)
    arm = fn.PlanarArm((1.0, 0.5, 0.8))
    limits = np.array([[-0.4, 0.9], [0.5, 2.0], [1.0, 1.5]])
    angles = rng.uniform(*limits.T, (2000, 3))
    angles[:8] = list(itertools.product(*limits))
    ends = arm.positions(angles, base=0.25)[:, -1]
    assert arm.solve(angles[0], ends, 0.25, epochs=0, limits=limits).reachable.all()
    for w in np.linspace(0, 2 * np.pi, 50):
        # the sample leaves less than 0.1 of the hull, the directions a hundredth
        way = np.array([np.cos(w), np.sin(w)])
        beyond = tuple(ends[(ends @ way).argmax()] + 0.15 * way)
        assert arm.solve(angles[0], beyond, 0.25, epochs=0, limits=limits).reachable is False
    free = arm.solve(angles[0], ends, 0.25, epochs=0, limits=(-np.inf, np.inf))
    assert free.reachable.all()


def test_ways_to_give_limits():
    arm, starts = fn.PlanarArm((1, 1, 1)), np.random.default_rng(10).normal(size=(9, 3))
    targets = np.resize([2.0, -2.0], 9)
    expected = arm.solve(starts, targets, limits=[(-0.5, 0.75)] * 3).angles
    assert expected.min() == -0.5
    assert expected.max() == 0.75
    for limits in (
        (-0.5, 0.75),
        [-0.5, 0.75],
        np.array([-0.5, 0.75]),
        ([-0.5] * 3, [0.75] * 3),
        (-0.5, np.full(3, 0.75)),
        ((-0.5, 0.75),) * 3,
        np.tile([-0.5, 0.75], (3, 1)),
    ):
        np.testing.assert_array_equal(arm.solve(starts, targets, limits=limits).angles, expected)


def test_a_start_beyond_a_limit_begins_there():
    r = fn.PlanarArm().solve([2.0, 0.0, -2.0], epochs=0, limits=(-1, 1), record=True)
    assert r.start.tolist() == r.path[0].tolist() == r.angles.tolist() == [1, 0, -1]
