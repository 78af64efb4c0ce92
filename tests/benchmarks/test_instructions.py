"""The comparison of counted instructions with recorded ones."""

import json
import os
import sys
from pathlib import Path
from unittest import mock

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def instructions(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))
    with mock.patch.dict(os.environ):       # the package tells libraries how many threads to use
        import benchmarks.instructions

    return benchmarks.instructions


def test_within_three_percent_nothing_is_reported(instructions):
    _, worse, better, new = instructions.compare({"a": 1029, "b": 971}, {"a": 1000, "b": 1000})
    assert (worse, better, new) == ([], [], [])


def test_each_direction_and_missing_figures_are_told_apart(instructions):
    counts = {"slower": 1031, "faster": 969, "unknown": 5}
    lines, worse, better, new = instructions.compare(counts, {"slower": 1000, "faster": 1000})
    assert (worse, better, new) == (["slower"], ["faster"], ["unknown"])
    assert ["<--" in line for line in lines] == [True, True, False]


@pytest.fixture
def counted(instructions, monkeypatch, tmp_path):
    """main() on two counts and an empty file of figures."""
    counts = {"step": 1000, "call": 100}
    results = tmp_path / "instructions.json"
    monkeypatch.setattr(instructions, "RESULTS", results)
    monkeypatch.setattr(instructions, "unavailable", lambda: None)
    monkeypatch.setattr(instructions, "count", lambda: (dict(counts), {"call"}))
    monkeypatch.setattr(instructions, "keys", lambda: ("gcc 1", "gcc 1, Python 3, NumPy 2"))
    return counts, results


def test_without_figures_it_says_so_and_fails_only_if_required(instructions, counted, capsys):
    assert instructions.main([]) == 0
    assert "no figures to compare with for step, call" in capsys.readouterr().out
    assert instructions.main(["--require"]) == 1


def test_update_then_compare(instructions, counted, capsys):
    counts, results = counted
    assert instructions.main(["--update"]) == 0
    assert json.loads(results.read_text()) == {
        "gcc 1": {"step": 1000},
        "gcc 1, Python 3, NumPy 2": {"call": 100},
    }
    assert instructions.main(["--require"]) == 0
    counts["step"] = 1100
    assert instructions.main([]) == 1
    counts["step"] = 900
    capsys.readouterr()
    assert instructions.main([]) == 1
    assert "--update" in capsys.readouterr().out


def test_other_figures_are_kept(instructions, counted):
    _, results = counted
    results.write_text(json.dumps({"clang 9": {"step": 7}}))
    instructions.main(["--update"])
    assert json.loads(results.read_text())["clang 9"] == {"step": 7}


def test_without_valgrind_nothing_is_counted(instructions, monkeypatch, capsys):
    monkeypatch.setattr(instructions.shutil, "which", lambda name: None)
    assert instructions.main([]) == 0
    assert "valgrind is not installed" in capsys.readouterr().out
    assert instructions.main(["--require"]) == 1


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only ELF files name it")
def test_the_compiler_is_read_from_the_kernels(instructions):
    pytest.importorskip("fastnet._kernels.avx2_float32")
    assert instructions.compiler().split()[0] in ("gcc", "clang")
