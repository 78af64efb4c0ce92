"""Dense networks as C: the source is compiled and run, and has to give what the network gives."""

import ctypes
import itertools
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest

import fastnet as fn
from fastnet import neat

STRICT = ("-Wall", "-Wextra", "-Wconversion", "-pedantic", "-Werror")
C99 = ("-std=c99", *STRICT)
ALL = fn.activations.names()
ELEMENTWISE = [name for name in ALL if name != "softmax"]
REAL = {"float32": ctypes.c_float, "float64": ctypes.c_double}


@pytest.fixture
def compiled(compile_c):
    """compiled(source, *options): the library of a source that strict compilers take."""

    def load(source, *options):
        assert source.isascii()
        return ctypes.CDLL(str(compile_c(source, *C99, *options, name="network.c")))

    return load


def predict(library, X, n_outputs, name="network"):
    """Rows through the function of that name."""
    X = np.ascontiguousarray(X)
    y = np.empty((len(X), n_outputs), X.dtype)
    function = getattr(library, f"{name}_predict")
    function.argtypes = [ctypes.c_void_p, ctypes.c_void_p]
    function.restype = None
    for i in range(len(X)):
        function(X[i].ctypes.data, y[i].ctypes.data)
    return y


def exact(net):
    """The network in float64."""
    other = fn.Network(net.n_inputs, layers=[layer.spec for layer in net.layers], dtype="float64")
    other.parameters[:] = net.parameters
    return other


def check_errors(net, library, X, want=None):
    """At most twice the errors of the network, and 4 units in the last place a layer."""
    if want is None:
        want = exact(net)(X.astype(np.float64))
    largest = np.max(np.abs(want), axis=0)
    bound = 2 * np.max(np.abs(net(X) - want), axis=0)
    bound += 4 * len(net.layers) * np.spacing(largest.astype(net.dtype))
    error = np.max(np.abs(predict(library, X, net.n_outputs) - want), axis=0)
    assert (error <= bound).all(), (error, bound)
    assert library.network_self_test() == 0


def special(dtype):
    """Numbers that activations treat in different ways."""
    info = np.finfo(dtype)
    rng = np.random.default_rng(3)
    z = np.concatenate([rng.normal(size=60) * 10.0**k for k in range(-30, 31, 3)])
    edges = [0, info.tiny, info.smallest_subnormal, info.tiny / 7, info.max, np.inf, 1, 3, 1e-4]
    return np.concatenate([z, edges, np.negative(edges), [np.nan]]).astype(dtype)


@pytest.mark.parametrize("option", ["-O0", "-O2", "-O3 -march=native"])
def test_activations_are_those_of_the_library(compiled, dtype, option):
    # The same formulas: where both round alike they are equal, and without fused operations 3 units
    # in the last place apart, but for sines beyond the first reduction, which others compute
    z = special(dtype)[:, None]
    for name in ELEMENTWISE:
        net = fn.Network.from_arrays([(np.ones((1, 1), dtype), None, name)])
        library = compiled(net.to_c(), *option.split())
        got, want = predict(library, z, 1), fn.activations.value(name, z)
        if name == "inverse":
            # the sum of products that a unit is makes 0 of -0
            got, want = got[z != 0], want[z != 0]
        finite = np.isfinite(want)
        np.testing.assert_array_equal(got[~finite], want[~finite], err_msg=name)
        # halved, because the distance to what follows the largest number is infinite
        unit = 2 * np.spacing(np.abs(want[finite]) / 2)
        far = np.abs(got[finite] - want[finite]) > 3 * unit
        assert not far.any(), (name, z[finite.ravel()][far.ravel()[: len(z)]][:3])


def test_denormals_are_not_lost(compiled, dtype):
    small = np.finfo(dtype).smallest_subnormal
    weights = np.array([[3 * small, 1.0]], dtype)
    net = fn.Network.from_arrays([(weights, None, "identity")])
    library = compiled(net.to_c())
    x = np.array([[1], [small], [7 * small]], dtype)
    np.testing.assert_array_equal(predict(library, x, 2)[:, 1], x[:, 0])
    np.testing.assert_array_equal(predict(library, x, 2)[0], weights[0])
    assert library.network_self_test() == 0


@pytest.mark.parametrize(
    "sizes", [[1, 1], [1, 2, 3], [3, 4, 5, 1], [7, 9, 17], [8, 64, 10], [33, 100, 37, 2], [2, 131]]
)
def test_sizes(compiled, dtype, sizes):
    rng = np.random.default_rng(0)
    for bias, option in itertools.product((True, False), ("-O1", "-O3")):
        net = fn.Network(sizes, hidden="tanh", bias=bias, dtype=dtype, seed=1)
        net.parameters[:] += 0.1
        library = compiled(net.to_c(), option)
        check_errors(net, library, rng.normal(size=(40, sizes[0])).astype(dtype))


# without those that have no bounded slope for the errors of sums
@pytest.mark.parametrize("hidden", [f for f in ALL if f not in ("inverse", "log", "step")])
def test_hidden_activations(compiled, dtype, hidden, oracle):
    net = fn.Network([6, 11, 11, 3], hidden=hidden, output="softmax", dtype=dtype, seed=2)
    library = compiled(net.to_c(), "-O3", "-march=native")
    X = np.random.default_rng(1).normal(size=(50, 6)).astype(dtype)
    layers = [
        (layer.weights.astype(np.longdouble), layer.biases.astype(np.longdouble), layer.activation)
        for layer in net.layers
    ]
    check_errors(net, library, X, oracle.predict(layers, X.astype(np.longdouble)))


def test_layers(compiled, dtype):
    layers = [
        fn.Dropout(0.5), fn.LayerNorm("relu"), fn.Dense(9, "tanh"), fn.Dropout(0.1),
        fn.LayerNorm("gelu", epsilon=1e-3), fn.Dense(4, bias=False), fn.LayerNorm("softmax"),
    ]  # fmt: skip
    net = fn.Network(12, layers=layers, dtype=dtype, seed=0)
    net.layers[1].gains[...] = np.linspace(-1, 2, 12)
    library = compiled(net.to_c())
    X = np.random.default_rng(0).normal(size=(40, 12)).astype(dtype)
    check_errors(net, library, X)
    check_errors(net, library, X * 1e-20)
    only = fn.Network(3, layers=[fn.Dropout(0.5)], dtype=dtype)
    np.testing.assert_array_equal(predict(compiled(only.to_c()), X[:, :3], 3), X[:, :3])


def test_nan_and_infinity_pass(compiled, dtype):
    X = np.zeros((3, 3), dtype)
    X[:, 0] = np.nan, np.inf, -np.inf
    for name in ("relu", "tanh", "softmax", "elu", "gelu", "sigmoid"):
        net = fn.Network([3, 5, 2], hidden=name, output=name, dtype=dtype, seed=0)
        got = predict(compiled(net.to_c()), X, 2)
        np.testing.assert_allclose(got, net(X), rtol=1e-5, err_msg=name)


def test_x_and_y_may_be_the_same(compiled):
    net = fn.Network([5, 5], output="tanh", seed=0)
    library = compiled(net.to_c())
    x = np.linspace(-1, 1, 5, dtype=np.float32)
    want = predict(library, x[None], 5)[0]
    library.network_predict.argtypes = [ctypes.c_void_p, ctypes.c_void_p]
    library.network_predict(x.ctypes.data, x.ctypes.data)
    np.testing.assert_array_equal(x, want)


def test_other_precision(compiled):
    X = np.random.default_rng(0).normal(size=(20, 4))
    net = fn.Network([4, 8, 2], hidden="tanh", dtype="float64", seed=0)
    got = predict(compiled(net.to_c(dtype="float32")), X.astype(np.float32), 2)
    np.testing.assert_allclose(got, net(X), rtol=0, atol=1e-6)
    single = fn.Network([4, 8, 2], hidden="tanh", seed=0)
    got = predict(compiled(single.to_c(dtype=np.float64)), X, 2)
    np.testing.assert_allclose(got, exact(single)(X), rtol=0, atol=1e-15)


def test_weights_in_8_bits(compiled, dtype):
    net = fn.Network([20, 33, 3], hidden="tanh", dtype=dtype, seed=0)
    net.layers[0].weights[:, 4] = 0
    X = np.random.default_rng(0).normal(size=(200, 20)).astype(dtype)
    source = net.to_c(int8=True, X=X)
    claimed = float(re.search(r"changed outputs by at most (\S+)", source)[1])
    library = compiled(source, "-O3")
    worst = np.max(np.abs(predict(library, X, 3) - exact(net)(X.astype(np.float64))))
    np.testing.assert_allclose(claimed, worst, rtol=0.01)
    assert 0 < worst < 0.1
    assert library.network_self_test() == 0
    assert "const int8_t network_weights0[660]" in source
    assert "1000 rows of the standard normal" in net.to_c(int8=True)
    X[3:] = np.nan
    assert "On 3 rows that were given" in net.to_c(int8=True, X=X)


# ---- the self-test ---------------------------------------------------------------------------


@pytest.mark.parametrize("int8", [False, True])
def test_an_altered_constant_fails(compiled, int8):
    net = fn.Network([3, 4, 2], seed=0)
    net.parameters[:] += 0.25
    source = net.to_c(int8=int8)
    assert compiled(source, "-O0").network_self_test() == 0
    arrays = list(re.finditer(r"const (\S+) network_(\w+)\[\d+\] = \{\s*([^}]*)\}", source))
    assert [match[2] for match in arrays] == (
        ["scales0"] * int8 + ["weights0", "biases0"] + ["scales1"] * int8 + ["weights1", "biases1"]
    )
    for match in arrays:
        numbers = list(re.finditer(r"[^,\s]+", match[3]))
        # all of one array, the last of the others
        for number in numbers if match[2] == "weights0" else numbers[-1:]:
            other = "77" if match[1] == "int8_t" else "0.123f"
            first = match.start(3) + number.start()
            altered = source[:first] + other + source[first + len(number[0]) :]
            assert compiled(altered, "-O0").network_self_test() == 1, number[0]


def test_other_code_fails(compiled):
    source = fn.Network([3, 4, 2], hidden="tanh", seed=0).to_c()
    assert source.count("network_biases1 + 0") == 1
    altered = source.replace("network_biases1 + 0", "0")
    # biases are zeros
    assert compiled(altered).network_self_test() == 0
    altered = source.replace("a[j] = network_tanh(a[j]);", "a[j] = 0.5f;")
    assert altered != source
    assert compiled(altered).network_self_test() == 1


# ---- the text --------------------------------------------------------------------------------


def everything(dtype, name="all_of_it"):
    """A source with every function."""
    layers = [fn.Dense(9, activation) for activation in ALL] + [fn.LayerNorm("tanh")]
    return fn.Network(5, layers=layers, dtype=dtype, seed=0).to_c(name)


def nodes_of_every_kind(dtype):
    """A source with a node of every activation behind another, and one with a state."""
    names = [name for name in fn.activations.names() if name != "softmax"]
    sources = []
    for mode in ("feed_forward", "recurrent"):
        for name in names:
            config = neat.Config(1, 1, bias=None, mode=mode, activation=name)
            rows = [(0, 0, 2, 0.5, True), (1, 2, 1, -0.5, True)]
            genome = neat.Genome.from_connections(config, rows)
            sources.append(genome.to_c(f"{mode}_{name}", dtype=dtype))
    return "".join(sources)


C_AND_CPP = [
    *itertools.product(("gcc", "clang"), (("-std=c99", "-O0"), ("-std=c99", "-O3"))),
    *itertools.product(("g++", "clang++"), [("-x", "c++", "-std=c++17", "-O2")]),
]


@pytest.mark.parametrize(("compiler", "options"), C_AND_CPP)
def test_compilers_have_nothing_to_say(tmp_path, dtype, compiler_of, compiler, options):
    path = tmp_path / "network.c"
    path.write_text(everything(dtype) + nodes_of_every_kind(dtype))
    more = "-Wshadow", "-Wsign-conversion", "-Wcast-qual", "-Wundef", "-Wmissing-declarations"
    run = subprocess.run(
        [*compiler_of(compiler), *options, *STRICT, *more, "-c", str(path),
         "-o", str(tmp_path / "network.o")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (run.returncode, run.stdout + run.stderr) == (0, "")


@pytest.mark.parametrize("options", [
    "-ffast-math",
    "-Ofast",
    "-ffinite-math-only",
    "-fassociative-math -fno-signed-zeros -fno-trapping-math",
])
def test_fast_math_is_an_error(tmp_path, options):
    if shutil.which("gcc") is None:
        pytest.skip("no gcc")
    path = tmp_path / "network.c"
    path.write_text("")
    command = ["gcc", *options.split(), "-dM", "-E", str(path)]
    macros = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    if "associative" in options and "__ASSOCIATIVE_MATH__" not in macros:
        pytest.skip("clang by the name of gcc, or an old gcc, which does not say that it does so")
    path.write_text(fn.Network([3, 2], hidden="tanh", seed=0).to_c())
    run = subprocess.run(
        ["gcc", *options.split(), "-c", str(path), "-o", str(tmp_path / "network.o")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode != 0
    assert "without -ffast-math" in run.stderr


@pytest.mark.skipif(sys.platform == "win32" or not shutil.which("nm"), reason="no nm")
def test_what_it_exports_and_needs(compile_c, dtype):
    path = compile_c(everything(dtype), *C99, "-O2", name="network.c")
    symbols = subprocess.run(
        ["nm", "-g", "--defined-only", str(path)], capture_output=True, text=True, check=True
    ).stdout.split()
    own = {name.lstrip("_") for name in symbols if "all_of_it" in name}
    assert own == {"all_of_it_predict", "all_of_it_self_test"}
    undefined = subprocess.run(
        ["nm", "-u", str(path)], capture_output=True, text=True, check=True
    ).stdout
    called = {name.partition("@")[0].lstrip("_") for name in undefined.split() if len(name) > 1}
    harmless = {"memcpy", "memset", "stack_chk_fail", "dyld_stub_binder"}
    # of the library of C and of sanitizers
    others = ("cxa", "gmon", "ITM", "asan", "ubsan", "tsan")
    libraries = {name for name in called if name.startswith(others)}
    assert called - harmless - libraries == set()
    # nothing that is written
    assert not re.search(r"^static (?!.*(const|inline|\())", everything(dtype), re.M)


def test_two_networks_and_placed_constants_in_one_program(compile_c, tmp_path):
    a, b = fn.Network([2, 3], seed=0), fn.Network([2, 3, 1], hidden="gelu", seed=1)
    (tmp_path / "a.h").write_text(a.to_c("a"))
    (tmp_path / "b.h").write_text(b.to_c("b"))
    main = """
#define a_DECLARATIONS_ONLY
#include "a.h"
#undef a_DECLARATIONS_ONLY
#define b_WEIGHTS __attribute__((section("%s")))
#include "a.h"
#include "b.h"
#include "b.h"
int both(const float *x, float *y);
int both(const float *x, float *y)
{
    a_predict(x, y);
    b_predict(x, y + a_N_OUTPUTS);
    return a_self_test() + b_self_test();
}
"""
    section = "__TEXT,__flash" if sys.platform == "darwin" else ".flash"
    library = ctypes.CDLL(str(compile_c(main % section, *C99, f"-I{tmp_path}")))
    x, y = np.array([0.5, -2.0], np.float32), np.empty(4, np.float32)
    pointer = ctypes.POINTER(ctypes.c_float)
    assert library.both(x.ctypes.data_as(pointer), y.ctypes.data_as(pointer)) == 0
    np.testing.assert_allclose(y, np.concatenate([a(x), b(x)]), rtol=1e-6)


def test_numbers_read_back_as_the_same(compiled):
    bits = np.random.default_rng(0).integers(0, 2**32, 300, dtype=np.uint32)
    weights = bits.view(np.float32)
    weights = weights[np.isfinite(weights)]
    edges = [0.0, -0.0, 1e-45, 3.4028235e38, 1e-4, 1e8, 16777217.0, 0.1]
    weights = np.concatenate([weights, np.float32(edges)])
    for dtype in ("float32", "float64"):
        numbers = weights.astype(dtype) * (1 if dtype == "float32" else np.pi)
        net = fn.Network.from_arrays([(numbers[None], None, "identity")])
        library = compiled(net.to_c(), "-O0")
        # the sum over all bits of them
        assert library.network_self_test() == 0
        got = predict(library, np.ones((1, 1), dtype), len(numbers))
        np.testing.assert_array_equal(got[0], numbers)


def test_the_text_is_always_the_same():
    net = fn.Network([3, 4, 2], seed=0)
    net.parameters[:] = np.random.default_rng(0).normal(size=net.n_parameters)
    with np.printoptions(legacy="1.13", precision=2, floatmode="fixed"):
        other = net.to_c("pilot")
    assert other == net.to_c("pilot")
    assert net.to_c("pilot") == net.to_c("pilot")
    assert net.to_c("other") == net.to_c("pilot").replace("pilot", "other")


# ---- what it refuses -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["", "1st", "a-b", "a b", "net\n", "größe", "int", "class", "a.b", "_Bool", "xor",
             "__builtin"]
)
def test_names(name):
    with pytest.raises(ValueError, match=r"^name must be"):
        fn.Network([2, 1]).to_c(name)


def test_refusals():
    net = fn.Network([2, 1], seed=0)
    with pytest.raises(TypeError, match=r"^name must be a str, got bytes"):
        net.to_c(b"net")
    with pytest.raises(ValueError, match=r"^dtype must be float32 or float64, got int32"):
        net.to_c(dtype="int32")
    with pytest.raises(TypeError, match=r"^dtype must be"):
        net.to_c(dtype="single precision")
    with pytest.raises(TypeError, match=r"^int8 must be True or False"):
        net.to_c(int8=1)
    with pytest.raises(ValueError, match=r"^X is for"):
        net.to_c(X=np.zeros((2, 2)))
    with pytest.raises(ValueError, match=r"^X must have shape"):
        net.to_c(int8=True, X=np.zeros((2, 3)))
    for bad in (np.nan, np.inf):
        with pytest.raises(ValueError, match=r"^no row of X gives finite outputs"):
            net.to_c(int8=True, X=np.full((2, 2), bad))
    custom = fn.Activation(np.tanh, lambda z, a: 1 - a * a)
    with pytest.raises(ValueError, match=r"custom activation .* C source cannot have"):
        fn.Network([2, 1], output=custom).to_c()
    net.parameters[1] = np.nan
    with pytest.raises(ValueError, match=r"^parameters\[1\] is nan"):
        net.to_c()
    large = fn.Network([2, 1], dtype="float64")
    large.parameters[0] = 1e300
    assert "1e+300" in large.to_c()
    with pytest.raises(ValueError, match=r"^parameters\[0\] is 1e\+300, .* finite float32"):
        large.to_c(dtype="float32")
