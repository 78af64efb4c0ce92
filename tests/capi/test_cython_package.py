"""A Cython package with its own setup.py, built outside of the source tree."""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import fastnet as fn
from fastnet import neat

FORMAT, DTYPE = -5, -2


# of the session, as the precision of tests is, by which they are ordered
@pytest.fixture(scope="session")
def consumer(tmp_path_factory, compile_c):
    """Its module; compile_c skips where there is no compiler."""
    pytest.importorskip("Cython")
    pytest.importorskip("setuptools")
    folder = tmp_path_factory.mktemp("package") / "build"
    shutil.copytree(Path(__file__).parent / "cython_package", folder)
    # what is cimported is the package that is tested, wherever it is installed
    env = os.environ | {"PYTHONPATH": os.path.dirname(os.path.dirname(fn.__file__)),
                        "CFLAGS": "-O1 " + os.environ.get("CFLAGS", "")}
    run = subprocess.run([sys.executable, "setup.py", "build_ext", "--inplace"], cwd=folder,
                         env=env, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    (path,) = folder.glob("consumer.*.so")
    spec = importlib.util.spec_from_file_location("consumer", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def buffers(net, n_rows):
    """Rows and targets, and room for outputs, those one by one, the loss and its gradient."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(n_rows, net.n_inputs)).astype(net.dtype)
    targets = rng.normal(size=(n_rows, net.n_outputs)).astype(net.dtype)
    return (x, targets, np.empty_like(targets), np.empty_like(targets), np.empty(1, net.dtype),
            np.empty(net.n_parameters, net.dtype))


@pytest.mark.parametrize("n_rows", [2, 300])
def test_nets(consumer, dtype, tmp_path, n_rows):
    net = fn.Network([3, 20, 2], hidden="tanh", dtype=dtype, seed=0)
    net.save(tmp_path / "net")
    content = (tmp_path / "net").read_bytes()
    before = sys.getrefcount(net)
    for function, source in ((consumer.of_object, net), (consumer.of_file, content)):
        x, targets, rows, single, value, d = buffers(net, n_rows)
        assert function(source, x, targets, rows, single, value, d) == (0, "no error")
        np.testing.assert_array_equal(rows, net(x))
        np.testing.assert_array_equal(single, [net(row) for row in x])
        expected, d_expected = net.loss_and_gradient(x, targets, "squared_error")
        assert value[0] == np.dtype(dtype).type(expected)
        np.testing.assert_array_equal(d, d_expected)
    assert sys.getrefcount(net) == before
    status, message = consumer.of_file(content[:-1], *buffers(net, 2))
    assert (status, message) == (FORMAT, "no file of a network, or a damaged one")
    other = fn.Network([3, 20, 2], dtype="float64" if dtype == "float32" else "float32")
    assert consumer.of_object(other, *buffers(net, 2))[0] == DTYPE
    with pytest.raises(TypeError, match=r"network must be a fastnet.Network, got str"):
        consumer.of_object("net", *buffers(net, 2))


@pytest.mark.parametrize("mode", ["feed_forward", "recurrent", "time_step"])
def test_graphs(consumer, mode):
    rows = [(0, 0, 2, 1.5, True), (1, 1, 3, -0.5, True), (2, 0, 3, 0.25, True)]
    if mode != "feed_forward":
        rows += [(3, 2, 3, 0.75, True), (4, 3, 2, -1.25, True), (5, 2, 2, 0.5, True)]
    config = neat.Config(2, 2, bias=None, mode=mode, activation="tanh")
    genome = neat.Genome.from_connections(config, rows)
    network = genome.network()
    x = np.random.default_rng(0).normal(size=(5, 2))
    y = np.empty((3, 10, 2))
    status, modes = consumer.graphs(network, genome.to_json().encode(), x, y)
    assert status == 0
    assert len(set(modes)) == 1
    singly = [network.step(row) for row in x]
    at_once = singly if mode == "recurrent" else network(x)
    for each in y:
        np.testing.assert_array_equal(each[:5], singly)
        np.testing.assert_array_equal(each[5:], at_once)
