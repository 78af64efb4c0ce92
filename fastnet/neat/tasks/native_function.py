"""A function in C, Cython or numba as a task of evolution."""

import math
import numbers

from fastnet._cfunctions import c_function
from fastnet._checks import checked_int
from fastnet._prototypes import Local
from fastnet._signatures import data_of
from fastnet.neat.config import Config
from fastnet.neat.tasks._native_function import FunctionTask

__all__ = ["NativeFunction", "native"]

SIGNATURE = "double (fn_graph *graph, uint64_t seed, void *)"


class NativeFunction(Local, FunctionTask):
    """A task whose fitness is a function in C; made by `native`.

    Attributes
    ----------
    n_inputs, n_outputs : int or None
        Of the networks that can be evaluated; None for any.
    target : float or None
        The task is solved by a network of at least this fitness.
    """

    @property
    def n_inputs(self):
        return super().n_inputs or None

    @property
    def n_outputs(self):
        return super().n_outputs or None

    def config(self, **overrides):
        """The paper's settings for networks of this task; see `fastnet.neat.Config.paper`.

        Parameters
        ----------
        **overrides
            Any field of `fastnet.neat.Config`; n_inputs and n_outputs have to be among them where
            the task takes networks of any size.
        """
        for name in ("n_inputs", "n_outputs"):
            size = getattr(self, name)
            if size is not None and overrides.setdefault(name, size) != size:
                raise ValueError(
                    f"{name} must be {size}, as the task has it, got {overrides[name]!r}")
            if name not in overrides:
                raise TypeError(
                    f"config() needs {name}=: this task takes networks of any size")
        return Config.paper(**overrides)

    def __eq__(self, other):
        if not isinstance(other, NativeFunction):
            return NotImplemented
        return self._identity() == other._identity()

    def __hash__(self):
        return hash(self._identity())

    def _identity(self):
        return self.function, self.n_inputs, self.n_outputs, self.target

    def __repr__(self):
        words = [repr(self.function)]
        for name in ("n_inputs", "n_outputs", "target"):
            value = getattr(self, name)
            if value is not None:
                words.append(f"{name}={value!r}")
        return f"native({', '.join(words)})"


def native(address_or_capsule, user_data=None, *, n_inputs=None, n_outputs=None, target=None):
    """A task whose fitness is a function in C, Cython or numba, called without the interpreter.

    The function is ``double fitness(fn_graph *graph, uint64_t seed, void *user_data)``; what it
    does with the graph are calls of the functions of ``fastnet.h`` (`fastnet.get_include`), above
    all ``fn_activate(graph, x, y)``.  The graph is reset before.

    Parameters
    ----------
    address_or_capsule : PyCapsule, ctypes function, numba cfunc, tuple or int
        A capsule is named with the signature, its context is the user data.  A tuple is
        (address, signature) or (address, signature, user_data).  ``void *`` may stand for
        ``fn_graph *``.  A mere address is believed to be of such a function.
    user_data : int, ndarray or ctypes object, optional
        What the function gets as its last argument: an address, or where the data of the object
        are, which is kept alive.  It is shared by all threads.
    n_inputs, n_outputs : int, optional
        Of the networks that the function can evaluate.  None takes any; the function then asks
        fn_graph_n_inputs and fn_graph_n_outputs.
    target : float, optional
        The task is solved by a network of at least this fitness.

    Returns
    -------
    NativeFunction

    Raises
    ------
    ValueError
        The signature is another one or missing, or the address is NULL.
    TypeError
        An argument has another type.

    Notes
    -----
    The function runs on several threads at once where a population does, and then must not write
    to what they share.  A fitness of NaN or infinity is a ValueError that names the genome; the
    worst is -infinity.  An exception in a function of ctypes is only printed, and the fitness is 0.

    Examples
    --------
    In Python, for a first try; `numba.cfunc` in the place of ``CFUNCTYPE`` makes it fast:

    >>> import ctypes
    >>> import numpy as np
    >>> from fastnet import neat
    >>> from fastnet.capi import fn_activate
    >>> @ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_void_p, ctypes.c_uint64, ctypes.c_void_p)
    ... def fitness(graph, seed, data):
    ...     x, y = np.ones(3), np.empty(1)
    ...     fn_activate(graph, x.ctypes, y.ctypes)
    ...     return -abs(y[0] - 0.25)
    >>> task = neat.tasks.native(fitness, n_inputs=3, n_outputs=1, target=-1e-3)
    >>> result = neat.Population(task.config(), seed=0).run(task, generations=50)
    >>> result.solved
    True
    """
    data_of(user_data, "user_data")         # the message names the argument
    given = address_or_capsule
    if isinstance(given, numbers.Integral) and not isinstance(given, bool):
        given = (given, SIGNATURE)
    function = c_function(given, "address_or_capsule", SIGNATURE, False, user_data)
    if function is None:
        raise TypeError(
            "address_or_capsule must be a PyCapsule, a ctypes function, a numba cfunc, a tuple "
            f"(address, signature) or an address, got {type(given).__name__}")
    return NativeFunction(
        function, checked_size(n_inputs, "n_inputs"), checked_size(n_outputs, "n_outputs"),
        checked_target(target))


def checked_size(size, name):
    return 0 if size is None else checked_int(size, name)


def checked_target(target):
    if target is None:
        return None
    if isinstance(target, bool) or not isinstance(target, numbers.Real):
        raise TypeError(f"target must be a number or None, got {target!r}")
    try:
        target = float(target)
    except OverflowError:
        raise ValueError("target is too large for a float") from None
    if math.isnan(target):
        raise ValueError("target must be a number or None, got NaN")
    return target
