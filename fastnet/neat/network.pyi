from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, Self, TypeAlias

import numpy as np
import numpy.typing as npt
from typing_extensions import disjoint_base

from fastnet.losses import Loss, ParameterizedLoss
from fastnet.neat.config import Config
from fastnet.neat.genome import Genome
from fastnet.neat.interface import CInterface
from fastnet.optim.optimizers import Optimizer
from fastnet.training.history import EarlyStopping, History
from fastnet.training.metrics import _Metrics
from fastnet.training.model import Model

__all__ = ["Network"]

_Callback: TypeAlias = Callable[[Network, int, dict[str, float]], bool | None]

@disjoint_base
class Network(Model):
    history: History | None
    def __init__(
        self,
        genome: Genome,
        mode: Literal["feed_forward", "recurrent", "time_step"] | None = None,
        dtype: npt.DTypeLike = "float64",
    ) -> None: ...
    @property
    def config(self) -> Config: ...
    @property
    def dtype(self) -> np.dtype[Any]: ...
    @property
    def parameters(self) -> npt.NDArray[Any]: ...
    @property
    def genome(self) -> Genome: ...
    @property
    def mode(self) -> str: ...
    @property
    def node_ids(self) -> npt.NDArray[np.int64]: ...
    def __call__(self, X: npt.ArrayLike, /) -> npt.NDArray[Any]: ...
    def predict(self, X: npt.ArrayLike, n_threads: int = 1) -> npt.NDArray[Any]: ...
    def activate(self, inputs: Sequence[float], /) -> list[float]: ...
    def step(self, x: npt.ArrayLike, /) -> npt.NDArray[Any]: ...
    def reset(self) -> None: ...
    def trace(self, x: npt.ArrayLike, steps: int) -> npt.NDArray[Any]: ...
    def loss_and_gradient(
        self,
        X: npt.ArrayLike,
        y: npt.ArrayLike,
        loss: str | Loss | ParameterizedLoss = "auto",
        sample_weight: npt.ArrayLike | None = None,
        reduction: Literal["mean", "sum"] = "mean",
        out: npt.NDArray[Any] | None = None,
    ) -> tuple[float, npt.NDArray[Any]]: ...
    def jacobian(self, X: npt.ArrayLike) -> npt.NDArray[Any]: ...
    def input_jacobian(self, X: npt.ArrayLike) -> npt.NDArray[Any]: ...
    def fit(
        self,
        X: npt.ArrayLike,
        y: npt.ArrayLike,
        loss: str | Loss | ParameterizedLoss = "auto",
        optimizer: str | Optimizer = "adam",
        epochs: int = 10,
        batch_size: int | None = 32,
        shuffle: bool = True,
        seed: int | None = None,
        sample_weight: npt.ArrayLike | None = None,
        class_weight: Mapping[int, float] | Literal["balanced"] | None = None,
        validation_data: tuple[npt.ArrayLike, npt.ArrayLike] | None = None,
        metrics: _Metrics = (),
        early_stopping: EarlyStopping | None = None,
        callbacks: _Callback | Sequence[_Callback] = (),
        progress: bool = False,
        n_threads: int = 1,
        l1: float = 0.0,
        l2: float = 0.0,
    ) -> History: ...
    def evaluate(
        self,
        X: npt.ArrayLike,
        y: npt.ArrayLike,
        loss: str | Loss | ParameterizedLoss = "auto",
        metrics: _Metrics = (),
    ) -> dict[str, float]: ...
    def update_genome(self) -> None: ...
    @property
    def ctypes(self) -> CInterface: ...
    def __copy__(self) -> Self: ...
    def __deepcopy__(self, memo: dict[int, Any]) -> Self: ...
