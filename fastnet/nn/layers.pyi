from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy.typing as npt

from fastnet.activations import Activation
from fastnet.random import RandomStream

_Initializer: TypeAlias = str | Callable[[RandomStream, int, int], npt.ArrayLike]

@dataclass(frozen=True)
class Dense:
    n_outputs: int
    activation: str | Activation = "identity"
    bias: bool = True
    init: _Initializer = "auto"
    def __post_init__(self) -> None: ...

class Layer:
    weights: npt.NDArray[Any]
    biases: npt.NDArray[Any] | None
    activation: str | Activation
    def __init__(
        self,
        weights: npt.NDArray[Any],
        biases: npt.NDArray[Any] | None,
        activation: str | Activation,
    ) -> None: ...
    @property
    def n_inputs(self) -> int: ...
    @property
    def n_outputs(self) -> int: ...

def describe(
    inputs: int | Sequence[int] | npt.NDArray[Any],
    layers: Iterable[Dense] | None,
    hidden: str | Activation | Sequence[str | Activation],
    output_activation: str | Activation,
    bias: bool,
    init: _Initializer,
) -> tuple[int, list[Dense]]: ...
def named(argument: str, activation: str | Activation) -> str | Activation: ...
