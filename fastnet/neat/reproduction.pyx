"""How many children each species has, and who may be a parent: bookkeeping without genes.

Stanley & Miikkulainen 2002, sections 3.3 and 4.1.
"""

from libc.math cimport INFINITY, ceil
from libc.stdint cimport int64_t
from libc.string cimport memcpy

cimport numpy as cnp

from fastnet._arrays cimport real_array
from fastnet._workspace cimport Memory, new_memory
from fastnet.neat._draws cimport Draws, draw_below, leave, start_from
from fastnet.neat._rules cimport Rules, rules_of
from fastnet.neat._shares cimport divide, share_fitness, sort_descending
from fastnet.random cimport RandomStream, as_stream

import numbers as number_types

import numpy as np

from fastnet._checks import checked_int

__all__ = ["Species", "SpeciesTable"]

cnp.import_array()

# Columns of eight bytes an element
cdef enum:
    SPECIES_COLUMNS = 12
    GENOME_COLUMNS = 2


cdef object integers(const int64_t *values, Py_ssize_t n):
    cdef cnp.ndarray array = np.empty(n, np.int64)
    if n:
        memcpy(cnp.PyArray_DATA(array), values, n * sizeof(int64_t))
    return array


cdef object counts(const Py_ssize_t *values, Py_ssize_t n):
    cdef cnp.ndarray array = np.empty(n, np.intp)
    if n:
        memcpy(cnp.PyArray_DATA(array), values, n * sizeof(Py_ssize_t))
    return array.astype(np.int64)


cdef object state_value(object state, str name):
    if name not in state:
        raise ValueError(f"species: {name} is missing")
    return state[name]


cdef object state_array(object state, str name, object dtype):
    value = np.asarray(state_value(state, name))
    if value.size == 0:
        value = value.astype(dtype)
    if value.ndim != 1 or value.dtype.kind not in ("iu" if dtype is np.int64 else "iuf"):
        raise ValueError(
            f"species: {name} must be one row of numbers, got shape {value.shape} and dtype "
            f"{value.dtype}")
    return value.astype(dtype)


cdef object state_number(object state, str name, bint is_integer=False):
    value = state_value(state, name)
    kind = number_types.Integral if is_integer else number_types.Real
    if isinstance(value, bool) or not isinstance(value, kind):
        raise ValueError(f"species: {name} must be a number, got {value!r}")
    return value


cdef bint inside(object array, object least, object most):
    return bool(((array >= least) & (array <= most)).all())


cdef class SpeciesTable:
    """The species of one generation, oldest first, and what is remembered of them.

    Parameters
    ----------
    config : Config
        Its compatibility_threshold is the first threshold.
    """

    def __init__(self, config):
        self.threshold = rules_of(config).compatibility_threshold
        self.best_fitness = -INFINITY
        self.champion = -1
        self.n_species = self.n_genomes = 0

    cdef int reserve(self, Py_ssize_t n_species, Py_ssize_t n_genomes) except -1:
        cdef Memory memory, old = self.memory
        cdef Py_ssize_t old_species = self.species_capacity, old_genomes = self.genome_capacity, i
        cdef int64_t *data
        cdef int64_t *old_data
        if n_species <= old_species and n_genomes <= old_genomes:
            return 0
        n_species = max(n_species + n_species // 2, old_species)
        n_genomes = max(n_genomes, n_species, old_genomes)
        memory = new_memory(
            (SPECIES_COLUMNS * n_species + GENOME_COLUMNS * n_genomes)
            * <Py_ssize_t> sizeof(int64_t))
        data = <int64_t *> memory.data
        if old is not None:
            old_data = <int64_t *> old.data
            for i in range(SPECIES_COLUMNS):
                memcpy(data + i * n_species, old_data + i * old_species,
                       self.n_species * sizeof(int64_t))
            memcpy(data + SPECIES_COLUMNS * n_species, old_data + SPECIES_COLUMNS * old_species,
                   self.n_genomes * sizeof(int64_t))
        self.memory = memory
        self.species_capacity = n_species
        self.genome_capacity = n_genomes
        self.ids = data
        self.created = data + n_species
        self.improved = data + 2 * n_species
        self.best = <double *> (data + 3 * n_species)
        self.sizes = <Py_ssize_t *> (data + 4 * n_species)
        self.first = <Py_ssize_t *> (data + 5 * n_species)
        self.representatives = <Py_ssize_t *> (data + 6 * n_species)
        self.n_children = <Py_ssize_t *> (data + 7 * n_species)
        self.n_elites = <Py_ssize_t *> (data + 8 * n_species)
        self.n_parents = <Py_ssize_t *> (data + 9 * n_species)
        self.shares = <double *> (data + 10 * n_species)
        self.numbers = <Py_ssize_t *> (data + 11 * n_species)
        data += SPECIES_COLUMNS * n_species
        self.members = <Py_ssize_t *> data
        self.order = <Py_ssize_t *> (data + n_genomes)
        return 0

    cdef void gather(self, Py_ssize_t *species, const double *fitness, Py_ssize_t n,
                     Py_ssize_t n_species, int64_t generation) noexcept nogil:
        cdef Py_ssize_t s, g, row = 0, place = 0, known = self.n_species
        cdef bint is_first = known == 0
        cdef double f
        for s in range(n_species):
            self.sizes[s] = 0
        for g in range(n):
            self.sizes[species[g]] += 1
        for s in range(n_species):
            if self.sizes[s] == 0:
                continue
            if s < known:
                self.ids[row] = self.ids[s]
                self.created[row] = self.created[s]
                self.improved[row] = self.improved[s]
                self.best[row] = self.best[s]
            else:
                self.ids[row] = self.next_id
                self.next_id += 1
                self.created[row] = self.improved[row] = generation
                self.best[row] = -INFINITY
            self.sizes[row] = self.sizes[s]
            self.first[row] = place
            place += self.sizes[s]
            self.numbers[s] = row
            row += 1
        self.n_species = row
        self.n_genomes = n
        self.generation = generation
        # Those of a species in order of their index, then by fitness
        for g in range(n):
            species[g] = self.numbers[species[g]]
        for s in range(row):
            self.numbers[s] = self.first[s]
        for g in range(n):
            s = species[g]
            self.members[self.numbers[s]] = g
            self.numbers[s] += 1
        self.champion = -1
        for s in range(row):
            sort_descending(self.members + self.first[s], fitness, self.sizes[s], self.order)
            g = self.members[self.first[s]]
            f = fitness[g]
            if f > self.best[s]:
                self.best[s] = f
                self.improved[s] = generation
            self.representatives[s] = g
            self.n_children[s] = self.n_elites[s] = 0
            self.n_parents[s] = 1
            if (self.champion < 0 or f > fitness[self.champion]
                    or (f == fitness[self.champion] and g < self.champion)):
                self.champion = g
        if n and (is_first or fitness[self.champion] > self.best_fitness):
            self.best_fitness = fitness[self.champion]
            self.last_improved = generation

    cdef void refocus(self, const double *fitness) noexcept nogil:
        # For one generation: would it last, every new species ended in the generation it began
        # with, and a search that is stuck would stay so.  Without the new time to improve, the two
        # might be stagnant themselves.
        cdef Py_ssize_t s, best = -1, second = -1
        cdef double f
        for s in range(self.n_species):
            f = fitness[self.members[self.first[s]]]
            if best < 0 or f > fitness[self.members[self.first[best]]]:
                second = best
                best = s
            elif second < 0 or f > fitness[self.members[self.first[second]]]:
                second = s
        for s in range(self.n_species):
            if s == best or s == second:
                self.improved[s] = self.generation
            else:
                self.shares[s] = -1

    cdef void allot(self, const double *fitness, const Rules *rules, Py_ssize_t n) noexcept nogil:
        cdef Py_ssize_t s
        cdef int64_t waiting = self.generation - self.last_improved
        cdef double parents
        if self.n_species == 0:
            return
        share_fitness(fitness, self.n_genomes, self.members, self.first, self.sizes,
                      self.n_species, self.shares)
        if (rules.population_stagnation and waiting
                and waiting % (rules.population_stagnation + 1) == 0):
            self.refocus(fitness)
        for s in range(self.n_species):
            if (rules.stagnation and self.generation - self.improved[s] >= rules.stagnation
                    and self.members[self.first[s]] != self.champion):
                self.shares[s] = -1
        divide(self.shares, self.n_species, n, self.n_children, self.order, self.numbers)
        for s in range(self.n_species):
            self.n_elites[s] = 0
            if self.sizes[s] > rules.elitism_species_size:
                self.n_elites[s] = min(rules.elitism, self.sizes[s], self.n_children[s])
            # 0.07 * 100 is above 7 by rounding only
            parents = ceil(rules.survival_threshold * self.sizes[s] - 1e-9)
            self.n_parents[s] = min(max(<Py_ssize_t> parents, 1), self.sizes[s])

    cdef void choose_representatives(self, const Rules *rules, Draws *draws) noexcept nogil:
        cdef Py_ssize_t s, place = 0
        for s in range(self.n_species):
            if not rules.best_represents:
                place = draw_below(draws, self.sizes[s])
            self.representatives[s] = self.members[self.first[s] + place]

    cdef void steer(self, const Rules *rules) noexcept nogil:
        cdef double step = rules.threshold_step
        if rules.target_species == 0:
            return
        if self.n_species > rules.target_species:
            self.threshold += step
        elif self.n_species < rules.target_species:
            # Never below one step, unless it began there
            self.threshold = max(self.threshold - step, min(self.threshold, step))

    def advance(self, config, species, fitness, generation, rng, n_children=None):
        """Take in a generation, and plan the next one.

        Children are shared out by the mean fitness of each species, by largest remainder.  Where a
        fitness is negative, all are counted from the worst of the population, plus their spread
        divided by their number: the worst counts least, but something.  A species has no children
        when its maximum did not improve in ``stagnation`` generations, unless it has the fittest
        genome.  When the maximum of all did not improve for more than ``population_stagnation``
        generations, only the two species with the fittest genomes have any, and count as improved;
        so they do again after as many more generations (Stanley & Miikkulainen 2002, section 4.1;
        that it is for one generation is from their program).

        Parameters
        ----------
        config : Config
        species : (n,) ints
            Of each genome: the row that its species has in this table, or, of a new species, any
            number after them.
        fitness : (n,) floats
        generation : int
        rng : int, numpy.random.Generator or RandomStream
            Draws the representatives.
        n_children : int, optional
            Genomes of the next generation; population_size of the config by default.

        Returns
        -------
        (n,) int64 array
            The new row of each genome's species.

        Raises
        ------
        TypeError, ValueError
            An array has another shape, or a fitness is NaN; the table is as before.
        """
        cdef const Rules *rules = rules_of(config)
        cdef cnp.ndarray numbers, values = real_array(fitness, "fitness").astype(np.float64)
        cdef Py_ssize_t n, n_next, n_species
        cdef int64_t now = checked_int(generation, "generation", 0)
        cdef RandomStream stream
        cdef Draws draws
        n_next = rules.population_size if n_children is None else checked_int(
            n_children, "n_children", 0)
        numbers = np.array(species)
        n = numbers.size
        if numbers.ndim != 1 or values.ndim != 1 or values.size != n or n == 0:
            raise ValueError(
                "species and fitness must be (n,) with n above 0, got shapes "
                f"{np.shape(species)} and {np.shape(fitness)}")
        if numbers.dtype.kind not in "iu":
            raise TypeError(f"species must be integers, got dtype {numbers.dtype}")
        numbers = numbers.astype(np.intp)
        if np.isnan(values).any():
            raise ValueError(f"fitness must not be NaN, got one at {np.isnan(values).argmax()}")
        if numbers.min() < 0 or numbers.max() >= self.n_species + n:
            raise ValueError(
                f"species must be from 0 to {self.n_species + n - 1}, got {numbers.min()} to "
                f"{numbers.max()}")
        n_species = max(numbers.max() + 1, self.n_species)
        stream = as_stream(rng)
        self.reserve(n_species, n)
        start_from(&draws, stream)
        self.gather(<Py_ssize_t *> cnp.PyArray_DATA(numbers),
                    <const double *> cnp.PyArray_DATA(values), n, n_species, now)
        self.allot(<const double *> cnp.PyArray_DATA(values), rules, n_next)
        self.choose_representatives(rules, &draws)
        self.steer(rules)
        leave(&draws, stream)
        return numbers.astype(np.int64)

    def columns(self):
        """What is known of each species: a dict of new arrays, (n_species,) but for members.

        Also the children, elites and parents that were planned; members is (n_genomes,): indices of
        genomes, species after species, fittest first.
        """
        cdef Py_ssize_t n = self.n_species
        return {
            "ids": integers(self.ids, n),
            "created": integers(self.created, n),
            "last_improved": integers(self.improved, n),
            "best_fitness": integers(<const int64_t *> self.best, n).view(np.float64),
            "sizes": counts(self.sizes, n),
            "representatives": counts(self.representatives, n),
            "n_children": counts(self.n_children, n),
            "n_elites": counts(self.n_elites, n),
            "n_parents": counts(self.n_parents, n),
            "members": counts(self.members, self.n_genomes),
        }

    def state(self):
        """What `from_state` needs, as numbers and arrays; not what `allot` computes."""
        known = self.columns()
        names = ("ids", "created", "last_improved", "best_fitness", "sizes", "representatives",
                 "members")
        return {name: known[name] for name in names} | {
            "generation": self.generation,
            "next_id": self.next_id,
            "threshold": self.threshold,
            "population_best_fitness": self.best_fitness,
            "population_last_improved": self.last_improved,
            "champion": self.champion,
        }

    @classmethod
    def from_state(cls, config, state):
        """A table as it was, from what `state` returned.

        Raises
        ------
        ValueError
            The state lacks something or contradicts itself.
        """
        cdef SpeciesTable table = cls(config)
        cdef Py_ssize_t i, n, n_species, place = 0
        arrays = {}
        for name in ("ids", "created", "last_improved", "sizes", "representatives", "members"):
            arrays[name] = state_array(state, name, np.int64)
        arrays["best_fitness"] = state_array(state, "best_fitness", np.float64)
        n_species = arrays["ids"].size
        n = arrays["members"].size
        for name, array in arrays.items():
            if name != "members" and array.size != n_species:
                raise ValueError(f"species: {name} must be ({n_species},), got ({array.size},)")
        generation = state_number(state, "generation", True)
        next_id = state_number(state, "next_id", True)
        last_improved = state_number(state, "population_last_improved", True)
        champion = state_number(state, "champion", True)
        threshold = state_number(state, "threshold")
        best_fitness = state_number(state, "population_best_fitness")
        ids, sizes, members = arrays["ids"], arrays["sizes"], arrays["members"]
        rules = (
            ("sizes", (sizes > 0).all() and (sizes <= n).all() and sizes.sum() == n),
            ("members", np.array_equal(np.sort(members), np.arange(n))),
            ("ids", (np.diff(ids) > 0).all() and inside(ids, 0, next_id - 1) and next_id < 2**63),
            ("generation", 0 <= generation < 2**63),
            ("created", inside(arrays["created"], 0, generation)),
            ("last_improved", inside(arrays["last_improved"], 0, generation)
             and 0 <= last_improved <= generation),
            ("representatives", inside(arrays["representatives"], 0, n - 1)),
            ("best_fitness", not np.isnan(arrays["best_fitness"]).any()),
            ("champion", -1 <= champion < n and (champion >= 0 or n == 0)),
            ("threshold", 0 <= threshold < INFINITY),
            ("population_best_fitness", best_fitness == best_fitness),
        )
        for name, holds in rules:
            if not holds:
                raise ValueError(f"species: {name} is not possible")
        table.reserve(n_species, n)
        table.n_species = n_species
        table.n_genomes = n
        table.generation = generation
        table.next_id = next_id
        table.last_improved = last_improved
        table.champion = champion
        table.threshold = threshold
        table.best_fitness = best_fitness
        for i in range(n_species):
            table.ids[i] = ids[i]
            table.created[i] = arrays["created"][i]
            table.improved[i] = arrays["last_improved"][i]
            table.best[i] = arrays["best_fitness"][i]
            table.sizes[i] = sizes[i]
            table.representatives[i] = arrays["representatives"][i]
            table.first[i] = place
            place += table.sizes[i]
            table.n_children[i] = table.n_elites[i] = 0
            table.n_parents[i] = 1
        for i in range(n):
            table.members[i] = members[i]
        return table

    def __repr__(self):
        return f"SpeciesTable({self.n_species} species, {self.n_genomes} genomes)"


cdef tuple values_of(Species species):
    return (species.id, species.members.tolist(), species.representative, species.best_fitness,
            species.age, species.last_improved)


cdef class Species:
    """One species of a generation.

    Attributes
    ----------
    id : int
        Never that of another species of the run.
    members : (size,) array of ints
        Indices of its genomes, the fittest first.
    representative : Genome
        What genomes are compared with.
    best_fitness : float
        Of all its generations.
    age : int
        Generations since it was founded.
    last_improved : int
        The generation that reached best_fitness, or a later one from which its time to improve
        began anew (``population_stagnation``).
    """

    def __init__(self, id, members, representative, best_fitness, age, last_improved):
        self.id = id
        self.members = np.asarray(members, np.intp)
        self.representative = representative
        self.best_fitness = best_fitness
        self.age = age
        self.last_improved = last_improved

    @property
    def size(self):
        """Its genomes in this generation."""
        return len(self.members)

    def __len__(self):
        return len(self.members)

    def __eq__(self, other):
        if not isinstance(other, Species):
            return NotImplemented
        return values_of(self) == values_of(other)

    __hash__ = None

    def __reduce__(self):
        return Species, values_of(self)

    def __repr__(self):
        return (f"Species(id={self.id}, size={self.size}, best_fitness={self.best_fitness:g}, "
                f"age={self.age})")
