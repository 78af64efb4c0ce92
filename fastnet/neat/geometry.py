"""Lines and places of a drawn genome: what pictures of all kinds have in common.

Lengths are pixels, x to the right and y downwards.
"""

import itertools
import math

from fastnet.neat.layout import layered

__all__ = ["MARGIN", "RADIUS", "Geometry", "largest_of", "rows_of", "share_of"]

# Natural spacing and size; large genomes get less of it.
STEP_X, STEP_Y, RADIUS = 120.0, 58.0, 17.0
WIDE, HIGH = 1400.0, 900.0
MARGIN = 12.0


class Geometry:
    """Nodes and connections with their places in pixels, and the box that holds what was drawn."""

    def __init__(self, genome, width, height):
        self.config = genome.config
        self.nodes, self.connections = rows_of(genome)
        index = {node["id"]: i for i, node in enumerate(self.nodes)}
        self.ends = [(index[c["source"]], index[c["target"]]) for c in self.connections]
        kinds = [node["kind"] for node in self.nodes]
        layout = layered(
            len(self.nodes),
            [i for i, kind in enumerate(kinds) if kind in ("input", "bias")],
            [i for i, kind in enumerate(kinds) if kind == "output"],
            self.ends,
            [c["enabled"] for c in self.connections],
        )
        self.bends = layout.bends
        self.scale(layout, width, height)
        self.largest = largest_of(self.connections)
        self.bounds = [math.inf, math.inf, -math.inf, -math.inf]

    def scale(self, layout, width, height):
        """Choose the distances: natural ones, or those that fill the wanted size."""
        n_x = max(layout.n_layers - 1, 1)
        places = [*layout.place.tolist(), *(p for b in layout.bends if b for _, p in b)]
        n_y = max(places) - min(places) if places else 0.0
        self.step_x = min(STEP_X, max(WIDE / n_x, 42.0))
        self.step_y = min(STEP_Y, max(HIGH / max(n_y, 1.0), 21.0))
        if width is not None and height is not None and n_y > 0:
            # keep one of the distances, lengthen the other
            room_x = max(width - 2 * (MARGIN + RADIUS), 1.0) / n_x
            room_y = max(height - 2 * (MARGIN + RADIUS), 1.0) / n_y
            ratio = room_x / room_y * self.step_y / self.step_x
            if ratio > 1:
                self.step_x *= min(ratio, 5.0)
            else:
                self.step_y *= min(1 / ratio, 5.0)
        self.radius = min(RADIUS, 0.32 * self.step_y, 0.3 * self.step_x)
        self.at = [
            (float(x) * self.step_x, float(y) * self.step_y)
            for x, y in zip(layout.layer, layout.place, strict=True)]
        self.middle = (max(places) + min(places)) / 2 * self.step_y if places else 0.0

    def drawing_order(self):
        """Thick lines on top, disabled ones below all."""
        def rank(k):
            connection = self.connections[k]
            return connection["enabled"], share_of(connection["weight"], self.largest)
        return sorted(range(len(self.connections)), key=rank)

    def include(self, x, y, margin=0.0):
        box = self.bounds
        box[0], box[1] = min(box[0], x - margin), min(box[1], y - margin)
        box[2], box[3] = max(box[2], x + margin), max(box[3], y + margin)

    def curves(self, k, size):
        """Where a connection begins, its cubic Bezier curves, its tip and the direction there.

        The curves, each of two control points and an end, stop where a head of this size begins.
        """
        source, target = self.ends[k]
        if source == target:
            start, curves = self.loop(source)
        elif self.bends[k] is None:
            start, curves = self.arc(source, target)
        else:
            start, curves = self.chain(source, target, self.bends[k])
        tip, direction = self.tip(target, curves)
        back = 0.8 * size
        curves[-1] = (*curves[-1][:2], (tip[0] - back * direction[0], tip[1] - back * direction[1]))
        return start, curves, tip, direction

    def tip(self, target, curves):
        """Where the last curve touches the node, and its direction there."""
        x, y = self.at[target]
        from_x, from_y = curves[-1][1]
        dx, dy = x - from_x, y - from_y
        length = math.hypot(dx, dy) or 1.0
        dx, dy = dx / length, dy / length
        distance = self.radius * self.reach(target) + 1.5
        return (x - distance * dx, y - distance * dy), (dx, dy)

    def reach(self, i):
        """How far the outline of a node is from its center, in radii."""
        return 1.16 if self.nodes[i]["kind"] == "output" else 1.0

    def chain(self, source, target, bends):
        """Through the bends, without wiggles: slopes as of a monotone cubic (Fritsch & Carlson)."""
        points = [
            self.at[source],
            *((layer * self.step_x, place * self.step_y) for layer, place in bends),
            self.at[target],
        ]
        secants = [
            (q[1] - p[1]) / (q[0] - p[0]) for p, q in itertools.pairwise(points)]
        slopes = [
            2 * a * b / (a + b) if a * b > 0 else 0.0
            for a, b in itertools.pairwise(secants)]
        # straight at the ends, if there is no bend
        slopes = [secants[0], *slopes, secants[-1]]
        curves = []
        pieces = zip(itertools.pairwise(points), itertools.pairwise(slopes), strict=True)
        for ((x0, y0), (x1, y1)), (a, b) in pieces:
            third = (x1 - x0) / 3
            curves.append(((x0 + third, y0 + third * a), (x1 - third, y1 - third * b), (x1, y1)))
        return points[0], curves

    def arc(self, source, target):
        """Back to an earlier layer, or within the last one: around what is between."""
        (x0, y0), (x1, y1) = self.at[source], self.at[target]
        if x0 == x1:
            # upwards outside of downwards, so that both can be seen
            out = 0.32 * abs(y1 - y0) * (1.0 if y1 > y0 else 1.35) + self.radius
            first, second = (x0 - out, y0 + 0.15 * (y1 - y0)), (x1 - out, y1 - 0.15 * (y1 - y0))
        else:
            side = -1.0 if (y0 + y1) / 2 <= self.middle else 1.0
            edge = min(y0, y1) if side < 0 else max(y0, y1)
            distance = x0 - x1
            height = edge + side * (
                0.75 * self.step_y + min(0.22 * distance, 100.0 + 0.04 * distance))
            out = 0.12 * distance
            first, second = (x0 + out, height), (x1 - out, height)
        self.include_curve((x0, y0), first, second, (x1, y1))
        return (x0, y0), [(first, second, (x1, y1))]

    def loop(self, i):
        """Out of the top of the node and back into it."""
        x, y = self.at[i]
        r = self.radius
        start = (x - 0.75 * r, y - 0.5 * r)
        first, second = (x - 2.4 * r, y - 2.6 * r), (x + 1.5 * r, y - 2.9 * r)
        self.include_curve(start, first, second, (x, y))
        return start, [(first, second, (x, y))]

    def include_curve(self, p, q, r, s):
        for step in range(1, 16):
            t = step / 16
            u = 1 - t
            self.include(*(
                u**3 * a + 3 * u * u * t * b + 3 * u * t * t * c + t**3 * d
                for a, b, c, d in zip(p, q, r, s, strict=True)), 2.0)


def rows_of(genome):
    """Nodes and connections as lists of dicts of Python values."""
    return tuple(
        [dict(zip(array.dtype.names, row, strict=True)) for row in array.tolist()]
        for array in (genome.nodes, genome.connections))


def largest_of(connections):
    return max((abs(c["weight"]) for c in connections if math.isfinite(c["weight"])), default=0.0)


def share_of(weight, largest):
    """The absolute weight as a share of the largest one."""
    if math.isnan(weight) or largest == 0:
        return 0.0
    return min(abs(weight) / largest, 1.0)
