"""Schedules against their formulas, alone and as learning rates."""

import copy
import math
import pickle

import numpy as np
import pytest

import fastnet as fn
from fastnet.optim import schedules

CASES = [
    (schedules.Step(0.5, 10), lambda t: 0.5 * 0.1 ** (t // 10)),
    (schedules.Step(2, every=1, factor=0.5), lambda t: 2 * 0.5**t),
    (schedules.Exponential(0.1, 0.99), lambda t: 0.1 * 0.99**t),
    (
        schedules.Cosine(0.1, 40),
        lambda t: 0.1 * (1 + math.cos(math.pi * t / 40)) / 2 if t < 40 else 0.0,
    ),
    (
        schedules.Cosine(0.1, 7, final=0.3),
        lambda t: 0.3 - 0.2 * (1 + math.cos(math.pi * t / 7)) / 2 if t < 7 else 0.3,
    ),
    (schedules.Linear(0.1, 40), lambda t: 0.1 * (1 - t / 40) if t < 40 else 0.0),
    (schedules.Linear(0.1, 40, 0.05), lambda t: 0.1 - 0.05 * t / 40 if t < 40 else 0.05),
    (schedules.InverseScaling(0.3), lambda t: 0.3 / math.sqrt(t + 1)),
    (schedules.InverseScaling(0.3, power=1.5), lambda t: 0.3 / (t + 1) ** 1.5),
    (schedules.Warmup(5, 0.25), lambda t: 0.25 * min(1, (t + 1) / 5)),
    (
        schedules.Warmup(5, schedules.Exponential(0.5, 0.9)),
        lambda t: 0.5 * (t + 1) / 5 if t < 5 else 0.5 * 0.9 ** (t - 5),
    ),
    (
        schedules.Warmup(1, schedules.Warmup(2, schedules.Step(1.0, 3))),
        lambda t: [0.5, 0.5, 1, 1, 1, 1][t] if t < 6 else 0.1 ** ((t - 3) // 3),
    ),
]
with_cases = pytest.mark.parametrize(
    ("schedule", "formula"), CASES, ids=lambda c: getattr(c, "__name__", repr(c)))
ONE_OF_EACH = [case[0] for case in CASES]


@with_cases
def test_formula(schedule, formula):
    steps = range(100)
    got = [schedule(step) for step in steps]
    assert got == pytest.approx([formula(step) for step in steps], rel=1e-13, abs=1e-300)
    assert all(type(rate) is float for rate in got)


@with_cases
def test_it_is_the_rate_of_each_step(schedule, formula):
    optimizer = fn.SGD(schedule)
    assert optimizer.learning_rate is schedule
    parameters, expected = np.zeros(1), 0.0
    for step in range(12):
        optimizer.step(parameters, np.ones(1))
        expected -= formula(step)
        assert parameters[0] == pytest.approx(expected, rel=1e-13)


def test_far_away_steps():
    assert schedules.Step(1.0, every=2**62, factor=0.5)(2**63 - 1) == 0.5
    assert schedules.Cosine(1.0, n_steps=2**63 - 1)(2**62) == pytest.approx(0.5)
    assert schedules.Exponential(1.0, 0.5)(10**9) == 0
    assert schedules.Warmup(2**62, 1.0)(2**62 - 1) == 1
    assert schedules.InverseScaling(1.0)(2**63 - 1) == pytest.approx(2**-31.5)


@pytest.mark.parametrize("schedule", ONE_OF_EACH, ids=repr)
def test_objects(schedule):
    twins = copy.copy(schedule), copy.deepcopy(schedule), pickle.loads(pickle.dumps(schedule))
    for twin in twins:
        assert twin == schedule
        assert hash(twin) == hash(schedule)
        assert repr(twin) == repr(schedule)
        assert [twin(step) for step in range(20)] == [schedule(step) for step in range(20)]
    namespace = {name: getattr(schedules, name) for name in schedules.__all__}
    assert eval(repr(schedule), namespace) == schedule
    assert [other for other in ONE_OF_EACH if other == schedule] == [schedule]
    assert schedule != 0.1
    optimizer = pickle.loads(pickle.dumps(fn.Adam(schedule)))
    assert optimizer.learning_rate == schedule
    assert repr(optimizer) == f"Adam(learning_rate={schedule!r})"


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: schedules.Step(0, 1), ValueError, r"initial must be in \(0, inf\), got 0"),
        (lambda: schedules.Step("1", 1), TypeError, "initial must be a number"),
        (lambda: schedules.Step(1, 0), ValueError, "every must be at least 1, got 0"),
        (lambda: schedules.Step(1, 1.5), TypeError, "every must be an int, got 1.5"),
        (lambda: schedules.Step(1, 2**63), ValueError, "every must be at most"),
        (lambda: schedules.Step(1, 1, 0), ValueError, r"factor must be in \(0, inf\), got 0"),
        (lambda: schedules.Exponential(1, math.nan), ValueError, "factor must be in"),
        (lambda: schedules.Cosine(math.inf, 1), ValueError, "initial must be in"),
        (lambda: schedules.Cosine(1, 0), ValueError, "n_steps must be at least 1"),
        (lambda: schedules.Cosine(1, 1, -1), ValueError, r"final must be in \[0, inf\), got -1"),
        (lambda: schedules.Linear(1, True), TypeError, "n_steps must be an int, got True"),
        (lambda: schedules.Linear(1, 1, math.inf), ValueError, "final must be in"),
        (lambda: schedules.InverseScaling(1, 0), ValueError, r"power must be in \(0, inf\)"),
        (lambda: schedules.Warmup(0, 1), ValueError, "n_steps must be at least 1"),
        (lambda: schedules.Warmup(1, 0), ValueError, r"then must be in \(0, inf\), got 0"),
        (lambda: schedules.Warmup(1, lambda t: 1), TypeError, "then must be a number or a sch"),
        (lambda: schedules.Schedule(), TypeError, "base class"),
        (lambda: schedules.Step(1, 1)(-1), ValueError, "step_index must be at least 0"),
        (lambda: schedules.Step(1, 1)(1.0), TypeError, "step_index must be an int"),
    ],
)  # fmt: skip
def test_bad_arguments(make, error, words):
    with pytest.raises(error, match=words):
        make()


def test_a_rate_that_overflows():
    optimizer = fn.SGD(schedules.Exponential(1e300, 1e300))
    parameters = np.ones(2)
    optimizer.step(parameters, np.zeros(2))
    with pytest.raises(ValueError, match=r"learning_rate\(1\) must be in \[0, inf\), got inf from"):
        optimizer.step(parameters, np.zeros(2))
    assert optimizer.step_count == 1
    optimizer.learning_rate = 0.1
    optimizer.step(parameters, np.ones(2))
    np.testing.assert_array_equal(parameters, [0.9, 0.9])


def test_a_subclass_may_redefine_it():
    class Halves(schedules.Step):
        def __call__(self, step_index):
            return 0.5 ** (step_index + 1)

    optimizer = fn.SGD(Halves(1.0, 1))
    parameters = np.zeros(1)
    for _ in range(3):
        optimizer.step(parameters, np.ones(1))
    assert parameters[0] == -0.875


def test_training_follows_it():
    # One step of an epoch each, so that the parameters after each epoch tell its rate.
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(20, 3)), rng.normal(size=(20, 1))
    schedule = schedules.Warmup(3, schedules.Step(0.05, 2, 0.5))
    options = {"batch_size": None, "shuffle": False, "epochs": 8}
    one, other = fn.Network([3, 4, 1], seed=1), fn.Network([3, 4, 1], seed=1)
    one.fit(x, y, optimizer=fn.SGD(schedule), **options)
    other.fit(x, y, optimizer=fn.SGD(lambda step: schedule(step)), **options)
    np.testing.assert_array_equal(one.parameters, other.parameters)
    assert (one.parameters != fn.Network([3, 4, 1], seed=1).parameters).any()
