from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Layout", "layered"]

@dataclass
class Layout:
    n_layers: int
    layer: npt.NDArray[np.intp]
    place: npt.NDArray[np.float64]
    bends: list[list[tuple[int, float]] | None]

def layered(
    n_nodes: int,
    first: Sequence[int],
    last: Sequence[int],
    edges: Sequence[tuple[int, int]],
    important: Sequence[bool],
) -> Layout: ...
