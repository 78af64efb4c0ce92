from collections.abc import Collection
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from fastnet.nn.network import Network

@dataclass
class History:
    loss: list[float] = field(default_factory=list)
    validation_loss: list[float] = field(default_factory=list)
    metrics: dict[str, list[float]] = field(default_factory=dict)
    epochs: int = 0
    stopped: Literal["epochs", "early_stopping", "callback", "interrupted", "error"] = "epochs"
    seconds: float = 0.0

class EarlyStopping:
    monitor: str
    patience: int
    min_delta: float
    restore_best: bool
    def __init__(
        self,
        monitor: str = "validation_loss",
        patience: int = 10,
        min_delta: float = 0.0,
        restore_best: bool = True,
    ) -> None: ...
    def __eq__(self, other: object) -> bool: ...
    __hash__: ClassVar[None]  # type: ignore[assignment]
    def start(self, known: Collection[str]) -> Watchdog: ...

class Watchdog:
    rule: EarlyStopping
    best: float
    waited: int
    def __init__(self, rule: EarlyStopping) -> None: ...
    def should_stop(self, net: Network, logs: dict[str, float]) -> bool: ...
    def restore(self, net: Network) -> None: ...
