"""Results of benchmarks: requirements that are met or not, a table to read, a file to keep."""

import json
import math
import os
import platform
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Requirement:
    """A bound on a figure; ``unit`` is for people ("x", "us", "%")."""

    text: str
    value: float
    bound: float
    unit: str
    at_least: bool = False

    @property
    def met(self):
        return self.value >= self.bound if self.at_least else self.value <= self.bound

    def __str__(self):
        return f"{self.text} {'>=' if self.at_least else '<='} {self.bound:g} {self.unit}"


@dataclass
class Figure:
    """One quantity of several libraries, "fastnet" among them.

    ``unit``: "s", "MB", "%", "x", or "" for a plain number; ``errors`` are standard errors of the
    means in ``values``, and ``remark`` says how fastnet compares.
    """

    text: str
    unit: str
    values: dict[str, float]
    errors: dict[str, float] = field(default_factory=dict)
    remark: str = ""

    def as_dict(self):
        return {
            "text": self.text,
            "unit": self.unit,
            "values": {name: finite(value) for name, value in self.values.items()},
            "errors": {name: finite(error) for name, error in self.errors.items()},
            "remark": self.remark,
        }


@dataclass
class Row:
    """One workload.  Times are in seconds, as measured.

    ``scaled`` is the time of fastnet on a processor of the reference peak, ``details`` any further
    numbers by name, ``estimates`` what peers would take that were too slow to be run.  Rows of a
    ``group`` stay out of the main table.
    """

    workload: str
    fastnet: float
    peers: dict[str, float] = field(default_factory=dict)
    requirements: list[Requirement] = field(default_factory=list)
    scaled: float | None = None
    note: str = ""
    details: dict[str, float] = field(default_factory=dict)
    figures: list[Figure] = field(default_factory=list)
    group: str = ""
    estimates: dict[str, float] = field(default_factory=dict)

    def as_dict(self):
        record = {
            "workload": self.workload,
            "fastnet": finite(self.fastnet),
            "peers": {name: finite(seconds) for name, seconds in self.peers.items()},
            "target": "; ".join(map(str, self.requirements)) or None,
            "note": self.note,
            "scaled": finite(self.scaled),
            "requirements": [
                {"text": str(r), "value": finite(r.value), "unit": r.unit, "met": bool(r.met)}
                for r in self.requirements
            ],
        }
        if self.details:
            record["details"] = {name: finite(value) for name, value in self.details.items()}
        if self.figures:
            record["figures"] = [figure.as_dict() for figure in self.figures]
        if self.group:
            record["group"] = self.group
        if self.estimates:
            record["estimates"] = {name: finite(value) for name, value in self.estimates.items()}
        return record


def finite(x):
    """JSON has no NaN."""
    return x if x is not None and math.isfinite(x) else None


def duration(seconds):
    """A time for people: "3.21 us"."""
    if seconds is None or not math.isfinite(seconds):
        return "-"
    for factor, unit in ((1e9, "ns"), (1e6, "us"), (1e3, "ms")):
        if seconds * factor < 1000:
            return f"{seconds * factor:.3g} {unit}"
    return f"{seconds:.3g} s"


def quantity(value, error, unit):
    """A number for people: "97.5 +- 0.3 %"."""
    if value is None or not math.isfinite(value):
        return "-"
    if unit == "s":
        spread = "" if finite(error) is None else f" +- {duration(error)}"
        return duration(value) + spread
    spread = "" if finite(error) is None else f" +- {error:.2g}"
    return f"{value:.4g}{spread} {unit}".rstrip()


def text(row):
    """The row as lines of a table: times, then a line a requirement, a figure and a peer."""
    scaled = "" if row.scaled is None else f"{duration(row.scaled):>12}"
    lines = [f"{row.workload:<44}{duration(row.fastnet):>12}{scaled}"]
    for requirement in row.requirements:
        value = f"{requirement.value:.3g} {requirement.unit}"
        verdict = "met" if requirement.met else "NOT MET"
        lines.append(f"    {requirement!s:<52}{value:>12}  {verdict}")
    for figure in row.figures:
        lines.append(f"    {figure.text}" + (f": {figure.remark}" if figure.remark else ""))
        for name, value in figure.values.items():
            number = quantity(value, figure.errors.get(name), figure.unit)
            lines.append(f"      {name:<38}{number:>24}")
    for name, seconds in row.peers.items():
        ratio = seconds / row.fastnet
        times = f"{ratio:>11.3g}x" if math.isfinite(ratio) else ""
        lines.append(f"      {name:<38}{duration(seconds):>12}{times}")
    for name, seconds in row.estimates.items():
        lines.append(f"      {name:<38}{'not run':>12}, about {duration(seconds)}")
    if row.note:
        lines.append(f"      note: {row.note}")
    return "\n".join(lines)


HEADER = f"{'workload':<44}{'fastnet':>12}{'scaled':>12}"


def machine():
    """Name of the processor and the operating system."""
    name = platform.processor() or platform.machine()
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                name = line.split(":", 1)[1].strip()
                break
    python = platform.python_version()
    return f"{name}, {os.cpu_count()} processors, {platform.system()}, Python {python}"


def write_json(path, rows, isa, peak_gflops, versions):
    """Write the results; the directory is made where it is missing."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    record = {
        "machine": machine(),
        "isa": isa,
        "peak_gflops": finite(peak_gflops),
        "versions": versions,
        "rows": [row.as_dict() for row in rows],
    }
    path.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
