"""Custom activations and losses in C beside the built-in ones of equal arithmetic.

    python -m benchmarks.c_functions                    # half a minute; needs a C compiler, cc
    python -m benchmarks.c_functions --rows predict     # rows with these words in their names

Both networks have the same parameters and do the same work in turns; a bound holds for the ratio of
the medians of their times.  With --busy it is the time of the processor, without that of other
programs.
"""

import argparse
import ctypes
import math
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

import fastnet as fn
from benchmarks import report, timing
from benchmarks.report import Figure, Requirement, Row
from benchmarks.timing import Contender
from fastnet._kernels import dispatch, probe

BOUND = 1.3
FLAGS = ("-O3", "-march=native", "-fno-math-errno", "-fno-trapping-math", "-shared", "-fPIC")
SOURCE = r"""
#include <math.h>
#include <stdint.h>
#define ACTIVATION(name, value, derivative)                                                    \
    void name(intptr_t n, float *z, float *a, void *data) {                                    \
        for (intptr_t i = 0; i < n; i++) a[i] = value;                                         \
    }                                                                                          \
    void name##_derivative(intptr_t n, float *z, float *a, float *d, void *data) {             \
        for (intptr_t i = 0; i < n; i++) d[i] = derivative;                                    \
    }
ACTIVATION(relu, z[i] > 0 ? z[i] : 0, a[i] > 0)
ACTIVATION(leaky_relu, z[i] > 0 ? z[i] : 0.01f * z[i], z[i] > 0 ? 1 : 0.01f)
ACTIVATION(square, z[i] * z[i], 2 * z[i])
ACTIVATION(softsign, z[i] / (1 + fabsf(z[i])), 1 / ((1 + fabsf(z[i])) * (1 + fabsf(z[i]))))

void half_squared_error(intptr_t n_rows, intptr_t n, float *p, float *y, float *loss, void *data) {
    for (intptr_t r = 0; r < n_rows; r++) {
        float sum = 0;
        for (intptr_t i = r * n; i < (r + 1) * n; i++) sum += (p[i] - y[i]) * (p[i] - y[i]);
        loss[r] = sum / 2;
    }
}
void half_squared_error_gradient(intptr_t n_rows, intptr_t n, float *p, float *y, float *d,
                                 void *data) {
    for (intptr_t i = 0; i < n_rows * n; i++) d[i] = p[i] - y[i];
}
"""
VALUE = "void (intptr_t n, float *z, float *a, void *)"
DERIVATIVE = "void (intptr_t n, float *z, float *a, float *d, void *)"
LOSS = "void (intptr_t n_rows, intptr_t n, float *y_pred, float *y, float *row_loss, void *)"
ACTIVATIONS = ("relu", "leaky_relu", "square", "softsign")
SHAPES = {(2, 8, 1): 4, (4, 64, 64, 2): 32, (64, 64, 10): 32, (784, 128, 10): 128}
N_BATCHES = 16


def library():
    if shutil.which("cc") is None:
        raise SystemExit("a C compiler is needed, by the name of cc")
    with tempfile.TemporaryDirectory() as directory:
        source, shared = Path(directory) / "functions.c", Path(directory) / "functions.so"
        source.write_text(SOURCE)
        subprocess.run(["cc", *FLAGS, source, "-o", shared], check=True)
        return ctypes.CDLL(str(shared))


def in_c(functions, name):
    return fn.Activation(
        (functions[name], VALUE), (functions[f"{name}_derivative"], DERIVATIVE), name=name
    )


def network(sizes, activation):
    layers = [fn.Dense(n, activation, init="glorot_normal") for n in sizes[1:-1]]
    return fn.Network(sizes[0], layers=[*layers, fn.Dense(sizes[-1])], seed=0)


def trainer(net, batch_size, loss="half_squared_error"):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(N_BATCHES * batch_size, net.n_inputs)).astype("float32")
    y = rng.normal(size=(N_BATCHES * batch_size, net.n_outputs)).astype("float32")

    def run(n):
        # so small a step that the networks stay alike
        net.fit(x, y, loss, fn.SGD(1e-6), epochs=max(1, n // N_BATCHES), batch_size=batch_size,
                shuffle=False)  # fmt: skip

    return run


def caller(net):
    x = np.random.default_rng(0).normal(size=net.n_inputs).astype("float32")

    def run(n):
        for _ in range(n):
            net(x)

    return run


def caller_in_c(net):
    x = np.random.default_rng(0).normal(size=net.n_inputs)
    return lambda n: net._seconds_per_row(x, n)


def predictor(net):
    x = np.random.default_rng(0).normal(size=(4096, net.n_inputs)).astype("float32")
    out = np.empty((4096, net.n_outputs), "float32")

    def run(n):
        for _ in range(n):
            net.predict(x, out=out)

    return run


def workloads(functions):
    """{name of the row: (built-in, in C)}, functions that do the work n times."""
    table = {}
    for sizes, batch_size in SHAPES.items():
        shape = "-".join(map(str, sizes))
        for name in ACTIVATIONS:
            if name not in fn.activations.names():
                continue
            pair = [network(sizes, name), network(sizes, in_c(functions, name))]
            table[f"train {shape} {name}, batch {batch_size}"] = [
                trainer(net, batch_size) for net in pair
            ]
            if name == "relu":
                table[f"one row {shape} {name}"] = [caller(net) for net in pair]
                table[f"C, one row {shape} {name}"] = [caller_in_c(net) for net in pair]
                table[f"predict {shape} {name}, 4,096 rows"] = [predictor(net) for net in pair]
        loss = fn.Loss(
            (functions.half_squared_error, LOSS), (functions.half_squared_error_gradient, LOSS)
        )
        table[f"train {shape} half_squared_error, batch {batch_size}"] = [
            trainer(network(sizes, "relu"), batch_size, which)
            for which in ("half_squared_error", loss)
        ]
    return table


def measured(name, pair, options):
    timings = timing.measure(
        [
            Contender(which, run, N_BATCHES if name.startswith("train") else 1)
            for which, run in zip(("built-in", "in C"), pair, strict=True)
        ],
        options.repeats,
        options.seconds,
        lambda: probe.fma_peak(dispatch.supported()[-1]),
        0.0 if options.busy or options.smoke else timing.LEAST_SHARE,
        timing.Stopwatch(wall=time.process_time) if options.busy else None,
    )
    built_in, own = timings["built-in"].median, timings["in C"].median
    return Row(
        name,
        own,
        {"built-in": built_in},
        [Requirement("of the built-in", own / built_in, BOUND, "x")],
    )


def summary(context, workload):
    """All rows as one, for a run of other benchmarks."""
    try:
        functions = library()
    except (SystemExit, OSError, subprocess.CalledProcessError) as error:
        return Row(workload, math.nan, note=str(error), group="functions")
    options = argparse.Namespace(
        repeats=context.repeats, seconds=min(context.seconds, 0.02), busy=False, smoke=context.smoke
    )
    ratios = {
        name: measured(name, pair, options).requirements[0].value
        for name, pair in workloads(functions).items()
    }
    known = {name: ratio for name, ratio in ratios.items() if not math.isnan(ratio)}
    if not known:
        return Row(workload, math.nan, note="never undisturbed", group="functions")
    worst = max(known, key=known.get)
    median = statistics.median(known.values())
    return Row(
        workload,
        math.nan,
        {},
        [Requirement("the slowest, of the built-in", known[worst], BOUND, "x")],
        note=f"slowest: {worst}; {len(known)} of {len(ratios)} measured",
        details=ratios,
        figures=[
            Figure("time with a function in C / with the built-in one: median", "x",
                   {"fastnet": median}),
            Figure("time with a function in C / with the built-in one: largest", "x",
                   {"fastnet": known[worst]}),
        ],
        group="functions",
    )  # fmt: skip


def main(argv=None):
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.c_functions",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--rows", nargs="+", default=[""], metavar="WORD",
                        help="rows whose name has one of these in it")  # fmt: skip
    parser.add_argument("--repeats", type=int, default=9, help="turns that count (9)")
    parser.add_argument("--seconds", type=float, default=0.02, help="length of a turn (0.02)")
    parser.add_argument("--busy", action="store_true",
                        help="by processor time, beside other programs")  # fmt: skip
    parser.add_argument("--smoke", action="store_true",
                        help="only whether it runs: one short turn")  # fmt: skip
    options = parser.parse_args(argv)
    if options.smoke:
        options.repeats, options.seconds = 1, 1e-4
    timing.pin_to_one_processor()
    print(f"{report.machine()}; {fn.isa()}")
    print(report.HEADER, flush=True)
    ratios = []
    for name, pair in workloads(library()).items():
        if any(word.lower() in name.lower() for word in options.rows):
            row = measured(name, pair, options)
            print(report.text(row), flush=True)
            ratios.append(row.requirements[0].value)
    measurable = [ratio for ratio in ratios if not math.isnan(ratio)]
    if not ratios:
        parser.error(f"--rows: none has {' or '.join(options.rows)} in its name")
    met = sum(ratio <= BOUND for ratio in ratios)
    print(f"\n{met} of {len(ratios)} requirements met", end="")
    if measurable:
        median, largest = statistics.median(measurable), max(measurable)
        print(f"; median {median:.2f} x, largest {largest:.2f} x", end="")
    print()
    return 0


if __name__ == "__main__":
    sys.exit(main())
