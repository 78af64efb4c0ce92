"""The kinds of workloads of dense networks: what is timed, checked and required in each."""

import dataclasses
import functools
import itertools
import json
import math
import os
import statistics
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from benchmarks import timing
from benchmarks.fastnet_adapter import Fastnet
from benchmarks.jobs import Job, initial_parameters, layers, load_digits
from benchmarks.peers import numpy_peer
from benchmarks.report import Requirement, Row
from benchmarks.timing import REFERENCE_PEAK, Contender
from fastnet._kernels import dispatch, probe

CHECK_STEPS = 20
#: Deviation of parameters from float64, by how far training moved them.  Rounding leaves about
#: 1e-5; the smallest mistake (a bias correction one step off) moves them by 1e-2 and more.  Where
#: an input of relu is rounded across zero, one row's gradient is lost to a unit and all before it.
TRAINING_TOLERANCE = {"tanh": 1e-4, "relu": 5e-3}
#: The part of each array that has to be within: such a unit may go its own way.
TRAINING_PART = 0.9
#: Of outputs and of gradients, by the largest one
OUTPUT_TOLERANCE = {"float32": 1e-5, "float64": 1e-12}
EAGER = ("torch for-loop", "torch foreach", "torch fused")
SCAN = ("jax scan", "jax scan flat")


@dataclass
class Context:
    """Settings of a run, and what it finds out beside times."""

    peers: dict
    repeats: int = 9
    seconds: float = 0.03
    smoke: bool = False
    wheel: Path | None = None
    quick: bool = False
    processors: tuple = ()  # that this process had before it kept to one
    peaks: list = field(default_factory=list)
    wrong: list = field(default_factory=list)

    def peak(self):
        # Of the processor, whatever FASTNET_ISA says
        speed = probe.fma_peak(dispatch.supported()[-1])
        self.peaks.append(speed)
        return speed

    def limited(self, repeats):
        """The same with fewer turns, for work that takes long."""
        return dataclasses.replace(self, repeats=min(self.repeats, repeats))

    def measure(self, contenders):
        least_share = 0.0 if self.smoke else timing.LEAST_SHARE
        return timing.measure(contenders, self.repeats, self.seconds, self.peak, least_share)


@dataclass
class Entry:
    """Adapters that agree on a workload, and what there is to say about the others."""

    adapters: dict
    notes: list


def gather(context, job, kind, check, ways=None, **options):
    """fastnet and every variant of every peer, after ``check(name, adapter)`` of each.

    ``kind``: "TRAINING" or "PREDICTION"; ``ways``: names to keep to.  A peer that fails is left
    out with a note, one that computes something else also ends the run with an error.
    """
    makers = {"fastnet": lambda: Fastnet(job, **options)}
    for library, module in context.peers.items():
        for variant in getattr(module, kind):
            name = f"{library} {variant}".strip()
            if ways is not None and name not in ways:
                continue
            makers[name] = lambda m=module, v=variant: m.Peer(job, v, **options)
    entry = Entry({}, [])
    for name, make in makers.items():
        try:
            adapter = make()
            deviation, tolerance = check(adapter)
        except Exception as error:
            if name == "fastnet":
                raise
            entry.notes.append(f"{name} failed: {type(error).__name__}: {str(error)[:100]}")
            continue
        if not deviation <= tolerance:
            entry.notes.append(f"{name} computes something else: off by {deviation:.2g}")
            context.wrong.append(f"{job.name}: {entry.notes[-1]}")
            if name != "fastnet":
                continue
        entry.adapters[name] = adapter
    return entry


def finish(entry, workload, timings, requirements, **options):
    """A row from timings by name, fastnet's first."""
    disturbed = [
        f"{name} {result.rejected} of {result.rejected + len(result.seconds)}"
        for name, result in timings.items()
        if result.rejected > len(result.seconds)
    ]
    if disturbed:
        entry.notes.append(f"turns thrown away: {', '.join(disturbed)}")
    return Row(
        workload,
        timings["fastnet"].median,
        {name: t.median for name, t in timings.items() if name in entry.adapters and
         name != "fastnet"},
        requirements,
        scaled=timings["fastnet"].scaled,
        note="; ".join(entry.notes),
        **options,
    )  # fmt: skip


def faster(who, names, timings, bound):
    """The requirement to be ``bound`` times as fast as the fastest of these; None without any."""
    times = [timings[name].best for name in names if name in timings]
    if not times:
        return None
    times = [seconds for seconds in times if math.isfinite(seconds)] or [math.nan]
    return Requirement(
        f"speed over {who}", min(times) / timings["fastnet"].best, bound, "x", at_least=True
    )


def peers_of(entry):
    return [name for name in entry.adapters if name != "fastnet"]


def seconds_at_most(text, seconds, bound, unit):
    factor = {"ns": 1e9, "us": 1e6, "ms": 1e3}[unit]
    return Requirement(text, seconds * factor, bound, unit)


def reference(job, early_epsilon=False, **options):
    """The network in float64 by hand: what all are checked against."""
    job64 = dataclasses.replace(job, dtype="float64")
    x, y = options.get("data") or job.data
    data = (x.astype(float), y if job.is_classification else y.astype(float))
    peer = numpy_peer.Peer(job64, data=data, parameters=job.parameters.astype(float))
    peer.early_epsilon = early_epsilon
    return peer


# ---- training ------------------------------------------------------------------------------------


def check_training(job, adapter):
    """How far the first steps are off, by how far they should move the parameters."""
    n = min(CHECK_STEPS, job.n_batches) if job.n_batches > 1 else 5
    truth = reference(job, adapter.early_epsilon)
    truth.train_step(n)
    getattr(adapter, "train_in_order", adapter.train_step)(n)
    found = adapter.parameters()
    adapter.reset()
    worst = 0.0
    arrays = (layers(job.sizes, flat) for flat in (found, truth.parameters(), job.parameters))
    for triples in zip(*arrays, strict=True):
        for array, expected, start in zip(*triples, strict=True):
            moved = np.sqrt(np.mean((expected - start) ** 2))
            worst = max(worst, np.quantile(np.abs(array - expected), TRAINING_PART) / moved)
    return worst, TRAINING_TOLERANCE[job.hidden]


def training(context, workload, job, limit=None, eager=None, scan=None, best=None, share=None,
             ways=None):  # fmt: skip
    """A training step.  ``limit``: (bound, unit, rows): of a step, or of a row of it.

    ``eager``, ``scan``, ``best``: least speed over PyTorch eager, JAX's scan, every peer;
    ``share``: least part of the FMA peak, in percent.
    """
    entry = gather(context, job, "TRAINING", lambda adapter: check_training(job, adapter), ways)
    timings = context.measure(
        Contender(name, adapter.train_step, adapter.unit)
        for name, adapter in entry.adapters.items()
    )
    step = timings["fastnet"].best
    achieved = job.step_operations / step / (REFERENCE_PEAK * 1e9) * 100
    requirements = []
    if limit is not None:
        bound, unit, a_row = limit
        text = "a row of a step" if a_row else "a step"
        requirements.append(
            seconds_at_most(text, step / (job.rows_a_step if a_row else 1), bound, unit)
        )
    if eager is not None:
        requirements.append(faster("PyTorch eager", EAGER, timings, eager))
    if scan is not None:
        requirements.append(faster("JAX scan", SCAN, timings, scan))
    if best is not None:
        requirements.append(faster("every peer", peers_of(entry), timings, best))
    if share is not None:
        requirements.append(Requirement("part of the FMA peak", achieved, share, "%", True))
    requirements = [r for r in requirements if r is not None]
    return finish(entry, workload, timings, requirements, details={"percent_of_peak": achieved})


def gradient(context, workload, job, limit):
    """Loss and gradient on all rows of the job; ``limit`` in microseconds."""

    def check(adapter):
        loss, found = adapter.gradient()
        expected_loss, expected = reference(job).gradient()
        scale = np.abs(expected).max()
        deviation = max(np.abs(found - expected).max() / scale, abs(loss / expected_loss - 1))
        return deviation, OUTPUT_TOLERANCE[job.dtype]

    able = {k: m for k, m in context.peers.items() if k in ("numpy", "torch", "jax")}
    few = dataclasses.replace(context, peers=able)
    entry = gather(few, job, "GRADIENT", check)
    timings = context.measure(
        Contender(name, adapter.loss_and_gradient) for name, adapter in entry.adapters.items()
    )
    requirement = seconds_at_most("loss and gradient", timings["fastnet"].best, limit, "us")
    return finish(entry, workload, timings, [requirement])


def width_sweep(context, workload):
    """Steps of 10-w-w-10: no width may be much slower than its neighbour."""
    widths = range(30, 34) if context.smoke else range(30, 71)
    jobs = {w: Job((10, w, w, 10), "relu", batch_size=128) for w in widths}
    adapters = {w: Fastnet(job) for w, job in jobs.items()}
    worst = max(check_training(jobs[w], adapters[w])[0] for w in widths)
    if not worst <= TRAINING_TOLERANCE["relu"]:
        context.wrong.append(f"{workload}: off by {worst:.2g}")
    timings = context.measure(
        Contender(str(w), adapter.train_step, adapter.unit) for w, adapter in adapters.items()
    )
    times = {w: timings[str(w)].best for w in widths}
    ratios = {w: times[w + 1] / times[w] for w in widths[:-1]}
    ratios = {w: max(ratio, 1 / ratio) for w, ratio in ratios.items()}
    requirements, notes = [], []
    for text, bound, chosen in (
        ("neighbours across a multiple of 16", 1.40, [w for w in ratios if w % 16 == 0]),
        ("neighbours elsewhere", 1.12, [w for w in ratios if w % 16]),
    ):
        w = max(chosen, key=ratios.get)
        requirements.append(Requirement(text, ratios[w], bound, "x"))
        notes.append(f"{text}: {w} to {w + 1}")
    return Row(
        workload,
        statistics.fmean(timings[str(w)].median for w in widths),
        {},
        requirements,
        note="worst " + ", ".join(notes) + "; the time is the mean over the widths",
        details={str(w): timings[str(w)].median for w in widths},
    )


def digits(context, workload):
    """Training until 97 % of the test digits are right, the mean over a few seeds."""
    data = load_digits()
    if data is None:
        return Row(workload, math.nan, note="neither examples/digits.csv.gz nor scikit-learn")
    seeds = range(1 if context.smoke else 3)
    most_epochs = 60
    job = dataclasses.replace(data.job, n_rows=len(data.y_train))
    options = {"data": (data.x_train, data.y_train)}
    entry = gather(context, job, "TRAINING", lambda adapter: (0.0, 1.0), **options)
    contenders, epochs = [], {}

    def start(adapter, seed):
        adapter.initial = initial_parameters(job.sizes, job.dtype, seed)
        adapter.reset()
        adapter.seed = seed

    def reached(adapter):
        return data.accuracy(adapter.outputs(data.x_test)) >= 0.97

    for name, adapter in list(entry.adapters.items()):
        if name in ("jax step",):
            continue
        for seed in seeds:
            start(adapter, seed)
            orders = data.orders(seed, most_epochs)
            n = adapter.epochs_until(reached, orders)
            if n is None:
                entry.notes.append(f"{name} misses 97 % in {most_epochs} epochs, seed {seed}")
                n = most_epochs
            epochs[f"{name} epochs, seed {seed}"] = n
            contenders.append(
                Contender(
                    f"{name}/{seed}",
                    lambda _, a=adapter, o=orders[:n]: a.train_epochs(o),
                    prepare=lambda a=adapter, s=seed: start(a, s),
                )
            )
    by_seed = context.measure(contenders)
    timings = {}
    for name in entry.adapters:
        turns = [by_seed[f"{name}/{seed}"] for seed in seeds if f"{name}/{seed}" in by_seed]
        if turns:
            timings[name] = Mean(turns)
    requirements = [
        seconds_at_most("training", timings["fastnet"].best, 12, "ms"),
        faster("JAX scan", SCAN, timings, 2.0),
        faster("PyTorch", [n for n in timings if n.startswith("torch")], timings, 15.0),
    ]
    requirements = [r for r in requirements if r is not None]
    return finish(entry, workload, timings, requirements, details=epochs)


class Mean:
    """The mean of timings, with the attributes of one."""

    def __init__(self, timings):
        self.seconds = [s for timing in timings for s in timing.seconds]
        self.rejected = sum(timing.rejected for timing in timings)
        self.median = statistics.fmean(timing.median for timing in timings)
        scaled = [timing.scaled for timing in timings]
        self.scaled = None if None in scaled else statistics.fmean(scaled)
        self.best = statistics.fmean(timing.best for timing in timings)


# ---- prediction ----------------------------------------------------------------------------------


def check_outputs(job, x, outputs):
    expected = reference(job).outputs(np.atleast_2d(x).astype(float))
    deviation = np.abs(np.reshape(outputs, expected.shape) - expected).max()
    return deviation / max(1.0, np.abs(expected).max()), OUTPUT_TOLERANCE[job.dtype]


def prediction(context, workload, job, n_rows, best):
    """Outputs for many rows."""
    x = np.random.default_rng(3).standard_normal((n_rows, job.sizes[0])).astype(job.dtype)
    entry = gather(context, job, "PREDICTION", lambda a: check_outputs(job, x, a.outputs(x)))
    timings = context.measure(
        Contender(name, functools.partial(adapter.predict, adapter.native(x)))
        for name, adapter in entry.adapters.items()
    )
    requirement = faster("every peer", peers_of(entry), timings, best)
    products = sum(a * b for a, b in itertools.pairwise(job.sizes))
    rate = 2 * products * n_rows / timings["fastnet"].best
    return finish(
        entry, workload, timings, [requirement] if requirement else [],
        details={"percent_of_peak": rate / (REFERENCE_PEAK * 1e9) * 100},
    )  # fmt: skip


def nothing(n):
    for _ in range(n):
        pass


def one_row(context, workload, job, best):
    """One row from Python: net(x), and predict(x, out=out), above the time of the same in C."""
    x = np.random.default_rng(3).standard_normal(job.sizes[0]).astype(job.dtype)

    def check(adapter):
        return check_outputs(job, x, np.asarray(adapter.outputs(x.reshape(1, -1))))

    entry = gather(context, job, "PREDICTION", check)
    fastnet = entry.adapters["fastnet"]
    ways = (fastnet.one_row, fastnet.one_row_out, fastnet.one_row_in_c)
    worst = max(check_outputs(job, x, way(x))[0] for way in ways)
    if not worst <= OUTPUT_TOLERANCE[job.dtype]:
        context.wrong.append(f"{workload}: off by {worst:.2g}")
    contenders = [
        Contender(name, functools.partial(adapter.one_row, one_native(adapter, x)))
        for name, adapter in entry.adapters.items()
    ]
    contenders += [
        Contender("predict(x, out=out)", functools.partial(fastnet.one_row_out, x)),
        Contender("in C", functools.partial(fastnet.one_row_in_c, x)),
        Contender("empty loop", nothing),
    ]
    timings = context.measure(contenders)
    base = timings["in C"].best + timings["empty loop"].best
    requirements = [
        seconds_at_most("net(x) above C", timings["fastnet"].best - base, 90, "ns"),
        seconds_at_most(
            "predict(x, out=out) above C", timings["predict(x, out=out)"].best - base, 45, "ns"
        ),
        faster("every peer", peers_of(entry), timings, best),
    ]
    others = ("predict(x, out=out)", "in C", "empty loop")
    return finish(
        entry, workload, timings, [r for r in requirements if r is not None],
        details={name: timings[name].median for name in others},
    )  # fmt: skip


def one_native(adapter, x):
    """fastnet and NumPy take a row, the others a matrix of one row."""
    return x if isinstance(adapter, (Fastnet, numpy_peer.Peer)) else adapter.native(x)


def one_row_in_c(context, workload, job, limit, unit):
    x = np.random.default_rng(3).standard_normal(job.sizes[0]).astype(job.dtype)
    adapter = Fastnet(job)
    deviation, tolerance = check_outputs(job, x, adapter.one_row_in_c(x))
    if not deviation <= tolerance:
        context.wrong.append(f"{workload}: off by {deviation:.2g}")
    timings = context.measure([Contender("fastnet", functools.partial(adapter.one_row_in_c, x))])
    requirement = seconds_at_most("one row", timings["fastnet"].best, limit, unit)
    return finish(Entry({}, []), workload, timings, [requirement])


# ---- processes -----------------------------------------------------------------------------------


def step_seconds(jobs, repeats, seconds):
    """Seconds a step of fastnet in this process: what a process with another FASTNET_ISA runs."""
    adapters = {name: Fastnet(job) for name, job in jobs.items()}
    timings = timing.measure(
        [Contender(name, a.train_step, a.unit) for name, a in adapters.items()], repeats, seconds
    )
    return {name: result.median for name, result in timings.items()}


def instruction_sets(context, workload, jobs, bounds):
    """Steps with FASTNET_ISA=avx2 beside avx512, in processes that take turns."""
    names = ("avx512", "avx2")
    times = {isa: {name: [] for name in jobs} for isa in names}
    for _ in range(1 if context.smoke else max(3, context.repeats // 2)):
        for isa in names:
            command = [sys.executable, "-m", "benchmarks.dense", "--steps"]
            command += ["--repeats", str(min(3, context.repeats))]
            command += ["--seconds", str(context.seconds)]
            done = subprocess.run(
                command, env=os.environ | {"FASTNET_ISA": isa}, capture_output=True, text=True
            )
            if done.returncode:
                note = done.stderr.strip().splitlines()[-1:]
                return Row(workload, math.nan, note=f"FASTNET_ISA={isa}: {' '.join(note)}")
            for name, seconds in json.loads(done.stdout).items():
                times[isa][name].append(seconds)
    requirements = []
    for name, bound in bounds.items():
        pairs = zip(times["avx512"][name], times["avx2"][name], strict=True)
        speeds = [a / b for a, b in pairs if math.isfinite(a / b)] or [math.nan]
        speed = statistics.median(speeds)
        requirements.append(Requirement(f"speed of {name}", speed, bound, "of AVX-512", True))
    medians = {
        f"{name} {isa}": statistics.median(times[isa][name]) for isa in names for name in jobs
    }
    return Row(workload, math.nan, {}, requirements, details=medians)


def import_time(context, workload):
    """Import and first use of a name, after NumPy's own import."""
    uses = {"fastnet": "import fastnet; fastnet.Network"}
    uses |= {
        name: f"import {package}"
        for name, package in (("torch", "torch"), ("jax", "jax.numpy"), ("onnx", "onnxruntime"),
                              ("sklearn", "sklearn.neural_network"))
        if name in context.peers
    }  # fmt: skip
    times = {name: [] for name in uses}
    for turn in range(context.repeats + 1):
        for name, use in uses.items():
            if name != "fastnet" and turn > 3:
                continue
            code = f"import time, numpy; t = time.perf_counter(); {use}; "
            code += "print(time.perf_counter() - t)"
            done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
            if done.returncode and name == "fastnet":
                raise RuntimeError(done.stderr)
            if turn and not done.returncode:  # the first one reads the files from the disk
                times[name].append(float(done.stdout))
    medians = {name: statistics.median(found) for name, found in times.items() if found}
    own = medians.pop("fastnet")
    return Row(workload, own, medians, [seconds_at_most("import", own, 12, "ms")])


def wheel_size(context, workload):
    if context.wheel is None:
        return Row(workload, math.nan, note="give the wheel with --wheel")
    size = context.wheel.stat().st_size / 1e6
    return Row(workload, math.nan, {}, [Requirement("wheel", size, 3.0, "MB")])
