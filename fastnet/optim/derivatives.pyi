from collections.abc import Callable
from typing import Any, TypeVar, overload

import numpy as np
import numpy.typing as npt

__all__ = ["derivative", "gradient", "hessian"]

_Vector = npt.NDArray[np.float64]
_Point = TypeVar("_Point", float, _Vector)

EPSILON: float
SINGLE_STEP: float

@overload
def derivative(
    f: Callable[[float], Any], x: float, order: int = 1, step: float | None = None
) -> float: ...
@overload
def derivative(
    f: Callable[[float], Any], x: npt.ArrayLike, order: int = 1, step: float | None = None
) -> Any: ...
@overload
def gradient(f: Callable[[float], Any], x: float) -> float: ...
@overload
def gradient(f: Callable[[_Vector], Any], x: npt.ArrayLike) -> _Vector: ...
@overload
def hessian(f: Callable[[float], Any], x: float) -> float: ...
@overload
def hessian(f: Callable[[_Vector], Any], x: npt.ArrayLike) -> _Vector: ...
def number_of(value: object, name: str, may_be_row: bool = False) -> float: ...
def numbers_of(values: npt.ArrayLike, name: str) -> _Vector: ...
def checked_function(f: object, name: str = "f") -> None: ...
def point_of(x: npt.ArrayLike, name: str = "x") -> Any: ...
def value_at(
    f: Callable[[Any], Any], x: Any, name: str = "f", may_be_row: bool = False
) -> float: ...
def extrapolated(
    quotient: Callable[[float], tuple[float, float]], order: int, step: float
) -> tuple[float, float]: ...
def central_hessian(f: Callable[[_Point], float], x: _Point) -> _Point: ...
def verify_gradient(
    function: Callable[[Any], Any],
    given: npt.ArrayLike,
    x: float | _Vector,
    name: str = "gradient(x)",
    steps: _Vector | None = None,
) -> None: ...
