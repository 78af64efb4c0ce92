# For the tests and the benchmarks only: the methods of GraphTable follow the kernel table.
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from typing_extensions import disjoint_base

from fastnet._kernels.probe import Table

__all__ = ["MODES", "GraphOf", "GraphTable"]

MODES: Final[dict[str, int]]

@disjoint_base
class GraphOf:
    @property
    def parameters(self) -> npt.NDArray[np.float64]: ...
    def __new__(cls, *args: Any, **kwargs: Any) -> GraphOf: ...

class GraphTable(Table): ...
