from fastnet.neat.config import Config
from fastnet.neat.genome import Genome

__all__ = ["from_json", "parse", "to_json"]

def to_json(genome: Genome) -> str: ...
def from_json(text: str) -> Genome: ...
def parse(
    text: str,
) -> tuple[
    Config,
    float | None,
    list[tuple[int, str, str, float]],
    list[tuple[int, int, int, float, bool]],
]: ...
