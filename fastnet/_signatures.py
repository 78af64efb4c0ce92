"""Prototypes of C functions: what they say, whether two agree, and what ctypes has them on.

Names, const and white space do not matter, and integers are what their size and sign say.
"""

import functools
import operator
import re
import struct
import sys

import numpy as np

# What ctypes.PyDLL and PYFUNCTYPE set: the function may only be called with the interpreter lock.
PYTHON_API = 4
# As the compiler of the interpreter has them
SIZES = {
    "char": 1,
    "short": struct.calcsize("h"),
    "int": struct.calcsize("i"),
    "long": struct.calcsize("l"),
    "long long": struct.calcsize("q"),
}
POINTER_BITS = 8 * struct.calcsize("P")
# Integer types by their names, as "int64" or "uint64"; the words of a longer name are sorted.
INTEGERS = {}
for _bits in (8, 16, 32, 64):
    INTEGERS[f"int{_bits}_t"] = f"int{_bits}"
    INTEGERS[f"uint{_bits}_t"] = f"uint{_bits}"
for _name in ("intptr_t", "ssize_t", "Py_ssize_t", "ptrdiff_t", "npy_intp"):
    INTEGERS[_name] = f"int{POINTER_BITS}"
for _name in ("uintptr_t", "size_t"):
    INTEGERS[_name] = f"uint{POINTER_BITS}"
for _name, _size in SIZES.items():
    for _sign, _kind in (((), "int"), (("signed",), "int"), (("unsigned",), "uint")):
        # int may be left out of or added to any of these but char
        for _int in ((), ("int",)):
            _words = {"int": ("int",)}.get(_name, (*_name.split(), *_int))
            if _name != "char" or not _int:
                INTEGERS[" ".join(sorted((*_words, *_sign)))] = f"{_kind}{8 * _size}"
INTEGERS["signed"] = INTEGERS["int"]
INTEGERS["unsigned"] = INTEGERS["int unsigned"]

NUMBERS = frozenset(("float", "double", *INTEGERS.values()))

QUALIFIERS = frozenset(
    ("const", "volatile", "restrict", "__restrict", "__restrict__", "extern", "static")
)
WORDS = frozenset(("char", "short", "int", "long", "signed", "unsigned", "float", "double", "void"))
PROTOTYPE = re.compile(r"\s*([^()]*)\(([^()]*)\)\s*;?\s*", re.ASCII)
TOKENS = re.compile(r"\w+|\*|\[\d*\]|\S", re.ASCII)


def named_type(words, pointers):
    """A type as its bare name with a star for each pointer, such as "int64" or "double*"."""
    if words[0] == "struct":
        words = words[1:]
    name = " ".join(words)
    return INTEGERS.get(" ".join(sorted(words)), name) + "*" * pointers


def parsed_type(text, allow_name):
    """A declaration such as "const double *z"; None where it is none."""
    words = []
    pointers = 0
    named = False
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
        elif words in ([], ["struct"]) or (
            token in WORDS and words[0] in WORDS and not pointers and not named
        ):
            words.append(token)
        elif allow_name and not named:
            named = True
        else:
            return None
    return named_type(words, pointers) if words else None


@functools.lru_cache(maxsize=256)
def parse(signature):
    """The type that is returned, then those of the arguments; None where it is no prototype."""
    found = PROTOTYPE.fullmatch(signature)
    if found is None:
        return None
    types = [parsed_type(found[1], True)]
    if found[2].strip() not in ("", "void"):
        types += [parsed_type(part, True) for part in found[2].split(",")]
    return None if None in types else tuple(types)


def readable(name):
    """A type of `parse` as C writes it."""
    bare = name.rstrip("*")
    if bare == INTEGERS["intptr_t"]:
        text = "intptr_t"
    elif bare == INTEGERS["int"]:
        text = "int"
    else:
        text = bare + "_t" if bare in INTEGERS.values() else bare
    return f"{text} {'*' * (len(name) - len(bare))}".strip()


@functools.lru_cache(maxsize=256)
def prototype(types):
    return f"{readable(types[0])} ({', '.join([readable(name) for name in types[1:]]) or 'void'})"


@functools.lru_cache(maxsize=256)
def ctypes_type(kind):
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


def squeezed(text):
    text = " ".join(text.split())
    return text if len(text) <= 200 else text[:200] + "..."


def agree(types, wanted):
    """Whether these are the types that are wanted, or void* where that is a pointer to a struct."""
    if types is None or len(types) != len(wanted):
        return False
    for kind, want in zip(types, wanted, strict=True):
        is_opaque = want.count("*") == 1 and want[:-1] not in NUMBERS
        if kind != want and not (is_opaque and kind == "void*"):
            return False
    return True


def matched(types, given, name, expected, allow_float):
    """The size of the numbers of a function of these types, if they are as expected."""
    wanted = parse(expected)
    if agree(types, wanted):
        return 8
    if allow_float and types == tuple(kind.replace("double", "float") for kind in wanted):
        return 4
    raise ValueError(
        f"{name} must have the signature {expected!r}"
        + (" (for float32 also with float for double)"
           if allow_float and "double" in expected else "")
        + f", got {squeezed(given)!r}"
    )


def ctypes_function(given):
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


def address_of(given, name):
    try:
        number = operator.index(given)
    except TypeError:
        raise TypeError(f"{name} must be an int, got {type(given).__name__}") from None
    if isinstance(given, bool):
        raise TypeError(f"{name} must be an int, got {given!r}")
    if number < 0 or number.bit_length() > POINTER_BITS:
        raise ValueError(f"{name} must be an address, got {number}")
    return number


def data_of(given, name):
    """Where user data is: an address, an array, or something of ctypes."""
    if given is None:
        return 0
    if isinstance(given, np.ndarray):
        return given.__array_interface__["data"][0]
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


def parts_of_ctypes(function, name, expected, allow_float, user_data, signature, owner):
    """The same as `parts_of` gives.  signature: what the caller says of it, or None."""
    ctypes = sys.modules["ctypes"]
    itemsize = 0
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
    return address, itemsize, signature, user_data, (function, owner)


def parts_of_tuple(given, name, expected, allow_float, user_data):
    """The same as `parts_of` gives."""
    if len(given) not in (2, 3) or not isinstance(given[1], str):
        raise TypeError(
            f"{name} must be a tuple (address, signature) or (address, signature, user_data), "
            f"got {len(given)} items of types ({', '.join(type(i).__name__ for i in given)})"
        )
    signature = str(given[1])
    if user_data is None and len(given) == 3:
        user_data = given[2]
    function = ctypes_function(given[0])
    if function is not None:
        return parts_of_ctypes(function, name, expected, allow_float, user_data, signature, given)
    itemsize = matched(parse(signature), signature, name, expected, allow_float)
    address = address_of(given[0], f"the address of {name}")
    return address, itemsize, signature, user_data, given


def parts_of(given, name, expected, allow_float, user_data):
    """What makes a C function of an object that is no capsule; None where it is no C function.

    Returns
    -------
    address : int
    itemsize : int
        Of the numbers that it works on.
    signature : str
    user_data : object
    owner : object
        What keeps the function alive.
    """
    if isinstance(given, tuple):
        return parts_of_tuple(given, name, expected, allow_float, user_data)
    function = ctypes_function(given)
    if function is None:
        return None
    return parts_of_ctypes(function, name, expected, allow_float, user_data, None, given)
