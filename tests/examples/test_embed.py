"""The examples in other languages: what their READMEs say, and the same loops in Python."""

import importlib.util
import math
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import fastnet as fn
from fastnet import neat

EXAMPLES = Path(__file__).parents[2] / "examples"


def blocks(text, language):
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.M | re.S)


def shape(line):
    """A line with its numbers left out."""
    return re.sub(r"[\d.]*\d", "N", line.strip())


class Example:
    """A copy of a folder, in which the commands of its README run."""

    def __init__(self, name, folder):
        self.folder = folder / "embed" / name
        ignored = shutil.ignore_patterns("build", "*.so", "__pycache__")
        shutil.copytree(EXAMPLES / "embed" / name, self.folder, ignore=ignored)
        shutil.copy(EXAMPLES / "digits.csv.gz", folder)
        self.readme = (self.folder / "README.md").read_text(encoding="utf-8")

    def run(self):
        """All commands but the installation; what they print."""
        (script,) = blocks(self.readme, "sh")
        install, *commands = script.splitlines()
        assert install.startswith("pip install ../../.. ")
        # what is built and imported is the package that is tested, wherever it is installed
        environment = os.environ | {"PYTHONPATH": str(Path(fn.__file__).parents[1]),
                                    "CFLAGS": "-O1"}  # fmt: skip
        printed = []
        for command in commands:
            if command.startswith("python "):
                command = f'"{sys.executable}" {command.removeprefix("python ")}'
            done = subprocess.run(command, shell=True, cwd=self.folder, env=environment, text=True,
                                  capture_output=True, timeout=240, check=False)  # fmt: skip
            assert done.returncode == 0, done.stdout + done.stderr
            if "setup.py" not in command:
                assert not done.stderr, done.stderr
                printed.append(done.stdout)
        printed = "".join(printed)
        (promised,) = blocks(self.readme, "text")
        found = set(map(shape, printed.splitlines()))
        assert set(map(shape, promised.splitlines())) <= found, printed
        return printed

    def load(self, name):
        """A module of the folder, compiled or not; it finds those beside it as programs do."""
        (path,) = (p for p in self.folder.glob(f"{name}.*") if p.suffix in (".py", ".so"))
        with pytest.MonkeyPatch.context() as patch:
            patch.syspath_prepend(self.folder)
            spec = importlib.util.spec_from_file_location(name, path)
            module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
        return module


@pytest.fixture(scope="module")
def example(tmp_path_factory):
    """example(name) -> an Example and what its commands print; run once."""
    known = {}

    def get(name):
        if name not in known:
            made = Example(name, tmp_path_factory.mktemp("examples"))
            known[name] = made, made.run()
        return known[name]

    return get


def numbers(line):
    return [float(word) for word in re.findall(r"[\d.]*\d", line)]


def test_readmes():
    """One for every folder, short, and named in the list."""
    listed = (EXAMPLES / "embed" / "README.md").read_text(encoding="utf-8")
    folders = [path.name for path in (EXAMPLES / "embed").iterdir() if path.is_dir()]
    for name in folders:
        assert f"({name}/README.md)" in listed
    for name in re.findall(r"\((\w+)/README.md\)", listed):
        readme = (EXAMPLES / "embed" / name / "README.md").read_text(encoding="utf-8")
        for file in re.findall(r"`(\w+\.(?:py|pyx|c))`", readme):
            assert (EXAMPLES / "embed" / name / file).is_file(), file


# -- Cython ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def cython(example, compile_c):
    """compile_c skips where there is no compiler."""
    pytest.importorskip("Cython")
    pytest.importorskip("setuptools")
    return example("cython")


def cost_in_python(net, angle, speed, n_steps):
    cost = 0.0
    for _ in range(n_steps):
        sine = math.sin(angle)
        share = float(net([math.cos(angle), sine, speed / 8])[0])
        cost += angle * angle + 0.1 * speed * speed + 0.004 * share * share
        speed = min(max(speed + 0.05 * (15 * sine + 9 * share), -8.0), 8.0)
        angle += 0.05 * speed
        angle -= 2 * math.pi * math.floor(angle / (2 * math.pi) + 0.5)
    return cost / n_steps


def test_pendulum(cython):
    pendulum = cython[0].load("pendulum")
    net = fn.Network([3, 8, 1], hidden="tanh", output="tanh", dtype="float64", seed=3)
    starts = np.random.default_rng(0).uniform(-3, 3, (30, 2))
    costs = pendulum.costs(net, starts, 20)
    expected = np.array([cost_in_python(net, *start, 20) for start in starts.tolist()])
    # Sines and fused operations may differ in the last place: some 8 eps a step of numbers up to 8,
    # which the pendulum makes larger as it does changes of the start
    growth = sum(np.abs([cost_in_python(net, *start, 20) for start in (starts + h).tolist()]
                        - expected) / 1e-7 for h in ([1e-7, 0], [0, 1e-7]))  # fmt: skip
    error = 20 * 8 * 8 * np.finfo(float).eps
    assert (np.abs(costs - expected) <= error * (1 + growth)).all()
    assert (growth < 1e3).all()
    np.testing.assert_array_equal(pendulum.costs(net, starts, 20, n_threads=3), costs)
    # upright and at rest without torque it stays
    still = fn.Network.from_arrays([(np.zeros((3, 1)), None, "tanh")])
    assert pendulum.costs(still, np.zeros((1, 2)), 100).tolist() == [0]
    single = fn.Network([3, 8, 1], dtype="float32")
    assert np.isnan(pendulum.costs(single, starts)).all()
    for wrong, where in ((fn.Network([2, 1], dtype="float64"), starts), (net, starts[:, :1].copy()),
                         (fn.Network([3, 2], dtype="float64"), starts)):  # fmt: skip
        with pytest.raises(ValueError, match="3 inputs and 1 output"):
            pendulum.costs(wrong, where)
    with pytest.raises(TypeError, match=r"must be a fastnet\.Network"):
        pendulum.costs(None, starts)


def test_the_pendulum_learns(cython):
    steps, first, evolved = cython[1].splitlines()
    assert numbers(steps)[0] == 100 * 40 * 10 * 200
    assert numbers(evolved)[0] < numbers(first)[0] / 2


# -- C ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def in_c(example, compile_c):
    pytest.importorskip("setuptools")
    return example("c")


def test_scorer(in_c, tmp_path):
    made, printed = in_c
    scorer = made.load("scorer")
    net = fn.load(made.folder / "digits.safetensors")
    rows = np.loadtxt(made.folder / "rows.csv", delimiter=",", dtype=np.float32)
    X, labels = np.ascontiguousarray(rows[:, :64]), rows[:, 64]
    scores = np.loadtxt(made.folder / "scores.csv", delimiter=",").astype(np.float32)
    # nine digits are the float32 that was written
    blocks = [net(X[k:k + 64]) for k in range(0, len(X), 64)]
    np.testing.assert_array_equal(scores, np.concatenate(blocks))
    n_right = np.count_nonzero(net(X).argmax(axis=1) == labels)
    by_module, in_plain_c = map(numbers, printed.splitlines())
    assert by_module == in_plain_c == [n_right, len(X)]
    assert n_right > 0.95 * len(X)

    content = (made.folder / "digits.safetensors").read_bytes()
    given, got = tmp_path / "rows.csv", tmp_path / "scores.csv"
    for n in (0, 1, 63, 64, 65):
        np.savetxt(given, X[:n], fmt="%.9g", delimiter=",")
        assert scorer.score(content, str(given), str(got)) == n
        assert got.read_text().count("\n") == n
    (tmp_path / "short.csv").write_text(given.read_text() + "1,2,3\n")
    with pytest.raises(ValueError, match="row 66 has not 64 numbers"):
        scorer.score(content, str(tmp_path / "short.csv"), str(got))
    with pytest.raises(ValueError, match="model: no file of a network, or a damaged one"):
        scorer.score(content[:-1], str(given), str(got))
    with pytest.raises(FileNotFoundError):
        scorer.score(content, str(tmp_path / "none.csv"), str(got))
    fn.Network([64, 10], dtype="float64").save(tmp_path / "net")
    with pytest.raises(ValueError, match="the other precision"):
        scorer.score((tmp_path / "net").read_bytes(), str(given), str(got))


def test_the_program_refuses_other_rows(in_c):
    folder = in_c[0].folder
    for text in ("1,2,3\n", "nothing\n", 64 * "1,"):
        done = subprocess.run(["./classify"], cwd=folder, input=text, text=True,
                              capture_output=True, check=False)  # fmt: skip
        assert done.returncode == 1
        assert "row 1 has not 65 numbers" in done.stderr


# -- numba -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def in_numba(example):
    pytest.importorskip("numba")
    return example("numba")


def steps_in_python(balance, start, force):
    """As many steps as the pole stands: force(state) is what a network gives."""
    state, n = start.copy(), 0
    while n < 1000 and abs(state[0]) < 2.4 and abs(state[2]) < 0.21:
        balance.move.py_func(state, force(state))
        n += 1
    return n


def test_numba_loops(in_numba):
    balance = in_numba[0].load("balance")
    net = fn.Network([4, 6, 1], hidden="tanh", output="tanh", dtype="float64", seed=1)
    net.parameters[:] *= 3
    config = neat.Config.paper(2, 1, mode="recurrent")
    # the output: angle and what it was, from itself
    genome = neat.Genome.from_connections(
        config, [(1, 1, 3, 2.0, True), (2, 0, 3, 0.4, True), (3, 3, 3, -0.8, True)],
        inputs=[0, 1], outputs=[3], bias=2)  # fmt: skip
    graph = genome.network()
    work = net.ctypes.workspace()

    def of_net(s):
        return 10 * float(net([s[0] / 2.4, s[1] / 2, s[2] / 0.21, s[3] / 2])[0])

    def of_graph(s):
        return 20 * float(graph.step([s[0] / 2.4, s[2] / 0.21])[0]) - 10

    n_steps = set()
    for start in balance.STARTS:
        n = balance.net_steps(net.ctypes.address, work.address, start)
        assert n == steps_in_python(balance, start, of_net)
        n_steps.add(n)
        n = balance.graph_steps(graph.ctypes.address, start)
        graph.reset()
        assert n == steps_in_python(balance, start, of_graph)
        n_steps.add(n)
    assert len(n_steps) > 3


def test_the_pole_stands(in_numba):
    lines = in_numba[1].splitlines()
    assert len(lines) == 2 * 10
    for first in (0, 10):
        rows = lines[first + 1:first + 10]
        assert {len(row) for row in rows} == {41}
        assert set("".join(rows)) <= set(" .#")
        # around the middle, at least; a quarter of what is upright enough to be held
        assert rows[4][20] == "#"
        assert "".join(rows).count("#") > 30


# -- SciPy -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def scipy_example(example):
    pytest.importorskip("scipy.integrate")
    pytest.importorskip("scipy.ndimage")
    return example("scipy")


def test_scipy_gives_what_python_gives(scipy_example):
    from scipy import integrate, ndimage

    measure = scipy_example[0].load("measure")
    net, noisy, denoised = measure.denoise()
    part = noisy[:30, :30]
    np.testing.assert_array_equal(
        denoised[3:27, 3:27],
        ndimage.generic_filter(part, lambda window: net(window)[0], 7)[3:27, 3:27])  # fmt: skip
    lens, photograph, straight = measure.straighten()
    np.testing.assert_array_equal(straight, ndimage.geometric_transform(
        photograph, lambda point: tuple(lens(point)), mode="nearest"))  # fmt: skip
    net, volume, exact = measure.integrate_hill()
    assert volume == integrate.nquad(lambda *x: net(x)[0], [(0, 1)] * 2, opts={"epsabs": 1e-8})[0]
    # 400 heights with noise of 0.02: the mean is off by 0.001, what is between them by as much
    assert abs(volume - exact) < 0.005


def test_scipy_results(scipy_example):
    _, denoising, straightening, volume = scipy_example[1].splitlines()
    before, gaussian, network, _ = numbers(denoising)
    assert network < gaussian < before
    before, network, _ = numbers(straightening)
    assert network < before / 10
    exact, network, _ = numbers(volume)
    assert abs(network - exact) < 0.005
