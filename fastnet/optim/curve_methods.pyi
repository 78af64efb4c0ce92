from collections.abc import Callable, Generator
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from fastnet.optim.curve_problem import Problem
from fastnet.optim.full_batch import FullBatchOptimizer
from fastnet.optim.optimizers import Optimizer
from fastnet.optim.schedules import Armijo, GrowShrink

__all__ = [
    "armijo",
    "exact",
    "first_order",
    "fixed",
    "grow_shrink",
    "lbfgs",
    "least_deviations",
    "levenberg_marquardt",
    "newton",
]

_Array: TypeAlias = npt.NDArray[np.float64]
_Iterations: TypeAlias = Generator[_Array, None, str]

def fixed(
    problem: Problem,
    length: Callable[[int, float, float], float],
    normalize: bool,
    tolerance: float,
) -> _Iterations: ...
def armijo(
    problem: Problem, rule: Armijo, normalize: bool, tolerance: float
) -> _Iterations: ...
def grow_shrink(
    problem: Problem, rule: GrowShrink, normalize: bool, tolerance: float
) -> _Iterations: ...
def exact(problem: Problem, tolerance: float) -> _Iterations: ...
def least_deviations(problem: Problem, tolerance: float) -> _Iterations: ...
def newton(problem: Problem, guard: bool, tolerance: float) -> _Iterations: ...
def levenberg_marquardt(problem: Problem, optimizer: FullBatchOptimizer) -> _Iterations: ...
def lbfgs(problem: Problem, optimizer: FullBatchOptimizer) -> _Iterations: ...
def first_order(
    problem: Problem, optimizer: Optimizer, tolerance: float
) -> _Iterations: ...
