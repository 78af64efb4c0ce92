from types import TracebackType
from typing import Self

from typing_extensions import disjoint_base

@disjoint_base
class Team:
    def __new__(cls, n_threads: int) -> Self: ...
    @property
    def n_threads(self) -> int: ...
    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None: ...
