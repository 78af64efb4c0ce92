from typing_extensions import disjoint_base

from fastnet.optim.optimizers import Optimizer

__all__ = ["FirstOrder"]

@disjoint_base
class FirstOrder(Optimizer):
    @property
    def clip_norm(self) -> float | None: ...
    @property
    def clip_value(self) -> float | None: ...
