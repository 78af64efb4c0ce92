"""Environments of gymnasium in rows: reset and stepped together, one row an episode."""

import contextlib

import numpy as np

from fastnet.interop.stack import require
from fastnet.neat.tasks.spaces import Actions, Observations

__all__ = ["SeparateEnvironments", "Source", "VectorEnvironment"]

_MODES = (None, "sync", "vector_entry_point")


class SeparateEnvironments:
    """An environment for each row; only rows whose episode goes on are stepped.

    Parameters
    ----------
    make : callable() -> gymnasium.Env
        Called for each row that is used for the first time.
    observations : Observations
    n_rows : int
        At most.

    Attributes
    ----------
    n_rows : int
    rows_share_seed : bool
        Whether all rows begin with one seed, and with different episodes for it.
    """

    rows_share_seed = False

    def __init__(self, make, observations, n_rows):
        self._make = make
        self._observations = observations
        self._environments = []
        self.n_rows = n_rows

    def add(self, environment):
        """Use an environment that is there already."""
        self._environments.append(environment)

    def _another(self):
        environment = self._make()
        if any(environment is known for known in self._environments):
            raise ValueError(
                "env_id_or_factory must make a new environment each time it is called, got the "
                f"same one again: {environment!r}")
        return environment

    def reset(self, seeds, X, name):
        """Begin an episode in the first rows.

        Parameters
        ----------
        seeds : list of int
            One for each of these rows.
        X : ndarray (n_rows, n_inputs)
            Gets the first observations.
        name : callable(row) -> str
            What errors call a row.
        """
        for k, seed in enumerate(seeds):
            try:
                if k == len(self._environments):
                    self._environments.append(self._another())
                observation, _ = self._environments[k].reset(seed=seed)
                self._observations.fill(X[k], observation)
            except Exception as error:
                error.add_note(f"when the environment of {name(k)} was reset with seed {seed}")
                raise

    def step(self, actions, live, X, rewards, ended, name):
        """One step of each row in ``live``, an array of their numbers; see `reset`.

        Parameters
        ----------
        rewards, ended : ndarray (n_rows,)
            Filled in these rows.
        """
        environments, fill = self._environments, self._observations.fill
        for k in live.tolist():
            try:
                observation, reward, terminated, truncated, _ = environments[k].step(actions[k])
                rewards[k] = reward if type(reward) is float else _checked_reward(reward)
                fill(X[k], observation)
            except Exception as error:
                error.add_note(f"in the environment of {name(k)}")
                raise
            ended[k] = terminated or truncated

    def close(self):
        """Close them all; whatever one of them raises there."""
        environments, self._environments = self._environments, []
        for environment in environments:
            with contextlib.suppress(Exception):
                environment.close()


class VectorEnvironment:
    """One environment that steps all rows at once.

    What it does with rows whose episode has ended (its autoreset mode) makes no difference: they
    run on unseen, or are reset where it wants to be told.

    Parameters
    ----------
    environment : gymnasium.vector.VectorEnv
    observations : Observations
    rows_share_seed : bool
        Whether it takes a single seed for all rows; else it takes one for each.

    Attributes
    ----------
    n_rows : int
    rows_share_seed : bool
    """

    def __init__(self, environment, observations, rows_share_seed):
        from gymnasium.vector import AutoresetMode

        self._environment = environment
        self._observations = observations
        mode = environment.metadata.get("autoreset_mode")
        self._resets_itself = mode is not AutoresetMode.DISABLED
        self._rows = None
        self._over = None
        self.n_rows = environment.num_envs
        self.rows_share_seed = rows_share_seed

    def reset(self, seeds, X, name):
        """Begin an episode in all rows, of which the first are used; as of separate ones."""
        seed = seeds[0] if self.rows_share_seed else [
            *seeds, *seeds[-1:] * (self.n_rows - len(seeds))]  # fmt: skip
        try:
            observations, _ = self._environment.reset(seed=seed)
            if self._rows is None:
                self._rows = np.zeros((self.n_rows, self._observations.n))
            self._take(observations, X)
        except Exception as error:
            error.add_note(f"when the vector environment was reset with seed {seed}")
            raise
        self._over = np.zeros(self.n_rows, bool)

    def step(self, actions, live, X, rewards, ended, name):
        """One step of all rows; as of separate ones."""
        environment = self._environment
        try:
            if not self._resets_itself and self._over.any():
                environment.reset(options={"reset_mask": self._over})
            observations, given, terminated, truncated, _ = environment.step(self._batch(actions))
            self._take(observations, X)
            rewards[live] = np.asarray(given)[live]
            self._over = np.logical_or(terminated, truncated)
            ended[live] = self._over[live]
        except Exception as error:
            error.add_note(f"in the vector environment, the first of its rows is {name(0)}")
            raise

    def _take(self, observations, X):
        self._observations.fill_rows(
            self._rows, observations, self._environment.observation_space)
        X[:] = self._rows[: len(X)]

    def _batch(self, actions):
        """Actions of all rows as the environment takes them; idle rows do what the first does."""
        n_idle = self.n_rows - len(actions)
        if isinstance(actions, np.ndarray):
            return np.concatenate([actions, np.repeat(actions[:1], n_idle, axis=0)])
        from gymnasium.vector.utils import concatenate, create_empty_array

        space = self._environment.single_action_space
        rows = [*actions, *actions[:1] * n_idle]
        return concatenate(space, rows, create_empty_array(space, self.n_rows))

    def close(self):
        """Close it; whatever it raises there."""
        with contextlib.suppress(Exception):
            self._environment.close()


def _checked_reward(reward):
    """A real number, also as an array of one."""
    values = np.asarray(reward)
    if values.dtype.kind not in "buif" or values.size != 1:
        raise TypeError(f"the reward must be a number, got {reward!r}")
    return values.item()


class Source:
    """Makes environments of one kind, in rows, and keeps those that nobody uses.

    Parameters
    ----------
    given : str, gymnasium.envs.registration.EnvSpec or callable
    kwargs : dict
    vectorization : None, "sync" or "vector_entry_point"
    n_rows : int
        How many rows there are, if no more are asked for.

    Attributes
    ----------
    observation_space, action_space : gymnasium.Space
    observations : Observations
    actions : Actions
    spec : gymnasium.envs.registration.EnvSpec or None
    shares_seed : bool
        Whether all rows begin with one seed.
    """

    def __init__(self, given, kwargs, vectorization, n_rows):
        if vectorization not in _MODES:
            raise ValueError(
                "vectorization must be None, 'sync' or 'vector_entry_point', "
                f"got {vectorization!r}")
        self._given = given
        self._kwargs = kwargs
        self._n_rows = n_rows
        self._idle = []
        environment = self._make()
        try:
            self.observation_space = environment.observation_space
            self.action_space = environment.action_space
            self.observations = Observations(self.observation_space)
            self.actions = Actions(self.action_space)
            self.spec = getattr(environment, "spec", None)
            self._choose(vectorization)
        except BaseException:
            environment.close()
            raise
        if self._vectorizes:
            environment.close()
        else:
            rows = self._new_rows(0)
            rows.add(environment)
            self._idle.append(rows)

    def _make(self, **kwargs):
        """A new environment; ``kwargs`` for `gymnasium.make` where the user has given none."""
        gymnasium = require("gymnasium", "gymnasium")
        if isinstance(self._given, (str, gymnasium.envs.registration.EnvSpec)):
            try:
                return gymnasium.make(self._given, **(kwargs | self._kwargs))
            except gymnasium.error.DependencyNotInstalled:
                raise
            except gymnasium.error.Error as error:
                raise ValueError(f"env_id_or_factory must name an environment: {error}") from error
        if not callable(self._given):
            hint = ", not an environment" if isinstance(self._given, gymnasium.Env) else ""
            raise TypeError(
                "env_id_or_factory must be the id of an environment or a function that makes one"
                f"{hint}, got {self._given!r}")
        environment = self._given(**self._kwargs)
        if not isinstance(environment, gymnasium.Env):
            raise TypeError(
                "env_id_or_factory must return a gymnasium.Env, "
                f"got {type(environment).__name__}")
        return environment

    def _make_another(self):
        # what gymnasium checks of the first one is the class
        return self._make(disable_env_checker=True)

    def _make_vector(self, n_rows):
        environment = require("gymnasium", "gymnasium").make_vec(
            self._given, num_envs=n_rows, vectorization_mode="vector_entry_point", **self._kwargs)
        if (environment.single_observation_space, environment.single_action_space) != (
                self.observation_space, self.action_space):
            environment.close()
            raise ValueError(
                "vectorization must be 'sync': the environment for many rows has other spaces than "
                "that for one")
        return environment

    def _choose(self, vectorization):
        """Whether the environment's own vector environment is to be used."""
        self._vectorizes = self.shares_seed = False
        offers = (
            not callable(self._given)
            and getattr(self.spec, "vector_entry_point", None) is not None
            and not self.spec.additional_wrappers)
        if vectorization == "vector_entry_point" and not offers:
            raise ValueError(
                "vectorization must be None or 'sync': the environment has no vector_entry_point, "
                "got 'vector_entry_point'")
        if vectorization == "sync" or not offers:
            return
        try:
            environment = self._make_vector(3)
        except Exception:
            # such as one that needs a library that is not there
            if vectorization is None:
                return
            raise
        try:
            takes_seeds = _takes_seeds(environment, self.observations)
        finally:
            environment.close()
        self._vectorizes = takes_seeds or vectorization is not None
        self.shares_seed = self._vectorizes and not takes_seeds

    def _new_rows(self, n_rows):
        if self._vectorizes:
            environment = self._make_vector(max(n_rows, self._n_rows))
            return VectorEnvironment(environment, self.observations, self.shares_seed)
        return SeparateEnvironments(self._make_another, self.observations, self._n_rows)

    @contextlib.contextmanager
    def borrow(self, n_rows=0):
        """Rows that nobody else uses, at least so many; given up where something raises."""
        try:
            rows = self._idle.pop()
        except IndexError:
            rows = self._new_rows(n_rows)
        # The episode of a row with the seed of all may depend on how many there are, which is not
        # to depend on what was asked for earlier
        if self._vectorizes and (
                rows.n_rows < n_rows
                or (self.shares_seed and rows.n_rows != max(n_rows, self._n_rows))):
            rows.close()
            rows = self._new_rows(n_rows)
        try:
            yield rows
        except BaseException:
            rows.close()
            raise
        self._idle.append(rows)

    def close(self):
        """Close what nobody uses."""
        while self._idle:
            self._idle.pop().close()


def _takes_seeds(environment, observations):
    """Whether each row of a vector environment begins as its own seed says."""
    n = environment.num_envs
    given = [np.empty((n, observations.n)) for _ in range(2)]
    try:
        for last_seed, rows in zip((7, 8), given, strict=True):
            start, _ = environment.reset(seed=[7] * (n - 1) + [last_seed])
            observations.fill_rows(rows, start, environment.observation_space)
    except Exception:
        return False
    return bool((given[0] == given[0][0]).all() and (given[1][:-1] == given[0][0]).all())
