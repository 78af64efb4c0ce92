"""The example of minima: where descent ends beside exact arithmetic, and a picture."""

import contextlib
import importlib.util
import io
import json
import re
from pathlib import Path

import numpy as np
import pytest

EXAMPLE = Path(__file__).parents[2] / "examples" / "minima.py"
CASES = Path(__file__).parents[1] / "data" / "seed_cases.json"
EXPECTED = {c["id"]: c["expected"] for c in json.loads(CASES.read_text("utf-8"))["cases"]}


@pytest.fixture(scope="module")
def minima():
    spec = importlib.util.spec_from_file_location("fastnet_example_minima", EXAMPLE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def outcome(minima, tmp_path_factory):
    """What main returns, what it prints, and where its picture is."""
    path = tmp_path_factory.mktemp("minima") / "minima.png"
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        words = minima.main(path)
    return *words, printed.getvalue(), path


def test_functions(minima):
    """They and their derivatives are those of the lecture."""
    critical = EXPECTED["003.1d.critical"]
    got = [minima.f(0), minima.slope(0), minima.bend(0)]
    assert got == critical["values_at_0"]
    for point, gradient in zip(([0, 0], [1, 1], [0.5, 0.5], [-1, 2], [2, 0.5], [1.2, 0.6]),
                               EXPECTED["003.2d.derivatives"]["grad"], strict=True):  # fmt: skip
        np.testing.assert_allclose(minima.gradient(np.array(point)),
                                   [float(g) for g in gradient], rtol=1e-13, atol=1e-13)


def test_critical_points(minima, outcome):
    printed = outcome[-2]
    critical = EXPECTED["003.1d.critical"]
    expected = [critical[name] for name in ("critical_x", "f", "f2")]
    expected = np.array(expected, float).T
    np.testing.assert_allclose(minima.CRITICAL, expected, rtol=1e-13)
    found = re.findall(r"(min|max)imum at (\S+), f = (\S+), f'' = (\S+)\n", printed)
    assert [kind for kind, *_ in found] == critical["kind"]
    # 12 digits of x and f are printed, 9 of f''
    got = np.array([numbers for _, *numbers in found], float)
    assert np.all(np.abs(got - expected) <= [6e-13, 6e-13, 6e-10])
    steps = re.findall(r"below 2/f'' = (\S+)", printed)
    assert steps == [f"{float(s):.6f}" for s in critical["max_stable_step"] if s is not None]


def test_basins(minima, outcome):
    expected = EXPECTED["003.1d.gd_basins"]
    assert {float(step) for step in expected} == set(minima.BASINS)
    for step, words in expected.items():
        known = [words[f"{start:g}"] for start in minima.STARTS]
        assert outcome[0][float(step)] == known
        assert minima.BASINS[float(step)].split() == known
        assert re.search(rf"^{step} +{' +'.join(known)}$", outcome[-2], re.M)
    for start in (0, 4):
        steps = EXPECTED[f"003.1d.gd_s0.01_x{start}"]["steps_until_dx_below_1e_10"]
        assert re.search(rf"0.01: {start} .* after {steps}, expected {steps}\n", outcome[-2])
    assert ": -2.39389666567 <-> -2.79535837752 for ever" in outcome[-2]
    armijo = EXPECTED["003.1d.armijo_x4"]
    way = " -> ".join(f"{float(x):.5g}" for (x,) in armijo["x"])
    assert f"{way} after {armijo['iterations']}, expected 4\n" in outcome[-2]


def test_newton(minima, outcome):
    word = {"-2.6": "L", "0.22": "maximum", "1.14": "R"}
    n_known = 0
    for start, pair in outcome[1].items():
        assert pair == minima.NEWTON[start].split()
        assert re.search(rf"from +{start} +{pair[0]} +{pair[0]} +{pair[1]} +{pair[1]}\n",
                         outcome[-2])  # fmt: skip
        for name, ended in zip(("newton", "newton_abs"), pair, strict=True):
            case = EXPECTED.get(f"003.1d.{name}_x{start:g}")
            if case:
                n_known += 1
                assert word[case["limit"][:4]] == ended
        # and all by the formulas as they stand
        for power, ended in zip((1, 2), pair, strict=True):
            x = float(start)
            for _ in range(40):
                second = 36 * x * x + 30 * x - 40
                x -= (12 * x**3 + 15 * x * x - 40 * x + 8) / (second if power == 1 else abs(second))
            assert word[f"{x:.6f}"[:4]] == ended
    assert n_known >= 10


def test_premature_stop(minima, outcome):
    """The rule of the lecture, in Python's own numbers."""
    a, b = 0.5, 0.5
    known, k, shorter = {}, 0, list(minima.PREMATURE)
    while shorter:
        step_a = 0.01 * (4 * a**3 * b**2 + 2 * (a - 1) * (b - 1) ** 4)
        step_b = 0.01 * (2 * a**4 * b + 4 * (a - 1) ** 2 * (b - 1) ** 3)
        a, b, k = a - step_a, b - step_b, k + 1
        while shorter and np.hypot(step_a, step_b) < shorter[0]:
            known[shorter.pop(0)] = (k, a)
    found = re.findall(r"^ +(1e-0\d|0.0001) +(\d+) +(\S+) +(\d+) (\S+) +degenerate$",
                       outcome[-2], re.M)  # fmt: skip
    assert len(found) == len(known) == 3
    for tolerance, steps, x, steps_expected, x_expected in found:
        steps_known, x_known = known[float(tolerance)]
        assert int(steps) == int(steps_expected) == steps_known
        # four digits are printed
        assert abs(float(x) - x_known) < 6e-5
        assert abs(float(x_expected) - x_known) < 1e-5 + 4e-4 * x_known


def test_plane(minima, outcome):
    limits = EXPECTED["003.2d.sd_limits"]
    for start, (fixed, armijo) in outcome[2].items():
        assert limits[f"s=0.01 x0=({start[0]:g},{start[1]:g})"] == fixed
        assert [fixed, armijo] == minima.PLANE[start].split()
    # Armijo's steps of the file end near these
    for start in ((0.5, 0.5), (2.0, 0.5), (1.2, 0.6)):
        x = float(EXPECTED[f"003.2d.armijo_x{start[0]:g}_{start[1]:g}"]["final"][0])
        assert outcome[2][start][1] == ("(0,1)" if abs(x) < 0.1 else "(1,0)")
    # By symmetry f takes the same values on the way from (0, 0) as from (1, 1).
    for case, words in ((EXPECTED["003.2d.bold_x1_1"]["f_final"], "1.1 or halve"),
                        (EXPECTED["003.2d.sd_s0.01_x1_1"]["5000"][2], "5000 steps of 0.01")):
        value = f"{float(case):.4g}"
        assert f"{words}: f = {value}, expected {value}\n" in outcome[-2]
    assert f"(0.6667, 0.3333): f = {32 / 729:.6f}" in outcome[-2]
    assert "Hessian -0.592593 and 2.5679" in outcome[-2]
    assert "guard=False: (0.66667, 0.33333), indefinite" in outcome[-2]
    assert "guard=True: (0.00000, 1.00000), degenerate" in outcome[-2]


def test_misprints_and_picture(outcome):
    printed, path = outcome[-2:]
    for misprint in ("minus sign", "sf'(x_0)", "extreme point", "second derivatives", "1/f''"):
        assert misprint in printed.split("Misprints of the lecture:")[1]
    if importlib.util.find_spec("matplotlib"):
        assert f"drawn in {path}" in printed
        assert path.read_bytes().startswith(b"\x89PNG")


def test_without_matplotlib(minima, check_without_matplotlib):
    check_without_matplotlib(minima.main)


def test_as_a_program(run_program):
    assert "Newton's method" in run_program(EXAMPLE, "minima.png")
