"""The benchmark of NEAT: translation of genomes, what counts as the same network, the report."""

import dataclasses
import importlib
import json
import math
import os
import random
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def module(monkeypatch):
    """Imports a module of benchmarks."""
    monkeypatch.syspath_prepend(str(ROOT))

    def load(name):
        with mock.patch.dict(os.environ):  # the package tells libraries how many threads to use
            return importlib.import_module(f"benchmarks.{name}")

    return load


@pytest.fixture
def plain_networks(module):
    return module("neat_networks")


@pytest.fixture
def peer(module):
    pytest.importorskip("neat.nn")
    return module("peers.neat_python_peer")


@pytest.fixture
def example(plain_networks):
    """Inputs 0 and 1, output 2, hidden 3; the connection 1 -> 2 is disabled."""
    connections = (
        (1, 0, 2, 0.5, True),
        (2, 1, 2, -7.0, False),
        (3, 1, 3, -2.0, True),
        (4, 3, 2, 1.5, True),
    )
    return plain_networks.PlainNetwork(2, 1, connections, {2: 0.25, 3: -0.75}, "sigmoid")


# ---- plain networks ------------------------------------------------------------------------------


def test_value_of_a_plain_network(example):
    (value,), (error,) = example.evaluate([3.0, -1.0])
    hidden = 1 / (1 + math.exp(-1.25))  # -0.75 + -2 * -1
    assert value == pytest.approx(1 / (1 + math.exp(-(0.25 + 1.5 + 1.5 * hidden))), rel=1e-15)
    assert 0 < error < 1e-14
    relu = dataclasses.replace(example, activation="relu")
    assert relu.evaluate([3.0, -1.0])[0] == [0.25 + 1.5 + 1.5 * 1.25]
    assert relu.evaluate([0.0, 1.0])[0] == [0.25]


def test_order_and_parameters(example):
    assert example.order() == [(3, [(1, -2.0)]), (2, [(0, 0.5), (3, 1.5)])]
    assert example.parameters == [0.5, -2.0, 1.5, 0.25, -0.75]
    cycle = dataclasses.replace(
        example, connections=(*example.connections, (5, 2, 3, 1.0, True))
    )
    with pytest.raises(ValueError, match="has a cycle"):
        cycle.order()


@pytest.mark.parametrize("activation", ["sigmoid", "relu"])
def test_rounding_is_within_its_bound_and_not_far_from_it(example, activation):
    """Float32 arithmetic by NumPy beside float64, on a thousand inputs."""
    plain = dataclasses.replace(example, activation=activation)
    rng = np.random.default_rng(0)
    largest = 0.0
    f = np.float32

    def act(z):
        return np.maximum(z, f(0)) if activation == "relu" else f(1) / (f(1) + np.exp(-z))

    for x in rng.normal(0, 3, (1000, 2)):
        (value,), (error,) = plain.evaluate(x, "float32")
        a, b = x.astype(f)
        hidden = act(f(-0.75) + f(-2.0) * b)
        found = act((f(0.25) + f(0.5) * a) + f(1.5) * hidden)
        if error:
            largest = max(largest, abs(float(found) - value) / error)
        else:
            assert found == value
    assert 0.01 < largest <= 1


def test_deviation(plain_networks, example):
    rows = np.random.default_rng(0).normal(size=(5, 2))
    outputs = np.array([example.evaluate(x)[0] for x in rows])
    assert plain_networks.deviation(example, rows, outputs) == 0.0
    assert plain_networks.deviation(example, rows, outputs * (1 + 2**-52)) <= 1
    assert plain_networks.deviation(example, rows, outputs + 1e-9) > 1e3
    assert plain_networks.deviation(example, rows, outputs + 1e-9, "float32") <= 1
    with pytest.raises(ValueError, match="shorter"):
        plain_networks.deviation(example, rows, outputs[:4])
    outputs[3] = math.nan
    assert plain_networks.deviation(example, rows, outputs) == math.inf


def test_a_network_that_is_off_where_nothing_is_rounded(plain_networks, example):
    dead = dataclasses.replace(example, connections=(), biases={2: -1.0}, activation="relu")
    assert plain_networks.deviation(dead, [[0.0, 0.0]], [[0.0]]) == 0.0
    assert plain_networks.deviation(dead, [[0.0, 0.0]], [[1e-12]]) > 1


def test_threshold_between_lineages(plain_networks):
    # two lineages about 0 and 10: within them 1 and 3, between the first of one and the second
    # of the other 13 - 0 and, the other way, 10 - 1; pairs are taken once
    members = [0.0, 10.0, 1.0, 13.0, 99.0]
    threshold = plain_networks.threshold_between(members, 2, lambda a, b: abs(a - b))
    assert threshold == (2.0 + 9.0) / 2
    assert plain_networks.threshold_between([0.0, 1.0], 1, lambda a, b: abs(a - b)) > 1


# ---- neat-python ---------------------------------------------------------------------------------


def test_shapes_are_reached(module, peer):
    neat = module("neat")
    for n, shape in neat.NETWORKS.items():
        genome, config = peer.grown(shape)
        evaluated = peer.network(genome, config).node_evals
        # All of them count: neither nodes nor connections are dead
        assert len(evaluated) == {5: 3, 50: 14, 500: 165}[n]
        assert sum(len(links) for *_, links in evaluated) == n
    for n, shape in neat.GENOMES.items():
        if n < 1000:
            genome, _ = peer.grown(shape, counted=peer.n_genes)
            assert len(genome.connections) == n
            assert len(genome.nodes) == shape.n_outputs + shape.n_hidden


def test_growing_is_repeatable_and_ends(peer, plain_networks):
    shape = plain_networks.Shape(2, 1, 3, 9)
    first, config = peer.grown(shape, seed=4)
    second, _ = peer.grown(shape, seed=4)
    other, _ = peer.grown(shape, seed=5)
    translated = [peer.translate(genome, config) for genome in (first, second, other)]
    assert translated[0] == translated[1] != translated[2]
    with pytest.raises(ValueError, match="cannot have 100 connections"):
        peer.grown(plain_networks.Shape(2, 1, 1, 100))
    with pytest.raises(ValueError, match="cannot have 3 connections"):
        peer.grown(plain_networks.Shape(2, 1, 9, 3))


def test_translation_of_a_genome(peer):
    config = peer.configuration(2, 1)
    genome = peer.new_genome(config)
    settings = config.genome_config
    genome.nodes[7] = genome.create_node(settings, 7)
    genome.connections.clear()
    genome.add_connection(settings, -1, 0, 0.5, True, innovation=3)
    genome.add_connection(settings, -2, 7, 2.0, True, innovation=9)
    genome.add_connection(settings, 7, 0, -1.0, False, innovation=5)
    genome.nodes[0].bias, genome.nodes[0].response = 0.2, 3.0
    genome.nodes[7].bias, genome.nodes[7].response = -0.4, 0.5
    plain = peer.translate(genome, config)
    # f(5 (bias + response sum)); input -1 is 0 and -2 is 1, output 0 is 2, hidden 7 is 9
    assert plain.connections == (
        (3, 0, 2, 7.5, True),
        (5, 9, 2, -15.0, False),
        (9, 1, 9, 5.0, True),
    )
    assert plain.biases == {2: 1.0, 9: -2.0}
    assert (plain.n_inputs, plain.n_outputs, plain.activation) == (2, 1, "sigmoid")
    genome.nodes[7].activation = "tanh"
    with pytest.raises(ValueError, match="activations"):
        peer.translate(genome, config)


@pytest.mark.parametrize("activation", ["sigmoid", "relu"])
@pytest.mark.parametrize("n", [5, 50, 500])
def test_translated_networks_are_the_same(module, peer, plain_networks, n, activation):
    shape = module("neat").NETWORKS[n]
    genome, config = peer.grown(shape, seed=n, activation=activation)
    for node in genome.nodes.values():
        node.response = random.Random(n).uniform(0.5, 1.5)
    rows = np.random.default_rng(n).normal(size=(5, shape.n_inputs))
    outputs = [peer.network(genome, config).activate(x) for x in rows.tolist()]
    plain = peer.translate(genome, config)
    assert plain_networks.deviation(plain, rows, outputs) <= 1
    # and a small mistake is seen: one bias is off by 1e-4
    output = shape.n_inputs
    wrong = dataclasses.replace(plain, biases=plain.biases | {output: plain.biases[output] + 1e-4})
    assert plain_networks.deviation(wrong, rows, outputs) > 1


def test_lineages_share_half_and_number_alike(module, peer):
    shape = module("neat").GENOMES[55]
    _, founders = peer.lineages(shape, 4)
    numbers = {}
    for founder in founders:
        assert len(founder.connections) == 55
        for key, gene in founder.connections.items():
            assert numbers.setdefault(key, gene.innovation) == gene.innovation
    assert len(set(numbers.values())) == len(numbers)
    shared = set.intersection(*(set(founder.connections) for founder in founders))
    assert 20 < len(shared) < 40


def test_every_turn_starts_from_the_same_population(module, peer):
    config, founders = peer.lineages(module("neat").GENOMES[17], 3)
    run = peer.GenerationRun(founders, config, np.linspace(0, 1, 30))
    found = []
    for _ in range(2):
        run.prepare()
        found.append({
            key: (sorted(species.members), species.representative.key, species.last_improved,
                  list(species.fitness_history))
            for key, species in run.species.species.items()
        })  # fmt: skip
        run.run()
        assert run.n_bred == 30
    assert found[0] == found[1]
    keys = [key for members, *_ in found[0].values() for key in members]
    assert sorted(keys) == list(range(1, 31))
    assert len(found[0]) >= 3
    assert len(run.seconds) == 2
    assert min(min(parts) for parts in run.seconds) > 0


def test_xor_runs_have_other_seeds(peer):
    run = peer.XorRun(20)
    best = []
    for _ in range(2):
        run.prepare()
        run.run(2)
        best.append(max(genome.fitness or 0 for genome in run.population.population.values()))
    assert run.seed == 2
    assert best[0] != best[1]
    assert run.mean_size() >= 2


# ---- the report ----------------------------------------------------------------------------------


def test_turns_of_slow_peers(module):
    rows = module("neat_rows")
    assert [rows.turns(s, 9) for s in (0.5, 1.5, 10.0)] == [9, 5, 3]
    assert rows.turns(10.0, 1) == 1


def test_a_generation_is_measured_once_for_its_parts(module, monkeypatch):
    rows, timing = module("neat_rows"), module("timing")
    measured = []

    def generation(context, population_size, shape):
        measured.append(population_size)
        timings = {name: timing.Timing([s]) for name, s in (("fastnet", 4e-3), ("neat-python", 2))}
        shares = {"fastnet": [0.75, 0.25], "neat-python": [0.5, 0.5]}
        return timings, shares, {"species": 8}, None, []

    monkeypatch.setattr(rows, "generation", generation)
    run = rows.Generations()
    parts = ("reproduction", "speciation", "both")
    found = [run(None, part, 1000, "shape", part, limit=2.5) for part in parts]
    assert measured == [1000]
    assert [row.fastnet for row in found] == pytest.approx([3e-3, 1e-3, 4e-3])
    assert [row.peers for row in found] == [{"neat-python": s} for s in (1, 1, 2)]
    assert [row.requirements[0].met for row in found] == [False, True, False]
    assert found[2].details == {"species": 8}
    run(None, "other", 150, "shape")
    assert measured == [1000, 150]


def test_what_would_take_too_long_is_marked(module, monkeypatch):
    rows, report, timing = module("neat_rows"), module("report"), module("timing")
    timings = {"fastnet": timing.Timing([8e-3])}
    monkeypatch.setattr(
        rows, "generation", lambda *_: (timings, {"fastnet": [0.5, 0.5]}, {}, 140.0, [])
    )
    row = rows.Generations()(None, "large", 10_000, "shape", limit=10)
    assert row.estimates == {"neat-python": 140.0}
    assert row.peers == {}
    assert row.requirements[0].met
    assert "not run, about 140 s" in report.text(row)
    assert row.as_dict()["estimates"] == {"neat-python": 140.0}
    results = {"machine": "M", "isa": "avx2", "peak_gflops": None, "rows": [row.as_dict()]}
    line = module("table").table(results).splitlines()[-1]
    assert line == "| large | 8 ms | about 140 s, not run | - |"


def test_an_estimate_grows_with_the_population_and_its_species(module):
    rows = module("neat_rows")
    run = SimpleNamespace(run=None, prepare=None, seconds=[(1.0, 0.5), (9.0, 9.0), (0.5, 0.25)])
    made = []

    def generation_run(founders, config, fitness):
        made.append((len(founders), len(fitness)))
        return run

    peer = SimpleNamespace(GenerationRun=generation_run)
    founders = [None] * (4 * rows.SAMPLE_FOUNDERS)
    found = rows.estimated(mock.Mock(), peer, founders, None, 10 * rows.SAMPLE)
    # the median turn is (1, 0.5): 10 times the genomes, each beside 4 times the species
    assert found == 10 * (1.0 + 4 * 0.5)
    assert made == [(rows.SAMPLE_FOUNDERS, rows.SAMPLE)]
    assert rows.estimated(None, peer, founders, None, rows.SAMPLE) == 0.0


def test_founders_of_a_population(module):
    rows, shapes = module("neat_rows"), module("neat").GENOMES
    found = [rows.n_founders(size, shapes[10]) for size in (50, 150, 1000, 10_000)]
    assert found == [4, 6, 40, 400]
    assert rows.n_founders(10_000, shapes[1000]) == 40


def test_other_networks_are_refused(module):
    rows, dense_rows = module("neat_rows"), module("dense_rows")
    context = SimpleNamespace(wrong=[])
    entry = dense_rows.Entry({"fastnet": 1, "neat-python": 2}, [])
    rows.refuse_others(context, entry, "neat-python", 1.0)
    assert context.wrong == entry.notes == []
    rows.refuse_others(context, entry, "fastnet", 7.0)
    rows.refuse_others(context, entry, "neat-python", math.inf)
    assert list(entry.adapters) == ["fastnet"]
    assert len(context.wrong) == len(entry.notes) == 2
    assert "7 times what rounding explains" in context.wrong[0]


def test_rows_can_be_named(module, capsys):
    neat = module("neat")
    assert neat.main(["--list"]) == 0
    names = capsys.readouterr().out.splitlines()
    assert len(names) == len(set(names)) > 20
    assert neat.main(["--list", "--rows", "xor", "ACTIVATE"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 5
    with pytest.raises(SystemExit):
        neat.main(["--rows", "nothing"])
    assert "none has nothing in its name" in capsys.readouterr().err


def test_without_the_peer(module, monkeypatch, capsys):
    neat = module("neat")
    monkeypatch.setitem(neat.peers.NEAT_PEERS, "neat-python", ("benchmarks.peers", "no_such_name"))
    with pytest.raises(SystemExit):
        neat.main(["--smoke"])
    assert "pip install neat-python==2.0.0" in capsys.readouterr().err


# ---- beside fastnet ------------------------------------------------------------------------------


@pytest.mark.parametrize("activation", ["sigmoid", "relu"])
def test_networks_of_fastnet_are_the_same(module, plain_networks, example, activation, dtype):
    adapter = module("neat_adapter")
    plain = dataclasses.replace(example, activation=activation)
    net = adapter.network(plain, dtype)
    rows = np.random.default_rng(1).normal(size=(20, 2))
    assert plain_networks.deviation(plain, rows, net(rows), dtype) <= 1
    one_by_one = [net.activate(x) for x in rows.tolist()]
    assert plain_networks.deviation(plain, rows, one_by_one, dtype) <= 1


def test_smoke(tmp_path):
    """Every row runs to its end, and both compute the same numbers."""
    pytest.importorskip("neat.nn")
    path = tmp_path / "neat.json"
    command = [sys.executable, "-m", "benchmarks.neat", "--smoke", "--json", str(path)]
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | {"PYTHONWARNINGS": "default"},
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "computes something else" not in done.stdout
    rows = json.loads(path.read_text(encoding="utf-8"))["rows"]
    assert len(rows) > 15
    for row in rows:
        assert row["fastnet"] > 0
        if "child" not in row["workload"]:
            assert row["peers"]["neat-python"] > 0


# ---- poles ---------------------------------------------------------------------------------------


def test_smoke_of_the_poles():
    command = [sys.executable, "-m", "benchmarks.neat_poles", "--smoke"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    for words in ("one episode, ", "episodes in lanes", "requirements met"):
        assert words in run.stdout


def test_work_goes_on_until_the_time_is_over(module):
    threads = module("threads")
    calls = []
    start = time.monotonic()
    answer = threads.work(lambda: calls.append(1) or 5, start, 0.02)
    assert time.monotonic() - start >= 0.02
    assert answer["rate"] >= 5 * len(calls) / (time.monotonic() - start)
    calls.clear()
    threads.work(lambda: calls.append(1) or 5, time.monotonic() - 1, 0.0)
    assert calls == [1]
