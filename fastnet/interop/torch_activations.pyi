from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["FORMULAS", "modules"]

FORMULAS: Mapping[str, tuple[str, Callable[[Any, Any], Any]]]

def modules() -> dict[str, type]: ...
