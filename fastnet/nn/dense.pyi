from typing import Any

import numpy as np
import numpy.typing as npt
from typing_extensions import disjoint_base

from fastnet.nn.layers import DenseLayer, DropoutLayer, LayerNormLayer
from fastnet.training.model import Model

@disjoint_base
class DenseModel(Model):
    @property
    def parameters(self) -> npt.NDArray[Any]: ...
    @property
    def layers(self) -> tuple[DenseLayer | DropoutLayer | LayerNormLayer, ...]: ...
    @property
    def dtype(self) -> np.dtype[Any]: ...
    def _seconds_per_row(self, x: npt.ArrayLike, repeats: int) -> float: ...
