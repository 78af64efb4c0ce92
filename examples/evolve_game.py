"""Evolve the player of a side-scroller, and watch it learn.

    python examples/evolve_game.py
    python examples/evolve_game.py --generations 100 --seed 3 --output pictures/flight.svg

A bird flies through the gaps of gates, and all that it can do is to flap its wings.  On the way the
gaps get narrower, start to go up and down, and the bird gets faster.  Each generation of players
flies over levels that none has seen before.

The game is compiled by numba (pip install numba) and called by fastnet without the interpreter;
without numba it is the same game, in Python, a hundred times slower.  In a terminal one watches the
best player of each generation on a level that is not used for evolution.  The picture, an animation
that browsers show, has the best player of all, its network, and some of its ancestors.
"""

import argparse
import contextlib
import math
import time
from pathlib import Path

import numpy as np
from game_animation import animation
from game_terminal import Screen

from fastnet import neat
from fastnet.capi import fn_activate, fn_graph_reset

try:
    from numba import cfunc, njit
except ImportError:
    cfunc = None

    def njit(function):
        return function


# -- the game: SI units, x to the right and y upwards ----------------------------------------------

STEP = 1 / 30           # s, after which a player decides again
HEIGHT = 10.0           # of the sky
RADIUS = 0.35           # of the bird
GRAVITY = 25.0
FLAP = 7.5              # speed upwards after a flap of the wings
N_GATES = 40
FIRST = 14.0            # where the first gate begins
SPACING = 9.0           # from gate to gate
THICKNESS = 1.4         # of a gate
FINISH = FIRST + N_GATES * SPACING
PERIOD = 3.0            # s, of the gaps that go up and down
N_LEVELS = 5            # that a player flies over in one evaluation
MASK = 2**32 - 1

INPUTS = ("gap above", "rising", "gate ahead", "gap rising", "gap width", "next gap")


@njit
def chance(level, gate, what):
    """A number from 0 to 1 that depends on nothing but these three."""
    h = (level * 2654435761 + gate * 40503 + what * 97) & MASK
    for _ in range(3):
        h = ((h ^ (h >> 15)) * 739982445 + 1013904223) & MASK
    return h / 4294967296.0


@njit
def gap(level, gate, t):
    """Middle of the gap of a gate after t seconds, half its width and its speed upwards."""
    hard = gate / N_GATES
    sway = 1.8 * hard * chance(level, gate, 1)
    phase = (t / PERIOD + chance(level, gate, 2)) % 1.0
    speed = 4 * sway / PERIOD
    if phase > 0.5:
        phase = 1.0 - phase
        speed = -speed
    middle = HEIGHT / 2 + 4.0 * (chance(level, gate, 0) - 0.5) + sway * (4 * phase - 1)
    return middle, 1.9 - 0.8 * hard, speed


@njit
def gate_ahead(x):
    """The first gate whose end the bird has not reached."""
    return max(0, math.floor((x - RADIUS - THICKNESS - FIRST) / SPACING) + 1)


@njit
def look(level, step, bird, inputs):
    """What a player sees: numbers of about 1, in the order of INPUTS."""
    x, y, speed = bird[0], bird[1], bird[2]
    gate = gate_ahead(x)
    middle, half, rising = gap(level, gate, step * STEP)
    inputs[0] = (middle - y) / 3
    inputs[1] = speed / 8
    inputs[2] = (FIRST + gate * SPACING - x) / SPACING
    inputs[3] = rising / 2
    inputs[4] = half - 1
    inputs[5] = (gap(level, gate + 1, step * STEP)[0] - y) / 3


@njit
def move(level, step, bird, flap):
    """Fly for one step; whether the bird is still in the air, and not yet at the finish."""
    if flap:
        bird[2] = FLAP
    else:
        bird[2] -= GRAVITY * STEP
    bird[0] += (7 + 4 * bird[0] / FINISH) * STEP
    bird[1] += bird[2] * STEP
    x, y = bird[0], bird[1]
    if y < RADIUS or y > HEIGHT - RADIUS:
        return False
    gate = gate_ahead(x)
    middle, half, _ = gap(level, gate, (step + 1) * STEP)
    return (x + RADIUS < FIRST + gate * SPACING or abs(y - middle) < half - RADIUS) and x < FINISH


@njit
def fly(graph, level, track):
    """Fly until the bird crashes or is at the finish; the distance and the number of steps.

    track (n, 4) gets x, y, speed upwards and the output of the network, for n steps at most.
    """
    bird, inputs, outputs = np.zeros(3), np.empty(6), np.empty(1)
    bird[1] = HEIGHT / 2
    step, flying = 0, True
    fn_graph_reset(graph)
    while flying:
        look(level, step, bird, inputs)
        fn_activate(graph, inputs.ctypes, outputs.ctypes)
        if step < len(track):
            track[step] = bird[0], bird[1], bird[2], outputs[0]
        flying = move(level, step, bird, outputs[0] > 0.5)
        step += 1
    return bird[0], step


@njit
def mean_distance(graph, seed):
    """The fitness: over levels that depend on the seed."""
    track = np.empty((0, 4))
    total = 0.0
    for level in range(N_LEVELS * seed, N_LEVELS * (seed + 1)):
        total += fly(graph, level, track)[0]
    return total / N_LEVELS


class PythonGame:
    """The task where numba is missing."""

    n_inputs, n_outputs = len(INPUTS), 1

    def config(self, **fields):
        return neat.Config.paper(self.n_inputs, self.n_outputs, **fields)

    def evaluate(self, network, seed=0):
        return mean_distance(network.ctypes.address, seed)


def new_task():
    """The game as a task of evolution: a C function, if numba is there to make one."""
    if cfunc is None:
        return PythonGame()

    @cfunc("float64(voidptr, uint64, voidptr)")
    def fitness(graph, seed, _):
        return mean_distance(graph, np.int64(seed))

    return neat.tasks.native(fitness, n_inputs=len(INPUTS), n_outputs=1)


# -- evolution -------------------------------------------------------------------------------------

# Seeds of levels: those of evolution are random numbers of 32 bits.  The first choose the best of
# all players, the second say how good it is.
CHOICE, TEST = range(1, 9), range(1000, 1100)
SHOWN = 1               # the level of the pictures, which is none of these


class Flight:
    """What a player does on a level, for pictures."""

    height, radius, step, thickness, finish = HEIGHT, RADIUS, STEP, THICKNESS, FINISH
    lefts = FIRST + SPACING * np.arange(N_GATES)

    def __init__(self, genome, level=SHOWN):
        self.level = level
        track = np.empty((2000, 4))
        network = genome.network()
        self.distance, n = fly(network.ctypes.address, level, track)
        self.track = track[:n]
        self.arrived = self.distance >= FINISH
        self.gates = min(gate_ahead(self.distance + RADIUS + THICKNESS), N_GATES)

    def gap(self, gate, t):
        """Lower and upper end of a gap."""
        middle, half, _ = gap(self.level, gate, t)
        return middle - half, middle + half


class Watcher:
    """A reporter: keeps the best players and shows the last ones.

    Attributes
    ----------
    champions : list of (generation, distance, Genome)
        Each better than all before, by the mean distance on the levels of CHOICE.
    curve : list of (distance of the champion, mean fitness)
        One a generation.
    """

    def __init__(self, task, generations, screen):
        self.task, self.generations, self.screen = task, generations, screen
        self.champions, self.curve = [], []

    def end_generation(self, population):
        genome = population.genomes[int(np.argmax(population.fitness))]
        network = genome.network()
        distance = np.mean([self.task.evaluate(network, seed) for seed in CHOICE])
        if not self.champions or distance > self.champions[-1][1]:
            self.champions.append((population.generation, distance, genome))
        self.curve.append((self.champions[-1][1], float(np.mean(population.fitness))))
        self.screen.show(*self.state(genome), [
            f"generation {population.generation:3} of {self.generations}",
            f"best {distance:3.0f} m of {FINISH:.0f} on unseen levels",
            f"mean {self.curve[-1][1]:3.0f} m",
            f"species {len(population.species)}",
            *size_of(genome),
        ])

    def state(self, genome):
        """What is shown of a genome."""
        return genome, Flight(genome), self.curve, self.generations


def size_of(genome):
    hidden, connections = genome.size
    return f"hidden nodes {hidden}", f"connections {connections}"


def main(path="flight.svg", generations=60, population_size=200, seed=1, quiet=False, stream=None):
    """Returns the mean distances of the first best player and of the best of all, as printed."""
    if cfunc is None and not quiet:
        print("numba is not installed: the game runs in Python, which takes minutes", flush=True)
    task = new_task()
    config = task.config(population_size=population_size, target_species=8)
    population = neat.Population(config, seed=seed)
    start = time.perf_counter()
    with Screen(INPUTS, quiet, stream) as screen:
        watcher = Watcher(task, generations, screen)
        with contextlib.suppress(KeyboardInterrupt):
            population.run(task, generations=generations, target=math.inf, reporters=[watcher])
    seconds = time.perf_counter() - start
    if not watcher.champions:
        print("stopped before the end of the first generation")
        return None

    first, best = watcher.champions[0], watcher.champions[-1]
    screen.keep(*watcher.state(best[2]), [
        f"the best of {population.evaluations} players", f"generation {best[0]}",
        f"{best[1]:3.0f} m of {FINISH:.0f} on unseen levels", *size_of(best[2])])
    print(f"{population.generation} generations of {population_size} players in {seconds:.1f} s")
    scores = []
    for generation, _, genome in (first, best):
        network = genome.network()
        scores.append(float(np.mean([task.evaluate(network, seed) for seed in TEST])))
        print(f"best player of generation {generation}, {', '.join(size_of(genome))}: "
              f"{scores[-1]:.0f} m of {FINISH:.0f} on {N_LEVELS * len(TEST)} other levels")
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(animation(watcher, INPUTS, Flight), encoding="utf-8")
    print(f"its flight is drawn in {path}: open it in a browser")
    return scores


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--generations", type=int, default=60)
    parser.add_argument("--population", type=int, default=200, help="players of a generation")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--output", default="flight.svg", help="picture of the best player")
    parser.add_argument("--quiet", action="store_true", help="the results only")
    options = parser.parse_args()
    main(options.output, options.generations, options.population, options.seed, options.quiet)
