from typing_extensions import disjoint_base

from fastnet.optim.optimizers import Optimizer

__all__ = ["Rprop"]

@disjoint_base
class Rprop(Optimizer):
    def __init__(
        self,
        learning_rate: float = 0.01,
        grow: float = 1.2,
        shrink: float = 0.5,
        min_step: float = 1e-6,
        max_step: float = 50.0,
    ) -> None: ...
    @property
    def grow(self) -> float: ...
    @property
    def shrink(self) -> float: ...
    @property
    def min_step(self) -> float: ...
    @property
    def max_step(self) -> float: ...
