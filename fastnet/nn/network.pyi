from collections.abc import Iterable, Mapping, Sequence
from os import PathLike
from typing import Any, Literal, Self, overload

import numpy as np
import numpy.typing as npt
from typing_extensions import disjoint_base

from fastnet.activations import Activation
from fastnet.losses import Loss, ParameterizedLoss
from fastnet.nn.dense import DenseModel
from fastnet.nn.gradients import Trace
from fastnet.nn.interface import CInterface
from fastnet.nn.layers import Dense, Dropout, LayerNorm, _Initializer
from fastnet.optim.optimizers import Optimizer
from fastnet.training.fit import _Callback
from fastnet.training.history import EarlyStopping, History
from fastnet.training.metrics import _Metrics

@disjoint_base
class Network(DenseModel):
    history: History | None
    @overload
    def __init__(
        self,
        sizes: Sequence[int] | npt.NDArray[np.integer],
        layers: None = None,
        *,
        hidden: str | Activation | Sequence[str | Activation] = "relu",
        output: str | Activation = "identity",
        bias: bool = True,
        init: _Initializer = "auto",
        dtype: npt.DTypeLike = "float32",
        seed: int | None = None,
    ) -> None: ...
    @overload
    def __init__(
        self,
        sizes: int,
        layers: Iterable[Dense | Dropout | LayerNorm],
        *,
        dtype: npt.DTypeLike = "float32",
        seed: int | None = None,
    ) -> None: ...
    @classmethod
    def from_arrays(
        cls,
        layers: Iterable[tuple[npt.ArrayLike, npt.ArrayLike | None, str | Activation]],
        dtype: npt.DTypeLike | None = None,
    ) -> Self: ...
    def reinitialize(self, seed: int | None = None) -> None: ...
    def __call__(self, X: npt.ArrayLike) -> npt.NDArray[Any]: ...
    def predict(
        self, X: npt.ArrayLike, out: npt.NDArray[Any] | None = None, n_threads: int = 1
    ) -> npt.NDArray[Any]: ...
    def predict_population(self, P: npt.ArrayLike, X: npt.ArrayLike) -> npt.NDArray[Any]: ...
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
    def trace(
        self,
        x: npt.ArrayLike,
        y: npt.ArrayLike | None = None,
        loss: str | Loss | ParameterizedLoss = "auto",
    ) -> Trace: ...
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
    def partial_fit(
        self,
        X: npt.ArrayLike,
        y: npt.ArrayLike,
        loss: str | Loss | ParameterizedLoss = "auto",
        optimizer: str | Optimizer | None = None,
        batch_size: int | None = 32,
        shuffle: bool = True,
        seed: int | None = None,
        sample_weight: npt.ArrayLike | None = None,
        class_weight: Mapping[int, float] | Literal["balanced"] | None = None,
        validation_data: tuple[npt.ArrayLike, npt.ArrayLike] | None = None,
        metrics: _Metrics = (),
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
    @classmethod
    def from_torch(cls, module: Any) -> Self: ...
    def to_torch(self) -> Any: ...
    @classmethod
    def from_sklearn(cls, mlp: Any) -> Self: ...
    @classmethod
    def from_onnx(cls, model: Any) -> Self: ...
    def to_onnx(self, path: str | PathLike[str] | None = None) -> Any: ...
    def to_c(
        self,
        name: str = "network",
        *,
        dtype: npt.DTypeLike | None = None,
        int8: bool = False,
        X: npt.ArrayLike | None = None,
    ) -> str: ...
    def save(self, path: str | PathLike[str]) -> None: ...
    @property
    def ctypes(self) -> CInterface: ...
    @property
    def capsule(self) -> object: ...
    def lowlevel(self, signature: str) -> object: ...
    def __copy__(self) -> Self: ...
    def __deepcopy__(self, memo: dict[int, Any]) -> Self: ...
    def __reduce__(self) -> tuple[Any, ...]: ...
