from collections.abc import Mapping
from os import PathLike
from typing import Any, Final

import numpy as np
import numpy.typing as npt

MAX_HEADER: Final[int]

class FileFormatError(ValueError): ...

def write(
    path: str | PathLike[str],
    tensors: Mapping[str, npt.ArrayLike],
    metadata: Mapping[str, str] | None = None,
) -> None: ...
def read(path: str | PathLike[str]) -> tuple[dict[str, npt.NDArray[Any]], dict[str, str]]: ...
def read_bytes(
    data: bytes | bytearray | memoryview | npt.NDArray[np.uint8],
) -> tuple[dict[str, npt.NDArray[Any]], dict[str, str]]: ...
