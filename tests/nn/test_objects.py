"""Every public object of the dense half has a short repr, pickles and copies."""

import copy
import pickle

import numpy as np
import pytest

import fastnet as fn


def cube(z):
    return z**3


def cube_derivative(z, a):
    return 3 * z**2


def cube_jacobian(z, a):
    return np.diag(3 * z**2)


def quartic(p, y):
    return ((p - y) ** 4).sum(axis=1)


def quartic_gradient(p, y):
    return 4 * (p - y) ** 3


def trained():
    net = fn.Network([3, 4, 2], seed=0)
    rng = np.random.default_rng(0)
    net.fit(rng.normal(size=(20, 3)), rng.normal(size=(20, 2)), epochs=2, seed=0)
    return net


MAKE = {
    "Network": trained,
    "Network float64": lambda: fn.Network([3, 4, 2], dtype="float64", seed=0),
    "custom Network": lambda: fn.Network(
        3, layers=[fn.Dense(4, fn.Activation(cube, cube_derivative))]
    ),
    "layer": lambda: trained().layers[0],
    "Dense": lambda: fn.Dense(5, "relu", bias=False),
    "history": lambda: trained().history,
    "trace": lambda: trained().trace([1, 2, 3], [0, 1]),
    "Activation": lambda: fn.Activation(cube, cube_derivative),
    "Activation with jacobian": lambda: fn.Activation(cube, jacobian=cube_jacobian),
    "Loss": lambda: fn.Loss(quartic, quartic_gradient),
    "SGD": lambda: fn.SGD(0.1, momentum=0.9, nesterov=True, weight_decay=1e-4, normalize=True),
    "Adam": lambda: fn.Adam(0.02, beta1=0.8),
    "EarlyStopping": lambda: fn.EarlyStopping(patience=3, restore_best=False),
}
WAYS = {
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    **{
        f"pickle {p}": lambda o, p=p: pickle.loads(pickle.dumps(o, p))
        for p in range(2, pickle.HIGHEST_PROTOCOL + 1)
    },
}


@pytest.mark.parametrize("name", MAKE)
def test_repr_is_short(name):
    text = repr(MAKE[name]())
    assert len(text) < 300
    assert " object at 0x" not in text
    assert "\n" not in text


@pytest.mark.parametrize("name", ["Dense", "SGD", "Adam", "EarlyStopping"])
def test_repr_shows_what_was_given(name):
    text = repr(MAKE[name]())
    assert text.startswith(name)
    for value in {
        "Dense": ["5", "relu"],
        "SGD": ["0.1", "0.9"],
        "Adam": ["0.02", "0.8"],
        "EarlyStopping": ["3"],
    }[name]:
        assert value in text


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", MAKE)
def test_copies(name, way):
    made = MAKE[name]()
    again = WAYS[way](made)
    assert type(again) is type(made)
    assert repr(again) == repr(made)


@pytest.mark.parametrize("way", WAYS)
def test_a_copied_network_is_the_same_and_its_own(way, dtype):
    activation = fn.Activation(cube, cube_derivative)
    net = fn.Network(
        3,
        layers=[fn.Dense(4, activation), fn.Dense(5, "gelu", bias=False), fn.Dense(2, "softmax")],
        dtype=dtype,
        seed=0,
    )
    x = np.random.default_rng(0).normal(size=(20, 3)).astype(dtype)
    labels = np.arange(20) % 2
    expected = net(x)
    again = WAYS[way](net)
    assert again.dtype == dtype
    assert again.parameters.tobytes() == net.parameters.tobytes()
    np.testing.assert_array_equal(again(x), expected)
    again.parameters[:] = 0
    np.testing.assert_array_equal(net(x), expected)
    again = WAYS[way](net)
    again.fit(x, labels, epochs=3, seed=1)
    np.testing.assert_array_equal(net(x), expected)
    net.fit(x, labels, epochs=3, seed=1)
    np.testing.assert_array_equal(net.parameters, again.parameters)
    for layer in again.layers:
        assert np.shares_memory(layer.weights, again.parameters)
        assert not np.shares_memory(layer.weights, net.parameters)


@pytest.mark.parametrize("way", WAYS)
def test_a_copied_optimizer_goes_on(way, dtype):
    rng = np.random.default_rng(0)
    for optimizer in (fn.Adam(0.01), fn.SGD(0.01, momentum=0.9)):
        p = rng.normal(size=11).astype(dtype)
        for _ in range(3):
            optimizer.step(p, rng.normal(size=11).astype(dtype))
        again = WAYS[way](optimizer)
        first, second, gradient = p.copy(), p.copy(), rng.normal(size=11).astype(dtype)
        optimizer.step(first, gradient)
        again.step(second, gradient)
        np.testing.assert_array_equal(first, second)
        # each has a state of its own
        for _ in range(3):
            optimizer.step(first, -gradient)
        optimizer.step(first.copy(), gradient)
        third = second.copy()
        again.step(third, gradient)
        fresh = (
            type(optimizer)(0.01) if isinstance(optimizer, fn.Adam) else fn.SGD(0.01, momentum=0.9)
        )
        fourth = second.copy()
        fresh.step(fourth, gradient)
        assert not np.array_equal(third, fourth)


@pytest.mark.parametrize("way", WAYS)
def test_partial_fit_goes_on_in_a_copy(way, dtype):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(20, 3)), rng.normal(size=(20, 2))
    net = fn.Network([3, 4, 2], dtype=dtype, seed=0)
    net.partial_fit(x, y, optimizer="adam", shuffle=False)
    again = WAYS[way](net)
    net.partial_fit(x, y, shuffle=False)
    again.partial_fit(x, y, shuffle=False)
    np.testing.assert_array_equal(net.parameters, again.parameters)


@pytest.mark.parametrize(
    "use",
    [
        lambda net: net(np.zeros(0, bool)),
        lambda net: net(np.zeros((2, 0))),
        lambda net: net.predict(np.zeros(3)),
        lambda net: net.predict_population(np.zeros((1, 0)), np.zeros((1, 0))),
        lambda net: net.loss_and_gradient(np.zeros((1, 0)), np.zeros((1, 0))),
        lambda net: net.jacobian(np.zeros(0)),
        lambda net: net.input_jacobian(np.zeros(0)),
        lambda net: net.fit(np.zeros((1, 0)), np.zeros((1, 0))),
        lambda net: net.evaluate(np.zeros((1, 0)), np.zeros((1, 0))),
    ],
)
def test_network_without_init_is_an_error(use):
    """Nothing reaches a kernel through an object whose constructor never ran."""
    with pytest.raises(RuntimeError, match="__init__"):
        use(fn.Network.__new__(fn.Network))
