from typing_extensions import disjoint_base

from fastnet._threads import Team
from fastnet._workspace import Workspace
from fastnet.optim.optimizers import Optimizer
from fastnet.training.model import Model
from fastnet.training.rows import TrainingRows

class DivergenceError(ValueError): ...

@disjoint_base
class TrainingLoop:
    def __init__(
        self,
        model: Model,
        rows: TrainingRows,
        optimizer: Optimizer,
        batch_size: int,
        shuffle: bool,
        seed: int,
        l1: float,
        l2: float,
        n_threads: int,
    ) -> None: ...
    @property
    def failed_batch(self) -> int: ...
    @property
    def team(self) -> Team: ...
    @property
    def has_converged(self) -> bool: ...
    def epoch(self, index: int) -> float: ...
    def mean_loss(self, rows: TrainingRows) -> float: ...

def mean_loss(model: Model, rows: TrainingRows, workspace: Workspace | None = None) -> float: ...
