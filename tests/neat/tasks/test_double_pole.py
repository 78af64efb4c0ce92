"""Two poles on a cart: episodes, fitness and tests of networks against slow twins."""

import copy
import itertools
import math
import pickle

import numpy as np
import pytest

from fastnet import neat


@pytest.fixture(scope="module")
def task():
    return neat.tasks.DoublePole()


@pytest.fixture(scope="module")
def blind():
    return neat.tasks.DoublePole(velocities=False)


def network_of(controller, dtype="float64", mode=None):
    """The network of a `Feedback` of the twins."""
    genome = neat.Genome.from_connections(
        neat.Config(**controller.fields()), controller.connections())
    return genome.network(mode, dtype)


def constant(poles, n_inputs, output):
    """A controller that always gives this output."""
    return poles.Feedback([0.0] * (n_inputs - 1) + [2 * output], activation=poles.identity)


def random_controllers(poles, n_inputs, n, remember=False):
    rng = np.random.default_rng(n_inputs)
    for _ in range(n):
        now = rng.normal(0, 1, n_inputs).tolist()
        before = rng.normal(0, 1, n_inputs - 1).tolist() if remember else []
        yield poles.Feedback(now, before, float(rng.normal()) if remember else 0.0)


def bisected(f, low, high):
    """The two sides of where f changes from false to true, close together."""
    assert f(high)
    assert not f(low)
    while abs(high - low) > 1e-9:
        middle = (low + high) / 2
        low, high = (low, middle) if f(middle) else (middle, high)
    return low, high


# ---- episodes

@pytest.mark.parametrize("sigmoid", [True, False])
def test_500_steps_with_a_stabilizing_network(task, poles, sigmoid):
    controller = poles.with_velocities(sigmoid=sigmoid)
    states = task.simulate(network_of(controller), 500)
    assert states.shape == (501, 6)
    assert states.dtype == np.float64
    expected = poles.episode(controller, poles.start(), 500, poles.inputs_with_velocities)
    np.testing.assert_allclose(states, expected, rtol=0, atol=1e-9)
    np.testing.assert_array_equal(states[0], poles.start())


def test_500_steps_without_velocities(blind, poles):
    controller = poles.without_velocities()
    states = blind.simulate(network_of(controller), 500)
    expected = poles.episode(controller, poles.start(), 500, poles.inputs_without_velocities)
    assert len(expected) == 501
    # velocities are what is left of two large terms of a gain of 1,000 N / rad: noise a thousand
    # times as large as rounding, and the tolerance is a million times that
    np.testing.assert_allclose(states, expected, rtol=0, atol=1e-9)


def test_simulations_are_steps(task, poles):
    """Each state is the step from the one before under the force of the network."""
    for controller in random_controllers(poles, 7, 20):
        states = task.simulate(network_of(controller), 200)
        for before, after in itertools.pairwise(states):
            force = poles.force_of(controller(poles.inputs_with_velocities(before)))
            np.testing.assert_allclose(
                after, poles.step(tuple(before.tolist()), force), rtol=0, atol=1e-12)


def test_simulations_end_with_the_first_failed_state(task, blind, poles):
    for judge, n_inputs in ((task, 7), (blind, 4)):
        for controller in random_controllers(poles, n_inputs, 20):
            network = network_of(controller)
            states = judge.simulate(network, 10_000)
            assert 2 <= len(states) < 10_001
            assert [poles.failed(state) for state in states] == [False] * (len(states) - 1) + [True]
            for n_steps in (0, 1, len(states) - 2, len(states) - 1, len(states)):
                np.testing.assert_array_equal(
                    judge.simulate(network, n_steps), states[:n_steps + 1])


def test_start_angle(poles):
    for angle in (0.0, 0.02, -0.07, 0.6, -0.6):
        for velocities in (True, False):
            task = neat.tasks.DoublePole(velocities, angle)
            network = network_of(constant(poles, task.n_inputs, 0.5))
            states = task.simulate(network, 3)
            np.testing.assert_array_equal(states[0], poles.start(angle))
    # the mirror image
    left, right = (
        neat.tasks.DoublePole(start_angle=angle).simulate(
            network_of(poles.with_velocities()), 100) for angle in (-0.05, 0.05))
    np.testing.assert_allclose(left, -right, rtol=0, atol=1e-9)


def test_networks_begin_blank_and_keep_their_state(blind, poles):
    network = network_of(poles.without_velocities())
    expected = blind.simulate(network, 50), blind.evaluate(network)
    network.step([1.0, -1.0, 0.5, 0.5])
    other = copy.copy(network)
    np.testing.assert_array_equal(blind.simulate(network, 50), expected[0])
    assert blind.evaluate(network) == expected[1]
    blind.generalization(network)
    blind.solved(network, 10.0)
    for _ in range(3):
        x = [0.1, 0.2, 0.3, 0.5]
        np.testing.assert_array_equal(network.step(x), other.step(x))


def test_recurrent_networks_take_one_step_a_call(task, poles):
    """Through a hidden node, the answer comes a step late; a feed-forward one answers at once."""
    weights = [2.0, 1.0, 1.5, 0.5, 1.0, 0.25, 0.2]
    rows = [(k, k, 8, weight, True) for k, weight in enumerate(weights)] + [(7, 8, 7, 1.0, True)]
    for mode in ("feed_forward", "recurrent"):
        config = neat.Config(
            7, 1, mode=mode, bias=None, activation="identity", output_activation="steep_sigmoid")
        network = neat.Genome.from_connections(config, rows).network()
        late = poles.Feedback([0.0] * 7, weights)
        at_once = poles.Feedback(weights)
        expected = poles.episode(
            late if mode == "recurrent" else at_once, poles.start(), 500,
            poles.inputs_with_velocities)
        states = task.simulate(network, 500)
        assert len(states) == len(expected)
        np.testing.assert_allclose(states, expected, rtol=0, atol=1e-9)


# ---- bounds

@pytest.mark.parametrize("side", [1, -1])
def test_the_long_pole_fails_beyond_36_degrees(poles, side):
    """Starts from which it is just inside or just outside after one step without force."""
    def falls(angle):
        return abs(poles.step(poles.start(side * angle), 0.0)[2]) > poles.FALLEN

    for velocities in (True, False):
        inside, outside = bisected(falls, 0.6, 0.628)
        for angle, survived in ((inside, 1), (outside, 0)):
            task = neat.tasks.DoublePole(velocities, side * angle)
            network = network_of(constant(poles, task.n_inputs, 0.5))
            states = task.simulate(network, 10)
            assert len(states) == survived + 2
            assert abs(abs(states[1][2]) - poles.FALLEN) < 1e-8
            assert max(abs(states[1][0]) / 2.4, abs(states[1][4]) / poles.FALLEN) < 0.1
            fitness = task.evaluate(network)
            assert fitness == (survived if velocities else 0.1 * survived / 1000)


@pytest.mark.parametrize("side", [1, -1])
def test_the_short_pole_fails_beyond_36_degrees(task, poles, side):
    """Forces that push it over in five steps."""
    def pushed(force):
        state = poles.start()
        for _ in range(5):
            state = poles.step(state, side * force)
        return state

    inside, outside = bisected(lambda force: abs(pushed(force)[4]) > poles.FALLEN, 0.0, 30.0)
    for force, survived in ((inside, 5), (outside, 4)):
        network = network_of(constant(poles, 7, 0.5 + side * force / 20))
        assert task.evaluate(network) == survived
        states = task.simulate(network, 10)
        assert abs(abs(states[5][4]) - poles.FALLEN) < 1e-7
        assert max(abs(states[5][0]) / 2.4, abs(states[5][2]) / poles.FALLEN) < 0.9


@pytest.mark.parametrize("side", [1, -1])
def test_the_cart_fails_beyond_the_track(task, poles, side):
    """It goes to a place near the end and beyond it for a moment, with the poles up."""
    def run(target):
        return poles.episode(
            poles.with_velocities(target=side * target), poles.start(), 600,
            poles.inputs_with_velocities)

    for target, leaves in zip(
        bisected(lambda target: poles.failed(run(target)[-1]), 1.5, 2.5), (False, True),
        strict=True,
    ):
        network = network_of(poles.with_velocities(target=side * target))
        states = task.simulate(network, 600)
        assert abs(np.abs(states[:, 0]).max() - 2.4) < 1e-7
        assert np.abs(states[:, [2, 4]]).max() < 0.5
        assert len(states) == len(run(target))
        assert (len(states) < 601) == leaves


# ---- fitness with velocities

def test_fitness_is_the_number_of_balanced_steps(task, poles):
    cases = [constant(poles, 7, output) for output in (0.5, 0.0, 1.0, 0.45, 3.0)]
    cases += random_controllers(poles, 7, 30)
    counts = []
    for controller in cases:
        counts.append(poles.fitness_with_velocities(controller))
        fitness = task.evaluate(network_of(controller))
        assert type(fitness) is float
        assert fitness == counts[-1]
        assert not task.solved(network_of(controller), fitness)
    assert len(set(counts)) > 5


def test_fitness_of_long_episodes(task, poles):
    """Networks that let the cart drift away, ever faster, from a place it stands at for long."""
    for gain in (0.1, 0.2, 0.5):
        controller = poles.with_velocities([gain, *poles.GAINS[1:]])
        expected = poles.fitness_with_velocities(controller, 5000)
        assert 500 < expected < 5000
        assert task.evaluate(network_of(controller)) == expected


def test_100_000_steps(task, poles):
    network = network_of(poles.with_velocities())
    assert task.evaluate(network) == 100_000
    assert task.solved(network, 100_000.0)
    assert not task.solved(network, 99_999.0)


@pytest.mark.parametrize("angle", [0.03, -0.2, 0.5])
def test_fitness_of_other_starts(poles, angle):
    task = neat.tasks.DoublePole(start_angle=angle)
    for controller in [constant(poles, 7, 0.5), *random_controllers(poles, 7, 5)]:
        expected = poles.fitness_with_velocities(controller, angle=angle)
        assert task.evaluate(network_of(controller)) == expected


# ---- fitness without velocities

def test_failing_before_100_steps(blind, poles):
    for controller in [
        constant(poles, 4, 0.5), constant(poles, 4, 0.7), *random_controllers(poles, 4, 20),
        *random_controllers(poles, 4, 20, remember=True),
    ]:
        states = poles.episode(controller, poles.start(), 1000, poles.inputs_without_velocities)
        if poles.balanced(states) < 100:
            expected = 0.1 * poles.balanced(states) / 1000
            np.testing.assert_allclose(
                blind.evaluate(network_of(controller)), expected, rtol=1e-14)


# newtons for a meter, and steps until the cart has drifted off; the others damp well or badly
DRIFTS = {-16.0: 114, -8.0: 339, 4.0: 354, 8.0: 194, 32.0: 105, 35.0: 100, 36.0: 99, 64.0: 75}


@pytest.mark.parametrize(("gain", "steps"), DRIFTS.items())
def test_failing_around_and_after_100_steps(blind, poles, gain, steps):
    """The last 100 balanced steps count, and the one that failed does not."""
    controller = poles.without_velocities((poles.NOW[0] + gain, *poles.NOW[1:]))
    states = poles.episode(controller, poles.start(), 1000, poles.inputs_without_velocities)
    assert poles.balanced(states) == steps
    fitness = blind.evaluate(network_of(controller))
    np.testing.assert_allclose(fitness, poles.damping_fitness(states), rtol=1e-9)
    assert (fitness > 0.1 * steps / 1000 + 1e-6) == (steps >= 100)


@pytest.mark.parametrize("gain", [-4.0, 0.0, 1.0, 2.0])
def test_damping(blind, poles, gain):
    controller = poles.without_velocities((poles.NOW[0] + gain, *poles.NOW[1:]))
    states = poles.episode(controller, poles.start(), 1000, poles.inputs_without_velocities)
    assert poles.balanced(states) == 1000
    motion = np.abs(np.array(states)[-100:, :4]).sum()
    # each of 400 terms may be off by the 1e-9 to which the states agree, or be as small as that
    lowest, highest = (
        0.1 + 0.675 / max(motion + side * 400e-9, 1e-9) for side in (1, -1))
    assert lowest <= blind.evaluate(network_of(controller)) <= highest


def test_other_starts_without_velocities(poles):
    for angle in (-0.07, 0.02, 0.12):
        blind = neat.tasks.DoublePole(False, angle)
        controller = poles.without_velocities((poles.NOW[0] + 2, *poles.NOW[1:]))
        expected = poles.fitness_without_velocities(controller, angle)
        np.testing.assert_allclose(blind.evaluate(network_of(controller)), expected, rtol=1e-6)


def test_a_network_that_never_moves(poles):
    """The sum to divide by is 0."""
    blind = neat.tasks.DoublePole(False, 0.0)
    network = network_of(constant(poles, 4, 0.5))
    np.testing.assert_array_equal(blind.simulate(network, 1000), np.zeros((1001, 6)))
    assert blind.evaluate(network) > 1


# ---- networks of all kinds

def test_float32(task, blind, poles):
    """The physics are float64; the network gets rounded inputs and gives rounded outputs."""
    controller = poles.with_velocities()
    network = network_of(controller, "float32")
    states = task.simulate(network, 300)
    assert states.dtype == np.float64
    # step by step, and nothing of the network but its answer
    for before, after in itertools.pairwise(states):
        inputs = np.array(poles.inputs_with_velocities(before), np.float32)
        expected = poles.step(tuple(before.tolist()), poles.force_of(float(network(inputs)[0])))
        # Inputs may round to the other neighbor: 1.2e-7 of a sum of products below 1, times the
        # slope 1.225, times 20 N, are 3e-6 N, and a newton gives the short pole 0.3 rad/s.
        np.testing.assert_allclose(after, expected, rtol=0, atol=1e-6)
    assert task.evaluate(network_of(controller, "float32")) == 100_000
    assert task.solved(network_of(controller, "float32"), 100_000.0)
    fallen = constant(poles, 4, 0.5)
    assert blind.evaluate(network_of(fallen, "float32")) == blind.evaluate(network_of(fallen))


def test_time_step_networks(task, poles):
    """From the inputs to the output in one spreading step, as a feed-forward network."""
    controller = poles.with_velocities()
    states = task.simulate(network_of(controller, mode="time_step"), 100)
    expected = task.simulate(network_of(controller), 100)
    np.testing.assert_allclose(states, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("velocities", [True, False])
def test_outputs_that_are_no_numbers(poles, velocities):
    task = neat.tasks.DoublePole(velocities)
    n = task.n_inputs
    config = neat.Config(n, 1, bias=None, activation="identity", weight_cap=None)
    # the constant 0.5 becomes infinity, and that times 0 is no number
    rows = [(0, n - 1, n + 1, 1e308, True), (1, n + 1, n + 2, 1e308, True)]
    for weight, error in ((0.0, np.nan), (1.0, np.inf), (-1.0, -np.inf)):
        network = neat.Genome.from_connections(
            config, [*rows, (2, n + 2, n, weight, True)]).network()
        np.testing.assert_array_equal(network([0.0] * (n - 1) + [0.5]), [error])
        assert task.evaluate(network) == 0
        states = task.simulate(network, 10)
        assert len(states) == 2
        assert not np.isfinite(states[1]).all()
        assert not task.solved(network, 0.0)
        assert not velocities or not task.solved(network, 99_999.0)
        if not velocities:
            assert task.generalization(network) == 0


def test_outputs_beyond_one(task, poles):
    """The force is continuous and has no other bounds than the output's."""
    for output in (-3.0, 7.5):
        states = task.simulate(network_of(constant(poles, 7, output)), 2)
        expected = poles.step(poles.start(), 20 * (output - 0.5))
        np.testing.assert_allclose(states[1], expected, rtol=0, atol=1e-11)


# ---- the object

@pytest.mark.parametrize(("velocities", "angle"), [(True, 0.07), (False, 0.07), (False, -0.1)])
def test_object(velocities, angle):
    task = neat.tasks.DoublePole(velocities=velocities, start_angle=angle)
    assert (task.n_inputs, task.n_outputs) == ((7, 1) if velocities else (4, 1))
    assert task.velocities is velocities
    assert task.start_angle == angle
    assert eval(repr(task), {"DoublePole": neat.tasks.DoublePole}) == task
    for other in (pickle.loads(pickle.dumps(task)), copy.copy(task), copy.deepcopy(task)):
        assert other == task
        assert hash(other) == hash(task)
        assert other.start_angle == angle
    assert task != neat.tasks.DoublePole(not velocities, angle)
    assert task != neat.tasks.DoublePole(velocities, 0.05)
    assert task != neat.tasks.CartPole()
    assert isinstance(task, neat.tasks.NativeTask)
    with pytest.raises(AttributeError):
        task.start_angle = 0.5


def test_defaults():
    assert neat.tasks.DoublePole() == neat.tasks.DoublePole(True, 0.07)
    assert neat.tasks.DoublePole().start_angle == 0.07


def test_settings_of_the_paper(task, blind):
    """Section 4.1: 150 genomes; without velocities 1,000, c3 3.0, threshold 4.0, links 0.3."""
    config = task.config()
    assert (config.n_inputs, config.n_outputs, config.bias) == (7, 1, None)
    assert config.population_size == 150
    assert (config.c_excess, config.c_disjoint, config.c_weight) == (1.0, 1.0, 0.4)
    assert config.compatibility_threshold == 3.0
    assert config.add_connection_rate == 0.05
    other = blind.config()
    assert (other.n_inputs, other.mode, other.bias) == (4, "recurrent", None)
    assert other.population_size == 1000
    assert (other.c_weight, other.compatibility_threshold) == (3.0, 4.0)
    assert other.add_connection_rate == 0.3
    for settings in (config, other):
        assert settings.activation == "steep_sigmoid"
        assert settings.add_node_rate == 0.03
    assert blind.config(population_size=20, c_weight=1.0).c_weight == 1.0


@pytest.mark.parametrize(("arguments", "error", "name"), [
    (("yes",), TypeError, "velocities"), ((1,), TypeError, "velocities"),
    ((None,), TypeError, "velocities"), ((True, "0.07"), TypeError, "start_angle"),
    ((True, None), TypeError, "start_angle"), ((True, math.nan), ValueError, "start_angle"),
    ((True, math.inf), ValueError, "start_angle"), ((True, 0.7), ValueError, "start_angle"),
    ((True, -0.7), ValueError, "start_angle"), ((True, 10**400), ValueError, "start_angle"),
])
def test_bad_settings(arguments, error, name):
    with pytest.raises(error, match=name):
        neat.tasks.DoublePole(*arguments)


@pytest.mark.parametrize("velocities", [True, False])
def test_bad_arguments(poles, velocities):
    task = neat.tasks.DoublePole(velocities)
    network = network_of(constant(poles, task.n_inputs, 0.5))
    other = network_of(constant(poles, 11 - task.n_inputs, 0.5))
    calls = [task.evaluate, lambda n: task.simulate(n, 1), lambda n: task.solved(n, 1.0)]
    if not velocities:
        calls.append(task.generalization)
    for call in calls:
        with pytest.raises(ValueError, match=f"{task.n_inputs} inputs and 1 outputs, got"):
            call(other)
        with pytest.raises(TypeError, match="network"):
            call(network.genome)
        with pytest.raises(TypeError, match="network"):
            call(None)
        with pytest.raises(RuntimeError, match="__init__"):
            call(neat.Network.__new__(neat.Network))
    for n_steps, error in (
        (-1, ValueError), (1.5, TypeError), ("1", TypeError), (None, TypeError),
        (2**31, ValueError), (2**63 - 1, ValueError), (10**30, ValueError),
    ):
        with pytest.raises(error, match="n_steps"):
            task.simulate(network, n_steps)
    with pytest.raises(ValueError, match="seed"):
        task.evaluate(network, -1)
    with pytest.raises(TypeError, match="fitness"):
        task.solved(network, "much")
