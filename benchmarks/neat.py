"""NEAT beside neat-python 2.0.0, one thread each.

    python -m benchmarks.neat                           # some minutes
    python -m benchmarks.neat --rows XOR activate       # workloads with these words in their names
    python -m benchmarks.neat --quick                   # fewer turns, no large population
    python -m benchmarks.neat --list

Genomes are grown by neat-python's own mutations from a seed and translated, so that both evaluate
the same networks; where their outputs differ by more than rounding explains, nothing of the peer is
timed.  Times are medians; scaled ones hold for a processor that does 240 GFLOP/s of fused
multiply-adds, by the speed measured before each turn.  What would take neat-python longer than a
minute a turn is estimated from a smaller population, and not run.
"""

import argparse
import importlib.metadata
import statistics
import sys
from pathlib import Path

import fastnet
from benchmarks import neat_rows as rows
from benchmarks import peers, report, timing
from benchmarks.dense_rows import Context
from benchmarks.neat_networks import Shape

DEFAULT_RESULTS = Path(__file__).parent / "results" / "neat.json"
PEER_VERSION = "2.0.0"

# Enabled connections on nodes that compute: 5 on 3, 50 on 14, 500 on 165
NETWORKS = {5: Shape(2, 1, 2, 5), 50: Shape(8, 2, 12, 50), 500: Shape(20, 5, 160, 500)}
# All connection genes of a genome
GENOMES = {
    10: Shape(3, 1, 2, 10),
    17: Shape(4, 1, 4, 17),
    25: Shape(6, 2, 5, 25),
    55: Shape(8, 2, 12, 55),
    100: Shape(8, 2, 30, 100),
    1000: Shape(20, 5, 300, 1000),
}
POPULATIONS = (150, 1000, 10_000)

#: {connections: (ns, times the speed of neat-python)}
ACTIVATION = {5: (120, 20), 50: (280, 40), 500: (1900, 50)}
#: {connections: us}
CREATION = {5: None, 50: None, 500: 12}
#: ns a connection
CHILD = 1
#: {dtype: 1e9 connections a second}
MANY_ROWS = {"float64": 12, "float32": 25}
#: {genes: ms}, 10,000 genomes
GENERATION = {17: 8, 55: 25}


def workloads(quick=False, smoke=False):
    """{name: function of the context that returns the row}, in the order of the table."""
    table = {}

    def add(kind, name, *arguments, **options):
        table[name] = lambda context: kind(context, name, *arguments, **options)

    add(rows.xor, "XOR generation, 150 genomes", in_python=False, limit=0.1, least=60)
    add(rows.xor, "XOR generation, 150 genomes, fitness in Python", in_python=True, least=15)
    for n, limit in CREATION.items():
        add(rows.creation, f"build a network of {n} connections", NETWORKS[n], limit)
    add(rows.child, "network of a child of the same structure, 500 connections",
        (NETWORKS[50], NETWORKS[500]), CHILD)
    for n, (limit, least) in ACTIVATION.items():
        add(rows.activation, f"activate, {n} connections", NETWORKS[n], limit, least)
    for n in (50, 500):
        for dtype, least in MANY_ROWS.items():
            name = f"2,048 rows, relu, {n} connections, {dtype}"
            add(rows.many_rows, name, NETWORKS[n], dtype, least)
    generations = rows.Generations()
    for part, limit in (("reproduction", None), ("speciation", None), ("both", 2)):
        name = "reproduction + speciation" if part == "both" else part
        add(generations, f"{name}, 1,000 genomes of 25 genes", 1000, GENOMES[25], part, limit)
    size = 300 if quick else 10_000
    for n, limit in GENERATION.items():
        name = f"generation without the task, {size:,} genomes of {n} genes"
        add(generations, name, size, GENOMES[n], limit=None if quick else limit)
    for size in POPULATIONS[: 1 if quick else None]:
        for n in (10, 100) if smoke else (10, 100, 1000):
            name = f"generation without the task, {size:,} genomes of {n:,} genes"
            add(generations, name, size, GENOMES[n])
    return table


def versions():
    """{package: version}."""
    found = {}
    for name in ("fastnet", rows.PEER):
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "built in place"  # and not installed
    return found


def arguments():
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.neat",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--rows", nargs="+", default=[""], metavar="WORD",
                        help="workloads whose name has one of these in it")  # fmt: skip
    parser.add_argument("--quick", action="store_true", help="3 turns, small populations only")
    parser.add_argument("--repeats", type=int, help="turns that count (9)")
    parser.add_argument("--seconds", type=float, default=0.03, help="length of a turn (0.03)")
    parser.add_argument("--json", type=Path, help=f"results, by default {DEFAULT_RESULTS} "
                        "where all rows were run in full")  # fmt: skip
    parser.add_argument("--list", action="store_true", help="the workloads, and end")
    parser.add_argument("--smoke", action="store_true",
                        help="only whether it runs: one short turn, small populations")  # fmt: skip
    return parser


def main(argv=None):
    parser = arguments()
    options = parser.parse_args(argv)
    quick = options.quick or options.smoke
    table = {
        name: run
        for name, run in workloads(quick, options.smoke).items()
        if any(word.lower() in name.lower() for word in options.rows)
    }
    if options.list:
        print("\n".join(table))
        return 0
    if not table:
        parser.error(f"--rows: none has {' or '.join(options.rows)} in its name; see --list")
    found, missing = peers.load([rows.PEER], peers.NEAT_PEERS)
    if missing:
        parser.error(f"the networks are grown by it: pip install {rows.PEER}=={PEER_VERSION}")
    repeats = options.repeats or (3 if quick else 9)
    if options.smoke:
        repeats, options.seconds = 1, 1e-4
    timing.pin_to_one_processor()
    context = Context(found, repeats, options.seconds, options.smoke, quick=quick)
    named = versions()
    print(f"{report.machine()}; {fastnet.isa()}; "
          + ", ".join(f"{name} {version}" for name, version in named.items()))  # fmt: skip
    if named[rows.PEER] != PEER_VERSION:
        print(f"the requirements are about {rows.PEER} {PEER_VERSION}")
    print(report.HEADER, flush=True)
    results = []
    for run in table.values():
        results.append(run(context))
        print(report.text(results[-1]), flush=True)
    peak = statistics.median(context.peaks) if context.peaks else None
    met = [requirement.met for row in results for requirement in row.requirements]
    print(f"\n{sum(met)} of {len(met)} requirements met" +
          (f"; FMA peak {peak:.0f} GFLOP/s, times scaled to {timing.REFERENCE_PEAK:.0f}"
           if peak else ""))  # fmt: skip
    path = options.json
    if path is None and options.rows == [""] and not quick:
        path = DEFAULT_RESULTS
    if path is not None:
        report.write_json(path, results, fastnet.isa(), peak, named)
        print(f"written to {path}")
    for line in context.wrong:
        print(f"WRONG NUMBERS: {line}", file=sys.stderr)
    return 1 if context.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
