import numpy as np
import numpy.typing as npt

from fastnet.activations import Activation
from fastnet.nn.layers import _Initializer
from fastnet.random import RandomStream

__all__ = ["initialize", "names"]

def names() -> tuple[str, ...]: ...
def initialize(
    spec: _Initializer, activation: str | Activation, n_in: int, n_out: int, rng: RandomStream
) -> npt.NDArray[np.float64]: ...
