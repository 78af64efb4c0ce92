"""A dense network as kernels see it.

One flat vector of parameters, and a plan that says which part of it is which layer.  Everything is
computed by the dense engine of the kernel table (`_kernels/dense.pxi`); this module owns the
memory and takes rows to the engine.

Many threads may use one network at once: the first caller takes the network's own workspace,
others get one of their own while it is busy.
"""

from functools import partial

import numpy as np

cimport numpy as cnp
from libc.stdlib cimport calloc, free

from fastnet._checks import checked_int
from fastnet._parallel import cut_rows, run_chunks
from fastnet.nn.layers import Dense, Dropout, LayerNorm, n_outputs_of, n_parameters_of, view_of

from fastnet._arrays cimport check_overlap, convert, itemsize_of
from fastnet._arrays cimport output as output_array
from fastnet._kernels.dispatch cimport floating_point_mode, kernels, monotonic_seconds
from fastnet._kernels.table cimport (
    CUSTOM_ACTIVATION, DENSE, DROPOUT, LAYER_NORM, OK, Loss, Monitor, Rows
)
from fastnet._kernels.table cimport Layer as PlanLayer
from fastnet._workspace cimport Workspace, acquire, as_array, give, new_memory, release, take
from fastnet.activations cimport Activation, resolved_id
from fastnet.training.model cimport Model, Watch, raise_stopped, watch

cnp.import_array()

cdef object LARGEST = np.iinfo(np.intp).max
cdef dict KINDS = {Dense: DENSE, Dropout: DROPOUT, LayerNorm: LAYER_NORM}


cdef class DenseModel(Model):
    """Base of `fastnet.Network`: memory and computation, without the public face."""

    def __cinit__(self):
        self.workspace = Workspace()

    def _build(self, inputs, described, dtype):
        """Plan, memory and views; the parameters are zero."""
        try:
            dtype = np.dtype(dtype)
        except TypeError:
            raise TypeError(f"dtype must be float32 or float64, got {dtype!r}") from None
        if dtype not in (np.float32, np.float64) or not dtype.isnative:
            raise ValueError(f"dtype must be float32 or float64, got {dtype}")
        cdef Py_ssize_t n_layers = len(described), n_in, k
        cdef Py_ssize_t n_inputs = checked_int(inputs, "n_inputs")
        cdef PlanLayer *layer
        cdef object total = 0
        n_in = n_inputs
        for spec in described:
            total += n_parameters_of(spec, n_in)
            n_in = n_outputs_of(spec, n_in)
        if total * dtype.itemsize > LARGEST // 4:
            raise ValueError(f"sizes make a network of {total} parameters, which no memory holds")
        if self.plan.layers != NULL:
            raise RuntimeError("a network is built once")

        self.dtype = dtype
        self.typenum = cnp.NPY_FLOAT32 if dtype.itemsize == 4 else cnp.NPY_FLOAT64
        self.n_inputs = n_inputs
        self.n_parameters = total
        self.memory = new_memory(total * dtype.itemsize)
        self.data = self.memory.data
        self.parameters = as_array(self.memory, self.n_parameters, self.typenum)
        self.plan.layers = <PlanLayer *> calloc(n_layers, sizeof(PlanLayer))
        if self.plan.layers == NULL:
            raise MemoryError()
        self.plan.n_layers = n_layers
        self.plan.n_inputs = n_inputs
        self.plan.n_parameters = total
        self.plan.widest = n_inputs
        n_in = n_inputs
        first = units = 0
        views = []
        for k in range(n_layers):
            spec = described[k]
            n_own = n_parameters_of(spec, n_in)
            view = view_of(spec, n_in, self.parameters[first:first + n_own])
            layer = self.plan.layers + k
            layer.kind = KINDS[type(spec)]
            layer.n_inputs = n_in
            layer.n_outputs = n_in = view.n_outputs
            layer.units_before = units
            layer.weights = first
            first += n_own
            layer.biases = first - layer.n_outputs if view.biases is not None else -1
            if layer.kind == DROPOUT:
                layer.parameter = spec.rate
                self.has_dropout = self.has_dropout or spec.rate > 0
            elif layer.kind == LAYER_NORM:
                layer.parameter = spec.epsilon
            layer.activation = resolved_id(view.activation)
            if layer.activation == CUSTOM_ACTIVATION:
                (<Activation> view.activation).fill_hooks(&layer.custom, dtype.itemsize)
                if (<Activation> view.activation).value_is_python():
                    self.is_custom = True
            units += layer.n_outputs
            views.append(view)
            self.plan.widest = max(self.plan.widest, layer.n_outputs)
        self.n_outputs = self.plan.n_outputs = n_in
        self.layers = tuple(views)
        self.kernels = kernels(dtype.itemsize)
        self.workspace.reserve(self.forward_bytes(1))

    def __dealloc__(self):
        free(self.plan.layers)

    cdef Py_ssize_t forward_bytes(self, Py_ssize_t n_rows) noexcept nogil:
        return self.kernels.forward_scratch(&self.plan, n_rows)

    cdef Py_ssize_t gradient_bytes(self, Py_ssize_t n_rows) noexcept nogil:
        return self.kernels.gradient_scratch(&self.plan, n_rows)

    cdef int forward_rows(self, const void *parameters, Py_ssize_t n_rows, const void *x, void *y,
                          void *scratch, Monitor *monitor) noexcept nogil:
        return self.kernels.forward(&self.plan, parameters, n_rows, x, y, scratch, monitor)

    cdef Py_ssize_t rows_at_once(self) noexcept nogil:
        return self.kernels.rows_at_once(&self.plan)

    cdef int gradient_rows(self, const void *parameters, const Loss *loss, const Rows *rows,
                           double scale, double *value, void *gradient, void *scratch,
                           Monitor *monitor) noexcept nogil:
        return self.kernels.loss_gradient(&self.plan, parameters, loss, rows, scale, value,
                                          gradient, scratch, monitor)

    cdef Py_ssize_t jacobian_bytes(self) noexcept nogil:
        return self.kernels.jacobian_scratch(&self.plan)

    cdef int jacobian_row(self, const void *parameters, const void *x, void *jacobian,
                          void *scratch, Monitor *monitor) noexcept nogil:
        return self.kernels.jacobian(&self.plan, parameters, x, jacobian, NULL, scratch, monitor)

    cdef object output_activation(self):
        return self.layers[len(self.layers) - 1].activation

    cdef void penalize(self, const void *parameters, double l1, double l2, double *value,
                       void *gradient) noexcept nogil:
        cdef Py_ssize_t itemsize = self.kernels.itemsize, i
        cdef const PlanLayer *layer
        for i in range(self.plan.n_layers):
            layer = self.plan.layers + i
            if layer.kind == DENSE:
                value[0] += self.kernels.penalty(
                    layer.n_inputs * layer.n_outputs,
                    <const char *> parameters + layer.weights * itemsize, l1, l2,
                    NULL if gradient == NULL else <char *> gradient + layer.weights * itemsize)

    cdef int one_row(self, const void *x, void *y) except -1:
        cdef Workspace workspace = self.workspace
        cdef Monitor monitor
        if self.is_custom or workspace.n_bytes == 0 or not take(workspace):
            return self.one_row_apart(x, y)
        monitor.user_mode = floating_point_mode()
        self.kernels.forward(&self.plan, self.data, 1, x, y, workspace.data, &monitor)
        give(workspace)
        return 0

    cdef int one_row_apart(self, const void *x, void *y) except -1:
        """The same where hooks may run or another thread is at work."""
        cdef Monitor monitor
        cdef Watch state
        cdef int status
        cdef Workspace workspace
        self.check_built()
        workspace = acquire(self.workspace, self.forward_bytes(1))
        watch(&monitor, &state)
        status = self.kernels.forward(&self.plan, self.data, 1, x, y, workspace.data, &monitor)
        release(workspace)
        if status != OK:
            raise_stopped()
        return 0

    cdef object many_rows(self, object X, object out, object n_threads):
        cdef cnp.ndarray x, y
        cdef cnp.npy_intp shape[2]
        cdef int ndim
        cdef Py_ssize_t n_rows
        self.check_built()
        x = convert(X, "X", self.typenum)
        ndim = cnp.PyArray_NDIM(x)
        if ndim != 1 and ndim != 2 or cnp.PyArray_DIM(x, ndim - 1) != self.n_inputs:
            raise ValueError(
                f"X must have shape ({self.n_inputs},) or (n_rows, {self.n_inputs}), "
                f"got {np.shape(x)}"
            )
        n_rows = cnp.PyArray_DIM(x, 0) if ndim == 2 else 1
        shape[0] = n_rows if ndim == 2 else self.n_outputs
        shape[1] = self.n_outputs
        if out is None:
            y = cnp.PyArray_SimpleNew(ndim, shape, self.typenum)
        else:
            y = output_array(out, "out", ndim, shape, self.typenum)
            check_overlap(y, "out", self.parameters, "parameters")
            if np.may_share_memory(x, y):
                x = x.copy()
        if type(n_threads) is int and n_threads == 1:
            self._forward_part(x, y, 0, n_rows)
            return y
        chunks = cut_rows(
            n_rows, 2 * self.n_parameters, n_threads, self.kernels.rows_at_once(&self.plan))
        if len(chunks) > 1:
            run_chunks(partial(self._forward_part, x, y), chunks, n_threads)
        else:
            self._forward_part(x, y, 0, n_rows)
        return y

    cpdef object _forward_part(self, cnp.ndarray x, cnp.ndarray y, Py_ssize_t first,
                               Py_ssize_t last):
        """Rows first to last of x into y."""
        cdef Py_ssize_t itemsize = itemsize_of(self.typenum), n_rows = last - first
        cdef const char *source = <const char *> cnp.PyArray_DATA(x)
        cdef char *target = <char *> cnp.PyArray_DATA(y)
        cdef Monitor monitor
        cdef Watch state
        cdef Workspace workspace
        cdef int status
        if n_rows == 0:
            return
        source += first * self.n_inputs * itemsize
        target += first * self.n_outputs * itemsize
        workspace = acquire(self.workspace, self.forward_bytes(n_rows))
        watch(&monitor, &state)
        if 2.0 * n_rows * self.n_parameters > UNLOCKED_OPERATIONS:
            with nogil:
                status = self.forward_rows(
                    self.data, n_rows, source, target, workspace.data, &monitor)
        else:
            status = self.forward_rows(
                self.data, n_rows, source, target, workspace.data, &monitor)
        release(workspace)
        if status != OK:
            raise_stopped()

    cdef object jacobians(self, object X, bint by_inputs):
        self.check_built()
        cdef cnp.ndarray x = convert(X, "X", self.typenum)
        cdef int ndim = cnp.PyArray_NDIM(x)
        if ndim != 1 and ndim != 2 or cnp.PyArray_DIM(x, ndim - 1) != self.n_inputs:
            raise ValueError(
                f"X must have shape ({self.n_inputs},) or (n_rows, {self.n_inputs}), "
                f"got {np.shape(x)}"
            )
        cdef Py_ssize_t n_rows = cnp.PyArray_DIM(x, 0) if ndim == 2 else 1, row
        cdef Py_ssize_t n = self.n_inputs if by_inputs else self.n_parameters
        cdef Py_ssize_t itemsize = itemsize_of(self.typenum)
        cdef cnp.ndarray jacobian = np.empty((n_rows, self.n_outputs, n), self.dtype)
        cdef const char *source = <const char *> cnp.PyArray_DATA(x)
        cdef char *target = <char *> cnp.PyArray_DATA(jacobian)
        cdef Monitor monitor
        cdef Watch state
        cdef int status = OK
        cdef Workspace workspace = acquire(
            self.workspace, self.kernels.jacobian_scratch(&self.plan))
        watch(&monitor, &state)
        with nogil:
            for row in range(n_rows):
                status = self.kernels.jacobian(
                    &self.plan, self.data, source + row * self.n_inputs * itemsize,
                    NULL if by_inputs else target, target if by_inputs else NULL,
                    workspace.data, &monitor)
                if status != OK:
                    break
                target += self.n_outputs * n * itemsize
        release(workspace)
        if status != OK:
            raise_stopped()
        return jacobian if ndim == 2 else jacobian[0]

    def _seconds_per_row(self, x, repeats):
        """Time of a forward pass of one row as C code sees it, called ``repeats`` times."""
        self.check_built()
        cdef cnp.ndarray row = convert(x, "x", self.typenum)
        cdef cnp.ndarray y = np.empty(self.n_outputs, self.dtype)
        cdef Py_ssize_t n = checked_int(repeats, "repeats"), _i
        cdef const void *source = cnp.PyArray_DATA(row)
        cdef void *target = cnp.PyArray_DATA(y)
        cdef Monitor monitor
        cdef Watch state
        cdef Workspace workspace
        cdef double started, seconds
        cdef int status = OK
        if np.shape(row) != (self.n_inputs,):
            raise ValueError(f"x must have shape ({self.n_inputs},), got {np.shape(row)}")
        workspace = acquire(self.workspace, self.forward_bytes(1))
        watch(&monitor, &state)
        with nogil:
            started = monotonic_seconds()
            for _i in range(n):
                status |= self.forward_rows(self.data, 1, source, target, workspace.data, &monitor)
            seconds = monotonic_seconds() - started
        release(workspace)
        if status != OK:
            raise_stopped()
        return seconds / n
