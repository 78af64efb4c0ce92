"""What README.md says works: its Python runs, its commands and links name what there is."""

import importlib.util
import re
import shlex
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"
TEXT = README.read_text(encoding="utf-8")


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```", TEXT, re.M | re.S)


def test_python_blocks(tmp_path, monkeypatch, capsys):
    """All blocks in one namespace, from top to bottom."""
    monkeypatch.chdir(tmp_path)
    namespace = {"__name__": "readme"}
    found = blocks("python")
    assert len(found) >= 9
    for block in found:
        optional = {
            "fastnet.sklearn": "sklearn", "import numba": "numba", "fn.plot": "matplotlib",
        }  # fmt: skip
        if any(words in block and importlib.util.find_spec(name) is None
               for words, name in optional.items()):
            continue
        # blank lines in front, so that a traceback names the line of the README
        line = TEXT[: TEXT.index(block)].count("\n")
        exec(compile("\n" * line + block, str(README), "exec"), namespace)
    accuracy = re.search(r"'accuracy': ([0-9.]+)", capsys.readouterr().out)
    assert float(accuracy[1]) > 0.97


def test_every_block_has_a_language():
    assert set(re.findall(r"^```(.*)$", TEXT, re.M)) == {"python", "sh", ""}
    assert TEXT.count("```python\n") + TEXT.count("```sh\n") == len(
        re.findall(r"^```$", TEXT, re.M)
    )


def test_the_two_commands():
    assert blocks("sh") == [
        "pip install . && python examples/digits.py\n",
        "pip install -e '.[test]' && pytest\n",
    ]


def test_commands_name_files():
    inline = re.findall(r"`(python [^`]+)`", TEXT)
    commands = [part for block in [*blocks("sh"), *inline] for part in block.split("&&")]
    n_checked = 0
    for command in commands:
        words = shlex.split(command)
        if words[:2] == ["python", "-m"]:
            assert (ROOT / (words[2].replace(".", "/") + ".py")).is_file(), command
        elif words[0] == "python":
            assert (ROOT / words[1]).is_file(), command
        else:
            continue
        n_checked += 1
    assert n_checked >= 3


def test_links():
    if not (ROOT / "setup.py").exists():
        pytest.skip("not beside the source")
    for target in re.findall(r"\]\(([^)]+)\)", TEXT):
        assert target.startswith("https://") or (ROOT / target).is_file(), target
