"""The package as a whole: names, laziness, version, typing marker, choice of instruction set."""

import ast
import importlib
import importlib.metadata
import os
import subprocess
import sys
from pathlib import Path

import pytest

import fastnet as fn
from fastnet._kernels import dispatch

PUBLIC = {
    "Activation",
    "Adagrad",
    "Adam",
    "AdamW",
    "Dense",
    "DivergenceError",
    "EarlyStopping",
    "FileFormatError",
    "GeneticAlgorithm",
    "History",
    "LBFGS",
    "LevenbergMarquardt",
    "Loss",
    "Network",
    "PlanarArm",
    "RMSProp",
    "RandomStream",
    "Rprop",
    "SGD",
    "__version__",
    "activations",
    "check_gradient",
    "critical_points",
    "derivative",
    "fit_curve",
    "get_include",
    "get_library",
    "gradient",
    "hessian",
    "isa",
    "load",
    "losses",
    "maximize",
    "minimize",
    "multi_start",
    "optim",
    "plot",
    "random",
    "schedules",
    "show_config",
}


def run_python(code, **environment):
    """A fresh interpreter that sees the fastnet that is tested here; FASTNET_ISA only if given."""
    variables = {k: v for k, v in os.environ.items() if k != "FASTNET_ISA"} | environment
    # The folder of the package, because it may be importable by the working directory only.
    variables["PYTHONPATH"] = str(Path(fn.__file__).parents[1])
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env=variables,
        capture_output=True,
        text=True,
        timeout=120,
    )


def output_of(code, **environment):
    result = run_python(code, **environment)
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_version_is_that_of_the_distribution():
    assert fn.__version__ == importlib.metadata.version("fastnet")


def test_all_has_every_public_name_once():
    assert len(fn.__all__) == len(set(fn.__all__))
    assert set(fn.__all__) >= PUBLIC


@pytest.mark.parametrize("name", sorted(PUBLIC))
def test_every_name_resolves(name):
    assert getattr(fn, name) is getattr(fn, name)


def test_every_name_of_all_resolves():
    for name in fn.__all__:
        assert getattr(fn, name) is not None, name


def test_dir_is_complete_before_anything_is_loaded():
    names = output_of("import fastnet; print(*dir(fastnet))").split()
    assert set(names) >= set(fn.__all__)


def test_star_import():
    names = output_of("from fastnet import *; print(*globals())").split()
    assert set(names) >= set(fn.__all__)


def test_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="'fastnet' has no attribute 'Netwrok'"):
        fn.Netwrok  # noqa: B018


def test_names_are_the_objects_of_their_modules():
    from fastnet.nn.network import Network
    from fastnet.optim import Adam

    assert fn.Network is Network
    assert fn.Adam is Adam
    assert fn.losses is importlib.import_module("fastnet.losses")


def test_classes_can_be_found_by_their_own_module_and_name():
    for name in fn.__all__:
        value = getattr(fn, name)
        if isinstance(value, type):
            assert getattr(importlib.import_module(value.__module__), value.__name__) is value, name


def test_import_loads_nothing_that_is_not_needed():
    loaded = output_of("import sys, fastnet; print(*sys.modules)").split()
    assert "fastnet" in loaded
    early = {name for name in loaded if name.startswith("fastnet.")}
    assert not early & {"fastnet.nn", "fastnet.training", "fastnet.optim", "fastnet.nn.network"}
    assert not {"matplotlib", "tqdm", "safetensors", "numpy.testing", "torch"} & set(loaded)


def test_a_network_loads_no_optional_package():
    code = (
        "import sys, fastnet as fn; net = fn.Network([2, 3, 1], seed=0)\n"
        "net.fit([[0, 1], [1, 0]], [0, 1], epochs=1)\n"
        "print(*sys.modules)"
    )
    assert not {"matplotlib", "tqdm", "safetensors", "torch"} & set(output_of(code).split())


def test_only_the_kernels_that_are_used_are_loaded():
    code = "import sys, fastnet as fn; fn.Network([2, 1]); print(*sys.modules)"
    loaded = output_of(code, FASTNET_ISA="scalar").split()
    kernels = {n for n in loaded if n.startswith("fastnet._kernels.") and "float" in n}
    assert kernels == {"fastnet._kernels.scalar_float32", "fastnet._kernels.scalar_float64"}


@pytest.mark.parametrize("instruction_set", dispatch.supported())
def test_environment_chooses_the_instruction_set(instruction_set):
    chosen = output_of(
        "import fastnet as fn; from fastnet._kernels import dispatch, probe\n"
        "print(dispatch.chosen, fn.isa(), probe.Table(dispatch.chosen, 'float32').isa)",
        FASTNET_ISA=f" {instruction_set.upper()} ",
    ).split()
    assert chosen[0] == chosen[2] == instruction_set
    assert chosen[1] in (instruction_set, "neon")


@pytest.mark.parametrize("wanted", ["", "  "])
def test_without_a_wish_the_best_is_chosen(wanted):
    code = "from fastnet._kernels import dispatch as d; print(d.chosen, d.supported()[-1])"
    chosen, best = output_of(code, FASTNET_ISA=wanted).split()
    assert chosen == best


def test_unknown_instruction_set_is_an_import_error():
    result = run_python("import fastnet as fn; fn.isa()", FASTNET_ISA="avx1024")
    assert result.returncode == 1
    last = result.stderr.strip().splitlines()[-1]
    assert last.startswith("ImportError: FASTNET_ISA='avx1024'")
    assert "scalar, baseline, avx2, avx512" in last


def test_instruction_set_that_is_not_there_is_an_import_error():
    # as on a processor, or in a build, that has only plain C
    code = (
        "import importlib.util as u; find = u.find_spec\n"
        "u.find_spec = lambda name: None if 'avx2' in name else find(name)\n"
        "import fastnet._kernels.dispatch"
    )
    result = run_python(code, FASTNET_ISA="avx2")
    assert result.returncode == 1
    last = result.stderr.strip().splitlines()[-1]
    assert last.startswith("ImportError: FASTNET_ISA='avx2' cannot run here")
    assert "scalar" in last


def test_show_config_names_version_and_instruction_set(capsys):
    fn.show_config()
    text = capsys.readouterr().out
    assert fn.__version__ in text
    assert fn.isa() in text


def test_package_is_typed_and_every_extension_has_a_stub():
    root = Path(fn.__file__).parent
    assert (root / "py.typed").is_file()
    extensions = [p for p in root.rglob("*") if p.suffix in (".so", ".pyd")]
    assert extensions
    for path in extensions:
        name = path.name.split(".", 1)[0]
        if not name.endswith(("_float32", "_float64")):
            assert path.with_name(f"{name}.pyi").is_file(), name


def test_the_stub_of_the_package_has_the_public_names():
    stub = Path(fn.__file__).with_suffix(".pyi")
    for node in ast.parse(stub.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and node.targets[0].id == "__all__":
            assert sorted(ast.literal_eval(node.value)) == sorted(fn.__all__)
            return
    pytest.fail("the stub has no __all__")
