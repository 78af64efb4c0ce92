"""The objective of a training as a function of the parameters, for full-batch optimizers."""

from fastnet._kernels.table cimport Kernels, Monitor
from fastnet._workspace cimport Memory
from fastnet.optim.objective cimport Residuals
from fastnet.training.batches cimport Batches
from fastnet.training.model cimport Model
from fastnet.training.rows cimport TrainingRows


cdef class TrainingObjective(Residuals):
    cdef Model model
    cdef TrainingRows data
    cdef Batches batches
    cdef double l1
    cdef double l2
    cdef Monitor *monitor

    # Of least squares only: see normal_equations
    cdef const Kernels *float64
    cdef Py_ssize_t chunk               # rows whose Jacobians are taken together
    cdef Memory predictions
    cdef Memory row_jacobian
    cdef Memory jacobian                # (chunk n_outputs, n) float64
    cdef Memory residuals               # (chunk n_outputs,) float64
    cdef Memory part                    # (n,) float64: what residuals give of the gradient
    cdef Memory scratch
    cdef unsigned char[::1] is_weight   # which parameters l2 penalizes

    # The monitor of the coming evaluations
    cdef void begin(self, Monitor *monitor) noexcept nogil
    # l1 sum |w| + l2 / 2 sum w^2 at these parameters
    cdef double penalty(self, const void *parameters) noexcept nogil
    cdef int prepare_least_squares(self) except -1
    cdef int take_chunk(self, const void *parameters, Py_ssize_t first, Py_ssize_t n_rows,
                        double *value) except -1 nogil
