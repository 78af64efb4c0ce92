"""Populations in files: everything that a run needs to go on as if it had not been interrupted.

A file is a safetensors container (`fastnet._files`) with the arrays of `fastnet.neat.state`, and in
its metadata the config, the numbers and a checksum.  Activations are numbered in genes, so their
names are there, too, in the order of the numbers.
"""

import binascii
import json
import sys

import numpy as np

from fastnet import _files, activations
from fastnet.neat import state
from fastnet.neat.config import Config

__all__ = ["load", "save"]

FORMAT = "fastnet.population"
VERSION = 1
NUMBERS = {
    "seed",
    "generation",
    "next_innovation",
    "next_node",
    "first_hidden",
    "next_species",
    "last_improved",
    "champion",
}


def save(population, path):
    """Write a population, replacing what is at ``path`` at once."""
    arrays, numbers = state.pack(population)
    texts = {
        "config": json.dumps(population.config.to_dict()),
        "numbers": json.dumps(numbers),
        "activations": json.dumps(list(activations.names())),
    }
    metadata = {"format": FORMAT, "version": str(VERSION), **texts}
    _files.write(path, arrays, metadata | {"checksum": checksum(arrays, texts)})


def checksum(arrays, texts):
    """CRC-32 of the texts of the metadata and of all arrays."""
    crc = 0
    for name in sorted(texts):
        crc = binascii.crc32(repr((name, texts[name])).encode("utf-8", "surrogatepass"), crc)
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        if sys.byteorder == "big":
            array = array.astype(array.dtype.newbyteorder("<"))
        crc = binascii.crc32(repr((name, array.dtype.str[1:], array.shape)).encode(), crc)
        crc = binascii.crc32(array.view(np.uint8) if array.size else b"", crc)
    return f"{crc:08x}"


def load(path):
    """A population written by `save`.

    Raises
    ------
    OSError
        There is no such file, or it cannot be read.
    fastnet.FileFormatError
        It is no such file, is damaged, or from a newer version.
    """
    arrays, metadata = _files.read(path)
    if metadata.get("format") != FORMAT:
        raise _files.FileFormatError(f"{path} does not hold a fastnet population")
    if metadata.get("version") != str(VERSION):
        raise _files.FileFormatError(
            f"{path} has format version {_files.brief.repr(metadata.get('version'))}; "
            f"this fastnet reads version {VERSION}"
        )
    texts = {name: metadata.get(name, "") for name in ("config", "numbers", "activations")}
    if metadata.get("checksum") != checksum(arrays, texts):
        raise _files.FileFormatError(f"{path} is damaged: its checksum is another")
    config = restore_config(texts["config"])
    numbers = restore_numbers(texts["numbers"])
    renumber(arrays, texts["activations"])
    try:
        return state.unpack(config, arrays, numbers)
    except (ValueError, TypeError, KeyError, OverflowError) as error:
        # cut, for what a file says may be quoted however long it is
        raise _files.FileFormatError(f"{path}: {str(error)[:500]}") from None


def restore_config(text):
    """The config in the metadata."""
    fields = _files.parse_json(text, "the config", floats=True)
    if not isinstance(fields, dict):
        raise _files.FileFormatError("the config in the metadata is no table of fields")
    try:
        return Config(**fields)
    except (ValueError, TypeError, OverflowError) as error:
        raise _files.FileFormatError(f"the config: {str(error)[:500]}") from None


def restore_numbers(text):
    """The numbers in the metadata: integers of 64 bits."""
    numbers = _files.parse_json(text, "the numbers")
    if not isinstance(numbers, dict) or not set(numbers) <= NUMBERS:
        raise _files.FileFormatError("the numbers in the metadata are no table of known names")
    for name, value in numbers.items():
        most = 2**64 if name == "seed" else 2**62
        if isinstance(value, bool) or not isinstance(value, int) or not -1 <= value < most:
            raise _files.FileFormatError(
                f"{_files.brief.repr(name)} must be an integer below {most}, "
                f"got {_files.brief.repr(value)}"
            )
    return numbers


def renumber(arrays, text):
    """Give activations the numbers that they have here."""
    names = _files.parse_json(text, "the names of activations")
    known = {name: k for k, name in enumerate(activations.names())}
    if not isinstance(names, list) or len(names) > 256:
        raise _files.FileFormatError("the names of activations are no list")
    numbers = np.full(256, 255, np.uint8)
    for k, name in enumerate(names):
        numbers[k] = known.get(name, 255) if isinstance(name, str) else 255
    for name in ("genomes.activation", "best.activation"):
        if name in arrays and arrays[name].dtype == np.uint8:
            arrays[name] = numbers[arrays[name]]
