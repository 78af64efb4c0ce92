from fastnet.evolution.genetic_algorithm import GeneticAlgorithm
from fastnet.evolution.history import History, Record, Result

__all__ = ["GeneticAlgorithm", "History", "Record", "Result"]
