from collections.abc import Callable, Iterable
from typing import Any, Literal

import numpy.typing as npt

from fastnet.optim.descent_result import DescentResult
from fastnet.optim.optimizers import Optimizer
from fastnet.optim.schedules import Armijo, GrowShrink

__all__ = ["maximize", "minimize", "multi_start"]

_Step = float | str | Armijo | GrowShrink | Callable[[int], float]
_Stop = Literal["step", "gradient", "value"] | None

def minimize(
    f: Any,
    x0: npt.ArrayLike,
    gradient: Any = None,
    hessian: Callable[[Any], npt.ArrayLike] | None = None,
    method: str | Optimizer = "steepest_descent",
    step: _Step = 0.01,
    normalize: bool = False,
    guard: bool = True,
    max_iterations: int = 1000,
    tolerance: float = 1e-8,
    stop_on: _Stop = "step",
    record: bool = False,
    callback: Callable[[DescentResult], Any] | None = None,
    check_gradient: bool = False,
) -> DescentResult: ...
def maximize(
    f: Any,
    x0: npt.ArrayLike,
    gradient: Any = None,
    hessian: Callable[[Any], npt.ArrayLike] | None = None,
    method: str | Optimizer = "steepest_descent",
    step: _Step = 0.01,
    normalize: bool = False,
    guard: bool = True,
    max_iterations: int = 1000,
    tolerance: float = 1e-8,
    stop_on: _Stop = "step",
    record: bool = False,
    callback: Callable[[DescentResult], Any] | None = None,
    check_gradient: bool = False,
) -> DescentResult: ...
def multi_start(
    f: Any,
    starts: Iterable[npt.ArrayLike],
    gradient: Any = None,
    hessian: Callable[[Any], npt.ArrayLike] | None = None,
    **options: Any,
) -> list[DescentResult]: ...
