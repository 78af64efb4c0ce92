"""fastnet.h: clean under strict compilers, and used by modules in C and in Cython."""

import importlib.util
import os
import shutil
import subprocess
import sys
import sysconfig

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
"""


@pytest.mark.parametrize(("compiler", "options"), [
    ("cc", ["-x", "c", "-std=c99"]),
    ("cc", ["-x", "c", "-std=c11"]),
    ("c++", ["-x", "c++", "-std=c++17"]),
    ("clang", ["-x", "c", "-std=c99"]),
    ("clang++", ["-x", "c++", "-std=c++17"]),
])
def test_strict_compilers(tmp_path, compiler, options):
    if shutil.which(compiler) is None or sys.platform == "win32":
        pytest.skip(f"no compiler by the name of {compiler}")
    source = tmp_path / "consumer.c"
    source.write_text(CONSUMER)
    run = subprocess.run(
        [compiler, *options, *STRICT, f"-I{fn.get_include()}", "-c", str(source), "-o",
         str(tmp_path / "consumer.o")], capture_output=True, text=True, check=False)
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
#include <Python.h>
#include "fastnet.h"

static const fn_api *fn;

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
    fn = (const fn_api *)PyCapsule_Import("fastnet._capi", 0);
    if (!module || !fn || fn->abi_version < FN_ABI_VERSION) return NULL;
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
    module = loaded(compile_c(MODULE, *python_includes(), name="consumer.c"), "consumer")
    task = neat.tasks.native(module.fitness, n_inputs=2, n_outputs=1)
    network = recurrent_network()
    assert task.evaluate(network, seed=3) == stepped(network, 3)


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
