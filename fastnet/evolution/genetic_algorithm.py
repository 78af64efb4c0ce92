"""A genetic algorithm over the flat parameters of dense networks."""

import math
from typing import Any, NamedTuple

import numpy as np

from fastnet._checks import checked_int
from fastnet._progress import Progress
from fastnet._threads import Team
from fastnet.evolution.history import History, Record, Result
from fastnet.evolution.individuals import Individuals, evaluator_of
from fastnet.evolution.settings import Settings, checked_number, checked_rows
from fastnet.neat.reporters import Reporters
from fastnet.nn.network import Network
from fastnet.random import RandomStream, as_seed

__all__ = ["GeneticAlgorithm"]

_WHOLE = 2**32 - 1  # the stream of a generation as a whole, beside those of its children
_MOST_THREADS = 1024


class _State(NamedTuple):
    """All that a generation changes, replaced at once: an exception or Ctrl-C finds all or nothing.

    Attributes
    ----------
    generation : int
        Evaluated ones.
    parents : Individuals or None
        The generation evaluated last.
    children : Individuals or None
        Those to evaluate next, once they are there.
    is_asked : bool
        Whether `tell` may come.
    best : ndarray (n_parameters,) or None
        Parameters of the fittest network of all generations.
    best_fitness : float or None
    """

    generation: int
    parents: Any
    children: Any
    is_asked: bool = False
    best: Any = None
    best_fitness: float | None = None


def _setting(name):
    return property(lambda self: getattr(self._settings, name), doc=f"The argument ``{name}``.")


class GeneticAlgorithm:
    """A population of networks of one shape whose parameters evolve.

    A generation is evaluated; the next one is the best few as they are (elitism) and children.  For
    a child a parent is selected by its fitness; often a second one, and then each parameter comes
    from the one or the other (uniform crossover); some parameters are changed at random (mutation).

    Parameters
    ----------
    net : fastnet.Network
        The shape, and the first network of the first generation; copied.  The other networks begin
        with parameters from the initializers of its layers.
    population_size : int
        Networks of a generation, at least 2.
    selection : "tournament", "rank" or "truncation"
        How a parent is found.  *tournament*: the fittest of ``tournament_size`` networks drawn at
        random, with replacement.  *rank*: place r of n, 0 the fittest, with the probability
        (s - (s - 1) (2 r + 1) / n) / n, where s is ``selection_pressure``.  *truncation*: any of
        the fittest ``survival_threshold`` of all.  Networks of equal fitness have equal chances,
        but for truncation, which lets the earlier ones pass.
    tournament_size : int
        1 selects regardless of fitness.
    selection_pressure : float in [1, 2]
        Children that the fittest network has on average in rank selection; 1 selects regardless of
        fitness.
    survival_threshold : float in (0, 1]
    crossover : "uniform" or None
        None switches it off: a child then has one parent.  Crossover of networks may do more harm
        than good, since hidden units that do the same may stand in different places.
    crossover_rate : float in [0, 1]
        Share of the children for which two parents are selected.
    mutation : "gaussian", "uniform" or None
        What is added to a parameter: ``mutation_power`` times a standard normal number, a number
        from [-mutation_power, mutation_power), or nothing.
    mutation_rate : float in [0, 1]
        Probability for each parameter of a child.
    mutation_power : float of at least 0
        Small steps refine a solution, large ones leave local optima.
    elitism : int
        So many of the fittest, the earlier ones first among equals, are the first networks of the
        next generation, unchanged; less than ``population_size``.
    population : array-like (population_size, n_parameters), optional
        Finite numbers: the first generation, instead.
    seed : int, None, numpy.random.Generator or RandomStream
        The same seed gives the same run, for any number of threads.  What is drawn for child i of
        generation g comes from stream (seed, g 2^32 + i).

    Attributes
    ----------
    net : fastnet.Network
        A copy of what was given.
    population_size, selection, crossover, mutation, ...
        The settings, as given.
    seed : int
    generation : int
        Generations evaluated so far.

    Raises
    ------
    TypeError, ValueError
        An argument is none of these; the network has no parameters, or some that are not finite.

    Notes
    -----
    `population` and `fitness` describe the generation that was evaluated last; before the first
    one, the networks it will have.  An exception in the fitness leaves everything as it was before
    the generation, and the next call evaluates the same networks again.  Copies and pickles go on
    as the original would.

    Tournaments: Goldberg & Deb 1991, "A comparative analysis of selection schemes used in genetic
    algorithms".  Ranks: Baker 1985, "Adaptive selection methods for genetic algorithms".
    Truncation: Mühlenbein & Schlierkamp-Voosen 1993, "Predictive models for the breeder genetic
    algorithm".  Uniform crossover: Syswerda 1989.  Crossover of networks: Montana & Davis 1989.

    Examples
    --------
    >>> import fastnet as fn
    >>> net = fn.Network([2, 4, 1], hidden="tanh", output="sigmoid", seed=0)
    >>> ga = fn.GeneticAlgorithm(net, population_size=100, mutation_power=1.0, seed=0)
    >>> result = ga.run(fn.neat.tasks.XOR(), generations=100)
    >>> result.solved
    True
    >>> result.best([[0, 0], [0, 1], [1, 0], [1, 1]]).round().ravel().tolist()
    [0.0, 1.0, 1.0, 0.0]

    Any function of a network is a fitness, larger is better.  Whoever evaluates by himself asks for
    the parameters and tells the fitness:

    >>> import numpy as np
    >>> ga = fn.GeneticAlgorithm(net, population_size=50, crossover=None, seed=0)
    >>> X, y = np.array([[0, 0], [0, 1], [1, 0], [1, 1]]), np.array([[0], [1], [1], [0]])
    >>> for generation in range(20):
    ...     P = ga.ask()
    ...     errors = net.predict_population(P, X) - y
    ...     ga.tell(-np.sum(errors**2, axis=(1, 2)))
    >>> ga
    GeneticAlgorithm(50 networks of 17 parameters, generation 20, best=...)
    """

    def __init__(
        self,
        net,
        population_size=100,
        *,
        selection="tournament",
        tournament_size=3,
        selection_pressure=2.0,
        survival_threshold=0.2,
        crossover="uniform",
        crossover_rate=0.5,
        mutation="gaussian",
        mutation_rate=0.25,
        mutation_power=0.5,
        elitism=1,
        population=None,
        seed=0,
    ):
        if not isinstance(net, Network):
            raise TypeError(f"net must be a fastnet.Network, got {type(net).__name__}")
        if net.n_parameters == 0:
            raise ValueError("net must have parameters, got a network without any")
        settings = Settings(
            population_size, selection, tournament_size, selection_pressure, survival_threshold,
            crossover, crossover_rate, mutation, mutation_rate, mutation_power, elitism,
        )  # fmt: skip
        n = settings.population_size
        rows = None if population is None else checked_rows(population, n, net)
        self._settings = settings
        self._net = _copy_of(net)
        self._seed = as_seed(seed)
        self._history = History()
        self._spare = None
        self._is_busy = False
        children = Individuals(self._net, n)
        if rows is None:
            self._create(children)
        else:
            children.fill(rows)
        self._state = _State(0, None, children)

    def _create(self, children):
        """The first generation, where none is given."""
        checked_rows(self._net.parameters[np.newaxis], 1, self._net, "the parameters of net")
        children.fill(self._net.parameters[np.newaxis])
        other = _copy_of(self._net)
        for i in range(1, self.population_size):
            other.reinitialize(int(RandomStream(self._seed, i).bits(1)[0]))
            children.fill(other.parameters[np.newaxis], i)

    population_size = _setting("population_size")
    selection = _setting("selection")
    tournament_size = _setting("tournament_size")
    selection_pressure = _setting("selection_pressure")
    survival_threshold = _setting("survival_threshold")
    crossover = _setting("crossover")
    crossover_rate = _setting("crossover_rate")
    mutation = _setting("mutation")
    mutation_rate = _setting("mutation_rate")
    mutation_power = _setting("mutation_power")
    elitism = _setting("elitism")

    @property
    def net(self):
        """A copy of the network that was given."""
        return _copy_of(self._net)

    @property
    def seed(self):
        """What keys the random streams of the run."""
        return self._seed

    @property
    def generation(self):
        """Generations evaluated so far."""
        return self._state.generation

    @property
    def evaluations(self):
        """Networks evaluated so far."""
        return self._state.generation * self.population_size

    @property
    def population(self):
        """Parameters of all networks: (population_size, n_parameters), read-only."""
        state = self._state
        return (state.children if state.parents is None else state.parents).array

    @property
    def fitness(self):
        """Fitness of all networks: (population_size,) float64, read-only; NaN before a generation.
        """
        state = self._state
        if state.parents is None:
            values = np.full(self.population_size, np.nan)
            values.setflags(write=False)
            return values
        return state.parents.fitness

    @property
    def best(self):
        """The fittest network of all generations, a copy; None before a generation."""
        return None if self._state.best is None else self._network_of(self._state.best)

    @property
    def best_fitness(self):
        """Its fitness; None before a generation."""
        return self._state.best_fitness

    @property
    def history(self):
        """`History`: figures of all generations."""
        self._trim_history()
        return self._history

    def ask(self):
        """Parameters of the networks to evaluate.

        Returns
        -------
        ndarray (population_size, n_parameters), of the dtype of the network
            Read-only; the same array until `tell`.
        """
        self._check_idle()
        self._state = state = self._bred(Team(1))._replace(is_asked=True)
        return state.children.array

    def tell(self, fitness):
        """The fitness of the networks that `ask` returned; ends the generation.

        Parameters
        ----------
        fitness : array-like (population_size,)
            Larger is better; -inf is the worst, for whatever failed.

        Raises
        ------
        TypeError, ValueError
            It has another shape, or holds something else than numbers, NaN or inf.
        RuntimeError
            `ask` was not called.
        """
        self._check_idle()
        if not self._state.is_asked:
            raise RuntimeError("tell gives the fitness of what ask returned: call ask first")
        self._state.children.set_fitness(fitness)
        self._commit()

    def run(
        self,
        fitness,
        generations=50,
        target=None,
        *,
        reporters=(),
        n_threads=1,
        progress=False,
    ):
        """Evolve until the task is solved, or for so many generations.

        Parameters
        ----------
        fitness : task or callable
            A task of `fastnet.neat.tasks`; any object with ``evaluate(network, seed=0)`` and, if it
            can say so, ``solved(network, fitness)``; a function of a `fastnet.Network` that returns
            a number, larger is better; or one marked with `fastnet.neat.population_fitness`, of a
            sequence of all networks, that returns an array of them.  -inf is the worst fitness, for
            whatever failed; NaN and inf are refused.
        generations : int
            At most so many more, at least 0.
        target : float, optional
            The task is solved when the best fitness reaches it: ``math.inf`` never.  By default
            when the task says so (``solved``), which other functions never do.
        reporters : sequence of objects
            With any of ``start_generation(ga)``, ``end_generation(ga)`` and
            ``found_solution(ga, network)``.
        n_threads : int
            Threads that breed, and share a task that needs no interpreter; whatever else is given
            is called on the calling thread.  The result does not depend on it.
        progress : bool
            Whether a line shows how far it is, with the best fitness.

        Returns
        -------
        Result

        Raises
        ------
        TypeError, ValueError
            An argument is none of these; the task has other inputs and outputs than the network, or
            runs without the interpreter, for which each layer must be dense with an elementwise
            activation of `fastnet.activations` (or dropout); a fitness is no number, NaN or inf.
            Whatever the fitness or a reporter raises.  Generations that were completed before stay
            so, and the run can go on.

        Notes
        -----
        Tasks that need no interpreter compute in float64, with the parameters as they are.
        """
        self._check_idle()
        evaluator = evaluator_of(fitness, self._net)
        generations = checked_int(generations, "generations", 0)
        if target is not None:
            target = checked_number(target, "target", -math.inf, math.inf)
        told = Reporters(reporters)
        n_threads = min(checked_int(n_threads, "n_threads"), _MOST_THREADS)
        winner = fitness_of_winner = None
        with Team(n_threads) as team, Progress(generations, bool(progress)) as line:
            for _ in range(generations):
                told.tell("start_generation", self)
                solved = self._advance(evaluator, target, team)
                parents = self._state.parents
                if solved.any():
                    places = np.flatnonzero(solved)
                    place = int(places[np.argmax(parents.fitness[places])])
                    winner = parents.network(place)
                    fitness_of_winner = float(parents.fitness[place])
                line.update(best=self._state.best_fitness)
                told.tell("end_generation", self)
                if winner is not None:
                    told.tell("found_solution", self, winner)
                    break
        evaluations = self.evaluations
        if winner is None:
            winner, fitness_of_winner = self.best, self.best_fitness
            is_solved = False
        else:
            evaluations += int(np.argmax(solved)) + 1 - self.population_size
            is_solved = True
        return Result(
            best=winner,
            fitness=fitness_of_winner,
            solved=is_solved,
            generations=self.generation,
            evaluations=evaluations,
            history=self.history.copy(),
        )

    # -- one generation ------------------------------------------------------------------------

    def _check_idle(self):
        if self._is_busy:
            raise RuntimeError("the genetic algorithm is in the middle of a generation")

    def _bred(self, team):
        """The state with the networks to evaluate next."""
        state = self._state
        if state.children is not None:
            return state
        children, self._spare = self._spare, None
        if children is None or children.is_held():
            children = Individuals(self._net, self.population_size)
        parents = state.parents
        order = np.argsort(-parents.fitness, kind="stable")
        children.breed(parents, order, self._settings, self._seed, state.generation + 1, team)
        return state._replace(children=children)

    def _advance(self, evaluator, target, team):
        """A generation; returns which networks solve the task: (population_size,) bool."""
        self._check_idle()
        self._is_busy = True
        try:
            self._state = state = self._bred(team)
            number = state.generation + 1
            whole = RandomStream(self._seed, (number << 32) + _WHOLE)
            seed = int(whole.bits(1)[0]) >> 32
            solved = state.children.evaluate(evaluator, seed, target is None, team)
            if target is not None:
                solved = state.children.fitness >= target
            self._commit()
        finally:
            self._is_busy = False
        return solved

    def _commit(self):
        """The children, which have a fitness, are the generation now, wholly or not at all."""
        state = self._state
        children = state.children
        number = state.generation + 1
        place = int(np.argmax(children.fitness))
        value = float(children.fitness[place])
        best, best_fitness = state.best, state.best_fitness
        if best is None or value > best_fitness:
            best, best_fitness = children.array[place].copy(), value
        record = _record_of(number, children.fitness)
        self._trim_history()
        self._history.append(record)
        self._state = _State(number, children, None, False, best, best_fitness)
        self._spare = state.parents

    def _trim_history(self):
        # Ctrl-C may have come after a record and before its generation
        records = self._history._records
        while records and records[-1].generation > self._state.generation:
            records.pop()

    # -- the object ----------------------------------------------------------------------------

    def _network_of(self, parameters):
        net = _copy_of(self._net)
        net.parameters[:] = parameters
        return net

    def copy(self):
        """A genetic algorithm that goes on by itself, as this one would."""
        return _restored(*self.__reduce__()[1])

    def __copy__(self):
        return self.copy()

    def __deepcopy__(self, memo):
        return self.copy()

    def __reduce__(self):
        state = self._state
        rows = tuple(
            None if part is None else np.array(part.array)
            for part in (state.parents, state.children)
        )
        fitness = None if state.parents is None else np.array(state.parents.fitness)
        return _restored, (
            type(self), _copy_of(self._net), self._settings, self._seed,
            self.history.copy(),
            rows, fitness, (state.generation, state.is_asked, state.best, state.best_fitness),
        )  # fmt: skip

    def __repr__(self):
        text = (
            f"{self.population_size} networks of {self._net.n_parameters} parameters, "
            f"generation {self.generation}"
        )
        if self.best_fitness is not None:
            text += f", best={self.best_fitness:.6g}"
        return f"{type(self).__name__}({text})"


def _restored(kind, net, settings, seed, history, rows, fitness, state):
    """A copied or pickled genetic algorithm."""
    ga = kind.__new__(kind)
    ga._settings = settings
    ga._net = net
    ga._seed = seed
    ga._history = history
    ga._spare = None
    ga._is_busy = False
    parts = [None, None]
    for k, part in enumerate(rows):
        if part is not None:
            parts[k] = Individuals(net, settings.population_size)
            parts[k].fill(part)
    if fitness is not None:
        parts[0].set_fitness(fitness)
    generation, is_asked, best, best_fitness = state
    ga._state = _State(generation, *parts, is_asked, best, best_fitness)
    return ga


def _copy_of(net):
    """The same shape and parameters, without the history of a training."""
    return net._astype(net.dtype)


def _record_of(generation, fitness):
    finite = fitness[np.isfinite(fitness)]
    mean = std = math.nan
    if finite.size:
        mean = float(finite.mean())
        std = float(finite.std())
    return Record(generation, float(fitness.max()), mean, std)
