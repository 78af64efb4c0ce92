from collections.abc import Callable

from typing_extensions import disjoint_base

from fastnet.optim.first_order import FirstOrder

__all__ = ["SGD"]

@disjoint_base
class SGD(FirstOrder):
    def __init__(
        self,
        learning_rate: float | Callable[[int], float] = 0.01,
        momentum: float = 0.0,
        nesterov: bool = False,
        weight_decay: float = 0.0,
        normalize: bool = False,
        *,
        clip_norm: float | None = None,
        clip_value: float | None = None,
    ) -> None: ...
    @property
    def momentum(self) -> float: ...
    @property
    def nesterov(self) -> bool: ...
    @property
    def weight_decay(self) -> float: ...
    @property
    def normalize(self) -> bool: ...
