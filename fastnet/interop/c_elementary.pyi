ELEMENTARY: dict[str, tuple[tuple[str, ...], str | dict[int, str]]]

__all__ = ["ELEMENTARY"]
