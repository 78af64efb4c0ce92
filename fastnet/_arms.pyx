"""What `fastnet.kinematics` needs of C: checks of its arguments, and the descent of many arms."""

import numpy as np

cimport numpy as cnp
from cpython.exc cimport PyErr_CheckSignals
from libc.math cimport INFINITY
from libc.string cimport memset

from fastnet._arrays cimport convert
from fastnet._kernels.dispatch cimport float64
from fastnet._kernels.table cimport Arms
from fastnet._workspace cimport Workspace, acquire, release
from fastnet.optim.arguments cimport number

cnp.import_array()

cdef double PIECE = 4e6             # sines between two looks for Ctrl-C: some tens of milliseconds

cdef Workspace scratch = Workspace()


def finite_array(object value, str name, bint may_be_infinite=False):
    """The numbers as an array of float64, contiguous; not copied where they are one.

    Raises
    ------
    TypeError, ValueError
        Naming the argument, and the position of what is not finite.
    """
    cdef cnp.ndarray array = convert(value, name, cnp.NPY_FLOAT64)
    cdef Py_ssize_t flat
    flat = float64.first_nonfinite(cnp.PyArray_SIZE(array), cnp.PyArray_DATA(array))
    if flat < 0 or may_be_infinite and not np.isnan(array).any():
        return array
    if may_be_infinite:
        flat = np.isnan(array).argmax()
    place = ", ".join(str(i) for i in np.unravel_index(flat, (<object> array).shape))
    raise ValueError(
        f"{name}{f'[{place}]' if place else ''} must be "
        f"{'a number' if may_be_infinite else 'finite'}, got {(<object> array).flat[flat]}")


def step_number(object value):
    """learning_rate as a float."""
    return number(value, "learning_rate", 0, INFINITY, "(0, inf)")


def tolerance_number(object value):
    """tolerance as a float; -1 for None."""
    return -1.0 if value is None else number(value, "tolerance", 0, INFINITY, "[0, inf)")


cdef double *data(object array, Py_ssize_t size) except NULL:
    if (not cnp.PyArray_CheckExact(array)
            or cnp.PyArray_TYPE(<cnp.ndarray> array) != cnp.NPY_FLOAT64
            or not cnp.PyArray_ISCARRAY_RO(<cnp.ndarray> array)
            or cnp.PyArray_SIZE(<cnp.ndarray> array) != size):
        raise ValueError(f"a contiguous array of {size} float64 is needed")
    return <double *> cnp.PyArray_DATA(<cnp.ndarray> array)


def descend(lengths, angles, bases, targets, Py_ssize_t n_epochs, double learning_rate,
            double tolerance, limits, pose, errors, epochs, path, Py_ssize_t first,
            Py_ssize_t last):
    """Arms ``first`` to ``last`` of all take their epochs, without the interpreter.

    Parameters
    ----------
    lengths : (n,)
    angles : (n_arms, n)
        Changed.
    bases : (1,) or (n_arms,)
    targets : (1,), (n_arms,), (1, 2) or (n_arms, 2)
    n_epochs : int
    learning_rate, tolerance : float
        See `Arms` in table.pxd.
    limits : (2, n) or None
    pose, errors, epochs : (n_arms, n), (n_arms,), (n_arms,)
        Filled; epochs must be 0.
    path : (n_epochs + 1, n_arms, n) or None
        Filled, but for the first row.
    first, last : int
    """
    cdef Arms all, arms
    cdef Py_ssize_t n = len(lengths), n_arms = len(angles), n_numbers = n_arms * n
    cdef Py_ssize_t i = first, done, n_at_once, n_piece_epochs
    cdef Workspace workspace
    cdef double *memory
    if not 0 <= first <= last <= n_arms or n < 1 or n_epochs < 0:
        raise ValueError(f"arms {first} to {last} of {n_arms}, {n_epochs} epochs")
    memset(&all, 0, sizeof(Arms))
    all.n_links = n
    all.lengths = data(lengths, n)
    all.angles = data(angles, n_numbers)
    all.are_points = targets.ndim == 2
    all.base_stride = len(bases) != 1
    all.target_stride = (len(targets) != 1) * (1 + all.are_points)
    all.bases = data(bases, n_arms if all.base_stride else 1)
    all.targets = data(targets, (n_arms if all.target_stride else 1) * (1 + all.are_points))
    all.learning_rate = learning_rate
    all.tolerance = tolerance
    if limits is not None:
        all.lower = data(limits, 2 * n)
        all.upper = all.lower + n
    all.pose = data(pose, n_numbers)
    all.errors = data(errors, n_arms)
    all.epochs = data(epochs, n_arms)
    if path is not None:
        all.path = data(path, (n_epochs + 1) * n_numbers)
        all.path_stride = n_numbers
    # So many arms at once, and epochs where even those of one vector of arms take long
    n_at_once = float64.vector_length
    n_at_once *= max(1, <Py_ssize_t> (PIECE / n / (n_epochs + 1.0) / n_at_once))
    n_piece_epochs = <Py_ssize_t> (1 + PIECE / n / n_at_once)
    workspace = acquire(scratch, 3 * n * float64.vector_length * sizeof(double))
    memory = <double *> workspace.data
    try:
        while i < last:
            arms = all
            arms.n_arms = min(n_at_once, last - i)
            arms.angles += i * n
            arms.bases += i * all.base_stride
            arms.targets += i * all.target_stride
            arms.pose += i * n
            arms.errors += i
            arms.epochs += i
            done = 0
            while True:
                arms.n_epochs = min(n_piece_epochs, n_epochs - done)
                if path is not None:
                    arms.path = all.path + done * n_numbers + i * n
                with nogil:
                    float64.arms_descend(&arms, memory)
                PyErr_CheckSignals()
                done += arms.n_epochs
                if done >= n_epochs:
                    break
            i += n_at_once
    finally:
        release(workspace)
