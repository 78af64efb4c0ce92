from typing import Any, TypeVar

from fastnet.nn.network import Network

__all__ = ["from_sklearn"]

_N = TypeVar("_N", bound=Network)

def from_sklearn(cls: type[_N], mlp: Any) -> _N: ...
