"""Write the tables of README.md from the results of the benchmarks.

They are what `python -m benchmarks.dense --all` and `python -m benchmarks.neat`, `.neat_paper` and
`.embed` have left in benchmarks/results.

python benchmarks/table.py                  # dense.json, neat.json ... into README.md
python benchmarks/table.py --check          # status 1 if README.md has another table
"""

import argparse
import json
import math
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"
#: Each has results NAME.json, and a table between its markers where there are any.
NAMES = ("dense", "neat", "neat_paper", "embed")

# first word of a peer's name in the results: heading
LIBRARIES = {
    "numpy": "NumPy",
    "torch": "PyTorch",
    "jax": "JAX",
    "sklearn": "scikit-learn",
    "onnx": "ONNX Runtime",
}


def markers(name):
    """What stands before and after the table of this name."""
    return f"<!-- benchmark:{name} -->", f"<!-- /benchmark:{name} -->"


BEGIN, END = markers("dense")


def duration(seconds):
    """A time with three digits and its unit."""
    if seconds is None or not math.isfinite(seconds):
        return "-"
    for factor, unit in ((1e9, "ns"), (1e6, "µs"), (1e3, "ms"), (1, "s")):
        value = float(f"{seconds * factor:.3g}")
        if value < 1000 or unit == "s":
            return f"{value:,.0f} {unit}" if value >= 100 else f"{value:.3g} {unit}"
    return None


def times(ratio):
    """A ratio to three figures."""
    return f"{float(f'{ratio:.3g}'):,.0f}" if ratio >= 100 else f"{ratio:.3g}"


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


def in_order(found):
    """Names of libraries, those that are known first."""
    known = list(LIBRARIES.values())
    return [n for n in known if n in found] + sorted(found.difference(known))


def heading(names):
    """The first two lines of a table whose first column is text."""
    return [f"| {' | '.join(names)} |", f"|{'|'.join([' --- '] + [' ---: '] * (len(names) - 1))}|"]


def quantity(value, error, unit):
    """A number with its standard error, which decides how many digits are shown, and its unit."""
    if value is None or not math.isfinite(value):
        return "-"
    if unit == "s":
        factor, unit = next(
            ((f, u) for f, u in ((1e9, "ns"), (1e6, "µs"), (1e3, "ms")) if abs(value) * f < 999.5),
            (1, "s"),
        )
        value, error = value * factor, None if error is None else error * factor
    if error is not None and math.isfinite(error) and error > 0:
        # One digit of the error, two where the first is 1
        digits = max(0, -math.floor(math.log10(error / 1.95)))
        number = f"{value:,.{digits}f} ± {error:.{digits}f}"
    else:
        digits = 2 - math.floor(math.log10(abs(value))) if value else 0
        number = f"{value:,.{max(0, digits)}f}"
        number = number.rstrip("0").rstrip(".") if "." in number else number
    return f"{number} {unit}".rstrip()


def figures_table(results):
    """Accuracy, threads, memory and disk space: a row a figure; no lines where there is none."""
    figures = [figure for row in results["rows"] for figure in row.get("figures", ())]
    figures = [figure for figure in figures if figure["values"].get("fastnet") is not None]
    if not figures:
        return []
    found = {library(name) for figure in figures for name in figure["values"]} - {"fastnet"}
    names = in_order(found)
    lines = heading(["Figure", "fastnet", *names, "Others / fastnet"])
    for figure in figures:
        cells = {
            library(name): quantity(value, figure["errors"].get(name), figure["unit"])
            for name, value in figure["values"].items()
        }
        cells = [cells.get(name, "-") for name in ("fastnet", *names)]
        lines.append(f"| {figure['text']} | {' | '.join(cells)} | {figure['remark'] or '-'} |")
    return ["", "Means ± standard errors over seeds; equal: less than 2 combined errors apart.", "",
            *lines]  # fmt: skip


def conditions(results):
    """What was measured on, in a sentence without its full stop."""
    peak = results["peak_gflops"]
    speed = "" if peak is None else f", {peak:.0f} GFLOP/s of float32 multiply-adds on one core"
    return f"{results['machine']}; kernels {results['isa']}{speed}"


def listed(results):
    """The versions, in a sentence after others; nothing where there are none."""
    versions = results.get("versions")
    if not versions:
        return ""
    return " " + ", ".join(f"{name} {version}" for name, version in versions.items()) + "."


def table(results):
    """The results as Markdown: a sentence about the machine, a row a workload, then the figures."""
    rows = [row for row in results["rows"] if row["fastnet"] is not None and not row.get("group")]
    peers = [fastest_of_each(row["peers"]) for row in rows]
    slow = [fastest_of_each(row.get("estimates", {})) for row in rows]
    names = in_order({name for best in peers + slow for name in best})
    lines = [f"{conditions(results)}. One thread each, medians.{listed(results)}", ""]
    lines += heading(["Workload", "fastnet", *names, "fastest other / fastnet"])
    for row, best, estimates in zip(rows, peers, slow, strict=True):
        seconds = row["fastnet"]
        ratio = times(min(best.values()) / seconds) if best and seconds else "-"
        others = [
            f"about {duration(estimates[n])}, not run" if n in estimates else duration(best.get(n))
            for n in names
        ]
        lines.append(f"| {' | '.join([row['workload'], duration(seconds), *others, ratio])} |")
    return "\n".join(lines + figures_table(results))


def studies_table(results):
    """The studies of evolution as Markdown, a row each, beside what the paper has."""

    def number(value, digits=0):
        return "-" if value is None else f"{value:,.{digits}f}"

    lines = heading(
        ["Task", "evaluations", "paper", "deviation", "failed", "hidden nodes", "connections",
         "generalization"])  # fmt: skip
    for study in results["studies"]:
        cells = [
            study["name"],
            quantity(study["evaluations"], study["error"], ""),
            number(study["paper"].get("evaluations")),
            number(study["deviation"]),
            f"{study['failures']} of {study['n_runs']}",
            number(study["hidden"], 2),
            number(study["connections"], 2),
            number(study["generalization"]),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def languages_table(results):
    """Calls from other languages as Markdown: a row a network, independent and dependent calls."""
    kinds = ("independent", "dependent")
    found = {}
    for row in results["rows"]:
        name, _, kind = row["workload"].rpartition(", ")
        found.setdefault(name, {})[kind] = {"C": row["fastnet"], **row["peers"]}
    ways = dict.fromkeys(way for row in found.values() for times in row.values() for way in times)
    ways = [way for way in ways if way != "kernel"]
    lines = heading(["Network", *(f"`{way}`" if "(" in way else way for way in ways)])
    for name, row in found.items():
        cells = [[row.get(kind, {}).get(way) for kind in kinds] for way in ways]
        cells = [" / ".join("-" if seconds is None else f"{float(f'{seconds * 1e9:.3g}'):g}"
                            for seconds in pair) for pair in cells]  # fmt: skip
        lines.append(f"| {' | '.join([name, *cells])} |")
    first = (f"{conditions(results)}. One thread, medians in ns: independent calls / calls whose "
             f"outputs are the next one's inputs.{listed(results)}")  # fmt: skip
    return "\n".join([first, "", *lines])


#: Of the names that have another table than most
MAKERS = {"neat_paper": studies_table, "embed": languages_table}


def replace(text, new, name="dense"):
    """The text with what stands between the markers of this name replaced."""
    first, last = markers(name)
    before, begin, rest = text.partition(first)
    _, end, after = rest.partition(last)
    if not begin or not end:
        raise ValueError(f"the text must hold {first} and, after it, {last}")
    return f"{before}{first}\n{new}\n{last}{after}"


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--results", type=Path, nargs="+", help="files named as their tables, by "
                        "default all that are there")  # fmt: skip
    parser.add_argument("--readme", type=Path, default=ROOT / "README.md")
    parser.add_argument("--check", action="store_true", help="only compare")
    options = parser.parse_args(argv)
    paths = options.results
    if paths is None:
        paths = [path for name in NAMES if (path := RESULTS / f"{name}.json").exists()]
    text = new = options.readme.read_text(encoding="utf-8")
    for path in paths:
        results = json.loads(path.read_text(encoding="utf-8"))
        new = replace(new, MAKERS.get(path.stem, table)(results), path.stem)
    if options.check:
        return int(new != text)
    options.readme.write_text(new, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
