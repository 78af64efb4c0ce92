"""Accuracy of the elementary functions against mpmath, in units in the last place.

They are reached through the table: exp and log have entries, the others are activations or, with a
prime, their derivatives; the cosine is that of sin.  A unit is the distance between neighbors at
the exact value.
"""

import functools

import mpmath
import numpy as np
import pytest

PRECISION = 240  # bits of the reference, 72 digits
DTYPES = ("float32", "float64")
N_POINTS = 1500  # of each kind

nan, inf = float("nan"), float("inf")


def selu_scale():
    return mpmath.mpf("1.0507009873554804934193349852946")


def selu_alpha():
    return mpmath.mpf("1.6732632423543772848170429916717")


def normal_cdf(x):
    return mpmath.erfc(-x / mpmath.sqrt(2)) / 2


# name: exact function of an mpf
EXACT = {
    "exp": mpmath.exp,
    "log": mpmath.log,
    "tanh": mpmath.tanh,
    "sigmoid": lambda x: 1 / (1 + mpmath.exp(-x)),
    "steep_sigmoid": lambda x: 1 / (1 + mpmath.exp(-x * 49 / 10)),
    "elu": lambda x: x if x > 0 else mpmath.expm1(x),
    "softplus": lambda x: mpmath.log1p(mpmath.exp(x)),
    "gaussian": lambda x: mpmath.exp(-x * x),
    "sin": mpmath.sin,
    "cos": mpmath.cos,
    "gelu": lambda x: x * normal_cdf(x),
    "selu": lambda x: selu_scale() * (x if x > 0 else selu_alpha() * mpmath.expm1(x)),
    "silu": lambda x: x / (1 + mpmath.exp(-x)),
    "mish": lambda x: x * mpmath.tanh(mpmath.log1p(mpmath.exp(x))),
    "softsign": lambda x: x / (1 + abs(x)),
    "softsign'": lambda x: 1 / (1 + abs(x)) ** 2,
    "elliot": lambda x: (1 + (x + abs(x))) / (2 * (1 + abs(x))),
    "elliot'": lambda x: 1 / (2 * (1 + abs(x)) ** 2),
    "hard_tanh": lambda x: min(max(x, -1), 1),
    "hard_sigmoid": lambda x: min(max(x / 6 + 0.5, 0), 1),
    "abs": abs,
    "square": lambda x: x**2,
    "square'": lambda x: 2 * x,
    "cube": lambda x: x**3,
    "cube'": lambda x: 3 * x**2,
    "exp'": mpmath.exp,
    "inverse": lambda x: 1 / x,
    "inverse'": lambda x: -1 / x**2,
    "log'": lambda x: 1 / x,
}

# name: largest error in units in the last place.  The first four are promised to users.
BOUNDS = {
    "exp": 1, "log": 1, "tanh": 3, "sigmoid": 3,
    "steep_sigmoid": 3, "elu": 1, "softplus": 2, "gaussian": 1, "sin": 3, "cos": 3, "gelu": 4.2,
    "selu": 2, "silu": 3, "mish": 4.2, "softsign": 1.5, "softsign'": 3.5, "elliot": 1.5,
    "elliot'": 3.5, "hard_tanh": 0, "hard_sigmoid": 1.5, "abs": 0, "square": 0.5, "square'": 0,
    "cube": 1.5, "cube'": 1.5, "exp'": 1, "inverse": 0.5, "inverse'": 2, "log'": 0.5,
}  # fmt: skip

# Where the function is neither 0, nor infinite, nor the identity: float32, then float64
RANGES = {
    "exp": ((-104, 88.8), (-746, 709.9)),
    "tanh": ((-10, 10), (-23, 23)),
    "sigmoid": ((-104, 20), (-746, 45)),
    "steep_sigmoid": ((-21.3, 4), (-152.3, 9)),
    "elu": ((-20, 1), (-45, 1)),
    "softplus": ((-104, 20), (-746, 45)),
    "gaussian": ((-10.3, 10.3), (-27.4, 27.4)),
    "sin": ((-3000, 3000), (-1.6e6, 1.6e6)),
    "cos": ((-3000, 3000), (-1.6e6, 1.6e6)),
    "gelu": ((-14.5, 8), (-39, 10)),
    "selu": ((-20, 5), (-45, 5)),
    "silu": ((-110, 20), (-754, 45)),
    "mish": ((-110, 12), (-754, 25)),
    "hard_tanh": ((-2, 2), (-2, 2)),
    "hard_sigmoid": ((-4, 4), (-4, 4)),
    "exp'": ((-104, 88.8), (-746, 709.9)),
}
# Every finite number, and for these the positive ones
UNBOUNDED = [name for name in EXACT if name not in RANGES]
POSITIVE = ("log", "log'")


def apply(table, name, x):
    if name == "exp":
        return table.exp(x)
    if name == "log":
        return table.log(x)
    if name == "cos":
        name = "sin'"
    if name.endswith("'"):
        a = table.activate(name[:-1], x)
        return table.multiply_derivative(name[:-1], x, a, np.ones_like(x))
    return table.activate(name, x)


def neighbors(x, dtype, reach=2):
    """The numbers around each x."""
    x = np.asarray(x, dtype)
    found = [x]
    for direction in (-inf, inf):
        y = x
        for _ in range(reach):
            y = np.nextafter(y, dtype(direction))
            found.append(y)
    return np.concatenate(found)


def points(name, dtype):
    """Random and evenly spaced arguments over the whole range, and those where errors peak."""
    dtype = np.dtype(dtype).type
    rng = np.random.default_rng(20240501)
    info = np.finfo(dtype)
    if name in UNBOUNDED and name not in POSITIVE:
        sign = rng.choice([-1, 1], 3 * N_POINTS)
        low, high = np.log2([float(info.smallest_subnormal), float(info.max)])
        parts = [
            rng.uniform(-4, 4, N_POINTS),
            sign * 2.0 ** rng.uniform(low + 1, high, 3 * N_POINTS),
            neighbors([-1, 1, -2, 2, info.tiny], dtype, 1),
            np.array([-info.max, info.max]),
        ]
        return np.concatenate([part.astype(dtype) for part in parts])
    if name in POSITIVE:
        low, high = np.log([float(info.smallest_subnormal), float(info.max)])
        near_one = 1 + rng.normal(size=N_POINTS) * 10.0 ** rng.uniform(-9, -1, N_POINTS)
        parts = [
            np.exp(np.linspace(low, high, N_POINTS)),
            np.exp(rng.uniform(low, np.log(float(info.tiny)), N_POINTS // 5)),
            rng.uniform(0.5, 2.5, N_POINTS),
            near_one,
            # a new exponent begins at sqrt(1/2) and sqrt(2)
            neighbors(np.sqrt([0.125, 0.5, 2, 8]), dtype, 50),
            neighbors([1, 2, 0.5, info.tiny, info.max / 2, 2 * info.smallest_subnormal], dtype, 1),
        ]
        return np.concatenate([part.astype(dtype) for part in parts])
    low, high = RANGES[name][dtype is np.float64]
    sign = rng.choice([-1, 1], N_POINTS)
    parts = [
        np.linspace(low, high, N_POINTS),
        rng.uniform(low, high, N_POINTS),
        rng.uniform(max(low, -3), min(high, 3), N_POINTS),
        sign * 10.0 ** rng.uniform(np.log10(float(info.tiny)) + 1, 0, N_POINTS),
    ]
    if name in ("sin", "cos"):
        k = np.concatenate([np.arange(-64, 65), rng.integers(low / 1.58, high / 1.58, N_POINTS)])
        # |x| - k pi / 4 is as small as it can be, and the quadrant changes
        parts.append(neighbors(k * (np.pi / 2), dtype))
        parts.append(neighbors(k[:300] * (np.pi / 2) + np.pi / 4, dtype))
        # beyond the reduction
        parts.append(sign * 10.0 ** rng.uniform(3, np.log10(float(info.max)), N_POINTS))
        parts.append(neighbors([low, high], dtype))
    else:
        # e^x changes its binary exponent
        k = np.arange(-200, 200) + 0.5
        k = k[(k * np.log(2) > low) & (k * np.log(2) < high)]
        parts.append(neighbors(k * np.log(2), dtype))
    return np.concatenate([part.astype(dtype) for part in parts])


@functools.cache
def reference(name, dtype):
    """Arguments, the exact values rounded to float64, what that leaves over, and the unit of each.

    What is left over is in units, because of a denormal it would be no float64.
    """
    x = points(name, dtype)
    with mpmath.workprec(PRECISION):
        exact = [EXACT[name](mpmath.mpf(float(v))) for v in x]
        high = np.array([float(v) for v in exact])
        with np.errstate(over="ignore"):
            rounded = high.astype(dtype)
        # the largest number has no neighbor above
        top = np.ldexp(rounded.dtype.type(1), np.finfo(dtype).maxexp - 1)
        unit = np.spacing(np.minimum(np.abs(rounded), top)).astype(float)
        low = [(v - h) / u if mpmath.isfinite(h) else 0
               for v, h, u in zip(exact, high.tolist(), unit.tolist(), strict=True)]  # fmt: skip
    return x, high, np.array(low, float), rounded, unit


def distance(computed, high, low, unit):
    """Units between computed and exact values."""
    return np.abs((computed.astype(float) - high) / unit - low)


def errors(name, table):
    x, high, low, rounded, unit = reference(name, str(table.dtype))
    computed = apply(table, name, x)
    finite = np.isfinite(rounded)
    np.testing.assert_array_equal(computed[~finite], rounded[~finite])
    return x[finite], distance(computed[finite], high[finite], low[finite], unit[finite])


@pytest.mark.parametrize("name", EXACT)
def test_accuracy(table, name):
    x, error = errors(name, table)
    worst = np.argmax(error)  # a NaN counts as the largest
    assert error[worst] <= BOUNDS[name], f"{name}({x[worst]!r}) is {error[worst]:.3f} units off"


def test_reference_notices_one_unit(dtype):
    # the second neighbor above the nearest number is at least a unit and a half too large
    _, high, low, rounded, unit = reference("sigmoid", dtype)
    above = rounded.dtype.type(inf)
    wrong = np.nextafter(np.nextafter(rounded, above), above)
    assert distance(wrong, high, low, unit).min() >= 1.5


# name: (argument, value), the same in both precisions; the sign of a zero counts
SPECIAL = {
    "exp": [(-inf, 0.0), (inf, inf), (-1000.0, 0.0), (1000.0, inf), (0.0, 1.0), (-0.0, 1.0)],
    "log": [(0.0, -inf), (-0.0, -inf), (inf, inf), (-inf, nan), (-1.0, nan), (-1e-40, nan),
            (1.0, 0.0)],
    "tanh": [(-inf, -1.0), (inf, 1.0), (0.0, 0.0), (-0.0, -0.0), (1000.0, 1.0), (-1000.0, -1.0),
             (1e-40, 1e-40), (-1e-40, -1e-40)],
    "sigmoid": [(-inf, 0.0), (inf, 1.0), (0.0, 0.5), (-0.0, 0.5), (1000.0, 1.0), (-1000.0, 0.0)],
    "steep_sigmoid": [(-inf, 0.0), (inf, 1.0), (0.0, 0.5), (1000.0, 1.0), (-1000.0, 0.0)],
    "elu": [(-inf, -1.0), (inf, inf), (0.0, 0.0), (-0.0, -0.0), (1000.0, 1000.0), (-1000.0, -1.0),
            (-1e-40, -1e-40)],
    "softplus": [(-inf, 0.0), (inf, inf), (1000.0, 1000.0), (-1000.0, 0.0)],
    "gaussian": [(-inf, 0.0), (inf, 0.0), (0.0, 1.0), (-0.0, 1.0), (1e30, 0.0), (-1e30, 0.0)],
    "sin": [(-inf, nan), (inf, nan), (0.0, 0.0), (-0.0, -0.0), (1e-40, 1e-40), (-1e-40, -1e-40)],
    "cos": [(-inf, nan), (inf, nan), (0.0, 1.0), (-0.0, 1.0), (1e-40, 1.0)],
    "gelu": [(-inf, 0.0), (inf, inf), (0.0, 0.0), (-1000.0, 0.0), (1000.0, 1000.0),
             (1e-30, 5e-31)],
    "selu": [(-inf, -1.7580993408473768), (inf, inf), (0.0, 0.0), (-0.0, -0.0)],
    "silu": [(-inf, -0.0), (inf, inf), (0.0, 0.0), (-0.0, -0.0), (-1000.0, -0.0),
             (1000.0, 1000.0), (1e-30, 5e-31)],
    "mish": [(-inf, -0.0), (inf, inf), (0.0, 0.0), (-0.0, -0.0), (-1000.0, -0.0),
             (1000.0, 1000.0)],
    "softsign": [(-inf, -1.0), (inf, 1.0), (0.0, 0.0), (-0.0, -0.0), (1e30, 1.0), (-1e30, -1.0)],
    "elliot": [(-inf, 0.0), (inf, 1.0), (0.0, 0.5), (-0.0, 0.5), (1e30, 1.0)],
    "hard_tanh": [(-inf, -1.0), (inf, 1.0), (0.0, 0.0), (-0.0, -0.0), (1.0, 1.0), (-1.0, -1.0)],
    "hard_sigmoid": [(-inf, 0.0), (inf, 1.0), (0.0, 0.5), (3.0, 1.0), (-3.0, 0.0)],
    "abs": [(-inf, inf), (inf, inf), (0.0, 0.0), (-0.0, 0.0)],
    "square": [(-inf, inf), (inf, inf), (0.0, 0.0), (-0.0, 0.0)],
    "cube": [(-inf, -inf), (inf, inf), (0.0, 0.0), (-0.0, -0.0)],
    "step": [(-inf, 0.0), (inf, 1.0), (0.0, 0.0), (-0.0, 0.0), (1e-40, 1.0), (-1e-40, 0.0)],
    "inverse": [(-inf, -0.0), (inf, 0.0), (0.0, inf), (-0.0, -inf), (2.0, 0.5)],
}  # fmt: skip


@pytest.mark.parametrize("name", SPECIAL)
def test_special_values(table, name):
    x, expected = np.array([(nan, nan), *SPECIAL[name]], table.dtype).T
    value = apply(table, name, x)
    np.testing.assert_array_equal(value, expected)
    if name != "gelu":  # -0 or 0, both are limits
        zero = expected == 0
        np.testing.assert_array_equal(np.signbit(value[zero]), np.signbit(expected[zero]))


@pytest.mark.parametrize("name", EXACT)
def test_nan_stays_in_its_lane(table, name):
    n = 4 * table.vector_length + 3
    x = np.linspace(0.25, 2, n)
    expected = apply(table, name, x)
    assert not np.isnan(expected).any()
    # quiet and signaling, with a payload in the low bits only, either sign
    single = table.dtype == np.float32
    top, quiet = (255 << 23, 1 << 22) if single else (2047 << 52, 1 << 51)
    negative = 1 << (8 * table.dtype.itemsize - 1)
    patterns = [top + 1, negative + top + 1, top + quiet, negative + top + quiet + 5]
    patterns = np.array(patterns, np.uint32 if single else np.uint64)
    for i, pattern in enumerate(patterns.view(table.dtype)):
        assert np.isnan(pattern)
        places = [i, n - 1]
        y = np.array(x, table.dtype)
        y[places] = pattern
        computed = apply(table, name, y)
        assert np.isnan(computed[places]).all()
        others = np.delete(np.arange(n), places)
        np.testing.assert_array_equal(computed[others], expected[others])


@pytest.mark.parametrize(
    ("name", "limit"),
    [("exp", {"float32": (88.72283, 88.72284), "float64": (709.782712893384, 709.7827128933841)})],
)
def test_overflow_threshold(table, name, limit):
    low, high = limit[str(table.dtype)]
    value = apply(table, name, np.array([low, high], table.dtype))
    assert np.isfinite(value[0])
    assert value[1] == inf


def test_gradual_underflow(table):
    # e^x and sigmoid(x) of the most negative arguments whose values are not 0
    lowest = {"float32": -103.9, "float64": -745.1}[str(table.dtype)]
    smallest = np.finfo(table.dtype).smallest_subnormal
    for name in ("exp", "sigmoid", "softplus"):
        assert apply(table, name, np.array([lowest]))[0] == smallest
        assert apply(table, name, np.array([lowest - 0.2]))[0] == 0


def test_sine_falls_back_lane_by_lane(table):
    # one argument beyond the reduction, at any lane, leaves the others as they were
    n = 2 * table.vector_length + 1
    x = np.linspace(-3, 3, n)
    expected = table.activate("sin", x)
    with mpmath.workprec(PRECISION):
        far = float(mpmath.sin(mpmath.mpf(2) ** 40))
    for i in range(n):
        y = x.copy()
        y[i] = 2.0**40
        computed = table.activate("sin", y)
        assert abs(computed[i] - far) <= 2 * np.spacing(table.dtype.type(abs(far)))
        np.testing.assert_array_equal(np.delete(computed, i), np.delete(expected, i))
