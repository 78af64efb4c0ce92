"""Activations of the user, in Python or C; see `fastnet.activations` for those by name."""

import numpy as np

cimport numpy as cnp
from cpython.ref cimport PyObject
from libc.string cimport memcpy

from fastnet._arrays cimport checked_result, copy_rows
from fastnet._cfunctions cimport c_function
from fastnet._chooks cimport CHooks, c_backward, c_derivative, c_value
from fastnet._kernels.table cimport CustomActivation, backward_hook, value_hook

cnp.import_array()

__all__ = ["Activation"]

cdef str VALUE_SIGNATURE = "void (intptr_t n, double *z, double *a, void *)"
cdef str DERIVATIVE_SIGNATURE = "void (intptr_t n, double *z, double *a, double *d, void *)"


cdef cnp.ndarray empty_like(cnp.ndarray array):
    return cnp.PyArray_EMPTY(array.ndim, array.shape, cnp.PyArray_TYPE(array), 0)


cdef cnp.ndarray diagonal_matrices(cnp.ndarray d):
    """(n_rows, n, n) with the rows of d (n_rows, n) on the diagonals."""
    j = np.zeros((d.shape[0], d.shape[1], d.shape[1]), (<object> d).dtype)
    np.einsum("rii->ri", j)[...] = d
    return j


cdef class Activation:
    """An activation of your own: Python functions, or C functions that run without Python.

    Parameters
    ----------
    value : callable or C function
        With ``derivative``: ``value(z) -> a``, elementwise on an array (n_rows, n). With
        ``jacobian``: ``value(z) -> a`` maps one row (n,) -> (n,).
    derivative : callable or C function, optional
        ``derivative(z, a) -> da/dz``, elementwise; arrays (n_rows, n).
    jacobian : callable, optional
        ``jacobian(z, a) -> J`` for one row, (n,), (n,) -> (n, n) with J[i, j] = da_i/dz_j. For
        activations that are not elementwise. Either ``derivative`` or ``jacobian`` must be given.
    name : str, optional
        For messages and ``repr``; by default that of ``value``.

    Raises
    ------
    ValueError
        A C function of another signature, or at NULL; both or neither of derivative and jacobian.
    TypeError
        Something that is neither callable nor a C function.

    Notes
    -----
    Python functions get copies in the dtype of the network (float32 or float64) and may change
    them. What they return is checked: real, and of the expected shape. Two activations are equal
    when their functions are; they pickle when their functions do.

    C functions have the signatures ::

        void value(intptr_t n, double *z, double *a, void *user_data)
        void derivative(intptr_t n, double *z, double *a, double *d, void *user_data)

    and come as a PyCapsule (named with the signature, its context is the user data), a ctypes
    function with ``argtypes`` and ``restype``, a numba cfunc, or a tuple (address, signature) or
    (address, signature, user_data). They write a = f(z) or d = da/dz for n elements, of a part of a
    layer or of many rows at once, must not write to the other arrays, and run without the
    interpreter lock, on any thread, perhaps on several at once. With ``float`` for ``double``
    throughout they serve networks of float32 only; those of ``double`` serve both, but float32 is
    then converted back and forth, which is slower. They cannot be pickled; a copy shares them.

    Examples
    --------
    >>> import numpy as np
    >>> import fastnet as fn
    >>> bent = fn.Activation(
    ...     lambda z: np.sqrt(z * z + 1) + z, lambda z, a: z / np.sqrt(z * z + 1) + 1, name="bent"
    ... )
    >>> fn.activations.derivative(bent, [0.0])
    array([1.])
    """

    def __cinit__(self, *_args, **_keywords):
        self.context.owner = <PyObject *> self

    def __init__(self, value, derivative=None, *, jacobian=None, name=None):
        cdef CFunction value_in_c = c_function(value, "value", VALUE_SIGNATURE)
        cdef CFunction derivative_in_c = None
        if value_in_c is None and not callable(value):
            raise TypeError(
                f"value must be callable or a C function, got {type(value).__name__}"
            )
        if (derivative is None) == (jacobian is None):
            raise ValueError(
                "exactly one of derivative and jacobian must be given, got "
                + ("neither" if derivative is None else "both")
            )
        if derivative is not None:
            derivative_in_c = c_function(derivative, "derivative", DERIVATIVE_SIGNATURE)
            if derivative_in_c is None and not callable(derivative):
                raise TypeError(
                    "derivative must be callable or a C function, "
                    f"got {type(derivative).__name__}"
                )
        elif not callable(jacobian):
            raise TypeError(f"jacobian must be callable, got {type(jacobian).__name__}")
        elif value_in_c is not None:
            raise ValueError(
                "value is a C function, which is elementwise and has a derivative: a jacobian "
                "goes with a Python function only"
            )
        if name is not None and not isinstance(name, str):
            raise TypeError(f"name must be a str or None, got {type(name).__name__}")
        self.value = value
        self.derivative = derivative
        self.jacobian = jacobian
        self.name = str(getattr(value, "__name__", "custom") if name is None else name)
        self.c_value = value_in_c
        self.c_derivative = derivative_in_c
        if value_in_c is not None:
            self.context.value = value_in_c.address
            self.context.value_data = value_in_c.user_data
        if derivative_in_c is not None:
            self.context.derivative = derivative_in_c.address
            self.context.derivative_data = derivative_in_c.user_data

    def __repr__(self):
        kind = "derivative" if self.jacobian is None else "jacobian"
        return f"<fastnet.Activation {self.name!r} with {kind}>"

    cdef tuple functions(self):
        """What makes two activations equal."""
        return (
            self.value if self.c_value is None else self.c_value,
            self.derivative if self.c_derivative is None else self.c_derivative,
            self.jacobian,
        )

    def __eq__(self, other):
        if not isinstance(other, Activation):
            return NotImplemented
        return self.functions() == (<Activation> other).functions()

    def __hash__(self):
        return hash(self.functions())

    def __reduce__(self):
        if self.c_value is not None or self.c_derivative is not None:
            raise TypeError(
                f"activation {self.name!r} cannot be pickled: the address of a C function means "
                "something in this process only"
            )
        return _rebuild, (type(self), self.value, self.derivative, self.jacobian, self.name)

    def __copy__(self):
        return self

    def __deepcopy__(self, memo):
        return self

    cdef int fill_hooks(self, CustomActivation *hooks, Py_ssize_t itemsize) except -1:
        check_itemsize(self, itemsize)
        hooks.context = &self.context
        # A Python hook leaves its exception set, which the cast hides from Cython: see value_rows.
        if self.c_value is not None:
            hooks.value = c_value(itemsize, self.c_value.itemsize)
        else:
            hooks.value = <value_hook> (value_float32 if itemsize == 4 else value_float64)
        if self.c_derivative is not None:
            hooks.backward = c_backward(itemsize, self.c_derivative.itemsize)
        else:
            hooks.backward = <backward_hook> (
                backward_float32 if itemsize == 4 else backward_float64
            )
        return 0

    cdef bint value_is_python(self) noexcept:
        return self.c_value is None


cdef int check_itemsize(Activation self, Py_ssize_t itemsize) except -1:
    if self.c_value is not None:
        self.c_value.check_itemsize(itemsize, f"value of activation {self.name!r}")
    if self.c_derivative is not None:
        self.c_derivative.check_itemsize(itemsize, f"derivative of activation {self.name!r}")
    return 0


def _rebuild(cls, value, derivative, jacobian, name):
    return cls(value, derivative, jacobian=jacobian, name=name)


cdef cnp.ndarray value_of_rows(Activation self, cnp.ndarray z):
    """a (n_rows, n) for z (n_rows, n); an elementwise function may change z."""
    cdef int typenum = cnp.PyArray_TYPE(z)
    cdef str what = f"value of activation {self.name!r}"
    rows = <object> z
    cdef cnp.ndarray in_c
    if self.c_value is not None:
        self.c_value.check_itemsize(cnp.PyArray_ITEMSIZE(z), what)
        in_c = empty_like(z)
        c_value(cnp.PyArray_ITEMSIZE(z), self.c_value.itemsize)(
            &self.context, 1, cnp.PyArray_SIZE(z), cnp.PyArray_DATA(z), cnp.PyArray_DATA(in_c)
        )
        return in_c
    if self.jacobian is None:
        return checked_result(self.value(z), what, rows.shape, typenum)
    a = np.empty(rows.shape, rows.dtype)
    for row in range(rows.shape[0]):
        a[row] = checked_result(self.value(rows[row].copy()), what, rows.shape[1:], typenum)
    return a


cdef cnp.ndarray derivative_of_rows(Activation self, cnp.ndarray z, cnp.ndarray a):
    """da/dz (n_rows, n); z and a are the user's to change."""
    cdef str what = f"derivative of activation {self.name!r}"
    cdef cnp.ndarray in_c
    if self.c_derivative is not None:
        self.c_derivative.check_itemsize(cnp.PyArray_ITEMSIZE(z), what)
        in_c = empty_like(z)
        c_derivative(
            &self.context, cnp.PyArray_ITEMSIZE(z), self.c_derivative.itemsize,
            cnp.PyArray_SIZE(z), cnp.PyArray_DATA(z), cnp.PyArray_DATA(a), cnp.PyArray_DATA(in_c)
        )
        return in_c
    return checked_result(self.derivative(z, a), what, (<object> z).shape, cnp.PyArray_TYPE(z))


cdef cnp.ndarray jacobian_of_row(Activation self, object z, object a, int typenum):
    """J (n, n) at one row z (n,); z and a are the user's to change."""
    cdef Py_ssize_t n = z.shape[0]
    cdef str what = f"jacobian of activation {self.name!r}"
    return checked_result(self.jacobian(z, a), what, (n, n), typenum)


cdef cnp.ndarray custom_jacobians(Activation self, cnp.ndarray z):
    rows = (<object> z).copy()
    cdef cnp.ndarray a = value_of_rows(self, rows.copy())
    cdef Py_ssize_t n = rows.shape[1]
    cdef int typenum = cnp.PyArray_TYPE(z)
    if self.jacobian is None:
        return diagonal_matrices(derivative_of_rows(self, rows, (<object> a).copy()))
    j = np.empty((rows.shape[0], n, n), rows.dtype)
    for row in range(rows.shape[0]):
        j[row] = jacobian_of_row(self, rows[row].copy(), (<object> a)[row].copy(), typenum)
    return j


cdef object custom_value(Activation self, cnp.ndarray z):
    """The value for z of any shape, by rows of the last axis."""
    array = <object> z
    if array.ndim == 0 and self.jacobian is not None:
        raise ValueError(
            f"z must have at least one dimension for activation {self.name!r}, got a scalar"
        )
    n = array.shape[array.ndim - 1] if array.ndim else 1
    rows = array.reshape(array.size // n if n else 0, n).copy()
    return np.array(value_of_rows(self, rows)).reshape(array.shape)[()]


cdef object custom_derivative(Activation self, cnp.ndarray z):
    if self.derivative is None:
        raise ValueError(
            f"activation {self.name!r} is not elementwise and has no derivative; "
            "use fastnet.activations.jacobian"
        )
    array = <object> z
    n = array.shape[array.ndim - 1] if array.ndim else 1
    rows = array.reshape(array.size // n if n else 0, n).copy()
    a = np.array(value_of_rows(self, rows.copy()))
    return np.array(derivative_of_rows(self, rows, a)).reshape(array.shape)[()]


cdef int value_rows(void *context, Py_ssize_t n_rows, Py_ssize_t n, const void *z, void *a,
                    int typenum) except -1 with gil:
    """a = value(z).  -1 with the exception set: what the hooks promise to their callers."""
    cdef Activation self = <Activation> (<CHooks *> context).owner
    cdef cnp.ndarray result = value_of_rows(self, copy_rows(z, n_rows, n, typenum))
    memcpy(a, cnp.PyArray_DATA(result), cnp.PyArray_NBYTES(result))
    return 0


cdef int backward_rows(void *context, Py_ssize_t n_rows, Py_ssize_t n, const void *z,
                       const void *a, void *d, int typenum) except -1 with gil:
    """d *= da/dz, or for each row d_z[j] = sum_i d_a[i] J[i, j]."""
    cdef Activation self = <Activation> (<CHooks *> context).owner
    z_rows = <object> copy_rows(z, n_rows, n, typenum)
    a_rows = <object> copy_rows(a, n_rows, n, typenum)
    d_rows = <object> copy_rows(d, n_rows, n, typenum)
    cdef cnp.ndarray result
    if self.jacobian is None:
        result = np.multiply(d_rows, derivative_of_rows(self, z_rows, a_rows), out=d_rows)
    else:
        for row in range(n_rows):
            j = jacobian_of_row(self, z_rows[row], a_rows[row], typenum)
            d_rows[row] = d_rows[row] @ <object> j
        result = d_rows
    memcpy(d, cnp.PyArray_DATA(result), cnp.PyArray_NBYTES(result))
    return 0


cdef int value_float32(void *context, Py_ssize_t n_rows, Py_ssize_t n, const void *z,
                       void *a) except -1 nogil:
    return value_rows(context, n_rows, n, z, a, cnp.NPY_FLOAT32)


cdef int value_float64(void *context, Py_ssize_t n_rows, Py_ssize_t n, const void *z,
                       void *a) except -1 nogil:
    return value_rows(context, n_rows, n, z, a, cnp.NPY_FLOAT64)


cdef int backward_float32(void *context, Py_ssize_t n_rows, Py_ssize_t n, const void *z,
                          const void *a, void *d) except -1 nogil:
    return backward_rows(context, n_rows, n, z, a, d, cnp.NPY_FLOAT32)


cdef int backward_float64(void *context, Py_ssize_t n_rows, Py_ssize_t n, const void *z,
                          const void *a, void *d) except -1 nogil:
    return backward_rows(context, n_rows, n, z, a, d, cnp.NPY_FLOAT64)
