"""The one gate for C functions from Python."""

cdef class CFunction:
    """A C function that somebody gave us: its address, and what keeps it alive."""

    cdef void *address
    cdef void *user_data                # its last argument
    cdef readonly Py_ssize_t itemsize   # of the numbers it works on: 4 (float) or 8 (double)
    cdef readonly str signature         # as it was given
    cdef readonly str expected          # as it had to be
    cdef object owner

    # ValueError with both signatures where the function works on float and the numbers are double
    cdef int check_itemsize(self, Py_ssize_t itemsize, str what) except -1

# The function behind a PyCapsule, a ctypes function, a numba cfunc or a tuple (address, signature)
# or (address, signature, user_data); None where the object is none of these.  ``expected`` is its
# signature in double; with allow_float all its doubles may be floats.  user_data: in the place of
# what the object itself brings.  ValueError or TypeError, naming the argument.
cpdef CFunction c_function(object given, str name, str expected, bint allow_float=*,
                           object user_data=*)
