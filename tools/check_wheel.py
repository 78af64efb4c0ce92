"""Check wheels and source distributions: ``python tools/check_wheel.py [--release] FILE...``

A wheel has the extension modules, their stubs and what other extension modules are compiled
against (.pxd, headers), and no source that only the build needs.  A source distribution has what
the build and the tests need, and nothing that was generated.  With --release the files together
must be one version's source distribution and a wheel for every interpreter and platform.
"""

import os
import re
import sys
import tarfile
import zipfile
from pathlib import PurePosixPath

# Interpreters that have wheels, as cibuildwheel calls them; pyproject.toml asks for them.
PYTHONS = ("cp311", "cp312", "cp313", "cp314", "cp314t", "cp315", "cp315t")
# cibuildwheel's platform and architecture, and how its identifiers end
PLATFORMS = {
    ("linux", "x86_64"): ("manylinux_x86_64", "musllinux_x86_64"),
    ("linux", "aarch64"): ("manylinux_aarch64", "musllinux_aarch64"),
    ("macos", "arm64"): ("macosx_arm64",),
    ("macos", "x86_64"): ("macosx_x86_64",),
    ("windows", "AMD64"): ("win_amd64",),
    ("windows", "ARM64"): ("win_arm64",),
}
MAX_BYTES = 3_000_000
WHEEL_SUFFIXES = {".py", ".pyi", ".pxd", ".h", ".so", ".pyd", ".typed"}
WHEEL_FILES = (
    "fastnet/__init__.py",
    "fastnet/__init__.pyi",
    "fastnet/__init__.pxd",
    "fastnet/py.typed",
    "fastnet/_header.pxd",
    "fastnet/_kernels/simd.h",
    "fastnet/_kernels/table.pxd",
    "fastnet/_kernels/dispatch.pxd",
    "fastnet/capi.pxd",
    "fastnet/include/fastnet.h",
)
EXTENSIONS = (
    "fastnet/_cython",
    "fastnet/capi",
    "fastnet/_kernels/dispatch",
    "fastnet/_kernels/probe",
    "fastnet/neat/population",
    "fastnet/neat/tasks/xor",
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
    "fastnet/include/fastnet.h",
    "fastnet/nn/network.pyx",
    "fastnet/nn/network.pyi",
    "fastnet/py.typed",
    "examples/digits.py",
    "docs/conf.py",
    "docs/index.md",
    "examples/evolve_xor.py",
    "benchmarks/__init__.py",
    "tests/conftest.py",
    "tests/data/seed_cases.json",
)
GENERATED = {".o", ".so", ".pyd", ".pyc"}
GENERATED_FOLDERS = ("build/", "docs/_build/", "docs/_pictures/")


def identifiers(platform, architecture):
    """What cibuildwheel should build for a platform and architecture: ``cp311-win_amd64`` ..."""
    endings = PLATFORMS[platform, architecture]
    return [f"{python}-{ending}" for python in PYTHONS for ending in endings]


def identifier(wheel):
    """cibuildwheel's identifier of a wheel's file name, and the version it is of."""
    _, version, _, abi, tags = wheel.removesuffix(".whl").rsplit("-", 4)
    # manylinux_2_27_x86_64.manylinux_2_28_x86_64, macosx_11_0_arm64, win_amd64
    first = tags.split(".")[0]
    return f"{abi}-{re.sub('_[0-9]+_[0-9]+_', '_', first)}", version


def instruction_sets(tags):
    """Those that a wheel of these platform tags must have kernels for."""
    if tags.endswith(("x86_64", "amd64")):
        return ("scalar", "baseline", "avx2", "avx512")
    if tags.endswith(("aarch64", "arm64")):
        return ("scalar", "baseline")
    return ("scalar",)


def check_wheel(names, size, tags):
    """Complaints about a wheel of these files, this size and these platform tags."""
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
    kernels = [
        f"fastnet/_kernels/{isa}_{dtype}"
        for isa in instruction_sets(tags)
        for dtype in ("float32", "float64")
    ]
    for name in (*EXTENSIONS, *kernels):
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
        path = PurePosixPath(name)
        # fastnet has no source in C of its own; examples and tests have
        is_translated = path.suffix in {".c", ".cpp"} and (
            path.parts[0] == "fastnet" or str(path.with_suffix(".pyx")) in names)
        if path.suffix in GENERATED or is_translated or name.startswith(GENERATED_FOLDERS):
            yield f"{name} is generated"


def check_release(paths):
    """Complaints about what is missing of a release, or too much."""
    wheels = [name for name in map(os.path.basename, paths) if name.endswith(".whl")]
    sdists = [name for name in map(os.path.basename, paths) if name.endswith(".tar.gz")]
    if len(sdists) != 1:
        yield f"{len(sdists)} source distributions instead of one"
    found = [identifier(name) for name in wheels]
    versions = {version for _, version in found}
    versions |= {name.removesuffix(".tar.gz").rsplit("-", 1)[1] for name in sdists}
    if len(versions) > 1:
        yield f"more than one version: {', '.join(sorted(versions))}"
    built = {name for name, _ in found}
    wanted = {name for target in PLATFORMS for name in identifiers(*target)}
    for name in sorted(wanted - built):
        yield f"no wheel for {name}"
    for name in sorted(built - wanted):
        yield f"a wheel for {name}, which nobody asked for"


def complaints_about(path):
    """Number of files in a wheel or source distribution, and complaints about them."""
    size = os.path.getsize(path)
    if path.endswith(".whl"):
        with zipfile.ZipFile(path) as wheel:
            names = [name for name in wheel.namelist() if not name.endswith("/")]
        tags = path.removesuffix(".whl").rsplit("-", 1)[1]
        return len(names), list(check_wheel(names, size, tags))
    if path.endswith(".tar.gz"):
        with tarfile.open(path) as sdist:
            members = [member for member in sdist.getmembers() if member.isfile()]
        names = [member.name.split("/", 1)[1] for member in members]
        return len(names), list(check_sdist(names))
    return 0, ["neither a .whl nor a .tar.gz"]


def main(arguments):
    release = "--release" in arguments
    paths = [path for path in arguments if path != "--release"]
    if not paths:
        sys.exit(__doc__)
    failed = False
    for path in paths:
        n_files, complaints = complaints_about(path)
        print(f"{path}: {n_files} files, {os.path.getsize(path) / 1e6:.2f} MB")
        for complaint in complaints:
            print(f"  {complaint}")
        failed |= bool(complaints)
    if release:
        complaints = list(check_release(paths))
        print(f"release: {len(paths)} files")
        for complaint in complaints:
            print(f"  {complaint}")
        failed |= bool(complaints)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
