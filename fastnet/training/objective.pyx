"""The objective of a training as a function of the parameters, for full-batch optimizers.

The mean loss over all rows, plus the penalties; and, for least squares, its Gauss-Newton equations.
"""

import numpy as np

cimport numpy as cnp
from libc.math cimport sqrt

from fastnet._kernels.dispatch cimport kernels
from fastnet._kernels.table cimport HALF_SQUARED_ERROR, OK, SQUARED_ERROR, Monitor
from fastnet._workspace cimport Memory, as_array, new_memory
from fastnet.optim.least_squares cimport LevenbergMarquardt
from fastnet.optim.objective cimport Residuals
from fastnet.training.batches cimport Batches
from fastnet.training.model cimport Model, raise_stopped
from fastnet.training.rows cimport TrainingRows

cnp.import_array()

cdef enum:
    CHUNK_ELEMENTS = 131072             # of a Jacobian: a megabyte


ctypedef fused real:
    float
    double


cdef void to_doubles(Py_ssize_t n, const real *x, double factor, double *y) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(n):
        y[i] = factor * x[i]


cdef double scaled_residuals(Py_ssize_t n, const real *p, const real *y, double factor,
                             double *r) noexcept nogil:
    """r = factor (p - y); returns half the sum of its squares."""
    cdef double total = 0
    cdef Py_ssize_t i
    for i in range(n):
        r[i] = factor * (<double> p[i] - <double> y[i])
        total += r[i] * r[i]
    return 0.5 * total


cdef class TrainingObjective(Residuals):
    """Mean loss of a model over rows, as a function of its parameters.

    Parameters
    ----------
    model : Model
    rows : TrainingRows
    batches : Batches
        Of these rows, all of them in one batch.
    l1, l2 : float
        The objective has ``l1 sum |w| + l2 / 2 sum w^2`` over the weights beside the mean loss.
    optimizer : Optimizer
        What it is for.

    Raises
    ------
    ValueError
        The optimizer cannot descend on this objective.
    """

    def __init__(self, Model model, TrainingRows rows, Batches batches, double l1, double l2,
                 optimizer):
        name = type(optimizer).__name__
        if model.has_dropout:
            raise ValueError(
                f"{name} needs the same objective at every evaluation, which dropout layers do "
                "not give: use a first-order optimizer"
            )
        self.n = model.n_parameters
        self.kernels = model.kernels
        self.model = model
        self.data = rows
        self.batches = batches
        self.l1 = l1
        self.l2 = l2
        if isinstance(optimizer, LevenbergMarquardt):
            if rows.loss.kind != SQUARED_ERROR and rows.loss.kind != HALF_SQUARED_ERROR:
                raise ValueError(
                    f"{name} minimizes sums of squares: loss must be 'squared_error' or "
                    f"'half_squared_error', not {rows.resolved!r}"
                )
            if l1 > 0:
                raise ValueError(f"{name} minimizes sums of squares: l1 must be 0, got {l1}")
            self.prepare_least_squares()

    cdef int prepare_least_squares(self) except -1:
        cdef Py_ssize_t itemsize = self.kernels.itemsize, n_outputs = self.model.n_outputs
        cdef Py_ssize_t n_rows = self.data.rows.n_rows
        cdef double value = 0
        cdef Memory ones = new_memory(self.n * itemsize), mask = new_memory(self.n * itemsize)
        typenum = cnp.NPY_FLOAT32 if itemsize == 4 else cnp.NPY_FLOAT64
        as_array(ones, self.n, typenum)[:] = 1
        self.model.penalize(ones.data, 0.0, 1.0, &value, mask.data)
        self.is_weight = np.asarray(as_array(mask, self.n, typenum)).astype(np.uint8)
        self.float64 = kernels(8)
        self.chunk = min(n_rows, max(CHUNK_ELEMENTS // (self.n * n_outputs), <Py_ssize_t> 1))
        self.predictions = new_memory(self.chunk * n_outputs * itemsize)
        self.row_jacobian = new_memory(n_outputs * self.n * itemsize)
        self.jacobian = new_memory(self.chunk * n_outputs * self.n * 8)
        self.residuals = new_memory(self.chunk * n_outputs * 8)
        self.part = new_memory(self.n * 8)
        self.scratch = new_memory(max(
            self.model.forward_bytes(self.chunk), self.model.jacobian_bytes(),
            self.float64.matmul_scratch(self.chunk * n_outputs, self.n, self.n),
            self.float64.matmul_scratch(self.chunk * n_outputs, self.n, 1)))
        return 0

    cdef void begin(self, Monitor *monitor) noexcept nogil:
        self.monitor = monitor

    cdef double penalty(self, const void *parameters) noexcept nogil:
        cdef double value = 0
        if self.l1 > 0 or self.l2 > 0:
            self.model.penalize(parameters, self.l1, self.l2, &value, NULL)
        return value

    cdef int evaluate(self, const void *x, double *value, void *gradient) except -1 nogil:
        cdef double weight = self.batches.begin_batch(0, self.data.rows.n_rows, False, 0)
        if self.batches.compute(x, 1.0 / weight, value, gradient, self.monitor) != OK:
            with gil:
                raise_stopped()
        if self.l1 > 0 or self.l2 > 0:
            self.model.penalize(x, self.l1, self.l2, value, gradient)
        return 0

    cdef int take_chunk(self, const void *parameters, Py_ssize_t first, Py_ssize_t n_rows,
                        double *value) except -1 nogil:
        """Residuals and Jacobian of some rows, so scaled that f is half the sum of squares."""
        cdef Py_ssize_t itemsize = self.kernels.itemsize, n_outputs = self.model.n_outputs, i
        cdef Py_ssize_t n_jacobian = n_outputs * self.n
        cdef const char *x = (
            <const char *> self.data.rows.x + first * self.model.n_inputs * itemsize)
        cdef const char *y = <const char *> self.data.rows.targets + first * n_outputs * itemsize
        cdef const char *p = <const char *> self.predictions.data
        cdef double *jacobian = <double *> self.jacobian.data
        cdef double *residuals = <double *> self.residuals.data
        cdef const void *weights = self.data.rows.weights
        cdef double factor, weight = 1
        cdef double total = self.data.total_weight
        if self.data.loss.kind == SQUARED_ERROR:
            total /= 2
        if (self.model.forward_rows(parameters, n_rows, x, self.predictions.data,
                                    self.scratch.data, self.monitor) != OK):
            with gil:
                raise_stopped()
        for i in range(n_rows):
            if self.model.jacobian_row(parameters, x + i * self.model.n_inputs * itemsize,
                                       self.row_jacobian.data, self.scratch.data,
                                       self.monitor) != OK:
                with gil:
                    raise_stopped()
            if weights != NULL and itemsize == 4:
                weight = (<const float *> weights)[first + i]
            elif weights != NULL:
                weight = (<const double *> weights)[first + i]
            factor = sqrt(weight / total)
            if itemsize == 4:
                to_doubles(n_jacobian, <const float *> self.row_jacobian.data, factor,
                           jacobian + i * n_jacobian)
                value[0] += scaled_residuals(
                    n_outputs, <const float *> p + i * n_outputs,
                    <const float *> y + i * n_outputs, factor, residuals + i * n_outputs)
            else:
                to_doubles(n_jacobian, <const double *> self.row_jacobian.data, factor,
                           jacobian + i * n_jacobian)
                value[0] += scaled_residuals(
                    n_outputs, <const double *> p + i * n_outputs,
                    <const double *> y + i * n_outputs, factor, residuals + i * n_outputs)
        return 0

    cdef int normal_equations(self, const void *x, double *value, double *hessian,
                              double *gradient) except -1 nogil:
        cdef Py_ssize_t first = 0, n_rows, n = self.n, i, itemsize = self.kernels.itemsize
        cdef Py_ssize_t n_residuals
        cdef double *part = <double *> self.part.data
        cdef double parameter
        value[0] = 0
        while first < self.data.rows.n_rows:
            n_rows = min(self.chunk, self.data.rows.n_rows - first)
            n_residuals = n_rows * self.model.n_outputs
            self.take_chunk(x, first, n_rows, value)
            self.float64.gradient_weights(
                n_residuals, n, n, self.jacobian.data, self.jacobian.data, first > 0, hessian,
                self.scratch.data)
            self.float64.gradient_weights(
                n_residuals, n, 1, self.jacobian.data, self.residuals.data, False, part,
                self.scratch.data)
            for i in range(n):
                gradient[i] = (gradient[i] if first > 0 else 0) + part[i]
            first += n_rows
            if self.monitor.poll != NULL and self.monitor.poll(self.monitor.context) != OK:
                with gil:
                    raise_stopped()
        for i in range(n):
            if self.l2 > 0 and self.is_weight[i]:
                parameter = ((<const float *> x)[i] if itemsize == 4
                             else (<const double *> x)[i])
                hessian[i * n + i] += self.l2
                gradient[i] += self.l2 * parameter
                value[0] += 0.5 * self.l2 * parameter * parameter
        return 0
