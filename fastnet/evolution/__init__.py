"""Neuroevolution of networks of fixed shape.

>>> import fastnet as fn
>>> net = fn.Network([2, 4, 1], hidden="tanh", output="sigmoid", seed=0)
>>> ga = fn.GeneticAlgorithm(net, mutation_power=1.0, seed=0)
>>> ga.run(fn.neat.tasks.XOR(), generations=100).solved
True
"""

from fastnet.evolution.genetic_algorithm import GeneticAlgorithm
from fastnet.evolution.history import History, Record, Result

__all__ = ["GeneticAlgorithm", "History", "Record", "Result"]
