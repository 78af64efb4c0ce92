from collections.abc import Callable

from typing_extensions import disjoint_base

from fastnet.optim.first_order import FirstOrder

__all__ = ["Adagrad", "Adam", "AdamW", "RMSProp"]

@disjoint_base
class Adam(FirstOrder):
    def __init__(
        self,
        learning_rate: float | Callable[[int], float] = 1e-3,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
        *,
        clip_norm: float | None = None,
        clip_value: float | None = None,
    ) -> None: ...
    @property
    def beta1(self) -> float: ...
    @property
    def beta2(self) -> float: ...
    @property
    def epsilon(self) -> float: ...

class AdamW(Adam):
    def __init__(
        self,
        learning_rate: float | Callable[[int], float] = 1e-3,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
        weight_decay: float = 0.01,
        *,
        clip_norm: float | None = None,
        clip_value: float | None = None,
    ) -> None: ...
    @property
    def weight_decay(self) -> float: ...

@disjoint_base
class RMSProp(FirstOrder):
    def __init__(
        self,
        learning_rate: float | Callable[[int], float] = 1e-3,
        decay: float = 0.9,
        momentum: float = 0.0,
        epsilon: float = 1e-8,
        centered: bool = False,
        weight_decay: float = 0.0,
        *,
        clip_norm: float | None = None,
        clip_value: float | None = None,
    ) -> None: ...
    @property
    def decay(self) -> float: ...
    @property
    def momentum(self) -> float: ...
    @property
    def epsilon(self) -> float: ...
    @property
    def centered(self) -> bool: ...
    @property
    def weight_decay(self) -> float: ...

@disjoint_base
class Adagrad(FirstOrder):
    def __init__(
        self,
        learning_rate: float | Callable[[int], float] = 0.01,
        initial: float = 0.0,
        epsilon: float = 1e-10,
        weight_decay: float = 0.0,
        *,
        clip_norm: float | None = None,
        clip_value: float | None = None,
    ) -> None: ...
    @property
    def initial(self) -> float: ...
    @property
    def epsilon(self) -> float: ...
    @property
    def weight_decay(self) -> float: ...
