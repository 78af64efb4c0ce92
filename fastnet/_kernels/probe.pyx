"""Every kernel of every table, callable from Python: for the tests and the benchmarks only.

Arrays are copied into buffers with the alignment and slack that kernels expect, at an offset of
``misalign`` elements from an aligned address, so that a test reaches exactly what the table holds.
"""

import importlib

import numpy as np

cimport numpy as cnp
from cpython.pycapsule cimport PyCapsule_GetPointer
from libc.stdint cimport int32_t, uint64_t

from fastnet._kernels.table cimport *

cnp.import_array()

ACTIVATIONS = {
    "identity": IDENTITY, "relu": RELU, "leaky_relu": LEAKY_RELU, "elu": ELU, "sigmoid": SIGMOID,
    "steep_sigmoid": STEEP_SIGMOID, "tanh": TANH, "softplus": SOFTPLUS, "gelu": GELU, "sin": SIN,
    "gaussian": GAUSSIAN, "softmax": SOFTMAX,
}
LOSSES = {
    "squared_error": SQUARED_ERROR, "half_squared_error": HALF_SQUARED_ERROR,
    "cross_entropy": CROSS_ENTROPY,
}
cdef enum:
    GUARD = 32          # sentinel elements behind each output

# A value that no kernel computes by accident
SENTINEL = 12345.678


cdef void *address(array):
    return cnp.PyArray_DATA(<cnp.ndarray> array)


cdef class Table:
    """The kernels of one instruction set and precision."""

    cdef const Kernels *k
    cdef readonly str isa
    cdef readonly object dtype
    cdef readonly Py_ssize_t misalign

    def __init__(self, isa, dtype, misalign=0):
        module = importlib.import_module(f"fastnet._kernels.{isa}_{dtype}")
        self.k = <const Kernels *> PyCapsule_GetPointer(module.table, "fastnet._kernels.Kernels")
        self.isa = self.k.isa.decode()
        self.dtype = np.dtype(self.k.dtype.decode())
        self.misalign = misalign

    @property
    def vector_length(self):
        return self.k.vector_length

    def buffer(self, n, dtype=None):
        """A zeroed 1-D array of n elements with alignment, ``misalign`` and slack."""
        dtype = self.dtype if dtype is None else np.dtype(dtype)
        raw = np.zeros(n * dtype.itemsize + ALIGNMENT + 2 * SLACK_BYTES, np.uint8)
        first = -raw.ctypes.data % ALIGNMENT + self.misalign * dtype.itemsize
        return raw[first:first + n * dtype.itemsize].view(dtype)

    def copy(self, array, dtype=None):
        """The array in such a buffer, C order."""
        array = np.asarray(array)
        out = self.buffer(array.size, dtype).reshape(array.shape)
        out[...] = array
        return out

    def activate(self, activation, z):
        z = self.copy(z)
        a = np.full(z.size + GUARD, SENTINEL, self.dtype)
        self.k.activate(ACTIVATIONS[activation], z.size, address(z), address(a))
        assert (a[z.size:] == self.dtype.type(SENTINEL)).all(), "activate wrote past the end"
        return a[:z.size].reshape(z.shape)

    def multiply_derivative(self, activation, z, a, d):
        z, a, d = self.copy(z), self.copy(a), np.array(d, self.dtype)
        self.k.multiply_derivative(
            ACTIVATIONS[activation], z.size, address(z), address(a), address(d))
        return d

    def softmax(self, z):
        z = self.copy(z)
        a = np.full(z.size + GUARD, SENTINEL, self.dtype)
        self.k.softmax(z.shape[0], z.shape[1], address(z), address(a))
        assert (a[z.size:] == self.dtype.type(SENTINEL)).all(), "softmax wrote past the end"
        return a[:z.size].reshape(z.shape)

    def softmax_backward(self, a, d):
        a, d = self.copy(a), self.copy(d)
        self.k.softmax_backward(a.shape[0], a.shape[1], address(a), address(d))
        return np.array(d)

    def exp(self, x):
        x = self.copy(x)
        y = self.buffer(x.size)
        self.k.exp(x.size, address(x), address(y))
        return np.array(y).reshape(x.shape)

    def log(self, x):
        x = self.copy(x)
        y = self.buffer(x.size)
        self.k.log(x.size, address(x), address(y))
        return np.array(y).reshape(x.shape)

    def guarded(self, array, dtype=None):
        """The array flat in such a buffer, with GUARD sentinels behind it."""
        array = np.asarray(array)
        out = self.buffer(array.size + GUARD, dtype)
        out[:array.size] = array.ravel()
        out[array.size:] = SENTINEL
        return out

    def checked(self, buffer, shape):
        """What a kernel left in a guarded buffer, after a look at the guard."""
        n = buffer.size - GUARD
        assert (buffer[n:] == buffer.dtype.type(SENTINEL)).all(), "written past the end"
        return np.array(buffer[:n]).reshape(shape)

    def gather(self, source, order):
        source, order = self.copy(source), np.ascontiguousarray(order, np.int32)
        shape = (order.size, source.shape[1])
        out = self.guarded(np.zeros(shape))
        self.k.gather(
            shape[0], shape[1], address(source), <const int32_t *> address(order), address(out))
        return self.checked(out, shape)

    def column_sums(self, x, sums=None):
        """With ``sums`` they are added to."""
        x = self.copy(x)
        out = self.guarded(np.full(x.shape[1], np.nan) if sums is None else sums)
        self.k.column_sums(x.shape[0], x.shape[1], address(x), sums is not None, address(out))
        return self.checked(out, x.shape[1])

    def sum(self, x):
        x = self.copy(x)
        return self.k.sum(x.size, address(x))

    def dot(self, x, y):
        x, y = self.copy(x), self.copy(y)
        return self.k.dot(x.size, address(x), address(y))

    def first_nonfinite(self, x):
        x = self.copy(x)
        return self.k.first_nonfinite(x.size, address(x))

    def scale(self, factor, x):
        out = self.guarded(x)
        self.k.scale(np.size(x), factor, address(out))
        return self.checked(out, np.shape(x))

    def sgd(self, parameters, gradient, learning_rate, weight_decay=0.0):
        p, g = self.guarded(parameters), self.copy(gradient)
        self.k.sgd(g.size, address(p), address(g), learning_rate, weight_decay)
        return self.checked(p, g.shape)

    def momentum(self, parameters, gradient, velocity, learning_rate, momentum, nesterov=False,
                 weight_decay=0.0):
        """(parameters, velocity) after the step."""
        p, g, v = self.guarded(parameters), self.copy(gradient), self.guarded(velocity)
        self.k.momentum(g.size, address(p), address(g), address(v), learning_rate, momentum,
                        nesterov, weight_decay)
        return self.checked(p, g.shape), self.checked(v, g.shape)

    def adam(self, parameters, gradient, m, v, step, learning_rate, beta1, beta2, epsilon):
        """(parameters, m, v) after the step."""
        p, g = self.guarded(parameters), self.copy(gradient)
        m, v = self.guarded(m), self.guarded(v)
        self.k.adam(g.size, address(p), address(g), address(m), address(v), step, learning_rate,
                    beta1, beta2, epsilon)
        return self.checked(p, g.shape), self.checked(m, g.shape), self.checked(v, g.shape)
