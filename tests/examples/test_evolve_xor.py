"""The example of NEAT: it solves the task, draws the winner, and training improves it."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

import fastnet as fn

EXAMPLE = Path(__file__).parents[2] / "examples" / "evolve_xor.py"


@pytest.fixture(scope="module")
def evolve_xor():
    spec = importlib.util.spec_from_file_location("fastnet_example_evolve_xor", EXAMPLE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_evolve_xor(evolve_xor, capsys, tmp_path):
    path = tmp_path / "winner.svg"
    before, after = evolve_xor.main(path, seed=1)
    # Each output on its side of 1/2: the error of each is below 1/4
    assert after <= before < 0.25
    assert after < 1e-3
    assert ElementTree.parse(path).getroot().tag == "{http://www.w3.org/2000/svg}svg"
    printed = capsys.readouterr().out
    assert "generation   1: best" in printed
    assert "solved in" in printed
    assert printed.count("xor 1 =") == 4
    assert str(path) in printed


def test_as_a_program(tmp_path):
    """The picture goes to the current folder."""
    # also where fastnet is built in place and the current folder is another one
    environment = os.environ | {"PYTHONPATH": str(Path(fn.__file__).parents[1])}
    done = subprocess.run([sys.executable, EXAMPLE], cwd=tmp_path, env=environment,
                          capture_output=True, text=True, timeout=120, check=False)  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "xor.svg").read_text(encoding="utf-8").startswith("<")
    assert "mean squared error" in done.stdout
