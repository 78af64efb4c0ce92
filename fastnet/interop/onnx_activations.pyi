from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar, TypeAlias

__all__ = [
    "DEFAULTS",
    "ELEMENTWISE",
    "EXPORT",
    "EXPORT64",
    "SINCE",
    "Expression",
    "Ops",
    "comparable",
    "formulas",
]

_Formula: TypeAlias = float | str | tuple[Any, ...]

SINCE: Mapping[str, int]
EXPORT: Mapping[str, Callable[[Ops, Any], Any]]
EXPORT64: Mapping[str, Callable[[Ops, Any], Any]]
ELEMENTWISE: frozenset[str]
DEFAULTS: Mapping[str, Mapping[str, float | str]]

class Ops:
    def __getattr__(self, op: str) -> Callable[..., Any]: ...

class Expression(Ops):
    Z: ClassVar[_Formula]
    def apply(self, op: str, *inputs: _Formula, **attributes: float | str) -> _Formula: ...

def comparable(expression: _Formula) -> _Formula: ...
def formulas(names: Iterable[str]) -> dict[_Formula, str]: ...
