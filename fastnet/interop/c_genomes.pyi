from typing import Literal

import numpy.typing as npt

from fastnet.neat.genome import Genome

__all__ = ["genome_to_c"]

def genome_to_c(
    genome: Genome,
    name: str = "network",
    mode: Literal["feed_forward", "recurrent", "time_step"] | None = None,
    *,
    dtype: npt.DTypeLike = "float64",
) -> str: ...
