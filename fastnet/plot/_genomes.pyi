from collections.abc import Mapping
from typing import Any, Final

from matplotlib.axes import Axes

STRIP: Final[float]
LETTER: Final[float]
PIXELS: Final[float]
TEXT: Final[float]
DOTS: Final[tuple[float, tuple[float, float]]]

def genome(
    genome: Any, *, names: Mapping[int, str] | None = None, ax: Axes | None = None
) -> Axes: ...
