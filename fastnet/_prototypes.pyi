from ctypes import _CFuncPtr

PROTOTYPES: dict[str, tuple[str, ...]]

def __getattr__(name: str) -> _CFuncPtr: ...
