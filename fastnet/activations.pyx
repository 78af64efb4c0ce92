"""Activations: every one by its name, with value, derivative and Jacobian, and custom ones.

The formulas live in the kernels (``_kernels/activations.pxi``, value and derivative side by side);
this module is their face to Python.  Custom ones are in ``_custom_activations.pyx``.
"""

import numpy as np

cimport numpy as cnp

from fastnet._arrays cimport convert_float, nearest
from fastnet._custom_activations cimport (
    custom_derivative, custom_jacobians, custom_value, diagonal_matrices, empty_like
)
from fastnet._kernels.dispatch cimport kernels
from fastnet._kernels.table cimport CUSTOM_ACTIVATION, SOFTMAX, Kernels

cnp.import_array()

# A name that is cimported cannot be imported, too.
globals()["Activation"] = Activation

__all__ = ["Activation", "derivative", "jacobian", "names", "value"]

# By ActivationId
cdef tuple NAMES = (
    "identity", "relu", "leaky_relu", "elu", "sigmoid", "steep_sigmoid", "tanh", "softplus",
    "gelu", "sin", "gaussian", "softmax", "selu", "silu", "mish", "softsign", "elliot", "hard_tanh",
    "hard_sigmoid", "abs", "square", "cube", "exp", "step", "inverse", "log",
)
cdef dict IDS = {name: index for index, name in enumerate(NAMES)}


def names():
    """Names of the activations, for ``hidden=``, ``output=`` and the functions of this module.

    Returns
    -------
    tuple of str

    Examples
    --------
    >>> import fastnet as fn
    >>> "relu" in fn.activations.names()
    True
    """
    return NAMES


cdef int activation_id(str name) except -1:
    index = IDS.get(name)
    if index is None:
        raise ValueError(nearest(name, NAMES, "activation"))
    return index


cpdef object resolve(object spec):
    if isinstance(spec, Activation):
        return spec
    if not isinstance(spec, str):
        raise TypeError(
            "an activation must be a name or a fastnet.Activation, "
            f"got {type(spec).__name__}"
        )
    return NAMES[activation_id(str(spec))]


cdef int resolved_id(object resolved) except -1:
    return CUSTOM_ACTIVATION if isinstance(resolved, Activation) else IDS[resolved]


cdef cnp.ndarray named_value(int activation, cnp.ndarray z):
    """a = f(z); z contiguous, for softmax of at least one dimension."""
    cdef const Kernels *k = kernels(cnp.PyArray_ITEMSIZE(z))
    cdef cnp.ndarray a = empty_like(z)
    cdef Py_ssize_t size = cnp.PyArray_SIZE(z)
    cdef Py_ssize_t n
    if size == 0:
        return a
    if activation == SOFTMAX:
        n = z.shape[z.ndim - 1]
        k.softmax(size // n, n, cnp.PyArray_DATA(z), cnp.PyArray_DATA(a))
    else:
        k.activate(activation, size, cnp.PyArray_DATA(z), cnp.PyArray_DATA(a))
    return a


cdef cnp.ndarray named_derivative(int activation, cnp.ndarray z, cnp.ndarray a):
    """f'(z) of an elementwise activation."""
    cdef const Kernels *k = kernels(cnp.PyArray_ITEMSIZE(z))
    cdef cnp.ndarray d = np.ones((<object> z).shape, (<object> z).dtype)
    k.multiply_derivative(
        activation, cnp.PyArray_SIZE(z), cnp.PyArray_DATA(z), cnp.PyArray_DATA(a),
        cnp.PyArray_DATA(d)
    )
    return d


cdef cnp.ndarray softmax_jacobians(cnp.ndarray a):
    """J[r, i, j] = a_i (delta_ij - a_j) for outputs a (n_rows, n)."""
    outputs = <object> a
    j = -outputs[:, :, None] * outputs[:, None, :]
    # Each row of J sums to zero; 1 - a_i would lose everything where a_i rounds to 1.
    diagonal = np.einsum("rii->ri", j)
    diagonal[...] = 0
    diagonal[...] = -j.sum(axis=2)
    return j


cdef cnp.ndarray jacobians(object resolved, cnp.ndarray z):
    cdef int activation
    if isinstance(resolved, Activation):
        return custom_jacobians(<Activation> resolved, z)
    activation = IDS[resolved]
    if activation == SOFTMAX:
        return softmax_jacobians(named_value(activation, z))
    return diagonal_matrices(named_derivative(activation, z, named_value(activation, z)))


def value(name, z):
    """Value of an activation.

    Parameters
    ----------
    name : str or Activation
        One of `names`, or a custom activation.
    z : array-like, any shape
        float32 stays float32; everything else is computed in float64. Softmax, and a custom
        activation with a Jacobian, work along the last axis.

    Returns
    -------
    a : ndarray of the shape of z (a scalar for a scalar)
        NaN where z is NaN.

    Raises
    ------
    ValueError
        For an unknown name (the message has the nearest one), or softmax of a scalar.

    Examples
    --------
    >>> import fastnet as fn
    >>> fn.activations.value("relu", [-1.0, 2.0])
    array([0., 2.])
    """
    spec = resolve(name)
    cdef cnp.ndarray x = convert_float(z, "z")
    if isinstance(spec, Activation):
        return custom_value(<Activation> spec, x)
    cdef int activation = IDS[spec]
    if activation == SOFTMAX and x.ndim == 0:
        raise ValueError("z must have at least one dimension for softmax, got a scalar")
    return (<object> named_value(activation, x))[()]


def derivative(name, z):
    """Derivative of an elementwise activation by its argument.

    Parameters
    ----------
    name : str or Activation
        One of `names` but softmax, or a custom activation with a derivative.
    z : array-like, any shape
        float32 stays float32; everything else is computed in float64.

    Returns
    -------
    d : ndarray of the shape of z (a scalar for a scalar)
        da/dz; at a kink a value between the one-sided derivatives.

    Raises
    ------
    ValueError
        For an unknown name, and for an activation that is not elementwise: use `jacobian`.

    Examples
    --------
    >>> import fastnet as fn
    >>> fn.activations.derivative("tanh", 0.0)
    np.float64(1.0)
    """
    spec = resolve(name)
    cdef cnp.ndarray x = convert_float(z, "z")
    if isinstance(spec, Activation):
        return custom_derivative(<Activation> spec, x)
    cdef int activation = IDS[spec]
    if activation == SOFTMAX:
        raise ValueError(
            "softmax has no elementwise derivative: each output depends on the whole row; "
            "use fastnet.activations.jacobian('softmax', z)"
        )
    return (<object> named_derivative(activation, x, named_value(activation, x)))[()]


def jacobian(name, z):
    """Jacobian of an activation.

    Parameters
    ----------
    name : str or Activation
        One of `names`, or a custom activation.
    z : array-like (n,) or (n_rows, n)
        float32 stays float32; everything else is computed in float64.

    Returns
    -------
    J : ndarray (n, n) or (n_rows, n, n)
        J[i, j] = da_i/dz_j; diagonal for an elementwise activation.

    Raises
    ------
    ValueError
        For an unknown name, or z of another number of dimensions.

    Examples
    --------
    >>> import fastnet as fn
    >>> fn.activations.jacobian("softmax", [0.0, 0.0])
    array([[ 0.25, -0.25],
           [-0.25,  0.25]])
    """
    spec = resolve(name)
    x = <object> convert_float(z, "z")
    if x.ndim != 1 and x.ndim != 2:
        raise ValueError(f"z must have shape (n,) or (n_rows, n), got {x.shape}")
    return jacobians(spec, x) if x.ndim == 2 else jacobians(spec, x[None, :])[0]
