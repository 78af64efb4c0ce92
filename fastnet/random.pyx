"""Random numbers from counter-based streams, keyed by seed, stream and index.

Element *i* of stream *s* of a seed is a fixed function of the three (Philox4x32-10: Salmon, Moraes,
Dror & Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3"), so a result does not depend on the
number of threads, nor on who drew first.
"""

import operator
import os

import numpy as np

cimport numpy as cnp
from libc.math cimport isfinite
from libc.stdint cimport int32_t, uint64_t

from fastnet._kernels cimport dispatch
from fastnet._kernels.table cimport Kernels

cnp.import_array()

__all__ = ["RandomStream"]

cdef double FLOAT32_MAX = np.finfo(np.float32).max

cdef enum:
    GIL_ELEMENTS = 2000         # fewer numbers cost less than handing over the lock


cdef uint64_t mix(uint64_t x) noexcept nogil:
    """The splitmix64 finalizer (Steele, Lea & Flood 2014): a bijection that spreads every bit."""
    x = (x ^ (x >> 30)) * <uint64_t> 0xBF58476D1CE4E5B9U
    x = (x ^ (x >> 27)) * <uint64_t> 0x94D049BB133111EBU
    return x ^ (x >> 31)


cdef uint64_t fold(object value):
    """An int below 2^64 as it is, a larger one hashed limb by limb."""
    cdef uint64_t folded = 0
    if value >> 64 == 0:
        return value
    while value:
        folded = mix(folded + <uint64_t> 0x9E3779B97F4A7C15U
                     + <uint64_t> (value & 0xFFFFFFFFFFFFFFFF))
        value >>= 64
    return folded


cdef uint64_t as_number(object value, str name) except? 0:
    try:
        value = operator.index(value)
    except TypeError:
        raise TypeError(
            f"{name} must be an int of at least 0, got {type(value).__name__}"
        ) from None
    if value < 0:
        raise ValueError(f"{name} must be at least 0, got {value}")
    return fold(value)


cpdef uint64_t as_seed(seed) except? 0:
    """A 64-bit seed from what an argument ``seed`` or ``rng`` may be.

    Parameters
    ----------
    seed : int of at least 0, None, numpy.random.Generator or RandomStream
        None asks the operating system; from the last two a number is drawn.

    Returns
    -------
    int
    """
    if seed is None:
        return int.from_bytes(os.urandom(8), "little")
    if isinstance(seed, RandomStream):
        return (<RandomStream> seed).bits(1)[0]
    if isinstance(seed, np.random.Generator):
        return seed.integers(0, 2**64, dtype=np.uint64)
    return as_number(seed, "seed")


cpdef RandomStream as_stream(rng):
    """The stream that an argument ``rng`` stands for.

    Parameters
    ----------
    rng : RandomStream, int of at least 0, None or numpy.random.Generator
        A stream is returned as it is, and so advances; anything else gives the seed of a new one
        (``as_seed``).

    Returns
    -------
    RandomStream
    """
    if isinstance(rng, RandomStream):
        return <RandomStream> rng
    if rng is None or isinstance(rng, np.random.Generator):
        return RandomStream(as_seed(rng))
    if not hasattr(rng, "__index__"):
        raise TypeError(
            "rng must be an int, a numpy.random.Generator or a fastnet.RandomStream, "
            f"got {type(rng).__name__}"
        )
    return RandomStream(as_number(rng, "rng"))


cdef tuple shape_of(object size):
    # (shape, number of elements)
    cdef object count = 1
    try:
        shape = (operator.index(size),)
    except TypeError:
        try:
            shape = tuple([operator.index(length) for length in size])
        except TypeError:
            raise TypeError(f"size must be an int or a tuple of ints, got {size!r}") from None
    for length in shape:
        if length < 0:
            raise ValueError(f"size must not be negative, got {size}")
        count *= length
    if count > 2**48:
        raise ValueError(f"size is too large: {size} are {count} numbers")
    return shape, count


cdef object real_dtype(object dtype):
    try:
        found = np.dtype(dtype)
    except TypeError:
        found = None
    if found is None or found.kind != "f" or found.itemsize not in (4, 8) or not found.isnative:
        raise ValueError(f"dtype must be float32 or float64, got {dtype!r}")
    return found


# A finite double that dtype can hold
cdef double finite(object value, str name, object dtype) except? -1:
    cdef double number
    try:
        number = value
    except TypeError:
        raise TypeError(f"{name} must be a real number, got {type(value).__name__}") from None
    if not isfinite(number):
        raise ValueError(f"{name} must be finite, got {value}")
    if dtype.itemsize == 4 and abs(number) > FLOAT32_MAX:
        raise ValueError(f"{name} must be finite in float32, got {value}")
    return number


cdef class RandomStream:
    """A stream of random numbers that can be continued, copied, saved and entered anywhere.

    Parameters
    ----------
    seed : int of at least 0, optional
        The same seed gives the same numbers, on every machine (``normal`` up to rounding).  An int
        of more than 64 bits is hashed to 64 (splitmix64, limb by limb).  None: unpredictable, from
        the operating system.
    stream : int of at least 0
        Streams of one seed are independent of each other; there are 2^64.

    Attributes
    ----------
    seed, stream : int
        The 64-bit numbers that key the stream.
    position : int
        Index of the next 64-bit element; may be set.

    Notes
    -----
    Generator: Philox4x32-10, with the seed as key and (element // 2, stream) as counter.

    Examples
    --------
    >>> import fastnet as fn
    >>> rng = fn.RandomStream(seed=1)
    >>> x = rng.normal(size=(2, 3))
    >>> rng.position
    6
    >>> rng.position = 0
    >>> bool((rng.normal(size=(2, 3)) == x).all())
    True
    """

    def __init__(self, seed=None, stream=0):
        self.seed = as_seed(None) if seed is None else as_number(seed, "seed")
        self.stream = as_number(stream, "stream")
        self.next_element = 0

    @property
    def position(self):
        return self.next_element

    @position.setter
    def position(self, value):
        self.next_element = as_number(value, "position")

    # Reserve n elements and return the first.  whole_blocks: start and end between two blocks, so
    # that no other draw sees a part of what makes a pair of normal numbers.
    cdef uint64_t take(self, Py_ssize_t n, bint whole_blocks) except? 0:
        cdef uint64_t first = self.next_element
        if whole_blocks and n:
            first += first & 1
            n += n & 1
        self.next_element = first + <uint64_t> n
        return first

    def bits(self, n):
        """The next n elements.

        Parameters
        ----------
        n : int

        Returns
        -------
        ndarray of uint64, shape (n,)
        """
        cdef Py_ssize_t count
        cdef cnp.ndarray out
        cdef uint64_t first
        shape, count = shape_of(n)
        out = np.empty(shape, np.uint64)
        first = self.take(count, False)
        dispatch.float64.random_bits(
            self.seed, self.stream, first, count, <uint64_t *> cnp.PyArray_DATA(out))
        return out

    cdef object reals(self, bint normal, object size, object dtype):
        """A new array of the standard distribution; shape () for size None."""
        cdef Py_ssize_t count = 1
        cdef cnp.ndarray out
        cdef const Kernels *k
        cdef uint64_t first, seed = self.seed, stream = self.stream
        cdef void *data
        shape = ()
        if size is not None:
            shape, count = shape_of(size)
        out = np.empty(shape, dtype)
        k = dispatch.kernels(cnp.PyArray_ITEMSIZE(out))
        data = cnp.PyArray_DATA(out)
        first = self.take(count, normal)
        if count < GIL_ELEMENTS:
            if normal:
                k.normal(seed, stream, first, count, data)
            else:
                k.uniform(seed, stream, first, count, data)
        else:
            with nogil:
                if normal:
                    k.normal(seed, stream, first, count, data)
                else:
                    k.uniform(seed, stream, first, count, data)
        return out

    def uniform(self, low=0.0, high=1.0, size=None, dtype="float64"):
        """Numbers from the half-open interval [low, high).

        Parameters
        ----------
        low, high : float
            Finite, ``low <= high``; where they are equal, that number.
        size : int or tuple of ints, optional
        dtype : "float64" or "float32"
            53 or 24 random bits a number.

        Returns
        -------
        ndarray of ``size``, or float without one
        """
        cdef double a, b
        dtype = real_dtype(dtype)
        a, b = finite(low, "low", dtype), finite(high, "high", dtype)
        if a > b:
            raise ValueError(f"low must not exceed high, got {low} and {high}")
        finite(b - a, "high - low", dtype)
        out = self.reals(False, size, dtype)
        if a != 0 or b != 1:
            kind = out.dtype.type
            out *= kind(b - a)
            out += kind(a)
            # Rounding may reach the open end
            np.minimum(out, np.nextafter(kind(b), kind(a)), out=out)
        return float(out) if size is None else out

    def normal(self, mean=0.0, std=1.0, size=None, dtype="float64"):
        """Numbers of the normal distribution (Box & Muller 1958).

        A draw begins at an even position and leaves an even one: numbers come in pairs.

        Parameters
        ----------
        mean, std : float
            Finite, ``std >= 0``.
        size : int or tuple of ints, optional
        dtype : "float64" or "float32"
            The largest numbers are 8.6 and 6.8 standard deviations from the mean.

        Returns
        -------
        ndarray of ``size``, or float without one
        """
        cdef double m, s
        dtype = real_dtype(dtype)
        m, s = finite(mean, "mean", dtype), finite(std, "std", dtype)
        if s < 0:
            raise ValueError(f"std must be at least 0, got {std}")
        out = self.reals(True, size, dtype)
        if s != 1:
            out *= out.dtype.type(s)
        if m != 0:
            out += out.dtype.type(m)
        return float(out) if size is None else out

    def integers(self, low, high=None, size=None):
        """Integers from low to high - 1, all equally likely.

        Parameters
        ----------
        low, high : int
            From -2^63 to 2^63, ``low < high``.  ``integers(n)`` is ``integers(0, n)``.
        size : int or tuple of ints, optional

        Returns
        -------
        ndarray of int64 of ``size``, or int without one
        """
        if high is None:
            low, high = 0, low
        try:
            low, high = operator.index(low), operator.index(high)
        except TypeError:
            raise TypeError(f"low and high must be ints, got {low!r} and {high!r}") from None
        if not -(2**63) <= low < high <= 2**63:
            raise ValueError(
                f"low must be below high, both from -2^63 to 2^63, got {low} and {high}")
        shape, count = ((), 1) if size is None else shape_of(size)
        width = high - low
        # The elements from limit on would make the small remainders likelier: they are drawn again
        limit = 2**64 - 2**64 % width
        bits = self.bits(count)
        if limit < 2**64:
            again = np.flatnonzero(bits >= np.uint64(limit))
            while again.size:
                bits[again] = self.bits(again.size)
                again = again[bits[again] >= np.uint64(limit)]
        if width < 2**64:
            bits %= np.uint64(width)
        bits += np.uint64(low % 2**64)
        out = bits.view(np.int64).reshape(shape)
        return int(out) if size is None else out

    def permutation(self, n):
        """The numbers 0 to n - 1 in random order (Fisher & Yates), all orders equally likely.

        One element is drawn: it numbers a stream of the seed, which gives the order.

        Parameters
        ----------
        n : int
            Below 2^31.

        Returns
        -------
        ndarray of int32, shape (n,)
        """
        cdef Py_ssize_t count
        cdef cnp.ndarray out
        cdef uint64_t seed = self.seed, stream
        cdef int32_t *order
        try:
            n = operator.index(n)
        except TypeError:
            raise TypeError(f"n must be an int, got {type(n).__name__}") from None
        if not 0 <= n < 2**31:
            raise ValueError(f"n must be from 0 to 2^31 - 1, got {n}")
        count = n
        out = np.empty(count, np.int32)
        order = <int32_t *> cnp.PyArray_DATA(out)
        stream = self.bits(1)[0]
        with nogil:
            dispatch.float32.permutation(seed, stream, count, order)
        return out

    def spawn(self, stream):
        """Another stream of the same seed, from its start.

        The numbers of streams belong to the seed: ``a.spawn(1).spawn(2)`` equals ``a.spawn(2)``.
        What is spawned does not depend on the position.

        Parameters
        ----------
        stream : int of at least 0

        Returns
        -------
        RandomStream
        """
        return RandomStream(self.seed, stream)

    def __eq__(self, other):
        cdef RandomStream that
        if not isinstance(other, RandomStream):
            return NotImplemented
        that = <RandomStream> other
        return (self.seed == that.seed and self.stream == that.stream
                and self.next_element == that.next_element)

    # The state changes with every draw
    __hash__ = None

    def __repr__(self):
        return f"RandomStream(seed={self.seed}, stream={self.stream}, position={self.position})"

    def __reduce__(self):
        return type(self), (self.seed, self.stream), self.next_element

    def __setstate__(self, state):
        self.position = state
