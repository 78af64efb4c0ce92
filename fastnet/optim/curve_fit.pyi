from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from fastnet.losses import Loss, ParameterizedLoss
from fastnet.optim.optimizers import Optimizer
from fastnet.optim.schedules import Armijo, GrowShrink

__all__ = ["CurveFit", "fit_curve"]

@dataclass(eq=False)
class CurveFit:
    parameters: npt.NDArray[np.float64]
    loss: float
    n_iterations: int
    n_evaluations: int
    reason: str
    path: npt.NDArray[np.float64] | None = None
    @property
    def converged(self) -> bool: ...

def fit_curve(
    template: Callable[..., npt.ArrayLike],
    x: npt.ArrayLike,
    y: npt.ArrayLike,
    p0: npt.ArrayLike,
    loss: str | Loss | ParameterizedLoss = "absolute_error",
    gradient: Callable[..., npt.ArrayLike] | None = None,
    method: str | Optimizer = "auto",
    scale: bool | Literal["rms"] | npt.ArrayLike = True,
    step: float | str | Armijo | GrowShrink | Callable[[int], float] = "auto",
    normalize: bool = False,
    guard: bool = True,
    max_iterations: int = 1000,
    tolerance: float = 1e-10,
    check_gradient: bool = False,
    record: bool = False,
) -> CurveFit: ...
