"""The rows of parameters that a genetic algorithm breeds, and how they get their fitness.

What is drawn for child i of generation g comes from stream (seed, g 2^32 + i), so neither threads
nor chunks make a difference.  Whether a parameter is crossed or mutated is decided for 64 of them
at once by the bits of a few random words, which costs a tenth of a nanosecond each.
"""

import weakref

import numpy as np

cimport numpy as cnp
from libc.math cimport sqrt
from libc.stdint cimport int64_t, uint32_t, uint64_t
from libc.string cimport memcpy

from fastnet._kernels.dispatch cimport kernels
from fastnet._kernels.table cimport OK, Graph, Kernels, Monitor
from fastnet._threads cimport Team
from fastnet._workspace cimport Memory, Workspace, aligned, new_memory
from fastnet.neat._draws cimport (
    Draws, draw_below, draw_bits, draw_chance, draw_uniform, start_draws
)
from fastnet.neat.breeding cimport stream_of
from fastnet.neat.evaluation cimport Evaluator, new_evaluator, read_fitness
from fastnet.neat.generation cimport Generation
from fastnet.neat.graph cimport dense_graph, dense_graph_bytes
from fastnet.neat.network cimport check_dense
from fastnet.nn.network cimport Network
from fastnet.training.model cimport Watch, raise_stopped, watch

cnp.import_array()

__all__ = ["Individuals", "evaluator_of"]

cdef extern from *:
    """
    #if defined(__GNUC__) || defined(__clang__)
    static inline int fn_lowest_bit(uint64_t bits) { return __builtin_ctzll(bits); }
    static inline int fn_count_bits(uint64_t bits) { return __builtin_popcountll(bits); }
    #else
    static inline int fn_lowest_bit(uint64_t bits) {
        int n = 0;
        for (; !(bits & 1); bits >>= 1) n++;
        return n;
    }
    static inline int fn_count_bits(uint64_t bits) {
        int n = 0;
        for (; bits; bits &= bits - 1) n++;
        return n;
    }
    #endif
    """
    int lowest_bit "fn_lowest_bit"(uint64_t bits) noexcept nogil
    int count_bits "fn_count_bits"(uint64_t bits) noexcept nogil

cdef enum Selection:
    TOURNAMENT
    RANK
    TRUNCATION

cdef enum Mutation:
    NO_MUTATION
    GAUSSIAN
    UNIFORM

cdef enum:
    CHUNK_PARAMETERS = 100000       # that a thread breeds at once: some 200 us

cdef double TWO_64 = 18446744073709551616.0
cdef double LARGEST = np.iinfo(np.intp).max // 4
cdef uint64_t EVERY = <uint64_t> 0xFFFFFFFFFFFFFFFFU

cdef dict SELECTIONS = {"tournament": TOURNAMENT, "rank": RANK, "truncation": TRUNCATION}
cdef dict MUTATIONS = {None: NO_MUTATION, "gaussian": GAUSSIAN, "uniform": UNIFORM}

ctypedef fused real:
    float
    double

ctypedef fused bits:
    uint32_t
    uint64_t


# Settings of a fastnet.GeneticAlgorithm as its loops want them
ctypedef struct Rules:
    int selection
    Py_ssize_t tournament_size
    double pressure
    Py_ssize_t n_parents            # that truncation leaves
    double crossover_rate
    int mutation
    double mutation_rate
    double power
    Py_ssize_t n_elites


def evaluator_of(fitness, Network net not None):
    """What evaluates networks of this shape with what a user gave as fitness."""
    return new_evaluator(fitness, net)


cdef int breed_chunk(void *context, Py_ssize_t chunk, int worker) noexcept nogil:
    return (<Individuals> context).do_chunk(chunk, worker)


cdef class Individuals(Generation):
    """Networks of one shape, each a row of parameters.

    Parameters
    ----------
    net : fastnet.Network
        Whose shape it is.
    n : int
        Number of networks.
    """

    cdef Network net
    cdef const Kernels *kernels
    cdef Py_ssize_t n_parameters
    cdef Memory rows                    # (n, n_parameters), of the network's precision
    cdef Workspace workspace
    cdef Py_ssize_t worker_bytes
    # Of the breeding that is under way
    cdef Individuals parents
    cdef Rules breeding
    cdef uint64_t seed
    cdef int64_t number
    cdef Py_ssize_t chunk_rows
    cdef const Py_ssize_t *order        # (n,) parents, the best first
    cdef Py_ssize_t *first_equal        # (n,) first place of the same fitness, for each place
    cdef Py_ssize_t *n_equal            # (n,) how many have it
    cdef Monitor monitor

    def __cinit__(self, Network net not None, Py_ssize_t n):
        cdef Py_ssize_t itemsize = net.dtype.itemsize
        if n < 1:
            raise ValueError(f"n must be at least 1, got {n}")
        # also what a row in float64 with its slack takes
        if <double> n * (net.n_parameters + 16) * 8 > LARGEST:
            raise ValueError(
                f"{n} networks of {net.n_parameters} parameters are more than any memory holds")
        self.net = net
        self.kernels = kernels(itemsize)
        self.n_genomes = n
        self.n_parameters = net.n_parameters
        self.rows = new_memory(n * self.n_parameters * itemsize)
        self.workspace = Workspace()
        self.clear_fitness()

    cdef object as_sequence(self):
        cdef cnp.npy_intp shape[2]
        cdef cnp.ndarray array
        found = None if self.sequence is None else self.sequence()
        if found is None:
            shape[0] = self.n_genomes
            shape[1] = self.n_parameters
            array = cnp.PyArray_SimpleNewFromData(2, shape, self.net.typenum, self.rows.data)
            cnp.set_array_base(array, self)
            cnp.PyArray_CLEARFLAGS(array, cnp.NPY_ARRAY_WRITEABLE)
            found = array
            self.sequence = weakref.ref(found)
        return found

    @property
    def array(self):
        """The rows: (n, n_parameters), read-only; they stay what they are while it is held."""
        return self.as_sequence()

    def is_held(self):
        """Whether somebody holds the array."""
        return self.is_shared()

    def fill(self, rows, first=0):
        """Copy rows to the places from first on."""
        cdef cnp.ndarray array = np.ascontiguousarray(rows, self.net.dtype)
        cdef Py_ssize_t itemsize = cnp.PyArray_ITEMSIZE(array), start = first
        if (cnp.PyArray_NDIM(array) != 2 or cnp.PyArray_DIM(array, 1) != self.n_parameters
                or not 0 <= start <= self.n_genomes - cnp.PyArray_DIM(array, 0)):
            raise ValueError(f"rows of shape {np.shape(rows)} do not fit at {first}")
        memcpy(<char *> self.rows.data + start * self.n_parameters * itemsize,
               cnp.PyArray_DATA(array), cnp.PyArray_NBYTES(array))

    cdef object network_at(self, object genomes, Py_ssize_t i):
        cdef Network net = self.net._astype(self.net.dtype)
        cdef Py_ssize_t n_bytes = self.n_parameters * self.kernels.itemsize
        memcpy(net.data, <const char *> self.rows.data + i * n_bytes, n_bytes)
        return net

    def network(self, Py_ssize_t i):
        """A network of row i."""
        if not 0 <= i < self.n_genomes:
            raise IndexError(f"there are {self.n_genomes} networks, got {i}")
        return self.network_at(None, i)

    # -- fitness -------------------------------------------------------------------------------

    def evaluate(self, Evaluator evaluator not None, seed, wants_solved, Team team not None):
        """Fitness of all; returns which of them solve the task: (n,) bool."""
        cdef cnp.npy_intp n = self.n_genomes
        cdef cnp.ndarray solved
        if evaluator.task is not None:
            self.prepare_graphs()
        self.clear_fitness()
        evaluator.run(self, seed, wants_solved, team)
        solved = cnp.PyArray_SimpleNew(1, &n, cnp.NPY_BOOL)
        memcpy(cnp.PyArray_DATA(solved), evaluator.is_solved, n)
        return solved

    def set_fitness(self, values):
        """The fitness that a user found."""
        self.clear_fitness()
        read_fitness(values, "fitness must be", "network", self.n_genomes, self.values)

    # The rows in float64, and the plan of their graph, which is that of all
    cdef int prepare_graphs(self) except -1:
        cdef Py_ssize_t i, n = self.n_genomes, row_bytes = aligned(
            (self.n_parameters + 1) * sizeof(double))
        cdef const Graph *graph
        cdef Memory plans
        if self.plans is None:
            check_dense(self.net)
            plans = new_memory(dense_graph_bytes(&self.net.plan))
            graph = dense_graph(&self.net.plan, plans.data)
            self.parameter_memory = new_memory(n * row_bytes)
            self.memory = new_memory(2 * n * sizeof(void *))
            self.graphs = <const Graph **> self.memory.data
            self.parameters = <void **> self.memory.data + n
            for i in range(n):
                self.graphs[i] = graph
                self.parameters[i] = <char *> self.parameter_memory.data + i * row_bytes
            # last, because memory may run out above
            self.plans = plans
        with nogil:
            for i in range(n):
                if self.kernels.itemsize == 8:
                    memcpy(self.parameters[i],
                           <const double *> self.rows.data + i * self.n_parameters,
                           self.n_parameters * sizeof(double))
                else:
                    widen(self.n_parameters, <const float *> self.rows.data + i * self.n_parameters,
                          <double *> self.parameters[i])
        return 0

    # -- children ------------------------------------------------------------------------------

    def breed(self, Individuals parents not None, order, settings, seed, number,
              Team team not None):
        """Become the children of others, which have a fitness.

        Parameters
        ----------
        parents : Individuals
        order : ndarray (n,) intp
            The parents, the best first.
        settings : fastnet.evolution.settings.Settings
        seed, number : int
            Of the run, and the number of the generation.
        team : Team
        """
        cdef Py_ssize_t n = self.n_genomes, mask_bytes, n_chunks
        cdef cnp.ndarray places = np.ascontiguousarray(order, np.intp)
        cdef Watch state
        cdef int status
        if parents.n_genomes != n or len(places) != n or (
                parents.n_parameters != self.n_parameters or parents is self):
            raise ValueError("parents and their order do not fit")
        mask_bytes = aligned((self.n_parameters + 63) // 64 * sizeof(uint64_t))
        self.worker_bytes = mask_bytes + aligned(self.n_parameters * self.kernels.itemsize)
        self.workspace.reserve(
            aligned(2 * n * sizeof(Py_ssize_t)) + team.n_threads * self.worker_bytes)
        self.first_equal = <Py_ssize_t *> self.workspace.data
        self.n_equal = self.first_equal + n
        self.order = <const Py_ssize_t *> cnp.PyArray_DATA(places)
        self.parents = parents
        self.breeding = Rules(
            selection=SELECTIONS[settings.selection],
            tournament_size=settings.tournament_size,
            pressure=settings.selection_pressure,
            n_parents=min(<Py_ssize_t> settings.n_parents, n),
            crossover_rate=settings.crossover_rate if settings.crossover else 0,
            mutation=MUTATIONS[settings.mutation],
            mutation_rate=settings.mutation_rate,
            power=settings.mutation_power,
            n_elites=settings.elitism,
        )
        self.seed = seed
        self.number = number
        self.chunk_rows = max(1, CHUNK_PARAMETERS // self.n_parameters)
        n_chunks = (n + self.chunk_rows - 1) // self.chunk_rows
        with nogil:
            self.find_equals()
            watch(&self.monitor, &state)
            status = team.run(breed_chunk, <void *> self, n_chunks)
        self.parents = None
        if status != OK:
            raise_stopped()

    cdef void find_equals(self) noexcept nogil:
        cdef const double *fitness = self.parents.values
        cdef Py_ssize_t place, first = 0, n = self.n_genomes
        for place in range(n):
            if fitness[self.order[place]] != fitness[self.order[first]]:
                first = place
            self.first_equal[place] = first
            self.n_equal[first] = place + 1 - first

    cdef int do_chunk(self, Py_ssize_t chunk, int worker) noexcept nogil:
        cdef Py_ssize_t i, first = chunk * self.chunk_rows
        cdef char *scratch = (<char *> self.workspace.data
                              + aligned(2 * self.n_genomes * sizeof(Py_ssize_t))
                              + worker * self.worker_bytes)
        for i in range(first, min(first + self.chunk_rows, self.n_genomes)):
            self.breed_child(i, scratch)
        if worker == 0:
            return self.monitor.poll(self.monitor.context)
        return OK

    cdef void breed_child(self, Py_ssize_t i, void *scratch) noexcept nogil:
        cdef const Rules *rules = &self.breeding
        cdef Py_ssize_t n = self.n_parameters, n_words = (n + 63) // 64
        cdef Py_ssize_t row_bytes = n * self.kernels.itemsize, a, b
        cdef uint64_t *mask = <uint64_t *> scratch
        cdef void *noise = <char *> scratch + aligned(n_words * sizeof(uint64_t))
        cdef const char *rows = <const char *> self.parents.rows.data
        cdef char *child = <char *> self.rows.data + i * row_bytes
        cdef Draws draws
        if i < rules.n_elites:
            memcpy(child, rows + self.order[i] * row_bytes, row_bytes)
            return
        start_draws(&draws, self.seed, stream_of(self.number, i), 0)
        a = b = self.select(&draws)
        if draw_chance(&draws, rules.crossover_rate):
            b = self.select(&draws)
        memcpy(child, rows + a * row_bytes, row_bytes)
        if a != b:
            draw_mask(&draws, 0.5, n, mask)
            if self.kernels.itemsize == 8:
                take_masked(n, mask, <const uint64_t *> (rows + b * row_bytes), <uint64_t *> child)
            else:
                take_masked(n, mask, <const uint32_t *> (rows + b * row_bytes), <uint32_t *> child)
        if rules.mutation != NO_MUTATION and rules.mutation_rate > 0:
            b = draw_mask(&draws, rules.mutation_rate, n, mask)
            draws.position += draws.position & 1
            if rules.mutation == GAUSSIAN:
                self.kernels.normal(draws.seed, draws.stream, draws.position, b, noise)
            else:
                self.kernels.uniform(draws.seed, draws.stream, draws.position, b, noise)
            if self.kernels.itemsize == 8:
                mutate(rules, n_words, mask, <const double *> noise, <double *> child)
            else:
                mutate(rules, n_words, mask, <const float *> noise, <float *> child)

    # A parent.  Those of equal fitness have equal chances.
    cdef Py_ssize_t select(self, Draws *draws) noexcept nogil:
        cdef const Rules *rules = &self.breeding
        cdef const double *fitness = self.parents.values
        cdef Py_ssize_t n = self.n_genomes, best, other, place, _k
        cdef double s = rules.pressure, u
        if rules.selection == TOURNAMENT:
            best = draw_below(draws, n)
            for _k in range(1, rules.tournament_size):
                other = draw_below(draws, n)
                if fitness[other] > fitness[best]:
                    best = other
            return best
        if rules.selection == TRUNCATION:
            return self.order[draw_below(draws, rules.n_parents)]
        # Linear ranking (Baker 1985) as a density over x in [0, 1), where 0 is the best:
        # s - 2 (s - 1) x.  Its distribution function s x - (s - 1) x^2 is inverted.
        u = draw_uniform(draws)
        place = min(<Py_ssize_t> (n * (2 * u / (s + sqrt(s * s - 4 * (s - 1) * u)))), n - 1)
        place = self.first_equal[place]
        return self.order[place + draw_below(draws, self.n_equal[place])]


# Bits 0 .. n - 1 of the mask, each set with this probability; returns how many are.  A bit is set
# where a random number of 64 bits is below the probability, for 64 of them at once: from the
# highest binary digit on, those that differ from the digit of the probability are decided.  Seven
# words decide 64 bits on average, one where the probability is 1/2.
cdef Py_ssize_t draw_mask(Draws *draws, double probability, Py_ssize_t n,
                          uint64_t *mask) noexcept nogil:
    cdef Py_ssize_t word, n_words = (n + 63) // 64, count = 0
    cdef uint64_t all_digits, digits, undecided, found, random, valid
    all_digits = <uint64_t> (probability * TWO_64) if probability < 1 else 0
    for word in range(n_words):
        valid = EVERY
        if word == n_words - 1 and n & 63:
            valid = (<uint64_t> 1 << (n & 63)) - 1
        undecided = valid
        found = 0
        digits = all_digits
        while digits and undecided:
            random = draw_bits(draws)
            if digits >> 63:
                found |= undecided & ~random
                undecided &= random
            else:
                undecided &= ~random
            digits <<= 1
        if probability >= 1:
            found = valid
        mask[word] = found
        count += count_bits(found)
    return count


# x[i] = y[i] where the mask says so.  On bits, because a compiler makes a branch of a choice
# between numbers, which nobody can foresee: ten times slower.
cdef void take_masked(Py_ssize_t n, const uint64_t *mask, const bits *y, bits *x) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(n):
        x[i] ^= (x[i] ^ y[i]) & (0 - <bits> (mask[i >> 6] >> (i & 63) & 1))


# Noise, one number for each bit of the mask, is added
cdef void mutate(const Rules *rules, Py_ssize_t n_words, const uint64_t *mask, const real *noise,
                 real *x) noexcept nogil:
    cdef real power = <real> rules.power
    cdef real scale = 2 * power if rules.mutation == UNIFORM else power
    cdef real shift = -power if rules.mutation == UNIFORM else 0
    cdef Py_ssize_t word, i, k = 0
    cdef uint64_t left
    for word in range(n_words):
        left = mask[word]
        if left == EVERY:
            for i in range(64):
                x[64 * word + i] += shift + scale * noise[k + i]
            k += 64
            continue
        while left:
            i = 64 * word + lowest_bit(left)
            x[i] += shift + scale * noise[k]
            left &= left - 1
            k += 1


cdef void widen(Py_ssize_t n, const float *x, double *y) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(n):
        y[i] = x[i]
