"""Networks of genomes as objects; what they compute is compared in test_stepping.py."""

import copy
import decimal
import fractions
import pickle
import threading
import tracemalloc

import numpy as np
import pytest

from fastnet import neat

MODES = ("feed_forward", "recurrent", "time_step")


def genome_of(mode="recurrent", **fields):
    """0 and 1 feed the hidden node 4 and the output 3; the disabled gene must not count."""
    fields = {"bias": "node", "activation": "tanh", **fields}
    config = neat.Config(2, 1, mode=mode, **fields)
    genes = [
        (1, 0, 3, 0.5, True), (2, 1, 4, -1.0, True), (4, 4, 3, 2.0, True), (5, 0, 4, 9.0, False),
        (7, 2, 3, 0.25, True)]
    return neat.Genome.from_connections(config, genes)


def cyclic(mode="recurrent"):
    config = neat.Config(1, 1, mode=mode, bias=None, activation="tanh")
    genes = [(0, 0, 1, 0.5, True), (1, 1, 2, 1.0, True), (2, 2, 1, -1.0, True)]
    return neat.Genome.from_connections(config, genes)


@pytest.fixture(params=MODES)
def mode(request):
    return request.param


def test_attributes(mode, dtype):
    g = genome_of(mode)
    network = g.network(dtype=dtype)
    assert (network.n_inputs, network.n_outputs, network.n_parameters) == (2, 1, 4)
    assert network.mode == mode
    assert network.dtype == dtype
    assert network.genome is g
    assert network.config is g.config
    np.testing.assert_array_equal(network.node_ids, [0, 1, 2, 3, 4])
    np.testing.assert_array_equal(network.parameters, [0.5, -1.0, 2.0, 0.25])
    assert network.parameters.dtype == dtype
    assert repr(network) == (
        f"<Network: 2 inputs, 1 outputs, 2 nodes, 4 connections, mode={mode!r}"
        + (", dtype='float32'>" if dtype == "float32" else ">"))


def test_biases_follow_the_weights_in_the_order_of_nodes():
    config = neat.Config(1, 1, mode="recurrent", bias="per_node", activation="identity")
    g = neat.Genome.from_connections(
        config, [(0, 0, 2, 3.0, True), (1, 2, 1, 1.0, True)],
        nodes=[(1, "output", "identity", 0.5), (2, "hidden", "identity", -0.25)])
    np.testing.assert_array_equal(g.network().parameters, [3.0, 1.0, 0.5, -0.25])
    assert g.network(mode="feed_forward").activate([1.0]) == [3.0 - 0.25 + 0.5]


def test_the_parameters_are_what_it_computes_with(mode, dtype):
    network = genome_of(mode).network(mode="feed_forward", dtype=dtype)
    x = np.array([0.5, -0.5], dtype)
    network.parameters[:] = [1.0, 0.0, 0.0, 0.0]
    np.testing.assert_allclose(network(x), np.tanh([0.5]), rtol=4 * np.finfo(dtype).eps)
    network.parameters[:] = 0
    assert network(x) == [0.0]
    assert network.genome.connections["weight"][0] == 0.5


def test_later_changes_of_the_genome_do_not_reach_it():
    g = genome_of()
    network = g.network()
    y = network(np.ones(2))
    g.remove_connection(0, 1)
    np.testing.assert_array_equal(network(np.ones(2)), y)
    for call in (lambda: network.trace([1.0, 1.0], 1), lambda: pickle.dumps(network)):
        with pytest.raises(ValueError, match="genome"):
            call()
    np.testing.assert_array_equal(copy.copy(network)(np.ones(2)), y)


def test_feed_forward_refuses_a_cycle_of_enabled_connections():
    g = cyclic()
    with pytest.raises(ValueError, match="cycle"):
        g.network(mode="feed_forward")
    g.toggle_connection(0, 2)
    assert g.network(mode="feed_forward").mode == "feed_forward"


def test_a_cycle_that_reaches_no_output_is_one_too():
    config = neat.Config(1, 1, mode="recurrent", bias=None)
    genes = [(0, 0, 1, 0.5, True), (1, 2, 3, 1.0, True), (2, 3, 2, 1.0, True)]
    g = neat.Genome.from_connections(config, genes)
    assert len(g.network().activate([1.0])) == 1
    with pytest.raises(ValueError, match="cycle"):
        g.network(mode="feed_forward")


@pytest.mark.parametrize("step_limit", [1, 2, 3])
def test_time_steps_that_are_too_few_for_a_path(step_limit):
    """0 -> 1 -> 2 -> 3 beside 0 -> 3: the limit cuts the longer way off."""
    config = neat.Config(
        1, 1, mode="time_step", bias=None, activation="identity", step_limit=step_limit)
    genes = [(0, 0, 5, 2.0, True), (1, 5, 6, 3.0, True), (2, 6, 1, 1.0, True), (3, 0, 1, 1.0, True)]
    network = neat.Genome.from_connections(config, genes).network()
    expected = 1.0 if step_limit < 3 else 7.0
    assert network.activate([1.0]) == [expected]
    assert network([[1.0], [2.0]]).tolist() == [[expected], [2 * expected]]


def test_time_steps_do_not_compute_what_nothing_reaches():
    """Nothing enters nodes 2 and 3: e^0 would be 1, but they are inactive and count 0."""
    config = neat.Config(1, 2, mode="time_step", bias=None, activation="gaussian")
    genes = [(0, 0, 1, 0.0, True), (1, 3, 1, 5.0, True)]
    g = neat.Genome.from_connections(config, genes)
    assert g.network().activate([1.0]) == [1.0, 0.0]
    e = float(np.exp(-25.0))
    np.testing.assert_allclose(g.network("feed_forward").activate([1.0]), [e, 1.0], rtol=1e-14)
    trace = g.network().trace([1.0], 3)
    np.testing.assert_array_equal(trace[-1], [1.0, 1.0, np.nan, np.nan])


def test_steps_of_a_recurrent_network(dtype):
    network = cyclic().network(dtype=dtype)
    w = np.array([0.5, 1.0, -1.0])
    a = b = 0.0
    for x in (1.0, -2.0, 0.5):
        a, b = np.tanh(w[0] * x + w[2] * b), np.tanh(w[1] * a)
        np.testing.assert_allclose(network.step([x]), [a], rtol=20 * np.finfo(dtype).eps)
    network.reset()
    np.testing.assert_allclose(
        network.step([1.0]), [np.tanh(0.5)], rtol=4 * np.finfo(dtype).eps)
    np.testing.assert_array_equal(network([1.0]), network([[1.0], [9.0]])[0])


def test_trace_of_a_feed_forward_network_by_layers():
    network = genome_of("feed_forward").network()
    trace = network.trace([1.0, 0.5], 3)
    h = np.tanh(-0.5)
    out = np.tanh(0.5 + 0.25 + 2 * h)
    nan = np.nan
    expected = [[1, 0.5, 1, nan, nan], [1, 0.5, 1, nan, h], *[[1, 0.5, 1, out, h]] * 2]
    np.testing.assert_allclose(trace, expected, rtol=1e-14)
    assert network.trace([1.0, 0.5], 0).shape == (1, 5)


def test_activate_takes_any_sequence_of_real_numbers(mode, dtype):
    network = genome_of(mode).network(dtype=dtype)
    expected = network(np.array([1, 0], dtype)).tolist()
    half = fractions.Fraction(1, 1)
    for inputs in ([1.0, 0.0], [1, 0], (1.0, 0.0), [True, False], [half, 0], np.array([1.0, 0.0]),
                   [np.float32(1), np.int8(0)], range(1, -1, -1), np.array([1, 0], np.float32),
                   np.array([1, 0]), list(np.array([1.0, 0.0])), np.array([1.0, 9.0, 0.0])[::2],
                   np.array([1.0, 0.0], ">f8"), {1: 2, 0.0: 3}):
        got = network.activate(inputs)
        assert got == expected
        assert type(got) is list
        assert type(got[0]) is float


@pytest.mark.parametrize(("inputs", "error"), [
    ([1.0], ValueError), ([1.0, 2.0, 3.0], ValueError), ([], ValueError), (1.0, TypeError),
    (None, TypeError), ("ab", TypeError), ([1.0, "2"], TypeError), ([1.0, None], TypeError),
    ([1.0, 1j], TypeError), ([[1.0], [2.0]], TypeError), ([1.0, decimal.Decimal(1)], TypeError),
    ([1.0, 10**400], ValueError), ({1.0: 2}, ValueError), (np.zeros(3), ValueError),
    (np.zeros((2, 1)), TypeError), (np.zeros(2, complex), TypeError),
])
def test_bad_inputs_of_activate(mode, inputs, error):
    network = genome_of(mode).network()
    with pytest.raises(error, match="inputs"):
        network.activate(inputs)
    assert network.activate([0.0, 0.0]) == network(np.zeros(2)).tolist()


@pytest.mark.parametrize(("x", "error"), [
    (np.zeros(3), ValueError), (np.zeros((2, 3)), ValueError), (np.zeros((1, 2, 2)), ValueError),
    (1.0, ValueError), ([1.0], ValueError), ([[1.0, 2.0], [3.0]], ValueError),
    (["a", "b"], TypeError), ([1j, 0], TypeError), (None, TypeError),
])
def test_bad_rows(mode, x, error):
    network = genome_of(mode).network()
    with pytest.raises(error, match="X"):
        network(x)
    with pytest.raises(error, match="x"):
        network.step(x)
    with pytest.raises(error, match="x"):
        network.trace(x, 2)


def test_step_and_trace_take_one_row():
    network = genome_of().network()
    for call in (network.step, lambda x: network.trace(x, 1)):
        with pytest.raises(ValueError, match=r"shape \(2,\), got \(3, 2\)"):
            call(np.zeros((3, 2)))
    for steps, error in ((-1, ValueError), (1.5, TypeError), (True, TypeError)):
        with pytest.raises(error, match="steps"):
            network.trace([1.0, 2.0], steps)


@pytest.mark.parametrize(("arguments", "error", "match"), [
    ({"mode": "recurent"}, ValueError, "recurrent"), ({"mode": 1}, ValueError, "mode"),
    ({"dtype": "float16"}, ValueError, "dtype"), ({"dtype": "nonsense"}, TypeError, "dtype"),
])
def test_bad_arguments(arguments, error, match):
    with pytest.raises(error, match=match):
        genome_of().network(**arguments)


def test_a_network_is_made_of_a_genome():
    with pytest.raises(TypeError, match="genome must be"):
        neat.Network([])
    network = genome_of().network()
    with pytest.raises(RuntimeError, match="once"):
        network.__init__(genome_of())
    for call in (lambda n: n([0.0]), lambda n: n.activate([]), lambda n: n.step([0.0]),
                 lambda n: n.reset(), lambda n: n.trace([0.0], 1), lambda n: n.mode,
                 copy.copy, pickle.dumps):
        with pytest.raises(RuntimeError, match="__init__"):
            call(neat.Network.__new__(neat.Network))
    assert "not built" in repr(neat.Network.__new__(neat.Network))


def test_views_that_are_not_plain(mode, dtype):
    network = genome_of(mode).network(dtype=dtype)
    x = np.arange(8, dtype=dtype).reshape(4, 2) / 8
    expected, row = network(x), network(x[1])
    assert expected.flags.c_contiguous
    for given in (np.asfortranarray(x), x.astype(">f8"), np.repeat(x, 2, axis=1)[:, ::2],
                  x.tolist(), x.astype("float64")):
        np.testing.assert_array_equal(network(given), expected)
        np.testing.assert_array_equal(network(given[1]), row)
    frozen = x.copy()
    frozen.flags.writeable = False
    np.testing.assert_array_equal(network(frozen), expected)
    assert network(x[:0]).shape == (0, 1)


def test_one_row_has_the_same_bits_in_any_form():
    config = neat.Config(2, 1, activation="sigmoid")
    rng = np.random.default_rng(0)
    for seed in range(50):
        network = neat.Genome(config, rng=seed).network()
        x = rng.normal(size=2)
        expected = network(x).tolist()
        assert network.activate(x.tolist()) == expected
        for given in (x.tolist(), np.repeat(x, 2)[::2], x.astype(">f8")):
            assert network(given).tolist() == expected
            assert network.step(given).tolist() == expected
            assert network.predict(given).tolist() == expected


@pytest.mark.parametrize(
    "duplicate", [copy.copy, copy.deepcopy, lambda network: pickle.loads(pickle.dumps(network))],
    ids=["copy", "deepcopy", "pickle"])
def test_duplicates(mode, dtype, duplicate):
    network = genome_of(mode).network(dtype=dtype)
    network.parameters[:] = [1.0, 2.0, 3.0, 4.0]
    x = np.array([0.25, -0.5], dtype)
    network.step(x)
    other = duplicate(network)
    assert (other.mode, other.dtype, repr(other)) == (mode, network.dtype, repr(network))
    assert other.genome == network.genome
    assert (other.genome is network.genome) == (duplicate is copy.copy)
    np.testing.assert_array_equal(other.step(x), network.step(x))
    before = network(x)
    other.parameters[:] = 0
    np.testing.assert_array_equal(network(x), before)


def test_a_tampered_pickle_cannot_reach_a_loop():
    network = cyclic().network()
    network.step([1.0])
    restore, (cls, genome, mode, dtype, parameters, state, *rest) = network.__reduce__()
    for bad in ((np.zeros(9), state), (parameters, np.zeros(99)), (parameters[:2], state)):
        with pytest.raises(ValueError, match="broadcast"):
            restore(cls, genome, mode, dtype, *bad, *rest)


def peak(work):
    work()
    tracemalloc.start()
    try:
        work()
        before = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        work()
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()


def test_a_call_allocates_its_result_only(mode, dtype):
    network = genome_of(mode).network(dtype=dtype)
    row, numbers = np.zeros(2, dtype), [0.5, 1.0]
    for call in (lambda: network(row), lambda: network.step(row),
                 lambda: network.activate(numbers)):
        assert peak(call) < 400


def test_many_threads_on_one_network(mode):
    network = genome_of(mode).network()
    x = np.random.default_rng(0).normal(size=(20000, 2))
    expected = network(x)
    rows = [network(x[i]) for i in range(20)]
    wrong = []

    def work():
        for i in range(20):
            if not np.array_equal(network(x), expected):
                wrong.append(i)
            if not np.array_equal(network(x[i]), rows[i]):
                wrong.append(i)
            if network.activate(x[i].tolist()) != rows[i].tolist():
                wrong.append(i)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_a_number_that_calls_the_network_again():
    """Python code that runs while the inputs are read gets another workspace."""
    network = genome_of().network()

    class Sly(float):
        def __float__(self):
            network.activate([3.0, 4.0])
            inputs.clear()
            return 0.5

    inputs = [0.25, Sly(0.5)]
    assert network.activate(inputs) == network.activate([0.25, 0.5])


def test_ids_of_a_genome_that_has_changed():
    config = neat.Config(1, 1)
    genome = neat.Genome(config)
    network = genome.network()
    genome.perturb_weights(0)
    assert network.node_ids.tolist() == [0, 1, 2]
    genome.add_node(0)
    for look in (lambda: network.node_ids, lambda: network.trace([1.0], 1)):
        with pytest.raises(ValueError, match="other connections or nodes"):
            look()


def test_a_derived_class_may_reset_in_its_own_way():
    class Kept(neat.Network):
        def reset(self):
            """Nothing is ever forgotten."""

    genome = neat.Genome(neat.Config(2, 1, mode="recurrent"), rng=0)
    plain, kept = genome.network(), Kept(genome)
    address = kept.ctypes.address
    for _ in range(3):
        np.testing.assert_array_equal(kept.step([1.0, -1.0]), plain.step([1.0, -1.0]))
    assert kept.ctypes.address == address
    for other in (copy.copy(kept), copy.deepcopy(kept)):
        assert type(other) is Kept
        np.testing.assert_array_equal(other.step([1.0, 1.0]), copy.copy(plain).step([1.0, 1.0]))
    other = Kept(genome)
    np.testing.assert_array_equal(other.step([1.0, -1.0]), genome.network().step([1.0, -1.0]))
