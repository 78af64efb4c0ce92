"""Evolved networks for Cython: the functions of fastnet.h, which says what they do.

Compile with ``include_dirs=[fastnet.get_include()]``.
"""

from fastnet._header cimport (
    FN_ERROR_NULL, FN_ERROR_SIZE, FN_FEED_FORWARD, FN_OK, FN_RECURRENT, FN_TIME_STEP, fn_graph,
    fn_mode, fn_status, fn_task
)

cdef public const char *fn_status_message(int status) noexcept nogil
cdef public size_t fn_graph_n_inputs(const fn_graph *graph) noexcept nogil
cdef public size_t fn_graph_n_outputs(const fn_graph *graph) noexcept nogil
cdef public int fn_graph_mode(const fn_graph *graph) noexcept nogil
cdef public int fn_graph_reset(fn_graph *graph) noexcept nogil
cdef public int fn_activate(fn_graph *graph, const double *x, double *y) noexcept nogil
cdef public int fn_activate_rows(fn_graph *graph, size_t n_rows, const double *x,
                                 double *y) noexcept nogil
