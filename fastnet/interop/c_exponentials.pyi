EXPONENTIALS: dict[str, tuple[tuple[str, ...], str | dict[int, str]]]

__all__ = ["EXPONENTIALS"]
