"""The experiments of the paper: what is counted, what is tested, and when it fails."""

import importlib
import json
import math
import types
from pathlib import Path

import numpy as np
import pytest

from fastnet import neat

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def paper(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))
    return importlib.import_module("benchmarks.neat_paper")


@pytest.fixture
def summary(paper):
    def make(*runs, name="XOR", **fields):
        return paper.summarize(paper.Study(name, neat.tasks.XOR, **fields), list(runs))

    return make


@pytest.fixture
def solved(paper):
    def make(seed, evaluations, hidden=1, connections=7, generalization=None):
        return paper.Run(seed, True, 10, evaluations, hidden, connections, generalization)

    return make


def test_figures_of_a_study(paper, summary, solved):
    runs = solved(0, 1000), solved(1, 2000, 2, 9), paper.Run(2, False, 20, 6000)
    found = summary(*runs, at_most={"evaluations": 3000, "failures": 0},
                    at_least={"connections": 8}, paper={"evaluations": 900})  # fmt: skip
    assert found.evaluations == 3000
    # deviations -2000, -1000, 3000: 14e6 / 2
    assert found.deviation == pytest.approx(math.sqrt(7e6))
    assert found.error == pytest.approx(math.sqrt(7e6 / 3))
    assert (found.largest, found.failures) == (6000, 1)
    assert (found.hidden, found.connections, found.generalization) == (1.5, 8, None)
    assert [requirement.met for requirement in found.requirements] == [True, False, True]
    text = paper.text(found)
    assert "3,000 +- 1,528 evaluations" in text
    assert "1 of 3 failed" in text
    assert text.count("NOT MET") == 1


def test_ablations_are_compared(paper, summary, solved):
    rows = [
        summary(solved(0, 1000), name=paper.ALL_RULES),
        summary(solved(0, 1500), name=paper.NO_MATING),
        summary(solved(0, 1400), name=f"{paper.FULL}, no growth"),
        summary(solved(0, 9000), name="XOR")]
    for k in range(len(rows)):
        paper.compare_last(rows[: k + 1])
    ratios = [[(r.value, r.bound, r.met) for r in row.requirements] for row in rows]
    assert ratios == [
        [], [(1.5, 1, True)],
        [(1.4, 2, False), (pytest.approx(1400 / 1500), 1, False)], []]  # fmt: skip


def test_a_run_counts_as_the_library_does(paper):
    study = paper.STUDIES[0]
    found = paper.run(study, 1000)
    task = neat.tasks.XOR()
    result = neat.Population(task.config(), seed=1000).run(task, generations=300)
    assert result.solved
    assert vars(found) == {
        "seed": 1000, "solved": True, "generations": result.generations,
        "evaluations": result.evaluations, "hidden": result.best.size[0],
        "connections": result.best.size[1], "generalization": None}  # fmt: skip


def test_failures_cost_what_they_were_given(paper):
    fields = {"population_size": 10, "add_node_rate": 0.0}
    found = paper.run(paper.Study("XOR", neat.tasks.XOR, cap=45, fields=fields), 1000)
    assert (found.solved, found.evaluations, found.hidden) == (False, 45, None)
    found = paper.run(paper.Study("XOR", neat.tasks.XOR, generations=3, fields=fields), 1000)
    assert (found.solved, found.evaluations, found.generations) == (False, 30, 3)


class Task:
    """Species are told apart by what a genome is worth; the test is passed by what is in wins."""

    n_inputs, n_outputs = 2, 1

    def __init__(self, wins):
        self.wins = wins
        self.asked = []

    def solved(self, network, fitness):
        self.asked.append(fitness)
        return fitness in self.wins


class Script:
    """A population whose species and their fitness in each generation are given."""

    def __init__(self, generations):
        self.generations = generations
        self.config = types.SimpleNamespace(population_size=4)
        self.evaluations = 0
        self.best = {}

    def run(self, task, generations, target):
        assert (generations, target) == (1, math.inf)
        species, fitness = self.generations[self.evaluations // 4]
        self.evaluations += 4
        self.fitness = np.array(fitness)
        self.species = []
        for number, members in species.items():
            members = sorted(members, key=lambda i: -fitness[i])
            self.best[number] = max(self.best.get(number, -math.inf), fitness[members[0]])
            self.species.append(types.SimpleNamespace(
                id=number, members=members, best_fitness=self.best[number]))
        self.genomes = [
            types.SimpleNamespace(fitness=value, network=lambda: None) for value in fitness]


def test_one_champion_a_generation_is_tested(paper):
    two = {0: [0, 1], 1: [2, 3]}
    generations = [
        (two, [1.0, 5.0, 3.0, 2.0]),    # the best species
        (two, [1.0, 5.0, 3.0, 2.0]),    # tested already: the other one
        (two, [1.0, 5.0, 3.0, 2.0]),    # both are: the best again
        (two, [1.0, 5.0, 3.0, 4.0]),    # the other one improved
        (two, [6.0, 5.0, 7.0, 4.0]),    # both did
        (two, [6.0, 5.0, 1.0, 4.0]),    # the first has waited, the other got worse
    ]  # fmt: skip
    task = Task(wins=())
    assert paper.evolve_tested(Script(generations), task, 6) == (None, 24)
    assert task.asked == [5.0, 3.0, 5.0, 4.0, 7.0, 6.0]
    task = Task(wins=(4.0,))
    champion, evaluations = paper.evolve_tested(Script(generations), task, 6)
    assert champion.fitness == 4.0
    # three generations, and all of the fourth up to it
    assert evaluations == 16


def test_results_are_written(paper, tmp_path, capsys):
    path = tmp_path / "results" / "paper.json"
    paper.main(["--rows", "XOR", "--seeds", "2", "--processes", "1", "--json", str(path)])
    assert "XOR: " in capsys.readouterr().out
    (study,) = json.loads(path.read_text(encoding="utf-8"))["studies"]
    assert (study["name"], study["n_runs"]) == ("XOR", 2)
    columns = study["runs"]             # seed after seed
    assert list(columns) == ["solved", "evaluations", "hidden", "connections"]
    assert columns["solved"] == [True, True]
    assert study["evaluations"] == sum(columns["evaluations"]) / 2


def test_studies_are_listed(paper, capsys):
    assert paper.main(["--list"]) == 0
    assert capsys.readouterr().out.split("\n")[0] == "XOR"
    with pytest.raises(SystemExit):
        paper.main(["--rows", "chess"])
