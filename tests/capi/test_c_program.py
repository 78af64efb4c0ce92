"""A program in C with an interpreter of its own."""

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import numpy as np
import pytest

import fastnet as fn
from fastnet import neat

SOURCE = Path(__file__).parent / "c_program" / "program.c"


def python_to_link():
    """Options to compile and to link a program that has this interpreter in it."""
    get = sysconfig.get_config_var
    includes = {sysconfig.get_path(name) for name in ("include", "platinclude")}
    if not any(os.path.isfile(os.path.join(folder, "Python.h")) for folder in includes):
        pytest.skip("no headers of Python")
    folders = [folder for folder in (get("LIBDIR"), get("LIBPL")) if folder]
    name = get("LDLIBRARY") or ""
    folder = next((f for f in folders if os.path.isfile(os.path.join(f, name))), None)
    if folder is None or not name.endswith((".so", ".a", ".dylib")):
        pytest.skip("no library of Python to link")
    link = [os.path.join(folder, name), f"-Wl,-rpath,{folder}"]
    for options in ("LINKFORSHARED", "LIBS", "SYSLIBS"):
        link += (get(options) or "").split()
    return [f"-I{folder}" for folder in sorted(includes)], link


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    compiler = shutil.which("cc")
    if compiler is None or sys.platform == "win32":
        pytest.skip("no C compiler by the name of cc")
    if sys.platform == "darwin":
        pytest.skip("modules of Python are no libraries to link there")
    options, link = python_to_link()
    path = tmp_path_factory.mktemp("program") / "program"
    env = {name: value for name, value in os.environ.items() if name != "LD_PRELOAD"}
    run = subprocess.run(
        [compiler, "-std=c99", "-Wall", "-Wextra", *os.environ.get("CFLAGS", "").split(),
         f"-I{fn.get_include()}", *options, str(SOURCE), fn.get_library(),
         f"-Wl,-rpath,{os.path.dirname(fn.get_library())}", *link, "-lpthread", "-o", str(path)],
        capture_output=True, text=True, check=False, env=env)
    assert run.returncode == 0, run.stderr
    assert "warning" not in run.stderr
    return path


def test_the_program(program, tmp_path):
    net = fn.Network([3, 5, 2], hidden="tanh", dtype="float64", seed=0)
    net.save(tmp_path / "net")
    config = neat.Config(2, 2, bias=None, mode="recurrent", activation="tanh")
    genome = neat.Genome.from_connections(
        config, [(0, 0, 2, 1.5, True), (1, 1, 3, -0.5, True), (2, 2, 3, 0.75, True),
                 (3, 3, 2, -1.25, True)])
    (tmp_path / "genome").write_text(genome.to_json())
    # what the interpreter of the program does not find by its own place
    env = os.environ | {"PYTHONHOME": sys.base_prefix, "PYTHONPATH": os.pathsep.join(
        [str(Path(fn.__file__).parents[1]), *filter(None, sys.path)])}
    run = subprocess.run([str(program), str(tmp_path / "net"), str(tmp_path / "genome")], env=env,
                         capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    y, value, gradient, steps = [
        np.array([float.fromhex(number) for number in line.split()])
        for line in run.stdout.splitlines()]
    x = np.array([0.5, -1, 2, 1, 1, 1, 0, -0.25, 3, -2, 0.125, 1, 4, 2, -3])
    targets = np.array([1, 0, -1, 0.5, 0, 0, 2, 1, -0.5, 0.25])
    np.testing.assert_array_equal(y.reshape(5, 2), net(x.reshape(5, 3)))
    expected, d_expected = net.loss_and_gradient(
        x.reshape(5, 3), targets.reshape(5, 2), "squared_error")
    assert value == expected
    np.testing.assert_array_equal(gradient, d_expected)
    network = genome.network()
    np.testing.assert_array_equal(
        steps.reshape(6, 2), [network.step(x[i:i + 2]) for i in range(6)])
