"""Check .github as far as a machine can that is not GitHub: ``python tools/check_workflows.py``

- the workflows and dependabot.yml against their schemas (check-jsonschema, which carries them)
- what is known to be unsafe in workflows (zizmor, offline)
- commands: every ``tools/`` and ``.ci/`` file that a workflow runs exists
- wheels: the identifiers that cibuildwheel would build, for each platform and architecture that
  wheels.yml has a runner for, are those of ``tools/check_wheel.py``

Takes check-jsonschema, zizmor and cibuildwheel (``pip install -e '.[dev]'``).
"""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

from check_wheel import PLATFORMS, PYTHONS, identifiers

ROOT = Path(__file__).resolve().parent.parent
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))


def run(*command):
    """Output of a command of this environment; exits where it fails."""
    name = Path(command[0]).name
    found = shutil.which(name, path=sysconfig.get_path("scripts")) or shutil.which(name)
    if found is None:
        sys.exit(f"{name} is not installed")
    # cibuildwheel reads options from the environment, which must not hide those of the project.
    clean = {key: value for key, value in os.environ.items() if not key.startswith("CIBW_")}
    done = subprocess.run(
        [found, *map(str, command[1:])], cwd=ROOT, env=clean, capture_output=True, text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"{name} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def missing_files():
    """Files that workflows run and the tree does not have."""
    for path in WORKFLOWS:
        for name in re.findall(r"(?:python|bash) ((?:tools|\.ci)/[\w./]+)", path.read_text()):
            if not (ROOT / name).is_file():
                yield f"{path.name} runs {name}, which does not exist"


def wrong_identifiers():
    """Differences between what cibuildwheel would build and what a release should have."""
    for platform, architecture in PLATFORMS:
        printed = run(
            "cibuildwheel", "--print-build-identifiers", "--platform", platform, "--archs",
            architecture,
        )
        built, expected = set(printed.split()), set(identifiers(platform, architecture))
        print(f"cibuildwheel, {platform} {architecture}: {len(built)} wheels")
        for name in sorted(built - expected):
            yield f"{name} would be built, and check_wheel.py does not expect it"
        for name in sorted(expected - built):
            yield f"{name} would not be built"


def main():
    schema = ["check-jsonschema", "--builtin-schema"]
    run(*schema, "vendor.github-workflows", *WORKFLOWS)
    run(*schema, "vendor.dependabot", ".github/dependabot.yml")
    print(f"{len(WORKFLOWS)} workflows and dependabot.yml follow their schemas")
    run("zizmor", "--offline", "--quiet", ".github")
    print("zizmor has no findings")
    complaints = [*missing_files(), *wrong_identifiers()]
    for complaint in complaints:
        print(complaint)
    if not complaints:
        print(f"{len(PLATFORMS)} targets, {len(PYTHONS)} interpreters as expected")
    return int(bool(complaints))


if __name__ == "__main__":
    sys.exit(main())
