from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, TypeAlias

import numpy.typing as npt

from fastnet.losses import Loss, ParameterizedLoss
from fastnet.nn.network import Network
from fastnet.optim.optimizers import Optimizer
from fastnet.training.history import EarlyStopping, History
from fastnet.training.metrics import _Metrics

__all__ = ["evaluate", "fit", "partial_fit"]

_Callback: TypeAlias = Callable[[Network, int, dict[str, float]], bool | None]

def fit(
    net: Network,
    X: npt.ArrayLike,
    y: npt.ArrayLike,
    loss: str | Loss | ParameterizedLoss = "auto",
    optimizer: str | Optimizer = "adam",
    epochs: int = 10,
    batch_size: int | None = 32,
    shuffle: bool = True,
    seed: int | None = None,
    sample_weight: npt.ArrayLike | None = None,
    class_weight: Mapping[int, float] | Literal["balanced"] | None = None,
    validation_data: tuple[npt.ArrayLike, npt.ArrayLike] | None = None,
    metrics: _Metrics = (),
    early_stopping: EarlyStopping | None = None,
    callbacks: _Callback | Sequence[_Callback] = (),
    progress: bool = False,
    n_threads: int = 1,
    l1: float = 0.0,
    l2: float = 0.0,
) -> History: ...
def partial_fit(
    net: Network,
    X: npt.ArrayLike,
    y: npt.ArrayLike,
    optimizer: str | Optimizer | None = None,
    **options: Any,
) -> History: ...
def evaluate(
    net: Network,
    X: npt.ArrayLike,
    y: npt.ArrayLike,
    loss: str | Loss | ParameterizedLoss = "auto",
    metrics: _Metrics = (),
) -> dict[str, float]: ...
