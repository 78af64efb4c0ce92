"""Named arrays in safetensors files, read without trust.

A file is the length of the header (8 bytes, little-endian), the header (JSON: name -> dtype, shape
and the first and last byte of the data; ``__metadata__`` -> strings) and the data, without a hole:
https://github.com/huggingface/safetensors.  Nothing that a header claims is believed before it
fits the size of the file, so a hostile one costs no more memory than it has bytes.
"""

import io
import json
import os
import secrets
import struct
import sys

import numpy as np

HEADER_LIMIT = 100_000_000
ALIGNMENT = 8
MAX_DIMENSIONS = 32

DTYPES = {
    "F64": np.dtype("<f8"),
    "F32": np.dtype("<f4"),
    "F16": np.dtype("<f2"),
    "I64": np.dtype("<i8"),
    "I32": np.dtype("<i4"),
    "I16": np.dtype("<i2"),
    "I8": np.dtype("i1"),
    "U64": np.dtype("<u8"),
    "U32": np.dtype("<u4"),
    "U16": np.dtype("<u2"),
    "U8": np.dtype("u1"),
}
NAMES = {dtype: name for name, dtype in DTYPES.items()}


class FileFormatError(ValueError):
    """A file is damaged, or is not of the kind it should be."""


def encode(tensors, metadata):
    """The header with its length in front, and the arrays in the order of the data.

    Parameters
    ----------
    tensors : dict of ndarray
    metadata : dict of str

    Returns
    -------
    tuple of bytes and list of ndarray
    """
    arrays = {}
    for name, value in tensors.items():
        array = np.asarray(value)
        dtype = array.dtype.newbyteorder("<")
        if not isinstance(name, str) or name == "__metadata__":
            raise ValueError(f"{name!r} cannot be the name of a tensor")
        if dtype not in NAMES:
            raise TypeError(f"tensor {name!r} has dtype {array.dtype}: expected real numbers")
        arrays[name] = np.asarray(array, dtype, order="C")
    for key, value in metadata.items():
        if not isinstance(key, str) or not isinstance(value, str):
            raise TypeError(f"metadata must map str to str, got {key!r}: {value!r}")
    # Larger items first, so that every array begins at a multiple of its item size
    arrays = dict(sorted(arrays.items(), key=lambda item: -item[1].itemsize))
    header = {"__metadata__": dict(metadata)} if metadata else {}
    end = 0
    for name, array in arrays.items():
        start, end = end, end + array.nbytes
        header[name] = {
            "dtype": NAMES[array.dtype],
            "shape": list(array.shape),
            "data_offsets": [start, end],
        }
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % ALIGNMENT)
    if len(text) > HEADER_LIMIT:
        raise ValueError(f"the header has {len(text)} bytes: the format allows {HEADER_LIMIT}")
    return struct.pack("<Q", len(text)) + text, list(arrays.values())


def write(path, tensors, metadata):
    """Write the arrays, replacing what is at ``path`` at once.

    Whoever reads ``path`` sees the old file or the new one; an error leaves the old one.

    Parameters
    ----------
    path : str or os.PathLike
    tensors : dict of ndarray
        Real numbers of any shape, layout and byte order.
    metadata : dict of str

    Raises
    ------
    OSError
        The file cannot be written.
    """
    header, arrays = encode(tensors, metadata)
    # The file behind a symbolic link is replaced, not the link
    target = os.path.realpath(os.fspath(path))
    temporary = f"{target}.{secrets.token_hex(8)}.tmp"
    try:
        with open(temporary, "xb") as file:
            file.write(header)
            for array in arrays:
                file.write(as_bytes(array))
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except BaseException:
        if os.path.lexists(temporary):
            os.unlink(temporary)
        raise


def read(path):
    """Arrays and metadata of a file.

    Parameters
    ----------
    path : str or os.PathLike

    Returns
    -------
    tuple of dict of ndarray and dict of str

    Raises
    ------
    OSError
        There is no such file, or it cannot be read.
    FileFormatError
        Anything in it is wrong.
    """
    with open(path, "rb") as file:
        return decode(file, os.fstat(file.fileno()).st_size)


def read_bytes(data):
    """`read` of a file that is already in memory."""
    return decode(io.BytesIO(data), len(data))


def decode(file, size):
    """Arrays and metadata of a binary file of ``size`` bytes, read from its beginning."""
    if size < 8:
        raise FileFormatError(f"the file has {size} bytes: too few for a safetensors file")
    (length,) = struct.unpack("<Q", read_exactly(file, 8))
    if length > min(size - 8, HEADER_LIMIT):
        raise FileFormatError(
            f"the header claims {length} bytes, but the file has {size}: "
            "this is no safetensors file, or it was cut off"
        )
    header = parse(read_exactly(file, length))
    metadata = header.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(v, str) for v in metadata.values()):
        raise FileFormatError("__metadata__ must map strings to strings")
    layout = {name: check_entry(name, entry) for name, entry in header.items()}
    check_offsets(layout, size - 8 - length)
    tensors = {}
    # In the order of the data, so that the file is read once from front to back
    for name, (dtype, shape, _, _) in sorted(layout.items(), key=lambda item: item[1][2:]):
        array = np.empty(shape, dtype)
        if file.readinto(as_bytes(array)) != array.nbytes:
            raise FileFormatError("the file became shorter while it was read")
        if sys.byteorder == "big":
            array = array.astype(dtype.newbyteorder("="))
        tensors[name] = array
    return {name: tensors[name] for name in layout}, metadata


def as_bytes(array):
    """The memory of a contiguous array."""
    return array.reshape(-1).view(np.uint8).data


def read_exactly(file, n_bytes):
    data = file.read(n_bytes)
    if len(data) != n_bytes:
        raise FileFormatError("the file became shorter while it was read")
    return data


def parse(text):
    """The header as a dict, without the liberties that Python takes with JSON."""

    def unique(pairs):
        found = dict(pairs)
        if len(found) != len(pairs):
            raise ValueError("a name occurs twice")
        return found

    def refuse(constant):
        raise ValueError(f"{constant} is no number of JSON")

    try:
        if not text.startswith(b"{"):
            raise ValueError("it must begin with {")
        return json.loads(text.decode(), object_pairs_hook=unique, parse_constant=refuse)
    except RecursionError:
        raise FileFormatError("the header is nested too deeply") from None
    except ValueError as error:
        raise FileFormatError(f"the header is no valid JSON object: {error}") from None


def is_size(value):
    """Whether a value of JSON is a count of 63 bits."""
    return type(value) is int and 0 <= value < 2**63


def check_entry(name, entry):
    """(dtype, shape, start, end) of one tensor; the sizes agree with each other."""
    if not isinstance(entry, dict) or set(entry) != {"dtype", "shape", "data_offsets"}:
        raise FileFormatError(f"tensor {name!r} must have dtype, shape and data_offsets")
    dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    if not isinstance(dtype, str) or dtype not in DTYPES:
        raise FileFormatError(
            f"tensor {name!r} has dtype {dtype!r}: expected one of {', '.join(DTYPES)}"
        )
    dtype = DTYPES[dtype]
    if not isinstance(shape, list) or not all(map(is_size, shape)):
        raise FileFormatError(f"tensor {name!r} has no valid shape")
    if len(shape) > MAX_DIMENSIONS:
        raise FileFormatError(f"tensor {name!r} has {len(shape)} dimensions")
    if not isinstance(offsets, list) or len(offsets) != 2 or not all(map(is_size, offsets)):
        raise FileFormatError(f"tensor {name!r} has no valid data_offsets")
    # A zero does not excuse the other lengths: NumPy refuses an empty array of impossible shape
    n_bytes = dtype.itemsize
    for length in shape:
        n_bytes *= length or 1
        if n_bytes >= 2**63:
            raise FileFormatError(f"tensor {name!r} has the impossible shape {shape}")
    if 0 in shape:
        n_bytes = 0
    start, end = offsets
    if end - start != n_bytes:
        raise FileFormatError(
            f"tensor {name!r} of shape {shape} needs {n_bytes} bytes, "
            f"but its data_offsets are {offsets}"
        )
    return dtype, tuple(shape), start, end


def check_offsets(layout, n_bytes):
    """The tensors fill the data without a hole and without sharing a byte."""
    position = 0
    for name, (_, _, start, end) in sorted(layout.items(), key=lambda item: item[1][2:]):
        if start != position:
            raise FileFormatError(
                f"tensor {name!r} begins at byte {start} of the data, expected {position}"
            )
        position = end
    if position != n_bytes:
        raise FileFormatError(
            f"the tensors need {position} bytes of data, but the file has {n_bytes}"
        )
