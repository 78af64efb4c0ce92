from collections.abc import Sequence
from typing import Final, SupportsIndex

from matplotlib.axes import Axes

from fastnet.nn.dense import DenseModel

COLUMN: Final[float]
ROW: Final[float]
LEAST_WIDTH: Final[float]
LEAST_HEIGHT: Final[float]
WIDEST: Final[float]
NARROWEST: Final[float]
FAINTEST: Final[float]
LEGEND: Final[float]
DASHES: Final[tuple[float, tuple[float, float]]]
NUMBER_AT: Final[float]

def network(
    net: DenseModel,
    *,
    max_nodes: SupportsIndex = 16,
    numbers: bool = False,
    inputs: Sequence[str] | None = None,
    outputs: Sequence[str] | None = None,
    ax: Axes | None = None,
) -> Axes: ...
