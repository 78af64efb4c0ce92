"""The example with a game: its rules, compiled or not; players get better; its pictures."""

import importlib.util
import io
import os
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

import fastnet as fn
from fastnet import neat

EXAMPLE = Path(__file__).parents[2] / "examples" / "evolve_game.py"
SVG = "{http://www.w3.org/2000/svg}"


def loaded(name):
    """The program as a module of this name; it finds those beside it as programs do."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(EXAMPLE.parent)
        spec = importlib.util.spec_from_file_location(name, EXAMPLE)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def python_game():
    """The program where numba is missing."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "numba", None)
        module = loaded("fastnet_example_python_game")
    assert module.cfunc is None
    return module


@pytest.fixture(scope="module")
def compiled_game():
    pytest.importorskip("numba")
    return loaded("fastnet_example_compiled_game")


@pytest.fixture(scope="module", params=["python", "compiled"])
def game(request):
    return request.getfixturevalue(f"{request.param}_game")


def player(weights):
    """A genome with one weight for each input, and one for the constant 1."""
    config = neat.Config.paper(6, 1)
    genes = [(k + 1, k, 7, weight, True) for k, weight in enumerate(weights)]
    return neat.Genome.from_connections(config, genes, inputs=range(6), bias=6, outputs=[7])


def always(flap):
    return player([0] * 6 + [8 if flap else -8])


# It flaps when the middle of the gap is above: good for some gates.
SIMPLE = player([8, 0, 0, 0, 0, 0, 1])


def distances(game):
    """Where the bird is after 0, 1, ... steps."""
    growth = 1 + 4 * game.STEP / game.FINISH
    return 7 * game.FINISH / 4 * (growth ** np.arange(2000) - 1)


# -- the rules -------------------------------------------------------------------------------------


def test_a_bird_that_does_nothing_falls(python_game):
    flight = python_game.Flight(always(flap=False))
    n = np.arange(2000)
    y = 5 - 25 / 30**2 * n * (n + 1) / 2
    crash = int(np.argmax(y < 0.35))
    assert len(flight.track) == crash
    np.testing.assert_allclose(flight.track[:, 1], y[:crash], rtol=0, atol=1e-12)
    np.testing.assert_allclose(flight.track[:, 2], -25 / 30 * n[:crash], rtol=0, atol=1e-12)
    np.testing.assert_allclose(flight.track[:, 0], distances(python_game)[:crash], atol=1e-9)
    assert flight.distance == pytest.approx(distances(python_game)[crash], abs=1e-9)
    assert not flight.arrived
    assert flight.gates == 0


def test_a_bird_that_always_flaps_rises(python_game):
    flight = python_game.Flight(always(flap=True))
    y = 5 + 7.5 / 30 * np.arange(2000)
    crash = int(np.argmax(y > 9.65))
    assert len(flight.track) == crash
    np.testing.assert_allclose(flight.track[:, 1], y[:crash], rtol=0, atol=1e-12)
    assert (flight.track[:, 3] > 0.5).all()


def test_gaps(python_game):
    game = python_game
    for level in range(5):
        for gate in range(game.N_GATES):
            halves = set()
            for t in np.linspace(0, 7, 20):
                middle, half, speed = game.gap(level, gate, t)
                halves.add(half)
                assert 0 < middle - half < middle + half < game.HEIGHT
                # up and down at one speed, but where it turns
                for later in (middle, game.gap(level, gate, t + 1e-3)[0]):
                    assert abs(later - middle) <= abs(speed) * 1e-3 + 1e-9
                if gate == 0:
                    assert speed == 0
            assert len(halves) == 1
            assert half == pytest.approx(1.9 - 0.02 * gate)
            assert game.gap(level, gate, 1.25)[0] == pytest.approx(
                game.gap(level, gate, 1.25 + game.PERIOD)[0])
    middles = {game.gap(level, 0, 0.0)[0] for level in range(100)}
    assert len(middles) == 100


def test_gaps_move_at_their_speed(python_game):
    for level in range(10):
        t, dt = 0.4 + level / 7, 1e-6
        for gate in range(1, 40):
            before, (middle, _, speed), after = (
                python_game.gap(level, gate, t + k * dt) for k in (-1, 0, 1))
            turns = (after[0] - middle) * (middle - before[0]) < 0
            if not turns:
                assert (after[0] - before[0]) / (2 * dt) == pytest.approx(speed, abs=1e-6)


def test_chance(python_game):
    values = np.array([[python_game.chance(level, gate, 0) for gate in range(100)]
                       for level in range(100)])  # fmt: skip
    assert values.min() >= 0
    assert values.max() < 1
    assert len(np.unique(values)) == values.size
    # the mean of 10,000 uniform numbers has the standard deviation 0.0029
    assert abs(values.mean() - 0.5) < 5 * 0.0029
    # a tenth of them in each tenth: sd 30
    assert np.abs(np.histogram(values, 10, (0, 1))[0] - 1000).max() < 5 * 30
    for rows in (values, values.T):     # neighbors have nothing in common: sd 0.01
        assert abs(np.corrcoef(rows[:-1].ravel(), rows[1:].ravel())[0, 1]) < 0.05


def test_what_a_player_sees(python_game):
    game, inputs = python_game, np.empty(6)
    # 30 steps are 1 s; gate 2 begins at 32 m
    game.look(3, 30, np.array([27.5, 4.0, -2.0]), inputs)
    middle, half, speed = game.gap(3, 2, 1.0)
    following = game.gap(3, 3, 1.0)[0]
    np.testing.assert_allclose(
        inputs, [(middle - 4) / 3, -0.25, 0.5, speed / 2, half - 1, (following - 4) / 3])
    # inside a gate it is still the one ahead, until the bird is out of it
    for x, ahead in ((13.0, 0), (15.7, 0), (15.8, 1), (23.0, 1), (24.7, 1), (24.8, 2)):
        assert game.gate_ahead(x) == ahead


@pytest.mark.parametrize("level", range(12))
def test_birds_crash_where_they_touch_something(python_game, level):
    """Against all gates, not the one ahead only."""
    game = python_game
    flight = game.Flight(SIMPLE, level)
    n = len(flight.track)
    track = np.vstack([flight.track[:, :2], [flight.distance, np.nan]])
    last = flight.track[-1]
    speed = game.FLAP if last[3] > 0.5 else last[2] - game.GRAVITY * game.STEP
    track[-1, 1] = last[1] + speed * game.STEP
    touches = []
    for step, (x, y) in enumerate(track):
        touched = not game.RADIUS <= y <= game.HEIGHT - game.RADIUS
        for gate, left in enumerate(flight.lefts):
            low, high = flight.gap(gate, step * game.STEP)
            beside = left - game.RADIUS <= x < left + game.THICKNESS + game.RADIUS
            touched |= beside and not low + game.RADIUS < y < high - game.RADIUS
        touches.append(touched)
    assert not any(touches[:n])
    assert touches[n] != flight.arrived


def test_the_compiled_game_is_the_same(python_game, compiled_game):
    config = neat.Config.paper(6, 1, initial_hidden=(0, 5))
    tasks = python_game.new_task(), compiled_game.new_task()
    longest = 0
    for k in range(6):
        genome = SIMPLE if k == 0 else neat.Genome(config, rng=k)
        for level in range(2):
            one, other = (each.Flight(genome, level) for each in (python_game, compiled_game))
            np.testing.assert_array_equal(one.track, other.track)
            assert one.distance == other.distance
            longest = max(longest, len(one.track))
        network = genome.network()
        one, other = (task.evaluate(network, 2**32 - 1 - k) for task in tasks)
        assert one == other
        mean = np.mean([python_game.Flight(genome, level).distance
                        for level in range(5 * (2**32 - 1 - k), 5 * (2**32 - k))])  # fmt: skip
        assert one == pytest.approx(mean)
    assert longest > 100


# -- evolution and pictures ------------------------------------------------------------------------


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self):
        return True


def quick(game, monkeypatch):
    """Fewer levels to choose and to test on, where they take their time."""
    monkeypatch.setattr(game, "CHOICE", range(1, 3))
    monkeypatch.setattr(game, "TEST", range(1000, 1008))
    monkeypatch.setattr(game, "N_LEVELS", 2)


def test_players_get_better(game, monkeypatch, tmp_path, capsys):
    path = tmp_path / "flight.svg"
    if game.cfunc is None:
        quick(game, monkeypatch)
        first, best = game.main(path, generations=8, population_size=40, seed=1)
        assert best > 2 * first
    else:
        first, best = game.main(path, generations=20, seed=1)
        assert best > 4 * first
    printed = capsys.readouterr().out
    assert "\x1b" not in printed
    assert len(re.findall(r"^generation +\d+ of \d+, best", printed, re.M)) == (
        8 if game.cfunc is None else 20)
    assert ("numba is not installed" in printed) == (game.cfunc is None)
    assert f"{best:.0f} m of {game.FINISH:.0f}" in printed
    assert str(path) in printed
    check_animation(path)


def check_animation(path):
    text = path.read_text(encoding="utf-8")
    assert text.isascii()
    root = ElementTree.fromstring(text)
    assert root.tag == f"{SVG}svg"
    assert not root.findall(f".//{SVG}script")
    moving = root.findall(f".//{SVG}animateTransform")
    assert len(moving) > 40
    durations = set()
    for element in moving:
        values = [list(map(float, value.split())) for value in element.get("values").split(";")]
        assert len({len(value) for value in values}) == 1
        assert np.isfinite(values).all()
        if element.get("keyTimes"):
            times = list(map(float, element.get("keyTimes").split(";")))
            assert len(times) == len(values)
            assert times == sorted(times)
            assert (times[0], times[-1]) == (0, 1)
            durations.add(element.get("dur"))
    assert len(durations) == 1      # all begin anew together
    words = [element.text for element in root.iter(f"{SVG}text")]
    assert {"gap above", "next gap", "flap"} <= set(words)


def test_terminal(python_game, monkeypatch, tmp_path):
    monkeypatch.setenv("COLUMNS", "90")
    monkeypatch.setenv("LINES", "30")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    quick(python_game, monkeypatch)
    terminal = Terminal()
    python_game.main(tmp_path / "flight.svg", 2, 20, stream=terminal)
    text = terminal.getvalue()
    assert text.startswith("\x1b[?1049h\x1b[?25l")
    moving, kept = text.split("\x1b[?25h\x1b[?1049l")
    frames = moving.split("\x1b[H")[1:]
    assert len(frames) == 2 * 5
    assert "the best of 40 players" in kept
    for frame in (*frames, kept):
        lines = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", frame).splitlines()
        assert len(lines) == 30
        assert all(len(line) <= 90 for line in lines)
        assert lines[0] == 90 * "▀"
        for words in ("gap above", "next gap", " flap", "generation", " of 40 ━"):
            assert any(words in line for line in lines)


@pytest.mark.parametrize("why", ["pipe", "encoding", "NO_COLOR", "TERM"])
def test_no_pictures(python_game, monkeypatch, tmp_path, why):
    monkeypatch.setenv("TERM", "dumb" if why == "TERM" else "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    if why == "NO_COLOR":
        monkeypatch.setenv("NO_COLOR", "1")
    quick(python_game, monkeypatch)
    stream = io.StringIO() if why == "pipe" else Terminal()
    if why == "encoding":
        stream.encoding = "cp1252"
    python_game.main(tmp_path / "flight.svg", 2, 20, stream=stream)
    text = stream.getvalue()
    assert text.isascii()
    assert "\x1b" not in text
    assert [line.startswith("generation") for line in text.splitlines()] == [True, True]


def test_quiet(python_game, monkeypatch, tmp_path, capsys):
    quick(python_game, monkeypatch)
    python_game.main(tmp_path / "flight.svg", 2, 20, quiet=True)
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == [
        "2", "best", "best", "its"]


@pytest.mark.parametrize("after", [0, 3])
def test_interrupted(python_game, monkeypatch, tmp_path, capsys, after):
    quick(python_game, monkeypatch)
    count = 0
    show = python_game.Watcher.end_generation

    def end_generation(self, population):
        nonlocal count
        if count == after:
            raise KeyboardInterrupt
        count += 1
        show(self, population)

    monkeypatch.setattr(python_game.Watcher, "end_generation", end_generation)
    path = tmp_path / "flight.svg"
    scores = python_game.main(path, 10, 20, stream=Terminal())
    printed = capsys.readouterr().out
    if after == 0:
        assert scores is None
        assert "stopped before" in printed
        assert not path.exists()
    else:
        assert len(scores) == 2
        check_animation(path)


def test_as_a_program(tmp_path):
    environment = os.environ | {"PYTHONPATH": str(Path(fn.__file__).parents[1])}
    done = subprocess.run(
        [sys.executable, EXAMPLE, "--generations", "1", "--population", "10", "--seed", "3",
         "--output", "picture.svg"],
        cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr
    assert "generation   1 of 1, best" in done.stdout
    check_animation(tmp_path / "picture.svg")
