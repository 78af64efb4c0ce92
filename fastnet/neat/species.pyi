from collections.abc import Iterable
from typing import SupportsIndex

import numpy as np
from numpy.typing import NDArray

from fastnet.neat.config import Config
from fastnet.neat.genome import Genome

__all__ = ["distance", "speciate"]

def distance(a: Genome, b: Genome, config: Config) -> float: ...
def speciate(
    genomes: Iterable[Genome],
    config: Config,
    representatives: Iterable[Genome] = (),
    hints: Iterable[SupportsIndex | None] | None = None,
    threshold: float | None = None,
) -> NDArray[np.int64]: ...
