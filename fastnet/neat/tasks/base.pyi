from collections.abc import Callable
from typing import Any, TypeVar

from typing_extensions import disjoint_base

from fastnet.neat.config import Config
from fastnet.neat.network import Network
from fastnet.nn.network import Network as DenseNetwork

__all__ = ["NativeTask", "is_population_fitness", "population_fitness"]

_Function = TypeVar("_Function", bound=Callable[..., Any])

@disjoint_base
class NativeTask:
    @property
    def n_inputs(self) -> int: ...
    @property
    def n_outputs(self) -> int: ...
    def evaluate(self, network: Network | DenseNetwork, seed: int = 0) -> float: ...
    def solved(self, network: Network | DenseNetwork, fitness: float) -> bool: ...
    def config(self, **overrides: Any) -> Config: ...

def population_fitness(function: _Function) -> _Function: ...
def is_population_fitness(function: object) -> bool: ...
