from typing import Final

LEVELS: Final[tuple[str, ...]]
KNOWN: Final[tuple[str, ...]]
chosen: Final[str]

def supported() -> list[str]: ...
def choose() -> str: ...
