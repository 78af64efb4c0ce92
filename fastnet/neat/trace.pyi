from typing import Any

import numpy.typing as npt

from fastnet.neat.network import Network

__all__ = ["trace"]

def trace(network: Network, x: npt.ArrayLike, steps: int) -> npt.NDArray[Any]: ...
