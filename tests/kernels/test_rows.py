"""Gathering, reductions and scaling against NumPy in float64."""

import itertools
import math

import numpy as np
import pytest

from fastnet._kernels import dispatch, probe

TABLES = list(itertools.product(dispatch.supported(), ("float32", "float64"), (0, 1)))


@pytest.fixture(params=TABLES, ids=lambda p: f"{p[0]}-{p[1]}-misalign{p[2]}")
def table(request):
    return probe.Table(*request.param)


def lengths(table):
    vl = table.vector_length
    return sorted({0, 1, 2, 3, vl - 1, vl, vl + 1, 2 * vl + 1, 8 * vl, 8 * vl + 1, 33, 101, 1009})


def exact(values, dtype):
    """The values that the kernel gets, as float64."""
    return np.asarray(values, dtype).astype(float)


@pytest.mark.parametrize("n_rows", [0, 1, 5, 17])
def test_gather(table, n_rows):
    rng = np.random.default_rng(n_rows)
    for n in [*range(18), 31, 32, 33, 47, 64, 65, 127, 255, 256, 257, 784, 1031]:
        source = exact(rng.normal(size=(7, n)), table.dtype)
        order = rng.integers(0, 7, n_rows)
        if n_rows > 1:
            order[[0, -1]] = 6, 0  # the last source row is the one an over-read would leave
        np.testing.assert_array_equal(table.gather(source, order), source[order])


@pytest.mark.parametrize("accumulate", [False, True])
@pytest.mark.parametrize("n_rows", [0, 1, 2, 3, 4, 5, 7, 16, 33, 101])
def test_column_sums(table, n_rows, accumulate):
    rng = np.random.default_rng(n_rows)
    vl = table.vector_length
    for n in sorted({0, 1, 2, 3, 4, 5, 7, 8, 10, vl - 1, vl, vl + 1, 2 * vl, 3 * vl - 1, 53}):
        x = exact(rng.normal(size=(n_rows, n)), table.dtype)
        start = exact(rng.normal(size=n), table.dtype)
        got = table.column_sums(x, start if accumulate else None)
        expected = x.sum(axis=0) + accumulate * start
        bound = np.finfo(table.dtype).eps * (n_rows + 1) * (np.abs(x).sum(axis=0) + np.abs(start))
        assert got.dtype == table.dtype
        assert np.all(np.abs(got - expected) <= bound)


def test_column_sums_keep_columns_apart(table):
    # integers are summed exactly, so any lane in the wrong column shows
    for n in range(1, 40):
        for n_rows in (1, 2, 3, 9):
            x = np.arange(n_rows * n).reshape(n_rows, n)
            np.testing.assert_array_equal(table.column_sums(x), x.sum(axis=0))


def test_column_sums_confine_not_a_number(table):
    for n in (1, 2, 3, 4, 8, 10, 19):
        for bad in range(n):
            x = np.ones((6, n))
            x[3, bad] = np.nan
            np.testing.assert_array_equal(np.isnan(table.column_sums(x)), np.arange(n) == bad)


def test_sum_and_dot(table):
    rng = np.random.default_rng(5)
    for n in lengths(table):
        x, y = (exact(rng.normal(size=n), table.dtype) for _ in range(2))
        # double lanes: float32 data too is summed to double precision
        eps = np.finfo(float).eps * (n / 16 + 5)
        assert abs(table.sum(x) - math.fsum(x)) <= eps * np.abs(x).sum()
        assert abs(table.dot(x, y) - math.fsum(x * y)) <= eps * np.abs(x * y).sum()


def test_sum_and_dot_have_the_same_bits_everywhere(dtype):
    rng = np.random.default_rng(6)
    x, y = rng.normal(size=(2, 1003)).astype(dtype)
    tables = [probe.Table(isa, dtype) for isa in dispatch.supported()]
    assert len({t.sum(x) for t in tables}) == 1
    assert len({t.dot(x, y) for t in tables}) == 1


@pytest.mark.parametrize("value", [1e-30, 1e30])
def test_dot_of_float32_neither_overflows_nor_vanishes(value):
    for isa in dispatch.supported():
        x = np.full(37, value, np.float32)
        expected = pytest.approx(37 * float(x[0]) ** 2, rel=1e-14)
        assert probe.Table(isa, "float32").dot(x, x) == expected


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_sum_and_dot_propagate(table, bad):
    for n in (1, 15, 16, 17, 40):
        x = np.ones(n)
        x[n // 2] = bad
        np.testing.assert_equal(table.sum(x), bad)
        np.testing.assert_equal(table.dot(x, np.ones(n)), bad)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_first_nonfinite(table, bad):
    largest = np.finfo(table.dtype).max
    for n in lengths(table):
        x = np.resize([largest, -largest, 0.0, -0.0, 1e-45, 1.0], n)
        assert table.first_nonfinite(x) == -1
        for first in {0, 1, n // 2, n - 2, n - 1} & set(range(n)):
            marked = x.copy()
            marked[first] = marked[-1] = bad
            assert table.first_nonfinite(marked) == first


def test_scale(table):
    rng = np.random.default_rng(7)
    for n in lengths(table):
        x = exact(rng.normal(size=n), table.dtype)
        np.testing.assert_array_equal(table.scale(-0.25, x), -0.25 * x)
    np.testing.assert_array_equal(
        table.scale(2.0, [np.nan, np.inf, -np.inf]), [np.nan, np.inf, -np.inf]
    )
