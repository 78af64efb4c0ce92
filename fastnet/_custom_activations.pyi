from collections.abc import Callable
from typing import Any, Self, TypeAlias

import numpy.typing as npt
from typing_extensions import CapsuleType, disjoint_base

__all__ = ["Activation"]

# With a ctypes function or a numba cfunc, which are callable
_CFunction: TypeAlias = CapsuleType | tuple[Any, str] | tuple[Any, str, Any]
_Value: TypeAlias = Callable[[npt.NDArray[Any]], npt.ArrayLike] | Callable[..., None] | _CFunction
_Derivative: TypeAlias = (
    Callable[[npt.NDArray[Any], npt.NDArray[Any]], npt.ArrayLike] | Callable[..., None] | _CFunction
)

@disjoint_base
class Activation:
    def __init__(
        self,
        value: _Value,
        derivative: _Derivative | None = None,
        *,
        jacobian: Callable[[npt.NDArray[Any], npt.NDArray[Any]], npt.ArrayLike] | None = None,
        name: str | None = None,
    ) -> None: ...
    @property
    def value(self) -> _Value: ...
    @property
    def derivative(self) -> _Derivative | None: ...
    @property
    def jacobian(self) -> Callable[[npt.NDArray[Any], npt.NDArray[Any]], npt.ArrayLike] | None: ...
    @property
    def name(self) -> str: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __copy__(self) -> Self: ...
    def __deepcopy__(self, memo: Any, /) -> Self: ...
