"""Random numbers for the operators: one element of a stream after another, without the interpreter.

A draw takes one 64-bit element of stream (seed, stream); what an operator draws depends on the
stream and its position only.
"""

from libc.stdint cimport uint64_t

from fastnet._kernels cimport dispatch
from fastnet.random cimport RandomStream

cdef enum:
    DRAWS_BUFFER = 32       # what the generator makes at once

ctypedef struct Draws:
    uint64_t seed
    uint64_t stream
    uint64_t position               # of the next draw
    Py_ssize_t used                 # of the buffer
    uint64_t buffer[32]


cdef inline void start_draws(Draws *draws, uint64_t seed, uint64_t stream,
                             uint64_t position) noexcept nogil:
    draws.seed = seed
    draws.stream = stream
    draws.position = position
    draws.used = DRAWS_BUFFER


cdef inline uint64_t draw_bits(Draws *draws) noexcept nogil:
    if draws.used == DRAWS_BUFFER:
        dispatch.float64.random_bits(
            draws.seed, draws.stream, draws.position, DRAWS_BUFFER, draws.buffer)
        draws.used = 0
    draws.used += 1
    draws.position += 1
    return draws.buffer[draws.used - 1]


# In [0, 1)
cdef inline double draw_uniform(Draws *draws) noexcept nogil:
    return <double> (draw_bits(draws) >> 11) * (1.0 / 9007199254740992.0)


# Whether something of this probability happens; nothing is drawn where it is certain
cdef inline bint draw_chance(Draws *draws, double probability) noexcept nogil:
    if probability <= 0:
        return False
    return probability >= 1 or draw_uniform(draws) < probability


# 0 .. n - 1 for 1 <= n < 2^32, by multiply and shift; the largest difference between two
# probabilities is 2^-32
cdef inline Py_ssize_t draw_below(Draws *draws, Py_ssize_t n) noexcept nogil:
    return <Py_ssize_t> (((draw_bits(draws) >> 32) * <uint64_t> n) >> 32)


# n numbers at once, from [0, 1) or of the standard normal distribution (which take an even number
# of elements from an even position)
cdef inline void draw_uniforms(Draws *draws, Py_ssize_t n, double *x) noexcept nogil:
    dispatch.float64.uniform(draws.seed, draws.stream, draws.position, n, x)
    draws.position += <uint64_t> n
    draws.used = DRAWS_BUFFER


cdef inline void draw_normals(Draws *draws, Py_ssize_t n, double *x) noexcept nogil:
    draws.position += draws.position & 1
    dispatch.float64.normal(draws.seed, draws.stream, draws.position, n, x)
    draws.position += <uint64_t> (n + (n & 1))
    draws.used = DRAWS_BUFFER


# The draws of a method that takes rng, and where it left the stream
cdef inline void start_from(Draws *draws, RandomStream rng) noexcept:
    start_draws(draws, rng.seed, rng.stream, rng.next_element)


cdef inline void leave(Draws *draws, RandomStream rng) noexcept:
    rng.next_element = draws.position
