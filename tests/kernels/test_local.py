"""The sigmoids of one row, polynomials around many centers, against 40 digits."""

import mpmath
import numpy as np
import pytest

from fastnet._kernels.probe_graphs import GraphOf, GraphTable

EXACT = {
    "sigmoid": lambda z: 1 / (1 + mpmath.exp(-z)),
    "steep_sigmoid": lambda z: 1 / (1 + mpmath.exp(-mpmath.mpf(49) / 10 * z)),
    "tanh": mpmath.tanh,
}
# distance of two centers, the end of the table
GRID = {"sigmoid": (1 / 8, 40.0), "steep_sigmoid": (1 / 64, 5.0), "tanh": (1 / 16, 20.0)}


@pytest.fixture
def table(isa, dtype):
    return GraphTable(isa, dtype)


def arguments(name, dtype):
    """Centers, the middles between them with their neighbors, the ends, anything between."""
    distance, end = GRID[name]
    rng = np.random.default_rng(0)
    cells = rng.integers(-325, 326, 60)
    centers = np.concatenate([cells, [-320, -319, -1, 0, 1, 318, 319, 320]]) * distance
    middles = (centers + distance / 2).astype(dtype)
    return np.concatenate([
        centers, middles, np.nextafter(middles, dtype(-100)), np.nextafter(middles, dtype(100)),
        rng.uniform(-end, end, 300), rng.uniform(-1.2, 1.2, 300) * end,
        rng.choice([-1, 1], 60) * 10.0 ** rng.uniform(-30, 0, 60),
    ]).astype(dtype)


@pytest.mark.parametrize("name", EXACT)
def test_largest_error(table, name):
    graph = GraphOf(1, [([0], name)], [1], [1.0])
    info = np.finfo(table.dtype)
    for x in arguments(name, table.dtype.type):
        with mpmath.workdps(40):
            exact = EXACT[name](mpmath.mpf(float(x)))
            unit = max(np.spacing(table.dtype.type(abs(float(exact)))), info.smallest_subnormal)
            error = abs(mpmath.mpf(float(table.graph_step(graph, [x])[0])) - exact) / float(unit)
        # outside the table the functions of vectors, see functions.pxi
        bound = 2 if abs(x) < 319 * GRID[name][0] else 3
        assert error <= bound, (x, float(error))


@pytest.mark.parametrize("name", EXACT)
def test_special_numbers(table, name):
    graph = GraphOf(1, [([0], name)], [1], [1.0])
    low = -1.0 if name == "tanh" else 0.0
    x = np.array([np.nan, np.inf, -np.inf, 1e30, -1e30, 0.0, -0.0])
    middle = 0.0 if name == "tanh" else 0.5
    expected = [np.nan, 1.0, low, 1.0, low, middle, middle]
    np.testing.assert_array_equal([table.graph_step(graph, [z])[0] for z in x], expected)
