"""The task with one pole, against gymnasium's published equations and gymnasium itself."""

import copy
import itertools
import math
import pickle

import numpy as np
import pytest

from fastnet import neat


@pytest.fixture(scope="module")
def task():
    return neat.tasks.CartPole()


def feedback(weights, constant=0.0, dtype="float64"):
    """Pushes right where the sum of weights times state is above minus the constant."""
    config = neat.Config(4, 1, bias="per_node", activation="identity", weight_cap=None)
    rows = [(i, i, 4, weight, True) for i, weight in enumerate(weights)]
    nodes = [(4, "output", "identity", 0.5 + constant)]
    return neat.Genome.from_connections(config, rows, nodes=nodes).network(dtype=dtype)


def pushes_right(weights, constant=0.0):
    return lambda state: sum(w * s for w, s in zip(weights, state, strict=True)) + constant > 0


BALANCES = [0.1, 0.3, 1.0, 0.4]
# what falls early, late, drifts off the track, and pushes in one direction alone
WEIGHTS = [BALANCES, [0, 0, 1, 0], [0, 0, 1, 0.3], [-0.2, 0, 1, 0.5], [0, 0, -1, 0]]


def test_steps_of_the_published_equations(task, poles):
    rng = np.random.default_rng(0)
    for _ in range(100):
        state = rng.uniform(-1, 1, 4) * [2.4, 3, 0.5, 3]
        force = rng.uniform(-20, 20)
        after = task.step(state, force)
        assert after.shape == (4,)
        assert after.dtype == np.float64
        np.testing.assert_allclose(
            after, poles.cart_pole_step(tuple(state), force), rtol=1e-13, atol=1e-15)
        np.testing.assert_allclose(task.step(-state, -force), -after, rtol=1e-14, atol=1e-15)


def test_gymnasium(task):
    gymnasium = pytest.importorskip("gymnasium")
    environment = gymnasium.make("CartPole-v1").unwrapped
    for seed in range(5):
        environment.reset(seed=seed)
        rng = np.random.default_rng(seed)
        state = np.array(environment.state, float)
        for _ in range(500):
            action = int(rng.integers(2))
            _, _, terminated, _, _ = environment.step(action)
            state = task.step(state, 10.0 if action else -10.0)
            np.testing.assert_allclose(state, environment.state, rtol=0, atol=1e-12)
            if terminated:
                break
        assert terminated


def test_gymnasium_ends_where_the_task_does(task):
    """Whole episodes from the same starts with the same networks: the return is the fitness."""
    gymnasium = pytest.importorskip("gymnasium")
    environment = gymnasium.make("CartPole-v1")
    for weights in WEIGHTS:
        network = feedback(weights)
        for seed in range(3):
            states = task.simulate(network, 500, seed=seed)
            environment.reset(seed=0)
            environment.unwrapped.state = states[0].copy()
            state, total, over = states[0], 0.0, False
            while not over:
                action = int(network.activate(state)[0] > 0.5)
                _, reward, terminated, truncated, _ = environment.step(action)
                state = np.array(environment.unwrapped.state)
                total += reward
                over = terminated or truncated
            assert task.evaluate(network, seed=seed) == total == len(states) - 1


@pytest.mark.parametrize("weights", WEIGHTS, ids=str)
def test_episodes(task, poles, weights):
    network = feedback(weights)
    for seed in range(5):
        states = task.simulate(network, 500, seed=seed)
        assert states.shape[1:] == (4,)
        assert states.dtype == np.float64
        # step by step: between two pushes of full force rounding grows as the pole falls
        for before, after in itertools.pairwise(states):
            assert not poles.cart_pole_failed(before)
            expected = poles.cart_pole_episode(pushes_right(weights), before, 1)[1]
            np.testing.assert_allclose(after, expected, rtol=0, atol=1e-13)
        assert len(states) == 501 or poles.cart_pole_failed(states[-1])
        fitness = task.evaluate(network, seed=seed)
        assert type(fitness) is float
        assert fitness == len(states) - 1


def test_starts(task):
    network = feedback(BALANCES)
    starts = np.array([task.simulate(network, 0, seed=seed)[0] for seed in range(2000)])
    assert np.abs(starts).max() <= 0.05
    assert len(np.unique(starts)) == starts.size
    # means and variances of even distributions, to 5 standard errors
    n, half = len(starts), 0.05
    assert np.abs(starts.mean(axis=0)).max() < 5 * half / math.sqrt(3 * n)
    np.testing.assert_allclose(starts.var(axis=0), half**2 / 3, rtol=5 * math.sqrt(0.8 / n))
    np.testing.assert_allclose(np.corrcoef(starts.T), np.eye(4), rtol=0, atol=5 / math.sqrt(n))
    np.testing.assert_array_equal(task.simulate(network, 0)[0], starts[0])
    np.testing.assert_array_equal(task.simulate(feedback([1, 2, 3, 4]), 9, seed=7)[0], starts[7])


def test_simulations_go_on_beyond_an_episode(task, poles):
    network = feedback(BALANCES)
    for n_steps in (0, 1, 499, 501, 1200):
        states = task.simulate(network, n_steps)
        assert states.shape == (n_steps + 1, 4)
    assert task.evaluate(network) == 500


@pytest.mark.parametrize("side", [1, -1])
def test_failure_bounds(task, poles, side):
    """It ends with the first state beyond a bound: of the pole, when pushed to one side alone; of
    the track, when it leans to it."""
    for weights, constant in (([0, 0, 0, 0], 1.0), ([0, 0, 1, 0.5], 0.05)):
        network = feedback(weights, side * constant)
        states = task.simulate(network, 5000)
        assert len(states) < 5001
        assert not any(poles.cart_pole_failed(state) for state in states[:-1])
        assert poles.cart_pole_failed(states[-1])
        assert (abs(states[-1][0]) > 2.4) == bool(weights[2])


def test_one_half_pushes_left(task):
    config = neat.Config(4, 1, bias="per_node", activation="identity")
    for output, side in ((0.5, -1), (np.nextafter(0.5, 1), 1)):
        network = neat.Genome.from_connections(
            config, [], nodes=[(4, "output", "identity", output)]).network()
        first, second = task.simulate(network, 1)
        np.testing.assert_allclose(second, task.step(first, 10.0 * side), rtol=1e-14)


def test_an_output_that_is_no_number_fails(task):
    config = neat.Config(4, 1, bias="per_node", activation="identity", weight_cap=None)
    rows = [(0, 5, 6, 1e308, True), (1, 6, 4, 0.0, True)]
    nodes = [(4, "output", "identity", 0.0), (5, "hidden", "identity", 1e308),
             (6, "hidden", "identity", 0.0)]
    network = neat.Genome.from_connections(config, rows, nodes=nodes).network()
    assert np.isnan(network([0.0] * 4)).all()
    assert task.evaluate(network) <= 1
    assert len(task.simulate(network, 10)) == 2
    assert not task.solved(network, 1.0)


def test_solved(task):
    good = feedback(BALANCES)
    assert task.evaluate(good) == 500
    assert task.solved(good, 500.0)
    assert task.solved(good, 475.0)
    assert not task.solved(good, 474.0)
    # from some starts to the end, from others not
    sometimes = feedback([-0.2, 0, 1, 0.5])
    reached = [task.evaluate(sometimes, seed=seed) for seed in range(100)]
    assert max(reached) == 500
    assert np.mean(reached) < 400
    assert not task.solved(sometimes, 500.0)


def test_float32(task, poles):
    network = feedback(BALANCES, dtype="float32")
    assert task.evaluate(network) == 500
    states = task.simulate(network, 20)
    assert states.dtype == np.float64
    weights = np.array(BALANCES, np.float32)

    def right(state):
        return bool(np.float32(0.5) + weights @ np.array(state, np.float32) > np.float32(0.5))

    np.testing.assert_allclose(
        states, poles.cart_pole_episode(right, states[0], 20), rtol=0, atol=1e-12)


def test_recurrent_networks_begin_blank(task):
    config = neat.Config(4, 1, mode="recurrent", bias="node", activation="tanh", self_loops=True)
    genome = neat.Genome.from_connections(
        config, [(0, 2, 6, 2.0, True), (1, 6, 5, 3.0, True), (2, 3, 5, 1.0, True),
                 (3, 5, 5, 0.5, True), (4, 4, 5, 0.1, True)])
    network = genome.network()
    expected = task.evaluate(network, seed=3)
    states = task.simulate(network, 500, seed=3)
    network.step([1.0, 2.0, 3.0, 4.0])
    other = copy.copy(network)
    assert task.evaluate(network, seed=3) == expected == len(states) - 1
    np.testing.assert_array_equal(task.simulate(network, 500, seed=3), states)
    np.testing.assert_array_equal(network.step(np.ones(4)), other.step(np.ones(4)))


def test_evolution(task):
    results = []
    for n_threads in (1, 2):
        population = neat.Population(task.config(population_size=60), seed=5)
        result = population.run(task, generations=30, n_threads=n_threads, target=math.inf)
        results.append((population.fitness.tobytes(), result.best.to_json()))
    assert results[0] == results[1]
    assert max(population.fitness) == 500


def test_object(task):
    assert (task.n_inputs, task.n_outputs) == (4, 1)
    assert (task.config().n_inputs, task.config().n_outputs) == (4, 1)
    assert task.config(population_size=7).population_size == 7
    assert repr(task) == "CartPole()"
    assert task == neat.tasks.CartPole() == pickle.loads(pickle.dumps(task)) == copy.copy(task)
    assert task != neat.tasks.DoublePole()
    assert task != neat.tasks.XOR()
    assert hash(task) == hash(neat.tasks.CartPole())


def test_bad_arguments(task):
    network = feedback(BALANCES)
    for state in (np.zeros(3), np.zeros(6), np.zeros((4, 1))):
        with pytest.raises(ValueError, match="state"):
            task.step(state, 1.0)
    with pytest.raises(TypeError, match="force"):
        task.step(np.zeros(4), "left")
    with pytest.raises(ValueError, match="n_steps"):
        task.simulate(network, -1)
    with pytest.raises(TypeError, match="n_steps"):
        task.simulate(network, 1.5)
    with pytest.raises(ValueError, match="seed"):
        task.simulate(network, 1, seed=-1)
    with pytest.raises(ValueError, match="n_steps"):
        task.simulate(network, 2**62)
    with pytest.raises(TypeError, match="network"):
        task.simulate(network.genome, 1)
    for given, options in (((3,), {}), ((), {"velocities": False})):
        with pytest.raises(TypeError):
            neat.tasks.CartPole(*given, **options)
    other = neat.Genome(neat.Config(6, 1), rng=0).network()
    for call in (task.evaluate, lambda n: task.simulate(n, 1), lambda n: task.solved(n, 1.0)):
        with pytest.raises(ValueError, match="4 inputs and 1 outputs, got 6 and 1"):
            call(other)
