from fastnet.neat.config import Config
from fastnet.neat.genome import Genome

__all__ = ["distance"]

def distance(a: Genome, b: Genome, config: Config) -> float: ...
