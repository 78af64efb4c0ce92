"""Settings of evolution in TOML files, which people write and read."""

import dataclasses
import os
import stat
import textwrap
import tomllib
import types
import typing

from fastnet import _files
from fastnet._arrays import nearest
from fastnet._files import FileFormatError, brief
from fastnet.neat.config import REQUIRED, Config

__all__ = ["load", "save"]

# Files of settings have some thousands of bytes; TOML of much more is not worth parsing.
MOST_BYTES = 100_000
# TOML has no None.
NONE = "none"
HEADING = """\
Settings of fastnet.neat, for Config.load.  Above each value stands what it means, behind it the \
default, which counts where the line is missing.  Rates are probabilities, from 0 to 1; "none" \
switches off."""


def save(config, path):
    """Write the settings, replacing what is at ``path`` at once or not at all.

    Parameters
    ----------
    config : Config
    path : str or path-like
    """
    _files.replace(path, [to_toml(config).encode()])


def to_toml(config):
    """The content of the file: every field, its meaning and its default.

    Parameters
    ----------
    config : Config

    Returns
    -------
    str
    """
    lines = _comment(HEADING)
    for field in dataclasses.fields(config):
        if field.metadata["section"]:
            lines += ["", f"## {field.metadata['section']}"]
        line = f"{field.name} = {_value(getattr(config, field.name))}"
        if field.default is not REQUIRED:
            line = f"{line:<40}  # default: {_value(field.default)}"
        lines += ["", *_comment(field.metadata["doc"]), line]
    return "\n".join(lines) + "\n"


def load(path, cls=Config):
    """The settings in a file.

    Parameters
    ----------
    path : str or path-like
    cls : type
        `Config` or a subclass.

    Returns
    -------
    Config

    Raises
    ------
    OSError
        The file cannot be read.
    FileFormatError
        Naming the file, and the key that is wrong.
    """
    name = os.fsdecode(path)
    try:
        return from_toml(_read(path), cls)
    except FileFormatError as error:
        raise FileFormatError(f"{name}: {error}") from None


def from_toml(text, cls=Config):
    """The settings in the content of a file.

    Raises
    ------
    FileFormatError
        Naming the key that is wrong.
    """
    try:
        content = tomllib.loads(text)
    except RecursionError:
        raise FileFormatError("the file is nested too deeply") from None
    except ValueError as error:  # also of integers with thousands of digits
        raise FileFormatError(f"no TOML: {error}") from None
    fields = {field.name: field for field in dataclasses.fields(Config)}
    for key in content:
        if key not in fields:
            raise FileFormatError(nearest(key[:80], fields, "key"))
    for key, field in fields.items():
        if field.default is REQUIRED and key not in content:
            raise FileFormatError(f"{key} is missing")
    found = {key: _from_value(value, fields[key]) for key, value in content.items()}
    try:
        return cls(**found)
    except (TypeError, ValueError) as error:
        raise FileFormatError(str(error)) from None


def _read(path):
    if not stat.S_ISREG(os.stat(path).st_mode):  # before it is opened: a pipe would wait
        raise FileFormatError("no regular file")
    with open(path, "rb") as file:
        content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise FileFormatError(f"the file has more than {MOST_BYTES} bytes")
    try:
        # some editors begin a file with the mark of its encoding
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FileFormatError(f"no UTF-8: {error.reason} at byte {error.start}") from None


def _comment(text):
    return textwrap.wrap(text, 96, initial_indent="# ", subsequent_indent="# ")


def _value(value):
    """A value as TOML has it.  Text is one of the names that fields know: nothing to escape."""
    if value is None:
        return f'"{NONE}"'
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, tuple):
        return f"[{', '.join(map(_value, value))}]"
    return repr(value)


def _from_value(value, field):
    """What TOML has, as the field takes it; messages show only what fits a line."""
    if isinstance(value, str) and value == NONE and type(None) in _kinds(field.type):
        return None
    if isinstance(value, (dict, list)) and not (
        isinstance(value, list) and tuple in _kinds(field.type)
    ):
        kind = "a table" if isinstance(value, dict) else "an array"
        raise FileFormatError(f"{field.name} cannot be {kind}, got {brief.repr(value)}")
    return value


def _kinds(annotation):
    return typing.get_args(annotation) if isinstance(annotation, types.UnionType) else (annotation,)
