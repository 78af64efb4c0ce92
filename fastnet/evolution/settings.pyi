from dataclasses import dataclass
from typing import Any

import numpy.typing as npt

from fastnet.nn.network import Network

__all__ = ["Settings", "checked_number", "checked_rows"]

SELECTIONS: tuple[str, ...]
CROSSOVERS: tuple[str | None, ...]
MUTATIONS: tuple[str | None, ...]
MOST_POWER: float

@dataclass(frozen=True)
class Settings:
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
    def __post_init__(self) -> None: ...
    @property
    def n_parents(self) -> int: ...

def checked_number(value: object, name: str, least: float, most: float) -> float: ...
def checked_rows(
    rows: npt.ArrayLike, n: int, net: Network, name: str = "population"
) -> npt.NDArray[Any]: ...
