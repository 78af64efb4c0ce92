"""Check what a wheel or a source distribution holds: ``python tools/check_wheel.py FILE...``

A wheel has the extension modules, their stubs and what other extension modules are compiled
against (.pxd, headers), and no source that only the build needs.  A source distribution has what
the build and the tests need, and nothing that was generated.
"""

import sys
import tarfile
import zipfile
from pathlib import PurePosixPath

MAX_BYTES = 3 * 2**20
WHEEL_SUFFIXES = {".py", ".pyi", ".pxd", ".h", ".so", ".pyd", ".typed"}
WHEEL_FILES = (
    "fastnet/__init__.py",
    "fastnet/__init__.pyi",
    "fastnet/__init__.pxd",
    "fastnet/py.typed",
    "fastnet/_kernels/simd.h",
    "fastnet/_kernels/table.pxd",
    "fastnet/_kernels/dispatch.pxd",
)
EXTENSIONS = (
    "fastnet/_kernels/dispatch",
    "fastnet/_kernels/probe",
    "fastnet/_kernels/scalar_float32",
    "fastnet/_kernels/scalar_float64",
    "fastnet/nn/network",
    "fastnet/training/loop",
)
SDIST_FILES = (
    "pyproject.toml",
    "setup.py",
    "README.md",
    "LICENSE",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "fastnet/_kernels/kernels.pxi",
    "fastnet/_kernels/simd.h",
    "fastnet/_kernels/scalar_float32.pyx",
    "fastnet/nn/network.pyx",
    "fastnet/nn/network.pyi",
    "fastnet/py.typed",
    "examples/digits.py",
    "benchmarks/__init__.py",
    "tests/conftest.py",
    "tests/data/seed_cases.json",
)
GENERATED = {".c", ".cpp", ".o", ".so", ".pyd", ".pyc"}


def check_wheel(names, size):
    """Complaints about a wheel of these files and this size."""
    inside = [name for name in names if ".dist-info/" not in name]
    for name in inside:
        if not name.startswith("fastnet/"):
            yield f"{name} is outside the package"
        if PurePosixPath(name).suffix not in WHEEL_SUFFIXES:
            yield f"{name} does not belong in a wheel"
    for name in WHEEL_FILES:
        if name not in inside:
            yield f"{name} is missing"
    modules = {name.split(".", 1)[0] for name in inside if name.endswith((".so", ".pyd"))}
    for name in EXTENSIONS:
        if name not in modules:
            yield f"the extension module {name} is missing"
    for name in sorted(modules):
        is_kernel = name.endswith(("_float32", "_float64"))
        if not is_kernel and f"{name}.pyi" not in inside:
            yield f"{name} has no stub"
    if not any(name.endswith("/licenses/LICENSE") for name in names):
        yield "the license is missing"
    if size > MAX_BYTES:
        yield f"{size} bytes are more than {MAX_BYTES}"


def check_sdist(names):
    """Complaints about a source distribution of these files, its top folder taken off."""
    for name in SDIST_FILES:
        if name not in names:
            yield f"{name} is missing"
    for name in names:
        if PurePosixPath(name).suffix in GENERATED or name.startswith("build/"):
            yield f"{name} is generated"


def main(paths):
    if not paths:
        sys.exit(__doc__)
    failed = False
    for path in paths:
        if path.endswith(".whl"):
            with zipfile.ZipFile(path) as wheel:
                names = [name for name in wheel.namelist() if not name.endswith("/")]
            with open(path, "rb") as file:
                size = file.seek(0, 2)
            complaints = list(check_wheel(names, size))
        elif path.endswith(".tar.gz"):
            with tarfile.open(path) as sdist:
                members = [member for member in sdist.getmembers() if member.isfile()]
            names = [member.name.split("/", 1)[1] for member in members]
            with open(path, "rb") as file:
                size = file.seek(0, 2)
            complaints = list(check_sdist(names))
        else:
            complaints = ["neither a .whl nor a .tar.gz"]
            names, size = [], 0
        print(f"{path}: {len(names)} files, {size / 2**20:.2f} MiB")
        for complaint in complaints:
            print(f"  {complaint}")
        failed |= bool(complaints)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
