from collections.abc import Callable
from typing import Any, Self, TypeAlias

import numpy.typing as npt
from typing_extensions import CapsuleType, disjoint_base

__all__ = ["Loss"]

# With a ctypes function or a numba cfunc, which are callable
_Function: TypeAlias = (
    Callable[[npt.NDArray[Any], npt.NDArray[Any]], npt.ArrayLike]
    | Callable[..., None]
    | CapsuleType
    | tuple[Any, str]
    | tuple[Any, str, Any]
)

@disjoint_base
class Loss:
    def __init__(
        self,
        value: _Function,
        gradient: _Function,
        name: str | None = None,
    ) -> None: ...
    @property
    def value(self) -> _Function: ...
    @property
    def gradient(self) -> _Function: ...
    @property
    def name(self) -> str: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __copy__(self) -> Self: ...
    def __deepcopy__(self, memo: Any, /) -> Self: ...
