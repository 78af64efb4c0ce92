"""Evolved networks as C: `genome_to_c`.

The plan is made here once more, from the genome's connections: `fastnet.neat.graph` compiles it to
tables for kernels, and a source wants statements.
"""

import numpy as np

from fastnet.interop.c_functions import function_of
from fastnet.interop.c_networks import rounded
from fastnet.interop.c_source import Source, checked_dtype, tolerances

__all__ = ["genome_to_c"]

TEST_STEPS = 4


def genome_to_c(genome, name="network", mode=None, *, dtype="float64"):
    """A C99 source, which is C++17 too, that computes what the genome's network computes.

    It has what that of `fastnet.Network.to_c` has and keeps the same rules; NAME_predict takes one
    row from a blank state, with T double or float.  In recurrent mode there are also

    * ``size_t NAME_state_size(void)``: bytes of a state, which the caller has;
    * ``void NAME_reset(void *state)``: before the first step, and to forget;
    * ``void NAME_step(void *state, const double *x, double *y)``: one synchronous step.

    Parameters
    ----------
    genome : fastnet.neat.Genome
    name : str
        What all names in the source begin with: a C identifier.
    mode : "feed_forward", "recurrent" or "time_step", optional
        By default that of the config.
    dtype : "float64" or "float32"
        Precision of constants and arithmetic; steps take and give doubles in any case.

    Returns
    -------
    str
        Plain ASCII.

    Raises
    ------
    ValueError
        name is no C identifier; a weight is too large for dtype; or mode is "feed_forward" and the
        enabled connections have a cycle.

    Examples
    --------
    >>> from fastnet import neat
    >>> genome = neat.Genome(neat.Config(n_inputs=2, n_outputs=1), rng=0)
    >>> "void player_predict(const double *x, double *y);" in genome.to_c("player")
    True
    """
    source = Source(name, checked_dtype(dtype))
    network = genome.network(mode, "float64")
    network.parameters[:] = rounded(network.parameters, source.dtype)
    plan = Plan(genome, network.mode)
    write = Writer(source, plan, network.parameters)
    recurrent = plan.mode == "recurrent"
    if recurrent:
        write.recurrent()
    elif plan.mode == "feed_forward":
        write.feed_forward()
    else:
        write.time_step(genome.config.step_limit)
    x = rounded(np.sin(1.0 + np.arange(network.n_inputs)), source.dtype)
    parameters = network.parameters.copy()

    def evaluate(x, parameters):
        network.parameters[:] = parameters
        if not recurrent:
            return network(x)
        network.reset()
        for _ in range(TEST_STEPS):
            y = network.step(x)
        return y

    n_steps = TEST_STEPS if recurrent else 0
    source.self_test(x, *tolerances(evaluate, x, parameters, source.dtype), n_steps)
    n_hidden, n_connections = genome.size
    description = [
        f"{n_hidden} hidden nodes and {n_connections} connections, {network.mode},",
        source.dtype.name,
    ]
    title = f"an evolved network of {network.n_inputs} inputs and {network.n_outputs} outputs"
    return source.text(title, description, network.n_inputs, network.n_outputs, recurrent)


class Plan:
    """Which nodes are computed, in which order.

    Attributes
    ----------
    mode : str
        As the genome's, but "feed_forward" where one pass gives what time steps would.
    nodes : list of int
        Positions in genome.nodes of what is computed, in the order of their slots.
    levels : list of list of int
        The same, in groups that do not feed each other where ``mode`` is "feed_forward".
    edges : dict of list of (int, int)
        Position: those of its sources and of the weights among the parameters.
    """

    def __init__(self, genome, mode):
        self.mode = mode
        nodes, connections = genome.nodes, genome.connections
        kinds = nodes["kind"]
        self.n_sources = int(np.count_nonzero((kinds == "input") | (kinds == "bias")))
        self.n_inputs = int(np.count_nonzero(kinds == "input"))
        self.outputs = np.flatnonzero(kinds == "output").tolist()
        self.activations = nodes["activation"].tolist()
        self.has_biases = genome.config.bias == "per_node"
        place = {node: k for k, node in enumerate(nodes["id"].tolist())}
        enabled = connections[connections["enabled"]]
        self.n_weights = len(enabled)
        self.edges = {k: [] for k in range(self.n_sources, len(nodes))}
        pairs = zip(enabled["source"].tolist(), enabled["target"].tolist(), strict=True)
        for weight, (from_, to) in enumerate(pairs):
            self.edges[place[to]].append((place[from_], weight))
        # what an output depends on, and in time steps what a way leads to from a source
        kept = {k for k in reach(self.outputs, self.sources_of) if k >= self.n_sources}
        if mode == "time_step":
            kept &= reach(range(self.n_sources), self.targets(kept).get)
        self.keep(kept)
        depth = self.depths(kept)
        deepest = np.inf if depth is None else max(depth.values(), default=0)
        if mode == "time_step" and deepest <= genome.config.step_limit:
            # each node fires for the last time when all that feeds it has
            self.mode = "feed_forward"
        if self.mode != "feed_forward":
            depth = dict.fromkeys(kept, 1)
        self.levels = [[] for _ in range(max(depth.values(), default=0))]
        for k in sorted(kept, key=lambda k: (self.activations[k], k)):
            self.levels[depth[k] - 1].append(k)
        self.nodes = [k for level in self.levels for k in level]

    def sources_of(self, k):
        return [source for source, _ in self.edges.get(k, ())]

    def targets(self, kept):
        """What the edges of these come from: which of these they lead to."""
        targets = {}
        for k in kept:
            for source in self.sources_of(k):
                targets.setdefault(source, []).append(k)
        return targets

    def keep(self, kept):
        """Leave out the edges of all others."""
        self.edges = {
            k: [(s, w) for s, w in self.edges[k] if s < self.n_sources or s in kept] for k in kept
        }

    def depths(self, kept):
        """Of each node the longest way to it from a source; None where there is a cycle."""
        waiting = {k: sum(s >= self.n_sources for s, _ in self.edges[k]) for k in kept}
        targets = self.targets(kept)
        depth = {k: 1 for k in kept if not waiting[k]}
        left = list(depth)
        for k in left:
            for target in targets.get(k, ()):
                waiting[target] -= 1
                if not waiting[target]:
                    depth[target] = 1 + max(depth.get(s, 0) for s, _ in self.edges[target])
                    left.append(target)
        return depth if len(depth) == len(kept) else None


def reach(start, neighbors):
    """These nodes and all that neighbors(node), a list or None, lead to from them."""
    seen, left = set(start), list(start)
    while left:
        for k in neighbors(left.pop()) or ():
            if k not in seen:
                seen.add(k)
                left.append(k)
    return seen


class Writer:
    """The functions of a plan.

    Values are in ``v``: inputs, then 1 where there is a bias node, then the computed nodes.
    """

    def __init__(self, source, plan, parameters):
        self.source = source
        self.plan = plan
        self.slot = {k: k for k in range(plan.n_sources)}
        self.slot.update({k: plan.n_sources + i for i, k in enumerate(plan.nodes)})
        self.n_slots = plan.n_sources + len(plan.nodes)
        order = [w for k in plan.nodes for _, w in self.sorted_edges(k)]
        self.place = {w: i for i, w in enumerate(order)}
        source.array("weights", parameters[order])
        if plan.has_biases:
            places = [plan.n_weights + k - plan.n_sources for k in plan.nodes]
            source.array("biases", parameters[places])

    def sorted_edges(self, k):
        """Those of a node; what is computed last is added last."""
        return sorted(self.plan.edges[k], key=lambda edge: self.slot[edge[0]])

    def sum(self, i, target):
        """The statements of the sum of node i."""
        lines = [f"t = @biases[{i}];"] if self.plan.has_biases else []
        for source, weight in self.sorted_edges(self.plan.nodes[i]):
            w, v = f"@weights[{self.place[weight]}]", f"v[{self.slot[source]}]"
            lines.append(f"t = @FMA({w}, {v}, t);" if lines else f"t = {w} * {v};")
        return [*lines, f"{target} = t;"] if lines else [f"{target} = #[0.0];"]

    def activation(self, first, last, array, offset):
        """Statements that apply the activations of nodes first to last, in place."""
        lines = []
        while first < last:
            f = self.plan.activations[self.plan.nodes[first]]
            end = first
            while end < last and self.plan.activations[self.plan.nodes[end]] == f:
                end += 1
            if f != "identity":
                f = "any_sin" if f == "sin" else function_of(f)
                is_short = end - first < 4
                if is_short and f in ("sigmoid", "steep_sigmoid"):
                    f = "lone_" + f
                self.source.use(f)
                if is_short:
                    values = [f"{array}[{k + offset}]" for k in range(first, end)]
                    lines += [f"{v} = @{f}({v});" for v in values]
                else:
                    lines += [
                        f"for (k = {first + offset}; k < {end + offset}; ++k)",
                        f"    {array}[k] = @{f}({array}[k]);",
                    ]
            first = end
        return lines

    def inputs(self, cast=""):
        n = self.plan.n_inputs
        lines = [f"for (k = 0; k < {n}; ++k)", f"    v[k] = {cast}x[k];"]
        if self.plan.n_sources > n:
            lines.append(f"v[{n}] = #[1.0];")
        return lines

    def outputs(self, array="v", offset=0, cast=""):
        lines = []
        for j, k in enumerate(self.plan.outputs):
            value = f"{cast}{array}[{self.slot[k] - offset}]" if k in self.slot else "0"
            lines.append(f"y[{j}] = {value};")
        return lines

    def function(self, head, declared, lines):
        body = "\n    ".join([*declared, *lines])
        if "for (k" in body:
            body = "size_t k;\n    " + body
        if any(line.lstrip().startswith("t = ") for line in lines):
            body = "real t;\n    " + body
        self.source.add(f"\n{head}\n{{\n    {body}\n}}\n")

    def feed_forward(self):
        n_sources, first, lines = self.plan.n_sources, 0, self.inputs()
        for level in self.plan.levels:
            last = first + len(level)
            for i in range(first, last):
                lines += self.sum(i, f"v[{i + n_sources}]")
            lines += self.activation(first, last, "v", n_sources)
            first = last
        if not self.plan.nodes:
            lines.append("(void)v;")
        self.function(
            "void @predict(const real *x, real *y)",
            [f"real v[{self.n_slots}];"],
            [*lines, *self.outputs()],
        )

    def sums(self):
        """All new values, from the old ones."""
        n = len(self.plan.nodes)
        lines = [line for i in range(n) for line in self.sum(i, f"s[{i}]")]
        return lines + self.activation(0, n, "s", 0)

    def recurrent(self):
        n_sources, n = self.plan.n_sources, len(self.plan.nodes)
        # values are copied to and fro because a state may lie anywhere
        self.source.add(f"\n#define @STATE_SIZE ({n} * sizeof(real))\n")
        self.function("size_t @state_size(void)", [], ["return @STATE_SIZE;"])
        self.function("void @reset(void *state)", [], ["memset(state, 0, @STATE_SIZE);"])
        self.function(
            "/* v (sources and nodes,) before, s (nodes,) after */\n"
            "static void @advance(const real *v, real *s)",
            [],
            self.sums() if self.place else ["(void)v;", *self.sums()],
        )
        arrays = [f"real v[{self.n_slots}], s[{n}];"]
        self.function(
            "void @step(void *state, const double *x, double *y)",
            arrays,
            [
                *self.inputs("(real)"),
                f"memcpy(v + {n_sources}, state, sizeof s);",
                "@advance(v, s);",
                "memcpy(state, s, sizeof s);",
                *self.outputs("s", n_sources, "(double)"),
            ],
        )
        self.function(
            "void @predict(const real *x, real *y)",
            arrays,
            [
                *self.inputs(),
                f"memset(v + {n_sources}, 0, sizeof s);",
                "@advance(v, s);",
                *self.outputs("s", n_sources),
            ],
        )

    def time_step(self, step_limit):
        """Nodes fire where something that feeds them did in the step before."""
        n_sources, n = self.plan.n_sources, len(self.plan.nodes)
        lines = [
            *self.inputs(),
            f"memset(v + {n_sources}, 0, sizeof s);",
            "memset(s, 0, sizeof s);",
            f"memset(fired, 1, {n_sources});",
            f"memset(fired + {n_sources}, 0, sizeof fires);",
            f"for (step = 0; step < {step_limit}; ++step) {{",
        ]
        loop = []
        for i, k in enumerate(self.plan.nodes):
            slots = sorted({self.slot[source] for source, _ in self.plan.edges[k]})
            flags = " | ".join(f"fired[{slot}]" for slot in slots)
            loop.append(f"fires[{i}] = (unsigned char)({flags});")
        loop += [
            "any = 0;",
            f"for (k = 0; k < {n}; ++k)",
            "    any |= fires[k];",
            "if (!any)",
            "    break;",
        ]
        for i in range(n):
            loop.append(f"if (fires[{i}]) {{")
            loop += ["    " + line for line in self.sum(i, f"s[{i}]")]
            loop.append("}")
        loop += self.activation(0, n, "s", 0)
        loop += [
            f"for (k = 0; k < {n}; ++k)",
            "    if (fires[k])",
            f"        v[k + {n_sources}] = s[k];",
            f"memset(fired, 0, {n_sources});",
            f"memcpy(fired + {n_sources}, fires, sizeof fires);",
        ]
        lines += ["    " + line for line in loop] + ["}", *self.outputs()]
        self.function(
            "void @predict(const real *x, real *y)",
            [
                f"real v[{self.n_slots}], s[{n}];",
                f"unsigned char fired[{self.n_slots}], fires[{n}], any;",
                "long step;",
            ],
            lines,
        )
