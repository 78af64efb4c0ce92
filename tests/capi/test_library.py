"""The functions of fastnet.h as symbols, in the capsule, and for ctypes: what they refuse."""

import copy
import ctypes
import os
import pickle
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import fastnet as fn
from fastnet import capi, neat

# Cython modules are compiled with these signatures, and C with this order of the table: whatever is
# here stays as it is, and new ones come after it.
SIGNATURES = {
    "fn_status_message": "char const *(int)",
    "fn_graph_n_inputs": "size_t (fn_graph const *)",
    "fn_graph_n_outputs": "size_t (fn_graph const *)",
    "fn_graph_mode": "int (fn_graph const *)",
    "fn_graph_reset": "int (fn_graph *)",
    "fn_activate": "int (fn_graph *, double const *, double *)",
    "fn_activate_rows": "int (fn_graph *, size_t, double const *, double *)",
    "fn_net_from_object": "fn_net *(void *)",
    "fn_net_from_memory": "fn_net *(void const *, size_t, int *)",
    "fn_net_retain": "fn_net *(fn_net *)",
    "fn_net_release": "void (fn_net *)",
    "fn_net_n_inputs": "size_t (fn_net const *)",
    "fn_net_n_outputs": "size_t (fn_net const *)",
    "fn_net_n_parameters": "size_t (fn_net const *)",
    "fn_net_dtype": "int (fn_net const *)",
    "fn_workspace_size": "size_t (fn_net const *, size_t, int)",
    "fn_workspace_new": "fn_workspace *(size_t)",
    "fn_workspace_place": "fn_workspace *(void *, size_t)",
    "fn_workspace_overhead": "size_t (void)",
    "fn_workspace_free": "void (fn_workspace *)",
    "fn_forward_f32": "int (fn_net const *, fn_workspace *, size_t, float const *, float *)",
    "fn_forward_f64": "int (fn_net const *, fn_workspace *, size_t, double const *, double *)",
    "fn_loss_id": "int (char const *)",
    "fn_loss_and_gradient_f32": (
        "int (fn_net const *, fn_workspace *, int, size_t, float const *, float const *, "
        "float *, float *)"
    ),
    "fn_loss_and_gradient_f64": (
        "int (fn_net const *, fn_workspace *, int, size_t, double const *, double const "
        "*, double *, double *)"
    ),
    "fn_graph_from_object": "fn_graph *(void *)",
    "fn_graph_from_memory": "fn_graph *(void const *, size_t, int *)",
    "fn_graph_clone": "fn_graph *(fn_graph const *)",
    "fn_graph_release": "void (fn_graph *)",
}
FUNCTIONS = list(SIGNATURES)
OK, ERROR_NULL, ERROR_SIZE = 0, -1, -3
STATUS = {
    OK: "no error", ERROR_NULL: "NULL", -2: "precision", ERROR_SIZE: "rows", -4: "workspace",
    -5: "file", -6: "memory", -7: "cannot",
}
MODES = ["feed_forward", "recurrent", "time_step"]
# Of the header: these stay, too
CONSTANTS = {
    "FN_ABI_VERSION": 1, "FN_OK": 0, "FN_ERROR_NULL": -1, "FN_ERROR_DTYPE": -2,
    "FN_ERROR_SIZE": -3, "FN_ERROR_WORKSPACE": -4, "FN_ERROR_FORMAT": -5, "FN_ERROR_MEMORY": -6,
    "FN_ERROR_UNSUPPORTED": -7, "FN_FLOAT32": 0, "FN_FLOAT64": 1, "FN_FEED_FORWARD": 0,
    "FN_RECURRENT": 1, "FN_TIME_STEP": 2,
}


def network_of(mode="recurrent", dtype="float64"):
    """Two inputs, two outputs that feed each other."""
    rows = [(0, 0, 2, 1.5, True), (1, 1, 3, -0.5, True), (2, 0, 3, 0.25, True)]
    if mode != "feed_forward":
        rows += [(3, 2, 3, 0.75, True), (4, 3, 2, -1.25, True), (5, 2, 2, 0.5, True)]
    config = neat.Config(2, 2, bias=None, mode=mode, activation="tanh")
    return neat.Genome.from_connections(config, rows).network(dtype=dtype)


def address(function):
    return ctypes.cast(function, ctypes.c_void_p).value


def header():
    return Path(fn.get_include(), "fastnet.h").read_text(encoding="utf-8")


def in_table():
    """Names of the functions in the order of the table."""
    table = header()
    table = table[table.index("typedef struct fn_api {"):table.index("} fn_api;")]
    return ["fn_" + name for name in re.findall(r"\(\*(\w+)\)\(", table)]


def test_every_function_of_the_header_is_there():
    declared = sorted(re.findall(r"^FN_EXPORT .*?(\w+)\(", header(), re.M))
    assert sorted(in_table()) == declared
    assert sorted(capi.__all__) == declared
    library = ctypes.CDLL(fn.get_library())
    for name in declared:
        assert address(getattr(library, name)) == address(getattr(capi, name)), name
        # made once
        assert getattr(capi, name) is getattr(capi, name)
    # what Cython modules find
    assert sorted(capi.__pyx_capi__) == declared


def test_the_table_of_the_capsule():
    get = ctypes.pythonapi.PyCapsule_GetPointer
    get.restype, get.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    table = get(fn._capi, b"fastnet._capi")
    version, size = (ctypes.c_uint32 * 2).from_address(table)
    assert version == 1
    assert size == 8 + len(in_table()) * ctypes.sizeof(ctypes.c_void_p)
    pointers = (ctypes.c_void_p * len(in_table())).from_address(table + 8)
    assert list(pointers) == [address(getattr(capi, name)) for name in in_table()]


# -- what only additions may change ------------------------------------------------------------

def test_constants():
    found = re.findall(r"^(?:#define|   ) (FN_\w+)(?: =)? (-?\d+)\b", header(), re.M)
    found = {name: int(value) for name, value in found}
    assert found | CONSTANTS == found


def test_signatures_for_cython():
    name_of = ctypes.pythonapi.PyCapsule_GetName
    name_of.restype, name_of.argtypes = ctypes.c_char_p, [ctypes.py_object]
    found = {name: name_of(capi.__pyx_capi__[name]).decode() for name in FUNCTIONS}
    assert found == SIGNATURES


def test_the_order_of_the_table():
    assert in_table()[:len(FUNCTIONS)] == FUNCTIONS


def test_sizes_and_places_in_c(compile_c):
    """As a compiler sees the header."""
    members = ["abi_version", "struct_size", *[name.removeprefix("fn_") for name in FUNCTIONS]]
    values = [f"offsetof(fn_api, {name})" for name in members]
    values += ["sizeof(fn_api)", "sizeof(enum fn_status)", "sizeof(enum fn_dtype)",
               "sizeof(enum fn_mode)"]
    source = f'#include "fastnet.h"\nconst size_t values[] = {{{", ".join(values)}}};\n'
    library = ctypes.CDLL(str(compile_c(source)))
    found = list((ctypes.c_size_t * len(values)).in_dll(library, "values"))
    pointer = ctypes.sizeof(ctypes.c_void_p)
    assert found[:len(members)] == [0, 4, *range(8, 8 + pointer * len(FUNCTIONS), pointer)]
    size, *enums = found[len(members):]
    assert size >= 8 + pointer * len(FUNCTIONS)
    assert enums == [4, 4, 4]


# -- how it is found, and what is refused ------------------------------------------------------

def test_the_capsule_is_found_by_its_name():
    """In a process that has imported nothing of fastnet."""
    code = (
        "import ctypes, sys\n"
        "importing = ctypes.pythonapi.PyCapsule_Import\n"
        "importing.restype, importing.argtypes = ctypes.c_void_p, [ctypes.c_char_p, ctypes.c_int]\n"
        "assert 'fastnet' not in sys.modules\n"
        "assert importing(b'fastnet._capi', 0)"
    )
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False,
        env=os.environ | {"PYTHONPATH": str(Path(fn.__file__).parents[1])})
    assert run.returncode == 0, run.stderr


def test_paths():
    assert os.path.isfile(os.path.join(fn.get_include(), "fastnet.h"))
    assert fn.get_library() == capi.__file__
    assert Path(fn.get_library()).suffix in (".so", ".pyd")


def test_unknown_names():
    with pytest.raises(AttributeError, match=r"'fastnet.capi' has no attribute 'fn_forward'"):
        capi.fn_forward  # noqa: B018


@pytest.mark.parametrize("status", [*STATUS, 1, -8, 2**31 - 1, -(2**31)])
def test_messages(status):
    message = capi.fn_status_message(status).decode()
    assert STATUS.get(status, "unknown") in message


def test_null():
    x = np.ones(2)
    y = np.full(2, 7.0)
    graph = network_of().ctypes
    functions = [capi.fn_graph_n_inputs, capi.fn_graph_n_outputs]
    assert [function(None) for function in functions] == [0, 0]
    assert capi.fn_graph_mode(None) == ERROR_NULL
    assert capi.fn_graph_reset(None) == ERROR_NULL
    for arguments in ((None, x.ctypes, y.ctypes), (graph.address, None, y.ctypes),
                      (graph.address, x.ctypes, None)):
        assert capi.fn_activate(*arguments) == ERROR_NULL
        assert capi.fn_activate_rows(arguments[0], 1, *arguments[1:]) == ERROR_NULL
        assert capi.fn_activate_rows(arguments[0], 0, *arguments[1:]) == ERROR_NULL
    assert y.tolist() == [7, 7]
    # nothing was computed
    assert capi.fn_activate(graph.address, x.ctypes, y.ctypes) == OK
    np.testing.assert_array_equal(y, network_of()(x))


@pytest.mark.parametrize("mode", MODES)
def test_more_rows_than_memory_could_hold(mode, dtype):
    graph = network_of(mode, dtype).ctypes
    x, y = np.ones((1, 2)), np.full((1, 2), 7.0)
    most = 2 ** (8 * ctypes.sizeof(ctypes.c_size_t) - 1)
    for n_rows in (2 * most - 1, most, most // 16):
        assert graph.activate_rows(graph.address, n_rows, x.ctypes, y.ctypes) == ERROR_SIZE
    assert y.tolist() == [[7, 7]]
    assert graph.activate_rows(graph.address, 0, x.ctypes, y.ctypes) == OK
    assert y.tolist() == [[7, 7]]


@pytest.mark.parametrize("mode", MODES)
def test_ctypes_of_a_network(mode, dtype):
    network = network_of(mode, dtype)
    graph = network.ctypes
    assert graph.address == network.ctypes.address
    assert capi.fn_graph_n_inputs(graph.address) == 2
    assert capi.fn_graph_n_outputs(graph.address) == 2
    assert capi.fn_graph_mode(graph.address) == MODES.index(mode)
    twin = network_of(mode, dtype)
    x = np.random.default_rng(0).normal(size=(5, 2)).astype(dtype)
    wide = x.astype(float)
    y = np.empty(2)
    for row, row_wide in zip(x, wide, strict=True):
        assert graph.activate(graph.address, row_wide.ctypes, y.ctypes) == OK
        np.testing.assert_array_equal(y, twin.step(row).astype(float))
    # it is the state of the network, and its parameters
    np.testing.assert_array_equal(network.step(x[0]), twin.step(x[0]))
    assert graph.reset(graph.address) == OK
    np.testing.assert_array_equal(network.step(x[0]), twin(x[0]))
    twin.reset()
    twin.step(x[0])
    for each in (network, twin):
        each.parameters[:] *= 2
    rows, expected = np.empty((5, 2)), twin(x)
    assert graph.activate_rows(graph.address, 5, wide.ctypes, rows.ctypes) == OK
    if mode == "recurrent":
        expected = np.array([twin.step(row) for row in x])
    np.testing.assert_array_equal(rows, expected.astype(float))


def test_what_the_address_belongs_to():
    network = network_of()
    graph = network.ctypes
    assert graph.network is network
    other = network.__copy__()
    assert other.ctypes.address != graph.address
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(graph)
    # the memory is that of the network, which a copy keeps as well
    assert copy.copy(graph) is graph
    assert copy.deepcopy([graph])[0].address == graph.address
    again = pickle.loads(pickle.dumps(network))
    assert again.ctypes.address != graph.address
    with pytest.raises(RuntimeError, match="__init__"):
        neat.Network.__new__(neat.Network).ctypes  # noqa: B018
