"""What this build is and what it runs on."""

import importlib
import importlib.metadata
import platform
from pathlib import Path

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


def get_include():
    """The folder of ``fastnet.h``, for include_dirs or -I of a compiler."""
    return str(Path(__file__).parent / "include")


def get_library():
    """The path of the shared library that has the functions of ``fastnet.h`` as its symbols.

    It can be linked or loaded by code that runs in a process with Python.

    Examples
    --------
    >>> import ctypes
    >>> import fastnet as fn
    >>> ctypes.CDLL(fn.get_library()).fn_activate(None, None, None)     # FN_ERROR_NULL
    -1
    """
    return importlib.import_module("fastnet.capi").__file__


def show_config():
    """Print versions, the instruction set in use and those that could be chosen."""
    print(f"fastnet {version()}")
    print(f"instruction set  {isa()} (supported: {', '.join(dispatch.supported())})")
    print(f"NumPy            {np.__version__}")
    print(f"Python           {platform.python_version()} ({platform.python_compiler()})")
    print(f"platform         {platform.platform()}")
