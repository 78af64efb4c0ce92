"""Handles of evolved networks that C makes for itself."""

import ctypes
import gc
import sys

import numpy as np
import pytest

import fastnet as fn
from fastnet import capi, neat

OK, NULL, FORMAT = 0, -1, -5
MODES = ["feed_forward", "recurrent", "time_step"]


def network_of(mode="recurrent", dtype="float64"):
    """Two inputs, two outputs that feed each other."""
    rows = [(0, 0, 2, 1.5, True), (1, 1, 3, -0.5, True), (2, 0, 3, 0.25, True)]
    if mode != "feed_forward":
        rows += [(3, 2, 3, 0.75, True), (4, 3, 2, -1.25, True), (5, 2, 2, 0.5, True)]
    config = neat.Config(2, 2, bias=None, mode=mode, activation="tanh")
    return neat.Genome.from_connections(config, rows).network(dtype=dtype)


def steps(graph, n=4):
    """Outputs of so many calls with the same row."""
    x, y = np.array([0.5, -1.0]), np.empty((n, 2))
    for i in range(n):
        assert capi.fn_activate(graph, x.ctypes, y[i:].ctypes) == OK
    return y.tolist()


def expected_steps(network, n=4):
    network.reset()
    return [network.step([0.5, -1.0]).astype(float).tolist() for _ in range(n)]


@pytest.mark.parametrize("mode", MODES)
def test_of_an_object(mode, dtype):
    network = network_of(mode, dtype)
    expected = expected_steps(network)
    state = network.step([0.5, -1.0])
    graph = capi.fn_graph_from_object(network)
    assert graph != network.ctypes.address
    assert capi.fn_graph_mode(graph) == MODES.index(mode)
    # its own state, which begins at 0, and its own parameters
    network.parameters[:] = 0
    assert steps(graph) == expected
    del network
    gc.collect()
    assert capi.fn_graph_reset(graph) == OK
    assert steps(graph) == expected
    assert len(state) == 2
    capi.fn_graph_release(graph)


@pytest.mark.parametrize("mode", MODES)
def test_clone(mode, dtype):
    network = network_of(mode, dtype)
    expected = expected_steps(network)
    for graph in (capi.fn_graph_from_object(network), network.ctypes.address):
        steps(graph)
        clones = [capi.fn_graph_clone(graph) for _ in range(2)]
        before = steps(graph, 1)
        assert [steps(clone) for clone in clones] == [expected, expected]
        second = capi.fn_graph_clone(clones[0])
        capi.fn_graph_release(clones[0])
        assert steps(second) == expected
        assert before == steps(graph, 1) or mode == "recurrent"
        capi.fn_graph_release(second)
        capi.fn_graph_release(clones[1])
        if graph != network.ctypes.address:
            capi.fn_graph_release(graph)


def test_json_in_memory():
    network = network_of()
    text = network.genome.to_json().encode()
    status = ctypes.c_int(99)
    graph = capi.fn_graph_from_memory(text, len(text), ctypes.byref(status))
    assert status.value == OK
    assert steps(graph) == expected_steps(network)
    capi.fn_graph_release(graph)
    graph = capi.fn_graph_from_memory(text, len(text), None)
    assert capi.fn_graph_n_inputs(graph) == 2
    capi.fn_graph_release(graph)


def test_json_that_is_none(tmp_path):
    text = network_of().genome.to_json().encode()
    fn.Network([2, 1]).save(tmp_path / "net")
    status = ctypes.c_int(99)
    for bad in (b"", b"{}", b"\xff", text[:-3], text + b"x", (tmp_path / "net").read_bytes()):
        assert capi.fn_graph_from_memory(bad, len(bad), ctypes.byref(status)) is None
        assert status.value == FORMAT
    assert capi.fn_graph_from_memory(None, 3, ctypes.byref(status)) is None
    assert status.value == NULL


def test_references():
    network = network_of()
    before = sys.getrefcount(network)
    graph = capi.fn_graph_from_object(network)
    assert sys.getrefcount(network) == before
    capi.fn_graph_release(graph)
    capi.fn_graph_release(None)
    assert capi.fn_graph_clone(None) is None


@pytest.mark.parametrize("thing", [None, 3, object(), neat.Network, fn.Network([2, 1])])
def test_objects_that_are_no_networks(thing):
    with pytest.raises(TypeError, match=r"network must be a fastnet.neat.Network, got"):
        capi.fn_graph_from_object(thing)


def test_the_graph_of_a_task():
    """It belongs to the task."""
    seen = []

    @ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_void_p, ctypes.c_uint64, ctypes.c_void_p)
    def fitness(graph, seed, data):
        seen.append(capi.fn_graph_clone(graph))
        capi.fn_graph_release(graph)
        return 1.0

    assert neat.tasks.native(fitness).evaluate(network_of()) == 1
    assert seen == [None]
