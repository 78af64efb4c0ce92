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
