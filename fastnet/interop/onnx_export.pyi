from os import PathLike
from typing import Any

from fastnet.nn.network import Network

__all__ = ["to_onnx"]

def to_onnx(net: Network, path: str | PathLike[str] | None = None) -> Any: ...
