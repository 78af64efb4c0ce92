"""What hypothesis draws: genomes of every shape, and pairs that share history.

Genomes are those of ``twins.py``, given to each strategy as a module.
"""

import random
from types import SimpleNamespace

from hypothesis import strategies as st

MODES = ("feed_forward", "recurrent", "time_step")
BIASES = ("node", "per_node", None)

weights = st.floats(-3, 3, width=32)
numbers = st.floats(-2, 2, width=32)


@st.composite
def fields(draw, **fixed):
    """Fields of a Config that say what genomes look like."""
    chosen = {
        "n_inputs": draw(st.integers(1, 4)),
        "n_outputs": draw(st.integers(1, 3)),
        "mode": draw(st.sampled_from(MODES)),
        "bias": draw(st.sampled_from(BIASES)),
        "self_loops": draw(st.booleans()),
        "activation": "sigmoid",
        "output_activation": None,
    }
    return chosen | fixed


def namespace(fields):
    """Fields as a Config has them, for twins that run before there is one."""
    return SimpleNamespace(**fields)


@st.composite
def ids(draw, n):
    """Different ids: from 0 on, or anything up to where registries have no room left."""
    if draw(st.booleans()):
        return list(range(n))
    large = st.integers(0, 2**60)
    return draw(st.lists(st.one_of(st.integers(0, 50), large), min_size=n, max_size=n, unique=True))


@st.composite
def genomes(draw, twins, config, max_hidden=5, max_connections=14, acyclic=None):
    """A genome: disconnected parts, dead ends, disabled genes, outputs that nothing reaches, and
    unless acyclic (default: feed_forward configs) cycles and self loops."""
    acyclic = config.mode == "feed_forward" if acyclic is None else acyclic
    n_sources = config.n_inputs + (config.bias == "node")
    n_fixed = n_sources + config.n_outputs
    n_hidden = draw(st.integers(0, max_hidden))
    nodes = draw(ids(n_fixed + n_hidden))
    inputs, sources = nodes[: config.n_inputs], nodes[:n_sources]
    outputs, hidden = nodes[n_sources:n_fixed], nodes[n_fixed:]
    if acyclic:
        pairs = [(source, target) for source in sources for target in hidden + outputs]
        pairs += [
            (source, target) for i, source in enumerate(hidden)
            for target in hidden[i + 1 :] + outputs
        ]
    else:
        pairs = [(source, target) for source in nodes for target in hidden + outputs]
    most = min(max_connections, len(pairs))
    pairs = draw(st.lists(st.sampled_from(pairs), unique=True, max_size=most))
    innovations = draw(ids(len(pairs)))
    rows = [
        (innovation, *pair, draw(weights), draw(st.integers(0, 4)) > 0)
        for innovation, pair in zip(innovations, pairs, strict=True)
    ]
    bias = nodes[config.n_inputs] if config.bias == "node" else None
    return twins.build(config, rows, inputs, outputs, bias)


@st.composite
def relatives(draw, twins, config, n=2, max_mutations=12):
    """Genomes that grew by random mutations from one ancestor, with one registry."""
    ancestor = draw(genomes(twins, config, max_hidden=2, max_connections=6))
    registry = twins.Registry([ancestor])
    return [
        twins.evolve(
            ancestor, registry, config, random.Random(draw(st.integers(0, 2**32))),
            draw(st.integers(0, max_mutations)))
        for _ in range(n)
    ]


@st.composite
def inputs(draw, config, n_rows=None):
    """Rows for the network of a genome; (n_rows, n_inputs) nested lists."""
    n_rows = draw(st.sampled_from([0, 1, 2, 3, 7, 8, 9, 17])) if n_rows is None else n_rows
    row = st.lists(numbers, min_size=config.n_inputs, max_size=config.n_inputs)
    return draw(st.lists(row, min_size=n_rows, max_size=n_rows))
