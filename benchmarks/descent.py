"""Minimizers beside scipy.optimize, and planar arms beside a loop of NumPy.

    python -m benchmarks.descent                        # a minute; needs a C compiler, cc
    python -m benchmarks.descent --rows L-BFGS          # workloads with these words in their names
    python -m benchmarks.descent --list

All minimizers get the same function and start, go to the same norm of the gradient, and are timed
once each was seen to end at the same minimum.  Figures count the evaluations.  Times are
medians; scaled ones hold for a processor that does 240 GFLOP/s of fused multiply-adds, by the speed
measured before each turn.
"""

import argparse
import ctypes
import importlib.metadata
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

import fastnet as fn
from benchmarks import arm, report, timing
from benchmarks.dense_rows import Context
from benchmarks.report import Figure, Requirement, Row
from benchmarks.timing import Contender

DEFAULT_RESULTS = Path(__file__).parent / "results" / "descent.json"

#: Seconds for 1,000 fixed steps on a function in C
FIXED_STEPS = 60e-6
STEPS = 1000
#: Norm of the gradient at which minimizers stop, and how near they then are to one minimum
TOLERANCE, NEAR = 1e-6, 1e-4
FLAGS = ("-O2", "-shared", "-fPIC")
SOURCE = r"""
#include <stdint.h>
double value(intptr_t n, double *x, void *data) {
    double a = x[0], b = x[1], u = a - 1, v = b - 1;
    return a * a * a * a * b * b + u * u * v * v * v * v;
}
void gradient(intptr_t n, double *x, double *g, void *data) {
    double a = x[0], b = x[1], u = a - 1, v = b - 1;
    g[0] = 4 * a * a * a * b * b + 2 * u * v * v * v * v;
    g[1] = 2 * a * a * a * a * b + 4 * u * u * v * v * v;
}
"""


def library():
    if shutil.which("cc") is None:
        raise SystemExit("a C compiler is needed, by the name of cc")
    with tempfile.TemporaryDirectory() as directory:
        source, shared = Path(directory) / "functions.c", Path(directory) / "functions.so"
        source.write_text(SOURCE)
        subprocess.run(["cc", *FLAGS, source, "-o", shared], check=True)
        found = ctypes.CDLL(str(shared))
    doubles = ctypes.POINTER(ctypes.c_double)
    found.value.restype = ctypes.c_double
    found.value.argtypes = [ctypes.c_ssize_t, doubles, ctypes.c_void_p]
    found.gradient.restype = None
    found.gradient.argtypes = [ctypes.c_ssize_t, doubles, doubles, ctypes.c_void_p]
    return found


# ---- functions -----------------------------------------------------------------------------------


def quartic(x):
    return 3 * x**4 + 5 * x**3 - 20 * x**2 + 8 * x + 10


def d_quartic(x):
    return 12 * x**3 + 15 * x**2 - 40 * x + 8


def rosenbrock(x):
    d = x[1:] - x[:-1] ** 2
    return float(100 * (d @ d) + ((1 - x[:-1]) ** 2).sum())


def d_rosenbrock(x):
    d = x[1:] - x[:-1] ** 2
    g = np.zeros_like(x)
    g[1:] = 200 * d
    g[:-1] -= 400 * x[:-1] * d + 2 * (1 - x[:-1])
    return g


def start_of_rosenbrock(n):
    # With more than three variables there is a second minimum, beside (-1, 1, ..., 1).
    return np.array([-1.2, 1.0]) if n == 2 else np.linspace(0.2, 0.8, n)


TIMES = np.linspace(0, 4, 100)
DECAYS = 2.5 * np.exp(-1.3 * TIMES) + 0.5 + 0.05 * np.sin(40 * TIMES)


def decay(p):
    return p[0] * np.exp(-p[1] * TIMES) + p[2] - DECAYS


def d_decay(p):
    e = np.exp(-p[1] * TIMES)
    return np.stack([e, -p[0] * TIMES * e, np.ones_like(e)], axis=1)


# ---- rows ----------------------------------------------------------------------------------------


def repeated(run):
    def turn(n):
        for _ in range(n):
            run()

    return turn


def row(context, name, contenders, requirements=(), evaluations=None):
    """contenders: {name: function of nothing}, fastnet first."""
    timings = context.measure([Contender(who, repeated(run)) for who, run in contenders.items()])
    ours = timings.pop("fastnet")
    figures = []
    if evaluations:
        figures.append(Figure("evaluations of the function", "", evaluations))
    return Row(
        name, ours.median, {who: timing.median for who, timing in timings.items()},
        [Requirement("time", 1e6 * ours.best, 1e6 * limit, "us") for limit in requirements],
        scaled=ours.scaled, figures=figures,
    )  # fmt: skip


def fixed_steps_in_c(context, name):
    functions = library()

    def ours():
        return fn.minimize(functions.value, [0.5, 0.5], functions.gradient, stop_on=None,
                           max_iterations=STEPS)

    def loop():
        a = b = 0.5
        for _ in range(STEPS):
            u, v = a - 1, b - 1
            value = a**4 * b**2 + u**2 * v**4
            a, b = (a - 0.01 * (4 * a**3 * b**2 + 2 * u * v**4),
                    b - 0.01 * (2 * a**4 * b + 4 * u**2 * v**3))  # fmt: skip
        return a, b, value

    # each step rounds a few numbers of size 1, and steps shrink differences
    if not np.abs(ours().x - loop()[:2]).max() <= 1e-13:
        context.wrong.append(f"{name}: {ours().x} and {loop()[:2]}")
    return row(context, name, {"fastnet": ours, "loop in Python": loop}, [FIXED_STEPS])


def fixed_steps_in_python(context, name):
    def ours():
        return fn.minimize(quartic, 0.0, d_quartic, step=0.001, tolerance=0, max_iterations=200)

    def loop():
        x = 0.0
        for _ in range(200):
            value = quartic(x)
            x -= 0.001 * d_quartic(x)
        return x, value

    if ours().x != loop()[0]:
        context.wrong.append(f"{name}: {ours().x} and {loop()[0]}")
    return row(context, name, {"fastnet": ours, "loop in Python": loop})


def agree(context, name, found, gradient=None):
    """Whether all {who: x} are one minimum, and each has a gradient like the others'."""
    ours = found["fastnet"]
    for who, x in found.items():
        if not np.abs(x - ours).max() <= NEAR:
            context.wrong.append(f"{name}: {who} ends at {x}, fastnet at {ours}")
        if gradient is not None and not np.linalg.norm(gradient(x)) <= 10 * TOLERANCE:
            context.wrong.append(f"{name}: {who} ends with a gradient of "
                                 f"{np.linalg.norm(gradient(x)):.2g}")


def quasi_newton(context, name, n):
    x0 = start_of_rosenbrock(n)
    contenders = {
        "fastnet": lambda: fn.minimize(rosenbrock, x0, d_rosenbrock, method="lbfgs",
                                       stop_on="gradient", tolerance=TOLERANCE),
    }  # fmt: skip
    optimize = context.peers.get("scipy")
    if optimize is not None:
        # The tolerance of L-BFGS-B is that of the largest component.
        for method, options in (("L-BFGS-B", {"ftol": 0}), ("BFGS", {"norm": 2})):
            gtol = TOLERANCE if method == "BFGS" else TOLERANCE / n**0.5
            options = {"gtol": gtol, **options}
            contenders[f"scipy {method}"] = (
                lambda method=method, options=options: optimize.minimize(
                    rosenbrock, x0, jac=d_rosenbrock, method=method, options=options))
    results = {who: run() for who, run in contenders.items()}
    agree(context, name, {who: r.x for who, r in results.items()}, d_rosenbrock)
    evaluations = {who: r.n_evaluations if who == "fastnet" else r.nfev
                   for who, r in results.items()}  # fmt: skip
    return row(context, name, contenders, evaluations=evaluations)


def least_squares(context, name):
    x0 = np.array([1.0, 0.5, 0.0])
    contenders = {
        "fastnet": lambda: fn.minimize(decay, x0, d_decay, method="levenberg_marquardt",
                                       stop_on="gradient", tolerance=TOLERANCE),
    }  # fmt: skip
    optimize = context.peers.get("scipy")
    if optimize is not None:
        for method in ("lm", "trf"):
            contenders[f"scipy least_squares, {method}"] = (
                lambda method=method: optimize.least_squares(
                    decay, x0, d_decay, method=method, gtol=TOLERANCE))
    results = {who: run() for who, run in contenders.items()}
    agree(context, name, {who: r.x for who, r in results.items()})
    evaluations = {who: r.n_evaluations if who == "fastnet" else r.nfev
                   for who, r in results.items()}  # fmt: skip
    return row(context, name, contenders, evaluations=evaluations)


def workloads():
    """{name: function of the context that returns the row}, in the order of the table."""
    table = {}

    def add(kind, name, *arguments):
        table[name] = lambda context: kind(context, name, *arguments)

    add(fixed_steps_in_c, "1,000 fixed steps, 2 variables, C function")
    add(fixed_steps_in_python, "200 fixed steps, a number, Python function")
    for n in (2, 10, 100):
        add(quasi_newton, f"L-BFGS, Rosenbrock in {n} variables", n)
    add(least_squares, "Levenberg-Marquardt, decay through 100 points")
    return table | arm.workloads()


def versions():
    """{package: version}."""
    found = {}
    for name in ("fastnet", "scipy"):
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "built in place" if name == "fastnet" else "missing"
    return found


def main(argv=None):
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.descent",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--rows", nargs="+", default=[""], metavar="WORD",
                        help="workloads whose name has one of these in it")  # fmt: skip
    parser.add_argument("--repeats", type=int, default=9, help="turns that count (9)")
    parser.add_argument("--seconds", type=float, default=0.03, help="length of a turn (0.03)")
    parser.add_argument("--json", type=Path, help=f"results, by default {DEFAULT_RESULTS} "
                        "where all rows were run in full")  # fmt: skip
    parser.add_argument("--list", action="store_true", help="the workloads, and end")
    parser.add_argument("--smoke", action="store_true",
                        help="only whether it runs: one short turn")  # fmt: skip
    options = parser.parse_args(argv)
    table = {
        name: run for name, run in workloads().items()
        if any(word.lower() in name.lower() for word in options.rows)
    }  # fmt: skip
    if options.list:
        print("\n".join(table))
        return 0
    if not table:
        parser.error(f"--rows: none has {' or '.join(options.rows)} in its name; see --list")
    if options.smoke:
        options.repeats, options.seconds = 1, 1e-4
    try:
        from scipy import optimize
    except ImportError:
        found = {}
        print("without its peer: pip install scipy", file=sys.stderr)
    else:
        found = {"scipy": optimize}
    timing.pin_to_one_processor()
    context = Context(found, options.repeats, options.seconds, options.smoke)
    named = versions()
    print(f"{report.machine()}; {fn.isa()}; "
          + ", ".join(f"{name} {version}" for name, version in named.items()))  # fmt: skip
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
    if path is None and options.rows == [""] and not options.smoke:
        path = DEFAULT_RESULTS
    if path is not None:
        report.write_json(path, results, fn.isa(), peak, named)
        print(f"written to {path}")
    for line in context.wrong:
        print(f"WRONG NUMBERS: {line}", file=sys.stderr)
    return 1 if context.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
