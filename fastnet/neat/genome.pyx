"""A genome: the connections and nodes of one network, and everything that can happen to it."""

import numbers
from math import isfinite

import numpy as np

from fastnet import activations as _activations
from fastnet._checks import checked_int
from fastnet.random import as_stream

cimport numpy as cnp
from libc.math cimport INFINITY
from libc.stdint cimport int64_t, uint8_t
from libc.string cimport memcpy, memset

from fastnet._arrays cimport nearest
from fastnet._kernels.table cimport IDENTITY
from fastnet._workspace cimport Workspace, acquire, release
from fastnet.activations cimport activation_id
from fastnet.neat._draws cimport Draws, leave, start_from
from fastnet.neat._genes cimport (
    NO_MEMORY, Arena, Genes, copy_genes, equal_genes, find_connection, find_node
)
from fastnet.neat._rules cimport BIAS_NODE, FEED_FORWARD, Rules, rules_of
from fastnet.neat.genome_checks cimport check_acyclic, check_genes
from fastnet.neat.innovations cimport InnovationRegistry, check_size, checked_registry
from fastnet.neat.mutation cimport (
    EXTRA_CONNECTIONS, EXTRA_NODES, add_connection, add_node, create_genes, enable_connection,
    initial_connections, initial_nodes, is_allowed, mutate_activations, mutate_biases, mutate_genes,
    mutate_weights, mutation_scratch, remove_connection, remove_node, toggle_connection
)
from fastnet.random cimport RandomStream

cnp.import_array()

__all__ = ["Genome"]

cdef int64_t MOST = 0x7FFFFFFFFFFFFFFF

CONNECTION = np.dtype([
    ("innovation", np.int64), ("source", np.int64), ("target", np.int64), ("weight", np.float64),
    ("enabled", np.bool_)])
NODE = np.dtype([
    ("id", np.int64), ("kind", "U6"), ("activation", "U16"), ("bias", np.float64)])
cdef object ACTIVATIONS = np.array(_activations.names(), "U16")

cdef Workspace shared = Workspace()


cdef cnp.ndarray column(const void *data, Py_ssize_t n, object dtype):
    """A copy of a column of genes."""
    cdef cnp.ndarray array = np.empty(n, dtype)
    memcpy(cnp.PyArray_DATA(array), data, n * cnp.PyArray_ITEMSIZE(array))
    return array


cdef class Genome:
    """Connections with innovation numbers, weights and flags, and the nodes that they touch.

    A new genome has the connections that ``initial_connection`` says between inputs (with the bias
    node) and outputs, and ``initial_hidden`` hidden nodes with connections from those and to
    these.  Its weights are from U(-p, p), p being ``initial_weight_power``; biases are 0.  A hidden
    node that no connection touches does not exist.

    Parameters
    ----------
    config : Config
    rng : int, numpy.random.Generator or fastnet.RandomStream
        Source of all that is random; the same number gives the same genome.  A stream advances.
        So for all methods.
    registry : InnovationRegistry, optional
        Of the run that the genome is for.  By default a new one; those of equal configs agree in
        what new genomes have.

    Attributes
    ----------
    config : Config
    fitness : float or None
        None where it was never evaluated or has changed since.

    Notes
    -----
    Ids of nodes: inputs from 0, then the bias node where ``config.bias`` is "node", outputs, hidden
    nodes.  Genomes of equal genes and nodes are equal, whatever their fitness.

    Examples
    --------
    >>> from fastnet import neat
    >>> config = neat.Config(n_inputs=2, n_outputs=1)
    >>> registry = neat.InnovationRegistry(config)
    >>> genome = neat.Genome(config, rng=0, registry=registry)
    >>> genome.add_node(rng=1, registry=registry)
    True
    >>> genome
    Genome(n_hidden=1, n_connections=5, n_enabled=4, fitness=None)
    >>> genome.nodes["kind"].tolist()
    ['input', 'input', 'bias', 'output', 'hidden']
    """

    # The fixed nodes alone, so that there is a genome whatever __init__ is or does
    def __cinit__(self, config, *args, **kwargs):
        cdef Py_ssize_t i
        check_size(config)
        self.rules = rules_of(config)
        self.config = config
        self.arena = Arena()
        self.arena.clear(0, self.rules.n_fixed)
        self.arena.point_to_end(&self.genes)
        self.genes.n_nodes = self.rules.n_fixed
        for i in range(self.rules.n_fixed):
            self.genes.node[i] = i
            self.genes.bias[i] = 0
            self.genes.activation[i] = (
                IDENTITY if i < self.rules.n_sources else self.rules.output_activation)

    def __init__(self, config, rng=0, registry=None):
        cdef InnovationRegistry known
        cdef RandomStream stream = as_stream(rng)
        cdef Draws draws
        cdef Arena arena = Arena()
        cdef Genes genes
        if registry is None:
            registry = InnovationRegistry(self.config)
        known = checked_registry(registry, self.config)
        arena.clear(initial_connections(self.rules), initial_nodes(self.rules))
        arena.point_to_end(&genes)
        start_from(&draws, stream)
        if create_genes(&genes, self.rules, known, &draws, NULL) == NO_MEMORY:
            raise MemoryError("no memory for the innovations of a new genome")
        leave(&draws, stream)
        self.arena = arena
        self.genes = genes
        self.fitness = None

    @classmethod
    def from_connections(cls, config, connections, inputs=None, outputs=None, bias=None,
                         nodes=()):
        """A genome of given genes.

        Parameters
        ----------
        config : Config
        connections : sequence of (innovation, source, target, weight, enabled)
            In any order; or an array as `connections` gives it.
        inputs, outputs : sequence of int, optional
            Ids of the inputs and outputs, by default from 0 on, with the bias node between them.
        bias : int, optional
            Id of the bias node where ``config.bias`` is "node".
        nodes : sequence of (id, kind, activation, bias)
            Nodes with another activation or bias than the config says, or an array as `nodes`
            gives it.

        Returns
        -------
        Genome

        Raises
        ------
        ValueError
            Numbers below 0; an id for two nodes; an innovation or a pair of nodes twice; a
            connection into an input or the bias node; a weight or bias that is not finite; with
            ``mode="feed_forward"`` a cycle or a connection from an output (disabled connections
            count).

        Examples
        --------
        >>> from fastnet import neat
        >>> config = neat.Config.time_step(n_inputs=3, n_outputs=1)
        >>> genome = neat.Genome.from_connections(
        ...     config,
        ...     [(1, 1, 4, 0.7, True), (2, 2, 5, 0.2, True), (3, 5, 4, 0.4, False)],
        ...     inputs=[1, 2, 3], outputs=[4])
        >>> genome.size
        (1, 2)
        """
        rows = connection_rows(connections)
        genome = cls.__new__(cls, config)
        fixed = fixed_ids(config, inputs, outputs, bias)
        hidden = np.setdiff1d(np.concatenate([rows["source"], rows["target"]]), fixed)
        fill(genome, rows, np.concatenate([fixed, hidden]), None, None)
        set_nodes(genome, nodes)
        check_genes(&(<Genome> genome).genes, (<Genome> genome).rules)
        return genome

    @property
    def connections(self):
        """Structured array, read-only: innovation, source, target, weight, enabled.

        By innovation.  A copy of what the genome has now.
        """
        cdef const Genes *g = &self.genes
        cdef Py_ssize_t n = g.n_connections
        rows = np.empty(n, CONNECTION)
        rows["innovation"] = column(g.innovation, n, np.int64)
        rows["source"] = column(g.source, n, np.int64)
        rows["target"] = column(g.target, n, np.int64)
        rows["weight"] = column(g.weight, n, np.float64)
        rows["enabled"] = column(g.enabled, n, np.bool_)
        rows.flags.writeable = False
        return rows

    @property
    def nodes(self):
        """Structured array, read-only: id, kind, activation, bias.

        ``kind`` is "input", "bias", "output" or "hidden", in this order; hidden nodes by id.  A
        copy of what the genome has now.
        """
        cdef const Genes *g = &self.genes
        cdef Py_ssize_t n = g.n_nodes
        rows = np.empty(n, NODE)
        rows["id"] = column(g.node, n, np.int64)
        kinds = rows["kind"]
        kinds[:self.rules.n_inputs] = "input"
        kinds[self.rules.n_inputs:self.rules.n_sources] = "bias"
        kinds[self.rules.n_sources:self.rules.n_fixed] = "output"
        kinds[self.rules.n_fixed:] = "hidden"
        rows["activation"] = ACTIVATIONS[column(g.activation, n, np.uint8)]
        rows["bias"] = column(g.bias, n, np.float64)
        rows.flags.writeable = False
        return rows

    @property
    def size(self):
        """(hidden nodes, enabled connections)"""
        cdef Py_ssize_t i, n_enabled = 0
        for i in range(self.genes.n_connections):
            n_enabled += self.genes.enabled[i]
        return self.genes.n_nodes - self.rules.n_fixed, n_enabled

    cdef int make_room(self, Py_ssize_t n_connections, Py_ssize_t n_nodes) except -1:
        self.arena.n_connections = self.genes.n_connections
        self.arena.n_nodes = self.genes.n_nodes
        self.arena.reserve(n_connections, n_nodes)
        self.arena.point(&self.genes, 0, 0)
        return 0

    def copy(self):
        """A genome with the same genes and fitness."""
        cdef Genome copy = type(self).__new__(type(self), self.config)
        assign(copy, &self.genes)
        copy.fitness = self.fitness
        return copy

    __copy__ = copy

    def __deepcopy__(self, memo):
        return self.copy()

    def __eq__(self, other):
        cdef Genome that
        if not isinstance(other, Genome):
            return NotImplemented
        that = <Genome> other
        return (
            self.rules.n_inputs == that.rules.n_inputs
            and self.rules.n_sources == that.rules.n_sources
            and self.rules.n_fixed == that.rules.n_fixed
            and equal_genes(&self.genes, &that.genes))

    # It changes
    __hash__ = None

    def __repr__(self):
        n_hidden, n_enabled = self.size
        return (
            f"Genome(n_hidden={n_hidden}, n_connections={self.genes.n_connections}, "
            f"n_enabled={n_enabled}, fitness={self.fitness})")

    def __reduce__(self):
        cdef const Genes *g = &self.genes
        return restored, (
            type(self), self.config, self.connections, column(g.node, g.n_nodes, np.int64),
            column(g.bias, g.n_nodes, np.float64), column(g.activation, g.n_nodes, np.uint8),
            self.fitness)


def restored(cls, config, connections, ids, biases, activations, fitness):
    """The genome of what `Genome.__reduce__` gave.

    Parameters
    ----------
    cls : type
    config : Config
    connections : structured ndarray
        As `Genome.connections` gives it.
    ids, biases, activations : ndarray of int64, float64 and uint8
        Of all nodes.
    fitness : float or None

    Returns
    -------
    Genome
    """
    genome = cls.__new__(cls, config)
    if len(ids) < (<Genome> genome).rules.n_fixed:
        raise ValueError(f"a genome of this config has more than {len(ids)} nodes")
    fill(genome, connection_rows(connections), ids, biases, activations)
    check_genes(&(<Genome> genome).genes, (<Genome> genome).rules)
    genome.fitness = fitness
    return genome


cdef int assign(Genome genome, const Genes *genes) except -1:
    """Puts a copy of these genes in the place of those of the genome."""
    cdef Arena arena = Arena()
    cdef Genes copy
    arena.clear(genes.n_connections, genes.n_nodes)
    arena.point_to_end(&copy)
    copy_genes(genes, &copy)
    genome.arena = arena
    genome.genes = copy
    return 0


cdef Genome genome_of(object config, const Genes *genes, object fitness):
    cdef Genome genome = Genome.__new__(Genome, config)
    assign(genome, genes)
    genome.fitness = fitness
    return genome


cdef Genome checked_genome(object genome, object config, str name):
    cdef Genome checked
    cdef const Rules *rules = rules_of(config)
    if not isinstance(genome, Genome):
        raise TypeError(f"{name} must be a Genome, got {type(genome).__name__}")
    checked = <Genome> genome
    if (checked.rules.n_inputs != rules.n_inputs or checked.rules.n_outputs != rules.n_outputs
            or checked.rules.bias != rules.bias):
        raise ValueError(
            f"{name} has {checked.rules.n_inputs} inputs, {checked.rules.n_outputs} outputs and "
            f"bias={checked.config.bias!r}; the config says {config.n_inputs}, {config.n_outputs} "
            f"and bias={config.bias!r}")
    if rules.mode == FEED_FORWARD and checked.rules.mode != FEED_FORWARD:
        try:
            check_acyclic(&checked.genes, rules)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from None
    return checked


cdef object connection_rows(object connections):
    """A structured array of connections in the order of their innovations."""
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
            rows[i] = connection_row(connection, f"connections[{i}]")
    return rows[np.argsort(rows["innovation"], kind="stable")]


cdef tuple connection_row(object connection, str name):
    try:
        innovation, source, target, weight, enabled = connection
    except (TypeError, ValueError):
        raise ValueError(
            f"{name} must be (innovation, source, target, weight, enabled), "
            f"got {connection!r}") from None
    if not isinstance(enabled, (bool, np.bool_)):
        raise TypeError(f"{name}: enabled must be True or False, got {enabled!r}")
    return (
        checked_int(innovation, f"{name}: innovation", 0, MOST),
        checked_int(source, f"{name}: source", 0, MOST),
        checked_int(target, f"{name}: target", 0, MOST),
        finite(weight, f"{name}: weight"),
        enabled,
    )


cdef double finite(object value, str name) except? -1:
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, numbers.Real):
        raise TypeError(f"{name} must be a number, got {value!r}")
    try:
        number = float(value)
    except OverflowError:
        number = INFINITY
    if not isfinite(number):
        raise ValueError(f"{name} must be finite, got {value!r}")
    return number


cdef object fixed_ids(object config, object inputs, object outputs, object bias):
    """Ids of inputs, bias node and outputs (n_fixed,), as given or from 0 on."""
    cdef const Rules *r = rules_of(config)
    ids = np.arange(r.n_fixed)
    if inputs is not None:
        ids[:r.n_inputs] = given_ids(inputs, r.n_inputs, "inputs")
    if bias is not None:
        if r.bias != BIAS_NODE:
            raise ValueError(f"bias must be None with bias={config.bias!r}, got {bias!r}")
        ids[r.n_inputs] = checked_int(bias, "bias", 0, MOST)
    if outputs is not None:
        ids[r.n_sources:] = given_ids(outputs, r.n_outputs, "outputs")
    known = {}
    for i, node in enumerate(ids.tolist()):
        kind = "inputs" if i < r.n_inputs else "bias" if i < r.n_sources else "outputs"
        if node in known:
            raise ValueError(
                f"inputs, bias and outputs must be distinct nodes, got {node} in {known[node]} "
                f"and {kind}")
        known[node] = kind
    return ids


cdef list given_ids(object ids, Py_ssize_t n, str name):
    try:
        ids = list(ids)
    except TypeError:
        raise TypeError(f"{name} must be a sequence of ints, got {type(ids).__name__}") from None
    if len(ids) != n:
        raise ValueError(f"{name} must be {n} ids, got {len(ids)}")
    return [checked_int(node, f"{name}[{i}]", 0, MOST) for i, node in enumerate(ids)]


cdef int fill(Genome genome, object rows, object ids, object biases, object activations) except -1:
    """Genes of these rows and nodes, which check_genes() has yet to see; None: what nodes begin
    with."""
    cdef Py_ssize_t i, m = len(rows), n = len(ids)
    cdef const Rules *r = genome.rules
    cdef Genes *g = &genome.genes
    genome.arena.clear(m, n)
    genome.arena.point(g, 0, 0)
    g.n_connections = m
    g.n_nodes = n
    fill_column(g.innovation, rows["innovation"], np.int64, m)
    fill_column(g.source, rows["source"], np.int64, m)
    fill_column(g.target, rows["target"], np.int64, m)
    fill_column(g.weight, rows["weight"], np.float64, m)
    fill_column(g.enabled, rows["enabled"], np.uint8, m)
    fill_column(g.node, ids, np.int64, n)
    if biases is None:
        memset(g.bias, 0, n * sizeof(double))
        for i in range(n):
            g.activation[i] = (
                IDENTITY if i < r.n_sources
                else r.output_activation if i < r.n_fixed else r.activation)
    else:
        fill_column(g.bias, biases, np.float64, n)
        fill_column(g.activation, activations, np.uint8, n)
    return 0


cdef int fill_column(void *to, object values, object dtype, Py_ssize_t n) except -1:
    cdef cnp.ndarray array = np.ascontiguousarray(values, dtype)
    if cnp.PyArray_SIZE(array) != n:
        raise ValueError(f"expected {n} values, got {cnp.PyArray_SIZE(array)}")
    memcpy(to, cnp.PyArray_DATA(array), n * cnp.PyArray_ITEMSIZE(array))
    return 0


cdef int set_nodes(Genome genome, object nodes) except -1:
    """Activations and biases of rows (id, kind, activation, bias)."""
    cdef const Rules *r = genome.rules
    cdef Genes *g = &genome.genes
    cdef Py_ssize_t place
    try:
        nodes = list(nodes)
    except TypeError:
        raise TypeError(
            "nodes must be a sequence of (id, kind, activation, bias), "
            f"got {type(nodes).__name__}") from None
    seen = set()
    for i, row in enumerate(nodes):
        name = f"nodes[{i}]"
        try:
            node, kind, activation, bias = row
        except (TypeError, ValueError):
            raise ValueError(f"{name} must be (id, kind, activation, bias), got {row!r}") from None
        node = checked_int(node, f"{name}: id", 0, MOST)
        if node in seen:
            raise ValueError(f"{name}: node {node} is there twice")
        seen.add(node)
        place = find_node(g, r, node)
        if place < 0:
            raise ValueError(f"{name}: no connection touches node {node}")
        expected = (
            "input" if place < r.n_inputs else "bias" if place < r.n_sources
            else "output" if place < r.n_fixed else "hidden")
        if kind != expected:
            raise ValueError(f"{name}: node {node} is of kind {expected!r}, got {kind!r}")
        if not isinstance(activation, str):
            raise TypeError(f"{name}: activation must be a name, got {activation!r}")
        if str(activation) not in _activations.names():
            raise ValueError(f"{name}: {nearest(activation, _activations.names(), 'activation')}")
        g.activation[place] = <uint8_t> activation_id(str(activation))
        g.bias[place] = finite(bias, f"{name}: bias")
    return 0
