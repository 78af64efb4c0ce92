from _ctypes import CFuncPtr
from typing import Any, Self

PROTOTYPES: dict[str, tuple[str | None, ...]]

class Local:
    def __copy__(self) -> Self: ...
    def __deepcopy__(self, memo: dict[int, Any]) -> Self: ...

def __getattr__(name: str) -> CFuncPtr: ...
