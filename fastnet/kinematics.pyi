from dataclasses import dataclass
from typing import Any, SupportsIndex

import numpy as np
import numpy.typing as npt

__all__ = ["ArmSolution", "PlanarArm"]

@dataclass(eq=False, repr=False)
class ArmSolution:
    angles: npt.NDArray[np.float64]
    pose: npt.NDArray[np.float64]
    # one of an arm, or an array of one for each of many
    error: Any
    n_epochs: Any
    converged: Any
    reachable: Any
    path: npt.NDArray[np.float64] | None
    start: npt.NDArray[np.float64]
    target: Any
    base: Any
    lengths: npt.NDArray[np.float64]
    @property
    def gradient(self) -> npt.NDArray[np.float64]: ...

class PlanarArm:
    lengths: npt.NDArray[np.float64]
    def __init__(self, lengths: npt.ArrayLike = (1, 1, 1)) -> None: ...
    @property
    def n_links(self) -> int: ...
    @property
    def reach(self) -> float: ...
    def __eq__(self, other: object) -> bool: ...
    def __hash__(self) -> int: ...
    def pose(
        self, angles: npt.ArrayLike, base: npt.ArrayLike = 0.0
    ) -> npt.NDArray[np.float64]: ...
    def positions(
        self, angles: npt.ArrayLike, base: npt.ArrayLike = 0.0
    ) -> npt.NDArray[np.float64]: ...
    def loss_and_gradient(
        self,
        angles: npt.ArrayLike,
        target: npt.ArrayLike | tuple[float, float] | None,
        base: npt.ArrayLike = 0.0,
    ) -> tuple[Any, npt.NDArray[np.float64]]: ...
    def solve(
        self,
        angles: npt.ArrayLike,
        target: npt.ArrayLike | tuple[float, float] | None = None,
        base: npt.ArrayLike = 0.0,
        learning_rate: float = 0.075,
        epochs: SupportsIndex = 20,
        tolerance: float | None = None,
        record: bool = False,
        limits: npt.ArrayLike | tuple[npt.ArrayLike, npt.ArrayLike] | None = None,
        n_threads: SupportsIndex = 1,
    ) -> ArmSolution: ...
    def plot(self, result: ArmSolution, **options: Any) -> Any: ...
