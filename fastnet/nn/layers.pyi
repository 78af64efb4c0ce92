from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from fastnet.activations import Activation
from fastnet.random import RandomStream

_Initializer: TypeAlias = str | Callable[[RandomStream, int, int], npt.ArrayLike]
_Array: TypeAlias = npt.NDArray[np.floating[Any]]

@dataclass(frozen=True)
class Dense:
    n_outputs: int
    activation: str | Activation = "identity"
    bias: bool = True
    init: _Initializer = "auto"
    def __post_init__(self) -> None: ...

@dataclass(frozen=True)
class Dropout:
    rate: float = 0.5
    def __post_init__(self) -> None: ...

@dataclass(frozen=True)
class LayerNorm:
    activation: str | Activation = "identity"
    epsilon: float = 1e-5
    def __post_init__(self) -> None: ...

_Spec: TypeAlias = Dense | Dropout | LayerNorm

def checked_number(value: object, name: str) -> float: ...

class DenseLayer:
    n_inputs: int
    n_outputs: int
    weights: _Array
    biases: _Array | None
    spec: Dense
    def __init__(self, spec: Dense, n_inputs: int, parameters: _Array) -> None: ...
    @property
    def activation(self) -> str | Activation: ...

class DropoutLayer:
    n_inputs: int
    n_outputs: int
    activation: str
    # Any and not None, so that users need not narrow what a layer is before they take its weights
    weights: Any
    biases: Any
    spec: Dropout
    def __init__(self, spec: Dropout, n_inputs: int, parameters: _Array) -> None: ...
    @property
    def rate(self) -> float: ...

class LayerNormLayer:
    n_inputs: int
    n_outputs: int
    weights: Any
    gains: _Array
    biases: _Array
    spec: LayerNorm
    def __init__(self, spec: LayerNorm, n_inputs: int, parameters: _Array) -> None: ...
    @property
    def activation(self) -> str | Activation: ...
    @property
    def epsilon(self) -> float: ...

def n_outputs_of(spec: _Spec, n_inputs: int) -> int: ...
def n_parameters_of(spec: _Spec, n_inputs: int) -> int: ...

def view_of(
    spec: _Spec, n_inputs: int, parameters: _Array
) -> DenseLayer | DropoutLayer | LayerNormLayer: ...

VIEWS: Final[dict[type[_Spec], type[DenseLayer | DropoutLayer | LayerNormLayer]]]

def describe(
    inputs: int | Sequence[int] | npt.NDArray[Any],
    layers: Iterable[_Spec] | None,
    hidden: str | Activation | Sequence[str | Activation],
    output_activation: str | Activation,
    bias: bool,
    init: _Initializer,
) -> tuple[int, list[_Spec]]: ...
def named(argument: str, activation: str | Activation) -> str | Activation: ...
