from _ctypes import CFuncPtr
from typing import NamedTuple

class CInterface(NamedTuple):
    address: int
    network: object
    @property
    def activate(self) -> CFuncPtr: ...
    @property
    def activate_rows(self) -> CFuncPtr: ...
    @property
    def reset(self) -> CFuncPtr: ...
