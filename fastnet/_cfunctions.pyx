"""The one gate for C functions from Python: recognise them, check their signature, keep them alive.

A C function comes as a PyCapsule (named with its signature, its context is the user data), as a
ctypes function with argtypes and restype, as a numba cfunc, or as a tuple (address, signature) or
(address, signature, user_data).  A signature is a C prototype; names, const and white space do not
matter, and integers are what their size and sign say.  It has to agree exactly, because a function
called with other arguments than it expects destroys memory; only a pointer to a struct may be a
``void *``, as languages have it that do not know the struct.
"""

from fastnet._signatures import data_of, matched, parse, parts_of, squeezed

from cpython.pycapsule cimport (
    PyCapsule_CheckExact, PyCapsule_GetContext, PyCapsule_GetName, PyCapsule_GetPointer
)
from libc.stdint cimport uintptr_t

__all__ = ["CFunction", "c_function"]


cdef class CFunction:
    def __init__(self):
        raise TypeError("a CFunction is made by c_function()")

    def __repr__(self):
        return f"<C function {self.signature!r}>"

    def __eq__(self, other):
        if not isinstance(other, CFunction):
            return NotImplemented
        cdef CFunction that = <CFunction> other
        return (
            self.address == that.address
            and self.user_data == that.user_data
            and self.itemsize == that.itemsize
            and self.expected == that.expected
        )

    def __hash__(self):
        return hash((<uintptr_t> self.address, <uintptr_t> self.user_data, self.expected))

    def __reduce__(self):
        raise TypeError(
            "a C function cannot be pickled: its address means something in this process only"
        )

    def __copy__(self):
        return self

    def __deepcopy__(self, memo):
        return self

    cdef int check_itemsize(self, Py_ssize_t itemsize, str what) except -1:
        if self.itemsize == 4 and itemsize == 8:
            raise ValueError(
                f"{what} must have the signature {self.expected!r} on float64, got "
                f"{self.signature!r}, which works on float32 only"
            )
        return 0


cdef tuple parts_of_capsule(object given, str name, str expected, bint allow_float,
                            object user_data):
    """The same as `parts_of` gives."""
    cdef const char *text = PyCapsule_GetName(given)
    if text == NULL:
        raise ValueError(
            f"{name} is a PyCapsule without a name: it must be named with the signature "
            f"{expected!r}"
        )
    signature = text.decode("utf-8", "replace")
    itemsize = matched(parse(signature), signature, name, expected, allow_float)
    if user_data is None:
        user_data = <uintptr_t> PyCapsule_GetContext(given)
    return <uintptr_t> PyCapsule_GetPointer(given, text), itemsize, signature, user_data, given


cpdef CFunction c_function(object given, str name, str expected, bint allow_float=True,
                           object user_data=None):
    """The C function behind an object, or None where it is no C function.

    Parameters
    ----------
    given : object
        A PyCapsule, a ctypes function, a numba cfunc, (address, signature) or
        (address, signature, user_data).  In a tuple a ctypes function may stand for the address.
    name : str
        The argument that messages speak of.
    expected : str
        The prototype it must have.
    allow_float : bool
        Whether every double may be a float.
    user_data : optional
        An address, an ndarray or a ctypes object, which is kept alive; in the place of what the
        object brings itself.

    Raises
    ------
    ValueError
        The signature is another one, not given or no prototype; the address is NULL.
    TypeError
        A tuple of other things.
    """
    cdef CFunction function
    if PyCapsule_CheckExact(given):
        parts = parts_of_capsule(given, name, expected, allow_float, user_data)
    else:
        parts = parts_of(given, name, expected, allow_float, user_data)
        if parts is None:
            return None
    address, itemsize, signature, user_data, owner = parts
    if address == 0:
        raise ValueError(f"{name} is a NULL pointer: a C function must have an address")
    function = CFunction.__new__(CFunction)
    function.address = <void *> <uintptr_t> address
    function.user_data = <void *> <uintptr_t> data_of(user_data, f"user data of {name}")
    function.itemsize = itemsize
    function.signature = squeezed(signature)
    function.expected = expected
    function.owner = owner, user_data
    return function
