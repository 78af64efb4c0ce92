"""Populations in files: a run goes on bit for bit, and nothing wrong is loaded."""

import json
import math
import struct

import numpy as np
import pytest

import fastnet as fn
from fastnet import _files, neat
from fastnet.neat import files

CONFIGS = {
    "paper": neat.Config.paper(2, 1),
    "time_step": neat.Config.time_step(2, 1, population_size=40, initial_hidden=(0, 2)),
    "generation": neat.Config(
        2,
        1,
        population_size=40,
        mode="recurrent",
        innovation_scope="generation",
        bias="per_node",
        activations=("steep_sigmoid", "tanh"),
        activation_mutation_rate=0.2,
        add_node_rate=0.4,
        add_connection_rate=0.5,
        target_species=5,
        stagnation=3,
    ),
    "two": neat.Config(2, 1, population_size=2, add_node_rate=0.5),
}


def state_of(population):
    return (
        [(g.connections.tolist(), g.nodes.tolist(), g.fitness) for g in population.genomes],
        population.fitness.tobytes(),
        population.species,
        population.generation,
        population.evaluations,
        population.threshold,
        population.registry,
        list(population.history),
        population.best,
        population.seed,
        population.config,
    )


def noisy(network):
    return float(np.sin(17 * np.sum(network.parameters)))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "run.fnpop"


@pytest.fixture
def saved(path):
    """A file of a population in the middle of a run."""
    pop = neat.Population(CONFIGS["generation"].replace(innovation_scope="run"), seed=2**64 - 1)
    pop.run(noisy, generations=12, target=math.inf)
    pop.save(path)
    return pop


@pytest.mark.parametrize("k", [0, 1, 9])
@pytest.mark.parametrize("name", CONFIGS)
def test_a_loaded_run_goes_on_bit_for_bit(name, k, path):
    whole = neat.Population(CONFIGS[name], seed=6)
    whole.run(noisy, generations=2 * k + 3, target=math.inf)
    pop = neat.Population(CONFIGS[name], seed=6)
    pop.run(noisy, generations=k, target=math.inf)
    pop.save(path)
    assert state_of(neat.Population.load(path)) == state_of(pop)
    pop = neat.Population.load(path)
    pop.run(noisy, generations=k + 3, target=math.inf)
    assert state_of(pop) == state_of(whole)
    pop.save(path)  # over the old one
    assert state_of(neat.Population.load(path)) == state_of(whole)


def test_saving_twice_writes_the_same_bytes(saved, path, tmp_path):
    saved.save(tmp_path / "again")
    neat.Population.load(path).save(tmp_path / "loaded")
    assert (tmp_path / "again").read_bytes() == path.read_bytes()
    assert (tmp_path / "loaded").read_bytes() == path.read_bytes()


def test_special_fitness_survives(path):
    pop = neat.Population(CONFIGS["two"], seed=0)
    pop.step(lambda network: -math.inf)
    pop.save(path)
    assert np.array_equal(neat.Population.load(path).fitness, [-math.inf] * 2)
    assert neat.Population.load(path).best.fitness == -math.inf


def test_a_file_that_cannot_be_written(saved, path, tmp_path):
    before = path.read_bytes()
    with pytest.raises(FileNotFoundError):
        saved.save(tmp_path / "nowhere" / "run.fnpop")
    with pytest.raises(OSError, match="director"):
        saved.save(tmp_path)
    assert path.read_bytes() == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["run.fnpop"]


def test_no_such_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        neat.Population.load(tmp_path / "none")


def test_a_torn_file(saved, path):
    data = path.read_bytes()
    for end in [*range(0, 200, 7), *range(200, len(data), 997), len(data) - 1]:
        path.write_bytes(data[:end])
        with pytest.raises(fn.FileFormatError):
            neat.Population.load(path)


def test_a_file_with_flipped_bits(saved, path):
    """Every flip is found: in what is read by the checksum, in the rest by the reader."""
    data = path.read_bytes()
    (header,) = struct.unpack("<Q", data[:8])
    rng = np.random.default_rng(0)
    first = 8 + header
    for place in [*range(8), *rng.integers(8, first, 150), *rng.integers(first, len(data), 99)]:
        damaged = bytearray(data)
        damaged[place] ^= 1 << int(rng.integers(8))
        path.write_bytes(damaged)
        try:
            loaded = neat.Population.load(path)
        except fn.FileFormatError:
            continue
        # only blanks of the header may differ
        assert state_of(loaded) == state_of(saved)


def test_other_files(path, tmp_path):
    fn.Network([2, 3, 1], seed=0).save(path)
    with pytest.raises(fn.FileFormatError, match="does not hold a fastnet population"):
        neat.Population.load(path)
    path.write_text("[population]\nsize = 3\n")
    with pytest.raises(fn.FileFormatError):
        neat.Population.load(path)
    with pytest.raises(fn.FileFormatError, match="no regular file"):
        neat.Population.load(tmp_path)


def write(path, tensors, metadata):
    """A file with a right checksum, whatever it says."""
    texts = {name: metadata.get(name, "") for name in ("config", "numbers", "activations")}
    _files.write(path, tensors, metadata | {"checksum": files.checksum(tensors, texts)})


def test_a_newer_file(saved, path):
    tensors, metadata = _files.read(path)
    write(path, tensors, metadata | {"version": "2"})
    with pytest.raises(fn.FileFormatError, match="has format version '2'; this fastnet reads"):
        neat.Population.load(path)


def test_a_wrong_checksum(saved, path):
    tensors, metadata = _files.read(path)
    tensors["genomes.weight"][0] += 1
    _files.write(path, tensors, metadata)
    with pytest.raises(fn.FileFormatError, match="is damaged: its checksum is another"):
        neat.Population.load(path)


def test_activations_may_have_other_numbers(saved, path):
    tensors, metadata = _files.read(path)
    names = json.loads(metadata["activations"])
    order = np.random.default_rng(0).permutation(len(names))
    renumbered = {
        name: np.argsort(order)[value].astype(np.uint8) if name.endswith(".activation") else value
        for name, value in tensors.items()
    }
    write(path, renumbered, metadata | {"activations": json.dumps([names[k] for k in order])})
    assert state_of(neat.Population.load(path)) == state_of(saved)
    write(path, tensors, metadata | {"activations": json.dumps(["magic"] * len(names))})
    with pytest.raises(fn.FileFormatError, match="activation"):
        neat.Population.load(path)


HOSTILE_NUMBERS = (0, 1, -1, 2, 3, 5, 255, 2**31, 2**62, -(2**63), 2**63 - 1)


def hostile(value, rng):
    """Arrays of other values, lengths, shapes and types."""
    if value.dtype == np.bool_:
        yield value.astype(np.uint8)
    elif value.dtype.kind in "iu":
        limits = np.iinfo(value.dtype)
        for number in HOSTILE_NUMBERS:
            if limits.min <= number <= limits.max and value.size:
                other = value.copy()
                other.flat[rng.integers(value.size)] = number
                yield other
        yield value.astype(np.float64)
    else:
        for number in (math.nan, math.inf, -math.inf, -1.0, 1e300):
            if value.size:
                other = value.copy()
                other.flat[rng.integers(value.size)] = number
                yield other
        yield value.astype(np.float32)
    yield value[:-1]
    yield value[:0]
    yield np.concatenate([value, value])
    yield value[::-1].copy()
    yield value.reshape(1, *value.shape)
    if value.size:
        yield np.zeros_like(value)
        yield value.reshape(-1)[:1].reshape(())


def test_hostile_arrays(saved, path):
    """Whatever an array holds: refused, or a population that can go on."""
    tensors, metadata = _files.read(path)
    rng = np.random.default_rng(0)
    n_refused = n_loaded = 0
    for name, value in tensors.items():
        write(path, {key: v for key, v in tensors.items() if key != name}, metadata)
        with pytest.raises(fn.FileFormatError):
            neat.Population.load(path)
        for other in hostile(value, rng):
            write(path, tensors | {name: other}, metadata)
            try:
                pop = neat.Population.load(path)
            except fn.FileFormatError:
                n_refused += 1
                continue
            n_loaded += 1
            for _ in range(3):
                pop.step(noisy)
            assert len(pop.genomes) == 40
            list(pop.history)
    write(path, tensors | {"more": np.ones(3)}, metadata)
    with pytest.raises(fn.FileFormatError, match="unknown arrays"):
        neat.Population.load(path)
    assert n_refused > 200
    assert n_loaded > 10  # such as another fitness


@pytest.mark.parametrize(("size", "sum_of_four"), [(2**62, 0), (2**63 - 1, -4)])
def test_sizes_whose_sum_overflows(saved, path, size, sum_of_four):
    """In 64 bits, these sum to what the other arrays hold."""
    tensors, metadata = _files.read(path)
    for name in [name for name in tensors if name.endswith("genomes.sizes")]:
        for column in (0, 1):
            sizes = tensors[name].copy()
            sizes[:4, column] = size
            sizes[4, column] += tensors[name][:4, column].sum() - sum_of_four
            assert sizes.sum() == tensors[name].sum()
            write(path, tensors | {name: sizes}, metadata)
            with pytest.raises(fn.FileFormatError, match=f"{name} must be sizes of genomes"):
                neat.Population.load(path)


@pytest.mark.parametrize("value", [-1, -2, 0, 1, 2**40, 2**62, 2**64, 10**25, 1.5, True, None, "1"])
def test_hostile_numbers(saved, path, value):
    tensors, metadata = _files.read(path)
    numbers = json.loads(metadata["numbers"])
    for name in numbers:
        text = json.dumps(numbers | {name: value})
        write(path, tensors, metadata | {"numbers": text})
        try:
            pop = neat.Population.load(path)
        except fn.FileFormatError:
            continue
        pop.step(noisy)
    for text in ("", "{", "[]", "{}", '{"seed": 1}', json.dumps(numbers | {"more": 1})):
        write(path, tensors, metadata | {"numbers": text})
        with pytest.raises(fn.FileFormatError):
            neat.Population.load(path)


@pytest.mark.parametrize(
    "fields",
    [
        {"population_size": 10**12},
        {"population_size": 39},
        {"population_size": 0},
        {"n_inputs": 10**12},
        {"n_inputs": 1},
        {"n_outputs": 10**15},
        {"initial_hidden": 10**15},
        {"mode": "feed_forward"},
        {"mode": "sideways"},
        {"bias": "node"},
        {"bias": None},
        {"unheard": 1},
        {"step_limit": "x"},
        {"weight_power": [1]},
        {"self": 1},
        {"activations": 3},
    ],
)
def test_hostile_configs(saved, path, fields):
    tensors, metadata = _files.read(path)
    config = json.loads(metadata["config"])
    write(path, tensors, metadata | {"config": json.dumps(config | fields)})
    with pytest.raises(fn.FileFormatError):
        neat.Population.load(path)


@pytest.mark.parametrize("name", ["config", "activations"])
@pytest.mark.parametrize("text", ["", "{", "[]", "3", "{}", '["a"]', "[" * 10_000, '{"a": NaN}'])
def test_metadata_that_makes_no_sense(saved, path, name, text):
    tensors, metadata = _files.read(path)
    write(path, tensors, metadata | {name: text})
    with pytest.raises(fn.FileFormatError):
        neat.Population.load(path)
