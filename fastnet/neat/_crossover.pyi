from collections.abc import Sequence
from typing import SupportsIndex

import numpy as np

from fastnet.neat.config import Config
from fastnet.neat.genome import Genome
from fastnet.random import RandomStream

__all__ = ["crossover"]

def crossover(
    a: Genome,
    b: Genome,
    config: Config,
    rng: SupportsIndex | np.random.Generator | RandomStream | None,
    fitness: Sequence[float] | None = None,
) -> Genome: ...
