"""Models on disk: exact, readable by others, checked when they are loaded."""

import contextlib
import json
import struct

import numpy as np
import pytest

import fastnet as fn
from fastnet.nn.files import checksum


def example(dtype):
    layers = [fn.Dense(7, "gelu"), fn.Dense(5, "steep_sigmoid", bias=False), fn.Dense(3, "softmax")]
    net = fn.Network(4, layers=layers, dtype=dtype, seed=3)
    net.parameters[:] += np.random.default_rng(0).normal(size=net.n_parameters).astype(dtype)
    return net


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.safetensors"


def test_round_trip_is_exact(path, dtype):
    net = example(dtype)
    net.save(path)
    again = fn.load(path)
    assert type(again) is fn.Network
    assert again.dtype == net.dtype
    assert (again.n_inputs, again.n_outputs, again.n_parameters) == (4, 3, net.n_parameters)
    assert again.parameters.tobytes() == net.parameters.tobytes()
    assert [str(layer.activation) for layer in again.layers] == ["gelu", "steep_sigmoid", "softmax"]
    assert again.layers[1].biases is None
    x = np.random.default_rng(1).normal(size=(9, 4)).astype(dtype)
    np.testing.assert_array_equal(again(x), net(x))
    again.parameters[:] = 0
    assert net.parameters.any()


def test_every_activation(path, dtype, oracle):
    for name in [*oracle.ACTIVATIONS, "softmax"]:
        net = fn.Network([3, 4, 2], hidden=name, output=name, dtype=dtype, seed=0)
        net.save(path)
        again = fn.load(path)
        np.testing.assert_array_equal(again([1, 2, 3]), net([1, 2, 3]), err_msg=name)


def test_string_paths(tmp_path):
    net = example("float32")
    net.save(str(tmp_path / "a.safetensors"))
    np.testing.assert_array_equal(
        fn.load(str(tmp_path / "a.safetensors")).parameters, net.parameters
    )


def test_special_values(path, dtype):
    """Every bit pattern survives: signed zero, denormals, the largest number."""
    net = fn.Network.from_arrays([(np.zeros((2, 3)), np.zeros(3), "identity")], dtype=dtype)
    info = np.finfo(dtype)
    net.parameters[:] = [
        -0.0,
        0.0,
        info.smallest_subnormal,
        info.max,
        info.tiny,
        -info.eps,
        1,
        2,
        3,
    ]
    net.save(path)
    assert fn.load(path).parameters.tobytes() == net.parameters.tobytes()


def test_readable_by_safetensors(path, dtype, safetensors):
    net = example(dtype)
    net.save(path)
    tensors = safetensors.numpy.load_file(path)
    for layer in net.layers:
        arrays = [layer.weights] if layer.biases is None else [layer.weights, layer.biases]
        for array in arrays:
            assert any(
                t.dtype == array.dtype and t.shape == array.shape and np.array_equal(t, array)
                for t in tensors.values()
            )
    # what the format's own reader accepts must start at a multiple of 8 bytes
    length = struct.unpack("<Q", path.read_bytes()[:8])[0]
    assert length % 8 == 0


def test_saving_replaces_a_file(path):
    path.write_bytes(b"something else")
    net = example("float32")
    net.save(path)
    np.testing.assert_array_equal(fn.load(path).parameters, net.parameters)
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_trained_network(path, dtype):
    net = example(dtype)
    x = np.random.default_rng(1).normal(size=(30, 4))
    net.fit(x, np.arange(30) % 3, epochs=2, seed=0)
    net.save(path)
    again = fn.load(path)
    np.testing.assert_array_equal(again(x), net(x))
    assert again.fit(x, np.arange(30) % 3, epochs=2, seed=0).epochs == 2


def change_first_weight(path, net, sealed, safetensors):
    """One more in the first weight of the file; sealed: with the checksum that fits."""
    description, data = header(path.read_bytes())
    tensors = safetensors.numpy.load_file(path)
    tensors["layer0.weights"].reshape(-1)[0] += 1
    first = description["layer0.weights"]["data_offsets"][0]
    data = bytearray(data)
    data[first : first + net.dtype.itemsize] = tensors["layer0.weights"].tobytes()[
        : net.dtype.itemsize
    ]
    if sealed:
        metadata = description["__metadata__"]
        metadata["checksum"] = checksum(tensors, metadata["layers"])
    path.write_bytes(assemble(description, bytes(data)))


def test_the_checksum_finds_changed_weights(path, dtype, safetensors):
    net = example(dtype)
    net.save(path)
    change_first_weight(path, net, False, safetensors)
    with pytest.raises(fn.FileFormatError, match="damaged: its checksum"):
        fn.load(path)


def test_the_self_test_finds_changed_weights(path, dtype, safetensors):
    net = example(dtype)
    net.save(path)
    change_first_weight(path, net, True, safetensors)
    with pytest.raises(fn.FileFormatError, match="the self-test failed"):
        fn.load(path)


def test_the_self_test_allows_what_rounding_does(path, safetensors):
    """1/z for a z that is nothing but rounding: another instruction set finds another number."""
    first, second = np.sin([1.0, 2.0]).astype(np.float32)
    for weight, is_ill in ((-first / second, True), (0.5, False)):
        net = fn.Network.from_arrays(
            [(np.float32([[1], [weight]]), None, "identity"), (np.ones((1, 1)), None, "inverse")],
            dtype="float32",
        )
        net.save(path)
        description, data = header(path.read_bytes())
        tensors = safetensors.numpy.load_file(path)
        begin, end = description["self_test.output"]["data_offsets"]
        tensors["self_test.output"] *= np.float32(1.25)
        metadata = description["__metadata__"]
        metadata["checksum"] = checksum(tensors, metadata["layers"])
        data = data[:begin] + tensors["self_test.output"].tobytes() + data[end:]
        path.write_bytes(assemble(description, data))
        if is_ill:
            fn.load(path)
        else:
            with pytest.raises(fn.FileFormatError, match="the self-test failed"):
                fn.load(path)


def test_weights_that_one_row_does_not_see_are_checked(path):
    """Behind a unit that is off for the self-test, only the checksum notices."""
    net = fn.Network([1, 1, 1], hidden="relu", seed=0)
    net.parameters[:] = [1, -100, 3, 4]
    net.save(path)
    content = path.read_bytes()
    three = struct.pack("<f", 3)
    assert content.count(three) == 1
    path.write_bytes(content.replace(three, struct.pack("<f", 5)))
    with pytest.raises(fn.FileFormatError, match="damaged: its checksum"):
        fn.load(path)


def test_another_activation_is_found(path):
    """For a row where all units are on, relu and elu are the same."""
    net = fn.Network([3, 4, 2], hidden="relu", seed=0)
    net.layers[0].biases[:] = 100
    net.save(path)
    content = path.read_bytes()
    assert content.count(b'relu\\"') == 1
    path.write_bytes(content.replace(b'relu\\"', b'elu\\" '))
    with pytest.raises(fn.FileFormatError, match="damaged: its checksum"):
        fn.load(path)


def test_custom_activation_is_refused(path):
    custom = fn.Activation(np.sin, lambda z, a: np.cos(z))
    net = fn.Network(3, layers=[fn.Dense(4, custom), fn.Dense(2)])
    with pytest.raises((ValueError, TypeError), match=r"(?i)custom|activation"):
        net.save(path)
    assert not path.exists()
    assert list(path.parent.iterdir()) == []


def test_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        fn.load(tmp_path / "missing.safetensors")
    with pytest.raises(FileNotFoundError):
        example("float32").save(tmp_path / "no" / "such" / "directory.safetensors")


def test_error_is_a_value_error():
    assert issubclass(fn.FileFormatError, ValueError)


def header(content):
    length = struct.unpack("<Q", content[:8])[0]
    return json.loads(content[8 : 8 + length]), content[8 + length :]


def assemble(description, data):
    text = json.dumps(description).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + data


def broken(content):
    """Files that no writer of ours made."""
    yield "empty", b""
    yield "short", content[:5]
    yield "only a length", content[:8]
    yield "header cut", content[:40]
    yield "data cut", content[:-1]
    yield "data longer", content + b"\0"
    yield "huge header", struct.pack("<Q", 2**63) + content[8:]
    yield "header beyond the file", struct.pack("<Q", len(content)) + content[8:]
    yield "not JSON", struct.pack("<Q", 8) + b"not json" + content
    yield "not UTF-8", struct.pack("<Q", 8) + b"\xff" * 8 + content
    yield "a list", assemble([1, 2], b"")
    yield "no tensors", assemble({}, b"")
    yield "deep", struct.pack("<Q", 100000) + b"[" * 100000
    description, data = header(content)
    yield (
        "no metadata",
        assemble({k: v for k, v in description.items() if k != "__metadata__"}, data),
    )
    for name in description:
        if name == "__metadata__":
            continue
        yield f"without {name}", assemble({k: v for k, v in description.items() if k != name}, data)
        for key, value in (
            ("dtype", "I64"),
            ("dtype", "X9"),
            ("dtype", 3),
            ("shape", [10**9, 10**9]),
            ("shape", [-1]),
            ("shape", "x"),
            ("data_offsets", [0, 10**18]),
            ("data_offsets", [-8, 8]),
            ("data_offsets", [8, 0]),
            ("data_offsets", None),
        ):
            yield (
                f"{name} {key} {value}",
                assemble({**description, name: {**description[name], key: value}}, data),
            )
    for key in description["__metadata__"]:
        for value in ("", "{}", "[]", "null", "1e999", "x" * 1000, 5):
            metadata = {**description["__metadata__"], key: value}
            yield (
                f"metadata {key} {value}",
                assemble({**description, "__metadata__": metadata}, data),
            )


def test_broken_files_are_refused(path):
    net = example("float32")
    net.save(path)
    good = path.read_bytes()
    count = 0
    for what, content in broken(good):
        if content == good:
            continue
        path.write_bytes(content)
        try:
            again = fn.load(path)
        except fn.FileFormatError:
            count += 1
        else:
            # a remark that says nothing about the network may be anything
            np.testing.assert_array_equal(again.parameters, net.parameters, err_msg=what)
            assert what.startswith("metadata"), what
    assert count > 20


def test_random_damage_never_crashes(path):
    net = example("float32")
    net.save(path)
    good = path.read_bytes()
    rng = np.random.default_rng(0)
    for _ in range(300):
        content = bytearray(good)
        for _ in range(rng.integers(1, 4)):
            content[rng.integers(len(content))] = rng.integers(256)
        path.write_bytes(bytes(content))
        with contextlib.suppress(fn.FileFormatError):
            fn.load(path)
