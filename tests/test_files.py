"""Our reader and writer of safetensors: beside the package of that name, and on hostile bytes."""

import json
import os
import stat
import struct
import subprocess
import sys
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastnet import _files
from fastnet._files import FileFormatError

DTYPES = ["f8", "f4", "f2", "i8", "i4", "i2", "i1", "u8", "u4", "u2", "u1", "?"]


def examples():
    """Every dtype over shapes with none, one and many elements."""
    rng = np.random.default_rng(0)
    return {
        f"{dtype} {shape}": np.asarray(rng.normal(size=shape) * 100).astype(dtype)
        for dtype in DTYPES
        for shape in [(), (1,), (3,), (2, 5), (0,), (3, 0, 2)]
    }


def assert_same(got, expected):
    assert set(got) == set(expected)
    for name, array in expected.items():
        assert got[name].dtype == array.dtype, name
        assert got[name].shape == array.shape, name
        assert got[name].tobytes() == array.tobytes(), name


def assemble(header, data=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def entry(dtype="F32", shape=(2,), offsets=(0, 8)):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets)}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "tensors.safetensors"


def test_round_trip(path):
    metadata = {"format": "x", "remark": 'quoted " and ünï\ncode', "": ""}
    _files.write(path, examples(), metadata)
    tensors, found = _files.read(path)
    assert_same(tensors, examples())
    assert found == metadata
    tensors, found = _files.read_bytes(path.read_bytes())
    assert_same(tensors, examples())
    assert found == metadata
    for array in tensors.values():
        assert array.flags.writeable
        assert array.flags.aligned
        assert array.dtype.isnative


def test_the_package_reads_ours(path, safetensors):
    _files.write(path, examples(), {"a": "b"})
    assert_same(safetensors.numpy.load_file(path), examples())
    with safetensors.safe_open(path, "numpy") as file:
        assert file.metadata() == {"a": "b"}


def test_we_read_those_of_the_package(path, safetensors):
    safetensors.numpy.save_file(examples(), path, metadata={"a": "b"})
    tensors, metadata = _files.read(path)
    assert_same(tensors, examples())
    assert metadata == {"a": "b"}


def test_nothing_in_it(path, safetensors):
    _files.write(path, {}, {})
    assert _files.read(path) == ({}, {})
    assert safetensors.numpy.load_file(path) == {}


@pytest.mark.parametrize("name", ["a", "ab", "abcdefgh", "ä", "层"])
def test_data_begin_on_8_bytes(path, name, safetensors):
    _files.write(path, {name: np.arange(3.0)}, {})
    content = path.read_bytes()
    assert struct.unpack("<Q", content[:8])[0] % 8 == 0
    assert content.endswith(np.arange(3.0).tobytes())
    assert_same(safetensors.numpy.load_file(path), {name: np.arange(3.0)})


def test_layouts(path):
    """Columns, strides, read-only and foreign byte order are written row by row, little-endian."""
    a = np.arange(12.0).reshape(3, 4)
    locked = a.copy()
    locked.flags.writeable = False
    given = {"T": a.T, "step": a[::2, ::-1], "locked": locked, "swapped": a.astype(">f8")}
    _files.write(path, given, {})
    tensors, _ = _files.read(path)
    for name, array in given.items():
        np.testing.assert_array_equal(tensors[name], array)
        assert tensors[name].dtype == np.float64


def test_tensors_at_odd_bytes():
    """The format does not ask for alignment."""
    data = b"\x07" + np.array([1.5, -2.5], "<f4").tobytes()
    content = assemble({"a": entry("U8", (1,), (0, 1)), "b": entry(offsets=(1, 9))}, data)
    tensors, _ = _files.read_bytes(content)
    assert tensors["b"].tolist() == [1.5, -2.5]
    assert tensors["b"].flags.aligned


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_kinds_of_bytes(kind):
    content = assemble({"a": entry()}, struct.pack("<2f", 1, 2))
    tensors, _ = _files.read_bytes(kind(content))
    tensors["a"] += 1  # a copy
    assert content.endswith(struct.pack("<2f", 1, 2))


@pytest.mark.parametrize(
    ("tensors", "metadata", "error"),
    [
        ({"a": np.zeros(2, complex)}, {}, TypeError),
        ({"a": np.array(["x"])}, {}, TypeError),
        ({"a": np.array([None])}, {}, TypeError),
        ({1: np.zeros(2)}, {}, TypeError),
        ({"__metadata__": np.zeros(2)}, {}, ValueError),
        ({"\ud800": np.zeros(2)}, {}, ValueError),
        ({}, {"a": 1}, TypeError),
        ({}, {1: "a"}, TypeError),
    ],
)
def test_what_cannot_be_written(path, tensors, metadata, error):
    path.write_bytes(b"before")
    with pytest.raises(error):
        _files.write(path, tensors, metadata)
    assert path.read_bytes() == b"before"
    assert os.listdir(path.parent) == [path.name]


@pytest.mark.parametrize("function", ["fsync", "replace"])
def test_a_failure_leaves_the_old_file(path, monkeypatch, function):
    path.write_bytes(b"before")

    def fail(*arguments):
        raise OSError("no space left")

    monkeypatch.setattr(os, function, fail)
    with pytest.raises(OSError, match="no space left"):
        _files.write(path, {"a": np.zeros(3)}, {})
    assert path.read_bytes() == b"before"
    assert os.listdir(path.parent) == [path.name]


def test_an_interrupt_leaves_nothing(path, monkeypatch):
    def interrupt(descriptor):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        _files.write(path, {"a": np.zeros(3)}, {})
    assert os.listdir(path.parent) == []


def test_relative_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    _files.write("a.safetensors", {"a": np.zeros(3)})
    assert os.listdir(tmp_path) == ["a.safetensors"]
    assert _files.read("a.safetensors")[1] == {}


def test_long_names(tmp_path):
    path = tmp_path / ("n" * 240)
    _files.write(path, {"a": np.zeros(3)})
    assert_same(_files.read(path)[0], {"a": np.zeros(3)})


@pytest.mark.skipif(os.name != "posix", reason="permissions and links of POSIX")
def test_permissions_and_links(path):
    _files.write(path, {"a": np.zeros(1)})
    plain = path.with_name("plain")
    plain.touch()
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE(plain.stat().st_mode)
    path.chmod(0o640)
    link = path.with_name("link")
    link.symlink_to(path)
    _files.write(link, {"a": np.ones(1)})
    assert link.is_symlink()
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert_same(_files.read(path)[0], {"a": np.ones(1)})


def test_missing_and_irregular_files(tmp_path):
    with pytest.raises(FileNotFoundError):
        _files.read(tmp_path / "missing")
    with pytest.raises(FileNotFoundError):
        _files.write(tmp_path / "no" / "folder", {})
    with pytest.raises(FileFormatError, match="no regular file"):
        _files.read(tmp_path)
    with pytest.raises(OSError, match="directory"):
        _files.write(tmp_path, {})
    assert os.listdir(tmp_path) == []


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes")
def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(FileFormatError, match="no regular file"):
        _files.read(tmp_path / "pipe")
    with pytest.raises(OSError, match="no regular file"):
        _files.write(tmp_path / "pipe", {})


BAD = {
    "empty": (b"", "at least 8 bytes"),
    "seven bytes": (b"1234567", "at least 8 bytes"),
    "header of 2**63": (struct.pack("<Q", 2**63) + b"{}", "at most"),
    "header of 2**64 - 1": (b"\xff" * 8 + b"{}", "at most"),
    "header over the limit": (struct.pack("<Q", _files.MAX_HEADER + 1), "at most"),
    "header past the end": (struct.pack("<Q", 99) + b"{}", "cut off"),
    "no header": (struct.pack("<Q", 0), "begin with"),
    "another kind": (b"\x89PNG\r\n\x1a\n" + bytes(99), "no safetensors"),
    "not JSON": (assemble(b"{nonsense}"), "no JSON"),
    "JSON and more": (assemble(b"{} {}"), "no JSON"),
    "spaces first": (assemble(b" {}"), "begin with"),
    "not UTF-8": (assemble(b'{"\xff": 1}'), "UTF-8"),
    "a list": (assemble(b"[]"), "begin with"),
    "deep lists": (assemble(b'{"a":' + b"[" * 200_000), "JSON|nested"),
    "deep objects": (assemble(b'{"a":' * 200_000), "JSON|nested"),
    "a name twice": (assemble(b'{"a": 1, "a": 1}'), "twice"),
    "a key twice": (assemble(b'{"a": {"dtype": "F32", "dtype": "F32"}}'), "twice"),
    "NaN": (assemble(b'{"a": NaN}'), "NaN"),
    "an infinite number": (assemble(b'{"a": 1e999}'), "1e999"),
    "a number of a million digits": (assemble(b'{"a": ' + b"9" * 10**6 + b"}"), "digits"),
    "minus zero": (assemble(b'{"a": -0}'), "-0"),
    "half a surrogate pair": (assemble({"__metadata__": {"a": "\ud800"}}), "not Unicode"),
    "a name of half a pair": (assemble({"\udc00": entry()}, bytes(8)), "not Unicode"),
    "metadata is a list": (assemble({"__metadata__": []}), "strings"),
    "metadata is null": (assemble({"__metadata__": None}), "strings"),
    "metadata holds a number": (assemble({"__metadata__": {"a": 1}}), "strings"),
    "an entry is a number": (assemble({"a": 1}), "must have"),
    "no dtype": (assemble({"a": {"shape": [], "data_offsets": [0, 4]}}, bytes(4)), "must have"),
    "more keys": (assemble({"a": {**entry(), "b": 1}}, bytes(8)), "must have"),
    "unknown dtype": (assemble({"a": entry("F3")}, bytes(8)), "F3"),
    "dtype is a list": (assemble({"a": entry(["F32"])}, bytes(8)), "dtype"),
    "shape is a number": (assemble({"a": {**entry(), "shape": 2}}, bytes(8)), "shape"),
    "negative size": (assemble({"a": entry(shape=[-2])}, bytes(8)), "from 0 up"),
    "negative sizes": (assemble({"a": entry(shape=[-2, -1])}, bytes(8)), "from 0 up"),
    "size is true": (assemble({"a": entry(shape=[2, True])}, bytes(8)), "from 0 up"),
    "size is a float": (assemble({"a": entry(shape=[2.0])}, bytes(8)), "integers"),
    "size is a string": (assemble({"a": entry(shape=["2"])}, bytes(8)), "from 0 up"),
    "three offsets": (assemble({"a": entry(offsets=[0, 8, 8])}, bytes(8)), "offsets"),
    "negative offsets": (assemble({"a": entry(offsets=[-8, 0])}, bytes(8)), "from 0 up"),
    "offsets turned": (assemble({"a": entry(offsets=[8, 0])}, bytes(8)), "offsets"),
    "offsets past the end": (assemble({"a": entry(offsets=[8, 16])}, bytes(8)), "expected 0"),
    "offsets far away": (assemble({"a": entry(offsets=[2**60, 2**60 + 8])}, bytes(8)), "expected"),
    "too few bytes": (assemble({"a": entry()}, bytes(7)), "has 7"),
    "too many bytes": (assemble({"a": entry()}, bytes(9)), "has 9"),
    "bytes but no tensors": (assemble({}, bytes(8)), "has 8"),
    "shape too small": (assemble({"a": entry(shape=[1])}, bytes(8)), "does not take"),
    "shape too large": (assemble({"a": entry(shape=[3])}, bytes(8)), "does not take"),
    "product wraps to 8": (assemble({"a": entry(shape=[2**62 + 2])}, bytes(8)), "not take"),
    "product wraps to 0": (
        assemble({"a": entry(shape=[2**32, 2**32], offsets=[0, 0])}),
        "does not take",
    ),
    "a giant": (assemble({"a": entry(shape=[10**9, 10**9], offsets=[0, 4 * 10**18])}), "has 0"),
    "200,000 dimensions": (assemble({"a": entry(shape=[2**60] * 200_000)}, bytes(8)), "not take"),
    "ones, 200,000 dimensions": (
        assemble({"a": entry(shape=[1] * 200_000 + [2])}, bytes(8)),
        "cannot be an array",
    ),
    "nothing of 2**64": (
        assemble({"a": entry(shape=[0, 2**64], offsets=[0, 0])}),
        "cannot be an array",
    ),
    "a hole": (
        assemble({"a": entry(), "b": entry(offsets=[12, 20])}, bytes(20)),
        "expected 8",
    ),
    "an overlap": (
        assemble({"a": entry(), "b": entry(offsets=[4, 12])}, bytes(12)),
        "expected 8",
    ),
    "two in one place": (assemble({"a": entry(), "b": entry()}, bytes(8)), "expected 8"),
    "neither true nor false": (assemble({"a": entry("BOOL", [1], [0, 1])}, b"\2"), "neither"),
}


@pytest.mark.parametrize("what", BAD)
def test_bad_files(path, what):
    content, message = BAD[what]
    path.write_bytes(content)
    for read, source in ((_files.read, path), (_files.read_bytes, content)):
        with pytest.raises(FileFormatError, match=message) as caught:
            read(source)
        assert len(str(caught.value)) < 1000


def test_the_helpers_make_good_files(safetensors):
    """What `BAD` changes is what makes the files bad."""
    content = assemble({"a": entry(), "b": entry(offsets=[8, 16])}, bytes(16))
    assert sorted(_files.read_bytes(content)[0]) == ["a", "b"]
    assert sorted(safetensors.numpy.load(content)) == ["a", "b"]


@pytest.mark.parametrize("what", ["a giant", "header of 2**63", "product wraps to 0"])
def test_hostile_sizes_allocate_nothing(path, what):
    path.write_bytes(BAD[what][0])
    tracemalloc.start()
    try:
        with pytest.raises(FileFormatError):
            _files.read(path)
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()


@pytest.fixture(scope="module")
def small():
    header = {
        "__metadata__": {"format": "x"},
        "w": entry("F64", (2, 2), (0, 32)),
        "b": entry("F32", (2,), (32, 40)),
        "n": entry("I64", (), (40, 48)),
    }
    return assemble(header, bytes(range(48)))


@given(st.data())
def test_mutated_bytes(small, safetensors, data):
    """Every damage is refused or gives arrays that fit in the file, as the package reads them."""
    content = bytearray(small)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content) - 1))
        change = data.draw(st.sampled_from(["set", "cut", "insert", "digit"]))
        if change == "set":
            content[at] = data.draw(st.integers(0, 255))
        elif change == "digit":
            content[at] = data.draw(st.sampled_from(b'0123456789-.eE"{}[],:'))
        elif change == "insert":
            content[at:at] = data.draw(st.binary(max_size=4))
        elif at:
            del content[at:]
    try:
        tensors, _ = _files.read_bytes(content)
    except FileFormatError:
        return
    assert sum(array.nbytes for array in tensors.values()) <= len(content)
    assert_same(safetensors.numpy.load(bytes(content)), tensors)


@given(st.binary(max_size=200))
def test_any_bytes(content):
    for prefix in (b"", struct.pack("<Q", len(content))):
        try:
            tensors, metadata = _files.read_bytes(prefix + content)
        except FileFormatError:
            continue
        assert isinstance(tensors, dict)
        assert isinstance(metadata, dict)


def test_without_tensors_no_file_is_needed():
    """The reader is imported for its error alone; it must not bring the extensions along."""
    code = "import sys, fastnet; fastnet.FileFormatError; print('fastnet.nn' in sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "False"
