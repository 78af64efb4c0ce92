cimport numpy as cnp

from fastnet._kernels.table cimport Loss, Rows
from fastnet.training.model cimport Model


cdef class TrainingRows:
    """Checked data of a loss: the structs that kernels take, and the arrays behind them."""

    cdef Rows rows
    cdef Loss loss
    cdef readonly object resolved       # the loss, as losses.resolve() returned it
    cdef readonly cnp.ndarray X
    cdef readonly object targets        # (n_rows, n_outputs) or None
    cdef readonly object labels         # int32 (n_rows,) or None
    cdef readonly object weights        # (n_rows,) or None
    cdef readonly double total_weight
    cdef int check_apart(self, cnp.ndarray out, str name) except -1
