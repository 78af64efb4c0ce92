from typing import final

from fastnet._threads import Team
from fastnet.training.model import Model
from fastnet.training.rows import TrainingRows

@final
class Batches:
    def __init__(
        self,
        model: Model,
        rows: TrainingRows,
        batch_size: int,
        shuffle: bool,
        seed: int,
        n_threads: int,
    ) -> None: ...
    @property
    def team(self) -> Team: ...
    @property
    def batch_size(self) -> int: ...
    @property
    def shuffle(self) -> bool: ...
    @property
    def seed(self) -> int: ...
