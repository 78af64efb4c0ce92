"""The motion of two poles on a cart: `step` against other ways to compute it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import fastnet as fn
from fastnet import neat

# Half the ranges of random states: m, m/s, rad, rad/s, rad, rad/s
RANGES = [2.4, 2.0, 0.6, 2.0, 0.6, 4.0]
CODE = """
import json, sys
from fastnet import isa, neat
task = neat.tasks.DoublePole()
states = []
for state, forces in json.load(sys.stdin):
    for force in forces:
        state = task.step(state, force).tolist()
    states.append(state)
print(json.dumps([isa(), states]))
"""


@pytest.fixture(scope="module")
def task():
    return neat.tasks.DoublePole()


@pytest.fixture(scope="module")
def record(data_directory):
    """The file; numbers as floats."""
    record = json.loads((data_directory / "double_pole.json").read_text("utf-8"))
    return {
        "gains": np.array(record["gains"], float),
        "closed": np.array(record["closed"], float),
        "open": [
            (np.array(stretch["forces"], float), np.array(stretch["states"], float))
            for stretch in record["open"]],
    }


def random_states(seed, n, scale=1.0):
    return np.random.default_rng(seed).uniform(-scale, scale, (n, 6)) * RANGES


def test_one_step_is_an_array_of_its_own(task, poles):
    state = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
    before = state.copy()
    after = task.step(state, 3.0)
    assert type(after) is np.ndarray
    assert after.shape == (6,)
    assert after.dtype == np.float64
    np.testing.assert_array_equal(state, before)
    np.testing.assert_allclose(after, poles.step(tuple(state), 3.0), rtol=0, atol=1e-13)
    np.testing.assert_array_equal(task.step(before.tolist(), 3), after)
    np.testing.assert_array_equal(neat.tasks.DoublePole(velocities=False).step(before, 3), after)


def test_500_steps_in_closed_loop(task, poles):
    """The force balances the poles, so that rounding dies away and cannot pile up."""
    gains = np.array(poles.GAINS, float)
    state = expected = poles.start()
    for k in range(500):
        state = task.step(state, gains @ state)
        expected = poles.step(expected, gains @ expected)
        np.testing.assert_allclose(state, expected, rtol=0, atol=1e-9, err_msg=f"step {k}")
        assert not poles.failed(expected)


def test_20_steps_in_open_loop(task, poles):
    rng = np.random.default_rng(1)
    for state in random_states(0, 50):
        expected = tuple(state.tolist())
        for force in rng.uniform(-10, 10, 20):
            state = task.step(state, force)
            expected = poles.step(expected, force)
        np.testing.assert_allclose(state, expected, rtol=0, atol=1e-9)


def test_recorded_closed_loop(task, record):
    state = record["closed"][0]
    for k in range(500):
        if k % 10 == 0:
            np.testing.assert_allclose(state, record["closed"][k // 10], rtol=0, atol=1e-9)
        state = task.step(state, record["gains"] @ state)
    np.testing.assert_allclose(state, record["closed"][50], rtol=0, atol=1e-9)


def test_recorded_open_loop(task, record):
    for forces, states in record["open"]:
        state = states[0]
        for force, expected in zip(forces, states[1:], strict=True):
            state = task.step(state, force)
            np.testing.assert_allclose(state, expected, rtol=0, atol=1e-9)


def test_the_record_is_what_its_program_writes(poles, data_directory):
    pytest.importorskip("mpmath")
    record = json.loads((data_directory / "double_pole.json").read_text("utf-8"))
    assert poles.recorded() == record


def test_every_instruction_set(isa, record, poles):
    """Each in a process of its own, which chooses when it starts."""
    cases = [(states[0].tolist(), forces.tolist()) for forces, states in record["open"]]
    cases += [(state.tolist(), [5.0, -7.0]) for state in random_states(3, 20)]
    environment = os.environ | {
        "FASTNET_ISA": isa, "PYTHONPATH": str(Path(fn.__file__).parents[1])}
    done = subprocess.run([sys.executable, "-c", CODE], env=environment, input=json.dumps(cases),
                          capture_output=True, text=True, timeout=120, check=False)  # fmt: skip
    assert done.returncode == 0, done.stderr
    used, states = json.loads(done.stdout)
    assert used == isa
    for (state, forces), got in zip(cases, states, strict=True):
        for force in forces:
            state = poles.step(tuple(state), force)
        np.testing.assert_allclose(got, state, rtol=0, atol=1e-9)


def fine(poles, state, force, seconds):
    """The same motion in steps of 0.5 ms, and what the friction of the hinges took meanwhile."""
    h = 0.0005
    n = round(seconds / h)
    lost = 0.0
    for _ in range(n):
        before = poles.friction_power(state)
        state = poles.runge_kutta(state, force, h)
        lost += h * (before + poles.friction_power(state)) / 2
    return np.array(state), lost


def coarse(poles, state, force, n):
    """n control steps of one step of 0.02 s each."""
    for _ in range(n):
        state = poles.runge_kutta(state, force, 0.02)
    return np.array(state)


def test_order_of_the_integrator(task, poles):
    """With half the step, the error of a method of order 4 is a 16th, in the limit."""
    ratios = []
    for state in random_states(4, 10, 0.5):
        exact, _ = fine(poles, tuple(state.tolist()), 2.0, 0.2)
        large = np.abs(coarse(poles, tuple(state.tolist()), 2.0, 10) - exact).max()
        for _ in range(10):
            state = task.step(state, 2.0)
        ratios.append(large / np.abs(state - exact).max())
    # 4 orders would be 16, 3 or 5 of them 8 and 32
    assert 12 < np.median(ratios) < 22, ratios


def test_scipy(task, poles):
    """A method of order 8 and the same equations; what is left is the error of the steps."""
    integrate = pytest.importorskip("scipy.integrate")
    for state in random_states(5, 10, 0.5):
        solution = integrate.solve_ivp(
            lambda _, s: poles.derivative(tuple(s), 2.0), (0, 0.2), state, method="DOP853",
            rtol=1e-12, atol=1e-14)
        exact = solution.y[:, -1]
        np.testing.assert_allclose(
            fine(poles, tuple(state.tolist()), 2.0, 0.2)[0], exact, rtol=0, atol=1e-9)
        large = np.abs(coarse(poles, tuple(state.tolist()), 2.0, 10) - exact).max()
        for _ in range(10):
            state = task.step(state, 2.0)
        assert np.abs(state - exact).max() < large / 8


def test_energy(task, poles):
    """Without force, the hinges take all that is lost, to the order of the integrator."""
    drifts = []
    for state in random_states(6, 10):
        first = poles.energy(state)
        exact, lost = fine(poles, tuple(state.tolist()), 0.0, 1.0)
        # the equations themselves, nearly without error of the steps
        np.testing.assert_allclose(poles.energy(exact) + lost, first, rtol=0, atol=1e-9)
        large = poles.energy(coarse(poles, tuple(state.tolist()), 0.0, 50)) + lost - first
        for _ in range(50):
            state = task.step(state, 0.0)
        small = poles.energy(state) + lost - first
        assert abs(small) < lost / 50
        drifts.append((large, small))
    large, small = np.linalg.norm(drifts, axis=0)
    # half the step: at most a 16th, but for higher orders
    assert small < large / 12


def test_the_force_does_the_work_of_the_cart(task, poles):
    """Pushed from rest for one step, the energy is that of force times way."""
    state = task.step(np.zeros(6), 8.0)
    gained = poles.energy(state) - poles.energy(np.zeros(6))
    # the friction of the hinges is far less, and so is the error of two steps
    np.testing.assert_allclose(gained, 8.0 * state[0], rtol=1e-5)


def test_mirror(task):
    for k, state in enumerate(random_states(7, 50)):
        np.testing.assert_allclose(
            task.step(-state, -float(k)), -task.step(state, float(k)), rtol=1e-14, atol=1e-15)


def test_the_place_of_the_cart_does_not_matter(task):
    for state in random_states(8, 20):
        moved = state.copy()
        moved[0] += 1.5
        after = task.step(state, 4.0)
        after[0] += 1.5
        np.testing.assert_allclose(task.step(moved, 4.0), after, rtol=0, atol=1e-14)


def test_rest(task):
    np.testing.assert_array_equal(task.step(np.zeros(6), 0.0), np.zeros(6))


def test_hanging_poles_swing(task, poles):
    """Any angle will do, far beyond where balancing ends: here around pi, and many turns later."""
    for turns in (0, 1, -40):
        state = np.array([0.0, 0.0, np.pi + 0.3, 0.0, np.pi - 0.2, 0.0])
        state[[2, 4]] += 2 * np.pi * turns
        expected = tuple(state.tolist())
        for _ in range(20):
            state = task.step(state, 0.0)
            expected = poles.step(expected, 0.0)
        np.testing.assert_allclose(state, expected, rtol=0, atol=1e-9)
        assert abs(state[3]) < 10


@pytest.mark.parametrize(("state", "error"), [
    (np.zeros(5), ValueError), (np.zeros(7), ValueError), (np.zeros((1, 6)), ValueError),
    (np.zeros((6, 1)), ValueError), (0.0, ValueError), ([], ValueError), (None, TypeError),
    ("abcdef", TypeError), (["a"] * 6, TypeError), (np.zeros(6, complex), TypeError),
])
def test_bad_states(task, state, error):
    with pytest.raises(error, match="state"):
        task.step(state, 1.0)


@pytest.mark.parametrize("force", ["1", None, [1.0, 2.0], 1j, np.zeros(2)])
def test_bad_forces(task, force):
    with pytest.raises(TypeError, match="force"):
        task.step(np.zeros(6), force)


def test_what_is_no_number_spreads(task):
    """As a network that goes astray makes it; nothing raises."""
    state = np.zeros(6)
    assert not np.isfinite(task.step(state, np.nan)).all()
    assert not np.isfinite(task.step(state, np.inf)).all()
    state[3] = np.nan
    assert np.isnan(task.step(state, 1.0)[2:4]).all()
    state[3] = 1e200
    assert not np.isfinite(task.step(state, 1.0)).all()
