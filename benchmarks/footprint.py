"""Memory that a training takes, and disk space that an installation takes."""

import argparse
import contextlib
import ctypes
import gc
import importlib.metadata
import importlib.util
import json
import math
import re
import statistics
import subprocess
import sys
import zipfile
from pathlib import Path

from benchmarks import noise, peers
from benchmarks.jobs import Job
from benchmarks.report import Figure, Row

DIGITS = Job((64, 64, 10), "relu", "softmax", batch_size=32)
WIDE = Job((784, 512, 512, 10), "relu", "softmax", batch_size=256, n_rows=2048)
NETWORKS = {"64-64-10": DIGITS, "784-512-512-10": WIDE}
TINY = Job((2, 4, 3), "relu", "softmax", batch_size=8, n_rows=64)
EPOCHS = 10
#: The way of training of each library
WAYS = {"fastnet": "", "numpy": "", "torch": "fused", "jax": "scan", "sklearn": ""}
#: Distribution of each library; the others are requirements of these.
DISTRIBUTIONS = {"fastnet": "fastnet", "torch": "torch", "jax": "jax", "sklearn": "scikit-learn",
                 "onnx": "onnxruntime"}  # fmt: skip
#: What all of them need; it is not counted.
COMMON = "numpy"
#: Of the files of a package that is built in place
INSTALLED = {".py", ".pyi", ".pxd", ".so", ".pyd", ".h", ".typed"}


# ---- memory --------------------------------------------------------------------------------------


def forget_peak():
    """Let the peak start again from the memory in use, where the system can do that."""
    gc.collect()
    # Free memory that the process keeps would hide what a training takes.
    if sys.platform == "linux" and hasattr(library_of_c := ctypes.CDLL(None), "malloc_trim"):
        library_of_c.malloc_trim(0)
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def peak_memory():
    """Largest resident memory of this process so far, in bytes.

    On Linux from VmHWM: ru_maxrss starts with that of the process that started this one.
    """
    status = Path("/proc/self/status")
    if status.exists():
        return 1024 * int(re.search(r"VmHWM:\s+(\d+) kB", status.read_text()).group(1))
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return unit * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def train(library, network):
    """{"total": peak of this process, "growth": by how much training raised it}, in bytes."""
    job = NETWORKS[network]
    if library == "fastnet":
        from benchmarks.fastnet_adapter import Fastnet as Peer
    else:
        Peer = peers.load([library])[0][library].Peer
    _ = job.data, job.parameters
    # What a library loads at its first training counts in the total and not in the growth.
    Peer(TINY, WAYS[library]).train_step(TINY.n_batches)
    before_reset = peak_memory()
    forget_peak()
    before = peak_memory()
    adapter = Peer(job, WAYS[library])
    adapter.train_step(EPOCHS * job.n_batches)
    after = peak_memory()
    return {"total": max(before_reset, after), "growth": after - before}


def memory(context, workload, network):
    """Trainings in processes of their own, one after the other."""
    libraries = ["fastnet", *(name for name in context.peers if name in WAYS)]
    found = {name: [] for name in libraries}
    notes = []
    for _ in range(1 if context.smoke or context.quick else min(3, context.repeats)):
        for name in libraries:
            command = [sys.executable, "-m", "benchmarks.footprint", name, network]
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode:
                reason = (done.stderr.strip().splitlines() or ["no message"])[-1]
                if name == "fastnet":
                    return Row(workload, math.nan, note=reason, group="footprint")
                notes.append(f"{name} failed: {reason[:100]}")
                continue
            found[name].append(json.loads(done.stdout))
    figures = []
    for key, text in (
        ("growth", f"memory that training {network} adds"),
        ("total", f"memory of a process that trains {network}"),
    ):
        values = {
            name: statistics.median(turn[key] for turn in turns) / 1e6
            for name, turns in found.items()
            if turns
        }
        figures.append(figure(text, values))
    return Row(workload, math.nan, {}, figures=figures, note="; ".join(notes), group="footprint")


def figure(text, values):
    ratio = noise.least_ratio(values)
    return Figure(text, "MB", values, remark=f"{ratio:.3g} x" if math.isfinite(ratio) else "")


# ---- disk space ----------------------------------------------------------------------------------


def requirements(distribution):
    """Names of the distributions that an installed one needs here."""
    for text in distribution.requires or ():
        name, marker = re.match(r"[\w.-]+", text).group(), text.partition(";")[2]
        if "extra" not in marker and (not marker or applies(marker)):
            yield normalized(name)


def applies(marker):
    try:
        from packaging.markers import Marker
    except ImportError:
        return True  # what is not for this system is hardly installed on it
    return Marker(marker).evaluate()


def normalized(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def size_of_files(distribution):
    """Bytes of the files of an installed distribution."""
    paths = (Path(file.locate()) for file in distribution.files or ())
    return sum(path.stat().st_size for path in paths if path.is_file())


def installed_size(name):
    """Bytes of a distribution and of all that it needs beyond NumPy, {name: bytes}."""
    sizes, waiting = {}, [normalized(name)]
    needed_by_all = needed(COMMON)
    while waiting:
        name = waiting.pop()
        if name in sizes or name in needed_by_all:
            continue
        try:
            distribution = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            continue
        sizes[name] = size_of_files(distribution)
        waiting += requirements(distribution)
    return sizes


def needed(name):
    """A distribution and what it needs, all by name."""
    found, waiting = set(), [normalized(name)]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            try:
                waiting += requirements(importlib.metadata.distribution(name))
            except importlib.metadata.PackageNotFoundError:
                continue
    return found


def size_of_fastnet(wheel=None):
    """(bytes, where from): of the files of a wheel, else as installed, else as built in place."""
    if wheel is not None:
        with zipfile.ZipFile(wheel) as archive:
            return sum(entry.file_size for entry in archive.infolist()), "of the wheel"
    try:
        distribution = importlib.metadata.distribution("fastnet")
    except importlib.metadata.PackageNotFoundError:
        distribution = None
    files = (distribution.files or ()) if distribution is not None else ()
    if any(file.suffix in (".so", ".pyd") and file.locate().is_file() for file in files):
        return size_of_files(distribution), "as installed"
    package = Path(importlib.util.find_spec("fastnet").origin).parent
    sizes = (p.stat().st_size for p in package.rglob("*") if p.suffix in INSTALLED)
    return sum(sizes), "as built in place"


def disk(context, workload):
    own, origin = size_of_fastnet(context.wheel)
    values, details = {"fastnet": own / 1e6}, {}
    for name in context.peers:
        if name in DISTRIBUTIONS:
            sizes = installed_size(DISTRIBUTIONS[name])
            values[name] = sum(sizes.values()) / 1e6
            details |= {f"{name}: {part}, MB": size / 1e6 for part, size in sizes.items()}
    return Row(
        workload, math.nan, figures=[figure("installed, with all it needs beyond NumPy", values)],
        note=f"fastnet {origin}", details=details, group="footprint",
    )  # fmt: skip


def main(argv=None):
    """The process in which one library trains one network."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.footprint")
    parser.add_argument("library", choices=WAYS)
    parser.add_argument("network", choices=NETWORKS)
    options = parser.parse_args(argv)
    print(json.dumps(train(options.library, options.network)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
