"""The descent of many planar arms, without the interpreter: for `fastnet.kinematics`."""

from cpython.buffer cimport (
    PyBUF_C_CONTIGUOUS, PyBUF_FORMAT, PyBUF_WRITABLE, PyBuffer_Release, PyObject_GetBuffer
)
from cpython.exc cimport PyErr_CheckSignals
from libc.math cimport fabs
from libc.string cimport memset, strcmp

from fastnet._kernels.dispatch cimport allocate, float64, release
from fastnet._kernels.table cimport Arms

cdef enum:
    N_ARRAYS = 9

cdef double PIECE = 4e6             # sines between two looks for Ctrl-C: some tens of milliseconds


# The memory of a contiguous array of so many float64; NULL for None.  A product of sizes does not
# overflow as a double.
cdef double *memory_of(object array, double size, bint is_written,
                       Py_buffer *buffer) except? NULL:
    if array is None:
        return NULL
    PyObject_GetBuffer(
        array, buffer,
        PyBUF_C_CONTIGUOUS | PyBUF_FORMAT | (PyBUF_WRITABLE if is_written else 0))
    if strcmp(buffer.format, "d") != 0 or <double> buffer.len != 8 * size:
        raise ValueError("an array does not have the type or the size that it should")
    return <double *> buffer.buf


cdef bint are_at_rest(const Arms *arms) noexcept:
    cdef Py_ssize_t i
    for i in range(arms.n_arms):
        if not fabs(arms.errors[i]) <= arms.tolerance:
            return False
    return True


cdef int take_steps(const Arms *all, double *memory, Py_ssize_t i, Py_ssize_t last) except -1:
    cdef Arms arms
    cdef Py_ssize_t n = all.n_links, done, n_at_once = float64.vector_length, n_piece_epochs
    # So many arms at once, and epochs where even those of one vector of arms take long
    n_at_once *= max(1, <Py_ssize_t> (PIECE / n / (all.n_epochs + 1.0) / n_at_once))
    n_piece_epochs = <Py_ssize_t> (1 + PIECE / n / n_at_once)
    while i < last:
        arms = all[0]
        arms.n_arms = min(n_at_once, last - i)
        arms.angles += i * n
        arms.bases += i * all.base_stride
        arms.targets += i * all.target_stride
        arms.pose += i * n
        arms.errors += i
        arms.epochs += i
        done = 0
        while True:
            arms.n_epochs = min(n_piece_epochs, all.n_epochs - done)
            if all.path != NULL:
                arms.path = all.path + done * all.path_stride + i * n
            with nogil:
                float64.arms_descend(&arms, memory)
            PyErr_CheckSignals()
            done += arms.n_epochs
            if done >= all.n_epochs or (arms.path == NULL and are_at_rest(&arms)):
                break
        i += n_at_once
    return 0


def descend(tuple arrays not None, Py_ssize_t n_arms, Py_ssize_t n_links, bint are_many_bases,
            bint are_many_targets, bint are_points, Py_ssize_t n_epochs, double learning_rate,
            double tolerance, Py_ssize_t first, Py_ssize_t last):
    """Arms ``first`` to ``last`` of all take their epochs; see `Arms` in table.pxd.

    Parameters
    ----------
    arrays : tuple of ndarray
        C-contiguous float64: lengths (n_links,); bases (1,) or (n_arms,); targets (1,) or
        (n_arms,), for points (1, 2) or (n_arms, 2); limits (2, n_links) or None; then what is
        filled: angles (n_arms, n_links), pose (n_arms, n_links), errors (n_arms,), epochs
        (n_arms,), which must be 0, path (n_epochs + 1, n_arms, n_links) or None, but for its
        first row.  Without an epoch angles stay as they are, and may be read-only.
    """
    cdef Py_buffer[N_ARRAYS] buffers
    cdef Arms all
    cdef double n_numbers = <double> n_arms * n_links
    cdef int width = 1 + are_points, k
    cdef void *scratch = NULL
    if (len(arrays) != N_ARRAYS or n_links < 1 or n_epochs < 0
            or not 0 <= first <= last <= n_arms):
        raise ValueError(f"arms {first} to {last} of {n_arms}, {n_epochs} epochs")
    memset(&all, 0, sizeof(Arms))
    # those that are not taken may be given back
    memset(buffers, 0, sizeof(buffers))
    try:
        all.lengths = memory_of(arrays[0], n_links, False, buffers)
        all.bases = memory_of(arrays[1], n_arms if are_many_bases else 1, False, buffers + 1)
        all.targets = memory_of(arrays[2], <double> width * (n_arms if are_many_targets else 1),
                                False, buffers + 2)
        all.lower = memory_of(arrays[3], 2.0 * n_links, False, buffers + 3)
        all.angles = memory_of(arrays[4], n_numbers, n_epochs > 0, buffers + 4)
        all.pose = memory_of(arrays[5], n_numbers, True, buffers + 5)
        all.errors = memory_of(arrays[6], n_arms, True, buffers + 6)
        all.epochs = memory_of(arrays[7], n_arms, True, buffers + 7)
        all.path = memory_of(arrays[8], (n_epochs + 1.0) * n_numbers, True, buffers + 8)
        all.n_links = n_links
        all.n_epochs = n_epochs
        all.base_stride = are_many_bases
        all.target_stride = width if are_many_targets else 0
        all.are_points = are_points
        all.learning_rate = learning_rate
        all.tolerance = tolerance
        if all.lower != NULL:
            all.upper = all.lower + n_links
        all.path_stride = n_arms * n_links
        scratch = allocate(3 * n_links * float64.vector_length * <Py_ssize_t> sizeof(double))
        if scratch == NULL:
            raise MemoryError()
        take_steps(&all, <double *> scratch, first, last)
    finally:
        release(scratch)
        for k in range(N_ARRAYS):
            PyBuffer_Release(buffers + k)
