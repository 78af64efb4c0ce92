from typing_extensions import disjoint_base

@disjoint_base
class Memory: ...

@disjoint_base
class Workspace(Memory): ...
