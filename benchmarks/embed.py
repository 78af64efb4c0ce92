"""Networks called from C, Cython, numba, ctypes and Python, beside exported C and C by hand.

    python -m benchmarks.embed                      # a minute; needs a C compiler, cc or gcc
    python -m benchmarks.embed --rows 8x8 graph     # networks with these words in their names
    python -m benchmarks.embed --quick              # fewer turns
    python -m benchmarks.embed --list

Time of one call with one row: of independent calls, and of those whose outputs are the next one's
inputs.  Steps of a recurrent network are always of the second kind.  All ways to call a network
take turns, after each was seen to compute the same numbers.  Loops in C, Cython and numba read the
clock by themselves; Cython and numba are left out where they are not installed.  Times are medians;
scaled ones hold for a processor that does 240 GFLOP/s of fused multiply-adds, by the speed measured
before each turn.  "fastnet" is a call from C.  "kernel" is the entry of the kernels' table that
the function calls in the end.  Dense networks are float32, evolved ones float64.
"""

import argparse
import ctypes
import dataclasses
import importlib.metadata
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

import fastnet as fn
from benchmarks import embed_code as code
from benchmarks import report, timing
from benchmarks.dense_rows import Context
from benchmarks.embed_code import ROWS
from benchmarks.embed_networks import Dense, Graph
from benchmarks.neat_networks import Shape
from benchmarks.report import Requirement, Row
from benchmarks.timing import Contender
from fastnet import capi

DEFAULT_RESULTS = Path(__file__).parent / "results" / "embed.json"

#: {sizes: (activation, ns of independent calls from C)}
DENSE = {
    (8, 8): ("tanh", 25),
    (32, 32): ("tanh", 50),
    (64, 64): ("tanh", 110),
    (4, 64, 64, 2): ("relu", None),
    (40, 100, 100, 10): ("relu", 750),
}
#: Enabled connections on nodes that compute: 5 on 3, 50 on 14, 500 on 165
GRAPHS = (Shape(2, 1, 2, 5), Shape(8, 2, 12, 50), Shape(20, 5, 160, 500))
#: ns that a call takes longer than one of another kind
BEYOND = (("C", "kernel", 5), ("Cython", "C", 5), ("numba", "C", 5))
#: Such differences are those of many short turns: a few ns are lost in the noise of long ones
SHORT_TURNS, SHORT = 101, 5e-4
#: of the time of a call from C
EXPORTED = {"exported C -O3 native": 1.2, "exported C -O2": 3.0}


class Stopwatch(timing.Stopwatch):
    """With the seconds that a loop measured by itself, where it did."""

    def __call__(self, run, *arguments):
        result, wall, share = super().__call__(run, *arguments)
        return result, result if isinstance(result, float) else wall, share


class Tools:
    """What calls networks: the loops in each language, compiled in a folder.

    ``missing`` lists what could not be had, and why.
    """

    def __init__(self, subjects, folder):
        self.missing = []
        sources = [source for subject in subjects for source in subject.sources]
        self.library = code.c_library(folder, sources)
        self.api = code.api()
        self.cython = self.optional("Cython", code.cython_module, folder)
        self.numba = self.optional("numba", code.numba_loops, self.library)

    def optional(self, name, make, argument):
        try:
            return make(argument)
        except (code.Missing, ImportError, OSError) as error:
            self.missing.append(f"without {name}: {error}")
            return None


# ---- ways to call --------------------------------------------------------------------------------


class Ways:
    """Ways to call a network: ``runs`` is {name: run(n)}.

    All have the same network and arrays, so that nothing but the way differs.
    """

    def __init__(self, tools, subject, kind):
        self.tools, self.subject, self.kind = tools, subject, kind
        self.is_dense = isinstance(subject, Dense)
        self.arrays = subject.arrays(kind)
        self.net = subject.network()
        if self.is_dense:
            self.work = self.net.ctypes.workspace()
        # addresses that a function of fastnet takes before x and y
        self.handles = (self.net.ctypes.address,) + ((self.work.address,) if self.is_dense else ())
        self.states = []
        self.function = "forward" if self.is_dense else "activate"
        loop = f"{self.function}_{kind}"
        self.runs = {"C": self.c_loop(self.function, tools.api, *self.handles)}
        if tools.cython:
            kernel = f"{self.function}_kernel"
            addresses = getattr(tools.cython, kernel)(*self.handles)
            self.runs["kernel"] = self.c_loop(kernel, *addresses)
            objects = (self.net, *self.handles[1:]) if self.is_dense else self.handles
            self.runs["Cython"] = self.looping(getattr(tools.cython, loop), objects)
        if tools.numba:
            self.runs["numba"] = self.looping(tools.numba[loop], self.handles)
        self.runs["ctypes"] = self.by_ctypes()
        self.runs["net(x)"] = self.in_python()
        self.runs["exported C -O3 native"] = self.exported("native")
        self.runs["exported C -O2"] = self.exported("generic")
        self.runs["C by hand -O3 native"] = self.predict(f"by_hand_{subject.identifier}")

    def looping(self, loop, objects):
        return lambda n: loop(n, *self.arrays, *objects)

    def c_loop(self, name, *objects):
        """A run of a loop in C; ``objects``: its f, a, b and c as far as it uses them."""
        loop = code.loop(self.tools.library, f"{name}_{self.kind}")
        arguments = (
            *(array.ctypes.data for array in self.arrays),
            self.subject.n_inputs, self.subject.n_outputs, *objects, *[None] * (4 - len(objects)),
        )  # fmt: skip
        return lambda n: loop(n, *arguments)

    def predict(self, name):
        precision = "f32" if self.is_dense else "f64"
        return self.c_loop(f"predict_{precision}", code.address(self.tools.library, name))

    def exported(self, prefix):
        library, name = self.tools.library, f"{prefix}_{self.subject.identifier}"
        if not self.subject.has_memory:
            return self.predict(f"{name}_predict")
        size = library[f"{name}_state_size"]
        size.restype = ctypes.c_size_t
        self.states.append(np.zeros(size() // 8 + 1))
        state = self.states[-1].ctypes.data
        library[f"{name}_reset"](ctypes.c_void_p(state))
        return self.c_loop("step", code.address(library, f"{name}_step"), state)

    def by_ctypes(self):
        call = capi.fn_forward_f32 if self.is_dense else capi.fn_activate
        before = (*self.handles, 1) if self.is_dense else self.handles
        is_independent = self.kind == "independent"
        pairs = zip(*self.arrays, strict=True) if is_independent else (
            self.arrays, self.arrays[::-1])  # fmt: skip
        calls = [(*before, x.ctypes.data, y.ctypes.data) for x, y in pairs]

        def run(n):
            for _ in range(n // len(calls)):
                for arguments in calls:
                    call(*arguments)

        return run

    def in_python(self):
        call = self.net.step if self.subject.has_memory else self.net
        x, y = self.arrays
        n_outputs = self.subject.n_outputs

        def independent(n):
            for _ in range(n // ROWS - 1):
                for row in rows:
                    call(row)
            y[:] = [call(row) for row in rows]

        def same_size(n):
            inputs = x
            for _ in range(n):
                inputs = call(inputs)
            x[:] = inputs

        def dependent(n):
            for _ in range(n):
                x[:n_outputs] = call(x)

        if self.kind == "dependent":
            return same_size if n_outputs == self.subject.n_inputs else dependent
        rows = list(x)
        return independent

    def wrong(self):
        """{name: by how much its numbers are off} after ROWS calls of each, the first ones."""
        errors = {}
        for name, run in self.runs.items():
            for array, first in zip(self.arrays, self.subject.arrays(self.kind), strict=True):
                array[:] = first
            if not self.is_dense:
                self.net.reset()
            seconds = run(ROWS)
            error = self.subject.error(self.kind, self.subject.results(self.kind, self.arrays))
            if isinstance(seconds, float) and seconds < 0:
                error = np.inf
            if not error <= 1:
                errors[name] = error
        return errors


# ---- rows ----------------------------------------------------------------------------------------


def title(subject, kind):
    return f"{subject.name}, {'dependent' if subject.has_memory else kind}"


def rows_of(context, tools, subject, limit):
    """A row of each kind of calls, all measured in the same rounds."""
    kinds = {}
    for kind in subject.kinds:
        ways = kinds[kind] = Ways(tools, subject, kind)
        for name, error in ways.wrong().items():
            context.wrong.append(f"{title(subject, kind)}: {name} is off by {error:.3g} times what "
                                 "rounding explains")
            if name != "C":
                del ways.runs[name]
    timings = measure(context, {
        (kind, name): run for kind, ways in kinds.items() for name, run in ways.runs.items()})
    short = dataclasses.replace(
        context, repeats=1 if context.repeats == 1 else SHORT_TURNS, seconds=SHORT)
    compared = {name for pair in BEYOND for name in pair[:2]}
    return [
        row(title(subject, kind),
            {name: timings[kind, name] for name in ways.runs},
            measure(short, {name: run for name, run in ways.runs.items() if name in compared},
                    scaled=False),
            limit if kind == "independent" else None)
        for kind, ways in kinds.items()
    ]  # fmt: skip


def measure(context, runs, scaled=True):
    """{name: Timing} of {name: run(n)}."""
    least_share = 0.0 if context.smoke else timing.LEAST_SHARE
    return timing.measure([Contender(name, run, ROWS) for name, run in runs.items()],
                          context.repeats, context.seconds, context.peak if scaled else None,
                          least_share, Stopwatch())  # fmt: skip


def row(workload, timings, short, limit):
    """Timings by way to call, of long turns and of short ones; ``limit`` in ns."""
    ours = timings["C"]
    required = []
    if limit is not None:
        required.append(Requirement("time", 1e9 * ours.best, limit, "ns"))
    for slow, fast, most in BEYOND:
        if slow in short and fast in short:
            beyond = 1e9 * timing.difference(short[slow], short[fast])
            required.append(Requirement(f"{slow} beyond {fast}", beyond, most, "ns"))
    for name, most in EXPORTED.items():
        if name in timings:
            ratio = timings[name].median / ours.median
            required.append(Requirement(f"{name}, of C", ratio, most, "x"))
    peers = {name: timing.median for name, timing in timings.items() if name != "C"}
    return Row(workload, ours.median, peers, required, scaled=ours.scaled)


def subjects():
    """[(network, ns for an independent call from C or None)], in the order of the table."""
    found = [(Dense(sizes, activation), limit) for sizes, (activation, limit) in DENSE.items()]
    return found + [(Graph(shape, has_memory), None) for has_memory in (False, True)
                    for shape in GRAPHS]  # fmt: skip


def versions():
    """{package: version}, and the compiler."""
    found = {}
    for name in ("fastnet", "cython", "numba"):
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "built in place" if name == "fastnet" else "missing"
    command = [code.compiler(), "-dumpfullversion", "-dumpversion"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found["cc"] = done.stdout.strip() or "unknown"
    return found


def main(argv=None):
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.embed",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--rows", nargs="+", default=[""], metavar="WORD",
                        help="networks whose name has one of these in it")  # fmt: skip
    parser.add_argument("--repeats", type=int, help="turns that count (11, with --quick 5)")
    parser.add_argument("--seconds", type=float, default=0.004, help="length of a turn (0.004)")
    parser.add_argument("--quick", action="store_true", help="fewer turns")
    parser.add_argument("--json", type=Path, help=f"results, by default {DEFAULT_RESULTS} "
                        "where all rows were run in full")  # fmt: skip
    parser.add_argument("--list", action="store_true", help="the networks, and end")
    parser.add_argument("--busy", action="store_true",
                        help="let disturbed turns count, beside other programs")  # fmt: skip
    parser.add_argument("--smoke", action="store_true",
                        help="only whether it runs: one short turn")  # fmt: skip
    options = parser.parse_args(argv)
    chosen = [(subject, limit) for subject, limit in subjects()
              if any(word.lower() in subject.name.lower() for word in options.rows)]  # fmt: skip
    if options.list:
        print("\n".join(subject.name for subject, _ in chosen))
        return 0
    if not chosen:
        parser.error(f"--rows: none has {' or '.join(options.rows)} in its name; see --list")
    is_full = options.rows == [""] and not (options.quick or options.smoke or options.busy)
    repeats = options.repeats or (5 if options.quick else 11)
    if options.smoke:
        repeats, options.seconds = 1, 1e-5
    context = Context({}, repeats, options.seconds, smoke=options.smoke or options.busy)
    results = []
    with tempfile.TemporaryDirectory() as folder:
        try:
            tools = Tools([subject for subject, _ in chosen], Path(folder))
        except code.Missing as error:
            raise SystemExit(str(error)) from None
        timing.pin_to_one_processor()
        named = versions()
        print(f"{report.machine()}; {fn.isa()}; "
              + ", ".join(f"{name} {version}" for name, version in named.items()))  # fmt: skip
        for line in tools.missing:
            print(line, file=sys.stderr)
        print(report.HEADER, flush=True)
        for subject, limit in chosen:
            for result in rows_of(context, tools, subject, limit):
                results.append(result)
                print(report.text(result), flush=True)
    peak = statistics.median(context.peaks) if context.peaks else None
    met = [requirement.met for row in results for requirement in row.requirements]
    print(f"\n{sum(met)} of {len(met)} requirements met" +
          (f"; FMA peak {peak:.0f} GFLOP/s, times scaled to {timing.REFERENCE_PEAK:.0f}"
           if peak else ""))  # fmt: skip
    path = options.json or (DEFAULT_RESULTS if is_full else None)
    if path is not None:
        report.write_json(path, results, fn.isa(), peak, named)
        print(f"written to {path}")
    for line in context.wrong:
        print(f"WRONG NUMBERS: {line}", file=sys.stderr)
    return 1 if context.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
