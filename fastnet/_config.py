"""What this build is and what it runs on."""

import importlib.metadata
import platform

import numpy as np

from fastnet._kernels import dispatch


def version():
    """The version of the installed package."""
    return importlib.metadata.version("fastnet")


def isa():
    """Instruction set of the kernels in use: "baseline", "avx2", "avx512", "neon" or "scalar"."""
    if dispatch.chosen == "baseline" and platform.machine().lower() in ("arm64", "aarch64"):
        return "neon"
    return dispatch.chosen


def show_config():
    """Print versions, the instruction set in use and those that could be chosen."""
    print(f"fastnet {version()}")
    print(f"instruction set  {isa()} (supported: {', '.join(dispatch.supported())})")
    print(f"NumPy            {np.__version__}")
    print(f"Python           {platform.python_version()} ({platform.python_compiler()})")
    print(f"platform         {platform.platform()}")
