from collections.abc import Callable
from typing import Any

import numpy.typing as npt
from typing_extensions import disjoint_base

__all__ = ["SGD", "Adam", "Optimizer"]

@disjoint_base
class Optimizer:
    learning_rate: float | Callable[[int], float]
    def __init__(self, learning_rate: float | Callable[[int], float]) -> None: ...
    @property
    def step_count(self) -> int: ...
    def step(self, parameters: npt.NDArray[Any], gradient: npt.ArrayLike) -> None: ...
    def reset(self) -> None: ...
    def get_state(self) -> dict[str, Any]: ...
    def set_state(self, state: dict[str, Any]) -> None: ...
    def __setstate__(self, state: dict[str, Any]) -> None: ...

@disjoint_base
class SGD(Optimizer):
    def __init__(
        self,
        learning_rate: float | Callable[[int], float] = 0.01,
        momentum: float = 0.0,
        nesterov: bool = False,
        weight_decay: float = 0.0,
        normalize: bool = False,
    ) -> None: ...
    @property
    def momentum(self) -> float: ...
    @property
    def nesterov(self) -> bool: ...
    @property
    def weight_decay(self) -> float: ...
    @property
    def normalize(self) -> bool: ...

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
