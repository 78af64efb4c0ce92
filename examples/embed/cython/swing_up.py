"""A genetic algorithm finds a network that swings the pendulum of pendulum.pyx up."""

import os
import time

import numpy as np
import pendulum

import fastnet as fn

N_STEPS = 200


def starts(n, seed):
    """Hanging or at any other angle, at rest or not."""
    return np.random.default_rng(seed).uniform([-np.pi, -1], [np.pi, 1], (n, 2))


def main():
    to_learn_from, others = starts(10, 0), starts(2000, 1)
    net = fn.Network([3, 8, 1], hidden="tanh", output="tanh", dtype="float64", seed=0)
    algorithm = fn.GeneticAlgorithm(net, 100, selection="truncation", mutation_power=1.0, seed=0)

    began = time.perf_counter()
    algorithm.run(lambda net: -pendulum.costs(net, to_learn_from, N_STEPS).mean(), generations=40)
    seconds = time.perf_counter() - began
    n_steps = algorithm.evaluations * len(to_learn_from) * N_STEPS
    print(f"{n_steps} steps of pendulum and network in {seconds:.1f} s")

    for name, each in (("first", net), ("evolved", algorithm.best)):
        costs = pendulum.costs(each, others, N_STEPS, n_threads=os.cpu_count())
        print(f"mean cost of a step, {name} network: {costs.mean():.2f}")
    return algorithm.best


if __name__ == "__main__":
    main()
