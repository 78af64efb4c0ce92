"""Epochs of mini-batch descent without the interpreter.

For each batch: gather the rows in random order, loss and gradient, one update.  The interpreter is
entered only for a learning rate that is a Python function, for custom activations and losses, and
every 20 ms to look for Ctrl-C.
"""

import numpy as np

cimport numpy as cnp
from libc.math cimport isfinite
from libc.stdint cimport int32_t, uint64_t

from fastnet._kernels.dispatch cimport flush_denormals, set_floating_point_mode
from fastnet._kernels.table cimport OK, Kernels, Monitor, Rows
from fastnet._workspace cimport Memory, Workspace, acquire, new_memory, release
from fastnet.optim.optimizers cimport Optimizer
from fastnet.training.model cimport Model, Watch, raise_stopped, watch
from fastnet.training.rows cimport TrainingRows

cnp.import_array()


class DivergenceError(ValueError):
    """The loss became NaN or infinite; the message says in which epoch and batch."""


cdef enum:
    DIVERGED = 2


cdef class TrainingLoop:
    """Rows, buffers and random order of one `fit`.

    Parameters
    ----------
    model : Model
    rows : TrainingRows
    optimizer : Optimizer
    batch_size : int
        At least 1; more than the rows is all of them.
    shuffle : bool
        Whether every epoch takes the rows in a new random order.
    seed : int
        Of that order: epoch k uses stream k.
    """

    cdef Model model
    cdef TrainingRows data
    cdef Optimizer optimizer
    cdef Py_ssize_t batch_size
    cdef bint shuffle
    cdef uint64_t seed
    cdef int32_t[::1] order
    cdef Memory gradient
    cdef Memory batch_x
    cdef Memory batch_targets
    cdef Memory batch_weights
    cdef int32_t[::1] batch_labels
    cdef Workspace workspace
    cdef readonly Py_ssize_t failed_batch

    def __init__(self, Model model, TrainingRows rows, Optimizer optimizer, Py_ssize_t batch_size,
                 bint shuffle, uint64_t seed):
        cdef Py_ssize_t n_rows = rows.rows.n_rows, itemsize = model.kernels.itemsize
        self.model = model
        self.data = rows
        self.optimizer = optimizer
        self.batch_size = min(batch_size, n_rows)
        # the order of a full batch does not matter
        self.shuffle = shuffle and self.batch_size < n_rows
        self.seed = seed
        self.gradient = new_memory(model.n_parameters * itemsize)
        self.workspace = Workspace()
        self.workspace.reserve(model.gradient_bytes(self.batch_size))
        if self.shuffle:
            if n_rows >= 2**31:
                raise ValueError(f"X has {n_rows} rows: at most 2**31 - 1 can be shuffled")
            self.order = np.empty(n_rows, np.int32)
            self.batch_x = new_memory(self.batch_size * model.n_inputs * itemsize)
            if rows.rows.targets != NULL:
                self.batch_targets = new_memory(self.batch_size * model.n_outputs * itemsize)
            if rows.rows.labels != NULL:
                self.batch_labels = np.empty(self.batch_size, np.int32)
            if rows.rows.weights != NULL:
                self.batch_weights = new_memory(self.batch_size * itemsize)
        optimizer.prepare(model.n_parameters, itemsize)

    cdef void take(self, Py_ssize_t first, Py_ssize_t n, Rows *batch) noexcept nogil:
        """Rows first to first + n of this epoch's order."""
        cdef const Kernels *k = self.model.kernels
        cdef const Rows *rows = &self.data.rows
        cdef const int32_t *order
        cdef Py_ssize_t itemsize = k.itemsize, i
        batch.n_rows = n
        if not self.shuffle:
            batch.x = <const char *> rows.x + first * self.model.n_inputs * itemsize
            batch.targets = NULL
            if rows.targets != NULL:
                batch.targets = (
                    <const char *> rows.targets + first * self.model.n_outputs * itemsize)
            batch.labels = rows.labels + first if rows.labels != NULL else NULL
            batch.weights = NULL
            if rows.weights != NULL:
                batch.weights = <const char *> rows.weights + first * itemsize
            return
        order = &self.order[first]
        k.gather(n, self.model.n_inputs, rows.x, order, self.batch_x.data)
        batch.x = self.batch_x.data
        batch.targets = NULL
        batch.labels = NULL
        batch.weights = NULL
        if rows.targets != NULL:
            k.gather(n, self.model.n_outputs, rows.targets, order, self.batch_targets.data)
            batch.targets = self.batch_targets.data
        if rows.labels != NULL:
            for i in range(n):
                self.batch_labels[i] = rows.labels[order[i]]
            batch.labels = &self.batch_labels[0]
        if rows.weights != NULL:
            k.gather(n, 1, rows.weights, order, self.batch_weights.data)
            batch.weights = self.batch_weights.data

    cdef double weight_of(self, const Rows *batch) noexcept nogil:
        if batch.weights == NULL:
            return batch.n_rows
        return self.model.kernels.sum(batch.n_rows, batch.weights)

    cdef int descend(self, double rate, bint constant_rate, double *mean,
                     Monitor *monitor) except? -1 nogil:
        """One epoch; mean loss over the rows as they were met."""
        cdef Py_ssize_t first = 0, n, batch_index = 0
        cdef double value, weight, total = 0, total_weight = 0
        cdef Rows batch
        cdef int status
        while first < self.data.rows.n_rows:
            n = min(self.data.rows.n_rows - first, self.batch_size)
            self.take(first, n, &batch)
            first += n
            weight = self.weight_of(&batch)
            if weight > 0:
                status = self.model.gradient_rows(
                    &self.data.loss, &batch, 1.0 / weight, &value, self.gradient.data,
                    self.workspace.data, monitor)
                if status != OK:
                    return status
                if not isfinite(value):
                    self.failed_batch = batch_index
                    return DIVERGED
                if not constant_rate:
                    rate = self.next_rate(monitor.user_mode)
                self.optimizer.apply(self.model.kernels, self.model.n_parameters,
                                     self.model.data, self.gradient.data, rate)
                total += value * weight
                total_weight += weight
            batch_index += 1
        mean[0] = total / total_weight
        return OK

    cdef double next_rate(self, unsigned int mode) except? -1 with gil:
        """The learning rate from a Python function, called in the caller's floating-point mode."""
        cdef unsigned int own = flush_denormals()
        set_floating_point_mode(mode)
        try:
            return self.optimizer.current_rate()
        finally:
            set_floating_point_mode(own)

    def epoch(self, uint64_t index):
        """Run epoch number ``index``; returns the mean loss."""
        cdef Monitor monitor
        cdef Watch state
        cdef unsigned int mode
        cdef int status = OK
        cdef double mean = 0, rate = 0
        cdef bint constant_rate = self.optimizer.rate is None
        if constant_rate:
            rate = self.optimizer.current_rate()
        watch(&monitor, &state)
        self.optimizer.in_use += 1
        # Denormals cost a hundred times a normal number, and Adam's moments get stuck at them.
        mode = flush_denormals()
        try:
            with nogil:
                if self.shuffle:
                    self.model.kernels.permutation(
                        self.seed, index, self.order.shape[0], &self.order[0])
                status = self.descend(rate, constant_rate, &mean, &monitor)
        finally:
            set_floating_point_mode(mode)
            self.optimizer.in_use -= 1
        if status == DIVERGED:
            raise DivergenceError(
                f"the loss became NaN or infinite in epoch {index}, batch {self.failed_batch} "
                "(counted from 0): try a smaller learning rate or scaled data"
            )
        if status != OK:
            raise_stopped()
        return mean

    def mean_loss(self, TrainingRows rows):
        """Mean loss over other rows, without a step."""
        return mean_loss(self.model, rows, self.workspace)


def mean_loss(Model model, TrainingRows rows, Workspace workspace=None):
    """Mean loss over the rows."""
    cdef Monitor monitor
    cdef Watch state
    cdef double value
    cdef int status
    if workspace is None:
        workspace = Workspace()
    workspace = acquire(workspace, model.gradient_bytes(rows.rows.n_rows))
    watch(&monitor, &state)
    with nogil:
        status = model.gradient_rows(&rows.loss, &rows.rows, 1.0 / rows.total_weight, &value,
                                     NULL, workspace.data, &monitor)
    release(workspace)
    if status != OK:
        raise_stopped()
    return value
