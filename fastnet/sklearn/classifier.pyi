from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, Self

import numpy as np
import numpy.typing as npt

from fastnet.activations import Activation
from fastnet.losses import Loss, ParameterizedLoss
from fastnet.nn.layers import _Initializer
from fastnet.optim.optimizers import Optimizer
from fastnet.sklearn.base import BaseMLP

__all__ = ["MLPClassifier"]

LOG_LOSSES: tuple[str, ...]

def gives_probabilities(estimator: MLPClassifier) -> bool: ...
def gives_margins(estimator: MLPClassifier) -> bool: ...
def is_hinge(estimator: MLPClassifier) -> bool: ...

class MLPClassifier(BaseMLP):
    class_weight: Mapping[Any, float] | Sequence[Mapping[int, float]] | Literal["balanced"] | None
    classes_: npt.NDArray[Any]
    def __init__(
        self,
        hidden_layer_sizes: int | Sequence[int] | npt.NDArray[np.integer] = (100,),
        activation: str | Activation | Sequence[str | Activation] = "relu",
        *,
        solver: str | Optimizer = "adam",
        alpha: float = 0.0001,
        batch_size: int | Literal["auto"] = "auto",
        learning_rate: Literal["constant", "invscaling", "adaptive"] = "constant",
        learning_rate_init: float | Callable[[int], float] = 0.001,
        power_t: float = 0.5,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: int | np.random.RandomState | None = None,
        tol: float = 0.0001,
        verbose: bool | int = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-08,
        n_iter_no_change: float = 10,
        max_fun: int = 15000,
        loss: str | Loss | ParameterizedLoss = "log_loss",
        class_weight: Mapping[Any, float]
        | Sequence[Mapping[int, float]]
        | Literal["balanced"]
        | None = None,
        dropout: float | Sequence[float] = 0.0,
        layer_norm: bool = False,
        init: _Initializer = "auto",
        dtype: npt.DTypeLike = "auto",
        n_threads: int = 1,
    ) -> None: ...
    def partial_fit(
        self,
        X: npt.ArrayLike,
        y: npt.ArrayLike,
        classes: npt.ArrayLike | None = None,
        sample_weight: npt.ArrayLike | None = None,
    ) -> Self: ...
    def predict(self, X: npt.ArrayLike) -> npt.NDArray[Any]: ...
    def predict_proba(self, X: npt.ArrayLike) -> npt.NDArray[Any]: ...
    def predict_log_proba(self, X: npt.ArrayLike) -> npt.NDArray[Any]: ...
    def decision_function(self, X: npt.ArrayLike) -> npt.NDArray[Any]: ...
    def score(
        self, X: npt.ArrayLike, y: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None
    ) -> float: ...
    def set_partial_fit_request(
        self, *, classes: bool | str | None = ..., sample_weight: bool | str | None = ...
    ) -> Self: ...
    def set_score_request(self, *, sample_weight: bool | str | None = ...) -> Self: ...
