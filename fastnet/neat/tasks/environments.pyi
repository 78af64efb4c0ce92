from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from fastnet.neat.tasks.spaces import Actions, Observations

__all__ = ["SeparateEnvironments", "Source", "VectorEnvironment"]

class SeparateEnvironments:
    rows_share_seed: ClassVar[bool]
    n_rows: int
    def __init__(
        self, make: Callable[[], Any], observations: Observations, n_rows: int
    ) -> None: ...
    def add(self, environment: Any) -> None: ...
    def reset(
        self, seeds: list[int], X: npt.NDArray[np.float64], name: Callable[[int], str]
    ) -> None: ...
    def step(
        self,
        actions: npt.NDArray[Any] | list[Any],
        live: npt.NDArray[np.intp],
        X: npt.NDArray[np.float64],
        rewards: npt.NDArray[np.float64],
        ended: npt.NDArray[np.bool_],
        name: Callable[[int], str],
    ) -> None: ...
    def close(self) -> None: ...

class VectorEnvironment:
    n_rows: int
    rows_share_seed: bool
    def __init__(
        self, environment: Any, observations: Observations, rows_share_seed: bool
    ) -> None: ...
    def reset(
        self, seeds: list[int], X: npt.NDArray[np.float64], name: Callable[[int], str]
    ) -> None: ...
    def step(
        self,
        actions: npt.NDArray[Any] | list[Any],
        live: npt.NDArray[np.intp],
        X: npt.NDArray[np.float64],
        rewards: npt.NDArray[np.float64],
        ended: npt.NDArray[np.bool_],
        name: Callable[[int], str],
    ) -> None: ...
    def close(self) -> None: ...

class Source:
    observation_space: Any
    action_space: Any
    observations: Observations
    actions: Actions
    spec: Any
    shares_seed: bool
    def __init__(
        self, given: Any, kwargs: dict[str, Any], vectorization: str | None, n_rows: int
    ) -> None: ...
    def borrow(
        self, n_rows: int = 0
    ) -> AbstractContextManager[SeparateEnvironments | VectorEnvironment]: ...
    def close(self) -> None: ...
