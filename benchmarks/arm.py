"""Planar arms beside a loop of NumPy over the same batch, and one arm beside plain Python.

`workloads` gives the rows; `python -m benchmarks.descent` runs them.  What the contenders compute
is compared before anything is timed.
"""

import math

import numpy as np

import fastnet as fn
from benchmarks.report import Requirement, Row
from benchmarks.timing import Contender

EPOCHS = 20
RATE = 0.075
#: Seconds for a million arms of three links, on one core
MILLION = 0.5
#: Of that: NumPy takes seconds
FEW_TURNS = 5


def workloads():
    """{name: function of the context that returns the row}."""
    table = {}

    def add(name, *arguments):
        table[name] = lambda context: arms(context, name, *arguments)

    add("a million arms of 3 links, 20 epochs, heights", 1_000_000, 3, False, MILLION)
    add("100,000 arms of 3 links, 20 epochs, points", 100_000, 3, True)
    add("10,000 arms of 10 links, 20 epochs, heights", 10_000, 10, False)
    table["one arm of 3 links, 20 epochs"] = one_arm
    return table


def in_numpy(lengths, angles, targets):
    """Angles after the epochs: whole arrays, an arm a row."""
    angles = angles.copy()
    for _ in range(EPOCHS):
        sine, cosine = lengths * np.sin(angles), lengths * np.cos(angles)
        if targets.ndim == 1:
            step = (sine.sum(axis=1) - targets)[:, np.newaxis] * cosine
        else:
            step = (sine.sum(axis=1) - targets[:, 1])[:, np.newaxis] * cosine
            step -= (cosine.sum(axis=1) - targets[:, 0])[:, np.newaxis] * sine
        angles -= RATE * step
    return angles


def in_python(angles, target):
    """The same for one arm of unit links, a number at a time."""
    angles = list(angles)
    for _ in range(EPOCHS):
        error = sum(map(math.sin, angles)) - target
        angles = [w - RATE * error * math.cos(w) for w in angles]
    return angles


def compare(context, name, ours, theirs):
    # each epoch rounds a few numbers of the size of the angles, and steps shrink differences
    if not np.abs(ours - theirs).max() <= 1e-12:
        context.wrong.append(f"{name}: angles differ by {np.abs(ours - theirs).max():.2g}")


def arms(context, name, n_arms, n_links, are_points, limit=None):
    """``limit`` in seconds for all of them."""
    n_arms = 100 if context.smoke else n_arms
    rng = np.random.default_rng(0)
    lengths = np.ones(n_links)
    arm = fn.PlanarArm(lengths)
    starts = rng.uniform(-1.5, 1.5, (n_arms, n_links))
    targets = rng.uniform(-1.0, 1.0, (n_arms, 2) if are_points else n_arms)
    ours = arm.solve(starts, targets, learning_rate=RATE, epochs=EPOCHS).angles
    compare(context, name, ours, in_numpy(lengths, starts, targets))

    def solve(n):
        for _ in range(n):
            arm.solve(starts, targets, learning_rate=RATE, epochs=EPOCHS)

    def loop(n):
        for _ in range(n):
            in_numpy(lengths, starts, targets)

    return row(context, name, solve, "numpy", loop, limit)


def one_arm(context):
    name = "one arm of 3 links, 20 epochs"
    arm, start = fn.PlanarArm(), np.radians([22.0, -20.0, 14.0])
    compare(context, name, arm.solve(start).angles, np.array(in_python(start.tolist(), 0.0)))

    def solve(n):
        for _ in range(n):
            arm.solve(start)

    def loop(n):
        angles = start.tolist()
        for _ in range(n):
            in_python(angles, 0.0)

    return row(context, name, solve, "python", loop, None)


def row(context, name, solve, peer, loop, limit):
    if limit is not None and not context.smoke:
        context = context.limited(FEW_TURNS)
    timings = context.measure([Contender("fastnet", solve), Contender(peer, loop)])
    ours = timings["fastnet"]
    required = [] if limit is None else [Requirement("time", ours.best, limit, "s")]
    scaled = None if ours.scaled is None else ours.best
    return Row(name, ours.median, {peer: timings[peer].median}, required, scaled=scaled)
