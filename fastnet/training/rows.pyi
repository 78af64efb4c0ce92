from typing import Any

import numpy as np
import numpy.typing as npt
from typing_extensions import disjoint_base

from fastnet.losses import Loss, ParameterizedLoss
from fastnet.training.model import Model

@disjoint_base
class TrainingRows:
    def __init__(
        self,
        model: Model,
        X: npt.ArrayLike,
        y: npt.ArrayLike,
        loss: str | Loss | ParameterizedLoss = "auto",
        sample_weight: npt.ArrayLike | None = None,
        x_name: str = "X",
        y_name: str = "y",
    ) -> None: ...
    @property
    def resolved(self) -> str | Loss | ParameterizedLoss: ...
    @property
    def X(self) -> npt.NDArray[Any]: ...
    @property
    def targets(self) -> npt.NDArray[Any] | None: ...
    @property
    def labels(self) -> npt.NDArray[np.int32] | None: ...
    @property
    def weights(self) -> npt.NDArray[Any] | None: ...
    @property
    def total_weight(self) -> float: ...
