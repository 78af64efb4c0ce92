"""The rows a loss is taken over, checked once on their way from Python."""

import numpy as np

cimport numpy as cnp
from libc.stdint cimport int32_t

from fastnet._arrays cimport check_finite_cast, check_overlap, convert, labels, matrix, targets
from fastnet._kernels.table cimport CROSS_ENTROPY, KL_DIVERGENCE
from fastnet.losses cimport auto, check_domain, fill, fused_with, name_of, one_hot
from fastnet.losses cimport resolve as resolve_loss
from fastnet.training.model cimport Model

cnp.import_array()


cdef bint are_labels(object y, Py_ssize_t n_outputs):
    """One class number a row, not a target for one output."""
    y = np.asarray(y)
    return n_outputs > 1 and y.ndim == 1 and y.dtype.kind in "iub"


cdef class TrainingRows:
    def __init__(self, Model model, object X, object y, object loss="auto",
                 object sample_weight=None, str x_name="X", str y_name="y"):
        if model is None:
            raise TypeError("model must not be None")
        model.check_built()
        cdef int typenum = cnp.NPY_FLOAT32 if model.kernels.itemsize == 4 else cnp.NPY_FLOAT64
        cdef Py_ssize_t n_rows
        activation = model.output_activation()
        if isinstance(loss, str) and loss == "auto":
            loss = auto(activation, model.n_outputs)
        self.resolved = resolve_loss(loss)
        fill(self.resolved, &self.loss, model.kernels.itemsize)
        needed = fused_with(self.loss.kind)
        if needed is not None and activation != needed:
            raise ValueError(
                f"loss {self.resolved!r} is fused with {needed}: it needs a network whose output "
                f"activation is {needed!r}, not {activation!r}"
            )
        self.X = matrix(X, x_name, model.n_inputs, typenum)
        n_rows = cnp.PyArray_DIM(self.X, 0)
        if n_rows == 0:
            raise ValueError(f"{x_name} is empty: it must have at least one row")
        check_finite_cast(X, self.X, x_name)
        self.rows.n_rows = n_rows
        self.rows.x = cnp.PyArray_DATA(self.X)
        if are_labels(y, model.n_outputs):
            self.labels = labels(y, y_name, n_rows, model.n_outputs)
            self.rows.labels = <const int32_t *> cnp.PyArray_DATA(<cnp.ndarray> self.labels)
            if self.loss.kind != CROSS_ENTROPY and self.loss.kind != KL_DIVERGENCE:
                self.targets = one_hot(
                    self.loss.kind, self.labels, model.n_outputs, self.X.dtype
                )
                self.rows.labels = NULL
        else:
            self.targets = targets(y, y_name, n_rows, model.n_outputs, typenum)
            check_finite_cast(y, self.targets, y_name)
            check_domain(
                self.loss.kind, name_of(self.resolved), self.targets, y_name, tuple(np.shape(y))
            )
        if self.targets is not None:
            self.rows.targets = cnp.PyArray_DATA(<cnp.ndarray> self.targets)
        self.total_weight = n_rows
        if sample_weight is not None:
            weights = convert(sample_weight, "sample_weight", typenum)
            if np.shape(weights) != (n_rows,):
                raise ValueError(
                    f"sample_weight must have shape ({n_rows},), got {np.shape(weights)}"
                )
            check_finite_cast(sample_weight, weights, "sample_weight")
            if (weights < 0).any():
                k = int(np.argmax(weights < 0))
                raise ValueError(f"sample_weight[{k}] is negative: {weights[k]}")
            self.weights = weights
            self.rows.weights = cnp.PyArray_DATA(<cnp.ndarray> weights)
            with np.errstate(over="ignore"):
                self.total_weight = float(weights.sum(dtype=np.float64))
            if self.total_weight == 0:
                raise ValueError("sample_weight is all zero: no row counts")
            # Gradients are scaled by its reciprocal, which must be a normal number as well
            limits = np.finfo(weights.dtype)
            low, high = float(limits.tiny / limits.eps), float(limits.max * limits.eps)
            if not low <= self.total_weight <= high:
                raise ValueError(
                    f"sample_weight must have a sum between {low:.0e} and {high:.0e} in "
                    f"{weights.dtype}, got {self.total_weight}"
                )

    cdef int check_apart(self, cnp.ndarray out, str name) except -1:
        check_overlap(out, name, self.X, "X")
        if self.targets is not None:
            check_overlap(out, name, self.targets, "y")
        if self.weights is not None:
            check_overlap(out, name, self.weights, "sample_weight")
        return 0
