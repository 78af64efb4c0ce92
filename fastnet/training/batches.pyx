"""Loss and gradient of batches of rows, on the threads of a team.

A batch is cut into spans, each worth a few hundred microseconds; a thread gathers the rows of a
span, computes their gradient apart, and the gradients of the spans are summed in order.  Batches of
one span, which most are, have no such sum.
"""

import numpy as np

cimport cython
cimport numpy as cnp
from libc.stdint cimport int32_t, int64_t, uint64_t
from libc.stdlib cimport calloc, free

from fastnet._kernels.table cimport OK, Kernels, Monitor, Rows
from fastnet._threads cimport Team
from fastnet._workspace cimport Memory, Workspace, new_memory
from fastnet.training.model cimport Model
from fastnet.training.rows cimport TrainingRows

cnp.import_array()

cdef enum:
    SPAN_OPERATIONS = 20000000          # at least, where a batch has them
    SLICE = 32768                       # parameters that one task sums
    SPANS_PER_THREAD = 4
    MOST_THREADS = 1024


cdef int span_task(void *context, Py_ssize_t task, int worker) noexcept nogil:
    return (<Batches> context).compute_span(task, worker)


cdef int slice_task(void *context, Py_ssize_t task, int worker) noexcept nogil:
    (<Batches> context).add_slice(task)
    return OK


@cython.final
cdef class Batches:
    """Rows of a model, batch by batch.

    Parameters
    ----------
    model : Model
    rows : TrainingRows
    batch_size : int
        At least 1; more than the rows is all of them.
    shuffle : bool
        Whether every epoch takes the rows in a new random order.
    seed : int
        Of that order, where epoch k uses stream k, and of dropout.
    n_threads : int
        At most so many threads share the work.
    """

    def __init__(self, Model model, TrainingRows rows, Py_ssize_t batch_size, bint shuffle,
                 uint64_t seed, object n_threads):
        cdef Py_ssize_t n_rows = rows.rows.n_rows, itemsize = model.kernels.itemsize, k
        cdef Py_ssize_t n_spans, at_once = model.rows_at_once()
        cdef Team team
        self.model = model
        self.data = rows
        self.batch_size = min(batch_size, n_rows)
        # the order of a full batch does not matter
        self.shuffle = shuffle and self.batch_size < n_rows
        self.seed = seed
        self.gradient = new_memory(model.n_parameters * itemsize)
        self.span = SPAN_OPERATIONS // (6 * max(model.n_parameters, <Py_ssize_t> 1))
        self.span = max(at_once, self.span // at_once * at_once)
        n_spans = (self.batch_size - 1) // self.span + 1
        # no thread that would have nothing to do
        self.team = team = Team(min(n_threads, n_spans, MOST_THREADS))
        self.wave = 1 if team.n_threads == 1 else min(n_spans, SPANS_PER_THREAD * team.n_threads)
        self.scratch = <void **> calloc(team.n_threads, sizeof(void *))
        self.monitors = <Monitor *> calloc(team.n_threads, sizeof(Monitor))
        self.slots = <void **> calloc(self.wave, sizeof(void *))
        self.values = <double *> calloc(self.wave, sizeof(double))
        if (self.scratch == NULL or self.monitors == NULL or self.slots == NULL
                or self.values == NULL):
            raise MemoryError()
        self.workspaces = []
        for k in range(min(<Py_ssize_t> team.n_threads, n_spans)):
            workspace = Workspace()
            (<Workspace> workspace).reserve(
                model.gradient_bytes(min(self.batch_size, self.span)))
            self.scratch[k] = (<Workspace> workspace).data
            self.workspaces.append(workspace)
        self.memories = []
        if n_spans > 1:
            for k in range(self.wave):
                memory = new_memory(model.n_parameters * itemsize)
                self.slots[k] = (<Memory> memory).data
                self.memories.append(memory)
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

    def __dealloc__(self):
        free(self.scratch)
        free(self.monitors)
        free(self.slots)
        free(self.values)

    cdef void begin_epoch(self, uint64_t index) noexcept nogil:
        if self.shuffle:
            self.model.kernels.permutation(self.seed, index, self.order.shape[0], &self.order[0])

    cdef double begin_batch(self, Py_ssize_t first, Py_ssize_t n, bint with_dropout,
                            int64_t step) noexcept nogil:
        cdef const Kernels *k = self.model.kernels
        cdef const Rows *rows = &self.data.rows
        self.batch.n_rows = n
        self.batch_first = first
        self.batch.dropout.is_active = with_dropout and self.model.has_dropout
        # Another stream of numbers than the order of rows, whatever the seed
        self.batch.dropout.seed = ~self.seed
        self.batch.dropout.stream = <uint64_t> step << 16
        if rows.weights == NULL:
            return n
        if not self.shuffle:
            self.batch.weights = <const char *> rows.weights + first * k.itemsize
        else:
            k.gather(n, 1, rows.weights, &self.order[first], self.batch_weights.data)
            self.batch.weights = self.batch_weights.data
        return k.sum(n, self.batch.weights)

    @cython.boundscheck(False)
    @cython.wraparound(False)
    cdef void take(self, Py_ssize_t first, Py_ssize_t n, Rows *rows) noexcept nogil:
        """Rows first to first + n of the batch."""
        cdef const Kernels *k = self.model.kernels
        cdef const Rows *all = &self.data.rows
        cdef const int32_t *order
        cdef Py_ssize_t itemsize = k.itemsize, i, place = self.batch_first + first
        cdef Py_ssize_t n_inputs = self.model.n_inputs, n_outputs = self.model.n_outputs
        cdef char *to
        if rows != &self.batch:
            rows[0] = self.batch
        rows.n_rows = n
        rows.dropout.first_row = first
        if self.batch.weights != NULL:
            rows.weights = <const char *> self.batch.weights + first * itemsize
        if not self.shuffle:
            rows.x = <const char *> all.x + place * n_inputs * itemsize
            if all.targets != NULL:
                rows.targets = <const char *> all.targets + place * n_outputs * itemsize
            if all.labels != NULL:
                rows.labels = all.labels + place
            return
        order = &self.order[place]
        to = <char *> self.batch_x.data + first * n_inputs * itemsize
        k.gather(n, n_inputs, all.x, order, to)
        rows.x = to
        if all.targets != NULL:
            to = <char *> self.batch_targets.data + first * n_outputs * itemsize
            k.gather(n, n_outputs, all.targets, order, to)
            rows.targets = to
        if all.labels != NULL:
            for i in range(n):
                self.batch_labels[first + i] = all.labels[order[i]]
            rows.labels = &self.batch_labels[first]

    cdef int compute_span(self, Py_ssize_t span, int worker) noexcept nogil:
        """Value and gradient of span number `span` of the wave, into its slot."""
        cdef Py_ssize_t first = (self.wave_first + span) * self.span
        cdef void *gradient = NULL
        cdef Rows rows
        self.take(first, min(self.batch.n_rows - first, self.span), &rows)
        if self.wants_gradient:
            # the first span of a batch needs no sum
            gradient = self.slots[span] if self.wave_first + span > 0 else self.output
        return self.model.gradient_rows(
            self.parameters, &self.data.loss, &rows, self.scale, &self.values[span], gradient,
            self.scratch[worker], &self.monitors[worker])

    cdef void add_slice(self, Py_ssize_t index) noexcept nogil:
        """A slice of the parameters: the gradients of the wave's spans, in their order."""
        cdef Py_ssize_t first = index * SLICE, itemsize = self.model.kernels.itemsize, k
        cdef Py_ssize_t n = min(self.model.n_parameters - first, <Py_ssize_t> SLICE)
        for k in range(self.n_wave):
            if self.wave_first + k > 0:
                self.model.kernels.add(n, 1.0, <const char *> self.slots[k] + first * itemsize,
                                       <char *> self.output + first * itemsize)

    cdef int compute(self, const void *parameters, double scale, double *value, void *gradient,
                     Monitor *monitor) noexcept nogil:
        cdef Py_ssize_t n_spans, n_slices, k
        cdef int status
        if self.batch.n_rows <= self.span:
            # A small network takes a fraction of a microsecond: no division, no copy too many
            self.take(0, self.batch.n_rows, &self.batch)
            return self.model.gradient_rows(parameters, &self.data.loss, &self.batch, scale,
                                            value, gradient, self.scratch[0], monitor)
        n_spans = (self.batch.n_rows - 1) // self.span + 1
        n_slices = (self.model.n_parameters - 1) // SLICE + 1
        self.parameters = parameters
        self.scale = scale
        self.wants_gradient = gradient != NULL
        self.output = gradient
        self.monitors[0] = monitor[0]
        for k in range(1, self.team.n_threads):
            self.monitors[k].poll = NULL
            self.monitors[k].user_mode = monitor.user_mode
        value[0] = 0
        self.wave_first = 0
        while self.wave_first < n_spans:
            self.n_wave = min(self.wave, n_spans - self.wave_first)
            if self.n_wave == 1:
                status = self.compute_span(0, 0)
            else:
                status = self.team.run(span_task, <void *> self, self.n_wave)
            if status != OK:
                return status
            for k in range(self.n_wave):
                value[0] += self.values[k]
            if gradient != NULL:
                if self.n_wave == 1 or n_slices == 1:
                    for k in range(n_slices):
                        self.add_slice(k)
                else:
                    self.team.run(slice_task, <void *> self, n_slices)
            self.wave_first += self.n_wave
        monitor.operations = self.monitors[0].operations
        return OK
