from collections.abc import Callable
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from typing_extensions import disjoint_base

from fastnet.optim.objective import Objective

__all__ = ["Descent"]

_Vector = npt.NDArray[np.float64]

def newton_direction(hessian: _Vector, gradient: _Vector, guard: bool) -> _Vector: ...
@disjoint_base
class Descent:
    def __new__(
        cls,
        objective: Objective,
        start: _Vector,
        hessian: Callable[[Any], Any] | None,
        method: Any,
        step: Any,
        normalize: bool,
        guard: bool,
        max_iterations: int,
        tolerance: float,
        stop_on: str | None,
        record: bool,
        callback: Callable[[Descent], Any] | None,
    ) -> Self: ...
    @property
    def x(self) -> _Vector: ...
    @property
    def value(self) -> float: ...
    @property
    def gradient(self) -> _Vector: ...
    @property
    def n_iterations(self) -> int: ...
    @property
    def reason(self) -> str | None: ...
    @property
    def path(self) -> _Vector | None: ...
    def run(self) -> None: ...
