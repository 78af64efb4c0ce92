"""How a generation is shared out: exact arithmetic with fractions against the table of species."""

import copy
import math
import pickle
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fastnet as fn
from fastnet import neat
from fastnet.neat.reproduction import Species, SpeciesTable


def config_of(**fields):
    rules = {"stagnation": None, "population_stagnation": None, "target_species": None}
    return neat.Config(2, 1, **(rules | fields))


def table_of(species, fitness, n, **fields):
    config = config_of(population_size=n, **fields)
    table = SpeciesTable(config)
    table.advance(config, species, fitness, 0, 0)
    return table


def children(species, fitness, n, **fields):
    return table_of(species, fitness, n, **fields).columns()["n_children"].tolist()


def shared(species, fitness):
    """What each species counts: fitness divided by the size of the species, added up.

    Infinite values count as the nearest finite one.  With a negative fitness all count from the
    worst, plus the spread divided by the number of genomes.
    """
    finite = [value for value in fitness if math.isfinite(value)]
    low, high = (min(finite), max(finite)) if finite else (0.0, 1.0)
    values = [Fraction(min(max(value, low), high)) for value in fitness]
    low, high = Fraction(low), Fraction(high)
    if low < 0:
        values = [value - low + (high - low) / len(values) for value in values]
    sums = [Fraction(0)] * (max(species) + 1)
    for number, value in zip(species, values, strict=True):
        sums[number] += value / species.count(number)
    return sums


def check_largest_remainder(counts, shares, n):
    """Each has its quota rounded down or up, and the largest remainders are rounded up."""
    assert sum(counts) == n
    total = sum(shares)
    if total == 0:
        shares = [Fraction(1)] * len(shares)
        total = len(shares)
    quotas = [n * share / total for share in shares]
    # A quota is right to some 1e-13 of the largest, so that one that is an integer may be below
    slack = Fraction(n, 10**11)
    up, down = [], []
    for count, quota in zip(counts, quotas, strict=True):
        assert quota - 1 - slack < count < quota + 1 + slack
        (up if count > quota + slack else down if count < quota - slack else []).append(
            quota - math.floor(quota))
    if up and down:
        assert min(up) >= max(down) - slack


@st.composite
def generations(draw, numbers=None):
    """Species and fitness of each genome; every species has members."""
    n_species = draw(st.integers(1, 8))
    species = list(range(n_species)) + draw(st.lists(st.integers(0, n_species - 1), max_size=20))
    if numbers is None:
        numbers = draw(st.sampled_from([
            st.floats(0, 16), st.floats(-100, 100), st.floats(-200, -199), st.just(-3.5),
            st.sampled_from([-math.inf, -2.0, 0.0, 5.0, math.inf]),
            st.floats(allow_nan=False)]))
    fitness = draw(st.lists(numbers, min_size=len(species), max_size=len(species)))
    return species, fitness


@given(generation=generations(), n=st.integers(0, 400))
def test_children_of_any_generation(generation, n):
    species, fitness = generation
    table = table_of(species, fitness, max(n, 1))
    known = table.columns()
    assert known["n_children"].sum() == max(n, 1)
    assert (known["n_children"] >= 0).all()
    check_largest_remainder(
        known["n_children"].tolist(), shared(species, fitness), max(n, 1))
    table.advance(config_of(), species, fitness, 1, 0, n_children=n)
    assert table.columns()["n_children"].sum() == n


@pytest.mark.parametrize(
    ("species", "fitness", "n", "expected"),
    [
        # Means 1, 2, 3, whatever the sizes
        ([0, 1, 1, 2, 2, 2], [1, 1, 3, 0, 3, 6], 60, [10, 20, 30]),
        # Quotas 3.5, 2.1, 1.4
        ([0, 1, 2], [5, 3, 2], 7, [4, 2, 1]),
        # In a tie the oldest species
        ([0, 1, 2], [4, 4, 4], 10, [4, 3, 3]),
        ([0, 1, 2], [-4, -4, -4], 11, [4, 4, 3]),
        ([0, 1], [0, 0], 5, [3, 2]),
        # More species than places
        ([0, 1, 2, 3], [1, 4, 3, 2], 2, [0, 1, 1, 0]),
        ([0, 1, 2], [1, 1, 1], 1, [1, 0, 0]),
        ([0], [-7], 1, [1]),
        ([0], [0], 2, [2]),
        ([0, 0], [1, -1], 2, [2]),
        # Differences that sums could not hold
        ([0, 1], [1.7e308, 1.7e308], 9, [5, 4]),
        ([0, 0, 1, 1], [1e308, 1e308, 1.5e308, 0.5e308], 8, [4, 4]),
        # From the worst, plus a third of the spread: 1/3, 4/3 and 4/3 of it
        ([0, 1, 2], [-1.7e308, 1.7e308, 1.7e308], 90, [10, 40, 40]),
        ([0, 1], [5e-324, 1.5e-323], 8, [2, 6]),
        # Infinite values are as good or bad as the nearest other
        ([0, 1, 2], [math.inf, 3, 1], 70, [30, 30, 10]),
        ([0, 1, 2], [-math.inf, 3, 1], 50, [10, 30, 10]),
        ([0, 1], [math.inf, -math.inf], 4, [4, 0]),
        ([0, 1], [math.inf, math.inf], 4, [2, 2]),
        ([0, 1], [-math.inf, -math.inf], 4, [2, 2]),
    ])
def test_by_hand(species, fitness, n, expected):
    assert children(species, fitness, n) == expected


def test_the_worst_counts_least_but_something():
    # From the worst: 1, 0; plus a hundredth: 1.01 and 0.01 of 1.02
    species = [0] * 99 + [1]
    assert children(species, [-1.0] * 99 + [-2.0], 10200) == [10100, 100]
    # The same one higher: as it is
    assert children(species, [1.0] * 99 + [0.0], 10200) == [10200, 0]


@given(
    values=st.lists(st.floats(-100, 100), min_size=1, max_size=6), copies=st.integers(2, 6),
    n=st.integers(2, 300))
def test_crowding_does_not_pay(values, copies, n):
    """A species of the same members several times over gets no more than the small one."""
    fitness = values + values * copies + [-101.0]
    species = [0] * len(values) + [1] * (len(values) * copies) + [2]
    small, large, _ = children(species, fitness, n)
    assert abs(small - large) <= 1


@given(generation=generations(st.floats(-100, 100)), n=st.integers(1, 300))
def test_a_better_species_has_no_fewer_children(generation, n):
    species, fitness = generation
    counts = children(species, fitness, n)
    shares = shared(species, fitness)
    slack = Fraction(1, 10**9) * max(shares)
    for i, first in enumerate(shares):
        for j, second in enumerate(shares):
            if first > second + slack:
                assert counts[i] >= counts[j]


@given(generation=generations())
def test_members(generation):
    species, fitness = generation
    table = table_of(species, fitness, 10)
    known = table.columns()
    expected = [
        sorted((i for i, s in enumerate(species) if s == number), key=lambda i: -fitness[i])
        for number in range(max(species) + 1)]
    assert known["members"].tolist() == [i for members in expected for i in members]
    assert known["sizes"].tolist() == [len(members) for members in expected]
    assert known["best_fitness"].tolist() == [fitness[members[0]] for members in expected]
    assert table.champion == fitness.index(max(fitness))
    assert table.best_fitness == max(fitness)


def test_members_of_large_species():
    values = np.random.default_rng(0).integers(0, 50, 1000)
    table = table_of([0] * 1000, values, 10)
    assert table.columns()["members"].tolist() == np.argsort(-values, kind="stable").tolist()


@pytest.mark.parametrize(
    ("fraction", "size", "expected"),
    [
        (0.0, 9, 1), (1.0, 9, 9), (0.2, 5, 1), (0.2, 6, 2), (0.2, 1, 1), (0.07, 100, 7),
        (0.5, 3, 2), (0.29, 100, 29), (1e-12, 3, 1),
    ])
def test_parents(fraction, size, expected):
    table = table_of([0] * size, [1.0] * size, 10, survival_threshold=fraction)
    assert table.columns()["n_parents"].tolist() == [expected]


@pytest.mark.parametrize(
    ("elitism", "least", "size", "n", "expected"),
    [
        (1, 5, 5, 10, 0), (1, 5, 6, 10, 1), (2, 5, 6, 10, 2), (9, 5, 6, 10, 6), (9, 0, 6, 4, 4),
        (1, 0, 1, 1, 1), (0, 0, 6, 10, 0), (1, 5, 6, 0, 0),
    ])
def test_elites(elitism, least, size, n, expected):
    config = config_of(elitism=elitism, elitism_species_size=least)
    table = SpeciesTable(config)
    table.advance(config, [0] * size, [1.0] * size, 0, 0, n_children=n)
    assert table.columns()["n_elites"].tolist() == [expected]


def run(config, generations):
    """A table after generations of (species, fitness), and the children of each."""
    table = SpeciesTable(config)
    counts = []
    for generation, (species, fitness) in enumerate(generations):
        table.advance(config, species, fitness, generation, 0)
        counts.append(table.columns()["n_children"].tolist())
    return table, counts


def test_stagnation():
    config = config_of(population_size=12, stagnation=3)
    # The second species improves in generation 2 for the last time; the first has the champion
    second = [2.0, 2.0, 3.0, 3.0, 1.0, 3.0, 3.0]
    table, counts = run(config, [([0, 1], [6.0, value]) for value in second])
    assert [count[1] for count in counts] == [3, 3, 4, 4, 2, 0, 0]
    assert [sum(count) for count in counts] == [12] * 7
    assert table.columns()["last_improved"].tolist() == [0, 2]
    assert table.columns()["best_fitness"].tolist() == [6.0, 3.0]
    # A better maximum: children again
    table.advance(config, [0, 1], [6.0, 3.5], 7, 0)
    assert table.columns()["n_children"][1] > 0


def test_all_stagnant():
    config = config_of(population_size=10, stagnation=2)
    _, counts = run(config, [([0, 1, 2], [1.0, 2.0, 2.0])] * 4)
    # The champion is the first of the fittest
    assert counts[1:] == [[2, 4, 4], [0, 10, 0], [0, 10, 0]]


@pytest.mark.parametrize("stagnation", [None, 4])
def test_population_stagnation(stagnation):
    config = config_of(population_size=60, population_stagnation=3, stagnation=stagnation)
    generation = [0, 1, 2, 3], [1.0, 4.0, 2.0, 3.0]
    table, counts = run(config, [generation] * 12)
    everybody, two = [6, 24, 12, 18], [0, 34, 0, 26]
    # After more than 3 generations for one generation, and again after as many
    if stagnation is None:
        assert counts == [*[everybody] * 4, two, *[everybody] * 3, two, *[everybody] * 3]
    else:
        # The two are given time again, the others, which were not, stay without children
        assert counts == [*[everybody] * 4, *[two] * 8]
    assert table.columns()["last_improved"].tolist() == [0, 8, 0, 8]
    assert table.columns()["best_fitness"].tolist() == [1.0, 4.0, 2.0, 3.0]
    # The maximum of all improves: it counts from there
    _, counts = run(config, [generation] * 4 + [([0, 1, 2, 3], [5.0, 4.0, 2.0, 3.0])] * 5)
    if stagnation is None:
        assert counts[4:] == [*[[21, 17, 9, 13]] * 4, [33, 27, 0, 0]]


def test_two_best_of_all():
    config = config_of(population_size=40, population_stagnation=4, stagnation=3)
    species = [0, 1, 2, 3]
    # 1 has the champion, 3 is second though stagnant; 0 and 2 improve
    _, counts = run(config, [
        (species, [1 + 0.125 * g, 8.0, 0.5 + 0.125 * g, 4.0]) for g in range(7)])
    assert counts[4][3] == 0
    assert counts[5] == [0, 27, 0, 13]
    assert min(counts[6]) > 0


def test_a_table_is_restored_in_the_middle_of_stagnation():
    """What is shared out after loading is what was shared out before."""
    config = config_of(population_size=60, population_stagnation=3, stagnation=4)
    generation = [0, 1, 2, 3], [1.0, 4.0, 2.0, 3.0]
    for n in range(3, 8):
        table, _ = run(config, [generation] * n)
        other = SpeciesTable.from_state(config, table.state())
        for later in range(n, n + 6):
            for each in (table, other):
                each.advance(config, *generation, later, 0)
            assert {k: v.tolist() for k, v in table.columns().items()} == {
                k: v.tolist() for k, v in other.columns().items()}


def test_ids_and_rows():
    config = config_of()
    table = SpeciesTable(config)
    assert table.n_species == 0
    assert table.advance(config, [0, 2, 1, 2], [1, 2, 3, 4], 0, 0).tolist() == [0, 2, 1, 2]
    assert table.columns()["ids"].tolist() == [0, 1, 2]
    # The middle one is gone, two are new; numbers between need not be used
    rows = table.advance(config, [2, 0, 5, 3, 5], [1, 2, 3, 4, 5], 1, 0)
    assert rows.tolist() == [1, 0, 3, 2, 3]
    known = table.columns()
    assert known["ids"].tolist() == [0, 2, 3, 4]
    assert known["created"].tolist() == [0, 0, 1, 1]
    assert known["best_fitness"].tolist() == [2.0, 4.0, 4.0, 5.0]
    assert known["last_improved"].tolist() == [1, 0, 1, 1]
    table.advance(config, [4, 4], [0, 0], 2, 0)
    assert table.columns()["ids"].tolist() == [5]
    assert table.next_id == 6
    assert repr(table) == "SpeciesTable(1 species, 2 genomes)"


def test_best_fitness_of_all_generations():
    config = config_of()
    table = SpeciesTable(config)
    for generation, (value, best, last) in enumerate([(-5, -5, 0), (-7, -5, 0), (-4, -4, 2)]):
        table.advance(config, [0, 0], [value, -9], generation, 0)
        assert (table.best_fitness, table.last_improved) == (best, last)
    table = SpeciesTable(config)
    table.advance(config, [0], [-math.inf], 4, 0)
    assert (table.best_fitness, table.last_improved) == (-math.inf, 4)


def test_threshold_is_steered():
    config = config_of(target_species=2, compatibility_threshold=1.0, threshold_step=0.25)
    table = SpeciesTable(config)
    assert table.threshold == 1.0
    for species, threshold in [
            ([0, 1, 2], 1.25), ([0, 1, 2], 1.5), ([0, 0, 1], 1.5), ([0, 0, 0], 1.25),
            ([0, 0, 0], 1.0), ([0, 0, 0], 0.75), ([0, 0, 0], 0.5), ([0, 0, 0], 0.25),
            ([0, 0, 0], 0.25), ([0, 1, 2], 0.5)]:
        table.advance(config, species, [1, 2, 3], 0, 0)
        assert table.threshold == threshold
    # It began below one step
    config = config.replace(compatibility_threshold=0.125)
    table = SpeciesTable(config)
    for species, threshold in [([0, 0, 0], 0.125), ([0, 1, 2], 0.375), ([0, 0, 0], 0.25)]:
        table.advance(config, species, [1, 2, 3], 0, 0)
        assert table.threshold == threshold
    config = config_of(compatibility_threshold=2.0)
    table = SpeciesTable(config)
    table.advance(config, [0, 1], [1, 2], 0, 0)
    assert table.threshold == 2.0


def test_representatives():
    species, fitness = [0, 1, 0, 0, 1, 0], [1, 2, 3, 4, 5, 0]
    assert table_of(species, fitness, 5, representative="best").columns()[
        "representatives"].tolist() == [3, 4]
    config = config_of()
    table = SpeciesTable(config)
    rng = fn.RandomStream(3)
    drawn = []
    n = 2000
    for _ in range(n):
        table.advance(config, species, fitness, 0, rng)
        drawn.append(table.columns()["representatives"].tolist())
    assert rng.position == 2 * n
    # Within 5 standard deviations
    for row, members in enumerate([[0, 2, 3, 5], [1, 4]]):
        p = 1 / len(members)
        for member in members:
            count = sum(pair[row] == member for pair in drawn)
            assert abs(count - n * p) < 5 * math.sqrt(n * p * (1 - p))
    assert {pair[0] for pair in drawn} == {0, 2, 3, 5}
    again = SpeciesTable(config)
    again.advance(config, species, fitness, 0, fn.RandomStream(3))
    assert again.columns()["representatives"].tolist() == drawn[0]


def same(a, b):
    return a.keys() == b.keys() and all(np.array_equal(a[name], b[name]) for name in a)


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        (([0, 0], [1.0, math.nan], 1, 0), ValueError, "fitness .* at 1"),
        (([0, 0], [1.0], 1, 0), ValueError, "species and fitness"),
        (([], [], 1, 0), ValueError, "species and fitness"),
        (([[0]], [[1.0]], 1, 0), ValueError, "species and fitness"),
        (([0, -1], [1.0, 2.0], 1, 0), ValueError, "species must be from 0"),
        (([0, 4], [1.0, 2.0], 1, 0), ValueError, "species must be from 0"),
        (([0.0, 1.0], [1.0, 2.0], 1, 0), TypeError, "species"),
        (([0, 0], ["a", "b"], 1, 0), TypeError, "fitness"),
        (([0, 0], [1.0, 2.0], -1, 0), ValueError, "generation"),
        (([0, 0], [1.0, 2.0], 1.5, 0), TypeError, "generation"),
        (([0, 0], [1.0, 2.0], 1, 0, -1), ValueError, "n_children"),
        (([0, 0], [1.0, 2.0], 1, "a"), TypeError, "rng"),
    ])
def test_refused(arguments, error, words):
    config = config_of()
    table = SpeciesTable(config)
    table.advance(config, [0, 1], [1.0, 2.0], 0, 0)
    before = table.state() | table.columns()
    with pytest.raises(error, match=words):
        table.advance(config, *arguments)
    assert same(before, table.state() | table.columns())
    with pytest.raises(TypeError, match="Config"):
        table.advance(None, [0], [1.0], 1, 0)
    with pytest.raises(TypeError, match="Config"):
        SpeciesTable(3)


def grown():
    config = config_of(population_size=20, stagnation=3, target_species=2)
    table, _ = run(config, [
        ([0, 1, 0, 2], [1.0, -2.0, 3.0, -4.0]), ([0, 1, 0, 3], [1.0, -1.0, 2.0, -4.0])])
    return config, table


def test_state_there_and_back():
    config, table = grown()
    copy = SpeciesTable.from_state(config, table.state())
    assert same(copy.state(), table.state())
    for generation in range(2, 6):
        for each in (table, copy):
            each.advance(config, [0, 1, 2, 2], [0.5, -1.5, 1.0, 0.0], generation, generation)
        assert same(copy.state() | copy.columns(), table.state() | table.columns())
    empty = SpeciesTable(config)
    assert same(SpeciesTable.from_state(config, empty.state()).state(), empty.state())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ids", [0, 0, 3]), ("ids", [0, 1]), ("ids", [0, 1, 9]), ("ids", [-1, 0, 1]),
        ("ids", [0.0, 1.0, 2.0]), ("ids", [[0, 1, 3]]), ("ids", ["a", "b", "c"]),
        ("created", [0, 0, 2]), ("created", [0, -1, 1]), ("last_improved", [0, 0]),
        ("last_improved", [0, 2, 1]), ("best_fitness", [1.0, math.nan, 2.0]),
        ("sizes", [2, 1, 2]), ("sizes", [2, 2, 0]), ("sizes", [2**62, 2**62, 4]),
        ("members", [0, 1, 2, 4]), ("members", [0, 0, 1, 2]), ("members", [0, 1, 2]),
        ("representatives", [0, 1, 4]), ("representatives", [0, -1, 1]),
        ("generation", -1), ("generation", 0), ("generation", 2**63), ("generation", 1.5),
        ("generation", None), ("next_id", 3), ("next_id", 2**63), ("next_id", True),
        ("threshold", -1.0), ("threshold", math.nan), ("threshold", math.inf),
        ("threshold", "3"), ("champion", 4), ("champion", -1), ("champion", -2),
        ("population_best_fitness", math.nan), ("population_last_improved", 2),
    ])
def test_impossible_state(name, value):
    config, table = grown()
    with pytest.raises(ValueError, match=r"species: \w+ (is not|must)"):
        SpeciesTable.from_state(config, table.state() | {name: value})


def test_incomplete_state():
    config, table = grown()
    for name in table.state():
        state = table.state()
        del state[name]
        with pytest.raises(ValueError, match=f"species: {name} is missing"):
            SpeciesTable.from_state(config, state)


def test_species():
    genome = neat.Genome(neat.Config(2, 1), 0)
    species = Species(7, [4, 1, 2], genome, 2.5, 3, 12)
    assert (species.size, len(species), species.age, species.last_improved) == (3, 3, 3, 12)
    assert species.members.tolist() == [4, 1, 2]
    assert repr(species) == "Species(id=7, size=3, best_fitness=2.5, age=3)"
    for other in (copy.copy(species), copy.deepcopy(species), pickle.loads(pickle.dumps(species))):
        assert other == species
        assert other.representative == genome
    assert species != Species(7, [4, 2, 1], genome, 2.5, 3, 12)
    assert species != Species(8, [4, 1, 2], genome, 2.5, 3, 12)
    assert species != 7
    with pytest.raises(AttributeError):
        species.id = 3
