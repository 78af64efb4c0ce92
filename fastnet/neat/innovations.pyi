from collections.abc import Callable, Iterable
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from typing_extensions import disjoint_base

from fastnet.neat.config import Config
from fastnet.neat.genome import Genome

__all__ = ["InnovationRegistry"]

@disjoint_base
class InnovationRegistry:
    def __init__(self, config: Config, genomes: Iterable[Genome] = ()) -> None: ...
    @property
    def config(self) -> Config: ...
    @property
    def next_innovation(self) -> int: ...
    @property
    def next_node(self) -> int: ...
    def innovation_of(self, source: int, target: int) -> int | None: ...
    def node_of(self, innovation: int, k: int = 0) -> int | None: ...
    def copy(self) -> Self: ...
    def __eq__(self, value: object, /) -> bool: ...
    __hash__: None  # type: ignore[assignment]
    def __reduce__(self) -> tuple[Callable[..., InnovationRegistry], tuple[Any, ...]]: ...

def restored(
    config: Config,
    fixed: npt.NDArray[np.int64],
    connections: npt.NDArray[np.int64],
    splits: npt.NDArray[np.int64],
    next_innovation: int,
    next_node: int,
    first_hidden: int,
) -> InnovationRegistry: ...
