"""Evolved networks for C, Cython, numba and ctypes: the functions of ``include/fastnet.h``.

Here they are functions of ctypes, with the types of their arguments: ``fn_activate(graph, x, y)``
takes addresses (ints) and arrays as ``x.ctypes``, in Python and in what numba compiles.  The graph
is what a task gets or the address of ``network.ctypes``.

>>> import numpy as np
>>> from fastnet import neat
>>> from fastnet.capi import fn_activate
>>> network = neat.Genome(neat.Config(n_inputs=2, n_outputs=1), rng=0).network()
>>> x, y = np.array([1.0, -1.0]), np.empty(1)
>>> fn_activate(network.ctypes.address, x.ctypes, y.ctypes)
0
>>> y == network.step(x)
array([ True])
"""

from cpython.pycapsule cimport PyCapsule_New
from libc.stdint cimport INTPTR_MAX

# of this module: makes the functions that Python sees
from fastnet._prototypes import __getattr__  # no-cython-lint

from fastnet._header cimport (
    FN_ABI_VERSION, FN_ERROR_NULL, FN_ERROR_SIZE, FN_OK, Handle, fn_api, fn_graph
)
from fastnet._kernels.table cimport RECURRENT_GRAPH

__all__ = [
    "fn_activate", "fn_activate_rows", "fn_graph_mode", "fn_graph_n_inputs", "fn_graph_n_outputs",
    "fn_graph_reset", "fn_status_message",
]


cdef const char *fn_status_message(int status) noexcept nogil:
    if status == FN_OK:
        return "no error"
    if status == FN_ERROR_NULL:
        return "a handle or an array is NULL"
    if status == FN_ERROR_SIZE:
        return "more rows than memory could hold"
    return "unknown status"


cdef size_t fn_graph_n_inputs(const fn_graph *graph) noexcept nogil:
    return 0 if graph == NULL else (<const Handle *> graph).graph.n_inputs


cdef size_t fn_graph_n_outputs(const fn_graph *graph) noexcept nogil:
    return 0 if graph == NULL else (<const Handle *> graph).graph.n_outputs


cdef int fn_graph_mode(const fn_graph *graph) noexcept nogil:
    return <int> FN_ERROR_NULL if graph == NULL else (<const Handle *> graph).graph.mode


cdef int fn_graph_reset(fn_graph *graph) noexcept nogil:
    cdef Handle *handle = <Handle *> graph
    if graph == NULL:
        return FN_ERROR_NULL
    if handle.graph.mode == RECURRENT_GRAPH:
        handle.kernels.graph_reset(handle.graph, handle.state)
    return FN_OK


cdef int fn_activate(fn_graph *graph, const double *x, double *y) noexcept nogil:
    cdef Handle *handle = <Handle *> graph
    if graph == NULL or x == NULL or y == NULL:
        return FN_ERROR_NULL
    if handle.n_rows == 0:
        handle.kernels.graph_step(handle.graph, handle.parameters, x, y, handle.state)
    else:
        narrow(handle.graph.n_inputs, x, handle.x)
        handle.kernels.graph_step(
            handle.graph, handle.parameters, handle.x, handle.y, handle.state)
        widen(handle.graph.n_outputs, handle.y, y)
    return FN_OK


cdef int fn_activate_rows(fn_graph *graph, size_t n_rows, const double *x,
                          double *y) noexcept nogil:
    cdef Handle *handle = <Handle *> graph
    cdef Py_ssize_t n_inputs, n_outputs, n
    if graph == NULL or x == NULL or y == NULL:
        return FN_ERROR_NULL
    n_inputs = handle.graph.n_inputs
    n_outputs = handle.graph.n_outputs
    if n_rows > <size_t> INTPTR_MAX // (sizeof(double) * max(n_inputs, n_outputs, 1)):
        return FN_ERROR_SIZE
    if handle.graph.mode != RECURRENT_GRAPH and handle.n_rows == 0:
        handle.kernels.graph_rows(
            handle.graph, handle.parameters, n_rows, x, y, handle.scratch)
        return FN_OK
    while n_rows > 0:
        if handle.graph.mode == RECURRENT_GRAPH:
            n = 1
            fn_activate(graph, x, y)
        else:
            n = min(<Py_ssize_t> n_rows, handle.n_rows)
            narrow(n * n_inputs, x, handle.x)
            handle.kernels.graph_rows(
                handle.graph, handle.parameters, n, handle.x, handle.y, handle.scratch)
            widen(n * n_outputs, handle.y, y)
        x += n * n_inputs
        y += n * n_outputs
        n_rows -= n
    return FN_OK


cdef void narrow(Py_ssize_t n, const double *source, float *target) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(n):
        target[i] = <float> source[i]


cdef void widen(Py_ssize_t n, const float *source, double *target) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(n):
        target[i] = source[i]


cdef fn_api api
api.abi_version = FN_ABI_VERSION
api.struct_size = sizeof(fn_api)
api.status_message = fn_status_message
api.graph_n_inputs = fn_graph_n_inputs
api.graph_n_outputs = fn_graph_n_outputs
api.graph_mode = fn_graph_mode
api.graph_reset = fn_graph_reset
api.activate = fn_activate
api.activate_rows = fn_activate_rows

_capi = PyCapsule_New(&api, "fastnet._capi", NULL)
