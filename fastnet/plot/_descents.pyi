from collections.abc import Sequence
from typing import Any, Final, SupportsIndex

from matplotlib.axes import Axes

PATHS: Final[tuple[tuple[str, str, str], ...]]
CLOSEST: Final[float]
SCALE_SHARE: Final[float]
MOST_UNLIKE: Final[int]
DIVERGED: Final[float]
DIVERGED_VALUE: Final[float]

def descent(
    f: Any,
    result: Any,
    *,
    labels: str | Sequence[str] | None = None,
    xlim: tuple[float, float] | None = None,
    ylim: tuple[float, float] | None = None,
    levels: int | Sequence[float] | None = None,
    n_points: SupportsIndex | None = None,
    colorbar: bool = True,
    ax: Axes | None = None,
) -> Axes: ...
