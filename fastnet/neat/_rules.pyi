from typing import Self

from typing_extensions import disjoint_base

from fastnet.neat.config import MODES as MODES
from fastnet.neat.config import Config

@disjoint_base
class RuleSet:
    def __new__(cls, config: Config) -> Self: ...
