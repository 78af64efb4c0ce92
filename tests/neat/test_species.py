"""How genomes fall into species: against the rule gene by gene, and what is refused.

The distance itself is compared with its twin in test_distance.py.
"""

import json
import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastnet import neat
from fastnet.neat.species import speciate

CASES = json.loads((Path(__file__).parents[1] / "data" / "seed_cases.json").read_text("utf-8"))
COMPATIBILITY = [
    case for case in CASES["cases"] if case["id"].startswith("001.neat.compatibility_")]


@pytest.mark.parametrize("case", COMPATIBILITY, ids=[case["id"] for case in COMPATIBILITY])
@pytest.mark.parametrize(("normalization", "key"), [("size", "N_larger"), ("one", "N_one")])
def test_document_001(case, normalization, key):
    given = case["inputs"]
    config = neat.Config.time_step(
        3, 1, c_excess=given["c1"], c_disjoint=given["c2"], c_weight=given["c3"],
        distance_normalization=normalization)
    a, b = (
        neat.Genome.from_connections(
            config, [tuple(gene) for gene in given[name]], inputs=(1, 2, 3), outputs=(4,))
        for name in ("parent1", "parent2"))
    expected = float(case["expected"][key]["delta"])
    assert abs(neat.distance(a, b, config) - expected) <= case["tol"]
    assert abs(neat.distance(b, a, config) - expected) <= case["tol"]


def test_genomes_without_genes():
    for normalization in ("size", "one"):
        config = neat.Config(2, 1, distance_normalization=normalization, c_excess=3.0)
        empty = neat.Genome.from_connections(config, [])
        other = neat.Genome.from_connections(config, [(4, 0, 3, 1.0, True), (5, 1, 3, 1.0, True)])
        assert neat.distance(empty, empty, config) == 0
        assert neat.distance(empty, other, config) == (3.0 if normalization == "size" else 6.0)


def test_large_weights():
    config = neat.Config(2, 1, weight_cap=None)
    a, b = (
        neat.Genome.from_connections(config, [(0, 0, 3, weight, True)])
        for weight in (1.5e308, -1.5e308))
    assert neat.distance(a, b, config) == np.inf
    assert neat.distance(a, b, config.replace(c_weight=0.0)) == 0
    assert speciate([a, b], config).tolist() == [0, 1]
    assert speciate([a, b], config.replace(c_weight=0.0)).tolist() == [0, 0]


PAIRS = [(source, 20 + target) for source in range(20) for target in range(20)]


def relatives(chance, config, n, stride=1):
    """Genomes of a few families: each misses some genes of its family."""
    families = [
        sorted(chance.sample(range(len(PAIRS)), chance.choice([0, 3, 20, 80]))) for _ in range(4)]
    genomes = []
    for _ in range(n):
        share = chance.choice([0.5, 0.9, 1.0])
        genomes.append(neat.Genome.from_connections(config, [
            (stride * i, *PAIRS[i], chance.choice([0.25, 0.5, 1.0, 3.0]), True)
            for i in chance.choice(families) if chance.random() < share]))
    return genomes


def rule(genomes, config, representatives, hints, threshold):
    """The species of each genome, with every distance."""
    representatives = list(representatives)
    species = []
    for genome, hint in zip(genomes, hints, strict=True):
        order = [] if hint is None else [hint]
        for number in order + list(range(len(representatives))):
            if neat.distance(genome, representatives[number], config) < threshold:
                species.append(number)
                break
        else:
            species.append(len(representatives))
            representatives.append(genome)
    return species


@given(
    seed=st.integers(0, 2**32), normalization=st.sampled_from(["one", "size"]),
    excess=st.sampled_from([0.0, 0.1, 1.0]), disjoint=st.sampled_from([0.0, 0.1, 0.3, 1.0]),
    weight=st.sampled_from([0.0, 0.4, 3.0]), stride=st.sampled_from([1, 64, 256, 10**15]))
def test_first_that_is_near_enough(seed, normalization, excess, disjoint, weight, stride):
    chance = random.Random(seed)
    config = neat.Config(
        20, 20, bias=None, distance_normalization=normalization, c_excess=excess,
        c_disjoint=disjoint, c_weight=weight)
    genomes = relatives(chance, config, 14, stride)
    known, genomes = genomes[:4], genomes[4:]
    hints = [chance.choice([None, 0, 1, 2, 3]) for _ in genomes]
    # Also a distance that occurs: a genome exactly so far away does not belong
    distances = [neat.distance(a, b, config) for a in genomes for b in known]
    for threshold in (0.0, chance.choice(distances), 3.0, chance.uniform(0, 100), np.inf):
        expected = rule(genomes, config, known, hints, threshold)
        got = speciate(genomes, config, known, hints, threshold)
        assert got.dtype == np.int64
        assert got.tolist() == expected
        assert speciate(genomes, config, threshold=threshold).tolist() == rule(
            genomes, config, [], [None] * len(genomes), threshold)


def test_hint_comes_first():
    config = neat.Config(2, 1)
    genomes = [neat.Genome(config, rng=seed) for seed in range(3)]
    assert speciate(genomes[2:], config, genomes[:2]).tolist() == [0]
    assert speciate(genomes[2:], config, genomes[:2], hints=[1]).tolist() == [1]


def test_a_genome_that_grows_in_the_middle():
    """What a hint does to a genome counts, as what another thread does to it at that time."""
    config = neat.Config(2, 1)
    genomes = [neat.Genome(config, rng=0) for _ in range(2)]
    registry = neat.InnovationRegistry(config, genomes)

    class GrowsFirst:
        def __index__(self):
            for k in range(50):
                genomes[1].add_node(k, registry)
            return 0

    assert speciate(genomes, config).tolist() == [0, 0]
    grown = speciate(genomes, config, [genomes[0]], hints=[GrowsFirst(), None])
    assert grown.tolist() == speciate(genomes, config, [genomes[0]]).tolist() == [0, 1]


def test_threshold_of_the_config():
    config = neat.Config(2, 1, c_weight=1.0)
    genomes = [
        neat.Genome.from_connections(config, [(0, 0, 3, weight, True)]) for weight in (0.0, 1.0)]
    for threshold, expected in ((1.0, [0, 1]), (1.25, [0, 0])):
        config = config.replace(compatibility_threshold=threshold)
        assert speciate(genomes, config).tolist() == expected


def test_nobody():
    config = neat.Config(2, 1)
    assert speciate([], config).shape == (0,)
    assert speciate([], config, [neat.Genome(config, 0)]).shape == (0,)


CONFIG = neat.Config(2, 1)
GENOME = neat.Genome(CONFIG, 0)


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        (([GENOME, 3], CONFIG), TypeError, r"genomes\[1\]"),
        ((3, CONFIG), TypeError, "genomes"),
        (([GENOME], 3), TypeError, "Config"),
        (([GENOME], neat.Config(3, 1)), ValueError, r"genomes\[0\]"),
        (([GENOME], CONFIG, [None]), TypeError, r"representatives\[0\]"),
        (([GENOME], CONFIG, [GENOME], [1]), ValueError, r"hints\[0\]"),
        (([GENOME], CONFIG, [GENOME], [-1]), ValueError, r"hints\[0\]"),
        (([GENOME], CONFIG, [GENOME], [0, 0]), ValueError, "hints"),
        (([GENOME], CONFIG, [], None, -1.0), ValueError, "threshold"),
        (([GENOME], CONFIG, [], None, float("nan")), ValueError, "threshold"),
        (([GENOME], CONFIG, [], None, "3"), TypeError, "threshold"),
    ])
def test_what_speciate_refuses(arguments, error, words):
    with pytest.raises(error, match=words):
        speciate(*arguments)


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ((GENOME, None, CONFIG), TypeError, "b must be a Genome"),
        ((3, GENOME, CONFIG), TypeError, "a must be a Genome"),
        ((GENOME, GENOME, None), TypeError, "Config"),
        ((GENOME, neat.Genome(neat.Config(2, 2), 0), CONFIG), ValueError, "b has"),
    ])
def test_what_distance_refuses(arguments, error, words):
    with pytest.raises(error, match=words):
        neat.distance(*arguments)
