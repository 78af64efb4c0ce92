"""The benchmark of minimizers: its functions, what counts as another minimum, and that it runs."""

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def descent(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))
    from benchmarks import descent

    return descent


def test_derivatives(descent):
    from fastnet.optim.derivatives import verify_gradient

    verify_gradient(descent.quartic, descent.d_quartic(0.7), 0.7)
    x = np.array([-1.2, 1.0, 0.3])
    verify_gradient(descent.rosenbrock, descent.d_rosenbrock(x), x)
    verify_gradient(descent.decay, descent.d_decay(x), x)


def test_another_minimum_and_a_steep_end_are_wrong(descent):
    context = SimpleNamespace(wrong=[])
    ours, same, other = np.zeros(2), np.full(2, 1e-5), np.ones(2)
    descent.agree(context, "row", {"fastnet": ours, "peer": same})
    assert not context.wrong
    descent.agree(context, "row", {"fastnet": ours, "peer": other})
    assert "peer ends at" in context.wrong.pop()
    descent.agree(context, "row", {"fastnet": ours}, lambda x: np.full(2, 1e-4))
    assert "a gradient of 0.00014" in context.wrong.pop()


def test_smoke(descent, tmp_path, compile_c):
    path = tmp_path / "results.json"
    command = [sys.executable, "-m", "benchmarks.descent", "--smoke", "--json", str(path)]
    run = subprocess.run(
        command, capture_output=True, text=True, timeout=120, cwd=ROOT, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    rows = json.loads(path.read_text("utf-8"))["rows"]
    assert [row["workload"] for row in rows] == list(descent.workloads())
    assert all(row["fastnet"] > 0 for row in rows)
