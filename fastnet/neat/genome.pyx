"""A genome: the connections and nodes of one network, and everything that can happen to it."""

import numpy as np

from fastnet import activations as _activations
from fastnet.neat._genome_input import (
    CONNECTION, NODE, checked_id, checked_number, connection_rows, fixed_ids, node_rows
)
from fastnet.random import as_stream

cimport numpy as cnp
from libc.stdint cimport uint8_t
from libc.string cimport memcpy, memset

from fastnet._kernels.table cimport IDENTITY
from fastnet._workspace cimport Workspace, acquire, release
from fastnet.neat._draws cimport Draws, leave, start_from
from fastnet.neat._genes cimport (
    NO_MEMORY, NOTHING, Arena, Genes, copy_genes, equal_genes, find_connection, find_endpoints,
    find_node
)
from fastnet.neat._rules cimport FEED_FORWARD, Rules, rules_of
from fastnet.neat.genome_checks cimport check_acyclic, check_genes
from fastnet.neat.innovations cimport InnovationRegistry, checked_registry
from fastnet.neat.mutation cimport (
    EXTRA_CONNECTIONS, EXTRA_NODES, add_connection, add_node, create_genes, enable_connection,
    initial_connections, initial_nodes, is_allowed, mutate_activations, mutate_biases, mutate_genes,
    mutate_weights, mutation_scratch, remove_connection, remove_node, toggle_connection
)
from fastnet.random cimport RandomStream

cnp.import_array()

__all__ = ["Genome"]

cdef enum Mutation:
    MIX
    SCALE
    REPLACE
    PERTURB
    MUTATE_WEIGHTS
    MUTATE_BIASES
    MUTATE_ACTIVATIONS
    ADD_NODE
    ADD_CONNECTION
    TOGGLE
    ENABLE
    REMOVE_CONNECTION
    REMOVE_NODE

cdef enum:
    REFUSED = 1024                  # beside the bits of Change

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
        known.wait()
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
        for place, activation, number in node_rows(nodes, genome.nodes):
            (<Genome> genome).genes.activation[<Py_ssize_t> place] = <uint8_t> activation
            (<Genome> genome).genes.bias[<Py_ssize_t> place] = number
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

    def mutate(self, rng, registry=None):
        """The configured mix of mutations.

        First structure: add a node, add a connection, remove a connection, remove a node, each
        with its rate.  Then weights and biases, unless ``structural_mutation_only`` and one of
        these was drawn, even if it was not possible.  Then toggle, enable, activations.

        Parameters
        ----------
        rng : int, numpy.random.Generator or fastnet.RandomStream
        registry : InnovationRegistry, optional
            It must know the genome.  By default one that knows nothing else.

        Returns
        -------
        bool
            Whether anything changed; then the fitness is None.  So for all mutations.
        """
        return change(self, MIX, rng, registry, -1, -1, NULL)

    def mutate_weights(self, rng):
        """Each weight is drawn anew with probability ``weight_replace_rate``, else perturbed or
        scaled, as ``weight_mutation`` says."""
        return change(self, MUTATE_WEIGHTS, rng, None, -1, -1, NULL)

    def scale_weights(self, rng):
        """Multiplies each weight by a number from U(0, 2)."""
        return change(self, SCALE, rng, None, -1, -1, NULL)

    def replace_weights(self, rng):
        """Draws each weight anew: from U(-p, p) or N(0, p), p being ``weight_power``."""
        return change(self, REPLACE, rng, None, -1, -1, NULL)

    def perturb_weights(self, rng):
        """Adds to each weight a number from U(-p, p) or N(0, p), p being ``weight_power``."""
        return change(self, PERTURB, rng, None, -1, -1, NULL)

    def mutate_biases(self, rng):
        """With ``bias="per_node"``, what `mutate_weights` does with weights, by ``bias_power`` and
        ``bias_replace_rate``."""
        return change(self, MUTATE_BIASES, rng, None, -1, -1, NULL)

    def mutate_activations(self, rng):
        """The activation of each hidden and output node is drawn from ``activations`` with
        probability ``activation_mutation_rate``."""
        return change(self, MUTATE_ACTIVATIONS, rng, None, -1, -1, NULL)

    def add_node(self, rng, registry=None, connection=None):
        """Splits an enabled connection in two, the first of weight 1, the second of its weight.

        The connection is disabled.

        Parameters
        ----------
        rng : int, numpy.random.Generator or fastnet.RandomStream
        registry : InnovationRegistry, optional
            As in `mutate`.
        connection : int, optional
            Its innovation; where it is disabled, nothing changes.  By default a random enabled one
            that does not come from the bias node.

        Returns
        -------
        bool

        Raises
        ------
        ValueError
            There is no such connection, or the registry does not know the genome.
        """
        cdef Py_ssize_t place = self._connection(connection, "connection")
        return change(self, ADD_NODE, rng, registry, place, -1, NULL)

    def add_connection(self, rng, registry=None, source=None, target=None, weight=None):
        """Connects two nodes that have no connection, all allowed pairs being equally likely.

        A disabled connection is one.  None enters an input or the bias node; a node is connected
        with itself only with ``self_loops``; with ``mode="feed_forward"`` none leaves an output or
        closes a cycle, disabled connections counting.

        Parameters
        ----------
        rng : int, numpy.random.Generator or fastnet.RandomStream
        registry : InnovationRegistry, optional
            As in `mutate`.
        source, target : int, optional
            Nodes, one or both; where they have a connection, nothing changes.
        weight : float, optional
            By default from U(-p, p), p being ``initial_weight_power``.

        Returns
        -------
        bool

        Raises
        ------
        ValueError
            There is no such node, the connection is not allowed, or the registry does not know the
            genome.
        """
        cdef double number = 0 if weight is None else checked_number(weight, "weight")
        cdef Py_ssize_t start = self._node(source, "source")
        cdef Py_ssize_t end = self._node(target, "target")
        cdef const Rules *r = self.rules
        if 0 <= end < r.n_sources:
            raise ValueError(f"target must not be an input or the bias node, got {target}")
        if r.mode == FEED_FORWARD and r.n_sources <= start < r.n_fixed:
            raise ValueError(f"source must not be an output with mode='feed_forward', got {source}")
        if start >= 0 and end >= 0:
            if find_endpoints(&self.genes, self.genes.node[start], self.genes.node[end]) >= 0:
                return False
            if start == end and not (r.self_loops and r.mode != FEED_FORWARD):
                raise ValueError(f"{source} -> {target} needs self_loops in a mode with cycles")
        return change(self, ADD_CONNECTION, rng, registry, start, end,
                      NULL if weight is None else &number)

    def toggle_connection(self, rng, innovation=None):
        """Switches a connection on or off; by default a random one.

        Parameters
        ----------
        rng : int, numpy.random.Generator or fastnet.RandomStream
        innovation : int, optional

        Returns
        -------
        bool

        Raises
        ------
        ValueError
            There is no such connection.
        """
        cdef Py_ssize_t place = self._connection(innovation, "innovation")
        return change(self, TOGGLE, rng, None, place, -1, NULL)

    def enable_connection(self, rng=0):
        """Switches on the disabled connection of the lowest innovation; nothing is drawn."""
        return change(self, ENABLE, rng, None, -1, -1, NULL)

    def remove_connection(self, rng, innovation=None):
        """Removes a connection, and hidden nodes that nothing touches any more.

        Parameters
        ----------
        rng : int, numpy.random.Generator or fastnet.RandomStream
        innovation : int, optional
            By default a random one.

        Returns
        -------
        bool

        Raises
        ------
        ValueError
            There is no such connection.
        """
        cdef Py_ssize_t place = self._connection(innovation, "innovation")
        return change(self, REMOVE_CONNECTION, rng, None, place, -1, NULL)

    def remove_node(self, rng, node=None):
        """Removes a hidden node, its connections, and hidden nodes that nothing touches any more.

        Parameters
        ----------
        rng : int, numpy.random.Generator or fastnet.RandomStream
        node : int, optional
            By default a random one.

        Returns
        -------
        bool

        Raises
        ------
        ValueError
            There is no such hidden node.
        """
        cdef Py_ssize_t place = self._node(node, "node")
        if 0 <= place < self.rules.n_fixed:
            raise ValueError(f"node must be a hidden one, got {node}")
        return change(self, REMOVE_NODE, rng, None, place, -1, NULL)

    def _connection(self, innovation, name):
        """Position of a connection, -1 for None."""
        if innovation is None:
            return -1
        place = find_connection(&self.genes, checked_id(innovation, name))
        if place < 0:
            raise ValueError(f"{name} must be that of a connection of the genome, got {innovation}")
        return place

    def _node(self, node, name):
        """Position of a node, -1 for None."""
        if node is None:
            return -1
        place = find_node(&self.genes, self.rules, checked_id(node, name))
        if place < 0:
            raise ValueError(f"{name} must be a node of the genome, got {node}")
        return place

    def network(self, mode=None, dtype="float64"):
        """The network of the genome.

        Parameters
        ----------
        mode : "feed_forward", "recurrent" or "time_step", optional
            By default that of the config.
        dtype : "float64" or "float32"

        Returns
        -------
        fastnet.neat.Network

        Raises
        ------
        ValueError
            With mode "feed_forward": the enabled connections have a cycle.
        """
        # What uses genomes is loaded when somebody asks for it
        from fastnet.neat.network import Network

        return Network(self, mode, dtype)

    def to_json(self):
        """The genome with its config and fitness as JSON text, which `from_json` reads."""
        from fastnet.neat import genome_json

        return genome_json.to_json(self)

    @staticmethod
    def from_json(text):
        """The genome in a text of `to_json`.

        Parameters
        ----------
        text : str

        Returns
        -------
        Genome

        Raises
        ------
        fastnet.FileFormatError
            The text is damaged, of another kind or of a newer version.
        """
        from fastnet.neat import genome_json

        return genome_json.from_json(text)

    def to_c(self, name="network", mode=None, *, dtype="float64"):
        """The network as C source without dependencies; see `fastnet.interop.c.genome_to_c`."""
        from fastnet.interop.c import genome_to_c

        return genome_to_c(self, name, mode, dtype=dtype)

    def to_dot(self):
        """A drawing in the DOT language of Graphviz, as text."""
        from fastnet.neat import drawing

        return drawing.to_dot(self)

    def to_svg(self, width=None, height=None):
        """A drawing as the text of an SVG image, see `fastnet.neat.drawing.to_svg`.

        Parameters
        ----------
        width, height : float, optional
            Size in pixels; by default what the genome needs.
        """
        from fastnet.neat import drawing

        return drawing.to_svg(self, width, height)

    def _repr_svg_(self):
        return self.to_svg()

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


cdef bint change(Genome genome, Mutation mutation, object rng, object registry, Py_ssize_t place,
                 Py_ssize_t other_place, const double *weight) except *:
    """Mutates the genome; place, other_place: of what is mutated, or -1."""
    cdef Genes *g = &genome.genes
    cdef const Rules *r = genome.rules
    cdef RandomStream stream = as_stream(rng)
    cdef InnovationRegistry known = None
    cdef Workspace workspace
    cdef Arena arena = Arena()
    cdef Genes before
    cdef Draws draws
    cdef int bits = NOTHING
    if mutation in (MIX, ADD_NODE, ADD_CONNECTION):
        if registry is None:
            registry = InnovationRegistry(genome.config, [genome])
        known = checked_registry(registry, genome.config)
        known.check_known(g)
    arena.clear(g.n_connections, g.n_nodes)
    arena.point_to_end(&before)
    copy_genes(g, &before)
    genome.make_room(EXTRA_CONNECTIONS, EXTRA_NODES)
    workspace = acquire(shared, mutation_scratch(g.n_connections, g.n_nodes))
    start_from(&draws, stream)
    if known is not None:
        known.wait()
    if mutation == MIX:
        bits = mutate_genes(g, r, known, &draws, workspace.data)
    elif mutation == SCALE:
        bits = mutate_weights(g, r, 0, True, &draws)
    elif mutation == REPLACE:
        bits = mutate_weights(g, r, 1, False, &draws)
    elif mutation == PERTURB:
        bits = mutate_weights(g, r, 0, False, &draws)
    elif mutation == MUTATE_WEIGHTS:
        bits = mutate_weights(g, r, r.weight_replace_rate, r.scales_weights, &draws)
    elif mutation == MUTATE_BIASES:
        bits = mutate_biases(g, r, &draws)
    elif mutation == MUTATE_ACTIVATIONS:
        bits = mutate_activations(g, r, &draws)
    elif mutation == ADD_NODE:
        bits = add_node(g, r, known, &draws, place)
    elif mutation == ADD_CONNECTION:
        if place >= 0 and other_place >= 0 and not is_allowed(
                g, r, place, other_place, workspace.data):
            bits = REFUSED
        else:
            bits = add_connection(
                g, r, known, &draws, place, other_place, weight, workspace.data)
    elif mutation == TOGGLE:
        bits = toggle_connection(g, r, &draws, place)
    elif mutation == ENABLE:
        bits = enable_connection(g)
    elif mutation == REMOVE_CONNECTION:
        bits = remove_connection(g, r, &draws, place)
    else:
        bits = remove_node(g, r, &draws, place, workspace.data)
    release(workspace)
    if bits == REFUSED:
        raise ValueError(
            f"{g.node[place]} -> {g.node[other_place]} closes a cycle, which a feed_forward config "
            "does not allow (disabled connections count)")
    if bits & NO_MEMORY:
        raise MemoryError("no memory for new innovations")
    leave(&draws, stream)
    # Numbers may have been drawn that change nothing
    if equal_genes(&before, g):
        return False
    genome.fitness = None
    return True


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
