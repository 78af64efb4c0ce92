"""The gate for data from Python: C functions, called here through their capsules."""

import ctypes
import math

import numpy as np
import pytest

from fastnet import _arrays

TYPENUM = {"float32": np.dtype("float32").num, "float64": np.dtype("float64").num}
OBJECT, SIZE, INT = ctypes.py_object, ctypes.c_ssize_t, ctypes.c_int


def gate(name, result, *arguments):
    capsule = _arrays.__pyx_capi__[name]
    get_name = ctypes.pythonapi.PyCapsule_GetName
    get_name.argtypes, get_name.restype = [OBJECT], ctypes.c_char_p
    get_pointer = ctypes.pythonapi.PyCapsule_GetPointer
    get_pointer.argtypes, get_pointer.restype = [OBJECT, ctypes.c_char_p], ctypes.c_void_p
    address = get_pointer(capsule, get_name(capsule))
    # PYFUNCTYPE holds the interpreter lock and raises what the function left set.
    return ctypes.PYFUNCTYPE(result, *arguments)(address)


convert_ = gate("convert", OBJECT, OBJECT, OBJECT, INT)
matrix_ = gate("matrix", OBJECT, OBJECT, OBJECT, SIZE, INT)
targets_ = gate("targets", OBJECT, OBJECT, OBJECT, SIZE, SIZE, INT)
labels_ = gate("labels", OBJECT, OBJECT, OBJECT, SIZE, SIZE)
check_finite_ = gate("check_finite", INT, OBJECT, OBJECT)
check_finite_cast_ = gate("check_finite_cast", INT, OBJECT, OBJECT, OBJECT)
output_ = gate("output", OBJECT, OBJECT, OBJECT, INT, ctypes.POINTER(SIZE), INT)
aligned_zeros_ = gate("aligned_zeros", OBJECT, SIZE, INT)


def convert(value, dtype):
    return convert_(value, "X", TYPENUM[dtype])


def output(out, shape, dtype="float64"):
    return output_(out, "out", len(shape), (SIZE * len(shape))(*shape), TYPENUM[dtype])


GRID = np.linspace(-3, 3, 24).reshape(4, 6)
REAL = {
    "list": GRID.tolist(),
    "tuple": tuple(map(tuple, GRID)),
    "scalar": 1.5,
    "empty": [],
    "bool": GRID > 0,
    "int8": GRID.astype(np.int8),
    "uint64": abs(GRID * 1e18).astype(np.uint64),
    "float16": GRID.astype(np.float16),
    "float32": GRID.astype(np.float32),
    "float64": GRID,
    "longdouble": GRID.astype(np.longdouble),
    "fortran": np.asfortranarray(GRID),
    "strided": GRID[::2, ::-1],
    "broadcast": np.broadcast_to(GRID[0], GRID.shape),
    "swapped": GRID.astype(">f4"),
    "unaligned": np.frombuffer(b"\0" + GRID.tobytes(), offset=1).reshape(GRID.shape),
    "not finite": [np.nan, np.inf, -np.inf],
}


@pytest.mark.parametrize("name", REAL)
def test_convert_takes_any_real_array_like(name, dtype):
    array = convert(REAL[name], dtype)
    assert type(array) is np.ndarray
    assert array.dtype == dtype
    assert array.dtype.isnative
    assert array.flags.c_contiguous
    assert array.flags.aligned
    np.testing.assert_array_equal(array, np.asarray(REAL[name]).astype(dtype))


def test_what_is_right_is_not_copied(dtype):
    class Derived(np.ndarray):
        pass

    array = np.ones((3, 2), dtype)
    assert convert(array, dtype) is array
    assert np.shares_memory(convert(array.view(Derived), dtype), array)
    array.flags.writeable = False
    assert convert(array, dtype) is array
    assert np.shares_memory(convert(array.view(Derived), dtype), array)


def test_what_overflows_becomes_infinite_without_a_warning():
    with np.errstate(all="raise"):
        array = convert([1e300, -1e300, 1e-300], "float32")
    np.testing.assert_array_equal(array, [np.inf, -np.inf, 0])


@pytest.mark.parametrize("shape", [(), (0,), (1,), (3, 0), (2, 3, 5), (1024,), (1025,), (70, 70)])
def test_other_precision_has_the_bits_of_numpy(shape, dtype):
    """Arrays of few numbers are converted apart; any bits make a number, NaN or infinity."""
    other = "float32" if dtype == "float64" else "float64"
    rng = np.random.default_rng(0)
    value = np.frombuffer(rng.bytes(8 * max(math.prod(shape), 1)), other)[: math.prod(shape)]
    value = value.reshape(shape)
    with np.errstate(all="ignore"):
        expected = value.astype(dtype)
    with np.errstate(all="raise"):
        array = convert(value, dtype)
    assert (array.shape, array.dtype, array.tobytes()) == (shape, dtype, expected.tobytes())


@pytest.mark.parametrize(
    ("value", "error", "words"),
    [
        ([1j], TypeError, "X must hold real numbers, got dtype complex128"),
        ([object()], TypeError, "X must hold real numbers, got dtype object"),
        (None, TypeError, "X must hold real numbers, got dtype object"),
        ([2**80], TypeError, "X must hold real numbers, got dtype object"),
        ("1.0", TypeError, "X must hold real numbers, got dtype <U3"),
        (np.array(["2020"], "M8[D]"), TypeError, "X must hold real numbers, got dtype datetime64"),
        (np.zeros(2, [("a", float)]), TypeError, r"X must hold real numbers, got dtype \[\('a'"),
        ([[1, 2], [3]], ValueError, "X must be a rectangular array: its rows have different"),
    ],
)
def test_convert_refuses_what_is_not_real(value, error, words, dtype):
    with pytest.raises(error, match=words):
        convert(value, dtype)


def test_matrix(dtype):
    array = matrix_(GRID.tolist(), "X", 6, TYPENUM[dtype])
    np.testing.assert_array_equal(array, GRID.astype(dtype))
    assert matrix_(np.ones((0, 6)), "X", 6, TYPENUM[dtype]).shape == (0, 6)
    assert matrix_(GRID, "X", -1, TYPENUM[dtype]).shape == (4, 6)


@pytest.mark.parametrize("shape", [(), (6,), (4, 5), (6, 4), (2, 4, 6)])
def test_matrix_of_another_shape(shape):
    with pytest.raises(ValueError, match=r"X must have shape \(n_rows, 6\), got ") as caught:
        matrix_(np.ones(shape), "X", 6, TYPENUM["float64"])
    assert str(caught.value).endswith(f"got {shape}")


@pytest.mark.parametrize(
    ("shape", "n_rows", "n_outputs", "expected"),
    [((4, 3), 4, 3, (4, 3)), ((4,), 4, 1, (4, 1)), ((4, 1), 4, 1, (4, 1)), ((5, 2), -1, 2, (5, 2))],
)
def test_targets(shape, n_rows, n_outputs, expected, dtype):
    values = np.arange(np.prod(shape)).reshape(shape)
    array = targets_(values, "y", n_rows, n_outputs, TYPENUM[dtype])
    np.testing.assert_array_equal(array, values.reshape(expected))
    assert array.dtype == dtype


@pytest.mark.parametrize(
    ("shape", "n_rows", "n_outputs", "words"),
    [
        ((3,), 4, 1, r"y must have shape \(4, 1\) or \(4,\), got \(3,\)"),
        ((4,), 4, 2, r"y must have shape \(4, 2\), got \(4,\)"),
        ((3, 2), 4, 2, r"y must have shape \(4, 2\), got \(3, 2\)"),
        ((4, 3), -1, 2, r"y must have shape \(n_rows, 2\), got \(4, 3\)"),
    ],
)
def test_targets_of_another_shape(shape, n_rows, n_outputs, words):
    with pytest.raises(ValueError, match=words):
        targets_(np.ones(shape), "y", n_rows, n_outputs, TYPENUM["float64"])


@pytest.mark.parametrize("kind", ["int64", "int8", "uint64", ">i2", "bool"])
def test_labels(kind):
    array = labels_(np.array([0, 1, 1, 0]).astype(kind), "y", 4, 300)
    assert array.dtype == np.int32
    assert array.dtype.isnative
    assert array.tolist() == [0, 1, 1, 0]
    assert labels_(np.arange(8)[::2].astype(kind), "y", -1, 300).tolist() == [
        int(x) for x in np.arange(8)[::2].astype(kind)
    ]
    assert labels_([], "y", 0, 3).shape == (0,)


@pytest.mark.parametrize(
    ("value", "error", "words"),
    [
        ([0, 1, 3], ValueError, r"y\[2\] is 3: class labels must be from 0 to 2"),
        ([0, -1, 3], ValueError, r"y\[1\] is -1: class labels must be from 0 to 2"),
        (np.array([0, 2**32, 1]), ValueError, r"y\[1\] is 4294967296: class labels"),
        (np.array([0, 2**63, 1], np.uint64), ValueError, r"y\[1\] is 9223372036854775808"),
        ([0.0, 1.0, 2.0], TypeError, "y must hold integer class labels from 0 to 2, got dtype fl"),
        ([1j, 0, 0], TypeError, "y must hold real numbers, got dtype complex128"),
        ([0, 1], ValueError, r"y must hold one class label a row, shape \(3,\), got \(2,\)"),
        ([[0], [1], [2]], ValueError, r"shape \(3,\), got \(3, 1\)"),
    ],
)
def test_wrong_labels(value, error, words):
    with pytest.raises(error, match=words):
        labels_(value, "y", 3, 3)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("shape", [(1,), (7,), (5, 6), (3, 33), (2, 3, 4)])
def test_check_finite_tells_the_position(bad, shape, dtype):
    array = np.full(shape, 1e30, dtype)
    assert check_finite_(array, "X") == 0
    for flat in range(array.size):
        array.flat[flat] = bad
        array.flat[-1] = bad
        position = ", ".join(map(str, np.unravel_index(flat, shape)))
        with pytest.raises(ValueError, match="must be finite") as caught:
            check_finite_(array, "X")
        assert str(caught.value) == f"X[{position}] is {bad}: training data must be finite"
        array[...] = 1


def test_check_finite_cast_tells_an_overflow_from_an_infinity():
    # The position is that in the caller's array, whatever its layout and shape.
    original = np.ones((4, 6))
    original[3, 5] = 1e300
    for given, place in ((original, "3, 5"), (original.T, "5, 3"), (original.tolist(), "3, 5")):
        with pytest.raises(ValueError, match="must be finite") as caught:
            check_finite_cast_(given, convert(given, "float32"), "X")
        assert str(caught.value).startswith(f"X[{place}] is 1e+300, which overflows float32")
    original[3, 5] = np.inf
    with pytest.raises(ValueError, match=r"X\[3, 5\] is inf: training data must be finite"):
        check_finite_cast_(original, convert(original, "float32"), "X")
    y = np.array([1.0, np.nan])
    with pytest.raises(ValueError, match=r"y\[1\] is nan"):
        check_finite_cast_(y, targets_(y, "y", 2, 1, TYPENUM["float64"]), "y")
    assert check_finite_cast_(GRID, convert(GRID, "float32"), "X") == 0


def test_output_is_the_array_itself(dtype):
    for shape in ((), (3,), (2, 3), (0, 3)):
        out = np.ones(shape, dtype)
        assert output(out, shape, dtype) is out


@pytest.mark.parametrize(
    ("out", "error", "words"),
    [
        ([[0.0] * 3] * 2, TypeError, "out must be a numpy.ndarray to fill, got list"),
        (np.ones((2, 3), "float32"), TypeError, "out must have dtype float64, got float32"),
        (np.ones((2, 3), ">f8"), TypeError, "out must have dtype float64, got >f8"),
        (np.ones((3, 2)), ValueError, r"out must have shape \(2, 3\), got \(3, 2\)"),
        (np.ones(6), ValueError, r"out must have shape \(2, 3\), got \(6,\)"),
        (np.ones((3, 2)).T, ValueError, "out must be C-contiguous"),
        (np.ones((4, 3))[::2], ValueError, "out must be C-contiguous"),
        (np.frombuffer(bytearray(49), offset=1).reshape(2, 3), ValueError, "out must be aligned"),
        (np.frombuffer(bytes(48)).reshape(2, 3), ValueError, "out must be writable"),
    ],
)
def test_wrong_output(out, error, words):
    with pytest.raises(error, match=words):
        output(out, (2, 3))


@pytest.mark.parametrize("n", [0, 1, 7, 1000])
def test_aligned_zeros(n, dtype):
    array = aligned_zeros_(n, TYPENUM[dtype])
    assert array.shape == (n,)
    assert array.dtype == dtype
    assert n == 0 or array.ctypes.data % 64 == 0
    assert not array.any()
    array[:] = 1


def test_nearest():
    known = ("relu", "tanh", "sigmoid")
    assert _arrays.nearest("rleu", known, "activation") == (
        "unknown activation 'rleu': did you mean 'relu'? known: relu, tanh, sigmoid"
    )
    assert _arrays.nearest("ReLU", known, "x").startswith("unknown x 'ReLU': did you mean 'relu'?")
    assert _arrays.nearest("qqqqqq", iter(known), "x") == (
        "unknown x 'qqqqqq': known: relu, tanh, sigmoid"
    )


def test_finite_array():
    array = np.arange(6.0).reshape(2, 3)
    assert _arrays.finite_array(array, "x") is array
    for given in ([[1, 2]], np.float32([[1, 2]]), array[:, ::2], array.T, True, 2.5):
        got = _arrays.finite_array(given, "x")
        np.testing.assert_array_equal(got, given)
        assert (got.dtype, got.shape) == (np.float64, np.shape(given))
        assert got.flags.c_contiguous
    for value in (np.nan, np.inf, -np.inf):
        with pytest.raises(ValueError, match=rf"x\[1, 0\] must be finite, got {value}"):
            _arrays.finite_array([[0, 1], [value, value]], "x")
        with pytest.raises(ValueError, match=rf"x must be finite, got {value}"):
            _arrays.finite_array(value, "x")
    for given in ("one", 1j, None, [None]):
        with pytest.raises(TypeError, match="x must hold real numbers"):
            _arrays.finite_array(given, "x")


def test_finite_array_that_may_be_infinite():
    given = [np.inf, -np.inf, 0.0]
    assert _arrays.finite_array(given, "x", True).tolist() == given
    with pytest.raises(ValueError, match=r"x\[2\] must be a number, got nan"):
        _arrays.finite_array([np.inf, 0, np.nan], "x", True)
