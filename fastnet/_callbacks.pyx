"""Dense networks as C functions that other libraries call, in capsules that keep the network.

A function gets the handle of the network (``fn_net`` of ``fastnet.h``) as its user data.  Scratch
is on its stack, so any number of threads may call it; only networks that are too large for that
ask for memory in each call.
"""

from cpython.pycapsule cimport (
    PyCapsule_GetContext, PyCapsule_New, PyCapsule_SetContext, PyCapsule_SetDestructor
)
from cpython.ref cimport Py_DECREF, Py_INCREF
from libc.math cimport NAN
from libc.stdint cimport intptr_t, uintptr_t
from libc.stdlib cimport free, malloc

from fastnet._header cimport NetHandle
from fastnet._kernels.table cimport ALIGNMENT, OK, SLACK_BYTES
from fastnet._workspace cimport aligned
from fastnet.nn.handle cimport aligned_pointer, forward_rows

__all__ = ["capsule", "lowlevel"]

cdef enum:
    STACK_BYTES = 16384
    MAX_RANK = 64               # dimensions of an array of NumPy


cdef bint rows(const NetHandle *net, Py_ssize_t n_rows, const double *x, Py_ssize_t x_step,
               double *y) noexcept nogil:
    """Outputs y (n_rows, n_outputs) of the inputs at x, x + x_step, ...; false without memory."""
    cdef char stack[STACK_BYTES]
    cdef void *memory = NULL
    cdef char *scratch = stack
    cdef float *narrow_x
    cdef float *narrow_y
    cdef Py_ssize_t n_inputs = net.plan.n_inputs, n_outputs = net.plan.n_outputs, _row, i
    cdef Py_ssize_t x_bytes = aligned(n_inputs * sizeof(float))
    cdef Py_ssize_t y_bytes = aligned(n_outputs * sizeof(float))
    cdef Py_ssize_t row_bytes = aligned(net.row_bytes + SLACK_BYTES)
    cdef int status = OK
    if row_bytes + x_bytes + y_bytes + ALIGNMENT > STACK_BYTES:
        memory = malloc(row_bytes + x_bytes + y_bytes + ALIGNMENT)
        if memory == NULL:
            return False
        scratch = <char *> memory
    scratch = <char *> aligned_pointer(scratch)
    narrow_x = <float *> (scratch + row_bytes)
    narrow_y = <float *> (scratch + row_bytes + x_bytes)
    for _row in range(n_rows):
        if net.itemsize == 8:
            status |= forward_rows(net, 1, x, y, scratch)
        else:
            for i in range(n_inputs):
                narrow_x[i] = <float> x[i]
            status |= forward_rows(net, 1, narrow_x, narrow_y, scratch)
            for i in range(n_outputs):
                y[i] = narrow_y[i]
        x += x_step
        y += n_outputs
    free(memory)
    return status == OK


# -- the functions -----------------------------------------------------------------------------

cdef double of_number(double x, void *data) noexcept nogil:
    cdef double y
    return y if rows(<const NetHandle *> data, 1, &x, 0, &y) else NAN


cdef double of_numbers(int n, double *x, void *data) noexcept nogil:
    cdef const NetHandle *net = <const NetHandle *> data
    cdef double y
    return y if n == net.plan.n_inputs and rows(net, 1, x, 0, &y) else NAN


cdef int of_window(double *window, intptr_t n, double *value, void *data) noexcept nogil:
    cdef const NetHandle *net = <const NetHandle *> data
    return n == net.plan.n_inputs and rows(net, 1, window, 0, value)


cdef int of_line(double *line, intptr_t n, double *values, intptr_t n_values,
                 void *data) noexcept nogil:
    cdef const NetHandle *net = <const NetHandle *> data
    return n - n_values + 1 == net.plan.n_inputs and rows(net, n_values, line, 1, values)


cdef int of_position(intptr_t *target, double *source, int n_target, int n_source,
                     void *data) noexcept nogil:
    cdef const NetHandle *net = <const NetHandle *> data
    cdef double x[MAX_RANK]
    cdef int i
    if n_target != net.plan.n_inputs or n_source != net.plan.n_outputs or n_target > MAX_RANK:
        return False
    for i in range(n_target):
        x[i] = <double> target[i]
    return rows(net, 1, x, 0, source)


# By signature: the function, how many inputs it has (None: any) and how many outputs
cdef dict FUNCTIONS = {
    "double (double, void *)": (<uintptr_t> &of_number, 1, 1),
    "double (int, double *, void *)": (<uintptr_t> &of_numbers, None, 1),
    "int (double *, intptr_t, double *, void *)": (<uintptr_t> &of_window, None, 1),
    "int (double *, intptr_t, double *, intptr_t, void *)": (<uintptr_t> &of_line, None, 1),
    "int (intptr_t *, double *, int, int, void *)": (<uintptr_t> &of_position, None, None),
}
# Capsules keep the address of their names, so these are never freed
cdef dict NAMES = {text: text.encode() for text in [
    *FUNCTIONS, *[text.replace("intptr_t", "npy_intp") for text in FUNCTIONS]]}


# -- capsules ----------------------------------------------------------------------------------

cdef void give_network(object capsule) noexcept:
    Py_DECREF(<object> (<NetHandle *> PyCapsule_GetContext(capsule)).owner)


cdef object new_capsule(void *pointer, const char *name, object net):
    """A capsule with the handle of a network as its context."""
    cdef NetHandle *handle = <NetHandle *> <uintptr_t> net.ctypes.address
    made = PyCapsule_New(handle if pointer == NULL else pointer, name, NULL)
    PyCapsule_SetContext(made, handle)
    Py_INCREF(net)
    PyCapsule_SetDestructor(made, give_network)
    return made


def capsule(net):
    """The handle of a `fastnet.Network` as a capsule, which see `fastnet.Network.capsule`."""
    return new_capsule(NULL, "fn_net", net)


def lowlevel(net, signature):
    """A `fastnet.Network` as a C function of this signature, in a capsule named with it.

    ================================================ =============================================
    signature                                        what it computes
    ================================================ =============================================
    double (double, void *)                          the output for one input
    double (int, double \\*, void \\*)               the output for as many inputs as the network
                                                     has; NaN for any other number of them
    int (double \\*, intptr_t, double \\*, void \\*) the output for the numbers in a window
    int (double \\*, intptr_t, double \\*, intptr_t, the output for each window of the line that is
    void \\*)                                        as wide as the network has inputs
    int (intptr_t \\*, double \\*, int, int,         the point of the input array, one output a
    void \\*)                                        dimension, for a point of the output array
    ================================================ =============================================

    Those that return an int return 0, which SciPy reports as an error, where a size is not that of
    the network.
    """
    if not isinstance(signature, str):
        raise TypeError(f"signature must be a string, got {type(signature).__name__}")
    if signature not in NAMES:
        known = ", ".join([repr(text) for text in NAMES])
        raise ValueError(f"signature must be one of {known}, got {signature!r}")
    address, n_inputs, n_outputs = FUNCTIONS[signature.replace("npy_intp", "intptr_t")]
    for what, wanted in (("n_inputs", n_inputs), ("n_outputs", n_outputs)):
        if wanted is not None and getattr(net, what) != wanted:
            raise ValueError(
                f"the network has {what} = {getattr(net, what)}, a function {signature!r} needs "
                f"{wanted}"
            )
    return new_capsule(<void *> <uintptr_t> address, NAMES[signature], net)
