"""Threads that share the tasks of one computation, without the interpreter."""

# Task number `task`, done by thread number `worker`; OK or STOPPED.  After STOPPED the exception,
# if any, waits in the state of the thread that did the task.
ctypedef int (*task_function)(void *context, Py_ssize_t task, int worker) noexcept nogil


cdef class Team:
    cdef readonly int n_threads
    cdef list threads                   # all but the caller's
    cdef int n_running                  # with the caller's
    cdef void **start                   # a lock a thread: released when there is work, or to end
    cdef void **ready                   # a lock a thread: released when its work is done
    cdef bint is_closed
    cdef task_function function
    cdef void *context
    cdef Py_ssize_t n_tasks
    cdef Py_ssize_t next_task
    cdef int status
    cdef object error                   # what a task of another thread raised

    # Does tasks 0 .. n_tasks - 1 in any order, on all threads.  After STOPPED the exception waits
    # in the state of the calling thread, whichever thread it came from.  One caller at a time.
    cdef int run(self, task_function function, void *context, Py_ssize_t n_tasks) noexcept nogil
    cdef void work(self, int worker) noexcept nogil
    cdef void keep_error(self) noexcept
    cdef void raise_error(self) noexcept


# The number that a counter has, which then is one more; for many threads at once
cdef Py_ssize_t take_next(Py_ssize_t *counter) noexcept nogil
# From then on it has none that anybody wants
cdef void take_no_more(Py_ssize_t *counter) noexcept nogil
