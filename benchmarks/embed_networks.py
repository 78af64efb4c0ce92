"""Networks in other languages: what is called, what it has to give, and the same in C by hand."""

import random
from dataclasses import dataclass
from functools import cached_property

import numpy as np

import fastnet as fn
from benchmarks import jobs
from benchmarks.embed_code import GENERIC, NATIVE, ROWS
from benchmarks.neat_networks import PlainNetwork, Shape, deviation, sigmoid
from fastnet import neat

#: Of outputs, by the largest one
FLOAT32_TOLERANCE, FLOAT64_TOLERANCE = 1e-5, 1e-11
#: How much errors may have grown after ROWS calls that feed each other
GROWTH = 10


def aligned(values, dtype):
    """A copy that begins at a multiple of 64 bytes."""
    values = np.asarray(values, dtype)
    memory = np.zeros(values.size + 64 // values.itemsize, dtype)
    first = -memory.ctypes.data % 64 // values.itemsize
    copy = memory[first : first + values.size].reshape(values.shape)
    copy[...] = values
    return copy


def numbers(values):
    return ", ".join(f"{float(value)!r}" for value in values)


class Subject:
    """A network.

    Attributes
    ----------
    name, identifier : str
    dtype : str
    n_inputs, n_outputs : int
        No more outputs than inputs, so that the ones can feed the others.
    has_memory : bool
        Then only a sequence of calls is timed, each of which needs what the last one left.
    """

    has_memory = False

    @cached_property
    def rows(self):
        """Inputs (ROWS, n_inputs)."""
        rng = np.random.default_rng(2)
        return aligned(rng.standard_normal((ROWS, self.n_inputs)), self.dtype)

    @property
    def kinds(self):
        return ["independent"] if self.has_memory else ["independent", "dependent"]

    def arrays(self, kind):
        """What a loop goes over: rows and outputs, or two times the first inputs."""
        if kind == "independent":
            return self.rows, aligned(np.zeros((ROWS, self.n_outputs)), self.dtype)
        return aligned(self.rows[0], self.dtype), aligned(self.rows[0], self.dtype)

    def results(self, kind, arrays):
        """What ROWS calls left in the arrays."""
        return arrays[1] if kind == "independent" else arrays[0][: self.n_outputs]

    @cached_property
    def expected(self):
        """{kind: results in float64}."""
        found = {"independent": self.sequence(self.rows.astype(float))}
        if not self.has_memory:
            x = self.rows[0].astype(float)
            for _ in range(ROWS):
                x[: self.n_outputs] = self.sequence(x[np.newaxis])[0]
            found["dependent"] = x[: self.n_outputs]
        return found

    def error(self, kind, found):
        """Of results, by what rounding explains: above 1 it is another network."""
        expected = self.expected[kind]
        tolerance = FLOAT32_TOLERANCE if self.dtype == "float32" else FLOAT64_TOLERANCE
        if kind == "dependent" or self.has_memory:
            tolerance *= GROWTH
        error = np.abs(found - expected).max() / (tolerance * np.abs(expected).max())
        return float(error) if np.isfinite(error) else np.inf

    @property
    def sources(self):
        """[(C, flags)]: by hand, and exported twice."""
        return [
            (self.by_hand, NATIVE),
            (self.export(f"native_{self.identifier}"), NATIVE),
            (self.export(f"generic_{self.identifier}"), GENERIC),
        ]


class Dense(Subject):
    """A dense network in float32, with the activation behind all layers but the last of several."""

    dtype = "float32"

    def __init__(self, sizes, activation):
        is_layer = len(sizes) == 2
        self.job = jobs.Job(sizes, activation, activation if is_layer else "identity")
        shape = "x".join(map(str, sizes)) if is_layer else self.job.name
        self.name = f"{shape} {activation}"
        self.identifier = "dense_" + "_".join(map(str, sizes))
        self.n_inputs, self.n_outputs = sizes[0], sizes[-1]

    def network(self):
        sizes = self.job.sizes
        hidden, output = self.job.activations[0], self.job.activations[-1]
        net = fn.Network(list(sizes), hidden=hidden, output=output, dtype=self.dtype, seed=0)
        net.parameters[:] = self.job.parameters
        return net

    def sequence(self, rows):
        for (weights, biases), name in zip(
            jobs.layers(self.job.sizes, self.job.parameters.astype(float)),
            self.job.activations, strict=True,
        ):  # fmt: skip
            rows = rows @ weights + biases
            if name != "identity":
                rows = np.tanh(rows) if name == "tanh" else np.maximum(rows, 0)
        return rows

    def export(self, name):
        return self.network().to_c(name)

    @property
    def by_hand(self):
        values = {"tanh": "tanhf(z[j])", "relu": "z[j] > 0 ? z[j] : 0", "identity": "z[j]"}
        lines = [
            "#include <math.h>",
            *(f"static const float w{k}[] = {{{numbers(w.ravel())}}}, b{k}[] = {{{numbers(b)}}};"
              for k, (w, b) in enumerate(jobs.layers(self.job.sizes, self.job.parameters))),
            f"void by_hand_{self.identifier}(const float *x, float *y) {{",
            f"    float z[{max(self.job.sizes)}], a[{max(self.job.sizes)}];",
        ]  # fmt: skip
        for k, name in enumerate(self.job.activations):
            n_in, n_out = self.job.sizes[k : k + 2]
            source = "a" if k else "x"
            target = "y" if k == len(self.job.activations) - 1 else "a"
            lines += [
                f"    for (int j = 0; j < {n_out}; j++) z[j] = b{k}[j];",
                f"    for (int i = 0; i < {n_in}; i++)",
                f"        for (int j = 0; j < {n_out}; j++) z[j] += {source}[i] * "
                f"w{k}[{n_out} * i + j];",
                f"    for (int j = 0; j < {n_out}; j++) {target}[j] = {values[name]};",
            ]
        return "\n".join([*lines, "}", ""])


@dataclass(frozen=True)
class Graph(Subject):
    """A grown network of sigmoid nodes in float64."""

    shape: Shape
    has_memory: bool = False

    dtype = "float64"

    @property
    def name(self):
        mode = "recurrent step" if self.has_memory else "feed-forward"
        return f"{self.shape.n_connections} connections, {mode}"

    @property
    def identifier(self):
        return f"{'recurrent' if self.has_memory else 'forward'}_{self.shape.n_connections}"

    @property
    def n_inputs(self):
        return self.shape.n_inputs

    @property
    def n_outputs(self):
        return self.shape.n_outputs

    @cached_property
    def plain(self):
        return grown(self.shape, self.has_memory, seed=1)

    @cached_property
    def genome(self):
        plain = self.plain
        mode = "recurrent" if self.has_memory else "feed_forward"
        config = neat.Config.paper(plain.n_inputs, plain.n_outputs, bias="per_node",
                                   activation="sigmoid", mode=mode)  # fmt: skip
        nodes = [(node, "output" if node in plain.outputs else "hidden", "sigmoid", bias)
                 for node, bias in plain.biases.items()]  # fmt: skip
        return neat.Genome.from_connections(config, plain.connections, inputs=plain.inputs,
                                            outputs=plain.outputs, nodes=nodes)  # fmt: skip

    def network(self):
        return self.genome.network()

    def sequence(self, rows):
        if not self.has_memory:
            return np.array([self.plain.evaluate(x)[0] for x in rows])
        return steps(self.plain, rows)

    def error(self, kind, found):
        if kind == "independent" and not self.has_memory:
            return deviation(self.plain, self.rows, found)
        return super().error(kind, found)

    def export(self, name):
        return self.genome.to_c(name)

    @property
    def by_hand(self):
        plain = self.plain
        links = entering(plain) if self.has_memory else plain.order()
        slots = plain.inputs + [node for node, _ in links]
        slot = {node: k for k, node in enumerate(slots)}
        edges = [(slot[source], weight) for _, found in links for source, weight in found]
        first = np.cumsum([0] + [len(found) for _, found in links]).tolist()
        n = self.n_inputs
        lines = [
            "#include <math.h>",
            "#include <string.h>",
            f"static const int first[] = {{{', '.join(map(str, first))}}};",
            f"static const int source[] = {{{', '.join(str(edge[0]) for edge in edges)}}};",
            f"static const double weight[] = {{{numbers(edge[1] for edge in edges)}}};",
            f"static const double bias[] = {{{numbers(plain.biases[node] for node, _ in links)}}};",
            f"static double value[{len(slots)}], next[{len(links)}];"
            if self.has_memory else "",
            f"void by_hand_{self.identifier}(const double *x, double *y) {{",
            "" if self.has_memory else f"    double value[{len(slots)}], *next = value + {n};",
            f"    for (int i = 0; i < {n}; i++) value[i] = x[i];",
            f"    for (int k = 0; k < {len(links)}; k++) {{",
            "        double z = bias[k];",
            "        for (int e = first[k]; e < first[k + 1]; e++)",
            "            z += weight[e] * value[source[e]];",
            "        next[k] = 1 / (1 + exp(-z));",
            "    }",
            f"    memcpy(value + {n}, next, sizeof next);" if self.has_memory else "",
            *(f"    y[{k}] = value[{slot[node]}];" for k, node in enumerate(plain.outputs)),
            "}",
        ]  # fmt: skip
        return "\n".join(line for line in lines if line) + "\n"


def grown(shape, is_recurrent, seed):
    """A `PlainNetwork` as mutations make it: nodes that split connections, then connections."""
    rng = random.Random(seed)
    n_first = shape.n_inputs + shape.n_outputs
    links = {(i, o): [rng.gauss(0, 1), True]
             for i in range(shape.n_inputs) for o in range(shape.n_inputs, n_first)}  # fmt: skip
    for node in range(n_first, n_first + shape.n_hidden):
        source, target = rng.choice([pair for pair, (_, enabled) in links.items() if enabled])
        links[source, target][1] = False
        links[source, node], links[node, target] = [1.0, True], [rng.gauss(0, 1), True]
    computed = range(shape.n_inputs, n_first + shape.n_hidden)
    while sum(enabled for _, enabled in links.values()) < shape.n_connections:
        source, target = rng.randrange(n_first + shape.n_hidden), rng.choice(computed)
        is_open = is_recurrent or not (
            shape.n_inputs <= source < n_first or reaches(links, target, source))
        if (source, target) not in links and is_open:
            links[source, target] = [rng.gauss(0, 1), True]
    connections = tuple((k, *pair, *link) for k, (pair, link) in enumerate(links.items()))
    biases = {node: rng.gauss(0, 1) for node in computed}
    return PlainNetwork(shape.n_inputs, shape.n_outputs, connections, biases, "sigmoid")


def reaches(links, start, end):
    """Whether a path of connections leads from one node to the other, disabled ones included."""
    seen, left = {start}, [start]
    while left:
        node = left.pop()
        found = [target for source, target in links if source == node and target not in seen]
        seen.update(found)
        left += found
    return end in seen


def entering(plain):
    """[(node, [(source, weight), ...]), ...] of all nodes that compute."""
    return [(node, [(c[1], c[3]) for c in plain.enabled if c[2] == node]) for node in plain.biases]


def steps(plain, rows):
    """Outputs of successive synchronous steps, from values of 0."""
    links = entering(plain)
    values = dict.fromkeys(plain.biases, 0.0)
    outputs = []
    for x in rows:
        values |= dict(zip(plain.inputs, map(float, x), strict=True))
        values |= {
            node: sigmoid(plain.biases[node] + sum(w * values[source] for source, w in found))
            for node, found in links
        }
        outputs.append([values[node] for node in plain.outputs])
    return np.array(outputs)
