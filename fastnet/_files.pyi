from collections.abc import Iterable, Mapping
from os import PathLike
from reprlib import Repr
from typing import Any, Final

import numpy as np
import numpy.typing as npt

MAX_HEADER: Final[int]
brief: Repr

class FileFormatError(ValueError): ...

def write(
    path: str | bytes | PathLike[str] | PathLike[bytes],
    tensors: Mapping[str, npt.ArrayLike],
    metadata: Mapping[str, str] | None = None,
) -> None: ...
def replace(
    path: str | bytes | PathLike[str] | PathLike[bytes],
    chunks: Iterable[bytes | bytearray | memoryview],
) -> None: ...
def parse_json(text: str, what: str, floats: bool = False) -> Any: ...
def read(path: str | PathLike[str]) -> tuple[dict[str, npt.NDArray[Any]], dict[str, str]]: ...
def read_bytes(
    data: bytes | bytearray | memoryview | npt.NDArray[np.uint8],
) -> tuple[dict[str, npt.NDArray[Any]], dict[str, str]]: ...
