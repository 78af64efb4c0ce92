"""Functions in C of every kind in one file, used together, and refused with another signature."""

import ctypes
import re
import sys

import numpy as np
import pytest

import fastnet as fn
from fastnet import neat
from fastnet.capi import fn_activate

# What each returns and is given, as the documentation says it
KINDS = {
    "value": "void (intptr_t n, double *z, double *a, void *)",
    "derivative": "void (intptr_t n, double *z, double *a, double *d, void *)",
    "loss": "void (intptr_t n_rows, intptr_t n_outputs, double *y_pred, double *y, "
            "double *row_loss, void *)",
    "loss_gradient": "void (intptr_t n_rows, intptr_t n_outputs, double *y_pred, double *y, "
                     "double *d, void *)",
    "f": "double (intptr_t n, double *x, void *)",
    "f_gradient": "void (intptr_t n, double *x, double *g, void *)",
    "task": "double (fn_graph *graph, uint64_t seed, void *)",
}  # fmt: skip
IN_NETWORKS = ["value", "derivative", "loss", "loss_gradient"]      # float is allowed, too
C_TYPE = {"float32": "float", "float64": "double"}
FORMS = ["capsule", "ctypes", "pair", "numba"]
SCALE = 0.25

SOURCE = r"""
#include <fastnet.h>

/* User data: a number, and how often each function was called */
struct shared {
    double scale;
    int64_t calls[7];
};
static double scale_of(void *data, int function) {
    struct shared *shared = data;
    if (!shared) return 0.25;
    shared->calls[function]++;
    return shared->scale;
}

/* z / (1 + |z|) + s z, and sum of (p - y)^2 + s (p - y)^4 */
#define FUNCTIONS(real, S)                                                                        \
    void value_##S(intptr_t n, real *z, real *a, void *data) {                                    \
        real s = (real)scale_of(data, 0);                                                         \
        for (intptr_t i = 0; i < n; i++) a[i] = z[i] / (1 + (z[i] < 0 ? -z[i] : z[i])) + s * z[i];\
    }                                                                                             \
    void derivative_##S(intptr_t n, real *z, real *a, real *d, void *data) {                      \
        real s = (real)scale_of(data, 1);                                                         \
        (void)a;                                                                                  \
        for (intptr_t i = 0; i < n; i++) {                                                        \
            real b = 1 + (z[i] < 0 ? -z[i] : z[i]);                                               \
            d[i] = 1 / (b * b) + s;                                                               \
        }                                                                                         \
    }                                                                                             \
    void loss_##S(intptr_t n_rows, intptr_t n, real *p, real *y, real *loss, void *data) {        \
        real s = (real)scale_of(data, 2);                                                         \
        for (intptr_t r = 0; r < n_rows; r++) {                                                   \
            loss[r] = 0;                                                                          \
            for (intptr_t i = r * n; i < (r + 1) * n; i++) {                                      \
                real e = (p[i] - y[i]) * (p[i] - y[i]);                                           \
                loss[r] += e + s * (e * e);                                                       \
            }                                                                                     \
        }                                                                                         \
    }                                                                                             \
    void loss_gradient_##S(intptr_t n_rows, intptr_t n, real *p, real *y, real *d, void *data) {  \
        real s = (real)scale_of(data, 3);                                                         \
        for (intptr_t i = 0; i < n_rows * n; i++) {                                               \
            real e = p[i] - y[i];                                                                 \
            d[i] = 2 * e + 4 * s * (e * e * e);                                                   \
        }                                                                                         \
    }
FUNCTIONS(float, float)
FUNCTIONS(double, double)

/* a^4 + (a - b)^2 + s b */
double f_double(intptr_t n, double *x, void *data) {
    double s = scale_of(data, 4), a = x[0], b = x[1];
    (void)n;
    return (a * a) * (a * a) + (a - b) * (a - b) + s * b;
}
void f_gradient_double(intptr_t n, double *x, double *g, void *data) {
    double s = scale_of(data, 5), a = x[0], b = x[1];
    (void)n;
    g[0] = 4 * (a * a * a) + 2 * (a - b);
    g[1] = s - 2 * (a - b);
}

/* Minus the sum of the squares of a number that the output moves */
double task_double(fn_graph *graph, uint64_t seed, void *data) {
    double s = scale_of(data, 6), at = (double)(seed % 5) / 8, move, total = 0;
    for (int i = 0; i < 10; i++) {
        if (fn_activate(graph, &at, &move)) return -1000;
        at = at + s * move;
        total = total + at * at;
    }
    return -total;
}

/* The first output of a network, as a function to minimise */
struct net_and_work {
    const fn_net *net;
    fn_workspace *work;
};
double output(intptr_t n, double *x, void *data) {
    struct net_and_work *with = data;
    double y[1];
    if (n != (intptr_t)fn_net_n_inputs(with->net)) return -1;
    return fn_forward_f64(with->net, with->work, 1, x, y) ? -2 : y[0];
}

/* What is refused; a test fails, and does not crash, where it is called all the same */
double nothing(void) { return 0; }
"""


class Shared(ctypes.Structure):
    _fields_ = [("scale", ctypes.c_double), ("calls", ctypes.c_int64 * 7)]


class NetAndWork(ctypes.Structure):
    _fields_ = [("net", ctypes.c_void_p), ("work", ctypes.c_void_p)]


@pytest.fixture(scope="module")
def library(compile_c):
    """All of them, linked with fastnet's library."""
    links = [] if sys.platform == "darwin" else [fn.get_library()]
    if not links:
        ctypes.CDLL(fn.get_library(), ctypes.RTLD_GLOBAL)
    # as NumPy, one operation at a time
    options = ("-ffp-contract=off", "-Wall", "-Wextra", "-Werror")
    return ctypes.CDLL(str(compile_c(SOURCE, *options, *links)))


# ---- what each kind is given, and the forms of such functions


def types_of(signature):
    """Those of the result and the arguments, without names."""
    result, arguments = re.fullmatch(r"(\w+) \((.*)\)", signature).groups()
    return [result, *(re.sub(r"(?<=[ *])\w+$", "", a).strip() for a in arguments.split(", "))]


def text_of(types):
    return f"{types[0]} ({', '.join(types[1:])})"


def signature_of(kind, real):
    return KINDS[kind].replace("double", real if kind in IN_NETWORKS else "double")


IN_CTYPES = {
    "void": None, "double": ctypes.c_double, "float": ctypes.c_float, "int": ctypes.c_int,
    "intptr_t": ctypes.c_ssize_t, "uint64_t": ctypes.c_uint64, "void *": ctypes.c_void_p,
    "double *": ctypes.POINTER(ctypes.c_double), "float *": ctypes.POINTER(ctypes.c_float),
    "fn_graph *": ctypes.c_void_p,
}  # fmt: skip
IN_NUMBA = {
    "void": "void", "double": "float64", "float": "float32", "int": "int32", "intptr_t": "intp",
    "uint64_t": "uint64", "void *": "voidptr", "double *": "CPointer(float64)",
    "float *": "CPointer(float32)", "fn_graph *": "voidptr",
}  # fmt: skip

kept = []       # names of capsules, which do not copy them


def capsule(pointer, name, context=None):
    api = ctypes.pythonapi
    api.PyCapsule_New.restype = ctypes.py_object
    api.PyCapsule_New.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
    api.PyCapsule_SetContext.argtypes = [ctypes.py_object, ctypes.c_void_p]
    kept.append(name.encode())
    made = api.PyCapsule_New(pointer, kept[-1], None)
    api.PyCapsule_SetContext(made, context)
    return made


def address(function):
    return ctypes.cast(function, ctypes.c_void_p).value


def with_types(pointer, types):
    result, *arguments = [IN_CTYPES[name] for name in types]
    return ctypes.CFUNCTYPE(result, *arguments)(pointer)


def by_numba(function, types):
    numba = pytest.importorskip("numba")
    return numba.cfunc(eval(text_of([IN_NUMBA[name] for name in types]), vars(numba.types)))(
        function)  # fmt: skip


def in_c(library, form, real="double", data=None):
    """The functions of all kinds in one of FORMS, with user data."""
    found = {}
    for kind in KINDS:
        signature = signature_of(kind, real)
        name = f"{kind}_{real if kind in IN_NETWORKS else 'double'}"
        pointer, types = address(library[name]), types_of(signature)
        extra = () if data is None else (data,)
        if form == "capsule":
            found[kind] = capsule(pointer, signature, data and ctypes.addressof(data))
        elif form == "pair":
            found[kind] = (pointer, signature, *extra)
        elif form == "numba":
            found[kind] = by_numba(in_numba(real)[kind], types)
        else:
            function = with_types(pointer, types)
            found[kind] = function if data is None else (function, signature, data)
    return found


def in_numba(real):
    """The same as in C, with SCALE for the user data."""
    number = np.float32 if real == "float" else np.float64
    s, one, two = number(SCALE), number(1), number(2)

    def value(n, z, a, data):
        for i in range(n):
            a[i] = z[i] / (one + abs(z[i])) + s * z[i]

    def derivative(n, z, a, d, data):
        for i in range(n):
            b = one + abs(z[i])
            d[i] = one / (b * b) + s

    def loss(n_rows, n, p, y, row_loss, data):
        for r in range(n_rows):
            row_loss[r] = 0
            for i in range(r * n, (r + 1) * n):
                e = (p[i] - y[i]) * (p[i] - y[i])
                row_loss[r] += e + s * (e * e)

    def loss_gradient(n_rows, n, p, y, d, data):
        for i in range(n_rows * n):
            e = p[i] - y[i]
            d[i] = two * e + two * two * s * (e * e * e)

    def f(n, x, data):
        a, b = x[0], x[1]
        return (a * a) * (a * a) + (a - b) * (a - b) + SCALE * b

    def f_gradient(n, x, g, data):
        a, b = x[0], x[1]
        g[0] = 4 * (a * a * a) + 2 * (a - b)
        g[1] = SCALE - 2 * (a - b)

    def task(graph, seed, data):
        at, move, total = np.empty(1), np.empty(1), 0.0
        at[0] = (seed % np.uint64(5)) / 8
        for _ in range(10):
            if fn_activate(graph, at.ctypes, move.ctypes) != 0:
                return -1000.0
            at[0] = at[0] + SCALE * move[0]
            total = total + at[0] * at[0]
        return -total

    return {"value": value, "derivative": derivative, "loss": loss, "loss_gradient": loss_gradient,
            "f": f, "f_gradient": f_gradient, "task": task}  # fmt: skip


class Task:
    def __init__(self, scale):
        self.scale = scale

    def evaluate(self, network, seed=0):
        at, total = seed % 5 / 8, 0.0
        network.reset()
        for _ in range(10):
            at = at + self.scale * float(network.step([at])[0])
            total = total + at * at
        return -total


def in_python(scale=SCALE):
    s = np.float32(scale)       # no wider than what it meets

    def loss(p, y):
        e = (p - y) * (p - y)
        terms, total = e + s * (e * e), np.zeros(len(p), p.dtype)
        for k in range(p.shape[1]):
            total = total + terms[:, k]
        return total

    def loss_gradient(p, y):
        e = p - y
        return 2 * e + 4 * s * (e * e * e)

    def f(x):
        a, b = x.tolist()
        return (a * a) * (a * a) + (a - b) * (a - b) + scale * b

    def f_gradient(x):
        a, b = x.tolist()
        return [4 * (a * a * a) + 2 * (a - b), scale - 2 * (a - b)]

    return {
        "value": lambda z: z / (1 + np.abs(z)) + s * z,
        "derivative": lambda z, a: 1 / ((1 + np.abs(z)) * (1 + np.abs(z))) + s,
        "loss": loss, "loss_gradient": loss_gradient, "f": f, "f_gradient": f_gradient,
        "task": Task(scale),
    }  # fmt: skip


# ---- together


def network(functions, dtype, sizes=(3, 8, 2)):
    activation = fn.Activation(functions["value"], functions["derivative"])
    layers = [*(fn.Dense(n, activation, init="glorot_normal") for n in sizes[1:-1]),
              fn.Dense(sizes[-1])]  # fmt: skip
    return fn.Network(sizes[0], layers=layers, dtype=dtype, seed=0)


def rows(dtype, n_inputs=3, n_outputs=2):
    rng = np.random.default_rng(0)
    return (rng.normal(size=(40, n_inputs)).astype(dtype),
            rng.normal(size=(40, n_outputs)).astype(dtype))  # fmt: skip


def results(functions, dtype):
    """What training, descent and evolution with them give."""
    net, (X, y) = network(functions, dtype), rows(dtype)
    loss = fn.Loss(functions["loss"], functions["loss_gradient"])
    value, gradient = net.loss_and_gradient(X, y, loss)
    net.fit(X, y, loss=loss, optimizer=fn.Adam(0.01), epochs=3, batch_size=16, seed=0)

    descent = fn.minimize(functions["f"], [0.5, -0.5], functions["f_gradient"], step=0.05,
                          max_iterations=40, record=True, check_gradient=True)  # fmt: skip

    task = functions["task"]
    if not isinstance(task, Task):
        task = neat.tasks.native(task)
    config = neat.Config(1, 1, mode="recurrent", population_size=30, add_node_rate=0.3)
    population = neat.Population(config, seed=0)
    population.run(task, generations=4)
    return value, gradient, net.parameters, descent, population.fitness


def check_same(one, other):
    assert one[0] == other[0]
    assert one[3] == other[3]
    for k in (1, 2, 4):
        np.testing.assert_array_equal(one[k], other[k], strict=True)
    assert len(set(one[4])) > 3


@pytest.mark.parametrize("form", FORMS)
def test_together(library, form, dtype):
    check_same(results(in_c(library, form, C_TYPE[dtype]), dtype), results(in_python(), dtype))


@pytest.mark.parametrize("form", ["capsule", "ctypes", "pair"])
def test_user_data_of_all(library, form, dtype):
    """One struct for all of them."""
    data = Shared(scale=0.5)
    functions = in_c(library, form, C_TYPE[dtype], data)
    check_same(results(functions, dtype), results(in_python(0.5), dtype))
    assert min(data.calls) > 0
    before = list(data.calls)
    r = fn.minimize(functions["f"], [0.5, -0.5], functions["f_gradient"], max_iterations=7)
    assert data.calls[4] - before[4] == r.n_evaluations
    data.scale = 0.75
    assert r != fn.minimize(functions["f"], [0.5, -0.5], functions["f_gradient"], max_iterations=7)


def test_forms_may_be_mixed(library, dtype):
    forms = [in_c(library, form, C_TYPE[dtype]) for form in FORMS[:3]]
    mixed = {kind: forms[k % 3][kind] for k, kind in enumerate(KINDS)}
    check_same(results(mixed, dtype), results(in_python(), dtype))


def test_double_in_networks_of_float(library):
    """The numbers are converted on the way."""
    mixed = in_c(library, "pair") | {"value": in_c(library, "pair", "float")["value"]}
    net, twin = network(mixed, "float32"), network(in_python(), "float32")
    X, _ = rows("float32")
    np.testing.assert_array_equal(net(X), twin(X))
    wide, exact = network(in_c(library, "pair"), "float32"), network(in_python(), "float64")
    exact.parameters[:] = wide.parameters
    # sums of 3 and of 8 numbers, and what is rounded between them, all below 4
    assert np.abs(wide(X) - exact(X.astype(float))).max() < 16 * 4 * np.finfo("float32").eps


def test_where_else_they_are_taken(library, dtype):
    """Threads, other optimizers, evolved networks, gradients that are checked."""
    X, y = rows(dtype)
    trained = []
    for functions in (in_c(library, "pair", C_TYPE[dtype]), in_python()):
        loss = fn.Loss(functions["loss"], functions["loss_gradient"])
        results = []
        for optimizer, n_threads, batch_size in ((fn.SGD(0.1), 2, 20), (fn.LBFGS(), 1, None)):
            net = network(functions, dtype)
            net.fit(X, y, loss=loss, optimizer=optimizer, epochs=3, batch_size=batch_size,
                    n_threads=n_threads, seed=0)  # fmt: skip
            results.append(net.parameters)
        config = neat.Config(3, 2, mode="feed_forward", activation="tanh")
        graph = neat.Genome(config, rng=0).network(dtype=dtype)
        value, gradient = graph.loss_and_gradient(X, y, loss)
        graph.fit(X, y, loss=loss, epochs=2, seed=0)
        trained.append([*results, value, gradient, graph.parameters])
        if dtype == "float64":
            assert fn.check_gradient(net, X, y, loss=loss) < 1e-6
    for one, other in zip(*trained, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("form", FORMS)
def test_c_that_calls_a_network_that_calls_c(library, form):
    """The output of a network with an activation in C is what a function in C gives to minimize."""
    net = network(in_c(library, form), "float64", (3, 8, 8, 1))
    twin = network(in_python(), "float64", (3, 8, 8, 1))
    work = net.ctypes.workspace()
    data = NetAndWork(net.ctypes.address, work.address)
    options = {"step": 0.1, "max_iterations": 10, "record": True}
    r = fn.minimize((address(library.output), KINDS["f"], data), [1, 0, -1], **options)
    assert r == fn.minimize(lambda x: float(twin(x)[0]), [1, 0, -1], **options)
    assert r.n_iterations == 10
    assert r.value < float(net([1, 0, -1])[0])


# ---- other signatures


def refusing(kind, library):
    """What takes a function of this kind; the others are right."""
    right = in_c(library, "pair")
    return {
        "value": lambda given: fn.Activation(given, right["derivative"]),
        "derivative": lambda given: fn.Activation(right["value"], given),
        "loss": lambda given: fn.Loss(given, right["loss_gradient"]),
        "loss_gradient": lambda given: fn.Loss(right["loss"], given),
        "f": lambda given: fn.minimize(given, [0.5, 0.5]),
        "f_gradient": lambda given: fn.minimize(right["f"], [0.5, 0.5], given),
        "task": neat.tasks.native,
    }[kind]


ARGUMENTS = ["int", "short", "size_t", "uint64_t", "intptr_t", "double", "float", "double *",
             "float *", "void *", "double **", "int *", "char *", "long double *", "fn_graph *",
             "fn_net *"]  # fmt: skip
RESULTS = ["void", "double", "float", "int", "intptr_t", "void *", "double *"]
SAME = {("uint64_t", "size_t"), ("fn_graph *", "void *")}


def other_types(kind):
    """With one type less, twice, in its neighbor's place or another; and those of other kinds."""
    right = types_of(KINDS[kind])
    made = [[result, *right[1:]] for result in RESULTS]
    for i in range(1, len(right)):
        made += [right[:i] + right[i + 1:], right[:i] + right[i:i + 1] + right[i:]]
        made += [[*right[:i], other, *right[i + 1:]] for other in ARGUMENTS
                 if (right[i], other) not in SAME]  # fmt: skip
        made.append(right[:i] + right[i:i + 2][::-1] + right[i + 2:])
    made += map(types_of, KINDS.values())
    return [list(types) for types in dict.fromkeys(map(tuple, made)) if list(types) != right]


def check_refused(kind, refuse, given, said):
    with pytest.raises(ValueError, match="must have the signature") as error:
        refuse(given)
    assert repr(KINDS[kind]) in str(error.value)
    assert f"got {said!r}" in str(error.value)


@pytest.mark.parametrize("kind", KINDS)
def test_strings(library, kind):
    """As pairs and as names of capsules: the message has both signatures."""
    refuse, right, pointer = refusing(kind, library), KINDS[kind], address(library.nothing)
    no_prototypes = ["", "void", "double (", right[:-1], right + " x", right.replace("(", "(("),
                     right.replace(", void *", ", ..."), "no prototype"]  # fmt: skip
    texts = [*map(text_of, other_types(kind)), *no_prototypes]
    if kind not in IN_NETWORKS:
        texts.append(right.replace("double", "float"))
    assert len(texts) > 50
    for text in texts:
        check_refused(kind, refuse, (pointer, text), text)
        if kind == "f":
            check_refused(kind, lambda given: fn.maximize(given, 0.5), (pointer, text), text)
            check_refused(kind, lambda given: fn.multi_start(given, [0, 1]), (pointer, text), text)
        check_refused(kind, refuse, (pointer, text, None), text)
        check_refused(kind, refuse, capsule(pointer, text), text)


@pytest.mark.parametrize("kind", KINDS)
def test_types_of_ctypes(library, kind):
    refuse = refusing(kind, library)
    wrong = [types for types in other_types(kind) if set(types) <= set(IN_CTYPES)]
    assert len(wrong) > 15
    for types in wrong:
        # an opaque pointer is any
        said = text_of(["void *" if name == "fn_graph *" else name for name in types])
        if said == text_of(types_of(KINDS[kind])).replace("fn_graph *", "void *"):
            continue
        check_refused(kind, refuse, with_types(address(library.nothing), types), said)


@pytest.mark.parametrize("kind", KINDS)
def test_types_of_numba(library, kind):
    pytest.importorskip("numba")
    refuse, right = refusing(kind, library), types_of(KINDS[kind])
    for types in (right[:-1], [*right, "double"], ["int", *right[1:]],
                  [right[0], "int", *right[2:]], [*right[:-2], "float *", right[-1]]):  # fmt: skip
        said = text_of(["void *" if name == "fn_graph *" else name for name in types])
        names = ", ".join(f"_{k}" for k in range(len(types) - 1))
        given = by_numba(eval(f"lambda {names}: {None if types[0] == 'void' else 0}"), types)
        check_refused(kind, refuse, given, said)


@pytest.mark.parametrize("form", FORMS)
def test_float_where_the_network_has_double(library, form):
    single, right = in_c(library, form, "float"), in_c(library, "pair")
    X, y = rows("float64")
    net = network(right, "float64")
    for kind in IN_NETWORKS:
        functions = right | {kind: single[kind]}
        if kind in ("value", "derivative"):
            def use(functions=functions):
                network(functions, "float64")
        else:
            functions = right | {name: single[name] for name in ("loss", "loss_gradient")}
            kind = "loss"

            def use(functions=functions):
                net.fit(X, y, loss=fn.Loss(functions["loss"], functions["loss_gradient"]))
        with pytest.raises(ValueError, match="must have the signature") as error:
            use()
        assert repr(KINDS[kind]) in str(error.value)
        assert "float *" in str(error.value).split("got ")[1]
