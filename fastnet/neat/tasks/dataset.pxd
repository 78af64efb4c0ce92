cimport numpy as cnp

from fastnet._kernels.table cimport Loss
from fastnet.neat.tasks.base cimport NativeTask


cdef class Dataset(NativeTask):
    cdef readonly cnp.ndarray X         # (n_rows, n_inputs) float64, read-only
    cdef readonly cnp.ndarray y         # (n_rows, n_outputs) float64, read-only
    cdef readonly object loss
    cdef readonly object target
    cdef tuple arrays                   # both in float32
    cdef const char *rows[2]            # of X: float32, float64
    cdef const char *targets[2]         # of y
    cdef bint has_target
    cdef double least                   # target
    cdef Py_ssize_t n_rows
    cdef Loss spec
