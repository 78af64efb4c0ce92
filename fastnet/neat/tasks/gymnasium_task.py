"""Environments of gymnasium as tasks: a network acts, the fitness is the reward it collects."""

import math
import numbers

import numpy as np

from fastnet._checks import checked_int
from fastnet.neat.config import Config
from fastnet.neat.network import Network
from fastnet.neat.tasks.environments import Source
from fastnet.neat.tasks.players import alone, output_activations, together
from fastnet.neat.tasks.spaces import range_of

__all__ = ["Gymnasium"]

# Seeds of the episodes that show whether a task is solved come from another place than others.
TRIALS_KEY = 0x501BED
FIRST_TRIALS = 10
LARGEST_SEED = 2**64 - 1


class Gymnasium:
    """An environment of gymnasium; the fitness is the mean sum of the rewards of an episode.

    Parameters
    ----------
    env_id_or_factory : str, gymnasium.envs.registration.EnvSpec or callable
        The id of a registered environment, or a function that makes a new environment; wrappers
        that scale observations or shape rewards belong there.
    episodes : int
        Of which the fitness is the mean.
    seed : int, optional
        Of the episodes, the same in every generation.  By default each generation of a population
        has other episodes.
    target : float, optional
        Mean reward at which the task is solved.  By default the ``reward_threshold`` of the
        environment, where it has one; else it never is.
    trials : int
        Episodes of which this mean is taken.
    max_steps : int, optional
        Steps after which an episode is cut, for environments that do not end it themselves.
    output_range : pair of float, optional
        Least and largest output of the networks, for actions that are scaled.  By default that of
        the activation of each output.
    vectorization : None, "sync" or "vector_entry_point"
        "sync" is a separate environment for each row.  "vector_entry_point" is the one that the
        environment offers for many rows; None is that where it takes a seed for each row, else
        separate ones.
    n_environments : int
        How many episodes run side by side at most; of a large generation one such part after the
        other.
    **kwargs
        For `gymnasium.make`, or for the function.

    Attributes
    ----------
    n_inputs, n_outputs : int
        Of the networks that can be evaluated.
    observation_space, action_space : gymnasium.Space
    env_id_or_factory, episodes, seed, target, trials, max_steps, output_range, vectorization, \
n_environments, kwargs
        What was given; target as it is used.

    Raises
    ------
    ImportError
        gymnasium is not installed; the extra is ``fastnet[gymnasium]``.
    ValueError, TypeError
        An argument is none of these; a space cannot be mapped (the message has the space).

    Notes
    -----
    *Observations.*  Box: its numbers as they are, also MultiBinary; Discrete and MultiDiscrete:
    one-hot; Tuple and Dict: their parts, one behind the other.

    *Actions.*  Discrete: one output for each action, also where there are only two, and the largest
    wins, the first of equal ones: this goes with any activation.  MultiDiscrete: so for each of its
    numbers.  MultiBinary: 1 where an output is above the middle of its range.  Box: from the range
    of the output's activation (0 to 1 for sigmoids, -1 to 1 for tanh) to ``low`` to ``high``; where
    one of the two is unbounded, the output itself, clipped to what bounds there are.

    *Seeds.*  The seed of an evaluation gives the seeds of its episodes, the same for all networks,
    ``numpy.random.SeedSequence(seed).generate_state(episodes) >> 1``.  So networks compete on equal
    terms, and the fitness of one depends neither on its position nor on the others.  Two kinds of
    environments break this: those that keep something from an earlier episode (as the world of
    BipedalWalker-v3), and vector
    environments with a single seed for all rows (as that of CartPole-v1), where each row begins in
    its own way; such are used only on demand, because they are fast.

    *Solved* is who has a fitness of at least the target and then reaches it in the mean of
    ``trials`` other episodes; who is below it after the first 10 gets no more.  Of a generation the
    fittest is tried first, and so on until one has solved it; then those before that one, until
    the first solver is known, up to which evaluations are counted.

    A network whose output is NaN has failed: its fitness is -inf.  An environment that raises, or a
    reward or observation that is no number, is an error that says which genome, episode and step it
    was; the population can go on, with environments made anew.

    Everything runs on the calling thread.  The environments stay for the next generation, until
    `close` or the end of a ``with`` block; they are made again when needed.  A pickle or copy holds
    the arguments only.

    Examples
    --------
    >>> from fastnet import neat                                             # doctest: +SKIP
    >>> with neat.tasks.Gymnasium("CartPole-v1", episodes=3) as task:
    ...     population = neat.Population(task.config(), seed=0)
    ...     result = population.run(task, generations=50)
    >>> result.solved
    True
    """

    __hash__ = None

    def __init__(self, env_id_or_factory, episodes=1, *, seed=None, target=None, trials=100,
                 max_steps=None, output_range=None, vectorization=None, n_environments=64,
                 **kwargs):
        self.env_id_or_factory = env_id_or_factory
        self.kwargs = kwargs
        self.episodes = checked_int(episodes, "episodes")
        self.seed = None if seed is None else checked_int(seed, "seed", 0, LARGEST_SEED)
        self.trials = checked_int(trials, "trials")
        self.max_steps = None if max_steps is None else checked_int(max_steps, "max_steps")
        self.output_range = _checked_range(output_range)
        self.n_environments = checked_int(n_environments, "n_environments")
        self.vectorization = vectorization
        self._target = None if target is None else _checked_number(target, "target")
        self._source = source = Source(
            env_id_or_factory, kwargs, vectorization, self.n_environments)
        self.observation_space, self.action_space = source.observation_space, source.action_space
        self.spec = source.spec
        self._actions = source.actions
        self.n_inputs, self.n_outputs = source.observations.n, source.actions.n
        self.target = self._target
        if target is None:
            self.target = getattr(self.spec, "reward_threshold", None)

    def close(self):
        """Close the environments; the next evaluation makes new ones."""
        self._source.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # -- evaluation ----------------------------------------------------------------------------

    def evaluate(self, network, seed=0):
        """Fitness of a network.

        Parameters
        ----------
        network : fastnet.neat.Network, fastnet.Network or callable
            A callable takes rows (n_rows, n_inputs) and returns (n_rows, n_outputs).  Networks of
            genomes begin each episode in a blank state; their own, that of `step`, stays as it is.
        seed : int
            The same seed gives the same fitness.  Ignored where the task has one.

        Returns
        -------
        float
            Mean sum of rewards; -inf where an output was NaN.

        Raises
        ------
        TypeError, ValueError
            The network is none, or has other inputs or outputs than the task; an observation or a
            reward is no number.  Whatever the environment raises.
        """
        rewards = self._rewards(network, self._seeds(seed), "episode")
        return float(_mean(rewards[None])[0])

    def evaluate_all(self, networks, seed=0):
        """Fitness of all networks of a generation, side by side.

        Parameters
        ----------
        networks : sequence of fastnet.neat.Network, fastnet.Network or callables
            As of `evaluate`; those of genomes with the parameters of these.
        seed : int
            As of `evaluate`, with the same fitness.

        Returns
        -------
        ndarray (n_networks,)
        """
        seeds = self._seeds(seed)
        networks = list(networks)
        if type(self).evaluate is not Gymnasium.evaluate:
            return np.array([self.evaluate(network, seed) for network in networks])
        for network in networks:
            self._check_network(network)
            if isinstance(network, Network) != isinstance(networks[0], Network):
                raise TypeError("networks must be of one kind, got some of genomes and others")
        rewards = np.empty((len(networks), self.episodes))
        noun = "genome" if networks and isinstance(networks[0], Network) else "network"
        with self._source.borrow() as rows:
            for first in range(0, len(networks), rows.n_rows):
                part = networks[first : first + rows.n_rows]
                predict, reset = together(part, self.n_outputs)
                low, high = self._ranges(part)
                for episode, episode_seed in enumerate(seeds):
                    reset()
                    rewards[first : first + len(part), episode] = self._play(
                        rows, predict, [episode_seed] * len(part), low, high,
                        lambda k, first=first, e=episode: f"{noun} {first + k}, episode {e}")
        return _mean(rewards)

    def evaluate_population(self, predict, n, seed=0, reset=None, output_range=None):
        """Fitness of n networks that compute together.

        Parameters
        ----------
        predict : callable
            ``predict(X) -> Y`` with row k of X, (n, n_inputs) float64, for network k, and its
            outputs in row k of Y, (n, n_outputs).
        n : int
        seed : int
            As of `evaluate`.
        reset : callable, optional
            Called before each episode, for networks with a state.
        output_range : pair of float, optional
            Least and largest output, if the task has not been given them.

        Returns
        -------
        ndarray (n,)
        """
        n = checked_int(n, "n")
        seeds = self._seeds(seed)
        low, high = self._one_range(n, self.output_range or _checked_range(output_range))
        rewards = np.empty((n, self.episodes))
        with self._source.borrow(n) as rows:
            for episode, episode_seed in enumerate(seeds):
                if reset is not None:
                    reset()
                rewards[:, episode] = self._play(
                    rows, lambda X, live: predict(X), [episode_seed] * n, low, high,
                    lambda k, e=episode: f"network {k}, episode {e}")
        return _mean(rewards)

    def solved(self, network, fitness):
        """Whether a network that got this fitness solves the task.

        Parameters
        ----------
        network : fastnet.neat.Network, fastnet.Network or callable
        fitness : float

        Returns
        -------
        bool
            Whether the target, if there is one, is reached by the fitness, by the mean of the first
            10 of ``trials`` other episodes and by that of all of them.  These episodes are the same
            for all networks.
        """
        fitness = _checked_number(fitness, "fitness")
        self._check_network(network)
        if self.target is None or not fitness >= self.target:
            return False
        seeds = self._trial_seeds()
        first = self._rewards(network, seeds[:FIRST_TRIALS], "trial")
        if not first.mean() >= self.target:
            return False
        rest = self._rewards(network, seeds[FIRST_TRIALS:], "trial")
        return bool(np.concatenate([first, rest]).mean() >= self.target)

    def config(self, **overrides):
        """The paper's settings for networks of this task; see `fastnet.neat.Config.paper`.

        Parameters
        ----------
        **overrides
            Any field of `fastnet.neat.Config`.
        """
        return Config.paper(self.n_inputs, self.n_outputs, **overrides)

    def _seeds(self, seed):
        """Of the episodes of an evaluation."""
        seed = checked_int(seed, "seed", 0, LARGEST_SEED)
        return _some_seeds(seed if self.seed is None else self.seed, self.episodes)

    def _trial_seeds(self):
        seeds = _some_seeds((TRIALS_KEY, 0), self.trials)
        if self._source.shares_seed:
            # rows of one seed are different episodes
            return [seeds[i // self.n_environments] for i in range(self.trials)]
        return seeds

    def _rewards(self, network, seeds, what):
        """Sum of rewards of a network in episodes with these seeds."""
        self._check_network(network)
        rewards = np.empty(len(seeds))
        first = 0
        with self._source.borrow() as rows:
            while first < len(seeds):
                last = min(first + rows.n_rows, len(seeds))
                if rows.rows_share_seed:
                    last = first + seeds[first:last].count(seeds[first])
                n = last - first
                low, high = self._ranges([network])
                rewards[first:last] = self._play(
                    rows, alone(network, n, self.n_outputs), seeds[first:last],
                    np.repeat(low, n, axis=0), np.repeat(high, n, axis=0),
                    lambda k, first=first: f"{what} {first + k}")
                first = last
        return rewards

    def _play(self, rows, predict, seeds, low, high, name):
        """Sum of rewards of each row in one episode."""
        n = len(seeds)
        X = np.empty((n, self.n_inputs))
        total, rewards = np.zeros(n), np.zeros(n)
        ended = np.zeros(n, bool)
        live = np.arange(n)
        n_steps = 0

        def place(k):
            return f"{name(k)}, step {n_steps} (seed {seeds[k]})"

        rows.reset(seeds, X, place)
        self._check_observations(X, live, place)
        while live.size and n_steps != self.max_steps:
            outputs = np.asarray(predict(X, live), np.float64)
            if outputs.shape != (n, self.n_outputs):
                raise ValueError(
                    f"the networks must return {self.n_outputs} outputs for each of {n} rows, got "
                    f"shape {outputs.shape}")
            has_failed = np.isnan(outputs).any(axis=1)
            if has_failed.any():
                total[live[has_failed[live]]] = -np.inf
                live = live[~has_failed[live]]
                if not live.size:
                    break
                outputs = np.where(has_failed[:, None], 0.0, outputs)
            n_steps += 1
            rows.step(self._actions.decode(outputs, low, high), live, X, rewards, ended, place)
            if not np.isfinite(rewards[live]).all():
                k = live[~np.isfinite(rewards[live])][0]
                raise ValueError(f"the reward is {rewards[k]}: {place(k)}")
            total[live] += rewards[live]
            live = live[~ended[live]]
            self._check_observations(X, live, place)
        return total

    def _check_observations(self, X, live, place):
        bad = np.isnan(X)
        if bad.any():
            rows = live[bad.any(axis=1)[live]]
            if rows.size:
                raise ValueError(f"the observation has NaN, {X[rows[0]]}: {place(rows[0])}")

    def _check_network(self, network):
        sizes = [getattr(network, name, None) for name in ("n_inputs", "n_outputs")]
        if not callable(network):
            raise TypeError(
                f"network must be a network or callable, got {type(network).__name__}")
        wanted = [self.n_inputs, self.n_outputs]
        if any(size not in (None, want) for size, want in zip(sizes, wanted, strict=True)):
            raise ValueError(
                f"{type(self).__name__} takes networks with {wanted[0]} inputs and {wanted[1]} "
                f"outputs, got {sizes[0]} and {sizes[1]}")

    def _one_range(self, n, bounds):
        low, high = bounds or (-np.inf, np.inf)
        return np.full((n, self.n_outputs), low), np.full((n, self.n_outputs), high)

    def _ranges(self, networks):
        """Bounds of the outputs of networks: two arrays (n_networks, n_outputs)."""
        if self.output_range is not None or not self._actions.needs_ranges:
            return self._one_range(len(networks), self.output_range)
        ranges = np.empty((len(networks), self.n_outputs, 2))
        for k, network in enumerate(networks):
            ranges[k] = [range_of(name) for name in output_activations(network, self.n_outputs)]
        return ranges[..., 0], ranges[..., 1]

    # -- the task as an object -----------------------------------------------------------------

    def _options(self):
        """Arguments that are not at their defaults."""
        options = {
            "episodes": (self.episodes, 1), "seed": (self.seed, None),
            "target": (self._target, None), "trials": (self.trials, 100),
            "max_steps": (self.max_steps, None), "output_range": (self.output_range, None),
            "vectorization": (self.vectorization, None),
            "n_environments": (self.n_environments, 64),
        }  # fmt: skip
        given = {name: value for name, (value, default) in options.items() if value != default}
        return given | self.kwargs

    def __eq__(self, other):
        if not isinstance(other, Gymnasium):
            return NotImplemented
        return (type(self) is type(other) and self.env_id_or_factory == other.env_id_or_factory
                and self._options() == other._options())

    def __reduce__(self):
        return _restore, (type(self), self.env_id_or_factory, self._options())

    def __repr__(self):
        options = "".join(f", {name}={value!r}" for name, value in self._options().items())
        return f"{type(self).__name__}({self.env_id_or_factory!r}{options})"


def _restore(cls, env_id_or_factory, options):
    return cls(env_id_or_factory, **options)


def _some_seeds(entropy, n):
    """Of episodes; the first of many are those of few.  31 bits, which every environment takes."""
    return (np.random.SeedSequence(entropy).generate_state(n) >> 1).tolist()


def _mean(rewards):
    """Means of the rows; with exact sums, so that no layout makes a difference."""
    return np.array([math.fsum(row) / len(row) for row in rewards.tolist()])


def _checked_number(value, name):
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise TypeError(f"{name} must be a number, got {value!r}")
    try:
        value = float(value)
    except OverflowError:
        raise ValueError(f"{name} is too large for a float") from None
    if math.isnan(value):
        raise ValueError(f"{name} must be a number, got NaN")
    return value


def _checked_range(value):
    if value is None:
        return None
    try:
        low, high = value
    except (TypeError, ValueError):
        raise TypeError(
            f"output_range must be a pair of numbers (least, largest), got {value!r}") from None
    low, high = _checked_number(low, "output_range[0]"), _checked_number(high, "output_range[1]")
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise ValueError(
            f"output_range must be two finite numbers, the smaller first, got {value!r}")
    return low, high
