"""Evolve networks that balance a pole, swing up a pendulum and land on the moon.

    pip install "fastnet[gymnasium]"
    python examples/evolve_gymnasium.py
    python examples/evolve_gymnasium.py Pendulum-v1 --seed 3
    python examples/evolve_gymnasium.py CartPole-v1 --watch

The environments are those of gymnasium, as they are.  LunarLander-v3 needs Box2D, too
(`pip install "gymnasium[box2d]"`), and is left out where that is not installed; --watch needs
pygame (`pip install "gymnasium[classic-control]"`).
"""

import argparse
import importlib.util
import time

import numpy as np

from fastnet import neat

# For each environment: how fitness is taken, settings of evolution beside those of the paper, and
# how many generations are enough.
LESSONS = {
    "CartPole-v1": ({"episodes": 3}, {}, 50),
    "Pendulum-v1": ({"episodes": 8, "target": -200.0}, {}, 100),
    "LunarLander-v3": ({"episodes": 3}, {}, 200),
}
TESTS = 100


class Progress:
    """A reporter: a line a generation."""

    def __init__(self):
        self.start = time.perf_counter()

    def end_generation(self, population):
        hidden, connections = population.best.size
        print(
            f"generation {population.generation:3}: best {max(population.fitness):8.1f}, "
            f"mean {np.mean(population.fitness):8.1f}, best so far with {hidden} hidden nodes and "
            f"{connections} connections, {len(population.species)} species, "
            f"{time.perf_counter() - self.start:.0f} s",
            flush=True,
        )


def learn(name, seed=1, generations=None, population_size=150, tests=TESTS):
    """Evolve in one environment; returns the winner and its returns in episodes it never saw."""
    options, settings, enough = LESSONS[name]
    with neat.tasks.Gymnasium(name, **options) as task:
        print(
            f"\n{name}: {task.n_inputs} inputs, {task.n_outputs} outputs, "
            f"solved at a mean return of {task.target:g}"
        )
        config = task.config(population_size=population_size, **settings)
        population = neat.Population(config, seed=seed)
        result = population.run(
            task, generations=enough if generations is None else generations, reporters=[Progress()]
        )
        network = result.best.network()
        # single episodes: those of evaluations and of the test of the task have other seeds
        with neat.tasks.Gymnasium(name) as single:
            returns = np.array([single.evaluate(network, seed=10**6 + k) for k in range(tests)])
    if result.solved:
        print(f"solved in {result.generations} generations, {result.evaluations} evaluations")
    else:
        print(f"not solved in {result.generations} generations")
    print(
        f"the best network has a mean return of {returns.mean():.1f} (standard deviation "
        f"{returns.std():.1f}, worst {returns.min():.1f}) in {tests} new episodes"
    )
    return network, returns


def watch(name, network, episodes=3):
    """Show what a network does, in a window."""
    with neat.tasks.Gymnasium(
        name, episodes, n_environments=1, render_mode="human"
    ) as task:
        task.evaluate(network)


def main(names=None, seed=1, generations=None, population_size=150, tests=TESTS, show=False):
    """Returns the mean return in new episodes for each environment."""
    if names is None:
        names = [
            name for name in LESSONS
            if name != "LunarLander-v3" or importlib.util.find_spec("Box2D") is not None
        ]  # fmt: skip
    means = {}
    for name in names:
        network, returns = learn(name, seed, generations, population_size, tests)
        means[name] = float(returns.mean())
        if show:
            watch(name, network)
    return means


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="environment", help=", ".join(LESSONS))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--generations", type=int, help="at most, instead of what is enough")
    parser.add_argument("--population-size", type=int, default=150)
    parser.add_argument("--watch", action="store_true", help="show the winners in a window")
    options = parser.parse_args()
    if unknown := set(options.names) - set(LESSONS):
        parser.error(f"unknown environment {unknown.pop()!r}: choose from {', '.join(LESSONS)}")
    main(options.names or None, options.seed, options.generations, options.population_size,
         show=options.watch)  # fmt: skip
