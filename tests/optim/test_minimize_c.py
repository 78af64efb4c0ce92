"""Functions in C: the paths of Python functions with the same arithmetic, bit for bit."""

import ctypes
import subprocess
import sys
import textwrap

import numpy as np
import pytest

import fastnet as fn

DOUBLES = ctypes.POINTER(ctypes.c_double)
VALUE = "double (intptr_t n, double *x, void *)"
GRADIENT = "void (intptr_t n, double *x, double *g, void *)"

SOURCE = r"""
#include <stdint.h>
#include <math.h>

/* Document 003: x1^4 x2^2 + (x1 - 1)^2 (x2 - 1)^4 */
double value(intptr_t n, double *x, void *data)
{
    double a = x[0], b = x[1], u = a - 1, v = b - 1;
    return (a * a) * (a * a) * (b * b) + (u * u) * ((v * v) * (v * v));
}

void gradient(intptr_t n, double *x, double *g, void *data)
{
    double a = x[0], b = x[1], u = a - 1, v = b - 1;
    g[0] = 4 * (a * a * a) * (b * b) + 2 * u * ((v * v) * (v * v));
    g[1] = 2 * ((a * a) * (a * a)) * b + 4 * (u * u) * (v * v * v);
}

/* data[0] (x - data[1])^2, counted in data[2] */
double parabola(intptr_t n, double *x, void *data)
{
    double *d = data;
    d[2] += 1;
    return d[0] * ((x[0] - d[1]) * (x[0] - d[1]));
}

double only_numbers(intptr_t n, double *x, void *data)
{
    return x[0] < 0 ? NAN : x[0] * x[0];
}

double in_float(intptr_t n, float *x, void *data)
{
    return x[0];
}
"""


def f2(x):
    a, b = x.tolist()
    u, v = a - 1, b - 1
    return (a * a) * (a * a) * (b * b) + (u * u) * ((v * v) * (v * v))


def df2(x):
    a, b = x.tolist()
    u, v = a - 1, b - 1
    return [4 * (a * a * a) * (b * b) + 2 * u * ((v * v) * (v * v)),
            2 * ((a * a) * (a * a)) * b + 4 * (u * u) * (v * v * v)]  # fmt: skip


@pytest.fixture(scope="module")
def library(compile_c):
    # A fused multiply-add would round differently from Python.
    library = ctypes.CDLL(str(compile_c(SOURCE, "-ffp-contract=off")))
    for name in ("value", "parabola", "only_numbers"):
        getattr(library, name).restype = ctypes.c_double
        getattr(library, name).argtypes = [ctypes.c_ssize_t, DOUBLES, ctypes.c_void_p]
    library.gradient.restype = None
    library.gradient.argtypes = [ctypes.c_ssize_t, DOUBLES, DOUBLES, ctypes.c_void_p]
    return library


def address(function):
    return ctypes.cast(function, ctypes.c_void_p).value


def name(options):
    return ",".join(f"{key}={getattr(value, '__name__', value)}" for key, value in options.items())


OPTIONS = [
    {"step": 0.01},
    {"step": 0.01, "stop_on": "gradient", "tolerance": 0.05},
    {"step": 0.01, "stop_on": "value", "tolerance": 1e-6},
    {"step": 0.05, "normalize": True},
    {"step": fn.schedules.Exponential(0.05, 0.99)},
    {"step": lambda k: 0.05 / (k + 1)},
    {"step": "armijo"},
    {"step": "armijo", "stop_on": None, "normalize": True},
    {"step": "grow_shrink"},
    {"method": "newton"},
    {"method": "newton", "guard": False},
    {"method": "lbfgs"},
    {"method": fn.Adam(0.1)},
    {"method": fn.SGD(0.01, momentum=0.9)},
    {"method": fn.Rprop()},
]


@pytest.mark.parametrize("options", OPTIONS, ids=name)
@pytest.mark.parametrize("start", [(0.5, 0.5), (1.2, 0.6), (3.0, 3.0)])
@pytest.mark.parametrize("has_gradient", [True, False])
def test_the_path_of_c_is_the_path_of_python(library, options, start, has_gradient):
    options = {"max_iterations": 100, "record": True} | options
    c = fn.minimize(library.value, start, library.gradient if has_gradient else None, **options)
    python = fn.minimize(f2, start, df2 if has_gradient else None, **options)
    assert c == python
    assert c.curvature == python.curvature
    assert c.n_iterations > 0
    up = fn.maximize(library.value, start, library.gradient if has_gradient else None,
                     **options | {"max_iterations": 5})
    assert up == fn.maximize(f2, start, df2 if has_gradient else None,
                             **options | {"max_iterations": 5})


def test_it_diverges_and_stalls_as_in_python(library):
    r = fn.minimize(library.value, [3, 3], library.gradient)
    assert r.reason == "diverged"
    assert np.isfinite([r.value, *r.x, *r.gradient]).all()
    r = fn.minimize(library.only_numbers, 1.0, step=0.6)
    assert (r.reason, r.n_iterations) == ("diverged", 0)
    with pytest.raises(ValueError, match=r"f\(x0\) must be finite, got nan"):
        fn.minimize(library.only_numbers, -1.0)
    r = fn.minimize(library.value, [0.5, 0.5], library.gradient, step=1e-300,
                    stop_on="gradient")
    assert (r.reason, r.n_iterations) == ("stalled", 0)


def test_every_form_of_a_c_function(library):
    expected = fn.minimize(library.value, [1.2, 0.6], library.gradient)
    new_capsule = ctypes.pythonapi.PyCapsule_New
    new_capsule.restype = ctypes.py_object
    new_capsule.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
    names = VALUE.encode(), GRADIENT.encode()
    forms = [
        ((address(library.value), VALUE), (address(library.gradient), GRADIENT)),
        (new_capsule(address(library.value), names[0], None),
         new_capsule(address(library.gradient), names[1], None)),
        (library.value, df2), (f2, library.gradient),
    ]  # fmt: skip
    for value, gradient in forms:
        assert fn.minimize(value, [1.2, 0.6], gradient, check_gradient=True).path is None
        again = fn.minimize(value, [1.2, 0.6], gradient)
        assert again == expected


def test_user_data(library):
    data = np.array([2.0, 5.0, 0.0])
    r = fn.minimize((address(library.parabola), VALUE, data), 0.0, step=0.1)
    assert r.x == pytest.approx(5, abs=1e-7)
    assert type(r.x) is float
    assert data[2] == r.n_evaluations
    assert fn.multi_start((address(library.parabola), VALUE, data), [0, 10], step=0.1)[0].converged


def test_signatures_that_are_refused(library):
    wrong = "double (intptr_t n, double *x)"
    with pytest.raises(ValueError, match="f must have the signature"):
        fn.minimize((address(library.value), wrong), [0.5, 0.5])
    with pytest.raises(ValueError, match="gradient must have the signature"):
        fn.minimize(f2, [0.5, 0.5], (address(library.value), VALUE))
    with pytest.raises(ValueError, match="f must have the signature"):
        fn.minimize((address(library.in_float), "double (intptr_t n, float *x, void *)"), 0.5)
    with pytest.raises(ValueError, match="NULL"):
        fn.minimize((0, VALUE), 0.5)
    with pytest.raises(TypeError, match=r"f must be a Python function .* got tuple"):
        fn.minimize((address(library.value), VALUE), 0.5, method="levenberg_marquardt")


def test_long_paths_and_callbacks(library):
    r = fn.minimize(library.value, [0.5, 0.5], library.gradient, stop_on=None, record=True,
                    max_iterations=5000)
    assert r.path.shape == (5001, 2)
    assert r.value == pytest.approx(2.06245e-05, rel=1e-5)
    seen = []
    r = fn.minimize(library.value, [0.5, 0.5], library.gradient, max_iterations=9,
                    callback=lambda r: seen.append(r.n_iterations))
    assert seen == list(range(1, 10))
    with pytest.raises(ZeroDivisionError):
        fn.minimize(library.value, [0.5, 0.5], library.gradient, callback=lambda r: 1 / 0)


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize("step", ["1e-12", "fn.schedules.Armijo(1e8, 1 - 1e-12)"])
def test_ctrl_c_is_noticed(library, step):
    code = f"""
        import ctypes, signal, threading
        import fastnet as fn
        library = ctypes.CDLL({library._name!r})
        doubles = ctypes.POINTER(ctypes.c_double)
        library.value.restype = ctypes.c_double
        library.value.argtypes = [ctypes.c_ssize_t, doubles, ctypes.c_void_p]
        library.gradient.restype = None
        library.gradient.argtypes = [ctypes.c_ssize_t, doubles, doubles, ctypes.c_void_p]
        # a job in the background of a shell has SIGINT ignored, and its children inherit that
        signal.signal(signal.SIGINT, signal.default_int_handler)
        threading.Timer(0.2, signal.raise_signal, (signal.SIGINT,)).start()
        try:
            fn.minimize(library.value, [0.5, 0.5], library.gradient, step={step}, tolerance=0,
                        max_iterations=10**18)
        except KeyboardInterrupt:
            print("interrupted")
    """
    run = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True,
                         text=True, timeout=60, check=False)
    assert run.stdout.strip() == "interrupted", run.stderr
