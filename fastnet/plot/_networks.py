"""A dense network: its layers as columns of nodes, its weights as lines."""

import itertools

import numpy as np

from fastnet._arrays import finite_array
from fastnet._checks import checked_int
from fastnet.plot._figures import INK, NEGATIVE, NODES, POSITIVE, bare_axes, checked_ax

# Inches for each layer and for each row of nodes, and at least.
COLUMN, ROW, LEAST_WIDTH, LEAST_HEIGHT = 1.9, 0.42, 4.8, 3.0
WIDEST, NARROWEST, FAINTEST = 4.0, 0.4, 0.25
# Width of the legend in letters.
LEGEND = 36.0
DASHES = (0, (4, 1.5))
# Share of the way from one node to the next where the number of a weight stands.
NUMBER_AT = 0.27


def network(net, *, max_nodes=16, numbers=False, inputs=None, outputs=None, ax=None):
    """A dense network: layers from left to right, weights by the width and color of lines.

    Positive weights are dark and solid, negative ones light and dashed; the larger the weight, the
    wider and the stronger its line.

    Parameters
    ----------
    net : fastnet.Network
    max_nodes : int
        Of wider layers, the first and the last nodes are drawn, so many of them, with dots for
        those between.  At least 2.
    numbers : bool
        Whether weights are written on their lines, and biases above their nodes: good for networks
        of a few nodes.
    inputs, outputs : sequence of str, optional
        Names of the inputs and outputs.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        Without a frame.  x is the number of the layer, 0 for the inputs.  It has two
        LineCollections for each dense layer, of its negative and its positive weights.

    Raises
    ------
    TypeError
        Something that has no dense layers.
    ValueError
        Weights that are not finite, names that are not as many as the nodes.

    Examples
    --------
    >>> import fastnet as fn
    >>> ax = fn.plot.network(fn.Network([64, 128, 10], output="softmax", seed=0))
    >>> [text.get_text() for text in ax.texts if "\\n" in text.get_text()]
    ['64\\ninputs', '128\\nrelu', '10\\nsoftmax']
    """
    checked_ax(ax)
    max_nodes = checked_int(max_nodes, "max_nodes", 2, 1000)
    columns = _columns(net, max_nodes)
    for name, names, column in (
            ("inputs", inputs, columns[0]), ("outputs", outputs, columns[-1])):
        if names is not None:
            if len(names) != column.n:
                raise ValueError(f"{name} must have {column.n} names, got {len(names)}")
            column.names = [str(names[k]) for k in column.shown]
    n_rows = max(len(column.shown) + (column.n > len(column.shown)) for column in columns)
    if ax is None:
        ax = bare_axes(max(COLUMN * len(columns), LEAST_WIDTH),
                       max(ROW * n_rows * (3 if numbers else 1) + 1.2, LEAST_HEIGHT))
    _draw(ax, columns, n_rows, numbers)
    return ax


class _Column:
    """A layer of nodes, with the weights that lead to it.

    Attributes
    ----------
    n : int
        Its number of nodes.
    shown : list of int
        Those that are drawn.
    y : ndarray (n_shown,)
        Their places, downwards, centered at 0.
    words : list of str
        Below the column.
    """

    def __init__(self, n, max_nodes, words):
        self.n, self.words, self.names = n, [str(n), words], []
        self.weights = self.biases = None
        if n <= max_nodes:
            self.shown = list(range(n))
            self.y = np.arange(n) - (n - 1) / 2
        else:
            first = (max_nodes + 1) // 2
            last = max_nodes - first
            self.shown = [*range(first), *range(n - last, n)]
            # the dots have the room of a node
            self.y = np.concatenate([np.arange(first), first + 1 + np.arange(last)]) - max_nodes / 2


def _columns(net, max_nodes):
    layers = getattr(net, "layers", None)
    if not layers or not all(hasattr(layer, "weights") for layer in layers):
        raise TypeError(f"net must be a fastnet.Network, got {type(net).__name__}")
    n_inputs = layers[0].n_inputs
    columns = [_Column(n_inputs, max_nodes, "input" if n_inputs == 1 else "inputs")]
    for k, layer in enumerate(layers):
        name = getattr(layer.activation, "name", layer.activation)
        if layer.weights is not None:
            weights = finite_array(layer.weights, f"net.layers[{k}].weights")
            columns.append(_Column(layer.n_outputs, max_nodes, str(name)))
            columns[-1].weights, columns[-1].biases = weights, layer.biases
        elif hasattr(layer, "rate"):
            columns[-1].words.append(f"dropout {layer.rate:g}")
        else:
            columns[-1].words.append("layer norm" if name == "identity" else f"layer norm, {name}")
    return columns


def _draw(ax, columns, n_rows, numbers):
    n_words = max(len(column.words) for column in columns)
    box = ax.get_window_extent()
    points = 72 / ax.figure.dpi
    # what a row, a line of text and the legend need, in the same units
    height, letter = box.height * points, 9.0
    letter = min(letter, height / (4 + 1.5 * n_words), box.width * points / LEGEND)
    row = (height - letter * (1.4 * n_words + 3.5)) / n_rows
    below = letter * 1.4 * n_words / row
    strip = 2.4 * letter / row
    name_room = max((len(name) for column in columns for name in column.names), default=0)
    side = 0.35 + name_room * 0.6 * letter / (box.width * points / len(columns))
    ax.set(xlim=(-side, len(columns) - 1 + side),
           ylim=(n_rows / 2 + 0.15 + below + strip, -n_rows / 2 - 0.1))
    ax.set_axis_off()
    size = min(0.62 * row, 26.0)

    handles = _draw_weights(ax, columns, numbers, letter)
    for x, column in enumerate(columns):
        kind = "input" if x == 0 else "output" if x == len(columns) - 1 else "hidden"
        fill, outline = NODES[kind]
        ax.plot(np.full(len(column.y), x), column.y, linestyle="none", markersize=size,
                marker="s" if x == 0 else "o", markerfacecolor=fill, markeredgecolor=outline,
                markeredgewidth=1.0, zorder=3, label=f"_{kind}")
        if column.n > len(column.shown):
            gap = column.y[np.argmax(np.diff(column.y))] + 1
            ax.plot([x] * 3, gap + np.array([-0.22, 0, 0.22]), ".", color=INK, markersize=size / 5,
                    zorder=3, label="_dots")
        for y, name in zip(column.y, column.names, strict=False):
            offset = (-1 if x == 0 else 1) * (size / 2 + 4)
            ax.annotate(name, (x, y), (offset, 0), textcoords="offset points", va="center",
                        ha="right" if x == 0 else "left", fontsize=letter)
        if numbers and column.biases is not None:
            for k, y in zip(column.shown, column.y, strict=True):
                ax.annotate(f"{column.biases[k]:+.3g}", (x, y), (0, size / 2 + 2), ha="center",
                            textcoords="offset points", va="bottom", fontsize=letter)
        ax.text(x, n_rows / 2 + 0.1, "\n".join(column.words), ha="center", va="top",
                fontsize=letter, linespacing=1.25)
    if handles:
        ax.legend(handles=handles, loc="lower center", ncols=len(handles), frameon=False,
                  fontsize=letter, borderaxespad=0.2, handlelength=2.6)


def _draw_weights(ax, columns, numbers, letter):
    """Lines of all layers; the handles of a legend."""
    from matplotlib.collections import LineCollection
    from matplotlib.colors import to_rgba
    from matplotlib.lines import Line2D

    shown = [column.weights[np.ix_(before.shown, column.shown)]
             for before, column in itertools.pairwise(columns)]
    largest = max((np.abs(weights).max(initial=0.0) for weights in shown), default=0.0) or 1.0
    for x, weights in enumerate(shown):
        sources, targets = np.meshgrid(columns[x].y, columns[x + 1].y, indexing="ij")
        for color, style, chosen, label in (
                (NEGATIVE, DASHES, weights < 0, "_negative"),
                (POSITIVE, "-", weights > 0, "_positive")):
            order = np.argsort(np.abs(weights[chosen]))
            share = np.abs(weights[chosen])[order] / largest
            ends = np.stack([sources[chosen], targets[chosen]], axis=1)[order]
            lines = np.stack([np.broadcast_to([x, x + 1.0], ends.shape), ends], axis=-1)
            colors = np.tile(to_rgba(color), (len(share), 1))
            colors[:, 3] = FAINTEST + (1 - FAINTEST) * share
            ax.add_collection(LineCollection(
                lines, linewidths=NARROWEST + (WIDEST - NARROWEST) * share, colors=colors,
                linestyles=[style], zorder=1, label=label), autolim=False)
        if numbers:
            for (i, j), weight in np.ndenumerate(weights):
                y = columns[x].y[i] + NUMBER_AT * (columns[x + 1].y[j] - columns[x].y[i])
                ax.text(x + NUMBER_AT, y, f"{weight:.3g}", ha="center", va="center",
                        fontsize=letter, color=INK, zorder=2,
                        bbox={"facecolor": "white", "edgecolor": "none", "pad": 1, "alpha": 0.85})
    signs = np.concatenate([np.sign(weights).ravel() for weights in shown])
    looks = (("positive weight", 1, POSITIVE, "-"), ("negative weight", -1, NEGATIVE, DASHES))
    handles = [Line2D([], [], color=color, linestyle=style, linewidth=2.5, label=label)
               for label, sign, color, style in looks if (signs == sign).any()]
    if handles:
        handles.append(Line2D([], [], color="0.4", linewidth=WIDEST,
                              label=f"|weight| = {largest:.3g}"))
    return handles
