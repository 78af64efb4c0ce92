from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy.typing as npt

from fastnet.neat.history import Records
from fastnet.nn.network import Network

__all__ = ["History", "Record", "Result"]

class Record(NamedTuple):
    generation: int
    best: float
    mean: float
    std: float

class History(Records[Record]): ...

@dataclass
class Result:
    best: Network | None
    fitness: float | None
    solved: bool
    generations: int
    evaluations: int
    history: History = field(repr=False)
    @property
    def parameters(self) -> npt.NDArray[Any] | None: ...
