"""Check the stubs against the installed package, and a typed user: ``python tools/check_stubs.py``

Takes mypy.  Runs away from the source tree, whose folder would hide the installed package.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def main():
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy2(ROOT / "tests/stubtest-allowlist.txt", folder)
        shutil.copy2(ROOT / "tests/typing/sample.py", folder)
        stubtest = ["mypy.stubtest", "fastnet", "--allowlist", "stubtest-allowlist.txt"]
        status = 0
        for command in (stubtest, ["mypy", "--strict", "sample.py"]):
            print("python -m", *command, flush=True)
            run = subprocess.run([sys.executable, "-m", *command], cwd=folder, check=False)
            status |= run.returncode != 0
    return int(status)


if __name__ == "__main__":
    sys.exit(main())
