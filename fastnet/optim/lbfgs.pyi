from typing_extensions import disjoint_base

from fastnet.optim.full_batch import FullBatchOptimizer

__all__ = ["LBFGS"]

@disjoint_base
class LBFGS(FullBatchOptimizer):
    def __init__(
        self, memory: int = 10, tolerance: float = 1e-8, max_line_search: int = 20
    ) -> None: ...
    @property
    def memory(self) -> int: ...
    @property
    def max_line_search(self) -> int: ...
