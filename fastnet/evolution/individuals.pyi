from typing import Any, Self

import numpy as np
import numpy.typing as npt
from typing_extensions import disjoint_base

from fastnet._threads import Team
from fastnet.evolution.settings import Settings
from fastnet.neat.evaluation import Evaluator
from fastnet.neat.generation import Generation
from fastnet.nn.network import Network

__all__ = ["Individuals", "evaluator_of"]

@disjoint_base
class Individuals(Generation):
    def __new__(cls, net: Network, n: int) -> Self: ...
    @property
    def array(self) -> npt.NDArray[Any]: ...
    def is_held(self) -> bool: ...
    def fill(self, rows: npt.NDArray[Any], first: int = 0) -> None: ...
    def network(self, i: int) -> Network: ...
    def evaluate(
        self, evaluator: Evaluator, seed: int, wants_solved: bool, team: Team
    ) -> npt.NDArray[np.bool_]: ...
    def set_fitness(self, values: npt.ArrayLike) -> None: ...
    def breed(
        self,
        parents: Individuals,
        order: npt.NDArray[np.intp],
        settings: Settings,
        seed: int,
        number: int,
        team: Team,
    ) -> None: ...

def evaluator_of(fitness: Any, net: Network) -> Evaluator: ...
