"""What every node of a network computes, step by step: for people who look, and for tests."""

import numpy as np

cimport numpy as cnp
from libc.stdint cimport int32_t

from fastnet._checks import checked_int

from fastnet._arrays cimport convert
from fastnet._kernels.table cimport RECURRENT_GRAPH, Graph
from fastnet._workspace cimport Memory, as_array, new_memory
from fastnet.neat._genes cimport Genes
from fastnet.neat._rules cimport FEED_FORWARD, RECURRENT
from fastnet.neat.genome cimport Genome
from fastnet.neat.graph cimport compile_graph, compile_scratch, graph_bytes, node_slots
from fastnet.neat.network cimport Network

cnp.import_array()

__all__ = ["trace"]


def trace(Network network not None, x, steps):
    """See `fastnet.neat.Network.trace`."""
    cdef Genome genome
    cdef const Genes *genes
    cdef Graph *graph
    cdef const int32_t *slots
    cdef Py_ssize_t n_steps = checked_int(steps, "steps", 0), n_nodes, n_slots, i, k, t, e
    cdef Py_ssize_t plan
    cdef cnp.ndarray row, y
    cdef Memory scratch, state
    network.check_built()
    row = convert(x, "x", network.typenum)
    if cnp.PyArray_NDIM(row) != 1 or cnp.PyArray_DIM(row, 0) != network.n_inputs:
        raise ValueError(f"x must have shape ({network.n_inputs},), got {np.shape(row)}")
    network.check_genome()
    genome = network.genome
    genes = &genome.genes
    n_nodes = genes.n_nodes
    plan = graph_bytes(genes.n_connections, n_nodes)
    scratch = new_memory(plan + compile_scratch(genes.n_connections, n_nodes))
    # With the nodes that no output depends on; parameters have the same numbers as in the network's
    graph = compile_graph(genes, genome.rules, network.mode_id, True, scratch.data,
                          <char *> scratch.data + plan)
    slots = node_slots(genes, <char *> scratch.data + plan)
    columns = np.array([slots[i] for i in range(n_nodes)])
    n_slots = graph.n_sources + graph.n_nodes
    if network.mode_id != FEED_FORWARD:
        graph.mode = RECURRENT_GRAPH
    state = new_memory(network.kernels.graph_state(graph))
    network.kernels.graph_reset(graph, state.data)
    values = as_array(state, n_slots, network.typenum)
    values[:network.n_inputs] = row
    # depth: of the layer; fired: what was computed in the step before
    depth = np.zeros(n_slots, np.intp)
    fired = np.arange(n_slots) < graph.n_sources
    active = fired.copy()
    edges = [
        [graph.source[e] for e in range(graph.first[k], graph.first[k + 1])]
        for k in range(graph.n_nodes)
    ]
    y = np.empty(network.n_outputs, network.dtype)
    out = np.full((n_steps + 1, n_nodes), np.nan, network.dtype)
    if network.mode_id == FEED_FORWARD:
        for k in range(graph.n_nodes):
            depth[graph.n_sources + k] = 1 + max((depth[i] for i in edges[k]), default=0)
        network.kernels.graph_step(graph, network.data, cnp.PyArray_DATA(row), cnp.PyArray_DATA(y),
                                   state.data)
    for t in range(n_steps + 1):
        if network.mode_id == FEED_FORWARD:
            active = depth <= t
        elif t:
            before = values.copy()
            network.kernels.graph_step(graph, network.data, cnp.PyArray_DATA(row),
                                       cnp.PyArray_DATA(y), state.data)
            if network.mode_id == RECURRENT:
                active[:] = True
            else:
                fires = np.zeros(n_slots, bool)
                fires[graph.n_sources:] = [any(fired[i] for i in nodes) for nodes in edges]
                values[:] = np.where(fires, values, before)
                active |= fires
                fired = fires
        out[t] = np.where(active, values, np.nan)[columns]
    return out
