from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from fastnet.optim.objective import CallableResiduals

__all__ = ["ResidualFunction", "differenced"]

_Vector = npt.NDArray[np.float64]

def differenced(function: Callable[[_Vector], _Vector], x: _Vector) -> _Vector: ...

class ResidualFunction:
    n_evaluations: int
    objective: CallableResiduals
    def __init__(
        self,
        residuals: Callable[[Any], npt.ArrayLike],
        jacobian: Callable[[Any], npt.ArrayLike] | None,
        n: int,
        is_scalar: bool,
    ) -> None: ...
    def residuals(self, x: _Vector) -> _Vector: ...
    def jacobian(self, x: _Vector) -> _Vector: ...
    def value(self, x: Any) -> float: ...
    def gradient(self, x: Any) -> Any: ...
    def verify(self, x: Any) -> None: ...
