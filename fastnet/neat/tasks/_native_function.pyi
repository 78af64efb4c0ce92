from typing import Self

from typing_extensions import disjoint_base

from fastnet._cfunctions import CFunction
from fastnet.neat.tasks.base import NativeTask

__all__ = ["FunctionTask"]

@disjoint_base
class FunctionTask(NativeTask):
    def __new__(
        cls, function: CFunction, n_inputs: int, n_outputs: int, target: float | None
    ) -> Self: ...
    @property
    def function(self) -> CFunction: ...
    @property
    def target(self) -> float | None: ...
