"""The example of gymnasium: the pole is balanced, and the other environments run."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

import fastnet as fn

pytest.importorskip("gymnasium")
# of the types that the bindings of Box2D make
pytestmark = pytest.mark.filterwarnings("ignore:builtin type .* has no __module__")

EXAMPLE = Path(__file__).parents[2] / "examples" / "evolve_gymnasium.py"


@pytest.fixture(scope="module")
def evolve_gymnasium():
    spec = importlib.util.spec_from_file_location("fastnet_example_evolve_gymnasium", EXAMPLE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_pole_is_balanced(evolve_gymnasium, capsys):
    means = evolve_gymnasium.main(["CartPole-v1"], seed=1, tests=5)
    assert means["CartPole-v1"] > 400
    printed = capsys.readouterr().out
    assert "CartPole-v1: 4 inputs, 2 outputs, solved at a mean return of 475" in printed
    assert "generation   1: best" in printed
    assert "\nsolved, " in printed
    assert "mean return in 5 new episodes" in printed


@pytest.mark.parametrize("name", ["Pendulum-v1", "LunarLander-v3"])
def test_the_others_run(evolve_gymnasium, capsys, name):
    if name == "LunarLander-v3":
        pytest.importorskip("Box2D")
    _, returns = evolve_gymnasium.learn(name, generations=2, population_size=10, tests=2)
    assert returns.shape == (2,)
    assert capsys.readouterr().out.count("generation ") == 2


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_the_pendulum_is_swung_up(evolve_gymnasium, seed):
    _, returns = evolve_gymnasium.learn("Pendulum-v1", seed, tests=50)
    # other episodes than the 100 whose mean was above -200: the difference has a standard error
    # of about 15
    assert returns.mean() > -260


@pytest.mark.slow
def test_landing_on_the_moon(evolve_gymnasium):
    pytest.importorskip("Box2D")
    _, returns = evolve_gymnasium.learn("LunarLander-v3", tests=50)
    assert returns.mean() > 150


def test_as_a_program():
    # also where fastnet is built in place
    environment = os.environ | {"PYTHONPATH": str(Path(fn.__file__).parents[1])}

    def run(*arguments):
        return subprocess.run([sys.executable, EXAMPLE, *arguments], env=environment,
                              capture_output=True, text=True, timeout=120, check=False)  # fmt: skip

    done = run("CartPole-v1", "--generations", "1")
    assert done.returncode == 0, done.stderr
    assert "mean return in 100 new episodes" in done.stdout
    done = run("CartPol-v1")
    assert done.returncode == 2
    assert "unknown environment 'CartPol-v1'" in done.stderr
