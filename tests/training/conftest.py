"""Small problems that several files train on."""

import numpy as np
import pytest

import fastnet as fn


@pytest.fixture
def regression():
    """A function that makes a network, its rows and targets."""

    def make(dtype, n_rows=24, sizes=(3, 8, 2), seed=0):
        rng = np.random.default_rng(seed)
        x = rng.normal(size=(n_rows, sizes[0])).astype(dtype)
        y = np.stack([np.sin(x[:, 0]) + x[:, 1], x.sum(axis=1) / 2], axis=1)[:, : sizes[-1]]
        return fn.Network(list(sizes), hidden="tanh", dtype=dtype, seed=1), x, y.astype(dtype)

    return make


@pytest.fixture
def classification():
    """A function that makes a network, its rows and labels."""

    def make(dtype, n_rows=60, hidden="tanh"):
        rng = np.random.default_rng(2)
        labels = rng.integers(0, 3, n_rows)
        centers = np.array([[2.0, 0, 0, 1], [0, 2, 0, -1], [-1, -1, 1, 0]])
        x = (centers[labels] + rng.normal(size=(n_rows, 4))).astype(dtype)
        net = fn.Network([4, 9, 3], hidden=hidden, output="softmax", dtype=dtype, seed=1)
        return net, x, labels

    return make
