from typing import Any, Self

from fastnet.neat.config import Config
from fastnet.neat.tasks._native_function import FunctionTask

__all__ = ["NativeFunction", "native"]

SIGNATURE: str

class NativeFunction(FunctionTask):
    @property
    def n_inputs(self) -> int | None: ...  # type: ignore[override]
    @property
    def n_outputs(self) -> int | None: ...  # type: ignore[override]
    def config(self, **overrides: Any) -> Config: ...
    def __eq__(self, other: object) -> bool: ...
    def __hash__(self) -> int: ...
    def __copy__(self) -> Self: ...
    def __deepcopy__(self, memo: dict[int, Any]) -> Self: ...

def native(
    address_or_capsule: object,
    user_data: object = None,
    *,
    n_inputs: int | None = None,
    n_outputs: int | None = None,
    target: float | None = None,
) -> NativeFunction: ...
def checked_size(size: object, name: str) -> int: ...
def checked_target(target: object) -> float | None: ...
