from typing import Any

def descend(
    arrays: tuple[Any, ...],
    n_arms: int,
    n_links: int,
    are_many_bases: bool,
    are_many_targets: bool,
    are_points: bool,
    n_epochs: int,
    learning_rate: float,
    tolerance: float,
    first: int,
    last: int,
) -> None: ...
