from typing import Any

import numpy.typing as npt

from fastnet.losses import Loss, ParameterizedLoss
from fastnet.neat.network import Network
from fastnet.training.history import History
from fastnet.training.metrics import _Metrics

__all__ = ["evaluate", "fit", "jacobian", "loss_and_gradient", "update_genome"]

def loss_and_gradient(
    network: Network,
    X: npt.ArrayLike,
    y: npt.ArrayLike,
    loss: str | Loss | ParameterizedLoss,
    sample_weight: npt.ArrayLike | None,
    reduction: str,
    out: npt.NDArray[Any] | None,
) -> tuple[float, npt.NDArray[Any]]: ...
def jacobian(network: Network, X: npt.ArrayLike, by_inputs: bool) -> npt.NDArray[Any]: ...
def fit(network: Network, X: npt.ArrayLike, y: npt.ArrayLike, *options: Any) -> History: ...
def evaluate(
    network: Network,
    X: npt.ArrayLike,
    y: npt.ArrayLike,
    loss: str | Loss | ParameterizedLoss,
    metrics: _Metrics,
) -> dict[str, float]: ...
def update_genome(network: Network) -> None: ...
