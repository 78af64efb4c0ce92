from typing_extensions import disjoint_base

__all__ = ["Evaluator"]

@disjoint_base
class Evaluator: ...
