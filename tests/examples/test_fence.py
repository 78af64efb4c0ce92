"""The example of the fence: the numbers of the document, exact ones, and a picture."""

import importlib.util
import json
import re
from pathlib import Path

import numpy as np
import pytest

EXAMPLE = Path(__file__).parents[2] / "examples" / "fence.py"
CASES = Path(__file__).parents[1] / "data" / "seed_cases.json"
EXPECTED = {c["id"]: c["expected"] for c in json.loads(CASES.read_text("utf-8"))["cases"]}
NUMBER = r"-?[\d.]+(?:e[+-]\d+)?"


@pytest.fixture(scope="module")
def fence():
    spec = importlib.util.spec_from_file_location("fastnet_example_fence", EXAMPLE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def assert_close(got, expected, tolerance):
    """As the file of cases says, element by element."""
    got, expected = np.asarray(got, float), np.asarray(expected, float)
    assert got.shape == expected.shape
    assert np.all(np.abs(got - expected) <= tolerance * np.maximum(1, np.abs(expected)))


def numbers(pattern, text):
    """Those in the one place that matches, N standing for a number."""
    found = re.findall(pattern.replace("N", f"({NUMBER})"), text)
    assert len(found) == 1, pattern
    return [float(word) for word in np.atleast_1d(found[0])]


def test_values(fence, capsys):
    fence.climb()
    printed = capsys.readouterr().out
    values = EXPECTED["002.fence.values"]
    known = dict(zip([49, 50, 51, 52, 54, 57, 0, 100],
                     zip(values["A"], values["dA"], strict=True), strict=True))  # fmt: skip
    rows = [line.split() for line in printed.splitlines()[1:7]]
    assert {int(row[0]) for row in rows} == {49, 50, 51, 52, 54, 57}
    for length, area, area_there, slope, slope_there in rows:
        assert (int(area), int(slope)) == known[int(length)]
        assert area_there in ("-", area)
        assert slope_there in ("-", slope)
    assert f"{values['kind']} {values['A_max']} at {values['critical_point']}\n" in printed
    assert "the document goes 57 -> 54 -> 52: area 2496, slope -4" in printed


def test_ascents(fence, capsys):
    first, *constant = fence.climb()
    printed = capsys.readouterr().out
    assert first.path.tolist() == [57, 54, 52]
    paths = dict(zip(fence.CONSTANT, constant, strict=True))
    for rate in (0.25, 1.0, 1.1):
        expected = EXPECTED[f"002.fence.ascent_lr{rate}"]
        assert_close(paths[rate].path[:21], expected["x"], 1e-12)
        assert fence.CONSTANT[rate] == expected["steps_until_abs_dA_below_1e_6"]
    # x_k = 50 + 7 (1 - 2 rate)^k, and the slope is -14 of these powers
    for rate, steps in fence.CONSTANT.items():
        if steps is None:
            assert f"after {paths[rate].n_iterations}, expected never" in printed
            assert not paths[rate].converged
        else:
            slopes = 14 * np.abs(1 - 2 * rate) ** np.arange(steps + 1)
            assert slopes[-1] < 1e-6 <= slopes[-2]
            assert f"after {steps}, expected {steps}\n" in printed


def test_fit(fence, capsys):
    results = fence.fit()
    printed = capsys.readouterr().out
    start = EXPECTED["002.fit.start"]
    assert numbers("sum to N,", printed) == [start["sum_signed_error"]]
    assert numbers("mean is N,", printed) == [float(start["mean_signed_error"])]
    assert numbers("absolute error is N\n", printed) == [float(start["MAE"])]
    assert numbers(r"subgradient \(N, N\)", printed) == [float(g) for g in start["subgradient"]]
    # 99 residuals of -1.5 x^2 ... at (-1/2, 33): the mean of |x^2 / 2 - 67 x|, by hand
    x = range(100)
    assert numbers("error N, \"sign", printed) == [sum(abs(k * k / 2 - 67 * k) for k in x) / 100]

    raw = EXPECTED["002.descent.raw_lr1e-6"]
    path = results["rate 1e-6"].path
    states = [[*p, fence.error(p)] for p in path]
    assert_close(states[:11], raw["first"], 1e-12)
    assert_close(states[-1], raw["final"], 1e-12)
    for name, case, tolerance in (
        ("scaled by rms, Polyak's step", "002.descent.polyak_rms", 1e-10),
        ("scaled, steps 1000 * 0.95^k", "002.descent.geometric", 1e-9),
    ):
        path = results[name].path
        for k, state in EXPECTED[case]["state_at"].items():
            if int(k) < len(path):
                p = path[int(k)]
                assert_close([*p, fence.error(p)], state, tolerance)
    path = results["exact line search"].path
    expected = EXPECTED["002.descent.exact_linesearch_raw"]["path"]
    assert_close([[*p, fence.error(p)] for p in path], expected, 1e-12)
    for name, r in results.items():
        if not name.startswith("rate"):
            assert_close(r.parameters, [-1, 100], 1e-9)


def test_steps_of_fits(fence, capsys):
    fence.fit()
    printed = capsys.readouterr().out
    steps = list(EXPECTED["002.descent.polyak_rms"]["first_k_with_MAE_below"].values())
    assert f"rms, Polyak's step: {steps}, expected {steps}\n" in printed
    for name, known in fence.POLYAK.items():
        assert f"  {name}: {known}, expected {known}\n" in printed
    for name, (_, known) in fence.FITS.items():
        line = next(line for line in printed.splitlines() if line.startswith(name))
        loss, expected = (float(word) for word in line.removeprefix(name).split()[2:4])
        assert expected == known
        # six digits are printed
        assert abs(loss - known) <= 1e-6 * max(known, 1e-3)
    dyadic = EXPECTED["002.stop.dyadic"]
    assert (f"[{dyadic['a']:.1f}, {dyadic['b']:.1f}] after {dyadic['updates']} steps, expected 64; "
            f"error {dyadic['MAE']}: 'exact'") in printed  # fmt: skip


def test_picture_and_misprints(fence, capsys, tmp_path):
    path = tmp_path / "fence.png"
    fence.main(path)
    printed = capsys.readouterr().out
    for misprint in ("100x * x^2", "-67485", "a=2", "100 meters", "ax^2 + bx - y", "3 variables",
                     "L'a", "corner", "66.3 to 1", "0.2143", "it must occur at 50",
                     "not feasible"):  # fmt: skip
        assert misprint in printed.split("Misprints of the document:")[1]
    trap = EXPECTED["002.trap.perimeter"]
    assert f"{trap['area_100'][0]} and not\n    {trap['area_200'][0]} at x = 10" in printed
    if importlib.util.find_spec("matplotlib"):
        assert f"drawn in {path}" in printed
        assert path.read_bytes().startswith(b"\x89PNG")


def test_without_matplotlib(fence, check_without_matplotlib):
    check_without_matplotlib(fence.main)


def test_as_a_program(run_program):
    assert "57 -> 54 -> 52" in run_program(EXAMPLE, "fence.png")
