"""The rows that only ``--all`` runs: noise, ratios, sizes, and what is skipped."""

import importlib
import json
import math
import os
import subprocess
import sys
import zipfile
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
def context():
    """What a run knows, with nothing beside fastnet."""
    return SimpleNamespace(
        peers={}, repeats=1, seconds=1e-4, smoke=True, quick=False, wheel=None, processors=(0, 1),
        wrong=[],
    )  # fmt: skip


# ---- noise ---------------------------------------------------------------------------------------


def test_standard_error_of_a_mean(module):
    # deviations -1, 0, 1: variance 2 / 2, by the root of 3
    assert module("noise").mean_and_error([1.0, 2.0, 3.0]) == pytest.approx((2.0, 1 / 3**0.5))


def test_means_of_few_values(module):
    noise = module("noise")
    assert noise.mean_and_error([5.0, math.nan])[0] == 5.0
    assert math.isnan(noise.mean_and_error([5.0, math.nan])[1])
    assert math.isnan(noise.mean_and_error([])[0])


def test_distance_in_combined_errors(module):
    # errors 1 and 0, then 1 and 1, means 3 apart
    noise = module("noise")
    assert noise.distance([0.0, 2.0], [4.0, 4.0]) == pytest.approx(3.0)
    assert noise.distance([0.0, 2.0], [5.0, 3.0]) == pytest.approx(3 / 2**0.5)
    assert noise.distance([5.0, 3.0], [0.0, 2.0]) == pytest.approx(3 / 2**0.5)


def test_equal_is_less_than_two_errors_apart(module):
    noise = module("noise")
    assert noise.are_equal([0.0, 2.0], [2.99, 2.99])
    assert not noise.are_equal([0.0, 2.0], [3.0, 3.0])
    assert not noise.are_equal([0.0, 2.0], [-1.0, -1.0])


def test_equality_without_any_spread_or_without_an_error(module):
    noise = module("noise")
    assert noise.are_equal([1.0, 1.0], [1.0, 1.0])
    assert not noise.are_equal([1.0, 1.0], [1.5, 1.5])
    assert not noise.are_equal([1.0], [1.0])


def test_least_ratio(module):
    noise = module("noise")
    assert noise.least_ratio({"fastnet": 2.0, "a": 10.0, "b": 5.0, "c": math.nan}) == 2.5
    assert math.isnan(noise.least_ratio({"fastnet": 2.0}))
    assert math.isnan(noise.least_ratio({"fastnet": 0.0, "a": 1.0}))


# ---- accuracy ------------------------------------------------------------------------------------


def test_scores(module):
    tasks = module("accuracy").TASKS
    assert tasks["digits"].score(np.array([1, 2, 3, 4]), np.array([1, 2, 3, 0])) == 75.0
    y = np.array([1.0, 2.0, 3.0], "float32")
    assert tasks["diabetes"].score(y, y) == 1.0
    assert tasks["diabetes"].score(np.full((3, 1), 2.0), y) == 0.0
    # residuals 1, 0, 0 and deviations 1, 0, 1
    assert tasks["diabetes"].score(np.array([2.0, 2.0, 3.0]), y) == pytest.approx(0.5)


def test_a_split_is_standardized_by_its_training_rows(module):
    accuracy = module("accuracy")
    rng = np.random.default_rng(0)
    x, y = rng.normal(3, 5, (100, 4)), rng.normal(7, 2, 100)
    x[:, 2] = 1.5  # a constant column is only centered
    parts = accuracy.split(accuracy.TASKS["diabetes"], x, y, seed=1)
    x_train, y_train, x_test, y_test = parts
    assert [len(part) for part in parts] == [80, 80, 20, 20]
    assert all(part.dtype == np.float32 for part in parts)
    np.testing.assert_allclose(x_train.mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(x_train.std(axis=0), [1, 1, 0, 1], atol=1e-6)
    np.testing.assert_allclose([y_train.mean(), y_train.std()], [0, 1], atol=1e-6)
    assert abs(x_test[:, 0].mean()) > 1e-3
    again = accuracy.split(accuracy.TASKS["diabetes"], x, y, seed=1)
    assert all(np.array_equal(a, b) for a, b in zip(parts, again, strict=True))
    other = accuracy.split(accuracy.TASKS["diabetes"], x, y, seed=2)
    assert not np.array_equal(y_test, other[3])


def test_comparison_of_trainings(module):
    accuracy = module("accuracy")
    scores = {"fastnet": [96.0, 98.0], "sklearn": [97.0, 98.0], "torch": [90.0, 91.0]}
    times = {"fastnet": [0.01, 0.03], "sklearn": [0.3, 0.34], "torch": [0.2, 0.2]}
    row = accuracy.compare("accuracy: digits", accuracy.TASKS["digits"], scores, times)
    assert row.fastnet == pytest.approx(0.02)
    equal, unequal, speed = row.requirements
    assert equal.met
    assert equal.value == pytest.approx(0.5 / (1 + 0.25) ** 0.5)
    assert not unequal.met
    assert speed.met
    assert speed.value == pytest.approx(16)
    score, time = row.figures
    assert score.remark == "not that of PyTorch"
    assert score.values["fastnet"] == 97.0
    assert score.errors["sklearn"] == 0.5
    assert time.remark == "10 x"
    # pairs: -1 and 0
    assert row.details["accuracy above scikit-learn, in pairs"] == -0.5
    assert row.details["its standard error, scikit-learn"] == 0.5


def test_accuracy_alone(module):
    accuracy = module("accuracy")
    task = accuracy.TASKS["diabetes"]
    row = accuracy.compare("accuracy: diabetes", task, {"fastnet": [0.5]}, {"fastnet": [0.1]})
    assert row.requirements == []
    assert [figure.remark for figure in row.figures] == ["", ""]


def test_accuracy_without_scikit_learn(module, context, monkeypatch):
    accuracy = module("accuracy")
    monkeypatch.setattr(accuracy.importlib.util, "find_spec", lambda name: None)
    row = accuracy.run(context, "accuracy: digits", accuracy.TASKS["digits"])
    assert math.isnan(row.fastnet)
    assert "skipped" in row.note


# ---- sweeps --------------------------------------------------------------------------------------


def test_points_of_sweeps(module):
    sweeps = module("sweeps")
    assert sweeps.SWEEPS["width"][8].sizes == (64, 8, 8, 10)
    assert sweeps.SWEEPS["depth"][8].sizes == (64, *[64] * 8, 10)
    assert sweeps.SWEEPS["batch"][1].batch_size == 1
    assert sweeps.points("width") == [8, 16, 32, 64, 128, 256, 512]
    assert sweeps.points("width", quick=True) == [8, 32, 128, 512]
    assert sweeps.points("depth", quick=True) == [1, 4, 8]
    names = [sweeps.name_of(sweep, n) for sweep, jobs in sweeps.SWEEPS.items() for n in jobs]
    assert len(set(names)) == len(names)


def test_a_job_of_several_sweeps_is_run_once(module, context, monkeypatch):
    sweeps, report = module("sweeps"), module("report")
    seen = []

    def training(context, workload, job, ways):
        seen.append(job)
        return report.Row(workload, 1e-6)

    monkeypatch.setattr(sweeps.dense_rows, "training", training)
    runs = sweeps.Runs()
    rows = [runs(context, f"row {k}", sweeps.network()) for k in range(2)]
    assert [row.workload for row in rows] == ["row 0", "row 1"]
    assert {row.group for row in rows} == {"sweep"}
    assert seen == [sweeps.network()]


def test_table_of_a_sweep(module):
    sweeps, report = module("sweeps"), module("report")
    peers = {"torch fused": 1e-4, "jax scan": 4e-6, "jax scan flat": 3e-6}
    rows = [
        report.Row(sweeps.name_of("depth", 2), 2e-6, peers, group="sweep"),
        report.Row("another", 1.0),
    ]
    lines = sweeps.tables(rows).splitlines()
    assert len(lines) == 2
    assert lines[0].split() == [
        "depth", "fastnet", "PyTorch", "eager", "torch.compile", "JAX", "scan"
    ]  # fmt: skip
    assert lines[1].split() == ["2", "2", "us", "100", "us", "50x", "-", "-", "3", "us", "1.5x"]
    assert sweeps.tables(rows[1:]) == ""


# ---- threads -------------------------------------------------------------------------------------


def rounds_of(threads, monkeypatch, rounds, rejected=0, **ready):
    said = {"deviation": 0.0, "tolerance": 1.0, "parameters": "a"}
    workers = [said | ready, said, said]
    monkeypatch.setattr(threads, "measure", lambda context: (rounds, rejected, workers))


def test_speed_of_threads_is_that_over_one_of_two_processes(module, context, monkeypatch):
    threads = module("threads")
    rounds = [
        {"two threads": 180.0, "two processes": [90.0, 110.0], "one process": 120.0},
        {"two threads": 190.0, "two processes": [100.0, 100.0], "one process": 120.0},
        {"two threads": 100.0, "two processes": [100.0, 100.0], "one process": 125.0},
    ]
    rounds_of(threads, monkeypatch, rounds, rejected=2)
    row = threads.run(context, "threads")
    (requirement,) = row.requirements
    assert requirement.value == pytest.approx(1.8)
    assert requirement.met
    assert row.details["over one process alone"] == pytest.approx(1.5)
    assert row.details["two threads, rows/s"] == 180.0
    assert row.note == "2 rounds thrown away"
    assert context.wrong == []


def test_other_bits_with_threads_are_an_error(module, context, monkeypatch):
    threads = module("threads")
    turn = {"two threads": 2.0, "two processes": [1.0, 1.0], "one process": 1.0}
    rounds_of(threads, monkeypatch, [turn], parameters="b")
    assert "different parameters" in threads.run(context, "threads").note
    rounds_of(threads, monkeypatch, [turn], deviation=3.0)
    threads.run(context, "threads")
    assert len(context.wrong) == 2


def test_threads_on_one_processor_or_a_busy_machine(module, context, monkeypatch):
    threads = module("threads")
    context.processors = (0,)
    assert "two processors" in threads.run(context, "threads").note
    context.processors = (0, 1)
    rounds_of(threads, monkeypatch, [], rejected=4)
    row = threads.run(context, "threads")
    assert math.isnan(row.fastnet)
    assert row.note == "4 rounds thrown away"


# ---- memory and disk space -----------------------------------------------------------------------


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="peaks stay for ever")
def test_peak_memory_sees_arrays_also_after_larger_ones(module):
    footprint = module("footprint")
    np.ones(200_000_000, np.uint8)
    footprint.forget_peak()
    before = footprint.peak_memory()
    np.ones(100_000_000, np.uint8)
    assert 90e6 < footprint.peak_memory() - before < 150e6


def distribution(root, name, requires=(), size=1000):
    folder = root / f"{name}-1.0.dist-info"
    folder.mkdir()
    (root / f"{name}.py").write_bytes(b"#" * size)
    lines = ["Metadata-Version: 2.1", f"Name: {name}", "Version: 1.0"]
    lines += [f"Requires-Dist: {text}" for text in requires]
    (folder / "METADATA").write_text("\n".join(lines) + "\n")
    (folder / "RECORD").write_text(f"{name}.py,,\ngone-{name}.py,,\n")


def test_installed_size_with_requirements_beyond_numpy(module, monkeypatch, tmp_path):
    footprint = module("footprint")
    monkeypatch.syspath_prepend(str(tmp_path))
    distribution(
        tmp_path, "fnx_main",
        ["fnx.part>=1.0", "numpy>=2", "fnx-missing", "fnx_extra; extra == 'x'"], 5000,
    )  # fmt: skip
    distribution(tmp_path, "fnx_part", ["fnx-main"], 300)  # a circle
    distribution(tmp_path, "fnx_extra", size=70)
    assert footprint.installed_size("fnx-main") == {"fnx-main": 5000, "fnx-part": 300}


def test_size_in_a_wheel(module, tmp_path):
    path = tmp_path / "fastnet.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("fastnet/a.py", "x" * 5000)
        archive.writestr("fastnet/b.py", "x" * 300)
    assert module("footprint").size_of_fastnet(path) == (5300, "of the wheel")


# ---- all of it -----------------------------------------------------------------------------------


def test_every_row_can_be_named(module, capsys):
    dense = module("dense")
    assert dense.main(["--list"]) == 0
    some = capsys.readouterr().out.splitlines()
    assert dense.main(["--all", "--list"]) == 0
    every = capsys.readouterr().out.splitlines()
    assert every[: len(some)] == some
    for word in ("width", "depth", "batch", "accuracy", "threads", "memory", "installed", "in C"):
        assert any(word in name for name in every[len(some) :])
    assert dense.main(["--all", "--quick", "--list"]) == 0
    quick = capsys.readouterr().out.splitlines()
    assert len(some) < len(quick) < len(every)
    assert set(quick) <= set(every)


def test_smoke(tmp_path):
    """Rows of each kind run to their end where no other library is installed."""
    path = tmp_path / "dense.json"
    rows = ["width 8:", "accuracy: diabetes", "memory: 64-64-10", "installed"]
    command = [sys.executable, "-m", "benchmarks.dense", "--smoke", "--json", str(path)]
    done = subprocess.run(
        [*command, "--rows", *rows], cwd=ROOT, env=os.environ | {"PYTHONWARNINGS": "default"},
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    found = {row["group"]: row for row in json.loads(path.read_text(encoding="utf-8"))["rows"]}
    assert set(found) == {"sweep", "accuracy", "footprint"}
    assert found["sweep"]["fastnet"] > 0
    assert found["footprint"]["figures"][0]["values"]["fastnet"] > 0
    if importlib.util.find_spec("sklearn") is None:
        assert "skipped" in found["accuracy"]["note"]
    assert "width" in done.stdout
