from typing_extensions import disjoint_base

from fastnet.optim.full_batch import FullBatchOptimizer

__all__ = ["LevenbergMarquardt"]

@disjoint_base
class LevenbergMarquardt(FullBatchOptimizer):
    def __init__(
        self, damping: float = 1e-3, tolerance: float = 1e-8, scale: bool = False
    ) -> None: ...
    @property
    def damping(self) -> float: ...
    @property
    def scale(self) -> bool: ...
