from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["can_reach", "checked_limits"]

def checked_limits(
    limits: npt.ArrayLike | tuple[npt.ArrayLike, npt.ArrayLike], n: int
) -> npt.NDArray[np.float64]: ...
def can_reach(
    lengths: npt.NDArray[np.float64],
    reach: float,
    base: Any,
    target: Any,
    bounds: npt.NDArray[np.float64] | None,
) -> Any: ...
