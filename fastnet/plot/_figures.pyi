from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.legend import Legend

SERIES: Final[tuple[tuple[str, str, str], ...]]
POSITIVE: Final[str]
NEGATIVE: Final[str]
NODES: Final[dict[str, tuple[str, str]]]
INK: Final[str]
QUIET: Final[str]

def checked_ax(ax: Axes | None) -> Axes | None: ...
def new_axes(width: float = 6.4, height: float = 4.4) -> Axes: ...
def map_axes(ratio: float) -> Axes: ...
def bare_axes(width: float, height: float) -> Axes: ...
def tidy(ax: Axes) -> None: ...
def legend(
    ax: Axes, handles: Sequence[Artist], *others: Axes, points: npt.ArrayLike = ()
) -> Legend: ...
def shades(first: str, last: str, n: int) -> npt.NDArray[np.float64]: ...
