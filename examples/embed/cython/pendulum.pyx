# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""A pendulum with a weak motor, which a network controls: a simulator without the interpreter."""

import numpy as np

from cython.parallel cimport parallel, prange
from libc.math cimport M_PI, NAN, cos, floor, sin

from fastnet.capi cimport (
    FN_OK, fn_forward_f64, fn_net, fn_net_from_object, fn_net_n_inputs, fn_net_n_outputs,
    fn_net_release, fn_workspace, fn_workspace_free, fn_workspace_new, fn_workspace_size
)

cdef double STEP = 0.05         # s
cdef double MOTOR = 3           # N m, too little to lift 1 kg on a rod of 1 m at once
cdef double GRAVITY = 10        # m / s^2
cdef double MAX_SPEED = 8       # radians / s


cdef double simulated(const fn_net *net, fn_workspace *work, double angle, double speed,
                      Py_ssize_t n_steps) noexcept nogil:
    """Mean cost of a step: how far from upright, how fast, how much torque.  NaN: no such net."""
    cdef double[3] seen
    cdef double share, cost = 0
    cdef Py_ssize_t _step
    for _step in range(n_steps):
        seen[0] = cos(angle)
        seen[1] = sin(angle)
        seen[2] = speed / MAX_SPEED
        if fn_forward_f64(net, work, 1, seen, &share) != FN_OK:
            return NAN
        cost += angle * angle + 0.1 * speed * speed + 0.004 * share * share
        speed += STEP * (1.5 * GRAVITY * seen[1] + 3 * MOTOR * share)
        speed = min(max(speed, -MAX_SPEED), MAX_SPEED)
        angle += STEP * speed
        angle -= 2 * M_PI * floor(angle / (2 * M_PI) + 0.5)
    return cost / n_steps


def costs(net, const double[:, ::1] starts, Py_ssize_t n_steps=200, int n_threads=1):
    """Of the starts (angle in radians, 0 is upright; speed), one after another or in threads.

    The network has 3 inputs (cosine, sine, speed / 8) and 1 output: its share of the torque.
    """
    cdef fn_net *handle = fn_net_from_object(<void *> net)
    cdef fn_workspace *work = NULL
    cdef Py_ssize_t i, n = starts.shape[0]
    cdef double[::1] result = np.full(n, np.nan)
    try:
        if fn_net_n_inputs(handle) != 3 or fn_net_n_outputs(handle) != 1 or starts.shape[1] != 2:
            raise ValueError("a network with 3 inputs and 1 output, and starts (n, 2), are needed")
        with nogil, parallel(num_threads=n_threads):
            work = fn_workspace_new(fn_workspace_size(handle, 1, 0))    # one for each thread
            for i in prange(n):
                result[i] = simulated(handle, work, starts[i, 0], starts[i, 1], n_steps)
            fn_workspace_free(work)
    finally:
        fn_net_release(handle)
    return np.asarray(result)
