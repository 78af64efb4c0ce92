from collections.abc import Iterable

__all__ = ["nearest"]

def nearest(name: object, known: Iterable[str], what: str) -> str: ...
