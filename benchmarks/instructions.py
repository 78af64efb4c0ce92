"""Instructions that fastnet executes, compared with recorded figures.

    python -m benchmarks.instructions              # exit status 1 where one is off by over 3 %
    python -m benchmarks.instructions --update     # records what is counted now

Times on a shared machine differ by tens of percent from run to run, numbers of instructions do
not: a function that is no longer inlined or a loop that is no longer vectorized shows at once.
callgrind of valgrind counts n repetitions and then 2 n, and the difference over n is what one
costs.  It runs on the AVX2 kernels, because valgrind knows no AVX-512.

Counts depend on the compiler, and those of calls from Python also on the interpreter and on NumPy.
Figures are kept for each of them in ``results/instructions.json``; where there are none, there is
nothing to compare with, which is said and is no failure (``--require`` makes it one).
"""

import argparse
import ctypes
import gc
import json
import mmap
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

import fastnet as fn
from benchmarks.fastnet_adapter import Fastnet
from benchmarks.jobs import Job

RESULTS = Path(__file__).parent / "results" / "instructions.json"
TOLERANCE = 0.03
COUNTED = "--counted-process"

# Training steps: job and epochs
STEPS = {
    "training step, 2-8-1, batch 4": (
        Job((2, 8, 1), "tanh", batch_size=4, n_rows=512), 8),
    "training step, 64-64-10 softmax, batch 32": (
        Job((64, 64, 10), "relu", "softmax", batch_size=32, n_rows=512), 2),
    "training step, 784-128-10 softmax, batch 128": (
        Job((784, 128, 10), "relu", "softmax", batch_size=128, n_rows=512), 1),
}  # fmt: skip
CALL = Job((8, 32, 4), "tanh")


class Entry:
    """Something to count: ``run(n)`` does it n times a unit; ``called`` if Python's part counts."""

    def __init__(self, run, n, unit=1, called=False):
        self.run, self.n, self.unit, self.called = run, n, unit, called


def entries(folder):
    """What is counted, by name; files go to folder."""
    found = {}
    for name, (job, epochs) in STEPS.items():
        contender = Fastnet(job)
        found[name] = Entry(train(contender), epochs, unit=job.n_batches)
    contender = Fastnet(CALL)
    row = contender.x[0]
    found["net(x), one row, 8-32-4"] = Entry(
        lambda n: contender.one_row(row, n), 200, called=True
    )
    found["predict(x, out=), one row, 8-32-4"] = Entry(
        lambda n: contender.one_row_out(row, n), 200, called=True
    )
    path = str(Path(folder, "small.fastnet"))
    contender.net.save(path)

    def load(n):
        for _ in range(n):
            fn.load(path)

    found["load, 8-32-4"] = Entry(load, 10, called=True)
    return found


def train(contender):
    # In order: a permutation costs instructions that are not the step's
    return lambda n: contender.fit(contender.x, contender.y, n, shuffle=False, seed=0)


def client_request():
    """A function of (code, text) that speaks to the valgrind this process runs under.

    valgrind knows a request by four rotations of rdi that leave it as it was and an exchange of rbx
    with itself; rax points to the code and five arguments, and rdx holds and receives the answer.
    """
    machine_code = bytes.fromhex(
        "4889f8"        # mov rax, rdi: the array of code and arguments
        "4831d2"        # xor rdx, rdx
        "48c1c703"      # rol rdi, 3
        "48c1c70d"      # rol rdi, 13
        "48c1c73d"      # rol rdi, 61
        "48c1c733"      # rol rdi, 51
        "4887db"        # xchg rbx, rbx
        "4889d0"        # mov rax, rdx
        "c3"            # ret
    )  # fmt: skip
    memory = mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    memory.write(machine_code)
    address = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    function = ctypes.CFUNCTYPE(ctypes.c_uint64, ctypes.c_void_p)(address)
    base = ord("C") << 24 | ord("T") << 16

    def request(code, text=None):
        buffer = ctypes.create_string_buffer((text or "").encode())
        arguments = (ctypes.c_uint64 * 6)(base + code, ctypes.addressof(buffer) if text else 0)
        # memory is named so that it lives as long as the function
        return function(ctypes.addressof(arguments)) if memory else 0

    return request


# Of callgrind.h
ZERO_STATS, DUMP_STATS_AT, START_INSTRUMENTATION = 1, 3, 4


def counted_process():
    """What runs under callgrind: every entry once to warm up, then n and 2 n times."""
    request = client_request()
    with tempfile.TemporaryDirectory() as folder:
        found = entries(folder)
        gc.collect()
        gc.disable()
        for entry in found.values():
            entry.run(entry.n)
        request(START_INSTRUMENTATION)
        for name, entry in found.items():
            for times in (1, 2):
                request(ZERO_STATS)
                entry.run(times * entry.n)
                request(DUMP_STATS_AT, f"{times} {name}")
    shape = {name: [entry.n, entry.unit, entry.called] for name, entry in found.items()}
    print(json.dumps(shape))


def count():
    """Instructions of one repetition of each entry, and which of them are calls."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {
            **os.environ,
            "FASTNET_ISA": "avx2",
            "PYTHONHASHSEED": "0",
            "OPENBLAS_NUM_THREADS": "1",
        }
        command = [
            "valgrind", "--tool=callgrind", "--instr-atstart=no", "--quiet",
            f"--callgrind-out-file={folder}/out", "--smc-check=all-non-file",
            sys.executable, "-m", "benchmarks.instructions", COUNTED,
        ]  # fmt: skip
        run = subprocess.run(
            command, env=environment, capture_output=True, text=True, check=False
        )
        if run.returncode:
            sys.exit(f"valgrind failed:\n{run.stderr}")
        shape = json.loads(run.stdout)
        totals = {}
        for path in Path(folder).iterdir():
            text = path.read_text()
            name = re.search(r"^desc: Trigger: Client Request: (.*)$", text, re.M)
            total = re.search(r"^(?:totals|summary): (\d+)", text, re.M)
            if name and total:
                totals[name[1]] = int(total[1])
    counts = {}
    for name, (n, unit, _) in shape.items():
        counts[name] = round((totals[f"2 {name}"] - totals[f"1 {name}"]) / (n * unit))
    return counts, {name for name, (_, _, called) in shape.items() if called}


def compiler():
    """Name and major version of the compiler that built the AVX2 kernels, from the file."""
    from fastnet._kernels import avx2_float32

    content = Path(avx2_float32.__file__).read_bytes()
    for name, pattern in (("clang", rb"clang version (\d+)"), ("gcc", rb"GCC: \([^)]*\) (\d+)")):
        found = re.search(pattern, content)
        if found:
            return f"{name} {found[1].decode()}"
    return "unknown compiler"


def keys():
    """What figures are recorded under: of steps, and of calls from Python."""
    built = compiler()
    numpy = ".".join(np.__version__.split(".")[:2])
    return built, f"{built}, Python {sys.version_info[0]}.{sys.version_info[1]}, NumPy {numpy}"


def compare(counts, recorded):
    """Lines of a table, and the names of entries that are off by more than the tolerance.

    Parameters
    ----------
    counts, recorded : dict
        Instructions by entry; ``recorded`` need not have all.

    Returns
    -------
    lines : list of str
    worse, better, new : list of str
        Entries with more instructions, with fewer, and without a figure.
    """
    lines, worse, better, new = [], [], [], []
    width = max(map(len, counts), default=0)
    for name, value in counts.items():
        before = recorded.get(name)
        if before is None:
            new.append(name)
            lines.append(f"{name:{width}}  {value:>11,}")
            continue
        change = value / before - 1
        if change > TOLERANCE:
            worse.append(name)
        elif change < -TOLERANCE:
            better.append(name)
        mark = "  <--" if abs(change) > TOLERANCE else ""
        lines.append(f"{name:{width}}  {value:>11,}  {before:>11,}  {change:+7.1%}{mark}")
    return lines, worse, better, new


def unavailable():
    """Why nothing can be counted here, or None."""
    from fastnet._kernels import dispatch

    if shutil.which("valgrind") is None:
        return "valgrind is not installed"
    if "avx2" not in dispatch.supported():
        return "this processor or build has no AVX2"
    return None


def main(arguments=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--update", action="store_true", help="record what is counted")
    parser.add_argument(
        "--require", action="store_true", help="fail where there is nothing to compare with"
    )
    chosen = parser.parse_args(arguments)
    reason = unavailable()
    if reason:
        print(f"nothing counted: {reason}")
        return int(chosen.require)

    counts, called = count()
    compiled_key, called_key = keys()
    recorded = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    known = {**recorded.get(compiled_key, {}), **recorded.get(called_key, {})}
    lines, worse, better, new = compare(counts, known)
    print(f"Instructions, {called_key}: counted, recorded, change")
    print(*lines, sep="\n")
    if chosen.update:
        for key, names in ((compiled_key, counts.keys() - called), (called_key, called)):
            recorded[key] = {name: counts[name] for name in counts if name in names}
        RESULTS.write_text(json.dumps(recorded, indent=2, sort_keys=True) + "\n")
        print(f"recorded in {RESULTS}")
        return 0
    if worse:
        print(f"{len(worse)} of {len(counts)} are more than {TOLERANCE:.0%} above what is recorded")
    if better:
        print(f"{len(better)} of {len(counts)} are more than {TOLERANCE:.0%} below: run --update")
    if new:
        print(f"no figures to compare with for {', '.join(new)} ({called_key}): run --update")
    return int(bool(worse or better) or (chosen.require and bool(new)))


if __name__ == "__main__":
    sys.exit(counted_process() if COUNTED in sys.argv else main())
