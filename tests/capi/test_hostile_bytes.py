"""Files and genomes in memory that are damaged or made up: an error, or another network."""

import ctypes
import json
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fastnet as fn
from fastnet import capi, neat
from fastnet.nn import files

OK, FORMAT = 0, -5
# What JSON may say where something else is expected
ODD = [0, -1, 1, 2**31, 2**63, 2**64, 1e308, float("inf"), float("nan"), -0.0, 1e-320, None, True,
       "", "x", "\ud800", "tanh", "9" * 5000, [], {}, [[]]]
ALPHABET = b'0123456789[]{},:"-.eEtruefalsn \xff\x00'


@pytest.fixture(scope="module")
def content(tmp_path_factory):
    """Of a file."""
    path = tmp_path_factory.mktemp("file") / "net"
    layers = [fn.Dense(7, "tanh"), fn.LayerNorm("gelu"), fn.Dropout(0.5), fn.Dense(3, "softmax")]
    fn.Network(4, layers, seed=1).save(path)
    return path.read_bytes()


@pytest.fixture(scope="module")
def text():
    """Of a genome."""
    config = neat.Config(2, 2, bias=None, mode="recurrent", activation="tanh")
    rows = [(0, 0, 2, 1.5, True), (1, 1, 3, -0.5, True), (2, 0, 3, 0.25, True),
            (3, 2, 3, 0.75, True)]
    return neat.Genome.from_connections(config, rows).to_json()


def with_other_bytes(data, rng, first=0):
    """Cut off, or some bytes replaced, put in or left out."""
    data = bytearray(data)
    if rng.random() < 0.1:
        return bytes(data[:rng.integers(len(data))])
    for _ in range(rng.integers(1, 4)):
        a = int(rng.integers(first, len(data)))
        new = bytes(rng.choice(list(ALPHABET), rng.integers(3)).astype(np.uint8))
        data[a:a + int(rng.integers(3))] = new
    return bytes(data)


def with_other_values(value, rng):
    """One entry of what JSON says, somewhere, is another, is gone, or is new."""
    if not isinstance(value, (dict, list)) or not value or rng.random() < 0.1:
        return ODD[rng.integers(len(ODD))]
    value = value.copy()
    keys = list(value) if isinstance(value, dict) else range(len(value))
    key = keys[rng.integers(len(keys))]
    what = rng.random()
    if what < 0.1:
        del value[key]
    elif what < 0.2 and isinstance(value, dict):
        value[str(ODD[rng.integers(len(ODD))])] = 0
    elif what < 0.2:
        value.insert(key, ODD[rng.integers(len(ODD))])
    else:
        value[key] = with_other_values(value[key], rng)
    return value


def in_json(value):
    return json.dumps(value).encode("utf-8", "surrogatepass")


def loaded(function, data):
    """The handle or None."""
    status = ctypes.c_int(99)
    handle = function(data, len(data), ctypes.byref(status))
    assert status.value == (FORMAT if handle is None else OK)
    return handle


def use_net(data):
    handle = loaded(capi.fn_net_from_memory, data)
    if handle is None:
        return
    assert capi.fn_net_n_inputs(handle) == 4
    work = capi.fn_workspace_new(capi.fn_workspace_size(handle, 3, 0))
    x, y = np.ones((3, 4), np.float32), np.empty((3, 7), np.float32)
    assert capi.fn_forward_f32(handle, work, 3, x.ctypes, y.ctypes) == OK
    capi.fn_workspace_free(work)
    capi.fn_net_release(handle)


@given(seed=st.integers(0, 2**32 - 1))
def test_files(content, seed):
    rng = np.random.default_rng(seed)
    (size,) = struct.unpack("<Q", content[:8])
    header, data = json.loads(content[8:8 + size]), content[8 + size:]
    for _ in range(8):
        use_net(with_other_bytes(content, rng))
        changed = in_json(with_other_values(header, rng))
        use_net(struct.pack("<Q", len(changed)) + changed + data)
        # with the checksum of what it says
        metadata = dict(header["__metadata__"])
        layers = with_other_values(json.loads(metadata["layers"]), rng)
        metadata["layers"] = json.dumps(layers)
        tensors, _ = files._files.read_bytes(content)
        metadata["checksum"] = files.checksum(tensors, metadata["layers"])
        changed = in_json(header | {"__metadata__": metadata})
        use_net(struct.pack("<Q", len(changed)) + changed + data)


@given(seed=st.integers(0, 2**32 - 1))
def test_genomes(text, seed):
    rng = np.random.default_rng(seed)
    genome = json.loads(text)
    for _ in range(8):
        for data in (with_other_bytes(text.encode(), rng), in_json(with_other_values(genome, rng))):
            graph = loaded(capi.fn_graph_from_memory, data)
            if graph is None:
                continue
            sizes = capi.fn_graph_n_inputs(graph), capi.fn_graph_n_outputs(graph)
            assert sizes == (2, 2)
            x, y = np.ones((3, 2)), np.empty((3, 2))
            assert capi.fn_activate(graph, x.ctypes, y.ctypes) == OK
            capi.fn_graph_release(graph)


@pytest.mark.parametrize("data", [b"[" * 200_000, b'{"a":' * 200_000, b"9" * 1_000_000])
def test_depth_and_length(data):
    assert loaded(capi.fn_graph_from_memory, data) is None
    assert loaded(capi.fn_net_from_memory, struct.pack("<Q", len(data)) + data) is None
