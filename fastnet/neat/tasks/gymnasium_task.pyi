from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Literal, Self

import numpy as np
import numpy.typing as npt

from fastnet.neat.config import Config
from fastnet.neat.network import Network

__all__ = ["Gymnasium"]

class Gymnasium:
    __hash__: ClassVar[None]  # type: ignore[assignment]
    env_id_or_factory: Any
    kwargs: dict[str, Any]
    episodes: int
    seed: int | None
    target: float | None
    trials: int
    max_steps: int | None
    output_range: tuple[float, float] | None
    vectorization: Literal["sync", "vector_entry_point"] | None
    n_environments: int
    n_inputs: int
    n_outputs: int
    observation_space: Any
    action_space: Any
    spec: Any
    def __init__(
        self,
        env_id_or_factory: Any,
        episodes: int = 1,
        *,
        seed: int | None = None,
        target: float | None = None,
        trials: int = 100,
        max_steps: int | None = None,
        output_range: tuple[float, float] | None = None,
        vectorization: Literal["sync", "vector_entry_point"] | None = None,
        n_environments: int = 64,
        **kwargs: Any,
    ) -> None: ...
    def evaluate(self, network: Callable[..., Any], seed: int = 0) -> float: ...
    def evaluate_all(
        self, networks: Sequence[Network], seed: int = 0
    ) -> npt.NDArray[np.float64]: ...
    def evaluate_population(
        self,
        predict: Callable[[npt.NDArray[np.float64]], npt.ArrayLike],
        n: int,
        seed: int = 0,
        reset: Callable[[], object] | None = None,
        output_range: tuple[float, float] | None = None,
    ) -> npt.NDArray[np.float64]: ...
    def solved(self, network: Callable[..., Any], fitness: float) -> bool: ...
    def config(self, **overrides: Any) -> Config: ...
    def close(self) -> None: ...
    def __enter__(self) -> Self: ...
    def __exit__(self, *_: object) -> None: ...
    def __eq__(self, value: object, /) -> bool: ...
