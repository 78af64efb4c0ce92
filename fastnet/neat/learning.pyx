"""Backpropagation through the network of a genome: gradients, and training that the genome keeps.

What trains dense networks (`fastnet.training`) trains these as well; here are what is different:
the mode must be feed_forward, and the trained parameters go back to the genes.
"""

import numpy as np

cimport numpy as cnp

from fastnet.training import fit as training

from fastnet._arrays cimport convert, itemsize_of
from fastnet._kernels.table cimport FEED_FORWARD_GRAPH
from fastnet._workspace cimport Workspace, acquire, release
from fastnet.neat._genes cimport Genes, equal_structure
from fastnet.neat._rules cimport FEED_FORWARD, NODE_BIASES
from fastnet.neat.genome cimport Genome, genome_of
from fastnet.neat.network cimport Network
from fastnet.training cimport gradient as training_gradient

cnp.import_array()

__all__ = ["evaluate", "fit", "jacobian", "loss_and_gradient", "update_genome"]


cdef int check_mode(Network network) except -1:
    network.check_built()
    if network.mode_id != FEED_FORWARD or network.graph.mode != FEED_FORWARD_GRAPH:
        raise ValueError(
            f"backpropagation needs a network of mode 'feed_forward', this one is "
            f"{network.mode!r}: make one with genome.network('feed_forward')")
    return 0


def loss_and_gradient(Network network not None, X, y, loss, sample_weight, reduction, out):
    """See `fastnet.neat.Network.loss_and_gradient`."""
    check_mode(network)
    return training_gradient.loss_and_gradient(
        network, network.workspace, network.parameters, X, y, loss, sample_weight, reduction, out)


def jacobian(Network network not None, X, bint by_inputs):
    """See `fastnet.neat.Network.jacobian` and `fastnet.neat.Network.input_jacobian`."""
    check_mode(network)
    cdef cnp.ndarray x = convert(X, "X", network.typenum)
    cdef int ndim = cnp.PyArray_NDIM(x)
    if ndim != 1 and ndim != 2 or cnp.PyArray_DIM(x, ndim - 1) != network.n_inputs:
        raise ValueError(
            f"X must have shape ({network.n_inputs},) or (n_rows, {network.n_inputs}), "
            f"got {np.shape(x)}"
        )
    cdef Py_ssize_t n_rows = cnp.PyArray_DIM(x, 0) if ndim == 2 else 1, row
    cdef Py_ssize_t n = network.n_inputs if by_inputs else network.n_parameters
    cdef Py_ssize_t itemsize = itemsize_of(network.typenum)
    cdef cnp.ndarray derivatives = np.empty((n_rows, network.n_outputs, n), network.dtype)
    cdef const char *source = <const char *> cnp.PyArray_DATA(x)
    cdef char *target = <char *> cnp.PyArray_DATA(derivatives)
    cdef Workspace workspace = acquire(network.workspace, network.jacobian_bytes())
    with nogil:
        for row in range(n_rows):
            network.kernels.graph_jacobian(
                network.graph, network.data, source + row * network.n_inputs * itemsize,
                NULL if by_inputs else target, target if by_inputs else NULL, workspace.data)
            target += network.n_outputs * n * itemsize
    release(workspace)
    return derivatives if ndim == 2 else derivatives[0]


def fit(Network network not None, X, y, *options):
    """See `fastnet.neat.Network.fit`; options: its further arguments, in their order."""
    cdef Genome genome, before
    check_mode(network)
    if network.n_parameters == 0:
        raise ValueError("the genome has no enabled connection and no bias: nothing can be trained")
    network.check_genome()
    genome = network.genome
    before = genome_of(genome.config, &genome.genes, None)
    history = training.fit(network, X, y, *options)
    if not equal_structure(&before.genes, &genome.genes):
        raise ValueError(
            "the genome got other connections or nodes during the training: it was left as it is, "
            "the trained weights are in network.parameters")
    scatter(network, genome)
    return history


def evaluate(Network network not None, X, y, loss, metrics):
    """See `fastnet.neat.Network.evaluate`."""
    check_mode(network)
    return training.evaluate(network, X, y, loss, metrics)


def update_genome(Network network not None):
    """See `fastnet.neat.Network.update_genome`."""
    network.check_built()
    network.check_genome()
    scatter(network, network.genome)


cdef int scatter(Network network, Genome genome) except -1:
    """The parameters to the genes they came from."""
    cdef Genes *genes = &genome.genes
    cdef Py_ssize_t i, k = 0
    cdef cnp.ndarray values = np.asarray(network.parameters, np.float64)
    cdef const double *p = <const double *> cnp.PyArray_DATA(values)
    if not np.isfinite(values).all():
        raise ValueError(
            f"network.parameters[{int(np.argmin(np.isfinite(values)))}] is not finite: the genome "
            "was left as it is")
    for i in range(genes.n_connections):
        if genes.enabled[i]:
            genes.weight[i] = p[k]
            k += 1
    if genome.rules.bias == NODE_BIASES:
        for i in range(genome.rules.n_sources, genes.n_nodes):
            genes.bias[i] = p[k]
            k += 1
    # that of other weights
    genome.fitness = None
    return 0
