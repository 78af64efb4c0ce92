"""Write the table of README.md from the results of `python -m benchmarks.dense`.

python benchmarks/table.py                  # benchmarks/results/dense.json into README.md
python benchmarks/table.py --check          # status 1 if README.md has another table
"""

import argparse
import json
import math
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BEGIN, END = "<!-- benchmark:dense -->", "<!-- /benchmark:dense -->"

# first word of a peer's name in the results: heading
LIBRARIES = {
    "numpy": "NumPy",
    "torch": "PyTorch",
    "jax": "JAX",
    "sklearn": "scikit-learn",
    "onnx": "ONNX Runtime",
}


def duration(seconds):
    """A time with three digits and its unit."""
    if seconds is None or not math.isfinite(seconds):
        return "-"
    for factor, unit in ((1e9, "ns"), (1e6, "µs"), (1e3, "ms"), (1, "s")):
        value = float(f"{seconds * factor:.3g}")
        if value < 1000 or unit == "s":
            return f"{value:,.0f} {unit}" if value >= 100 else f"{value:.3g} {unit}"
    return None


def library(peer):
    """The library of a peer such as "torch eager"."""
    word = peer.split()[0]
    return LIBRARIES.get(word, word)


def fastest_of_each(peers):
    """{library: seconds of its fastest way}."""
    best = {}
    for peer, seconds in peers.items():
        if seconds is not None:
            name = library(peer)
            best[name] = min(seconds, best.get(name, math.inf))
    return best


def table(results):
    """The results as Markdown: a sentence about the machine, then a row a workload."""
    rows = [row for row in results["rows"] if row["fastnet"] is not None]
    peers = [fastest_of_each(row["peers"]) for row in rows]
    known = list(LIBRARIES.values())
    found = {name for best in peers for name in best}
    names = [n for n in known if n in found] + sorted(found.difference(known))
    peak = results["peak_gflops"]
    speed = "" if peak is None else f", {peak:.0f} GFLOP/s of float32 multiply-adds on one core"
    lines = [
        f"{results['machine']}; kernels {results['isa']}{speed}. One thread each, medians.",
        "",
    ]
    versions = results.get("versions")
    if versions:
        listed = ", ".join(f"{name} {version}" for name, version in versions.items())
        lines[0] += f" {listed}."
    headings = ["Workload", "fastnet", *names, "fastest other / fastnet"]
    lines.append(f"| {' | '.join(headings)} |")
    lines.append(f"|{'|'.join([' --- '] + [' ---: '] * (len(headings) - 1))}|")
    for row, best in zip(rows, peers, strict=True):
        seconds = row["fastnet"]
        ratio = f"{min(best.values()) / seconds:.3g}" if best and seconds else "-"
        cells = [row["workload"], duration(seconds), *(duration(best.get(n)) for n in names), ratio]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def replace(text, new):
    """The text with what stands between the markers replaced."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the text must hold {BEGIN} and, after it, {END}")
    return f"{before}{BEGIN}\n{new}\n{END}{after}"


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--results", type=Path, default=ROOT / "benchmarks" / "results" / "dense.json"
    )
    parser.add_argument("--readme", type=Path, default=ROOT / "README.md")
    parser.add_argument("--check", action="store_true", help="only compare")
    options = parser.parse_args(argv)
    results = json.loads(options.results.read_text(encoding="utf-8"))
    text = options.readme.read_text(encoding="utf-8")
    new = replace(text, table(results))
    if options.check:
        return int(new != text)
    options.readme.write_text(new, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
