"""Carts with poles to balance: the tasks that methods of neuroevolution are compared on."""

import numpy as np

cimport numpy as cnp
from libc.math cimport fabs
from libc.stdint cimport uint64_t
from libc.string cimport memcpy, memset

from fastnet._checks import checked_int
from fastnet.neat.config import Config

from fastnet._arrays cimport convert
from fastnet._kernels cimport dispatch
from fastnet._kernels.dispatch cimport flush_denormals, set_floating_point_mode
from fastnet._kernels.table cimport (
    CART_POLE, DOUBLE_POLE, HIDDEN_DOUBLE_POLE, OK, Episodes, Graph, Kernels, Monitor
)
from fastnet._threads cimport take_next, take_no_more
from fastnet._workspace cimport Workspace, acquire, aligned, release
from fastnet.neat.network cimport Network
from fastnet.neat.tasks.base cimport (
    Contest, NativeTask, checked_network, checked_number, scratch_offset
)

cnp.import_array()

__all__ = ["CartPole", "DoublePole", "Poles"]

cdef enum:
    MOST_STATES = 6
    LONG_STEPS = 100000                 # for which two poles have to be balanced
    SHORT_STEPS = 1000                  # of other episodes of two poles
    N_STARTS = 625
    ENOUGH_STARTS = 200
    CART_STEPS = 500                    # of CartPole-v1
    CART_TRIALS = 100
    MOST_PATH_STEPS = 0x7FFFFFFF        # of simulate(): 100 GB

cdef double LARGEST_ANGLE = 0.6283185307179586      # 36 degrees
cdef double ENOUGH_CART_STEPS = 475                 # of CartPole-v1, in the mean of its trials

# The starts of the generalization test (Gruau, Whitley & Pyeatt 1996): 5^4 states of cart and long
# pole, spread over 2.16 m, 1.35 m/s, 3.6 degrees and 8.6 degrees/s to both sides
cdef double[N_STARTS][MOST_STATES] STARTS
cdef double[5] SHARES
cdef double[4] SPREADS
SHARES[:] = [0.05, 0.25, 0.5, 0.75, 0.95]
SPREADS[:] = [2.16, 1.35, np.radians(3.6), np.radians(8.6)]


cdef void fill_starts() noexcept nogil:
    cdef int i, k, digits
    memset(STARTS, 0, sizeof(STARTS))
    for i in range(N_STARTS):
        digits = i
        for k in range(4):
            STARTS[i][3 - k] = SPREADS[3 - k] * (2 * SHARES[digits % 5] - 1)
            digits //= 5


fill_starts()


# Scratch: N_STARTS numbers, then the states of the networks
cdef Py_ssize_t numbers_bytes() noexcept nogil:
    return aligned(N_STARTS * sizeof(double))


cdef Py_ssize_t network_bytes(const Kernels *kernels, const Graph *graph) noexcept nogil:
    return aligned(kernels.graph_state(graph))


# Episodes of one network; values, and all that is_damped says, by the caller
cdef void run_network(Episodes *episodes, const Kernels *kernels, const Graph *graph,
                      const void *parameters, void *scratch) noexcept nogil:
    cdef Py_ssize_t counter = 0
    episodes.graphs = &graph
    episodes.parameters = &parameters
    episodes.network_stride = 0
    episodes.next = &counter
    dispatch.float64.pole_episodes(episodes, kernels, <char *> scratch + numbers_bytes(),
                                   network_bytes(kernels, graph), NULL)


cdef class Poles(NativeTask):
    """What `DoublePole` and `CartPole` have in common; no task by itself."""

    def __cinit__(self, *_, **__):
        if not isinstance(self, (DoublePole, CartPole)):
            raise TypeError("Poles is no task by itself: use DoublePole or CartPole")
        self.is_judged_later = True

    cdef void begin(self, uint64_t seed, double *start) noexcept nogil:
        pass

    cdef void describe(self, Episodes *episodes, const double *start) noexcept nogil:
        memset(episodes, 0, sizeof(Episodes))
        episodes.task = self.kind
        episodes.is_damped = self.is_damped
        episodes.n_steps = self.n_steps
        episodes.n_episodes = 1
        episodes.starts = start
        episodes.take = take_next

    cdef Py_ssize_t scratch_bytes(self, const Kernels *kernels, const Graph *graph) noexcept nogil:
        return numbers_bytes() + dispatch.float64.pole_lanes() * network_bytes(kernels, graph)

    cdef double evaluate_graph(self, const Kernels *kernels, const Graph *graph,
                               const void *parameters, void *state, uint64_t seed,
                               void *scratch) noexcept nogil:
        cdef Episodes episodes
        cdef double[MOST_STATES] start
        self.begin(seed, start)
        self.describe(&episodes, start)
        episodes.values = <double *> scratch
        run_network(&episodes, kernels, graph, parameters, scratch)
        return episodes.values[0]

    cdef int evaluate_graphs(self, const Kernels *kernels, Contest *contest, void *state,
                             void *scratch, Monitor *monitor) noexcept nogil:
        cdef Episodes episodes
        cdef double[MOST_STATES] start
        cdef Py_ssize_t i, n_bytes = 0
        cdef int status
        for i in range(contest.n_graphs):
            n_bytes = max(n_bytes, network_bytes(kernels, contest.graphs[i]))
        self.begin(contest.seed, start)
        self.describe(&episodes, start)
        episodes.n_episodes = contest.n_graphs
        episodes.graphs = contest.graphs
        episodes.parameters = contest.parameters
        episodes.network_stride = 1
        episodes.values = contest.fitness
        episodes.next = &contest.next
        status = dispatch.float64.pole_episodes(
            &episodes, kernels, <char *> scratch + numbers_bytes(), n_bytes, monitor)
        if status != OK:
            take_no_more(&contest.next)
        return status

    def step(self, state, force):
        """One control step, of 0.02 s.

        Parameters
        ----------
        state : array-like
            As `simulate` returns them.
        force : float
            On the cart, in newtons, positive to the right.

        Returns
        -------
        ndarray
            The state after it, whether the task has failed there or not.

        Raises
        ------
        TypeError, ValueError
            state is no array of numbers of this shape, or force no number.
        """
        cdef cnp.ndarray given = convert(state, "state", cnp.NPY_FLOAT64)
        cdef double newtons = checked_number(force, "force")
        cdef unsigned int mode
        if cnp.PyArray_NDIM(given) != 1 or cnp.PyArray_DIM(given, 0) != self.n_states:
            raise ValueError(f"state must have shape ({self.n_states},), got {np.shape(given)}")
        after = np.array(given)
        mode = flush_denormals()
        dispatch.float64.pole_step(
            self.kind, <double *> cnp.PyArray_DATA(<cnp.ndarray> after), newtons)
        set_floating_point_mode(mode)
        return after

    cdef object path_of(self, Network net, Py_ssize_t n_steps, uint64_t seed):
        cdef Py_ssize_t offset = scratch_offset(net)
        cdef Workspace workspace
        cdef Episodes episodes
        cdef double[MOST_STATES] start
        cdef cnp.npy_intp[2] shape
        cdef cnp.ndarray path
        cdef unsigned int mode
        shape[0] = n_steps + 1
        shape[1] = self.n_states
        path = cnp.PyArray_SimpleNew(2, shape, cnp.NPY_FLOAT64)
        workspace = acquire(self.workspace, offset + self.scratch_bytes(net.kernels, net.graph))
        with nogil:
            self.begin(seed, start)
            self.describe(&episodes, start)
            episodes.is_damped = False
            episodes.n_steps = n_steps
            episodes.path = <double *> cnp.PyArray_DATA(path)
            episodes.values = <double *> (<char *> workspace.data + offset)
            memcpy(episodes.path, start, self.n_states * sizeof(double))
            episodes.values[0] = 0
            if n_steps:
                mode = flush_denormals()
                run_network(&episodes, net.kernels, net.graph, net.data,
                            <char *> workspace.data + offset)
                set_floating_point_mode(mode)
            # with the step that failed, which one pole counts
            n_steps = min(n_steps, <Py_ssize_t> episodes.values[0] + (self.kind != CART_POLE))
        release(workspace)
        return np.array(path[:n_steps + 1]) if n_steps + 1 < shape[0] else path


cdef class DoublePole(Poles):
    """Two poles of different length to balance on one cart (Wieland 1991).

    A network has the force on the cart, 20 N (output - 1/2), every 0.02 s.  It fails when the cart
    is more than 2.4 m from the middle of its track or a pole more than 36 degrees from upright.

    Parameters
    ----------
    velocities : bool
        Whether the network gets the velocities.  With them it has 7 inputs: x / 4.8, x' / 2,
        t1 / 0.52, t1' / 2, t2 / 0.52, t2' / 2 and the constant 0.5, which serves as a bias.
        Without them it has 4: x / 4.8, t1 / 0.52, t2 / 0.52 and 0.5, and needs a memory: a
        recurrent network, which keeps its state from one step to the next.
    start_angle : float
        Of the long pole at the start, in radians; everything else is 0 there.

    Attributes
    ----------
    velocities : bool
    start_angle : float
    n_inputs, n_outputs : int

    Raises
    ------
    TypeError, ValueError
        velocities is no bool, or start_angle no angle within 36 degrees of upright.

    Notes
    -----
    The state is (x, x', t1, t1', t2, t2') in meters, radians and seconds.  Cart 1 kg; long pole
    0.1 kg of half length 0.5 m, short one 0.01 kg of 0.05 m; friction of the hinges 2e-6 N m s, of
    the cart none; classical Runge-Kutta with steps of 0.01 s, two for each force.

    Each step calls the network once: a feed-forward network answers at once, a recurrent one takes
    as many steps as its path from inputs to outputs is long.

    The fitness with velocities is the number of steps after which everything was still up, at most
    100,000, which solves the task.  Without them it is that of Gruau, Whitley & Pyeatt 1996, over
    at most 1,000 steps, which rewards calm: 0.1 t / 1000 + 0.9 f for t steps, where f is 0 for t
    below 100, else 0.75 / (sum of ``|x| + |x'| + |t1| + |t1'|`` over the last 100 of them).  The
    task is solved by a network that also balances for 100,000 steps and from at least 200 of the
    625 starts of `generalization`.

    A state that is no longer finite has failed.

    References
    ----------
    Stanley, Miikkulainen, "Evolving neural networks through augmenting topologies", Evolutionary
    Computation 10, 2002, section 4.
    Wieland, "Evolving neural network controllers for unstable systems", IJCNN 1991.
    Gruau, Whitley, Pyeatt, "A comparison between cellular encoding and direct encoding for genetic
    neural networks", Genetic Programming 1996.

    Examples
    --------
    >>> from fastnet import neat
    >>> task = neat.tasks.DoublePole()
    >>> network = neat.Genome(task.config(), rng=0).network()
    >>> task.simulate(network, 1000).shape[0] < 1000
    True
    """

    def __cinit__(self, *_, **__):
        # a task with sizes also where __init__ is not called
        self.settle(True, 0.07)

    def __init__(self, velocities=True, start_angle=0.07):
        cdef double angle = checked_number(start_angle, "start_angle")
        if self.is_built:
            raise RuntimeError("a DoublePole is built once")
        if not isinstance(velocities, (bool, np.bool_)):
            raise TypeError(f"velocities must be True or False, got {velocities!r}")
        if not fabs(angle) <= LARGEST_ANGLE:
            raise ValueError(
                f"start_angle must be within 0.2 pi (36 degrees) of 0, got {start_angle!r}")
        self.settle(velocities, angle)
        self.is_built = True

    cdef void settle(self, bint velocities, double start_angle) noexcept:
        self.velocities = velocities
        self.start_angle = start_angle
        self.kind = DOUBLE_POLE if velocities else HIDDEN_DOUBLE_POLE
        self.n_inputs = 7 if velocities else 4
        self.n_outputs = 1
        self.n_states = 6
        self.n_steps = LONG_STEPS if velocities else SHORT_STEPS
        self.is_damped = not velocities

    cdef void begin(self, uint64_t seed, double *start) noexcept nogil:
        memset(start, 0, 6 * sizeof(double))
        start[2] = self.start_angle

    cdef bint graph_solves(self, const Kernels *kernels, const Graph *graph,
                           const void *parameters, void *state, double fitness,
                           void *scratch) noexcept nogil:
        cdef Episodes episodes
        cdef double[MOST_STATES] start
        if self.velocities:
            return fitness >= LONG_STEPS
        # what all 1,000 steps give at least
        if not fitness >= 0.1:
            return False
        self.begin(0, start)
        self.describe(&episodes, start)
        episodes.is_damped = False
        episodes.n_steps = LONG_STEPS
        episodes.values = <double *> scratch
        run_network(&episodes, kernels, graph, parameters, scratch)
        return (episodes.values[0] >= LONG_STEPS
                and count_starts(self.kind, kernels, graph, parameters, scratch) >= ENOUGH_STARTS)

    def simulate(self, network, n_steps):
        """The states that a network steers through, from a blank state of its own.

        Parameters
        ----------
        network : fastnet.neat.Network
            Its own state, that of `step`, stays as it is.
        n_steps : int
            At most.

        Returns
        -------
        ndarray (k + 1, 6)
            The start and the state after each of k steps; it ends with the first one that failed.
        """
        cdef Network net = checked_network(self, network)
        return self.path_of(net, checked_int(n_steps, "n_steps", 0, MOST_PATH_STEPS), 0)

    def generalization(self, network):
        """From how many of 625 starts a network balances the poles for 1,000 steps.

        The starts are all combinations of 0.05, 0.25, 0.5, 0.75 and 0.95 of the ranges of
        +-2.16 m, +-1.35 m/s, +-3.6 degrees and +-8.6 degrees/s of cart and long pole (Gruau,
        Whitley & Pyeatt 1996).  Before each of them the network is reset.

        Parameters
        ----------
        network : fastnet.neat.Network

        Returns
        -------
        int
            0 to 625
        """
        cdef Network net = checked_network(self, network)
        cdef Py_ssize_t offset = scratch_offset(net), count
        cdef Workspace workspace = acquire(
            self.workspace, offset + self.scratch_bytes(net.kernels, net.graph))
        cdef unsigned int mode
        with nogil:
            mode = flush_denormals()
            count = count_starts(self.kind, net.kernels, net.graph, net.data,
                                 <char *> workspace.data + offset)
            set_floating_point_mode(mode)
        release(workspace)
        return count

    def config(self, **overrides):
        """The paper's settings for this task.

        Those of `fastnet.neat.Config.paper` for networks without a bias, which the constant input
        stands in for.  Without velocities also recurrent networks, and what the paper does
        otherwise there: 1,000 genomes, ``c_weight=3.0``, ``compatibility_threshold=4.0`` and
        ``add_connection_rate=0.3``.

        Parameters
        ----------
        **overrides
            Any field of `fastnet.neat.Config`.
        """
        fields = {"bias": None}
        if not self.velocities:
            fields |= {
                "mode": "recurrent",
                "self_loops": True,
                "population_size": 1000,
                "c_weight": 3.0,
                "compatibility_threshold": 4.0,
                "add_connection_rate": 0.3,
            }
        return Config.paper(self.n_inputs, self.n_outputs, **(fields | overrides))

    def __eq__(self, other):
        if not isinstance(other, DoublePole):
            return NotImplemented
        return (self.velocities == other.velocities) and (self.start_angle == other.start_angle)

    def __hash__(self):
        return hash((DoublePole, self.velocities, self.start_angle))

    def __reduce__(self):
        return type(self), (self.velocities, self.start_angle)

    def __repr__(self):
        return (f"{type(self).__name__}(velocities={self.velocities}, "
                f"start_angle={self.start_angle!r})")


# Of the starts those from which the network balances
cdef Py_ssize_t count_starts(int kind, const Kernels *kernels, const Graph *graph,
                             const void *parameters, void *scratch) noexcept nogil:
    cdef Episodes episodes
    cdef Py_ssize_t i, count = 0
    memset(&episodes, 0, sizeof(Episodes))
    episodes.task = kind
    episodes.n_steps = SHORT_STEPS
    episodes.n_episodes = N_STARTS
    episodes.starts = &STARTS[0][0]
    episodes.start_stride = MOST_STATES
    episodes.values = <double *> scratch
    episodes.take = take_next
    run_network(&episodes, kernels, graph, parameters, scratch)
    for i in range(N_STARTS):
        count += episodes.values[i] >= SHORT_STEPS
    return count


cdef class CartPole(Poles):
    """One pole to balance on a cart: CartPole-v1 of gymnasium (Barto, Sutton & Anderson 1983).

    A network has four inputs, the state (x, x', t, t') as it is, and one output, every 0.02 s:
    above 0.5 the cart is pushed to the right, else to the left, with 10 N.  It fails when the cart
    is more than 2.4 m from the middle of its track or the pole more than 12 degrees from upright.

    The fitness is the sum of rewards of gymnasium: the number of steps, that which failed included,
    at most 500.  All four numbers of the start are drawn evenly from -0.05 to 0.05 by the seed.
    The task is solved by a network that reaches 475 both so and in the mean of 100 other starts.

    Notes
    -----
    Cart 1 kg, pole 0.1 kg of half length 0.5 m, no friction, Euler's method with one step of 0.02 s
    for each push.  A state that is no longer finite has failed, and so has an output that is NaN.

    References
    ----------
    Barto, Sutton, Anderson, "Neuronlike adaptive elements that can solve difficult learning control
    problems", IEEE Transactions on Systems, Man, and Cybernetics 13, 1983.

    Examples
    --------
    >>> from fastnet import neat
    >>> task = neat.tasks.CartPole()
    >>> result = neat.Population(task.config(), seed=0).run(task, generations=50)
    >>> result.solved
    True
    """

    def __cinit__(self):
        self.kind = CART_POLE
        self.n_inputs = 4
        self.n_outputs = 1
        self.n_states = 4
        self.n_steps = CART_STEPS

    def __init__(self):
        # arguments would be ignored without it
        pass

    cdef void begin(self, uint64_t seed, double *start) noexcept nogil:
        draw_cart_starts(seed, 0, 1, start)

    cdef bint graph_solves(self, const Kernels *kernels, const Graph *graph,
                           const void *parameters, void *state, double fitness,
                           void *scratch) noexcept nogil:
        cdef Episodes episodes
        cdef double[4 * CART_TRIALS] starts
        cdef double total = 0
        cdef Py_ssize_t i
        if not fitness >= ENOUGH_CART_STEPS:
            return False
        # of a stream that `begin` never draws from
        draw_cart_starts(0, 1, CART_TRIALS, starts)
        self.describe(&episodes, starts)
        episodes.n_episodes = CART_TRIALS
        episodes.start_stride = 4
        episodes.values = <double *> scratch
        run_network(&episodes, kernels, graph, parameters, scratch)
        for i in range(CART_TRIALS):
            total += episodes.values[i]
        return total >= ENOUGH_CART_STEPS * CART_TRIALS

    def simulate(self, network, n_steps, seed=0):
        """The states that a network steers through, from a blank state of its own.

        Parameters
        ----------
        network : fastnet.neat.Network
            Its own state, that of `step`, stays as it is.
        n_steps : int
            At most; more than 500 are allowed.
        seed : int
            Of the start, as for `evaluate`.

        Returns
        -------
        ndarray (k + 1, 4)
            The start and the state after each of k steps; it ends with the first one that failed.
        """
        cdef Network net = checked_network(self, network)
        cdef uint64_t number = checked_int(seed, "seed", 0, 2**64 - 1)
        return self.path_of(net, checked_int(n_steps, "n_steps", 0, MOST_PATH_STEPS), number)

    def __eq__(self, other):
        return True if isinstance(other, CartPole) else NotImplemented

    def __hash__(self):
        return hash(CartPole)

    def __reduce__(self):
        return type(self), ()

    def __repr__(self):
        return f"{type(self).__name__}()"


# n states (n, 4) evenly from -0.05 to 0.05
cdef void draw_cart_starts(uint64_t seed, uint64_t stream, Py_ssize_t n,
                           double *starts) noexcept nogil:
    cdef Py_ssize_t i
    dispatch.float64.uniform(seed, stream, 0, 4 * n, starts)
    for i in range(4 * n):
        starts[i] = 0.1 * starts[i] - 0.05
