from typing import ClassVar

import numpy as np
import numpy.typing as npt
from typing_extensions import disjoint_base

from fastnet.losses import ParameterizedLoss
from fastnet.neat.tasks.base import NativeTask

__all__ = ["Dataset"]

@disjoint_base
class Dataset(NativeTask):
    __hash__: ClassVar[None]  # type: ignore[assignment]
    def __init__(
        self,
        X: npt.ArrayLike,
        y: npt.ArrayLike,
        loss: str | ParameterizedLoss = "squared_error",
        target: float | None = None,
    ) -> None: ...
    @property
    def X(self) -> npt.NDArray[np.float64]: ...
    @property
    def y(self) -> npt.NDArray[np.float64]: ...
    @property
    def loss(self) -> str | ParameterizedLoss: ...
    @property
    def target(self) -> float | None: ...
    def __eq__(self, value: object, /) -> bool: ...
