"""The benchmark of the planar arm: it runs, compares first, and has a bound for the million."""

import importlib
import os
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def arm(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))
    with mock.patch.dict(os.environ):  # the package tells libraries how many threads to use
        return importlib.import_module("benchmarks.arm")


@pytest.fixture
def context():
    """What a run knows; each contender has run once and took its place in seconds."""

    def measure(contenders):
        for contender in contenders:
            contender.run(1)
        return {
            contender.name: SimpleNamespace(median=k, best=k, scaled=None)
            for k, contender in enumerate(contenders, 1)
        }

    return SimpleNamespace(smoke=True, wrong=[], measure=measure)


def test_rows(arm, context):
    rows = [run(context) for run in arm.workloads().values()]
    assert [row.workload for row in rows] == list(arm.workloads())
    assert [list(row.peers) for row in rows] == [["numpy"]] * 3 + [["python"]]
    (required,) = [requirement for row in rows for requirement in row.requirements]
    assert (required.bound, required.met) == (0.5, False)
    assert context.wrong == []


def test_other_numbers_are_wrong(arm, context, monkeypatch):
    monkeypatch.setattr(arm, "in_numpy", lambda lengths, angles, targets: angles)
    name, run = next(iter(arm.workloads().items()))
    run(context)
    assert len(context.wrong) == 1
    assert name in context.wrong[0]


def test_loops_take_the_same_steps(arm):
    rng = np.random.default_rng(0)
    angles, target = rng.normal(size=3), 0.5
    many = arm.in_numpy(np.ones(3), angles[np.newaxis], np.array([target]))
    np.testing.assert_allclose(many[0], arm.in_python(angles.tolist(), target), rtol=0, atol=1e-14)
