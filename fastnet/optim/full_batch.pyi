from typing import Any

import numpy.typing as npt
from typing_extensions import disjoint_base

from fastnet.optim.objective import Objective
from fastnet.optim.optimizers import Optimizer

__all__ = ["FullBatchOptimizer", "descend"]

@disjoint_base
class FullBatchOptimizer(Optimizer):
    def __init__(self, tolerance: float) -> None: ...
    @property
    def tolerance(self) -> float: ...
    @property
    def n_evaluations(self) -> int: ...
    @property
    def converged(self) -> bool: ...
    @property
    def reason(self) -> str | None: ...

def descend(
    optimizer: FullBatchOptimizer,
    objective: Objective,
    x: npt.ArrayLike,
    max_iterations: int = 1000,
) -> tuple[npt.NDArray[Any], float, int]: ...
