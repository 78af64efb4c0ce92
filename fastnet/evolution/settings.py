"""Settings of a genetic algorithm, checked."""

import numbers
from dataclasses import dataclass

import numpy as np

from fastnet._checks import checked_int

__all__ = ["Settings", "checked_number", "checked_rows"]

SELECTIONS = ("tournament", "rank", "truncation")
CROSSOVERS = ("uniform", None)
MUTATIONS = ("gaussian", "uniform", None)
MOST_POWER = 1e37  # float32 holds 34 times that; no normal number is larger than 9


@dataclass(frozen=True)
class Settings:
    """Arguments of `fastnet.GeneticAlgorithm`, which says what they mean."""

    population_size: int
    selection: str
    tournament_size: int
    selection_pressure: float
    survival_threshold: float
    crossover: str | None
    crossover_rate: float
    mutation: str | None
    mutation_rate: float
    mutation_power: float
    elitism: int

    def __post_init__(self):
        n = self._check("population_size", checked_int, 2, 2**32 - 2)
        self._check("selection", _choice, SELECTIONS)
        self._check("tournament_size", checked_int, 1, 2**20)
        self._check("selection_pressure", checked_number, 1, 2)
        threshold = self._check("survival_threshold", checked_number, 0, 1)
        if threshold == 0:
            raise ValueError("survival_threshold must be above 0, got 0")
        self._check("crossover", _choice, CROSSOVERS)
        self._check("crossover_rate", checked_number, 0, 1)
        self._check("mutation", _choice, MUTATIONS)
        self._check("mutation_rate", checked_number, 0, 1)
        self._check("mutation_power", checked_number, 0, MOST_POWER)
        elitism = self._check("elitism", checked_int, 0)
        if elitism >= n:
            raise ValueError(f"elitism must be less than population_size = {n}, got {elitism}")

    def _check(self, name, check, *bounds):
        value = check(getattr(self, name), name, *bounds)
        object.__setattr__(self, name, value)  # the dataclass is frozen
        return value

    @property
    def n_parents(self):
        """How many truncation leaves."""
        return max(1, round(self.survival_threshold * self.population_size))


def _choice(value, name, choices):
    if not isinstance(value, (str, type(None))):
        raise TypeError(f"{name} must be one of {choices}, got {value!r}")
    if value not in choices:
        raise ValueError(f"{name} must be one of {choices}, got {value!r}")
    return value


def checked_number(value, name, least, most):
    """A number from ``least`` to ``most`` as a float."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, numbers.Real):
        raise TypeError(f"{name} must be a number, got {value!r}")
    try:
        number = float(value)
    except OverflowError:
        raise ValueError(f"{name} is too large for a float") from None
    if not least <= number <= most:
        raise ValueError(f"{name} must be from {least} to {most:g}, got {value!r}")
    return number


def checked_rows(rows, n, net, name="population"):
    """Finite rows of parameters for networks like this one: (n, n_parameters) of its dtype."""
    try:
        given = np.asarray(rows)
    except (TypeError, ValueError):
        given = np.empty((), object)  # such as rows of several lengths
    if given.dtype.kind not in "fiub":
        raise TypeError(f"{name} must be an array of real numbers, got {type(rows).__name__}")
    if given.shape != (n, net.n_parameters):
        raise ValueError(
            f"{name} must have shape (population_size, n_parameters) = ({n}, {net.n_parameters}), "
            f"got {given.shape}"
        )
    with np.errstate(over="ignore", under="ignore"):
        converted = given.astype(net.dtype)
    is_bad = ~np.isfinite(converted)
    if is_bad.any():
        place = tuple(int(i) for i in np.argwhere(is_bad)[0])
        raise ValueError(
            f"{name} must be finite in {net.dtype}: element {place} is {given[place]}"
        )
    return converted
