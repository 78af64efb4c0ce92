"""Activations: values, derivatives and Jacobians by name, and custom ones."""

import copy
import pickle

import numpy as np
import pytest

from fastnet import activations

ELEMENTWISE = [name for name in activations.names() if name != "softmax"]
MATRIX = np.array([[1.0, -2.0, 0.5], [0.0, 3.0, 1.0], [4.0, 0.0, -1.0]])


def tolerance(dtype):
    # The kernels promise a few ulp, absolute where a formula cancels; the twins have as much again.
    return dict(rtol=16 * np.finfo(dtype).eps, atol=16 * np.finfo(dtype).eps)


def points(dtype, shape=(7, 5)):
    # No 0: that is where the kinks are.
    return np.linspace(-4, 4.1, int(np.prod(shape))).reshape(shape).astype(dtype)


def mixing_value(z):
    """Not elementwise, and its Jacobian is not symmetric."""
    return MATRIX @ z**2


def mixing_jacobian(z, a):
    return MATRIX * (2 * z)


def square_value(z):
    return z * z


def square_derivative(z, a):
    return 2 * z


def test_names_are_those_of_the_oracle(oracle):
    assert set(activations.names()) == {*oracle.ACTIVATIONS, "softmax"}


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_value_and_derivative(oracle, name, dtype):
    z = points(dtype)
    value, derivative = oracle.ACTIVATIONS[name]
    a = activations.value(name, z)
    d = activations.derivative(name, z)
    assert a.dtype == d.dtype == dtype
    np.testing.assert_allclose(a, value(z.astype(float)), **tolerance(dtype))
    np.testing.assert_allclose(d, derivative(z.astype(float)), **tolerance(dtype))


@pytest.mark.parametrize("name", activations.names())
def test_jacobian(oracle, name, dtype):
    z = points(dtype, (4, 3))
    j = activations.jacobian(name, z)
    assert j.dtype == dtype
    expected = oracle.activation_jacobian(name, z.astype(float))
    np.testing.assert_allclose(j, expected, **tolerance(dtype))
    np.testing.assert_array_equal(activations.jacobian(name, z[1]), j[1])


def test_softmax_works_along_the_last_axis(oracle, dtype):
    z = points(dtype, (2, 4, 3))
    np.testing.assert_allclose(
        activations.value("softmax", z), oracle.softmax(z.astype(float)), **tolerance(dtype)
    )


def test_softmax_jacobian_keeps_what_one_minus_a_loses():
    j = activations.jacobian("softmax", [50.0, 0.0])
    small = np.exp(-50.0)
    np.testing.assert_allclose(j, [[small, -small], [-small, small]], rtol=1e-14)


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        (name, shape)
        for name in ("tanh", "relu", "softmax")
        for shape in ((), (0,), (1,), (3,), (0, 4), (4, 0), (2, 3, 4))
        if (name, shape) != ("softmax", ())
    ],
)
def test_shapes(oracle, name, shape):
    z = points("float64", shape)
    a = activations.value(name, z)
    assert np.shape(a) == shape
    if z.size:
        np.testing.assert_allclose(a, oracle.activate(name, z), **tolerance("float64"))
    if name != "softmax":
        assert np.shape(activations.derivative(name, z)) == shape


@pytest.mark.parametrize("shape", [(0,), (0, 4), (4, 0), (2, 0)])
@pytest.mark.parametrize("name", ["tanh", "softmax"])
def test_empty_jacobians(name, shape):
    assert activations.jacobian(name, np.ones(shape)).shape == (*shape, shape[-1])


@pytest.mark.parametrize(
    "make",
    [
        lambda z: z.astype(np.float16),
        lambda z: z.astype(np.longdouble),
        lambda z: z.astype(">f8"),
        lambda z: z.astype(int),
        lambda z: z > 0,
        lambda z: z.tolist(),
        lambda z: np.asfortranarray(z),
        lambda z: z[::2, ::-1],
        lambda z: np.broadcast_to(z[0], z.shape),
        lambda z: np.frombuffer(b"\0" + z.tobytes(), offset=1).reshape(z.shape),
    ],
    ids=["f16", "longdouble", "swapped", "int", "bool", "list", "fortran", "strided", "broadcast",
         "unaligned"],
)  # fmt: skip
def test_any_real_array_like(make):
    z = make(points("float64", (6, 4)))
    expected = activations.value("tanh", np.array(z, dtype=np.float64, order="C"))
    a = activations.value("tanh", z)
    assert a.dtype == np.float64
    np.testing.assert_array_equal(a, expected)


def test_float32_stays_whatever_its_layout():
    z = points(">f4", (6, 4))[::2]
    a = activations.value("tanh", z)
    assert a.dtype == np.float32
    assert a.dtype.isnative
    np.testing.assert_array_equal(a, activations.value("tanh", np.array(z, np.float32)))


def test_the_input_is_left_alone():
    z = points("float64")
    before = z.copy()
    for name in ELEMENTWISE:
        activations.value(name, z)
        activations.derivative(name, z)
    activations.jacobian("softmax", z)
    np.testing.assert_array_equal(z, before)


@pytest.mark.parametrize("name", activations.names())
def test_nan_in_nan_out(name, dtype):
    z = points(dtype, (3, 4))
    if name == "log":
        z = np.abs(z)
    z[1, 2] = np.nan
    nan = np.isnan(activations.value(name, z))
    assert nan[1, 2]
    assert not nan[[0, 2]].any()
    if name not in ("identity", "softmax"):
        assert np.isnan(activations.derivative(name, z))[1, 2]


@pytest.mark.parametrize(
    ("bad", "error", "words"),
    [
        ([1j], TypeError, "z must hold real numbers, got dtype complex128"),
        ([None], TypeError, "z must hold real numbers, got dtype object"),
        (["1"], TypeError, "z must hold real numbers, got dtype <U1"),
        (np.array(["2020"], "M8[D]"), TypeError, "z must hold real numbers, got dtype datetime64"),
        ([[1, 2], [3]], ValueError, "z must be a rectangular array"),
    ],
)
def test_what_is_no_real_array(bad, error, words):
    for function in (activations.value, activations.derivative, activations.jacobian):
        with pytest.raises(error, match=words):
            function("tanh", bad)


def test_unknown_names_suggest_the_nearest():
    with pytest.raises(ValueError, match=r"unknown activation 'rleu': did you mean 'relu'.* tanh"):
        activations.value("rleu", 1.0)
    with pytest.raises(ValueError, match="did you mean 'tanh'"):
        activations.derivative("Tanh", 1.0)
    with pytest.raises(ValueError, match=r"unknown activation 'zzzzzz': known: identity"):
        activations.jacobian("zzzzzz", [1.0])
    with pytest.raises(TypeError, match=r"name or a fastnet\.Activation, got int"):
        activations.value(3, 1.0)


def test_softmax_has_no_derivative():
    with pytest.raises(ValueError, match="jacobian"):
        activations.derivative("softmax", [1.0, 2.0])
    with pytest.raises(ValueError, match="z must have at least one dimension"):
        activations.value("softmax", 1.0)


@pytest.mark.parametrize("z", [1.0, np.ones((2, 2, 2))])
def test_jacobian_takes_a_row_or_rows(z):
    with pytest.raises(ValueError, match=r"z must have shape \(n,\) or \(n_rows, n\), got"):
        activations.jacobian("tanh", z)


class TestCustom:
    square = activations.Activation(square_value, square_derivative)
    mixing = activations.Activation(mixing_value, jacobian=mixing_jacobian)

    @pytest.mark.parametrize("shape", [(), (0,), (3,), (4, 3), (2, 4, 3)])
    def test_elementwise(self, shape, dtype):
        z = points(dtype, shape)
        for result, expected in (
            (activations.value(self.square, z), z * z),
            (activations.derivative(self.square, z), 2 * z),
        ):
            np.testing.assert_array_equal(result, expected)
            assert result.dtype == dtype

    def test_jacobian_of_elementwise_is_diagonal(self):
        j = activations.jacobian(self.square, [[1.0, 2.0], [3.0, 4.0]])
        np.testing.assert_array_equal(j, [[[2, 0], [0, 4]], [[6, 0], [0, 8]]])

    @pytest.mark.parametrize("shape", [(3,), (4, 3), (2, 4, 3), (0, 3)])
    def test_value_by_rows(self, shape):
        z = points("float64", shape)
        expected = (z**2) @ MATRIX.T
        a = activations.value(self.mixing, z)
        np.testing.assert_allclose(a, expected, rtol=1e-14, atol=1e-13)
        assert a.shape == shape

    def test_jacobian_is_not_transposed(self):
        z = np.array([1.0, 2.0, 3.0])
        j = activations.jacobian(self.mixing, z)
        h = 1e-6
        for k in range(3):
            up, down = z.copy(), z.copy()
            up[k] += h
            down[k] -= h
            difference = (mixing_value(up) - mixing_value(down)) / (2 * h)
            np.testing.assert_allclose(j[:, k], difference, rtol=1e-8, atol=1e-8)

    def test_functions_may_change_and_keep_what_they_get(self):
        kept = []

        def value(z):
            kept.append(z)
            return np.multiply(z, z, out=z)

        def derivative(z, a):
            a[:] = 0
            return np.multiply(z, 2, out=z)

        z = np.array([[1.0, 2.0]])
        greedy = activations.Activation(value, derivative)
        np.testing.assert_array_equal(activations.value(greedy, z), [[1, 4]])
        np.testing.assert_array_equal(activations.derivative(greedy, z), [[2, 4]])
        np.testing.assert_array_equal(activations.jacobian(greedy, z), [[[2, 0], [0, 4]]])
        np.testing.assert_array_equal(z, [[1, 2]])
        result = activations.value(greedy, z)
        kept[-1][:] = 7
        np.testing.assert_array_equal(result, [[1, 4]])

    def test_derivative_of_one_with_a_jacobian(self):
        with pytest.raises(ValueError, match=r"'mixing_value' is not elementwise.*jacobian"):
            activations.derivative(self.mixing, [1.0, 2.0, 3.0])
        with pytest.raises(ValueError, match="z must have at least one dimension"):
            activations.value(self.mixing, 1.0)

    @pytest.mark.parametrize(
        ("result", "error", "words"),
        [
            (np.ones((2, 1)), ValueError, r"'bad' must have shape \(2, 3\), got \(2, 1\)"),
            (1.0, ValueError, r"'bad' must have shape \(2, 3\), got \(\)"),
            (np.ones((2, 3)) * 1j, TypeError, "'bad' must hold real numbers, got dtype complex128"),
            (None, TypeError, "'bad' must hold real numbers, got dtype object"),
        ],
    )
    def test_what_functions_return_is_checked(self, result, error, words):
        z = np.ones((2, 3))
        value = activations.Activation(lambda z: result, square_derivative, name="bad")
        with pytest.raises(error, match=f"value of activation {words}"):
            activations.value(value, z)
        derivative = activations.Activation(square_value, lambda z, a: result, name="bad")
        with pytest.raises(error, match=f"derivative of activation {words}"):
            activations.derivative(derivative, z)

    def test_a_jacobian_of_another_shape(self):
        bad = activations.Activation(mixing_value, jacobian=lambda z, a: z, name="bad")
        with pytest.raises(
            ValueError, match=r"jacobian of activation 'bad' must have shape \(3, 3\)"
        ):
            activations.jacobian(bad, np.ones(3))

    def test_an_exception_arrives(self):
        def fail(z):
            raise KeyError("mine")

        with pytest.raises(KeyError, match="mine"):
            activations.value(activations.Activation(fail, square_derivative), 1.0)

    @pytest.mark.parametrize(
        ("arguments", "keywords", "error", "words"),
        [
            ((1,), {}, TypeError, "value must be callable or a C function, got int"),
            ((abs,), {}, ValueError, "exactly one of derivative and jacobian.*neither"),
            ((abs, abs), {"jacobian": abs}, ValueError, "exactly one.*both"),
            ((abs, 1), {}, TypeError, "derivative must be callable or a C function, got int"),
            ((abs,), {"jacobian": 1}, TypeError, "jacobian must be callable, got int"),
            ((abs, abs), {"name": 1}, TypeError, "name must be a str or None, got int"),
        ],
    )
    def test_bad_arguments(self, arguments, keywords, error, words):
        with pytest.raises(error, match=words):
            activations.Activation(*arguments, **keywords)

    def test_equality_pickle_and_copy(self):
        for one in (self.square, self.mixing):
            for twin in (pickle.loads(pickle.dumps(one)), copy.copy(one), copy.deepcopy(one)):
                assert twin == one
                assert hash(twin) == hash(one)
                assert (twin.value, twin.derivative, twin.jacobian, twin.name) == (
                    one.value, one.derivative, one.jacobian, one.name,
                )  # fmt: skip
        assert self.square != self.mixing
        assert self.square != "square"

    def test_repr_and_name(self):
        assert repr(self.square) == "<fastnet.Activation 'square_value' with derivative>"
        assert repr(self.mixing) == "<fastnet.Activation 'mixing_value' with jacobian>"
        named = activations.Activation(square_value, square_derivative, name="mine")
        assert named.name == "mine"
        assert named == self.square
