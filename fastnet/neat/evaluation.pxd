"""How the genomes of a generation get their fitness."""

from libc.stdint cimport uint8_t, uint64_t

from fastnet._kernels.table cimport Monitor
from fastnet._threads cimport Team
from fastnet._workspace cimport Memory, Workspace
from fastnet.neat.generation cimport Generation
from fastnet.neat.tasks.base cimport Contest, NativeTask


cdef class Evaluator:
    cdef object function                # what was given: a task or a callable
    cdef NativeTask task                # the same where it needs no interpreter, or None
    cdef object evaluate_one            # task.evaluate
    cdef object evaluate_all            # task.evaluate_all, or None
    cdef object solved                  # task.solved, or None
    cdef bint takes_all                 # a population fitness
    cdef str noun                       # what messages call those that are evaluated
    cdef Workspace workspace
    # Of the evaluation that is under way
    cdef Contest contest
    cdef uint64_t seed
    cdef bint wants_solved
    cdef Memory flags
    cdef uint8_t *is_solved             # (n_genomes,)
    cdef Py_ssize_t state_bytes         # of a worker
    cdef Py_ssize_t worker_bytes
    cdef Monitor monitor

    # Fitness of all genomes; with wants_solved also which of them solve the task
    cdef int run(self, Generation generation, uint64_t seed, bint wants_solved,
                 Team team) except -1
    cdef int run_native(self, Generation generation, Team team) except -1
    cdef int run_each(self, Generation generation) except -1
    cdef int run_all(self, Generation generation) except -1
    cdef int work(self, int worker) noexcept nogil
    cdef int judge(self, int worker) noexcept nogil


# Of what a user may give as fitness, for genomes of this config or networks like this one
cdef Evaluator new_evaluator(object fitness, object config)

# An array-like of n fitness values as a user gave it.  source and noun are for messages, which
# begin with "<source> n numbers" and "the fitness of <noun> i".
cdef int read_fitness(object given, str source, str noun, Py_ssize_t n,
                      double *values) except -1
