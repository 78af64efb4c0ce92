from _ctypes import CFuncPtr

PROTOTYPES: dict[str, tuple[str | None, ...]]

def __getattr__(name: str) -> CFuncPtr: ...
