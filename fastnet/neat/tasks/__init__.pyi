from fastnet.neat.tasks.base import NativeTask, population_fitness
from fastnet.neat.tasks.dataset import Dataset
from fastnet.neat.tasks.gymnasium_task import Gymnasium
from fastnet.neat.tasks.xor import XOR

__all__ = ["XOR", "Dataset", "Gymnasium", "NativeTask", "population_fitness"]
