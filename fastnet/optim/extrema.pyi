from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple

import numpy.typing as npt

__all__ = ["CriticalPoint", "critical_points"]

class CriticalPoint(NamedTuple):
    x: float
    value: float
    kind: Literal["minimum", "maximum", "inflection"]

def critical_points(
    f: Callable[[float], Any],
    interval: Sequence[float] | npt.NDArray[Any],
    derivative: Callable[[float], Any] | None = None,
    n_points: int = 1000,
) -> list[CriticalPoint]: ...
