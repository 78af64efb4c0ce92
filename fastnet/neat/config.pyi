from dataclasses import dataclass
from os import PathLike
from typing import Any, Self, SupportsIndex

__all__ = ["Config"]

MODES: tuple[str, ...]
MOST_NODES: int
MOST_GENOMES: int
MOST_POWER: float

_Path = str | bytes | PathLike[str] | PathLike[bytes]

@dataclass(frozen=True, init=False, repr=False)
class Config:
    n_inputs: int
    n_outputs: int
    mode: str
    step_limit: int
    activation: str
    output_activation: str | None
    activations: tuple[str, ...]
    activation_mutation_rate: float
    bias: str | None
    population_size: int
    initial_connection: str | float
    initial_hidden: int | tuple[int, int]
    initial_weight_power: float
    crossover_rate: float
    crossover: str
    tie: str
    average_crossover_rate: float
    disable_rate: float | None
    interspecies_rate: float
    weight_mutation: str
    weight_mutation_rate: float
    weight_replace_rate: float
    weight_power: float
    weight_distribution: str
    weight_cap: float | None
    bias_mutation_rate: float
    bias_replace_rate: float
    bias_power: float
    add_node_rate: float
    split_oldest_below: int
    add_connection_rate: float
    toggle_connection_rate: float
    enable_connection_rate: float
    remove_connection_rate: float
    remove_node_rate: float
    structural_mutation_only: bool
    self_loops: bool
    innovation_scope: str
    c_excess: float
    c_disjoint: float
    c_weight: float
    distance_normalization: str
    compatibility_threshold: float
    target_species: int | None
    threshold_step: float
    representative: str
    elitism: int
    elitism_species_size: int
    survival_threshold: float
    stagnation: int | None
    population_stagnation: int | None
    def __init__(
        self,
        n_inputs: SupportsIndex,
        n_outputs: SupportsIndex,
        *,
        mode: str = ...,
        step_limit: SupportsIndex = ...,
        activation: str = ...,
        output_activation: str | None = ...,
        activations: str | list[str] | tuple[str, ...] = ...,
        activation_mutation_rate: float = ...,
        bias: str | None = ...,
        population_size: SupportsIndex = ...,
        initial_connection: str | float = ...,
        initial_hidden: SupportsIndex | tuple[int, int] | list[int] = ...,
        initial_weight_power: float = ...,
        crossover_rate: float = ...,
        crossover: str = ...,
        tie: str = ...,
        average_crossover_rate: float = ...,
        disable_rate: float | None = ...,
        interspecies_rate: float = ...,
        weight_mutation: str = ...,
        weight_mutation_rate: float = ...,
        weight_replace_rate: float = ...,
        weight_power: float = ...,
        weight_distribution: str = ...,
        weight_cap: float | None = ...,
        bias_mutation_rate: float = ...,
        bias_replace_rate: float = ...,
        bias_power: float = ...,
        add_node_rate: float = ...,
        split_oldest_below: SupportsIndex = ...,
        add_connection_rate: float = ...,
        toggle_connection_rate: float = ...,
        enable_connection_rate: float = ...,
        remove_connection_rate: float = ...,
        remove_node_rate: float = ...,
        structural_mutation_only: bool = ...,
        self_loops: bool = ...,
        innovation_scope: str = ...,
        c_excess: float = ...,
        c_disjoint: float = ...,
        c_weight: float = ...,
        distance_normalization: str = ...,
        compatibility_threshold: float = ...,
        target_species: SupportsIndex | None = ...,
        threshold_step: float = ...,
        representative: str = ...,
        elitism: SupportsIndex = ...,
        elitism_species_size: SupportsIndex = ...,
        survival_threshold: float = ...,
        stagnation: SupportsIndex | None = ...,
        population_stagnation: SupportsIndex | None = ...,
    ) -> None: ...
    @classmethod
    def paper(cls, n_inputs: SupportsIndex, n_outputs: SupportsIndex, **fields: Any) -> Self: ...
    @classmethod
    def time_step(
        cls, n_inputs: SupportsIndex, n_outputs: SupportsIndex, **fields: Any
    ) -> Self: ...
    @classmethod
    def load(cls, path: _Path) -> Self: ...
    def save(self, path: _Path) -> None: ...
    def replace(self, **fields: Any) -> Self: ...
    def to_dict(self) -> dict[str, Any]: ...
    def __reduce__(self) -> tuple[Any, ...]: ...
    def __hash__(self) -> int: ...
