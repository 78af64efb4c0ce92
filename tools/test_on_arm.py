"""Run the tests on an emulated ARM processor: ``python tools/test_on_arm.py [pytest arguments]``

The kernels are NEON's there.  It takes a Debian of x86-64 with

    apt-get install qemu-user gcc-aarch64-linux-gnu libc6-dev-arm64-cross

and an interpreter of the version that Debian has, with Cython and NumPy.  Debian's Python for ARM
and the wheels of what the tests need are downloaded into a temporary folder (``--folder`` keeps
it); nothing of it is installed.  Emulation is about 20 times as slow as the processor: without
arguments only ``tests/kernels`` are run.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from sanitize import copy_tree

PYTHON = f"{sys.version_info[0]}.{sys.version_info[1]}"
TRIPLE = "aarch64-linux-gnu"
NEEDED = ("numpy", "pytest", "hypothesis", "mpmath", "safetensors", "tqdm")
APT = """
APT::Architecture "arm64";
APT::Architectures "arm64";
Dir::State "{0}/state";
Dir::State::status "{0}/status";
Dir::Cache "{0}/cache";
"""


def run(*command, **options):
    """Runs a command; exits with what it printed where it fails."""
    done = subprocess.run(
        [*map(str, command)], capture_output=True, text=True, check=False, **options
    )
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))} failed:\n{done.stdout}{done.stderr}")


def fetch_interpreter(folder):
    """Debian's Python for ARM, unpacked in folder/root."""
    root = folder / "root"
    if root.exists():
        return root
    apt = folder / "apt"
    for name in ("state/lists/partial", "cache/archives/partial"):
        (apt / name).mkdir(parents=True, exist_ok=True)
    (apt / "status").touch()
    (apt / "apt.conf").write_text(APT.format(apt))
    environment = {**os.environ, "APT_CONFIG": str(apt / "apt.conf")}
    run("apt-get", "update", env=environment)
    packages = (f"python{PYTHON}", f"libpython{PYTHON}-stdlib", "libstdc++6", "libgcc-s1")
    run(
        "apt-get", "install", "-y", "--no-install-recommends", "--download-only", *packages,
        env=environment,
    )  # fmt: skip
    for package in (apt / "cache/archives").glob("*.deb"):
        run("dpkg-deb", "-x", package, root)
    return root


def fetch_wheels(folder):
    """What the tests need, unpacked in folder/site."""
    site = folder / "site"
    if site.exists():
        return site
    platforms = [f"--platform=manylinux_2_{minor}_aarch64" for minor in (17, 27, 28)]
    run(
        sys.executable, "-m", "pip", "download", "--dest", folder / "wheels",
        "--only-binary=:all:", "--python-version", PYTHON, *platforms,
        "--platform=manylinux2014_aarch64", *NEEDED,
    )  # fmt: skip
    for wheel in (folder / "wheels").glob("*.whl"):
        zipfile.ZipFile(wheel).extractall(site)
    return site


def build(tree):
    """The extension modules for ARM, in place."""
    compiler = f"{TRIPLE}-gcc"
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("FASTNET_")},
        "CC": compiler,
        "LDSHARED": f"{compiler} -shared",
        "SETUPTOOLS_EXT_SUFFIX": f".cpython-{PYTHON.replace('.', '')}-{TRIPLE}.so",
        "_PYTHON_HOST_PLATFORM": "linux-aarch64",
    }
    command = [sys.executable, "setup.py", "egg_info", "build_ext", "--inplace"]
    run(*command, cwd=tree, env=environment)


def main(arguments=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--folder", type=Path, help="keep what is downloaded there")
    chosen, pytest_arguments = parser.parse_known_args(arguments)
    for name in ("qemu-aarch64", f"{TRIPLE}-gcc", "dpkg-deb"):
        if shutil.which(name) is None:
            sys.exit(f"{name} is not installed")
    with tempfile.TemporaryDirectory(prefix="fastnet-arm.") as temporary:
        folder = (chosen.folder or Path(temporary)).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        root, site = fetch_interpreter(folder), fetch_wheels(folder)
        tree = Path(temporary, "tree")
        copy_tree(tree)
        build(tree)
        environment = {
            **os.environ,
            "PYTHONHOME": str(root / "usr"),
            "PYTHONPATH": f"{tree}{os.pathsep}{site}",
            # Of the processes that tests start, too
            "QEMU_LD_PREFIX": str(root),
        }
        command = ["qemu-aarch64", str(root / f"usr/bin/python{PYTHON}"), "-m", "pytest", "-q"]
        options = ["-p", "no:cacheprovider", "-o", "faulthandler_timeout=1800"]
        return subprocess.run(
            [*command, *options, *(pytest_arguments or ["tests/kernels"])],
            cwd=tree, env=environment, check=False,
        ).returncode  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
