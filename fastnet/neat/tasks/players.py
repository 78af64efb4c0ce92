"""Networks of all kinds that act in many rows at once, each with the bits that it has alone."""

import copy

import numpy as np

from fastnet.neat.batch import NetworkBatch
from fastnet.neat.network import Network
from fastnet.nn.network import Network as DenseNetwork

__all__ = ["alone", "output_activations", "together"]


def together(networks, n_outputs):
    """``predict(X, live)`` of row k for network k, and what brings them into a blank state."""
    if all(isinstance(network, Network) for network in networks):
        genomes = [network.genome for network in networks]
        batch = NetworkBatch(genomes, networks[0].mode, networks[0].dtype)
        return lambda X, live: batch.step(X), batch.reset
    return _one_by_one([_one_row(network) for network in networks], n_outputs), lambda: None


def alone(network, n, n_outputs):
    """``predict(X, live)`` of n rows for one network, each from a blank state."""
    if isinstance(network, Network):
        n_states = n if network.mode == "recurrent" else 1
        copies = [copy.copy(network) for _ in range(n_states)]
        for each in copies:
            each.reset()
        return _one_by_one([each.step for each in copies] * (n // n_states), n_outputs)
    if isinstance(network, DenseNetwork):
        return _one_by_one([network] * n, n_outputs)
    return lambda X, live: network(X)


def _one_by_one(functions, n_outputs):
    # Many rows at once would have other bits than one, and so would many networks in a batch.
    def predict(X, live):
        outputs = np.zeros((len(X), n_outputs))
        for k in live.tolist():
            outputs[k] = functions[k](X[k])
        return outputs

    return predict


def _one_row(network):
    if isinstance(network, DenseNetwork):
        return network

    def predict(x):
        (y,) = np.asarray(network(x[np.newaxis]))
        return y

    return predict


def output_activations(network, n):
    """Activations of the outputs, None where nothing is known of them."""
    if isinstance(network, Network):
        nodes = network.genome.nodes
        return nodes["activation"][nodes["kind"] == "output"].tolist()
    layers = getattr(network, "layers", None)
    return [getattr(layers[-1], "activation", None) if layers else None] * n
