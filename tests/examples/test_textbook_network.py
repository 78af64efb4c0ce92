"""The example of the network of nine numbers: those of the lecture, exact ones, and a picture."""

import importlib.util
import json
import math
import re
from pathlib import Path

import numpy as np
import pytest

EXAMPLE = Path(__file__).parents[2] / "examples" / "textbook_network.py"
CASES = Path(__file__).parents[1] / "data" / "seed_cases.json"
EXPECTED = {c["id"]: c["expected"] for c in json.loads(CASES.read_text("utf-8"))["cases"]}
TRAINED = EXPECTED["003.nn.train_eta0.1"]


@pytest.fixture(scope="module")
def textbook():
    spec = importlib.util.spec_from_file_location("fastnet_example_textbook_network", EXAMPLE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def by_hand(observation):
    """Output, and its derivatives in the order of the lecture, as one would write them down."""
    (p, q), w11, w12, b1, w21, w22, b2, v1, v2, c = observation, *map(float, TRAINED["0"]["theta"])
    a1 = 1 / (1 + math.exp(-(w11 * p + w12 * q + b1)))
    a2 = 1 / (1 + math.exp(-(w21 * p + w22 * q + b2)))
    d1, d2 = v1 * a1 * (1 - a1), v2 * a2 * (1 - a2)
    return v1 * a1 + v2 * a2 + c, [d1 * p, d1 * q, d1, d2 * p, d2 * q, d2, a1, a2, 1]


def test_numbers_of_the_lecture(textbook, capsys):
    values = textbook.compare(textbook.network())
    lines = capsys.readouterr().out.splitlines()[1:]
    known = EXPECTED["003.nn.printed_vs_exact"]
    assert len(values) == len(lines) == len(known)
    for line, (name, printed, exact, verdict) in zip(lines, known, strict=True):
        assert abs(values[name] - float(exact)) <= 1e-13
        words = line.removeprefix(name).split()
        assert words[0] == printed
        assert abs(float(words[1]) - float(exact)) <= 6e-11
        assert words[2:] == ([] if verdict == "ok" else [verdict])


def test_sensitivities_and_gradient(textbook, capsys):
    gradient = textbook.step(textbook.network())
    lines = capsys.readouterr().out.splitlines()
    residuals, derivatives = [], []
    for x, y in (((3, -2), 1.2), ((-1, 1), 0.7)):
        output, by_theta = by_hand(x)
        residuals.append(y - output)
        derivatives.append(by_theta)
    residuals, derivatives = np.array(residuals), np.array(derivatives)
    contributions = 2 * residuals[:, None] * derivatives
    # and the first step of the file: theta_1 = theta_0 - 0.1 gradient
    thetas = np.array([TRAINED["0"]["theta"], TRAINED["1"]["theta"]], float)
    exact = (thetas[0] - thetas[1]) / 0.1
    np.testing.assert_allclose(-contributions.sum(axis=0), exact, rtol=0, atol=1e-14)
    np.testing.assert_allclose(gradient[textbook.ORDER], exact, rtol=0, atol=1e-14)
    names = textbook.NAMES
    rows = [line.split() for line in lines if line.split()[:1] and line.split()[0] in names]
    assert [row[0] for row in rows] == names
    table = np.array([row[1:] for row in rows], float)
    expected = np.column_stack([*derivatives, *contributions, exact])
    # nine digits are printed
    assert np.abs(table - expected).max() < 6e-10


def test_steps(textbook, capsys):
    textbook.step(textbook.network())
    printed = capsys.readouterr().out
    for n_steps, state in TRAINED.items():
        net = textbook.trained(int(n_steps))
        for got, expected in (
            (textbook.sum_of_squares(net), state["R"]),
            (net.parameters[textbook.ORDER], state["theta"]),
            (net(textbook.X)[:, 0], state["outputs"]),
        ):
            expected = np.array(expected, float)
            assert np.all(np.abs(got - expected) <= 1e-12 * np.maximum(1, np.abs(expected)))
        if int(n_steps) in textbook.TRAINED:
            value = f"{float(state['R']):.9g}"
            assert f"after {n_steps:>3} steps of 0.1 times it: R = {value}, expected {value}\n" in (
                printed)  # fmt: skip

    # The gradient's length, and the two other steps, by hand
    thetas = np.array([TRAINED["0"]["theta"], TRAINED["1"]["theta"]], float)
    gradient = (thetas[0] - thetas[1]) / 0.1
    length = np.sqrt(gradient @ gradient)
    assert abs(printed_after("length of the gradient", printed) - length) < 1e-13
    for words, step in (("0.01 times it: R =", 0.01), ("of length 0.1: R =", 0.1 / length)):
        w11, w12, b1, w21, w22, b2, v1, v2, c = thetas[0] - step * gradient
        z1, z2 = textbook.X @ [w11, w12] + b1, textbook.X @ [w21, w22] + b2
        outputs = v1 / (1 + np.exp(-z1)) + v2 / (1 + np.exp(-z2)) + c
        value = np.sum((textbook.Y - outputs) ** 2)
        assert abs(printed_after(words, printed) - value) < 1e-14


def printed_after(words, printed):
    """A number, of which the one that was expected must be the same to its digits."""
    got, expected = re.search(rf"{words} (\S+), expected (\S+)", printed).groups()
    assert abs(float(got) - float(expected)) < 5e-15
    return float(got)


def test_second_unit(textbook):
    """All choices that explain what the lecture prints give the same outputs."""
    candidates = EXPECTED["003.nn.reconstruction"]["candidates_w21_w22_b2"]
    candidates = [tuple(map(float, unit)) for unit in candidates]
    assert set(textbook.OTHER_UNITS) < set(candidates)
    assert textbook.SECOND_UNIT in candidates
    for unit in candidates:
        np.testing.assert_allclose(textbook.network(unit)(textbook.X)[:, 0],
                                   [float(o) for o in TRAINED["0"]["outputs"]], rtol=1e-14)


@pytest.mark.parametrize(("printed", "value", "expected"), [
    ("0.809", 0.8098, "truncated"), ("0.810", 0.80951, "ok"), ("-0.18", -0.1826, "ok"),
    ("-0.18", -0.1894, "truncated"), ("0.455", 0.475, "WRONG"), ("-0.1", 0.1, "WRONG"),
])  # fmt: skip
def test_verdict(textbook, printed, value, expected):
    assert textbook.verdict(printed, value) == expected


def test_misprints_and_picture(textbook, capsys, tmp_path):
    path = tmp_path / "network.png"
    textbook.main(path)
    printed = capsys.readouterr().out
    for misprint in (".3905", "0.3105", ".047", ".475", ".574 and .690", ".810", "w12(2)",
                     "factor 2", "+eta dR/dw", "0.0726", "z_2^(1)", "overflows"):  # fmt: skip
        assert misprint in printed.split("Misprints of the lecture:")[1]
    if importlib.util.find_spec("matplotlib"):
        assert f"drawn in {path}" in printed
        assert path.read_bytes().startswith(b"\x89PNG")


def test_without_matplotlib(textbook, check_without_matplotlib):
    check_without_matplotlib(textbook.main)


def test_as_a_program(run_program):
    assert "Misprints" in run_program(EXAMPLE, "textbook_network.png")
