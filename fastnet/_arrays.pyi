from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

__all__ = ["finite_array", "nearest"]

def finite_array(
    value: npt.ArrayLike, name: str, may_be_infinite: bool = False
) -> npt.NDArray[np.float64]: ...
def nearest(name: object, known: Iterable[str], what: str) -> str: ...
