# For the tests and the benchmarks only: the methods of Table follow the kernel table.
from typing import Any, Final

import numpy as np
from typing_extensions import disjoint_base

ACTIVATIONS: Final[dict[str, int]]
LOSSES: Final[dict[str, int]]
SENTINEL: Final[float]

@disjoint_base
class PlanOf: ...

@disjoint_base
class Table:
    def __init__(self, isa: str, dtype: str, misalign: int = 0) -> None: ...
    @property
    def isa(self) -> str: ...
    @property
    def dtype(self) -> np.dtype[Any]: ...
    @property
    def misalign(self) -> int: ...
    def __getattr__(self, name: str) -> Any: ...

def fma_peak(isa: str | None = None, dtype: str = "float32", seconds: float = 2e-3) -> float: ...
