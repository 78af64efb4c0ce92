"""A genome as a graph, inputs at the left and outputs at the right."""

from collections.abc import Mapping

from fastnet.neat.geometry import MARGIN, RADIUS, Geometry, share_of
from fastnet.plot._figures import INK, NEGATIVE, NODES, POSITIVE, bare_axes, checked_ax

# Room for the legend below, in the pixels of the geometry, and for each of its letters.
STRIP, LETTER = 26.0, 7.0
# Pixels of an inch, and a font's size in pixels relative to that of a node.
PIXELS, TEXT = 84.0, 0.72
DOTS = (0, (1.2, 1.4))


def genome(genome, *, names=None, ax=None):
    """A genome: nodes by depth, connections by weight.

    Squares are inputs, a diamond is the bias node, circles are hidden nodes, double circles
    outputs.  A line is as wide as the weight is large: dark with an arrow where it is positive,
    light with a disc where it is negative, dotted where the connection is disabled.  Recurrent
    connections, back to an earlier layer or to the node itself, go around in a curve.

    Parameters
    ----------
    genome : fastnet.neat.Genome
        Or what has one as its ``genome``, as evolved networks have.
    names : mapping of int to str, optional
        Of nodes, by their ids: written beside inputs and outputs, and below hidden nodes.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        Of equal aspect, without a frame.  For each connection, it has a line (with ``gid``
        "connection" and its innovation) and a head, for each node a patch (with ``gid`` "node" and
        its id) and its id as a text.

    Raises
    ------
    TypeError
        Something that is no genome, names that are no mapping.

    Examples
    --------
    >>> import fastnet as fn
    >>> genome = fn.neat.Genome(fn.neat.Config(n_inputs=2, n_outputs=1), rng=0)
    >>> ax = fn.plot.genome(genome, names={0: "left", 1: "right"})
    """
    checked_ax(ax)
    genome = getattr(genome, "genome", genome)
    if not all(hasattr(genome, name) for name in ("nodes", "connections", "config")):
        raise TypeError(f"genome must be a neat.Genome, got {type(genome).__name__}")
    if names is not None and not isinstance(names, Mapping):
        raise TypeError(f"names must map ids of nodes to texts, got {type(names).__name__}")
    drawing = _Drawing(genome, names or {})
    left, top, right, bottom = drawing.bounds
    if ax is None:
        ax = bare_axes((right - left) / PIXELS, (bottom - top) / PIXELS)
    ax.set(xlim=(left, right), ylim=(bottom, top), aspect="equal")
    ax.set_axis_off()
    drawing.draw(ax)
    return ax


class _Drawing(Geometry):
    """Shapes in pixels, with what they look like."""

    def __init__(self, genome, names):
        super().__init__(genome, None, None)
        self.names = names
        self.lines = [(k, *self.line(k)) for k in self.drawing_order()]
        self.texts = [text for i in range(len(self.nodes)) for text in self.node_texts(i)]
        left, top, right, bottom = self.bounds
        # the words of the legend stand in a row
        wanted = LETTER * sum(8 + len(label) for label in self.labels())
        room = max(wanted - (right - left), 0.0) / 2
        self.bounds = [left - room - MARGIN, top - MARGIN, right + room + MARGIN,
                       bottom + MARGIN + (STRIP if self.connections else 0.0)]

    def labels(self):
        """What occurs, for the legend."""
        kinds = {self.kind(connection) for connection in self.connections}
        return [kind for kind in ("positive", "negative", "disabled") if kind in kinds]

    @staticmethod
    def kind(connection):
        if not connection["enabled"]:
            return "disabled"
        return "negative" if connection["weight"] < 0 else "positive"

    def line(self, k):
        """Vertices and codes of the line, its width, its tip, its direction, the head's size."""
        connection = self.connections[k]
        share = share_of(connection["weight"], self.largest)
        width = 0.8 + 3.4 * share if connection["enabled"] else 1.5
        width *= min(self.radius / RADIUS + 0.15, 1.0)
        size = 4.5 * min(self.radius / RADIUS + 0.1, 1.0) + 1.3 * width
        start, curves, tip, direction = self.curves(k, size)
        vertices = [start, *(point for curve in curves for point in curve)]
        for x, y in vertices[3::3]:
            self.include(x, y, width)
        return vertices, width, tip, direction, size

    def node_texts(self, i):
        """(x, y, words, size, how it stands) of the texts of a node."""
        node, (x, y), r = self.nodes[i], self.at[i], self.radius
        self.include(x, y, 1.3 * r)
        label = str(node["id"])
        yield x, y, label, min(0.9 * r, 2.4 * r / len(label)), "center"
        hidden = node["kind"] == "hidden"
        words = str(self.names.get(node["id"], "" if hidden else node["kind"]))
        size = TEXT * r
        if hidden and words:
            yield x, y + 1.2 * r + size / 2, words, size, "center"
            self.include(x, y + 1.2 * r + size)
        elif words:
            side = 1 if node["kind"] == "output" else -1
            yield x + 1.5 * side * r, y, words, size, "left" if side > 0 else "right"
            # six tenths of its size is a wide letter
            self.include(x + side * (1.5 * r + 0.6 * size * len(words)), y)

    def draw(self, ax):
        from matplotlib.lines import Line2D

        box = ax.get_window_extent()
        left, top, right, bottom = self.bounds
        # points for each pixel of the geometry
        scale = 72 / ax.figure.dpi * min(box.width / (right - left), box.height / (bottom - top))
        for k, vertices, width, tip, direction, size in self.lines:
            self.draw_line(ax, self.connections[k], vertices, width * scale)
            self.draw_head(ax, self.connections[k], tip, direction, size)
        for node, (x, y) in zip(self.nodes, self.at, strict=True):
            self.draw_node(ax, node, x, y, scale)
        for x, y, words, size, stands in self.texts:
            inside = stands == "center"
            ax.text(x, y, words, fontsize=size * scale, ha=stands, va="center_baseline",
                    color=INK if inside else None, zorder=4)
        looks = {
            "positive": {"color": POSITIVE, "linewidth": 3 * scale, "marker": ">"},
            "negative": {"color": NEGATIVE, "linewidth": 3 * scale, "marker": "o"},
            "disabled": {"color": "0.4", "linewidth": 1.5 * scale, "linestyle": DOTS},
        }
        handles = [
            Line2D([], [], label=label, markevery=[1], markersize=7 * scale, **looks[label])
            for label in self.labels()]
        if handles:
            ax.legend(handles=handles, loc="lower center", ncols=3, frameon=False,
                      fontsize=max(13 * scale, 6), handlelength=2.4)

    def draw_line(self, ax, connection, vertices, width):
        from matplotlib.patches import PathPatch
        from matplotlib.path import Path

        codes = [Path.MOVETO, *[Path.CURVE4] * (len(vertices) - 1)]
        kind = self.kind(connection)
        line = PathPatch(
            Path(vertices, codes), fill=False, linewidth=width, zorder=2,
            edgecolor=self.color(connection), linestyle=DOTS if kind == "disabled" else "-",
            capstyle="butt" if kind == "disabled" else "round", label=f"_{kind}")
        line.set_gid(f"connection {connection['innovation']}")
        ax.add_patch(line)

    def color(self, connection):
        color = NEGATIVE if connection["weight"] < 0 else POSITIVE
        return color if connection["enabled"] else (color, 0.8)

    def draw_head(self, ax, connection, tip, direction, size):
        from matplotlib.patches import Circle, Polygon

        (x, y), (dx, dy), half = tip, direction, 0.45 * size
        look = {"facecolor": self.color(connection), "linewidth": 0, "zorder": 2.5}
        if connection["weight"] < 0:
            ax.add_patch(Circle((x - half * dx, y - half * dy), half, **look))
            return
        base = (x - size * dx, y - size * dy)
        ax.add_patch(Polygon([
            tip, (base[0] - half * dy, base[1] + half * dx),
            (base[0] + half * dy, base[1] - half * dx)], **look))

    def draw_node(self, ax, node, x, y, scale):
        from matplotlib.patches import Circle, FancyBboxPatch, Polygon

        fill, outline = NODES[node["kind"]]
        r = self.radius
        look = {"facecolor": fill, "edgecolor": outline, "zorder": 3,
                "linewidth": max(0.08 * r, 0.6) * scale}
        if node["kind"] == "input":
            side = 0.9 * r
            shape = FancyBboxPatch(
                (x - side, y - side), 2 * side, 2 * side,
                boxstyle=f"round,pad=0,rounding_size={0.3 * r}", **look)
        elif node["kind"] == "bias":
            shape = Polygon([(x, y - 1.2 * r), (x + 1.2 * r, y), (x, y + 1.2 * r),
                             (x - 1.2 * r, y)], joinstyle="round", **look)
        else:
            shape = Circle((x, y), r, **look)
            if node["kind"] == "output":
                ax.add_patch(Circle((x, y), 1.2 * r, **look))
        shape.set_gid(f"node {node['id']}")
        ax.add_patch(shape)
