"""Evolve networks that balance a pole, swing up a pendulum and learn to land on the moon.

    pip install "fastnet[gymnasium]"
    python examples/evolve_gymnasium.py
    python examples/evolve_gymnasium.py Pendulum-v1 --seed 3
    python examples/evolve_gymnasium.py CartPole-v1 --watch

The environments are those of gymnasium, as they are.  NEAT finds the shape of a network that
balances the pole; the others are learned by networks of a given shape, whose weights a genetic
algorithm evolves.  LunarLander-v3 needs Box2D, too (`pip install "gymnasium[box2d]"`), and is left
out where that is not installed; 150 generations are not always enough for it.  --watch needs pygame
(`pip install "gymnasium[classic-control]"`).
"""

import argparse
import importlib.util
import time

import numpy as np

import fastnet as fn
from fastnet import neat

# How fitness is taken in each environment, and the hidden units of the networks that learn it, if
# their shape is given.
LESSONS = {
    "CartPole-v1": ({"episodes": 3}, None),
    # the return of a pendulum that is swung up and held from wherever it hangs is about -150
    "Pendulum-v1": ({"episodes": 4, "target": -200.0}, 6),
    "LunarLander-v3": ({"episodes": 3}, 8),
}


class Progress:
    """A reporter: a line a generation."""

    def __init__(self):
        self.start = time.perf_counter()

    def end_generation(self, population):
        print(
            f"generation {population.generation:3}: best {max(population.fitness):8.1f}, "
            f"mean {np.mean(population.fitness):8.1f}, {time.perf_counter() - self.start:5.0f} s",
            flush=True,
        )


def evolve(task, n_hidden, seed, generations, population_size):
    """Returns the result and the best network."""
    if n_hidden is None:
        population = neat.Population(task.config(population_size=population_size), seed=seed)
        result = population.run(task, generations=generations, reporters=[Progress()])
        return result, result.best.network()
    shape = [task.n_inputs, n_hidden, task.n_outputs]
    # Mutations alone, and large ones: what these networks need is far from small weights
    ga = fn.GeneticAlgorithm(
        fn.Network(shape, hidden="tanh", output="tanh", seed=seed), population_size,
        selection="truncation", crossover=None, mutation_rate=0.3, mutation_power=1.0, elitism=5,
        seed=seed,
    )  # fmt: skip
    result = ga.run(task, generations=generations, reporters=[Progress()])
    return result, result.best


def learn(name, seed=1, generations=150, population_size=150, tests=100):
    """Evolve in one environment; returns the best network and its returns in new episodes."""
    options, n_hidden = LESSONS[name]
    with neat.tasks.Gymnasium(name, **options) as task:
        print(f"\n{name}: {task.n_inputs} inputs, {task.n_outputs} outputs, "
              f"solved at a mean return of {task.target:g}")  # fmt: skip
        result, network = evolve(task, n_hidden, seed, generations, population_size)
    end = f"solved, {result.evaluations} evaluations" if result.solved else "not solved"
    print(f"{end}: {network}")
    # evaluations and the test of the task have had other seeds than these
    with neat.tasks.Gymnasium(name) as task:
        returns = np.array([task.evaluate(network, seed=10**6 + k) for k in range(tests)])
    print(f"mean return in {tests} new episodes {returns.mean():.1f}, "
          f"standard deviation {returns.std():.1f}, worst {returns.min():.1f}")  # fmt: skip
    return network, returns


def watch(name, network, episodes=3):
    """Show in a window what a network does."""
    with neat.tasks.Gymnasium(name, episodes, n_environments=1, render_mode="human") as task:
        task.evaluate(network)


def main(names=None, seed=1, show=False, **options):
    """Returns the mean return in new episodes for each environment; options: those of `learn`."""
    if names is None:
        names = [
            name for name in LESSONS
            if name != "LunarLander-v3" or importlib.util.find_spec("Box2D") is not None
        ]  # fmt: skip
    means = {}
    for name in names:
        network, returns = learn(name, seed, **options)
        means[name] = float(returns.mean())
        if show:
            watch(name, network)
    return means


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="environment", help=", ".join(LESSONS))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--generations", type=int, default=150, help="at most")
    parser.add_argument("--watch", action="store_true", help="show the networks in a window")
    options = parser.parse_args()
    if unknown := set(options.names) - set(LESSONS):
        parser.error(f"unknown environment {unknown.pop()!r}: choose from {', '.join(LESSONS)}")
    main(options.names or None, options.seed, options.watch, generations=options.generations)
