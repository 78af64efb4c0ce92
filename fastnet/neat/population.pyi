import os
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol, SupportsFloat

import numpy as np
import numpy.typing as npt
from typing_extensions import disjoint_base

from fastnet.neat.config import Config
from fastnet.neat.generation import Genomes, Networks
from fastnet.neat.genome import Genome
from fastnet.neat.history import History, Result
from fastnet.neat.innovations import InnovationRegistry
from fastnet.neat.network import Network
from fastnet.neat.reproduction import Species
from fastnet.neat.tasks.base import NativeTask
from fastnet.random import RandomStream

__all__ = ["Population"]

class _Task(Protocol):
    def evaluate(self, network: Network, seed: int = ..., /) -> SupportsFloat: ...

_Fitness = (
    NativeTask | _Task | Callable[[Network], SupportsFloat] | Callable[[Networks], npt.ArrayLike]
)

@disjoint_base
class Population:
    def __init__(
        self,
        config: Config,
        seed: int | np.random.Generator | RandomStream | None = 0,
        genomes: Iterable[Genome] | None = None,
    ) -> None: ...
    @property
    def config(self) -> Config: ...
    @property
    def seed(self) -> int: ...
    @property
    def generation(self) -> int: ...
    @property
    def registry(self) -> InnovationRegistry: ...
    @property
    def history(self) -> History: ...
    @property
    def genomes(self) -> Genomes: ...
    @property
    def fitness(self) -> npt.NDArray[np.float64]: ...
    @property
    def best(self) -> Genome | None: ...
    @property
    def evaluations(self) -> int: ...
    @property
    def species(self) -> list[Species]: ...
    @property
    def threshold(self) -> float: ...
    def step(self, fitness: _Fitness) -> None: ...
    def run(
        self,
        fitness: _Fitness,
        generations: int = 300,
        target: float | None = None,
        reporters: Sequence[object] = (),
        n_threads: int = 1,
        progress: bool = False,
    ) -> Result: ...
    def save(self, path: str | os.PathLike[str]) -> None: ...
    @staticmethod
    def load(path: str | os.PathLike[str]) -> Population: ...
    def copy(self) -> Population: ...
    def __copy__(self) -> Population: ...
    def __deepcopy__(self, memo: dict[int, Any], /) -> Population: ...
    def __reduce__(self) -> tuple[Any, ...]: ...
