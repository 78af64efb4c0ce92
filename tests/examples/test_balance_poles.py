"""The example of pole balancing: with velocities it is solved in a moment, and all is drawn."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

import fastnet as fn
from fastnet import neat

EXAMPLE = Path(__file__).parents[2] / "examples" / "balance_poles.py"


@pytest.fixture(scope="module")
def balance_poles():
    spec = importlib.util.spec_from_file_location("fastnet_example_balance_poles", EXAMPLE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def no_matplotlib(monkeypatch):
    """As where it is not installed."""
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    monkeypatch.setitem(sys.modules, "matplotlib", None)


def test_with_velocities(balance_poles, capsys, tmp_path, no_matplotlib):
    folder = tmp_path / "pictures"
    assert balance_poles.main(folder, seed=2, velocities=True)
    printed = capsys.readouterr().out
    assert "generation   1: " in printed
    assert "20.0 s |####################| fitness 100000" in printed
    assert "solved in" in printed
    assert "degrees to the right" in printed
    assert "no picture of the run" in printed
    picture = folder / "poles_network.svg"
    assert str(picture) in printed
    assert ElementTree.parse(picture).getroot().tag == "{http://www.w3.org/2000/svg}svg"
    assert [path.name for path in folder.iterdir()] == ["poles_network.svg"]


def test_without_velocities(balance_poles, capsys, tmp_path, no_matplotlib):
    """Three generations are not enough, and that is said."""
    assert not balance_poles.main(tmp_path, seed=2, generations=3)
    printed = capsys.readouterr().out
    assert "not solved" in printed
    assert "of 625 other starts" in printed


def test_widest_start(balance_poles):
    """Of a network that does nothing, none; of one that balances from 10 degrees, at least 10."""
    config = neat.Config(7, 1, bias=None)
    rest = neat.Genome.from_connections(config, []).network()
    assert balance_poles.widest_start(rest, 1) == balance_poles.widest_start(rest, -1) == 0
    rows = [(k, k, 7, weight, True) for k, weight in enumerate(
        [-0.41, -0.30, -1.37, -1.38, 0.95, 0.30])]
    network = neat.Genome.from_connections(config, rows).network()
    for side in (1, -1):
        widest = balance_poles.widest_start(network, side)
        assert 5 < widest < 35
        lengths = [
            len(neat.tasks.DoublePole(start_angle=side * np.radians(angle)).simulate(network, 1000))
            for angle in (widest, widest + 1)]
        assert lengths[0] == 1001 > lengths[1]


@pytest.mark.parametrize("n_states", [1001, 40, 2])
def test_drawing(balance_poles, tmp_path, n_states):
    pytest.importorskip("matplotlib")
    states = np.random.default_rng(0).normal(0, 0.1, (n_states, 6))
    balance_poles.draw(states, tmp_path / "run.png")
    assert (tmp_path / "run.png").read_bytes().startswith(b"\x89PNG")


def test_as_a_program(tmp_path):
    """The pictures go to the current folder."""
    # also where fastnet is built in place and the current folder is another one
    environment = os.environ | {"PYTHONPATH": str(Path(fn.__file__).parents[1])}
    done = subprocess.run([sys.executable, EXAMPLE, "--velocities"], cwd=tmp_path, env=environment,
                          capture_output=True, text=True, timeout=120, check=False)  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "poles_network.svg").read_text(encoding="utf-8").startswith("<svg")
    assert "solved in" in done.stdout
