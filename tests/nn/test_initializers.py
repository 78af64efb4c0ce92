"""Initial weights: their distributions, and what a callable may return."""

import math

import numpy as np
import pytest

from fastnet.nn import initializers
from fastnet.random import RandomStream

N_IN, N_OUT = 300, 200
VARIANCE = {
    "he_normal": 2 / N_IN,
    "he_uniform": 2 / N_IN,
    "glorot_normal": 2 / (N_IN + N_OUT),
    "glorot_uniform": 2 / (N_IN + N_OUT),
    "lecun_normal": 1 / N_IN,
    "normal": 1.0,
    "uniform": 1 / 3,
}
RELU_FAMILY = ["relu", "leaky_relu", "elu", "gelu", "silu", "mish", "softplus"]


def draw(spec, activation="tanh", n_in=N_IN, n_out=N_OUT, seed=0):
    return initializers.initialize(spec, activation, n_in, n_out, np.random.default_rng(seed))


def test_names():
    assert set(initializers.names()) == {"auto", "zeros", *VARIANCE}


@pytest.mark.parametrize("name", VARIANCE)
def test_distribution(name):
    weights = draw(name)
    n = N_IN * N_OUT
    variance = VARIANCE[name]
    scale = math.sqrt(variance)
    assert weights.shape == (N_IN, N_OUT)
    assert weights.dtype == np.float64
    # Five standard deviations of the mean and of the mean square; the kurtosis is 3 or 9/5.
    normal = "normal" in name
    assert abs(weights.mean()) < 5 * scale / math.sqrt(n)
    spread = math.sqrt((2 if normal else 4 / 5) / n)
    assert (weights**2).mean() == pytest.approx(variance, rel=5 * spread)
    if normal:
        # 0.27 % lie beyond three standard deviations, none of a uniform distribution
        beyond = (abs(weights) > 3 * scale).mean()
        assert beyond == pytest.approx(0.0027, rel=0.4)
    else:
        limit = math.sqrt(3) * scale
        assert 0.999 * limit < abs(weights).max() <= limit


def test_zeros():
    np.testing.assert_array_equal(draw("zeros"), np.zeros((N_IN, N_OUT)))


@pytest.mark.parametrize("activation", RELU_FAMILY)
def test_auto_is_he_for_the_relu_family(activation):
    np.testing.assert_array_equal(draw("auto", activation), draw("he_normal"))


@pytest.mark.parametrize(
    "activation", ["identity", "tanh", "sigmoid", "softmax", "sin", "selu", object()]
)
def test_auto_is_glorot_otherwise(activation):
    np.testing.assert_array_equal(draw("auto", activation), draw("glorot_uniform"))


@pytest.mark.parametrize("name", initializers.names())
def test_seed_and_one_by_one(name):
    np.testing.assert_array_equal(draw(name, seed=3), draw(name, seed=3))
    assert draw(name, n_in=1, n_out=1).shape == (1, 1)
    if name != "zeros":
        assert (draw(name, seed=3) != draw(name, seed=4)).all()


def test_the_random_stream_of_fastnet():
    for name in ("he_normal", "he_uniform"):
        weights = initializers.initialize(name, "relu", N_IN, N_OUT, RandomStream(1))
        assert weights.shape == (N_IN, N_OUT)
        assert weights.var() == pytest.approx(2 / N_IN, rel=0.05)


class TestCallable:
    def test_gets_stream_and_sizes(self):
        rng = np.random.default_rng(0)
        asked = []

        def init(*arguments):
            asked.append(arguments)
            return [[1, 2, 3], [4, 5, 6]]

        weights = initializers.initialize(init, "tanh", 2, 3, rng)
        np.testing.assert_array_equal(weights, [[1, 2, 3], [4, 5, 6]])
        assert weights.dtype == np.float64
        assert asked == [(rng, 2, 3)]

    def test_its_array_is_copied(self):
        given = np.ones((2, 3))
        weights = draw(lambda *_: given, n_in=2, n_out=3)
        weights[:] = 5
        assert (given == 1).all()

    @pytest.mark.parametrize(
        ("returned", "error", "words"),
        [
            (np.ones((3, 2)), ValueError, r"init must return shape \(2, 3\), got \(3, 2\)"),
            (1.0, ValueError, r"init must return shape \(2, 3\), got \(\)"),
            (np.ones((2, 3)) * 1j, TypeError, "init must return real numbers, got dtype complex"),
            (None, TypeError, "init must return real numbers, got dtype object"),
            ([[0, 0, 0], [0, math.nan, 0]], ValueError, r"init returned nan at \[1, 1\]"),
            ([[0, 0, math.inf], [0, 0, 0]], ValueError, r"init returned inf at \[0, 2\]"),
        ],
    )
    def test_what_it_returns_is_checked(self, returned, error, words):
        with pytest.raises(error, match=words):
            draw(lambda *_: returned, n_in=2, n_out=3)


def test_unknown_names_suggest_the_nearest():
    with pytest.raises(ValueError, match="unknown initializer 'he_norm': did you mean 'he_normal'"):
        draw("he_norm")
    with pytest.raises(TypeError, match=r"name or callable\(rng, n_in, n_out\), got int"):
        draw(3)
