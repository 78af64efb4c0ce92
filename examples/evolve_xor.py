"""Evolve a network that computes exclusive or, draw it, and train its weights further.

    python examples/evolve_xor.py
    python examples/evolve_xor.py pictures/winner.svg --seed 3

Evolution finds a shape that can do it, hidden nodes included; its weights only have to put each
output on the right side of 1/2.  Backpropagation through the same shape then makes them exact.
"""

import argparse
from pathlib import Path

import numpy as np

import fastnet as fn
from fastnet import neat

X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
y = np.array([0, 1, 1, 0])


class Progress:
    """A reporter: a line a generation."""

    def end_generation(self, population):
        sizes = sorted((len(species.members) for species in population.species), reverse=True)
        hidden, connections = population.best.size
        print(
            f"generation {population.generation:3}: best {max(population.fitness):6.3f}, "
            f"mean {np.mean(population.fitness):6.3f}, best so far with {hidden} hidden nodes and "
            f"{connections} connections, {len(sizes)} species of {' '.join(map(str, sizes))}"
        )


def show(network):
    """Print the four outputs; returns the mean squared error."""
    outputs = network(X)[:, 0]
    for x, output, target in zip(X, outputs, y, strict=True):
        print(f"    {x[0]} xor {x[1]} = {output:.4f} (should be {target})")
    error = float(np.mean((outputs - y) ** 2))
    print(f"    mean squared error {error:.2g}")
    return error


def main(path="xor.svg", seed=1):
    """Returns the mean squared errors before and after training."""
    config = neat.Config.paper(n_inputs=2, n_outputs=1)
    population = neat.Population(config, seed=seed)
    # Fitness is (4 - the sum of absolute errors) squared: at most 16.  A function of a network that
    # returns a number would do in place of the task.
    result = population.run(neat.tasks.XOR(), generations=300, reporters=[Progress()])
    if result.solved:
        print(f"\nsolved in {result.generations} generations, {result.evaluations} evaluations")
    else:
        print(f"\nnot solved in {result.generations} generations, try another seed")

    winner = result.best
    Path(path).write_text(winner.to_svg(), encoding="utf-8")
    print(f"the winner, of fitness {winner.fitness:.3f}, is drawn in {path}\n")

    network = winner.network()
    print("as it evolved:")
    before = show(network)
    # Full batch; what is learned is written into the genome, too
    network.fit(X, y, loss="squared_error", optimizer=fn.Adam(0.1), epochs=1000, batch_size=None)
    print("after training its weights:")
    after = show(network)
    return before, after


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("path", nargs="?", default="xor.svg", help="picture of the winner")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    main(options.path, options.seed)
