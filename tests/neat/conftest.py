"""The twins of genomes and networks, and the genomes that hypothesis draws."""

import importlib.util
from pathlib import Path

import pytest


def load(name):
    """A module beside this file, by path: tests are not a package."""
    path = Path(__file__).parent / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"fastnet_test_neat_{name}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def twins():
    """Genomes and what evolution does to them: tests/neat/twins.py."""
    return load("twins")


@pytest.fixture(scope="session")
def stepping():
    """How genomes compute: tests/neat/stepping.py."""
    return load("stepping")


@pytest.fixture(scope="session")
def strategies():
    """What hypothesis draws: tests/neat/strategies.py."""
    return load("strategies")
