from _ctypes import CFuncPtr

PROTOTYPES: dict[str, tuple[str, ...]]

def __getattr__(name: str) -> CFuncPtr: ...
