from typing import Final

from matplotlib.axes import Axes

from fastnet.activations import Activation

N_POINTS: Final[int]
N_HALVINGS: Final[int]

def activation(
    activation: str | Activation,
    *,
    xlim: tuple[float, float] = (-5.0, 5.0),
    ax: Axes | None = None,
) -> Axes: ...
