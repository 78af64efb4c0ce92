"""The one gate for C functions from Python: recognise them, check their signature, keep them alive.

A C function comes as a PyCapsule (named with its signature, its context is the user data), as a
ctypes function with argtypes and restype, as a numba cfunc, or as a tuple (address, signature) or
(address, signature, user_data).  A signature is a C prototype; names, const and white space do not
matter, and integers are what their size and sign say.  It has to agree exactly, because a function
called with other arguments than it expects destroys memory; only a pointer to a struct may be a
``void *``, as languages have it that do not know the struct.
"""

import operator
import re
import sys

cimport numpy as cnp
from cpython.pycapsule cimport (
    PyCapsule_CheckExact, PyCapsule_GetContext, PyCapsule_GetName, PyCapsule_GetPointer
)
from libc.stdint cimport uintptr_t

cnp.import_array()

__all__ = ["CFunction", "c_function"]

# What ctypes.PyDLL and PYFUNCTYPE set: the function may only be called with the interpreter lock.
cdef enum:
    PYTHON_API = 4

cdef dict SIZES = {
    "char": sizeof(char), "short": sizeof(short), "int": sizeof(int), "long": sizeof(long),
    "long long": sizeof(long long),
}
# Integer types by their names, as "int64" or "uint64"; the words of a longer name are sorted.
cdef dict INTEGERS = {}
for _bits in (8, 16, 32, 64):
    INTEGERS[f"int{_bits}_t"] = f"int{_bits}"
    INTEGERS[f"uint{_bits}_t"] = f"uint{_bits}"
for _name in ("intptr_t", "ssize_t", "Py_ssize_t", "ptrdiff_t", "npy_intp"):
    INTEGERS[_name] = f"int{8 * sizeof(void *)}"
for _name in ("uintptr_t", "size_t"):
    INTEGERS[_name] = f"uint{8 * sizeof(void *)}"
for _name, _size in SIZES.items():
    for _sign, _kind in (((), "int"), (("signed",), "int"), (("unsigned",), "uint")):
        # int may be left out of or added to any of these but char
        for _int in ((), ("int",)):
            _words = {"int": ("int",)}.get(_name, (*_name.split(), *_int))
            if _name != "char" or not _int:
                INTEGERS[" ".join(sorted((*_words, *_sign)))] = f"{_kind}{8 * _size}"
INTEGERS["signed"] = INTEGERS["int"]
INTEGERS["unsigned"] = INTEGERS["int unsigned"]

cdef frozenset NUMBERS = frozenset(("float", "double", *INTEGERS.values()))

cdef frozenset QUALIFIERS = frozenset(
    ("const", "volatile", "restrict", "__restrict", "__restrict__", "extern", "static")
)
cdef frozenset WORDS = frozenset(
    ("char", "short", "int", "long", "signed", "unsigned", "float", "double", "void")
)
cdef object PROTOTYPE = re.compile(r"\s*([^()]*)\(([^()]*)\)\s*;?\s*", re.ASCII)
cdef object TOKENS = re.compile(r"\w+|\*|\[\d*\]|\S", re.ASCII)


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


cdef str named_type(list words, int pointers):
    """A type as its bare name with a star for each pointer, such as "int64" or "double*"."""
    if words[0] == "struct":
        words = words[1:]
    name = " ".join(words)
    return INTEGERS.get(" ".join(sorted(words)), name) + "*" * pointers


cdef str parsed_type(str text, bint allow_name):
    """A declaration such as "const double *z"; None where it is none."""
    cdef list words = []
    cdef int pointers = 0
    cdef bint named = False
    for token in TOKENS.findall(text):
        if token in QUALIFIERS:
            continue
        if token == "*":
            if not words or named:
                return None
            pointers += 1
        elif token.startswith("["):
            if not named and not words:
                return None
            pointers += 1
        elif not (token[0].isalpha() or token[0] == "_"):
            return None
        elif not words or words == ["struct"]:
            words.append(token)
        elif token in WORDS and not pointers and not named and words[0] in WORDS:
            words.append(token)
        elif allow_name and not named:
            named = True
        else:
            return None
    return named_type(words, pointers) if words else None


cdef tuple parse(str signature):
    """The type that is returned, then those of the arguments; None where it is no prototype."""
    found = PROTOTYPE.fullmatch(signature)
    if found is None:
        return None
    cdef list types = [parsed_type(found[1], True)]
    if found[2].strip() not in ("", "void"):
        types += [parsed_type(part, True) for part in found[2].split(",")]
    return None if None in types else tuple(types)


cdef str readable(str name):
    """A type of `parse` as C writes it."""
    bare = name.rstrip("*")
    if bare == INTEGERS["intptr_t"]:
        text = "intptr_t"
    elif bare == INTEGERS["int"]:
        text = "int"
    else:
        text = bare + "_t" if bare in INTEGERS.values() else bare
    return f"{text} {'*' * (len(name) - len(bare))}".strip()


cdef str prototype(tuple types):
    return f"{readable(types[0])} ({', '.join([readable(name) for name in types[1:]]) or 'void'})"


cdef str ctypes_type(object kind):
    """A type of ctypes as `parse` names it."""
    if kind is None:
        return "void"
    if getattr(kind, "_dtype_", None) is not None:          # of numpy.ctypeslib.ndpointer
        return {"float64": "double", "float32": "float"}.get(
            kind._dtype_.name, kind._dtype_.name) + "*"
    code = getattr(kind, "_type_", None)
    ctypes = sys.modules["ctypes"]
    if isinstance(kind, type) and issubclass(kind, ctypes._Pointer):
        return ctypes_type(code) + "*"
    if isinstance(code, str):
        if code in "fdPzZ":
            return {"f": "float", "d": "double", "P": "void*", "z": "char*", "Z": "wchar_t*"}[code]
        if code in "bhilqBHILQ":
            return f"{'int' if code.islower() else 'uint'}{8 * ctypes.sizeof(kind)}"
    return getattr(kind, "__name__", str(kind))


cdef object ctypes_function(object given):
    """The ctypes function that the object is, or, as a numba cfunc, has; else None."""
    # Nothing is imported: whoever has such an object has the module.
    module = sys.modules.get("_ctypes")
    if module is None:
        return None
    if isinstance(given, module.CFuncPtr):
        return given
    if isinstance(getattr(type(given), "address", None), property):
        function = getattr(given, "ctypes", None)
        if isinstance(function, module.CFuncPtr):
            return function
    return None


cdef void *address_of(object given, str name) except? NULL:
    try:
        number = operator.index(given)
    except TypeError:
        raise TypeError(f"{name} must be an int, got {type(given).__name__}") from None
    if isinstance(given, bool):
        raise TypeError(f"{name} must be an int, got {given!r}")
    if number < 0 or number.bit_length() > 8 * sizeof(void *):
        raise ValueError(f"{name} must be an address, got {number}")
    return <void *> <uintptr_t> number


cdef void *data_of(object given, str name) except? NULL:
    """Where user data is: an address, an array, or something of ctypes."""
    if given is None:
        return NULL
    if cnp.PyArray_Check(given):
        return cnp.PyArray_DATA(<cnp.ndarray> given)
    ctypes = sys.modules.get("ctypes")
    if ctypes is not None:
        if isinstance(given, (ctypes._Pointer, ctypes.c_void_p)):
            return address_of(ctypes.cast(given, ctypes.c_void_p).value or 0, name)
        if isinstance(given, (ctypes.Structure, ctypes.Union, ctypes.Array, ctypes._SimpleCData)):
            return address_of(ctypes.addressof(given), name)
    try:
        return address_of(given, name)
    except TypeError:
        raise TypeError(
            f"{name} must be None, an address, an ndarray or a ctypes object, "
            f"got {type(given).__name__}"
        ) from None


cdef str squeezed(str text):
    text = " ".join(text.split())
    return text if len(text) <= 200 else text[:200] + "..."


cdef bint agree(tuple types, tuple wanted) except -1:
    """Whether these are the types that are wanted, or void* where that is a pointer to a struct."""
    if types is None or len(types) != len(wanted):
        return False
    for kind, want in zip(types, wanted):
        is_opaque = want.count("*") == 1 and want[:-1] not in NUMBERS
        if kind != want and not (is_opaque and kind == "void*"):
            return False
    return True


cdef Py_ssize_t matched(tuple types, str given, str name, str expected,
                        bint allow_float) except -1:
    """The size of the numbers of a function of these types, if they are as expected."""
    cdef tuple wanted = parse(expected)
    if agree(types, wanted):
        return 8
    if types is not None and allow_float:
        if types == tuple([kind.replace("double", "float") for kind in wanted]):
            return 4
    raise ValueError(
        f"{name} must have the signature {expected!r}"
        + (" (for float32 also with float for double)"
           if allow_float and "double" in expected else "")
        + f", got {squeezed(given)!r}"
    )


cdef CFunction make(void *address, object given_user_data, str name, str signature,
                    str expected, Py_ssize_t itemsize, object owner):
    if address == NULL:
        raise ValueError(f"{name} is a NULL pointer: a C function must have an address")
    cdef CFunction function = CFunction.__new__(CFunction)
    function.address = address
    function.user_data = data_of(given_user_data, f"user data of {name}")
    function.itemsize = itemsize
    function.signature = squeezed(signature)
    function.expected = expected
    function.owner = owner, given_user_data
    return function


cdef CFunction from_capsule(object given, str name, str expected, bint allow_float,
                            object user_data):
    cdef const char *text = PyCapsule_GetName(given)
    if text == NULL:
        raise ValueError(
            f"{name} is a PyCapsule without a name: it must be named with the signature "
            f"{expected!r}"
        )
    signature = text.decode("utf-8", "replace")
    itemsize = matched(parse(signature), signature, name, expected, allow_float)
    cdef CFunction function = make(
        PyCapsule_GetPointer(given, text), user_data, name, signature, expected, itemsize, given
    )
    if user_data is None:
        function.user_data = PyCapsule_GetContext(given)
    return function


cdef CFunction from_ctypes(object function, str name, str expected, bint allow_float,
                           object user_data, str signature, object owner):
    """signature: what the caller says of it, or None"""
    ctypes = sys.modules["ctypes"]
    cdef tuple types
    cdef Py_ssize_t itemsize = 0, own
    if getattr(type(function), "_flags_", 0) & PYTHON_API:
        raise ValueError(
            f"{name} is a ctypes function that needs the interpreter lock (PyDLL, PYFUNCTYPE), but "
            "it would be called without: load it with CDLL or make it with CFUNCTYPE"
        )
    argtypes = function.argtypes
    if argtypes is None and signature is None:
        raise ValueError(
            f"{name} is a ctypes function without argtypes: set argtypes and restype to those of "
            f"{expected!r}"
        )
    if signature is not None:
        itemsize = matched(parse(signature), signature, name, expected, allow_float)
    if argtypes is not None:
        types = (ctypes_type(function.restype), *[ctypes_type(kind) for kind in argtypes])
        own = matched(types, prototype(types), name, expected, allow_float)
        if signature is not None and own != itemsize:
            raise ValueError(
                f"{name} has other argtypes than its signature {signature!r}: {prototype(types)!r}"
            )
        itemsize = own
        signature = prototype(types) if signature is None else signature
    address = ctypes.cast(function, ctypes.c_void_p).value or 0
    return make(
        <void *> <uintptr_t> address, user_data, name, signature, expected, itemsize,
        (function, owner)
    )


cdef CFunction from_tuple(tuple given, str name, str expected, bint allow_float,
                          object user_data):
    if len(given) not in (2, 3) or not isinstance(given[1], str):
        raise TypeError(
            f"{name} must be a tuple (address, signature) or (address, signature, user_data), "
            f"got {len(given)} items of types ({', '.join([type(i).__name__ for i in given])})"
        )
    signature = str(given[1])
    if user_data is None and len(given) == 3:
        user_data = given[2]
    function = ctypes_function(given[0])
    if function is not None:
        return from_ctypes(
            function, name, expected, allow_float, user_data, signature, given
        )
    itemsize = matched(parse(signature), signature, name, expected, allow_float)
    return make(
        address_of(given[0], f"the address of {name}"), user_data, name, signature, expected,
        itemsize, given
    )


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
    if PyCapsule_CheckExact(given):
        return from_capsule(given, name, expected, allow_float, user_data)
    if isinstance(given, tuple):
        return from_tuple(given, name, expected, allow_float, user_data)
    function = ctypes_function(given)
    if function is None:
        return None
    return from_ctypes(function, name, expected, allow_float, user_data, None, given)
