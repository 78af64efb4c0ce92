"""How the genomes of a generation get their fitness.

Tasks of `fastnet.neat.tasks` run on threads without the interpreter; whatever else a user may give
is called on the calling thread.  The fitness of a genome depends on its network and the seed only,
so threads and chunks make no difference.
"""

import numpy as np

cimport numpy as cnp
from libc.math cimport INFINITY
from libc.string cimport memset

from fastnet._kernels cimport dispatch
from fastnet._kernels.dispatch cimport flush_denormals, set_floating_point_mode
from fastnet._kernels.table cimport OK, SLACK_BYTES, STOPPED, Graph, Kernels
from fastnet._threads cimport Team, take_next, take_no_more
from fastnet._workspace cimport Workspace, aligned, new_memory
from fastnet.neat.generation cimport Generation, networks_of
from fastnet.neat.tasks.base cimport Contest, NativeTask
from fastnet.training.model cimport Watch, raise_stopped, watch

from fastnet.neat.config import Config
from fastnet.neat.tasks.base import is_population_fitness

cnp.import_array()

__all__ = ["Evaluator"]


cdef Evaluator new_evaluator(object fitness, object config):
    cdef Evaluator evaluator = Evaluator()
    evaluator.function = fitness
    evaluator.noun = "genome" if isinstance(config, Config) else "network"
    if isinstance(fitness, type):
        raise TypeError(
            f"fitness must be a task or a function, got the class {fitness.__name__}: "
            f"give an instance, as {fitness.__name__}()")
    if hasattr(fitness, "evaluate"):
        evaluator.evaluate_one = fitness.evaluate
        evaluator.solved = getattr(fitness, "solved", None)
        check_sizes(fitness, config)
        if isinstance(fitness, NativeTask) and not is_overridden(type(fitness)):
            evaluator.task = <NativeTask> fitness
        else:
            evaluator.evaluate_all = getattr(fitness, "evaluate_all", None)
    elif not callable(fitness):
        raise TypeError(
            "fitness must be a task, a function of a network or a function marked with "
            f"neat.population_fitness, got {fitness!r}")
    else:
        evaluator.takes_all = is_population_fitness(fitness)
    evaluator.workspace = Workspace()
    return evaluator


# Whether a class derived from a task has methods of its own in the place of the loops
cdef bint is_overridden(object kind) except *:
    native = <object> NativeTask
    return kind.evaluate is not native.evaluate or kind.solved is not native.solved


cdef int check_sizes(object task, object config) except -1:
    owner = "config" if isinstance(config, Config) else "network"
    for name in ("n_inputs", "n_outputs"):
        wanted = getattr(task, name, None)
        have = getattr(config, name)
        if wanted is not None and wanted != have:
            raise ValueError(
                f"{type(task).__name__} has {name}={wanted}, the {owner} {name}={have}")
    return 0


# A fitness as Python returned it
cdef double checked_fitness(object value, str noun, Py_ssize_t i) except? -1:
    cdef double fitness
    if type(value) is float:
        fitness = value
    else:
        if isinstance(value, (str, bytes)) or getattr(value, "ndim", 0):
            raise TypeError(f"the fitness of {noun} {i} must be a number, got {value!r}")
        try:
            fitness = float(value)
        except OverflowError:
            raise ValueError(f"the fitness of {noun} {i} is too large for a float") from None
        except (TypeError, ValueError):
            raise TypeError(
                f"the fitness of {noun} {i} must be a number, got {value!r}") from None
    if not fitness < INFINITY:
        raise ValueError(
            f"the fitness of {noun} {i} is {fitness}: it must be a number or -inf, the worst")
    return fitness


cdef int worker_task(void *context, Py_ssize_t _, int worker) noexcept nogil:
    return (<Evaluator> context).work(worker)


cdef int judge_task(void *context, Py_ssize_t _, int worker) noexcept nogil:
    return (<Evaluator> context).judge(worker)


cdef class Evaluator:
    cdef int run(self, Generation generation, uint64_t seed, bint wants_solved,
                 Team team) except -1:
        cdef Py_ssize_t n = generation.n_genomes
        if self.flags is None or self.flags.n_bytes < n:
            self.flags = new_memory(n)
            self.is_solved = <uint8_t *> self.flags.data
        memset(self.is_solved, 0, n)
        self.seed = seed
        self.wants_solved = wants_solved and self.solved is not None
        if self.task is not None:
            self.run_native(generation, team)
        elif self.takes_all or self.evaluate_all is not None:
            self.run_all(generation)
        else:
            self.run_each(generation)
        return 0

    cdef int run_native(self, Generation generation, Team team) except -1:
        cdef const Kernels *kernels = dispatch.float64
        cdef const Graph *graph
        cdef Py_ssize_t n_inputs = self.task.n_inputs, n_outputs = self.task.n_outputs
        cdef Py_ssize_t i, n_state = 0, n_scratch = 0
        cdef bint fits = True
        cdef unsigned int mode
        cdef int status
        cdef Watch state
        with nogil:
            for i in range(generation.n_genomes):
                graph = generation.graphs[i]
                fits = (fits and (n_inputs == 0 or graph.n_inputs == n_inputs)
                        and (n_outputs == 0 or graph.n_outputs == n_outputs))
                n_state = max(n_state, kernels.graph_state(graph))
                n_scratch = max(n_scratch, self.task.scratch_bytes(kernels, graph))
        # A derived class may say that it has other sizes, but the loops are those of its base
        if not fits:
            raise ValueError(
                f"{type(self.task).__name__} evaluates networks with {n_inputs or 'any'} inputs "
                f"and {n_outputs or 'any'} outputs only, whatever its attributes say")
        self.state_bytes = aligned(n_state + SLACK_BYTES)
        self.worker_bytes = self.state_bytes + aligned(n_scratch + SLACK_BYTES)
        self.workspace.reserve(self.worker_bytes * team.n_threads)
        self.contest.n_graphs = generation.n_genomes
        self.contest.graphs = generation.graphs
        self.contest.parameters = <const void **> generation.parameters
        self.contest.seed = self.seed
        self.contest.fitness = generation.values
        self.contest.is_solved = self.is_solved if self.wants_solved else NULL
        self.contest.next = 0
        with nogil:
            watch(&self.monitor, &state)
            # as the other threads do, so that their number makes no difference
            mode = flush_denormals()
            status = team.run(worker_task, <void *> self, team.n_running)
            if status == OK and self.wants_solved and self.task.is_judged_later:
                self.contest.next = 0
                status = team.run(judge_task, <void *> self, team.n_running)
            set_floating_point_mode(mode)
        if status != OK:
            raise_stopped()
        for i in range(generation.n_genomes):
            if not generation.values[i] < INFINITY:
                checked_fitness(generation.values[i], self.noun, i)
        return 0

    cdef int work(self, int worker) noexcept nogil:
        cdef char *state = <char *> self.workspace.data + worker * self.worker_bytes
        return self.task.evaluate_graphs(
            dispatch.float64, &self.contest, state, state + self.state_bytes,
            &self.monitor if worker == 0 else NULL)

    cdef int judge(self, int worker) noexcept nogil:
        cdef char *state = <char *> self.workspace.data + worker * self.worker_bytes
        cdef Contest *contest = &self.contest
        cdef Py_ssize_t i
        while True:
            i = take_next(&contest.next)
            if i >= contest.n_graphs:
                return OK
            contest.is_solved[i] = self.task.graph_solves(
                dispatch.float64, contest.graphs[i], contest.parameters[i], state,
                contest.fitness[i], state + self.state_bytes)
            if worker == 0 and self.monitor.poll(self.monitor.context) != OK:
                take_no_more(&contest.next)
                return STOPPED

    cdef int run_each(self, Generation generation) except -1:
        cdef Py_ssize_t i
        cdef double fitness
        cdef bint is_task = self.evaluate_one is not None
        genomes = generation.as_sequence()
        seed = self.seed
        for i in range(generation.n_genomes):
            network = generation.network_at(genomes, i)
            value = self.evaluate_one(network, seed) if is_task else self.function(network)
            fitness = checked_fitness(value, self.noun, i)
            generation.values[i] = fitness
            if self.wants_solved and self.solved(network, fitness):
                self.is_solved[i] = True
        return 0

    cdef int run_all(self, Generation generation) except -1:
        cdef Py_ssize_t i, k, n_asked
        networks = networks_of(generation)
        if self.takes_all:
            given = self.function(networks)
        else:
            given = self.evaluate_all(networks, self.seed)
        read_fitness(given, "a population fitness must return", self.noun, generation.n_genomes,
                     generation.values)
        if self.wants_solved:
            # Fittest first, who wins; then those before it, for the count of evaluations up to the
            # first solver.  Whether any others solve the task makes no difference.
            order = np.argsort(-generation.fitness, kind="stable")
            for n_asked, i in enumerate(order):
                if self.solved(networks[i], generation.values[i]):
                    self.is_solved[i] = True
                    for k in np.setdiff1d(np.arange(i), order[:n_asked]):
                        if self.solved(networks[k], generation.values[k]):
                            self.is_solved[k] = True
                            break
                    break
        return 0


cdef int read_fitness(object given, str source, str noun, Py_ssize_t n,
                      double *values) except -1:
    cdef Py_ssize_t i
    cdef cnp.ndarray numbers
    cdef const double *data
    try:
        array = np.asarray(given)
    except (TypeError, ValueError):
        array = np.empty((), object)            # such as rows of several lengths
    if array.dtype.kind not in "fiubO" or array.dtype == object and array.ndim == 0:
        raise TypeError(f"{source} {n} numbers, got {type(given).__name__}")
    if array.shape != (n,):
        raise ValueError(f"{source} an array of shape ({n},), got {array.shape}")
    if array.dtype == object:
        array = [checked_fitness(value, noun, i) for i, value in enumerate(array)]
    numbers = np.ascontiguousarray(array, np.float64)
    data = <const double *> cnp.PyArray_DATA(numbers)
    for i in range(n):
        if not data[i] < INFINITY:
            checked_fitness(data[i], noun, i)
        values[i] = data[i]
    return 0
