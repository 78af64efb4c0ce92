"""C functions from Python: every form, every spelling of a signature, and what is refused."""

import copy
import ctypes
import gc
import math
import pickle
import weakref

import numpy as np
import pytest

from fastnet._cfunctions import c_function
from fastnet._kernels import dispatch

SIGNATURE = "void (intptr_t n, double *z, double *a, void *)"
DOUBLES = ctypes.POINTER(ctypes.c_double)
FLOATS = ctypes.POINTER(ctypes.c_float)
CALLBACK = ctypes.CFUNCTYPE(None, ctypes.c_ssize_t, DOUBLES, DOUBLES, ctypes.c_void_p)
WORD = ctypes.sizeof(ctypes.c_void_p)

new_capsule = ctypes.pythonapi.PyCapsule_New
new_capsule.restype = ctypes.py_object
new_capsule.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
kept = []  # a capsule does not copy its name


def capsule(address, name):
    kept.append(name)
    return new_capsule(address, name, None)


@CALLBACK
def nothing(n, z, a, data):
    pass


ADDRESS = ctypes.cast(nothing, ctypes.c_void_p).value


def library_function(argtypes=None, restype=ctypes.c_int):
    """A function as a CDLL has it, whatever it does."""
    function = ctypes.CDLL(None).qsort if ctypes.sizeof(ctypes.c_long) == WORD else None
    if function is None:
        pytest.skip("no C library by that name")
    function.argtypes, function.restype = argtypes, restype
    return function


@pytest.mark.parametrize(
    "text",
    [
        SIGNATURE,
        "void (intptr_t, double *, double *, void *)",
        "void(intptr_t,double*,double*,void*)",
        "  void\n( intptr_t  n ,\tdouble * z, double *a , void * data ) ;",
        "void value(intptr_t n, const double *z, double *restrict a, void *user_data)",
        "void (intptr_t n, double const *z, double * __restrict__ a, const void *)",
        "void (const intptr_t n, const double *const z, double a[], void *)",
        "void (ssize_t n, double z[16], double *a, void *)",
        "void (Py_ssize_t, double *, double *, void *)",
        "void (ptrdiff_t n, double *z, double *a, void *p)",
        "static void f(intptr_t void_n, double *double_z, double *a_, void *_1)",
        f"void (int{8 * WORD}_t n, double *z, double *a, void *)",
    ],
)
def test_spellings(text):
    function = c_function((ADDRESS, text), "value", SIGNATURE)
    assert function.itemsize == 8
    assert function.expected == SIGNATURE
    assert c_function(capsule(ADDRESS, text.encode()), "value", SIGNATURE) == function
    single = c_function((ADDRESS, text.replace("double *", "float *").replace("double", "float")),
                        "value", SIGNATURE)  # fmt: skip
    assert single.itemsize == 4


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("long", ctypes.sizeof(ctypes.c_long)),
        ("long int", ctypes.sizeof(ctypes.c_long)),
        ("signed long", ctypes.sizeof(ctypes.c_long)),
        ("int long signed", ctypes.sizeof(ctypes.c_long)),
        ("long long", 8),
        ("long long int", 8),
        ("int64_t", 8),
        ("int32_t", 4),
        ("int", 4),
        ("signed", 4),
        ("short", 2),
        ("short int", 2),
    ],
)
def test_integers_are_what_their_size_says(text, size):
    given = (ADDRESS, f"void ({text} n, double *, double *, void *)")
    if size == WORD:
        assert c_function(given, "value", SIGNATURE).itemsize == 8
    else:
        with pytest.raises(ValueError, match="value must have the signature"):
            c_function(given, "value", SIGNATURE)


@pytest.mark.parametrize("text", ["unsigned long", "size_t", "uintptr_t", "uint64_t", "long double",
                                  "bool", "char", "intptr_t *", "void"])  # fmt: skip
def test_other_counts(text):
    with pytest.raises(ValueError, match="value must have the signature"):
        c_function((ADDRESS, f"void ({text} n, double *, double *, void *)"), "value", SIGNATURE)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "void",
        "double *",
        "void ()",
        "void (void)",
        "void (intptr_t n, double *z, double *a)",
        "void (intptr_t n, double *z, double *a, double *)",
        "void (intptr_t n, double *z, double *a, void *, void *)",
        "void (intptr_t n, double *z, float *a, void *)",
        "void (intptr_t n, double z, double *a, void *)",
        "void (intptr_t n, double **z, double *a, void *)",
        "void (intptr_t n, double *z[], double *a, void *)",
        "void (intptr_t n, double *z, double *a, struct data *)",
        "void (intptr_t n, double *z, double *a, ...)",
        "double (intptr_t n, double *z, double *a, void *)",
        "void * (intptr_t n, double *z, double *a, void *)",
        "void (intptr_t n, double *z, double *a, void *",
        "void intptr_t n, double *z, double *a, void *)",
        "void (intptr_t n, double *z, double *a, void *) nonsense",
        "void (intptr_t n, double *z, double *a,, void *)",
        "void (intptr_t n m, double *z, double *a, void *)",
        "void (intptr_t n, double *z +, double *a, void *)",
        "void (intptr_t n, * double z, double *a, void *)",
        "void (intptr_t n, double *z, double *a, void (*)(int))",
        "void (intptr_t n, double *z, double *a, void \N{ASTERISK OPERATOR})",
        "void (\0)",
        "(" * 10_000,
    ],
)
def test_other_signatures(text):
    with pytest.raises(ValueError, match=r"value must have the signature 'void \(intptr") as info:
        c_function((ADDRESS, text), "value", SIGNATURE)
    assert " ".join(text.split())[:200] in str(info.value) or "\0" in text
    assert len(str(info.value)) < 500


def test_float_only_where_it_may_be():
    task = "double (fn_graph *graph, uint64_t seed, void *)"
    assert c_function((ADDRESS, task), "task", task, allow_float=False).itemsize == 8
    with pytest.raises(ValueError, match="task must have the signature") as info:
        c_function((ADDRESS, task.replace("double", "float")), "task", task, allow_float=False)
    assert "float32" not in str(info.value)
    f = "double (intptr_t n, double *x, void *)"
    assert c_function((ADDRESS, f.replace("double", "float")), "f", f).itemsize == 4
    with pytest.raises(ValueError, match="f must have the signature"):
        c_function((ADDRESS, f.replace("double *", "float *")), "f", f)


def test_capsules_of_cython():
    """As every Cython module has them for the functions of its .pxd."""
    found = dispatch.__pyx_capi__["monotonic_seconds"]
    assert c_function(found, "f", "double (void)", allow_float=False) is not None
    with pytest.raises(ValueError, match=r"must have the signature 'int \(void\)', got 'double \("):
        c_function(found, "f", "int (void)")


def test_ctypes():
    function = c_function(nothing, "value", SIGNATURE)
    assert function.itemsize == 8
    assert function == c_function((ADDRESS, SIGNATURE), "value", SIGNATURE)
    assert function.signature == "void (intptr_t, double *, double *, void *)"
    arrays = np.ctypeslib.ndpointer(np.float32, flags="C")
    function = library_function([ctypes.c_int64, arrays, FLOATS, ctypes.c_void_p], None)
    assert c_function(function, "value", SIGNATURE).itemsize == 4


@pytest.mark.parametrize(
    ("argtypes", "restype", "words"),
    [
        (None, None, "ctypes function without argtypes: set argtypes and restype"),
        (None, ctypes.c_int, "ctypes function without argtypes"),
        ([ctypes.c_ssize_t, DOUBLES, DOUBLES, ctypes.c_void_p], ctypes.c_int, r"got 'int \(intptr"),
        ([ctypes.c_ssize_t, DOUBLES, DOUBLES], None, r"got 'void \(intptr_t, double \*, double \*"),
        ([ctypes.c_int, DOUBLES, DOUBLES, ctypes.c_void_p], None, r"got 'void \(int, double"),
        ([ctypes.c_size_t, DOUBLES, DOUBLES, ctypes.c_void_p], None, r"got 'void \(uint"),
        ([ctypes.c_ssize_t, DOUBLES, FLOATS, ctypes.c_void_p], None, r"double \*, float \*"),
        ([ctypes.c_ssize_t, DOUBLES, ctypes.c_void_p, ctypes.c_void_p], None, r"double \*, void"),
        ([ctypes.py_object], None, r"got 'void \(py_object\)'"),
        ([ctypes.c_char_p, ctypes.c_wchar_p, ctypes.c_bool], None, r"got 'void \(char \*, wchar_t"),
        ([ctypes.POINTER(DOUBLES)], None, r"got 'void \(double \*\*\)'"),
        ([np.ctypeslib.ndpointer(np.int32)], None, r"got 'void \(int \*\)'"),
    ],
)
def test_ctypes_of_other_types(argtypes, restype, words):
    with pytest.raises(ValueError, match=words):
        c_function(library_function(argtypes, restype), "value", SIGNATURE)


def test_ctypes_that_needs_the_interpreter_lock():
    held = ctypes.PYFUNCTYPE(None, ctypes.c_ssize_t, DOUBLES, DOUBLES, ctypes.c_void_p)(ADDRESS)
    with pytest.raises(ValueError, match="value is a ctypes function that needs the interpreter"):
        c_function(held, "value", SIGNATURE)


def test_a_ctypes_function_as_an_address():
    function = library_function()
    address = ctypes.cast(function, ctypes.c_void_p).value
    made = c_function((function, SIGNATURE), "value", SIGNATURE)
    assert made == c_function((address, SIGNATURE), "value", SIGNATURE)
    # what it says of itself counts
    with pytest.raises(ValueError, match=r"got 'void \(int\)'"):
        c_function((ctypes.CFUNCTYPE(None, ctypes.c_int)(ADDRESS), SIGNATURE), "value", SIGNATURE)
    with pytest.raises(ValueError, match=r"got 'void \(int\)'"):
        c_function((nothing, "void (int)"), "value", SIGNATURE)
    with pytest.raises(
        ValueError, match=r"value has other argtypes than its signature 'void .*flo"
    ):
        c_function((nothing, SIGNATURE.replace("double", "float")), "value", SIGNATURE)


@pytest.mark.parametrize("integer", [int, np.intp, np.uint64])
def test_addresses(integer):
    made = c_function((integer(ADDRESS), SIGNATURE), "value", SIGNATURE)
    assert made == c_function(nothing, "value", SIGNATURE)


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        ((0, SIGNATURE), ValueError, "value is a NULL pointer"),
        (CALLBACK(), ValueError, "value is a NULL pointer"),
        ((CALLBACK(), SIGNATURE), ValueError, "value is a NULL pointer"),
        ((-1, SIGNATURE), ValueError, "the address of value must be an address, got -1"),
        ((1 << 8 * WORD, SIGNATURE), ValueError, "the address of value must be an address"),
        ((True, SIGNATURE), TypeError, "the address of value must be an int, got True"),
        ((1.5, SIGNATURE), TypeError, "the address of value must be an int, got float"),
        ((math.sin, SIGNATURE), TypeError, "the address of value must be an int, got builtin"),
        (("1", SIGNATURE), TypeError, "the address of value must be an int, got str"),
        ((SIGNATURE, ADDRESS), TypeError, r"\(address, signature\).*types \(str, int\)"),
        ((ADDRESS,), TypeError, "got 1 items of types"),
        ((), TypeError, "got 0 items of types"),
        ((ADDRESS, SIGNATURE.encode()), TypeError, r"types \(int, bytes\)"),
        ((ADDRESS, SIGNATURE, 0, 0), TypeError, "got 4 items"),
        ((ADDRESS, SIGNATURE, "data"), TypeError, "user data of value must be None, an address"),
        ((ADDRESS, SIGNATURE, 1.5), TypeError, "user data of value must be None, an address"),
        ((ADDRESS, SIGNATURE, -1), ValueError, "user data of value must be an address, got -1"),
        (capsule(ADDRESS, None), ValueError, "value is a PyCapsule without a name"),
        (capsule(ADDRESS, b"\xff(\xfe"), ValueError, "value must have the signature"),
        (capsule(ADDRESS, b"numpy.random.bitgen"), ValueError, "got 'numpy.random.bitgen'"),
    ],
)
def test_refused(given, error, words):
    with pytest.raises(error, match=words):
        c_function(given, "value", SIGNATURE)


@pytest.mark.parametrize("given", [None, 3, "tanh", math.sin, np.sin, lambda z: z, [ADDRESS], len,
                                   np.zeros(3), object(), pytest.param(ADDRESS, id="address")]
)  # fmt: skip
def test_what_is_no_c_function(given):
    assert c_function(given, "value", SIGNATURE) is None


def test_numba():
    numba = pytest.importorskip("numba")
    from numba import types

    def function(n, z, a, data):
        pass

    def made(*arguments, returns=types.void):
        return numba.cfunc(returns(*arguments))(function)

    right = made(types.intp, types.CPointer(types.float64), types.CPointer(types.float64),
                 types.voidptr)  # fmt: skip
    found = c_function(right, "value", SIGNATURE)
    assert found.itemsize == 8
    assert found == c_function((right.address, SIGNATURE), "value", SIGNATURE)
    single = made(types.int64, *[types.CPointer(types.float32)] * 2, types.voidptr)
    assert c_function(single, "value", SIGNATURE).itemsize == 4
    wrong = made(types.int32, *[types.CPointer(types.float64)] * 2, types.voidptr)
    with pytest.raises(ValueError, match=r"got 'void \(int, double \*, double \*, void \*\)'"):
        c_function(wrong, "value", SIGNATURE)
    # compiled, but called by Python
    assert c_function(numba.njit(function), "value", SIGNATURE) is None


def test_what_is_given_stays_alive():
    data = np.zeros(3)
    alive = weakref.ref(data)
    function = c_function((ADDRESS, SIGNATURE, data), "value", SIGNATURE)
    del data
    gc.collect()
    assert alive() is not None
    del function
    gc.collect()
    assert alive() is None


def test_user_data_makes_a_difference():
    data = np.zeros(3)
    number = ctypes.c_double(1)
    where = [
        (data, data.ctypes.data),
        (number, ctypes.addressof(number)),
        (ctypes.pointer(number), ctypes.addressof(number)),
        (ctypes.c_void_p(4096), 4096),
        (ctypes.c_void_p(None), 0),
        (None, 0),
        ((ctypes.c_int * 3)(), None),
    ]
    plain = c_function((ADDRESS, SIGNATURE), "value", SIGNATURE)
    for given, address in where:
        made = c_function((ADDRESS, SIGNATURE, given), "value", SIGNATURE)
        assert made == c_function(nothing, "value", SIGNATURE, user_data=given)
        if address is not None:
            same = c_function((ADDRESS, SIGNATURE, address), "value", SIGNATURE)
            assert made == same
            assert hash(made) == hash(same)
        assert (made == plain) == (address == 0)


def test_the_object():
    one = c_function(nothing, "value", SIGNATURE)
    assert one != c_function((ADDRESS + 16, SIGNATURE), "value", SIGNATURE)
    assert one != 3
    assert repr(one) == "<C function 'void (intptr_t, double *, double *, void *)'>"
    assert copy.copy(one) is one
    assert copy.deepcopy(one) is one
    with pytest.raises(TypeError, match="a C function cannot be pickled"):
        pickle.dumps(one)
    with pytest.raises(TypeError, match="made by c_function"):
        type(one)()
