"""Random streams against a slow Philox, the published answers and the statistics they claim."""

import itertools
import math

import numpy as np
import pytest

from fastnet._kernels import dispatch, probe

MASK = 0xFFFFFFFF
TABLES = list(itertools.product(dispatch.supported(), ("float32", "float64")))


@pytest.fixture(params=TABLES, ids=lambda p: f"{p[0]}-{p[1]}")
def table(request):
    return probe.Table(*request.param)


def philox_twin(counter, key):
    """Philox4x32-10 of four counter words and two key words (Salmon et al. 2011, section 3.3)."""
    x, key = list(counter), list(key)
    for _ in range(10):
        product0, product1 = 0xD2511F53 * x[0], 0xCD9E8D57 * x[2]
        x = [
            (product1 >> 32) ^ x[1] ^ key[0],
            product1 & MASK,
            (product0 >> 32) ^ x[3] ^ key[1],
            product0 & MASK,
        ]
        key = [(key[0] + 0x9E3779B9) & MASK, (key[1] + 0xBB67AE85) & MASK]
    return x


def words_twin(seed, stream, block):
    return philox_twin(
        [block & MASK, block >> 32, stream & MASK, stream >> 32], [seed & MASK, seed >> 32]
    )


def bits_twin(seed, stream, first, n):
    """Elements of 64 bits as Python integers."""
    out = []
    for i in range(first, first + n):
        words = words_twin(seed, stream, i // 2)
        low, high = words[2:] if i % 2 else words[:2]
        out.append(low | high << 32)
    return out


# (seed, stream, first, n)
SLICES = [
    (0, 0, 0, 5),
    (1, 0, 0, 100),
    (0, 1, 0, 33),
    (0xFFFFFFFFFFFFFFFF, 0xFFFFFFFFFFFFFFFF, 0xFFFFFFFFFFFFFF00, 70),
    (0xA4093822299F31D0, 0x0370734413198A2E, 0x885A308D31319, 41),
    (12345, 7, 2**33 - 9, 40),  # the block index carries into its second word
    (3, 4, 1, 1),
    (3, 4, 31, 2),
    (3, 4, 17, 0),
]


# The known answers of Random123 (kat_vectors: philox4x32 10)
@pytest.mark.parametrize(
    ("counter", "key", "answer"),
    [
        ("00000000 00000000 00000000 00000000", "00000000 00000000",
         "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
        ("ffffffff ffffffff ffffffff ffffffff", "ffffffff ffffffff",
         "408f276d 41c83b0e a20bc7c6 6d5451fd"),
        ("243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0",
         "d16cfe09 94fdcceb 5001e420 24126ea1"),
    ],
)  # fmt: skip
def test_twin_gives_the_known_answers(counter, key, answer):
    counter, key, answer = ([int(w, 16) for w in words.split()] for words in (counter, key, answer))
    assert philox_twin(counter, key) == answer


def test_known_answer(table):
    first, second = table.random_bits(0, 0, 0, 2).tolist()
    assert first == 0xE169C58D_6627E8D5
    assert second == 0x9B00DBD8_BC57AC4C


@pytest.mark.parametrize("where", SLICES)
def test_bits(table, where):
    assert table.random_bits(*where).tolist() == bits_twin(*where)


@pytest.mark.parametrize("where", SLICES)
def test_uniform_is_the_top_of_the_bits(table, where):
    digits = np.finfo(table.dtype).nmant + 1
    expected = [(bits >> (64 - digits)) / 2**digits for bits in bits_twin(*where)]
    got = table.uniform(*where)
    assert got.dtype == table.dtype
    np.testing.assert_array_equal(got, np.array(expected, float))


def normal_twin(seed, stream, first, n, dtype):
    bits = bits_twin(seed, stream, first - first % 2, n + 2)
    out = []
    for one, two in zip(bits[::2], bits[1::2], strict=False):
        if dtype == "float64":
            u, v = 1 - (one >> 11) / 2**53, (two >> 11) / 2**53
        else:
            u, v = float(np.float32(((one >> 32) + 0.5) / 2**32)), (two >> 40) / 2**24
        radius = math.sqrt(-2 * math.log(u))
        out += [radius * math.cos(2 * math.pi * v), radius * math.sin(2 * math.pi * v)]
    return np.array(out[first % 2 :][:n])


@pytest.mark.parametrize("where", SLICES)
def test_normal_is_box_muller(table, where):
    expected = normal_twin(*where, table.dtype)
    got = table.normal(*where)
    assert got.dtype == table.dtype
    # The sine and cosine are exact to some ulps of 1, the radius is below 9
    eps = np.finfo(table.dtype).eps
    np.testing.assert_allclose(got, expected, rtol=4 * eps, atol=9 * 2 * eps)


@pytest.mark.parametrize("name", ["random_bits", "uniform", "normal"])
def test_a_slice_is_a_slice_of_the_whole(table, name):
    draw = getattr(table, name)
    whole = draw(9, 8, 0, 200)
    edges = (0, 1, 2, 31, 32, 33, 64, 99)
    for first, n in itertools.product(edges, edges):
        np.testing.assert_array_equal(draw(9, 8, first, n), whole[first : first + n])


def test_instruction_sets_agree(dtype):
    tables = [probe.Table(isa, dtype) for isa in dispatch.supported()]
    uniform = [t.uniform(1, 2, 3, 1000) for t in tables]
    order = [t.permutation(1, 2, 1000) for t in tables]
    for u, p in zip(uniform, order, strict=True):
        np.testing.assert_array_equal(u, uniform[0])
        np.testing.assert_array_equal(p, order[0])


N = 200_000


def test_uniform_statistics(table):
    x = table.uniform(2024, 0, 0, N).astype(float)
    assert x.min() >= 0
    assert x.max() < 1
    assert abs(x.mean() - 0.5) < 4 * math.sqrt(1 / 12 / N)
    assert abs(x.var() - 1 / 12) < 4 * math.sqrt(1 / 180 / N)
    # Chi-square over 64 cells: 63 degrees of freedom, standard deviation sqrt(126)
    counts = np.histogram(x, 64, (0, 1))[0]
    chi_square = ((counts - N / 64) ** 2).sum() / (N / 64)
    assert abs(chi_square - 63) < 4 * math.sqrt(126)
    assert abs(np.corrcoef(x[:-1], x[1:])[0, 1]) < 4 / math.sqrt(N)


def test_normal_statistics(table):
    x = table.normal(2024, 1, 0, N).astype(float)
    assert np.isfinite(x).all()
    assert abs(x.mean()) < 4 / math.sqrt(N)
    assert abs(x.var() - 1) < 4 * math.sqrt(2 / N)
    assert abs((x**3).mean()) < 4 * math.sqrt(15 / N)
    assert abs((x**4).mean() - 3) < 4 * math.sqrt(96 / N)
    assert 4 < np.abs(x).max() < 7
    # Both members of a pair, and their independence
    assert abs(np.corrcoef(x[::2], x[1::2])[0, 1]) < 4 / math.sqrt(N / 2)
    assert abs(np.corrcoef(x[::2] ** 2, x[1::2] ** 2)[0, 1]) < 4 / math.sqrt(N / 2)
    # Chi-square over 20 cells of equal probability
    inside = np.array([0.5 * (1 + math.erf(v / math.sqrt(2))) for v in x[:20_000]])
    counts = np.histogram(inside, 20, (0, 1))[0]
    assert abs(((counts - 1000) ** 2).sum() / 1000 - 19) < 4 * math.sqrt(38)


def test_streams_and_seeds_are_unrelated(table):
    draws = [
        table.normal(seed, stream, 0, 20_000).astype(float)
        for seed in (0, 1, 2)
        for stream in (0, 1, 2)
    ]
    off_diagonal = np.corrcoef(draws)[np.triu_indices(9, 1)]
    assert np.abs(off_diagonal).max() < 4.5 / math.sqrt(20_000)


def permutation_twin(n, words):
    """(order, number of words rejected)."""
    words = iter(words)
    order = list(range(n))
    n_rejected = 0
    for i in range(n - 1, 0, -1):
        # Rejecting below 2^32 mod (i + 1) leaves every quotient equally many words
        product = next(words) * (i + 1)
        while product & MASK < 2**32 % (i + 1):
            n_rejected += 1
            product = next(words) * (i + 1)
        j = product >> 32
        order[i], order[j] = order[j], order[i]
    return order, n_rejected


@pytest.mark.parametrize("n", [0, 1, 2, 3, 64, 65, 66, 1009])
def test_permutation(table, n):
    for stream in range(3):
        words = [w for block in range(n // 4 + 1) for w in words_twin(5, stream, block)]
        got = table.permutation(5, stream, n)
        assert got.dtype == np.int32
        assert got.tolist() == permutation_twin(n, words)[0]
        assert sorted(got) == list(range(n))


def test_permutation_rejects_what_would_bias_it(isa):
    n = 200_000
    table = probe.Table(isa, "float32")
    words = table.random_bits(6, 0, 0, n // 2 + 100).view(np.uint32).tolist()
    order, n_rejected = permutation_twin(n, words)
    assert n_rejected > 0
    assert table.permutation(6, 0, n).tolist() == order


def test_permutations_of_four_are_uniform(table):
    n_draws = 24_000
    counts = {}
    for stream in range(n_draws):
        order = tuple(table.permutation(11, stream, 4))
        counts[order] = counts.get(order, 0) + 1
    assert len(counts) == 24
    chi_square = sum((c - 1000) ** 2 / 1000 for c in counts.values())
    assert abs(chi_square - 23) < 4 * math.sqrt(46)
