"""The whole state of a population as arrays and numbers, and a population of them again."""

import numpy as np

cimport numpy as cnp
from libc.stdint cimport int64_t
from libc.string cimport memcpy

from fastnet.neat.history import History, Record

from fastnet.neat._genes cimport Genes
from fastnet.neat.generation cimport Generation, new_generation
from fastnet.neat.genome cimport genome_of
from fastnet.neat.genome_checks cimport check_genes
from fastnet.neat.innovations cimport InnovationRegistry
from fastnet.neat.population cimport Population
from fastnet.neat.reproduction cimport SpeciesTable

from fastnet.neat.innovations import restored as restored_registry

cnp.import_array()

__all__ = ["pack", "unpack"]

# Columns of genes: name, dtype, of connections (else of nodes)
COLUMNS = (
    ("innovation", np.int64, True),
    ("source", np.int64, True),
    ("target", np.int64, True),
    ("weight", np.float64, True),
    ("enabled", np.bool_, True),
    ("node", np.int64, False),
    ("bias", np.float64, False),
    ("activation", np.uint8, False),
)
SPECIES_ARRAYS = (
    "ids", "created", "last_improved", "best_fitness", "sizes", "representatives", "members")
FIGURES = ("best", "mean", "std", "n_connections", "n_nodes", "threshold")
# Hostile counts must not overflow a sum
cdef int64_t MOST = 1 << 40


# The first element of column k of COLUMNS
cdef void *column_data(const Genes *genes, Py_ssize_t k) noexcept:
    if k == 0:
        return genes.innovation
    if k == 1:
        return genes.source
    if k == 2:
        return genes.target
    if k == 3:
        return genes.weight
    if k == 4:
        return genes.enabled
    if k == 5:
        return genes.node
    if k == 6:
        return genes.bias
    return genes.activation


cdef int pack_genes(dict arrays, str prefix, const Genes *genes, Py_ssize_t n) except -1:
    """Columns of n genomes, which lie one after another, and the sizes of each."""
    cdef Py_ssize_t i, k
    cdef cnp.ndarray column
    sizes = np.empty((n, 2), np.int64)
    for i in range(n):
        sizes[i] = genes[i].n_connections, genes[i].n_nodes
    arrays[f"{prefix}.sizes"] = sizes
    totals = sizes.sum(axis=0)
    for k, (name, dtype, is_connection) in enumerate(COLUMNS):
        column = np.empty(totals[0 if is_connection else 1], dtype)
        memcpy(cnp.PyArray_DATA(column), column_data(genes, k), cnp.PyArray_NBYTES(column))
        arrays[f"{prefix}.{name}"] = column
    return 0


cdef int unpack_genes(dict arrays, str prefix, Generation generation,
                      InnovationRegistry registry) except -1:
    """The same into an empty generation, every genome checked."""
    cdef Py_ssize_t i, k, n = generation.n_genomes
    cdef cnp.ndarray column
    cdef Genes whole
    sizes = take(arrays, f"{prefix}.sizes", np.int64, (n, 2))
    # In floats, which do not wrap
    if sizes.min() < 0 or sizes.sum(dtype=np.float64) > MOST:
        raise ValueError(f"{prefix}.sizes must be sizes of genomes")
    if sizes[:, 1].min() < generation.rules.n_fixed:
        raise ValueError(
            f"a genome has {sizes[:, 1].min()} nodes, at least {generation.rules.n_fixed} are "
            "inputs, bias node and outputs")
    totals = [int(total) for total in sizes.sum(axis=0)]
    columns = [
        take(arrays, f"{prefix}.{name}", dtype, (totals[0 if is_connection else 1],))
        for name, dtype, is_connection in COLUMNS
    ]
    generation.arena.clear(totals[0], totals[1])
    generation.arena.point_to_end(&whole)
    for k, column in enumerate(columns):
        memcpy(column_data(&whole, k), cnp.PyArray_DATA(column), cnp.PyArray_NBYTES(column))
    whole.n_connections = totals[0]
    whole.n_nodes = totals[1]
    generation.arena.take(&whole)
    for i in range(n):
        generation.genes[i].n_connections = sizes[i, 0]
        generation.genes[i].n_nodes = sizes[i, 1]
    generation.point_genes(n)
    for i in range(n):
        try:
            check_genes(&generation.genes[i], generation.rules)
            registry.check_known(&generation.genes[i])
        except ValueError as error:
            raise ValueError(f"genome {i} of {prefix}: {error}") from None
    return 0


def pack(Population population):
    """All that a population is.

    Parameters
    ----------
    population : Population

    Returns
    -------
    arrays : dict of str to ndarray
    numbers : dict of str to int
    """
    cdef InnovationRegistry registry = population.registry
    # A step in another thread waits
    with registry.lock:
        return packed(population)


cdef tuple packed(Population population):
    cdef SpeciesTable table = population.table
    cdef Generation current = population.current
    cdef InnovationRegistry registry = population.registry
    if population.known is not None:
        # in the middle of a step, which begins anew when the population is there again
        registry = registry.copy()
        registry.restore(population.known)
    arrays = {}
    pack_genes(arrays, "genomes", current.genes, current.n_genomes)
    _, fixed, connections, splits, next_innovation, next_node, first_hidden = (
        registry.__reduce__()[1])
    arrays["registry.fixed"] = fixed
    arrays["registry.connections"] = connections
    arrays["registry.splits"] = splits
    numbers = {
        "seed": population.seed,
        "generation": population.generation,
        "next_innovation": next_innovation,
        "next_node": next_node,
        "first_hidden": first_hidden,
    }
    if population.generation:
        pack_genes(arrays, "best", &population.champion.genes, 1)
        arrays["best.fitness"] = np.array([population.champion.fitness], np.float64)
        arrays["fitness"] = current.fitness
        state = table.state()
        for name in SPECIES_ARRAYS:
            arrays[f"species.{name}"] = state[name]
        arrays["species.state"] = np.array([state["threshold"], state["population_best_fitness"]])
        numbers["next_species"] = state["next_id"]
        numbers["last_improved"] = state["population_last_improved"]
        numbers["champion"] = state["champion"]
    history = population.history
    arrays["history.generation"] = history.generation
    arrays["history.figures"] = np.array(
        [[getattr(record, name) for name in FIGURES] for record in history],
        np.float64).reshape(-1, len(FIGURES))
    arrays["history.n_species"] = history.n_species
    for name in ("species", "sizes"):
        arrays[f"history.{name}"] = np.array(
            [value for record in history for value in getattr(record, name)], np.int64)
    return arrays, numbers


def unpack(config, arrays, numbers):
    """The population that was packed.

    Parameters
    ----------
    config : Config
    arrays, numbers : dict
        What `pack` returned, or what somebody made to look like it.

    Returns
    -------
    Population

    Raises
    ------
    ValueError
        They are not the state of a population of this config.
    """
    cdef Population population = Population.__new__(Population)
    cdef Generation generation
    cdef InnovationRegistry registry
    arrays = dict(arrays)
    # Before anything is allocated for the counts of the config
    n_fixed = config.n_inputs + config.n_outputs + (config.bias == "node")
    for name, length in (("genomes.sizes", config.population_size), ("registry.fixed", n_fixed)):
        if name not in arrays or len(arrays[name]) != length:
            raise ValueError(f"{name} must have length {length}, as the config says")
    registry = restored_registry(
        config,
        arrays.pop("registry.fixed", None),
        arrays.pop("registry.connections", None),
        arrays.pop("registry.splits", None),
        numbers["next_innovation"],
        numbers["next_node"],
        numbers["first_hidden"],
    )
    generation = population.prepare(config, numbers["seed"], registry)
    unpack_genes(arrays, "genomes", generation, registry)
    population.breeder.plan(generation)
    population.history = unpack_history(arrays)
    if not 0 <= numbers["generation"] <= MOST:
        raise ValueError(f"generation must be from 0 to {MOST}, got {numbers['generation']}")
    population.generation = numbers["generation"]
    if population.generation:
        unpack_species(population, arrays, numbers)
    if arrays:
        raise ValueError(f"there are unknown arrays: {sorted(arrays)[:8]}")
    return population


cdef int unpack_species(Population population, dict arrays, dict numbers) except -1:
    """Fitness, species and the best genome of a population whose genomes are there."""
    cdef Generation current = population.current, best = new_generation(population.config, 1)
    cdef SpeciesTable table
    cdef Py_ssize_t i, row, n = current.n_genomes
    fitness = take(arrays, "fitness", np.float64, (n,))
    champion_fitness = take(arrays, "best.fitness", np.float64, (1,))
    if not (fitness < np.inf).all() or not champion_fitness[0] < np.inf:
        raise ValueError("fitness must be numbers below infinity")
    unpack_genes(arrays, "best", best, population.registry)
    population.champion = genome_of(
        population.config, &best.genes[0], float(champion_fitness[0]))
    state = {name: arrays.pop(f"species.{name}", None) for name in SPECIES_ARRAYS}
    threshold, best_fitness = take(arrays, "species.state", np.float64, (2,)).tolist()
    state |= {
        "generation": population.generation,
        "next_id": numbers["next_species"],
        "threshold": threshold,
        "population_best_fitness": best_fitness,
        "population_last_improved": numbers["last_improved"],
        "champion": numbers["champion"],
    }
    table = SpeciesTable.from_state(population.config, state)
    if table.n_genomes != n:
        raise ValueError(f"the species have {table.n_genomes} genomes, there are {n}")
    for row in range(table.n_species):
        for i in range(table.first[row], table.first[row] + table.sizes[row]):
            current.species[table.members[i]] = row
        if current.species[table.representatives[row]] != row:
            # rows before this one are complete, and a later one is not this one
            raise ValueError("the representative of a species must be one of its genomes")
    for i in range(n):
        current.values[i] = fitness[i]
    table.allot(current.values, current.rules, n)
    population.table = table
    return 0


cdef object unpack_history(dict arrays):
    """The history of its columns."""
    generation = take(arrays, "history.generation", np.int64, (-1,))
    n = len(generation)
    figures = take(arrays, "history.figures", np.float64, (n, len(FIGURES)))
    n_species = take(arrays, "history.n_species", np.int64, (n,))
    if n and (n_species.min() < 0 or n_species.max() > MOST):
        raise ValueError("history.n_species must be counts")
    ends = np.cumsum(n_species).tolist()
    total = ends[n - 1] if n else 0
    ids = take(arrays, "history.species", np.int64, (total,)).tolist()
    sizes = take(arrays, "history.sizes", np.int64, (total,)).tolist()
    history = History()
    begin = 0
    for number, row, end in zip(generation.tolist(), figures.tolist(), ends, strict=True):
        history.append(Record(number, *row, tuple(ids[begin:end]), tuple(sizes[begin:end])))
        begin = end
    return history


cdef object take(dict arrays, str name, object dtype, tuple shape):
    """An array out of those, checked; -1: any length."""
    array = arrays.pop(name, None)
    if array is None:
        raise ValueError(f"there is no array {name!r}")
    if (array.dtype != dtype or array.ndim != len(shape)
            or any(m not in (-1, k) for m, k in zip(shape, array.shape, strict=True))):
        raise ValueError(
            f"{name} must be {np.dtype(dtype)} of shape {shape}, got {array.dtype} of "
            f"{array.shape}")
    return np.ascontiguousarray(array)
