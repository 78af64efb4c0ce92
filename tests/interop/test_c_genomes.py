"""Evolved networks as C: the source is compiled and run, and has to give what the network gives."""

import ctypes
import itertools
import re

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fastnet as fn
from fastnet import neat

C99 = ("-std=c99", "-Wall", "-Wextra", "-Wconversion", "-pedantic", "-Werror", "-O0")
MODES = ("feed_forward", "recurrent", "time_step")
SMOOTH = ("tanh", "sigmoid", "sin", "relu", "gelu", "identity", "softplus")


class Compiled:
    """The functions of one source."""

    def __init__(self, path, network):
        self.library = ctypes.CDLL(str(path))
        self.network = network
        self.library.g_predict.argtypes = [ctypes.c_void_p] * 2
        self.library.g_predict.restype = None
        if network.mode == "recurrent":
            self.library.g_state_size.restype = ctypes.c_size_t
            self.library.g_reset.argtypes = [ctypes.c_void_p]
            self.library.g_reset.restype = None
            self.library.g_step.argtypes = [ctypes.c_void_p] * 3
            self.library.g_step.restype = None

    def predict(self, x):
        x = np.ascontiguousarray(x, self.network.dtype)
        y = np.full(self.network.n_outputs, np.nan, self.network.dtype)
        self.library.g_predict(x.ctypes.data, y.ctypes.data)
        return y

    def new_state(self):
        """A state that lies where no number may."""
        size = self.library.g_state_size()
        memory = np.full(size + 16, 0xAA, np.uint8)
        state = memory[9 : 9 + size]
        self.library.g_reset(state.ctypes.data)
        return state, memory

    def step(self, state, x):
        x = np.ascontiguousarray(x, np.float64)
        y = np.full(self.network.n_outputs, np.nan)
        self.library.g_step(state.ctypes.data, x.ctypes.data, y.ctypes.data)
        return y


@pytest.fixture(scope="module")
def compiled(compile_c):
    """compiled(genome, mode, dtype, *options): a strict compiler takes the source."""

    def make(genome, mode=None, dtype="float64", *options):
        source = genome.to_c("g", mode, dtype=dtype)
        path = compile_c(source, *C99, *options, name="genome.c")
        return Compiled(path, genome.network(mode, dtype))

    return make


@st.composite
def genomes(draw, mode):
    """Genomes with dead ends, disabled genes, outputs that nothing reaches, and in all modes but
    feed_forward cycles."""
    n_inputs, n_outputs = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    n_hidden = draw(st.integers(0, 5))
    bias = draw(st.sampled_from(("node", "per_node", None)))
    n_sources = n_inputs + (bias == "node")
    outputs = range(n_sources, n_sources + n_outputs)
    hidden = range(outputs[-1] + 1, outputs[-1] + 1 + n_hidden)
    if mode == "feed_forward":
        pairs = [(a, b) for a in range(n_sources) for b in (*outputs, *hidden)]
        pairs += [(a, b) for a in hidden for b in (*outputs, *hidden) if b < n_sources + n_outputs
                  or b > a]  # fmt: skip
    else:
        pairs = [(a, b) for a in range(hidden.stop) for b in (*outputs, *hidden)]
    pairs = draw(st.lists(st.sampled_from(pairs), unique=True, max_size=14))
    weights = st.floats(-2, 2, width=32)
    rows = [(k, a, b, draw(weights), draw(st.integers(0, 3)) > 0) for k, (a, b) in enumerate(pairs)]
    config = neat.Config(
        n_inputs, n_outputs, mode=mode, bias=bias, activation=draw(st.sampled_from(SMOOTH)),
        output_activation=draw(st.sampled_from(SMOOTH)), self_loops=True,
        step_limit=draw(st.sampled_from((1, 2, 3, 7))), activations=SMOOTH,
        activation_mutation_rate=0.5,
    )  # fmt: skip
    genome = neat.Genome.from_connections(config, rows)
    for seed in range(draw(st.integers(0, 3))):
        genome.mutate_activations(seed)
        genome.mutate_biases(seed)
    return genome


def check(compiled, genome, mode, dtype):
    run = compiled(genome, mode, dtype)
    network = genome.network(mode, dtype)
    n = network.n_inputs
    # sums that cancel, and states that go round, lose more than the last digits of the outputs
    tolerance = 500 * float(np.finfo(dtype).eps)
    for x in np.random.default_rng(0).uniform(-2, 2, (4, n)).astype(dtype):
        want = network(x)
        np.testing.assert_allclose(run.predict(x), want, rtol=tolerance, atol=tolerance)
    for value in (np.nan, np.inf):
        x = np.full(n, value, dtype)
        got, want = run.predict(x), network(x)
        np.testing.assert_array_equal(np.isnan(got), np.isnan(want))
    if network.mode == "recurrent":
        (a, memory), (b, _) = run.new_state(), run.new_state()
        for x in np.random.default_rng(1).uniform(-1, 1, (4, n)).astype(dtype):
            want = network.step(x)
            scale = max(1.0, float(np.max(np.abs(want))))
            got = run.step(a, x)
            np.testing.assert_allclose(got, want, rtol=0, atol=scale * 8 * tolerance)
            # states do not touch each other
            np.testing.assert_array_equal(run.step(b, x), got)
        assert (memory[:9] == 0xAA).all()
        assert (memory[9 + len(a) :] == 0xAA).all()
        run.library.g_reset(a.ctypes.data)
        np.testing.assert_array_equal(run.step(a, x), run.predict(x))
    assert run.library.g_self_test() == 0


@pytest.mark.parametrize("mode", MODES)
def test_drawn_genomes(compiled, dtype, mode):
    @settings(max_examples=20)
    @given(genomes(mode))
    def run(genome):
        check(compiled, genome, mode, dtype)

    run()


def chain(mode, n, **fields):
    """An input, then n hidden nodes in a row, then the output."""
    config = neat.Config(1, 1, bias=None, mode=mode, activation="tanh", **fields)
    ids = [0, *range(2, 2 + n), 1]
    return neat.Genome.from_connections(
        config, [(k, a, b, 1.5, True) for k, (a, b) in enumerate(itertools.pairwise(ids))]
    )


@pytest.mark.parametrize("mode", MODES)
def test_extremes(compiled, mode):
    empty = neat.Genome.from_connections(neat.Config(2, 2, bias=None, mode=mode), [])
    run = compiled(empty)
    np.testing.assert_array_equal(run.predict([1, 2]), empty.network()([1, 2]))
    assert run.library.g_self_test() == 0
    # a node without a bias whose sum is the first statement
    single = chain(mode, 0)
    run = compiled(single)
    np.testing.assert_allclose(run.predict([0.5]), single.network()([0.5]), rtol=1e-15)
    # time steps that are too few for the way, just enough, and more
    for limit in (3, 10, 11, 12, 50):
        genome = chain(mode, 10, step_limit=limit)
        got = compiled(genome).predict([0.7])
        np.testing.assert_allclose(got, genome.network()([0.7]), rtol=1e-14)
        if mode == "time_step":
            assert (got[0] == 0) == (limit < 11)
    # one node with more connections than compilers nest parentheses
    config = neat.Config(600, 1, bias="node", mode=mode)
    wide = neat.Genome(config, rng=0)
    assert wide.size[1] == 601
    run = compiled(wide, mode, "float64", "-O2")
    x = np.random.default_rng(0).normal(size=600) / 20
    np.testing.assert_allclose(run.predict(x), wide.network()(x), rtol=1e-12)


@pytest.mark.parametrize("mode", MODES)
def test_every_activation(compiled, dtype, mode):
    # each of them behind its own connection, with arguments on both sides of what is special
    names = [name for name in fn.activations.names() if name != "softmax"]
    for name in names:
        config = neat.Config(1, 3, bias=None, mode=mode, activation=name)
        genome = neat.Genome.from_connections(
            config, [(0, 0, 1, 1.0, True), (1, 0, 2, -3.0, True), (2, 0, 3, 1e4, True)]
        )
        run, network = compiled(genome, mode, dtype), genome.network(dtype=dtype)
        for x in (0.3, -0.8, 7.0, -200.0, 1e12):
            got, want = run.predict([x]), network(np.array([x], dtype))
            # not fused, a few units in the last place
            np.testing.assert_allclose(got, want, rtol=8 * np.finfo(dtype).eps, err_msg=name)
        assert run.library.g_self_test() == 0


@pytest.mark.parametrize("options", [("-O2",), ("-O3", "-march=native")], ids=" ".join)
@pytest.mark.parametrize(("activation", "slope"), [("sigmoid", "1"), ("steep_sigmoid", "4.9")])
def test_a_sigmoid_that_others_wait_for(compiled, dtype, activation, slope, options):
    """A node alone, from where it underflows to where it is 1."""
    config = neat.Config(1, 1, bias=None, mode="feed_forward", activation=activation)
    genome = neat.Genome.from_connections(config, [(0, 0, 1, 1.0, True)])
    run = compiled(genome, None, dtype, *options)
    assert f"g_lone_{activation}(v[1])" in genome.to_c("g")
    tiny = float(np.finfo(dtype).tiny)
    eps = float(np.finfo(dtype).eps)
    rng = np.random.default_rng(0)
    end = 800 if dtype == "float64" else 110
    x = np.concatenate([rng.uniform(-end, end, 400), rng.normal(0, 3, 600), [0, -0.0, 1e-300]])
    for value in (x / float(slope)).astype(dtype):
        with mpmath.workdps(40):
            exact = 1 / (1 + mpmath.exp(-mpmath.mpf(slope) * float(value)))
            got = float(run.predict([value])[0])
            # at most three units in the last place, down to the least normal number
            assert abs(got - exact) <= 1.5 * eps * max(exact, tiny), value
    for value, limit in ((np.inf, 1), (-np.inf, 0), (np.nan, np.nan)):
        np.testing.assert_allclose(run.predict([value]), limit, atol=tiny)


def test_many_nodes_at_once(compiled, dtype):
    # loops of one activation over nodes that do not wait for each other
    config = neat.Config(2, 40, mode="feed_forward", activation="tanh", bias="node")
    genome = neat.Genome(config, rng=3)
    run = compiled(genome, None, dtype, "-O3", "-march=native")
    x = np.array([0.5, -1.5], dtype)
    tolerance = 16 * np.finfo(dtype).eps
    np.testing.assert_allclose(run.predict(x), genome.network(dtype=dtype)(x), atol=tolerance)
    assert "for (k = 3; k < 43; ++k)" in genome.to_c()


@pytest.mark.parametrize("mode", MODES)
def test_an_altered_weight_fails(compile_c, mode):
    config = neat.Config(2, 2, bias="per_node", mode=mode)
    genome = neat.Genome(config, rng=0)
    genome.mutate_biases(0)
    source = genome.to_c("g")
    for label in ("weights", "biases"):
        match = re.search(rf"g_{label}\[\d+\] = {{\s*([^,]+),", source)
        altered = source[: match.start(1)] + "0.125" + source[match.end(1) :]
        library = ctypes.CDLL(str(compile_c(altered, *C99, name="genome.c")))
        assert library.g_self_test() == 1


def test_functions_by_mode():
    genome = neat.Genome(neat.Config(2, 1), rng=0)
    for mode in MODES:
        source = genome.to_c("player", mode)
        assert ("size_t player_state_size(void);" in source) == (mode == "recurrent")
        assert ("void player_reset(void *state);" in source) == (mode == "recurrent")
        steps = "void player_step(void *state, const double *x, double *y);" in source
        assert steps == (mode == "recurrent")
    assert "void player_predict(const float *x" in genome.to_c("player", dtype="float32")


def test_refusals():
    config = neat.Config(1, 1, bias=None, mode="recurrent")
    rows = [(0, 0, 1, 1e39, True), (1, 1, 1, 0.5, True)]
    genome = neat.Genome.from_connections(config, rows)
    with pytest.raises(ValueError, match="cycle"):
        genome.to_c(mode="feed_forward")
    with pytest.raises(ValueError, match="mode"):
        genome.to_c(mode="backward")
    with pytest.raises(ValueError, match=r"^name must be"):
        genome.to_c("2nd")
    with pytest.raises(ValueError, match=r"^name must be"):
        genome.to_c("while")
    with pytest.raises(ValueError, match=r"^dtype must be"):
        genome.to_c(dtype="int8")
    with pytest.raises(ValueError, match=r"^parameters\[0\] is 1e\+39"):
        genome.to_c(dtype="float32")
    assert "1e+39" in genome.to_c()
