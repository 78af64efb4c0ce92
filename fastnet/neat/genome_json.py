"""Genomes as JSON text.

One object: ``format`` ("fastnet genome"), ``version`` (1), ``config`` (every field of `Config`),
``fitness`` (a number, "inf", "-inf" or null), ``nodes`` (objects with ``id``, ``kind``,
``activation``, ``bias``) and ``connections`` (objects with ``innovation``, ``source``, ``target``,
``weight``, ``enabled``).  Numbers are written so that reading gives the same bits.

The reader trusts nothing: what it allocates is bounded by the length of the text.
"""

import dataclasses
import json
import math

from fastnet import activations as _activations
from fastnet._arrays import nearest
from fastnet._files import FileFormatError, brief, parse_json
from fastnet.neat.config import Config

__all__ = ["from_json", "parse", "to_json"]

FORMAT = "fastnet genome"
VERSION = 1
MOST_CHARACTERS = 100_000_000

KEYS = ("format", "version", "config", "fitness", "nodes", "connections")
NODE_KEYS = ("id", "kind", "activation", "bias")
CONNECTION_KEYS = ("innovation", "source", "target", "weight", "enabled")
KINDS = ("input", "bias", "output", "hidden")
MOST_ID = 2**63 - 1


def to_json(genome):
    """A genome as JSON text, one gene a line.

    Parameters
    ----------
    genome : Genome

    Returns
    -------
    str

    Raises
    ------
    ValueError
        The fitness is NaN.
    """
    fitness = genome.fitness
    if fitness is not None:
        fitness = float(fitness)
        if math.isnan(fitness):
            raise ValueError("the fitness must not be NaN to be written as JSON")
        if math.isinf(fitness):  # which JSON has no number for
            fitness = str(fitness)
    parts = [
        f'{{"format": {json.dumps(FORMAT)},\n"version": {VERSION}',
        f'"config": {json.dumps(genome.config.to_dict())}',
        f'"fitness": {json.dumps(fitness)}',
        f'"nodes": {_rows(genome.nodes, NODE_KEYS)}',
        f'"connections": {_rows(genome.connections, CONNECTION_KEYS)}}}\n',
    ]
    return ",\n".join(parts)


def from_json(text):
    """The genome in a text that `to_json` wrote.

    Parameters
    ----------
    text : str

    Returns
    -------
    Genome
        Equal to the one that was written, with its config and fitness.

    Raises
    ------
    fastnet.FileFormatError
        The text is damaged, of another kind or of a newer version.
    """
    from fastnet.neat.genome import Genome

    config, fitness, nodes, connections = parse(text)
    ids = {kind: [node[0] for node in nodes if node[1] == kind] for kind in KINDS}
    try:
        genome = Genome.from_connections(
            config,
            connections,
            inputs=ids["input"],
            outputs=ids["output"],
            bias=ids["bias"][0] if ids["bias"] else None,
            nodes=nodes,
        )
    except (TypeError, ValueError, OverflowError) as error:
        raise FileFormatError(f"the genome: {error}") from None
    if genome.nodes["id"].tolist() != [node[0] for node in nodes]:
        raise FileFormatError(
            "the genome has a hidden node that no connection touches, or lacks one that is touched")
    genome.fitness = fitness
    return genome


def parse(text):
    """The parts of a genome, each of the right type, with the nodes in the order of a genome.

    Parameters
    ----------
    text : str

    Returns
    -------
    config : Config
    fitness : float or None
    nodes : list of (id, kind, activation, bias)
    connections : list of (innovation, source, target, weight, enabled)

    Raises
    ------
    FileFormatError
        It is no such text.
    """
    if not isinstance(text, str):
        raise FileFormatError(f"a genome is a JSON text (str), got {type(text).__name__}")
    if len(text) > MOST_CHARACTERS:
        raise FileFormatError(
            f"the text has {len(text)} characters, at most {MOST_CHARACTERS} are read")
    content = parse_json(text, "the text", floats=True)
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise FileFormatError(f'no genome: a JSON object with "format": "{FORMAT}" is expected')
    _check_version(content.get("version"))
    _check_keys(content, KEYS, "the genome")
    config = _config(content["config"])
    fitness = content["fitness"]
    if fitness in ("inf", "-inf"):
        fitness = float(fitness)
    elif fitness is not None:
        fitness = _number(fitness, "fitness")
    nodes = _nodes(_list(content["nodes"], "nodes"), config)
    connections = [
        _connection(connection, f"connections[{i}]")
        for i, connection in enumerate(_list(content["connections"], "connections"))
    ]
    return config, fitness, nodes, connections


def _rows(array, keys):
    """A structured array as a list of objects, one a line."""
    rows = array[list(keys)].tolist()
    lines = [json.dumps(dict(zip(keys, row, strict=True))) for row in rows]
    return "[\n" + ",\n".join(lines) + "\n]" if lines else "[]"


def _check_version(version):
    if type(version) is not int or version < 1:
        raise FileFormatError(f"version must be an integer from 1 up, got {brief.repr(version)}")
    if version > VERSION:
        raise FileFormatError(
            f"the genome has version {version}, this fastnet reads up to {VERSION}: "
            "a newer one wrote it")


def _check_keys(entry, keys, what):
    if not isinstance(entry, dict):
        raise FileFormatError(f"{what} must be an object, got {brief.repr(entry)}")
    if entry.keys() == set(keys):
        return
    for key in keys:
        if key not in entry:
            raise FileFormatError(f"{what} has no {key}")
    unknown = next(key for key in entry if key not in keys)
    raise FileFormatError(f"{what} has an {nearest(unknown[:80], keys, 'key')}")


def _list(value, what):
    if not isinstance(value, list):
        raise FileFormatError(f"{what} must be an array, got {brief.repr(value)}")
    return value


def _config(entry):
    names = tuple(field.name for field in dataclasses.fields(Config))
    _check_keys(entry, names, "config")
    try:
        return Config(**entry)
    except (TypeError, ValueError) as error:
        raise FileFormatError(f"config: {error}") from None


def _nodes(entries, config):
    """The checked nodes: as many of each kind as the config says, in the order of a genome."""
    nodes = [_node(entry, f"nodes[{i}]", config) for i, entry in enumerate(entries)]
    counts = {"input": config.n_inputs, "bias": config.bias == "node", "output": config.n_outputs}
    places = [KINDS.index(kind) for _, kind, _, _ in nodes]
    for place, (kind, count) in enumerate(counts.items()):
        if places.count(place) != count:
            raise FileFormatError(
                f"the genome has {places.count(place)} nodes of kind {kind}, expected "
                f"{int(count)}, as its config says")
    if places != sorted(places):
        raise FileFormatError(f"nodes must be in the order {', '.join(KINDS)}")
    if len({node[0] for node in nodes}) != len(nodes):
        raise FileFormatError("the genome has two nodes of one id")
    return nodes


def _node(entry, what, config):
    _check_keys(entry, NODE_KEYS, what)
    kind, activation = entry["kind"], entry["activation"]
    if not isinstance(kind, str) or kind not in KINDS:
        raise FileFormatError(
            f"{what}: kind must be one of {', '.join(KINDS)}, got {brief.repr(kind)}")
    if (
        not isinstance(activation, str)
        or activation not in _activations.names()
        or activation == "softmax"
    ):
        raise FileFormatError(
            f"{what}: activation must be the name of one for single nodes, got "
            f"{brief.repr(activation)}")
    bias = _number(entry["bias"], f"{what}: bias")
    is_source = kind in ("input", "bias")
    if is_source and activation != "identity":
        raise FileFormatError(f"{what}: activation of an {kind} node must be identity")
    if bias != 0 and (is_source or config.bias != "per_node"):
        raise FileFormatError(f"{what}: bias must be 0 for a node that has none, got {bias}")
    return _id(entry["id"], f"{what}: id"), kind, activation, bias


def _connection(entry, what):
    _check_keys(entry, CONNECTION_KEYS, what)
    enabled = entry["enabled"]
    if not isinstance(enabled, bool):
        raise FileFormatError(f"{what}: enabled must be true or false, got {brief.repr(enabled)}")
    return (
        *(_id(entry[key], f"{what}: {key}") for key in CONNECTION_KEYS[:3]),
        _number(entry["weight"], f"{what}: weight"),
        enabled,
    )


def _id(value, what):
    if type(value) is not int or not 0 <= value <= MOST_ID:
        raise FileFormatError(
            f"{what} must be an integer from 0 to 2**63 - 1, got {brief.repr(value)}")
    return value


def _number(value, what):
    if type(value) not in (int, float):  # a JSON true is no number
        raise FileFormatError(f"{what} must be a number, got {brief.repr(value)}")
    return float(value)
