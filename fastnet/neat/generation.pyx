"""The genomes of one generation with their plans, fitness and species.

Genes lie one genome after another in an arena, and so do the plans and the parameters in a block
each: whoever evaluates a generation reads memory from its start to its end.
"""

import weakref
from collections.abc import Sequence

cimport numpy as cnp
from libc.math cimport NAN
from libc.string cimport memset

from fastnet._kernels.table cimport Graph
from fastnet._workspace cimport Memory, Workspace, aligned, new_memory
from fastnet.neat._genes cimport Arena, Genes
from fastnet.neat._rules cimport rules_of
from fastnet.neat.genome cimport genome_of
from fastnet.neat.graph cimport (
    compile_graph, compile_scratch, copy_graph, gather_parameters, graph_bytes, graph_size
)
from fastnet.neat.network cimport network_of

cnp.import_array()

__all__ = ["Generation", "Genomes", "Networks"]


# The memory where it is large enough, else a new one: half as much again, for generations grow
cdef Memory with_room(Memory memory, Py_ssize_t n_bytes):
    if memory is not None and memory.n_bytes >= n_bytes:
        return memory
    return new_memory(n_bytes + n_bytes // 2)


cdef Generation new_generation(object config, Py_ssize_t n_genomes):
    cdef Generation generation = Generation()
    cdef Py_ssize_t n = n_genomes
    cdef char *data
    generation.config = config
    generation.rules = rules_of(config)
    generation.n_genomes = n
    generation.arena = Arena()
    generation.arena.clear(1, 1)
    generation.memory = new_memory(
        n * (sizeof(Genes) + 2 * sizeof(void *) + sizeof(Py_ssize_t)))
    data = <char *> generation.memory.data
    generation.genes = <Genes *> data
    data += n * sizeof(Genes)
    generation.graphs = <const Graph **> data
    data += n * sizeof(void *)
    generation.parameters = <void **> data
    data += n * sizeof(void *)
    generation.species = <Py_ssize_t *> data
    memset(generation.species, 0xFF, n * sizeof(Py_ssize_t))
    generation.clear_fitness()
    return generation


cdef class Generation:
    cdef bint is_shared(self):
        return self.sequence is not None and self.sequence() is not None

    cdef object as_sequence(self):
        sequence = None if self.sequence is None else self.sequence()
        if sequence is None:
            sequence = Genomes.__new__(Genomes)
            (<Genomes> sequence).generation = self
            self.sequence = weakref.ref(sequence)
        return sequence

    cdef object network_at(self, object genomes, Py_ssize_t i):
        return network_of(genomes, i, self.config, &self.genes[i], self.graphs[i],
                          self.rules.mode, cnp.NPY_DOUBLE)

    cdef int clear_fitness(self) except -1:
        cdef cnp.npy_intp n = self.n_genomes
        cdef cnp.ndarray fitness = cnp.PyArray_SimpleNew(1, &n, cnp.NPY_DOUBLE)
        cdef Py_ssize_t i
        self.values = <double *> cnp.PyArray_DATA(fitness)
        for i in range(n):
            self.values[i] = NAN
        cnp.PyArray_CLEARFLAGS(fitness, cnp.NPY_ARRAY_WRITEABLE)
        self.fitness = fitness
        return 0

    cdef void point_genes(self, Py_ssize_t n) noexcept nogil:
        cdef Py_ssize_t i, first_connection = 0, first_node = 0
        for i in range(n):
            self.arena.point(&self.genes[i], first_connection, first_node)
            first_connection += self.genes[i].n_connections
            first_node += self.genes[i].n_nodes

    cdef int make_plans(self, Generation parents, const Py_ssize_t *source,
                        Workspace scratch) except -1:
        cdef Py_ssize_t i, n_plans = 0, n_parameters = 0, n_scratch = 0
        cdef const Genes *g
        with nogil:
            for i in range(self.n_genomes):
                g = &self.genes[i]
                if source[i] >= 0:
                    n_plans += aligned(graph_size(parents.graphs[source[i]]))
                else:
                    n_plans += aligned(graph_bytes(g.n_connections, g.n_nodes))
                    n_scratch = max(n_scratch, compile_scratch(g.n_connections, g.n_nodes))
                n_parameters += aligned((g.n_connections + g.n_nodes) * sizeof(double))
        self.plans = with_room(self.plans, n_plans)
        self.parameter_memory = with_room(self.parameter_memory, n_parameters)
        scratch.reserve(n_scratch)
        with nogil:
            i = self.fill_plans(parents, source, scratch.data)
        if i < self.n_genomes:
            raise ValueError(f"genome {i} has a cycle, which feed_forward mode does not allow")
        return 0

    cdef Py_ssize_t fill_plans(self, Generation parents, const Py_ssize_t *source,
                               void *scratch) noexcept nogil:
        cdef char *plan = <char *> self.plans.data
        cdef char *parameters = <char *> self.parameter_memory.data
        cdef const Graph *graph
        cdef Py_ssize_t i
        for i in range(self.n_genomes):
            if source[i] >= 0:
                graph = copy_graph(parents.graphs[source[i]], plan)
            else:
                graph = compile_graph(
                    &self.genes[i], self.rules, self.rules.mode, False, plan, scratch)
                if graph == NULL:
                    return i
            self.graphs[i] = graph
            plan += aligned(graph_size(graph))
            gather_parameters(&self.genes[i], self.rules, sizeof(double), parameters)
            self.parameters[i] = parameters
            parameters += aligned(graph.n_parameters * sizeof(double))
        return self.n_genomes


cdef Generation checked_generation(Generation generation):
    if generation is None:
        raise TypeError("sequences of genomes and networks are made by a population")
    return generation


# index as a position in a sequence of n, -1 with an IndexError
cdef Py_ssize_t position_of(object index, Py_ssize_t n, str name) except -1:
    cdef Py_ssize_t i
    try:
        i = index
    except OverflowError:
        i = n
    if i < 0:
        i += n
    if not 0 <= i < n:
        raise IndexError(f"index {index} is out of range: there are {n} {name}")
    return i


cdef class Genomes:
    """The genomes of a generation, each a copy made when it is asked for.

    A sequence: length, index, slice (a list) and iteration.  It stays what it is when the
    population goes on.
    """

    cdef Generation generation
    cdef object __weakref__

    def __init__(self):
        raise TypeError("Genomes are made by a population")

    def __len__(self):
        return checked_generation(self.generation).n_genomes

    def __getitem__(self, index):
        cdef Generation generation = checked_generation(self.generation)
        cdef Py_ssize_t i
        cdef double fitness
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(generation.n_genomes))]
        i = position_of(index, generation.n_genomes, "genomes")
        fitness = generation.values[i]
        return genome_of(
            generation.config, &generation.genes[i], fitness if fitness == fitness else None)

    def __iter__(self):
        return (self[i] for i in range(len(self)))

    def __reduce__(self):
        return list, (self[:],)

    def __repr__(self):
        return f"<{len(self)} genomes>"


cdef class Networks:
    """The networks of a generation, each made when it is asked for, and kept.

    A sequence: length, index, slice (a list) and iteration.
    """

    cdef Generation generation
    cdef object genomes
    cdef list made

    def __init__(self):
        raise TypeError("Networks are made by a population")

    def __len__(self):
        return checked_generation(self.generation).n_genomes

    def __getitem__(self, index):
        cdef Generation generation = checked_generation(self.generation)
        cdef Py_ssize_t i
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(generation.n_genomes))]
        i = position_of(index, generation.n_genomes, "networks")
        if self.made[i] is None:
            self.made[i] = generation.network_at(self.genomes, i)
        return self.made[i]

    def __iter__(self):
        return (self[i] for i in range(len(self)))

    def __repr__(self):
        return f"<{len(self)} networks>"


cdef object networks_of(Generation generation):
    cdef Networks networks = Networks.__new__(Networks)
    networks.generation = generation
    networks.genomes = generation.as_sequence()
    networks.made = [None] * generation.n_genomes
    return networks


Sequence.register(Genomes)
Sequence.register(Networks)
