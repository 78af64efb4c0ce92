"""What document 001 says of NEAT (tests/data/seed_cases.json), and its worked examples.

Compared as the file says: |got - expected| <= tol max(1, |expected|); flags, ids and counts are
equal.  The genomes of figures 3 to 5 are those of Stanley & Miikkulainen 2002.
"""

import json
import math
from pathlib import Path

import numpy as np
import pytest

import fastnet as fn
from fastnet import neat

FILE = Path(__file__).parents[1] / "data" / "seed_cases.json"
CASES = {
    case["id"]: case for case in json.loads(FILE.read_text("utf-8"))["cases"]
    if case["id"].startswith("001.neat.")
}
FIGURE_3 = sorted(name for name in CASES if "fig3" in name)
X = [1.0, 0.5, -0.25]
PARENT_1 = CASES["001.neat.compatibility_c3_0.4"]["inputs"]["parent1"]
PARENT_2 = CASES["001.neat.compatibility_c3_0.4"]["inputs"]["parent2"]
FIGURE_5 = CASES["001.neat.timesteps_fig3_identity"]["inputs"]["genes"][:6]


def make(genes, inputs=(1, 2, 3), outputs=(4,), **fields):
    config = neat.Config.time_step(len(inputs), len(outputs), **fields)
    return neat.Genome.from_connections(
        config, [tuple(gene) for gene in genes], inputs=inputs, outputs=outputs)


def check(got, expected, tolerance):
    """expected: a decimal string, a number or None (not activated)."""
    if expected is None:
        assert np.isnan(got)
    else:
        expected = float(expected)
        assert abs(got - expected) <= tolerance * max(1, abs(expected)), (got, expected)


def case_of(name, **fields):
    case = CASES[name]
    inputs = case["inputs"]
    ids = tuple(int(i) for i in inputs["inputs"])
    genome = make(
        inputs["genes"], ids, tuple(inputs["outputs"]), activation=inputs["activation"], **fields)
    return genome, list(inputs["inputs"].values()), case["expected"], case["tol"]


def test_every_case_of_the_file_is_tested():
    assert set(CASES) == {
        *FIGURE_3, "001.neat.timesteps_oscillator", "001.neat.timesteps_fig4_parent2_tanh",
        "001.neat.compatibility_c3_0.4", "001.neat.weight_mutation"}
    assert len(FIGURE_3) == 3


def check_table(genome, x, table, tolerance):
    """table: node -> its values after 0, 1, ... steps."""
    n_steps = len(next(iter(table.values()))) - 1
    network = genome.network()
    trace = network.trace(x, n_steps)
    ids = [int(node) for node in network.node_ids]
    assert trace.shape == (n_steps + 1, len(ids))
    for node, values in table.items():
        for got, expected in zip(trace[:, ids.index(node)], values, strict=True):
            check(got, expected, tolerance)
    for node, value in zip(genome.nodes["id"][: len(x)], x, strict=True):
        assert (trace[:, ids.index(node)] == value).all()


@pytest.mark.parametrize("name", FIGURE_3)
def test_figure_3(name):
    genome, x, expected, tolerance = case_of(name)
    retain = expected["retain"]
    check_table(genome, x, {4: retain["node4"], 5: retain["node5"]}, tolerance)
    for limit in (1, 2, 5, 12):
        genome, *_ = case_of(name, step_limit=limit)
        check(genome.network()(x)[0], retain["node4"][limit], tolerance)
        [y] = genome.network().activate(x)
        check(y, retain["node4"][limit], tolerance)
    genome, *_ = case_of(name, step_limit=400)
    check(genome.network()(x)[0], expected["limit_400_steps"]["node4"], tolerance)
    genome = neat.Genome.from_connections(
        genome.config.replace(n_outputs=2), CASES[name]["inputs"]["genes"],
        inputs=(1, 2, 3), outputs=(4, 5))
    for y, node in zip(genome.network()([x, x])[1], ("node4", "node5"), strict=True):
        check(y, expected["limit_400_steps"][node], tolerance)


def test_oscillator_that_only_the_step_limit_stops():
    name = "001.neat.timesteps_oscillator"
    genome, x, expected, tolerance = case_of(name)
    check_table(genome, x, {2: expected["node2"], 3: expected["node3"]}, tolerance)
    for limit in range(1, 21):
        genome, *_ = case_of(name, step_limit=limit)
        # An output that was never activated counts 0
        check(genome.network()(x)[0], expected["node2"][limit] or 0, tolerance)


def test_acyclic_genome_becomes_quiet_by_itself():
    genome, x, expected, tolerance = case_of("001.neat.timesteps_fig4_parent2_tanh")
    assert [int(node) for node in genome.nodes["id"]] == expected["nodes"]
    table = expected["table"]
    last = [table[-1]] * 3
    check_table(genome, x, {node: [row[str(node)] for row in table + last] for node in (4, 5, 6)},
                tolerance)
    check(genome.network()(x)[0], expected["output"], tolerance)
    check(genome.network(mode="feed_forward")(x)[0], expected["output"], tolerance)
    genome, *_ = case_of("001.neat.timesteps_fig4_parent2_tanh", step_limit=1)
    check(genome.network()(x)[0], expected["first_output"], tolerance)


@pytest.mark.parametrize("normalization", ["size", "one"])
def test_compatibility(normalization):
    case = CASES["001.neat.compatibility_c3_0.4"]
    coefficients = {
        "c_excess": float(case["inputs"]["c1"]), "c_disjoint": float(case["inputs"]["c2"]),
        "c_weight": case["inputs"]["c3"]}
    a = make(PARENT_1, distance_normalization=normalization, **coefficients)
    b = make(PARENT_2, distance_normalization=normalization, **coefficients)
    expected = case["expected"]["N_larger" if normalization == "size" else "N_one"]
    for first, second in ((a, b), (b, a)):
        check(neat.distance(first, second, a.config), expected["delta"], case["tol"])
    for name, count in (("c_excess", "excess"), ("c_disjoint", "disjoint")):
        only = {"c_excess": 0.0, "c_disjoint": 0.0, "c_weight": 0.0, name: 1.0}
        config = a.config.replace(distance_normalization="one", **only)
        assert neat.distance(a, b, config) == len(expected[count])


def test_weight_mutation():
    case = CASES["001.neat.weight_mutation"]
    expected, w = case["expected"], case["inputs"]["w"]
    genes = [(i, 1, 4 + i, w, True) for i in range(999)] + [(999, 2, 4, 0.0, True)]
    genome = make(genes)
    rng = fn.RandomStream(3)
    factors = []
    for _ in range(40):
        child = genome.copy()
        assert child.scale_weights(rng)
        assert child.connections["weight"][-1] == 0
        factors.append(child.connections["weight"][:-1] / w)
    factors = np.concatenate(factors)
    low, high = (float(end) for end in expected["support"])
    assert low <= factors.min() < 0.001
    assert 1.999 < factors.max() < high
    # 39,960 draws: 5 standard errors are 0.0145 of the mean, 0.0075 of the variance, 0.025 of log
    assert abs(factors.mean() - expected["mean_multiplier"]) < case["tol"]
    assert abs(factors.var() - float(expected["var_multiplier"])) < case["tol"]
    mean_log = np.log(factors).mean()
    assert abs(mean_log - float(expected["mean_log_multiplier"])) < 5 / math.sqrt(factors.size)


# Crossover of figure 4: parent p's gene k has the weight p + k / 100


def parents(**fields):
    return make(PARENT_1, **fields), make(PARENT_2, **fields)


def children(a, b, fitness, n=200):
    rng = fn.RandomStream(3)
    return [neat.crossover(a, b, a.config, rng, fitness=fitness) for _ in range(n)]


@pytest.mark.parametrize(
    ("rule", "fitness", "innovations", "nodes"),
    [
        ("fitter", (2.0, 1.0), {1, 2, 3, 4, 5, 8}, 5),
        ("fitter", (1.0, 2.0), {1, 2, 3, 4, 5, 6, 7, 9, 10}, 6),
        ("fitter", (1.0, 1.0), {1, 2, 3, 4, 5}, 5),
        ("either", (2.0, 1.0), set(range(1, 11)), 6),
        ("either", (1.0, 2.0), set(range(1, 11)), 6),
        ("either", (1.0, 1.0), set(range(1, 11)), 6)])
def test_figure_4(rule, fitness, innovations, nodes):
    a, b = parents(crossover=rule)
    copies = {innovation: set() for innovation in innovations}
    for child in children(a, b, fitness):
        assert set(child.connections["innovation"].tolist()) == innovations
        assert child.nodes["id"].tolist() == list(range(1, nodes + 1))
        for gene in child.connections:
            copies[int(gene["innovation"])].add((float(gene["weight"]), bool(gene["enabled"])))
    # 200 coins that all fall on one side: 2^-199
    expected = {i: {(1 + i / 100, True), (2 + i / 100, True)} for i in (1, 3, 4)}
    expected[2] = {(1.02, False), (2.02, False)}
    expected[5] = {(1.05, True)}
    expected |= {i: {(2 + i / 100, True)} for i in (6, 7, 9, 10)} | {8: {(1.08, True)}}
    assert copies == {i: expected[i] for i in innovations}


def test_figure_4_where_a_tie_takes_all():
    a, b = parents(tie="both")
    for child in children(a, b, (1.0, 1.0), n=20):
        assert child.connections["innovation"].tolist() == list(range(1, 11))


# Mutations of figure 5


def ends(genome):
    return {
        int(gene["innovation"]): (
            int(gene["source"]), int(gene["target"]), float(gene["weight"]), bool(gene["enabled"]))
        for gene in genome.connections
    }


def test_figure_5():
    genome = make(FIGURE_5)
    other = genome.copy()
    registry = neat.InnovationRegistry(genome.config, genomes=[genome])
    for each in (genome, other):
        before = ends(each)
        assert each.add_connection(1, registry, source=3, target=5, weight=0.25)
        assert ends(each) == before | {7: (3, 5, 0.25, True)}
        before = ends(each)
        assert each.add_node(1, registry, connection=3)
        assert ends(each) == before | {
            3: (3, 4, 0.5, False), 8: (3, 6, 1.0, True), 9: (6, 4, 0.5, True)}
        assert each.nodes["id"].tolist() == [1, 2, 3, 4, 5, 6]
    assert genome == other
    assert not genome.add_node(1, registry, connection=3)
    assert genome == other
    assert genome.toggle_connection(1, innovation=3)
    assert ends(genome)[3] == (3, 4, 0.5, True)
    before = ends(genome)
    assert genome.add_node(1, registry, connection=3)
    assert ends(genome) == before | {
        3: (3, 4, 0.5, False), 10: (3, 7, 1.0, True), 11: (7, 4, 0.5, True)}


def test_candidates_of_figure_5():
    genome = make(FIGURE_5)
    registry = neat.InnovationRegistry(genome.config, genomes=[genome])
    rng = fn.RandomStream(3)
    found = set()
    for _ in range(100):
        child = genome.copy()
        assert child.add_connection(rng, registry)
        source, target, _, _ = next(
            gene for innovation, gene in ends(child).items() if innovation not in ends(genome))
        found.add((source, target))
    assert found == {(3, 5), (4, 5)}
    assert genome.add_connection(rng, registry)
    assert genome.add_connection(rng, registry)
    assert not genome.add_connection(rng, registry)


@pytest.mark.parametrize(
    ("activation", "before", "after"),
    [("identity", 0.855, 0.855), ("sigmoid", 0.69894416376, 0.766058393358)])
def test_a_split_is_not_neutral(activation, before, after):
    genome = make(FIGURE_5, activation=activation)
    registry = neat.InnovationRegistry(genome.config, genomes=[genome])
    assert genome.network()(X)[0] == pytest.approx(before, abs=1e-11)
    assert genome.add_node(1, registry, connection=3)
    assert genome.network()(X)[0] == pytest.approx(after, abs=1e-11)
    assert genome.network(mode="feed_forward")(X)[0] == pytest.approx(after, abs=1e-11)


def test_readings_that_lose_signal():
    """Parent 1 of figure 4: retained activations, as if it were feed-forward."""
    genome = make(PARENT_1, activation="sigmoid")
    assert genome.network()(X)[0] == pytest.approx(0.835637328617, abs=1e-12)
    genome = make(PARENT_1, activation="sigmoid", step_limit=1)
    assert genome.network()(X)[0] == pytest.approx(0.679723192472, abs=1e-12)
