from typing import Any, Final, SupportsIndex

import numpy.typing as npt
from matplotlib.axes import Axes

START: Final[str]
SOLUTION: Final[str]
TARGET: Final[str]
MOST_GHOSTS: Final[int]

def arm(
    arm: Any,
    result: Any,
    *,
    index: SupportsIndex | None = None,
    start: npt.ArrayLike | None = None,
    target: npt.ArrayLike | None = None,
    base: float | None = None,
    ax: Axes | None = None,
) -> Axes: ...
