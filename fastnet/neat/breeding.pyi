from typing_extensions import disjoint_base

__all__ = ["Breeder"]

@disjoint_base
class Breeder: ...
