"""NEAT: networks whose topology evolves (Stanley & Miikkulainen 2002).

>>> from fastnet import neat
>>> pop = neat.Population(neat.Config.paper(n_inputs=2, n_outputs=1), seed=0)
>>> result = pop.run(neat.tasks.XOR(), generations=300)
>>> result.solved
True

Names are loaded when they are first used.
"""

import importlib

# name: module that has it
_PLACES = {
    "Config": "fastnet.neat.config",
    "Genome": "fastnet.neat.genome",
    "InnovationRegistry": "fastnet.neat.innovations",
    "Network": "fastnet.neat.network",
    "NetworkBatch": "fastnet.neat.batch",
    "Population": "fastnet.neat.population",
    "crossover": "fastnet.neat._crossover",
    "distance": "fastnet.neat.species",
    "population_fitness": "fastnet.neat.tasks",
}

__all__ = [*_PLACES, "tasks"]


def __getattr__(name):
    if name in _PLACES:
        value = getattr(importlib.import_module(_PLACES[name]), name)
    elif name == "tasks":
        value = importlib.import_module("fastnet.neat.tasks")
    else:
        raise AttributeError(f"module 'fastnet.neat' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__():
    return sorted({*globals(), *__all__})
