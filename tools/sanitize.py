"""Run the tests under sanitizers: ``python tools/sanitize.py address|thread [pytest arguments]``

``address`` is AddressSanitizer with UndefinedBehaviorSanitizer, over the whole suite; ``thread``
is ThreadSanitizer, over the tests that start threads.  The extension modules are built anew in a
temporary folder, so the tree and its build stay as they are.

It takes gcc on Linux with its sanitizer libraries, and an interpreter that has what the build and
the tests need (``pip install -e '.[dev]' --no-build-isolation``).  The interpreter itself need not
be built with the sanitizer: its library is loaded in front of it, and sees every lock, allocation
and copy, but of plain reads and writes only those of fastnet.  Where a free-threaded interpreter
built with ThreadSanitizer exists, run the tool with that.

Any report makes the exit status 1, also one from a process that a test started.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FLAGS = {"address": "address,undefined", "thread": "thread"}
LIBRARIES = {"address": ("libasan.so", "libubsan.so"), "thread": ("libtsan.so",)}
OPTIONS = {
    # CPython keeps what lives as long as the process, which would count as leaks.  Tests ask for
    # absurd sizes and expect MemoryError.  Use after return would move variables to where gcc
    # before 14 gives vectors of 64 bytes too little alignment.
    "address": {
        "ASAN_OPTIONS": (
            "detect_leaks=0:allocator_may_return_null=1:detect_stack_use_after_return=0"
        ),
        "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1",
    },
    "thread": {
        "TSAN_OPTIONS": (
            "halt_on_error=0:second_deadlock_stack=1:report_signal_unsafe=0:"
            "allocator_may_return_null=1"
        )
    },
}


# What is said of an absurd size, for which there is MemoryError
REFUSED = r"==\d+==WARNING: AddressSanitizer failed to allocate 0x[0-9a-f]+ bytes\n"


def tests_with_threads(tree):
    """Test files that start threads or ask for them."""
    found = []
    for path in sorted((tree / "tests").rglob("test_*.py")):
        if re.search("import threading|concurrent.futures|n_threads", path.read_text("utf-8")):
            found.append(str(path.relative_to(tree)))
    return found


def copy_tree(destination):
    """What git knows or would know of the tree; without git all but what was built."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, check=False,
    )
    if listing.returncode:
        ignored = shutil.ignore_patterns("build", "dist", "*.so", "*.egg-info", ".*", "__pycache__")
        shutil.copytree(ROOT, destination, ignore=ignored)
        return
    for name in filter(None, listing.stdout.decode().split("\0")):
        if (ROOT / name).is_file():
            (destination / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, destination / name)


def preloaded(kind, compiler):
    """Paths of the sanitizer's libraries, which must be in the process before Python is."""
    paths = []
    for name in LIBRARIES[kind]:
        command = [*compiler, f"-print-file-name={name}"]
        path = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
        if not os.path.isabs(path):
            sys.exit(f"{' '.join(compiler)} has no {name}: gcc with its sanitizers is needed")
        paths.append(path)
    return paths


def without_random_addresses():
    """A prefix for commands: ThreadSanitizer knows only the usual layout of memory."""
    setarch = shutil.which("setarch")
    if setarch is None:
        return []
    prefix = [setarch, os.uname().machine, "-R"]
    works = subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode == 0
    return prefix if works else []


def main(arguments=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("kind", choices=sorted(FLAGS))
    parser.add_argument("pytest", nargs=argparse.REMAINDER, help="passed to pytest")
    chosen = parser.parse_args(arguments)
    if not sys.platform.startswith("linux"):
        sys.exit("the sanitizers' libraries are loaded with LD_PRELOAD: this needs Linux")

    kind = chosen.kind
    compiler = (os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc").split()
    libraries = preloaded(kind, compiler)
    clean = {name: value for name, value in os.environ.items() if not name.startswith("FASTNET_")}
    with tempfile.TemporaryDirectory(prefix="fastnet-sanitize.") as folder:
        tree, logs = Path(folder, "tree"), Path(folder, "logs")
        logs.mkdir()
        copy_tree(tree)
        print(f"building with -fsanitize={FLAGS[kind]}", flush=True)
        build = subprocess.run(
            [sys.executable, "setup.py", "egg_info", "build_ext", "--inplace"],
            cwd=tree, env={**clean, "FASTNET_SANITIZE": FLAGS[kind]}, check=False,
            capture_output=True, text=True,
        )
        if build.returncode:
            sys.exit(f"{build.stdout[-4000:]}{build.stderr[-8000:]}\nthe build failed")

        environment = {**clean, "LD_PRELOAD": " ".join(libraries), "PYTHONMALLOC": "malloc"}
        environment["PYTHONPATH"] = str(tree)       # for what the tests start
        # for what the tests compile, by a compiler without the sanitizer in itself
        environment["CFLAGS"] = f"-g1 -fno-omit-frame-pointer -fsanitize={FLAGS[kind]}"
        environment["CC"] = f"env -u LD_PRELOAD {' '.join(compiler)}"
        environment["OPENBLAS_NUM_THREADS"] = "1"   # NumPy's own threads take locks of their own
        for name, options in OPTIONS[kind].items():
            # In files, because pytest holds back what a dying process wrote
            log = f"log_path={logs / name.split('_')[0].lower()}"
            user_options = os.environ.get(name)
            environment[name] = ":".join(filter(None, [options, log, user_options]))
        if "FASTNET_ISA" in os.environ:
            environment["FASTNET_ISA"] = os.environ["FASTNET_ISA"]
        tests = chosen.pytest or (tests_with_threads(tree) if kind == "thread" else [])
        prefix = without_random_addresses() if kind == "thread" else []
        command = [*prefix, sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests]
        print(" ".join(command), flush=True)
        status = subprocess.run(command, cwd=tree, env=environment, check=False).returncode

        reports = {path.name: path.read_text(errors="replace") for path in sorted(logs.iterdir())}
        reports = {name: text for name, text in reports.items() if re.sub(REFUSED, "", text)}
        for name, text in reports.items():
            print(f"\n{name}\n{text}")
        print(f"{len(reports)} processes with reports; pytest's exit status was {status}")
        return int(bool(reports) or status != 0)


if __name__ == "__main__":
    sys.exit(main())
