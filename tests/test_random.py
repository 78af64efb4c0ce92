"""RandomStream: arguments, state, and the distributions it promises."""

import copy
import math
import pickle

import numpy as np
import pytest

from fastnet.random import RandomStream, as_seed, as_stream

N = 100_000


def state(rng):
    return rng.seed, rng.stream, rng.position


class TestState:
    def test_starts_at_the_beginning(self):
        assert state(RandomStream(5)) == (5, 0, 0)
        assert state(RandomStream(np.uint32(5), stream=np.int64(7))) == (5, 7, 0)

    def test_known_first_element(self):
        # The known answer of Philox4x32-10 for key 0 and counter 0
        first, second = RandomStream(0).bits(2).tolist()
        assert (first, second) == (0xE169C58D6627E8D5, 0x9B00DBD8BC57AC4C)

    def test_same_seed_same_numbers(self):
        a, b = RandomStream(3, stream=4), RandomStream(3, stream=4)
        for draw in (lambda r: r.bits(3), lambda r: r.uniform(size=5), lambda r: r.normal(size=5),
                     lambda r: r.permutation(9), lambda r: r.integers(0, 100, 9)):
            np.testing.assert_array_equal(draw(a), draw(b))
        assert a == b

    def test_without_a_seed_nothing_repeats(self):
        assert RandomStream().seed != RandomStream(None).seed

    def test_large_seeds_are_folded(self):
        assert RandomStream(2**64 - 1).seed == 2**64 - 1
        seeds = {RandomStream(s).seed for s in (0, 1, 2**64, 2**64 + 1, 2**65, 2**128, 10**100)}
        assert len(seeds) == 7
        assert RandomStream(10**100) == RandomStream(10**100)

    @pytest.mark.parametrize("argument", ["seed", "stream"])
    def test_bad_numbers(self, argument):
        with pytest.raises(ValueError, match=f"{argument} must be at least 0, got -1"):
            RandomStream(**{argument: -1})
        for bad in (1.5, "1", [1]):
            with pytest.raises(TypeError, match=f"{argument} must be an int of at least 0, got"):
                RandomStream(**{argument: bad})

    def test_position(self):
        rng = RandomStream(1)
        rng.bits(3)
        assert rng.position == 3
        whole = RandomStream(1).bits(10)
        np.testing.assert_array_equal(rng.bits(4), whole[3:7])
        rng.position = 1
        np.testing.assert_array_equal(rng.bits(2), whole[1:3])
        with pytest.raises(ValueError, match="position"):
            rng.position = -1
        assert rng.position == 3

    def test_draws_in_parts_are_the_whole(self):
        for parts in ((1, 2, 3, 4), (7, 3), (10,)):
            rng = RandomStream(2)
            got = np.concatenate([rng.uniform(size=n) for n in parts])
            np.testing.assert_array_equal(got, RandomStream(2).uniform(size=10))

    def test_normal_numbers_share_no_element_with_others(self):
        rng = RandomStream(3)
        rng.uniform()
        rng.normal()            # elements 2 and 3
        assert rng.position == 4
        rng.normal(size=0)
        assert rng.position == 4
        expected = RandomStream(3).normal(size=(4,))[2:3]
        rng.position = 1
        np.testing.assert_array_equal(rng.normal(size=1), expected)

    def test_equality(self):
        a, b = RandomStream(1), RandomStream(1)
        assert a == b
        b.bits(1)
        assert a != b
        assert a != RandomStream(2)
        assert a != RandomStream(1, stream=1)
        assert a != 1
        with pytest.raises(TypeError, match="unhashable"):
            hash(a)

    @pytest.mark.parametrize(
        "twin", [copy.copy, copy.deepcopy, lambda r: pickle.loads(pickle.dumps(r))])
    def test_copies_go_on_alike_and_apart(self, twin):
        rng = RandomStream(10**30, stream=2)
        rng.normal(size=5)
        other = twin(rng)
        assert other == rng
        x = rng.uniform(size=7)
        np.testing.assert_array_equal(other.uniform(size=7), x)
        rng.bits(1)
        assert other != rng

    def test_repr(self):
        rng = RandomStream(1, stream=2)
        rng.bits(3)
        assert repr(rng) == "RandomStream(seed=1, stream=2, position=3)"

    def test_spawn(self):
        rng = RandomStream(6)
        rng.bits(3)
        assert state(rng.spawn(9)) == (6, 9, 0)
        assert rng.position == 3
        assert abs(np.corrcoef(RandomStream(6).normal(size=10_000),
                               rng.spawn(1).normal(size=10_000))[0, 1]) < 0.04


class TestShapes:
    def test_sizes(self):
        rng = RandomStream(0)
        for draw in (rng.uniform, rng.normal):
            assert type(draw()) is float
            assert type(draw(dtype="float32")) is float
            assert draw(size=3).shape == (3,)
            assert draw(size=(2, 3)).shape == (2, 3)
            assert draw(size=()).shape == ()
            assert draw(size=0).shape == (0,)
            assert draw(size=3, dtype="float32").dtype == np.float32
            assert draw(size=3, dtype=np.float64).dtype == np.float64
        assert type(rng.integers(0, 5)) is int
        assert rng.integers(0, 5, (2, 2)).shape == (2, 2)
        assert rng.bits(4).dtype == np.uint64
        assert rng.permutation(4).dtype == np.int32

    @pytest.mark.parametrize("method", ["uniform", "normal"])
    def test_bad_arguments_leave_the_stream(self, method):
        rng = RandomStream(0)
        draw = getattr(rng, method)
        for error, text, arguments in (
            (ValueError, "size must not be negative", {"size": -1}),
            (ValueError, "size must not be negative", {"size": (2, -1)}),
            (ValueError, "size is too large", {"size": (2**40, 2**40)}),
            (TypeError, "size must be an int or a tuple of ints", {"size": 1.5}),
            (TypeError, "size must be an int or a tuple of ints", {"size": "ab"}),
            (ValueError, "dtype must be float32 or float64, got 'int32'", {"dtype": "int32"}),
            (ValueError, "dtype must be float32 or float64", {"dtype": "float16"}),
            (ValueError, "dtype must be float32 or float64", {"dtype": "nonsense"}),
        ):
            with pytest.raises(error, match=text):
                draw(**arguments)
        assert rng.position == 0

    def test_bad_parameters(self):
        rng = RandomStream(0)
        for error, text, call in (
            (ValueError, "low must not exceed high, got 2 and 1", lambda: rng.uniform(2, 1)),
            (ValueError, "high must be finite", lambda: rng.uniform(0, np.inf)),
            (ValueError, "high - low must be finite", lambda: rng.uniform(-1.7e308, 1.7e308)),
            (ValueError, "high must be finite in float32",
             lambda: rng.uniform(0, 1e39, dtype="float32")),
            (TypeError, "low must be a real number, got NoneType", lambda: rng.uniform(None)),
            (ValueError, "std must be at least 0, got -1", lambda: rng.normal(0, -1)),
            (ValueError, "mean must be finite", lambda: rng.normal(np.nan)),
            (ValueError, "low must be below high", lambda: rng.integers(3, 3)),
            (ValueError, "low must be below high", lambda: rng.integers(0, 2**63 + 1)),
            (TypeError, "low and high must be ints", lambda: rng.integers(0, 1.5)),
            (ValueError, "n must be from 0", lambda: rng.permutation(-1)),
            (ValueError, "n must be from 0", lambda: rng.permutation(2**31)),
            (TypeError, "n must be an int, got float", lambda: rng.permutation(2.0)),
        ):
            with pytest.raises(error, match=text):
                call()
        assert rng.position == 0


class TestDistributions:
    def test_uniform(self, dtype):
        x = RandomStream(1).uniform(-3, 5, N, dtype)
        assert x.dtype == dtype
        assert x.min() >= -3
        assert x.max() < 5
        assert abs(x.mean(dtype=float) - 1) < 4 * 8 / math.sqrt(12 * N)
        assert abs(x.var(dtype=float) - 64 / 12) < 4 * 64 / math.sqrt(180 * N)

    def test_uniform_excludes_high_after_rounding(self, dtype):
        # Ten ulps between the ends: half an ulp below high would round to it
        low, high = 1.0, 1.0 + 10 * float(np.finfo(dtype).eps)
        x = RandomStream(1).uniform(low, high, 10_000, dtype)
        assert x.min() == low
        assert x.max() == np.nextafter(np.dtype(dtype).type(high), np.dtype(dtype).type(low))
        assert (RandomStream(1).uniform(2.5, 2.5, 5, dtype) == 2.5).all()

    def test_normal(self, dtype):
        x = RandomStream(2).normal(10, 2, N, dtype)
        assert x.dtype == dtype
        z = (x.astype(float) - 10) / 2
        assert abs(z.mean()) < 4 / math.sqrt(N)
        assert abs(z.var() - 1) < 4 * math.sqrt(2 / N)
        assert abs((z**4).mean() - 3) < 4 * math.sqrt(96 / N)
        assert (RandomStream(2).normal(1.5, 0, 5, dtype) == 1.5).all()

    def test_standard_numbers_are_scaled(self, dtype):
        z = RandomStream(2).normal(size=100, dtype=dtype)
        np.testing.assert_array_equal(RandomStream(2).normal(0, 4, 100, dtype), 4 * z)
        u = RandomStream(2).uniform(size=100, dtype=dtype)
        np.testing.assert_array_equal(RandomStream(2).uniform(0, 4, 100, dtype), 4 * u)

    @pytest.mark.parametrize(("low", "high"), [(0, 1), (0, 7), (-3, 10), (10**18, 10**18 + 13)])
    def test_integers(self, low, high):
        x = RandomStream(3).integers(low, high, 52_000)
        assert x.dtype == np.int64
        counts = np.bincount(x - low, minlength=high - low)
        assert counts.size == high - low
        expected = 52_000 / (high - low)
        free = high - low - 1
        chi_square = ((counts - expected) ** 2).sum() / expected
        assert abs(chi_square - free) <= 4 * math.sqrt(2 * free)

    def test_integers_of_one_argument(self):
        np.testing.assert_array_equal(
            RandomStream(3).integers(9, size=20), RandomStream(3).integers(0, 9, 20))

    def test_integers_are_remainders_of_what_is_left(self):
        # 2^64 mod width is almost width: a third of the elements is drawn again
        width = 2**63 - 2**61
        low = -(2**62)
        bits = [int(b) for b in RandomStream(4).bits(3000)]
        limit = 2**64 - 2**64 % width
        rng = RandomStream(4)
        x = rng.integers(low, low + width, 1000)
        assert rng.position > 1000
        kept = [b < limit for b in bits[:1000]]
        assert 0.6 < np.mean(kept) < 0.9
        for value, element, keep in zip(x.tolist(), bits, kept, strict=False):
            assert low <= value < low + width
            if keep:
                assert value == low + element % width

    def test_integers_of_the_whole_range(self):
        x = RandomStream(5).integers(-(2**63), 2**63, 1000)
        np.testing.assert_array_equal(
            x.view(np.uint64), RandomStream(5).bits(1000) + np.uint64(2**63))

    def test_permutation(self):
        rng = RandomStream(6)
        orders = [tuple(rng.permutation(4).tolist()) for _ in range(12_000)]
        assert rng.position == 12_000
        counts = [orders.count(order) for order in set(orders)]
        assert len(counts) == 24
        chi_square = sum((c - 500) ** 2 / 500 for c in counts)
        assert abs(chi_square - 23) < 4 * math.sqrt(46)
        assert RandomStream(6).permutation(0).size == 0
        np.testing.assert_array_equal(np.sort(rng.permutation(5000)), np.arange(5000))


class TestArguments:
    """What stands for a seed or a random source."""

    def test_seed(self):
        assert as_seed(7) == 7
        assert as_seed(np.int32(7)) == 7
        assert as_seed(10**40) == RandomStream(10**40).seed
        assert as_seed(None) != as_seed(None)
        rng = RandomStream(1)
        assert as_seed(rng) == int(RandomStream(1).bits(1)[0])
        assert rng.position == 1
        generator = np.random.default_rng(1)
        drawn = as_seed(generator)
        assert drawn == as_seed(np.random.default_rng(1))
        assert drawn != as_seed(generator)
        with pytest.raises(TypeError, match="seed must be an int of at least 0, got str"):
            as_seed("1")

    def test_stream(self):
        rng = RandomStream(1)
        assert as_stream(rng) is rng
        assert as_stream(8) == RandomStream(8)
        assert as_stream(np.random.default_rng(1)) == as_stream(np.random.default_rng(1))
        assert as_stream(None) != as_stream(None)
        with pytest.raises(ValueError, match="rng must be at least 0, got -1"):
            as_stream(-1)
        for bad in (1.5, "1", np.random):
            with pytest.raises(TypeError, match="rng must be an int, a numpy"):
                as_stream(bad)
