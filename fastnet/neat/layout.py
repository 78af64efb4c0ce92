"""Where the nodes and connections of a genome stand in a picture.

A layered layout after Sugiyama, Tagawa & Toda 1981: inputs in the first layer, outputs in the
last, hidden nodes by the longest path that leads to them, once the connections that close cycles
are set aside.  A connection across several layers has a bend in each of them.  The order within a
layer comes from sweeps that put each element at the mean place of its neighbors; then elements
move, in that order, to where connections are straightest.
"""

import dataclasses
import itertools

import numpy as np

__all__ = ["Layout", "layered"]

# A bend needs less room than a node, and bends side by side less than that.
NODE_ROOM = 1.0
BEND_ROOM = 0.3
# Beyond so many bends the longest connections go straight: a picture of so much is no clearer.
MOST_BENDS = 2000
ORDER_SWEEPS = 8
PATIENCE = 2
PLACE_SWEEPS = 8
# Comparing all pairs between two layers is worth it for what an eye can follow.
MOST_COUNTED = 150


@dataclasses.dataclass
class Layout:
    """Positions in units: layers are 1 apart, and so are neighbors in a layer, or more.

    Attributes
    ----------
    n_layers : int
    layer : ndarray of int, shape (n_nodes,)
    place : ndarray of float, shape (n_nodes,)
        Position within the layer, centered at 0.
    bends : list
        For each edge, the (layer, place) of its bends, or None where it does not lead to a later
        layer: the edges that close cycles, self loops, and those among outputs.
    """

    n_layers: int
    layer: np.ndarray
    place: np.ndarray
    bends: list


def layered(n_nodes, first, last, edges, important):
    """The layout of a directed graph, cycles allowed.

    Parameters
    ----------
    n_nodes : int
    first, last : sequences of int
        Nodes of the first and the last layer, in the order that they keep.  No edge enters a
        first one.
    edges : sequence of (int, int)
    important : sequence of bool
        For each edge, whether it goes before the others when it is decided which edges are set
        aside to break cycles.

    Returns
    -------
    Layout
    """
    forward = _forward_edges(n_nodes, first, last, edges, important)
    layer = _longest_paths(n_nodes, first, last, [edges[k] for k in forward])
    n_layers = int(layer.max(initial=0)) + 1
    layer_of, segments, chains = _with_bends(layer, [(k, *edges[k]) for k in forward])
    layers = _ordered(layer_of, segments, n_layers, first, last)
    place = _places(layers, layer_of, segments, n_nodes)
    bends = [None] * len(edges)
    for k, chain in chains.items():
        bends[k] = [(int(layer_of[v]), float(place[v])) for v in chain]
    return Layout(n_layers, layer, place[:n_nodes], bends)


def _forward_edges(n_nodes, first, last, edges, important):
    """Indices of edges that have no cycle among them; no edge leaves a last node."""
    is_last = np.zeros(n_nodes, bool)
    is_last[list(last)] = True
    usable = [k for k, (s, t) in enumerate(edges) if s != t and not is_last[s]]
    closing = _closing_edges(n_nodes, first, edges, usable)
    if not closing:
        return usable
    # What is unimportant must not push what is important aside
    kept = [k for k in usable if important[k]]
    closing = _closing_edges(n_nodes, first, edges, kept)
    kept = [k for k in kept if k not in closing]
    targets = [[] for _ in range(n_nodes)]
    for k in kept:
        targets[edges[k][0]].append(edges[k][1])
    for k in usable:
        if not important[k] and not _leads(targets, edges[k][1], edges[k][0]):
            targets[edges[k][0]].append(edges[k][1])
            kept.append(k)
    return sorted(kept)


def _closing_edges(n_nodes, first, edges, usable):
    """Those that a depth-first search finds to lead back to a node that it has not left yet."""
    leaving = [[] for _ in range(n_nodes)]
    for k in reversed(usable):
        leaving[edges[k][0]].append(k)
    new, open_, left = 0, 1, 2
    state = [new] * n_nodes
    closing = set()
    for root in [*first, *range(n_nodes)]:
        if state[root] != new:
            continue
        state[root] = open_
        stack = [root]
        while stack:
            node = stack[-1]
            if not leaving[node]:
                state[node] = left
                stack.pop()
                continue
            k = leaving[node].pop()
            target = edges[k][1]
            if state[target] == open_:
                closing.add(k)
            elif state[target] == new:
                state[target] = open_
                stack.append(target)
    return closing


def _leads(targets, source, goal):
    seen = {source}
    stack = [source]
    while stack:
        node = stack.pop()
        if node == goal:
            return True
        for target in targets[node]:
            if target not in seen:
                seen.add(target)
                stack.append(target)
    return False


def _longest_paths(n_nodes, first, last, edges):
    """The layer of each node; hidden nodes that nothing enters are in the one after the first."""
    targets = [[] for _ in range(n_nodes)]
    entering = [0] * n_nodes
    for source, target in edges:
        targets[source].append(target)
        entering[target] += 1
    layer = np.ones(n_nodes, np.intp)
    layer[list(first)] = 0
    ready = [node for node in range(n_nodes) if entering[node] == 0]
    while ready:
        node = ready.pop()
        for target in targets[node]:
            layer[target] = max(layer[target], layer[node] + 1)
            entering[target] -= 1
            if entering[target] == 0:
                ready.append(target)
    hidden = np.ones(n_nodes, bool)
    hidden[[*first, *last]] = False
    layer[list(last)] = layer[hidden].max(initial=0) + 1
    return layer


def _with_bends(layer, edges):
    """Elements (nodes, then bends) with their layers, and the segments from one to the next.

    Returns
    -------
    layer_of : ndarray of int, shape (n_elements,)
    segments : ndarray of int, shape (n_segments, 2)
        Between adjacent layers only.
    chains : dict
        The bends of each edge, by its index.
    """
    layer_of = layer.tolist()
    segments = []
    chains = {}
    n_bends = 0
    for k, source, target in sorted(edges, key=lambda e: layer_of[e[2]] - layer_of[e[1]]):
        begin, end = layer_of[source] + 1, layer_of[target]
        chains[k] = []
        n_bends += end - begin
        if n_bends > MOST_BENDS:
            continue
        chains[k] = list(range(len(layer_of), len(layer_of) + end - begin))
        layer_of.extend(range(begin, end))
        path = [source, *chains[k], target]
        segments.extend(itertools.pairwise(path))
    return np.array(layer_of), np.array(segments, np.intp).reshape(-1, 2), chains


def _ordered(layer_of, segments, n_layers, first, last):
    """Elements of each layer from top to bottom."""
    layers = [np.flatnonzero(layer_of == k) for k in range(n_layers)]
    layers[0] = np.array(first, np.intp)
    layers[-1] = np.array(last, np.intp) if n_layers > 1 else layers[0]
    gaps = _gaps(layer_of, segments, n_layers)
    at = np.zeros(len(layer_of))        # position in the layer, from 0 to 1
    for members in layers:
        at[members] = (np.arange(len(members)) + 0.5) / max(len(members), 1)
    best, fewest, n_vain = layers, None, 0
    for _ in range(ORDER_SWEEPS):
        for downwards in (True, False):
            inner = range(1, n_layers - 1)
            for k in inner if downwards else reversed(inner):
                near, far = gaps[k - 1][::-1] if downwards else gaps[k]
                members = layers[k]
                mean = _mean(members, near, at[far], np.ones(len(near)), at)
                members = layers[k] = members[np.argsort(mean, kind="stable")]
                at[members] = (np.arange(len(members)) + 0.5) / len(members)
            n_crossings = sum(_crossings(at, *gap) for gap in gaps)
            n_vain += 1
            if fewest is None or n_crossings < fewest:
                best, fewest, n_vain = list(layers), n_crossings, 0
        if fewest == 0 or n_vain > 2 * PATIENCE:
            break
    return best


def _mean(members, near, values, weights, otherwise):
    """For each member of a layer the weighted mean of the values at its segments."""
    order = np.sort(members)
    index = np.searchsorted(order, near)
    sums = np.bincount(index, values * weights, minlength=len(order))
    counts = np.bincount(index, weights, minlength=len(order))
    means = np.divide(sums, counts, out=otherwise[order].copy(), where=counts > 0)
    return means[np.searchsorted(order, members)]


def _gaps(layer_of, segments, n_layers):
    """The two ends of the segments between each layer and the next."""
    below = layer_of[segments[:, 0]]
    return [tuple(segments[below == k].T) for k in range(n_layers - 1)]


def _crossings(at, sources, targets):
    if len(sources) > MOST_COUNTED:
        return 0
    s, t = at[sources], at[targets]
    return int(np.count_nonzero((s[:, None] < s) & (t[:, None] > t)))


def _places(layers, layer_of, segments, n_nodes):
    """Positions within the layers, in the given orders."""
    n = len(layer_of)
    room = np.where(np.arange(n) < n_nodes, NODE_ROOM, BEND_ROOM)
    place = np.zeros(n)
    offsets = []
    for members in layers:
        half = room[members] / 2
        offset = np.cumsum(half) + np.concatenate([[0.0], np.cumsum(half)[:-1]])
        offset -= offset[:1] / 2 + offset[-1:] / 2
        offsets.append(offset)
        place[members] = offset
    tallest = max((offset[-1] - offset[0] for offset in offsets if len(offset)), default=0.0)
    # The ends spread over much of the height, so that what leads there does not crowd
    for k in {0, len(layers) - 1}:
        steps = max(len(layers[k]) - 1, 1)
        place[layers[k]] = offsets[k] * np.clip(0.7 * tallest / steps, 1.0, 2.5)
    gaps = _gaps(layer_of, segments, len(layers))
    # Bends of a connection pull at each other more: few eyes follow a crooked line
    weight = np.where(np.arange(n) < n_nodes, 1.0, 4.0)
    for sweep in range(PLACE_SWEEPS):
        inner = range(1, len(layers) - 1)
        for k in inner if sweep % 2 == 0 else reversed(inner):
            near = np.concatenate([gaps[k - 1][1], gaps[k][0]])
            far = np.concatenate([gaps[k - 1][0], gaps[k][1]])
            members = layers[k]
            wanted = _mean(members, near, place[far], weight[near] * weight[far], place)
            place[members] = _apart(wanted, offsets[k], weight[members])
    return place


def _apart(wanted, offset, weight):
    """Places near the wanted ones, apart by what the offsets are apart at least.

    Least squares under these constraints: isotonic regression of the differences, by pooling
    adjacent violators.
    """
    pools = []                          # (mean, weight, number of members)
    for value, w in zip((wanted - offset).tolist(), weight.tolist(), strict=True):
        n = 1
        while pools and pools[-1][0] >= value:
            mean, other, m = pools.pop()
            value = (value * w + mean * other) / (w + other)
            w += other
            n += m
        pools.append((value, w, n))
    means = np.repeat([p[0] for p in pools], [p[2] for p in pools]) if pools else 0.0
    return means + offset
