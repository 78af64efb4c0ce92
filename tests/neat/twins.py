"""Slow, obvious twins of genomes and of what evolution does to them, in plain Python.

Written from the rules (Stanley & Miikkulainen 2002; document 001), for clarity only.  ``config`` is
anything that has the fields of ``neat.Config``; random numbers come from a ``random.Random``.
"""

import math
from dataclasses import dataclass, field, replace


@dataclass(frozen=True)
class Gene:
    """A connection."""

    source: int
    target: int
    weight: float
    enabled: bool = True


@dataclass(frozen=True)
class Node:
    """What a node that computes has of its own."""

    activation: str
    bias: float = 0.0


@dataclass
class Genome:
    """Genes by innovation; inputs and the bias node are ids only, all other nodes in `nodes`."""

    inputs: tuple
    bias: int | None
    outputs: tuple
    genes: dict = field(default_factory=dict)
    nodes: dict = field(default_factory=dict)

    @property
    def sources(self):
        """Nodes that nothing may enter."""
        return (*self.inputs, *([] if self.bias is None else [self.bias]))

    @property
    def hidden(self):
        return sorted(self.nodes.keys() - set(self.outputs))

    @property
    def order(self):
        """Ids in the order of ``Genome.nodes``."""
        return [*self.sources, *self.outputs, *self.hidden]

    @property
    def enabled(self):
        """Enabled genes by innovation, ascending."""
        return [gene for _, gene in sorted(self.genes.items()) if gene.enabled]

    @property
    def pairs(self):
        return {(gene.source, gene.target) for gene in self.genes.values()}

    def rows(self):
        """The connections as ``Genome.from_connections`` takes them."""
        return [
            (innovation, gene.source, gene.target, gene.weight, gene.enabled)
            for innovation, gene in sorted(self.genes.items())
        ]

    def copy(self):
        return replace(self, genes=dict(self.genes), nodes=dict(self.nodes))


def build(config, rows, inputs=None, outputs=None, bias=None):
    """A genome from connections (innovation, source, target, weight, enabled)."""
    if inputs is None:
        inputs = range(config.n_inputs)
    if config.bias == "node" and bias is None:
        bias = config.n_inputs
    if outputs is None:
        first = config.n_inputs + (config.bias == "node")
        outputs = range(first, first + config.n_outputs)
    genome = Genome(tuple(inputs), bias, tuple(outputs))
    genome.genes = {innovation: Gene(*gene) for innovation, *gene in rows}
    settle(genome, config)
    return genome


def settle(genome, config):
    """Nodes are what the connections touch, and the fixed ones."""
    touched = {node for pair in genome.pairs for node in pair}
    wanted = (touched | set(genome.outputs)) - set(genome.sources)
    for node in genome.nodes.keys() - wanted:
        del genome.nodes[node]
    for node in wanted - genome.nodes.keys():
        is_output = node in genome.outputs and config.output_activation is not None
        genome.nodes[node] = Node(config.output_activation if is_output else config.activation)


def read(g):
    """The twin of a ``neat.Genome``."""
    ids = {kind: [] for kind in ("input", "bias", "output", "hidden")}
    nodes = {}
    for node, kind, activation, bias in g.nodes[["id", "kind", "activation", "bias"]].tolist():
        ids[kind].append(node)
        if kind in ("output", "hidden"):
            nodes[node] = Node(activation, bias)
    fields = ["innovation", "source", "target", "weight", "enabled"]
    genes = {innovation: Gene(*gene) for innovation, *gene in g.connections[fields].tolist()}
    bias = ids["bias"][0] if ids["bias"] else None
    return Genome(tuple(ids["input"]), bias, tuple(ids["output"]), genes, nodes)


def write(neat, genome, config):
    """The ``neat.Genome`` of a twin with the activations of the config and without biases."""
    return neat.Genome.from_connections(
        config, genome.rows(), inputs=genome.inputs, outputs=genome.outputs, bias=genome.bias)


# Structure


def has_cycle(pairs):
    """Whether edges (source, target) have a cycle: nodes that nothing enters are taken away until
    none is left."""
    pairs = set(pairs)
    while pairs:
        entered = {target for _, target in pairs}
        rest = {(source, target) for source, target in pairs if source in entered}
        if rest == pairs:
            return True
        pairs = rest
    return False


def check_structure(g, config):
    """Asserts everything that every ``neat.Genome`` has to satisfy."""
    innovations = [int(i) for i in g.connections["innovation"]]
    assert innovations == sorted(set(innovations)), f"innovations {innovations}"
    pairs = [(int(c["source"]), int(c["target"])) for c in g.connections]
    assert len(set(pairs)) == len(pairs), f"two genes between the same nodes: {pairs}"
    genome = read(g)
    ids = [int(i) for i in g.nodes["id"]]
    assert len(set(ids)) == len(ids), f"ids {ids}"
    assert min([0, *ids, *innovations]) == 0, "a negative number"
    assert ids == genome.order, f"order {ids}"
    assert len(genome.inputs) == config.n_inputs
    assert len(genome.outputs) == config.n_outputs
    assert (genome.bias is not None) == (config.bias == "node")
    touched = {node for pair in pairs for node in pair}
    assert touched | {*genome.sources, *genome.outputs} == set(ids), "nodes"
    assert not {target for _, target in pairs} & set(genome.sources), "into an input"
    for node in g.nodes[: len(genome.sources)]:
        assert node["activation"] == "identity"
        assert node["bias"] == 0
    if config.bias != "per_node":
        assert not g.nodes["bias"].any()
    possible = set(config.activations) | {
        config.activation, config.output_activation or config.activation}
    assert {node.activation for node in genome.nodes.values()} <= possible
    if config.mode == "feed_forward":
        assert not has_cycle(pairs), "cycle"
        assert not {source for source, _ in pairs} & set(genome.outputs), "out of an output"
    hidden, enabled = g.size
    assert hidden == len(genome.hidden)
    assert enabled == len(genome.enabled)


# Distance


def distance(a, b, config):
    """c_excess E / N + c_disjoint D / N + c_weight W (section 3.3 of the paper)."""
    matching = a.genes.keys() & b.genes.keys()
    last = min(max(a.genes, default=-1), max(b.genes, default=-1))
    single = a.genes.keys() ^ b.genes.keys()
    excess = sum(innovation > last for innovation in single)
    disjoint = len(single) - excess
    n = 1
    if config.distance_normalization == "size":
        n = max(len(a.genes), len(b.genes), 1)
    differences = [abs(a.genes[i].weight - b.genes[i].weight) for i in matching]
    mean = sum(differences) / len(matching) if matching else 0.0
    return config.c_excess * excess / n + config.c_disjoint * disjoint / n + config.c_weight * mean


# Crossover


def flags(first, second, config):
    """[(probability, enabled)] of a matching gene, whichever copy was taken."""
    if first == second:
        return [(1.0, first)]
    if config.disable_rate is None:
        return [(1.0, True)]
    return [(config.disable_rate, False), (1 - config.disable_rate, True)]


def merged(choices):
    """One entry for each different gene that has a chance."""
    together = {}
    for probability, choice in choices:
        together[choice] = together.get(choice, 0.0) + probability
    return [(probability, choice) for choice, probability in together.items() if probability]


def matching_choices(first, second, config, averages):
    """[(probability, gene)] of a gene that both parents have."""
    if averages:
        weights = [(1.0, (first.weight + second.weight) / 2)]
    elif config.disable_rate is None and first.enabled != second.enabled:
        weights = [(1.0, first.weight if first.enabled else second.weight)]
    else:
        weights = [(0.5, first.weight), (0.5, second.weight)]
    return merged(
        (p * q, replace(first, weight=weight, enabled=enabled))
        for p, weight in weights for q, enabled in flags(first.enabled, second.enabled, config)
    )


def gene_choices(a, b, order, config, averages):
    """What the child can have: innovation -> [(probability, gene or None)].

    order: above 0 where a is fitter, below 0 where b is, 0 for a tie.
    """
    choices = {}
    for innovation in sorted(a.genes.keys() | b.genes.keys()):
        if innovation in a.genes and innovation in b.genes:
            choices[innovation] = matching_choices(
                a.genes[innovation], b.genes[innovation], config, averages)
            continue
        is_of_a = innovation in a.genes
        gene = a.genes[innovation] if is_of_a else b.genes[innovation]
        if config.crossover == "either":
            present = 1.0
        elif order:
            present = float(is_of_a == (order > 0))
        else:
            present = {"both": 1.0, "neither": 0.0, "random": 0.5}[config.tie]
        choices[innovation] = merged([(present, gene), (1 - present, None)])
    return choices


def left_out(child, gene, config):
    """Whether a gene of the other parent has no place in the child."""
    if (gene.source, gene.target) in child.pairs:
        return True
    return config.mode == "feed_forward" and has_cycle(child.pairs | {(gene.source, gene.target)})


def is_same(got, gene):
    """Whether these are one gene (or both None); a mean may be rounded in another way."""
    if got is None or gene is None:
        return got is gene
    close = math.isclose(got.weight, gene.weight, rel_tol=4e-16, abs_tol=4e-16)
    return close and replace(got, weight=gene.weight) == gene


def why_impossible(child, a, b, order, config):
    """Why the child cannot come from these parents; None if it can."""
    averaging = [False] * (config.average_crossover_rate < 1)
    averaging += [True] * (config.average_crossover_rate > 0)
    reasons = []
    for averages in averaging:
        reason = None
        choices = gene_choices(a, b, order, config, averages)
        if child.genes.keys() - choices.keys():
            reason = f"genes of neither parent: {child.genes.keys() - choices.keys()}"
        for innovation, possible in choices.items():
            possible = [gene for _, gene in possible]
            got = child.genes.get(innovation)
            if any(is_same(got, gene) for gene in possible):
                continue
            gene = possible[0]
            is_of_other = (
                innovation not in (b.genes if order < 0 else a.genes) and gene is not None)
            if got is None and is_of_other and left_out(child, gene, config):
                continue
            reason = f"gene {innovation} is {got}, may be {possible}"
        if reason is None:
            break
        reasons.append(reason)
    else:
        return "; ".join(reasons)
    touched = {node for pair in child.pairs for node in pair} | set(child.outputs)
    if child.nodes.keys() != touched - set(child.sources):
        return f"nodes {child.order}"
    for node, got in child.nodes.items():
        possible = [parent.nodes[node] for parent in (a, b) if node in parent.nodes]
        if got not in possible:
            return f"node {node} is {got}, may be {possible}"
    return None


# Mutations


class Registry:
    """Innovation numbers by ordered pair, nodes by (split innovation, how often before)."""

    def __init__(self, genomes):
        self.connections = {}
        self.splits = {}
        self.next_innovation = 0
        self.next_node = 0
        for genome in genomes:
            for innovation, gene in genome.genes.items():
                self.connections[gene.source, gene.target] = innovation
                self.next_innovation = max(self.next_innovation, innovation + 1)
            self.next_node = max([self.next_node, *(node + 1 for node in genome.order)])

    def connection(self, source, target):
        if (source, target) not in self.connections:
            self.connections[source, target] = self.next_innovation
            self.next_innovation += 1
        return self.connections[source, target]

    def split(self, innovation, genome):
        k = 0
        while self.splits.get((innovation, k)) in genome.nodes:
            k += 1
        if (innovation, k) not in self.splits:
            self.splits[innovation, k] = self.next_node
            self.next_node += 1
        return self.splits[innovation, k]


def splittable(genome):
    """Innovations that add_node chooses from."""
    return [
        innovation for innovation, gene in sorted(genome.genes.items())
        if gene.enabled and gene.source != genome.bias
    ]


def free_pairs(genome, config):
    """(source, target) that add_connection chooses from."""
    free = []
    for source in genome.order:
        for target in genome.nodes:
            if (source, target) in genome.pairs or (source == target and not config.self_loops):
                continue
            if config.mode == "feed_forward" and (
                source in genome.outputs or has_cycle(genome.pairs | {(source, target)})
            ):
                continue
            free.append((source, target))
    return free


def add_node(genome, registry, config, innovation):
    """Splits a connection: weight 1 into the new node, the old weight out of it."""
    old = genome.genes[innovation]
    node = registry.split(innovation, genome)
    genome.genes[innovation] = replace(old, enabled=False)
    into, out = registry.connection(old.source, node), registry.connection(node, old.target)
    genome.genes[into] = Gene(old.source, node, 1.0)
    genome.genes[out] = Gene(node, old.target, old.weight)
    settle(genome, config)


def add_connection(genome, registry, config, pair, weight):
    genome.genes[registry.connection(*pair)] = Gene(*pair, weight)
    settle(genome, config)


def remove_connection(genome, config, innovation):
    del genome.genes[innovation]
    settle(genome, config)


def remove_node(genome, config, node):
    genome.genes = {
        innovation: gene for innovation, gene in genome.genes.items()
        if node not in (gene.source, gene.target)
    }
    settle(genome, config)


def toggle(genome, innovation):
    gene = genome.genes[innovation]
    genome.genes[innovation] = replace(gene, enabled=not gene.enabled)


def evolve(genome, registry, config, random, n_mutations):
    """A descendant: so many mutations of every kind, without a weight mutation in each."""
    genome = genome.copy()
    for _ in range(n_mutations):
        kind = random.choice(["node", "connection", "connection", "toggle", "weight", "remove"])
        innovations = sorted(genome.genes)
        if kind == "node" and splittable(genome):
            add_node(genome, registry, config, random.choice(splittable(genome)))
        elif kind == "connection" and free_pairs(genome, config):
            pair = random.choice(free_pairs(genome, config))
            add_connection(genome, registry, config, pair, random.uniform(-2, 2))
        elif kind == "toggle" and innovations:
            toggle(genome, random.choice(innovations))
        elif kind == "weight" and innovations:
            innovation = random.choice(innovations)
            gene = genome.genes[innovation]
            genome.genes[innovation] = replace(gene, weight=random.uniform(-2, 2))
        elif kind == "remove" and random.random() < 0.3 and innovations:
            remove_connection(genome, config, random.choice(innovations))
    return genome


@dataclass(frozen=True)
class Difference:
    """What is not the same in two genomes with the same fixed nodes."""

    added: frozenset            # innovations
    removed: frozenset
    weights: frozenset
    flags: frozenset
    added_nodes: frozenset
    removed_nodes: frozenset
    biases: frozenset
    activations: frozenset

    @property
    def names(self):
        """The parts that are not empty."""
        return {name for name in self.__dataclass_fields__ if getattr(self, name)}


def difference(before, after):
    """The `Difference`; a gene never changes its ends."""
    both = before.genes.keys() & after.genes.keys()
    nodes = before.nodes.keys() & after.nodes.keys()
    old, new = before.genes, after.genes
    for i in both:
        assert (old[i].source, old[i].target) == (new[i].source, new[i].target), f"ends of gene {i}"
    return Difference(
        frozenset(new.keys() - old.keys()),
        frozenset(old.keys() - new.keys()),
        frozenset(i for i in both if old[i].weight != new[i].weight),
        frozenset(i for i in both if old[i].enabled != new[i].enabled),
        frozenset(after.nodes.keys() - before.nodes.keys()),
        frozenset(before.nodes.keys() - after.nodes.keys()),
        frozenset(i for i in nodes if before.nodes[i].bias != after.nodes[i].bias),
        frozenset(i for i in nodes if before.nodes[i].activation != after.nodes[i].activation),
    )


# Statistics


def check_share(count, n, probability, what=""):
    """Whether something of this probability may happen so often in n independent trials.

    Five standard deviations: with a fixed seed the test passes for ever, and of a million right
    programs less than one would be refused.
    """
    deviation = abs(count - n * probability)
    allowed = 5 * math.sqrt(n * probability * (1 - probability))
    assert deviation <= allowed, f"{what}: {count} of {n}, expected {n * probability:.1f}"


def check_uniform(counts, choices, what=""):
    """Whether each of these choices was taken, and equally often; counts: a dict."""
    choices = list(choices)
    assert counts.keys() <= set(choices), f"{what}: {counts.keys() - set(choices)}"
    n = sum(counts.values())
    assert n >= 30 * len(choices), "too few draws to tell"
    for choice in choices:
        check_share(counts.get(choice, 0), n, 1 / len(choices), (what, choice))


def check_moments(sample, mean, variance, fourth, what=""):
    """Mean and variance of independent draws; fourth: their fourth central moment."""
    n = len(sample)
    got = sum(sample) / n
    assert abs(got - mean) <= 5 * math.sqrt(variance / n), f"{what}: mean {got}, not {mean}"
    got = sum((x - mean) ** 2 for x in sample) / n
    error = 5 * math.sqrt((fourth - variance**2) / n)
    assert abs(got - variance) <= error, f"{what}: variance {got}, not {variance}"
