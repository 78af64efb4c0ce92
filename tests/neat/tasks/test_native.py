"""Fitness functions in C, numba and ctypes against the same loops over network.step()."""

import copy
import ctypes
import gc
import pickle
import sys
import weakref

import numpy as np
import pytest

import fastnet as fn
from fastnet import neat

SIGNATURE = "double (fn_graph *, uint64_t, void *)"
CALLBACK = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_void_p, ctypes.c_uint64, ctypes.c_void_p)
MODES = ["feed_forward", "recurrent", "time_step"]

SOURCE = r"""
#include <math.h>
#include "fastnet.h"

/* Outputs for given rows, and what the graph and the functions say */
struct rows {
    int64_t n_rows, all_at_once, reset_each;
    const double *x;
    double *y;
    int64_t n_inputs, n_outputs, mode, status;
};
double record(fn_graph *graph, uint64_t seed, void *data) {
    struct rows *rows = data;
    size_t n_inputs = fn_graph_n_inputs(graph), n_outputs = fn_graph_n_outputs(graph);
    rows->n_inputs = (int64_t)n_inputs;
    rows->n_outputs = (int64_t)n_outputs;
    rows->mode = fn_graph_mode(graph);
    rows->status = 0;
    if (rows->all_at_once)
        rows->status = fn_activate_rows(graph, (size_t)rows->n_rows, rows->x, rows->y);
    else
        for (int64_t i = 0; i < rows->n_rows; i++) {
            if (rows->reset_each) rows->status |= fn_graph_reset(graph);
            rows->status |= fn_activate(graph, rows->x + i * (int64_t)n_inputs,
                                        rows->y + i * (int64_t)n_outputs);
        }
    return (double)seed;
}

/* A closed loop of 20 steps: the outputs move a point; the fitness is minus the way to (1, 1) */
double chase(fn_graph *graph, uint64_t seed, void *data) {
    double at[2], move[2], way = 0;
    (void)data;
    at[0] = (double)(seed % 7) / 8;
    at[1] = -at[0];
    for (int i = 0; i < 20; i++) {
        if (fn_activate(graph, at, move)) return -1000;
        at[0] = at[0] + 0.25 * move[0];
        at[1] = at[1] + 0.25 * move[1];
        way = way + (fabs(at[0] - 1) + fabs(at[1] - 1));
    }
    return -way;
}

/* The second number for the network whose output for 1, 1 is the first one, 0 for all others */
double picks(fn_graph *graph, uint64_t seed, void *data) {
    const double *numbers = data, x[2] = {1, 1};
    double y[2];
    (void)seed;
    fn_activate(graph, x, y);
    return y[0] == numbers[0] ? numbers[1] : 0;
}

/* 1: the interpreter is locked, 2: denormals are 0 */
double looks(fn_graph *graph, uint64_t seed, void *data) {
    volatile double tiny = 1e-310;
    (void)graph; (void)seed;
    return (*(int (**)(void))data)() + 2 * (tiny * 0.5 == 0);
}

double number(fn_graph *graph, uint64_t seed, void *data) {
    (void)graph; (void)seed;
    return data ? *(double *)data : -1;
}
"""


class Rows(ctypes.Structure):
    _fields_ = [
        ("n_rows", ctypes.c_int64),
        ("all_at_once", ctypes.c_int64),
        ("reset_each", ctypes.c_int64),
        ("x", ctypes.c_void_p),
        ("y", ctypes.c_void_p),
        ("n_inputs", ctypes.c_int64),
        ("n_outputs", ctypes.c_int64),
        ("mode", ctypes.c_int64),
        ("status", ctypes.c_int64),
    ]


@pytest.fixture(scope="module")
def library(compile_c):
    """The functions above, linked with fastnet's library."""
    links = [] if sys.platform == "darwin" else [fn.get_library()]
    if not links:
        ctypes.CDLL(fn.get_library(), ctypes.RTLD_GLOBAL)
    return ctypes.CDLL(str(compile_c(SOURCE, "-ffp-contract=off", *links, "-lm")))


def address(function):
    return ctypes.cast(function, ctypes.c_void_p).value


def task_of(library, name, user_data=None, **arguments):
    return neat.tasks.native(
        (address(getattr(library, name)), SIGNATURE), user_data, **arguments)


def grown(mode, seed, n_inputs=3, n_outputs=2, n_mutations=40):
    """A genome with hidden nodes of several activations, in recurrent and time_step with cycles."""
    config = neat.Config(
        n_inputs, n_outputs, mode=mode, activations=["tanh", "sigmoid", "relu", "gaussian"],
        activation_mutation_rate=0.2, add_node_rate=0.3, add_connection_rate=0.4)
    rng = np.random.default_rng(seed)
    registry = neat.InnovationRegistry(config)
    genome = neat.Genome(config, rng=rng, registry=registry)
    for _ in range(n_mutations):
        genome.mutate(rng, registry)
    return genome


def recorded(library, network, x, **how):
    """Outputs of a C function that steps the network, as an array, and what it saw."""
    x = np.ascontiguousarray(x, np.float64)
    y = np.full((len(x), network.n_outputs), np.nan)
    rows = Rows(len(x), x=x.ctypes.data, y=y.ctypes.data, **how)
    task = task_of(library, "record", rows)
    assert task.evaluate(network, seed=2**53) == 2**53
    assert rows.status == 0
    return y, rows


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("seed", range(5))
def test_steps_have_the_bits_of_network_step(library, mode, seed, dtype):
    network = grown(mode, seed).network(dtype=dtype)
    x = np.random.default_rng(seed).normal(size=(7, 3))
    y, rows = recorded(library, network, x)
    assert (rows.n_inputs, rows.n_outputs) == (3, 2)
    # without a cycle one pass does what the steps in time do
    assert rows.mode in ((0, 2) if mode == "time_step" else (MODES.index(mode),))
    network.reset()
    expected = np.array([network.step(row.astype(dtype)) for row in x])
    np.testing.assert_array_equal(y, expected.astype(float), strict=True)
    # the state was that of the evaluation, blank at its beginning
    np.testing.assert_array_equal(recorded(library, network, x)[0], y)

    y, _ = recorded(library, network, x, reset_each=True)
    expected = np.array([network(row.astype(dtype)) for row in x])
    np.testing.assert_array_equal(y, expected.astype(float))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("n_rows", [0, 1, 5, 64, 300])
def test_many_rows(library, mode, n_rows, dtype):
    """Recurrent: successive steps; else the bits of network(X)."""
    network = grown(mode, 3).network(dtype=dtype)
    x = np.random.default_rng(n_rows).normal(size=(n_rows, 3)).astype(dtype)
    y, _ = recorded(library, network, x, all_at_once=True)
    if mode == "recurrent":
        network.reset()
        expected = np.array([network.step(row) for row in x]).reshape(n_rows, 2)
    else:
        expected = network(x)
    np.testing.assert_array_equal(y, expected.astype(float), strict=True)


def test_narrow_and_wide_networks(library):
    for n_inputs, n_outputs in ((1, 1), (40, 30)):
        network = neat.Genome(neat.Config(n_inputs, n_outputs), rng=0).network(dtype="float32")
        x = np.linspace(-1, 1, 200 * n_inputs).reshape(200, n_inputs).astype("float32")
        y, _ = recorded(library, network, x, all_at_once=True)
        np.testing.assert_array_equal(y, network(x).astype(float))


def chased(network, seed):
    """The same as the C function, one operation at a time."""
    at = np.array([seed % 7 / 8, -(seed % 7 / 8)])
    way = 0.0
    network.reset()
    for _ in range(20):
        at = at + 0.25 * network.step(at)
        way = way + (abs(at[0] - 1) + abs(at[1] - 1))
    return -way


@pytest.mark.parametrize("mode", MODES)
def test_closed_loop(library, mode):
    task = task_of(library, "chase", n_inputs=2, n_outputs=2)
    for seed in range(6):
        network = grown(mode, seed, 2, 2).network()
        assert task.evaluate(network, seed=seed) == chased(network, seed)


@pytest.mark.parametrize("mode", MODES)
def test_population_on_threads(library, mode):
    """The same bits for one and two threads, and as Python computes them."""
    task = task_of(library, "chase", n_inputs=2, n_outputs=2, target=-12.0)
    config = task.config(population_size=60, mode=mode, add_node_rate=0.3, add_connection_rate=0.3)

    class InPython:
        def evaluate(self, network, seed=0):
            return chased(network, seed)

        def solved(self, network, fitness):
            return fitness >= -12.0

    runs = []
    for fitness, n_threads in ((task, 1), (task, 2), (InPython(), 1)):
        population = neat.Population(config, seed=3)
        result = population.run(fitness, generations=6, n_threads=n_threads)
        runs.append((result.generations, result.evaluations, result.best.fitness,
                     population.fitness.tobytes()))
    assert runs[0] == runs[1] == runs[2]


def test_dense_networks(library):
    """As graphs in float64, in a genetic algorithm too."""
    task = task_of(library, "chase", n_inputs=2, n_outputs=2)
    network = fn.Network([2, 5, 2], hidden="tanh", output="tanh", dtype="float64", seed=1)

    class Stepping:
        step = staticmethod(network)
        reset = staticmethod(lambda: None)

    # Sums in another order: some 1e-15 a step.  The two layers stretch it to 1.8 times at most, and
    # so 20 steps to (1 + 1.8 / 4)^20 = 1700 times
    np.testing.assert_allclose(task.evaluate(network, 3), chased(Stepping, 3), rtol=1e-11)
    runs = []
    for n_threads in (1, 2):
        algorithm = fn.GeneticAlgorithm(network, population_size=30, seed=0)
        result = algorithm.run(task, generations=3, n_threads=n_threads)
        runs.append(result.best.parameters)
    np.testing.assert_array_equal(*runs)


def test_every_form(library):
    function = library.number
    function.restype = ctypes.c_double
    function.argtypes = [ctypes.c_void_p, ctypes.c_uint64, ctypes.c_void_p]
    data = np.array([3.5])
    network = neat.Genome(neat.Config(2, 1), rng=0).network()
    given = [
        function,
        (function, SIGNATURE),
        (address(function), SIGNATURE),
        (address(function), "double number(struct fn_graph *g, unsigned long long s, void *d)"),
        (address(function), "double (void *, uint64_t, void *)"),
        address(function),
        np.uint64(address(function)),
        CALLBACK(address(function)),
        capsule(address(function), SIGNATURE),
    ]
    for form in given:
        assert neat.tasks.native(form).evaluate(network) == -1
        assert neat.tasks.native(form, data).evaluate(network) == 3.5
        assert neat.tasks.native(form, data.ctypes.data).evaluate(network) == 3.5
        assert neat.tasks.native(form, ctypes.c_double(2.5)).evaluate(network) == 2.5
    assert neat.tasks.native((address(function), SIGNATURE, data)).evaluate(network) == 3.5
    with_context = capsule(address(function), SIGNATURE, data.ctypes.data)
    assert neat.tasks.native(with_context).evaluate(network) == 3.5
    assert neat.tasks.native(with_context, ctypes.c_double(1.5)).evaluate(network) == 1.5


kept = []  # a capsule does not copy its name


def capsule(pointer, name, context=None):
    new = ctypes.pythonapi.PyCapsule_New
    new.restype = ctypes.py_object
    new.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
    set_context = ctypes.pythonapi.PyCapsule_SetContext
    set_context.argtypes = [ctypes.py_object, ctypes.c_void_p]
    kept.append(name.encode())
    made = new(pointer, kept[-1], None)
    set_context(made, context)
    return made


@pytest.mark.parametrize("signature", [
    "double (fn_graph *, int64_t, void *)",
    "double (fn_graph *, uint32_t, void *)",
    "double (fn_graph *, void *)",
    "double (fn_graph *, uint64_t)",
    "double (fn_graph *, uint64_t, void *, void *)",
    "float (fn_graph *, uint64_t, void *)",
    "void (fn_graph *, uint64_t, void *)",
    "double (fn_net *, uint64_t, void *)",
    "double (fn_graph **, uint64_t, void *)",
    "double (void **, uint64_t, void *)",
    "double (fn_graph, uint64_t, void *)",
    "double (double *, uint64_t, void *)",
    "double (struct *, uint64_t, void *)",
    "double (fn_graph *, uint64_t, fn_graph *)",
    "no prototype",
    "",
])
def test_wrong_signatures(signature):
    """Both are shown."""
    for given in ((4096, signature), capsule(4096, signature)):
        with pytest.raises(ValueError, match="address_or_capsule") as error:
            neat.tasks.native(given)
        assert repr("double (fn_graph *graph, uint64_t seed, void *)") in str(error.value)
        assert repr(signature) in str(error.value)


def test_wrong_ctypes_functions(library):
    wrong = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_void_p, ctypes.c_int64, ctypes.c_void_p)
    with pytest.raises(ValueError, match=r"uint64_t seed.*got 'double \(void \*, "):
        neat.tasks.native(wrong(lambda graph, seed, data: 0.0))
    bare = ctypes.CDLL(None).qsort if sys.platform != "win32" else ctypes.cdll.msvcrt.qsort
    with pytest.raises(ValueError, match="without argtypes"):
        neat.tasks.native(bare)


@pytest.mark.parametrize(("given", "error", "message"), [
    (None, TypeError, "address_or_capsule must be .* got NoneType"),
    (len, TypeError, "address_or_capsule must be .* got builtin"),
    ("fitness", TypeError, "address_or_capsule must be .* got str"),
    (True, TypeError, "address_or_capsule must be .* got bool"),
    (0, ValueError, "NULL"),
    (-1, ValueError, "address"),
    (2**64, ValueError, "address"),
    ((0, SIGNATURE), ValueError, "NULL"),
    ((4096,), TypeError, "address_or_capsule must be a tuple"),
    (("4096", SIGNATURE), TypeError, "address of address_or_capsule must be an int"),
])
def test_what_is_no_function(given, error, message):
    with pytest.raises(error, match=message):
        neat.tasks.native(given)


@pytest.mark.parametrize(("arguments", "error", "message"), [
    ({"n_inputs": 0}, ValueError, "n_inputs must be at least 1"),
    ({"n_outputs": -2}, ValueError, "n_outputs must be at least 1"),
    ({"n_inputs": 2.5}, TypeError, "n_inputs must be an int"),
    ({"n_outputs": True}, TypeError, "n_outputs must be an int"),
    ({"target": "high"}, TypeError, "target must be a number"),
    ({"target": True}, TypeError, "target must be a number"),
    ({"target": np.nan}, ValueError, "target must be a number"),
    ({"target": 10**400}, ValueError, "target is too large"),
    ({"user_data": "text"}, TypeError, "user_data must be None, an address, an ndarray or"),
    ({"user_data": [1.0]}, TypeError, "user_data must be None, an address, an ndarray or"),
    ({"user_data": -1}, ValueError, "user_data must be an address"),
    ({"user_data": True}, TypeError, "user_data must be None, an address, an ndarray or"),
])
def test_wrong_arguments(arguments, error, message):
    with pytest.raises(error, match=message):
        neat.tasks.native((4096, SIGNATURE), **arguments)


def test_sizes(library):
    network = neat.Genome(neat.Config(2, 1), rng=0).network()
    task = task_of(library, "number")
    assert (task.n_inputs, task.n_outputs, task.target) == (None, None, None)
    assert task.evaluate(network) == -1
    with pytest.raises(TypeError, match="n_inputs="):
        task.config()
    with pytest.raises(TypeError, match="n_outputs="):
        task.config(n_inputs=2)
    assert task.config(n_inputs=2, n_outputs=1, bias=None) == neat.Config.paper(2, 1, bias=None)
    assert neat.Population(task.config(n_inputs=5, n_outputs=1)).run(task, 1).generations == 1

    task = task_of(library, "number", n_inputs=2, n_outputs=1)
    assert (task.n_inputs, task.n_outputs) == (2, 1)
    assert task.config() == neat.Config.paper(2, 1) == task.config(n_inputs=2)
    with pytest.raises(ValueError, match="n_outputs must be 1, as the task has it, got 3"):
        task.config(n_outputs=3)
    assert task.evaluate(network) == -1
    for other in ((3, 1), (2, 2)):
        with pytest.raises(ValueError, match="takes networks with 2 inputs and 1 outputs"):
            task.evaluate(neat.Genome(neat.Config(*other), rng=0).network())
        with pytest.raises(ValueError, match="NativeFunction has n_"):
            neat.Population(neat.Config(*other)).step(task)
    task = task_of(library, "number", n_outputs=1)
    assert task.evaluate(network) == -1
    assert task.config(n_inputs=4).n_inputs == 4
    with pytest.raises(ValueError, match="any inputs and 1 outputs, got 2 and 2"):
        task.evaluate(neat.Genome(neat.Config(2, 2), rng=0).network())


def test_target(library):
    network = neat.Genome(neat.Config(2, 1), rng=0).network()
    data = np.array([1.0])
    task = task_of(library, "number", data, n_inputs=2, n_outputs=1, target=2)
    assert task.target == 2.0
    assert not task.solved(network, np.nextafter(2, 0))
    assert task.solved(network, 2.0)
    assert not task_of(library, "number").solved(network, 1e300)
    config = task.config(population_size=5)
    assert not neat.Population(config).run(task, 2).solved
    data[0] = 2
    result = neat.Population(config).run(task, 2)
    assert result.solved
    assert result.generations == 1


@pytest.mark.parametrize("fitness", [np.nan, np.inf])
@pytest.mark.parametrize("n_threads", [1, 2])
def test_no_fitness(library, fitness, n_threads):
    """The genome is named, and the population goes on as if nothing had been."""
    config = neat.Config.paper(2, 1, population_size=50)
    population, other = neat.Population(config, seed=5), neat.Population(config, seed=5)
    outputs = [genome.network().step([1, 1])[0] for genome in population.genomes]
    k = 37
    assert outputs.count(outputs[k]) == 1
    numbers = np.array([outputs[k], fitness])
    task = task_of(library, "picks", numbers)
    with pytest.raises(ValueError, match=f"genome {k} is {fitness}: it must be a number or -inf"):
        population.run(task, generations=3, n_threads=n_threads)
    assert population.evaluations == 0
    with pytest.raises(ValueError, match=f"fitness of the network is {fitness}"):
        task.evaluate(population.genomes[k].network())
    assert task.evaluate(population.genomes[k - 1].network()) == 0

    numbers[1] = -np.inf
    for each in (population, other):
        each.run(task, generations=3, n_threads=n_threads)
    np.testing.assert_array_equal(population.fitness, other.fitness)
    assert list(population.genomes) == list(other.genomes)


def test_where_it_runs(library):
    """Without the interpreter, and with the arithmetic of the caller, on every thread."""
    # the address, not ctypes' own wrapper, which would take the lock
    holds_lock = ctypes.c_void_p(address(ctypes.pythonapi.PyGILState_Check))
    task = task_of(library, "looks", ctypes.pointer(holds_lock))
    network = neat.Genome(neat.Config(2, 1), rng=0).network()
    locked = 0 if getattr(sys, "_is_gil_enabled", lambda: True)() else 1
    assert task.evaluate(network) in (0, locked)
    population = neat.Population(neat.Config(2, 1, population_size=100), seed=0)
    population.run(task, generations=2, n_threads=2)
    assert set(population.fitness) <= {0.0, float(locked)}


def test_user_data_and_function_are_kept():
    class Data(ctypes.Structure):
        _fields_ = [("number", ctypes.c_double)]

    @CALLBACK
    def fitness(graph, seed, data):
        return ctypes.cast(data, ctypes.POINTER(Data)).contents.number

    data = Data(4.5)
    gone = weakref.ref(data), weakref.ref(fitness)
    task = neat.tasks.native(fitness, data)
    del data, fitness
    gc.collect()
    assert all(ref() is not None for ref in gone)
    network = neat.Genome(neat.Config(2, 1), rng=0).network()
    assert task.evaluate(network) == 4.5
    del task
    gc.collect()
    assert all(ref() is None for ref in gone)


def test_python_callbacks_on_threads():
    """They take the interpreter's lock themselves, also on threads that never had it."""
    from fastnet.capi import fn_activate

    @CALLBACK
    def fitness(graph, seed, data):
        x, y = np.array([0.5, -0.5]), np.empty(1)
        assert fn_activate(graph, x.ctypes, y.ctypes) == 0
        return y[0]

    task = neat.tasks.native(fitness, n_inputs=2, n_outputs=1)
    results = []
    for n_threads in (1, 2):
        population = neat.Population(task.config(population_size=40), seed=2)
        population.run(task, generations=2, n_threads=n_threads)
        results.append(population.fitness)
    np.testing.assert_array_equal(*results)
    np.testing.assert_array_equal(
        results[0], [genome.network().step([0.5, -0.5])[0] for genome in population.genomes])


def test_object(library):
    data = np.zeros(1)
    task = task_of(library, "number", data, n_inputs=2, n_outputs=1, target=3)
    assert repr(task) == (
        "native(<C function 'double (fn_graph *, uint64_t, void *)'>, n_inputs=2, n_outputs=1, "
        "target=3.0)")
    assert repr(task_of(library, "number")) == (
        "native(<C function 'double (fn_graph *, uint64_t, void *)'>)")
    assert isinstance(task, neat.tasks.NativeTask)
    assert copy.copy(task) is task is copy.deepcopy(task)
    same = task_of(library, "number", data, n_inputs=2, n_outputs=1, target=3)
    assert task == same
    assert hash(task) == hash(same)
    for other in (
        task_of(library, "number", data, n_inputs=2, n_outputs=1),
        task_of(library, "number", n_inputs=2, n_outputs=1, target=3),
        task_of(library, "number", data, n_outputs=1, target=3),
        task_of(library, "chase", data, n_inputs=2, n_outputs=1, target=3),
        neat.tasks.XOR(),
    ):
        assert task != other
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(task)
    for name in ("n_inputs", "n_outputs", "target", "function"):
        with pytest.raises(AttributeError):
            setattr(task, name, 3)


def test_numba(library):
    numba = pytest.importorskip("numba")
    from fastnet.capi import fn_activate

    @numba.cfunc("float64(voidptr, uint64, voidptr)")
    def fitness(graph, seed, data):
        at, move, way = np.empty(2), np.empty(2), 0.0
        at[0] = (seed % numba.uint64(7)) / 8
        at[1] = -at[0]
        for _ in range(20):
            if fn_activate(graph, at.ctypes, move.ctypes) != 0:
                return -1000.0
            at[0] = at[0] + 0.25 * move[0]
            at[1] = at[1] + 0.25 * move[1]
            way = way + (abs(at[0] - 1) + abs(at[1] - 1))
        return -way

    for given in (fitness, fitness.address, (fitness.address, SIGNATURE)):
        task = neat.tasks.native(given, n_inputs=2, n_outputs=2)
        for seed in range(4):
            network = grown("recurrent", seed, 2, 2).network()
            assert task.evaluate(network, seed=seed) == chased(network, seed)
    config = task.config(population_size=60, mode="recurrent")
    results = []
    for each, n_threads in ((task, 1), (task, 2), (task_of(library, "chase"), 1)):
        population = neat.Population(config, seed=3)
        population.run(each, generations=3, n_threads=n_threads)
        results.append(population.fitness)
    np.testing.assert_array_equal(results[0], results[1])
    np.testing.assert_array_equal(results[0], results[2])

    @numba.cfunc("float64(voidptr, uint64, voidptr)")
    def of_data(graph, seed, data):
        return numba.carray(data, 2, np.float64)[1]

    assert neat.tasks.native(of_data, np.array([1.0, 7.0])).evaluate(network) == 7

    @numba.cfunc("float64(voidptr, int64, voidptr)")
    def wrong(graph, seed, data):
        return 0.0

    with pytest.raises(ValueError, match="must have the signature"):
        neat.tasks.native(wrong)
