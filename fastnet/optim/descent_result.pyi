from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["DescentResult"]

_Derivatives = tuple[Callable[[Any], Any], Callable[[Any], Any]]

class DescentResult:
    x: Any
    value: float
    gradient: Any
    n_iterations: int
    n_evaluations: int
    reason: str | None
    path: npt.NDArray[np.float64] | None
    def __init__(
        self,
        x: Any,
        value: float,
        gradient: Any,
        n_iterations: int,
        n_evaluations: int,
        reason: str | None,
        path: npt.NDArray[np.float64] | None,
        derivatives: _Derivatives | None = None,
    ) -> None: ...
    @property
    def converged(self) -> bool: ...
    @property
    def curvature(self) -> str | None: ...
    def __eq__(self, other: object, /) -> bool: ...
    __hash__: None  # type: ignore[assignment]

def curvature_at(
    gradient: Callable[[Any], Any], hessian: Callable[[Any], Any], x: Any
) -> str | None: ...
