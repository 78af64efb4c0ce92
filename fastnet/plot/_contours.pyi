from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.contour import QuadContourSet

_Array = npt.NDArray[np.float64]

N_LEVELS: Final[int]
MOST_LINEAR: Final[float]
NEAR: Final[str]
FAR: Final[str]

def contours(
    z: _Array, goal: float, upwards: bool, levels: int | Sequence[float] | None
) -> Callable[[Axes, _Array, _Array], QuadContourSet | None]: ...
