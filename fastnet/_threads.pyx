"""Threads that share the tasks of one computation, without the interpreter.

A team lives as long as a ``with`` block, so there are no threads at import, none left over, and
none for a fork to lose.  The threads are Python's own, so that a task may take the interpreter
lock; they wait in locks of the operating system, which costs a few microseconds a run, and nobody
spins.
"""

import threading

from cpython.exc cimport PyErr_Occurred, PyErr_SetObject
from cpython.pythread cimport (
    WAIT_LOCK, PyThread_acquire_lock, PyThread_allocate_lock, PyThread_free_lock,
    PyThread_release_lock
)
from libc.stdlib cimport calloc, free

from fastnet._kernels.dispatch cimport flush_denormals, set_floating_point_mode
from fastnet._kernels.table cimport OK

cdef extern from *:
    """
    #if defined(__GNUC__) || defined(__clang__)
    static inline Py_ssize_t fn_next(Py_ssize_t *counter) {
        return __atomic_fetch_add(counter, 1, __ATOMIC_RELAXED);
    }
    static inline void fn_exhaust(Py_ssize_t *counter) {
        __atomic_store_n(counter, PY_SSIZE_T_MAX / 64, __ATOMIC_RELAXED);
    }
    static inline void fn_set(int *flag, int value) {
        __atomic_store_n(flag, value, __ATOMIC_RELAXED);
    }
    static inline int fn_get(const int *flag) { return __atomic_load_n(flag, __ATOMIC_RELAXED); }
    #else
    #include <intrin.h>
    static inline Py_ssize_t fn_next(Py_ssize_t *counter) {
    #ifdef _WIN64
        return _InterlockedExchangeAdd64((__int64 *)counter, 1);
    #else
        return _InterlockedExchangeAdd((long *)counter, 1);
    #endif
    }
    static inline void fn_exhaust(Py_ssize_t *counter) {
    #ifdef _WIN64
        _InterlockedExchange64((__int64 *)counter, PY_SSIZE_T_MAX / 64);
    #else
        _InterlockedExchange((long *)counter, PY_SSIZE_T_MAX / 64);
    #endif
    }
    static inline void fn_set(int *flag, int value) {
        _InterlockedExchange((volatile long *)flag, value);
    }
    static inline int fn_get(const int *flag) { return *(const volatile int *)flag; }
    #endif
    """
    Py_ssize_t fn_next(Py_ssize_t *counter) noexcept nogil
    void fn_exhaust(Py_ssize_t *counter) noexcept nogil
    void fn_set(int *flag, int value) noexcept nogil
    int fn_get(const int *flag) noexcept nogil


cdef Py_ssize_t take_next(Py_ssize_t *counter) noexcept nogil:
    return fn_next(counter)


cdef void take_no_more(Py_ssize_t *counter) noexcept nogil:
    fn_exhaust(counter)


cdef int pending_exception() except? -1:
    """Raises what is set in this thread's state, if anything is."""
    return -1


cdef class Team:
    """A team of so many threads, the caller's among them.

    Outside of a ``with`` block the caller is alone and does all tasks.
    """

    def __cinit__(self, int n_threads):
        cdef int k
        self.n_threads = n_threads
        self.n_running = 1
        self.start = <void **> calloc(n_threads, sizeof(void *))
        self.ready = <void **> calloc(n_threads, sizeof(void *))
        if self.start == NULL or self.ready == NULL:
            raise MemoryError()
        for k in range(1, n_threads):
            self.start[k] = PyThread_allocate_lock()
            self.ready[k] = PyThread_allocate_lock()
            if self.start[k] == NULL or self.ready[k] == NULL:
                raise MemoryError()
            PyThread_acquire_lock(self.start[k], WAIT_LOCK)
            PyThread_acquire_lock(self.ready[k], WAIT_LOCK)

    def __enter__(self):
        self.threads = []
        self.is_closed = False
        try:
            for k in range(1, self.n_threads):
                thread = threading.Thread(target=self._serve, args=(k,), daemon=True)
                self.threads.append(thread)
                thread.start()
        except BaseException:
            self.__exit__()
            raise
        self.n_running = self.n_threads
        return self

    def __exit__(self, *_):
        cdef int k
        self.is_closed = True
        self.n_running = 1
        for k in range(1, len(self.threads) + 1):
            PyThread_release_lock(self.start[k])
        for thread in self.threads:
            if thread.ident is not None:
                thread.join()
        self.threads = []

    def __dealloc__(self):
        cdef int k
        # a running thread holds the team, so nobody waits in a lock here
        for k in range(1, self.n_threads):
            if self.start != NULL and self.start[k] != NULL:
                PyThread_free_lock(self.start[k])
            if self.ready != NULL and self.ready[k] != NULL:
                PyThread_free_lock(self.ready[k])
        free(self.start)
        free(self.ready)

    def _serve(self, int worker):
        """What a thread does until the team is closed."""
        cdef unsigned int mode = flush_denormals()
        with nogil:
            while True:
                PyThread_acquire_lock(self.start[worker], WAIT_LOCK)
                if self.is_closed:
                    break
                self.work(worker)
                PyThread_release_lock(self.ready[worker])
        set_floating_point_mode(mode)

    cdef void work(self, int worker) noexcept nogil:
        cdef Py_ssize_t task
        cdef int status
        while fn_get(&self.status) == OK:
            task = fn_next(&self.next_task)
            if task >= self.n_tasks:
                return
            status = self.function(self.context, task, worker)
            if status != OK:
                fn_set(&self.status, status)
                if worker != 0:
                    with gil:
                        self.keep_error()

    cdef int run(self, task_function function, void *context, Py_ssize_t n_tasks) noexcept nogil:
        cdef int k, n_workers = <int> min(<Py_ssize_t> self.n_running, n_tasks)
        self.function = function
        self.context = context
        self.n_tasks = n_tasks
        self.next_task = 0
        self.status = OK
        for k in range(1, n_workers):
            PyThread_release_lock(self.start[k])
        self.work(0)
        for k in range(1, n_workers):
            PyThread_acquire_lock(self.ready[k], WAIT_LOCK)
        if self.status != OK:
            with gil:
                self.raise_error()
        return self.status

    cdef void keep_error(self) noexcept:
        try:
            pending_exception()
        except BaseException as error:
            self.error = error

    cdef void raise_error(self) noexcept:
        error = self.error
        self.error = None
        if error is not None and PyErr_Occurred() == NULL:
            # only set, for the caller to find when the computation has unwound
            PyErr_SetObject(type(error), error)
