import numpy as np
import numpy.typing as npt

from fastnet.nn.network import Network

__all__ = ["network_to_c", "rounded"]

def network_to_c(
    net: Network,
    name: str = "network",
    *,
    dtype: npt.DTypeLike | None = None,
    int8: bool = False,
    X: npt.ArrayLike | None = None,
) -> str: ...
def rounded(values: npt.NDArray[np.floating], dtype: npt.DTypeLike) -> npt.NDArray[np.float64]: ...
