from typing import Any, TypeVar

from fastnet.nn.network import Network

__all__ = ["from_torch", "to_torch"]

_N = TypeVar("_N", bound=Network)

def from_torch(cls: type[_N], module: Any) -> _N: ...
def to_torch(net: Network) -> Any: ...
