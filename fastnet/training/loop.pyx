"""Epochs of descent without the interpreter.

For each batch: loss and gradient, penalties, one update; or, for an optimizer that evaluates the
objective itself, one iteration on all rows.  The interpreter is entered only for a learning rate
that is a Python function, for custom activations and losses, and every 20 ms to look for Ctrl-C.
"""

cimport numpy as cnp
from libc.math cimport isfinite
from libc.stdint cimport uint64_t

from fastnet._kernels.dispatch cimport flush_denormals, set_floating_point_mode
from fastnet._kernels.table cimport OK, Kernels, Monitor
from fastnet._threads cimport Team
from fastnet._workspace cimport Workspace, acquire, release
from fastnet.optim.full_batch cimport FullBatchOptimizer
from fastnet.optim.optimizers cimport Optimizer
from fastnet.training.batches cimport Batches
from fastnet.training.model cimport Model, Watch, raise_stopped, watch
from fastnet.training.objective cimport TrainingObjective
from fastnet.training.rows cimport TrainingRows

cnp.import_array()


class DivergenceError(ValueError):
    """The loss became NaN or infinite; the message says in which epoch and batch."""


cdef enum:
    DIVERGED = 2
    SHARE = 32768                       # parameters that one task updates
    LEAST_SHARED = 131072               # below, waking a thread costs more than it saves


cdef int share_task(void *context, Py_ssize_t task, int worker) noexcept nogil:
    (<TrainingLoop> context).update_share(task)
    return OK


cdef class TrainingLoop:
    """One `fit`: the optimizer, the batches and what penalizes large weights.

    Parameters
    ----------
    model : Model
    rows : TrainingRows
    optimizer : Optimizer
        One that wants all rows at once gets them, whatever the batch size.
    batch_size : int
        At least 1; more than the rows is all of them.
    shuffle : bool
        Whether every epoch takes the rows in a new random order.
    seed : int
        Of that order and of dropout.
    l1, l2 : float
        The objective has ``l1 sum |w| + l2 / 2 sum w^2`` over the weights beside the mean loss.
    n_threads : int
        At most so many threads share the work.

    Attributes
    ----------
    team : Team
        The threads that epochs run on: to be entered around them.
    has_converged : bool
        The optimizer has nothing more to do.
    """

    cdef Model model
    cdef Optimizer optimizer
    cdef Batches batches
    cdef FullBatchOptimizer iterative   # the optimizer, where it evaluates the objective itself
    cdef TrainingObjective objective
    cdef double l1
    cdef double l2
    cdef double rate
    cdef Py_ssize_t n_shares            # of the parameters, which threads update
    cdef readonly Team team
    cdef Workspace workspace
    cdef readonly Py_ssize_t failed_batch
    cdef readonly bint has_converged

    def __init__(self, Model model, TrainingRows rows, Optimizer optimizer, Py_ssize_t batch_size,
                 bint shuffle, uint64_t seed, double l1, double l2, object n_threads):
        if optimizer.is_full_batch:
            batch_size = rows.rows.n_rows
        self.model = model
        self.optimizer = optimizer
        self.l1 = l1
        self.l2 = l2
        self.batches = Batches(model, rows, batch_size, shuffle, seed, n_threads)
        self.team = self.batches.team
        self.n_shares = 1
        if self.team.n_threads > 1 and model.n_parameters >= LEAST_SHARED:
            self.n_shares = (model.n_parameters - 1) // SHARE + 1
        self.workspace = Workspace()
        if isinstance(optimizer, FullBatchOptimizer):
            self.iterative = optimizer
            self.objective = TrainingObjective(model, rows, self.batches, l1, l2, optimizer)
        optimizer.prepare(model.n_parameters, model.kernels.itemsize)

    cdef int descend(self, double *mean, Monitor *monitor) except? -1 nogil:
        """One epoch; mean loss over the rows as they were met."""
        cdef Py_ssize_t first = 0, n, batch_index = 0, n_rows = self.batches.data.rows.n_rows
        cdef double value, weight, rate = 0, penalty = 0, total = 0, total_weight = 0
        cdef bint is_penalized = self.l1 > 0 or self.l2 > 0
        cdef bint is_constant = self.optimizer.is_constant()
        cdef int status
        if is_constant:
            rate = self.optimizer.current_rate()
        while first < n_rows:
            n = min(n_rows - first, self.batches.batch_size)
            weight = self.batches.begin_batch(first, n, True, self.optimizer.step_count)
            first += n
            if weight > 0:
                status = self.batches.compute(
                    self.model.data, 1.0 / weight, &value, self.batches.gradient.data, monitor)
                if status != OK:
                    return status
                if not isfinite(value):
                    self.failed_batch = batch_index
                    return DIVERGED
                if is_penalized:
                    self.model.penalize(self.model.data, self.l1, self.l2, &penalty,
                                        self.batches.gradient.data)
                if not is_constant:
                    rate = self.next_rate(monitor.user_mode)
                self.move(rate)
                total += value * weight
                total_weight += weight
            batch_index += 1
        mean[0] = total / total_weight
        return OK

    cdef void update_share(self, Py_ssize_t share) noexcept nogil:
        cdef Py_ssize_t first = share * SHARE
        cdef Py_ssize_t n = min(self.model.n_parameters - first, <Py_ssize_t> SHARE)
        self.optimizer.update(self.model.kernels, first, n, self.model.data,
                              self.batches.gradient.data, self.rate)

    cdef void move(self, double rate) noexcept nogil:
        """One step of the optimizer along the gradient of the batch."""
        cdef const Kernels *k = self.model.kernels
        cdef Py_ssize_t n = self.model.n_parameters
        self.optimizer.begin_step(k, n, self.batches.gradient.data)
        if self.n_shares == 1:
            self.optimizer.update(k, 0, n, self.model.data, self.batches.gradient.data, rate)
        else:
            self.rate = rate
            self.team.run(share_task, <void *> self, self.n_shares)

    cdef double next_rate(self, unsigned int mode) except? -1 nogil:
        """The learning rate; a Python function is called in the caller's floating-point mode."""
        cdef unsigned int own
        cdef double rate
        if not self.optimizer.needs_python():
            return self.optimizer.current_rate()
        own = flush_denormals()
        set_floating_point_mode(mode)
        try:
            rate = self.optimizer.current_rate()
        finally:
            set_floating_point_mode(own)
        return rate

    cdef int iterate(self, double *mean, Monitor *monitor) except? -1 nogil:
        """One iteration of an optimizer that evaluates the objective itself."""
        cdef double value
        self.objective.begin(monitor)
        self.iterative.iterate(self.objective, self.model.data, &value)
        if not isfinite(value):
            self.failed_batch = 0
            return DIVERGED
        self.has_converged = self.iterative.reason_id != 0
        mean[0] = value - self.objective.penalty(self.model.data)
        return OK

    def epoch(self, uint64_t index):
        """Run epoch number ``index``; returns the mean loss."""
        cdef Monitor monitor
        cdef Watch state
        cdef unsigned int mode
        cdef int status = OK
        cdef double mean = 0
        # Between epochs the optimizer is free: somebody may have reset it, or use it elsewhere now
        self.optimizer.check_free()
        self.optimizer.prepare(self.model.n_parameters, self.model.kernels.itemsize)
        watch(&monitor, &state)
        self.optimizer.in_use += 1
        # Denormals cost a hundred times a normal number, and Adam's moments get stuck at them.
        mode = flush_denormals()
        try:
            with nogil:
                if self.iterative is not None:
                    status = self.iterate(&mean, &monitor)
                else:
                    self.batches.begin_epoch(index)
                    status = self.descend(&mean, &monitor)
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
        status = model.gradient_rows(
            model.data, &rows.loss, &rows.rows, 1.0 / rows.total_weight, &value, NULL,
            workspace.data, &monitor)
    release(workspace)
    if status != OK:
        raise_stopped()
    return value
