from libc.stdint cimport uint64_t

from fastnet._kernels.table cimport Episodes
from fastnet.neat.network cimport Network
from fastnet.neat.tasks.base cimport NativeTask


cdef class Poles(NativeTask):
    cdef int kind                       # PoleTask
    cdef Py_ssize_t n_states            # numbers of a state
    cdef Py_ssize_t n_steps             # of an evaluation, at most
    cdef bint is_damped

    # The state (n_states,) that an episode begins with
    cdef void begin(self, uint64_t seed, double *start) noexcept nogil
    # Where `evaluate` begins and how long it goes on; values, networks and the counter are missing
    cdef void describe(self, Episodes *episodes, const double *start) noexcept nogil
    # What simulate() returns
    cdef object path_of(self, Network net, Py_ssize_t n_steps, uint64_t seed)


cdef class DoublePole(Poles):
    cdef readonly bint velocities
    cdef readonly double start_angle
    cdef bint is_built

    cdef void settle(self, bint velocities, double start_angle) noexcept


cdef class CartPole(Poles):
    pass
