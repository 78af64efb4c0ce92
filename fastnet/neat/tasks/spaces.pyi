from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Actions", "Observations", "range_of"]

def range_of(activation: object) -> tuple[float, float]: ...

class Observations:
    space: Any
    n: int
    is_box: bool
    is_discrete: bool
    def __init__(self, space: Any) -> None: ...
    def fill(self, row: npt.NDArray[np.float64], observation: Any) -> None: ...
    def fill_rows(self, rows: npt.NDArray[np.float64], observations: Any, space: Any) -> None: ...

class Actions:
    space: Any
    n: int
    needs_ranges: bool
    def __init__(self, space: Any) -> None: ...
    def decode(
        self,
        outputs: npt.NDArray[np.float64],
        low: npt.NDArray[np.float64],
        high: npt.NDArray[np.float64],
    ) -> npt.NDArray[Any] | list[Any]: ...
