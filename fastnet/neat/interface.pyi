from ctypes import _CFuncPtr
from typing import NamedTuple

class CInterface(NamedTuple):
    address: int
    network: object
    @property
    def activate(self) -> _CFuncPtr: ...
    @property
    def activate_rows(self) -> _CFuncPtr: ...
    @property
    def reset(self) -> _CFuncPtr: ...
