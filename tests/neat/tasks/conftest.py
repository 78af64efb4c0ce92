"""The twins of the tasks, loaded by path: tests are not a package."""

import importlib.util
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def poles():
    """The pole tasks in plain Python: tests/neat/tasks/poles_twins.py."""
    path = Path(__file__).parent / "poles_twins.py"
    spec = importlib.util.spec_from_file_location("fastnet_test_neat_poles_twins", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
