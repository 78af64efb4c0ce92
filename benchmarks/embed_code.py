"""The loops around networks in C, Cython and numba, networks in C by hand, and how to compile them.

All loops are alike.  One of independent calls takes the rows of x (ROWS, n_inputs) in turn, and
leaves outputs in y (ROWS, n_outputs).  One of dependent calls goes between two arrays, each of
which has room for the inputs: the outputs of a call are the first inputs of the next one.  They
return the seconds that they took, by a clock that they read themselves, or -1 where a call failed.
"""

import ctypes
import importlib.util
import shutil
import subprocess
import sys
import sysconfig
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import fastnet as fn

ROWS = 16
#: How C by hand and exported C is compiled
NATIVE, GENERIC = ("-O3", "-march=native"), ("-O2",)

CLOCK = r"""
#include <time.h>
static inline double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}
"""

# f: a function or a table of them; a, b, c: what it takes beside x and y
LOOPS = r"""
#include <stddef.h>
#include "clock.h"
#include "fastnet.h"

double now(void) { return seconds(); }

#define PARAMETERS size_t n_inputs, size_t n_outputs, void *f, void *a, void *b, void *c
#define LOOPS(name, real, DECLARATION, CALL)                                                   \
    double name##_independent(size_t n, const real *rows, real *outputs, PARAMETERS) {         \
        DECLARATION;                                                                           \
        int status = 0;                                                                        \
        const double start = seconds();                                                        \
        for (size_t i = 0; i < n; i += ROWS)                                                   \
            for (size_t k = 0; k < ROWS; k++) {                                                \
                const real *x = rows + k * n_inputs;                                           \
                real *y = outputs + k * n_outputs;                                             \
                CALL;                                                                          \
            }                                                                                  \
        return status ? -1 : seconds() - start;                                                \
    }                                                                                          \
    double name##_dependent(size_t n, real *first, real *second, PARAMETERS) {                 \
        DECLARATION;                                                                           \
        int status = 0;                                                                        \
        const double start = seconds();                                                        \
        for (size_t i = 0; i < n; i++) {                                                       \
            const real *x = i % 2 ? second : first;                                            \
            real *y = i % 2 ? first : second;                                                  \
            CALL;                                                                              \
        }                                                                                      \
        return status ? -1 : seconds() - start;                                                \
    }

LOOPS(forward, float, const fn_api *api = f, status |= api->forward_f32(a, b, 1, x, y))
LOOPS(activate, double, const fn_api *api = f, status |= api->activate(a, x, y))

/* entries of the kernels' tables */
typedef int forward_kernel(const void *plan, const void *parameters, ptrdiff_t n_rows,
                           const void *x, void *y, void *scratch, void *monitor);
typedef void step_kernel(const void *graph, const void *parameters, const void *x, void *y,
                         void *state);
LOOPS(forward_kernel, float, forward_kernel *kernel = f; double monitor[16] = {0},
      status |= kernel(a, b, 1, x, y, c, monitor))
LOOPS(activate_kernel, double, step_kernel *kernel = f, kernel(a, b, x, y, c))

LOOPS(predict_f32, float, void (*predict)(const float *, float *) = f, predict(x, y))
LOOPS(predict_f64, double, void (*predict)(const double *, double *) = f, predict(x, y))
LOOPS(step, double, void (*step)(void *, const double *, double *) = f, step(a, x, y))
"""

CYTHON = """
# cython: language_level=3, boundscheck=False, wraparound=False
from fastnet._header cimport GraphHandle, NetHandle, Scratch
from fastnet.capi cimport (
    fn_activate, fn_forward_f32, fn_graph, fn_net, fn_net_from_object, fn_net_release, fn_workspace
)

cdef extern from "clock.h":
    double seconds() nogil

cdef enum:
    ROWS = {rows}


def forward_independent(Py_ssize_t n, const float[:, ::1] x, float[:, ::1] y, net, size_t address):
    cdef fn_net *handle = fn_net_from_object(<void *> net)
    cdef fn_workspace *work = <fn_workspace *> address
    cdef Py_ssize_t i, k
    cdef int status = 0
    cdef double taken
    with nogil:
        taken = -seconds()
        for i in range(n // ROWS):
            for k in range(ROWS):
                status |= fn_forward_f32(handle, work, 1, &x[k, 0], &y[k, 0])
        taken += seconds()
    fn_net_release(handle)
    return -1.0 if status else taken


def forward_dependent(Py_ssize_t n, float[::1] first, float[::1] second, net, size_t address):
    cdef fn_net *handle = fn_net_from_object(<void *> net)
    cdef fn_workspace *work = <fn_workspace *> address
    cdef Py_ssize_t i
    cdef int status = 0
    cdef double taken
    with nogil:
        taken = -seconds()
        for i in range(n // 2):
            status |= fn_forward_f32(handle, work, 1, &first[0], &second[0])
            status |= fn_forward_f32(handle, work, 1, &second[0], &first[0])
        taken += seconds()
    fn_net_release(handle)
    return -1.0 if status else taken


def activate_independent(Py_ssize_t n, const double[:, ::1] x, double[:, ::1] y, size_t address):
    cdef fn_graph *graph = <fn_graph *> address
    cdef Py_ssize_t i, k
    cdef int status = 0
    cdef double taken
    with nogil:
        taken = -seconds()
        for i in range(n // ROWS):
            for k in range(ROWS):
                status |= fn_activate(graph, &x[k, 0], &y[k, 0])
        taken += seconds()
    return -1.0 if status else taken


def activate_dependent(Py_ssize_t n, double[::1] first, double[::1] second, size_t address):
    cdef fn_graph *graph = <fn_graph *> address
    cdef Py_ssize_t i
    cdef int status = 0
    cdef double taken
    with nogil:
        taken = -seconds()
        for i in range(n // 2):
            status |= fn_activate(graph, &first[0], &second[0])
            status |= fn_activate(graph, &second[0], &first[0])
        taken += seconds()
    return -1.0 if status else taken


def forward_kernel(size_t net, size_t work):
    '''Addresses of what fn_forward_f32 calls in the end, and of what it calls that with.'''
    cdef const NetHandle *handle = <const NetHandle *> net
    return (<size_t> handle.forward, <size_t> handle.plan, <size_t> handle.parameters,
            <size_t> (<Scratch *> work).data)


def activate_kernel(size_t graph):
    '''The same of fn_activate.'''
    cdef const GraphHandle *handle = <const GraphHandle *> graph
    return (<size_t> handle.kernels.graph_step, <size_t> handle.graph,
            <size_t> handle.parameters, <size_t> handle.state)
"""


class Missing(Exception):
    """Something that is not installed here."""


def run(*command):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, check=False)
    if done.returncode:
        raise Missing(f"{Path(command[0]).name}: {done.stderr.strip()[-300:]}")


def compiler():
    found = shutil.which("cc") or shutil.which("gcc")
    if found is None:
        raise Missing("a C compiler is needed, by the name of cc or gcc")
    return found


def shared(folder, target, *arguments):
    options = ["-shared"]
    if sys.platform == "darwin":
        options += ["-undefined", "dynamic_lookup"]
    run(compiler(), *options, "-fPIC", f"-I{folder}", f"-I{fn.get_include()}", "-o", target,
        *arguments)  # fmt: skip
    return target


def c_library(folder, sources):
    """A library of the loops and of sources [(text, flags)], each of which is compiled alone."""
    cc = compiler()
    (folder / "clock.h").write_text(CLOCK)

    def compiled(place, text, flags):
        path = folder / f"part{place}.c"
        path.write_text(text)
        run(cc, *flags, "-fPIC", f"-I{folder}", f"-I{fn.get_include()}", "-c", path, "-o",
            path.with_suffix(".o"))  # fmt: skip
        return path.with_suffix(".o")

    parts = [(LOOPS, ("-O2", f"-DROWS={ROWS}")), *sources]
    with ThreadPoolExecutor() as pool:
        objects = list(pool.map(lambda k: compiled(k, *parts[k]), range(len(parts))))
    library = ctypes.CDLL(str(shared(folder, folder / "networks.so", *objects, "-lm")))
    library.now.restype, library.now.argtypes = ctypes.c_double, []
    return library


def loop(library, name):
    """The loop of this name as a function of n, two addresses and what PARAMETERS says."""
    function = library[name]
    function.restype = ctypes.c_double
    function.argtypes = [ctypes.c_size_t, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t,
                         ctypes.c_size_t] + [ctypes.c_void_p] * 4  # fmt: skip
    return function


def address(library, name):
    return ctypes.cast(library[name], ctypes.c_void_p).value


def api():
    """The address of the table in the capsule."""
    from fastnet import capi

    pointer = ctypes.pythonapi.PyCapsule_GetPointer
    pointer.restype, pointer.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    return pointer(capi._capi, b"fastnet._capi")


def cython_module(folder):
    """The module of CYTHON, compiled against the fastnet that is imported."""
    if importlib.util.find_spec("Cython") is None:
        raise Missing("Cython is not installed")
    source = folder / "embed_cython.pyx"
    source.write_text(CYTHON.replace("{rows}", str(ROWS)).lstrip())
    (folder / "clock.h").write_text(CLOCK)
    run(sys.executable, "-m", "cython", "-I", Path(fn.__file__).parents[1], source)
    path = shared(folder, folder / f"embed_cython{sysconfig.get_config_var('EXT_SUFFIX')}",
                  "-O2", f"-I{sysconfig.get_path('include')}", source.with_suffix(".c"))
    spec = importlib.util.spec_from_file_location("embed_cython", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def numba_loops(library):
    """{name: loop} of forward and activate, compiled when they are first called."""
    try:
        import numba
    except ImportError:
        raise Missing("numba is not installed") from None
    from fastnet.capi import fn_activate as activate
    from fastnet.capi import fn_forward_f32 as forward

    now = library.now

    @numba.njit
    def forward_independent(n, x, y, net, work):
        status = 0
        start = now()
        for _ in range(n // ROWS):
            for k in range(ROWS):
                status |= forward(net, work, 1, x[k].ctypes, y[k].ctypes)
        taken = now() - start
        return taken if status == 0 else -1.0

    @numba.njit
    def forward_dependent(n, first, second, net, work):
        status = 0
        start = now()
        for _ in range(n // 2):
            status |= forward(net, work, 1, first.ctypes, second.ctypes)
            status |= forward(net, work, 1, second.ctypes, first.ctypes)
        taken = now() - start
        return taken if status == 0 else -1.0

    @numba.njit
    def activate_independent(n, x, y, graph):
        status = 0
        start = now()
        for _ in range(n // ROWS):
            for k in range(ROWS):
                status |= activate(graph, x[k].ctypes, y[k].ctypes)
        taken = now() - start
        return taken if status == 0 else -1.0

    @numba.njit
    def activate_dependent(n, first, second, graph):
        status = 0
        start = now()
        for _ in range(n // 2):
            status |= activate(graph, first.ctypes, second.ctypes)
            status |= activate(graph, second.ctypes, first.ctypes)
        taken = now() - start
        return taken if status == 0 else -1.0

    return {"forward_independent": forward_independent, "forward_dependent": forward_dependent,
            "activate_independent": activate_independent,
            "activate_dependent": activate_dependent}  # fmt: skip
