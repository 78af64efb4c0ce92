"""`fn.load` on files made to hurt.

Whatever the bytes: the network that an independent reader finds in them, or `fn.FileFormatError`;
quickly, and in memory of the order of the file.
"""

import contextlib
import json
import os
import random
import struct
import time
import tracemalloc
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fastnet as fn

independent = pytest.importorskip("safetensors.numpy", exc_type=ImportError)

NUMBERS = [0, -1, 1, 2, 3, 7, 8, 2**31, 2**32, 2**53, 2**62, 2**63, 2**64, 10**19, 10**400]
TEXTS = ["", "relu", "tanh", "\ud800", "ü", "x" * 5000, "[]", "[[", "null", "1e999", "9" * 5000]
LAYERS = [
    {"kind": "dense", "activation": "relu"},
    {"kind": "dropout", "rate": 0.5},
    {"kind": "layer_norm", "activation": "tanh", "epsilon": 1e-5},
]
WEIRD = [None, True, 1.5, [], {}, [[]], "F32", *TEXTS, *NUMBERS]


def split(content):
    """Header and data of a good file."""
    size = struct.unpack("<Q", content[:8])[0]
    return json.loads(content[8 : 8 + size]), content[8 + size :]


def assemble(header, data):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + data


def seal(content):
    """The file with the checksum that belongs to what it says now, where it says anything."""
    try:
        header, data = split(content)
        crc = zlib.crc32(header["__metadata__"]["layers"].encode())
        for name in sorted(set(header) - {"__metadata__"}):
            entry = header[name]
            begin, end = entry["data_offsets"]
            dtype = {"F32": "<f4", "F64": "<f8"}[entry["dtype"]]
            crc = zlib.crc32(repr((name, dtype, tuple(entry["shape"]))).encode(), crc)
            crc = zlib.crc32(data[begin:end], crc)
        header["__metadata__"]["checksum"] = f"{crc:08x}"
        return assemble(header, data)
    except (ValueError, KeyError, TypeError, AttributeError, struct.error, RecursionError):
        return content


# -- what can happen to a file: functions (rng, content) -> content --------------------------------


def flip_bits(rng, content):
    content = bytearray(content)
    for _ in range(rng.choice([1, 1, 1, 2, 5, 50])):
        content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    return bytes(content)


def set_bytes(rng, content):
    content = bytearray(content)
    for _ in range(rng.choice([1, 2, 8])):
        content[rng.randrange(len(content))] = rng.choice(b'0123456789-.eE"{}[],: \0\xff\\ntf')
    return bytes(content)


def cut(rng, content):
    return content[: rng.randrange(len(content))]


def insert(rng, content):
    at = rng.randrange(len(content) + 1)
    return content[:at] + rng.randbytes(rng.choice([1, 2, 7, 8, 100])) + content[at:]


def remove(rng, content):
    at = rng.randrange(len(content))
    return content[:at] + content[at + rng.choice([1, 2, 4, 8, 30]) :]


def swap_spans(rng, content):
    size = rng.choice([1, 4, 8, 16])
    a, b = sorted(rng.sample(range(0, len(content) - size, size), 2))
    return (
        content[:a]
        + content[b : b + size]
        + content[a + size : b]
        + content[a : a + size]
        + content[b + size :]
    )


def repeat_span(rng, content):
    a = rng.randrange(len(content))
    b = a + rng.choice([1, 3, 20, 200])
    return content[:b] + content[a:b] * rng.choice([1, 2, 20]) + content[b:]


def another_length(rng, content):
    return struct.pack("<Q", rng.choice([*NUMBERS[4:-3], len(content)]) % 2**64) + content[8:]


def any_bytes(rng, content):
    return rng.choice([b"", struct.pack("<Q", 8), content[:30]]) + rng.randbytes(rng.randrange(200))


def nested(rng, content):
    header, data = split(content)
    depth = rng.choice([10, 500, 1100, 20_000])
    text = rng.choice(
        [b"[" * depth, b"[" * depth + b"]" * depth, b'{"a":' * depth + b"1" + b"}" * depth]
    )
    key = rng.choice([*header, "more"])
    rest = json.dumps({k: v for k, v in header.items() if k != key})
    return assemble(json.dumps({key: 0})[:-2].encode() + text + b"," + rest[1:].encode(), data)


def many_digits(rng, content):
    header, data = split(content)
    digits = "9" * rng.choice([19, 20, 21, 4000, 5000, 100_000])
    name = rng.choice([name for name in header if name != "__metadata__"])
    header[name][rng.choice(["shape", "data_offsets"])][0] = 123454321
    return assemble(json.dumps(header).replace("123454321", digits).encode(), data)


def twice(rng, content):
    header, data = split(content)
    key = rng.choice(list(header))
    text = json.dumps(header)
    return assemble(f"{text[:-1]}, {json.dumps(key)}: {json.dumps(header[key])}}}".encode(), data)


def edit_entry(rng, content):
    header, data = split(content)
    entry = header[rng.choice([name for name in header if name != "__metadata__"])]
    key = rng.choice([*entry, "more"])
    if rng.random() < 0.4 and isinstance(entry.get(key), list) and entry[key]:
        entry[key][rng.randrange(len(entry[key]))] = rng.choice(WEIRD)
    else:
        entry[key] = rng.choice(
            [*WEIRD, "F64", "I64", "U8", "BOOL", [2**32, 2**32], [2**62 + 2], [0, 2**64], [1] * 99]
        )
    return assemble(header, data)


def edit_layers(rng, content):
    """Other layers, more or fewer of them, of wrong kinds, with wrong values."""
    header, data = split(content)
    layers = json.loads(header["__metadata__"]["layers"])
    change = rng.choice(["fewer", "more", "many", "value", "entry", "key", "another", "whole"])
    entry = rng.choice(layers)
    if change == "fewer":
        layers.remove(entry)
    elif change == "more":
        layers.insert(rng.randrange(len(layers) + 1), rng.choice([entry, *LAYERS]))
    elif change == "many":
        layers += [rng.choice([entry, *LAYERS])] * rng.choice([10, 1000])
    elif change == "value":
        entry[rng.choice(list(entry))] = rng.choice([*WEIRD, *fn.activations.names()])
    elif change == "entry":
        layers[rng.randrange(len(layers))] = rng.choice(WEIRD)
    elif change == "key":
        entry[rng.choice(["more", "rate", "epsilon", "activation"])] = rng.choice(WEIRD)
        entry.pop(rng.choice(["kind", "more", "activation"]), None)
    elif change == "another":
        layers[rng.randrange(len(layers))] = rng.choice(LAYERS)
    else:
        layers = rng.choice(WEIRD)
    header["__metadata__"]["layers"] = json.dumps(layers)
    return assemble(header, data)


def edit_metadata(rng, content):
    header, data = split(content)
    if rng.random() < 0.7:
        header["__metadata__"][rng.choice([*header["__metadata__"], "more"])] = rng.choice(WEIRD)
    else:
        header["__metadata__"] = rng.choice(WEIRD)
    return assemble(header, data)


def rename(rng, content):
    header, data = split(content)
    old = rng.choice(list(header))
    new = rng.choice([*header, "", "layer7.biases", "layer01.weights", "\ud800", "x" * 10**4])
    return assemble({new if name == old else name: v for name, v in header.items()}, data)


def drop(rng, content):
    header, data = split(content)
    where = rng.choice([header, header["__metadata__"]])
    del where[rng.choice(list(where))]
    return assemble(header, data)


def exchange_places(rng, content):
    """Two tensors point at the data, or have the shape, of each other."""
    header, data = split(content)
    a, b = rng.sample([name for name in header if name != "__metadata__"], 2)
    keys = rng.choice([["data_offsets"], ["shape"], ["data_offsets", "shape"]])
    for key in keys:
        header[a][key], header[b][key] = header[b][key], header[a][key]
    return assemble(header, data)


def turn_shape(rng, content):
    header, data = split(content)
    name = rng.choice([name for name in header if name.endswith("weights")])
    shape = header[name]["shape"]
    header[name]["shape"] = rng.choice([shape[::-1], [shape[0] * shape[1]], [1, *shape]])
    return assemble(header, data)


def tell_another_story(rng, content):
    """A well-formed network file of other sizes, with data and self-test made up."""
    sizes = [rng.choice([1, 2, 3, 50]) for _ in range(rng.choice([2, 3, 4]))]
    shapes = {"self_test.input": sizes[:1], "self_test.output": sizes[-1:]}
    for k in range(len(sizes) - 1):
        shapes[f"layer{k}.weights"] = sizes[k : k + 2]
        if rng.random() < 0.5:
            shapes[f"layer{k}.biases"] = [rng.choice([1, sizes[k + 1]])]
    header, _ = split(content)
    names = fn.activations.names()
    layers = [{"kind": "dense", "activation": rng.choice(names)} for _ in sizes[1:]]
    header = {"__metadata__": {**header["__metadata__"], "layers": json.dumps(layers)}}
    begin = 0
    for name, shape in shapes.items():
        end = begin + 4 * int(np.prod(shape))
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [begin, end]}
        begin = end
    return assemble(header, rng.randbytes(begin))


def no_network(rng, content):
    """Good safetensors of something else."""
    tensors = {f"t{k}": np.zeros(rng.randrange(4), rng.choice(["f4", "i8", "?"])) for k in range(3)}
    return independent.save(tensors, rng.choice([None, {"format": "fastnet.network"}]))


def bend_numbers(rng, content):
    """Weights, biases or the self-test become infinite, NaN, huge or tiny."""
    header, data = split(content)
    entry = header[rng.choice([name for name in header if name != "__metadata__"])]
    begin, end = entry["data_offsets"]
    dtype = {"F32": "<f4", "F64": "<f8"}[entry["dtype"]]
    values = np.frombuffer(data[begin:end], dtype).copy()
    with np.errstate(all="ignore"):
        values[rng.randrange(len(values))] = rng.choice(
            [np.nan, np.inf, -np.inf, 3e38, 1e300, -1e-300, 5e-324, -0.0]
        )
    return assemble(header, data[:begin] + values.tobytes() + data[end:])


MUTATIONS = [
    flip_bits,
    set_bytes,
    cut,
    insert,
    remove,
    swap_spans,
    repeat_span,
    another_length,
    any_bytes,
    nested,
    many_digits,
    twice,
    edit_entry,
    edit_layers,
    edit_metadata,
    rename,
    drop,
    exchange_places,
    turn_shape,
    tell_another_story,
    no_network,
    bend_numbers,
]


# -- the judge -------------------------------------------------------------------------------------


def examples():
    """Networks of several shapes, precisions and activations, with and without biases."""
    rng = np.random.default_rng(0)
    names = fn.activations.names()
    yield fn.Network([1, 1], seed=0)
    for dtype in ("float32", "float64"):
        layers = [fn.Dense(4, "relu"), fn.Dense(4, "tanh", bias=False), fn.Dense(3, "softmax")]
        yield fn.Network(4, layers=layers, dtype=dtype, seed=1)
        layers[1:1] = [fn.Dropout(0.25), fn.LayerNorm("relu", epsilon=0.5)]
        yield fn.Network(4, layers=layers, dtype=dtype, seed=1)
        hidden = [str(rng.choice(names)) for _ in range(3)]
        yield fn.Network([3, 5, 7, 2, 1], hidden=hidden, output="sigmoid", dtype=dtype, seed=2)


@pytest.fixture(scope="module")
def originals(tmp_path_factory):
    """(content, network) of good files."""
    path = tmp_path_factory.mktemp("originals") / "net.safetensors"
    found = []
    for net in examples():
        net.parameters[:] += 0.1
        net.save(path)
        found.append((path.read_bytes(), net))
    return found


def assert_as_another_reader_finds(net, content):
    """The layers are those that the safetensors package finds in the file."""
    tensors = independent.load(content)
    entries = json.loads(split(content)[0]["__metadata__"]["layers"])
    kinds = {"dense": fn.Dense, "dropout": fn.Dropout, "layer_norm": fn.LayerNorm}
    assert len(net.layers) == len(entries)
    for k, (layer, entry) in enumerate(zip(net.layers, entries, strict=True)):
        assert type(layer.spec) is kinds[entry.pop("kind")]
        for key, value in entry.items():
            assert getattr(layer, key) == value
        for name in ("weights", "gains", "biases"):
            expected, found = tensors.pop(f"layer{k}.{name}", None), getattr(layer, name, None)
            assert (found is None) == (expected is None)
            assert found is None or found.dtype == expected.dtype == net.dtype
            assert found is None or found.shape == expected.shape
            assert found is None or found.tobytes() == expected.tobytes()
    assert set(tensors) == {"self_test.input", "self_test.output"}


# Under a sanitizer, where the interpreter is slower too, only what would hang is found.
MOST_SECONDS = 10 if "asan" in os.environ.get("LD_PRELOAD", "") else 1


def judge(path, content, original):
    """Load the file; whether a network came of it, checked against another reader."""
    path.write_bytes(content)
    started = time.process_time()
    try:
        net = fn.load(path)
    except fn.FileFormatError as error:
        net, message = None, str(error)
    # not the clock on the wall, for others use the machine too
    assert time.process_time() - started < MOST_SECONDS
    if net is None:
        assert len(message.encode()) < 2000  # and it can be printed
        return False
    assert_as_another_reader_finds(net, content)
    if original is not None:  # nobody changed the checksum: then the damage is harmless
        np.testing.assert_array_equal(net.parameters, original.parameters)
        x = np.linspace(-2, 2, 5 * net.n_inputs).reshape(5, -1)
        np.testing.assert_array_equal(net(x), original(x))
    return True


def mutate(rng, content):
    """A mutation or a few, and whether the file was sealed after it."""
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        try:
            content = rng.choice(MUTATIONS)(rng, content)
        except (
            ValueError,
            KeyError,
            IndexError,
            TypeError,
            AttributeError,
            struct.error,
            RecursionError,
        ):
            break  # the one before left nothing that this one could work on
    sealed = rng.random() < 0.5
    return (seal(content) if sealed else content), sealed


@pytest.fixture
def path(tmp_path):
    return tmp_path / "net.safetensors"


def test_the_tools_of_this_test_make_good_files(path, originals):
    """What mutations change is what makes the files bad: without one, all of them load."""
    for content, net in originals:
        assert judge(path, content, net)
        assert judge(path, assemble(*split(content)), net)
        assert seal(content) == assemble(*split(content))


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_each_mutation(path, originals, mutation):
    """A few of each kind; each kind gets to be refused."""
    rng = random.Random(mutation.__name__)
    refused = 0
    for _ in range(15):
        content, net = rng.choice(originals)
        content = mutation(rng, content)
        refused += not judge(path, content, net)
        judge(path, seal(content), None)
    assert refused > 0


def run_mutations(path, originals, n, seed):
    """How many of ``n`` mutated files were loaded, and how many refused."""
    rng = random.Random(seed)
    loaded = 0
    for _ in range(n):
        content, net = rng.choice(originals)
        content, sealed = mutate(rng, content)
        loaded += judge(path, content, None if sealed else net)
    return loaded, n - loaded


def test_mutated_files(path, originals):
    loaded, refused = run_mutations(path, originals, 500, seed=0)
    assert loaded > 0
    assert refused > 300


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 9))
def test_very_many_mutated_files(path, originals, seed):
    loaded, refused = run_mutations(path, originals, 4000, seed)
    assert loaded > 0
    assert refused > 2000


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1])
def test_memory_of_mutated_files(path, originals, seed):
    """The peak is in proportion to the file, whatever its header promises."""
    rng = random.Random(seed)
    fn.load(write(path, originals[0][0]))  # imports and caches are not the file's
    for _ in range(1500):
        content, _ = rng.choice(originals)
        content, _ = mutate(rng, content)
        assert_memory(path, content)


def write(path, content):
    path.write_bytes(content)
    return path


def assert_memory(path, content):
    write(path, content)
    tracemalloc.start()
    try:
        with contextlib.suppress(fn.FileFormatError):
            fn.load(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    # JSON of empty lists takes 3 bytes in the file and 72 as objects; keys take 6 and 200
    assert peak < 2**18 + 60 * len(content), (peak, len(content))


@pytest.mark.parametrize("text", [b"[],", b"{},", b'"",', b'{"":0},', b"0,"])
def test_memory_of_headers_full_of_nothing(path, text):
    assert_memory(path, assemble(b'{"a":[' + text * 50_000 + b"0]}", b""))


@given(st.data())
def test_header_values(originals, tmp_path_factory, data):
    """Any JSON in any place of the header."""
    path = tmp_path_factory.getbasetemp() / "header.safetensors"
    content, net = originals[data.draw(st.integers(0, len(originals) - 1))]
    header, rest = split(content)
    anything = st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
        max_leaves=8,
    )
    where, depth = header, data.draw(st.integers(1, 3))
    for _ in range(depth - 1):
        key = data.draw(st.sampled_from(list(where)))
        if not isinstance(where[key], dict):
            break
        where = where[key]
    key = data.draw(st.sampled_from(list(where)) | st.text())
    where[key] = data.draw(anything)
    content = assemble(header, rest)
    judge(path, content, net)
    judge(path, seal(content), None)


@given(
    st.lists(
        st.fixed_dictionaries(
            {"kind": st.sampled_from(["dense", "dropout", "layer_norm"]) | st.text()},
            optional={
                "activation": st.sampled_from(fn.activations.names()) | st.text(),
                "rate": st.floats() | st.integers() | st.text(),
                "epsilon": st.floats() | st.integers() | st.text(),
            },
        ),
        max_size=5,
    )
)
def test_any_layers(originals, tmp_path_factory, layers):
    path = tmp_path_factory.getbasetemp() / "layers.safetensors"
    content, _ = originals[-1]
    header, data = split(content)
    header["__metadata__"]["layers"] = json.dumps(layers)
    judge(path, seal(assemble(header, data)), None)


@given(st.binary(max_size=300))
def test_any_data(originals, tmp_path_factory, noise):
    """Any parameters and any self-test in a well-formed file."""
    path = tmp_path_factory.getbasetemp() / "data.safetensors"
    content, _ = originals[1]
    header, data = split(content)
    judge(path, seal(assemble(header, noise + data[len(noise) :])), None)


def test_very_many_layers(path, originals):
    """A list of very many layers is refused for the first that is not there, at once."""
    content, _ = originals[0]
    header, data = split(content)
    header["__metadata__"]["layers"] = json.dumps(LAYERS[:1] * 10**5)
    assert not judge(path, seal(assemble(header, data)), None)


def test_very_many_dropouts(path):
    """Layers without parameters cost no pass over the row each: the file would be quick to hang."""
    n = 200_000
    net = fn.Network(n, layers=[fn.Dropout(0.5)])
    net.save(path)
    header, data = split(path.read_bytes())
    header["__metadata__"]["layers"] = json.dumps(LAYERS[1:2] * 10_000)
    assert judge(path, seal(assemble(header, data)), None)
