from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from fastnet.losses import Loss, ParameterizedLoss

__all__ = ["Problem", "column_scale"]

_Array = npt.NDArray[np.float64]

SQUARES: dict[str, float]

class Problem:
    template: Callable[..., npt.ArrayLike]
    gradient: Callable[..., npt.ArrayLike] | None
    loss: str | Loss | ParameterizedLoss
    kinks: tuple[float, float] | None
    x: npt.NDArray[np.float64]
    y: _Array
    start: _Array
    n_evaluations: int
    size: float
    def __init__(
        self,
        template: Callable[..., npt.ArrayLike],
        x: npt.ArrayLike,
        y: npt.ArrayLike,
        p0: npt.ArrayLike,
        loss: str | Loss | ParameterizedLoss,
        gradient: Callable[..., npt.ArrayLike] | None,
        scale: bool | str | npt.ArrayLike,
    ) -> None: ...
    @property
    def is_squared(self) -> bool: ...
    @property
    def scale(self) -> _Array: ...
    def check(self) -> None: ...
    def call(self, p: _Array) -> _Array: ...
    def predict(self, p: _Array) -> _Array: ...
    def value(self, p: _Array) -> float: ...
    def mean_loss(self, p: _Array) -> float: ...
    def row_slopes(self, p: _Array) -> _Array: ...
    def steps(self, p: _Array, relative: float) -> _Array: ...
    def jacobian(self, p: _Array) -> _Array: ...
    def loss_gradient(self, p: _Array, jacobian: _Array) -> _Array: ...
    def curvature(self, p: _Array, weights: _Array) -> _Array: ...
    def verify(self) -> None: ...

def column_scale(jacobian: _Array, rms: bool = False) -> _Array: ...
