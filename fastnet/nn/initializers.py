"""Initial weights of a layer.

The scale of weights decides whether signals and gradients keep their size through the layers: a
normal distribution of standard deviation s and a uniform one on [-s sqrt(3), s sqrt(3)] have the
same variance s^2, and the schemes differ in s^2 as a function of the number of inputs and outputs
of the layer.
"""

import math

import numpy as np

from fastnet._arrays import nearest

__all__ = ["initialize", "names"]

# Activations that pass about half of the variance on.  (selu passes all of it on, by design.)
RELU_FAMILY = frozenset(("relu", "leaky_relu", "elu", "gelu", "silu", "mish", "softplus"))


def _normal(variance):
    def draw(rng, n_in, n_out):
        return rng.normal(0.0, math.sqrt(variance(n_in, n_out)), (n_in, n_out))

    return draw


def _uniform(variance):
    def draw(rng, n_in, n_out):
        limit = math.sqrt(3 * variance(n_in, n_out))
        return rng.uniform(-limit, limit, (n_in, n_out))

    return draw


def _he(n_in, n_out):
    return 2 / n_in


def _glorot(n_in, n_out):
    return 2 / (n_in + n_out)


def _lecun(n_in, n_out):
    return 1 / n_in


INITIALIZERS = {
    "he_normal": _normal(_he),
    "he_uniform": _uniform(_he),
    "glorot_normal": _normal(_glorot),
    "glorot_uniform": _uniform(_glorot),
    "lecun_normal": _normal(_lecun),
    "normal": _normal(lambda n_in, n_out: 1.0),
    "uniform": _uniform(lambda n_in, n_out: 1 / 3),
    "zeros": lambda rng, n_in, n_out: np.zeros((n_in, n_out)),
}


def names():
    """Names of the initializers, for ``init=``.

    Returns
    -------
    tuple of str
    """
    return ("auto", *INITIALIZERS)


def check(spec):
    """Raise what `initialize` would raise for this initializer, without drawing anything."""
    if isinstance(spec, str):
        if spec not in names():
            raise ValueError(nearest(spec, names(), "initializer"))
    elif not callable(spec):
        raise TypeError(
            f"init must be a name or callable(rng, n_in, n_out), got {type(spec).__name__}"
        )


def initialize(spec, activation, n_in, n_out, rng):
    """Initial weights of one layer.

    Parameters
    ----------
    spec : str or callable
        One of

        - "auto": "he_normal" before an activation of the relu family, "glorot_uniform" otherwise;
        - "he_normal", "he_uniform": variance 2 / n_in [1]_;
        - "glorot_normal", "glorot_uniform": variance 2 / (n_in + n_out) [2]_;
        - "lecun_normal": variance 1 / n_in [3]_;
        - "normal": N(0, 1), "uniform": U(-1, 1), whatever the size of the layer;
        - "zeros";
        - ``callable(rng, n_in, n_out) -> array (n_in, n_out)``.
    activation : str or Activation
        Of the layer; "auto" looks at it.
    n_in, n_out : int
        Inputs and outputs of the layer.
    rng : RandomStream
        Has ``uniform(low, high, size)`` and ``normal(mean, standard_deviation, size)``.

    Returns
    -------
    weights : ndarray (n_in, n_out) of float64

    Raises
    ------
    ValueError, TypeError
        For an unknown name, and where a callable returns another shape, something that is not real,
        NaN or infinity.

    References
    ----------
    .. [1] He, Zhang, Ren, Sun: Delving Deep into Rectifiers, ICCV 2015, section 2.2, equation 10.
    .. [2] Glorot, Bengio: Understanding the difficulty of training deep feedforward neural
       networks, AISTATS 2010, section 4.2.1, equations 12 and 16.
    .. [3] LeCun, Bottou, Orr, Mueller: Efficient BackProp, 1998, section 4.6, equation 16.

    Examples
    --------
    >>> import numpy as np
    >>> initialize("zeros", "tanh", 2, 3, np.random.default_rng(0))
    array([[0., 0., 0.],
           [0., 0., 0.]])
    """
    check(spec)
    if callable(spec):
        return _checked(spec(rng, n_in, n_out), n_in, n_out)
    if spec == "auto":
        relu_like = isinstance(activation, str) and activation in RELU_FAMILY
        spec = "he_normal" if relu_like else "glorot_uniform"
    return INITIALIZERS[spec](rng, n_in, n_out)


def _checked(result, n_in, n_out):
    """What the user's function returned, as a float64 array of its own."""
    weights = np.asarray(result)
    if weights.dtype.kind not in "fiub":
        raise TypeError(f"init must return real numbers, got dtype {weights.dtype}")
    if weights.shape != (n_in, n_out):
        raise ValueError(f"init must return shape {(n_in, n_out)}, got {weights.shape}")
    weights = weights.astype(np.float64)
    if not np.isfinite(weights).all():
        row, column = np.argwhere(~np.isfinite(weights))[0]
        raise ValueError(f"init returned {weights[row, column]} at [{row}, {column}]")
    return weights
