from typing import Any, TypeVar

from fastnet.nn.network import Network

__all__ = ["from_onnx"]

_N = TypeVar("_N", bound=Network)

def from_onnx(cls: type[_N], model: Any) -> _N: ...
