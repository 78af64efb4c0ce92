"""The loop between the evaluation of a population and a function in C."""

import math

from libc.stdint cimport uint64_t

from fastnet._cfunctions cimport CFunction
from fastnet._kernels.dispatch cimport floating_point_mode, set_floating_point_mode
from fastnet._kernels.table cimport RECURRENT_GRAPH, Graph, Kernels
from fastnet._header cimport fn_graph, fn_task
from fastnet.neat.handle cimport handle_bytes, place_handle
from fastnet.neat.tasks.base cimport NativeTask

__all__ = ["FunctionTask"]


cdef class FunctionTask(NativeTask):
    """What `fastnet.neat.tasks.NativeFunction` adds words to; its arguments are checked there.

    Parameters
    ----------
    function : fastnet._cfunctions.CFunction
        Of the type fn_task of fastnet.h.
    n_inputs, n_outputs : int
        0 for any.
    target : float or None
    """

    def __cinit__(self, CFunction function not None, Py_ssize_t n_inputs, Py_ssize_t n_outputs,
                  target):
        self.function = function
        self.call = <fn_task> function.address
        self.user_data = function.user_data
        self.n_inputs = n_inputs
        self.n_outputs = n_outputs
        self.target = target
        self.has_target = target is not None
        self.least = target if self.has_target else math.inf
        self.mode = floating_point_mode()

    cdef Py_ssize_t scratch_bytes(self, const Kernels *kernels, const Graph *graph) noexcept nogil:
        return handle_bytes(kernels, graph)

    cdef double evaluate_graph(self, const Kernels *kernels, const Graph *graph,
                               const void *parameters, void *state, uint64_t seed,
                               void *scratch) noexcept nogil:
        cdef fn_graph *handle = place_handle(kernels, graph, parameters, state, scratch)
        cdef unsigned int mode = floating_point_mode()
        cdef double fitness
        if graph.mode == RECURRENT_GRAPH:
            kernels.graph_reset(graph, state)
        # The arithmetic of a user is that of his own program, denormals included
        set_floating_point_mode(self.mode)
        fitness = self.call(handle, seed, self.user_data)
        set_floating_point_mode(mode)
        return fitness

    cdef bint graph_solves(self, const Kernels *kernels, const Graph *graph,
                           const void *parameters, void *state, double fitness,
                           void *scratch) noexcept nogil:
        return self.has_target and fitness >= self.least
