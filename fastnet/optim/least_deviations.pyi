import numpy as np
import numpy.typing as npt

__all__ = ["LeastDeviations", "line_search", "steepest_direction"]

_Array = npt.NDArray[np.float64]

def line_search(
    e: _Array, q: _Array, low: _Array, high: _Array, slope: float
) -> tuple[float, int]: ...

class LeastDeviations:
    A: _Array
    b: _Array
    low: _Array
    high: _Array
    basis: npt.NDArray[np.intp]
    def __init__(
        self,
        A: _Array,
        b: _Array,
        low: _Array,
        high: _Array,
        basis: npt.NDArray[np.intp],
        size: float,
    ) -> None: ...
    def invert(self) -> None: ...
    def vertex(self, b: _Array) -> _Array: ...
    def solve(self) -> tuple[_Array, _Array]: ...
    def replace(self, j: int, entering: int) -> None: ...

def steepest_direction(g: _Array, A: _Array, low: _Array, high: _Array) -> _Array: ...
