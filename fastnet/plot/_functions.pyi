from typing import Any, Final

import numpy as np
import numpy.typing as npt

SIGNATURE: Final[str]

class Function:
    f: Any
    shape: tuple[int, ...]
    def __init__(self, f: Any, point: npt.NDArray[np.float64]) -> None: ...
    def argument(self, point: npt.NDArray[np.float64]) -> float | npt.NDArray[np.float64]: ...
    def values(self, points: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]: ...
