"""Innovation numbers: the same structure found twice gets the same numbers."""

import threading

import numpy as np

from fastnet._checks import checked_int

cimport numpy as cnp
from libc.stdint cimport int32_t, int64_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy, memset

from fastnet.neat._genes cimport Genes, find_node
from fastnet.neat._rules cimport Rules, rules_of

cnp.import_array()

__all__ = ["InnovationRegistry"]

cdef enum:
    LEAST_CAPACITY = 32
    MOST_CAPACITY = 1 << 29         # slots number entries in 32 bits

# Numbers go on from here; a run cannot use up what is left
cdef int64_t LARGEST = 0x7FFFFFFFFFFFFFFF - (<int64_t> 1 << 48)


cdef inline Py_ssize_t first_slot(const PairTable *table, int64_t a, int64_t b) noexcept nogil:
    # The pair, mixed by a multiplication and two shifts
    cdef uint64_t h = <uint64_t> a * <uint64_t> 0x9E3779B97F4A7C15U + <uint64_t> b
    h = (h ^ (h >> 32)) * <uint64_t> 0xD6E8FEB86659FD93U
    return <Py_ssize_t> ((h ^ (h >> 32)) & <uint64_t> (2 * table.capacity - 1))


cdef int64_t look_up(const PairTable *table, int64_t a, int64_t b) noexcept nogil:
    cdef Py_ssize_t slot
    cdef const int64_t *entry
    if table.n_entries == 0:
        return -1
    slot = first_slot(table, a, b)
    while table.slots[slot] >= 0:
        entry = table.entries + 3 * <Py_ssize_t> table.slots[slot]
        if entry[0] == a and entry[1] == b:
            return entry[2]
        slot = (slot + 1) & (2 * table.capacity - 1)
    return -1


cdef void enter(PairTable *table, Py_ssize_t number) noexcept nogil:
    # an entry into the first free slot
    cdef const int64_t *entry = table.entries + 3 * number
    cdef Py_ssize_t slot = first_slot(table, entry[0], entry[1])
    while table.slots[slot] >= 0:
        slot = (slot + 1) & (2 * table.capacity - 1)
    table.slots[slot] = <int32_t> number


cdef int reserve_pairs(PairTable *table, Py_ssize_t n) noexcept nogil:
    cdef PairTable larger
    cdef Py_ssize_t i
    if n <= table.capacity - table.n_entries:
        return 0
    if n > MOST_CAPACITY - table.n_entries:
        return -1
    larger.n_entries = table.n_entries
    larger.capacity = max(table.capacity, LEAST_CAPACITY)
    while larger.capacity < table.n_entries + n:
        larger.capacity *= 2
    larger.entries = <int64_t *> malloc(larger.capacity * 3 * sizeof(int64_t))
    larger.slots = <int32_t *> malloc(larger.capacity * 2 * sizeof(int32_t))
    if larger.entries == NULL or larger.slots == NULL:
        free_pairs(&larger)
        return -1
    memset(larger.slots, 0xFF, larger.capacity * 2 * sizeof(int32_t))
    if table.n_entries:
        memcpy(larger.entries, table.entries, table.n_entries * 3 * sizeof(int64_t))
    # In the order they came: an entry then lies behind those before it, and the last ones can go
    # without leaving a hole in the way of the others.
    for i in range(larger.n_entries):
        enter(&larger, i)
    free_pairs(table)
    table[0] = larger
    return 0


cdef void put(PairTable *table, int64_t a, int64_t b, int64_t value) noexcept nogil:
    cdef int64_t *entry = table.entries + 3 * table.n_entries
    entry[0] = a
    entry[1] = b
    entry[2] = value
    enter(table, table.n_entries)
    table.n_entries += 1


cdef void keep_first(PairTable *table, Py_ssize_t n) noexcept nogil:
    cdef Py_ssize_t i, slot
    if n == 0 and table.n_entries:
        memset(table.slots, 0xFF, table.capacity * 2 * sizeof(int32_t))
    else:
        for i in range(table.n_entries - 1, n - 1, -1):
            slot = first_slot(table, table.entries[3 * i], table.entries[3 * i + 1])
            while table.slots[slot] != i:
                slot = (slot + 1) & (2 * table.capacity - 1)
            table.slots[slot] = -1
    table.n_entries = n


cdef void free_pairs(PairTable *table) noexcept nogil:
    free(table.entries)
    free(table.slots)
    memset(table, 0, sizeof(PairTable))


cdef int extend_pairs(PairTable *table, cnp.ndarray entries) except -1:
    """Enters all rows (n, 3) of int64, whose pairs are not known."""
    cdef Py_ssize_t i, n = cnp.PyArray_DIM(entries, 0)
    cdef const int64_t *data = <const int64_t *> cnp.PyArray_DATA(entries)
    if reserve_pairs(table, n):
        raise MemoryError(f"no memory for {n} innovations")
    for i in range(n):
        put(table, data[3 * i], data[3 * i + 1], data[3 * i + 2])
    return 0


cdef cnp.ndarray entries_of(const PairTable *table):
    entries = np.empty((table.n_entries, 3), np.int64)
    if table.n_entries:
        memcpy(cnp.PyArray_DATA(<cnp.ndarray> entries), table.entries,
               table.n_entries * 3 * sizeof(int64_t))
    return entries


cdef bint equal_pairs(const PairTable *a, const PairTable *b) noexcept:
    cdef Py_ssize_t i
    if a.n_entries != b.n_entries:
        return False
    for i in range(3 * a.n_entries):
        if a.entries[i] != b.entries[i]:
            return False
    return True


cdef class InnovationRegistry:
    """The innovation numbers of connections and the ids of hidden nodes, shared by one run.

    The same ordered pair of nodes always gets the same innovation, and the same split connection
    the same node; a genome that has that node already gets another one.  A number never changes
    its meaning.  With ``innovation_scope="generation"`` pairs are forgotten when a generation
    begins, numbers are not.

    Parameters
    ----------
    config : Config
    genomes : sequence of Genome, optional
        Their connections are known, and the next numbers follow the highest ones.  Which node split
        which connection cannot be read from genes: no split is known.  Without genomes the
        registry knows the connections that a new genome may have, numbered from 0: input after
        input (then the bias node) to each of the outputs; then for each initial hidden node those
        from every input (and the bias node) to it, and from it to each output.

    Attributes
    ----------
    config : Config
    next_innovation, next_node : int
        What the next new connection and the next new node get.

    Raises
    ------
    ValueError
        Genomes contradict each other (two numbers for one pair of nodes, or one number for two
        pairs) or the config (other inputs and outputs).

    Examples
    --------
    >>> from fastnet import neat
    >>> config = neat.Config(n_inputs=2, n_outputs=1)
    >>> registry = neat.InnovationRegistry(config)
    >>> genome = neat.Genome(config, rng=0, registry=registry)
    >>> registry.next_innovation, registry.next_node
    (3, 4)
    >>> genome.add_node(rng=1, registry=registry)
    True
    >>> registry
    InnovationRegistry(next_innovation=5, next_node=5)
    """

    def __cinit__(self, config, *args, **kwargs):
        cdef Py_ssize_t i
        self.rules = rules_of(config)
        self.config = config
        self.fixed = <int64_t *> malloc(self.rules.n_fixed * sizeof(int64_t))
        if self.fixed == NULL:
            raise MemoryError(f"no memory for {self.rules.n_fixed} nodes")
        for i in range(self.rules.n_fixed):
            self.fixed[i] = i
        self.next_innovation = 0
        self.next_node = self.rules.n_fixed
        self.first_hidden = -1
        self.lock = threading.RLock()

    def __init__(self, config, genomes=()):
        if self.is_built:
            raise RuntimeError("a registry is built once: its numbers must keep their meaning")
        try:
            genomes = list(genomes)
        except TypeError:
            raise TypeError(
                f"genomes must be a sequence of genomes, got {type(genomes).__name__}") from None
        if genomes:
            self._learn(genomes)
        else:
            self._begin()
        self.is_built = True

    cdef int wait(self) except -1:
        if self.is_breeding:
            with self.lock:
                pass
        return 0

    def __dealloc__(self):
        free(self.fixed)
        free_pairs(&self.connections)
        free_pairs(&self.splits)

    def _begin(self):
        """Knows the connections of genomes without parents."""
        cdef const Rules *r = self.rules
        cdef Py_ssize_t i, j
        cdef int64_t node
        hidden = <object> r.most_hidden
        ends = <object> r.n_sources + <object> r.n_outputs
        n = <object> r.n_sources * <object> r.n_outputs + hidden * ends
        if n > MOST_CAPACITY or reserve_pairs(&self.connections, n):
            raise MemoryError(f"no memory for the {n} connections that a new genome may have")
        for i in range(r.n_sources):
            for j in range(r.n_sources, r.n_fixed):
                self.connection(i, j)
        node = self.initial_node()
        for node in range(node, node + r.most_hidden):
            for i in range(r.n_sources):
                self.connection(i, node)
            for j in range(r.n_sources, r.n_fixed):
                self.connection(node, j)

    def _learn(self, list genomes):
        """Knows the connections of these genomes."""
        cdef cnp.ndarray rows, ids
        cdef const int64_t *row
        cdef Py_ssize_t i, n
        cdef int64_t innovation
        # This module is below the one that has the class
        from fastnet.neat.genome import Genome

        r = self.rules
        counts = []
        fixed = None
        highest = -1
        for k, genome in enumerate(genomes):
            name = f"genomes[{k}]"
            if not isinstance(genome, Genome):
                raise TypeError(f"{name} must be a Genome, got {type(genome).__name__}")
            check_same_kind(genome.config, self.config, name)
            nodes = np.ascontiguousarray(genome.nodes["id"])
            if fixed is None:
                fixed = nodes[:r.n_fixed]
            elif not np.array_equal(nodes[:r.n_fixed], fixed):
                raise ValueError(
                    f"{name} has other ids of inputs, bias node and outputs than genomes[0]: "
                    f"{nodes[:r.n_fixed].tolist()} and {fixed.tolist()}")
            highest = max(highest, int(nodes.max()))
            counts.append(genome.connections)
        ids = np.ascontiguousarray(fixed)
        memcpy(self.fixed, cnp.PyArray_DATA(ids), r.n_fixed * sizeof(int64_t))
        connections = np.concatenate(counts)
        rows = np.stack([connections[field] for field in ("innovation", "source", "target")], 1)
        # Each connection once; by innovation, then by pair
        rows = np.ascontiguousarray(np.unique(rows, axis=0))
        n = cnp.PyArray_DIM(rows, 0)
        row = <const int64_t *> cnp.PyArray_DATA(rows)
        if n:
            self.next_innovation = check_number(rows[n - 1, 0], "innovation") + 1
        self.next_node = check_number(highest, "node") + 1
        for i in range(1, n):
            if row[3 * i] == row[3 * i - 3]:
                raise ValueError(
                    f"genomes contradict each other: innovation {row[3 * i]} is both "
                    f"{row[3 * i - 2]} -> {row[3 * i - 1]} and "
                    f"{row[3 * i + 1]} -> {row[3 * i + 2]}")
        if reserve_pairs(&self.connections, n):
            raise MemoryError(f"no memory for {n} innovations")
        # From the highest: of numbers that a pair got in several generations the last one counts
        for i in range(n - 1, -1, -1):
            innovation = look_up(&self.connections, row[3 * i + 1], row[3 * i + 2])
            if innovation < 0:
                put(&self.connections, row[3 * i + 1], row[3 * i + 2], row[3 * i])
            elif not r.per_generation:
                raise ValueError(
                    f"genomes contradict each other: {row[3 * i + 1]} -> {row[3 * i + 2]} is "
                    f"both innovation {row[3 * i]} and {innovation}")

    cdef int64_t connection(self, int64_t source, int64_t target) noexcept nogil:
        cdef int64_t innovation = look_up(&self.connections, source, target)
        if innovation >= 0:
            return innovation
        if reserve_pairs(&self.connections, 1):
            return -1
        innovation = self.next_innovation
        put(&self.connections, source, target, innovation)
        self.next_innovation += 1
        return innovation

    cdef int64_t split(self, int64_t innovation, const Genes *genes) noexcept nogil:
        cdef int64_t node, k = 0
        while True:
            node = look_up(&self.splits, innovation, k)
            if node < 0:
                break
            if find_node(genes, self.rules, node) < 0:
                return node
            k += 1
        if reserve_pairs(&self.splits, 1):
            return -1
        node = self.next_node
        put(&self.splits, innovation, k, node)
        self.next_node += 1
        return node

    cdef int reserve(self, Py_ssize_t n_connections, Py_ssize_t n_nodes) noexcept nogil:
        return reserve_pairs(&self.connections, n_connections) | reserve_pairs(
            &self.splits, n_nodes)

    cdef int64_t initial_node(self) noexcept nogil:
        if self.first_hidden < 0 and self.rules.most_hidden:
            self.first_hidden = self.next_node
            self.next_node += self.rules.most_hidden
        return self.first_hidden

    cdef void begin_generation(self) noexcept nogil:
        if self.rules.per_generation:
            keep_first(&self.connections, 0)
            keep_first(&self.splits, 0)

    def new_generation(self):
        """Begins a generation: with ``innovation_scope="generation"`` forgets all pairs."""
        self.wait()
        self.begin_generation()

    cpdef InnovationRegistry snapshot(self):
        """What `restore` needs to undo all that comes after; it knows nothing itself.

        Returns
        -------
        InnovationRegistry
        """
        cdef InnovationRegistry snapshot
        self.wait()
        if self.rules.per_generation:
            return self.copy()
        snapshot = InnovationRegistry.__new__(InnovationRegistry, self.config)
        memcpy(snapshot.fixed, self.fixed, self.rules.n_fixed * sizeof(int64_t))
        snapshot.is_snapshot = True
        snapshot.n_connections = self.connections.n_entries
        snapshot.n_splits = self.splits.n_entries
        snapshot.next_innovation = self.next_innovation
        snapshot.next_node = self.next_node
        snapshot.first_hidden = self.first_hidden
        return snapshot

    cpdef restore(self, InnovationRegistry snapshot):
        """Forgets everything since a snapshot: the same numbers are given again.

        Parameters
        ----------
        snapshot : InnovationRegistry
            From `snapshot` of this registry, or a copy of it.
        """
        cdef InnovationRegistry copy
        cdef Py_ssize_t i
        if snapshot is None:
            raise TypeError("snapshot must be an InnovationRegistry, got NoneType")
        check_same_kind(snapshot.config, self.config, "snapshot")
        self.wait()
        for i in range(self.rules.n_fixed):
            if snapshot.fixed[i] != self.fixed[i]:
                raise ValueError("snapshot must be one of this registry, got other fixed nodes")
        if not snapshot.is_snapshot:
            copy = snapshot.copy()
            self.connections, copy.connections = copy.connections, self.connections
            self.splits, copy.splits = copy.splits, self.splits
        elif (snapshot.n_connections > self.connections.n_entries
                or snapshot.n_splits > self.splits.n_entries):
            raise ValueError("snapshot must be one of this registry, got one that knows more")
        else:
            keep_first(&self.connections, snapshot.n_connections)
            keep_first(&self.splits, snapshot.n_splits)
        self.next_innovation = snapshot.next_innovation
        self.next_node = snapshot.next_node
        self.first_hidden = snapshot.first_hidden

    cdef int check_known(self, const Genes *genes) except -1:
        cdef Py_ssize_t i, m = genes.n_connections, n = genes.n_nodes
        cdef bint known
        self.wait()
        for i in range(self.rules.n_fixed):
            if genes.node[i] != self.fixed[i]:
                raise ValueError(
                    "registry has other ids of inputs, bias node and outputs than the genome: "
                    f"{self.fixed[i]} is {genes.node[i]} there; "
                    "InnovationRegistry(config, genomes) takes those of its genomes")
        for i in range(m):
            if self.rules.per_generation:
                known = genes.innovation[i] < self.next_innovation
            else:
                known = look_up(
                    &self.connections, genes.source[i], genes.target[i]) == genes.innovation[i]
            if not known:
                raise ValueError(
                    f"registry does not know connection {genes.innovation[i]} "
                    f"({genes.source[i]} -> {genes.target[i]}) of the genome; "
                    "InnovationRegistry(config, genomes) knows those of its genomes")
        if n > self.rules.n_fixed and genes.node[n - 1] >= self.next_node:
            raise ValueError(f"registry does not know node {genes.node[n - 1]} of the genome")
        return 0

    def innovation_of(self, source, target):
        """The innovation of the connection between two nodes.

        Parameters
        ----------
        source, target : int

        Returns
        -------
        int or None
            None where no genome had that connection.
        """
        cdef int64_t innovation, start = checked_int(source, "source", 0)
        cdef int64_t end = checked_int(target, "target", 0)
        self.wait()
        innovation = look_up(&self.connections, start, end)
        return None if innovation < 0 else innovation

    def node_of(self, innovation, k=0):
        """The node that splits a connection.

        Parameters
        ----------
        innovation : int
        k : int
            The node of a genome that has ``k`` nodes of that split already.

        Returns
        -------
        int or None
            None where no genome had that node.
        """
        cdef int64_t node, split = checked_int(innovation, "innovation", 0)
        cdef int64_t before = checked_int(k, "k", 0)
        self.wait()
        node = look_up(&self.splits, split, before)
        return None if node < 0 else node

    def copy(self):
        """A registry that knows the same and goes on by itself."""
        return restored(*self.__reduce__()[1])

    def __eq__(self, other):
        cdef InnovationRegistry that
        if not isinstance(other, InnovationRegistry):
            return NotImplemented
        that = <InnovationRegistry> other
        self.wait()
        that.wait()
        if not same_kind(self.rules, that.rules):
            return False
        for i in range(self.rules.n_fixed):
            if self.fixed[i] != that.fixed[i]:
                return False
        return (
            self.next_innovation == that.next_innovation
            and self.next_node == that.next_node
            and self.first_hidden == that.first_hidden
            and self.rules.per_generation == that.rules.per_generation
            and equal_pairs(&self.connections, &that.connections)
            and equal_pairs(&self.splits, &that.splits))

    # It changes
    __hash__ = None

    def __repr__(self):
        return (
            f"InnovationRegistry(next_innovation={self.next_innovation}, "
            f"next_node={self.next_node})")

    def __reduce__(self):
        if self.is_snapshot:
            raise TypeError("a snapshot knows numbers of its registry only: copy the registry")
        self.wait()
        fixed = np.empty(self.rules.n_fixed, np.int64)
        memcpy(cnp.PyArray_DATA(<cnp.ndarray> fixed), self.fixed,
               self.rules.n_fixed * sizeof(int64_t))
        return restored, (
            self.config, fixed, entries_of(&self.connections), entries_of(&self.splits),
            self.next_innovation, self.next_node, self.first_hidden)


def restored(config, fixed, connections, splits, next_innovation, next_node, first_hidden):
    """The registry of what `InnovationRegistry.__reduce__` gave.

    Parameters
    ----------
    config : Config
    fixed : ndarray of int64
        Ids of inputs, bias node and outputs.
    connections, splits : ndarray of int64, shape (n, 3)
        Pairs and what they got, in the order in which they were found.
    next_innovation, next_node, first_hidden : int

    Returns
    -------
    InnovationRegistry
    """
    cdef InnovationRegistry registry = InnovationRegistry.__new__(InnovationRegistry, config)
    cdef cnp.ndarray ids = checked_columns(fixed, "fixed", (registry.rules.n_fixed,))
    memcpy(registry.fixed, cnp.PyArray_DATA(ids), registry.rules.n_fixed * sizeof(int64_t))
    registry.next_innovation = check_number(next_innovation, "innovation")
    registry.next_node = check_number(next_node, "node")
    if (ids < 0).any() or (ids >= next_node).any() or len(np.unique(ids)) < len(ids):
        raise ValueError(f"fixed must hold distinct numbers from 0 on, all below {next_node}")
    if first_hidden != -1 and not (
            ids.max() < first_hidden <= next_node - registry.rules.most_hidden):
        raise ValueError(f"the first hidden node must be one of new genomes, got {first_hidden}")
    registry.first_hidden = first_hidden
    registry.is_built = True
    cdef cnp.ndarray pairs = checked_columns(connections, "connections", (-1, 3))
    check_entries(pairs, "connections", registry.next_innovation)
    extend_pairs(&registry.connections, pairs)
    pairs = checked_columns(splits, "splits", (-1, 3))
    check_entries(pairs, "splits", registry.next_node)
    extend_pairs(&registry.splits, pairs)
    return registry


cdef cnp.ndarray checked_columns(object value, str name, tuple shape):
    array = np.ascontiguousarray(value)
    if (array.dtype != np.int64 or array.ndim != len(shape)
            or any(0 <= m != n for m, n in zip(shape, array.shape, strict=True))):
        raise ValueError(
            f"{name} must be int64 of shape {shape}, got {array.dtype} of {array.shape}")
    return array


cdef int check_entries(object entries, str name, int64_t next_number) except -1:
    if not entries.size:
        return 0
    if entries.min() < 0 or entries[:, 2].max() >= next_number:
        raise ValueError(f"{name} must hold numbers from 0 on, values below {next_number}")
    if len(np.unique(entries[:, :2], axis=0)) < len(entries):
        raise ValueError(f"{name} must not hold a pair twice")
    if len(np.unique(entries[:, 2])) < len(entries):
        raise ValueError(f"{name} must not give a number to two pairs")
    return 0


cdef int64_t check_number(object number, str what) except -1:
    if not 0 <= number < LARGEST:
        raise ValueError(f"{what} {number} is too large: no numbers are left for new ones")
    return number


cdef bint same_kind(const Rules *a, const Rules *b) noexcept:
    return a.n_inputs == b.n_inputs and a.n_outputs == b.n_outputs and a.n_fixed == b.n_fixed


cdef int check_same_kind(object config, object wanted, str name) except -1:
    if not same_kind(rules_of(config), rules_of(wanted)):
        raise ValueError(f"{name} is for {kind_of(config)}; the config says {kind_of(wanted)}")
    return 0


cdef str kind_of(object config):
    return f"{config.n_inputs} inputs, {config.n_outputs} outputs and bias={config.bias!r}"


cdef InnovationRegistry checked_registry(object registry, object config):
    if not isinstance(registry, InnovationRegistry):
        raise TypeError(f"registry must be an InnovationRegistry, got {type(registry).__name__}")
    check_same_kind((<InnovationRegistry> registry).config, config, "registry")
    return <InnovationRegistry> registry
