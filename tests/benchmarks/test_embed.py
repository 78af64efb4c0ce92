"""The benchmark of calls from other languages: its networks, what counts as wrong, that it runs."""

import json
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def embed(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))
    from benchmarks import embed

    return embed


@pytest.fixture
def networks(embed):
    from benchmarks import embed_networks

    return embed_networks


def reachable(connections, start):
    """Nodes that enabled connections lead to, one step or more away."""
    found, left = set(), [start]
    while left:
        node = left.pop()
        new = {c[2] for c in connections if c[4] and c[1] == node} - found
        found |= new
        left += new
    return found


@pytest.mark.parametrize("is_recurrent", [False, True])
def test_grown_networks(embed, networks, is_recurrent):
    for shape in embed.GRAPHS[:2]:
        plain = networks.grown(shape, is_recurrent, seed=1)
        assert len(plain.enabled) == shape.n_connections
        assert len(plain.biases) == shape.n_outputs + shape.n_hidden
        assert len({(c[1], c[2]) for c in plain.connections}) == len(plain.connections)
        assert not {c[2] for c in plain.connections} & set(plain.inputs)
        has_cycle = any(node in reachable(plain.connections, node) for node in plain.biases)
        assert has_cycle == is_recurrent


def test_steps_are_synchronous(networks):
    # input 0 -> output 1 -> hidden 2 -> output 1: what an input does comes back two steps later
    plain = networks.PlainNetwork(
        1, 1, ((0, 0, 1, 2.0, True), (1, 1, 2, 3.0, True), (2, 2, 1, -1.0, True),
               (3, 2, 2, 9.0, False)), {1: 0.0, 2: 0.5}, "sigmoid")  # fmt: skip

    def sigmoid(z):
        return 1 / (1 + math.exp(-z))

    first = sigmoid(2.0)
    second = sigmoid(-2.0 - sigmoid(0.5))
    third = sigmoid(-sigmoid(3 * first + 0.5))
    outputs = networks.steps(plain, np.array([[1.0], [-1.0], [0.0]]))
    np.testing.assert_allclose(outputs[:, 0], [first, second, third], rtol=1e-15)


@pytest.mark.parametrize("kind", ["independent", "dependent"])
def test_other_numbers_are_wrong(embed, networks, kind):
    dense = networks.Dense((8, 8), "tanh")
    graph = networks.Graph(embed.GRAPHS[0])
    for subject, small, large in ((dense, 1e-7, 1e-3), (graph, 1e-16, 1e-6)):
        right = subject.expected[kind]
        assert subject.error(kind, right + small) <= 1
        assert subject.error(kind, right + large) > 1
        assert subject.error(kind, right + math.nan) > 1


def test_dependent_calls(networks):
    """Outputs are the first inputs of the next call, and the other inputs stay."""
    subject = networks.Dense((4, 64, 64, 2), "relu")
    net = subject.network()
    x = subject.rows[0].copy()
    for _ in range(networks.ROWS):
        x[:2] = net(x)
    assert subject.error("dependent", x[:2]) <= 1
    assert subject.error("dependent", net(subject.rows[0])) > 1


def test_the_time_that_a_loop_took_itself_counts(embed):
    clock = iter([0.0, 7.0, 10.0, 17.0])
    stopwatch = embed.Stopwatch(lambda: next(clock), iter([0.0, 7.0, 0.0, 7.0]).__next__)
    assert stopwatch(lambda: 6.5) == (6.5, 6.5, 1.0)
    assert stopwatch(lambda: None) == (None, 7.0, 1.0)


def test_requirements(embed):
    def times(*seconds):
        return embed.timing.Timing(list(seconds), rounds=list(range(len(seconds))))

    long = {"C": times(20e-9, 40e-9), "exported C -O3 native": times(30e-9, 30e-9)}
    short = {"C": times(20e-9, 40e-9), "kernel": times(14e-9, 34e-9),
             "Cython": times(24e-9, 41e-9)}  # fmt: skip
    row = embed.row("8x8 tanh, independent", long, short, 25)
    assert [(str(r), pytest.approx(r.value), r.met) for r in row.requirements] == [
        ("time <= 25 ns", 30.0, False),
        ("C beyond kernel <= 5 ns", 6.0, False),
        ("Cython beyond C <= 5 ns", 2.5, True),
        ("exported C -O3 native, of C <= 1.2 x", 1.0, True),
    ]
    assert "time" not in str(embed.row("dependent", long, short, None).requirements)


def test_without_a_compiler(embed, monkeypatch):
    monkeypatch.setattr(embed.code.shutil, "which", lambda name: None)
    with pytest.raises(SystemExit, match="a C compiler is needed"):
        embed.main(["--smoke", "--rows", "8x8"])


def test_what_is_missing_is_left_out(embed, networks, monkeypatch, tmp_path, compile_c):
    def missing(argument):
        raise embed.code.Missing("not here")

    monkeypatch.setattr(embed.code, "cython_module", missing)
    monkeypatch.setattr(embed.code, "numba_loops", missing)
    subject = networks.Dense((8, 8), "tanh")
    tools = embed.Tools([subject], tmp_path)
    assert tools.missing == ["without Cython: not here", "without numba: not here"]
    ways = embed.Ways(tools, subject, "independent")
    assert not {"kernel", "Cython", "numba"} & ways.runs.keys()
    assert ways.wrong() == {}
    ways.runs["C"] = lambda n: -1.0
    ways.runs["ctypes"] = lambda n: None
    assert ways.wrong().keys() == {"C", "ctypes"}


def test_smoke(embed, tmp_path, compile_c):
    path = tmp_path / "results.json"
    command = [sys.executable, "-m", "benchmarks.embed", "--smoke", "--json", str(path),
               "--rows", "8x8", "4-64-64-2", "5 connections"]  # fmt: skip
    run = subprocess.run(
        command, capture_output=True, text=True, timeout=240, cwd=ROOT, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    rows = json.loads(path.read_text("utf-8"))["rows"]
    assert [row["workload"] for row in rows] == [
        "8x8 tanh, independent", "8x8 tanh, dependent",
        "4-64-64-2 relu, independent", "4-64-64-2 relu, dependent",
        "5 connections, feed-forward, independent", "5 connections, feed-forward, dependent",
        "5 connections, recurrent step, dependent",
    ]  # fmt: skip
    assert all(row["fastnet"] > 0 for row in rows)
