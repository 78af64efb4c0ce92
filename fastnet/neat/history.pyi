from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import ClassVar, Generic, NamedTuple, Self, SupportsIndex, TypeVar, overload

import numpy as np
import numpy.typing as npt

from fastnet.neat.genome import Genome

__all__ = ["History", "Record", "Records", "Result"]

_Record = TypeVar("_Record")

class Record(NamedTuple):
    generation: int
    best: float
    mean: float
    std: float
    n_connections: float
    n_nodes: float
    threshold: float
    species: tuple[int, ...]
    sizes: tuple[int, ...]
    @property
    def n_species(self) -> int: ...

class Records(Generic[_Record]):
    LIMIT: ClassVar[int]
    def __init__(self, records: Iterable[_Record] = ()) -> None: ...
    def append(self, record: _Record) -> None: ...
    def __len__(self) -> int: ...
    @overload
    def __getitem__(self, index: SupportsIndex) -> _Record: ...
    @overload
    def __getitem__(self, index: slice) -> list[_Record]: ...
    def __iter__(self) -> Iterator[_Record]: ...
    def __eq__(self, other: object) -> bool: ...
    __hash__: ClassVar[None]  # type: ignore[assignment]
    def copy(self) -> Self: ...
    @property
    def generation(self) -> npt.NDArray[np.int64]: ...
    @property
    def best(self) -> npt.NDArray[np.float64]: ...
    @property
    def mean(self) -> npt.NDArray[np.float64]: ...
    @property
    def std(self) -> npt.NDArray[np.float64]: ...

class History(Records[Record]):
    @property
    def n_connections(self) -> npt.NDArray[np.float64]: ...
    @property
    def n_nodes(self) -> npt.NDArray[np.float64]: ...
    @property
    def threshold(self) -> npt.NDArray[np.float64]: ...
    @property
    def n_species(self) -> npt.NDArray[np.int64]: ...
    @property
    def sizes(self) -> list[tuple[int, ...]]: ...

@dataclass
class Result:
    best: Genome | None
    solved: bool
    generations: int
    evaluations: int
    history: History = field(repr=False)
