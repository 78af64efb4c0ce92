from collections.abc import Callable, Iterable

import numpy as np
import numpy.typing as npt

__all__ = ["Source", "checked_dtype", "tolerances"]

_Array = npt.NDArray[np.float64]

class Source:
    name: str
    dtype: np.dtype[np.floating]
    itemsize: int
    def __init__(self, name: str, dtype: npt.DTypeLike) -> None: ...
    def use(self, *functions: str) -> None: ...
    def array(
        self, label: str, values: npt.NDArray[np.float64 | np.int8], ctype: str = "real"
    ) -> None: ...
    def number(self, value: float) -> str: ...
    def braces(self, values: npt.NDArray[np.float64 | np.int8]) -> str: ...
    def add(self, text: str) -> None: ...
    def self_test(
        self, x: _Array, expected: _Array, tolerance: _Array, n_steps: int = 0
    ) -> None: ...
    def text(
        self,
        title: str,
        description: Iterable[str],
        n_inputs: int,
        n_outputs: int,
        has_state: bool = False,
    ) -> str: ...

def checked_dtype(dtype: npt.DTypeLike) -> np.dtype[np.floating]: ...
def tolerances(
    evaluate: Callable[[_Array, _Array], _Array],
    x: _Array,
    parameters: _Array,
    dtype: npt.DTypeLike,
    n_trials: int = 16,
) -> tuple[_Array, _Array]: ...
