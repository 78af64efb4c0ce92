"""Networks from and for PyTorch, whose own results are what is expected."""

import pickle

import numpy as np
import pytest

import fastnet as fn

torch = pytest.importorskip("torch", exc_type=ImportError)
nn = torch.nn

# no zero, where inverse and step jump; log is for the positive ones
Z = np.array([-20, -3.5, -3, -1, -0.7, -0.01, 0.02, 0.5, 1, 2.5, 3, 4, 15])
FROM_TORCH = {
    "identity": nn.Identity(),
    "relu": nn.ReLU(),
    "leaky_relu": nn.LeakyReLU(),
    "elu": nn.ELU(),
    "selu": nn.SELU(),
    "gelu": nn.GELU(),
    "silu": nn.SiLU(),
    "mish": nn.Mish(),
    "sigmoid": nn.Sigmoid(),
    "tanh": nn.Tanh(),
    "softplus": nn.Softplus(),
    "softsign": nn.Softsign(),
    "hard_tanh": nn.Hardtanh(),
    "hard_sigmoid": nn.Hardsigmoid(),
    "softmax": nn.Softmax(dim=1),
}


def run(module, x, dtype):
    with torch.no_grad():
        return module(torch.from_numpy(np.asarray(x, dtype))).numpy()


def assert_same(net, module, n_rows=7):
    """Both on the same rows; the error of sums in another order, grown by each layer."""
    x = np.random.default_rng(0).normal(size=(n_rows, net.n_inputs)).astype(net.dtype)
    expected = run(module, x, net.dtype)
    growth, terms = 1.0, 0
    for layer in net.layers:
        terms += layer.n_inputs + 8
        if layer.weights is not None:
            growth *= max(1.0, np.linalg.norm(layer.weights, 2))
    tolerance = np.finfo(net.dtype).eps * terms * growth * max(1.0, np.abs(expected).max())
    np.testing.assert_allclose(net(x), expected, rtol=0, atol=tolerance)


def double(module):
    return module.to(torch.float64)


def units(name, dtype, n):
    """A network that is the activation alone."""
    return fn.Network.from_arrays([(np.eye(n), None, name)], dtype=dtype)


@pytest.mark.parametrize("name", fn.activations.names())
def test_every_activation_there_and_back(name, dtype, oracle):
    net = units(name, dtype, len(Z))
    module = net.to_torch()
    z = np.abs(Z) if name == "log" else Z
    expected = oracle.activate(name, z[None, :])
    eps = np.finfo(dtype).eps
    # e^z and powers amplify the rounding of z by up to |z|; 1 + erf and e^z - 1 cancel below 0
    tolerance = eps * (32 * np.abs(expected) + 4 * np.maximum(1, np.abs(z)))
    assert (np.abs(run(module, z[None], dtype) - expected) <= tolerance).all()
    again = fn.Network.from_torch(module)
    assert repr(again) == repr(net)
    assert again.parameters.tobytes() == net.parameters.tobytes()


@pytest.mark.parametrize("name", FROM_TORCH)
def test_activations_of_torch(name, dtype):
    module = nn.Sequential(nn.Linear(5, 4), FROM_TORCH[name], nn.Linear(4, 3)).to(
        getattr(torch, dtype)
    )
    net = fn.Network.from_torch(module)
    assert net.layers[0].activation == name
    assert net.dtype == dtype
    assert_same(net, module)


def test_layers(dtype):
    torch.manual_seed(0)
    module = nn.Sequential(
        nn.Flatten(),
        nn.Sequential(nn.Linear(6, 9, bias=False), nn.Dropout(0.3), nn.ReLU(), nn.Identity()),
        nn.LayerNorm(9, eps=1e-3),
        nn.Sequential(nn.Tanh(), nn.Sequential(nn.Dropout(0.1), nn.Linear(9, 4))),
        nn.LayerNorm([4], elementwise_affine=False),
        nn.Softmax(dim=-1),
    ).to(getattr(torch, dtype))
    with torch.no_grad():
        module[2].weight.uniform_(-1, 1)
        module[2].bias.uniform_(-1, 1)
    net = fn.Network.from_torch(module)
    specs = [layer.spec for layer in net.layers]
    assert specs == [
        fn.Dense(9, "relu", bias=False),
        fn.Dropout(0.3),
        fn.LayerNorm("tanh", epsilon=1e-3),
        fn.Dropout(0.1),
        fn.Dense(4),
        fn.LayerNorm("softmax"),
    ]
    assert_same(net, module.eval())
    again = net.to_torch()
    assert not again.training
    assert_same(net, again)
    kinds = " ".join(type(part).__name__ for part in again)
    assert kinds == "Linear ReLU Dropout LayerNorm Tanh Dropout Linear LayerNorm Softmax"
    assert repr(fn.Network.from_torch(again)) == repr(net)


def test_layer_norm_without_biases():
    module = nn.Sequential(nn.Linear(3, 4), nn.LayerNorm(4, bias=False))
    with torch.no_grad():
        module[1].weight.uniform_(-1, 1)
    assert_same(fn.Network.from_torch(module), module)


def test_one_module():
    module = nn.Linear(3, 2)
    net = fn.Network.from_torch(module)
    assert repr(net) == "Network([3, 2])"
    assert_same(net, module)


def test_arrays_are_copies(dtype):
    module = nn.Sequential(nn.Linear(3, 2)).to(getattr(torch, dtype))
    net = fn.Network.from_torch(module)
    before = module[0].weight.detach().numpy().copy()
    np.testing.assert_array_equal(net.layers[0].weights, before.T)
    np.testing.assert_array_equal(net.layers[0].biases, module[0].bias.detach().numpy())
    net.parameters[:] = 0
    np.testing.assert_array_equal(module[0].weight.detach().numpy(), before)
    other = net.to_torch()
    with torch.no_grad():
        other[0].weight.fill_(3)
    assert not net.parameters.any()


def test_training_goes_on_in_torch():
    """Gradients flow through what to_torch makes, and are those of fastnet."""
    net = fn.Network([4, 6, 3], hidden="tanh", dtype="float64", seed=0)
    x = np.random.default_rng(0).normal(size=(5, 4))
    y = np.ones((5, 3))
    module = net.to_torch().train()
    loss = ((module(torch.from_numpy(x)) - torch.from_numpy(y)) ** 2).sum(1).mean()
    loss.backward()
    value, gradient = net.loss_and_gradient(x, y)
    got = [(p.grad.T if p.ndim == 2 else p.grad).reshape(-1) for p in module.parameters()]
    assert loss.item() == pytest.approx(value, rel=1e-14)
    np.testing.assert_allclose(torch.cat(got).numpy(), gradient, rtol=1e-12, atol=1e-14)


def test_no_random_numbers_are_drawn():
    net = fn.Network([4, 6, 3], seed=0)
    state = torch.get_rng_state()
    net.to_torch()
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("kind", ["float16", "bfloat16"])
def test_half_precision_is_widened(kind):
    module = nn.Linear(3, 2).to(getattr(torch, kind))
    net = fn.Network.from_torch(module)
    assert net.dtype == np.float32
    np.testing.assert_array_equal(net.layers[0].weights, module.weight.detach().float().numpy().T)


def test_mixed_precision_takes_the_wider():
    module = nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 2).double())
    net = fn.Network.from_torch(module)
    assert net.dtype == np.float64
    np.testing.assert_array_equal(net.layers[0].weights, module[0].weight.detach().numpy().T)


def test_softplus_between_the_thresholds():
    """PyTorch goes over to z at a threshold; what to_torch makes has one where nothing is lost."""
    z = np.array([[19.0, 21.0, 30.0, 50.0]])
    net = units("softplus", "float64", 4)
    np.testing.assert_allclose(run(net.to_torch(), z, "float64"), net(z), rtol=4e-16)


def test_subclasses():
    class Mine(fn.Network):
        pass

    class Wide(nn.Linear):
        def __init__(self):
            super().__init__(3, 8)

    net = Mine.from_torch(nn.Sequential(Wide(), nn.Tanh()))
    assert type(net) is Mine


def test_modules_pickle():
    module = fn.Network([2, 3], output="gaussian", seed=0).to_torch()
    again = pickle.loads(pickle.dumps(module))
    x = torch.ones(1, 2)
    assert torch.equal(again(x), module(x))


class Doubled(nn.Linear):
    def forward(self, x):
        return 2 * super().forward(x)


def hooked():
    module = nn.Linear(3, 3)
    module.register_forward_hook(lambda module, inputs, output: 2 * output)
    return module


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ([nn.Linear(3, 3), nn.Conv2d(1, 1, 1)], r"layer 1: torch\.nn\.Conv2d is not supported"),
        ([nn.Sequential(nn.Linear(3, 3), nn.GRU(3, 3))], r"layer 0\.1: torch\.nn\.GRU"),
        ([nn.Linear(3, 3), nn.BatchNorm1d(3)], r"layer 1: torch\.nn\.BatchNorm1d"),
        ([nn.Linear(3, 3), nn.LeakyReLU(0.2)], r"layer 1: .*LeakyReLU has negative_slope=0\.2"),
        ([nn.Linear(3, 3), nn.ELU(0.5)], r"layer 1: .*ELU has alpha=0\.5"),
        ([nn.Linear(3, 3), nn.GELU("tanh")], r"layer 1: .*GELU has approximate='tanh'"),
        ([nn.Linear(3, 3), nn.Softmax(0)], r"layer 1: .*Softmax has dim=0"),
        ([nn.Linear(3, 3), nn.Softplus(2)], r"layer 1: .*Softplus has beta=2"),
        ([nn.Linear(3, 3), nn.Softplus(threshold=5)], r"layer 1: .*threshold=5"),
        ([nn.Linear(3, 3), nn.Hardtanh(0, 6)], r"layer 1: .*Hardtanh clips to 0"),
        ([nn.Linear(3, 3), nn.ReLU6()], r"layer 1: torch\.nn\.ReLU6"),
        ([nn.Linear(3, 3), nn.LogSoftmax(1)], r"layer 1: torch\.nn\.LogSoftmax"),
        ([nn.Linear(3, 4), nn.Linear(3, 4)], r"layer 1: .*Linear takes 3 values.* gives 4"),
        ([nn.Linear(3, 4), nn.LayerNorm(5)], r"layer 1: .*LayerNorm takes 5 values.* gives 4"),
        ([nn.Linear(3, 4), nn.LayerNorm([2, 4])], r"layer 1: .*LayerNorm normalizes over 2 axes"),
        ([nn.ReLU(), nn.Linear(3, 3)], r"layer 0: torch\.nn\.ReLU is applied to the inputs"),
        ([nn.Linear(3, 3), nn.ReLU(), nn.Tanh()], r"layer 2: torch\.nn\.Tanh follows .*'relu'"),
        ([nn.Linear(3, 3), nn.Dropout(), nn.Tanh()], r"layer 2: torch\.nn\.Tanh follows dropout"),
        ([nn.Linear(3, 3), nn.Dropout(1.0)], r"layer 1: torch\.nn\.Dropout: rate"),
        ([nn.Linear(3, 3), nn.Flatten(0)], r"layer 1: torch\.nn\.Flatten"),
        ([nn.Linear(3, 3), Doubled(3, 3)], r"layer 1: .*Doubled is not supported"),
        ([nn.Linear(3, 3), hooked()], r"layer 1: torch\.nn\.Linear has forward hooks"),
        ([nn.LazyLinear(3)], r"layer 0: torch\.nn\.LazyLinear has parameters without values"),
        ([nn.Linear(3, 3, device="meta")], r"layer 0: .*Linear has parameters without values"),
        ([nn.Linear(3, 3, dtype=torch.complex64)], r"layer 0: .*Linear.*complex64"),
        ([], "no layers"),
        ([nn.Dropout()], "no layers"),
    ],
)
def test_what_is_not_supported(parts, message):
    with pytest.raises(ValueError, match=message):
        fn.Network.from_torch(nn.Sequential(*parts))


def test_names_of_parts_are_shown():
    module = nn.Sequential()
    module.add_module("first", nn.Linear(3, 3))
    module.add_module("second", nn.Conv1d(1, 1, 1))
    with pytest.raises(ValueError, match=r"layer 1 \('second'\): torch\.nn\.Conv1d"):
        fn.Network.from_torch(module)


@pytest.mark.parametrize("module", [None, "model.pt", nn.Linear, torch.ones(2)])
def test_no_module(module):
    with pytest.raises(TypeError, match=r"module must be a torch\.nn\.Module"):
        fn.Network.from_torch(module)


def test_custom_activation():
    bent = fn.Activation(lambda z: z, lambda z, a: np.ones_like(z))
    net = fn.Network(2, layers=[fn.Dense(2), fn.Dense(1, bent)])
    with pytest.raises(ValueError, match="layer 1 has the custom activation"):
        net.to_torch()
