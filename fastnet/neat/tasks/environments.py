"""Environments of gymnasium in rows: reset and stepped together, one row an episode."""

import contextlib

import numpy as np

__all__ = ["SeparateEnvironments", "VectorEnvironment"]


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
                    self._environments.append(self._make())
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
                observation, rewards[k], terminated, truncated, _ = environments[k].step(actions[k])
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
