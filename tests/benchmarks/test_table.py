"""The table of README.md is made of the results, and of nothing else."""

import importlib.util
import json
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "benchmarks" / "results" / "dense.json"


@pytest.fixture(scope="module")
def table():
    spec = importlib.util.spec_from_file_location(
        "fastnet_benchmark_table", ROOT / "benchmarks" / "table.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def results():
    def row(workload, fastnet, peers):
        return {
            "workload": workload,
            "fastnet": fastnet,
            "peers": peers,
            "target": None,
            "note": "",
        }

    return {
        "machine": "A computer",
        "isa": "avx2",
        "peak_gflops": 120.4,
        "rows": [
            row("train", 2e-6, {"torch eager": 3e-4, "torch compile": 1e-4, "numpy": 5e-5}),
            row("slower here", 2e-3, {"jax": 1e-3, "torch eager": None}),
            row("alone", 45.26e-9, {}),
            row("not measured", None, {"numpy": 1.0}),
        ],
    }


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (45.26e-9, "45.3 ns"),
        (1e-9, "1 ns"),
        (999.4e-9, "999 ns"),
        (999.6e-9, "1 µs"),
        (0.0123456, "12.3 ms"),
        (2.5, "2.5 s"),
        (4321.0, "4,320 s"),
        (None, "-"),
        (float("nan"), "-"),
    ],
)
def test_durations(table, seconds, text):
    assert table.duration(seconds) == text


def test_table(table, results):
    lines = table.table(results).splitlines()
    assert lines[0] == (
        "A computer; kernels avx2, 120 GFLOP/s of float32 multiply-adds on one core. "
        "One thread each, medians."
    )
    assert lines[1:] == [
        "",
        "| Workload | fastnet | NumPy | PyTorch | JAX | fastest other / fastnet |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
        "| train | 2 µs | 50 µs | 100 µs | - | 25 |",
        "| slower here | 2 ms | - | - | 1 ms | 0.5 |",
        "| alone | 45.3 ns | - | - | - | - |",
    ]


@pytest.mark.parametrize(
    ("value", "error", "unit", "text"),
    [
        (97.4567, 0.218, "%", "97.5 ± 0.2 %"),
        (97.4567, 0.0655, "%", "97.46 ± 0.07 %"),
        (0.4832, 0.0123, "", "0.483 ± 0.012"),
        (98.4, 12.3, "%", "98 ± 12 %"),
        (12.34e-3, 0.41e-3, "s", "12.3 ± 0.4 ms"),
        (1.8291, None, "x", "1.83 x"),
        (865.21, None, "MB", "865 MB"),
        (1234.5, None, "MB", "1,234 MB"),
        (0.0, 0.0, "MB", "0 MB"),
        (1.5, float("nan"), "s", "1.5 s"),
        (None, None, "s", "-"),
    ],
)
def test_quantities(table, value, error, unit, text):
    assert table.quantity(value, error, unit) == text


def test_figures_have_a_table_of_their_own(table, results):
    def figure(text, unit, values, errors=(), remark=""):
        return {"text": text, "unit": unit, "values": values, "errors": dict(errors),
                "remark": remark}  # fmt: skip

    alone = table.table(results)
    further = {"workload": "accuracy", "fastnet": 0.01, "peers": {}, "group": "accuracy"}
    further["figures"] = [
        figure("score", "%", {"fastnet": 97.0, "torch": 96.0}, {"fastnet": 0.5}, "equal"),
        figure("threads", "x", {"fastnet": 1.85}),
        figure("unknown", "x", {"fastnet": None, "jax": 1.0}),
    ]
    results["rows"] += [further, further | {"workload": "width 8", "figures": []}]
    text = table.table(results)
    assert text.startswith(alone + "\n\n")
    assert text.removeprefix(alone).splitlines()[4:] == [
        "| Figure | fastnet | PyTorch | Others / fastnet |",
        "| --- | ---: | ---: | ---: |",
        "| score | 97.0 ± 0.5 % | 96 % | equal |",
        "| threads | 1.85 x | - | - |",
    ]


def test_only_what_is_between_the_markers_changes(table, results, tmp_path):
    readme, data = tmp_path / "README.md", tmp_path / "dense.json"
    readme.write_text(f"before\n{table.BEGIN}\nold\n{table.END}\nafter ü\n", encoding="utf-8")
    data.write_text(json.dumps(results), encoding="utf-8")
    arguments = ["--results", str(data), "--readme", str(readme)]
    assert table.main([*arguments, "--check"]) == 1
    assert table.main(arguments) == 0
    assert table.main([*arguments, "--check"]) == 0
    expected = f"before\n{table.BEGIN}\n{table.table(results)}\n{table.END}\nafter ü\n"
    assert readme.read_text(encoding="utf-8") == expected


@pytest.mark.parametrize("text", ["", "{END}{BEGIN}", "{BEGIN}"])
def test_missing_markers(table, text):
    with pytest.raises(ValueError, match="benchmark:dense"):
        table.replace(text.format(BEGIN=table.BEGIN, END=table.END), "new")


@pytest.mark.skipif(not RESULTS.exists(), reason="there are no results")
def test_the_readme_is_up_to_date(table):
    assert table.main(["--check"]) == 0


def test_studies_have_a_table_of_their_own(table):
    def study(name, **figures):
        unknown = dict.fromkeys(("hidden", "connections", "generalization"))
        return {"name": name, "n_runs": 20, "failures": 0} | unknown | figures

    results = {"studies": [
        study("XOR", evaluations=4755.4, error=255.3, deviation=2553.0, hidden=2.346,
              connections=7.482, paper={"evaluations": 4755}),
        study("poles", evaluations=80000.0, error=0.0, deviation=0.0, failures=20,
              generalization=286.4, paper={}),
    ]}  # fmt: skip
    assert table.studies_table(results).splitlines()[2:] == [
        "| XOR | 4,755 ± 255 | 4,755 | 2,553 | 0 of 20 | 2.35 | 7.48 | - |",
        "| poles | 80,000 | - | 0 | 20 of 20 | - | - | 286 |",
    ]


def test_languages_have_a_table_of_their_own(table):
    def row(workload, seconds, **peers):
        return {"workload": workload, "fastnet": seconds, "peers": peers}

    results = {
        "machine": "A computer", "isa": "avx2", "peak_gflops": None, "versions": {"numba": "1.2"},
        "rows": [
            row("8x8 tanh, independent", 12.34e-9, kernel=1e-9, numba=12e-9, **{"net(x)": 1e-7}),
            row("8x8 tanh, dependent", 23.46e-9, kernel=1e-9, numba=None, **{"net(x)": 1.234e-6}),
            row("5 connections, recurrent step, dependent", 40e-9, kernel=1e-9, numba=41.5e-9),
        ],
    }  # fmt: skip
    assert table.languages_table(results).splitlines() == [
        "A computer; kernels avx2. One thread, medians in ns: independent calls / calls whose "
        "outputs are the next one's inputs. numba 1.2.",
        "",
        "| Network | C | numba | `net(x)` |",
        "| --- | ---: | ---: | ---: |",
        "| 8x8 tanh | 12.3 / 23.5 | 12 / - | 100 / 1230 |",
        "| 5 connections, recurrent step | - / 40 | - / 41.5 | - / - |",
    ]
