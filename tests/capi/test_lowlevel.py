"""Networks as functions that SciPy calls."""

import ctypes
import sys

import numpy as np
import pytest

import fastnet as fn

NUMBER = "double (double, void *)"
NUMBERS = "double (int, double *, void *)"
WINDOW = "int (double *, intptr_t, double *, void *)"
LINE = "int (double *, intptr_t, double *, intptr_t, void *)"
POSITION = "int (intptr_t *, double *, int, int, void *)"
ALL = [NUMBER, NUMBERS, WINDOW, LINE, POSITION]


@pytest.fixture
def scipy():
    pytest.importorskip("scipy.integrate")
    pytest.importorskip("scipy.ndimage")
    import scipy

    return scipy


def network(sizes, dtype):
    return fn.Network(sizes, hidden="tanh", dtype=dtype, seed=3)


def with_npy_intp(signature):
    return signature.replace("intptr_t", "npy_intp")


@pytest.mark.parametrize("signature", [NUMBER, NUMBERS])
def test_quad(scipy, dtype, signature):
    net = network([1, 8, 1], dtype)
    f = scipy.LowLevelCallable(net.lowlevel(signature))
    value = scipy.integrate.quad(f, -1, 2)
    assert value == scipy.integrate.quad(lambda x: float(net([x])[0]), -1, 2)


def test_nquad(scipy, dtype):
    net = network([3, 8, 1], dtype)
    f = scipy.LowLevelCallable(net.lowlevel(NUMBERS))
    options = {"epsabs": 1e-2, "epsrel": 1e-2}
    value = scipy.integrate.nquad(f, [(0, 1)] * 3, opts=options)
    assert value == scipy.integrate.nquad(
        lambda *x: float(net(x)[0]), [(0, 1)] * 3, opts=options)


# The second is too large for the stack
@pytest.mark.parametrize("hidden", [5, 4000])
@pytest.mark.parametrize("spelled", [str, with_npy_intp])
def test_generic_filter(scipy, dtype, hidden, spelled):
    net = network([6, hidden, 1], dtype)
    image = np.random.default_rng(0).normal(size=(5, 7))
    f = scipy.LowLevelCallable(net.lowlevel(spelled(WINDOW)))
    filtered = scipy.ndimage.generic_filter(image, f, size=(2, 3))
    np.testing.assert_array_equal(filtered, scipy.ndimage.generic_filter(
        image, lambda window: float(net(window)[0]), size=(2, 3)))


@pytest.mark.parametrize("spelled", [str, with_npy_intp])
def test_generic_filter1d(scipy, dtype, spelled):
    net = network([3, 5, 1], dtype)
    image = np.random.default_rng(0).normal(size=(4, 9))
    f = scipy.LowLevelCallable(net.lowlevel(spelled(LINE)))

    def of_line(line, values):
        for i in range(len(values)):
            values[i] = net(line[i:i + 3])[0]

    filtered = scipy.ndimage.generic_filter1d(image, f, 3)
    np.testing.assert_array_equal(filtered, scipy.ndimage.generic_filter1d(image, of_line, 3))


@pytest.mark.parametrize("spelled", [str, with_npy_intp])
def test_geometric_transform(scipy, dtype, spelled):
    """From two dimensions to three."""
    net = network([2, 5, 3], dtype)
    net.parameters[-3:] += 1
    volume = np.random.default_rng(0).normal(size=(4, 5, 6))
    f = scipy.LowLevelCallable(net.lowlevel(spelled(POSITION)))
    image = scipy.ndimage.geometric_transform(volume, f, (7, 8))
    np.testing.assert_array_equal(image, scipy.ndimage.geometric_transform(
        volume, lambda x: tuple(float(v) for v in net(x)), (7, 8)))
    assert image.any()


def test_other_sizes_than_those_of_the_network(scipy, dtype):
    net = network([4, 1], dtype)
    image = np.ones((5, 5))
    f = scipy.LowLevelCallable(net.lowlevel(WINDOW))
    with pytest.raises(RuntimeError, match="filter function"):
        scipy.ndimage.generic_filter(image, f, size=3)
    f = scipy.LowLevelCallable(net.lowlevel(LINE))
    with pytest.raises(RuntimeError, match="function"):
        scipy.ndimage.generic_filter1d(image, f, 3)
    for sizes in ([2, 3], [3, 2]):
        f = scipy.LowLevelCallable(network(sizes, dtype).lowlevel(POSITION))
        with pytest.raises(RuntimeError, match="mapping function"):
            scipy.ndimage.geometric_transform(image, f)


def called(capsule, signature, result, *arguments):
    """A function of ctypes, with its user data as the last argument."""
    api = ctypes.pythonapi
    for name in ("PyCapsule_GetPointer", "PyCapsule_GetContext"):
        getattr(api, name).restype = ctypes.c_void_p
    api.PyCapsule_GetPointer.argtypes = [ctypes.py_object, ctypes.c_char_p]
    api.PyCapsule_GetContext.argtypes = [ctypes.py_object]
    address = api.PyCapsule_GetPointer(capsule, signature.encode())
    data = api.PyCapsule_GetContext(capsule)
    function = ctypes.CFUNCTYPE(result, *arguments, ctypes.c_void_p)(address)
    return lambda *values: function(*values, data)


def test_another_number_of_arguments(dtype):
    net = network([2, 1], dtype)
    f = called(net.lowlevel(NUMBERS), NUMBERS, ctypes.c_double, ctypes.c_int, ctypes.c_void_p)
    x = np.ones(3)
    assert f(2, x.ctypes) == float(net(x[:2])[0])
    assert np.isnan([f(n, x.ctypes) for n in (-1, 0, 1, 3)]).all()


def test_signatures():
    net = network([1, 1], "float64")
    spelled = sorted({*ALL, *map(with_npy_intp, ALL)})
    assert len(spelled) == 8
    for signature in spelled:
        assert f'"{signature}"' in repr(net.lowlevel(signature))
    for unknown in ("", "double (double)", "double(double, void *)", "double (int, double *)",
                    "float (float, void *)"):
        with pytest.raises(ValueError, match=r"signature must be one of 'double \(double, void"):
            net.lowlevel(unknown)
    for unknown in (None, 3, NUMBER.encode()):
        with pytest.raises(TypeError, match="signature must be a string"):
            net.lowlevel(unknown)


@pytest.mark.parametrize(("signature", "sizes", "words"), [
    (NUMBER, [2, 1], "n_inputs = 2, .* needs 1"),
    (NUMBER, [1, 2], "n_outputs = 2, .* needs 1"),
    (NUMBERS, [3, 2], "n_outputs = 2, .* needs 1"),
    (WINDOW, [3, 2], "n_outputs = 2, .* needs 1"),
    (LINE, [3, 2], "n_outputs = 2, .* needs 1"),
])
def test_networks_that_do_not_fit(signature, sizes, words):
    with pytest.raises(ValueError, match=words):
        network(sizes, "float64").lowlevel(signature)


def test_what_a_capsule_keeps(dtype):
    net = network([1, 8, 1], dtype)
    before, expected = sys.getrefcount(net), float(net([0.5])[0])
    capsule = net.lowlevel(NUMBER)
    assert sys.getrefcount(net) == before + 1
    f = called(capsule, NUMBER, ctypes.c_double, ctypes.c_double)
    assert f(0.5) == expected
    net.parameters[:] *= 2
    assert f(0.5) == float(net([0.5])[0]) != expected
    last = float(net([0.5])[0])
    del net
    assert f(0.5) == last
