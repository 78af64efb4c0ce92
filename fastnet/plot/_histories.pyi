from typing import Any, Final

from matplotlib.axes import Axes

MOST_LINEAR: Final[float]
MOST_MARKED: Final[int]
LABELED: Final[float]
BANDS: Final[tuple[str, ...]]

def history(history: Any, *, log: bool | None = None, ax: Axes | None = None) -> Axes: ...
def species(history: Any, *, ax: Axes | None = None) -> Axes: ...
