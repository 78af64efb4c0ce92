"""What a run of a genetic algorithm leaves behind: figures of its generations, and its result."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from fastnet.neat.history import Records

__all__ = ["History", "Record", "Result"]


class Record(NamedTuple):
    """Figures of one generation.

    Attributes
    ----------
    generation : int
        1 is the first.
    best, mean, std : float
        Largest fitness; mean and standard deviation of the finite ones (NaN where none is).
    """

    generation: int
    best: float
    mean: float
    std: float


class History(Records):
    """Figures of the generations of a genetic algorithm, oldest first.

    A sequence of `Record`; every field of a record is also an attribute here, as an array over the
    generations: ``history.best`` is what one plots.  At most the last ``History.LIMIT`` generations
    are kept.
    """

    def __repr__(self):
        if not self._records:
            return "History(no generations)"
        last = self._records[-1]
        return f"History({len(self)} generations, best={last.best:.6g}, mean={last.mean:.6g})"


@dataclass
class Result:
    """How a run of `GeneticAlgorithm.run` ended.

    Attributes
    ----------
    best : fastnet.Network or None
        The fittest network that solved the task; where none did, the fittest one of all generations
        (None where there was no generation).
    fitness : float or None
        Its fitness.
    solved : bool
    generations : int
        Evaluated since the genetic algorithm was made.
    evaluations : int
        Networks evaluated until the task was solved: population_size (generations - 1) + position
        of the first solver in its generation, counted from 1; else all.
    history : History
        Of all generations.
    """

    best: Any
    fitness: float | None
    solved: bool
    generations: int
    evaluations: int
    history: History = field(repr=False)

    @property
    def parameters(self):
        """Parameters of the best network: (n_parameters,); None where there was no generation."""
        return None if self.best is None else self.best.parameters

    def __repr__(self):
        return (
            f"Result(solved={self.solved}, generations={self.generations}, "
            f"evaluations={self.evaluations}, best fitness={self.fitness})"
        )
