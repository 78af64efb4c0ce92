"""What evolve_game.py shows in a terminal: the last player's flight and network as text.

A flight has ``track`` (a row a step: x, y, speed upwards, output of the network), ``gap(gate, t)``,
``lefts`` of the gates and the sizes of the game.
"""

import os
import shutil
import sys
import time

import numpy as np

# Numbers of the 256 colors that all terminals have
SKY = (75, 75, 117, 117, 153, 153, 189, 195)
FAR_HILLS, NEAR_HILLS, GRASS, EARTH = 152, 115, 70, 136
GATE, GATE_LIGHT, GATE_DARK, TRAIL, CRASH, DONE, TO_DO = 34, 77, 22, 231, 202, 220, 238
BIRD = ((0, 220, 220, 231, 0), (214, 220, 220, 16, 208), (0, 220, 220, 220, 0))
POSITIVE, NEGATIVE = (24, 31, 75), (94, 166, 215)       # weak to strong
DOTS = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]])       # of Braille
FRAMES, PAUSE = 5, 0.012        # of the flight of each generation; seconds for each


class Screen:
    """Shows the players in a terminal; elsewhere, a line a generation.

    Use it in a ``with`` statement, which brings the terminal back to what it was.
    """

    def __init__(self, inputs, quiet=False, stream=None):
        self.inputs = inputs
        self.stream = sys.stdout if stream is None else stream
        self.quiet = quiet
        self.draws = not quiet and self.stream.isatty() and can_draw(self.stream)

    def __enter__(self):
        if self.draws:
            # the second screen of the terminal, without a cursor
            self.write("\x1b[?1049h\x1b[?25l\x1b[2J")
        return self

    def __exit__(self, *error):
        if self.draws:
            self.write("\x1b[0m\x1b[?25h\x1b[?1049l")

    def write(self, text):
        self.stream.write(text)
        self.stream.flush()

    def show(self, *what):
        """The end of a generation; the arguments are those of `frame`."""
        if self.draws:
            for share in range(1, FRAMES + 1):
                start = time.perf_counter()
                # each line to its end, so that nothing flickers
                self.write("\x1b[H" + "\x1b[K\n".join(self.frame(*what, share / FRAMES)) + "\x1b[J")
                time.sleep(max(start + PAUSE - time.perf_counter(), 0.0))
        elif not self.quiet:
            self.write(", ".join(what[-1]) + "\n")

    def keep(self, genome, flight, *what):
        """A last picture, in the text of the terminal."""
        if self.draws:
            share = 0.96 if flight.arrived else 1.0     # there are no gates at the finish
            self.write("\n".join([*self.frame(genome, flight, *what, share), ""]))

    def frame(self, genome, flight, curve, generations, facts, share):
        """Lines with a share of a flight, the network and the facts about both."""
        size = shutil.get_terminal_size()
        columns, rows = max(min(size.columns, 160), 60), max(min(size.lines, 48), 20)
        below = max(9, rows // 3)
        step = int((len(flight.track) - 1) * share)
        return [line + "\x1b[0m" for line in (
            *scene(flight, step, columns, rows - below - 2),
            *progress(flight, step, columns),
            *panel(genome, self.inputs, curve, flight.finish, generations, facts, columns, below))]


def can_draw(stream):
    """Whether half blocks and Braille can be written, and colors are wanted."""
    try:
        "▀⣿●▁".encode(stream.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    if os.name == "nt":
        os.system("")       # lets the console of Windows understand escape sequences
    return "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"


def color(n):
    return f"\x1b[38;5;{n}m"


def scene(flight, step, columns, rows):
    """The level around the bird as lines of half blocks: two pixels one above the other."""
    n = 2 * rows
    ground = max(n // 12, 1)
    scale = (n - ground) / flight.height                # pixels a meter
    x, y = flight.track[step, :2]
    left = x - columns / 4 / scale                      # of the picture, in meters
    picture = np.repeat(np.array(SKY)[np.arange(n) * len(SKY) // n][:, None], columns, axis=1)

    def row(height):
        return round((n - ground) - height * scale)

    at = left + np.arange(columns) / scale
    heights = np.arange(n)[:, None]
    for paint, slower, low, high in ((FAR_HILLS, 0.2, 2.2, 1.3), (NEAR_HILLS, 0.45, 1.0, 0.8)):
        u = at * slower
        hills = low + high * (0.6 * np.sin(0.55 * u) + 0.4 * np.sin(1.27 * u + 2))
        picture[heights >= n - ground - hills * scale] = paint
    for k, begin in enumerate(flight.lefts):
        first = round((begin - left) * scale)
        last = round((begin + flight.thickness - left) * scale)
        if last <= 0 or first >= columns:
            continue
        bottom, top = flight.gap(k, step * flight.step)
        for rows_of, lip in ((slice(0, max(row(top), 0)), row(top) - 1),
                             (slice(row(bottom), n), row(bottom))):
            picture[rows_of, max(first, 0):last] = GATE
            if first >= 0:
                picture[rows_of, first] = GATE_LIGHT
            if 0 < last <= columns:
                picture[rows_of, last - 1] = GATE_DARK
            if 0 <= lip < n:
                picture[lip, max(first - 1, 0):last + 1] = GATE_LIGHT
    finish = int((flight.finish - left) * scale)
    for column in (finish, finish + 1):
        if 0 <= column < columns:
            picture[:, column] = np.where((np.arange(n) + column) % 2, 231, 16)
    picture[n - ground:] = EARTH
    picture[n - ground] = np.where((np.arange(columns) + int(left * scale)) % 4 < 2, GRASS, 64)
    for past in range(step % 3, step, 3):
        column = int((flight.track[past, 0] - left) * scale)
        if 0 <= column < columns:
            picture[min(max(row(flight.track[past, 1]), 0), n - 1), column] = TRAIL
    crashed = step == len(flight.track) - 1 and not flight.arrived
    for i, pixels in enumerate(BIRD):
        for j, pixel in enumerate(pixels):
            if pixel:
                place = min(max(row(y) + i - 1, 0), n - 1), columns // 4 + j - 2
                picture[place] = CRASH if crashed else pixel
    return [half_blocks(*picture[2 * i:2 * i + 2].tolist()) for i in range(rows)]


def half_blocks(upper, lower):
    """A line of text from two rows of pixels, changing colors only where they change."""
    parts, before = [], None
    for pair in zip(upper, lower, strict=True):
        if pair != before:
            parts.append(f"\x1b[38;5;{pair[0]};48;5;{pair[1]}m")
        before = pair
        parts.append("▀")
    return "".join(parts)


def progress(flight, step, columns):
    """How far the bird is on the whole level."""
    n_gates = len(flight.lefts)
    x = flight.track[step, 0]
    passed = int(np.count_nonzero(flight.lefts + flight.thickness + flight.radius <= x))
    words = f" gate {passed:2} of {n_gates} "
    length = columns - len(words) - 1
    done = min(int(length * x / flight.finish), length)
    return [f"{words}{color(DONE)}{'━' * done}{color(TO_DO)}{'━' * (length - done)}", ""]


def panel(genome, inputs, curve, finish, generations, facts, columns, rows):
    """The network on the left; on the right figures, and the distances of all generations."""
    left = network(genome, inputs, columns // 2, rows)
    right = [color(252) + fact for fact in facts]
    bars = " ▁▂▃▄▅▆▇█"
    length = min(columns - columns // 2 - 4, generations)
    picked = [curve[i * generations // length][0] for i in range(length)
              if i * generations // length < len(curve)]
    height = max(rows - len(facts) - 1, 1)
    chart = []
    for level in range(height - 1, -1, -1):
        shares = [int(np.clip(8 * (height * value / finish - level), 0, 8)) for value in picked]
        chart.append(color(DONE) + "".join(bars[share] for share in shares))
    right += chart
    right += [""] * (rows - len(right))
    return [a + "\x1b[0m" + "   " + b for a, b in zip(left, right, strict=False)]


def network(genome, inputs, columns, rows):
    """A network as lines of text: connections drawn with the dots of Braille."""
    places = layout(genome)
    labels = max(map(len, inputs)) + 1
    width, height = columns - labels - 7, rows
    dots, paint = np.zeros((height, width), int), np.zeros((height, width), int)
    dot = {node: (x * (2 * width - 3) + 1, y * (4 * height - 4) + 2)
           for node, (x, y) in places.items()}
    connections = [c for c in genome.connections.tolist() if c[4]]
    largest = max([abs(c[3]) for c in connections], default=1.0) or 1.0
    for _, source, target, weight, _ in sorted(connections, key=lambda c: abs(c[3])):
        (x0, y0), (x1, y1) = dot[source], dot[target]
        t = np.linspace(0, 1, 2 * int(abs(x1 - x0) + abs(y1 - y0)) + 2)
        x, y = (x0 + (x1 - x0) * t).astype(int), (y0 + (y1 - y0) * t).astype(int)
        y = np.minimum(y, 4 * height - 1)
        np.bitwise_or.at(dots, (y // 4, x // 2), DOTS[y % 4, x % 2])
        shades = POSITIVE if weight > 0 else NEGATIVE
        paint[y // 4, x // 2] = shades[min(int(3 * abs(weight) / largest), 2)]
    cells = [[color(p) + chr(0x2800 + d) if d else " " for d, p in zip(*row, strict=True)]
             for row in zip(dots.tolist(), paint.tolist(), strict=True)]
    before, after = [" " * labels] * height, [" " * 6] * height
    names = dict(zip((node[0] for node in genome.nodes.tolist() if node[1] == "input"), inputs,
                     strict=True))
    for node in genome.nodes.tolist():
        row, column = int(dot[node[0]][1]) // 4, int(dot[node[0]][0]) // 2
        mark, shade = {"input": ("■", 108), "bias": ("◆", 179), "hidden": ("●", 252),
                       "output": ("◉", 177)}[node[1]]
        cells[row][column] = color(shade) + mark
        if node[1] in ("input", "bias"):
            before[row] = color(245) + names.get(node[0], "bias").rjust(labels - 1) + " "
        elif node[1] == "output":
            after[row] = color(245) + " flap "
    return [a + "".join(b) + c for a, b, c in zip(before, cells, after, strict=True)]


def layout(genome):
    """Places of the nodes, from 0 to 1: to the right by the longest path that leads to them."""
    nodes = {node[0]: node[1] for node in genome.nodes.tolist()}
    edges = [c[1:3] for c in genome.connections.tolist() if c[4]]
    layer = {node: int(kind == "hidden") for node, kind in nodes.items()}
    for _ in nodes:
        for source, target in edges:
            layer[target] = max(layer[target], layer[source] + 1)
    last = max(max(layer.values()), 1)
    for node, kind in nodes.items():
        if kind == "output":
            layer[node] = last
    places = {}
    for k in range(last + 1):
        column = [node for node in nodes if layer[node] == k]

        def middle(node):
            heights = [places[s][1] for s, t in edges if t == node and s in places]
            return sum(heights) / len(heights) if heights else 0.5

        if k > 0:
            column.sort(key=middle)
        for i, node in enumerate(column):
            y = i / (len(column) - 1) if k == 0 else (i + 1) / (len(column) + 1)
            places[node] = k / last, y
    return places
