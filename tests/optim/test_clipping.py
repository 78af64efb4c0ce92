"""Gradient clipping, at the ends of the number range as well."""

import numpy as np
import pytest

from fastnet import optim

KINDS = [optim.SGD, optim.Adam, optim.AdamW, optim.RMSProp, optim.Adagrad]


def moved(gradient, **clip):
    """The gradient that a step took, from plain descent with rate 1."""
    parameters = np.zeros(len(gradient), gradient.dtype)
    optim.SGD(1.0, **clip).step(parameters, gradient)
    return -parameters


def test_a_long_gradient_gets_the_norm(dtype):
    got = moved(np.array([3, -4, 0], dtype), clip_norm=2.5)
    np.testing.assert_allclose(got, [1.5, -2, 0], rtol=4 * np.finfo(dtype).eps)


def test_a_short_gradient_stays(dtype):
    gradient = np.array([0.3, -0.4, 0.1], dtype)
    np.testing.assert_array_equal(moved(gradient, clip_norm=0.6, clip_value=0.41), gradient)


def test_elements(dtype):
    got = moved(np.array([3, -4, 0.25], dtype), clip_value=0.5)
    np.testing.assert_array_equal(got, np.array([0.5, -0.5, 0.25], dtype))


def test_elements_come_before_the_norm(dtype):
    got = moved(np.array([3, -40, 0], dtype), clip_value=4.0, clip_norm=2.5)
    np.testing.assert_allclose(got, [1.5, -2, 0], rtol=4 * np.finfo(dtype).eps)


@pytest.mark.parametrize("exponent", [-0.9, -0.52, 0.52, 0.9])
def test_squares_outside_of_the_range(dtype, exponent):
    scale = float(np.finfo(dtype).max) ** exponent
    gradient = np.array([3 * scale, -4 * scale], dtype)
    got = moved(gradient, clip_norm=0.5 * scale)
    np.testing.assert_allclose(got, [0.3 * scale, -0.4 * scale], rtol=8 * np.finfo(dtype).eps)
    got = moved(gradient, clip_norm=min(20 * scale, float(np.finfo(dtype).max)))
    np.testing.assert_allclose(got, gradient, rtol=4 * np.finfo(dtype).eps)


def test_the_longest_gradient_of_all(dtype):
    # its norm is twice the largest number
    gradient = np.full(4, np.finfo(dtype).max)
    np.testing.assert_allclose(
        moved(gradient, clip_norm=2.0), np.ones(4), rtol=8 * np.finfo(dtype).eps
    )


def test_zero_stays(dtype):
    gradient = np.zeros(5, dtype)
    np.testing.assert_array_equal(moved(gradient, clip_norm=1e-30, clip_value=1e-30), gradient)


@pytest.mark.parametrize("clip", [{"clip_norm": 1.0}, {"clip_value": 1.0}])
def test_nan_stays_nan(dtype, clip):
    gradient = np.array([1e-3, np.nan, -1e-3], dtype)
    np.testing.assert_array_equal(moved(gradient, **clip), gradient)


def test_infinity(dtype):
    gradient = np.array([np.inf, 1, -np.inf], dtype)
    np.testing.assert_array_equal(moved(gradient, clip_value=2.0), np.array([2, 1, -2], dtype))
    # nothing finite has this direction
    np.testing.assert_array_equal(np.isnan(moved(gradient, clip_norm=2.0)), [True, False, True])


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_sees_the_clipped_gradient(kind, dtype):
    rng = np.random.default_rng(0)
    gradients = rng.normal(size=(4, 30)).astype(dtype)
    before = gradients.copy()
    clipped, plain = kind(clip_value=0.5), kind()
    first, second = np.ones(30, dtype), np.ones(30, dtype)
    for gradient in gradients:
        clipped.step(first, gradient)
        plain.step(second, np.clip(gradient, -0.5, 0.5))
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(gradients, before)
    assert clipped.clip_value == 0.5
    assert clipped.clip_norm is None
    assert plain.clip_value is None
