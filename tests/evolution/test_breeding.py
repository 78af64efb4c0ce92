"""Children: beside a slow twin, by their properties, and by their statistics."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fastnet as fn

ROWS = 50


def next_generation(P, fitness, seed=0, dtype="float64", **settings):
    """Children of the rows of P, which have this fitness."""
    ga = algorithm(P, seed, dtype, **settings)
    ga.ask()
    ga.tell(fitness)
    return ga.ask()


def algorithm(P, seed=0, dtype="float64", **settings):
    P = np.asarray(P)
    net = fn.Network([P.shape[1], 1], bias=False, dtype=dtype)
    return fn.GeneticAlgorithm(net, len(P), population=P, seed=seed, **settings)


# ---- the twin: from the documentation of GeneticAlgorithm and of its random streams ------------


class Stream(fn.RandomStream):
    def word(self):
        return int(self.bits(1)[0])

    def unit(self):
        return (self.word() >> 11) / 2**53

    def below(self, n):
        return (self.word() >> 32) * n >> 32


def twin_mask(stream, probability, n):
    """Which of n are chosen: each compares a number of 64 bits with the probability, digit by
    digit, while one of its 64 neighbors is undecided and a digit is left."""
    chosen = []
    for first in range(0, n, 64):
        lanes = ["undecided"] * min(64, n - first)
        rest = math.floor(probability * 2**64)
        while probability < 1 and rest and "undecided" in lanes:
            digit, word = rest >> 63, stream.word()
            for k, lane in enumerate(lanes):
                bit = word >> k & 1
                if lane == "undecided" and bit != digit:
                    lanes[k] = bit < digit
            rest = rest << 1 & 2**64 - 1
        chosen += [lane is True or probability >= 1 for lane in lanes]
    return np.array(chosen)


def twin_parent(stream, ga, fitness, order):
    n = len(fitness)
    if ga.selection == "tournament":
        best = stream.below(n)
        for _ in range(ga.tournament_size - 1):
            other = stream.below(n)
            if fitness[other] > fitness[best]:
                best = other
        return best
    if ga.selection == "truncation":
        return order[stream.below(max(1, round(n * ga.survival_threshold)))]
    s, u = ga.selection_pressure, stream.unit()
    place = min(int(n * (2 * u / (s + math.sqrt(s * s - 4 * (s - 1) * u)))), n - 1)
    equals = [k for k in range(n) if fitness[order[k]] == fitness[order[place]]]
    return order[equals[stream.below(len(equals))]]


def twin_children(P, fitness, ga):
    order = sorted(range(len(P)), key=lambda i: -fitness[i])
    children = []
    for i in range(len(P)):
        if i < ga.elitism:
            children.append(P[order[i]])
            continue
        stream = Stream(ga.seed, (ga.generation + 1) * 2**32 + i)
        a = b = twin_parent(stream, ga, fitness, order)
        rate = 0 if ga.crossover is None else ga.crossover_rate
        if rate >= 1 or (rate > 0 and stream.unit() < rate):
            b = twin_parent(stream, ga, fitness, order)
        child = P[a].copy()
        if a != b:
            mask = twin_mask(stream, 0.5, len(child))
            child[mask] = P[b][mask]
        if ga.mutation is not None:
            mask = twin_mask(stream, ga.mutation_rate, len(child))
            power = P.dtype.type(ga.mutation_power)
            stream.position += stream.position & 1
            if ga.mutation == "gaussian":
                child[mask] += power * stream.normal(size=mask.sum(), dtype=P.dtype)
            else:
                uniform = stream.uniform(size=mask.sum(), dtype=P.dtype)
                child[mask] += -power + 2 * power * uniform
        children.append(child)
    return np.array(children)


@given(
    seed=st.integers(0, 2**64 - 1),
    n=st.integers(2, 20),
    n_parameters=st.sampled_from([1, 2, 63, 64, 65, 130]),
    levels=st.sampled_from([1, 2, 1000]),
    data=st.data(),
)
@pytest.mark.parametrize("selection", ["tournament", "rank", "truncation"])
def test_children_are_those_of_the_twin(selection, seed, n, n_parameters, levels, data):
    rates = st.sampled_from([0.0, 2.0**-64, 0.1, 0.25, 1 / 3, 0.5, 0.75, 1 - 2.0**-53, 1.0])
    dtype = data.draw(st.sampled_from(["float32", "float64"]))
    settings = {
        "selection": selection,
        "tournament_size": data.draw(st.integers(1, n)),
        "selection_pressure": data.draw(st.sampled_from([1, 1.3, 2])),
        "survival_threshold": data.draw(st.sampled_from([1e-9, 0.2, 0.5, 1])),
        "crossover": data.draw(st.sampled_from(["uniform", None])),
        "crossover_rate": data.draw(rates),
        "mutation": data.draw(st.sampled_from(["gaussian", "uniform", None])),
        "mutation_rate": data.draw(rates),
        "mutation_power": data.draw(st.sampled_from([0, 0.3, 2.5])),
        "elitism": data.draw(st.integers(0, n - 1)),
    }
    rng = np.random.default_rng(seed)
    ga = algorithm(rng.normal(size=(n, n_parameters)), seed, dtype, **settings)
    for _ in range(2):
        P = ga.ask()
        fitness = rng.integers(levels, size=n) - 0.5 * levels
        fitness[rng.random(n) < 0.1] = -np.inf
        ga.tell(fitness)
        np.testing.assert_array_equal(ga.ask(), twin_children(P, fitness, ga))


# ---- properties ---------------------------------------------------------------------------------


@pytest.mark.parametrize("selection", ["tournament", "rank", "truncation"])
def test_each_parameter_of_a_child_comes_from_one_of_two_parents(selection, dtype):
    # Parameter j of network i is i + j / 1000: it tells where it comes from
    n, n_parameters = 30, 200
    P = np.arange(n)[:, None] + np.arange(n_parameters) / 1000
    fitness = np.random.default_rng(0).normal(size=n)
    children = next_generation(P, fitness, dtype=dtype, selection=selection, mutation=None)
    n_of_two = 0
    for child in children:
        owners = np.round(child - np.arange(n_parameters) / 1000).astype(int)
        np.testing.assert_array_equal(child, P.astype(dtype)[owners, np.arange(n_parameters)])
        assert len(set(owners)) <= 2
        n_of_two += len(set(owners)) == 2
    assert n_of_two > 0


def test_without_crossover_a_child_without_mutation_is_a_parent():
    P = np.random.default_rng(0).normal(size=(30, 100))
    children = next_generation(P, np.arange(30), crossover=None, mutation=None)
    assert {row.tobytes() for row in children} <= {row.tobytes() for row in P}
    same = next_generation(P, np.arange(30), crossover_rate=0, mutation=None)
    np.testing.assert_array_equal(children, same)


def test_equal_parents_have_an_equal_child():
    P = np.tile(np.random.default_rng(0).normal(size=100), (30, 1))
    for settings in ({"mutation": None}, {"mutation_rate": 0}, {"mutation_power": 0}):
        children = next_generation(P, np.arange(30), crossover_rate=1, **settings)
        np.testing.assert_array_equal(children, P)


@pytest.mark.parametrize("elitism", [0, 1, 5, 29])
def test_the_fittest_come_first_and_unchanged(elitism):
    P = np.random.default_rng(0).normal(size=(30, 10))
    fitness = np.random.default_rng(1).permutation(30) // 2  # pairs of equals
    children = next_generation(P, fitness, elitism=elitism, mutation_rate=1)
    order = sorted(range(30), key=lambda i: (-fitness[i], i))
    np.testing.assert_array_equal(children[:elitism], P[order[:elitism]])
    others = {row.tobytes() for row in children[elitism:]}
    assert not others & {row.tobytes() for row in P}


def test_scores_count_by_their_order_alone():
    P = np.random.default_rng(0).normal(size=(30, 10))
    fitness = np.random.default_rng(1).normal(size=30)
    for selection in ("tournament", "rank", "truncation"):
        a = next_generation(P, fitness, selection=selection)
        b = next_generation(P, np.exp(fitness) * 1e100, selection=selection)
        np.testing.assert_array_equal(a, b)
        assert not np.array_equal(a, next_generation(P, -fitness, selection=selection))


def test_a_seed_makes_a_run_and_another_one_another():
    P = np.random.default_rng(0).normal(size=(30, 10))
    a = next_generation(P, np.arange(30), seed=1)
    np.testing.assert_array_equal(a, next_generation(P, np.arange(30), seed=1))
    b = next_generation(P, np.arange(30), seed=2)
    np.testing.assert_array_equal(a[0], b[0])
    assert not (a[1:] == b[1:]).all(axis=1).any()


# ---- statistics; the seeds are fixed, and a right program fails for one of 100,000 choices -------


def frequencies(fitness, n_generations=200, **settings):
    """How often each network is selected."""
    n = len(fitness)
    counts = np.zeros(n)
    for seed in range(n_generations):
        children = next_generation(
            np.arange(n)[:, None], fitness, seed, crossover=None, mutation=None, elitism=0,
            **settings,
        )  # fmt: skip
        counts += np.bincount(children[:, 0].astype(int), minlength=n)
    return counts


def check_frequencies(counts, probabilities):
    """Pearson's test; the normal approximation of chi squared by Wilson & Hilferty (1931)."""
    possible = probabilities > 0
    assert not counts[~possible].any()
    expected = probabilities[possible] * counts.sum()
    degrees = possible.sum() - 1
    chi_squared = np.sum((counts[possible] - expected) ** 2 / expected)
    z = ((chi_squared / degrees) ** (1 / 3) - 1 + 2 / (9 * degrees)) / math.sqrt(2 / (9 * degrees))
    assert z < 4.3


def by_place(fitness, probabilities):
    """Probabilities of places, the fittest first, as those of networks; equals share theirs."""
    fitness = np.asarray(fitness)
    places = np.argsort(-fitness, kind="stable")
    result = np.empty(len(fitness))
    result[places] = probabilities
    for value in set(fitness):
        result[fitness == value] = result[fitness == value].mean()
    return result


FITNESS = {
    "different": np.random.default_rng(5).permutation(ROWS) * 1.5 - 20,
    "equals": np.random.default_rng(6).integers(6, size=ROWS).astype(float),
    "one level": np.zeros(ROWS),
    "failed": np.where(np.arange(ROWS) % 3, -np.inf, np.arange(ROWS)),
}


@pytest.mark.parametrize("fitness", FITNESS.values(), ids=FITNESS)
@pytest.mark.parametrize("size", [1, 2, 3, 10])
def test_chances_in_tournaments(fitness, size):
    # Place r wins where all are of place r or later, but not all of later ones
    r = np.arange(ROWS)
    p = ((ROWS - r) / ROWS) ** size - ((ROWS - r - 1) / ROWS) ** size
    counts = frequencies(fitness, selection="tournament", tournament_size=size)
    check_frequencies(counts, by_place(fitness, p))


@pytest.mark.parametrize("fitness", FITNESS.values(), ids=FITNESS)
@pytest.mark.parametrize("s", [1, 1.5, 2])
def test_chances_by_rank(fitness, s):
    r = np.arange(ROWS)
    p = (s - (s - 1) * (2 * r + 1) / ROWS) / ROWS
    counts = frequencies(fitness, selection="rank", selection_pressure=s)
    check_frequencies(counts, by_place(fitness, p))


@pytest.mark.parametrize(("threshold", "n_left"), [(1e-6, 1), (0.2, 10), (0.29, 14), (1, 50)])
def test_chances_by_truncation(threshold, n_left):
    fitness = FITNESS["different"]
    p = np.where(np.arange(ROWS) < n_left, 1 / n_left, 0.0)
    counts = frequencies(fitness, selection="truncation", survival_threshold=threshold)
    if n_left == 1:
        assert counts[np.argmax(fitness)] == counts.sum()
    else:
        check_frequencies(counts, by_place(fitness, p))


def test_half_of_the_parameters_come_from_each_parent():
    # Two networks: a child of both has 0s and 1s
    n_parameters, n_children = 333, 500
    P = np.zeros((n_children, n_parameters))
    P[1::2] = 1
    children = next_generation(
        P, np.zeros(n_children), elitism=0, crossover_rate=1, mutation=None, tournament_size=1
    )
    mixed = children[(children.min(axis=1) == 0) & (children.max(axis=1) == 1)]
    assert abs(len(mixed) - n_children / 2) < 4.5 * math.sqrt(n_children / 4)
    deviation = 4.5 * math.sqrt(0.25 / mixed.size)
    assert abs(mixed.mean() - 0.5) < deviation
    # neighbors are independent of each other, so half of the pairs are different
    assert abs((mixed[:, 1:] != mixed[:, :-1]).mean() - 0.5) < 1.01 * deviation


@pytest.mark.parametrize("rate", [0.25, 0.5, 1])
def test_share_of_children_of_two_parents(rate):
    n = 2000
    P = np.arange(n)[:, None] * np.ones(64)
    children = next_generation(P, np.zeros(n), elitism=0, crossover_rate=rate, mutation=None)
    share = (children.max(axis=1) != children.min(axis=1)).mean()
    # 1 / n are drawn twice; 2^-63 of the children of two have all from one
    expected = rate * (1 - 1 / n)
    assert abs(share - expected) < 4.5 * math.sqrt(expected * (1 - expected) / n) + 1e-9


def normal_distribution(x):
    return np.array([0.5 * math.erfc(-v / math.sqrt(2)) for v in x])


def uniform_distribution(x):
    return (x + 1) / 2


@pytest.mark.parametrize("rate", [0, 1e-3, 0.1, 1 / 3, 0.5, 0.9, 1])
@pytest.mark.parametrize("kind", ["gaussian", "uniform"])
def test_mutations(kind, rate, dtype):
    n, n_parameters, power = 101, 1000, 0.25
    children = next_generation(
        np.zeros((n, n_parameters)), np.zeros(n), dtype=dtype, mutation=kind, mutation_rate=rate,
        mutation_power=power, elitism=1,
    )  # fmt: skip
    assert not children[0].any()
    changes = np.sort(children[1:][children[1:] != 0].astype(float)) / power
    most = (n - 1) * n_parameters
    # a uniform number may be 0: of 24 bits, one in 17 million
    assert abs(changes.size - most * rate) <= 4.5 * math.sqrt(most * rate * (1 - rate)) + 1
    if kind == "uniform":
        assert np.abs(changes).max(initial=0) <= 1
    if changes.size:
        # Kolmogorov & Smirnov: P(D sqrt(n) > 2.5) = 2 exp(-2 2.5^2) = 7e-6
        distribution = normal_distribution if kind == "gaussian" else uniform_distribution
        steps = np.arange(changes.size + 1) / changes.size
        expected = distribution(changes)
        distance = max(np.max(steps[1:] - expected), np.max(expected - steps[:-1]))
        assert distance * math.sqrt(changes.size) < 2.5


def test_mutations_of_one_child_are_independent_of_those_of_the_next():
    children = next_generation(
        np.zeros((200, 640)), np.zeros(200), mutation_rate=1, mutation_power=1, elitism=0
    )
    products = children[1:] * children[:-1]
    assert abs(products.mean()) < 4.5 / math.sqrt(products.size)
    again = np.roll(children, 1, axis=1) * children
    assert abs(again.mean()) < 4.5 / math.sqrt(again.size)
