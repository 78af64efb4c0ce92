from dataclasses import dataclass
from typing import Any

import numpy.typing as npt

from fastnet.losses import Loss, ParameterizedLoss
from fastnet.nn.network import Network
from fastnet.training.model import Model

__all__ = ["Trace", "check_gradient", "trace"]

@dataclass(frozen=True)
class Trace:
    net_values: list[npt.NDArray[Any]]
    outputs: list[npt.NDArray[Any]]
    jacobians: list[npt.NDArray[Any]]
    loss: float | None = None
    d_loss_d_outputs: list[npt.NDArray[Any]] | None = None
    d_output_d_outputs: list[npt.NDArray[Any]] | None = None
    d_weights: list[npt.NDArray[Any] | None] | None = None
    d_biases: list[npt.NDArray[Any] | None] | None = None

def trace(
    net: Network,
    x: npt.ArrayLike,
    y: npt.ArrayLike | None = None,
    loss: str | Loss | ParameterizedLoss = "auto",
) -> Trace: ...
def check_gradient(
    net: Model, X: npt.ArrayLike, y: npt.ArrayLike, loss: str | Loss | ParameterizedLoss = "auto"
) -> float: ...
