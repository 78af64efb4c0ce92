"""Tasks for evolution: what networks are to do, and how well they do it.

A task has ``n_inputs``, ``n_outputs``, ``evaluate(network, seed=0)`` (the fitness),
``solved(network, fitness)`` and ``config(**overrides)`` (settings to evolve it with).  Those here
run without the interpreter, on as many threads as one likes, but for `Gymnasium`, which runs
environments written in Python.
"""

from fastnet.neat.tasks.base import NativeTask, population_fitness
from fastnet.neat.tasks.dataset import Dataset
from fastnet.neat.tasks.gymnasium_task import Gymnasium
from fastnet.neat.tasks.native_function import NativeFunction, native
from fastnet.neat.tasks.poles import CartPole, DoublePole
from fastnet.neat.tasks.xor import XOR

__all__ = [
    "XOR",
    "CartPole",
    "Dataset",
    "DoublePole",
    "Gymnasium",
    "NativeFunction",
    "NativeTask",
    "native",
    "population_fitness",
]
