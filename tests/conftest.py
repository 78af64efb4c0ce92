"""Fixtures and options shared by all tests."""

import importlib.util
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("fastnet", deadline=None, max_examples=30, print_blob=True)
settings.register_profile("ci", settings.get_profile("fastnet"), derandomize=True, database=None)
settings.register_profile("fuzz", settings.get_profile("fastnet"), max_examples=3000)
settings.load_profile("ci" if os.environ.get("CI") else "fastnet")

DTYPES = ("float32", "float64")


def pytest_addoption(parser):
    parser.addoption("--slow", action="store_true", help="run the tests marked slow, too")


def pytest_collection_modifyitems(config, items):
    if config.getoption("--slow"):
        return
    skip = pytest.mark.skip(reason="slow: needs --slow")
    for item in items:
        if "slow" in item.keywords:
            item.add_marker(skip)


def pytest_generate_tests(metafunc):
    # Asked for here and not at import, so that tests without instruction sets need no build.
    if "isa" in metafunc.fixturenames:
        from fastnet._kernels import dispatch

        names = [pytest.param(name, marks=pytest.mark.every_isa) for name in dispatch.supported()]
        metafunc.parametrize("isa", names, scope="session")
    if "dtype" in metafunc.fixturenames:
        metafunc.parametrize("dtype", DTYPES, scope="session")


@pytest.fixture(scope="session")
def oracle():
    """The module tests/oracle.py, loaded by path: tests are not a package."""
    path = Path(__file__).parent / "oracle.py"
    spec = importlib.util.spec_from_file_location("fastnet_test_oracle", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def safetensors():
    """The package of that name; it has no wheels for free-threaded interpreters."""
    pytest.importorskip("safetensors.numpy")
    import safetensors

    return safetensors


@pytest.fixture(scope="session")
def compiler_of():
    """compiler_of(name): the command of a compiler; clang may be the one in ziglang."""

    def find(name):
        if sys.platform != "win32" and shutil.which(name):
            return [name]
        if name in ("clang", "clang++") and importlib.util.find_spec("ziglang"):
            return [sys.executable, "-m", "ziglang", {"clang": "cc", "clang++": "c++"}[name]]
        pytest.skip(f"no compiler by the name of {name}")

    return find


@pytest.fixture(scope="session")
def compile_c(tmp_path_factory):
    """compile_c(source, *options, name="code.c"): a shared library of C that includes fastnet.h."""
    import fastnet as fn

    compiler = shutil.which("cc")
    if compiler is None or sys.platform == "win32":
        pytest.skip("no C compiler by the name of cc")

    def compile_source(source, *options, name="code.c"):
        path = tmp_path_factory.mktemp("c") / name
        path.write_text(source)
        shared = path.with_suffix(".so")
        flags = ["-O1", "-shared", "-fPIC", f"-I{fn.get_include()}",
                 *os.environ.get("CFLAGS", "").split()]
        if sys.platform == "darwin":
            # symbols of modules of Python are looked up when the library is loaded
            flags += ["-undefined", "dynamic_lookup"]
        # a sanitizer is for what is compiled
        env = {name: value for name, value in os.environ.items() if name != "LD_PRELOAD"}
        run = subprocess.run(
            [compiler, *flags, str(path), "-o", str(shared), *options],
            capture_output=True, text=True, check=False, env=env,
        )
        assert run.returncode == 0, run.stderr
        return shared

    return compile_source


@pytest.fixture
def table(isa, dtype):
    """The kernels of one instruction set and precision, aligned."""
    from fastnet._kernels.probe import Table

    return Table(isa, dtype)


@pytest.fixture
def interrupts():
    """SIGINT is a KeyboardInterrupt, even where the tests run in the background of a shell."""
    previous = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, previous)


@pytest.fixture(scope="session")
def data_directory():
    return Path(__file__).parent / "data"
