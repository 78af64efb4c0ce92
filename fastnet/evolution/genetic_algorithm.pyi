from collections.abc import Callable, Sequence
from typing import Any, Literal, Protocol, Self, SupportsFloat

import numpy as np
import numpy.typing as npt

from fastnet.evolution.history import History, Result
from fastnet.neat.tasks.base import NativeTask
from fastnet.nn.network import Network
from fastnet.random import RandomStream

__all__ = ["GeneticAlgorithm"]

class _Task(Protocol):
    def evaluate(self, network: Network, seed: int = ..., /) -> SupportsFloat: ...

_Fitness = (
    NativeTask
    | _Task
    | Callable[[Network], SupportsFloat]
    | Callable[[Sequence[Network]], npt.ArrayLike]
)

class GeneticAlgorithm:
    def __init__(
        self,
        net: Network,
        population_size: int = 100,
        *,
        selection: Literal["tournament", "rank", "truncation"] = "tournament",
        tournament_size: int = 3,
        selection_pressure: float = 2.0,
        survival_threshold: float = 0.2,
        crossover: Literal["uniform"] | None = "uniform",
        crossover_rate: float = 0.5,
        mutation: Literal["gaussian", "uniform"] | None = "gaussian",
        mutation_rate: float = 0.25,
        mutation_power: float = 0.5,
        elitism: int = 1,
        population: npt.ArrayLike | None = None,
        seed: int | np.random.Generator | RandomStream | None = 0,
    ) -> None: ...
    @property
    def population_size(self) -> int: ...
    @property
    def selection(self) -> str: ...
    @property
    def tournament_size(self) -> int: ...
    @property
    def selection_pressure(self) -> float: ...
    @property
    def survival_threshold(self) -> float: ...
    @property
    def crossover(self) -> str | None: ...
    @property
    def crossover_rate(self) -> float: ...
    @property
    def mutation(self) -> str | None: ...
    @property
    def mutation_rate(self) -> float: ...
    @property
    def mutation_power(self) -> float: ...
    @property
    def elitism(self) -> int: ...
    @property
    def net(self) -> Network: ...
    @property
    def seed(self) -> int: ...
    @property
    def generation(self) -> int: ...
    @property
    def evaluations(self) -> int: ...
    @property
    def population(self) -> npt.NDArray[Any]: ...
    @property
    def fitness(self) -> npt.NDArray[np.float64]: ...
    @property
    def best(self) -> Network | None: ...
    @property
    def best_fitness(self) -> float | None: ...
    @property
    def history(self) -> History: ...
    def ask(self) -> npt.NDArray[Any]: ...
    def tell(self, fitness: npt.ArrayLike) -> None: ...
    def run(
        self,
        fitness: _Fitness,
        generations: int = 50,
        target: float | None = None,
        *,
        reporters: Sequence[object] = (),
        n_threads: int = 1,
        progress: bool = False,
    ) -> Result: ...
    def copy(self) -> Self: ...
    def __copy__(self) -> Self: ...
    def __deepcopy__(self, memo: dict[int, Any]) -> Self: ...
    def __reduce__(self) -> tuple[Any, ...]: ...
