from collections.abc import Callable
from typing import Any, Self

import numpy.typing as npt
from typing_extensions import disjoint_base

@disjoint_base
class Objective:
    @property
    def n(self) -> int: ...

class Residuals(Objective): ...

@disjoint_base
class CallableObjective(Objective):
    def __init__(
        self,
        n: int,
        value: Callable[[npt.NDArray[Any]], float],
        gradient: Callable[[npt.NDArray[Any]], npt.ArrayLike],
        dtype: str = "float64",
    ) -> None: ...

@disjoint_base
class CallableResiduals(Residuals):
    def __init__(
        self,
        n: int,
        residuals: Callable[[npt.NDArray[Any]], npt.ArrayLike],
        jacobian: Callable[[npt.NDArray[Any]], npt.ArrayLike],
        dtype: str = "float64",
    ) -> None: ...

@disjoint_base
class Function(Objective):
    def __new__(
        cls, n: int, is_scalar: bool, value: Any, gradient: Any = None, sign: float = 1
    ) -> Self: ...
    @property
    def is_scalar(self) -> bool: ...
    @property
    def n_evaluations(self) -> int: ...
    def value(self, x: Any) -> float: ...
    def gradient(self, x: Any) -> Any: ...
    def verify(self, x: Any) -> None: ...
