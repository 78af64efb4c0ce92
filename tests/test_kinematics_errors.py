"""What the planar arm refuses, by the name of the argument, and what no pointer may be made of."""

import _thread
import math
import threading

import numpy as np
import pytest

import fastnet as fn
from fastnet import kinematics

NAN, INF = np.nan, np.inf
START = (0.1, 0.2, 0.3)
MANY = [START] * 3


@pytest.mark.parametrize(
    ("lengths", "error", "message"),
    [
        ([1, 0, 1], ValueError, r"lengths must be positive, got lengths\[1\] = 0"),
        ([1, -2], ValueError, r"lengths must be positive, got lengths\[1\] = -2"),
        ([1, NAN], ValueError, r"lengths\[1\] must be finite, got nan"),
        ([1e308, 1e308], ValueError, "lengths must have a finite sum"),
        ([INF], ValueError, r"lengths\[0\] must be finite, got inf"),
        ([], ValueError, r"lengths must be .* got shape \(0,\)"),
        (1, ValueError, r"lengths must be .* got shape \(\)"),
        ([[1, 1]], ValueError, r"lengths must be .* got shape \(1, 2\)"),
        ([[1], [1, 1]], ValueError, "lengths must be a rectangular array"),
        ("long", TypeError, "lengths must hold real numbers"),
        ([1j], TypeError, "lengths must hold real numbers"),
        (None, TypeError, "lengths must hold real numbers"),
    ],
)
def test_lengths(lengths, error, message):
    with pytest.raises(error, match=message):
        fn.PlanarArm(lengths)


@pytest.mark.parametrize(
    ("angles", "base", "error", "message"),
    [
        ([0.1, 0.2], 0, ValueError, r"angles must have shape \(3,\).* got \(2,\)"),
        (0.1, 0, ValueError, r"angles must have shape .* got \(\)"),
        (np.zeros((2, 2, 3)), 0, ValueError, r"angles must have shape .* got \(2, 2, 3\)"),
        (np.zeros((3, 2)), 0, ValueError, r"angles must have shape .* got \(3, 2\)"),
        ([0.1, NAN, 0], 0, ValueError, r"angles\[1\] must be finite, got nan"),
        ([[0, 0, -INF]], 0, ValueError, r"angles\[0, 2\] must be finite, got -inf"),
        (["a", "b", "c"], 0, TypeError, "angles must hold real numbers"),
        (START, NAN, ValueError, "base must be finite, got nan"),
        (START, [0, INF], ValueError, r"base\[1\] must be finite, got inf"),
        (START, [[0]], ValueError, r"base must be a number, .* got shape \(1, 1\)"),
        (START, "high", TypeError, "base must hold real numbers"),
        (MANY, [0, 1], ValueError, "base must have 1 or 3 rows, one for each arm, got 2"),
    ],
)
def test_angles_and_bases(angles, base, error, message):
    arm = fn.PlanarArm()
    for method in (arm.pose, arm.positions, arm.solve):
        with pytest.raises(error, match=message):
            method(angles, base=base)
    with pytest.raises(error, match=message):
        arm.loss_and_gradient(angles, 0.0, base)


@pytest.mark.parametrize(
    ("angles", "target", "error", "message"),
    [
        (START, INF, ValueError, "target must be finite, got inf"),
        (START, (0, NAN), ValueError, r"target\[1\] must be finite, got nan"),
        (START, "up", TypeError, "target must hold real numbers"),
        (START, [[1, 2, 3]], ValueError, r"target must be .* got shape \(1, 3\)"),
        (START, [[[1, 2]]], ValueError, r"target must be .* got shape \(1, 1, 2\)"),
        (MANY, [1, 2], ValueError, "target must have 1 or 3 rows, one for each arm, got 2"),
        (MANY, [[1, 2]] * 4, ValueError, "target must have 1 or 3 rows, one for each arm, got 4"),
    ],
)
def test_targets(angles, target, error, message):
    arm = fn.PlanarArm()
    for method in (arm.solve, arm.loss_and_gradient):
        with pytest.raises(error, match=message):
            method(angles, target)


@pytest.mark.parametrize(
    ("name", "value", "error", "message"),
    [
        ("learning_rate", 0, ValueError, r"learning_rate must be in \(0, inf\)"),
        ("learning_rate", -0.1, ValueError, r"learning_rate must be in \(0, inf\)"),
        ("learning_rate", NAN, ValueError, r"learning_rate must be in \(0, inf\)"),
        ("learning_rate", INF, ValueError, r"learning_rate must be in \(0, inf\)"),
        ("learning_rate", 10**400, ValueError, r"learning_rate must be in \(0, inf\)"),
        ("learning_rate", "fast", TypeError, "learning_rate must be a number"),
        ("epochs", -1, ValueError, "epochs must be at least 0, got -1"),
        ("epochs", 2.5, TypeError, "epochs must be an int, got 2.5"),
        ("epochs", 2**60, ValueError, "epochs must be at most"),
        ("tolerance", -1e-9, ValueError, r"tolerance must be in \[0, inf\)"),
        ("tolerance", NAN, ValueError, r"tolerance must be in \[0, inf\)"),
        ("tolerance", "small", TypeError, "tolerance must be a number"),
        ("n_threads", 0, ValueError, "n_threads must be at least 1, got 0"),
        ("limits", (1, -1), ValueError, "limits of link 0 are crossed"),
        ("limits", [(0, 1), (0, 1), (2, 1)], ValueError, "limits of link 2 are crossed"),
        ("limits", (INF, INF), ValueError, "limits of link 0 are crossed"),
        ("limits", (-INF, -INF), ValueError, "limits of link 0 are crossed"),
        ("limits", (NAN, 1), ValueError, "limits must be a number, got nan"),
        ("limits", [(0, 1), (0, NAN), (0, 1)], ValueError, r"limits\[1, 1\] must be a number"),
        ("limits", [(0, 1), (0, 1)], ValueError, r"limits must be a pair .* got shape \(2, 2\)"),
        ("limits", ([0, 0], 1), ValueError, r"limits must have a number or 3 .* \(2,\)"),
        ("limits", 1, ValueError, r"limits must be a pair .* got shape \(\)"),
        ("limits", "wide", TypeError, "limits must hold real numbers"),
    ],
)
def test_settings(name, value, error, message):
    with pytest.raises(error, match=message):
        fn.PlanarArm().solve(START, **{name: value})


def test_what_is_not_finite_in_between_is_a_result():
    """A step without sense makes an arm of nonsense, and no error."""
    r = fn.PlanarArm().solve(START, 1e300, learning_rate=1e300)
    assert math.isnan(r.error)
    assert r.converged is False
    assert r.reachable is False


@pytest.fixture
def interrupt(interrupts):
    """Starts what sends SIGINT after a while."""
    timer = threading.Timer(0.3, _thread.interrupt_main)
    yield timer.start
    timer.cancel()


@pytest.mark.parametrize("many", [False, True])
def test_ctrl_c(many, interrupt):
    """Long solves look for it, between epochs of one arm and between arms."""
    start = np.tile(START, (100_000, 1)) if many else np.array(START)
    before = start.copy()

    def solve():
        interrupt()
        fn.PlanarArm().solve(start, epochs=10**6 if many else 10**12)

    with pytest.raises(KeyboardInterrupt):
        solve()
    np.testing.assert_array_equal(start, before)


def test_the_entry_below_refuses_what_does_not_fit():
    """Sizes are looked at again where pointers are made of arrays."""
    one, six = np.ones(1), np.ones((2, 3))
    arrays = [np.ones(3), one, one, None, six, six.copy(), np.ones(2), np.ones(2), None]
    sizes = {
        "n_arms": 2, "n_links": 3, "are_many_bases": False, "are_many_targets": False,
        "are_points": False, "n_epochs": 1, "learning_rate": 0.1, "tolerance": -1.0,
        "first": 0, "last": 2,
    }  # fmt: skip
    kinematics.descend(tuple(arrays), **sizes)
    wrong_arrays = [
        np.ones(2), np.ones(2), np.ones((1, 2)), np.ones(3), six[:, :2],
        np.ones((2, 3), np.float32), one, one, np.ones((1, 2, 3)),
    ]  # fmt: skip
    for k, wrong in enumerate(wrong_arrays):
        with pytest.raises(ValueError, match=r"type or the size|contiguous"):
            kinematics.descend((*arrays[:k], wrong, *arrays[k + 1 :]), **sizes)
    for name, wrong in {
        "n_arms": 1, "n_links": 0, "n_epochs": -1, "first": -1, "last": 3,
        "are_many_bases": True, "are_many_targets": True, "are_points": True,
    }.items():  # fmt: skip
        with pytest.raises(ValueError, match=r"arms|size"):
            kinematics.descend(tuple(arrays), **sizes | {name: wrong})
    with pytest.raises(ValueError, match="arms"):
        kinematics.descend(tuple(arrays[:-1]), **sizes)
    # what overflows a product of sizes
    with pytest.raises(ValueError, match="size"):
        kinematics.descend(tuple(arrays), **sizes | {"n_arms": 2**62})
    six.setflags(write=False)
    with pytest.raises(ValueError, match="read-only"):
        kinematics.descend(tuple(arrays), **sizes)
