"""Batches of networks against networks one by one."""

import copy
import pickle
import threading

import numpy as np
import pytest

from fastnet import neat

MODES = ("feed_forward", "recurrent", "time_step")


def genomes_of(n, mode="feed_forward", n_inputs=3, n_outputs=2, **fields):
    """Genomes that have grown apart."""
    config = neat.Config(n_inputs, n_outputs, mode=mode, **fields)
    registry = neat.InnovationRegistry(config)
    genomes = []
    for i in range(n):
        g = neat.Genome(config, rng=i, registry=registry)
        for k in range(i % 7):
            g.add_node(rng=100 * i + k, registry=registry)
            g.add_connection(rng=200 * i + k, registry=registry)
        genomes.append(g)
    return genomes


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("bias", ["node", "per_node", None])
def test_row_k_goes_to_genome_k(mode, bias, dtype):
    genomes = genomes_of(40, mode, bias=bias, self_loops=mode != "feed_forward")
    batch = neat.NetworkBatch(genomes, dtype=dtype)
    networks = [g.network(dtype=dtype) for g in genomes]
    x = np.random.default_rng(0).normal(size=(40, 3)).astype(dtype)
    for _ in range(2):
        for _ in range(3):
            expected = [network.step(row) for network, row in zip(networks, x, strict=True)]
            y = batch.step(x)
            assert y.dtype == dtype
            np.testing.assert_array_equal(y, expected)
        batch.reset()
        for network in networks:
            network.reset()


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("n_rows", [0, 1, 5, 200])
def test_all_rows_go_to_all_genomes(mode, n_rows, dtype):
    genomes = genomes_of(15, mode)
    batch = neat.NetworkBatch(genomes, dtype=dtype)
    x = np.random.default_rng(0).normal(size=(n_rows, 3)).astype(dtype)
    expected = [g.network(dtype=dtype)(x) for g in genomes]
    batch.step(np.ones((15, 3)))    # whose state rows do not see
    for n_threads in (1, 3):
        y = batch(x, n_threads=n_threads)
        assert y.shape == (15, n_rows, 2)
        np.testing.assert_array_equal(y, expected)


def test_chunks_for_threads_change_no_bit():
    genomes = genomes_of(60, n_inputs=3)
    batch = neat.NetworkBatch(genomes)
    x = np.random.default_rng(0).normal(size=(20000, 3))
    np.testing.assert_array_equal(batch(x, n_threads=4), batch(x))


def test_another_mode():
    genomes = genomes_of(5, "recurrent")
    batch = neat.NetworkBatch(genomes, mode="time_step")
    assert batch.mode == "time_step"
    x = np.ones((5, 3))
    expected = [g.network(mode="time_step").step(row) for g, row in zip(genomes, x, strict=True)]
    np.testing.assert_array_equal(batch.step(x), expected)


def test_attributes(dtype):
    genomes = genomes_of(4)
    batch = neat.NetworkBatch(iter(genomes), dtype=dtype)
    assert len(batch) == 4
    assert (batch.n_inputs, batch.n_outputs, batch.mode) == (3, 2, "feed_forward")
    assert batch.dtype == dtype
    assert all(a is b for a, b in zip(batch.genomes, genomes, strict=True))
    assert repr(batch).startswith("<NetworkBatch: 4 genomes, 3 inputs, 2 outputs, mode='feed_f")


@pytest.mark.parametrize("duplicate", [copy.copy, lambda b: pickle.loads(pickle.dumps(b))],
                         ids=["copy", "pickle"])
def test_duplicates(duplicate, dtype):
    batch = neat.NetworkBatch(genomes_of(6, "recurrent"), mode="time_step", dtype=dtype)
    other = duplicate(batch)
    x = np.random.default_rng(1).normal(size=(6, 3))
    np.testing.assert_array_equal(other.step(x), batch.step(x))
    assert repr(other) == repr(batch)


@pytest.mark.parametrize(("genomes", "error", "match"), [
    ([], ValueError, "at least one"), (None, TypeError, "genomes"),
    ([1], TypeError, r"genomes\[0\]"),
])
def test_bad_genomes(genomes, error, match):
    with pytest.raises(error, match=match):
        neat.NetworkBatch(genomes)


def test_genomes_of_other_sizes_and_with_cycles():
    good = genomes_of(3, "recurrent")
    with pytest.raises(ValueError, match=r"genomes\[3\] has 2 and 2"):
        neat.NetworkBatch([*good, *genomes_of(1, n_inputs=2)])
    config = good[0].config.replace(bias=None)
    cycle = neat.Genome.from_connections(config, [(0, 9, 5, 1.0, True), (1, 5, 9, 1.0, True)],
                                         inputs=[0, 1, 2], outputs=[3, 4])
    with pytest.raises(ValueError, match=r"genomes\[1\].*cycle"):
        neat.NetworkBatch([genomes_of(1)[0], cycle], mode="feed_forward")
    with pytest.raises(ValueError, match="mode"):
        neat.NetworkBatch(good, mode="forward")
    with pytest.raises(ValueError, match="dtype"):
        neat.NetworkBatch(good, dtype="int32")


def test_bad_rows():
    batch = neat.NetworkBatch(genomes_of(4))
    for shape in ((4,), (3, 3), (5, 3), (4, 2), (4, 3, 1)):
        with pytest.raises(ValueError, match=r"X must have shape \(4, 3\)"):
            batch.step(np.zeros(shape))
    for shape in ((3,), (5, 2), (5, 3, 1)):
        with pytest.raises(ValueError, match="X must have shape"):
            batch(np.zeros(shape))
    with pytest.raises(TypeError, match="X"):
        batch.step([["a"] * 3] * 4)
    with pytest.raises(ValueError, match="n_threads"):
        batch(np.zeros((5, 3)), n_threads=0)
    with pytest.raises(RuntimeError, match="once"):
        batch.__init__(genomes_of(1))
    raw = neat.NetworkBatch.__new__(neat.NetworkBatch)
    for call in (lambda: raw.step([[0.0]]), lambda: raw([[0.0]]), raw.reset, lambda: raw.mode,
                 lambda: copy.copy(raw), lambda: pickle.dumps(raw)):
        with pytest.raises(RuntimeError, match="__init__"):
            call()
    assert "not built" in repr(raw)


def test_threads_on_one_batch():
    batch = neat.NetworkBatch(genomes_of(30))
    x = np.random.default_rng(0).normal(size=(500, 3))
    rows = x[:30]
    all_rows, each = batch(x), batch.step(rows)
    wrong = []

    def work():
        for i in range(20):
            if not np.array_equal(batch(x), all_rows) or not np.array_equal(batch.step(rows), each):
                wrong.append(i)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
