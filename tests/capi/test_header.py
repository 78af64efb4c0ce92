"""fastnet.h: clean under strict compilers, and used by modules in C and in Cython."""

import ctypes
import importlib.util
import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import numpy as np
import pytest

import fastnet as fn
from fastnet import neat

STRICT = ["-Wall", "-Wextra", "-Wconversion", "-pedantic", "-Werror"]

CONSUMER = r"""
#include "fastnet.h"
#include "fastnet.h"

static double fitness(fn_graph *graph, uint64_t seed, void *user_data) {
    double x[1], y[1];
    x[0] = *(const double *)user_data;
    if (seed > 1 || fn_graph_reset(graph) != FN_OK || fn_activate(graph, x, y) != FN_OK)
        return 0;
    return fn_activate_rows(graph, 1, x, y) == FN_OK ? y[0] : 0;
}

fn_task task(const fn_api *fn);
fn_task task(const fn_api *fn) {
    const size_t needed = offsetof(fn_api, activate_rows) + sizeof(fn->activate_rows);
    if (fn->abi_version < FN_ABI_VERSION || fn->struct_size < needed) return 0;
    return fn->graph_mode(0) == FN_ERROR_NULL ? fitness : 0;
}

int rows(fn_net *net, size_t n_rows, const float *x, float *y);
int rows(fn_net *net, size_t n_rows, const float *x, float *y) {
    fn_workspace *work = fn_workspace_new(fn_workspace_size(net, n_rows, 0));
    const int status = work ? fn_forward_f32(net, work, n_rows, x, y) : (int)FN_ERROR_MEMORY;
    fn_workspace_free(work);
    return status;
}
"""


@pytest.mark.parametrize(("compiler", "options"), [
    ("cc", ["-x", "c", "-std=c99"]),
    ("cc", ["-x", "c", "-std=c11"]),
    ("c++", ["-x", "c++", "-std=c++17"]),
    ("clang", ["-x", "c", "-std=c99"]),
    ("clang++", ["-x", "c++", "-std=c++17"]),
])
def test_strict_compilers(tmp_path, compiler_of, compiler, options):
    source = tmp_path / "consumer.c"
    source.write_text(CONSUMER)
    run = subprocess.run(
        [*compiler_of(compiler), *options, *STRICT, f"-I{fn.get_include()}", "-c", str(source),
         "-o", str(tmp_path / "consumer.o")], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr


def loaded(path, name):
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def python_includes():
    """Options for the headers of this interpreter."""
    folders = {sysconfig.get_path(name) for name in ("include", "platinclude")}
    if not any(os.path.isfile(os.path.join(folder, "Python.h")) for folder in folders):
        pytest.skip("no headers of Python")
    return [f"-I{folder}" for folder in sorted(folders)]


MODULE = r"""
#include "fastnet.h"
#include <Python.h>
#include "fastnet.h"
#include "fastnet.h"
static const fn_api *fn;

/* Loss, gradient and outputs of n_rows rows: 0 or an error. */
int learn(fn_net *net, size_t n_rows, const double *x, const double *targets, double *y,
          double *value, double *gradient);
int learn(fn_net *net, size_t n_rows, const double *x, const double *targets, double *y,
          double *value, double *gradient) {
    fn_workspace *work = fn->workspace_new(fn->workspace_size(net, n_rows, 1));
    int status = work ? FN_OK : FN_ERROR_MEMORY;
    if (!status)
        status = fn->loss_and_gradient_f64(net, work, fn->loss_id("huber"), n_rows, x, targets,
                                           value, gradient);
    if (!status) status = fn->forward_f64(net, work, n_rows, x, y);
    fn->workspace_free(work);
    return status;
}

static double fitness(fn_graph *graph, uint64_t seed, void *user_data) {
    double x[2] = {0.5, -0.5}, y[1];
    (void)user_data;
    if (fn->graph_n_inputs(graph) != 2 || fn->graph_n_outputs(graph) != 1) return -1;
    for (uint64_t i = 0; i < seed; i++)
        if (fn->activate(graph, x, y)) return -1;
    return y[0];
}

static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "consumer", NULL, -1, NULL,
                                        NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit_consumer(void) {
    PyObject *module = PyModule_Create(&definition), *task;
    fn = fn_import_api();
    if (!module || !fn) return NULL;
    task = PyCapsule_New((void *)fitness, "double (fn_graph *, uint64_t, void *)", NULL);
    PyModule_AddObject(module, "fitness", task);
    return module;
}
"""


def recurrent_network():
    config = neat.Config(2, 1, bias=None, mode="recurrent", activation="tanh")
    return neat.Genome.from_connections(
        config, [(0, 0, 2, 0.7, True), (1, 1, 2, -0.2, True), (2, 2, 2, 0.9, True)]).network()


def stepped(network, n):
    network.reset()
    for _ in range(n):
        y = network.step([0.5, -0.5])
    return float(y[0])


def test_a_module_in_c(compile_c):
    """By the capsule alone, with nothing to link."""
    path = compile_c(MODULE, *python_includes(), name="consumer.c")
    module = loaded(path, "consumer")
    task = neat.tasks.native(module.fitness, n_inputs=2, n_outputs=1)
    network = recurrent_network()
    assert task.evaluate(network, seed=3) == stepped(network, 3)
    net = fn.Network([3, 6, 2], hidden="tanh", dtype="float64", seed=0)
    rng = np.random.default_rng(0)
    x, targets, y = rng.normal(size=(4, 3)), rng.normal(size=(4, 2)), np.empty((4, 2))
    value, gradient = np.empty(1), np.empty(net.n_parameters)
    learn = ctypes.CDLL(str(path)).learn
    learn.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_void_p] * 5]
    assert learn(net.ctypes.address, 4, x.ctypes, targets.ctypes, y.ctypes, value.ctypes,
                 gradient.ctypes) == 0
    expected, d_expected = net.loss_and_gradient(x, targets, "huber")
    assert value[0] == expected
    np.testing.assert_array_equal(gradient, d_expected)
    np.testing.assert_array_equal(y, net(x))


def test_a_module_newer_than_the_library(compile_c, tmp_path):
    header = Path(fn.get_include(), "fastnet.h").read_text(encoding="utf-8")
    version, entry = "#define FN_ABI_VERSION 1\n", "} fn_api;"
    for name, old, new in (("version", version, version.replace("1", "2")),
                           ("size", entry, "void (*more)(void); " + entry)):
        assert header.count(old) == 1
        folder = tmp_path / name
        folder.mkdir()
        (folder / "newer.h").write_text(header.replace(old, new))
        source = MODULE.replace('"fastnet.h"', '"newer.h"')
        path = compile_c(source, f"-I{folder}", *python_includes(), name="consumer.c")
        with pytest.raises(ImportError, match=r"fastnet is too old: its C interface is version 1"):
            loaded(path, "consumer")


UNPREPARED = """
import ctypes, sys
library = ctypes.CDLL(sys.argv[1])
for name in ("fn_net_from_memory", "fn_workspace_new"):
    getattr(library, name).restype = ctypes.c_void_p
library.fn_workspace_size.restype = ctypes.c_size_t
library.fn_workspace_size.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
library.fn_workspace_new.argtypes = [ctypes.c_size_t]
library.fn_forward_f32.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t,
                                   ctypes.c_void_p, ctypes.c_void_p]
library.fn_net_release.argtypes = [ctypes.c_void_p]
assert library.fn_loss_id(b"huber") == 6
assert "fastnet" not in sys.modules
content = open(sys.argv[2], "rb").read()
status = ctypes.c_int(99)
net = library.fn_net_from_memory(content, ctypes.c_size_t(len(content)), ctypes.byref(status))
assert status.value == 0
work = library.fn_workspace_new(library.fn_workspace_size(net, 1, 0))
x, y = (ctypes.c_float * 2)(0.5, -1), (ctypes.c_float * 1)()
assert library.fn_forward_f32(net, work, 1, x, y) == 0
library.fn_net_release(net)
print(y[0].hex())
"""


def test_a_library_that_is_loaded_by_its_path(tmp_path):
    """In a process that has imported nothing of fastnet."""
    net = fn.Network([2, 5, 1], seed=0)
    net.save(tmp_path / "net")
    run = subprocess.run(
        [sys.executable, "-c", UNPREPARED, fn.get_library(), str(tmp_path / "net")],
        env=os.environ | {"PYTHONPATH": os.path.dirname(os.path.dirname(fn.__file__))},
        capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert float.fromhex(run.stdout) == net(np.array([0.5, -1], np.float32))[0]


UNPREPARED_OBJECTS = """
import ctypes
import sys

import fastnet as fn
from fastnet import neat

objects = {"net": fn.Network([2, 1]), "graph": neat.Genome(neat.Config(2, 1), rng=0).network()}
function = getattr(ctypes.PyDLL(sys.argv[1]), f"fn_{sys.argv[2]}_from_object")
function.restype, function.argtypes = ctypes.c_void_p, [ctypes.py_object]
assert "fastnet.capi" not in sys.modules
assert function(objects.pop(sys.argv[2]))
try:
    function(*objects.values())
except TypeError as error:
    print(error)
"""


@pytest.mark.parametrize("kind", ["net", "graph"])
def test_objects_for_a_library_that_is_loaded_by_its_path(kind):
    """Where nobody has imported the module that it is."""
    run = subprocess.run(
        [sys.executable, "-c", UNPREPARED_OBJECTS, fn.get_library(), kind],
        env=os.environ | {"PYTHONPATH": os.path.dirname(os.path.dirname(fn.__file__))},
        capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert run.stdout.startswith("network must be a fastnet.")


CYTHON = '''
from cpython.pycapsule cimport PyCapsule_New
from libc.stdint cimport uint64_t

from fastnet.capi cimport (
    FN_ERROR_NULL, FN_OK, FN_RECURRENT, fn_activate, fn_activate_rows, fn_graph, fn_graph_mode,
    fn_graph_n_inputs, fn_graph_n_outputs, fn_graph_reset, fn_status_message, fn_task
)


cdef double fitness(fn_graph *graph, uint64_t seed, void *data) noexcept nogil:
    cdef double[2] x = [0.5, -0.5]
    cdef double[1] y
    cdef uint64_t i
    if fn_graph_mode(graph) != FN_RECURRENT or fn_graph_reset(graph) != FN_OK:
        return -1
    if fn_graph_n_inputs(graph) != 2 or fn_graph_n_outputs(graph) != 1:
        return -2
    if fn_activate(graph, NULL, y) != FN_ERROR_NULL:
        return -3
    # one step less than the seed, which is any number where a population is evaluated
    for i in range((seed - 1) % 8):
        fn_activate(graph, x, y)
    fn_activate_rows(graph, 1, x, y)
    return y[0]


cdef fn_task function = fitness
task = PyCapsule_New(<void *> function, "double (fn_graph *, uint64_t, void *)", NULL)


def message(int status):
    return fn_status_message(status)
'''


def test_a_module_in_cython(compile_c, tmp_path):
    pytest.importorskip("Cython")
    (tmp_path / "cython_consumer.pyx").write_text(CYTHON)
    # away from this folder, so that the installed package is what is cimported
    run = subprocess.run(
        [sys.executable, "-m", "cython", "-3", "cython_consumer.pyx"], cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": os.path.dirname(os.path.dirname(fn.__file__))},
        capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert "warning" not in run.stderr
    source = (tmp_path / "cython_consumer.c").read_text()
    path = compile_c(source, *python_includes(), "-O0", name="cython_consumer.c")
    module = loaded(path, "cython_consumer")
    task = neat.tasks.native(module.task)
    network = recurrent_network()
    assert task.evaluate(network, seed=3) == stepped(network, 3)
    assert module.message(0) == b"no error"
    population = neat.Population(neat.Config(2, 1, mode="recurrent", population_size=30), seed=0)
    population.run(task, generations=1, n_threads=2)
    assert np.isfinite(population.fitness).all()
