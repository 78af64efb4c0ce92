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
