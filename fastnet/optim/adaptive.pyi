from collections.abc import Callable

from typing_extensions import disjoint_base

from fastnet.optim.optimizers import Optimizer

__all__ = ["Adam"]

@disjoint_base
class Adam(Optimizer):
    def __init__(
        self,
        learning_rate: float | Callable[[int], float] = 1e-3,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
    ) -> None: ...
    @property
    def beta1(self) -> float: ...
    @property
    def beta2(self) -> float: ...
    @property
    def epsilon(self) -> float: ...
