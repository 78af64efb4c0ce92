from typing import Any

import numpy as np
import numpy.typing as npt

from fastnet.nn.network import Network
from fastnet.optim.optimizers import Optimizer
from fastnet.sklearn.base import BaseMLP
from fastnet.training.rows import TrainingRows

class Watch:
    estimator: BaseMLP
    optimizer: Optimizer
    l2: float
    n_rows: int
    stops: bool
    waited: int
    converged: bool
    best_parameters: npt.NDArray[Any] | None
    follows_schedule: bool
    def __init__(
        self,
        estimator: BaseMLP,
        optimizer: Optimizer,
        l2: float,
        n_rows: int,
        validation: tuple[TrainingRows, npt.NDArray[Any], npt.NDArray[np.float64] | None]
        | None = None,
        stops: bool = True,
    ) -> None: ...
    def __call__(self, net: Network, epoch: int, logs: dict[str, float]) -> bool: ...
    def penalty(self, net: Network) -> float: ...
    def compare_loss(self) -> bool: ...
    def validate(self, net: Network) -> bool: ...
    def end(self) -> bool: ...
