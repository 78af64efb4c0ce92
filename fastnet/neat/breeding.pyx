"""The children of a generation, in the arena of the next one.

Innovation numbers are given in the order of the children, and what is drawn for a child comes from
a stream of its own: the result depends on the seed and the parents only.
"""

from libc.stdint cimport int64_t, uint64_t

from fastnet._workspace cimport Workspace, new_memory
from fastnet.neat._draws cimport Draws, draw_below, draw_chance, start_draws
from fastnet.neat._genes cimport NO_MEMORY, STRUCTURE, Arena, Genes, copy_genes
from fastnet.neat._rules cimport Rules
from fastnet.neat._crossover cimport cross_genes, crossover_scratch
from fastnet.neat.generation cimport Generation
from fastnet.neat.genome cimport Genome
from fastnet.neat.innovations cimport InnovationRegistry
from fastnet.neat.mutation cimport (
    EXTRA_CONNECTIONS, EXTRA_NODES, create_genes, initial_connections, initial_nodes,
    mutate_genes, mutation_scratch
)
from fastnet.neat.reproduction cimport SpeciesTable, draw_parent
from fastnet.neat.species cimport assign_species

__all__ = ["Breeder"]

cdef enum:
    DONE
    NO_ROOM             # in the arena
    FAILED              # no memory for the registry


cdef Breeder new_breeder(Py_ssize_t n_genomes):
    cdef Breeder breeder = Breeder()
    breeder.memory = new_memory(2 * n_genomes * sizeof(Py_ssize_t))
    breeder.hints = <Py_ssize_t *> breeder.memory.data
    breeder.sources = breeder.hints + n_genomes
    breeder.workspace = Workspace()
    return breeder


cdef class Breeder:
    cdef int breed(self, Generation parents, SpeciesTable table, InnovationRegistry registry,
                   uint64_t seed, int64_t generation, Generation children) except -1:
        cdef Py_ssize_t i, n = children.n_genomes, most_connections = 0, most_nodes = 0
        cdef Arena arena = children.arena
        cdef int status
        for i in range(parents.n_genomes):
            most_connections = max(most_connections, parents.genes[i].n_connections)
            most_nodes = max(most_nodes, parents.genes[i].n_nodes)
        # two parents, and what mutations add
        most_connections = 2 * most_connections + EXTRA_CONNECTIONS
        most_nodes = 2 * most_nodes + EXTRA_NODES
        self.workspace.reserve(max(
            crossover_scratch(most_connections, most_nodes),
            mutation_scratch(most_connections, most_nodes)))
        # What children of average parents need; a child that finds too little makes it grow
        arena.clear(
            parents.arena.n_connections + n * EXTRA_CONNECTIONS + most_connections,
            parents.arena.n_nodes + n * EXTRA_NODES + most_nodes)
        self.row = self.done_of_row = self.n_done = 0
        while True:
            registry.is_breeding = True
            with nogil:
                status = self.make_children(
                    parents, table, registry, seed, generation, children, arena)
            registry.is_breeding = False
            if status == DONE:
                break
            if status == FAILED:
                raise MemoryError("no memory for more innovations")
            # as many again as are there, so that this seldom happens
            arena.reserve(max(self.connections_wanted, arena.n_connections),
                          max(self.nodes_wanted, arena.n_nodes))
            children.point_genes(self.n_done)
        children.make_plans(parents, self.sources, self.workspace)
        return 0

    cdef int make_children(self, Generation parents, SpeciesTable table,
                           InnovationRegistry registry, uint64_t seed, int64_t generation,
                           Generation children, Arena arena) noexcept nogil:
        cdef const Rules *rules = parents.rules
        cdef void *scratch = self.workspace.data
        cdef Py_ssize_t i, a, b, row, other
        cdef const Genes *first
        cdef const Genes *second
        cdef Genes *child
        cdef Draws draws
        cdef int order, change
        cdef bint is_elite
        while self.row < table.n_species:
            row = self.row
            if self.done_of_row == table.n_children[row]:
                self.row += 1
                self.done_of_row = 0
                continue
            i = self.n_done
            other = row
            is_elite = self.done_of_row < table.n_elites[row]
            if is_elite:
                a = b = table.members[table.first[row] + self.done_of_row]
            else:
                start_draws(&draws, seed, stream_of(generation, i), 0)
                a = b = draw_parent(table, row, &draws)
                if draw_chance(&draws, rules.crossover_rate):
                    if table.n_species > 1 and draw_chance(&draws, rules.interspecies_rate):
                        other = draw_below(&draws, table.n_species - 1)
                        other += other >= row
                    b = draw_parent(table, other, &draws)
            order = (parents.values[a] > parents.values[b]) - (
                parents.values[a] < parents.values[b])
            first = &parents.genes[a]
            second = &parents.genes[b]
            self.connections_wanted = (
                first.n_connections + second.n_connections + EXTRA_CONNECTIONS)
            self.nodes_wanted = first.n_nodes + second.n_nodes + EXTRA_NODES
            if (arena.n_connections + self.connections_wanted > arena.connection_capacity
                    or arena.n_nodes + self.nodes_wanted > arena.node_capacity):
                return NO_ROOM
            child = &children.genes[i]
            arena.point_to_end(child)
            if a == b:
                # also where both parents are one genome: it crosses to itself
                copy_genes(first, child)
                change = 0
            else:
                change = cross_genes(first, second, order, rules, &draws, child, scratch)
            if not is_elite:
                change |= mutate_genes(child, rules, registry, &draws, scratch)
                if change & NO_MEMORY:
                    return FAILED
            arena.take(child)
            self.hints[i] = row if order >= 0 else other
            self.sources[i] = -1 if change & STRUCTURE else a if order >= 0 else b
            self.done_of_row += 1
            self.n_done += 1
        return DONE

    cdef Py_ssize_t assign(self, Generation parents, SpeciesTable table,
                           Generation children) except -1:
        cdef Py_ssize_t n = children.n_genomes, n_rows = table.n_species, n_known = 0
        cdef Py_ssize_t n_species, row, i
        cdef Py_ssize_t *hints = self.hints
        cdef Py_ssize_t *species = children.species
        cdef Genes *representatives
        cdef Py_ssize_t *rows           # of the table: those that take part
        cdef Py_ssize_t *places         # among them, or -1
        self.workspace.reserve((n_rows + n) * sizeof(Genes) + 2 * n_rows * sizeof(Py_ssize_t))
        representatives = <Genes *> self.workspace.data
        rows = <Py_ssize_t *> (representatives + n_rows + n)
        places = rows + n_rows
        with nogil:
            for row in range(n_rows):
                places[row] = -1
                # a species that was given no children has come to its end
                if table.n_children[row] > 0:
                    representatives[n_known] = parents.genes[table.representatives[row]]
                    rows[n_known] = row
                    places[row] = n_known
                    n_known += 1
            for i in range(n):
                if hints[i] >= 0:
                    # Where everybody keeps to the species of the parents, species never merge, and
                    # a larger threshold does not make them fewer
                    hints[i] = -1 if children.rules.target_species else places[hints[i]]
            n_species = assign_species(children.genes, n, children.rules, table.threshold,
                                       representatives, n_known, hints, species)
            # back to rows of the table, new ones behind them
            for i in range(n):
                if species[i] < n_known:
                    species[i] = rows[species[i]]
                else:
                    species[i] += n_rows - n_known
        return n_species + n_rows - n_known

    cdef int create(self, InnovationRegistry registry, uint64_t seed,
                    Generation children) except -1:
        cdef const Rules *rules = children.rules
        cdef Arena arena = children.arena
        cdef Py_ssize_t i, n = children.n_genomes
        cdef Py_ssize_t m = initial_connections(rules), n_nodes = initial_nodes(rules)
        cdef Draws draws
        cdef int change = 0
        arena.clear(n * m, n * n_nodes)
        self.workspace.reserve(mutation_scratch(m, n_nodes))
        with nogil:
            for i in range(n):
                start_draws(&draws, seed, stream_of(1, i), 0)
                arena.point_to_end(&children.genes[i])
                change |= create_genes(
                    &children.genes[i], rules, registry, &draws, self.workspace.data)
                if change & NO_MEMORY:
                    break
                arena.take(&children.genes[i])
        if change & NO_MEMORY:
            raise MemoryError("no memory for so many innovations")
        return self.plan(children)

    cdef int adopt(self, list genomes, Generation children) except -1:
        cdef Arena arena = children.arena
        cdef Py_ssize_t i, n_connections = 0, n_nodes = 0
        cdef Genome genome
        for genome in genomes:
            n_connections += genome.genes.n_connections
            n_nodes += genome.genes.n_nodes
        arena.clear(n_connections, n_nodes)
        for i, genome in enumerate(genomes):
            arena.point_to_end(&children.genes[i])
            copy_genes(&genome.genes, &children.genes[i])
            arena.take(&children.genes[i])
        return self.plan(children)

    cdef int plan(self, Generation children) except -1:
        cdef Py_ssize_t i
        for i in range(children.n_genomes):
            self.hints[i] = self.sources[i] = -1
        return children.make_plans(None, self.sources, self.workspace)
