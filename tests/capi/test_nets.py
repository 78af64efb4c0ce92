"""Dense networks through the functions of fastnet.h: equal bits, and what they refuse."""

import copy
import ctypes
import gc
import itertools
import pickle
import sys
import threading
import weakref

import numpy as np
import pytest

import fastnet as fn
from fastnet import capi

OK, NULL, DTYPE, SIZE, WORKSPACE, FORMAT, MEMORY, UNSUPPORTED = range(0, -8, -1)
SUFFIX = {"float32": "f32", "float64": "f64"}
LAYERS = [
    fn.Dense(17, "tanh"), fn.LayerNorm(activation="gelu"), fn.Dropout(0.5),
    fn.Dense(5, "relu", bias=False), fn.Dense(3, "softmax"),
]


class Derived(fn.Network):
    """A class of a user, which can have weak references."""


def network(dtype, **options):
    return fn.Network(4, LAYERS, dtype=dtype, seed=1, **options)


def inputs(n_rows, net, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n_rows, net.n_inputs)).astype(net.dtype)


def forward_of(net):
    return getattr(net.ctypes, "forward_" + SUFFIX[net.dtype.name])


def gradient_of(net):
    return getattr(net.ctypes, "loss_and_gradient_" + SUFFIX[net.dtype.name])


def forward(net, x, work, address=None):
    """Status, and the outputs of rows x."""
    y = np.full((len(x), net.n_outputs), 7, net.dtype)
    address = net.ctypes.address if address is None else address
    return forward_of(net)(address, work.address, len(x), x.ctypes, y.ctypes), y


# -- values ------------------------------------------------------------------------------------

@pytest.mark.parametrize("n_rows", [1, 2, 7, 255, 257, 3000])
def test_forward(dtype, n_rows):
    net = network(dtype)
    x = inputs(n_rows, net)
    status, y = forward(net, x, net.ctypes.workspace(n_rows))
    assert status == OK
    np.testing.assert_array_equal(y, net(x) if n_rows > 1 else net(x[0])[None])


def test_no_rows(dtype):
    net = network(dtype)
    x, y = inputs(1, net), np.full((1, 3), 7, dtype)
    work = net.ctypes.workspace()
    assert forward_of(net)(net.ctypes.address, work.address, 0, x.ctypes, y.ctypes) == OK
    assert (y == 7).all()


def test_not_finite(dtype):
    net = fn.Network([2, 4, 2], dtype=dtype, seed=0)
    x = np.array([[np.nan, 1], [np.inf, 1], [1, 2]], dtype)
    _, y = forward(net, x, net.ctypes.workspace(3))
    np.testing.assert_array_equal(y, net(x))
    assert np.isnan(y[0]).all()
    assert np.isfinite(y[2]).all()


@pytest.mark.parametrize("n_rows", [1, 33, 700])
@pytest.mark.parametrize("loss", fn.losses.names())
def test_loss_and_gradient(dtype, n_rows, loss):
    outputs = {"binary_cross_entropy": "sigmoid", "poisson": "softplus"}
    output = "softmax" if loss in ("cross_entropy", "kl_divergence") else outputs.get(loss, "tanh")
    net = fn.Network([3, 9, 4], hidden="tanh", output=output, dtype=dtype, seed=2)
    x = inputs(n_rows, net)
    targets = np.eye(4, dtype=dtype)[np.random.default_rng(1).integers(4, size=n_rows)]
    if loss == "hinge":
        targets = 2 * targets - 1
    expected, d_expected = net.loss_and_gradient(x, targets, loss)
    value, d = np.full(1, 7, dtype), np.full(net.n_parameters + 2, 7, dtype)
    work = net.ctypes.workspace(n_rows, gradient=True)
    arguments = (net.ctypes.address, work.address, capi.fn_loss_id(loss.encode()), n_rows,
                 x.ctypes, targets.ctypes, value.ctypes, d[1:].ctypes)
    assert gradient_of(net)(*arguments) == OK
    assert value[0] == np.dtype(dtype).type(expected)
    np.testing.assert_array_equal(d[1:-1], d_expected)
    assert d[0] == d[-1] == 7
    # a workspace for the gradient is one for forward
    status, y = forward(net, x, work)
    assert status == OK
    np.testing.assert_array_equal(y, net(x) if n_rows > 1 else net(x[0])[None])


@pytest.mark.parametrize("activation", ["identity", "softmax", "sigmoid", "tanh", "gelu"])
@pytest.mark.parametrize("last", [fn.Dense, lambda n, f: fn.LayerNorm(f),
                                  lambda n, f: [fn.Dense(n, f), fn.Dropout(0.5)]],
                         ids=["dense", "layer norm", "dropout"])
def test_losses_as_python_takes_them(dtype, activation, last):
    """The same are refused, and the others have the same bits."""
    layers = last(3, activation)
    layers = [fn.Dense(3, "tanh"), *(layers if isinstance(layers, list) else [layers])]
    net = fn.Network(4, layers, dtype=dtype, seed=0)
    x, targets = inputs(6, net), np.eye(3, dtype=dtype)[[0, 1, 2, 0, 1, 2]]
    work, refused = net.ctypes.workspace(6, gradient=True), 0
    for loss in fn.losses.names():
        y = 2 * targets - 1 if loss == "hinge" else targets
        value, d = np.full(1, 7, dtype), np.full(net.n_parameters, 7, dtype)
        status = gradient_of(net)(
            net.ctypes.address, work.address, capi.fn_loss_id(loss.encode()), 6, x.ctypes,
            y.ctypes, value.ctypes, d.ctypes)
        try:
            with np.errstate(all="ignore"):     # poisson of values below 0
                expected, d_expected = net.loss_and_gradient(x, y, loss)
                expected = np.dtype(dtype).type(expected)
        except ValueError:
            refused += 1
            assert status == UNSUPPORTED
            expected, d_expected = np.full(1, 7), np.full(net.n_parameters, 7)
        else:
            assert status == OK
        np.testing.assert_array_equal(value, expected)
        np.testing.assert_array_equal(d, d_expected)
    assert 0 < refused <= 3


def test_names_of_losses():
    assert [capi.fn_loss_id(name.encode()) for name in fn.losses.names()] == list(
        range(len(fn.losses.names())))
    for name in (b"", b"squared_erro", b"squared_errors", b"SQUARED_ERROR"):
        assert capi.fn_loss_id(name) == UNSUPPORTED
    assert capi.fn_loss_id(None) == NULL


def test_sizes(dtype):
    net = network(dtype)
    address = net.ctypes.address
    assert capi.fn_net_n_inputs(address) == 4
    assert capi.fn_net_n_outputs(address) == 3
    assert capi.fn_net_n_parameters(address) == net.n_parameters
    assert capi.fn_net_dtype(address) == ["float32", "float64"].index(dtype)
    sizes = [capi.fn_workspace_size(address, n, 0) for n in range(600)]
    assert sizes == sorted(sizes)
    assert sizes[0] > 0
    for n in (0, 1, 2, 300):
        assert capi.fn_workspace_size(address, n, 1) > sizes[n]


def test_later_changes_are_seen(dtype):
    net = network(dtype)
    x, work = inputs(5, net), net.ctypes.workspace(5)
    _, before = forward(net, x, work)
    net.parameters[:] *= 1.5
    _, y = forward(net, x, work)
    assert not np.array_equal(y, before)
    np.testing.assert_array_equal(y, net(x))


def test_training_is_seen(dtype):
    """The address stays, whatever becomes of the parameters."""
    net = fn.Network([4, 6, 3], hidden="tanh", output="softmax", dtype=dtype, seed=0)
    address, work, x = net.ctypes.address, net.ctypes.workspace(9), inputs(9, net)
    targets = np.eye(3, dtype=dtype)[np.arange(9) % 3]

    def assert_seen():
        assert net.ctypes.address == address
        status, y = forward(net, x, work, address)
        assert status == OK
        np.testing.assert_array_equal(y, net(x))
        return y

    seen = [assert_seen()]
    net.fit(x, targets, epochs=3, validation_data=(x, targets), n_threads=2,
            early_stopping=fn.EarlyStopping(patience=1))
    seen.append(assert_seen())
    net.partial_fit(x, targets)
    seen.append(assert_seen())
    net.fit(x, targets, optimizer="lbfgs", epochs=2, batch_size=None)
    seen.append(assert_seen())
    net.reinitialize(5)
    seen.append(assert_seen())
    net.layers[0].weights[...] = 0.25
    seen.append(assert_seen())
    with pytest.raises(AttributeError):
        net.parameters = np.zeros(net.n_parameters, dtype)
    with pytest.raises(RuntimeError, match="built once"):
        net.__init__([4, 3])
    seen.append(assert_seen())
    assert [np.array_equal(a, b) for a, b in itertools.pairwise(seen)] == [False] * 5 + [True]


# -- what is refused ---------------------------------------------------------------------------

def test_null(dtype):
    net = network(dtype)
    c, x, y = net.ctypes, inputs(1, net), np.full(3, 7, dtype)
    work = c.workspace(gradient=True)
    good = [c.address, work.address, 1, x.ctypes, y.ctypes]
    for k in (0, 1, 3, 4):
        for n_rows in (0, 1, 2):
            arguments = list(good)
            arguments[2] = n_rows
            arguments[k] = None
            assert forward_of(net)(*arguments) == NULL
    value, d = np.full(1, 7, dtype), np.full(net.n_parameters, 7, dtype)
    good = [c.address, work.address, capi.fn_loss_id(b"cross_entropy"), 1, x.ctypes, y.ctypes,
            value.ctypes, d.ctypes]
    for k in (0, 1, 4, 5, 6, 7):
        arguments = list(good)
        arguments[k] = None
        assert gradient_of(net)(*arguments) == NULL
    assert (y == 7).all()
    assert (value == 7).all()
    assert (d == 7).all()
    assert gradient_of(net)(*good) == OK
    for size in (capi.fn_net_n_inputs, capi.fn_net_n_outputs, capi.fn_net_n_parameters):
        assert size(None) == 0
    assert capi.fn_net_dtype(None) == NULL
    assert capi.fn_workspace_size(None, 1, 0) == 0
    assert capi.fn_net_retain(None) is None
    capi.fn_net_release(None)
    capi.fn_workspace_free(None)


def test_the_other_precision():
    x32, x64 = np.ones((1, 2), np.float32), np.ones((1, 2))
    y32, y64 = np.full(1, 7, np.float32), np.full(1, 7.0)
    for dtype, x, y in (("float32", x64, y64), ("float64", x32, y32)):
        net = fn.Network([2, 1], dtype=dtype)
        c, work = net.ctypes, net.ctypes.workspace(gradient=True)
        other = SUFFIX[x.dtype.name]
        function = getattr(c, f"forward_{other}")
        assert function(c.address, work.address, 1, x.ctypes, y.ctypes) == DTYPE
        function = getattr(c, f"loss_and_gradient_{other}")
        assert function(c.address, work.address, 0, 1, x.ctypes, x.ctypes, y.ctypes,
                        y.ctypes) == DTYPE
        assert y[0] == 7


def test_more_rows_than_memory_could_hold(dtype):
    net = network(dtype)
    c, x, y = net.ctypes, inputs(1, net), np.full((1, 3), 7, dtype)
    work = c.workspace(gradient=True)
    most = 2 ** (8 * ctypes.sizeof(ctypes.c_size_t) - 1)
    for n_rows in (2 * most - 1, most, most // 16):
        assert forward_of(net)(c.address, work.address, n_rows, x.ctypes, y.ctypes) == SIZE
        assert capi.fn_workspace_size(c.address, n_rows, 0) == 0
        assert capi.fn_workspace_size(c.address, n_rows, 1) == 0
    with pytest.raises(ValueError, match=f"n_rows is {2**62}, which no memory holds"):
        c.workspace(2**62)
    # a mean of nothing
    arguments = (c.address, work.address, 2, 0, x.ctypes, y.ctypes, y.ctypes, y.ctypes)
    assert gradient_of(net)(*arguments) == SIZE
    assert (y == 7).all()


@pytest.mark.parametrize("n_rows", [1, 2, 300])
def test_a_workspace_too_small(dtype, n_rows):
    """One byte less than enough is refused; enough is not left, at any address."""
    net = network(dtype)
    c, x = net.ctypes, inputs(n_rows, net)
    y, targets = np.full((n_rows, 3), 7, dtype), np.full((n_rows, 3), 1 / 3, dtype)
    value, d = np.full(1, 7, dtype), np.full(net.n_parameters, 7, dtype)

    def compute(work, gradient):
        if not gradient:
            return forward_of(net)(c.address, work, n_rows, x.ctypes, y.ctypes)
        loss = capi.fn_loss_id(b"cross_entropy")
        return gradient_of(net)(c.address, work, loss, n_rows, x.ctypes, targets.ctypes,
                                value.ctypes, d.ctypes)

    for gradient in (0, 1):
        needed = capi.fn_workspace_size(c.address, n_rows, gradient)
        work = capi.fn_workspace_new(needed)
        assert compute(work, gradient) == OK
        capi.fn_workspace_free(work)
        y[:] = value[:] = d[:] = 7
        n_bytes = needed + capi.fn_workspace_overhead()
        for start in (0, 1, 8, 63):
            memory = np.full(n_bytes + 256, 0xA5, np.uint8)
            work = capi.fn_workspace_place(memory[64 + start:].ctypes.data, n_bytes - 1)
            assert compute(work, gradient) == WORKSPACE
            assert (y == 7).all()
            assert (value == 7).all()
            assert (d == 7).all()
            work = capi.fn_workspace_place(memory[64 + start:].ctypes.data, n_bytes)
            assert compute(work, gradient) == OK
            assert (memory[:64 + start] == 0xA5).all()
            assert (memory[64 + start + n_bytes:] == 0xA5).all()
            y[:] = value[:] = d[:] = 7


def test_no_workspace():
    overhead = capi.fn_workspace_overhead()
    memory = np.zeros(overhead, np.uint8)
    assert capi.fn_workspace_place(memory.ctypes.data, overhead - 1) is None
    assert capi.fn_workspace_place(memory.ctypes.data, 0) is None
    assert capi.fn_workspace_place(None, overhead) is None
    assert capi.fn_workspace_place(memory.ctypes.data, overhead) is not None
    most = 2 ** (8 * ctypes.sizeof(ctypes.c_size_t)) - 1
    for n_bytes in (most, most - overhead + 1, most // 2):
        assert capi.fn_workspace_new(n_bytes) is None
    work = capi.fn_workspace_new(0)
    assert work is not None
    capi.fn_workspace_free(work)


def test_losses_that_do_not_fit(dtype):
    net = fn.Network([2, 2], dtype=dtype)
    c, work = net.ctypes, net.ctypes.workspace(gradient=True)
    x, y = np.ones((1, 2), dtype), np.full(net.n_parameters, 7, dtype)
    n = len(fn.losses.names())
    fused = [capi.fn_loss_id(name) for name in
             (b"cross_entropy", b"binary_cross_entropy", b"kl_divergence")]
    for loss in (*fused, -1, n, 255, 2**31 - 1, -(2**31)):
        arguments = (c.address, work.address, loss, 1, x.ctypes, x.ctypes, y.ctypes, y.ctypes)
        assert gradient_of(net)(*arguments) == UNSUPPORTED
    assert (y == 7).all()


def test_functions_of_python():
    """C does not call them."""
    swish = fn.Activation(lambda z: z / (1 + np.exp(-z)), lambda z, a: a, name="swish")
    net = fn.Network([2, 3, 1], hidden=swish)
    for attempt in (lambda: net.ctypes, lambda: net.capsule, lambda: capi.fn_net_from_object(net),
                    lambda: net.lowlevel("double (int, double *, void *)")):
        with pytest.raises(ValueError, match="an activation is a function of Python"):
            attempt()


SQUARE = r"""
#include <stdint.h>
void value(intptr_t n, double *z, double *a, void *data) {
    (void)data;
    for (intptr_t i = 0; i < n; i++) a[i] = z[i] * z[i];
}
void derivative(intptr_t n, double *z, double *a, double *d, void *data) {
    (void)data; (void)a;
    for (intptr_t i = 0; i < n; i++) d[i] = 2 * z[i];
}
"""


def test_functions_of_c(compile_c):
    library = ctypes.CDLL(str(compile_c(SQUARE)))
    address = [ctypes.cast(f, ctypes.c_void_p).value for f in (library.value, library.derivative)]
    value = (address[0], "void (intptr_t, double *, double *, void *)")
    derivative = (address[1], "void (intptr_t, double *, double *, double *, void *)")
    x, d = np.array([[0.5, -2.0], [1.0, 3.0]]), np.full(13, 7.0)
    for f, status in ((fn.Activation(value, derivative), OK),
                      (fn.Activation(value, lambda z, a: 2 * z), UNSUPPORTED)):
        net = fn.Network([2, 3, 1], hidden=f, dtype="float64", seed=0)
        work, loss = net.ctypes.workspace(2, gradient=True), np.full(1, 7.0)
        assert net.n_parameters == len(d)
        got, y = forward(net, x, work)
        assert got == OK
        np.testing.assert_array_equal(y, net(x))
        targets = np.zeros((2, 1))
        assert net.ctypes.loss_and_gradient_f64(
            net.ctypes.address, work.address, 0, 2, x.ctypes, targets.ctypes, loss.ctypes,
            d.ctypes) == status
        if status == OK:
            expected, d_expected = net.loss_and_gradient(x, targets)
            assert loss[0] == expected
            np.testing.assert_array_equal(d, d_expected)
            d[:] = 7
    assert (d == 7).all()


# -- references --------------------------------------------------------------------------------

def test_references(dtype):
    net = Derived([2, 3, 1], dtype=dtype, seed=0)
    gone = weakref.ref(net)
    x, work = inputs(2, net), net.ctypes.workspace(2)
    expected, call = net(x), forward_of(net)
    before = sys.getrefcount(net)
    address = capi.fn_net_from_object(net)
    assert address == net.ctypes.address
    assert capi.fn_net_retain(address) == address
    # of Python it is one, however many there are in C
    assert sys.getrefcount(net) == before + 1
    capi.fn_net_release(address)
    assert sys.getrefcount(net) == before + 1
    del net
    gc.collect()
    y = np.empty((2, 1), dtype)
    assert call(address, work.address, 2, x.ctypes, y.ctypes) == OK
    np.testing.assert_array_equal(y, expected)
    assert gone() is not None
    capi.fn_net_release(address)
    gc.collect()
    assert gone() is None


@pytest.mark.parametrize("thing", [None, 3, "net", object(), fn.Network])
def test_objects_that_are_no_networks(thing):
    with pytest.raises(TypeError, match=r"network must be a fastnet.Network, got"):
        capi.fn_net_from_object(thing)


def test_an_object_that_is_not_built():
    with pytest.raises(RuntimeError, match="__init__"):
        fn.Network.__new__(fn.Network).ctypes  # noqa: B018


def test_capsule(dtype):
    net = network(dtype)
    before = sys.getrefcount(net)
    capsule = net.capsule
    assert sys.getrefcount(net) == before + 1
    get = ctypes.pythonapi.PyCapsule_GetPointer
    get.restype, get.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    assert get(capsule, b"fn_net") == net.ctypes.address
    del capsule
    assert sys.getrefcount(net) == before


def test_what_the_address_belongs_to():
    net = network("float32")
    c, work = net.ctypes, net.ctypes.workspace()
    assert c.network is net
    assert copy.copy(net).ctypes.address != c.address
    assert pickle.loads(pickle.dumps(net)).ctypes.address != c.address
    for each in (c, work):
        with pytest.raises(TypeError, match="cannot be pickled"):
            pickle.dumps(each)
        assert copy.copy(each) is each
        assert copy.deepcopy([each])[0].address == each.address
    for n_rows in (0, -1):
        with pytest.raises(ValueError, match="n_rows"):
            c.workspace(n_rows)
    with pytest.raises(TypeError, match="n_rows"):
        c.workspace(1.5)


# -- files -------------------------------------------------------------------------------------

def loaded(content):
    """The handle, or None, and the status."""
    status = ctypes.c_int(99)
    handle = capi.fn_net_from_memory(content, len(content), ctypes.byref(status))
    return handle, status.value


def test_a_file_in_memory(dtype, tmp_path):
    net = network(dtype)
    net.save(tmp_path / "net.safetensors")
    content = (tmp_path / "net.safetensors").read_bytes()
    buffer = ctypes.create_string_buffer(content, len(content))
    status = ctypes.c_int(99)
    handle = capi.fn_net_from_memory(buffer, len(content), ctypes.byref(status))
    ctypes.memset(buffer, 0, len(content))
    assert status.value == OK
    gc.collect()
    x, work = inputs(3, net), net.ctypes.workspace(3)
    status, y = forward(net, x, work, handle)
    assert status == OK
    np.testing.assert_array_equal(y, net(x))
    capi.fn_net_release(handle)
    handle = capi.fn_net_from_memory(content, len(content), None)
    assert capi.fn_net_n_parameters(handle) == net.n_parameters
    capi.fn_net_release(handle)


def test_files_that_are_none(tmp_path):
    net = fn.Network([2, 3, 1], seed=0)
    net.save(tmp_path / "net.safetensors")
    content = (tmp_path / "net.safetensors").read_bytes()
    damaged = bytearray(content)
    damaged[-5] ^= 0x40
    genome = fn.neat.Genome(fn.neat.Config(2, 1), rng=0).to_json().encode()
    for bad in (b"", b"x" * 100, content[:-1], content + b"\0", bytes(damaged), genome):
        assert loaded(bad) == (None, FORMAT)
    assert capi.fn_net_from_memory(b"x", 1, None) is None
    status = ctypes.c_int(99)
    assert capi.fn_net_from_memory(None, 10, ctypes.byref(status)) is None
    assert status.value == NULL
    most = 2 ** (8 * ctypes.sizeof(ctypes.c_size_t)) - 1
    assert capi.fn_net_from_memory(b"x", most, ctypes.byref(status)) is None
    assert status.value == FORMAT


# -- threads -----------------------------------------------------------------------------------

def test_threads_share_a_net(dtype):
    net = fn.Network([8, 64, 64, 2], hidden="tanh", dtype=dtype, seed=0)
    x = inputs(64, net)
    expected, wrong = net(x), []

    def work_on():
        handle = capi.fn_net_retain(net.ctypes.address)
        work = net.ctypes.workspace(64)
        for _ in range(100):
            status, y = forward(net, x, work, handle)
            if status != OK or not np.array_equal(y, expected):
                wrong.append(status)
        capi.fn_net_release(handle)

    before = sys.getrefcount(net)
    threads = [threading.Thread(target=work_on) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert sys.getrefcount(net) == before
