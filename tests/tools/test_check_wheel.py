"""What may be published: names of wheels, and sets of them."""

import importlib.util
from pathlib import Path

import pytest

TOOL = Path(__file__).parents[2] / "tools" / "check_wheel.py"
pytestmark = pytest.mark.skipif(not TOOL.exists(), reason="tools/ is not with these tests")


@pytest.fixture(scope="module")
def tool():
    spec = importlib.util.spec_from_file_location("fastnet_check_wheel", TOOL)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("fastnet-0.1.0-cp311-cp311-win_amd64.whl", "cp311-win_amd64"),
        ("fastnet-0.1.0-cp314-cp314t-macosx_11_0_arm64.whl", "cp314t-macosx_arm64"),
        ("fastnet-0.1.0-cp315-cp315-macosx_10_15_x86_64.whl", "cp315-macosx_x86_64"),
        (
            "fastnet-0.1.0-cp312-cp312-manylinux_2_27_aarch64.manylinux_2_28_aarch64.whl",
            "cp312-manylinux_aarch64",
        ),
        ("fastnet-0.1.0-cp313-cp313-musllinux_1_2_x86_64.whl", "cp313-musllinux_x86_64"),
    ],
)
def test_identifier(tool, file, expected):
    assert tool.identifier(file) == (expected, "0.1.0")


def release(tool, version="0.1.0"):
    """Names of all files of a release; the platform's version numbers are left out."""
    pairs = [name.split("-") for target in tool.PLATFORMS for name in tool.identifiers(*target)]
    wheels = [f"fastnet-{version}-{abi.rstrip('t')}-{abi}-{tag}.whl" for abi, tag in pairs]
    return [f"fastnet-{version}.tar.gz", *wheels]


def test_a_whole_release_has_no_complaints(tool):
    files = release(tool)
    assert len(files) == 1 + 7 * 8
    assert list(tool.check_release(files)) == []


def test_what_is_missing_or_too_much_is_named(tool):
    files = release(tool)
    (lost,) = (name for name in files if "cp314t-win_arm64" in name)
    files.remove(lost)
    files.append("fastnet-0.1.0-cp310-cp310-win_amd64.whl")
    complaints = list(tool.check_release(files))
    assert [line for line in complaints if "no wheel for cp314t-win_arm64" in line]
    assert [line for line in complaints if "cp310-win_amd64" in line]
    assert len(complaints) == 2


def test_versions_must_agree(tool):
    files = [*release(tool), "fastnet-0.2.0.tar.gz"]
    complaints = list(tool.check_release(files))
    assert any("2 source distributions" in line for line in complaints)
    assert any("0.1.0, 0.2.0" in line for line in complaints)


@pytest.mark.parametrize(
    ("tags", "kernels"),
    [("manylinux_2_28_x86_64", "avx512"), ("win_amd64", "avx2"), ("win_arm64", "baseline")],
)
def test_a_wheel_without_its_vector_kernels_is_refused(tool, tags, kernels):
    complaints = "\n".join(tool.check_wheel([], 0, tags))
    assert f"_kernels/{kernels}_float32 is missing" in complaints
    assert ("avx2" in complaints) == ("arm" not in tags)


def test_sources_in_c_are_told_from_what_was_generated(tool):
    files = [
        *tool.SDIST_FILES, "examples/embed/c/scorer.c", "tests/capi/c_program/program.c",
        "tests/capi/cython_package/consumer.pyx",
    ]  # fmt: skip
    assert list(tool.check_sdist(files)) == []
    generated = ["fastnet/capi.c", "tests/capi/cython_package/consumer.c", "fastnet/a.so"]
    complaints = list(tool.check_sdist([*files, *generated]))
    assert complaints == [f"{name} is generated" for name in generated]
