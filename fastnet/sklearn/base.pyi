from collections.abc import Callable, Sequence
from typing import Any, Literal, Self

import numpy as np
import numpy.typing as npt

from fastnet.activations import Activation
from fastnet.losses import Loss, ParameterizedLoss
from fastnet.nn.layers import _Initializer
from fastnet.nn.network import Network
from fastnet.optim.optimizers import Optimizer

__all__ = ["BaseMLP"]

DENSE_BYTES: int

def takes_batches(estimator: BaseMLP) -> bool: ...

# of scikit-learn's BaseEstimator, which has no types
class BaseMLP:
    hidden_layer_sizes: int | Sequence[int] | npt.NDArray[np.integer]
    activation: str | Activation | Sequence[str | Activation]
    solver: str | Optimizer
    alpha: float
    batch_size: int | Literal["auto"]
    learning_rate: Literal["constant", "invscaling", "adaptive"]
    learning_rate_init: float | Callable[[int], float]
    power_t: float
    max_iter: int
    shuffle: bool
    random_state: int | np.random.RandomState | None
    tol: float
    verbose: bool | int
    warm_start: bool
    momentum: float
    nesterovs_momentum: bool
    early_stopping: bool
    validation_fraction: float
    beta_1: float
    beta_2: float
    epsilon: float
    n_iter_no_change: float
    max_fun: int
    loss: str | Loss | ParameterizedLoss
    dropout: float | Sequence[float]
    layer_norm: bool
    init: _Initializer
    dtype: npt.DTypeLike
    n_threads: int
    network_: Network
    loss_: float
    best_loss_: float | None
    loss_curve_: list[float]
    validation_loss_curve_: list[float] | None
    validation_scores_: list[float] | None
    best_validation_score_: float | None
    n_iter_: int
    t_: int
    n_features_in_: int
    n_outputs_: int
    def fit(
        self, X: npt.ArrayLike, y: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None
    ) -> Self: ...
    @property
    def coefs_(self) -> list[npt.NDArray[Any]]: ...
    @property
    def intercepts_(self) -> list[npt.NDArray[Any]]: ...
    @property
    def n_layers_(self) -> int: ...
    @property
    def out_activation_(self) -> str | Activation: ...
    def __sklearn_tags__(self) -> Any: ...
    def get_params(self, deep: bool = True) -> dict[str, Any]: ...
    def set_params(self, **params: Any) -> Self: ...
    def set_fit_request(self, *, sample_weight: bool | str | None = ...) -> Self: ...

def dense(X: Any) -> npt.NDArray[Any]: ...
def check_weights(
    sample_weight: npt.ArrayLike | None, n_rows: int
) -> npt.NDArray[np.float64] | None: ...
