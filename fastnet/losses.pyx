"""Losses: every one by its name, with value and gradient, and custom ones.

A row's loss is summed over outputs.  What training runs are the kernels (``_kernels/losses.pxi``,
``_kernels/entropy.pxi``), where cross_entropy and kl_divergence are fused with softmax and
binary_cross_entropy with sigmoid; here they are functions of probabilities.

For one output p and its target y:

==================== ================================== =============================== ==========
name                 loss                               derivative by p                 targets
==================== ================================== =============================== ==========
squared_error        (p - y)^2                          2 (p - y)                       any
half_squared_error   (p - y)^2 / 2                      p - y                           any
absolute_error       abs(p - y)                         sign(p - y), 0 at 0             any
huber                e^2 / 2 for abs(e) <= delta, else  e cut to -delta .. delta        any
                     delta (abs(e) - delta / 2);
                     e = p - y
log_cosh             log cosh(p - y)                    tanh(p - y)                     any
quantile             q (y - p) or (1 - q) (p - y),      -q below y, 1 - q above, 0 at y any
                     the one above 0
cross_entropy        -y ln p, over a softmax            -y / p                          shares
kl_divergence        y (ln y - ln p), over a softmax    -y / p                          0 to 1
binary_cross_entropy -y ln p - (1 - y) ln(1 - p)        (1 - y) / (1 - p) - y / p       0 to 1
poisson              p - y ln p, p a rate               1 - y / p                       0 or more
hinge                max(0, 1 - y p)                    -y where 1 - y p > 0, else 0    -1 and 1
==================== ================================== =============================== ==========

0 ln 0 and 0 / 0 are 0 there: the loss of a rate or probability 0 is what y = 0 leaves, or infinite.
A rate below 0 has the loss NaN.
"""

import math
import numbers

import numpy as np

cimport numpy as cnp
from cython cimport floating

from fastnet._arrays cimport convert, convert_float, labels, nearest, targets
from fastnet._custom_losses cimport custom_gradient, custom_value
from fastnet._kernels.dispatch cimport kernels
from fastnet._kernels.table cimport (
    BINARY_CROSS_ENTROPY, CROSS_ENTROPY, HINGE, KL_DIVERGENCE, POISSON, Rows
)
from fastnet._kernels.table cimport Loss as LossHook

cnp.import_array()

# A name that is cimported cannot be imported, too.
globals()["Loss"] = Loss

__all__ = ["Loss", "ParameterizedLoss", "gradient", "huber", "names", "quantile", "value"]

# By LossId
cdef tuple NAMES = (
    "squared_error", "half_squared_error", "cross_entropy", "binary_cross_entropy", "kl_divergence",
    "absolute_error", "huber", "log_cosh", "poisson", "hinge", "quantile",
)
cdef dict IDS = {name: index for index, name in enumerate(NAMES)}
# What the plain names stand for
cdef dict PARAMETERS = {"huber": 1.0, "quantile": 0.5}
# The losses of classes: labels may stand for their targets
cdef tuple OF_CLASSES = ("cross_entropy", "binary_cross_entropy", "kl_divergence", "hinge")


def names():
    """Names of the losses, for ``loss=`` and the functions of this module.

    Returns
    -------
    tuple of str

    Examples
    --------
    >>> import fastnet as fn
    >>> "cross_entropy" in fn.losses.names()
    True
    """
    return NAMES


cdef int loss_id(str name) except -1:
    index = IDS.get(name)
    if index is None:
        raise ValueError(nearest(name, NAMES, "loss"))
    return index


cdef object resolve(object spec):
    if isinstance(spec, (Loss, ParameterizedLoss)):
        return spec
    if not isinstance(spec, str):
        raise TypeError(f"a loss must be a name or a fastnet.Loss, got {type(spec).__name__}")
    return NAMES[loss_id(str(spec))]


cdef str name_of(object resolved):
    """Of a loss of the kernels, with or without a parameter; None for a custom one."""
    if isinstance(resolved, ParameterizedLoss):
        return (<ParameterizedLoss> resolved).name
    return resolved if isinstance(resolved, str) else None


cdef double parameter_of(object resolved) except? -1:
    if isinstance(resolved, ParameterizedLoss):
        return (<ParameterizedLoss> resolved).parameter
    return PARAMETERS.get(resolved, 0.0)


cdef str auto(object activation, Py_ssize_t n_outputs):
    if activation == "softmax":
        return "cross_entropy"
    if activation == "sigmoid" and n_outputs == 1:
        return "binary_cross_entropy"
    return "squared_error"


cdef int fill(object resolved, LossHook *hook, Py_ssize_t itemsize) except -1:
    if isinstance(resolved, Loss):
        (<Loss> resolved).fill_hook(hook, itemsize)
        return 0
    hook.kind = IDS[name_of(resolved)]
    hook.parameter = parameter_of(resolved)
    hook.context = NULL
    hook.hook = NULL
    return 0


cdef str fused_with(int kind):
    if kind == CROSS_ENTROPY or kind == KL_DIVERGENCE:
        return "softmax"
    return "sigmoid" if kind == BINARY_CROSS_ENTROPY else None


cdef object domain(int kind):
    if kind == BINARY_CROSS_ENTROPY or kind == KL_DIVERGENCE:
        return "targets from 0 to 1", 0.0, 1.0, False
    if kind == POISSON:
        return "targets of at least 0", 0.0, math.inf, False
    if kind == HINGE:
        return "targets of -1 and 1", -1.0, 1.0, True
    return None


cdef Py_ssize_t first_outside(floating *y, Py_ssize_t n, double low, double high,
                              bint ends_only) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(n):
        if not low <= y[i] <= high or (ends_only and y[i] != low and y[i] != high):
            return i
    return -1


cdef int check_domain(int kind, str loss, cnp.ndarray expected, str name, tuple shape) except -1:
    cdef Py_ssize_t flat, n = cnp.PyArray_SIZE(expected)
    cdef double low, high
    cdef bint ends_only
    limits = domain(kind)
    if limits is None:
        return 0
    words, low, high, ends_only = limits
    if cnp.PyArray_TYPE(expected) == cnp.NPY_FLOAT32:
        flat = first_outside(<float *> cnp.PyArray_DATA(expected), n, low, high, ends_only)
    else:
        flat = first_outside(<double *> cnp.PyArray_DATA(expected), n, low, high, ends_only)
    if flat < 0:
        return 0
    where = ", ".join([str(k) for k in np.unravel_index(flat, shape)])
    raise ValueError(
        f"{name}[{where}] is {(<object> expected).reshape(-1)[flat]}: loss {loss!r} takes {words}"
    )


cdef object one_hot(int kind, cnp.ndarray classes, Py_ssize_t n, object dtype):
    other = -1 if kind == HINGE else 0
    return np.where(np.asarray(classes)[:, None] == np.arange(n), 1, other).astype(dtype)


cdef tuple rows_of(object y_pred, object y, str name):
    """Predictions and targets as (n_rows, n_outputs) arrays of one dtype, and y_pred's shape.

    One row may come as (n_outputs,) and one number as a scalar.
    """
    cdef cnp.ndarray predictions = convert_float(y_pred, "y_pred")
    cdef cnp.ndarray expected
    shape = (<object> predictions).shape
    if len(shape) > 2:
        raise ValueError(f"y_pred must have shape (n_rows, n_outputs) or (n_outputs,), got {shape}")
    cdef Py_ssize_t n_rows = shape[0] if len(shape) == 2 else 1
    cdef Py_ssize_t n = shape[len(shape) - 1] if shape else 1
    given = y if isinstance(y, np.ndarray) else np.asarray(y)
    is_labels = (
        name in OF_CLASSES and n > 1 and given.ndim == len(shape) - 1 and given.dtype.kind in "iub"
    )
    if is_labels:
        expected = labels(given.reshape(-1), "y", n_rows, n)
        expected = one_hot(IDS[name], expected, n, (<object> predictions).dtype)
    elif len(shape) < 2:
        if given.shape != shape:
            raise ValueError(f"y must have shape {shape} like y_pred, got {given.shape}")
        expected = convert(given.reshape(1, n), "y", cnp.PyArray_TYPE(predictions))
    else:
        expected = targets(y, "y", n_rows, n, cnp.PyArray_TYPE(predictions))
    return (<object> predictions).reshape(n_rows, n), expected, shape


cdef object kernel_value(object resolved, cnp.ndarray predictions, cnp.ndarray expected):
    """L (n_rows,) of a loss that is not fused."""
    losses = np.empty(predictions.shape[0], (<object> predictions).dtype)
    run(resolved, predictions, expected, cnp.PyArray_DATA(losses), NULL)
    return losses


cdef object kernel_gradient(object resolved, cnp.ndarray predictions, cnp.ndarray expected):
    """dL/d predictions (n_rows, n) of a loss that is not fused."""
    d = np.empty((<object> predictions).shape, (<object> predictions).dtype)
    run(resolved, predictions, expected, NULL, cnp.PyArray_DATA(d))
    return d


cdef int run(object resolved, cnp.ndarray predictions, cnp.ndarray expected, void *losses,
             void *d) except -1:
    cdef LossHook spec
    cdef Rows rows
    fill(resolved, &spec, cnp.PyArray_ITEMSIZE(predictions))
    rows.n_rows = predictions.shape[0]
    rows.x = NULL
    rows.targets = cnp.PyArray_DATA(expected)
    rows.labels = NULL
    rows.weights = NULL
    kernels(cnp.PyArray_ITEMSIZE(predictions)).loss(
        spec.kind, spec.parameter, predictions.shape[1], &rows, NULL,
        cnp.PyArray_DATA(predictions), 1.0, losses, d
    )
    return 0


# The fused losses as functions of probabilities, with 0 ln 0 = 0 and 0 / 0 = 0

cdef object times_log(object y, object p):
    """y ln p, 0 where both are 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = y * np.log(p)
    terms[(y == 0) & (p == 0)] = 0
    return terms


cdef object quotient(object y, object p):
    """y / p, 0 where both are 0."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        d = y / p
    d[(y == 0) & (p == 0)] = 0
    return d


cdef object cross_entropy_value(object p, object y):
    """L = -sum_j y_j ln p_j (n_rows,)."""
    return -times_log(y, p).sum(axis=1)


cdef object kl_divergence_value(object p, object y):
    """L = sum_j y_j (ln y_j - ln p_j) (n_rows,)."""
    return (times_log(y, y) - times_log(y, p)).sum(axis=1)


cdef object cross_entropy_gradient(object p, object y):
    """dL/dp_j = -y_j / p_j (n_rows, n) of both."""
    return -quotient(y, p)


cdef object binary_cross_entropy_value(object p, object y):
    """L = -sum_j (y_j ln p_j + (1 - y_j) ln(1 - p_j)) (n_rows,)."""
    return -(times_log(y, p) + times_log(1 - y, 1 - p)).sum(axis=1)


cdef object binary_cross_entropy_gradient(object p, object y):
    """dL/dp_j = (1 - y_j) / (1 - p_j) - y_j / p_j (n_rows, n)."""
    return quotient(1 - y, 1 - p) - quotient(y, p)


def value(name, y_pred, y):
    """Loss of each row, summed over its outputs.

    Parameters
    ----------
    name : str, `huber`, `quantile` or Loss
        One of `names`, one with its parameter, or a custom loss.
    y_pred : array-like (n_rows, n_outputs), or (n_outputs,) for one row
        Predictions; probabilities for cross_entropy, kl_divergence and binary_cross_entropy, rates
        for poisson. float32 stays float32; everything else is computed in float64.
    y : array-like of the same shape
        Targets; (n_rows,) for one output; for the losses of classes (the three above and hinge)
        also integer labels (n_rows,).

    Returns
    -------
    loss : ndarray (n_rows,), a scalar for one row given as (n_outputs,)
        The sum over outputs of the formula in the table of `fastnet.losses`.

    Raises
    ------
    ValueError
        For an unknown name (the message has the nearest one), wrong shapes, labels out of range.

    Examples
    --------
    >>> import fastnet as fn
    >>> fn.losses.value("squared_error", [[1.0, 2.0], [0.0, 0.0]], [[0.0, 0.0], [0.0, 3.0]])
    array([5., 9.])
    """
    spec = resolve(name)
    predictions, expected, shape = rows_of(y_pred, y, name_of(spec))
    if isinstance(spec, Loss):
        losses = custom_value(<Loss> spec, predictions.copy(), expected.copy()).copy()
    elif spec == "cross_entropy":
        losses = cross_entropy_value(predictions, expected)
    elif spec == "kl_divergence":
        losses = kl_divergence_value(predictions, expected)
    elif spec == "binary_cross_entropy":
        losses = binary_cross_entropy_value(predictions, expected)
    else:
        losses = kernel_value(spec, predictions, expected)
    return losses if len(shape) == 2 else losses[0]


def gradient(name, y_pred, y):
    """Gradient of each row's loss by the predictions.

    Parameters
    ----------
    name : str, `huber`, `quantile` or Loss
        One of `names`, one with its parameter, or a custom loss.
    y_pred, y : array-like
        As for `value`.

    Returns
    -------
    d : ndarray of the shape of y_pred
        The derivative in the table of `fastnet.losses`; a value between the one-sided ones at a
        kink.

    Raises
    ------
    ValueError
        As for `value`.

    Examples
    --------
    >>> import fastnet as fn
    >>> fn.losses.gradient("half_squared_error", [[1.0, 2.0]], [[0.0, 0.5]])
    array([[1. , 1.5]])
    """
    spec = resolve(name)
    predictions, expected, shape = rows_of(y_pred, y, name_of(spec))
    if isinstance(spec, Loss):
        d = custom_gradient(<Loss> spec, predictions.copy(), expected.copy()).copy()
    elif spec == "cross_entropy" or spec == "kl_divergence":
        d = cross_entropy_gradient(predictions, expected)
    elif spec == "binary_cross_entropy":
        d = binary_cross_entropy_gradient(predictions, expected)
    else:
        d = kernel_gradient(spec, predictions, expected)
    return d.reshape(shape)[()]


cdef class ParameterizedLoss:
    """A loss of `names` with its parameter: what `huber` and `quantile` return.

    Attributes
    ----------
    name : str
    parameter : float
    """

    def __init__(self, name, parameter):
        if name not in PARAMETERS:
            raise ValueError(
                f"name must be that of a loss with a parameter ({', '.join(PARAMETERS)}), "
                f"got {name!r}"
            )
        what = "delta" if name == "huber" else "q"
        if not isinstance(parameter, numbers.Real) or isinstance(parameter, bool):
            raise TypeError(f"{what} must be a number, got {type(parameter).__name__}")
        self.name = str(name)
        self.parameter = parameter
        if name == "huber" and not 0 < self.parameter < math.inf:
            raise ValueError(f"delta must be above 0 and finite, got {parameter}")
        if name == "quantile" and not 0 < self.parameter < 1:
            raise ValueError(f"q must be between 0 and 1, got {parameter}")

    def __repr__(self):
        what = "delta=" if self.name == "huber" else ""
        return f"fastnet.losses.{self.name}({what}{self.parameter!r})"

    def __eq__(self, other):
        if not isinstance(other, ParameterizedLoss):
            return NotImplemented
        return self.name == other.name and self.parameter == other.parameter

    def __hash__(self):
        return hash((self.name, self.parameter))

    def __reduce__(self):
        return type(self), (self.name, self.parameter)


def huber(delta=1.0):
    """The Huber loss: a square near the target, a straight line away from it.

    It counts an error e as e^2 / 2 up to delta and as delta (abs(e) - delta / 2) beyond, so that
    outliers pull with a bounded force (Huber 1964).

    Parameters
    ----------
    delta : float above 0
        Where the line begins, in units of the target. ``loss="huber"`` has 1.

    Returns
    -------
    loss : ParameterizedLoss
        For ``loss=`` and the functions of this module.

    Raises
    ------
    ValueError, TypeError
        For a delta that is not a finite number above 0.

    References
    ----------
    Huber: Robust Estimation of a Location Parameter, Annals of Mathematical Statistics 35
    (1964), section 1.

    Examples
    --------
    >>> import fastnet as fn
    >>> fn.losses.value(fn.losses.huber(delta=2.0), [[1.0], [5.0]], [[0.0], [0.0]])
    array([0.5, 8. ])
    """
    return ParameterizedLoss("huber", delta)


def quantile(q=0.5):
    """The quantile (pinball) loss, whose minimizer is the q-quantile of the targets.

    A unit below the target costs q, a unit above it 1 - q.

    Parameters
    ----------
    q : float between 0 and 1
        ``loss="quantile"`` has 0.5, the median: half of the absolute error.

    Returns
    -------
    loss : ParameterizedLoss
        For ``loss=`` and the functions of this module.

    Raises
    ------
    ValueError, TypeError
        For a q that is not a number between 0 and 1.

    References
    ----------
    Koenker, Bassett: Regression Quantiles, Econometrica 46 (1978), section 2.

    Examples
    --------
    >>> import fastnet as fn
    >>> fn.losses.value(fn.losses.quantile(0.75), [[1.0], [5.0]], [[3.0], [3.0]])
    array([1.5, 0.5])
    """
    return ParameterizedLoss("quantile", q)
