from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

__all__ = ["alone", "output_activations", "together"]

_Predict: TypeAlias = Callable[
    [npt.NDArray[np.float64], npt.NDArray[np.intp]], npt.NDArray[np.float64]
]

def together(
    networks: Sequence[Callable[..., Any]], n_outputs: int
) -> tuple[_Predict, Callable[[], None]]: ...
def alone(network: Callable[..., Any], n: int, n_outputs: int) -> _Predict: ...
def output_activations(network: Callable[..., Any], n: int) -> list[Any]: ...
