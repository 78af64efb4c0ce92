from typing import Any

import numpy as np
import numpy.typing as npt

from fastnet.neat.config import Config
from fastnet.neat.population import Population

__all__ = ["pack", "unpack"]

COLUMNS: tuple[tuple[str, type[np.generic], bool], ...]
SPECIES_ARRAYS: tuple[str, ...]
FIGURES: tuple[str, ...]

def pack(population: Population) -> tuple[dict[str, npt.NDArray[Any]], dict[str, int]]: ...
def unpack(
    config: Config, arrays: dict[str, npt.NDArray[Any]], numbers: dict[str, int]
) -> Population: ...
