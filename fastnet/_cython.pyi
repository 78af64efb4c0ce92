# What the other modules share of Cython's own code, for them only.
from typing import Any

def __getattr__(name: str) -> Any: ...
