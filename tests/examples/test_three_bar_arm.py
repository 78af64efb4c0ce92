"""The example of the planar arm: the numbers of the document, and a picture."""

import ast
import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

import fastnet as fn

EXAMPLE = Path(__file__).parents[2] / "examples" / "three_bar_arm.py"
CASES = Path(__file__).parents[1] / "data" / "seed_cases.json"


@pytest.fixture(scope="module")
def three_bar_arm():
    spec = importlib.util.spec_from_file_location("fastnet_example_three_bar_arm", EXAMPLE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_three_bar_arm(three_bar_arm, capsys, tmp_path):
    path = tmp_path / "arms.png"
    results = three_bar_arm.main(path)
    printed = capsys.readouterr().out
    assert len(results) == 11
    for (_, base, end), r in zip(three_bar_arm.STARTS, results, strict=True):
        # the document's table has 14 digits
        assert abs(r.pose[-1] - end) < 1e-13
        assert abs(r.error - (end - base)) < 1e-13
        assert r.path.shape == (21, 3)
    errors = np.abs([r.error for r in results])
    assert "within 0.05 after 20 epochs: 7 of 11, within 0.01: 3." in printed
    assert ((errors < 0.05).sum(), (errors < 0.01).sum()) == (7, 3)
    assert "misses 0.05 by 0.00015" in printed
    # both lines of the document are there as it prints them, beside ours
    for heights in three_bar_arm.PRINTED.values():
        assert f"printed  {heights}" in printed
    ours = [
        ast.literal_eval(line.split("here")[1].strip())
        for line in printed.splitlines() if ", here " in line
    ]  # fmt: skip
    for got, expected in zip(ours, three_bar_arm.PRINTED.values(), strict=True):
        np.testing.assert_allclose(got, expected, rtol=0, atol=2e-16)
    for misprint in ("Y1=0", "radians", "did manage", "four legs", "SSE", "always positive"):
        assert misprint in printed
    assert "0.116 away" in printed
    assert "takes 30 to come" in printed
    assert "below 1;" in printed
    assert "reachable=False" in printed
    if importlib.util.find_spec("matplotlib"):
        assert path.read_bytes().startswith(b"\x89PNG")


def test_epochs_to_an_error(three_bar_arm, capsys):
    """Those that the file of cases knows, in the lines of their starts."""
    three_bar_arm.table(fn.PlanarArm())
    lines = capsys.readouterr().out.splitlines()[1:]
    cases = {case["id"]: case for case in json.loads(CASES.read_text("utf-8"))["cases"]}
    n_known = 0
    for line, (degrees, _, _) in zip(lines, three_bar_arm.STARTS, strict=True):
        case = cases.get("000.traj." + "_".join(map(str, degrees)))
        if case:
            n_known += 1
            known = case["expected"]["epochs_to"]
            assert line.split()[-4:] == [str(known[e]) for e in ("0.05", "0.01", "1e-3", "1e-6")]
    assert n_known > 3


def test_as_a_program(run_program):
    assert "within 0.05" in run_program(EXAMPLE, "three_bar_arm.png")
