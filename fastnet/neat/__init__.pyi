from fastnet.neat import tasks
from fastnet.neat._crossover import crossover
from fastnet.neat.batch import NetworkBatch
from fastnet.neat.config import Config
from fastnet.neat.genome import Genome
from fastnet.neat.innovations import InnovationRegistry
from fastnet.neat.network import Network
from fastnet.neat.population import Population
from fastnet.neat.species import distance
from fastnet.neat.tasks import population_fitness

__all__ = [
    "Config",
    "Genome",
    "InnovationRegistry",
    "Network",
    "NetworkBatch",
    "Population",
    "crossover",
    "distance",
    "population_fitness",
    "tasks",
]
