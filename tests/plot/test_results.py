"""Pictures of what `minimize`, `multi_start` and `PlanarArm.solve` return."""

import ctypes

import numpy as np
import pytest

import fastnet as fn


def quartic(x):
    """Document 003."""
    return 3 * x**4 + 5 * x**3 - 20 * x**2 + 8 * x + 10


def bowl(x):
    return x[0] ** 2 + 3 * x[1] ** 2


def line(ax, label):
    found, = [line for line in ax.lines if line.get_label() == label]
    return found


def test_results_of_minimize():
    r = fn.minimize(quartic, 3.0, step=0.01, record=True)
    ax = fn.plot.descent(quartic, r)
    assert ax.lines[1].get_xdata().tolist() == r.path.tolist()
    assert ax.lines[1].get_ydata()[-1] == r.value
    r = fn.minimize(bowl, [2.0, 1.0], step=0.1, record=True)
    assert fn.plot.descent(bowl, r).lines[0].get_xydata().tolist() == r.path.tolist()
    with pytest.raises(ValueError, match="record=True"):
        fn.plot.descent(quartic, fn.minimize(quartic, 3.0))
    results = fn.multi_start(quartic, [-1.0, 2.0], record=True)
    assert len(fn.plot.descent(quartic, results).lines) == 5


def test_a_function_of_c():
    double_p = ctypes.POINTER(ctypes.c_double)

    @ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_ssize_t, double_p, ctypes.c_void_p)
    def f(n, x, _):
        return sum(x[k] ** 2 for k in range(n))

    r = fn.minimize(f, [2.0, 1.0], step=0.1, record=True, max_iterations=5)
    ax = fn.plot.descent(f, r, n_points=11)
    assert ax.lines[0].get_xydata().tolist() == r.path.tolist()


def test_solutions_of_an_arm():
    three = fn.PlanarArm((1, 1, 1))
    start = np.radians([22, -20, 14])
    r = three.solve(start, record=True)
    ax = three.plot(r)
    np.testing.assert_allclose(line(ax, "start").get_xydata(), three.positions(start), atol=1e-15)
    np.testing.assert_allclose(
        line(ax, "solution").get_xydata(), three.positions(r.angles), atol=1e-15)
    np.testing.assert_allclose(line(ax, "target").get_ydata(), 0, atol=1e-15)
    many = three.solve(np.stack([start, -start]), target=np.array([[1.0, 1.0], [2.0, 0.5]]))
    assert line(three.plot(many, index=1), "target").get_xydata().tolist() == [[2.0, 0.5]]
