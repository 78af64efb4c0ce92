from typing_extensions import disjoint_base

from fastnet.optim.objective import Residuals
from fastnet.optim.optimizers import Optimizer
from fastnet.training.batches import Batches
from fastnet.training.model import Model
from fastnet.training.rows import TrainingRows

@disjoint_base
class TrainingObjective(Residuals):
    def __init__(
        self,
        model: Model,
        rows: TrainingRows,
        batches: Batches,
        l1: float,
        l2: float,
        optimizer: Optimizer,
    ) -> None: ...
