"""Networks in loops that numba compiles, and through cffi."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import fastnet as fn
from fastnet import neat


def test_numba_calls_a_net(dtype):
    numba = pytest.importorskip("numba")
    net = fn.Network([2, 8, 2], hidden="tanh", dtype=dtype, seed=0)
    forward = net.ctypes.forward_f32 if dtype == "float32" else net.ctypes.forward_f64
    tenth = np.dtype(dtype).type(0.1)

    @numba.njit
    def walk(net, work, x, n):
        y = np.empty_like(x)
        for _ in range(n):
            if forward(net, work, 1, x.ctypes, y.ctypes) != 0:
                break
            x = x + tenth * y
        return x

    work = net.ctypes.workspace()
    x = np.array([1.0, -0.5], dtype)
    expected = x
    for _ in range(20):
        expected = expected + tenth * net(expected)
    result = walk(net.ctypes.address, work.address, x, 20)
    # a compiler may fuse the multiplication and the addition
    np.testing.assert_allclose(result, expected, rtol=0, atol=40 * np.finfo(dtype).eps)
    assert result.dtype == dtype


def test_numba_steps_a_graph():
    numba = pytest.importorskip("numba")
    config = neat.Config(2, 1, bias=None, mode="recurrent", activation="tanh")
    network = neat.Genome.from_connections(
        config, [(0, 0, 2, 0.7, True), (1, 1, 2, -0.2, True), (2, 2, 2, 0.9, True)]).network()
    activate, reset = network.ctypes.activate, network.ctypes.reset

    @numba.njit
    def outputs(graph, x):
        y = np.empty((len(x), 1))
        reset(graph)
        for i in range(len(x)):
            activate(graph, x[i].ctypes, y[i].ctypes)
        return y

    x = np.random.default_rng(0).normal(size=(30, 2))
    result = outputs(network.ctypes.address, x)
    network.reset()
    np.testing.assert_array_equal(result, [network.step(row) for row in x])


CACHED = """
import llvmlite.binding
import numba
import numpy as np
from numba import types

import fastnet as fn

# a name, which the second process looks up again, not an address
llvmlite.binding.load_library_permanently(fn.get_library())
forward = types.ExternalFunction("fn_forward_f64", types.int32(*[types.uintp] * 5))


@numba.njit(cache=True)
def output(net, work, x):
    y = np.empty(1)
    return y[0] if forward(net, work, 1, x.ctypes.data, y.ctypes.data) == 0 else np.nan


net = fn.Network([2, 8, 1], hidden="tanh", dtype="float64", seed=0)
x, work = np.array([1.0, -0.5]), net.ctypes.workspace()
assert output(net.ctypes.address, work.address, x) == net(x)[0]
print(sum(output.stats.cache_hits.values()))
"""


def test_numba_caches(tmp_path):
    pytest.importorskip("numba")
    (tmp_path / "cached.py").write_text(CACHED)
    env = os.environ | {"PYTHONPATH": str(Path(fn.__file__).parents[1])}
    hits = []
    for _ in range(2):
        run = subprocess.run([sys.executable, "cached.py"], cwd=tmp_path, env=env,
                             capture_output=True, text=True, check=False)
        assert run.returncode == 0, run.stderr
        hits.append(int(run.stdout))
    assert hits == [0, 1]


def declarations():
    """What cffi reads of the header: types, constants and functions."""
    text = Path(fn.get_include(), "fastnet.h").read_text(encoding="utf-8")
    text = text[text.index("typedef struct fn_net"):text.index("typedef struct fn_api")]
    return re.sub(r"FN_EXPORT ", "", text)


def test_cffi(dtype):
    cffi = pytest.importorskip("cffi")
    ffi = cffi.FFI()
    ffi.cdef(declarations())
    library = ffi.dlopen(fn.get_library())
    net = fn.Network([3, 8, 2], hidden="tanh", dtype=dtype, seed=0)
    handle = ffi.cast("fn_net *", net.ctypes.address)
    x = np.random.default_rng(0).normal(size=(5, 3)).astype(dtype)
    y = np.empty((5, 2), dtype)
    work = library.fn_workspace_new(library.fn_workspace_size(handle, 5, 0))
    kind = "float" if dtype == "float32" else "double"
    forward = library.fn_forward_f32 if dtype == "float32" else library.fn_forward_f64
    rows, outputs = ffi.from_buffer(f"{kind}[]", x), ffi.from_buffer(f"{kind}[]", y)
    assert forward(handle, work, 5, rows, outputs) == library.FN_OK
    assert forward(handle, work, 6000, rows, outputs) == library.FN_ERROR_WORKSPACE
    library.fn_workspace_free(work)
    np.testing.assert_array_equal(y, net(x))
    assert ffi.string(library.fn_status_message(library.FN_ERROR_DTYPE)).startswith(b"the network")
