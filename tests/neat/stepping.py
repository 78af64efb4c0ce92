"""Slow, obvious twins of how a genome computes, in plain Python.

Genomes are those of ``twins.py``.  Numbers are floats, or `Rounded` where the test wants to know
how far honest arithmetic of some precision may be off.
"""

import math
from dataclasses import replace

import numpy as np


class Rounded:
    """A number and a bound on what rounding may have done to it.

    unit: half the distance from 1 to the next number of the precision.
    """

    def __init__(self, value, unit, error=0.0):
        self.value = float(value)
        self.unit = unit
        self.error = float(error)

    def __repr__(self):
        return f"{self.value!r} +- {self.error:.3g}"


def value_of(number):
    return number.value if isinstance(number, Rounded) else number


def weighted_sum(bias, terms):
    """bias + sum of w a over terms (w, a), in any order and with or without fused operations."""
    value = bias + sum(w * value_of(a) for w, a in terms)
    rounded = [a for _, a in terms if isinstance(a, Rounded)]
    if not rounded:
        return value
    unit = rounded[0].unit
    inherited = sum(abs(w) * a.error for w, a in terms if isinstance(a, Rounded))
    size = abs(bias) + sum(abs(w) * abs(value_of(a)) for w, a in terms)
    # Higham 2002, section 3.1: every product and sum rounds once, there and here; and section 2.2:
    # a product that underflows is off by half of the least number, there and here
    steps = 2 * (len(terms) + 2) * unit
    underflow = len(terms) * (2.0**-149 if unit > 1e-10 else 2.0**-1074)
    error = inherited + steps / (1 - steps) * (size + inherited) + underflow
    return Rounded(value, unit, error)


def activate(activations, name, z):
    """f(z); activations: the table of tests/oracle.py."""
    value, derivative = activations[name]
    with np.errstate(all="ignore"):
        a = float(value(np.float64(value_of(z))))
        if not isinstance(z, Rounded):
            return a
        points = z.value + z.error * np.array([-1.0, 0.0, 1.0])
        if not np.isfinite(points).all() or (
            points[0] <= 0 <= points[2] and name in ("inverse", "log")
        ):
            return Rounded(a, z.unit, math.inf)
        moved = np.abs(value(points) - a).max()
        # A curved function may be steeper between the points: twice what the slopes say there
        slope = 2 * np.abs(derivative(points)).max() * z.error
    # What tests/test_activations.py asks of every activation
    error = max(moved, slope) + 32 * z.unit * (1 + abs(a))
    # Of a number that may leave the range of float32 nothing is known, nor of what is made of it:
    # a weight of 0 times infinity is NaN
    leaves = z.unit > 1e-10 and abs(a) + error > 1e38
    return Rounded(a, z.unit, math.inf if leaves else error)


def is_within(got, expected):
    """Whether what a network returned is the expected number, as far as rounding allows.

    Where a bound is infinite nothing is known.
    """
    if not (math.isfinite(expected.value) and math.isfinite(expected.error)):
        return True
    return abs(float(got) - expected.value) <= expected.error


def rounded(x, dtype):
    """Exact numbers of a row, rounded by what is computed from them."""
    unit = float(np.finfo(dtype).eps) / 2
    return [Rounded(value, unit) for value in np.asarray(x, dtype)]


def check_within(got, expected, what=""):
    """Compares an array with `Rounded` numbers, or None for NaN, of the same shape."""
    got = np.asarray(got)
    expected = np.array(expected, dtype=object).reshape(np.shape(expected))
    assert got.shape == expected.shape, (what, got.shape, expected.shape)
    for index in np.ndindex(got.shape):
        if expected[index] is None:
            assert np.isnan(got[index]), (what, index, got[index])
        else:
            assert is_within(got[index], expected[index]), (
                what, index, got[index], expected[index])


def enabled_into(genome, node):
    return [gene for gene in genome.enabled if gene.target == node]


def sources_of(genome, x):
    """Values of the inputs and of the bias node."""
    assert len(x) == len(genome.inputs)
    values = dict(zip(genome.inputs, x, strict=True))
    if genome.bias is not None:
        one = Rounded(1.0, x[0].unit) if isinstance(x[0], Rounded) else 1.0
        values[genome.bias] = one
    return values


def node_value(genome, node, values, activations):
    """f(bias + sum); what has no value counts 0."""
    terms = [
        (gene.weight, values[gene.source]) for gene in enabled_into(genome, node)
        if values.get(gene.source) is not None
    ]
    own = genome.nodes[node]
    z = weighted_sum(own.bias, terms)
    unit = next((v.unit for v in values.values() if isinstance(v, Rounded)), None)
    if unit is not None and not isinstance(z, Rounded):
        z = Rounded(z, unit)
    return activate(activations, own.activation, z)


def outputs_of(genome, values, zero=0.0):
    return [zero if values.get(node) is None else values[node] for node in genome.outputs]


def feed_forward(genome, x, activations):
    """Every node's value, each from those it depends on; RecursionError for a cycle."""
    values = sources_of(genome, x)

    def visit(node):
        if node not in values:
            for gene in enabled_into(genome, node):
                visit(gene.source)
            values[node] = node_value(genome, node, values, activations)

    for node in genome.nodes:
        visit(node)
    return values


def blank(genome, x):
    """The state before the first step."""
    return sources_of(genome, x) | dict.fromkeys(genome.nodes)


def recurrent_step(genome, x, state, activations):
    """One synchronous step: all nodes from the state before, the inputs from x."""
    before = state | sources_of(genome, x)
    return before | {node: node_value(genome, node, before, activations) for node in genome.nodes}


def time_steps(genome, x, limit, activations):
    """States and frontiers after 0, 1, ... steps, until quiet or at the limit.

    A node is activated when an enabled connection comes from one that was in the step before.
    """
    states = [blank(genome, x)]
    frontiers = [set(genome.sources)]
    while len(states) <= limit:
        reached = {gene.target for gene in genome.enabled if gene.source in frontiers[-1]}
        if not reached:
            break
        before = states[-1]
        states.append(
            before | {node: node_value(genome, node, before, activations) for node in reached})
        frontiers.append(reached)
    return states, frontiers


def outputs(genome, x, mode, limit, activations):
    """What ``network(x)`` returns for one row."""
    if mode == "feed_forward":
        values = feed_forward(genome, x, activations)
    elif mode == "recurrent":
        values = recurrent_step(genome, x, blank(genome, x), activations)
    else:
        values = time_steps(genome, x, limit, activations)[0][-1]
    zero = Rounded(0.0, x[0].unit) if isinstance(x[0], Rounded) else 0.0
    return outputs_of(genome, values, zero)


def depth(genome):
    """Connections on the longest enabled path to an output of a genome without cycles."""
    def longest(node):
        return max((1 + longest(gene.source) for gene in enabled_into(genome, node)), default=0)

    return max(longest(node) for node in genome.outputs)


def parameters(genome, has_biases):
    """In the order of ``Network.parameters``: enabled weights by innovation, then biases."""
    weights = [gene.weight for gene in genome.enabled]
    biases = [genome.nodes[node].bias for node in genome.order if node in genome.nodes]
    return weights + biases if has_biases else weights


def with_parameters(genome, values, has_biases):
    """The genome that has these parameters."""
    genome = genome.copy()
    values = iter(values)
    for innovation, gene in sorted(genome.genes.items()):
        if gene.enabled:
            genome.genes[innovation] = replace(gene, weight=float(next(values)))
    if has_biases:
        for node in genome.order:
            if node in genome.nodes:
                genome.nodes[node] = replace(genome.nodes[node], bias=float(next(values)))
    assert next(values, None) is None
    return genome


def loss(genome, rows, targets, name, oracle):
    """Mean over rows of a feed-forward genome's loss."""
    predictions = np.array([
        outputs_of(genome, feed_forward(genome, list(x), oracle.ACTIVATIONS)) for x in rows])
    return float(np.mean(oracle.row_losses(name, predictions, np.asarray(targets))))
