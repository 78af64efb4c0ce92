"""Environments of gymnasium as tasks, against tiny environments with returns known by hand."""

import copy
import math
import pickle
import sys
import threading

import numpy as np
import pytest

import fastnet as fn
from fastnet import neat

gymnasium = pytest.importorskip("gymnasium")
spaces = gymnasium.spaces


class Line(gymnasium.Env):
    """Start at 0 to 9, drawn from the seed; right is worth 1 and left -2; 4 + start steps.

    Observations are the start and the steps left.
    """

    observation_space = spaces.Box(-np.inf, np.inf, (2,))
    action_space = spaces.Discrete(2)

    def __init__(self, render_mode=None):
        self.is_over = True
        self.n_closed = 0

    def observation(self):
        return np.array([self.start, self.left], np.float32)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.start = int(self.np_random.integers(10))
        self.left = 4 + self.start
        self.is_over = False
        return self.observation(), {}

    def step(self, action):
        assert not self.is_over, "a step behind the end"
        self.left -= 1
        self.is_over = self.left == 0
        return self.observation(), 1.0 if action == 1 else -2.0, self.is_over, False, {}

    def close(self):
        self.n_closed += 1


class Swing(gymnasium.Env):
    """A point on a line that the network pushes: every bit of an output shows in the reward."""

    observation_space = spaces.Box(-10, 10, (3,), np.float64)
    action_space = spaces.Box(-2, 2, (2,), np.float64)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.state = self.np_random.normal(size=3)
        self.n_steps = 0
        return self.state, {}

    def step(self, action):
        assert action.shape == (2,)
        self.state = np.tanh(self.state * [1.0, -0.5, 0.9] + [*action, action.sum()])
        self.n_steps += 1
        ends = self.state[0] > 0.95
        return self.state, -float(np.sum(self.state**2)), bool(ends), self.n_steps == 20, {}


def seeds_of(seed, episodes):
    """As documented."""
    return [int(s) for s in np.random.SeedSequence(seed).generate_state(episodes) >> 1]


def start_of(seed):
    """What `Line` draws."""
    return int(np.random.default_rng(seed).integers(10))


def constant(output, n_inputs=2, **fields):
    """A genome whose outputs, (n,), are always these; sources are the bias only."""
    n_outputs = len(output)
    config = neat.Config(n_inputs, n_outputs, activation="identity", weight_cap=None, **fields)
    return neat.Genome.from_connections(
        config, [(k, n_inputs, n_inputs + 1 + k, value, True) for k, value in enumerate(output)])


def some_genomes(task, n, **fields):
    """With hidden nodes, and cycles where they may be."""
    config = task.config(add_node_rate=0.5, add_connection_rate=0.5, population_size=n, **fields)
    registry = neat.InnovationRegistry(config)
    genomes = [neat.Genome(config, rng=i, registry=registry) for i in range(n)]
    for i, genome in enumerate(genomes):
        rng = np.random.default_rng(i)
        for _ in range(12):
            genome.mutate(rng, registry)
    return genomes


def played(environment, network, seeds, act):
    """Mean sum of rewards: the slow twin of `evaluate`."""
    total = 0.0
    for seed in seeds:
        network.reset()
        observation, _ = environment.reset(seed=seed)
        ended = False
        while not ended:
            action = act(network.step(np.ravel(observation)))
            observation, reward, terminated, truncated, _ = environment.step(action)
            total += reward
            ended = terminated or truncated
    return total / len(seeds)


# ---- fitness

@pytest.mark.parametrize("episodes", [1, 2, 5])
def test_fitness_by_hand(episodes):
    task = neat.tasks.Gymnasium(Line, episodes)
    assert (task.n_inputs, task.n_outputs) == (2, 2)
    for seed in (0, 1, 2**40):
        steps = [4 + start_of(s) for s in seeds_of(seed, episodes)]
        right, left, tie = (
            constant(y).network() for y in ([0.0, 1.0], [1.0, 0.0], [0.5, 0.5]))
        assert task.evaluate(right, seed) == sum(steps) / episodes
        assert task.evaluate(left, seed) == task.evaluate(tie, seed) == -2 * sum(steps) / episodes
        fitness = task.evaluate_all([left, right, tie], seed)
        np.testing.assert_array_equal(fitness, np.array([-2, 1, -2]) * sum(steps) / episodes)


@pytest.mark.parametrize("mode", ["feed_forward", "recurrent", "time_step"])
def test_against_a_slow_twin(mode):
    """Bits of outputs, state from step to step, and a blank state in each episode."""
    task = neat.tasks.Gymnasium(Swing, episodes=3)
    environment = Swing()
    genomes = some_genomes(task, 12, mode=mode)
    networks = [genome.network() for genome in genomes]
    expected = []
    for network in networks:
        network.step([1.0, 2.0, 3.0])       # a state that must make no difference
        twin = copy.copy(network)
        expected.append(played(environment, twin, seeds_of(7, 3), lambda y: -2 + 4 * y))
    got = task.evaluate_all(networks, 7)
    np.testing.assert_allclose(got, expected, rtol=1e-9)
    np.testing.assert_array_equal(got, [task.evaluate(network, 7) for network in networks])
    assert len(set(expected)) > 6
    assert all((network.step([1, 1, 1]) == twin.step([1, 1, 1])).all()
               for network, twin in zip(networks[:1], [state_after_one(genomes[0])], strict=True))


def state_after_one(genome):
    network = genome.network()
    network.step([1.0, 2.0, 3.0])
    return network


@pytest.mark.parametrize("mode", ["feed_forward", "recurrent"])
def test_neither_order_nor_number_makes_a_difference(mode):
    task = neat.tasks.Gymnasium(Swing, episodes=2)
    networks = [genome.network() for genome in some_genomes(task, 10, mode=mode)]
    expected = task.evaluate_all(networks, 3)
    assert len(set(expected)) > 5
    order = np.random.default_rng(0).permutation(10)
    for n_environments in (1, 3, 10, 64):
        other = neat.tasks.Gymnasium(Swing, episodes=2, n_environments=n_environments)
        np.testing.assert_array_equal(other.evaluate_all(networks, 3), expected)
        np.testing.assert_array_equal(
            other.evaluate_all([networks[i] for i in order], 3), expected[order])
        assert other.evaluate_all(networks[4:5], 3) == expected[4]
    assert not (task.evaluate_all(networks, 4) == expected).any()


def test_episodes_are_cut():
    task = neat.tasks.Gymnasium(Line, max_steps=3)
    assert task.evaluate(constant([0.0, 1.0]).network()) == 3


def test_networks_that_fail():
    """NaN outputs end the episode of that genome, and of no other."""
    config = neat.Config(2, 2, activation="identity", output_activation="log", bias=None)
    rows = [(0, 1, 2, -1.0, True), (1, 0, 3, 1.0, True)]
    bad = neat.Genome.from_connections(config, rows).network()
    with np.errstate(all="ignore"):
        assert np.isnan(bad([1.0, 2.0])).any()
    good = constant([0.0, 1.0]).network()
    task = neat.tasks.Gymnasium(Line, episodes=2)
    steps = [4 + start_of(s) for s in seeds_of(0, 2)]
    np.testing.assert_array_equal(
        task.evaluate_all([good, bad, good]), [sum(steps) / 2, -np.inf, sum(steps) / 2])
    assert task.evaluate(bad) == -np.inf


# ---- seeds

class Remembering(Line):
    """Writes down the seeds it was given."""

    seeds = []  # noqa: RUF012

    def reset(self, *, seed=None, options=None):
        self.seeds.append(seed)
        return super().reset(seed=seed)


def test_each_generation_has_its_own_episodes(monkeypatch):
    seen = []
    for fixed in (None, 5):
        monkeypatch.setattr(Remembering, "seeds", [])
        task = neat.tasks.Gymnasium(Remembering, episodes=2, seed=fixed)
        population = neat.Population(task.config(population_size=10), seed=0)
        for _ in range(3):
            Remembering.seeds.clear()
            population.step(task)
            used = set(Remembering.seeds)
            assert len(Remembering.seeds) == 20
            assert len(used) == 2
            seen.append(used)
    assert len(set.union(*seen[:3])) == 6
    assert seen[3] == seen[4] == seen[5] == set(seeds_of(5, 2))
    assert task.evaluate(constant([0.0, 1.0]).network(), 1) == task.evaluate(
        constant([0.0, 1.0]).network(), 2)


# ---- evolution

def test_cart_pole_is_solved():
    with neat.tasks.Gymnasium("CartPole-v1", episodes=3, trials=20) as task:
        assert (task.n_inputs, task.n_outputs, task.target) == (4, 2, 475.0)
        result = neat.Population(task.config(), seed=1).run(task, generations=20)
        assert result.solved
        environment = gymnasium.make("CartPole-v1")
        mean = played(environment, result.best.network(), range(10), np.argmax)
        assert mean > 400


def test_cart_pole_of_many_rows():
    """One environment for all rows, which begins each of them in another place."""
    task = neat.tasks.Gymnasium(
        "CartPole-v1", vectorization="vector_entry_point", n_environments=20, trials=30)
    result = neat.Population(task.config(population_size=50), seed=1).run(task, generations=30)
    assert result.solved
    separate = neat.tasks.Gymnasium("CartPole-v1")
    assert separate.evaluate(result.best.network()) > 300
    for n in (1, 19, 20, 21, 60):
        np.testing.assert_array_equal(
            task.evaluate_all([constant([0.0, 1.0], 4).network()] * n) < 12, True)
    rewards = task.evaluate_population(lambda X: np.tile([0.0, 1.0], (25, 1)), 25)
    assert set(rewards) <= set(range(7, 12))


def test_a_population_uses_the_methods_of_a_class_derived_from_the_task():
    class Doubled(neat.tasks.Gymnasium):
        def evaluate(self, network, seed=0):
            return 2 * super().evaluate(network, seed)

    plain, doubled = neat.tasks.Gymnasium(Line), Doubled(Line)
    fitness = []
    for task in (plain, doubled):
        population = neat.Population(task.config(population_size=10), seed=0)
        population.step(task)
        fitness.append(population.fitness)
    np.testing.assert_array_equal(fitness[1], 2 * fitness[0])


def test_solved():
    right = constant([0.0, 1.0]).network()
    assert not neat.tasks.Gymnasium(Line).solved(right, 1e9)
    assert neat.tasks.Gymnasium(Line).target is None
    # 4 + 0 to 9 steps: 8.5 on average
    for trials in (1, 10, 40):
        task = neat.tasks.Gymnasium(Line, target=6, trials=trials)
        assert task.solved(right, 6)
        assert not task.solved(right, 5.5)
        assert not task.solved(constant([1.0, 0.0]).network(), 6)
        assert not neat.tasks.Gymnasium(Line, target=13.5, trials=trials).solved(right, 13.5)
    with pytest.raises(TypeError, match="fitness must be a number"):
        task.solved(right, "6")


def test_a_lucky_network_has_not_solved_the_task():
    """Episodes that were not evaluated decide, those of the first 10 first."""
    starts = []

    class Counted(Line):
        def reset(self, *, seed=None, options=None):
            observation, info = super().reset(seed=seed)
            starts.append(self.start)
            return observation, info

    right = constant([0.0, 1.0]).network()
    assert not neat.tasks.Gymnasium(Counted, target=13.0).solved(right, 13.0)
    assert len(starts) == 10
    del starts[:]
    assert neat.tasks.Gymnasium(Counted, target=5.0).solved(right, 13.0)
    assert len(starts) == 100
    mean, first = (4 + np.mean(s) for s in (starts, starts[:10]))
    assert len(set(starts)) == 10
    for target in (mean, mean - 0.01, mean + 0.01):
        assert neat.tasks.Gymnasium(Counted, target=target).solved(right, 13.0) == (
            mean >= target and first >= target)


# ---- spaces

def observed(space, observation):
    class Showing(gymnasium.Env):
        observation_space = space
        action_space = spaces.Discrete(1)

        def reset(self, *, seed=None, options=None):
            return observation, {}

        def step(self, action):
            return observation, 0.0, True, False, {}

    rows = []
    task = neat.tasks.Gymnasium(Showing)

    def network(X):
        rows.extend(X.tolist())
        return np.zeros((len(X), 1))

    assert task.evaluate(network) == 0
    assert len(rows[0]) == task.n_inputs
    return rows[0]


@pytest.mark.parametrize(("space", "observation", "row"), [
    (spaces.Box(-1, 1, (2, 2)), np.array([[0.5, -1], [0.25, 1]]), [0.5, -1, 0.25, 1]),
    (spaces.Box(-1, 1, (2,)), [0.5, -1], [0.5, -1]),
    (spaces.Box(-1, 1, ()), np.float32(0.5), [0.5]),
    (spaces.Box(0, 255, (2,), np.uint8), np.array([7, 255], np.uint8), [7, 255]),
    (spaces.Discrete(4), 2, [0, 0, 1, 0]),
    (spaces.Discrete(3, start=-1), np.int64(-1), [1, 0, 0]),
    (spaces.MultiBinary(3), np.array([1, 0, 1], np.int8), [1, 0, 1]),
    (spaces.MultiDiscrete([2, 3]), np.array([1, 0]), [0, 1, 1, 0, 0]),
    (spaces.Tuple((spaces.Discrete(2), spaces.Box(-1, 1, (2,)))),
     (1, np.array([0.5, -0.5], np.float32)), [0, 1, 0.5, -0.5]),
    (spaces.Dict(b=spaces.Discrete(2), a=spaces.Box(-1, 1, (1,))),
     {"a": np.array([0.5], np.float32), "b": 0}, [1, 0, 0.5]),
], ids=str)
def test_observations(space, observation, row):
    if isinstance(space, spaces.Dict):
        row = [row[i] for i in ([2, 0, 1] if next(iter(space.spaces)) == "a" else [0, 1, 2])]
    assert observed(space, observation) == row


@pytest.mark.parametrize(("space", "observation"), [
    (spaces.Box(-1, 1, (2,)), np.zeros(1)),
    (spaces.Box(-1, 1, (2,)), np.zeros(3)),
    (spaces.Discrete(3), 3),
    (spaces.Discrete(3), -1),
    (spaces.Discrete(3), 1.5),
    (spaces.Discrete(3), np.nan),
    (spaces.Discrete(3), "1"),
    (spaces.Discrete(3), None),
    (spaces.MultiDiscrete([2, 3]), [1, 7]),
    (spaces.MultiBinary(2), [1, 0, 1]),
    (spaces.Dict(a=spaces.Discrete(2), b=spaces.Discrete(2)), {"a": 1}),
    (spaces.Tuple([spaces.Discrete(2), spaces.Discrete(2)]), (1,)),
])
def test_observations_out_of_their_space(space, observation):
    with pytest.raises(ValueError, match=r"the observation .* the space is"):
        observed(space, observation)


def acted(space, outputs, **options):
    """The action that the environment gets for these outputs."""
    taken = []

    class Taking(gymnasium.Env):
        observation_space = spaces.Box(-1, 1, (1,))
        action_space = space

        def reset(self, *, seed=None, options=None):
            return np.zeros(1, np.float32), {}

        def step(self, action):
            assert action in space, action
            taken.append(action)
            return np.zeros(1, np.float32), 0.0, True, False, {}

    task = neat.tasks.Gymnasium(Taking, **options)
    assert task.n_outputs == len(outputs)
    assert task.evaluate(lambda X: [outputs] * len(X)) == 0
    return taken[0]


BOUNDED = spaces.Box(np.array([-2, 0]), np.array([2, 10]), dtype=np.float64)


@pytest.mark.parametrize(("space", "outputs", "output_range", "action"), [
    (spaces.Discrete(3), [0.1, 0.3, 0.2], None, 1),
    (spaces.Discrete(2), [0.5, 0.5], None, 0),
    (spaces.Discrete(2, start=5), [0.4, 0.5], None, 6),
    (spaces.Discrete(2), [-np.inf, np.inf], None, 1),
    (spaces.MultiDiscrete([2, 3]), [0.1, 0.2, 5, 4, 3], None, [1, 0]),
    (spaces.MultiDiscrete([[2], [2]], start=[[1], [7]]), [1, 0, 0, 1], None, [[1], [8]]),
    (spaces.MultiBinary(3), [-0.1, 0.0, 0.1], None, [0, 0, 1]),
    (spaces.MultiBinary((2, 1)), [0.4, 0.6], (0, 1), [[0], [1]]),
    (BOUNDED, [0.25, 0.75], (0, 1), [-1, 7.5]),
    (BOUNDED, [0, 1], (0, 1), [-2, 10]),
    (BOUNDED, [-1, 0], (-1, 1), [-2, 5]),
    (BOUNDED, [-0.1, 1.1], (0, 1), [-2, 10]),
    (BOUNDED, [1.5, 4], None, [1.5, 4]),
    (BOUNDED, [-np.inf, np.inf], None, [-2, 10]),
    (spaces.Box(-np.inf, np.inf, (2,), np.float64), [-7, 1e9], (0, 1), [-7, 1e9]),
    (spaces.Box(0, np.inf, (2,), np.float64), [-7, 3], (0, 1), [0, 3]),
    (spaces.Box(-0.1, 0.3, (2, 1)), [0, 1], (0, 1), np.array([[-0.1], [0.3]], np.float32)),
    (spaces.Box(0, 10, (3,), np.int32), [0.24, 0.26, 1.0], (0, 1), [2, 3, 10]),
    (spaces.Tuple((spaces.Discrete(2), BOUNDED)), [0, 1, 0.25, 0.75], (0, 1), (1, [-1, 7.5])),
    (spaces.Dict(x=BOUNDED, y=spaces.Discrete(2)), [0.25, 0.75, 0, 1], (0, 1),
     {"x": [-1, 7.5], "y": 1}),
], ids=str)
def test_actions(space, outputs, output_range, action):
    got = acted(space, outputs, output_range=output_range)
    if isinstance(action, dict):
        assert set(got) == set(action)
        got, action = [list(d[k] for k in sorted(d)) for d in (got, action)]
    if isinstance(action, (tuple, list)) and isinstance(space, (spaces.Tuple, spaces.Dict)):
        for part, wanted in zip(got, action, strict=True):
            np.testing.assert_array_equal(part, wanted)
    else:
        np.testing.assert_array_equal(got, action)


@pytest.mark.parametrize(("activation", "output", "action"), [
    ("sigmoid", 0.0, 1.0), ("steep_sigmoid", 1e9, 5.0), ("steep_sigmoid", -1e9, -3.0),
    ("tanh", 0.0, 1.0), ("tanh", -1e9, -3.0), ("tanh", 1e9, 5.0), ("identity", 0.5, 0.5),
    ("identity", 9.0, 5.0), ("relu", -1.0, 0.0), ("sin", 0.0, 1.0), ("gaussian", 0.0, 5.0),
])
def test_actions_have_the_range_of_the_activation(activation, output, action):
    """Of each output node, whatever the config says of others."""
    taken = []

    class Taking(gymnasium.Env):
        observation_space = spaces.Box(-1, 1, (1,))
        action_space = spaces.Box(-3, 5, (2,), np.float64)

        def reset(self, *, seed=None, options=None):
            return np.zeros(1, np.float32), {}

        def step(self, action):
            taken.append(action.tolist())
            return np.zeros(1, np.float32), 0.0, True, False, {}

    task = neat.tasks.Gymnasium(Taking)
    config = task.config(output_activation=activation, bias="node", weight_cap=None)
    genome = neat.Genome.from_connections(config, [(0, 1, 2, output, True)])
    plain = neat.Genome.from_connections(task.config(output_activation="identity"), [])
    task.evaluate_all([plain.network(), genome.network(), plain.network()])
    silent = taken[1][1]
    np.testing.assert_allclose(taken, [[0, 0], [action, silent], [0, 0]], rtol=1e-14)
    task.evaluate(genome.network())
    assert taken[3] == taken[1]

    net = fn.Network([1, 2], output=activation, dtype="float64", seed=0)
    net.parameters[:] = 0.0
    net.layers[0].biases[0] = output
    task.evaluate(net)
    np.testing.assert_allclose(taken[4][0], action, rtol=1e-14)


@pytest.mark.parametrize("space", [
    spaces.Text(5), spaces.Sequence(spaces.Discrete(2)), spaces.OneOf([spaces.Discrete(2)]),
    spaces.Graph(spaces.Box(-1, 1, (1,)), None),
    spaces.Dict(a=spaces.Discrete(2), b=spaces.Tuple([spaces.Text(5)])),
    spaces.Box(-1, 1, (0,)),
], ids=str)
@pytest.mark.parametrize("what", ["observation", "action"])
def test_spaces_that_cannot_be_mapped(space, what):
    class Other(Line):
        pass

    setattr(Other, f"{what}_space", space)
    part = "Text" if isinstance(space, spaces.Dict) else type(space).__name__
    with pytest.raises(ValueError, match=f"the {what} space .*{part}"):
        neat.tasks.Gymnasium(Other)


# ---- what goes wrong

class Broken(Line):
    """Does something wrong in the third step from the start 4, until it is mended."""

    wrong = None

    def step(self, action):
        observation, reward, *rest = super().step(action)
        if self.start == 4 and self.left == 5 and action == 1:
            if self.wrong == "error":
                raise ZeroDivisionError("the axle broke")
            if self.wrong == "observation":
                observation = np.array([np.nan, 1.0])
            if self.wrong == "reward":
                reward = np.nan
            if self.wrong == "infinite reward":
                reward = np.inf
            if self.wrong == "text":
                observation = np.array(["4", "5"])
            if self.wrong == "complex observation":
                observation = observation + 1j
            if self.wrong == "no reward":
                reward = None
            if self.wrong == "rewards":
                reward = np.ones(2)
            if self.wrong == "text for a reward":
                reward = "1.0"
        return observation, reward, *rest


@pytest.mark.parametrize(("wrong", "error", "message"), [
    ("error", ZeroDivisionError, "the axle broke"),
    ("observation", ValueError, r"the observation has NaN, \[nan  1\.\]"),
    ("reward", ValueError, "the reward is nan"),
    ("infinite reward", ValueError, "the reward is inf"),
    ("text", TypeError, "the observation must hold real numbers, got dtype <U1"),
    ("complex observation", TypeError, "the observation must hold real numbers, got .*complex"),
    ("no reward", TypeError, "the reward must be a number, got None"),
    ("rewards", TypeError, r"the reward must be a number, got array\(\[1., 1.\]\)"),
    ("text for a reward", TypeError, "the reward must be a number, got '1.0'"),
])
def test_a_population_goes_on_after_an_error(monkeypatch, wrong, error, message):
    seed = next(s for s in range(100) if start_of(seeds_of(s, 2)[1]) == 4)
    made = []

    def factory():
        made.append(Broken())
        return made[-1]

    task = neat.tasks.Gymnasium(factory, episodes=2, seed=seed)
    config = task.config(population_size=12)
    population, twin = (neat.Population(config, seed=3) for _ in range(2))
    population.step(task)
    twin.step(task)
    n_made = len(made)
    before = pickle.dumps(population)
    twin.step(task)

    monkeypatch.setattr(Broken, "wrong", wrong)
    with pytest.raises(error, match=message) as caught:
        population.step(task)
    text = "\n".join([str(caught.value), *getattr(caught.value, "__notes__", ())])
    # the first that goes right in the third step
    networks = [genome.network() for genome in twin.genomes]
    first = next(i for i, net in enumerate(networks) if np.argmax(net([4.0, 6.0])) == 1)
    assert f"genome {first}, episode 1, step 3 (seed {seeds_of(seed, 2)[1]})" in text
    assert pickle.dumps(population) == before
    assert all(environment.n_closed == 1 for environment in made[:n_made])

    monkeypatch.setattr(Broken, "wrong", None)
    population.step(task)
    np.testing.assert_array_equal(population.fitness, twin.fitness)
    assert len(made) > n_made


@pytest.mark.parametrize("kind", [int, bool, np.float32, np.int64, np.bool_, np.array,
                                  lambda reward: np.array([reward])])
def test_types_of_rewards(kind):
    class Typed(Line):
        def step(self, action):
            observation, reward, *rest = super().step(action)
            return observation, kind(reward), *rest

    network = constant([0.0, 1.0]).network()
    expected = 4 + start_of(seeds_of(0, 1)[0])
    assert neat.tasks.Gymnasium(Typed).evaluate(network) == expected


def test_a_factory_that_makes_one_environment():
    """Rows that share it would end each other's episodes."""
    line = Line()
    task = neat.tasks.Gymnasium(lambda: line)
    network = constant([0.0, 1.0]).network()
    assert task.evaluate(network) == 4 + start_of(seeds_of(0, 1)[0])
    with pytest.raises(ValueError, match="env_id_or_factory must make a new environment"):
        task.evaluate_all([network] * 2)


def test_an_environment_that_cannot_be_reset():
    class Stuck(Line):
        n_resets = 0

        def reset(self, *, seed=None, options=None):
            Stuck.n_resets += 1
            if Stuck.n_resets == 3:
                raise RuntimeError("stuck")
            return super().reset(seed=seed)

    task = neat.tasks.Gymnasium(Stuck)
    networks = [constant([0.0, 1.0]).network()] * 5
    with pytest.raises(RuntimeError, match="stuck") as caught:
        task.evaluate_all(networks)
    assert "genome 2, episode 0" in caught.value.__notes__[0]
    assert (task.evaluate_all(networks) == 4 + start_of(seeds_of(0, 1)[0])).all()


@pytest.mark.parametrize(("options", "error", "message"), [
    ({"episodes": 0}, ValueError, "episodes must be at least 1, got 0"),
    ({"episodes": 1.5}, TypeError, "episodes must be an int"),
    ({"episodes": None}, TypeError, "episodes must be an int"),
    ({"trials": 0}, ValueError, "trials must be at least 1"),
    ({"max_steps": 0}, ValueError, "max_steps must be at least 1"),
    ({"n_environments": 0}, ValueError, "n_environments must be at least 1"),
    ({"seed": -1}, ValueError, "seed must be at least 0"),
    ({"seed": "a"}, TypeError, "seed must be an int"),
    ({"target": "a"}, TypeError, "target must be a number"),
    ({"target": np.nan}, ValueError, "target must be a number"),
    ({"output_range": 1}, TypeError, "output_range must be a pair"),
    ({"output_range": (1, 1)}, ValueError, "output_range must be two finite numbers"),
    ({"output_range": (0, np.inf)}, ValueError, "output_range must be two finite numbers"),
    ({"output_range": (0, "a")}, TypeError, r"output_range\[1\] must be a number"),
    ({"vectorization": "async"}, ValueError, "vectorization must be None, 'sync' or"),
    ({"vectorization": "vector_entry_point"}, ValueError, "has no vector_entry_point"),
    ({"length": 2}, TypeError, "unexpected keyword argument 'length'"),
])
def test_bad_arguments(options, error, message):
    with pytest.raises(error, match=message):
        neat.tasks.Gymnasium(Line, **options)


@pytest.mark.parametrize(("given", "error", "message"), [
    ("CartPol-v1", ValueError, "env_id_or_factory must name an environment: .*CartPol"),
    ("", ValueError, "env_id_or_factory must name an environment"),
    ("no_such_namespace/CartPole-v1", ValueError, "env_id_or_factory must name an environment"),
    (3, TypeError, "env_id_or_factory must be the id .* got 3"),
    (Line(), TypeError, "a function that makes one, not an environment, got"),
    (lambda: 3, TypeError, "env_id_or_factory must return a gymnasium.Env, got int"),
])
def test_bad_environments(given, error, message):
    with pytest.raises(error, match=message):
        neat.tasks.Gymnasium(given)


def test_bad_networks():
    task = neat.tasks.Gymnasium(Line)
    population = neat.Population(neat.Config(3, 2), seed=0)
    with pytest.raises(ValueError, match="Gymnasium has n_inputs=2, the config n_inputs=3"):
        population.step(task)
    small = neat.Genome(neat.Config(1, 2), rng=0).network()
    for call in (task.evaluate, lambda net: task.solved(net, 1.0),
                 lambda net: task.evaluate_all([net])):
        with pytest.raises(ValueError, match="2 inputs and 2 outputs, got 1 and 2"):
            call(small)
        with pytest.raises(TypeError, match="Genome"):
            call(small.genome)
    with pytest.raises(TypeError, match="networks must be of one kind"):
        task.evaluate_all([constant([0.0, 1.0]).network(), lambda X: X])
    with pytest.raises(ValueError, match=r"2 outputs for each of 1 rows, got shape \(1, 3\)"):
        task.evaluate(lambda X: np.zeros((1, 3)))
    with pytest.raises(ValueError, match="2 inputs and 2 outputs, got 2 and 1"):
        task.evaluate(fn.Network([2, 1]))
    with pytest.raises(ValueError, match="seed must be at least 0"):
        task.evaluate(constant([0.0, 1.0]).network(), -1)


def test_without_gymnasium(monkeypatch):
    for name in [name for name in sys.modules if name.partition(".")[0] == "gymnasium"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "gymnasium", None)
    with pytest.raises(ImportError, match=r"pip install 'fastnet\[gymnasium\]'"):
        neat.tasks.Gymnasium("CartPole-v1")


# ---- vector environments

class Lines(gymnasium.vector.VectorEnv):
    """Many `Line`s with a seed for each; rewards behind the end of an episode are 1000."""

    mode = gymnasium.vector.AutoresetMode.NEXT_STEP
    made = []  # noqa: RUF012

    def __init__(self, num_envs, render_mode=None, max_episode_steps=None):
        self.metadata = {"autoreset_mode": self.mode}
        self.num_envs = num_envs
        self.single_observation_space = Line.observation_space
        self.single_action_space = Line.action_space
        self.observation_space = gymnasium.vector.utils.batch_space(
            self.single_observation_space, num_envs)
        self.action_space = gymnasium.vector.utils.batch_space(self.single_action_space, num_envs)
        self.lines = [Line() for _ in range(num_envs)]
        self.fresh = [True] * num_envs
        self.made.append(num_envs)

    def observations(self):
        return np.array([line.observation() for line in self.lines])

    def reset(self, *, seed=None, options=None):
        if options is not None:
            assert self.mode is gymnasium.vector.AutoresetMode.DISABLED
            assert seed is None
            mask = options["reset_mask"]
            assert mask.dtype == bool
            assert mask.any()
            for line in (line for line, chosen in zip(self.lines, mask, strict=True) if chosen):
                assert line.is_over
                line.reset()
        else:
            for line, s in zip(self.lines, seed, strict=True):
                line.reset(seed=s)
            self.fresh = [True] * self.num_envs
        return self.observations(), {}

    def step(self, actions):
        assert self.action_space.contains(actions)
        rewards, ended = np.zeros(self.num_envs), np.zeros(self.num_envs, bool)
        for k, line in enumerate(self.lines):
            if line.is_over and self.mode is gymnasium.vector.AutoresetMode.NEXT_STEP:
                line.reset()
                rewards[k] = 1000
            else:
                _, rewards[k], ended[k], _, _ = line.step(actions[k])
                rewards[k] += 0 if self.fresh[k] else 1000
                if ended[k] and self.mode is gymnasium.vector.AutoresetMode.SAME_STEP:
                    line.reset()
            self.fresh[k] &= not ended[k]
        return self.observations(), rewards, ended, np.zeros(self.num_envs, bool), {}


class LinesOfOneSeed(Lines):
    """With a single seed for all, as most have it."""

    def reset(self, *, seed=None, options=None):
        if seed is not None:
            assert isinstance(seed, int)
            seed = [seed + k for k in range(self.num_envs)]
        return super().reset(seed=seed, options=options)


@pytest.fixture
def registered(monkeypatch):
    """Ids of environments that offer many rows: with a seed for each, and with one for all."""
    monkeypatch.setattr(Lines, "made", [])
    registry = gymnasium.registry
    for name, vector in (("Lines-v0", Lines), ("LinesOfOneSeed-v0", LinesOfOneSeed)):
        gymnasium.register(name, entry_point=Line, vector_entry_point=vector)
    yield ("Lines-v0", "LinesOfOneSeed-v0")
    for name in ("Lines-v0", "LinesOfOneSeed-v0"):
        del registry[name]


@pytest.mark.parametrize("mode", list(gymnasium.vector.AutoresetMode))
@pytest.mark.parametrize("n_environments", [1, 4, 7, 64])
def test_rows_of_a_vector_environment(monkeypatch, registered, mode, n_environments):
    """The same fitness as of separate environments; nothing behind the end counts."""
    monkeypatch.setattr(Lines, "mode", mode)
    separate = neat.tasks.Gymnasium(Line, episodes=3)
    task = neat.tasks.Gymnasium(
        registered[0], episodes=3, n_environments=n_environments, target=6.0)
    networks = [genome.network() for genome in some_genomes(task, 10, mode="recurrent")]
    expected = separate.evaluate_all(networks, 9)
    del Lines.made[:]
    np.testing.assert_array_equal(task.evaluate_all(networks, 9), expected)
    assert Lines.made == [n_environments]
    assert [task.evaluate(network, 9) for network in networks] == expected.tolist()
    right = constant([0.0, 1.0]).network()
    assert task.solved(right, 6.0)
    assert not task.solved(constant([1.0, 0.0]).network(), 6.0)
    assert Lines.made == [n_environments]

    def go_right(X):
        return np.tile([0.0, 1.0], (len(X), 1))

    np.testing.assert_array_equal(
        task.evaluate_population(go_right, 20, 9), [separate.evaluate(right, 9)] * 20)


def test_rows_with_one_seed_for_all_are_asked_for(registered):
    task = neat.tasks.Gymnasium(registered[1], episodes=2)
    del Lines.made[:]
    networks = [constant([0.0, 1.0]).network()] * 5
    np.testing.assert_array_equal(
        task.evaluate_all(networks), neat.tasks.Gymnasium(Line, episodes=2).evaluate_all(networks))
    assert not Lines.made
    fast = neat.tasks.Gymnasium(
        registered[1], episodes=2, vectorization="vector_entry_point", n_environments=5,
        target=8.0, trials=10)
    steps = [[4 + start_of(seed + k) for seed in seeds_of(0, 2)] for k in range(5)]
    np.testing.assert_array_equal(fast.evaluate_all(networks), np.mean(steps, axis=1))
    assert fast.evaluate(networks[0]) == np.mean(steps[0])
    assert isinstance(fast.solved(networks[0], 9.0), bool)


def test_rows_of_another_number_leave_the_fitness_as_it_is(monkeypatch, registered):
    def reset(self, *, seed=None, options=None):
        # as one generator that draws for all rows does
        return Lines.reset(self, seed=[seed + self.num_envs * k for k in range(self.num_envs)])

    monkeypatch.setattr(LinesOfOneSeed, "reset", reset)
    task = neat.tasks.Gymnasium(
        registered[1], vectorization="vector_entry_point", n_environments=3)
    networks = [constant([0.0, 1.0]).network()] * 3
    expected = task.evaluate_all(networks, 5)
    many = task.evaluate_population(lambda X: np.tile([0.0, 1.0], (len(X), 1)), 7, 5)
    assert many.tolist()[:3] != expected.tolist()
    np.testing.assert_array_equal(task.evaluate_all(networks, 5), expected)


def test_vector_environments_that_do_not_work(monkeypatch, registered):
    def broken(self, num_envs, **kwargs):
        raise ModuleNotFoundError("no such library")

    monkeypatch.setattr(Lines, "__init__", broken)
    task = neat.tasks.Gymnasium(registered[0])
    assert task.evaluate(constant([0.0, 1.0]).network()) == 4 + start_of(seeds_of(0, 1)[0])
    with pytest.raises(ModuleNotFoundError, match="no such library"):
        neat.tasks.Gymnasium(registered[0], vectorization="vector_entry_point")


def test_an_error_in_a_vector_environment(monkeypatch, registered):
    task = neat.tasks.Gymnasium(registered[0], n_environments=4)
    networks = [constant([0.0, 1.0]).network()] * 6
    expected = task.evaluate_all(networks)
    step = Lines.step

    def raising(self, actions):
        if self.lines[0].left == 2:
            raise ZeroDivisionError("the axle broke")
        return step(self, actions)

    monkeypatch.setattr(Lines, "step", raising)
    with pytest.raises(ZeroDivisionError) as caught:
        task.evaluate_all(networks)
    assert "genome 0, episode 0, step" in caught.value.__notes__[0]
    monkeypatch.setattr(Lines, "step", step)
    np.testing.assert_array_equal(task.evaluate_all(networks), expected)


# ---- other networks

def test_dense_networks():
    task = neat.tasks.Gymnasium(Swing, episodes=3)
    net = fn.Network([3, 5, 2], output="tanh", dtype="float64", seed=0)

    class Stepped:
        reset = staticmethod(lambda: None)
        step = staticmethod(net)

    expected = played(Swing(), Stepped, seeds_of(4, 3), lambda y: 2 * y)
    np.testing.assert_allclose(task.evaluate(net, 4), expected, rtol=1e-9)
    # any function of rows, whose range is told
    task = neat.tasks.Gymnasium(Swing, episodes=3, output_range=(-1, 1))
    np.testing.assert_allclose(task.evaluate(net.predict, 4), expected, rtol=1e-9)


def test_a_generation_of_dense_networks():
    """As a genetic algorithm gives them."""
    for task, n_inputs in (
            (neat.tasks.Gymnasium(Swing, episodes=2, n_environments=4), 3),
            (neat.tasks.Gymnasium(Line, episodes=2), 2)):
        nets = [fn.Network([n_inputs, 4, 2], output="tanh", seed=seed) for seed in range(9)]
        fitness = task.evaluate_all(nets, 1)
        np.testing.assert_array_equal(fitness, [task.evaluate(net, 1) for net in nets])
        assert len(set(fitness)) > 1
    functions = [net.predict for net in nets]
    np.testing.assert_array_equal(task.evaluate_all(functions, 1), fitness)


def test_a_genetic_algorithm(monkeypatch):
    task = neat.tasks.Gymnasium(Swing, episodes=2, seed=4, n_environments=5)
    net = fn.Network([3, 4, 2], hidden="tanh", output="tanh", dtype="float64", seed=0)
    ga = fn.GeneticAlgorithm(net, 12, seed=1)
    ga.run(task, generations=2)
    expected = []
    for parameters in ga.population:
        net.parameters[:] = parameters
        expected.append(task.evaluate(net))
    np.testing.assert_array_equal(ga.fitness, expected)

    task = neat.tasks.Gymnasium("CartPole-v1", episodes=2, trials=10)
    ga = fn.GeneticAlgorithm(fn.Network([4, 3, 2], hidden="tanh", seed=0), 50, seed=1)
    result = ga.run(task, generations=30)
    assert result.solved
    assert task.evaluate(result.best, 12345) > 300
    with pytest.raises(ValueError, match="Gymnasium has n_inputs=4, the network n_inputs=2"):
        fn.GeneticAlgorithm(fn.Network([2, 2]), 10).run(task)

    task = neat.tasks.Gymnasium(Broken, seed=next(s for s in range(99) if start_of(
        seeds_of(s, 1)[0]) == 4))
    ga = fn.GeneticAlgorithm(fn.Network([2, 2], seed=0), 10, seed=1)
    monkeypatch.setattr(Broken, "wrong", "reward")
    with pytest.raises(ValueError, match=r"the reward is nan: network \d, episode 0, step 3"):
        ga.run(task, generations=5)
    generation = ga.generation
    monkeypatch.setattr(Broken, "wrong", None)
    ga.run(task, generations=1)
    assert ga.generation == generation + 1


def test_many_dense_networks():
    net = fn.Network([3, 4, 2], output="tanh", dtype="float64", seed=0)
    rng = np.random.default_rng(0)
    P = rng.normal(size=(9, net.n_parameters))
    task = neat.tasks.Gymnasium(Swing, episodes=2, n_environments=4)
    expected = []
    for parameters in P:
        net.parameters[:] = parameters
        expected.append(task.evaluate(net, 1))

    def predict(X):
        return np.array([
            net.predict_population(P[k : k + 1], X[k : k + 1])[0, 0] for k in range(len(X))])

    n_resets = []
    got = task.evaluate_population(
        predict, 9, 1, reset=lambda: n_resets.append(1), output_range=(-1, 1))
    np.testing.assert_allclose(got, expected, rtol=1e-9)
    assert len(n_resets) == 2
    with pytest.raises(ValueError, match="n must be at least 1"):
        task.evaluate_population(predict, 0)


# ---- the task as an object

def test_object():
    task = neat.tasks.Gymnasium("CartPole-v1", 2, seed=3, sutton_barto_reward=True)
    assert repr(task) == "Gymnasium('CartPole-v1', episodes=2, seed=3, sutton_barto_reward=True)"
    assert task != neat.tasks.Gymnasium("CartPole-v1")
    assert task != 3
    network = constant([0.0, 1.0], 4).network()
    # -1 at the end instead of 1 a step
    assert task.evaluate(network) == -1
    for other in (pickle.loads(pickle.dumps(task)), copy.copy(task), copy.deepcopy(task)):
        assert other == task
        assert other.evaluate(network) == -1
        assert other.target == task.target == 475
    with pytest.raises(TypeError, match="unhashable"):
        hash(task)
    assert task.config(population_size=9) == neat.Config.paper(4, 2, population_size=9)
    task = neat.tasks.Gymnasium(gymnasium.spec("CartPole-v1"))
    assert 8 <= task.evaluate(network) <= 11


def test_close():
    made = []

    def factory():
        made.append(Line())
        return made[-1]

    networks = [constant([0.0, 1.0]).network()] * 6
    with neat.tasks.Gymnasium(factory, n_environments=4) as task:
        assert len(made) == 1
        expected = task.evaluate_all(networks)
        task.evaluate_all(networks)
        # the generation is cut, and the environments stay
        assert len(made) == 4
        assert not any(line.n_closed for line in made)
    assert all(line.n_closed == 1 for line in made)
    np.testing.assert_array_equal(task.evaluate_all(networks), expected)
    assert len(made) == 8
    task.close()
    task.close()
    assert all(line.n_closed == 1 for line in made)


def test_many_threads_use_one_task():
    task = neat.tasks.Gymnasium(Swing, episodes=2)
    networks = [genome.network() for genome in some_genomes(task, 4)]
    expected = [task.evaluate(network) for network in networks]
    got = [[] for _ in networks]

    def work(k):
        got[k] += [task.evaluate(networks[k]) for _ in range(10)]

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got == [[value] * 10 for value in expected]
    assert not any(math.isnan(value) for value in expected)
