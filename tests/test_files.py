"""Files of named arrays: exact, shared with the safetensors package, closed to hostile bytes."""

import contextlib
import json
import os
import struct
import sys
import tracemalloc

import numpy as np
import pytest
import safetensors
import safetensors.numpy
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from fastnet import _files
from fastnet._files import FileFormatError

DTYPES = ["f4", "f8", "f2", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"]
ARRAYS = hnp.arrays(st.sampled_from(DTYPES), hnp.array_shapes(min_dims=0, min_side=0, max_side=4))
# what UTF-8 can hold
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
TENSORS = st.dictionaries(TEXT.filter(lambda name: name != "__metadata__"), ARRAYS, max_size=4)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "arrays.safetensors"


def file_of(header, data=b""):
    """A file with any header: an object to be encoded, or its text."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def entry(dtype="F32", shape=(2,), offsets=(0, 8)):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets)}


def in_memory(tensors, metadata):
    header, arrays = _files.encode(tensors, metadata)
    return header + b"".join(array.tobytes() for array in arrays)


def assert_same(found, expected):
    assert set(found) == set(expected)
    for name, array in expected.items():
        array = np.asarray(array)
        assert found[name].shape == array.shape
        assert found[name].dtype == array.dtype
        assert found[name].tobytes() == array.tobytes()


@given(TENSORS, st.dictionaries(TEXT, TEXT, max_size=3))
def test_round_trip(tensors, metadata):
    found, notes = _files.read_bytes(in_memory(tensors, metadata))
    assert_same(found, tensors)
    assert notes == metadata


@given(TENSORS)
def test_safetensors_reads_ours(tensors):
    assert_same(safetensors.numpy.load(in_memory(tensors, {"k": "v"})), tensors)


@given(TENSORS)
def test_we_read_what_safetensors_writes(tensors):
    found, metadata = _files.read_bytes(safetensors.numpy.save(tensors, {"made by": "others"}))
    assert_same(found, tensors)
    assert metadata == {"made by": "others"}


def test_file(path):
    tensors = {"a": np.arange(6, dtype="f4").reshape(2, 3), "b": np.array([1, 2], "i8")}
    _files.write(path, tensors, {"k": "ü"})
    found, metadata = _files.read(str(path))
    assert_same(found, tensors)
    assert metadata == {"k": "ü"}
    assert found["a"].flags.writeable
    with safetensors.safe_open(path, "np") as file:
        assert file.metadata() == {"k": "ü"}
        assert set(file.keys()) == {"a", "b"}


def test_every_layout_is_written_as_its_values(path):
    base = np.arange(24, dtype="f8").reshape(4, 6)
    tensors = {
        "transposed": base.T,
        "strided": base[::2, ::-1],
        "fortran": np.asfortranarray(base),
        "big-endian": base.astype(">f8"),
        "scalar": np.float32(2.5),
        "read-only": np.broadcast_to(np.float32(1), (3, 2)),
    }
    _files.write(path, tensors, {})
    found, metadata = _files.read(path)
    assert metadata == {}
    for name, array in tensors.items():
        assert found[name].dtype.isnative
        np.testing.assert_array_equal(found[name], array)


def test_data_is_aligned():
    """Arrays mapped from the file can be used in place."""
    tensors = {"a": np.zeros(3, "u1"), "b": np.zeros(1, "f8"), "c": np.zeros(1, "f4")}
    data = in_memory(tensors, {"k": "odd"})
    (length,) = struct.unpack("<Q", data[:8])
    assert length % 8 == 0
    header = json.loads(data[8 : 8 + length])
    for name, array in tensors.items():
        assert header[name]["data_offsets"][0] % array.itemsize == 0


@pytest.mark.parametrize(
    ("tensors", "metadata", "error"),
    [
        ({"a": np.zeros(2, complex)}, {}, TypeError),
        ({"a": np.array(["x"])}, {}, TypeError),
        ({"a": np.array([None])}, {}, TypeError),
        ({"__metadata__": np.zeros(2)}, {}, ValueError),
        ({3: np.zeros(2)}, {}, ValueError),
        ({"\ud800": np.zeros(2)}, {}, ValueError),
        ({"a": np.zeros(2)}, {"k": 3}, TypeError),
        ({"a": np.zeros(2)}, {3: "v"}, TypeError),
    ],
)
def test_what_cannot_be_written_leaves_no_file(path, tensors, metadata, error):
    with pytest.raises(error):
        _files.write(path, tensors, metadata)
    assert list(path.parent.iterdir()) == []


def test_header_limit_when_writing(monkeypatch, path):
    monkeypatch.setattr(_files, "HEADER_LIMIT", 64)
    with pytest.raises(ValueError, match="header"):
        _files.write(path, {"a": np.zeros(2)}, {"k": "v" * 64})


@pytest.mark.parametrize("function", ["fsync", "replace"])
def test_failed_write_leaves_the_old_file(monkeypatch, path, function):
    _files.write(path, {"a": np.zeros(2)}, {})
    old = path.read_bytes()

    def fail(*arguments):
        raise OSError("no space left on device")

    monkeypatch.setattr(os, function, fail)
    with pytest.raises(OSError, match="no space"):
        _files.write(path, {"a": np.ones(3)}, {})
    assert path.read_bytes() == old
    assert list(path.parent.iterdir()) == [path]


def test_replacing(path):
    _files.write(path, {"a": np.zeros(200)}, {})
    _files.write(path, {"b": np.ones(3)}, {})
    assert_same(_files.read(path)[0], {"b": np.ones(3)})
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
def test_link_is_followed(path):
    target = path.with_name("target")
    path.symlink_to(target)
    _files.write(path, {"a": np.zeros(2)}, {})
    assert path.is_symlink()
    assert_same(_files.read(target)[0], {"a": np.zeros(2)})


@pytest.mark.skipif(sys.platform == "win32", reason="no such modes there")
def test_mode_follows_the_mask(path):
    mask = os.umask(0o027)
    try:
        _files.write(path, {}, {})
    finally:
        os.umask(mask)
    assert path.stat().st_mode & 0o777 == 0o640


def test_missing(tmp_path):
    with pytest.raises(FileNotFoundError):
        _files.read(tmp_path / "missing")
    with pytest.raises(FileNotFoundError):
        _files.write(tmp_path / "no" / "file", {}, {})
    with pytest.raises(OSError):  # noqa: PT011  its kind depends on the platform
        _files.read(tmp_path)


LARGEST = 2**63 - 1
REFUSED = {
    "nothing": b"",
    "seven bytes": b"\0" * 7,
    "no header": struct.pack("<Q", 0),
    "empty header": file_of(b""),
    "length of header": struct.pack("<Q", 2**64 - 1) + b"{}",
    "header past the end": struct.pack("<Q", 3) + b"{}",
    "not UTF-8": file_of(b'{"\xff": 1}'),
    "not JSON": file_of(b'{"a": }'),
    "space in front": file_of(b' {"a":1}'),
    "list": file_of([]),
    "number": file_of(3),
    "cut": file_of(b'{"a": {"dtype": "F32"'),
    "two objects": file_of(b"{}{}"),
    "zero bytes behind": file_of(b"{}\0\0"),
    "deep": file_of(b'{"a":' + b"[" * 200_000),
    "duplicate tensor": file_of(
        b'{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},'
        b'"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}',
        b"x",
    ),
    "duplicate key": file_of(b'{"a":{"dtype":"U8","dtype":"U8","shape":[0],"data_offsets":[0,0]}}'),
    "duplicate metadata": file_of(b'{"__metadata__":{"k":"v","k":"v"}}'),
    "NaN": file_of(b'{"a":{"dtype":"U8","shape":[NaN],"data_offsets":[0,0]}}'),
    "huge number": file_of(b'{"a":{"dtype":"U8","shape":[' + b"9" * 10_000 + b"]}}"),
    "metadata is a list": file_of({"__metadata__": []}),
    "metadata is null": file_of({"__metadata__": None}),
    "metadata of numbers": file_of({"__metadata__": {"k": 1}}),
    "metadata nested": file_of({"__metadata__": {"k": {"k": "v"}}}),
    "entry is null": file_of({"a": None}),
    "entry is empty": file_of({"a": {}}),
    "no offsets": file_of({"a": {"dtype": "F32", "shape": [2]}}, b"x" * 8),
    "unknown key": file_of({"a": entry() | {"strides": [4]}}, b"x" * 8),
    "unknown dtype": file_of({"a": entry("F33")}, b"x" * 8),
    "dtype is a list": file_of({"a": entry(["F32"])}, b"x" * 8),
    "bfloat16": file_of({"a": entry("BF16", (4,))}, b"x" * 8),
    "negative length": file_of({"a": entry(shape=(-2,))}, b"x" * 8),
    "two negative lengths": file_of({"a": entry(shape=(-1, -2))}, b"x" * 8),
    "fractional length": file_of({"a": entry(shape=(2.0,))}, b"x" * 8),
    "boolean length": file_of({"a": entry(shape=(True, 2))}, b"x" * 8),
    "text for a length": file_of({"a": entry(shape=("2",))}, b"x" * 8),
    "shape is a number": file_of({"a": entry() | {"shape": 2}}, b"x" * 8),
    "shape too large": file_of({"a": entry(shape=(3,))}, b"x" * 8),
    "shape too small": file_of({"a": entry(shape=(1,))}, b"x" * 8),
    "overflow to 8": file_of({"a": entry(shape=(2**62 + 2,))}, b"x" * 8),
    "overflow to 0": file_of({"a": entry(shape=(2**32, 2**32), offsets=(0, 0))}),
    "more than 64 bits": file_of({"a": entry(shape=(2**64 + 2,))}, b"x" * 8),
    "empty of impossible shape": file_of({"a": entry(shape=(0, LARGEST, 9), offsets=(0, 0))}),
    "too many dimensions": file_of({"a": entry("U8", (1,) * 65, (0, 1))}, b"x"),
    "exabyte": file_of({"a": entry("U8", (2**60,), (0, 2**60))}, b"x" * 8),
    "offsets backwards": file_of({"a": entry(offsets=(8, 0))}, b"x" * 8),
    "negative offsets": file_of({"a": entry(offsets=(-8, 0))}, b"x" * 8),
    "one offset": file_of({"a": entry(offsets=(0,))}, b"x" * 8),
    "three offsets": file_of({"a": entry(offsets=(0, 8, 8))}, b"x" * 8),
    "fractional offset": file_of({"a": entry(offsets=(0, 8.0))}, b"x" * 8),
    "hole in front": file_of({"a": entry(offsets=(8, 16))}, b"x" * 16),
    "hole": file_of({"a": entry(), "b": entry(offsets=(16, 24))}, b"x" * 24),
    "overlap": file_of({"a": entry(), "b": entry(offsets=(4, 12))}, b"x" * 12),
    "same place": file_of({"a": entry(), "b": entry()}, b"x" * 8),
    "bytes behind": file_of({"a": entry()}, b"x" * 9),
    "bytes without tensors": file_of({}, b"x"),
    "data cut": file_of({"a": entry()}, b"x" * 7),
    "no data": file_of({"a": entry()}),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(path, name):
    with pytest.raises(FileFormatError) as error:
        _files.read_bytes(REFUSED[name])
    assert len(str(error.value)) > 10
    path.write_bytes(REFUSED[name])
    with pytest.raises(FileFormatError):
        _files.read(path)


def test_accepted():
    """What the format allows although we do not write it."""
    data = np.arange(2, dtype="f4").tobytes()
    for header in (
        json.dumps({"a": entry()}).encode() + b"   ",
        json.dumps({"__metadata__": {}, "a": entry()}).encode(),
        json.dumps({"empty": entry(shape=(0, 7), offsets=(8, 8)), "a": entry()}).encode(),
    ):
        tensors, metadata = _files.read_bytes(file_of(header, data))
        np.testing.assert_array_equal(tensors["a"], [0, 1])
        assert metadata == {}
    assert _files.read_bytes(file_of({})) == ({}, {})


def test_hostile_sizes_allocate_nothing():
    """Claims of up to an exabyte cost no more than the file is long."""
    tracemalloc.start()
    try:
        for content in REFUSED.values():
            if len(content) < 1000:
                tracemalloc.reset_peak()
                before = tracemalloc.get_traced_memory()[0]
                with contextlib.suppress(FileFormatError):
                    _files.read_bytes(content)
                assert tracemalloc.get_traced_memory()[1] - before < 100_000
    finally:
        tracemalloc.stop()


def test_file_that_shrinks_while_it_is_read(monkeypatch, path):
    _files.write(path, {"a": np.zeros(1000)}, {})
    size = path.stat().st_size
    path.write_bytes(path.read_bytes()[:-8])
    stat = os.stat_result((0,) * 6 + (size,) + (0,) * 3)
    monkeypatch.setattr(os, "fstat", lambda descriptor: stat)
    with pytest.raises(FileFormatError, match="shorter"):
        _files.read(path)


VALID = in_memory(
    {"weights": np.ones((3, 2), "f4"), "biases": np.zeros(2, "f4"), "n": np.array(3, "i8")},
    {"format": "test"},
)


@given(st.data())
def test_mutated_bytes(data):
    """Any damage is a FileFormatError, or leaves arrays that fill the file."""
    content = bytearray(VALID)
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(content)))
        length = data.draw(st.integers(0, 8))
        content[start : start + length] = data.draw(st.binary(max_size=8))
    try:
        tensors, metadata = _files.read_bytes(bytes(content))
    except FileFormatError:
        return
    (length,) = struct.unpack("<Q", content[:8])
    assert sum(array.nbytes for array in tensors.values()) == len(content) - 8 - length
    assert all(isinstance(text, str) for pair in metadata.items() for text in pair)


@given(st.binary(max_size=64))
def test_any_header(text):
    with contextlib.suppress(FileFormatError):
        _files.read_bytes(file_of(b"{" + text))
