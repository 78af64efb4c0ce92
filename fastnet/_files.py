"""Tensors on disk: our own small reader and writer of the safetensors format.

A file is the length of the header (8 bytes, little-endian), the header (JSON: name -> dtype,
shape, data_offsets; optionally ``__metadata__`` with strings), padded with spaces so that the data
begin at a multiple of 8 bytes, then the data, little-endian, row-major, without holes.  The format
is described at https://github.com/huggingface/safetensors.

The reader trusts nothing: what it allocates is bounded by the size of the file.
"""

import contextlib
import errno
import json
import math
import os
import reprlib
import secrets
import stat
import struct

import numpy as np

MAX_HEADER = 100_000_000
_DTYPES = {
    "F64": "<f8",
    "F32": "<f4",
    "F16": "<f2",
    "I64": "<i8",
    "I32": "<i4",
    "I16": "<i2",
    "I8": "|i1",
    "U64": "<u8",
    "U32": "<u4",
    "U16": "<u2",
    "U8": "|u1",
    "BOOL": "|b1",
}
_NAMES = {np.dtype(text): name for name, text in _DTYPES.items()}
_METADATA = "__metadata__"

# Messages show what a file says, but never all of a hostile header.
brief = reprlib.Repr()
brief.maxstring = brief.maxother = brief.maxlong = 80
brief.maxlist = 8


class FileFormatError(ValueError):
    """A file is not what it should be: damaged, hostile, or of another kind."""


def write(path, tensors, metadata=None):
    """Write tensors, replacing what is at ``path`` at once or not at all.

    Parameters
    ----------
    path : str or path-like
    tensors : dict of str to ndarray
        Real numbers or booleans, any layout.
    metadata : dict of str to str, optional

    Raises
    ------
    OSError
        The file cannot be written; what was there before is untouched.
    """
    header, chunks = _encode(tensors, metadata or {})
    replace(path, [struct.pack("<Q", len(header)) + header, *chunks])


def replace(path, chunks):
    """Write a file, replacing what is at ``path`` at once or not at all.

    Parameters
    ----------
    path : str or path-like
    chunks : iterable of bytes-like
        The content, piece by piece.

    Raises
    ------
    OSError
        The file cannot be written; what was there before is untouched.
    """
    path = os.path.realpath(os.fsdecode(path))  # a link stays a link
    folder, name = os.path.split(path)
    mode = _mode(path)
    # cut, so that the longest name that a folder takes leaves room for the rest: 32 characters
    # may be 128 of its 255 bytes
    temporary = os.path.join(folder, f".{name[:32]}.{secrets.token_hex(8)}.tmp")
    try:
        with open(temporary, "xb") as file:
            for chunk in chunks:
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
        if mode is not None:
            os.chmod(temporary, mode)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
    _sync_folder(folder)


def read(path):
    """Tensors and metadata of a file.

    Returns
    -------
    tensors : dict of str to ndarray
        Writable, in the order of the data.
    metadata : dict of str to str

    Raises
    ------
    OSError
        The file cannot be read.
    FileFormatError
        It is no safetensors file.
    """
    if not stat.S_ISREG(os.stat(path).st_mode):  # before it is opened: a pipe would wait
        raise FileFormatError(f"{os.fspath(path)} is no regular file")
    with open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        header_size = _check_header_size(file.read(8), size)
        header = file.read(header_size)
        n_data = size - 8 - header_size
        places, metadata = _decode_header(header, header_size, n_data)
        data = bytearray(n_data)
        if file.readinto(data) != n_data:
            raise FileFormatError("the file ended early: it was changed while it was read")
    return _views(places, data), metadata


def read_bytes(data):
    """The same from the content of a file; the tensors are copies."""
    data = memoryview(data).cast("B")
    size = len(data)
    header_size = _check_header_size(bytes(data[:8]), size)
    begin = 8 + header_size
    places, metadata = _decode_header(bytes(data[8:begin]), header_size, size - begin)
    return _views(places, bytearray(data[begin:])), metadata


def _encode(tensors, metadata):
    """The padded header and the bytes of each tensor.

    Wide items come first: every tensor then begins at a multiple of its item size.
    """
    for key, value in metadata.items():
        if not isinstance(key, str) or not isinstance(value, str):
            raise TypeError(f"metadata must map str to str, got {key!r}: {value!r}")
    arrays = []
    for name, tensor in tensors.items():
        if not isinstance(name, str):
            raise TypeError(f"names of tensors must be str, got {name!r}")
        if name == _METADATA:
            raise ValueError(f"no tensor can be called {_METADATA!r}: the format has it")
        tensor = np.asarray(tensor)
        dtype = tensor.dtype.newbyteorder("<")
        if dtype not in _NAMES:
            raise TypeError(f"tensor {name!r} has dtype {tensor.dtype}, which no file can hold")
        # ascontiguousarray would make a scalar one-dimensional
        arrays.append((name, np.asarray(tensor, dtype, order="C")))
    arrays.sort(key=lambda pair: -pair[1].dtype.itemsize)
    entries = {_METADATA: dict(metadata)} if metadata else {}
    begin = 0
    for name, array in arrays:
        end = begin + array.nbytes
        entries[name] = {
            "dtype": _NAMES[array.dtype],
            "shape": list(array.shape),
            "data_offsets": [begin, end],
        }
        begin = end
    try:
        text = json.dumps(entries, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:
        raise ValueError("names and metadata must be valid Unicode") from None
    text += b" " * (-len(text) % 8)
    if len(text) > MAX_HEADER:
        raise ValueError(f"names and metadata take {len(text)} bytes, at most {MAX_HEADER} fit")
    return text, [array.tobytes() for _, array in arrays]


def _check_header_size(first, size):
    """Length of the header: the first 8 bytes, compared with the size of the file."""
    if size < 8 or len(first) < 8:
        raise FileFormatError(f"a safetensors file has at least 8 bytes, this has {size}")
    (header_size,) = struct.unpack("<Q", first)
    if header_size > MAX_HEADER:
        raise FileFormatError(
            f"no safetensors file: its header would have {header_size} bytes, "
            f"at most {MAX_HEADER} are allowed"
        )
    if header_size > size - 8:
        raise FileFormatError(
            f"the file is cut off: its header has {header_size} bytes, {size - 8} are left"
        )
    return header_size


def _decode_header(header, header_size, n_data):
    """Where the tensors are, as (name, dtype, shape, begin, end) in order, and the metadata."""
    if len(header) != header_size:
        raise FileFormatError("the file ended early: it was changed while it was read")
    if not header.startswith(b"{"):
        raise FileFormatError("no safetensors file: its header does not begin with '{'")
    try:
        entries = parse_json(header.decode("utf-8"), "the header")
    except UnicodeDecodeError:
        raise FileFormatError("the header is not UTF-8") from None
    metadata = entries.pop(_METADATA, {})
    if not isinstance(metadata, dict) or not all(isinstance(v, str) for v in metadata.values()):
        raise FileFormatError(f"{_METADATA} must map strings to strings")
    try:  # JSON can escape half a surrogate pair, which other readers refuse
        "".join([*entries, *metadata, *metadata.values()]).encode()
    except UnicodeEncodeError:
        raise FileFormatError("the header has a string that is not Unicode") from None
    places = sorted((_place(*item) for item in entries.items()), key=lambda place: place[3:])
    expected = 0
    for name, _, _, begin, end in places:
        if begin != expected:
            raise FileFormatError(
                f"tensor {brief.repr(name)} begins at byte {begin} of the data, "
                f"expected {expected}: no holes, no overlaps"
            )
        expected = end
    if expected != n_data:
        raise FileFormatError(f"the tensors take {expected} bytes, the file has {n_data}")
    return places, metadata


def parse_json(text, what, floats=False):
    """JSON of a file nobody vouches for, in linear time.

    Objects have each key once, for readers would see different things otherwise.  Integers have
    at most 20 digits: no size has more, and long ones take quadratic time.

    Parameters
    ----------
    text : str
    what : str
        What it is, for messages: "the header".
    floats : bool
        Whether other finite numbers belong there, too.

    Raises
    ------
    FileFormatError
        It is no such JSON.
    """

    def parse_object(pairs):
        result = dict(pairs)
        if len(result) != len(pairs):
            raise FileFormatError(f"{what} has a name twice")
        return result

    def refuse_number(number):
        belong = "finite numbers" if floats else "integers"
        raise FileFormatError(f"{what} has the number {brief.repr(number)}: only {belong} belong")

    def parse_float(number):
        value = float(number)
        if not math.isfinite(value):
            refuse_number(number)
        return value

    def parse_int(digits):
        if len(digits) > 20:
            raise FileFormatError(f"{what} has a number of {len(digits)} digits")
        if digits == "-0":  # which other readers take for a float
            refuse_number(digits)
        return int(digits)

    try:
        return json.loads(
            text,
            object_pairs_hook=parse_object,
            parse_constant=refuse_number,
            parse_float=parse_float if floats else refuse_number,
            parse_int=parse_int,
        )
    except FileFormatError:
        raise
    except RecursionError:
        raise FileFormatError(f"{what} is nested too deeply") from None
    except ValueError as error:
        raise FileFormatError(f"{what} is no JSON: {error}") from None


def _place(name, entry):
    """One entry of the header, checked: (name, dtype, shape, begin, end)."""
    tensor = f"tensor {brief.repr(name)}"
    if not isinstance(entry, dict) or set(entry) != {"dtype", "shape", "data_offsets"}:
        raise FileFormatError(f"{tensor} must have dtype, shape and data_offsets")
    dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    if not isinstance(dtype, str) or dtype not in _DTYPES:
        raise FileFormatError(
            f"{tensor} has dtype {brief.repr(dtype)}, expected one of {', '.join(_DTYPES)}"
        )
    if not _are_counts(shape) or not _are_counts(offsets) or len(offsets) != 2:
        raise FileFormatError(
            f"{tensor} has shape {brief.repr(shape)} and data_offsets {brief.repr(offsets)}, "
            "expected integers from 0 up, two for data_offsets"
        )
    begin, end = offsets
    dtype = np.dtype(_DTYPES[dtype])
    n_bytes = dtype.itemsize
    for n in shape:
        n_bytes *= n
        if n_bytes > end:
            break  # too large already; a product of thousands of sizes would grow without end
    if 0 in shape:
        n_bytes = 0
    if end - begin != n_bytes:
        raise FileFormatError(
            f"{tensor} of shape {brief.repr(shape)} and dtype {dtype} does not take the "
            f"{end - begin} bytes of its data_offsets"
        )
    return name, dtype, tuple(shape), begin, end


def _are_counts(values):
    """Whether this is a list of integers from 0 up; a JSON true is not one."""
    return isinstance(values, list) and all(type(v) is int and v >= 0 for v in values)


def _views(places, data):
    """The tensors as arrays over the data."""
    tensors = {}
    for name, dtype, shape, begin, end in places:
        try:
            array = np.frombuffer(memoryview(data)[begin:end], dtype).reshape(shape)
        except (
            ValueError,
            OverflowError,
        ) as error:  # more dimensions than NumPy has, or an extent past intp
            raise FileFormatError(
                f"tensor {brief.repr(name)} cannot be an array: {error}"
            ) from None
        if array.dtype == np.bool_ and (array.view(np.uint8) > 1).any():
            raise FileFormatError(
                f"tensor {brief.repr(name)} has bytes that are neither false nor true"
            )
        native = array.dtype.newbyteorder("=")
        # a tensor may begin at any byte; a big-endian host wants the bytes turned
        if not array.flags.aligned or native != array.dtype:
            array = array.astype(native)
        tensors[name] = array
    return tensors


def _mode(path):
    """Permissions of the file that is replaced; None where there is none."""
    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError:
        return None
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
    if not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, "no regular file, so it cannot be replaced", path)
    return stat.S_IMODE(mode)


def _sync_folder(folder):
    """Make the new name durable, where folders can be synchronized."""
    if os.name != "posix":
        return
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        with contextlib.suppress(OSError):
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
