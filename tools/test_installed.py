"""Test the installed package: ``python tools/test_installed.py [--isa NAME] [pytest arguments]``

Copies the tests and what they read into a temporary folder and runs pytest there, isolated, so
that no source tree is in reach.  With ``--isa`` networks compute with that instruction set; where
the processor or the build does not have it, the tool says so and succeeds.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NEEDED = ("tests", "examples", "benchmarks", "docs", "README.md", "pyproject.toml")


def supported():
    """Instruction sets of the installed package on this processor."""
    program = "from fastnet._kernels import dispatch; print(*dispatch.supported())"
    # Away from the tree, and without a choice that may not be possible
    environment = {name: value for name, value in os.environ.items() if name != "FASTNET_ISA"}
    with tempfile.TemporaryDirectory() as folder:
        run = subprocess.run(
            [sys.executable, "-Ic", program], cwd=folder, env=environment, check=True,
            capture_output=True, text=True,
        )
    return run.stdout.split()


def main(arguments=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--isa", choices=("scalar", "baseline", "avx2", "avx512"))
    chosen, pytest_arguments = parser.parse_known_args(arguments)
    environment = dict(os.environ)
    if chosen.isa:
        found = supported()
        if chosen.isa not in found:
            print(f"not tested: no {chosen.isa} here, only {', '.join(found)}")
            return 0
        environment["FASTNET_ISA"] = chosen.isa
    with tempfile.TemporaryDirectory(prefix="fastnet-tests.") as folder:
        for name in NEEDED:
            if (ROOT / name).is_dir():
                ignored = shutil.ignore_patterns("__pycache__", "_build", "_pictures")
                shutil.copytree(ROOT / name, Path(folder, name), ignore=ignored)
            elif (ROOT / name).exists():
                shutil.copy2(ROOT / name, folder)
        command = [sys.executable, "-Im", "pytest", "-q", "-p", "no:cacheprovider"]
        return subprocess.run(
            [*command, *pytest_arguments], cwd=folder, env=environment, check=False
        ).returncode


if __name__ == "__main__":
    sys.exit(main())
