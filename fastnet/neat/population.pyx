"""A population that evolves: generation after generation, without the interpreter."""

import math
import numbers

cimport numpy as cnp
from libc.math cimport INFINITY, NAN, isfinite, sqrt
from libc.stdint cimport int64_t, uint64_t
from libc.string cimport memcpy

from fastnet._checks import checked_int
from fastnet._progress import Progress
from fastnet.neat.history import History, Record, Result
from fastnet.neat.reporters import Reporters

from fastnet._threads cimport Team
from fastnet.neat._draws cimport Draws, draw_bits, start_draws
from fastnet.neat._rules cimport rules_of
from fastnet.neat.breeding cimport WHOLE, new_breeder, stream_of
from fastnet.neat.evaluation cimport Evaluator, new_evaluator
from fastnet.neat.generation cimport Generation, new_generation
from fastnet.neat.genome cimport Genome, checked_genome, genome_of
from fastnet.neat.innovations cimport InnovationRegistry
from fastnet.neat.reproduction cimport Species, SpeciesTable
from fastnet.random cimport as_seed

cnp.import_array()

__all__ = ["Population"]

cdef enum:
    MOST_THREADS = 1024


cdef class Population:
    """Genomes that evolve: bred, evaluated and put into species, generation after generation.

    Parameters
    ----------
    config : Config
    seed : int, None, numpy.random.Generator or RandomStream
        The same seed gives the same run, for any number of threads.  What is drawn for child i of
        generation g comes from stream (seed, g 2^32 + i).
    genomes : sequence of Genome, optional
        ``config.population_size`` genomes to start from; else new ones without parents.

    Attributes
    ----------
    config : Config
    seed : int
    generation : int
        Generations evaluated so far.
    registry : InnovationRegistry
        Of this run.
    history : fastnet.neat.history.History
        Figures of all generations.

    Raises
    ------
    TypeError, ValueError
        An argument is none of these; genomes do not fit the config, contradict each other, or are
        not as many as the population.

    Notes
    -----
    `genomes`, `fitness` and `species` describe the generation that was evaluated last; before the
    first one, the genomes it will have.  An exception in the fitness leaves the population as it
    was before the step, and the next step breeds the same children again.

    Rules: Stanley & Miikkulainen 2002, "Evolving neural networks through augmenting topologies",
    sections 3 and 4.1, with the choices of `Config`.

    Examples
    --------
    >>> from fastnet import neat
    >>> pop = neat.Population(neat.Config.paper(n_inputs=2, n_outputs=1), seed=1)
    >>> result = pop.run(neat.tasks.XOR(), generations=300)
    >>> result.solved
    True
    >>> network = result.best.network()
    >>> bool(network([0.0, 1.0])[0] > 0.5)
    True

    A function of a network is a fitness, too, and so is one of all networks:

    >>> def fitness(network):
    ...     return -abs(network.activate([0.25, 0.75])[0] - 0.5)
    >>> pop = neat.Population(neat.Config(2, 1, population_size=20), seed=0)
    >>> pop.step(fitness)
    >>> pop
    Population(20 genomes, generation 1, ...)
    """

    def __init__(self, config, seed=0, genomes=None):
        cdef Generation first
        cdef uint64_t number
        if self.current is not None:
            raise RuntimeError("a population is built once")
        rules_of(config)
        given = () if genomes is None else checked_genomes(genomes, config)
        number = as_seed(seed)
        first = self.prepare(config, number, InnovationRegistry(config, given))
        if genomes is None:
            self.breeder.create(self.registry, number, first)
        else:
            self.breeder.adopt(given, first)

    cdef Generation prepare(self, object config, uint64_t seed, InnovationRegistry registry):
        self.config = config
        self.rules = rules_of(config)
        self.seed = seed
        self.registry = registry
        self.generation = 0
        self.history = History()
        self.table = SpeciesTable(config)
        self.champion = None
        self.spare = None
        self.current = new_generation(config, self.rules.population_size)
        self.breeder = new_breeder(self.current.n_genomes)
        return self.current

    cdef int check_built(self) except -1:
        if self.current is None:
            raise RuntimeError("Population.__init__ was not called")
        return 0

    cdef int check_idle(self) except -1:
        self.check_built()
        if self.is_busy:
            raise RuntimeError("the population is in the middle of a step")
        return 0

    @property
    def genomes(self):
        """Lazy sequence of the genomes; each is a copy, with its fitness."""
        self.check_built()
        return self.current.as_sequence()

    @property
    def fitness(self):
        """Fitness of the genomes: (population_size,) float64, read-only; NaN before a step."""
        self.check_built()
        return self.current.fitness

    @property
    def best(self):
        """The fittest genome of all generations, a copy with its fitness; None before a step."""
        self.check_built()
        return None if self.champion is None else self.champion.copy()

    @property
    def evaluations(self):
        """Genomes evaluated so far."""
        self.check_built()
        return self.generation * self.current.n_genomes

    @property
    def species(self):
        """The `Species` of the generation, oldest first: list."""
        self.check_built()
        return [self.species_at(row) for row in range(self.table.n_species)]

    @property
    def threshold(self):
        """Compatibility threshold of the next generation."""
        self.check_built()
        return self.table.threshold

    def step(self, fitness):
        """One generation: breed the children of the last one (if any), evaluate, put into species.

        Parameters
        ----------
        fitness : task or callable
            As in `run`.

        Raises
        ------
        TypeError, ValueError
            As in `run`; whatever the fitness raises.  The population then is as before.

        Notes
        -----
        With a `population_fitness` that returns an array made before, a step is breeding, plans
        of networks and species alone: what a benchmark of those calls.
        """
        self.check_built()
        self.advance(new_evaluator(fitness, self.config), False, Team(1))

    def run(self, fitness, generations=300, target=None, reporters=(), n_threads=1,
            progress=False):
        """Evolve until the task is solved, or for so many generations.

        Parameters
        ----------
        fitness : task or callable
            A task of `fastnet.neat.tasks`, which needs no interpreter; any object with
            ``evaluate(network, seed=0)`` and, if it can say so, ``solved(network, fitness)``; with
            ``evaluate_all(networks, seed)`` that is called once for a generation instead; a
            function of a `Network` that returns a number, larger is better; or one marked with
            `population_fitness`, of a sequence of all networks, that returns an array of
            them.  A network has its ``.genome``.  -inf is the worst fitness, for whatever failed;
            NaN and inf are refused.
        generations : int
            At most so many more, at least 0.
        target : float, optional
            The task is solved when the best fitness reaches it: ``math.inf`` never.  By default
            when the task says so (``solved``), which other functions never do.
        reporters : sequence of objects
            With any of the methods of `fastnet.neat.reporters`.
        n_threads : int
            Threads that share a task of `fastnet.neat.tasks`; whatever else is given is called on
            the calling thread.  The result does not depend on it.
        progress : bool
            Whether a line shows how far it is, with the best fitness and the number of species.

        Returns
        -------
        Result

        Raises
        ------
        TypeError, ValueError
            An argument is none of these; the task has other inputs and outputs than the config; a
            fitness is no number, NaN or infinite.  Whatever the fitness or a reporter
            raises.  Generations that were completed before stay so, and the population can go on.

        Examples
        --------
        >>> from fastnet import neat
        >>> task = neat.tasks.XOR()
        >>> result = neat.Population(task.config(), seed=2).run(task)
        >>> result.solved, result.best.fitness > 9
        (True, True)
        """
        cdef Evaluator evaluator
        cdef Py_ssize_t position = -1, n_evaluated = 0
        cdef bint wants_solved = target is None
        cdef double wanted = INFINITY
        cdef Team team
        self.check_built()
        evaluator = new_evaluator(fitness, self.config)
        generations = checked_int(generations, "generations", 0)
        if target is not None:
            wanted = checked_target(target)
        told = Reporters(reporters)
        n_threads = min(checked_int(n_threads, "n_threads"), MOST_THREADS)
        team = Team(n_threads if evaluator.task is not None else 1)
        winner = None
        with team, Progress(generations, bool(progress)) as line:
            for _ in range(generations):
                told.tell("start_generation", self)
                before = self.species if told.wants("extinction") else []
                self.advance(evaluator, wants_solved, team)
                position = self.winner(evaluator, wanted, &n_evaluated)
                if position >= 0:
                    winner = self.genome_at(position)
                line.update(best=self.champion.fitness, species=self.table.n_species)
                self.tell_of_species(told, before)
                told.tell("end_generation", self)
                if position >= 0:
                    told.tell("found_solution", self, winner)
                    break
        evaluations = self.evaluations
        if winner is not None:
            evaluations += n_evaluated - self.current.n_genomes
        return Result(
            best=self.best if winner is None else winner,
            solved=winner is not None,
            generations=self.generation,
            evaluations=evaluations,
            history=self.history.copy(),
        )

    def save(self, path):
        """Write everything to a file, replacing what is at ``path`` at once.

        Parameters
        ----------
        path : str or path-like

        Raises
        ------
        OSError
            The file cannot be written; what was there before is untouched.

        Notes
        -----
        In the middle of a step, as from a fitness function, it is the population before it.
        """
        from fastnet.neat import files

        self.check_built()
        files.save(self, path)

    @staticmethod
    def load(path):
        """The population of a file that `save` wrote: it goes on as the saved one would have.

        Parameters
        ----------
        path : str or path-like

        Returns
        -------
        Population

        Raises
        ------
        OSError
            There is no such file, or it cannot be read.
        fastnet.FileFormatError
            It is no such file, or damaged, or of a newer version.
        """
        from fastnet.neat import files

        return files.load(path)

    def copy(self):
        """A population that goes on by itself, as this one would."""
        return _restored(*self.__reduce__()[1])

    def __copy__(self):
        return self.copy()

    def __deepcopy__(self, memo):
        return self.copy()

    def __reduce__(self):
        from fastnet.neat import state

        self.check_built()
        return _restored, (self.config, *state.pack(self))

    def __repr__(self):
        if self.current is None:
            return "Population(not initialized)"
        text = f"{self.current.n_genomes} genomes, generation {self.generation}"
        if self.champion is not None:
            text += f", {self.table.n_species} species, best={self.champion.fitness:.6g}"
        return f"Population({text})"

    cdef int advance(self, Evaluator evaluator, bint wants_solved, Team team) except -1:
        cdef Generation generation = self.current
        cdef int64_t number = self.generation + 1, next_innovation = -1, next_node = -1
        cdef Draws draws
        cdef uint64_t seed
        self.check_idle()
        start_draws(&draws, self.seed, stream_of(number, WHOLE), 0)
        seed = draw_bits(&draws) >> 32
        self.is_busy = True
        try:
            if self.generation:
                with self.registry.lock:
                    self.known = self.registry.snapshot()
                    self.registry.begin_generation()
                    generation = self.take_spare()
                    self.breeder.breed(self.current, self.table, self.registry, self.seed, number,
                                       generation)
                    next_innovation = self.registry.next_innovation
                    next_node = self.registry.next_node
            evaluator.run(generation, seed, wants_solved, team)
            with self.registry.lock:
                self.commit(generation, number, &draws)
                generation = self.known = None
        except BaseException:
            # Numbers that the fitness function has given to others must keep their meaning
            with self.registry.lock:
                if self.known is not None and (
                        next_innovation < 0 or (next_innovation == self.registry.next_innovation
                                                and next_node == self.registry.next_node)):
                    self.registry.restore(self.known)
                self.known = None
                if generation is self.current:
                    generation.clear_fitness()
            raise
        finally:
            self.is_busy = False
        return 0

    cdef int commit(self, Generation generation, int64_t number, Draws *draws) except -1:
        # What can fail comes first.  No Python code runs behind it: a signal, which waits for some,
        # would leave a step that is done in part.
        cdef Genome champion = self.champion
        cdef Py_ssize_t i, best = 0
        cdef double threshold = self.table.threshold
        cdef Py_ssize_t n_species = self.breeder.assign(self.current, self.table, generation)
        for i in range(generation.n_genomes):
            if generation.values[i] > generation.values[best]:
                best = i
        if champion is None or generation.values[best] > champion.fitness:
            champion = genome_of(self.config, &generation.genes[best], generation.values[best])
        self.table.reserve(n_species, generation.n_genomes)
        self.table.gather(
            generation.species, generation.values, generation.n_genomes, n_species, number)
        self.table.choose_representatives(self.rules, draws)
        self.table.allot(generation.values, self.rules, generation.n_genomes)
        self.table.steer(self.rules)
        self.champion = champion
        if generation is not self.current:
            self.spare = self.current
            self.current = generation
        self.generation = number
        self.history._records.append(self.record_of(threshold))
        return 0

    cdef Generation take_spare(self):
        cdef Generation spare = self.spare
        if spare is None or spare.is_shared():
            return new_generation(self.config, self.rules.population_size)
        self.spare = None
        spare.clear_fitness()
        return spare

    cdef Species species_at(self, Py_ssize_t row):
        cdef SpeciesTable table = self.table
        cdef Species species = Species.__new__(Species)
        cdef cnp.npy_intp size = table.sizes[row]
        cdef cnp.ndarray members = cnp.PyArray_SimpleNew(1, &size, cnp.NPY_INTP)
        memcpy(cnp.PyArray_DATA(members), table.members + table.first[row],
               size * sizeof(Py_ssize_t))
        species.id = table.ids[row]
        species.members = members
        species.representative = self.genome_at(table.representatives[row])
        species.best_fitness = table.best[row]
        species.age = self.generation - table.created[row]
        species.last_improved = table.improved[row]
        return species

    cdef Genome genome_at(self, Py_ssize_t i):
        return genome_of(self.config, &self.current.genes[i], self.current.values[i])

    cdef object record_of(self, double threshold):
        cdef Generation generation = self.current
        cdef SpeciesTable table = self.table
        cdef Py_ssize_t i, n = generation.n_genomes, n_finite = 0
        cdef double best = -INFINITY, mean = 0, squares = 0, value
        for i in range(n):
            value = generation.values[i]
            best = max(best, value)
            if isfinite(value):
                n_finite += 1
                # in one pass without cancellation (Welford 1962)
                squares += (value - mean) * (value - mean) * (n_finite - 1) / n_finite
                mean += (value - mean) / n_finite
        return tuple.__new__(Record, (
            self.generation,
            best,
            mean if n_finite else NAN,
            sqrt(squares / n_finite) if n_finite else NAN,
            generation.arena.n_connections / <double> n,
            generation.arena.n_nodes / <double> n,
            threshold,
            tuple([table.ids[i] for i in range(table.n_species)]),
            tuple([table.sizes[i] for i in range(table.n_species)]),
        ))

    cdef Py_ssize_t winner(self, Evaluator evaluator, double target,
                           Py_ssize_t *n_evaluated) noexcept:
        cdef const double *fitness = self.current.values
        cdef Py_ssize_t i, best = -1
        n_evaluated[0] = 0
        for i in range(self.current.n_genomes):
            if evaluator.is_solved[i] or fitness[i] >= target:
                if best < 0:
                    n_evaluated[0] = i + 1
                    best = i
                elif fitness[i] > fitness[best]:
                    best = i
        return best

    cdef int tell_of_species(self, object told, list before) except -1:
        cdef SpeciesTable table = self.table
        cdef Py_ssize_t row
        if before:
            left = {table.ids[row] for row in range(table.n_species)}
            for species in before:
                if species.id not in left:
                    told.tell("extinction", self, species)
        if self.rules.stagnation and told.wants("species_stagnant"):
            for row in range(table.n_species):
                if (table.n_children[row] == 0
                        and self.generation - table.improved[row] >= self.rules.stagnation):
                    told.tell("species_stagnant", self, self.species_at(row))
        return 0


def _restored(config, arrays, counters):
    """The population that `fastnet.neat.state.pack` packed."""
    from fastnet.neat import state

    return state.unpack(config, arrays, counters)


cdef list checked_genomes(object genomes, object config):
    try:
        given = list(genomes)
    except TypeError:
        raise TypeError(
            f"genomes must be a sequence of genomes, got {type(genomes).__name__}") from None
    for i, genome in enumerate(given):
        checked_genome(genome, config, f"genomes[{i}]")
    if len(given) != config.population_size:
        raise ValueError(
            f"genomes must be population_size = {config.population_size} genomes, "
            f"got {len(given)}")
    return given


cdef double checked_target(object target) except? -1:
    if isinstance(target, bool) or not isinstance(target, numbers.Real):
        raise TypeError(f"target must be a number or None, got {target!r}")
    try:
        number = float(target)
    except OverflowError:
        raise ValueError("target is too large for a float") from None
    if math.isnan(number):
        raise ValueError("target must not be NaN")
    return number
