"""The timing of benchmarks against clocks that do as they are told."""

import importlib.util
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def load(name):
    # By path: the tests may run against an installed fastnet, with the repository out of sys.path.
    spec = importlib.util.spec_from_file_location(
        f"fastnet_{name}", ROOT / "benchmarks" / f"{name}.py"
    )
    module = importlib.util.module_from_spec(spec)
    # dataclasses look their module up
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def timing():
    return load("timing")


@pytest.fixture(scope="module")
def report():
    return load("report")


class Machine:
    """Clocks that advance by what contenders say they take.

    ``share``: processor time over wall time of each turn, the last one for ever.
    """

    def __init__(self, timing, share=(1.0,)):
        self.now = self.used = 0.0
        self.share = list(share)
        self.log = []
        self.stopwatch = timing.Stopwatch(lambda: self.now, lambda: self.used)

    def contender(self, timing, name, seconds, unit=1, **options):
        def run(n):
            self.log.append((name, n))
            share = self.share.pop(0) if len(self.share) > 1 else self.share[0]
            self.now += n * seconds
            self.used += n * seconds * share

        return timing.Contender(name, run, unit, **options)


def test_medians_are_the_time_of_one_unit_of_work(timing):
    machine = Machine(timing)
    contenders = [machine.contender(timing, "a", 1e-6), machine.contender(timing, "b", 2.5e-3)]
    result = timing.measure(contenders, 5, 0.01, stopwatch=machine.stopwatch)
    assert list(result) == ["a", "b"]
    assert result["a"].median == pytest.approx(1e-6, rel=1e-9)
    assert result["b"].median == pytest.approx(2.5e-3, rel=1e-9)
    assert len(result["a"].seconds) == len(result["b"].seconds) == 5
    assert result["a"].scaled is None
    assert result["a"].best == result["a"].median


def test_contenders_take_turns_and_the_first_changes(timing):
    machine = Machine(timing)
    contenders = [machine.contender(timing, name, 1.0) for name in "abc"]
    timing.measure(contenders, 3, 1.0, stopwatch=machine.stopwatch)
    assert "".join(name for name, _ in machine.log)[-9:] == "abcbcacab"


@pytest.mark.parametrize(("unit", "seconds"), [(1, 1e-6), (7, 1e-5), (100, 1e-2), (3, 50.0)])
def test_a_turn_is_as_long_as_asked_in_whole_units(timing, unit, seconds):
    machine = Machine(timing)
    n = timing.calibrate(machine.contender(timing, "a", seconds, unit), 0.03, machine.stopwatch)
    assert n % unit == 0
    assert n >= unit
    assert n == unit or 0.5 * 0.03 <= n * seconds <= 1.5 * 0.03


def test_a_slow_first_call_does_not_shorten_the_turns(timing):
    machine = Machine(timing)
    plain = machine.contender(timing, "a", 1e-6)

    def run(n):
        if not machine.log:
            machine.now += 5.0  # compilation
        plain.run(n)

    n = timing.calibrate(timing.Contender("a", run), 0.03, machine.stopwatch)
    assert n == 30_000


@pytest.mark.parametrize("share", [0.96, 0.5, 1.06, 2.0])
def test_a_disturbed_turn_is_thrown_away(timing, share):
    # A prepared contender is not calibrated, so these are the shares of its turns
    machine = Machine(timing, [1.0, share, 1.0, share, 0.98])
    contender = machine.contender(timing, "a", 1.0, prepare=lambda: None)
    result = timing.measure([contender], 3, stopwatch=machine.stopwatch)["a"]
    assert len(result.seconds) == 3
    assert result.rejected == 2


def test_every_turn_counts_on_request(timing):
    machine = Machine(timing, [0.2, 0.9, 2.0, 1.0])
    contender = machine.contender(timing, "a", 1.0, prepare=lambda: None)
    result = timing.measure([contender], 3, least_share=0.0, stopwatch=machine.stopwatch)["a"]
    assert len(result.seconds) == 3
    assert result.rejected == 0


def test_differences_are_within_rounds(timing):
    shares = [1.0, 0.5] + [1.0] * 10
    machine = Machine(timing, [1.0] * 6 + shares)
    slow, fast = (machine.contender(timing, name, s) for name, s in (("slow", 3.0), ("fast", 1.0)))
    result = timing.measure([slow, fast], 3, 1.0, stopwatch=machine.stopwatch)
    both = set(result["slow"].rounds) & set(result["fast"].rounds)
    assert len(both) >= 2
    assert result["slow"].rounds != result["fast"].rounds
    assert timing.difference(result["slow"], result["fast"]) == 2.0

    def of(rounds, seconds):
        return timing.Timing(seconds, rounds=rounds)

    # the speed halves after round 1; the first has no turn in round 3
    drifting = of([0, 1, 2, 4], [5.0, 5.0, 10.0, 10.0])
    assert timing.difference(drifting, of([0, 1, 2, 3, 4], [4.0, 4.0, 9.0, 0.0, 9.0])) == 1.0
    assert math.isnan(timing.difference(drifting, of([3], [1.0])))


def test_a_machine_that_is_never_quiet_ends_the_measurement(timing):
    machine = Machine(timing, [0.5])
    contender = machine.contender(timing, "a", 1.0, prepare=lambda: None)
    result = timing.measure([contender], 2, stopwatch=machine.stopwatch)["a"]
    assert result.rejected == 2 * timing.PATIENCE
    assert result.seconds == []
    assert math.isnan(result.median)
    assert result.scaled is None


def test_preparation_is_not_timed(timing):
    machine = Machine(timing)

    def prepare():
        machine.log.append(("prepare", 0))
        machine.now += 10.0

    contender = machine.contender(timing, "a", 1.0, unit=4, prepare=prepare)
    result = timing.measure([contender], 3, 0.5, stopwatch=machine.stopwatch)["a"]
    assert machine.log == [("prepare", 0), ("a", 4)] * 3
    assert result.seconds == [1.0] * 3


def test_times_are_scaled_by_the_peak_of_their_own_turn(timing):
    machine = Machine(timing)
    peaks = iter([120.0, 240.0, 480.0])
    speeds = iter([2.0, 1.0, 0.5])

    def run(n):
        machine.now += next(speeds)
        machine.used = machine.now

    contender = timing.Contender("a", run, prepare=lambda: None)
    result = timing.measure([contender], 3, peak=lambda: next(peaks), stopwatch=machine.stopwatch)
    assert result["a"].peaks == [120.0, 240.0, 480.0]
    assert result["a"].scaled == pytest.approx(1.0)
    assert result["a"].best == result["a"].scaled


def test_a_disturbed_peak_spoils_its_turn(timing):
    machine = Machine(timing)
    busy = iter([True, False, False])

    def peak():
        machine.now += 1.0
        machine.used += 0.5 if next(busy) else 1.0
        return 100.0

    contender = machine.contender(timing, "a", 1.0, prepare=lambda: None)
    result = timing.measure([contender], 2, peak=peak, stopwatch=machine.stopwatch)["a"]
    assert result.rejected == 1
    assert result.peaks == [100.0, 100.0]


def test_garbage_collection_is_restored_also_after_an_error(timing):
    import gc

    def run(n):
        assert not gc.isenabled()
        raise RuntimeError("from the contender")

    with pytest.raises(RuntimeError, match="from the contender"):
        timing.measure([timing.Contender("a", run, prepare=lambda: None)], 1)
    assert gc.isenabled()


def test_bad_arguments(timing):
    twice = [timing.Contender("a", print), timing.Contender("a", print)]
    with pytest.raises(ValueError, match="contenders: names must differ"):
        timing.measure(twice)
    with pytest.raises(ValueError, match="repeats: expected at least 1, got 0"):
        timing.measure([], repeats=0)


def test_requirements(report):
    assert report.Requirement("a step", 0.25, 0.25, "us").met
    assert not report.Requirement("a step", 0.26, 0.25, "us").met
    assert report.Requirement("speed", 2.0, 2.0, "x", at_least=True).met
    assert not report.Requirement("speed", 1.9, 2.0, "x", at_least=True).met
    for at_least in (False, True):
        assert not report.Requirement("speed", math.nan, 2.0, "x", at_least).met


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(4.5e-8, "45 ns"), (2.5e-4, "250 us"), (0.012, "12 ms"), (3.0, "3 s"), (math.nan, "-")],
)
def test_durations(report, seconds, text):
    assert report.duration(seconds) == text


def test_the_file_keeps_the_rows(report, tmp_path):
    import json

    requirement = report.Requirement("a step", 0.2, 0.25, "us")
    row = report.Row("train", 2e-7, {"numpy": 4e-5}, [requirement], note="n")
    unknown = report.Row("wheel", math.nan)
    path = tmp_path / "new" / "dense.json"
    report.write_json(path, [row, unknown], "avx2", 240.0, {})
    record = json.loads(path.read_text(encoding="utf-8"))
    assert record["isa"] == "avx2"
    assert record["peak_gflops"] == 240.0
    assert record["rows"][0]["fastnet"] == 2e-7
    assert record["rows"][0]["peers"] == {"numpy": 4e-5}
    assert record["rows"][0]["target"] == "a step <= 0.25 us"
    assert record["rows"][0]["requirements"][0]["met"] is True
    assert record["rows"][1]["fastnet"] is None
    assert record["rows"][1]["target"] is None


def test_smoke(tmp_path):
    """The benchmark of dense networks runs to its end, and all compute the same numbers."""
    import json

    path = tmp_path / "dense.json"
    command = [sys.executable, "-m", "benchmarks.dense", "--smoke", "--json", str(path)]
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | {"PYTHONWARNINGS": "default"},
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    rows = json.loads(path.read_text(encoding="utf-8"))["rows"]
    assert len(rows) > 25
    assert "computes something else" not in done.stdout
    trained = [row for row in rows if row["workload"].startswith("train 784")]
    assert len(trained) == 2
    for row in trained:
        assert row["fastnet"] > 0
        assert row["peers"]["numpy"] > 0
