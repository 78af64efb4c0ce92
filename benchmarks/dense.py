"""Dense networks beside NumPy, PyTorch, JAX, scikit-learn and ONNX Runtime, one thread each.

    python -m benchmarks.dense                          # the main table; some minutes
    python -m benchmarks.dense --all                    # and sweeps of sizes, accuracy, memory,
                                                        # threads, C functions; a quarter of an hour
    python -m benchmarks.dense --rows train predict     # workloads with these words in their names
    python -m benchmarks.dense --peers numpy torch      # beside these only
    python -m benchmarks.dense --all --quick            # fewer turns, sizes and seeds
    python -m benchmarks.dense --list

All contenders start from the same parameters and data, and what they compute is compared with
float64 before anything is timed.  Times are medians; scaled ones hold for a processor that does
240 GFLOP/s of fused multiply-adds, by the speed measured before each turn.
"""

import argparse
import importlib.metadata
import json
import os
import statistics
import sys
from pathlib import Path

import fastnet
from benchmarks import accuracy, c_functions, footprint, peers, report, sweeps, threads, timing
from benchmarks import dense_rows as rows
from benchmarks.jobs import Job

DEFAULT_RESULTS = Path(__file__).parent / "results" / "dense.json"

XS = Job((2, 8, 1), "tanh", batch_size=4)
CONTROL = Job((4, 64, 64, 2), "relu", batch_size=32)
DIGITS = Job((64, 64, 10), "relu", "softmax", batch_size=32)
IMAGES = Job((784, 128, 10), "relu", "softmax", batch_size=128)
WIDE = Job((784, 512, 512, 10), "relu", "softmax", batch_size=256, n_rows=2048)
SIMPLE_CHAINS = Job((4, 32, 16, 4), "tanh", n_rows=10_000)
GRADIENT = Job((24, 8, 2), "tanh", n_rows=200, dtype="float64")
SCALAR = Job((8, 32, 1), "tanh")

STEPS = {"2-8-1": XS, "784-128-10": IMAGES, "784-512-512-10": WIDE}


def workloads():
    """{name: function of the context that returns the row}, in the order of the table."""
    table = {}

    def add(kind, name, *arguments, **options):
        table[name] = lambda context: kind(context, name, *arguments, **options)

    add(rows.training, "train 2-8-1 tanh, batch 4", XS, (0.25, "us", False), eager=300, scan=6)
    add(rows.training, "train 4-64-64-2 relu, batch 32", CONTROL, (8.5, "us", False), eager=22,
        scan=2)  # fmt: skip
    add(rows.training, "train 64-64-10 relu softmax, batch 32", DIGITS, (8.5, "us", False),
        eager=18, scan=1.6)  # fmt: skip
    add(rows.training, "train 784-128-10, batch 128", IMAGES, eager=2.0, best=1.15, share=58)
    add(rows.training, "train 784-512-512-10, batch 256", WIDE, eager=1.2, best=1.15, share=65)
    add(rows.training, "train 4-32-16-4 tanh, 10,000 rows", SIMPLE_CHAINS, (66, "ns", True))
    add(rows.gradient, "gradient 24-8-2 tanh float64, 200 rows", GRADIENT, 5.5)
    add(rows.one_row, "one row 8-32-1 tanh", SCALAR, best=12)
    add(rows.one_row, "one row 4-64-64-2 relu", CONTROL, best=12)
    for job in (SCALAR, CONTROL, IMAGES, WIDE):
        for n_rows in (32, 256, 4096):
            best = 2.0 if n_rows == 32 and job in (SCALAR, CONTROL) else 1.0
            add(rows.prediction, f"predict {job.name}, {n_rows:,} rows", job, n_rows, best=best)
    add(rows.one_row_in_c, "C, one row 8-32-1 tanh", SCALAR, 45, "ns")
    add(rows.one_row_in_c, "C, one row 4-64-64-2 relu", CONTROL, 95, "ns")
    add(rows.one_row_in_c, "C, one row 784-128-10", IMAGES, 2.7, "us")
    add(rows.instruction_sets, "FASTNET_ISA=avx2, training steps", STEPS,
        {"784-128-10": 0.60, "784-512-512-10": 0.60, "2-8-1": 0.95})  # fmt: skip
    add(rows.width_sweep, "train 10-w-w-10 relu, batch 128, w = 30..70")
    add(rows.digits, "digits to 97 % test accuracy")
    add(rows.import_time, "import beyond NumPy")
    add(rows.wheel_size, "wheel")
    return table


def further_workloads(quick=False):
    """The same for those of ``--all``."""
    table = {}

    def add(kind, name, *arguments):
        table[name] = lambda context: kind(context, name, *arguments)

    runs = sweeps.Runs()
    for sweep, jobs in sweeps.SWEEPS.items():
        for value in sweeps.points(sweep, quick):
            add(runs, sweeps.name_of(sweep, value), jobs[value])
    for name, task in accuracy.TASKS.items():
        add(accuracy.run, f"accuracy: {name}", task)
    add(threads.run, f"threads: {threads.WIDE.name}, batch {threads.WIDE.batch_size:,}")
    for network in footprint.NETWORKS:
        add(footprint.memory, f"memory: {network}", network)
    add(footprint.disk, "installed size")
    add(c_functions.summary, "functions in C beside built-in ones")
    return table


PACKAGES = {"fastnet": "fastnet", "numpy": "numpy", "torch": "torch", "jax": "jax",
            "sklearn": "scikit-learn", "onnx": "onnxruntime"}  # fmt: skip


def version(name):
    try:
        return importlib.metadata.version(PACKAGES[name])
    except importlib.metadata.PackageNotFoundError:
        return "built in place"  # and not installed


def processors_of_this_process():
    """Numbers of the processors that it may use."""
    if hasattr(os, "sched_getaffinity"):
        return tuple(sorted(os.sched_getaffinity(0)))
    return tuple(range(os.cpu_count() or 1))


def arguments():
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.dense",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--rows", nargs="+", default=[""], metavar="WORD",
                        help="workloads, of all, whose name has one of these in it")  # fmt: skip
    parser.add_argument("--all", action="store_true", help="also sweeps, accuracy, threads, "
                        "memory, disk space, C functions")  # fmt: skip
    parser.add_argument("--quick", action="store_true",
                        help="3 turns, fewer sizes and seeds, nothing compiled by PyTorch "
                        "in the sweeps")  # fmt: skip
    parser.add_argument("--peers", nargs="*", choices=peers.PEERS, default=list(peers.PEERS),
                        help="beside these, where installed")  # fmt: skip
    parser.add_argument("--repeats", type=int, help="turns that count (9)")
    parser.add_argument("--seconds", type=float, default=0.03, help="length of a turn (0.03)")
    parser.add_argument("--json", type=Path, help=f"results, by default {DEFAULT_RESULTS} "
                        "with --all alone")  # fmt: skip
    parser.add_argument("--wheel", type=Path, help="the wheel whose size is reported")
    parser.add_argument("--list", action="store_true", help="the workloads, and end")
    parser.add_argument("--smoke", action="store_true",
                        help="only whether it runs: one short turn, beside NumPy")  # fmt: skip
    parser.add_argument("--steps", action="store_true", help=argparse.SUPPRESS)
    return parser


def main(argv=None):
    parser = arguments()
    options = parser.parse_args(argv)
    selects = options.rows != [""]
    table = workloads()
    if options.all or selects:
        table |= further_workloads(options.quick)
    table = {
        name: run
        for name, run in table.items()
        if any(word.lower() in name.lower() for word in options.rows)
    }
    if options.repeats is None:
        options.repeats = 3 if options.quick else 9
    if options.list:
        print("\n".join(table))
        return 0
    if not table:
        parser.error(f"--rows: none has {' or '.join(options.rows)} in its name; see --list")
    if options.wheel is not None and not options.wheel.is_file():
        parser.error(f"--wheel: {options.wheel} is no file")
    processors = processors_of_this_process()
    timing.pin_to_one_processor()
    if options.steps:
        print(json.dumps(rows.step_seconds(STEPS, options.repeats, options.seconds)))
        return 0
    if options.smoke:
        options.repeats, options.seconds, options.peers = 1, 1e-4, ["numpy"]
    found, missing = peers.load(options.peers)
    context = rows.Context(found, options.repeats, options.seconds, options.smoke, options.wheel,
                           options.quick, processors)  # fmt: skip
    print(f"{report.machine()}; fastnet {version('fastnet')}, {fastnet.isa()}")
    if missing:
        print(f"not installed: {', '.join(missing)}")
    print(report.HEADER, flush=True)
    results = []
    for run in table.values():
        results.append(run(context))
        print(report.text(results[-1]), flush=True)
    swept = sweeps.tables(results)
    if swept:
        print(f"\n{swept}")
    peak = statistics.median(context.peaks) if context.peaks else None
    met = [requirement.met for row in results for requirement in row.requirements]
    print(f"\n{sum(met)} of {len(met)} requirements met" +
          (f"; FMA peak {peak:.0f} GFLOP/s, times scaled to {timing.REFERENCE_PEAK:.0f}"
           if peak else ""))  # fmt: skip
    path = options.json
    if path is None and options.all and not (selects or options.smoke or options.quick):
        path = DEFAULT_RESULTS
    if path is not None:
        report.write_json(
            path,
            results,
            fastnet.isa(),
            peak,
            {name: version(name) for name in ("fastnet", *found)},
        )
        print(f"written to {path}")
    for line in context.wrong:
        print(f"WRONG NUMBERS: {line}", file=sys.stderr)
    return 1 if context.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
