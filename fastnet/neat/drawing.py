"""Pictures of genomes: SVG and DOT text, made here, without any program.

Left to right: inputs and the bias node (squares, a diamond), hidden nodes (circles) by the longest
path that leads to them, outputs (double circles).  A positive weight is a blue line with an arrow,
a negative one an orange line with a disc; the line is as wide as the weight is large.  Disabled
connections are dashed and pale.  Colors are of medium brightness, for light and dark pages.
"""

import html

from fastnet.neat.geometry import MARGIN, RADIUS, Geometry, largest_of, rows_of, share_of

__all__ = ["to_dot", "to_svg"]

POSITIVE = "#2f7fc1"
NEGATIVE = "#d9702b"
TEXT = "#7b7b7b"
INK = "#20262e"
# kind: fill and outline
COLORS = {
    "input": ("#cfe3cf", "#5a8f5a"),
    "bias": ("#e6e0c8", "#948a55"),
    "hidden": ("#dfe4ea", "#75808c"),
    "output": ("#e6d5ea", "#8d6a99"),
}
# A smaller node has no text beside it, only its id.
READABLE = 11.0


def to_svg(genome, width=None, height=None):
    """A picture of a genome, as the text of an SVG file or of an element in a page.

    Parameters
    ----------
    genome : Genome
    width, height : float, optional
        Size in pixels; by default what the genome needs.

    Returns
    -------
    str
        Well-formed XML in ASCII without identifiers, scripts, style sheets or references, so that
        several pictures can stand in one page.  Pointing at a node or connection shows its exact
        numbers.

    Examples
    --------
    >>> from fastnet import neat
    >>> genome = neat.Genome(neat.Config(n_inputs=2, n_outputs=1), rng=0)
    >>> with open("genome.svg", "w") as file:
    ...     n_characters = file.write(genome.to_svg())
    """
    width = _checked_size(width, "width")
    height = _checked_size(height, "height")
    picture = _Picture(genome, width, height)
    connections = [picture.connection(k) for k in picture.drawing_order()]
    nodes = [picture.node(i) for i in range(len(picture.nodes))]
    left, top, right, bottom = picture.bounds
    box = (left - MARGIN, top - MARGIN, right - left + 2 * MARGIN, bottom - top + 2 * MARGIN)
    if width is None:
        width = box[2] * (height / box[3] if height is not None else 1.0)
    if height is None:
        height = width * box[3] / box[2]
    return _ascii("\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_px(width)}" height="{_px(height)}" '
        f'viewBox="{" ".join(map(_px, box))}" role="img" '
        f'aria-label="{html.escape(_summary(genome))}" '
        'font-family="system-ui, sans-serif" text-anchor="middle">',
        '<g stroke-linecap="round">',
        *connections,
        "</g>",
        "<g>",
        *nodes,
        "</g>",
        "</svg>",
        "",
    ]))


def to_dot(genome):
    """A genome in the DOT language of Graphviz, for those who want its layouts.

    Parameters
    ----------
    genome : Genome

    Returns
    -------
    str

    Examples
    --------
    >>> from fastnet import neat
    >>> genome = neat.Genome(neat.Config(n_inputs=2, n_outputs=1), rng=0)
    >>> genome.to_dot().splitlines()[0]
    'digraph genome {'
    """
    nodes, connections = rows_of(genome)
    shapes = {"input": "square", "bias": "diamond", "hidden": "circle", "output": "doublecircle"}
    lines = [
        "digraph genome {",
        "  rankdir=LR; bgcolor=transparent;",
        f'  node [style=filled, fontname="sans-serif", fontcolor="{INK}"];',
    ]
    for rank, kinds in (("source", ("input", "bias")), (None, ("hidden",)), ("sink", ("output",))):
        lines.append(f"  {{ rank={rank};" if rank else "  {")
        for node in nodes:
            if node["kind"] in kinds:
                fill, outline = COLORS[node["kind"]]
                label = str(node["id"])
                if _activation_label(genome.config, node):
                    label += f"\n{node['activation']}"
                lines.append(
                    f"    {_quoted(node['id'])} [label={_quoted(label)}, "
                    f'shape={shapes[node["kind"]]}, fillcolor="{fill}", color="{outline}", '
                    f"tooltip={_quoted(_node_title(node))}];")
        lines.append("  }")
    largest = largest_of(connections)
    for connection in connections:
        share = share_of(connection["weight"], largest)
        negative = connection["weight"] < 0
        lines.append(
            f"  {_quoted(connection['source'])} -> {_quoted(connection['target'])} "
            f'[color="{NEGATIVE if negative else POSITIVE}'
            f'{"" if connection["enabled"] else "60"}", '
            f"style={'solid' if connection['enabled'] else 'dashed'}, "
            f"arrowhead={'dot' if negative else 'normal'}, penwidth={_px(0.5 + 3.0 * share)}, "
            f"tooltip={_quoted(_connection_title(connection))}];")
    return _ascii("\n".join([*lines, "}", ""]))


class _Picture(Geometry):
    """Nodes and connections as elements of SVG, and the box that holds them."""

    # -- connections -------------------------------------------------------------------------------

    def connection(self, k):
        """The line of a connection with its head, as one group."""
        connection = self.connections[k]
        share = share_of(connection["weight"], self.largest)
        line_width = 0.7 + 3.3 * share if connection["enabled"] else 0.7 + share
        line_width *= min(self.radius / RADIUS + 0.15, 1.0)
        negative = connection["weight"] < 0
        color = NEGATIVE if negative else POSITIVE
        size = 4.0 * min(self.radius / RADIUS + 0.1, 1.0) + 0.9 * line_width
        start, curves, tip, direction = self.curves(k, size)
        path = f"M{_point(start)}" + "".join(f"C{' '.join(map(_point, c))}" for c in curves)
        for x, y in [p for curve in curves for p in curve[2:]]:
            self.include(x, y, line_width)
        if connection["enabled"]:
            look = f'opacity="{_px(0.6 + 0.4 * share)}"'
            dashes = ""
        else:
            look = 'opacity="0.4"'
            dashes = ' stroke-dasharray="5 4"'
        return (
            f"<g {look}><title>{html.escape(_connection_title(connection))}</title>"
            f'<path d="{path}" fill="none" stroke="{color}" '
            f'stroke-width="{_px(line_width)}"{dashes}/>'
            f"{self.head(tip, direction, size, color, negative)}</g>")

    def head(self, tip, direction, size, color, negative):
        """A disc for a negative weight, else an arrow: they differ without color, too."""
        (x, y), (dx, dy) = tip, direction
        if negative:
            r = 0.45 * size
            return (
                f'<circle cx="{_px(x - r * dx)}" cy="{_px(y - r * dy)}" r="{_px(r)}" '
                f'fill="{color}"/>')
        base, half = (x - size * dx, y - size * dy), 0.45 * size
        corners = [
            tip,
            (base[0] - half * dy, base[1] + half * dx),
            (base[0] + half * dy, base[1] - half * dx),
        ]
        return f'<path d="M{"L".join(map(_point, corners))}Z" fill="{color}"/>'

    # -- nodes -------------------------------------------------------------------------------------

    def node(self, i):
        """The shape of a node with its texts, as one group."""
        node = self.nodes[i]
        x, y = self.at[i]
        r = self.radius
        fill, outline = COLORS[node["kind"]]
        paint = f'fill="{fill}" stroke="{outline}" stroke-width="{_px(max(0.08 * r, 0.6))}"'
        self.include(x, y, 1.3 * r)
        if node["kind"] == "input":
            side = 0.9 * r
            shape = (
                f'<rect x="{_px(x - side)}" y="{_px(y - side)}" width="{_px(2 * side)}" '
                f'height="{_px(2 * side)}" rx="{_px(0.3 * r)}" {paint}/>')
        elif node["kind"] == "bias":
            corners = [(x, y - 1.2 * r), (x + 1.2 * r, y), (x, y + 1.2 * r), (x - 1.2 * r, y)]
            path = f"M{'L'.join(map(_point, corners))}Z"
            shape = f'<path d="{path}" stroke-linejoin="round" {paint}/>'
        else:
            shape = f'<circle cx="{_px(x)}" cy="{_px(y)}" r="{_px(r)}" {paint}/>'
            if node["kind"] == "output":
                shape = (
                    f'<circle cx="{_px(x)}" cy="{_px(y)}" r="{_px(1.2 * r)}" {paint}/>' + shape)
        label = str(node["id"])
        size = min(0.85 * r, 2.6 * r / len(label))
        text = self.text(x, y + 0.35 * size, label, size, INK)
        return (
            f"<g><title>{html.escape(_node_title(node))}</title>{shape}{text}"
            f"{self.texts_beside(node, x, y)}</g>")

    def texts_beside(self, node, x, y):
        """Kind and activation: beside the ends of the picture, below hidden nodes."""
        r = self.radius
        if r < READABLE:
            return ""
        words = [] if node["kind"] == "hidden" else [node["kind"]]
        if _activation_label(self.config, node):
            words.append(str(node["activation"]))
        size = 0.6 * r
        lines = []
        for k, word in enumerate(words):
            if node["kind"] == "hidden":
                lines.append(self.text(x, y + r + size + 1, word, size, TEXT))
                continue
            side = 1.0 if node["kind"] == "output" else -1.0
            height = y + size * (0.35 + 1.15 * (k - (len(words) - 1) / 2))
            anchor = "start" if side > 0 else "end"
            lines.append(self.text(x + side * 1.5 * r, height, word, size, TEXT, anchor))
        return "".join(lines)

    def text(self, x, y, words, size, color, anchor=None):
        # six tenths of its size is a wide letter
        extent = 0.6 * size * len(words)
        for place in {"start": (x, x + extent), "end": (x - extent, x)}.get(
                anchor, (x - extent / 2, x + extent / 2)):
            self.include(place, y)
        anchor = f' text-anchor="{anchor}"' if anchor else ""
        return (
            f'<text x="{_px(x)}" y="{_px(y)}" font-size="{_px(size)}" fill="{color}"{anchor}>'
            f"{html.escape(words)}</text>")


def _checked_size(value, name):
    if value is None:
        return None
    try:
        value = float(value)
    except (TypeError, ValueError):
        raise TypeError(f"{name} must be a number of pixels, got {value!r}") from None
    except OverflowError:
        raise ValueError(f"{name} must be from 1 to 1e6 pixels, got more") from None
    if not 1.0 <= value <= 1e6:
        raise ValueError(f"{name} must be from 1 to 1e6 pixels, got {value:g}")
    return value


def _activation_label(config, node):
    """Whether the activation of a node is worth saying: it is not that of all hidden nodes."""
    return node["kind"] in ("hidden", "output") and node["activation"] != config.activation


def _node_title(node):
    title = f"{node['kind']} {'node ' if node['kind'] in ('bias', 'hidden') else ''}{node['id']}"
    if node["kind"] in ("hidden", "output"):
        title += f"\nactivation {node['activation']}"
        if node["bias"]:
            title += f"\nbias {node['bias']!r}"
    return title


def _connection_title(connection):
    return (
        f"{connection['source']} → {connection['target']}\nweight {connection['weight']!r}\n"
        f"innovation {connection['innovation']}{'' if connection['enabled'] else ', disabled'}")


def _summary(genome):
    nodes, connections = rows_of(genome)
    counts = [sum(node["kind"] == kind for node in nodes) for kind in ("input", "hidden", "output")]
    words = [
        f"{n} {kind}{'' if n == 1 or kind == 'hidden' else 's'}"
        for n, kind in zip(counts, ("input", "hidden", "output"), strict=True)]
    n_enabled = sum(connection["enabled"] for connection in connections)
    return (
        f"network of {', '.join(words)}, {n_enabled} enabled of {len(connections)} connections")


def _quoted(value):
    """A string of DOT: only quotes and backslashes are special, and a line break is one."""
    text = str(value).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{text}"'


def _ascii(text):
    """XML and DOT both know numeric references, and files may be written in any encoding."""
    return text.encode("ascii", "xmlcharrefreplace").decode()


def _point(point):
    return f"{point[0]:.1f},{point[1]:.1f}"


def _px(value):
    """A number of at most two decimals, as short as it can be."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
