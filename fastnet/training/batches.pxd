"""Loss and gradient of batches of rows, on the threads of a team."""

cimport cython
from libc.stdint cimport int32_t, int64_t, uint64_t

from fastnet._kernels.table cimport Monitor, Rows
from fastnet._threads cimport Team
from fastnet._workspace cimport Memory
from fastnet.training.model cimport Model
from fastnet.training.rows cimport TrainingRows


@cython.final
cdef class Batches:
    cdef Model model
    cdef TrainingRows data
    cdef readonly Team team
    cdef readonly Py_ssize_t batch_size
    cdef readonly bint shuffle
    cdef readonly uint64_t seed
    cdef Memory gradient                # of the last batch

    # The rows of a batch in the order of the epoch, gathered by whoever computes them
    cdef int32_t[::1] order
    cdef Memory batch_x
    cdef Memory batch_targets
    cdef Memory batch_weights
    cdef int32_t[::1] batch_labels

    # A span is what one task computes; its size depends on the model only, and sums over spans are
    # formed in their order, so that results do not depend on the number of threads.
    cdef Py_ssize_t span
    cdef Py_ssize_t wave                # spans between two sums
    cdef list workspaces                # one a thread
    cdef void **scratch
    cdef list memories                  # gradients of the spans of a wave
    cdef void **slots
    cdef double *values
    cdef Monitor *monitors              # one a thread; only the caller's polls

    # The batch that is computed
    cdef Rows batch
    cdef Py_ssize_t batch_first         # in the order
    cdef Py_ssize_t wave_first          # the first span of the wave
    cdef Py_ssize_t n_wave
    cdef double scale
    cdef const void *parameters
    cdef bint wants_gradient
    cdef void *output

    # The order of epoch number `index`
    cdef void begin_epoch(self, uint64_t index) noexcept nogil
    # Rows first to first + n of the order; step: number of the training step, which dropout draws
    # from.  Returns the sum of their weights.
    cdef double begin_batch(self, Py_ssize_t first, Py_ssize_t n, bint with_dropout,
                            int64_t step) noexcept nogil
    # *value = scale sum_i w_i L_i of the batch; gradient (slack) or NULL
    cdef int compute(self, const void *parameters, double scale, double *value, void *gradient,
                     Monitor *monitor) noexcept nogil
    cdef int compute_span(self, Py_ssize_t span, int worker) noexcept nogil
    cdef void add_slice(self, Py_ssize_t index) noexcept nogil
    cdef void take(self, Py_ssize_t first, Py_ssize_t n, Rows *rows) noexcept nogil
