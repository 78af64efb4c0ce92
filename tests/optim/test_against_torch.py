"""First-order optimizers against PyTorch's, which other people wrote.

The formulas agree, epsilon included; only names differ: RMSProp's ``decay`` is alpha, Adagrad's
``initial`` is initial_accumulator_value, Rprop's ``shrink`` and ``grow`` are etas.
"""

import numpy as np
import pytest

from fastnet import optim

torch = pytest.importorskip("torch")

PAIRS = [
    (optim.SGD(0.1, momentum=0.9), lambda p: torch.optim.SGD(p, 0.1, momentum=0.9)),
    (
        optim.SGD(0.1, momentum=0.9, nesterov=True, weight_decay=0.1),
        lambda p: torch.optim.SGD(p, 0.1, momentum=0.9, nesterov=True, weight_decay=0.1),
    ),
    (optim.Adam(0.1), lambda p: torch.optim.Adam(p, 0.1)),
    (
        optim.Adam(0.1, 0.5, 0.75, 1e-3),
        lambda p: torch.optim.Adam(p, 0.1, betas=(0.5, 0.75), eps=1e-3),
    ),
    (optim.AdamW(0.1), lambda p: torch.optim.AdamW(p, 0.1)),
    (
        optim.AdamW(0.1, weight_decay=0.5, epsilon=0.1),
        lambda p: torch.optim.AdamW(p, 0.1, weight_decay=0.5, eps=0.1),
    ),
    (optim.RMSProp(0.1, 0.99), lambda p: torch.optim.RMSprop(p, 0.1)),
    (
        optim.RMSProp(0.1, momentum=0.9, weight_decay=0.1, epsilon=0.01),
        lambda p: torch.optim.RMSprop(
            p, 0.1, alpha=0.9, momentum=0.9, weight_decay=0.1, eps=0.01
        ),
    ),
    (
        optim.RMSProp(0.1, 0.75, momentum=0.5, centered=True, epsilon=0.1),
        lambda p: torch.optim.RMSprop(
            p, 0.1, alpha=0.75, momentum=0.5, centered=True, eps=0.1
        ),
    ),
    (optim.Adagrad(0.1), lambda p: torch.optim.Adagrad(p, 0.1)),
    (
        optim.Adagrad(0.1, initial=0.5, epsilon=0.1, weight_decay=0.1),
        lambda p: torch.optim.Adagrad(
            p, 0.1, initial_accumulator_value=0.5, eps=0.1, weight_decay=0.1
        ),
    ),
    (optim.Rprop(), lambda p: torch.optim.Rprop(p)),
    (
        optim.Rprop(0.5, grow=1.5, shrink=0.25, min_step=0.1, max_step=0.7),
        lambda p: torch.optim.Rprop(p, 0.5, etas=(0.25, 1.5), step_sizes=(0.1, 0.7)),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("ours", "theirs"), PAIRS, ids=lambda p: repr(p)[:60])
def test_twenty_steps(ours, theirs, dtype):
    ours.reset()
    rng = np.random.default_rng(0)
    x = rng.normal(size=50).astype(dtype)
    parameter = torch.tensor(x)
    parameter.requires_grad_()
    optimizer = theirs([parameter])
    for step in range(20):
        gradient = rng.normal(size=50).astype(dtype)
        parameter.grad = torch.tensor(gradient)
        optimizer.step()
        ours.step(x, gradient)
        eps = 64 * (step + 1) * np.finfo(dtype).eps
        np.testing.assert_allclose(x, parameter.detach().numpy(), rtol=eps, atol=eps)


@pytest.mark.parametrize(("clip", "function"), [
    ({"clip_norm": 2.0}, lambda p: torch.nn.utils.clip_grad_norm_(p, 2.0)),
    ({"clip_value": 0.5}, lambda p: torch.nn.utils.clip_grad_value_(p, 0.5)),
])  # fmt: skip
def test_clipping(clip, function, dtype):
    gradient = np.random.default_rng(0).normal(size=50).astype(dtype)
    x = np.zeros(50, dtype)
    optim.SGD(1.0, **clip).step(x, gradient)
    parameter = torch.zeros(50, dtype=getattr(torch, dtype), requires_grad=True)
    parameter.grad = torch.tensor(gradient)
    function([parameter])
    # PyTorch divides by norm + 1e-6
    np.testing.assert_allclose(x, -parameter.grad.numpy(), rtol=1e-6, atol=0)
