"""Training steps over width, depth and batch size, beside PyTorch and JAX."""

import dataclasses
import math

from benchmarks import dense_rows, report
from benchmarks.jobs import Job

#: The quicker ways of each library; the others are in the rows of single networks.
WAYS = ("torch fused", "torch compiled", "jax scan", "jax scan flat")
#: heading: names, of which the fastest counts
COLUMNS = {
    "PyTorch eager": ("torch fused",),
    "torch.compile": ("torch compiled",),
    "JAX scan": ("jax scan", "jax scan flat"),
}


def network(width=64, depth=2, batch_size=32):
    return Job((64, *[width] * depth, 10), "relu", "softmax", batch_size=batch_size)


#: {what is varied: {its value: the job}}
SWEEPS = {
    "width": {n: network(width=n) for n in (8, 16, 32, 64, 128, 256, 512)},
    "depth": {n: network(depth=n) for n in (1, 2, 4, 8)},
    "batch": {n: network(batch_size=n) for n in (1, 8, 32, 128, 1024)},
}
#: Where compiling for PyTorch is worth its half a minute in a quick run: nowhere
QUICK_WAYS = tuple(way for way in WAYS if "compiled" not in way)


def points(sweep, quick=False):
    """The values of a sweep, of which a quick one has every other, the ends among them."""
    values = list(SWEEPS[sweep])
    return [*values[:-1:2], values[-1]] if quick else values


def name_of(sweep, value):
    job = SWEEPS[sweep][value]
    hidden = job.sizes[1:-1]
    batch = "" if sweep == "batch" else f"; batch {job.batch_size}"
    return f"{sweep} {value}: 64, {len(hidden)} x {hidden[0]}, 10{batch}"


class Runs:
    """Runs the points of all sweeps; a job that several sweeps have in common is run once."""

    def __init__(self):
        self.rows = {}

    def __call__(self, context, workload, job):
        if job not in self.rows:
            ways = QUICK_WAYS if context.quick else WAYS
            self.rows[job] = dense_rows.training(context, workload, job, ways=ways)
        return dataclasses.replace(self.rows[job], workload=workload, group="sweep")


def columns(row):
    """{heading: seconds of the fastest of its ways}; NaN where there is none."""
    found = {}
    for heading, names in COLUMNS.items():
        times = [row.peers[name] for name in names if name in row.peers]
        times = [seconds for seconds in times if math.isfinite(seconds)]
        found[heading] = min(times, default=math.nan)
    return found


def table(sweep, rows):
    """Lines for people: a step of fastnet, and of each other with its multiple of fastnet's."""
    lines = [f"{sweep:<8}{'fastnet':>12}" + "".join(f"{heading:>24}" for heading in COLUMNS)]
    for value in SWEEPS[sweep]:
        for row in rows:
            if row.workload != name_of(sweep, value):
                continue
            line = f"{value:<8}{report.duration(row.fastnet):>12}"
            for seconds in columns(row).values():
                ratio = seconds / row.fastnet
                times = f"{ratio:>8.3g}x" if math.isfinite(ratio) else f"{'-':>9}"
                line += f"{report.duration(seconds):>15}{times}"
            lines.append(line)
    return "\n".join(lines) if len(lines) > 1 else ""


def tables(rows):
    """The tables of all sweeps that have rows."""
    return "\n\n".join(filter(None, (table(sweep, rows) for sweep in SWEEPS)))
