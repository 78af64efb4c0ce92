"""The descent of planar arms in every table: sines and cosines, lanes, guards, the printed lines.

Only tables of float64 have it.
"""

import math

import mpmath
import numpy as np
import pytest

from fastnet._kernels.probe_graphs import GraphTable

# Angles of one link, from which its sine and cosine are reduced in different ways
ANGLES = {
    "an eighth of a turn": np.linspace(-0.79, 0.79, 401),
    "some turns": np.random.default_rng(0).uniform(-20, 20, 400),
    "many turns": np.random.default_rng(1).uniform(-1.6e6, 1.6e6, 400),
    "powers of two": np.ldexp(1.0, np.arange(-1074, 1024, 5)) * np.resize([1, -1], 420),
    "beside quarters of a turn": np.nextafter(
        np.arange(-200, 201) * (np.pi / 2), np.resize([np.inf, 0, -np.inf], 401)
    ),
    "next to quarters of a turn, far": np.arange(10**6, 10**6 + 400) * (np.pi / 2),
    "the last that are reduced here": 1.6e6 + np.arange(-9, 10) / 8,
}


@pytest.fixture
def table(isa):
    return GraphTable(isa, "float64")


def sines(table, angles):
    """Heights of one link of length 1."""
    return table.arms_descend([1.0], angles[:, np.newaxis], 0.0, 0)[1][:, 0]


def cosines(table, angles):
    """Steps of a link so short that its height, 1 above the target, is that of its base."""
    lengths, rate = [2.0**-600], 2.0**800
    moved = table.arms_descend(lengths, angles[:, np.newaxis], 0.0, 1, 1.0, rate)[0][:, 0]
    # what the angle itself adds is far below the rounding
    return moved / -(2.0**200)


def units(got, angles, function):
    """Largest error in units in the last place."""
    # 2^1000 takes a thousand bits to be reduced
    with mpmath.workprec(1300 if np.abs(angles).max() > 1e9 else 250):
        return max(
            float(abs(function(mpmath.mpf(angle)) - mpmath.mpf(value)) / math.ulp(value))
            for value, angle in zip(got.tolist(), angles.tolist(), strict=True)
        )


@pytest.mark.parametrize("kind", ANGLES)
def test_sines(table, kind):
    # 1/2 of the last rounding; the product r z S(z) is below 0.0806 where the sine is above 0.7,
    # and has four roundings and the error of the polynomial
    assert units(sines(table, ANGLES[kind]), ANGLES[kind], mpmath.sin) <= 0.85


@pytest.mark.parametrize("kind", ANGLES)
def test_cosines(table, kind):
    angles = ANGLES[kind]
    if kind == "powers of two":
        # which would be seen beside 2^200
        angles = angles[np.abs(angles) < 2.0**100]
    # those that are sines of r; else, without a fused multiply-add, the rounding of r^2 / 2 <= 0.31
    # is left, 0.28 units
    assert units(cosines(table, angles), angles, mpmath.cos) <= 0.85


def test_sines_of_zeros_keep_their_sign(table):
    got = table.arms_descend([1.0], [[0.0], [-0.0]], 0.0, 0, bases=-0.0)[1][:, 0]
    assert np.signbit(got).tolist() == [False, True]


def test_the_printed_lines(table):
    """The example of the document: 20 epochs from 22, -20 and 14 degrees."""
    start = np.radians([[22, -20, 14]])
    _, pose, _, _, _ = table.arms_descend([1.0] * 3, start, 0.0, 0)
    expected = [0.374606593415912, 0.0325864500902433, 0.274508345689911]
    assert np.abs(pose[0] - expected).max() <= 2e-16
    _, pose, errors, epochs, _ = table.arms_descend([1.0] * 3, start, 0.0, 20)
    expected = [0.2852955778665301, -0.14244640527322044, 0.0029191436234602963]
    assert np.abs(pose[0] - expected).max() <= 2e-16
    assert errors[0] == pose[0, -1]
    assert epochs[0] == 20


@pytest.mark.parametrize("n_arms", [0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17])
@pytest.mark.parametrize("are_points", [False, True])
def test_an_arm_has_the_same_bits_alone(table, n_arms, are_points):
    rng = np.random.default_rng(n_arms)
    lengths, angles = rng.uniform(0.5, 1.5, 4), rng.normal(size=(n_arms, 4))
    targets = rng.normal(size=(n_arms, 2) if are_points else n_arms)
    bases = rng.normal(size=n_arms)
    limits = [-1.0] * 4, [1.0, 1.0, 2.0, 0.5]
    angles = np.clip(angles, *limits)
    settings = 9, 0.05, 1e-9, limits
    for k in range(0, n_arms, 3):
        # is where it should be
        x, y = (lengths * [np.cos(angles[k]), np.sin(angles[k])]).sum(axis=1)
        targets[k] = (x, bases[k] + y) if are_points else bases[k] + y

    def solve(k):
        epochs, *rest = settings
        return table.arms_descend(lengths, angles[k], targets[k], epochs, bases[k], *rest)

    together = solve(slice(None))
    for k in range(n_arms):
        for many, one in zip(together, solve(slice(k, k + 1)), strict=True):
            axis = 1 if many.ndim == 3 else 0
            np.testing.assert_array_equal(np.take(many, [k], axis), one)
    assert (together[3][::3] == 0).all()
    assert (np.delete(together[3], slice(None, None, 3)) == 9).all()


def test_one_target_and_one_base_serve_all(table):
    angles = np.random.default_rng(5).normal(size=(5, 2))
    one = table.arms_descend([1.0, 2.0], angles, 0.5, 3, 0.25)
    many = table.arms_descend([1.0, 2.0], angles, np.full(5, 0.5), 3, np.full(5, 0.25))
    for a, b in zip(one, many, strict=True):
        np.testing.assert_array_equal(a, b)


def test_nan_and_infinity_stay_in_their_lane(table):
    angles = np.zeros((5, 2))
    angles[1, 0], angles[3, 1] = np.nan, np.inf
    _, pose, errors, _, _ = table.arms_descend([1.0, 1.0], angles, 1.0, 3)
    assert np.isnan(errors).tolist() == [False, True, False, True, False]
    assert (errors[[0, 2, 4]] == errors[0]).all()
    assert np.isfinite(pose[[0, 2, 4]]).all()


def test_float32_tables_have_none(isa):
    with pytest.raises(ValueError, match="float64"):
        GraphTable(isa, "float32").arms_descend([1.0], [[0.0]], 0.0, 1)
