# For the tests and the benchmarks only: the methods of GraphTable follow the kernel table.
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from typing_extensions import disjoint_base

from fastnet._kernels.probe import Table

MODES: Final[dict[str, int]]

@disjoint_base
class GraphOf:
    def __init__(
        self,
        n_inputs: int,
        nodes: Sequence[tuple[Sequence[int], str]],
        outputs: Sequence[int],
        parameters: npt.ArrayLike,
        mode: str = "feed_forward",
        *,
        bias_node: bool = False,
        biases: bool = False,
        step_limit: int = 20,
        numbers: Any = None,
    ) -> None: ...
    @property
    def parameters(self) -> npt.NDArray[np.float64]: ...

@disjoint_base
class GraphTable(Table): ...
