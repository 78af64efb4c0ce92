from typing_extensions import disjoint_base

@disjoint_base
class Model:
    @property
    def n_inputs(self) -> int: ...
    @property
    def n_outputs(self) -> int: ...
    @property
    def n_parameters(self) -> int: ...
