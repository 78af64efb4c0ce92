import os
from collections.abc import Mapping
from typing import Any

import numpy.typing as npt

from fastnet.neat.config import Config
from fastnet.neat.population import Population

__all__ = ["load", "save"]

FORMAT: str
VERSION: int
NUMBERS: set[str]

def save(population: Population, path: str | os.PathLike[str]) -> None: ...
def checksum(arrays: Mapping[str, npt.NDArray[Any]], texts: Mapping[str, str]) -> str: ...
def load(path: str | os.PathLike[str]) -> Population: ...
def restore_config(text: str) -> Config: ...
def restore_numbers(text: str) -> dict[str, int]: ...
def renumber(arrays: dict[str, npt.NDArray[Any]], text: str) -> None: ...
