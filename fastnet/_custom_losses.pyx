"""Losses of the user, in Python or C; see `fastnet.losses` for those by name."""

cimport numpy as cnp
from cpython.ref cimport PyObject
from libc.string cimport memcpy

from fastnet._arrays cimport checked_result, copy_rows
from fastnet._cfunctions cimport CFunction, c_function
from fastnet._chooks cimport CHooks, c_loss
from fastnet._kernels.table cimport CUSTOM_LOSS, OK, loss_hook
from fastnet._kernels.table cimport Loss as LossHook

cnp.import_array()

__all__ = ["Loss"]

cdef str VALUE_SIGNATURE = (
    "void (intptr_t n_rows, intptr_t n_outputs, double *y_pred, double *y, double *row_loss, "
    "void *)"
)
cdef str GRADIENT_SIGNATURE = (
    "void (intptr_t n_rows, intptr_t n_outputs, double *y_pred, double *y, double *d, void *)"
)


cdef class Loss:
    """A loss of your own: two Python functions, or two C functions that run without Python.

    Parameters
    ----------
    value : callable or C function
        ``value(y_pred, y) -> (n_rows,)``: the loss of each row; arrays (n_rows, n_outputs).
    gradient : callable or C function
        ``gradient(y_pred, y) -> (n_rows, n_outputs)``: the derivative of each row's loss by its
        predictions.
    name : str, optional
        For messages and ``repr``; by default that of ``value``.

    Raises
    ------
    ValueError
        A C function of another signature, or at NULL; one function in C and one in Python, or one
        in float and one in double.
    TypeError
        Something that is neither callable nor a C function.

    Notes
    -----
    Python functions get copies in the dtype of the network (float32 or float64) and may change
    them. What they return is checked: real, and of the expected shape. Sample weights and the mean
    over rows are applied afterwards. Two losses are equal when their functions are; they pickle
    when their functions do.

    C functions have the signatures ::

        void value(intptr_t n_rows, intptr_t n_outputs, double *y_pred, double *y,
                   double *row_loss, void *user_data)
        void gradient(intptr_t n_rows, intptr_t n_outputs, double *y_pred, double *y,
                      double *d, void *user_data)

    with row-major arrays (n_rows, n_outputs), and row_loss (n_rows,). They come in the forms that
    `fastnet.Activation` takes, and the same holds for them: they must not write to y_pred and y,
    run without the interpreter lock, and get some of the rows at a time.

    Examples
    --------
    >>> import fastnet as fn
    >>> quartic = fn.Loss(
    ...     lambda y_pred, y: ((y_pred - y) ** 4).sum(axis=1),
    ...     lambda y_pred, y: 4 * (y_pred - y) ** 3,
    ... )
    >>> fn.losses.value(quartic, [[2.0]], [[0.0]])
    array([16.])
    """

    def __cinit__(self, *_args, **_keywords):
        self.context.owner = <PyObject *> self

    def __init__(self, value, gradient, name=None):
        cdef CFunction value_in_c = c_function(value, "value", VALUE_SIGNATURE)
        cdef CFunction gradient_in_c = c_function(gradient, "gradient", GRADIENT_SIGNATURE)
        for which, function, in_c in (
            ("value", value, value_in_c), ("gradient", gradient, gradient_in_c)
        ):
            if in_c is None and not callable(function):
                raise TypeError(
                    f"{which} must be callable or a C function, got {type(function).__name__}"
                )
        if (value_in_c is None) != (gradient_in_c is None):
            raise ValueError(
                "value and gradient must both be C functions or both Python functions, got "
                + ("a Python and a C function" if value_in_c is None
                   else "a C and a Python function")
            )
        if value_in_c is not None and value_in_c.itemsize != gradient_in_c.itemsize:
            raise ValueError(
                "value and gradient must both work on float or both on double, got "
                f"{value_in_c.signature!r} and {gradient_in_c.signature!r}"
            )
        if name is not None and not isinstance(name, str):
            raise TypeError(f"name must be a str or None, got {type(name).__name__}")
        self.value = value
        self.gradient = gradient
        self.name = str(getattr(value, "__name__", "custom") if name is None else name)
        self.c_value = value_in_c
        self.c_gradient = gradient_in_c
        if value_in_c is not None:
            self.context.value = value_in_c.address
            self.context.value_data = value_in_c.user_data
            self.context.derivative = gradient_in_c.address
            self.context.derivative_data = gradient_in_c.user_data

    def __repr__(self):
        return f"<fastnet.Loss {self.name!r}>"

    cdef tuple functions(self):
        """What makes two losses equal."""
        if self.c_value is not None:
            return self.c_value, self.c_gradient
        return self.value, self.gradient

    def __eq__(self, other):
        if not isinstance(other, Loss):
            return NotImplemented
        return self.functions() == (<Loss> other).functions()

    def __hash__(self):
        return hash(self.functions())

    def __reduce__(self):
        if self.c_value is not None:
            raise TypeError(
                f"loss {self.name!r} cannot be pickled: the address of a C function means "
                "something in this process only"
            )
        return type(self), (self.value, self.gradient, self.name)

    def __copy__(self):
        return self

    def __deepcopy__(self, memo):
        return self

    cdef int fill_hook(self, LossHook *hook, Py_ssize_t itemsize) except -1:
        if self.c_value is not None:
            self.c_value.check_itemsize(itemsize, f"value of loss {self.name!r}")
            self.c_gradient.check_itemsize(itemsize, f"gradient of loss {self.name!r}")
            hook.hook = c_loss(itemsize, self.c_value.itemsize)
        else:
            # A Python hook leaves its exception set, which the cast hides from Cython: see
            # loss_rows.
            hook.hook = <loss_hook> (loss_float32 if itemsize == 4 else loss_float64)
        hook.kind = CUSTOM_LOSS
        hook.parameter = 0
        hook.context = &self.context
        return 0


cdef cnp.ndarray run_in_c(Loss self, cnp.ndarray predictions, cnp.ndarray expected,
                          bint by_predictions):
    """L (n_rows,), or dL/d predictions (n_rows, n), of C functions."""
    cdef LossHook hook
    cdef cnp.ndarray result
    self.fill_hook(&hook, cnp.PyArray_ITEMSIZE(predictions))
    result = cnp.PyArray_EMPTY(
        2 if by_predictions else 1, predictions.shape, cnp.PyArray_TYPE(predictions), 0
    )
    if hook.hook(
        hook.context, predictions.shape[0], predictions.shape[1], cnp.PyArray_DATA(predictions),
        cnp.PyArray_DATA(expected), NULL if by_predictions else cnp.PyArray_DATA(result),
        cnp.PyArray_DATA(result) if by_predictions else NULL
    ) != OK:
        raise MemoryError()
    return result


cdef cnp.ndarray custom_value(Loss self, cnp.ndarray predictions, cnp.ndarray expected):
    """L (n_rows,); both arrays (n_rows, n) are the user's to change."""
    cdef Py_ssize_t n_rows = predictions.shape[0]
    cdef int typenum = cnp.PyArray_TYPE(predictions)
    if self.c_value is not None:
        return run_in_c(self, predictions, expected, False)
    return checked_result(
        self.value(predictions, expected), f"value of loss {self.name!r}", (n_rows,), typenum
    )


cdef cnp.ndarray custom_gradient(Loss self, cnp.ndarray predictions, cnp.ndarray expected):
    """dL/d predictions (n_rows, n); both arrays are the user's to change."""
    shape = (<object> predictions).shape
    cdef int typenum = cnp.PyArray_TYPE(predictions)
    if self.c_value is not None:
        return run_in_c(self, predictions, expected, True)
    return checked_result(
        self.gradient(predictions, expected), f"gradient of loss {self.name!r}", shape, typenum
    )


cdef int loss_rows(void *context, Py_ssize_t n_rows, Py_ssize_t n, const void *predictions,
                   const void *expected, void *losses, void *d, int typenum) except -1 with gil:
    """losses (n_rows,) and d (n_rows, n), either NULL.  -1 with the exception set."""
    cdef Loss self = <Loss> (<CHooks *> context).owner
    cdef cnp.ndarray result
    if losses != NULL:
        result = custom_value(
            self,
            copy_rows(predictions, n_rows, n, typenum),
            copy_rows(expected, n_rows, n, typenum),
        )
        memcpy(losses, cnp.PyArray_DATA(result), cnp.PyArray_NBYTES(result))
    if d != NULL:
        result = custom_gradient(
            self,
            copy_rows(predictions, n_rows, n, typenum),
            copy_rows(expected, n_rows, n, typenum),
        )
        memcpy(d, cnp.PyArray_DATA(result), cnp.PyArray_NBYTES(result))
    return 0


cdef int loss_float32(void *context, Py_ssize_t n_rows, Py_ssize_t n, const void *predictions,
                      const void *expected, void *losses, void *d) except -1 nogil:
    return loss_rows(context, n_rows, n, predictions, expected, losses, d, cnp.NPY_FLOAT32)


cdef int loss_float64(void *context, Py_ssize_t n_rows, Py_ssize_t n, const void *predictions,
                      const void *expected, void *losses, void *d) except -1 nogil:
    return loss_rows(context, n_rows, n, predictions, expected, losses, d, cnp.NPY_FLOAT64)
