"""Nothing is read or written beside the arrays of the caller: pages there cannot be touched."""

import ctypes
import mmap
import os
import subprocess
import sys

import numpy as np
import pytest

import fastnet as fn
from fastnet import capi, neat

OK, WORKSPACE = 0, -4
PAGE = mmap.PAGESIZE
NO_ACCESS = 0       # PROT_NONE, which mmap has no name for
ACTIVATIONS = ["identity", "relu", "tanh", "gelu", "softmax", "sigmoid", "mish", "elu"]


class Fenced:
    """Memory between two pages that end the process when they are touched."""

    def __init__(self, n_bytes):
        self.n_bytes = n_bytes
        self.room = -(-max(n_bytes, 1) // PAGE) * PAGE
        self.memory = mmap.mmap(-1, self.room + 2 * PAGE)
        start = ctypes.addressof(ctypes.c_char.from_buffer(self.memory))
        protect = ctypes.CDLL(None, use_errno=True).mprotect
        protect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
        for fence in (start, start + PAGE + self.room):
            assert protect(fence, PAGE, NO_ACCESS) == 0
        self.start = start + PAGE

    def bytes(self, at_end):
        """All of it, as bytes that begin behind one fence or end before the other."""
        offset = PAGE + (self.room - self.n_bytes if at_end else 0)
        return np.frombuffer(self.memory, np.uint8, self.n_bytes, offset)


def fenced(array, at_end):
    """A copy of an array."""
    copy = Fenced(array.nbytes).bytes(at_end).view(array.dtype).reshape(array.shape)
    copy[...] = array
    return copy


@pytest.fixture(autouse=True)
def has_fences():
    if sys.platform == "win32":
        pytest.skip("no mprotect")


def networks(dtype, n):
    """Networks of random layers; the first ones are as small as they can be."""
    rng = np.random.default_rng(0)
    for k in range(n):
        widths = rng.integers(1, 3 + 2 * k, size=rng.integers(2, 6))
        layers = []
        for width in widths[1:]:
            kind = rng.integers(6)
            activation = ACTIVATIONS[rng.integers(len(ACTIVATIONS))]
            if kind == 0:
                layers.append(fn.LayerNorm(activation))
            elif kind == 1:
                layers.append(fn.Dropout(0.5))
            else:
                layers.append(fn.Dense(int(width), activation, bias=bool(kind % 2)))
        net = fn.Network(int(widths[0]), layers, dtype=dtype, seed=k)
        net.parameters[:] += 0.1
        yield net
    # weights and inputs that products copy, and a product of few columns
    yield fn.Network([300, 300, 3], dtype=dtype, seed=0)


def functions_of(net):
    suffix = "f32" if net.dtype == np.float32 else "f64"
    return (getattr(capi, f"fn_forward_{suffix}"), getattr(capi, f"fn_loss_and_gradient_{suffix}"))


FORBIDDEN = """
import ctypes, runpy, sys
memory = runpy.run_path(sys.argv[1])["Fenced"](100).bytes(at_end=True)
ctypes.string_at(memory.ctypes.data, 100)
print("inside", flush=True)
ctypes.string_at(memory.ctypes.data, 101)
"""


def test_the_fences():
    run = subprocess.run(
        [sys.executable, "-c", FORBIDDEN, __file__], capture_output=True, text=True, check=False,
        env=os.environ | {"PYTHONPATH": os.path.dirname(os.path.dirname(fn.__file__)),
                          # a sanitizer would report it
                          "ASAN_OPTIONS": "handle_segv=0:handle_sigbus=0:detect_leaks=0",
                          "TSAN_OPTIONS": "handle_segv=0:handle_sigbus=0"})
    assert run.stdout == "inside\n", run.stderr
    assert run.returncode != 0


@pytest.mark.parametrize("at_end", [False, True])
def test_nets(dtype, at_end):
    """With exactly as much scratch as they say, at any address and full of anything."""
    loss = capi.fn_loss_id(b"squared_error")
    for k, net in enumerate(networks(dtype, 24)):
        forward, loss_and_gradient = functions_of(net)
        net_address = net.ctypes.address
        for n_rows in (1, 2, 3, 5 + k, 64, 130 + 17 * k):
            rng = np.random.default_rng(n_rows)
            x = rng.normal(size=(n_rows, net.n_inputs)).astype(dtype)
            targets = rng.normal(size=(n_rows, net.n_outputs)).astype(dtype)
            expected, d_expected = net.loss_and_gradient(x, targets, "squared_error")
            y_expected = net(x) if n_rows > 1 else net(x[0])[None]
            x, targets = fenced(x, at_end), fenced(targets, at_end)
            y, value = fenced(np.zeros_like(targets), at_end), fenced(np.zeros(1, dtype), at_end)
            d = fenced(np.zeros_like(d_expected), at_end)
            for gradient in (0, 1):
                n_bytes = capi.fn_workspace_size(net_address, n_rows, gradient)
                for spare, status in ((-1, WORKSPACE), (0, OK)):
                    memory = Fenced(n_bytes + capi.fn_workspace_overhead() + spare).bytes(at_end)
                    memory[:] = 255     # NaN
                    work = capi.fn_workspace_place(memory.ctypes.data, memory.nbytes)
                    if gradient:
                        assert loss_and_gradient(
                            net_address, work, loss, n_rows, x.ctypes, targets.ctypes,
                            value.ctypes, d.ctypes) == status
                    else:
                        assert forward(
                            net_address, work, n_rows, x.ctypes, y.ctypes) == status
            np.testing.assert_array_equal(y, y_expected)
            assert value[0] == np.dtype(dtype).type(expected)
            np.testing.assert_array_equal(d, d_expected)


@pytest.mark.parametrize("at_end", [False, True])
@pytest.mark.parametrize("mode", ["feed_forward", "recurrent", "time_step"])
def test_graphs(dtype, mode, at_end):
    for n_inputs, n_outputs in ((1, 1), (2, 3), (5, 1), (9, 17)):
        config = neat.Config(n_inputs, n_outputs, mode=mode, activation="tanh")
        genome = neat.Genome(config, rng=0)
        network = genome.network(dtype=dtype)
        graph = capi.fn_graph_from_object(network)
        for n_rows in (1, 2, 7, 33, 300):
            x = np.random.default_rng(n_rows).normal(size=(n_rows, n_inputs)).astype(dtype)
            expected = network(x)
            if mode == "recurrent":
                network.reset()
                expected = [network.step(row) for row in x]
            x = fenced(x.astype(float), at_end)
            y = fenced(np.zeros((n_rows, n_outputs)), at_end)
            assert capi.fn_graph_reset(graph) == OK
            assert capi.fn_activate_rows(graph, n_rows, x.ctypes, y.ctypes) == OK
            np.testing.assert_array_equal(y, expected)
            row, values = fenced(x[-1], at_end), fenced(np.zeros(n_outputs), at_end)
            network.reset()
            assert capi.fn_graph_reset(graph) == OK
            assert capi.fn_activate(graph, row.ctypes, values.ctypes) == OK
            np.testing.assert_array_equal(values, network.step(x[-1].astype(dtype)).astype(float))
        capi.fn_graph_release(graph)
