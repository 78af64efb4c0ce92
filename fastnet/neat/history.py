"""What a run of evolution leaves behind: figures of its generations, and its result."""

from collections import deque
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

__all__ = ["History", "Record", "Records", "Result"]


class Record(NamedTuple):
    """Figures of one generation.

    Attributes
    ----------
    generation : int
        1 is the first.
    best, mean, std : float
        Largest fitness; mean and standard deviation of the finite ones (NaN where none is).
    n_connections, n_nodes : float
        Of a genome on average; disabled connections, inputs and bias node count.
    threshold : float
        Of compatibility, with which the genomes were put into species.
    species : tuple of int
        Ids of the species, oldest first.
    sizes : tuple of int
        Genomes of each.
    """

    generation: int
    best: float
    mean: float
    std: float
    n_connections: float
    n_nodes: float
    threshold: float
    species: tuple
    sizes: tuple

    @property
    def n_species(self):
        """Number of species."""
        return len(self.sizes)


class Records:
    """Records of generations, oldest first: what every history of evolution is.

    Parameters
    ----------
    records : iterable of named tuples
        With the fields ``generation``, ``best``, ``mean`` and ``std`` and maybe others.
    """

    LIMIT = 100_000

    def __init__(self, records=()):
        self._records = deque(records, maxlen=self.LIMIT)

    def append(self, record):
        """Add the figures of one more generation."""
        self._records.append(record)

    def __len__(self):
        return len(self._records)

    def __getitem__(self, index):
        if isinstance(index, slice):
            return list(self._records)[index]
        return self._records[index]

    def __iter__(self):
        return iter(self._records)

    def __eq__(self, other):
        if not isinstance(other, Records):
            return NotImplemented
        # NaN, the mean of no finite fitness, equals itself here
        return [_comparable(record) for record in self] == [_comparable(r) for r in other]

    __hash__ = None

    def copy(self):
        """A history of the same records that goes on by itself."""
        return type(self)(self._records)

    def _column(self, name, dtype=np.float64):
        return np.array([getattr(record, name) for record in self._records], dtype)

    @property
    def generation(self):
        """Numbers of the generations: (n,) int64."""
        return self._column("generation", np.int64)

    @property
    def best(self):
        """Largest fitness of each generation: (n,) float64."""
        return self._column("best")

    @property
    def mean(self):
        """Mean of the finite fitness values: (n,) float64."""
        return self._column("mean")

    @property
    def std(self):
        """Standard deviation of the finite fitness values: (n,) float64."""
        return self._column("std")


class History(Records):
    """Figures of the generations of a population, oldest first.

    A sequence of `Record`; every numeric field of a record is also an attribute here, as an array
    over the generations: ``history.best`` is what one plots.

    Notes
    -----
    At most the last ``History.LIMIT`` generations are kept, so that a run without end does not fill
    the memory.

    Examples
    --------
    >>> from fastnet import neat
    >>> task = neat.tasks.XOR()
    >>> pop = neat.Population(task.config(), seed=0)
    >>> result = pop.run(task, generations=3, target=float("inf"))
    >>> len(result.history), result.history[-1].generation
    (3, 3)
    >>> result.history.best.shape
    (3,)
    """

    @property
    def n_connections(self):
        """Mean number of connections: (n,) float64."""
        return self._column("n_connections")

    @property
    def n_nodes(self):
        """Mean number of nodes: (n,) float64."""
        return self._column("n_nodes")

    @property
    def threshold(self):
        """Compatibility threshold: (n,) float64."""
        return self._column("threshold")

    @property
    def n_species(self):
        """Number of species: (n,) int64."""
        return self._column("n_species", np.int64)

    @property
    def sizes(self):
        """Sizes of the species, a tuple for each generation: list."""
        return [record.sizes for record in self._records]

    def __repr__(self):
        if not self._records:
            return "History(no generations)"
        last = self._records[-1]
        return (
            f"History({len(self)} generations, best={last.best:.6g}, mean={last.mean:.6g}, "
            f"species={last.n_species})"
        )


def _comparable(record):
    return tuple("nan" if value != value else value for value in record)


@dataclass
class Result:
    """How a run of `Population.run` ended.

    Attributes
    ----------
    best : Genome or None
        The fittest genome that solved the task; where none did, the fittest one of all generations
        (None where there was no generation).
    solved : bool
    generations : int
        Evaluated since the population was made.
    evaluations : int
        Genomes evaluated until the task was solved, as in the paper: population x (generations - 1)
        + position of the first solver in its generation, counted from 1; else all.
    history : History
        Of all generations.
    """

    best: Any
    solved: bool
    generations: int
    evaluations: int
    history: History = field(repr=False)

    def __repr__(self):
        fitness = None if self.best is None else self.best.fitness
        return (
            f"Result(solved={self.solved}, generations={self.generations}, "
            f"evaluations={self.evaluations}, best fitness={fitness})"
        )
