from types import TracebackType
from typing import Final, Self, TextIO

INTERVAL: Final[float]

class Progress:
    def __init__(self, total: int, enabled: bool, stream: TextIO | None = None) -> None: ...
    def __enter__(self) -> Self: ...
    def update(self, n: int = 1, **figures: object) -> None: ...
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...
