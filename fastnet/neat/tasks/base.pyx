"""Tasks that evaluate a network without the interpreter."""

import numbers

from libc.math cimport INFINITY
from libc.stdint cimport uint64_t

from fastnet._checks import checked_int
from fastnet.neat.config import Config

from fastnet._kernels.dispatch cimport flush_denormals, set_floating_point_mode
from fastnet._kernels.table cimport OK, SLACK_BYTES, STOPPED, Graph, Kernels, Monitor
from fastnet._threads cimport take_next, take_no_more
from fastnet._workspace cimport Workspace, acquire, aligned, release
from fastnet.neat.network cimport Network, network_of_dense
from fastnet.nn.dense cimport DenseModel

__all__ = ["NativeTask", "is_population_fitness", "population_fitness"]

cdef enum:
    CHUNK = 8           # genomes that a thread takes at once; taking costs as much as one small one


cdef class NativeTask:
    """What every task of `fastnet.neat.tasks` offers; no task by itself.

    Attributes
    ----------
    n_inputs, n_outputs : int
        Of the networks that can be evaluated.
    """

    def __cinit__(self):
        self.workspace = Workspace()

    cdef Py_ssize_t scratch_bytes(self, const Kernels *kernels, const Graph *graph) noexcept nogil:
        return 0

    cdef double evaluate_graph(self, const Kernels *kernels, const Graph *graph,
                               const void *parameters, void *state, uint64_t seed,
                               void *scratch) noexcept nogil:
        return 0

    cdef bint graph_solves(self, const Kernels *kernels, const Graph *graph,
                           const void *parameters, void *state, double fitness,
                           void *scratch) noexcept nogil:
        return False

    cdef int evaluate_graphs(self, const Kernels *kernels, Contest *contest, void *state,
                             void *scratch, Monitor *monitor) noexcept nogil:
        cdef Py_ssize_t i, first
        cdef double fitness
        while True:
            first = take_next(&contest.next) * CHUNK
            if first >= contest.n_graphs:
                return OK
            for i in range(first, min(first + CHUNK, contest.n_graphs)):
                fitness = self.evaluate_graph(kernels, contest.graphs[i], contest.parameters[i],
                                              state, contest.seed, scratch)
                contest.fitness[i] = fitness
                if contest.is_solved != NULL:
                    contest.is_solved[i] = self.graph_solves(
                        kernels, contest.graphs[i], contest.parameters[i], state, fitness, scratch)
            if monitor != NULL and monitor.poll(monitor.context) != OK:
                take_no_more(&contest.next)
                return STOPPED

    def evaluate(self, network, seed=0):
        """Fitness of a network.

        Parameters
        ----------
        network : fastnet.neat.Network or fastnet.Network
            Its own state, that of `step`, stays as it is.  A dense network is evaluated in float64,
            and has dense layers with elementwise activations (and dropout) only.
        seed : int
            Of whatever the task draws at random: the same seed gives the same fitness.

        Returns
        -------
        float
            Larger is better; the worst is -infinity.

        Raises
        ------
        TypeError, ValueError
            The network is none of these, or has other inputs or outputs than the task; or the
            fitness, of a function of the user, is none.
        """
        cdef Network net = checked_network(self, network)
        cdef uint64_t number = checked_int(seed, "seed", 0, 2**64 - 1)
        cdef Py_ssize_t offset = scratch_offset(net)
        cdef Workspace workspace = acquire(
            self.workspace, offset + self.scratch_bytes(net.kernels, net.graph))
        cdef char *data = <char *> workspace.data
        cdef double fitness
        cdef unsigned int mode
        with nogil:
            # as where a whole population is evaluated
            mode = flush_denormals()
            fitness = self.evaluate_graph(net.kernels, net.graph, net.data, data, number,
                                          data + offset)
            set_floating_point_mode(mode)
        release(workspace)
        if not fitness < INFINITY:
            raise ValueError(
                f"the fitness of the network is {fitness}: it must be a number or -inf, the worst")
        return fitness

    def solved(self, network, fitness):
        """Whether a network that got this fitness solves the task.

        Parameters
        ----------
        network : fastnet.neat.Network or fastnet.Network
        fitness : float

        Returns
        -------
        bool
        """
        cdef Network net = checked_network(self, network)
        cdef double reached = checked_number(fitness, "fitness")
        cdef Py_ssize_t offset = scratch_offset(net)
        cdef Workspace workspace = acquire(
            self.workspace, offset + self.scratch_bytes(net.kernels, net.graph))
        cdef char *data = <char *> workspace.data
        cdef bint answer
        cdef unsigned int mode
        with nogil:
            mode = flush_denormals()
            answer = self.graph_solves(net.kernels, net.graph, net.data, data, reached,
                                       data + offset)
            set_floating_point_mode(mode)
        release(workspace)
        return answer

    def config(self, **overrides):
        """The paper's settings for networks of this task; see `fastnet.neat.Config.paper`.

        Parameters
        ----------
        **overrides
            Any field of `fastnet.neat.Config`.
        """
        return Config.paper(self.n_inputs, self.n_outputs, **overrides)


cdef Py_ssize_t scratch_offset(Network net) noexcept:
    return aligned(net.kernels.graph_state(net.graph) + SLACK_BYTES)


cdef double checked_number(object value, str name) except? -1:
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise TypeError(f"{name} must be a number, got {value!r}")
    try:
        return float(value)
    except OverflowError:
        raise ValueError(f"{name} is too large for a float") from None


cdef Network checked_network(NativeTask task, object network):
    cdef Network net
    if isinstance(network, DenseModel):
        (<DenseModel> network).check_built()
        net = network_of_dense(<DenseModel> network)
    elif isinstance(network, Network):
        net = <Network> network
        net.check_built()
    else:
        raise TypeError(
            "network must be a fastnet.neat.Network or a fastnet.Network, "
            f"got {type(network).__name__}")
    if (task.n_inputs and net.n_inputs != task.n_inputs
            or task.n_outputs and net.n_outputs != task.n_outputs):
        raise ValueError(
            f"{type(task).__name__} takes networks with {task.n_inputs or 'any'} inputs and "
            f"{task.n_outputs or 'any'} outputs, got {net.n_inputs} and {net.n_outputs}"
        )
    return net


def population_fitness(function):
    """Mark a function as one that evaluates a whole generation at once.

    Parameters
    ----------
    function : callable
        ``function(networks) -> array-like (n,)`` of fitness values; ``networks`` is a sequence of
        `fastnet.neat.Network`, each with its ``.genome``.  Whoever keeps one of them keeps the
        memory of its generation: better ``copy.copy(network)``, or the genome.

    Returns
    -------
    callable
        The function itself.

    Examples
    --------
    >>> from fastnet import neat
    >>> @neat.population_fitness
    ... def fewest_parameters(networks):
    ...     return [-network.n_parameters for network in networks]
    """
    if not callable(function):
        raise TypeError(f"function must be callable, got {type(function).__name__}")
    try:
        function.is_population_fitness = True
    except AttributeError:
        raise TypeError(
            f"{type(function).__name__} objects cannot be marked: wrap it in a function") from None
    return function


def is_population_fitness(function):
    """Whether a callable was marked with `population_fitness`."""
    return getattr(function, "is_population_fitness", False) is True
