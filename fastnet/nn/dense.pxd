"""A dense network as kernels see it: plan, parameters, workspace, and what it makes of rows."""

cimport numpy as cnp

from fastnet._kernels.table cimport Plan
from fastnet._workspace cimport Memory, Workspace
from fastnet.training.model cimport Model

cdef enum:
    UNLOCKED_OPERATIONS = 400000        # shorter work, of a few microseconds, keeps the lock


cdef class DenseModel(Model):
    cdef Plan plan
    cdef Memory memory                  # of the parameters
    cdef Workspace workspace
    cdef int typenum
    cdef bint is_custom                 # the value of some activation is a Python function
    cdef readonly object parameters
    cdef readonly tuple layers
    cdef readonly object dtype

    # x (n_inputs,) to y (n_outputs,), both of the network's precision
    cdef int one_row(self, const void *x, void *y) except -1
    cdef int one_row_apart(self, const void *x, void *y) except -1
    # X as the user gave it; out an array to fill, or None
    cdef object many_rows(self, object X, object out, object n_threads)
    cpdef object _forward_part(self, cnp.ndarray x, cnp.ndarray y, Py_ssize_t first,
                               Py_ssize_t last)
    # d outputs / d parameters, or d inputs, of one or many rows
    cdef object jacobians(self, object X, bint by_inputs)
