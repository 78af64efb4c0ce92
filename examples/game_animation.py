"""The animation that evolve_game.py leaves: SVG with SMIL, which browsers show, without a script.

A flight has ``track`` (a row a step: x, y, speed upwards, output of the network), ``gap(gate, t)``,
``lefts`` of the gates and the sizes of the game.
"""

import re

import numpy as np

WIDTH, SCALE, GROUND = 960, 34, 22      # pixels; pixels a meter; pixels of earth
BEHIND = 7.0                            # meters that are seen behind the bird
AFTER = 2.0                             # seconds after the end of the flight
STILL = 3.0                             # the second that is shown where nothing moves
COLORS = ("#9a86c8", "#d1688f", "#e8833a", "#4d9de0", "#f6c52c")       # of the birds


def animation(watcher, inputs, new_flight):
    """The flight of the best player and of some that were the best before it, as an SVG file."""
    picked = milestones(watcher.champions)
    flights = [new_flight(genome) for _, _, genome in picked]
    colors = COLORS[-len(picked):]
    seconds = max(len(flight.track) * flight.step for flight in flights) + AFTER
    sky = flights[-1].height * SCALE
    top, below = 46, sky + GROUND + 82
    height = below + 370
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height:.0f}" '
        f'viewBox="0 0 {WIDTH} {height:.0f}" role="img" '
        'aria-label="The flight of an evolved player, and its network" '
        'font-family="system-ui, sans-serif" font-size="14" fill="#444">',
        definitions(sky),
        f'<rect width="{WIDTH}" height="{height:.0f}" rx="14" fill="#fbfaf6"/>',
        *legend(picked, flights, colors),
        f'<svg y="{top}" width="{WIDTH}" height="{sky + GROUND:.0f}">',
        *level(flights, seconds, sky, colors),
        "</svg>",
        *rail(flights, seconds, top + sky + GROUND + 24, colors),
        *heading(24, below + 40, f"The network of the best player, of generation {picked[-1][0]}"),
        drawing(picked[-1][2], inputs, 70, below + 50),
        *heading(640, below + 40, "Distance by generation"),
        *chart(watcher, flights[-1].finish, 640, below + 66, 290, 250),
        "</svg>",
        "",
    ])


def milestones(champions):
    """At most five of those who were the best, first and last included, evenly by distance."""
    wanted = np.linspace(champions[0][1], champions[-1][1], len(COLORS))
    distances = np.array([distance for _, distance, _ in champions])
    return [champions[k] for k in sorted({int(np.argmin(abs(distances - w))) for w in wanted})]


def definitions(sky):
    def gradient(name, stops, direction='x2="0" y2="1"'):
        steps = "".join(f'<stop offset="{k / (len(stops) - 1):.2f}" stop-color="{stop}"/>'
                        for k, stop in enumerate(stops))
        return f'<linearGradient id="{name}" {direction}>{steps}</linearGradient>'

    return (
        "<defs>"
        + gradient("sky", ("#58a9ea", "#a8d8f4", "#fdf1d9"))
        + gradient("gate", ("#4f9a3f", "#a6dc7a", "#5cae48", "#2f6f2c"), 'x2="1" y2="0"')
        + gradient("lip", ("#5aa847", "#bbe98f", "#68bb52", "#377f33"), 'x2="1" y2="0"')
        + "</defs>")


def moving(shape, times, values, seconds, kind="translate", tolerance=0.5):
    """A shape with a transform that goes through values at these times, repeated forever.

    values (n, 2) or (n,); what a straight line tells to the tolerance is left out.  Programs that
    show no animations show the moment STILL.
    """
    times, values = np.asarray(times, float), np.asarray(values, float).reshape(len(times), -1)
    keep = thinned(times, values, tolerance)
    numbers = ";".join(" ".join(f"{v:.1f}" for v in values[k]) for k in keep)
    keys = ";".join(f"{times[k] / seconds:.5g}" for k in keep)
    still = " ".join(f"{np.interp(STILL, times, column):.1f}" for column in values.T)
    return (f'<g transform="{kind}({still})"><animateTransform attributeName="transform" '
            f'type="{kind}" dur="{seconds:.2f}s" repeatCount="indefinite" values="{numbers}" '
            f'keyTimes="{keys}"/>{shape}</g>')


def thinned(times, values, tolerance):
    """Numbers of the points that a line through all may go through (Ramer, Douglas & Peucker)."""
    keep, parts = {0, len(times) - 1}, [(0, len(times) - 1)]
    while parts:
        first, last = parts.pop()
        if last - first < 2:
            continue
        t = (times[first:last + 1] - times[first]) / (times[last] - times[first])
        line = values[first] + t[:, None] * (values[last] - values[first])
        away = np.abs(values[first:last + 1] - line).max(axis=1)
        worst = int(np.argmax(away))
        if away[worst] > tolerance:
            keep.add(first + worst)
            parts += [(first, first + worst), (first + worst, last)]
    return sorted(keep)


def level(flights, seconds, sky, colors):
    """All that moves."""
    flight = flights[-1]
    yield f'<rect width="{WIDTH}" height="{sky:.0f}" fill="url(#sky)"/>'
    yield '<circle cx="800" cy="70" r="34" fill="#fff3c4"/>'
    yield '<circle cx="800" cy="70" r="48" fill="#fff3c4" opacity="0.35"/>'
    times = np.append(np.arange(len(flight.track)) * flight.step, seconds)
    camera = (np.append(flight.track[:, 0], flight.distance) - BEHIND) * SCALE
    still = 0 * camera
    for paint, slower, low, high, wave in (("#b9d8e6", 0.12, 2.3, 1.4, 190.0),
                                           ("#93c4b1", 0.3, 1.3, 0.9, 140.0),
                                           ("#6fae83", 0.55, 0.6, 0.5, 90.0)):
        x = np.arange(0, WIDTH + slower * (camera[-1] - camera[0]) + 12, 12)
        y = sky - SCALE * (low + high * (0.6 * np.sin(x / wave) + 0.4 * np.sin(2.3 * x / wave + 2)))
        path = " ".join(f"{a:.0f} {b:.0f}" for a, b in zip(x, y, strict=True))
        yield moving(f'<path d="M0 {sky:.0f}L{path}V{sky:.0f}Z" fill="{paint}"/>', times,
                     np.stack([slower * (camera[0] - camera), still], 1), seconds)
    world = [
        *gates(flight, sky, seconds),
        *finish(flight.finish * SCALE, sky),
        ground(camera[0], camera[-1] + WIDTH, sky),
        *(bird(flight, seconds, sky, paint) for flight, paint in zip(flights, colors, strict=True)),
    ]
    yield moving("\n".join(world), times, np.stack([-camera, still], 1), seconds, tolerance=0.3)


def gates(flight, sky, seconds):
    """Pairs of pipes, drawn around the middle of their gap."""
    times = np.append(np.arange(0, seconds, flight.step), seconds)
    thickness = flight.thickness * SCALE
    for k, begin in enumerate(flight.lefts):
        ends = sky - SCALE * np.array([flight.gap(k, t) for t in times])
        half, middle = (ends[0, 0] - ends[0, 1]) / 2, ends.mean(axis=1)
        shape = "".join(
            f'<rect y="{y:.1f}" width="{thickness:.1f}" height="400" fill="url(#gate)"/>'
            f'<rect x="-4" y="{lip:.1f}" width="{thickness + 8:.1f}" height="14" rx="3" '
            'fill="url(#lip)" stroke="#2f6f2c" stroke-opacity="0.5"/>'
            for y, lip in ((-half - 400, -half - 14), (half, half)))
        x = np.full(len(times), begin * SCALE)
        yield moving(shape, times, np.stack([x, middle], 1), seconds)


def finish(x, sky):
    size = sky / 20
    for k in range(40):
        yield (f'<rect x="{x + size * (k % 2):.1f}" y="{size * (k // 2):.1f}" width="{size:.1f}" '
               f'height="{size:.1f}" fill="{("#222", "#fff")[(k + k // 2) % 2]}"/>')


def ground(first, last, sky):
    marks = "".join(f"M{x} {sky:.0f}l-8 9h14l8 -9z" for x in range(int(first), int(last), 28))
    size = f'x="{first:.0f}" y="{sky:.0f}" width="{last - first:.0f}"'
    return (f'<rect {size} height="{GROUND}" fill="#c99b5a"/>'
            f'<rect {size} height="9" fill="#7cb85c"/><path d="{marks}" fill="#68a34c"/>')


def bird(flight, seconds, sky, paint):
    """A bird on its way; it falls where it crashes, and flies on at the finish."""
    x, y, speed = flight.track[:, :3].T
    times = np.arange(len(x)) * flight.step
    later = np.arange(1, 61) * flight.step
    if flight.arrived:
        after = x[-1] + 11 * later, y[-1] + 0 * later, 0 * later
    else:
        after = (x[-1] + 0 * later, np.maximum(y[-1] - 12 * later**2, flight.radius),
                 -20 + 0 * later)
    x, y, speed = (np.append(a, b) for a, b in zip((x, y, speed), after, strict=True))
    times = np.append(times, times[-1] + later)
    if times[-1] < seconds:     # it lies where it fell
        x, y, speed, times = (np.append(a, a[-1]) for a in (x, y, speed, times))
    times[-1] = seconds
    r = flight.radius * SCALE
    shape = (
        f'<path d="M{-0.7 * r:.1f} 0l{-0.8 * r:.1f} {-0.5 * r:.1f}v{r:.1f}z" fill="{paint}" '
        'stroke="#333" stroke-opacity="0.35"/>'
        f'<ellipse rx="{1.15 * r:.1f}" ry="{r:.1f}" fill="{paint}" stroke="#333" '
        'stroke-opacity="0.45"/>'
        f'<path d="M{r:.1f} {-0.25 * r:.1f}l{0.8 * r:.1f} {0.3 * r:.1f}l{-0.8 * r:.1f} '
        f'{0.3 * r:.1f}z" fill="#ef7d22"/>'
        f'<circle cx="{0.5 * r:.1f}" cy="{-0.35 * r:.1f}" r="{0.32 * r:.1f}" fill="#fff"/>'
        f'<circle cx="{0.6 * r:.1f}" cy="{-0.33 * r:.1f}" r="{0.16 * r:.1f}" fill="#222"/>'
        f'<ellipse cx="{-0.3 * r:.1f}" cy="{-0.35 * r:.1f}" rx="{0.6 * r:.1f}" '
        f'ry="{0.45 * r:.1f}" fill="#fff" fill-opacity="0.6" stroke="#333" stroke-opacity="0.35">'
        '<animateTransform attributeName="transform" type="scale" dur="0.32s" '
        'values="1 1;1 -1.1;1 1" repeatCount="indefinite"/></ellipse>')
    tilted = moving(shape, times, -np.degrees(np.arctan2(speed, 16)), seconds, "rotate", 5.0)
    return moving(tilted, times, np.stack([x * SCALE, sky - y * SCALE], 1), seconds)


def legend(picked, flights, colors):
    yield '<text x="24" y="28">Best of generation</text>'
    x = 160
    for (generation, _, _), flight, paint in zip(picked, flights, colors, strict=True):
        words = f"{generation}: {'all' if flight.arrived else flight.gates} gates"
        yield (f'<circle cx="{x + 7}" cy="23" r="7" fill="{paint}" stroke="#333" '
               f'stroke-opacity="0.4"/><text x="{x + 21}" y="28">{words}</text>')
        x += 150


def rail(flights, seconds, y, colors):
    """The whole level as a line, with the birds on it."""
    best = flights[-1]
    left, length = 24, WIDTH - 48
    yield (f'<path d="M{left} {y:.0f}h{length}" stroke="#d8d4c8" stroke-width="4" '
           'stroke-linecap="round"/>')
    for begin in best.lefts:
        x = left + length * begin / best.finish
        yield f'<circle cx="{x:.1f}" cy="{y:.0f}" r="2" fill="#aaa"/>'
    for flight, paint in zip(flights, colors, strict=True):
        times = np.append(np.arange(len(flight.track)) * flight.step, seconds)
        x = left + length * np.minimum(np.append(flight.track[:, 0], flight.distance)
                                       / best.finish, 1)
        places = np.stack([x, np.full(len(x), y)], 1)
        yield moving(f'<circle r="6" fill="{paint}" stroke="#333" stroke-opacity="0.4"/>',
                     times, places, seconds)


def drawing(genome, inputs, x, y):
    """The network, with the names of its inputs."""
    names = iter([*inputs, "bias", "flap"])

    def name(match):
        return re.sub('font-size="[^"]*"', 'font-size="15"', match[1]) + f">{next(names)}<"

    svg = re.sub("(<text [^>]*)>(?:input|bias|output)<", name, genome.to_svg(width=500, height=290))
    return svg.replace("<svg ", f'<svg x="{x}" y="{y:.0f}" overflow="visible" ', 1)


def heading(x, y, words):
    yield f'<text x="{x}" y="{y:.0f}" font-size="16" font-weight="600" fill="#333">{words}</text>'


def chart(watcher, finish, left, top, width, height):
    """Distances of the best player on unseen levels, and the mean of all."""
    curve = np.array(watcher.curve)
    x = left + width * np.arange(1, len(curve) + 1) / len(curve)
    yield f'<path d="M{left} {top}v{height}h{width}" fill="none" stroke="#999"/>'
    for share, words in ((0.0, "0"), (0.5, ""), (1.0, f"{finish:.0f} m")):
        y = top + height * (1 - share)
        yield f'<path d="M{left} {y:.0f}h{width}" stroke="#ddd"/>'
        yield (f'<text x="{left - 6}" y="{y + 4:.0f}" font-size="12" text-anchor="end">'
               f"{words}</text>")
    for values, paint, words, place in (
            (curve[:, 1], "#8a95a1", "mean of all players", 20),
            (curve[:, 0], "#d99a06", "best player, unseen levels", 22)):
        y = top + height * (1 - values / finish)
        points = " ".join(f"{a:.1f} {b:.1f}" for a, b in zip(x, y, strict=True))
        yield (f'<path d="M{points}" fill="none" stroke="{paint}" stroke-width="2.5" '
               'stroke-linejoin="round"/>')
        low = min(y[len(y) // 2:].max() + place, top + height - 6)
        yield (f'<text x="{left + width}" y="{low:.0f}" font-size="12" fill="{paint}" '
               f'text-anchor="end">{words}</text>')
    yield (f'<text x="{left + width}" y="{top + height + 18}" font-size="12" text-anchor="end">'
           f"generation {len(curve)}</text>")
