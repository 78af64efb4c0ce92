"""What the tests of several examples do with them."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

import fastnet as fn


@pytest.fixture
def run_program(tmp_path):
    """run_program(example, picture) -> what it prints; the picture goes to the current folder."""
    # also where fastnet is built in place and the current folder is another one
    environment = os.environ | {"PYTHONPATH": str(Path(fn.__file__).parents[1])}

    def run(example, picture):
        done = subprocess.run([sys.executable, example], cwd=tmp_path, env=environment,
                              capture_output=True, text=True, timeout=120, check=False)  # fmt: skip
        assert done.returncode == 0, done.stderr
        if importlib.util.find_spec("matplotlib"):
            assert (tmp_path / picture).read_bytes().startswith(b"\x89PNG")
        return done.stdout

    return run


@pytest.fixture
def check_without_matplotlib(capsys, tmp_path, monkeypatch):
    """check_without_matplotlib(main): an example says that there is no picture, and leaves none."""

    def check(main):
        monkeypatch.setitem(sys.modules, "matplotlib", None)
        monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
        main(tmp_path / "picture.png")
        assert "no picture without matplotlib" in capsys.readouterr().out
        assert not list(tmp_path.iterdir())

    return check
