"""What `Genome.from_connections` takes, as arrays."""

import math
import numbers

import numpy as np

from fastnet import activations
from fastnet._arrays import nearest
from fastnet._checks import checked_int

CONNECTION = np.dtype([
    ("innovation", np.int64), ("source", np.int64), ("target", np.int64), ("weight", np.float64),
    ("enabled", np.bool_)])
NODE = np.dtype([
    ("id", np.int64), ("kind", "U6"), ("activation", "U16"), ("bias", np.float64)])
MOST = 2**63 - 1


def checked_id(value, name):
    """An innovation or the id of a node."""
    return checked_int(value, name, 0, MOST)


def checked_number(value, name):
    """A finite float; TypeError or ValueError for anything else."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, numbers.Real):
        raise TypeError(f"{name} must be a number, got {value!r}")
    try:
        number = float(value)
    except OverflowError:  # an integer or a fraction
        number = math.inf
    if not math.isfinite(number):
        raise ValueError(f"{name} must be finite, got {value!r}")
    return number


def connection_rows(connections):
    """A structured array of connections, in the order of their innovations."""
    if isinstance(connections, np.ndarray) and connections.dtype == CONNECTION:
        rows = connections.reshape(-1)
    else:
        try:
            connections = list(connections)
        except TypeError:
            raise TypeError(
                "connections must be a sequence of (innovation, source, target, weight, enabled), "
                f"got {type(connections).__name__}") from None
        rows = np.empty(len(connections), CONNECTION)
        for i, connection in enumerate(connections):
            rows[i] = _connection(connection, f"connections[{i}]")
    return rows[np.argsort(rows["innovation"], kind="stable")]


def _connection(connection, name):
    try:
        innovation, source, target, weight, enabled = connection
    except (TypeError, ValueError):
        raise ValueError(
            f"{name} must be (innovation, source, target, weight, enabled), "
            f"got {connection!r}") from None
    if not isinstance(enabled, (bool, np.bool_)):
        raise TypeError(f"{name}: enabled must be True or False, got {enabled!r}")
    return (
        checked_id(innovation, f"{name}: innovation"),
        checked_id(source, f"{name}: source"),
        checked_id(target, f"{name}: target"),
        checked_number(weight, f"{name}: weight"),
        enabled,
    )


def fixed_ids(config, inputs, outputs, bias):
    """Ids of inputs, bias node and outputs, as given or from 0 on."""
    has_bias = config.bias == "node"
    ids = list(range(config.n_inputs + has_bias + config.n_outputs))
    if inputs is not None:
        ids[:config.n_inputs] = _ids(inputs, config.n_inputs, "inputs")
    if bias is not None:
        if not has_bias:
            raise ValueError(f"bias must be None with bias={config.bias!r}, got {bias!r}")
        ids[config.n_inputs] = checked_id(bias, "bias")
    if outputs is not None:
        ids[config.n_inputs + has_bias:] = _ids(outputs, config.n_outputs, "outputs")
    kinds = config.n_inputs * ["inputs"] + has_bias * ["bias"] + config.n_outputs * ["outputs"]
    known = {}
    for node, kind in zip(ids, kinds, strict=True):
        if node in known:
            raise ValueError(
                f"inputs, bias and outputs must be distinct nodes, got {node} in {known[node]} "
                f"and {kind}")
        known[node] = kind
    return np.array(ids, np.int64)


def _ids(ids, n, name):
    try:
        ids = list(ids)
    except TypeError:
        raise TypeError(f"{name} must be a sequence of ints, got {type(ids).__name__}") from None
    if len(ids) != n:
        raise ValueError(f"{name} must be {n} ids, got {len(ids)}")
    return [checked_id(node, f"{name}[{i}]") for i, node in enumerate(ids)]


def node_rows(nodes, known):
    """Rows (position, activation id, bias) of rows (id, kind, activation, bias).

    Parameters
    ----------
    nodes : sequence
    known : structured ndarray
        All nodes of the genome, as `Genome.nodes` gives them.
    """
    try:
        nodes = list(nodes)
    except TypeError:
        raise TypeError(
            "nodes must be a sequence of (id, kind, activation, bias), "
            f"got {type(nodes).__name__}") from None
    places = {node: (i, kind) for i, (node, kind, _, _) in enumerate(known.tolist())}
    names = activations.names()
    rows = []
    for i, row in enumerate(nodes):
        name = f"nodes[{i}]"
        try:
            node, kind, activation, bias = row
        except (TypeError, ValueError):
            raise ValueError(f"{name} must be (id, kind, activation, bias), got {row!r}") from None
        node = checked_id(node, f"{name}: id")
        if node not in places:
            raise ValueError(f"{name}: node {node} is there twice, or no connection touches it")
        place, expected = places.pop(node)
        if kind != expected:
            raise ValueError(f"{name}: node {node} is of kind {expected!r}, got {kind!r}")
        if not isinstance(activation, str):
            raise TypeError(f"{name}: activation must be a name, got {activation!r}")
        if activation not in names:
            raise ValueError(f"{name}: {nearest(activation, names, 'activation')}")
        rows.append((place, names.index(activation), checked_number(bias, f"{name}: bias")))
    return rows
