"""The results of Stanley & Miikkulainen 2002, again: how many evaluations evolution needs.

    python -m benchmarks.neat_paper                     # some minutes
    python -m benchmarks.neat_paper --rows XOR          # studies with these words in their names
    python -m benchmarks.neat_paper --seeds 10          # at most so many runs of each
    python -m benchmarks.neat_paper --list

Each study runs seeds 0, 1, 2 ... of one task with the settings of `Config.paper`, but for what the
study is about; the task without velocities has the authors' own settings.  No setting was chosen
by looking at these seeds.  Evaluations are counted as in the paper: those of the generations
before, and those up to the solution.  A run that ends without one counts all it had.
"""

import argparse
import importlib.metadata
import json
import math
import multiprocessing
import os
import statistics
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import fastnet
from benchmarks import report
from benchmarks.report import Requirement
from fastnet import neat

DEFAULT_RESULTS = Path(__file__).parent / "results" / "neat_paper.json"
#: An ablation fails at so many evaluations, and a failure counts them.
CAP = 80_000
FULL = "double pole"
# What the ablations are compared with.  These two differ by some percent, which takes many seeds
# to see; some runs of the others are ten times as long as their mean.
ALL_RULES = f"{FULL}, all rules"
NO_MATING = f"{FULL}, no mating"


@dataclass(frozen=True)
class Study:
    """Runs of one task that differ in their seeds.

    ``generations`` is after how many a run fails, or ``cap`` after how many evaluations;
    ``fields`` of the config differ from the task's.  Where it ``is_tested``, a solution has to
    generalize, which one genome a generation is tested for.  ``at_most`` and ``at_least`` are
    bounds of figures (a key of `Summary`), ``paper`` what the paper has for them.
    """

    name: str
    task: Callable
    n_seeds: int = 100
    generations: int | None = None
    cap: int | None = None
    is_tested: bool = False
    fields: dict = field(default_factory=dict)
    at_most: dict = field(default_factory=dict)
    at_least: dict = field(default_factory=dict)
    paper: dict = field(default_factory=dict)


def double_pole():
    return neat.tasks.DoublePole()


def double_pole_without_velocities():
    return neat.tasks.DoublePole(velocities=False)


# What the file for this task in the authors' program has besides the paper's own differences, which
# are in the task's config.
MEMORY = {"weight_power": 1.8, "survival_threshold": 0.4, "add_node_rate": 0.01,
          "toggle_connection_rate": 0.1, "enable_connection_rate": 0.05}  # fmt: skip

# Section 4.3: a fixed layer of 10 hidden nodes; 1 to 10 of them, connected at random.  What has no
# species starts from these, too: nothing new would survive among networks without hidden nodes.
FIXED = {"initial_hidden": 10, "add_node_rate": 0.0, "add_connection_rate": 0.0}
RANDOM = {"initial_hidden": (1, 10), "initial_connection": 0.5}
ONE_SPECIES = {"compatibility_threshold": 1e9}

STUDIES = (
    Study("XOR", neat.tasks.XOR, generations=300,
          at_most={"evaluations": 6_700, "failures": 0},
          paper={"evaluations": 4_755, "deviation": 2_553, "failures": 0, "hidden": 2.35,
                 "connections": 7.48}),
    Study(FULL, double_pole, generations=200,
          at_most={"evaluations": 4_200, "failures": 0},
          paper={"evaluations": 3_600, "deviation": 2_704, "failures": 0}),
    Study("double pole without velocities", double_pole_without_velocities, n_seeds=20,
          generations=200, is_tested=True, fields=MEMORY,
          at_most={"evaluations": 44_500}, at_least={"generalization": 250},
          paper={"evaluations": 33_184, "deviation": 21_790, "failures": 0,
                 "generalization": 286}),
    Study(ALL_RULES, double_pole, n_seeds=1000, cap=CAP),
    Study(NO_MATING, double_pole, n_seeds=1000, cap=CAP, fields={"crossover_rate": 0.0},
          paper={"evaluations": 5_557, "failures": 0}),
    Study(f"{FULL}, no species, random start", double_pole, n_seeds=400, cap=CAP,
          fields=ONE_SPECIES | RANDOM, paper={"evaluations": 25_600, "failures": 0.25}),
    Study(f"{FULL}, random start", double_pole, n_seeds=400, cap=CAP, fields=RANDOM,
          paper={"evaluations": 23_033, "failures": 0.05}),
    Study(f"{FULL}, no growth", double_pole, n_seeds=400, cap=CAP, fields=FIXED,
          paper={"evaluations": 30_239, "failures": 0.8}),
)  # fmt: skip


@dataclass
class Run:
    """One run: what it cost, and the size of the solution where it found one."""

    seed: int
    solved: bool
    generations: int
    evaluations: int
    hidden: int | None = None
    connections: int | None = None
    generalization: int | None = None


@dataclass
class Summary:
    """A study: means over its runs, of the size of solutions over those that found one."""

    name: str
    runs: list
    requirements: list
    paper: dict

    @property
    def evaluations(self):
        return mean(run.evaluations for run in self.runs)

    @property
    def deviation(self):
        return statistics.stdev(run.evaluations for run in self.runs) if len(self.runs) > 1 else 0.0

    @property
    def error(self):
        return self.deviation / math.sqrt(len(self.runs))

    @property
    def largest(self):
        return max(run.evaluations for run in self.runs)

    @property
    def failures(self):
        return sum(not run.solved for run in self.runs)

    @property
    def generations(self):
        return mean(run.generations for run in self.runs)

    @property
    def hidden(self):
        return mean(run.hidden for run in self.runs)

    @property
    def connections(self):
        return mean(run.connections for run in self.runs)

    @property
    def generalization(self):
        return mean(run.generalization for run in self.runs)

    def as_dict(self):
        figures = ("evaluations", "deviation", "error", "largest", "failures", "generations",
                   "hidden", "connections", "generalization")  # fmt: skip
        return {
            "name": self.name,
            "n_runs": len(self.runs),
            **{name: getattr(self, name) for name in figures},
            "paper": self.paper,
            "requirements": [
                {"text": str(r), "value": r.value, "met": bool(r.met)} for r in self.requirements
            ],
            "runs": {
                name: column for name in ("solved", "evaluations", "hidden", "connections",
                                          "generalization")
                if set(column := [getattr(run, name) for run in self.runs]) != {None}
            },
        }


def mean(values):
    """The mean of those that are not None, None where all are."""
    values = [value for value in values if value is not None]
    return statistics.fmean(values) if values else None


def run(study, seed):
    """The run of a seed."""
    task = study.task()
    population = neat.Population(task.config(**study.fields), seed=seed)
    size = population.config.population_size
    generations = study.generations or math.ceil(study.cap / size)
    cap = study.cap or generations * size
    evolve = evolve_tested if study.is_tested else evolve_plain
    best, evaluations = evolve(population, task, generations)
    if best is None or evaluations > cap:
        return Run(seed, False, population.generation, cap)
    done = Run(seed, True, population.generation, evaluations, *best.size)
    if study.is_tested:
        done.generalization = task.generalization(best.network())
    return done


def evolve_plain(population, task, generations):
    """(the solution or None, evaluations); every genome may be the solution."""
    result = population.run(task, generations=generations)
    return result.best if result.solved else None, result.evaluations


def evolve_tested(population, task, generations):
    """The same where only one genome a generation is tested, by what costs more than its fitness.

    It is the champion of the best species that was not tested since its best fitness improved; of
    the best species where all were.  Tests do not count as evaluations.
    """
    tested = {}
    for _ in range(generations):
        population.run(task, generations=1, target=math.inf)
        species = sorted(
            population.species, key=lambda s: population.fitness[s.members[0]], reverse=True)
        untested = (s for s in species if s.best_fitness > tested.get(s.id, -math.inf))
        chosen = next(untested, species[0])
        tested[chosen.id] = chosen.best_fitness
        position = int(chosen.members[0])
        champion = population.genomes[position]
        if task.solved(champion.network(), champion.fitness):
            size = population.config.population_size
            return champion, population.evaluations - size + position + 1
    return None, population.evaluations


def run_job(job):
    return run(*job)


def summarize(study, runs):
    summary = Summary(study.name, runs, [], study.paper)
    for bounds, at_least in ((study.at_most, False), (study.at_least, True)):
        for name, bound in bounds.items():
            value = getattr(summary, name)
            value = math.nan if value is None else value
            summary.requirements.append(Requirement(name, value, bound, "", at_least))
    return summary


def compare_last(summaries):
    """Requirements of an ablation: how much more it needs than what came before it."""
    last = summaries[-1]
    if not last.name.startswith(f"{FULL},") or last.name == ALL_RULES:
        return
    is_first = last.name == NO_MATING
    for other, least in ((ALL_RULES, 1 if is_first else 2), (NO_MATING, 1)):
        for summary in summaries[:-1]:
            if summary.name == other:
                last.requirements.append(Requirement(
                    f"times the evaluations of {other}", last.evaluations / summary.evaluations,
                    least, "", at_least=True))  # fmt: skip


def text(summary):
    """The study as lines to read."""

    def number(name, digits=0):
        value = getattr(summary, name)
        return "-" if value is None else f"{value:,.{digits}f}"

    lines = [
        f"{summary.name}: {number('evaluations')} +- {number('error')} evaluations "
        f"(deviation {number('deviation')}, largest {number('largest')}), "
        f"{summary.failures} of {len(summary.runs)} failed",
        f"    {number('generations', 1)} generations, {number('hidden', 2)} hidden nodes, "
        f"{number('connections', 2)} connections"
        + ("" if summary.generalization is None
           else f", generalization {number('generalization')} of 625"),
        "    paper: " + ", ".join(f"{name} {value:,}" for name, value in summary.paper.items()),
    ]  # fmt: skip
    for requirement in summary.requirements:
        verdict = "met" if requirement.met else "NOT MET"
        lines.append(f"    {requirement!s:<40}{requirement.value:>12,.4g}  {verdict}")
    return "\n".join(lines)


def write_json(path, summaries):
    try:
        version = importlib.metadata.version("fastnet")
    except importlib.metadata.PackageNotFoundError:
        version = "built in place"
    record = {
        "machine": report.machine(),
        "isa": fastnet.isa(),
        "versions": {"fastnet": version},
    }
    # A line a study: with one a number there would be ten thousand
    studies = ",\n".join(json.dumps(summary.as_dict()) for summary in summaries)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        f'{json.dumps(record)[:-1]}, "studies": [\n{studies}\n]}}\n', encoding="utf-8")


def arguments():
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.neat_paper",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--rows", nargs="+", default=[""], metavar="WORD",
                        help="studies whose name has one of these in it")  # fmt: skip
    parser.add_argument("--seeds", type=int, default=math.inf, help="at most so many runs of each")
    parser.add_argument("--processes", type=int, default=os.cpu_count(), help="one run each")
    parser.add_argument("--json", type=Path, help=f"results, by default {DEFAULT_RESULTS} "
                        "where all was run")  # fmt: skip
    parser.add_argument("--list", action="store_true", help="the studies, and end")
    return parser


def main(argv=None):
    parser = arguments()
    options = parser.parse_args(argv)
    studies = [
        study for study in STUDIES
        if any(word.lower() in study.name.lower() for word in options.rows)
    ]  # fmt: skip
    if options.list:
        print("\n".join(study.name for study in studies))
        return 0
    if not studies:
        parser.error(f"--rows: none has {' or '.join(options.rows)} in its name; see --list")
    summaries = []
    with multiprocessing.get_context("spawn").Pool(options.processes) as pool:
        for study in studies:
            jobs = [(study, seed) for seed in range(min(study.n_seeds, options.seeds))]
            # runs differ much in length: each process takes the next one
            summaries.append(summarize(study, pool.map(run_job, jobs, chunksize=1)))
            compare_last(summaries)
            print(text(summaries[-1]), flush=True)
    met = [requirement.met for summary in summaries for requirement in summary.requirements]
    print(f"\n{sum(met)} of {len(met)} requirements met")
    path = options.json
    if path is None and len(studies) == len(STUDIES) and options.seeds == math.inf:
        path = DEFAULT_RESULTS
    if path is not None:
        write_json(path, summaries)
        print(f"written to {path}")
    return 0 if all(met) else 1


if __name__ == "__main__":
    sys.exit(main())
