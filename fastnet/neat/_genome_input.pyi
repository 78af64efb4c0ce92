from collections.abc import Iterable
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from fastnet.neat.config import Config

CONNECTION: Final[np.dtype[np.void]]
NODE: Final[np.dtype[np.void]]
MOST: Final[int]

def checked_id(value: object, name: str) -> int: ...
def checked_number(value: object, name: str) -> float: ...
def connection_rows(connections: Iterable[Any]) -> npt.NDArray[np.void]: ...
def fixed_ids(
    config: Config, inputs: Iterable[int] | None, outputs: Iterable[int] | None, bias: int | None
) -> npt.NDArray[np.int64]: ...
def node_rows(
    nodes: Iterable[Any], known: npt.NDArray[np.void]
) -> list[tuple[int, int, float]]: ...
