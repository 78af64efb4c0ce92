"""Rows of inputs and targets: supervised learning as a task of evolution."""

import math
import numbers

import numpy as np

cimport numpy as cnp
from libc.math cimport INFINITY, isnan, log, log1p
from libc.stdint cimport uint64_t

from fastnet._arrays cimport check_finite, matrix, real_array
from fastnet._arrays cimport targets as target_rows
from fastnet._kernels.table cimport (
    BINARY_CROSS_ENTROPY, CROSS_ENTROPY, CUSTOM_LOSS, KL_DIVERGENCE, Graph, Kernels,
    Rows
)
from fastnet._workspace cimport aligned
from fastnet.losses cimport check_domain, fill, name_of
from fastnet.losses cimport resolve as resolve_loss
from fastnet.neat.tasks.answers cimport answer_rows, answers_scratch
from fastnet.neat.tasks.base cimport NativeTask

cnp.import_array()

__all__ = ["Dataset"]

cdef enum:
    CHUNK_ROWS = 1024                   # whose predictions are held at once

ctypedef fused real:
    float
    double


cdef class Dataset(NativeTask):
    """Rows of inputs and targets; the fitness is minus the mean loss.

    Parameters
    ----------
    X : array-like (n_rows, n_inputs)
        Finite numbers; copied.
    y : array-like (n_rows, n_outputs), for one output also (n_rows,)
        Targets; copied.
    loss : str or what `fastnet.losses.huber` and `fastnet.losses.quantile` return
        A loss of `fastnet.losses`, of the outputs whatever their activation.
        "binary_cross_entropy" takes them for probabilities.  Those that need a softmax are refused:
        nodes of a graph have no common activation.
    target : float, optional
        The task is solved by a network of at least this fitness.

    Raises
    ------
    ValueError, TypeError
        An argument has the wrong shape or holds numbers that the loss does not take.

    Notes
    -----
    A mean loss that is not a number gives the fitness -infinity.  Recurrent networks get each row
    from a blank state for as many steps as with `XOR`.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnet import neat
    >>> x = np.linspace(-1, 1, 21)[:, None]
    >>> task = neat.tasks.Dataset(x, x * x, target=-0.001)
    >>> network = neat.Genome(task.config(), rng=0).network()
    >>> task.evaluate(network) < 0
    True
    """

    def __init__(self, X, y, loss="squared_error", target=None):
        cdef cnp.ndarray inputs = matrix(X, "X", -1, cnp.NPY_FLOAT64)
        cdef cnp.ndarray expected
        cdef object given
        cdef Py_ssize_t n_outputs = 1
        if self.n_rows:
            raise RuntimeError("a Dataset is built once")
        if 0 in np.shape(inputs):
            raise ValueError(f"X must have at least one row and one column, got {np.shape(inputs)}")
        check_finite(inputs, "X")
        given = real_array(y, "y")
        if given.ndim == 2:
            n_outputs = given.shape[1]
            if n_outputs == 0:
                raise ValueError(f"y must have at least one column, got {given.shape}")
        expected = target_rows(given, "y", cnp.PyArray_DIM(inputs, 0), n_outputs, cnp.NPY_FLOAT64)
        check_finite(expected, "y")
        resolved = resolve_loss(loss)
        fill(resolved, &self.spec, 8)
        if self.spec.kind == CUSTOM_LOSS:
            raise TypeError(
                "loss must be a loss of fastnet.losses: for one of your own use a fitness function")
        if self.spec.kind == CROSS_ENTROPY or self.spec.kind == KL_DIVERGENCE:
            raise ValueError(
                f"loss {resolved!r} is fused with softmax, which the outputs of graphs do not have")
        check_domain(self.spec.kind, name_of(resolved), expected, "y", tuple(np.shape(given)))
        if target is not None:
            if isinstance(target, bool) or not isinstance(target, numbers.Real):
                raise TypeError(f"target must be a number or None, got {target!r}")
            try:
                target = float(target)
            except OverflowError:
                raise ValueError("target is too large for a float") from None
            if math.isnan(target):
                raise ValueError("target must be a number or None, got NaN")
        with np.errstate(over="ignore", under="ignore"):
            self.arrays = (np.array(inputs, np.float32), np.array(expected, np.float32))
        self.X = np.array(inputs)
        self.y = np.array(expected)
        (<object> self.X).setflags(write=False)
        (<object> self.y).setflags(write=False)
        self.rows[0] = cnp.PyArray_BYTES(<cnp.ndarray> self.arrays[0])
        self.rows[1] = cnp.PyArray_BYTES(self.X)
        self.targets[0] = cnp.PyArray_BYTES(<cnp.ndarray> self.arrays[1])
        self.targets[1] = cnp.PyArray_BYTES(self.y)
        self.n_rows = cnp.PyArray_DIM(self.X, 0)
        self.n_inputs = cnp.PyArray_DIM(self.X, 1)
        self.n_outputs = n_outputs
        self.loss = resolved
        self.target = target
        self.has_target = target is not None
        self.least = target if self.has_target else math.inf

    cdef Py_ssize_t scratch_bytes(self, const Kernels *kernels, const Graph *graph) noexcept nogil:
        return predictions_bytes(kernels, self) + answers_scratch(kernels, graph)

    cdef double evaluate_graph(self, const Kernels *kernels, const Graph *graph,
                               const void *parameters, void *state, uint64_t seed,
                               void *scratch) noexcept nogil:
        cdef Py_ssize_t itemsize = kernels.itemsize, first = 0
        cdef bint is_single = itemsize == 4
        cdef const char *x = self.rows[0 if is_single else 1]
        cdef const char *y = self.targets[0 if is_single else 1]
        cdef char *predictions = <char *> scratch
        cdef char *logits = predictions + predictions_bytes(kernels, self) // 2
        cdef char *rest = predictions + predictions_bytes(kernels, self)
        cdef double total = 0
        cdef Rows rows
        rows.labels = NULL
        rows.weights = NULL
        while first < self.n_rows:
            rows.n_rows = min(self.n_rows - first, <Py_ssize_t> CHUNK_ROWS)
            rows.x = x + first * self.n_inputs * itemsize
            rows.targets = y + first * self.n_outputs * itemsize
            answer_rows(kernels, graph, parameters, rows.n_rows, rows.x, predictions, state, rest)
            if self.spec.kind == BINARY_CROSS_ENTROPY:
                if is_single:
                    to_logits(rows.n_rows * self.n_outputs, <float *> predictions, <float *> logits)
                else:
                    to_logits(rows.n_rows * self.n_outputs, <double *> predictions,
                              <double *> logits)
            total += kernels.loss(self.spec.kind, self.spec.parameter, self.n_outputs, &rows,
                                  logits, predictions, 1.0, NULL, NULL)
            first += rows.n_rows
        total = -total / self.n_rows
        return -INFINITY if isnan(total) else total

    cdef bint graph_solves(self, const Kernels *kernels, const Graph *graph,
                           const void *parameters, void *state, double fitness,
                           void *scratch) noexcept nogil:
        return self.has_target and fitness >= self.least

    def __eq__(self, other):
        if not isinstance(other, Dataset):
            return NotImplemented
        return (
            self.loss == other.loss
            and self.target == other.target
            and np.array_equal(self.X, other.X)
            and np.array_equal(self.y, other.y)
        )

    __hash__ = None

    def __reduce__(self):
        return type(self), (np.array(self.X), np.array(self.y), self.loss, self.target)

    def __repr__(self):
        target = "" if self.target is None else f", target={self.target!r}"
        return (
            f"{type(self).__name__}(<{self.n_rows} rows, {self.n_inputs} inputs, "
            f"{self.n_outputs} outputs>, loss={self.loss!r}{target})"
        )


cdef Py_ssize_t predictions_bytes(const Kernels *kernels, Dataset data) noexcept nogil:
    """Of the predictions of a chunk, and as many for their logits."""
    cdef Py_ssize_t n = min(data.n_rows, <Py_ssize_t> CHUNK_ROWS) * data.n_outputs
    return 2 * aligned(n * kernels.itemsize)


cdef void to_logits(Py_ssize_t n, const real *p, real *z) noexcept nogil:
    """The z whose sigmoid is p; infinite at 0 and 1, NaN beyond."""
    cdef Py_ssize_t i
    for i in range(n):
        z[i] = <real> (log(p[i]) - log1p(-<double> p[i]))
