"""The documentation: the Python blocks of its pages run, and its reference has every name."""

import importlib
import importlib.util
import re
import sys
from pathlib import Path

import numpy as np
import pytest

DOCS = Path(__file__).resolve().parents[1] / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
pytestmark = pytest.mark.skipif(not PAGES, reason="docs/ is not with these tests")

MODULES = (
    "fastnet",
    "fastnet.activations",
    "fastnet.capi",
    "fastnet.losses",
    "fastnet.neat",
    "fastnet.neat.tasks",
    "fastnet.optim",
    "fastnet.optim.schedules",
    "fastnet.plot",
    "fastnet.random",
)


@pytest.fixture(scope="module")
def blocks():
    spec = importlib.util.spec_from_file_location("fastnet_docs_blocks", DOCS / "blocks.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def name_of(path):
    return path.relative_to(DOCS).with_suffix("").as_posix()


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_blocks_run(blocks, path, tmp_path, monkeypatch):
    page = blocks.Page(path)
    n_blocks = len(blocks.FENCED.findall(page.text))
    assert page.text.count("```python") == n_blocks
    monkeypatch.chdir(tmp_path)
    n_run = run(page)
    if all(map(blocks.is_installed, blocks.OPTIONAL)):
        assert n_run == n_blocks


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_blocks_run_without_optional_packages(blocks, path, tmp_path, monkeypatch):
    page = blocks.Page(path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(blocks, "is_installed", lambda package: False)
    code = blocks.FENCED.findall(page.text)
    words = "|".join(map(re.escape, [*blocks.OPTIONAL, *blocks.EXTRAS]))
    if not re.search(rf"^(?:import|from) (?:{words})\b", "\n".join(code), re.M):
        pytest.skip("needs none")
    assert run(page) < len(code)


def run(page):
    """The number of blocks of a page that ran."""
    if "fn.plot" in page.text or "matplotlib" in page.text:
        pytest.importorskip("matplotlib").use("Agg")
    options = np.get_printoptions()
    try:
        return sum(1 for _ in page.run())
    finally:
        np.set_printoptions(**options)
        if "matplotlib.pyplot" in sys.modules:
            sys.modules["matplotlib.pyplot"].close("all")


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_commands_name_files(path):
    root = DOCS.parent
    for command in re.findall(r"`(python [^`]+)`", path.read_text(encoding="utf-8")):
        words = command.split()
        name = words[2].replace(".", "/") + ".py" if words[1] == "-m" else words[1]
        assert (root / name).is_file(), command


def resolve(name):
    """What a full name stands for: a module, or something in one."""
    module, _, last = name.rpartition(".")
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError:
        return getattr(resolve(module), last)


def test_every_public_name_is_in_the_reference():
    pattern = re.compile(
        r"^\.\. (?:auto(?:class|exception|function|module)|py:(?:data|module)):: ([\w.]+)", re.M
    )
    documented = set()
    for path in (DOCS / "reference").glob("*.rst"):
        documented |= set(pattern.findall(path.read_text(encoding="utf-8")))
    documented.discard("fastnet.sklearn")
    documented = {name for name in documented if not name.startswith("fastnet.sklearn.")}
    # one object may have several names
    objects = {id(resolve(name)) for name in documented if name != "__version__"}
    objects.add(id(resolve("fastnet.__version__")) if "__version__" in documented else 0)
    for module in MODULES:
        for name in resolve(module).__all__:
            assert id(resolve(f"{module}.{name}")) in objects, f"{module}.{name}"


def test_building_checks_the_same_modules():
    listed = re.search(r"^PUBLIC = \((.*?)^\)", (DOCS / "conf.py").read_text(encoding="utf-8"),
                       re.M | re.S)
    assert tuple(re.findall(r'"([\w.]+)"', listed[1])) == MODULES
