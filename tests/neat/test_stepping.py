"""Networks of genomes against the twins of tests/neat/stepping.py, in all modes."""

import math
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastnet import activations, neat

ACTIVATIONS = sorted(set(activations.names()) - {"softmax"})
MODES = ("feed_forward", "recurrent", "time_step")


@pytest.fixture(scope="session")
def case(twins, stepping, strategies, oracle):
    """Draws a genome with its network and knows what that has to return."""
    def drawn(draw, dtype, **fields):
        return Case(twins, stepping, strategies, oracle, draw, dtype, fields)

    return drawn


class Case:
    def __init__(self, twins, stepping, strategies, oracle, draw, dtype, fields):
        self.stepping, self.strategies, self.draw = stepping, strategies, draw
        self.activations, self.dtype = oracle.ACTIVATIONS, dtype
        few = draw(st.lists(st.sampled_from(ACTIVATIONS), min_size=1, max_size=4, unique=True))
        chosen = {
            "activation": few[0], "output_activation": draw(st.sampled_from([None, *few])),
            "step_limit": draw(st.integers(1, 7))}
        fields = draw(strategies.fields(**(chosen | fields)))
        if fields["mode"] == "feed_forward":
            fields["self_loops"] = False
        mixes = fields["activation"] in few and draw(st.booleans())
        only = dict.fromkeys(
            ("weight_mutation_rate", "bias_mutation_rate", "add_node_rate", "add_connection_rate"),
            0.0)
        self.config = neat.Config(
            activations=few if mixes else (), activation_mutation_rate=float(mixes),
            **only, **fields)
        g = twins.write(neat, draw(strategies.genomes(twins, self.config)), self.config)
        if mixes:
            g.mutate(draw(st.integers(0, 2**32)), neat.InnovationRegistry(self.config, [g]))
        self.genome = g
        self.network = g.network(dtype=dtype)
        self.has_biases = self.config.bias == "per_node"
        twin = twins.read(g)
        n = len(stepping.parameters(twin, self.has_biases))
        assert self.network.parameters.shape == (n,)
        values = draw(st.lists(strategies.weights, min_size=n, max_size=n))
        self.network.parameters[:] = values
        self.twin = stepping.with_parameters(twin, values, self.has_biases)

    def rows(self, n_rows=None):
        return self.draw(self.strategies.inputs(self.config, n_rows))

    def expected(self, x):
        return self.stepping.outputs(
            self.twin, self.stepping.rounded(x, self.dtype), self.config.mode,
            self.config.step_limit, self.activations)

    def array(self, rows):
        return np.array(rows, self.dtype).reshape(len(rows), self.config.n_inputs)


@given(data=st.data())
def test_one_row_and_many(data, case, dtype):
    c = case(data.draw, dtype)
    rows = c.rows()
    y = c.network(c.array(rows))
    assert y.shape == (len(rows), c.config.n_outputs)
    assert y.dtype == dtype
    for x, got in zip(rows, y, strict=True):
        expected = c.expected(x)
        c.stepping.check_within(got, expected, "many rows")
        one = c.network(np.array(x, dtype))
        assert one.shape == (c.config.n_outputs,)
        assert one.dtype == dtype
        c.stepping.check_within(one, expected, "one row")
        listed = c.network.activate(x)
        assert [type(value) for value in listed] == [float] * c.config.n_outputs
        np.testing.assert_array_equal(listed, one)


@pytest.mark.parametrize("name", ACTIVATIONS)
@settings(max_examples=6)
@given(data=st.data())
def test_every_activation(data, case, name, dtype):
    fields = {"bias": data.draw(st.sampled_from(["node", "per_node"]))}
    c = case(data.draw, dtype, activation=name, output_activation=None, **fields)
    [x] = rows = c.rows(n_rows=1)
    c.stepping.check_within(c.network(c.array(rows * 9))[8], c.expected(x))


@given(data=st.data())
def test_steps_of_a_recurrent_network_keep_the_state(data, case, dtype):
    c = case(data.draw, dtype, mode="recurrent")
    rows = c.rows(n_rows=5)
    for _ in range(2):
        state = c.stepping.blank(c.twin, c.stepping.rounded(rows[0], dtype))
        for x in rows:
            x = c.stepping.rounded(x, dtype)
            state = c.stepping.recurrent_step(c.twin, x, state, c.activations)
            got = c.network.step(np.array([a.value for a in x], dtype))
            assert got.shape == (c.config.n_outputs,)
            c.stepping.check_within(got, c.stepping.outputs_of(c.twin, state))
        # Neither rows nor one row touch the state, and reset() blanks it
        other = c.rows(n_rows=2)
        c.network(c.array(other))
        c.stepping.check_within(c.network(c.array(other)[0]), c.expected(other[0]))
        again = c.stepping.rounded(rows[1], dtype)
        state = c.stepping.recurrent_step(c.twin, again, state, c.activations)
        c.stepping.check_within(
            c.network.step(np.array(rows[1], dtype)), c.stepping.outputs_of(c.twin, state))
        c.network.reset()


@given(data=st.data())
def test_steps_of_other_modes_keep_nothing(data, case, dtype):
    c = case(data.draw, dtype, mode=data.draw(st.sampled_from(["feed_forward", "time_step"])))
    for x in c.rows(n_rows=3):
        x = np.array(x, dtype)
        np.testing.assert_array_equal(c.network.step(x), c.network(x))


@given(data=st.data())
def test_trace_of_time_steps(data, case, dtype):
    c = case(data.draw, dtype, mode="time_step")
    [x] = c.rows(n_rows=1)
    n_steps = data.draw(st.integers(0, c.config.step_limit))
    states, _ = c.stepping.time_steps(
        c.twin, c.stepping.rounded(x, dtype), n_steps, c.activations)
    states += states[-1:] * (n_steps + 1 - len(states))
    trace = c.network.trace(np.array(x, dtype), n_steps)
    ids = [int(node) for node in c.network.node_ids]
    assert ids == c.twin.order
    c.stepping.check_within(trace, [[state[node] for node in ids] for state in states])


@given(data=st.data())
def test_trace_of_recurrent_steps(data, case, dtype):
    c = case(data.draw, dtype, mode="recurrent")
    [x] = c.rows(n_rows=1)
    n_steps = data.draw(st.integers(0, 5))
    x = c.stepping.rounded(x, dtype)
    states = [c.stepping.blank(c.twin, x)]
    for _ in range(n_steps):
        states.append(c.stepping.recurrent_step(c.twin, x, states[-1], c.activations))
    trace = c.network.trace(np.array([a.value for a in x], dtype), n_steps)
    ids = [int(node) for node in c.network.node_ids]
    assert ids == c.twin.order
    c.stepping.check_within(trace, [[state[node] for node in ids] for state in states])


@given(data=st.data())
def test_trace_of_a_feed_forward_network_ends_in_its_outputs(data, case, dtype):
    c = case(data.draw, dtype, mode="feed_forward")
    [x] = c.rows(n_rows=1)
    values = c.stepping.feed_forward(c.twin, c.stepping.rounded(x, dtype), c.activations)
    n_steps = len(values)
    trace = c.network.trace(np.array(x, dtype), n_steps)
    ids = [int(node) for node in c.network.node_ids]
    assert trace.shape == (n_steps + 1, len(ids))
    c.stepping.check_within(trace[-1], [values[node] for node in ids])


@given(data=st.data())
def test_a_network_in_another_mode(data, twins, strategies, stepping, oracle):
    """A genome of a config that allows cycles computes in every mode; feed_forward without one."""
    fields = data.draw(strategies.fields(
        mode=data.draw(st.sampled_from(["recurrent", "time_step"])), activation="tanh"))
    config = neat.Config(step_limit=4, **fields)
    twin = data.draw(strategies.genomes(twins, config, max_connections=8))
    g = twins.write(neat, twin, config)
    [x] = data.draw(strategies.inputs(config, n_rows=1))
    for mode in MODES:
        if mode == "feed_forward" and twins.has_cycle((e.source, e.target) for e in twin.enabled):
            with pytest.raises(ValueError, match="cycle"):
                g.network(mode=mode)
            continue
        expected = stepping.outputs(
            twin, stepping.rounded(x, "float64"), mode, 4, oracle.ACTIVATIONS)
        stepping.check_within(g.network(mode=mode)(np.array(x)), expected, mode)


@given(data=st.data())
def test_batch_of_genomes(data, twins, stepping, strategies, oracle):
    config = neat.Config(step_limit=4, **data.draw(strategies.fields(activation="tanh")))
    n = data.draw(st.integers(1, 5))
    genomes = [data.draw(strategies.genomes(twins, config)) for _ in range(n)]
    batch = neat.NetworkBatch([twins.write(neat, genome, config) for genome in genomes])
    rows = data.draw(strategies.inputs(config))
    y = batch(np.array(rows, float).reshape(len(rows), config.n_inputs))
    assert y.shape == (n, len(rows), config.n_outputs)
    assert y.dtype == np.float64

    def expected(genome, x):
        return stepping.outputs(
            genome, stepping.rounded(x, "float64"), config.mode, config.step_limit,
            oracle.ACTIVATIONS)

    for genome, outputs in zip(genomes, y, strict=True):
        for x, got in zip(rows, outputs, strict=True):
            stepping.check_within(got, expected(genome, x), "all rows to all")
    states = None
    for _ in range(3):
        rows = data.draw(strategies.inputs(config, n_rows=n))
        y = batch.step(np.array(rows))
        assert y.shape == (n, config.n_outputs)
        if config.mode != "recurrent":
            for genome, x, got in zip(genomes, rows, y, strict=True):
                stepping.check_within(got, expected(genome, x), "step")
            continue
        rows = [stepping.rounded(x, "float64") for x in rows]
        states = states or [
            stepping.blank(genome, x) for genome, x in zip(genomes, rows, strict=True)]
        states = [
            stepping.recurrent_step(genome, x, state, oracle.ACTIVATIONS)
            for genome, x, state in zip(genomes, rows, states, strict=True)]
        for genome, state, got in zip(genomes, states, y, strict=True):
            stepping.check_within(got, stepping.outputs_of(genome, state), "step")


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("n_rows", [1, 100, 128, 129, 300])
def test_many_rows_of_a_large_genome(twins, stepping, oracle, mode, n_rows, dtype):
    """More rows than one pass takes, more nodes than a vector has lanes."""
    config = neat.Config(3, 2, mode=mode, activation="tanh", step_limit=5)
    chance = random.Random(n_rows)
    genome = twins.build(config, [(i, i % 4, 4 + i % 2, 0.5, True) for i in range(4)])
    registry = twins.Registry([genome])
    genome = twins.evolve(genome, registry, config, chance, 60)
    network = twins.write(neat, genome, config).network(dtype=dtype)
    x = np.random.default_rng(n_rows).uniform(-1, 1, (n_rows, 3)).astype(dtype)
    twin = stepping.with_parameters(genome, network.parameters, False)
    y = network(x)
    for row in {0, n_rows // 2, n_rows - 1}:
        expected = stepping.outputs(
            twin, stepping.rounded(x[row], dtype), mode, 5, oracle.ACTIVATIONS)
        stepping.check_within(y[row], expected, row)
    np.testing.assert_allclose(
        y, [network(row) for row in x], rtol=0, atol=1000 * np.finfo(dtype).eps)


@pytest.mark.parametrize(
    ("mode", "expected"),
    [("feed_forward", 0.75), ("recurrent", 0.75), ("time_step", 0.0)])
def test_an_output_that_nothing_enters(mode, expected):
    config = neat.Config(1, 2, mode=mode, bias="per_node", activation="identity")
    g = neat.Genome.from_connections(config, [(0, 0, 1, 2.0, True), (1, 0, 2, 2.0, False)])
    network = g.network()
    network.parameters[:] = [2.0, 0.5, 0.75]
    assert network([3.0]).tolist() == [6.5, expected]
    assert network(np.full((9, 1), 3.0))[8].tolist() == [6.5, expected]
    assert network.activate([3]) == [6.5, expected]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("x", [math.nan, math.inf, -math.inf])
def test_nan_and_infinity_pass_through(mode, x, dtype):
    config = neat.Config(2, 2, mode=mode, activation="identity", bias=None)
    g = neat.Genome.from_connections(
        config, [(0, 0, 2, 2.0, True), (1, 1, 3, 0.5, True), (2, 0, 3, 0.0, False)])
    network = g.network(dtype=dtype)
    for y in (network([x, 4.0]), network(np.array([[x, 4.0]] * 5))[4]):
        np.testing.assert_array_equal(y, [x, 2.0])
