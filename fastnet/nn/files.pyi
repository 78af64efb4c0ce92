from os import PathLike

from fastnet.nn.network import Network

__all__ = ["load", "save"]

def save(net: Network, path: str | PathLike[str]) -> None: ...
def load(path: str | PathLike[str]) -> Network: ...
