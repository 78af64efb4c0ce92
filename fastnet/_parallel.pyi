from collections.abc import Callable, Sequence
from typing import Final, SupportsIndex

CHUNK_OPERATIONS: Final[float]

def cut_rows(
    n_rows: int, operations_per_row: float, n_threads: SupportsIndex, multiple: int
) -> list[tuple[int, int]]: ...
def run_chunks(
    function: Callable[[int, int], object], chunks: Sequence[tuple[int, int]], n_threads: int
) -> None: ...
