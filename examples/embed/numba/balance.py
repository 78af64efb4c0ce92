"""A cart with a pole as a loop of numba, which calls a dense network or an evolved graph.

The dense network sees speeds and learns by a genetic algorithm; the graph sees none, but has a
memory, and evolves.  Then both start from many states, and the pole has to stand for 20 s.
"""

import math
import time

import numba
import numpy as np

import fastnet as fn
from fastnet import neat
from fastnet.capi import fn_activate, fn_forward_f64, fn_graph_reset

STEP = 0.02                     # s
N_STEPS = 1000
TRACK, TILT = 2.4, 0.21         # m and radians, beyond which the pole is lost
STARTS = np.array([[0.0, 0.0, t, 0.0] for t in (-0.1, -0.05, 0.02, 0.07, 0.12)])


@numba.njit
def move(state, force):
    """One step of the cart (1 kg) with its pole (0.1 kg, 1 m): x, x', angle, angle'."""
    x, dx, angle, turn = state
    s, c = math.sin(angle), math.cos(angle)
    push = (force + 0.05 * turn * turn * s) / 1.1
    bend = (9.8 * s - c * push) / (0.5 * (4 / 3 - 0.1 * c * c / 1.1))
    state[0] = x + STEP * dx
    state[1] = dx + STEP * (push - 0.05 * bend * c / 1.1)
    state[2] = angle + STEP * turn
    state[3] = turn + STEP * bend


@numba.njit
def stands(state):
    return abs(state[0]) < TRACK and abs(state[2]) < TILT


@numba.njit
def net_steps(net, work, start):
    """Steps until a dense network loses the pole; net and work are addresses."""
    state, seen, output = start.copy(), np.empty(4), np.empty(1)
    n = 0
    while n < N_STEPS and stands(state):
        seen[0], seen[1] = state[0] / TRACK, state[1] / 2
        seen[2], seen[3] = state[2] / TILT, state[3] / 2
        fn_forward_f64(net, work, 1, seen.ctypes, output.ctypes)
        move(state, 10 * output[0])
        n += 1
    return n


@numba.njit
def graph_steps(graph, start):
    """Steps until an evolved graph, which sees no speeds, loses the pole."""
    state, seen, output = start.copy(), np.empty(2), np.empty(1)
    n = 0
    fn_graph_reset(graph)
    while n < N_STEPS and stands(state):
        seen[0], seen[1] = state[0] / TRACK, state[2] / TILT
        fn_activate(graph, seen.ctypes, output.ctypes)
        move(state, 20 * output[0] - 10)
        n += 1
    return n


def learned_net():
    """By a genetic algorithm, with a function of Python around the loop."""
    def fitness(net):
        c = net.ctypes
        work = c.workspace()
        return np.mean([net_steps(c.address, work.address, start) for start in STARTS])

    net = fn.Network([4, 6, 1], hidden="tanh", output="tanh", dtype="float64", seed=0)
    return fn.GeneticAlgorithm(net, 50, seed=0).run(fitness, 50, target=N_STEPS).best


def evolved_graph():
    """By NEAT, with a fitness that runs without the interpreter."""
    @numba.cfunc("float64(voidptr, uint64, voidptr)")
    def fitness(graph, seed, _):
        total = 0
        for k in range(len(STARTS)):
            total += graph_steps(graph, STARTS[k])
        return total / len(STARTS)

    task = neat.tasks.native(fitness, n_inputs=2, n_outputs=1, target=N_STEPS)
    population = neat.Population(task.config(mode="recurrent"), seed=0)
    return population.run(task, generations=100).best.network()


def states():
    """Angles (rows) and their speeds (columns), the cart at rest in the middle."""
    angles, turns = np.meshgrid(np.linspace(-0.2, 0.2, 9), np.linspace(-2, 2, 41), indexing="ij")
    nothing = np.zeros_like(angles)
    return np.stack([nothing, nothing, angles, turns], axis=-1)


def main():
    net, graph = learned_net(), evolved_graph()
    work = net.ctypes.workspace()
    maps = {}
    for name, steps, addresses in (
        ("dense network", net_steps, (net.ctypes.address, work.address)),
        ("evolved graph", graph_steps, (graph.ctypes.address,)),
    ):
        grid = states()
        steps(*addresses, grid[0, 0])           # compiled here
        began = time.perf_counter()
        maps[name] = np.array([[steps(*addresses, start) for start in row] for row in grid])
        seconds = time.perf_counter() - began
        print(f"{name}, {1e9 * seconds / maps[name].sum():.0f} ns a step; # where the pole stands:")
        for row in maps[name]:
            print("".join("#" if n == N_STEPS else "." if n > 50 else " " for n in row))
    return net, graph, maps


if __name__ == "__main__":
    main()
