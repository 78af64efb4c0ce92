"""Evolved networks as plain numbers, between the libraries, and how far rounding may part them."""

import math
from dataclasses import dataclass

#: Largest relative error of exp and of the arithmetic around it in a sigmoid, in units of rounding.
SIGMOID_ROUNDING = 8
#: neat-python's sigmoid is that of an argument of at least -60 and at most 60.
CLIPPED = math.exp(-60)
UNIT_ROUNDING = {"float64": 2.0**-53, "float32": 2.0**-24}


@dataclass(frozen=True)
class Shape:
    """Sizes of a genome; ``n_connections`` are the enabled ones, or all, as its user says."""

    n_inputs: int
    n_outputs: int
    n_hidden: int
    n_connections: int


@dataclass(frozen=True)
class PlainNetwork:
    """A feed-forward genome with a bias in each node that computes.

    Nodes are numbered inputs, outputs, hidden.  ``connections`` are tuples (innovation, source,
    target, weight, enabled), ``biases`` maps each output and hidden node to its bias, and
    ``activation`` is "sigmoid", 1 / (1 + exp(-z)), or "relu".
    """

    n_inputs: int
    n_outputs: int
    connections: tuple[tuple[int, int, int, float, bool], ...]
    biases: dict[int, float]
    activation: str

    @property
    def inputs(self):
        return list(range(self.n_inputs))

    @property
    def outputs(self):
        return list(range(self.n_inputs, self.n_inputs + self.n_outputs))

    @property
    def enabled(self):
        """The connections that are, by innovation."""
        return sorted(connection for connection in self.connections if connection[4])

    @property
    def parameters(self):
        """Weights of the enabled connections by innovation, then biases: outputs, hidden by id."""
        weights = [weight for _, _, _, weight, _ in self.enabled]
        return weights + [self.biases[node] for node in sorted(self.biases)]

    def order(self):
        """[(node, [(source, weight), ...]), ...], sources before targets."""
        entering = {node: [] for node in self.biases}
        for _, source, target, weight, _ in self.enabled:
            entering[target].append((source, weight))
        ready, order = set(self.inputs), []
        while len(order) < len(entering):
            found = [
                node
                for node, links in entering.items()
                if node not in ready and all(source in ready for source, _ in links)
            ]
            if not found:
                raise ValueError("the network has a cycle")
            order += [(node, entering[node]) for node in found]
            ready.update(found)
        return order

    def evaluate(self, x, dtype="float64"):
        """Outputs for one row, and how far rounding in ``dtype`` may move each, to first order.

        A sum of n products is off by at most n + 1 roundings of the sum of their absolute values
        (Higham, Accuracy and Stability of Numerical Algorithms, 3.1), and by the errors of what is
        summed; rounding weights, bias and inputs to ``dtype``, or scaling them, adds four.
        """
        unit = UNIT_ROUNDING[dtype]
        values = dict(enumerate(map(float, x)))
        errors = {node: unit * abs(value) for node, value in values.items()}
        for node, links in self.order():
            bias = self.biases[node]
            z = bias + sum(weight * values[source] for source, weight in links)
            size = abs(bias) + sum(abs(weight * values[source]) for source, weight in links)
            error = sum(abs(weight) * errors[source] for source, weight in links)
            error += (len(links) + 5) * unit * size
            if self.activation == "relu":
                values[node] = max(0.0, z)
            else:
                value = values[node] = sigmoid(z)
                error = error * value * (1 - value) + SIGMOID_ROUNDING * unit * value + CLIPPED
            errors[node] = error
        return [values[k] for k in self.outputs], [errors[k] for k in self.outputs]


def sigmoid(z):
    """1 / (1 + exp(-z)) without overflow."""
    if z >= 0:
        return 1 / (1 + math.exp(-z))
    return math.exp(z) / (1 + math.exp(z))


def deviation(plain, rows, outputs, dtype="float64"):
    """Largest difference from ``plain``, by what rounding explains: above 1 it is another network.

    ``rows`` (n, n_inputs), ``outputs`` (n, n_outputs), computed in ``dtype``.
    """
    worst = 0.0
    for x, found in zip(rows, outputs, strict=True):
        expected, errors = plain.evaluate(x, dtype)
        own = plain.evaluate(x)[1]  # what is compared with is rounded, too
        for a, b, *bounds in zip(found, expected, errors, own, strict=True):
            difference = abs(float(a) - b)
            if not math.isfinite(difference):
                return math.inf
            if difference > 0:
                worst = max(worst, difference / max(sum(bounds), math.ulp(0.0)))
    return worst


#: Lineages whose distances set a threshold
COMPARED = 40


def threshold_between(members, n_lineages, distance):
    """Half way from the distances within lineages to those between them.

    ``members``: of each lineage in turn, two or more rounds.
    """
    pairs = list(zip(members[:n_lineages], members[n_lineages:], strict=False))[:COMPARED]
    within = [distance(a, b) for a, b in pairs]
    between = [distance(a, b) for k, (a, _) in enumerate(pairs) for _, b in pairs[:k]]
    if not between:
        return 2 * max(within) + 1e-9
    return (sum(within) / len(within) + sum(between) / len(between)) / 2
