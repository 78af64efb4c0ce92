"""Activations and losses that are C functions, in networks and by themselves."""

import copy
import ctypes
import gc
import pickle
import shutil
import subprocess
import sys
import threading
import time
import weakref

import numpy as np
import pytest

import fastnet as fn
from fastnet import activations, losses

SOURCE = r"""
#include <stdint.h>
#include <time.h>

/* z / (1 + |z|) + s z, with s the user data or 0; one operation at a time, as NumPy */
#define FUNCTIONS(real, S)                                                                        \
    void value_##S(intptr_t n, real *z, real *a, void *data) {                                    \
        real s = data ? *(real *)data : 0;                                                        \
        for (intptr_t i = 0; i < n; i++) a[i] = z[i] / (1 + (z[i] < 0 ? -z[i] : z[i])) + s * z[i];\
    }                                                                                             \
    void derivative_##S(intptr_t n, real *z, real *a, real *d, void *data) {                      \
        real s = data ? *(real *)data : 0;                                                        \
        for (intptr_t i = 0; i < n; i++) {                                                        \
            real b = 1 + (z[i] < 0 ? -z[i] : z[i]);                                               \
            d[i] = 1 / (b * b) + s + 0 * a[i];                                                    \
        }                                                                                         \
    }                                                                                             \
    void relu_##S(intptr_t n, real *z, real *a, void *data) {                                     \
        for (intptr_t i = 0; i < n; i++) a[i] = z[i] > 0 ? z[i] : 0;                              \
    }                                                                                             \
    void relu_derivative_##S(intptr_t n, real *z, real *a, real *d, void *data) {                 \
        for (intptr_t i = 0; i < n; i++) d[i] = a[i] > 0;                                         \
    }                                                                                             \
    void quartic_##S(intptr_t n_rows, intptr_t n, real *p, real *y, real *loss, void *data) {     \
        for (intptr_t r = 0; r < n_rows; r++) {                                                   \
            loss[r] = 0;                                                                          \
            for (intptr_t i = r * n; i < (r + 1) * n; i++) {                                      \
                real e = (p[i] - y[i]) * (p[i] - y[i]);                                           \
                loss[r] += e * e;                                                                 \
            }                                                                                     \
        }                                                                                         \
    }                                                                                             \
    void quartic_gradient_##S(intptr_t n_rows, intptr_t n, real *p, real *y, real *d,             \
                              void *data) {                                                       \
        for (intptr_t i = 0; i < n_rows * n; i++) {                                               \
            real e = p[i] - y[i];                                                                 \
            d[i] = 4 * (e * e * e);                                                               \
        }                                                                                         \
    }
FUNCTIONS(float, float)
FUNCTIONS(double, double)

/* What a function sees of where it runs */
struct view {
    int (*holds_lock)(void);
    long calls, with_lock, flushed;
    volatile int running, go_on;
    int went_on;
};
static void look(struct view *v) {
    volatile double tiny = 1e-310;
    v->calls++;
    v->with_lock += v->holds_lock && v->holds_lock();
    v->flushed += tiny * 0.5 == 0;
}
void looking(intptr_t n, float *z, float *a, void *data) {
    look(data);
    relu_float(n, z, a, 0);
}
void looking_derivative(intptr_t n, float *z, float *a, float *d, void *data) {
    look(data);
    relu_derivative_float(n, z, a, d, 0);
}
void looking_loss(intptr_t n_rows, intptr_t n, float *p, float *y, float *loss, void *data) {
    look(data);
    quartic_float(n_rows, n, p, y, loss, 0);
}
void looking_gradient(intptr_t n_rows, intptr_t n, float *p, float *y, float *d, void *data) {
    look(data);
    quartic_gradient_float(n_rows, n, p, y, d, 0);
}
/* waits, at most some seconds, until another thread has set go_on */
void waiting(intptr_t n, float *z, float *a, void *data) {
    struct view *v = data;
    struct timespec step = {0, 1000000};
    v->running = 1;
    for (int i = 0; i < 10000 && !v->go_on; i++) nanosleep(&step, 0);
    v->went_on = v->go_on;
    relu_float(n, z, a, 0);
}
"""

VALUE = "void (intptr_t n, double *z, double *a, void *)"
DERIVATIVE = "void (intptr_t n, double *z, double *a, double *d, void *)"
LOSS = "void (intptr_t n_rows, intptr_t n_outputs, double *y_pred, double *y, double *l, void *)"
C_TYPE = {"float32": "float", "float64": "double"}
POINTER = {"float": ctypes.POINTER(ctypes.c_float), "double": ctypes.POINTER(ctypes.c_double)}

new_capsule = ctypes.pythonapi.PyCapsule_New
new_capsule.restype = ctypes.py_object
new_capsule.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
set_context = ctypes.pythonapi.PyCapsule_SetContext
set_context.argtypes = [ctypes.py_object, ctypes.c_void_p]


class View(ctypes.Structure):
    _fields_ = [
        ("holds_lock", ctypes.c_void_p),
        ("calls", ctypes.c_long),
        ("with_lock", ctypes.c_long),
        ("flushed", ctypes.c_long),
        ("running", ctypes.c_int),
        ("go_on", ctypes.c_int),
        ("went_on", ctypes.c_int),
    ]


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    compiler = shutil.which("cc")
    if compiler is None or sys.platform == "win32":
        pytest.skip("no C compiler")
    directory = tmp_path_factory.mktemp("c")
    source, shared = directory / "functions.c", directory / "functions.so"
    source.write_text(SOURCE)
    subprocess.run(
        [compiler, "-O1", "-ffp-contract=off", "-shared", "-fPIC", source, "-o", shared], check=True
    )
    return ctypes.CDLL(str(shared))


def in_double(text, kind):
    return text if kind == "double" else text.replace("double", "float")


def forms(kind):
    """The ways a function of the library may be given, by name."""
    real = POINTER[kind]
    arguments = {
        VALUE: [ctypes.c_ssize_t, real, real, ctypes.c_void_p],
        DERIVATIVE: [ctypes.c_ssize_t, real, real, real, ctypes.c_void_p],
        LOSS: [ctypes.c_ssize_t, ctypes.c_ssize_t, real, real, real, ctypes.c_void_p],
    }
    names = {s: ctypes.create_string_buffer(in_double(s, kind).encode()) for s in arguments}

    def address(function):
        return ctypes.cast(function, ctypes.c_void_p).value

    def typed(function, signature):
        function.argtypes, function.restype = arguments[signature], None
        return function

    def python_callback(function, signature):
        function = typed(function, signature)
        return ctypes.CFUNCTYPE(None, *arguments[signature])(lambda *all: function(*all))

    def capsule(function, signature):
        kept.append(names)
        return new_capsule(address(function), names[signature], None)

    kept = []
    return {
        "pair": lambda f, s: (address(f), in_double(s, kind)),
        "named": lambda f, s: (f, in_double(s, kind)),
        "ctypes": typed,
        "callback": python_callback,
        "capsule": capsule,
    }


FORMS = list(forms("double"))


def softsign(library, kind, form="pair", data=None):
    give = forms(kind)[form]
    value = give(library[f"value_{kind}"], VALUE)
    derivative = give(library[f"derivative_{kind}"], DERIVATIVE)
    if data is not None:
        value, derivative = (*value, data), (*derivative, data)
    return fn.Activation(value, derivative, name="softsign in C")


def quartic(library, kind, form="pair"):
    give = forms(kind)[form]
    return fn.Loss(
        give(library[f"quartic_{kind}"], LOSS),
        give(library[f"quartic_gradient_{kind}"], LOSS),
    )


SOFTSIGN = fn.Activation(
    lambda z: z / (1 + np.abs(z)), lambda z, a: 1 / ((1 + np.abs(z)) * (1 + np.abs(z)))
)
QUARTIC = fn.Loss(
    lambda p, y: (((p - y) ** 2) ** 2).sum(axis=1), lambda p, y: 4 * ((p - y) * (p - y) * (p - y))
)


def network(activation, dtype="float32", sizes=(4, 9, 7, 3)):
    layers = [fn.Dense(n, activation, init="glorot_normal") for n in sizes[1:-1]]
    return fn.Network(sizes[0], layers=[*layers, fn.Dense(sizes[-1])], dtype=dtype, seed=0)


def rows(dtype, n_rows=50, n_inputs=4, n_outputs=3):
    rng = np.random.default_rng(0)
    return (
        rng.normal(size=(n_rows, n_inputs)).astype(dtype),
        rng.normal(size=(n_rows, n_outputs)).astype(dtype),
    )


# ---- by themselves


@pytest.mark.parametrize("shape", [(), (0,), (3,), (4, 3), (2, 4, 3), (511,), (512,), (3, 431)])
@pytest.mark.parametrize("form", FORMS)
def test_activation(library, form, shape, dtype):
    z = np.asarray(np.random.default_rng(0).normal(size=shape), dtype)
    in_c = softsign(library, C_TYPE[dtype], form)
    before = z.copy()
    for function in (activations.value, activations.derivative):
        result = function(in_c, z)
        assert result.dtype == dtype
        assert result.shape == shape
        np.testing.assert_array_equal(result, function(SOFTSIGN, z))
    if 0 < z.ndim < 3 and z.size < 100:
        np.testing.assert_array_equal(
            activations.jacobian(in_c, z), activations.jacobian(SOFTSIGN, z)
        )
    np.testing.assert_array_equal(z, before)


@pytest.mark.parametrize("n", [0, 1, 511, 512, 513, 1300])
def test_activation_in_double_on_float32(library, n):
    z = np.random.default_rng(0).normal(size=n).astype("float32")
    in_c = softsign(library, "double")
    for function in (activations.value, activations.derivative):
        result = function(in_c, z)
        assert result.dtype == np.float32
        wide = function(SOFTSIGN, z.astype(float))
        # a is rounded to float32 before the derivative gets it, which does not use it
        np.testing.assert_array_equal(result, wide.astype("float32"))


@pytest.mark.parametrize("shape", [(0, 3), (1, 1), (7, 5), (600, 2), (3, 512), (3, 513), (2, 1700)])
@pytest.mark.parametrize("form", FORMS)
def test_loss(library, form, shape, dtype):
    p, y = np.random.default_rng(0).normal(size=(2, *shape)).astype(dtype)
    in_c = quartic(library, C_TYPE[dtype], form)
    np.testing.assert_allclose(
        losses.value(in_c, p, y), losses.value(QUARTIC, p, y),
        rtol=(shape[1] + 8) * np.finfo(dtype).eps,
    )  # fmt: skip
    np.testing.assert_array_equal(losses.gradient(in_c, p, y), losses.gradient(QUARTIC, p, y))


@pytest.mark.parametrize("shape", [(0, 3), (1, 1), (7, 5), (600, 2), (3, 512), (3, 513), (2, 1700)])
def test_loss_in_double_on_float32(library, shape):
    p, y = np.random.default_rng(0).normal(size=(2, *shape)).astype("float32")
    in_c = quartic(library, "double")
    wide = p.astype(float), y.astype(float)
    np.testing.assert_array_equal(
        losses.value(in_c, p, y), losses.value(in_c, *wide).astype("float32")
    )
    np.testing.assert_array_equal(
        losses.gradient(in_c, p, y), losses.gradient(QUARTIC, *wide).astype("float32")
    )


def test_user_data(library):
    data = np.array([0.5])
    alive = weakref.ref(data)
    in_c = softsign(library, "double", data=data)
    z = np.array([-3.0, 0.0, 1.0])
    expected = z / (1 + np.abs(z)) + 0.5 * z
    np.testing.assert_array_equal(activations.value(in_c, z), expected)
    net = fn.Network(3, layers=[fn.Dense(3, in_c, bias=False, init=lambda *_: np.eye(3))],
                     dtype="float64")  # fmt: skip
    data[0] = 2
    np.testing.assert_array_equal(net(z), z / (1 + np.abs(z)) + 2 * z)
    del data, in_c
    gc.collect()
    assert alive()[0] == 2
    del net
    gc.collect()
    assert alive() is None


def test_context_of_a_capsule(library):
    name = ctypes.create_string_buffer(VALUE.encode())
    address = ctypes.cast(library.value_double, ctypes.c_void_p).value
    value = new_capsule(address, name, None)
    scale = ctypes.c_double(3)
    set_context(value, ctypes.addressof(scale))
    in_c = fn.Activation(value, lambda z, a: z)
    assert activations.value(in_c, 1.0) == 3.5


def test_numba(dtype):
    numba = pytest.importorskip("numba")
    from numba import types

    real = types.CPointer(getattr(types, dtype))

    @numba.cfunc(types.void(types.intp, real, real, types.voidptr))
    def value(n, z, a, data):
        for i in range(n):
            a[i] = z[i] * z[i]

    @numba.cfunc(types.void(types.intp, real, real, real, types.voidptr))
    def derivative(n, z, a, d, data):
        for i in range(n):
            d[i] = z[i] + z[i]

    @numba.cfunc(types.void(types.intp, types.intp, real, real, real, types.voidptr))
    def gradient(n_rows, n, p, y, d, data):
        for i in range(n_rows * n):
            d[i] = 2 * (p[i] - y[i])

    @numba.cfunc(types.void(types.intp, types.intp, real, real, real, types.voidptr))
    def loss(n_rows, n, p, y, row_loss, data):
        for i in range(n_rows):
            row_loss[i] = 0
            for j in range(n):
                row_loss[i] += (p[i * n + j] - y[i * n + j]) ** 2

    square = fn.Activation(value, derivative)
    assert square.name == "value"
    twin = fn.Activation(lambda z: z * z, lambda z, a: z + z)
    x, y = rows(dtype)
    one = network(square, dtype).loss_and_gradient(x, y, loss=fn.Loss(loss, gradient))
    other = network(twin, dtype).loss_and_gradient(x, y, loss="squared_error")
    assert one[0] == pytest.approx(other[0], rel=100 * float(np.finfo(dtype).eps))
    # the largest gradients are near 100
    np.testing.assert_allclose(one[1], other[1], rtol=0, atol=1000 * np.finfo(dtype).eps)


# ---- in networks


@pytest.mark.parametrize("form", FORMS)
def test_network(library, form, dtype):
    x, y = rows(dtype)
    in_c = softsign(library, C_TYPE[dtype], form)
    one, other = network(in_c, dtype), network(SOFTSIGN, dtype)
    np.testing.assert_array_equal(one(x[0]), other(x[0]))
    np.testing.assert_array_equal(one.predict(x[0], out=np.empty(3, dtype)), other(x[0]))
    np.testing.assert_array_equal(one(x), other(x))
    np.testing.assert_array_equal(one.jacobian(x), other.jacobian(x))
    np.testing.assert_array_equal(one.input_jacobian(x[0]), other.input_jacobian(x[0]))
    population = one.parameters * np.array([[1], [2]], dtype)
    np.testing.assert_array_equal(
        one.predict_population(population, x), other.predict_population(population, x)
    )
    weight = np.linspace(0.5, 2, 50)
    for loss, twin in (
        ("squared_error", "squared_error"),
        (quartic(library, C_TYPE[dtype], form), QUARTIC),
    ):
        value, gradient = one.loss_and_gradient(x, y, loss, weight)
        expected, expected_gradient = other.loss_and_gradient(x, y, twin, weight)
        assert value == pytest.approx(expected, rel=20 * float(np.finfo(dtype).eps))
        np.testing.assert_array_equal(gradient, expected_gradient)
        one.fit(x, y, loss, epochs=2, batch_size=16, seed=0)
        other.fit(x, y, twin, epochs=2, batch_size=16, seed=0)
        np.testing.assert_array_equal(one.parameters, other.parameters)
        assert one.evaluate(x, y, loss)["loss"] == pytest.approx(
            other.evaluate(x, y, twin)["loss"], rel=20 * float(np.finfo(dtype).eps)
        )
    trace, expected = one.trace(x[0], y[0], loss), other.trace(x[0], y[0], twin)
    assert trace.loss == pytest.approx(expected.loss, rel=20 * float(np.finfo(dtype).eps))
    for got, right in zip(trace.d_weights, expected.d_weights, strict=True):
        np.testing.assert_array_equal(got, right)


def test_equal_to_the_built_in(library, dtype):
    give = forms(C_TYPE[dtype])["pair"]
    relu = fn.Activation(
        give(library[f"relu_{C_TYPE[dtype]}"], VALUE),
        give(library[f"relu_derivative_{C_TYPE[dtype]}"], DERIVATIVE),
    )
    x, y = rows(dtype, 300)
    one, other = network(relu, dtype), network("relu", dtype)
    np.testing.assert_array_equal(one(x), other(x))
    for net in (one, other):
        net.fit(x, y, epochs=3, batch_size=30, seed=0)
    np.testing.assert_array_equal(one.parameters, other.parameters)
    assert fn.check_gradient(network(softsign(library, "double")), x, y) < 1e-6


@pytest.mark.parametrize("sizes", [(4, 9, 3), (4, 60, 70, 3)])
def test_double_functions_in_a_float32_network(library, sizes):
    x, y = rows("float32")
    one, other = network(softsign(library, "double"), sizes=sizes), network(SOFTSIGN, sizes=sizes)
    loss = quartic(library, "double")
    # outputs are sums of 70 terms below 1
    np.testing.assert_allclose(one(x), other(x), rtol=0, atol=70 * np.finfo("float32").eps)
    value, gradient = one.loss_and_gradient(x, y, loss)
    expected, expected_gradient = network(SOFTSIGN, "float64", sizes).loss_and_gradient(
        x, y, QUARTIC
    )
    assert value == pytest.approx(expected, rel=1e-5)
    scale = np.abs(expected_gradient).max()
    np.testing.assert_allclose(gradient, expected_gradient, rtol=0, atol=1e-5 * scale)


def test_one_function_in_c(library, dtype):
    x, y = rows(dtype)
    expected = network(SOFTSIGN, dtype).loss_and_gradient(x, y)
    give = forms(C_TYPE[dtype])["pair"]
    value = give(library[f"value_{C_TYPE[dtype]}"], VALUE)
    derivative = give(library[f"derivative_{C_TYPE[dtype]}"], DERIVATIVE)
    for mixed in (
        fn.Activation(value, SOFTSIGN.derivative),
        fn.Activation(SOFTSIGN.value, derivative),
    ):
        net = network(mixed, dtype)
        got = net.loss_and_gradient(x, y)
        assert got[0] == expected[0]
        np.testing.assert_array_equal(got[1], expected[1])
        np.testing.assert_array_equal(net(x[0]), network(SOFTSIGN, dtype)(x[0]))
        with pytest.raises(TypeError, match="cannot be pickled"):
            pickle.dumps(mixed)

    def fail(z, a=None):
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        network(fn.Activation(fail, derivative), dtype)(x[0])
    with pytest.raises(KeyError, match="mine"):
        network(fn.Activation(value, fail), dtype).loss_and_gradient(x, y)


def test_threads(library, dtype):
    x, _ = rows(dtype, 20_000)
    net = network(softsign(library, C_TYPE[dtype]), dtype, sizes=(4, 40, 40, 3))
    np.testing.assert_array_equal(net.predict(x, n_threads=3), net.predict(x))


# ---- without the interpreter


def looking(library, view):
    def give(function, signature):
        return getattr(library, function), in_double(signature, "float"), view

    return (
        fn.Activation(give("looking", VALUE), give("looking_derivative", DERIVATIVE)),
        fn.Loss(give("looking_loss", LOSS), give("looking_gradient", LOSS)),
    )


def test_the_interpreter_lock_is_not_held(library):
    address = ctypes.cast(ctypes.pythonapi.PyGILState_Check, ctypes.c_void_p).value
    view = View(holds_lock=address)
    activation, loss = looking(library, view)
    net = network(activation)
    x, y = rows("float32")
    # the function does see the lock where there is one
    activations.value(activation, x)
    assert (view.calls, view.with_lock) == (1, 1)
    view.with_lock = 0
    net.fit(x, y, loss, epochs=3, batch_size=10)
    # two layers with value and derivative, and both functions of the loss
    assert view.calls - 1 == 3 * 5 * (2 * 2 + 2)
    assert view.with_lock == 0


def test_the_floating_point_mode_is_that_of_the_caller(library):
    view = View()
    activation, loss = looking(library, view)
    net = network(activation)
    x, y = rows("float32")
    net.fit(x, y, loss, epochs=2)
    net(x[0])
    net.jacobian(x)
    assert view.calls > 50
    assert view.flushed == 0


def test_other_threads_run_meanwhile(library):
    view = View()
    activation = fn.Activation(
        (library.waiting, in_double(VALUE, "float"), view),
        (library.relu_derivative_float, in_double(DERIVATIVE, "float")),
    )
    net = network(activation, sizes=(4, 9, 3))
    x, y = rows("float32", 10)

    def other():
        while not view.running:
            time.sleep(0.001)
        view.go_on = 1

    thread = threading.Thread(target=other)
    thread.start()
    net.fit(x, y, epochs=1)
    thread.join()
    assert view.went_on == 1


# ---- what is refused, and the objects


def refused_activations(library):
    pair = library.value_double, VALUE
    derivative = library.derivative_double, DERIVATIVE
    text = r"'void \(intptr_t n, double \*z, double \*a, void \*\)'"
    return [
        ((derivative, pair), {}, ValueError, rf"value must have the signature {text}.*"
                    r"got 'void \(intptr_t n, double \*z, double \*a, double \*d, void \*\)'"),
        (((0, VALUE), derivative), {}, ValueError, "value is a NULL pointer"),
        ((pair, (0, DERIVATIVE)), {}, ValueError, "derivative is a NULL"),
        ((library.relu_double, derivative), {}, ValueError, "without argtypes"),
        ((1234, derivative), {}, TypeError, "value must be callable or a C function"),
        ((list(pair), derivative), {}, TypeError, "value must be callable or a C function"),
        ((pair,), {"jacobian": lambda z, a: z}, ValueError, "value is a C function"),
        ((abs,), {"jacobian": derivative}, TypeError, "jacobian must be callable"),
        ((pair,), {}, ValueError, "exactly one of derivative and jacobian"),
    ]  # fmt: skip


def test_refused_activations(library):
    for arguments, keywords, error, words in refused_activations(library):
        with pytest.raises(error, match=words):
            fn.Activation(*arguments, **keywords)


def test_refused_losses(library):
    value, gradient = (library.quartic_double, LOSS), (library.quartic_gradient_double, LOSS)
    single = (library.quartic_gradient_float, in_double(LOSS, "float"))
    for arguments, error, words in (
        ((value, QUARTIC.gradient), ValueError, "both.*got a C and a Python function"),
        ((QUARTIC.value, gradient), ValueError, "both.*got a Python and a C function"),
        ((value, single), ValueError, "both work on float or both on double, got 'void.*float"),
        ((value, (0, LOSS)), ValueError, "gradient is a NULL pointer"),
        (((library.quartic_double, VALUE), gradient), ValueError, "value must have the signature"),
        ((12345, gradient), TypeError, "value must be callable or a C function, got int"),
    ):
        with pytest.raises(error, match=words):
            fn.Loss(*arguments)


def test_float_functions_in_a_float64_network(library):
    single = softsign(library, "float")
    words = (
        r"value of activation 'softsign in C' must have the signature 'void \(intptr_t n, double "
        r"\*z, double \*a, void \*\)' on float64, got 'void \(intptr_t n, float \*z, float \*a"
    )
    with pytest.raises(ValueError, match=words):
        network(single, "float64")
    for function in (activations.value, activations.derivative, activations.jacobian):
        with pytest.raises(ValueError, match=words):
            function(single, [1.0, 2.0])
    mixed = fn.Activation(
        SOFTSIGN.value, (library.derivative_float, in_double(DERIVATIVE, "float"))
    )
    with pytest.raises(ValueError, match=r"derivative of activation.*on float64, got"):
        network(mixed, "float64")
    with pytest.raises(ValueError, match=r"derivative of activation.*on float64, got"):
        activations.derivative(mixed, [1.0, 2.0])
    x, y = rows("float32")
    net = network(single)
    with pytest.raises(ValueError, match=words):
        fn.check_gradient(net, x, y)
    loss = quartic(library, "float")
    wide = network("tanh", "float64")
    before = wide.parameters.copy()
    for call in (wide.fit, wide.evaluate, wide.loss_and_gradient):
        with pytest.raises(ValueError, match=r"value of loss.*on float64, got 'void"):
            call(x, y, loss=loss)
    for function in (losses.value, losses.gradient):
        with pytest.raises(ValueError, match=r"value of loss.*on float64, got 'void"):
            function(loss, y.astype("float64"), y)
    np.testing.assert_array_equal(wide.parameters, before)


@pytest.mark.parametrize("form", FORMS)
def test_objects(library, form, tmp_path):
    activation, loss = softsign(library, "double", form), quartic(library, "double", form)
    x, _ = rows("float32")
    net = network(activation)
    for one in (activation, loss, net):
        with pytest.raises(TypeError, match="cannot be pickled: the address of a C function"):
            pickle.dumps(one)
        assert " at 0x" not in repr(one)
    for way in (copy.copy, copy.deepcopy):
        for one in (activation, loss):
            assert way(one) == one
        twin = way(net)
        np.testing.assert_array_equal(twin(x), net(x))
        assert twin.layers[0].activation is activation
    with pytest.raises(ValueError, match="custom activation"):
        net.save(tmp_path / "net.safetensors")


def test_equality(library):
    one = softsign(library, "double")
    assert one == softsign(library, "double", "named")
    assert hash(one) == hash(softsign(library, "double", "ctypes"))
    assert one != softsign(library, "float")
    assert one != softsign(library, "double", data=np.zeros(1))
    assert one != SOFTSIGN
    assert one.derivative[1] == DERIVATIVE
    loss = quartic(library, "double")
    assert loss == quartic(library, "double", "ctypes")
    assert hash(loss) == hash(quartic(library, "double", "capsule"))
    assert loss != quartic(library, "float")
    assert loss != QUARTIC
