from collections.abc import Iterable

__all__ = ["EVENTS", "Reporters"]

EVENTS: tuple[str, ...]

class Reporters:
    def __init__(self, reporters: Iterable[object]) -> None: ...
    def wants(self, event: str) -> bool: ...
    def tell(self, event: str, *arguments: object) -> None: ...
