import numpy as np
import numpy.typing as npt

def finite_array(
    value: npt.ArrayLike, name: str, may_be_infinite: bool = False
) -> npt.NDArray[np.float64]: ...
def step_number(value: float) -> float: ...
def tolerance_number(value: float | None) -> float: ...
def descend(
    lengths: npt.NDArray[np.float64],
    angles: npt.NDArray[np.float64],
    bases: npt.NDArray[np.float64],
    targets: npt.NDArray[np.float64],
    n_epochs: int,
    learning_rate: float,
    tolerance: float,
    limits: npt.NDArray[np.float64] | None,
    pose: npt.NDArray[np.float64],
    errors: npt.NDArray[np.float64],
    epochs: npt.NDArray[np.float64],
    path: npt.NDArray[np.float64] | None,
    first: int,
    last: int,
) -> None: ...
