"""Networks as ONNX models and back: what ONNX Runtime computes is what is expected."""

import numpy as np
import pytest

import fastnet as fn

onnx = pytest.importorskip("onnx", exc_type=ImportError)
onnxruntime = pytest.importorskip("onnxruntime", exc_type=ImportError)
reference = pytest.importorskip("onnx.reference", exc_type=ImportError)

# no zero, where inverse and step jump; log is for the positive ones
Z = np.array([-20, -3.5, -3, -1, -0.7, -0.01, 0.02, 0.5, 1, 2.5, 3, 4, 15])
OPSETS = {"leaky_relu": 16, "mish": 18, "gelu": 20}


def run(model, x):
    """The output of the model in ONNX Runtime, or as the standard's own reference has it."""
    onnx.checker.check_model(model, full_check=True)
    name = model.graph.input[0].name
    onnxruntime.set_default_logger_severity(4)
    if any(node.op_type == "Gelu" for node in model.graph.node) and x.dtype == np.float64:
        return reference.ReferenceEvaluator(model).run(None, {name: x})[0]
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    return session.run(None, {name: x})[0]


def assert_same(net, model, n_rows=7):
    """Both on the same rows; the error of sums in another order, grown by each layer."""
    x = np.random.default_rng(0).normal(size=(n_rows, net.n_inputs)).astype(net.dtype)
    expected = run(model, x)
    assert expected.dtype == net.dtype
    growth, terms = 1.0, 0
    for layer in net.layers:
        terms += layer.n_inputs + 8
        if layer.weights is not None:
            growth *= max(1.0, np.linalg.norm(layer.weights, 2))
    tolerance = 4 * np.finfo(net.dtype).eps * terms * growth * max(1.0, np.abs(expected).max())
    np.testing.assert_allclose(net(x), expected, rtol=0, atol=tolerance)


def assert_equal(a, b):
    assert repr(a) == repr(b)
    assert a.parameters.tobytes() == b.parameters.tobytes()


def opset_of(model):
    (entry,) = model.opset_import
    return entry.version


@pytest.mark.parametrize("name", fn.activations.names())
def test_every_activation(name, dtype, oracle):
    net = fn.Network.from_arrays([(np.eye(len(Z)), None, name)], dtype=dtype)
    model = net.to_onnx()
    expected_opset = OPSETS.get(name, 13)
    assert opset_of(model) == (expected_opset if dtype == "float32" or name == "gelu" else 13)
    z = np.abs(Z) if name == "log" else Z
    expected = oracle.activate(name, z[None, :])
    got = run(model, z[None].astype(dtype))
    # the reference has erf in float32 only
    eps = np.finfo("float32" if name == "gelu" else dtype).eps
    # e^z and powers amplify the rounding of z by up to |z|; 1 + erf and e^z - 1 cancel below 0;
    # ONNX Runtime's tanh and sigmoid in float32 are off by some ulp
    tolerance = eps * (32 * np.abs(expected) + 4 * np.maximum(1, np.abs(z)))
    assert (np.abs(got - expected) <= tolerance).all()
    assert_equal(fn.Network.from_onnx(model), net)


def test_step_of_nan():
    net = fn.Network.from_arrays([(np.eye(1), None, "step")], dtype="float32")
    got = run(net.to_onnx(), np.array([[np.nan], [1], [-1]], np.float32))
    np.testing.assert_array_equal(got, [[np.nan], [1], [0]])


@pytest.mark.parametrize("n_rows", [1, 2, 33])
def test_layers_and_rows(dtype, n_rows):
    layers = [
        fn.Dropout(0.5),
        fn.Dense(9, "tanh", bias=False),
        fn.LayerNorm("silu", epsilon=0.125),
        fn.Dropout(0.1),
        fn.Dense(5, "softplus"),
        fn.LayerNorm(epsilon=2**-10),  # attributes are float32
        fn.Dense(3, "softmax"),
    ]
    net = fn.Network(6, layers=layers, dtype=dtype, seed=0)
    net.parameters[:] += np.random.default_rng(1).normal(size=net.n_parameters) / 4
    model = net.to_onnx()
    assert opset_of(model) == 17
    assert_same(net, model, n_rows)
    again = fn.Network.from_onnx(model)
    # dropout infers nothing, so a model has none
    specs = [layer.spec for layer in net.layers if not isinstance(layer.spec, fn.Dropout)]
    assert [layer.spec for layer in again.layers] == specs
    assert again.parameters.tobytes() == net.parameters.tobytes()


def test_only_dropout():
    net = fn.Network(3, layers=[fn.Dropout(0.5)])
    x = np.ones((2, 3), np.float32)
    np.testing.assert_array_equal(run(net.to_onnx(), x), x)


def test_names_of_the_graph():
    model = fn.Network([2, 3], seed=0).to_onnx()
    assert [entry.name for entry in model.graph.input] == ["X"]
    assert [entry.name for entry in model.graph.output] == ["y"]
    assert model.producer_name == "fastnet"


def test_files(tmp_path):
    net = fn.Network([4, 8, 2], hidden="tanh", seed=0)
    path = tmp_path / "net.onnx"
    path.write_bytes(b"old")
    model = net.to_onnx(path)
    assert path.read_bytes() == model.SerializeToString()
    assert list(tmp_path.iterdir()) == [path]
    for source in (path, str(path), path.read_bytes(), bytearray(path.read_bytes()), model):
        assert_equal(fn.Network.from_onnx(source), net)
    with pytest.raises(FileNotFoundError):
        net.to_onnx(tmp_path / "no" / "such.onnx")
    with pytest.raises(FileNotFoundError):
        fn.Network.from_onnx(tmp_path / "missing.onnx")


def test_custom_activation(tmp_path):
    bent = fn.Activation(lambda z: z, lambda z, a: np.ones_like(z))
    net = fn.Network(2, layers=[fn.Dense(2), fn.Dense(1, bent)])
    with pytest.raises(ValueError, match="layer 1 has the custom activation"):
        net.to_onnx(tmp_path / "net.onnx")
    assert not list(tmp_path.iterdir())


def test_subclasses_and_copies():
    class Mine(fn.Network):
        pass

    model = fn.Network([2, 3], seed=0).to_onnx()
    before = model.SerializeToString()
    net = Mine.from_onnx(model)
    assert type(net) is Mine
    net.parameters[:] = 0
    assert model.SerializeToString() == before


# -- models of others ------------------------------------------------------------------------------


def graph(nodes, arrays=None, shape=("n", 4), opset=20, outputs=("y",), dtype=np.float32):
    """A model of nodes (op, inputs, output, attributes), input x, with the arrays as constants."""
    helper = onnx.helper
    kind = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    made = [
        helper.make_node(op, list(inputs), [output], name=f"the_{op}_{k}", **attributes)
        for k, (op, inputs, output, attributes) in enumerate(nodes)
    ]
    arrays = {} if arrays is None else arrays
    proto = helper.make_graph(
        made,
        "g",
        [helper.make_tensor_value_info("x", kind, shape)],
        [helper.make_tensor_value_info(name, kind, ["rows", "columns"]) for name in outputs],
        [onnx.numpy_helper.from_array(np.asarray(a), name) for name, a in arrays.items()],
    )
    opsets = [helper.make_opsetid("", opset)]
    return helper.make_model(
        proto, opset_imports=opsets, ir_version=helper.find_min_ir_version_for(opsets)
    )


RNG = np.random.default_rng(5)
W = RNG.normal(size=(4, 3)).astype(np.float32)
B = RNG.normal(size=3).astype(np.float32)
V = RNG.normal(size=(3, 3)).astype(np.float32)
ONE, TWO, THREE = (np.float32(k) for k in (1, 2, 3))
GEMM = ("Gemm", ["x", "W", "B"], "z", {})
MATMUL = ("MatMul", ["x", "W"], "z", {})
SIZES = {"S": np.array([-1, 3])}

# nodes, further constants, activation
FOREIGN = {
    "MatMul and Add": ([MATMUL, ("Add", ["z", "B"], "y", {})], {}, "identity"),
    "Add the other way": ([MATMUL, ("Add", ["B", "z"], "y", {})], {}, "identity"),
    "Sub": ([MATMUL, ("Sub", ["z", "B"], "y", {})], {}, "identity"),
    "a row of biases": ([MATMUL, ("Add", ["z", "R"], "y", {})], {"R": B[None]}, "identity"),
    "Gemm and more": ([GEMM, ("Add", ["z", "B"], "y", {})], {}, "identity"),
    "alpha and beta": (
        [("Gemm", ["x", "W", "B"], "y", {"alpha": 0.5, "beta": -2.0})],
        {},
        "identity",
    ),
    "transB": ([("Gemm", ["x", "T", "B"], "y", {"transB": 1})], {"T": W.T.copy()}, "identity"),
    "one bias for all": ([("Gemm", ["x", "W", "C"], "y", {})], {"C": np.float32(2)}, "identity"),
    "Transpose of a constant": (
        [
            ("Transpose", ["T"], "Wt", {"perm": [1, 0]}),
            ("MatMul", ["x", "Wt"], "z", {}),
            ("Relu", ["z"], "y", {}),
        ],
        {"T": W.T.copy()},
        "relu",
    ),
    "Constant nodes": (
        [
            ("Constant", [], "C", {"value": onnx.numpy_helper.from_array(W)}),
            ("Constant", [], "h", {"value_float": 4.9}),
            ("MatMul", ["x", "C"], "z", {}),
            ("Mul", ["h", "z"], "s", {}),
            ("Sigmoid", ["s"], "y", {}),
        ],
        {},
        "steep_sigmoid",
    ),
    "nodes that do nothing": (
        [
            ("Identity", ["x"], "a", {}),
            ("Flatten", ["a"], "b", {}),
            ("Dropout", ["b", "r", "no"], "c", {}),
            ("Cast", ["c"], "d", {"to": 1}),
            ("Gemm", ["d", "W", "B"], "e", {}),
            ("Reshape", ["e", "S"], "f", {}),
            ("Tanh", ["f"], "g", {}),
            ("Dropout", ["g"], "y", {}),
        ],
        {"r": np.float32(0.5), "no": np.array(False), **SIZES},
        "tanh",
    ),
    "silu": ([GEMM, ("Sigmoid", ["z"], "s", {}), ("Mul", ["z", "s"], "y", {})], {}, "silu"),
    "silu turned": ([GEMM, ("Sigmoid", ["z"], "s", {}), ("Mul", ["s", "z"], "y", {})], {}, "silu"),
    "gelu by Erf": (
        [
            GEMM,
            ("Div", ["z", "r"], "a", {}),
            ("Erf", ["a"], "b", {}),
            ("Add", ["b", "one"], "c", {}),
            ("Mul", ["z", "c"], "d", {}),
            ("Mul", ["d", "half"], "y", {}),
        ],
        {"r": np.float32(np.sqrt(2)), "one": ONE, "half": np.float32(0.5)},
        "gelu",
    ),
    "gelu by Erf, another order": (
        [
            GEMM,
            ("Mul", ["z", "r"], "a", {}),
            ("Erf", ["a"], "b", {}),
            ("Add", ["one", "b"], "c", {}),
            ("Mul", ["half", "z"], "d", {}),
            ("Mul", ["c", "d"], "y", {}),
        ],
        {"r": np.float32(np.sqrt(0.5)), "one": ONE, "half": np.float32([0.5])},
        "gelu",
    ),
    "relu by Max": ([GEMM, ("Max", ["z", "o"], "y", {})], {"o": np.float32(0)}, "relu"),
    "relu by Clip": ([GEMM, ("Clip", ["z", "o"], "y", {})], {"o": np.float32(0)}, "relu"),
    "hard_tanh by Min and Max": (
        [GEMM, ("Clip", ["z", "l", "u"], "y", {})],
        {"l": -ONE, "u": ONE},
        "hard_tanh",
    ),
    "PRelu": ([GEMM, ("PRelu", ["z", "p"], "y", {})], {"p": np.float32([0.01])}, "leaky_relu"),
    "square by Pow": ([GEMM, ("Pow", ["z", "p"], "y", {})], {"p": TWO}, "square"),
    "cube by Pow": ([GEMM, ("Pow", ["z", "p"], "y", {})], {"p": THREE}, "cube"),
    "gaussian": (
        [
            GEMM,
            ("Pow", ["z", "p"], "a", {}),
            ("Mul", ["a", "m"], "b", {}),
            ("Exp", ["b"], "y", {}),
        ],
        {"p": TWO, "m": -ONE},
        "gaussian",
    ),
    "inverse by Div": ([GEMM, ("Div", ["o", "z"], "y", {})], {"o": ONE}, "inverse"),
    "step by Cast": (
        [GEMM, ("Greater", ["z", "o"], "a", {}), ("Cast", ["a"], "y", {"to": 1})],
        {"o": np.float32(0)},
        "step",
    ),
    "elliot by Div": (
        [
            GEMM,
            ("Abs", ["z"], "a", {}),
            ("Add", ["a", "one"], "b", {}),
            ("Mul", ["b", "two"], "c", {}),
            ("Div", ["z", "c"], "d", {}),
            ("Add", ["d", "half"], "y", {}),
        ],
        {"one": ONE, "two": TWO, "half": np.float32(0.5)},
        "elliot",
    ),
    "hard_sigmoid by Clip": (
        [
            GEMM,
            ("Add", ["z", "three"], "a", {}),
            ("Clip", ["a", "o", "six"], "b", {}),
            ("Div", ["b", "six"], "y", {}),
        ],
        {"three": THREE, "o": np.float32(0), "six": np.float32(6)},
        "hard_sigmoid",
    ),
    "mish": (
        [
            GEMM,
            ("Softplus", ["z"], "a", {}),
            ("Tanh", ["a"], "b", {}),
            ("Mul", ["z", "b"], "y", {}),
        ],
        {},
        "mish",
    ),
    "softmax along 1": ([GEMM, ("Softmax", ["z"], "y", {"axis": 1})], {}, "softmax"),
}


@pytest.mark.parametrize("what", FOREIGN)
def test_models_of_others(what):
    nodes, arrays, activation = FOREIGN[what]
    used = {name for node in nodes for name in node[1]}
    constants = {k: v for k, v in {"W": W, "B": B, **arrays}.items() if k in used}
    model = graph(nodes, constants)
    net = fn.Network.from_onnx(model)
    assert [layer.activation for layer in net.layers] == [activation]
    assert_same(net, model)


def test_two_layers_and_old_opset():
    """Bounds of Clip were attributes once, and softmax worked along axis 1 by default."""
    nodes = [
        GEMM,
        ("Clip", ["z"], "a", {"min": -1.0, "max": 1.0}),
        ("MatMul", ["a", "V"], "b", {}),
        ("Softmax", ["b"], "y", {}),
    ]
    model = graph(nodes, {"W": W, "B": B, "V": V}, opset=9)
    net = fn.Network.from_onnx(model)
    assert [layer.activation for layer in net.layers] == ["hard_tanh", "softmax"]
    assert_same(net, model)


def test_bias_of_one_unit():
    """One number behind a matrix of one column is its bias."""
    nodes = [MATMUL, ("Add", ["z", "B"], "a", {}), ("Exp", ["a"], "y", {})]
    model = graph(nodes, {"W": W[:, :1].copy(), "B": np.float32([0.7])})
    net = fn.Network.from_onnx(model)
    assert repr(net) == "Network([4, 1], output='exp')"
    assert_same(net, model)


def test_layer_norm_of_inputs():
    arrays = {"g": np.float32([1, 2, 3, 4]), "b": np.float32([0, 1, 0, 2]), "W": W}
    nodes = [
        ("LayerNormalization", ["x", "g", "b"], "n", {}),
        ("MatMul", ["n", "W"], "y", {}),
    ]
    model = graph(nodes, arrays)
    net = fn.Network.from_onnx(model)
    assert [layer.spec for layer in net.layers] == [
        fn.LayerNorm(),
        fn.Dense(3, bias=False),
    ]
    assert_same(net, model)


@pytest.mark.parametrize("op", ["Flatten", "Reshape"])
def test_images_are_flattened(op):
    """The network takes the rows that the graph flattens its input to."""
    arrays = {"W": W, "S": np.array([-1, 4])}
    node = ("Flatten", ["x"], "f", {}) if op == "Flatten" else ("Reshape", ["x", "S"], "f", {})
    if op == "Flatten":
        del arrays["S"]
    model = graph([node, ("MatMul", ["f", "W"], "y", {})], arrays, shape=("n", 1, 2, 2))
    net = fn.Network.from_onnx(model)
    x = np.arange(12, dtype=np.float32).reshape(3, 1, 2, 2)
    np.testing.assert_allclose(net(x.reshape(3, 4)), run(model, x), rtol=1e-5, atol=1e-5)


def test_half_precision_is_widened():
    model = graph([("MatMul", ["x", "W"], "y", {})], {"W": W.astype(np.float16)}, dtype=np.float16)
    net = fn.Network.from_onnx(model)
    assert net.dtype == np.float32
    np.testing.assert_array_equal(net.layers[0].weights, W.astype(np.float16))


def test_functions_of_the_model():
    """Functions that a model defines are put in their place."""
    helper = onnx.helper
    opsets = [helper.make_opsetid("", 20), helper.make_opsetid("mine", 1)]
    function = helper.make_function(
        "mine", "Twice", ["a"], ["b"], [helper.make_node("Tanh", ["a"], ["b"])], opsets[:1]
    )
    model = graph([GEMM, ("Identity", ["z"], "y", {})], {"W": W, "B": B})
    model.graph.node[1].CopyFrom(helper.make_node("Twice", ["z"], ["y"], domain="mine"))
    model.functions.append(function)
    del model.opset_import[:]
    model.opset_import.extend(opsets)
    model.ir_version = 10
    net = fn.Network.from_onnx(model)
    assert net.layers[0].activation == "tanh"


@pytest.mark.parametrize("name", [n for n in fn.activations.names() if n != "step"])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_models_of_torch(name):
    """What PyTorch makes of our module; its exporter says that it will be another one day."""
    torch = pytest.importorskip("torch", exc_type=ImportError)
    net = fn.Network([4, 5, 3], hidden=name, output="softmax", seed=0)
    module = net.to_torch()
    path = pytest.importorskip("io").BytesIO()
    torch.onnx.export(module, (torch.ones(1, 4),), path, dynamo=False, opset_version=17)
    again = fn.Network.from_onnx(path.getvalue())
    assert [layer.activation for layer in again.layers] == [name, "softmax"]
    assert again.parameters.tobytes() == net.parameters.tobytes()


# -- what is not supported -------------------------------------------------------------------------

TANH = ("Tanh", ["z"], "t", {})
BAD = {
    "an unknown node": (
        [GEMM, ("ArgMax", ["z"], "y", {})],
        r"node 1 \(ArgMax 'the_ArgMax_1'\) is not supported",
    ),
    "a residual": (
        [GEMM, TANH, ("Gemm", ["t", "V"], "v", {}), ("Add", ["v", "t"], "y", {})],
        r"node 3 \(Add 'the_Add_3'\) joins two branches",
    ),
    "a product of inputs": (
        [GEMM, ("MatMul", ["z", "z"], "y", {})],
        r"node 1 \(MatMul .*joins two computed",
    ),
    "weights first": ([("MatMul", ["V", "x"], "y", {})], r"node 0 .*constant first input"),
    "transA": ([("Gemm", ["x", "W"], "y", {"transA": 1})], r"node 0 \(Gemm .*transA=1"),
    "a slope": (
        [GEMM, ("LeakyRelu", ["z"], "y", {"alpha": 0.2})],
        r"node 1 \(LeakyRelu 'the_LeakyRelu_1'\) ends a formula that is no activation",
    ),
    "gelu by tanh": (
        [GEMM, ("Gelu", ["z"], "y", {"approximate": "tanh"})],
        r"node 1 \(Gelu .*no activation",
    ),
    "two activations": (
        [GEMM, TANH, ("Sin", ["t"], "y", {})],
        r"node 2 \(Sin .*no activation",
    ),
    "two activations around nothing": (
        [GEMM, ("Softmax", ["z"], "s", {}), ("Softmax", ["s"], "y", {})],
        r"node 2 \(Softmax .*no activation",
    ),
    "an activation of the input": (
        [("Relu", ["x"], "a", {}), ("MatMul", ["a", "W"], "y", {})],
        r"node 0 \(Relu .*applied to the inputs",
    ),
    "another axis": (
        [GEMM, ("Softmax", ["z"], "y", {"axis": 0})],
        r"node 1 \(Softmax .*axis 0",
    ),
    "a factor a unit": ([GEMM, ("Mul", ["z", "B"], "y", {})], r"node 1 \(Mul .*shape \(3,\)"),
    "sizes": (
        [GEMM, ("MatMul", ["z", "W"], "y", {})],
        r"node 1 \(MatMul .*takes 4 values, but the layer before gives 3",
    ),
    "rows mixed": (
        [GEMM, ("Reshape", ["z", "S6"], "y", {})],
        r"node 1 \(Reshape .*\[-1, 6\]",
    ),
    "training": (
        [GEMM, ("Dropout", ["z", "r", "yes"], "y", {})],
        r"node 1 \(Dropout .*training",
    ),
    "integers": ([("MatMul", ["x", "I"], "y", {})], r"node 0 \(MatMul .*int64"),
    "a long formula": (
        [GEMM, *[("Mul", [a, a], b, {}) for a, b in zip("zabcdefgh", "abcdefghy", strict=True)]],
        r"node 7 \(Mul .*no activation",
    ),
    "no layers": ([("Identity", ["x"], "y", {})], "no layers"),
    "constants only": (
        [GEMM, ("Add", ["B", "B"], "y", {})],
        r"node 1 \(Add .*constants only",
    ),
}
CONSTANTS = {
    "W": W,
    "B": B,
    "V": V,
    "S6": np.array([-1, 6]),
    "r": np.float32(0.5),
    "yes": np.array(True),
    "I": np.ones((4, 2), np.int64),
}


@pytest.mark.parametrize("what", BAD)
def test_what_is_not_supported(what):
    nodes, message = BAD[what]
    used = {name for node in nodes for name in node[1]}
    model = graph(nodes, {k: v for k, v in CONSTANTS.items() if k in used})
    with pytest.raises(ValueError, match=message):
        fn.Network.from_onnx(model)


def test_operators_of_others():
    model = graph([GEMM, ("Relu", ["z"], "y", {})], {"W": W, "B": B})
    model.graph.node[1].CopyFrom(
        onnx.helper.make_node("FastGelu", ["z"], ["y"], domain="com.microsoft")
    )
    model.opset_import.append(onnx.helper.make_opsetid("com.microsoft", 1))
    with pytest.raises(ValueError, match=r"node 1 \(com\.microsoft\.FastGelu\) is not supported"):
        fn.Network.from_onnx(model)


def test_inputs_and_outputs():
    model = graph([GEMM, ("Tanh", ["z"], "y", {})], {"W": W, "B": B}, outputs=("y", "z"))
    with pytest.raises(ValueError, match="one output, got 2"):
        fn.Network.from_onnx(model)
    with pytest.raises(ValueError, match="one input, got 2"):
        fn.Network.from_onnx(model_of_two_inputs())
    with pytest.raises(ValueError, match=r"expected \(n_rows, n_inputs\)"):
        fn.Network.from_onnx(graph([("MatMul", ["x", "W"], "y", {})], {"W": W}, shape=(4,)))
    with pytest.raises(ValueError, match="the input has 5 columns, but the first layer takes 4"):
        fn.Network.from_onnx(graph([("MatMul", ["x", "W"], "y", {})], {"W": W}, shape=("n", 5)))
    with pytest.raises(ValueError, match="rows of 3 dimensions"):
        fn.Network.from_onnx(
            graph([("MatMul", ["x", "W"], "y", {})], {"W": W}, shape=("n", 2, 2, 4))
        )


def model_of_two_inputs():
    model = graph([("MatMul", ["x", "W"], "y", {})])
    model.graph.input.append(onnx.helper.make_tensor_value_info("W", 1, [4, 3]))
    return model


@pytest.mark.parametrize("content", [b"", b"no model", bytes(100), b"\xff" * 50])
def test_no_model(content, tmp_path):
    path = tmp_path / "net.onnx"
    path.write_bytes(content)
    for source in (content, path):
        with pytest.raises(fn.FileFormatError, match="no ONNX model"):
            fn.Network.from_onnx(source)


@pytest.mark.parametrize("source", [None, 3, [b""], onnx.ModelProto])
def test_something_else(source):
    with pytest.raises(TypeError, match=r"model must be an onnx\.ModelProto, bytes or a path"):
        fn.Network.from_onnx(source)


@pytest.mark.parametrize("seed", range(4))
def test_damaged_models(seed):
    """Whatever the bytes, a network or a ValueError."""
    rng = np.random.default_rng(seed)
    net = fn.Network([3, 4, 2], hidden="elu", output="softmax", seed=0)
    good = net.to_onnx().SerializeToString()
    failed = 0
    for _ in range(100):
        content = bytearray(good)
        for _ in range(rng.integers(1, 4)):
            content[rng.integers(len(content))] = rng.integers(256)
        content = content[: rng.integers(len(content))] if rng.random() < 0.2 else content
        try:
            fn.Network.from_onnx(bytes(content))
        except ValueError:
            failed += 1
    assert failed > 20
