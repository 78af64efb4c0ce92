from os import PathLike
from typing import TypeVar

from fastnet.neat.config import Config

__all__ = ["load", "save"]

_C = TypeVar("_C", bound=Config)
_Path = str | bytes | PathLike[str] | PathLike[bytes]

def save(config: Config, path: _Path) -> None: ...
def to_toml(config: Config) -> str: ...
def load(path: _Path, cls: type[_C] = ...) -> _C: ...
def from_toml(text: str, cls: type[_C] = ...) -> _C: ...
