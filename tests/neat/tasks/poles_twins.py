"""Slow, obvious twins of the pole balancing tasks, in plain Python.

Two poles on a cart: the equations of Wieland (1991) as Gomez and Miikkulainen wrote them down, the
settings, fitness and tests of Stanley & Miikkulainen (2002, section 4).  One pole: the equations of
Barto, Sutton & Anderson (1983) as CartPole-v1 of gymnasium has them.

A state is a tuple: position x of the cart (m), its velocity, then angle (rad, 0 is upright) and
angular velocity of each pole.  Its entries are floats; or arrays, with ``lib=numpy``, for many
states at once; or numbers of mpmath, with ``lib=mpmath.mp`` and ``number=mpmath.mpf``.  A
controller is a function of the inputs of a network that returns the value of its output.

    python tests/neat/tasks/poles_twins.py

writes the trajectories of tests/data/double_pole.json, with 50 digits.
"""

import itertools
import json
import math
from pathlib import Path

import numpy as np

GRAVITY = "-9.8"
CART_MASS = "1"
POLES = (("0.5", "0.1"), ("0.05", "0.01"))  # half of the length, mass
HINGE_FRICTION = "0.000002"
TIME_STEP = "0.01"  # two of them are a control step
TRACK = 2.4
FALLEN = 0.2 * math.pi
LARGEST_FORCE = 10.0

# Two poles: motion


def derivative(state, force, lib=math, number=float):
    """Time derivative of a state under a force on the cart (N)."""
    _, velocity, *angles = state
    gravity, friction = number(GRAVITY), number(HINGE_FRICTION)
    quarters = number("0.75")
    total_force, total_mass = force, number(CART_MASS)
    parts = []
    for i, (length, mass) in enumerate(POLES):
        length, mass = number(length), number(mass)
        angle, rate = angles[2 * i], angles[2 * i + 1]
        sine, cosine = lib.sin(angle), lib.cos(angle)
        pull = friction * rate / (mass * length) + gravity * sine
        total_force = (
            total_force + mass * length * rate**2 * sine + quarters * mass * cosine * pull)
        total_mass = total_mass + mass * (1 - quarters * cosine**2)
        parts.append((length, rate, cosine, pull))
    acceleration = total_force / total_mass
    result = [velocity, acceleration]
    for length, rate, cosine, pull in parts:
        result += [rate, -quarters * (acceleration * cosine + pull) / length]
    return tuple(result)


def runge_kutta(state, force, h, lib=math, number=float):
    """The classical step of fourth order; the force stays the same."""
    def moved(slope, by):
        return tuple(s + by * d for s, d in zip(state, slope, strict=True))

    k1 = derivative(state, force, lib, number)
    k2 = derivative(moved(k1, h / 2), force, lib, number)
    k3 = derivative(moved(k2, h / 2), force, lib, number)
    k4 = derivative(moved(k3, h), force, lib, number)
    return tuple(
        s + h * (a + 2 * b + 2 * c + d) / 6
        for s, a, b, c, d in zip(state, k1, k2, k3, k4, strict=True))


def step(state, force, lib=math, number=float):
    """One control step, 0.02 s."""
    for _ in range(2):
        state = runge_kutta(state, force, number(TIME_STEP), lib, number)
    return state


def energy(state):
    """Of the cart and two uniform rods; without friction and force it stays the same (J)."""
    _, velocity, *angles = state
    total = float(CART_MASS) * velocity**2 / 2
    for i, (length, mass) in enumerate(POLES):
        length, mass = float(length), float(mass)
        angle, rate = angles[2 * i], angles[2 * i + 1]
        across = velocity + length * rate * np.cos(angle)
        along = length * rate * np.sin(angle)
        turning = mass * length**2 / 3 * rate**2
        total = total + mass * (across**2 + along**2) / 2 + turning / 2
        total = total - mass * float(GRAVITY) * length * np.cos(angle)
    return total


def friction_power(state):
    """What the hinges take away (W)."""
    return float(HINGE_FRICTION) * (state[3] ** 2 + state[5] ** 2)


def failed(state):
    """Out of the track or fallen; also what is no number."""
    x, _, angle_1, _, angle_2, _ = state
    return not (abs(x) <= TRACK and abs(angle_1) <= FALLEN and abs(angle_2) <= FALLEN)


# Two poles: what networks see and get


def inputs_with_velocities(state):
    x, velocity, angle_1, rate_1, angle_2, rate_2 = state
    return [
        x / 4.8, velocity / 2, angle_1 / 0.52, rate_1 / 2, angle_2 / 0.52, rate_2 / 2,
        0.5 + 0 * x]


def inputs_without_velocities(state):
    x, _, angle_1, _, angle_2, _ = state
    return [x / 4.8, angle_1 / 0.52, angle_2 / 0.52, 0.5 + 0 * x]


def force_of(output):
    return (output - 0.5) * 2 * LARGEST_FORCE


def start(angle=0.07):
    """All at rest, and only the long pole leans."""
    return (0.0, 0.0, angle, 0.0, 0.0, 0.0)


def episode(controller, state, n_steps, inputs):
    """The start and the states after each control step, up to the first failed one."""
    controller.reset()
    states = [state]
    for _ in range(n_steps):
        state = step(state, force_of(controller(inputs(state))))
        states.append(state)
        if failed(state):
            break
    return states


def balanced(states):
    """Control steps of an episode after which nothing had failed."""
    return len(states) - 1 - failed(states[-1])


def fitness_with_velocities(controller, n_steps=100_000, angle=0.07):
    return balanced(episode(controller, start(angle), n_steps, inputs_with_velocities))


def damping_fitness(states):
    """Gruau's: 0.1 for standing, up to 1,000 steps, 0.9 for standing still in the last 100."""
    t = balanced(states)
    if t < 100:
        return 0.1 * t / 1000
    stood = states[1:t + 1]
    motion = sum(
        abs(x) + abs(velocity) + abs(angle) + abs(rate)
        for x, velocity, angle, rate, _, _ in stood[-100:])
    return 0.1 * t / 1000 + 0.9 * 0.75 / motion


def fitness_without_velocities(controller, angle=0.07):
    return damping_fitness(episode(controller, start(angle), 1000, inputs_without_velocities))


def generalization_starts():
    """The 625 starts, (6, 625)."""
    shares = [0.05, 0.25, 0.5, 0.75, 0.95]
    ranges = [2.16, 1.35, math.radians(3.6), math.radians(8.6)]
    rows = [
        [(2 * share - 1) * half for share, half in zip(chosen, ranges, strict=True)] + [0.0, 0.0]
        for chosen in itertools.product(shares, repeat=4)]
    return np.array(rows).T


def balanced_at_once(controller, states, n_steps, inputs):
    """`balanced` of many episodes, (6, n) -> (n,); the controller gets an array an input."""
    controller.reset()
    state = tuple(np.array(row, dtype=float) for row in states)
    counts = np.zeros(len(state[0]), dtype=int)
    alive = np.ones(len(state[0]), dtype=bool)
    for _ in range(n_steps):
        moved = step(state, force_of(controller(inputs(state))), np)
        x, _, angle_1, _, angle_2, _ = moved
        alive &= (
            (np.abs(x) <= TRACK) & (np.abs(angle_1) <= FALLEN) & (np.abs(angle_2) <= FALLEN))
        # what has failed rests, so that nothing overflows
        state = tuple(np.where(alive, new, 0.0) for new in moved)
        counts += alive
        if not alive.any():
            break
    return counts


def generalization(controller):
    """How many of the 625 starts are balanced for 1,000 steps."""
    counts = balanced_at_once(
        controller, generalization_starts(), 1000, inputs_without_velocities)
    return int(np.sum(counts == 1000))


# One pole


def cart_pole_step(state, force):
    """One step of Euler, 0.02 s, of a cart of 1 kg with a pole of 0.1 kg and 1 m."""
    x, velocity, angle, rate = state
    gravity, pole_mass, total_mass, half_length, tau = 9.8, 0.1, 1.1, 0.5, 0.02
    sine, cosine = math.sin(angle), math.cos(angle)
    pushed = (force + pole_mass * half_length * rate**2 * sine) / total_mass
    turned = (gravity * sine - cosine * pushed) / (
        half_length * (4 / 3 - pole_mass * cosine**2 / total_mass))
    moved = pushed - pole_mass * half_length * turned * cosine / total_mass
    return (x + tau * velocity, velocity + tau * moved, angle + tau * rate, rate + tau * turned)


def cart_pole_failed(state):
    """Beyond 2.4 m or 12 degrees."""
    return not (abs(state[0]) <= TRACK and abs(state[2]) <= 12 * 2 * math.pi / 360)


def cart_pole_episode(pushes_right, state, n_steps=500):
    """pushes_right: function of a state that chooses between 10 N and -10 N."""
    states = [tuple(state)]
    for _ in range(n_steps):
        states.append(cart_pole_step(states[-1], 10.0 if pushes_right(states[-1]) else -10.0))
        if cart_pole_failed(states[-1]):
            break
    return states


# Controllers


def steep_sigmoid(z):
    """The sigmoid of the paper; of numbers or arrays."""
    exp = math.exp if isinstance(z, float) else np.exp
    return 1 / (1 + exp(-4.9 * z))


def identity(z):
    return z


class Feedback:
    """A weighted sum of the inputs, of those of the call before and of the last output.

    As a network: connections from the inputs to the output, one hidden node an input that hands it
    on one step later, and a connection of the output with itself.  All is 0 before the first call.
    """

    def __init__(self, now, before=(), own=0.0, activation=steep_sigmoid):
        self.now, self.before, self.own = now, before, own
        self.activation = activation
        self.reset()

    def reset(self):
        self.last_inputs, self.last_output = [0.0] * len(self.before), 0.0

    def __call__(self, inputs):
        z = sum(w * i for w, i in zip(self.now, inputs, strict=True))
        z = z + sum(w * i for w, i in zip(self.before, self.last_inputs, strict=True))
        z = z + self.own * self.last_output
        self.last_inputs = inputs[:len(self.before)]
        self.last_output = self.activation(z)
        return self.last_output

    def fields(self):
        """Of a ``neat.Config`` for the network."""
        remembers = bool(self.before) or self.own != 0
        return {
            "n_inputs": len(self.now), "n_outputs": 1, "bias": None, "weight_cap": None,
            "mode": "recurrent" if remembers else "feed_forward", "self_loops": True,
            "activation": "identity", "output_activation": self.activation.__name__}

    def connections(self):
        """Of the genome: inputs first, then the output, then the hidden nodes."""
        n = len(self.now)
        pairs = [(i, n, weight) for i, weight in enumerate(self.now)]
        for i, weight in enumerate(self.before):
            pairs += [(i, n + 1 + i, 1.0), (n + 1 + i, n, weight)]
        if self.own:
            pairs.append((n, n, self.own))
        return [(k, source, target, w, True) for k, (source, target, w) in enumerate(pairs)]


# Newtons for each unit of the state; the force is their sum.  The linear-quadratic regulator of the
# motion near the upright rest, rounded.
GAINS = ("-2.1", "-3.7", "-64.4", "-16.9", "44.8", "3.7")


def with_velocities(gains=GAINS, target=0.0, share=1.0, sigmoid=True):
    """A controller that sees velocities and brings the cart to a place.

    The slope of the sigmoid at 0 is 4.9 / 4, so that with small forces it does what the linear one
    does.
    """
    gains = [share * float(gain) for gain in gains]
    scales = [4.8, 2, 0.52, 2, 0.52, 2]
    weights = [g * scale / 20 for g, scale in zip(gains, scales, strict=True)]
    offset = -gains[0] * target / 20
    if sigmoid:
        slope = 4.9 / 4
        return Feedback([w / slope for w in weights] + [2 * offset / slope])
    return Feedback([*weights, 1 + 2 * offset], activation=identity)


# The same without velocities: newtons for a meter and radians now, for those one step before, and
# for a newton of the step before.  Two observations and the force between them determine the state.
NOW = (-186.2, -911.5, 233.3)
BEFORE = (184.1, 844.8, -183.1)
OWN = -0.3265


def without_velocities(now=NOW, before=BEFORE, own=OWN, share=1.0):
    unit = 20 * 4.9 / 4
    scales = [4.8, 0.52, 0.52]
    last = share * own * 20 / unit
    return Feedback(
        [share * g * scale / unit for g, scale in zip(now, scales, strict=True)] + [-last],
        [share * g * scale / unit for g, scale in zip(before, scales, strict=True)], last)


# Recorded trajectories


def recorded():
    """The contents of the file; numbers as strings, 20 digits of 50 that were computed with."""
    import random

    import mpmath

    number = mpmath.mpf
    rng = random.Random(0)
    with mpmath.workdps(50):
        gains = [number(gain) for gain in GAINS]

        def push(state):
            return mpmath.fdot(gains, state)

        closed = trajectory(["0", "0", "0.07", "0", "0", "0"], [push] * 500)
        stretches = []
        for _ in range(4):
            ranges = [2.4, 2, 0.6, 2, 0.6, 4]
            first = [f"{rng.uniform(-half, half):.3f}" for half in ranges]
            forces = [f"{rng.uniform(-10, 10):.2f}" for _ in range(20)]
            states = trajectory(first, [lambda _, f=f: number(f) for f in forces])
            stretches.append({"forces": forces, "states": as_strings(states)})
        return {
            "description":
                "Two poles on a cart (m, m/s, rad, rad/s), by tests/neat/tasks/poles_twins.py with "
                "50 digits. open: states before and after each of 20 control steps under these "
                "forces (N). closed: every 10th state while the force is gains times state.",
            "gains": list(GAINS),
            "closed": as_strings(closed[::10]),
            "open": stretches,
        }


def trajectory(first, forces):
    """The start and the state after each force, a function of the state before."""
    import mpmath

    states = [tuple(map(mpmath.mpf, first))]
    for force in forces:
        states.append(step(states[-1], force(states[-1]), mpmath.mp, mpmath.mpf))
    return states


def as_strings(states):
    import mpmath

    return [[mpmath.nstr(entry, 20) for entry in state] for state in states]


if __name__ == "__main__":
    path = Path(__file__).parents[2] / "data" / "double_pole.json"
    path.write_text(json.dumps(recorded(), indent=1) + "\n", encoding="utf-8")
