"""What all optimizers share: hyperparameters, state, and steps that need no interpreter."""

from libc.stdint cimport int64_t

from fastnet._kernels.table cimport Kernels
from fastnet.optim.schedules cimport Schedule


# Element number first of a vector; NULL stays
cdef inline void *element(const Kernels *table, void *data, Py_ssize_t first) noexcept nogil:
    return <char *> data + first * table.itemsize if data != NULL else NULL


cdef class Optimizer:
    """What all optimizers share.  An optimizer serves one vector: its size and dtype are those of
    the first step.

    A training loop calls ``prepare``, then for each step ``current_rate``, ``begin_step`` and
    ``update`` (a `FullBatchOptimizer` instead: ``iterate``).  While it has released the interpreter
    lock it counts itself in ``in_use``, so that nobody frees or moves the state under it; after
    Python code of the user has run, which may have reset it, it prepares it again.
    """

    cdef object rate                    # callable(step_index), or None where the rate is constant
    cdef Schedule schedule              # the rate, where that needs no interpreter
    cdef double constant
    cdef readonly int64_t step_count
    cdef readonly bint is_full_batch    # wants the gradient over all rows
    cdef Py_ssize_t size                # of the vector; -1 where it is still free
    cdef Py_ssize_t itemsize
    cdef dict arrays                    # name: state array (size,), aligned to ALIGNMENT
    cdef int in_use                     # training loops that run without the interpreter lock

    # The learning rate of the coming step.  Takes the interpreter lock only where needs_python();
    # ValueError where there is no finite number >= 0.
    cdef double current_rate(self) except? -1 nogil
    cdef bint is_constant(self) noexcept nogil
    cdef bint needs_python(self) noexcept nogil
    # Allocates the state, or checks that it is of this size and itemsize
    cdef int prepare(self, Py_ssize_t n, Py_ssize_t itemsize) except -1
    # One step: begin_step() counts it and may overwrite the gradient; update() then moves
    # parameters first .. first + n in place, which depends on nothing but these elements, so that
    # threads may share them.
    cdef void begin_step(self, const Kernels *table, Py_ssize_t n, void *gradient) noexcept nogil
    cdef void update(self, const Kernels *table, Py_ssize_t first, Py_ssize_t n, void *parameters,
                     void *gradient, double learning_rate) noexcept nogil

    # For subclasses: the arguments, their defaults, the names of the state arrays, and what to do
    # when those moved
    cdef int check_free(self) except -1
    cdef int forget(self) except -1
    cdef int check_schedule(self, object value) except -1
    cdef double called_rate(self) except? -1
    cdef void *state_data(self, str name) except? NULL
    cdef dict arguments(self)
    cdef dict defaults(self)
    cdef tuple state_names(self)
    cdef int bind(self) except -1
    cdef bint overwrites_gradient(self)


# An optimizer, or a new one of that lower-case name
cpdef Optimizer resolve(object spec)
