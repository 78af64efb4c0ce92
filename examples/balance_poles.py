"""Evolve a network that balances two poles on a cart; draw it, and what it does.

    python examples/balance_poles.py
    python examples/balance_poles.py pictures --seed 3
    python examples/balance_poles.py --velocities

Poles of 1 m and of 10 cm stand side by side on a cart that is pushed left and right, 50 times a
second, on a track of 4.8 m.  The network sees where the cart is and how the poles lean.  How fast
they move it has to find out with a memory of its own, and it has to balance them for half an hour
and from 200 of 625 other starts; with --velocities it is told, and half an hour is enough.

The picture of the run needs matplotlib: pip install 'fastnet[plot]'.
"""

import argparse
import time
from pathlib import Path

import numpy as np

from fastnet import neat

STEP = 0.02  # seconds, of one push
LONG, SHORT, CART = "#2f7fc1", "#d9702b", "#60666e"  # colors
INPUTS = {
    True: "place, its velocity, long pole, its velocity, short pole, its velocity, constant 0.5",
    False: "place of the cart, angles of the long and the short pole, constant 0.5",
}


class Progress:
    """A reporter: a line a generation."""

    def __init__(self, task):
        self.task = task

    def end_generation(self, population):
        best = population.best
        hidden, connections = best.size
        seconds = (len(self.task.simulate(best.network(), 1000)) - 1) * STEP
        print(
            f"generation {population.generation:3}: {seconds:4.1f} s "
            f"|{'#' * round(seconds):20}| fitness {best.fitness:.6g}, mean "
            f"{np.mean(population.fitness):.3g}, {hidden} hidden nodes, {connections} connections, "
            f"{len(population.species)} species",
            flush=True,
        )


def widest_start(network, side):
    """The largest whole degrees from which the long pole is balanced for 20 s, up to there."""
    angles = range(1, 36)
    for angle in angles:
        task = neat.tasks.DoublePole(start_angle=side * np.radians(angle))
        if len(task.simulate(network, 1000)) < 1001:
            return angle - 1
    return angles[-1]


def draw(states, path):
    """Draw what a network does with the poles.

    states: (k + 1, 6), of `simulate`.
    """
    from matplotlib.collections import LineCollection
    from matplotlib.figure import Figure

    seconds = np.arange(len(states)) * STEP
    place, long, short = states[:, 0], np.degrees(states[:, 2]), np.degrees(states[:, 4])
    figure = Figure(figsize=(10, 6), layout="constrained")
    rows = figure.subplot_mosaic(
        [["strip", "strip"], ["place", "phase"], ["angles", "phase"]],
        width_ratios=(5, 3), height_ratios=(2.2, 3, 3))

    # As with a camera that is turned while its shutter clicks: each picture further to the right
    strip = rows["strip"]
    shown = np.arange(0, min(len(states), 301), 2)
    feet = np.column_stack([place[shown] + 1.5 * seconds[shown], np.zeros(len(shown))])
    for column, length, color, width in ((2, 1.0, LONG, 1.0), (4, 0.1, SHORT, 1.5)):
        angle = states[shown, column]
        tips = feet + length * np.column_stack([np.sin(angle), np.cos(angle)])
        strip.add_collection(LineCollection(
            np.stack([feet, tips], axis=1), colors=color, linewidths=width, capstyle="round"))
    strip.plot(*feet.T, "s", color=CART, markersize=2)
    strip.set(xlim=(-0.1, 9.6), ylim=(-0.06, 1.06), aspect="equal")
    strip.set_title(f"the first {seconds[shown[-1]]:.0f} s", loc="left")
    strip.set_axis_off()

    rows["place"].plot(seconds, place, color=CART)
    rows["place"].set_ylabel("cart (m)")
    rows["place"].tick_params(labelbottom=False)
    rows["angles"].plot(seconds, short, color=SHORT, linewidth=1, label="short pole")
    rows["angles"].plot(seconds, long, color=LONG, label="long pole")
    rows["angles"].set(xlabel="time (s)", ylabel="angle (degrees)")
    for side in (-36, 36):
        rows["angles"].axhline(side, color=CART, linewidth=0.8, linestyle=":")
    for name in ("place", "angles"):
        rows[name].set(xlim=(0, seconds[-1]), xticks=np.linspace(0, seconds[-1], 5).round(1))

    points = np.column_stack([place, long])
    way = LineCollection(
        np.stack([points[:-1], points[1:]], axis=1), array=seconds[:-1], cmap="viridis",
        linewidths=1.2, capstyle="round")
    rows["phase"].add_collection(way)
    rows["phase"].plot(*points[0], "o", color=way.cmap(0.0), markersize=5)
    rows["phase"].autoscale()
    rows["phase"].set(xlabel="cart (m)", ylabel="long pole (degrees)")
    figure.colorbar(way, ax=rows["phase"], label="time (s)", aspect=40, ticks=[0, 5, 10, 15, 20])
    for name in ("place", "angles", "phase"):
        rows[name].spines[["top", "right"]].set_visible(False)
        rows[name].grid(alpha=0.25)
    figure.legend(
        *rows["angles"].get_legend_handles_labels(), loc="upper right", ncols=2, frameon=False)
    figure.savefig(path, dpi=150)


def main(folder=".", seed=0, velocities=False, generations=200, n_threads=1):
    """Returns whether a solution was found."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    task = neat.tasks.DoublePole(velocities)
    population = neat.Population(task.config(), seed=seed)
    began = time.perf_counter()
    result = population.run(
        task, generations=generations, reporters=[Progress(task)], n_threads=n_threads)
    seconds = time.perf_counter() - began
    print(
        f"\n{'solved' if result.solved else 'not solved, try another seed:'} in "
        f"{result.generations} generations, {result.evaluations} evaluations, {seconds:.1f} s")

    winner = result.best
    network = winner.network()
    if velocities:
        print(
            f"balances a long pole that leans {widest_start(network, -1)} degrees to the left to "
            f"{widest_start(network, 1)} degrees to the right")
    else:
        print(f"balances from {task.generalization(network)} of 625 other starts")

    path = folder / "poles_network.svg"
    path.write_text(winner.to_svg(), encoding="utf-8")
    print(f"drawn in {path} (inputs: {INPUTS[velocities]})")
    path = folder / "poles_run.png"
    try:
        draw(task.simulate(network, 1000), path)
    except ImportError as error:
        print(f"no picture of the run: {error}")
    else:
        print(f"its run is drawn in {path}")
    return result.solved


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", default=".", help="where the pictures go")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--velocities", action="store_true", help="the easier task")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    main(options.folder, options.seed, options.velocities, n_threads=options.threads)
