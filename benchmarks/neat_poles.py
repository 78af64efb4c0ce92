"""Control steps a second of the double pole with velocities: alone, in lanes, on two threads.

    python -m benchmarks.neat_poles                 # a minute
    python -m benchmarks.neat_poles --smoke         # only whether it runs

A control step is two Runge-Kutta steps of the physics and one activation of a network of about ten
connections.  The networks are evolved here: a generation with many that balance for all steps.
Two threads are measured beside two processes at the same time, as in benchmarks.threads.
"""

import argparse
import hashlib
import itertools
import math
import os
import statistics
import sys
from types import SimpleNamespace

import numpy as np

from benchmarks import dense, report, threads, timing
from benchmarks.report import Requirement, Row
from benchmarks.timing import Contender

STEPS = 100_000
#: Enabled connections of the networks whose speed is measured
CONNECTIONS = range(8, 13)
N_BALANCERS = 16
N_LANES = 64
N_EPISODES = 1000
SEED = 1000
#: Tells the processes that only whether it runs is wanted.
SMOKE = "FASTNET_BENCHMARK_SMOKE"
ALONE, IN_LANES, OF_TWO_PROCESSES = 4.5, 10.0, 0.9


def generation(task, smoke=False):
    """The first generation in which many networks of this size balance for all steps."""
    from fastnet import neat

    for seed in itertools.count(SEED):
        population = neat.Population(task.config(), seed=seed)
        for _ in range(100):
            population.step(task)
            if smoke or len(balancers(population.genomes)) >= N_BALANCERS:
                return list(population.genomes)


def balancers(genomes):
    return [g for g in genomes if g.fitness == STEPS and g.size[1] in CONNECTIONS]


def population_of(task, genomes, n):
    """So many of them, one after another, that have no fitness yet."""
    from fastnet import neat

    genomes = [g.copy() for g in itertools.islice(itertools.cycle(genomes), n)]
    return neat.Population(task.config(population_size=n), seed=0, genomes=genomes)


def speed_row(name, context, contender, n_steps, bound):
    timings = timing.measure(
        [contender], context.repeats, context.seconds, context.peak,
        0.0 if context.smoke else timing.LEAST_SHARE)  # fmt: skip
    seconds = timings[contender.name].median / n_steps
    scaled = timings[contender.name].best / n_steps
    required = Requirement("control steps", 1e-6 / scaled, bound, "million/s", at_least=True)
    return Row(name, seconds, {}, [required], scaled=scaled)


def alone(context, task, genomes):
    network = genomes[0].network()
    steps = task.evaluate(network)

    def run(n):
        for _ in range(n):
            task.evaluate(network)

    hidden, connections = genomes[0].size
    name = f"one episode, {connections} connections, {hidden} hidden nodes"
    return speed_row(name, context, Contender("alone", run), steps, ALONE)


def in_lanes(context, task, genomes):
    n = 8 if context.smoke else N_LANES
    made = []

    def prepare():
        made[:] = [population_of(task, genomes, n)]

    prepare()
    made[0].step(task)
    steps = made[0].fitness.sum()
    contender = Contender("lanes", lambda _: made[0].step(task), prepare=prepare)
    name = f"{n} episodes in lanes, 8 to 12 connections"
    return speed_row(name, context, contender, steps, IN_LANES)


def on_threads(context):
    rounds, rejected, ready = threads.measure(context, "benchmarks.neat_poles")
    name = f"{N_EPISODES:,} episodes of a generation on two threads"
    if len({answer["fitness"] for answer in ready}) > 1:
        raise SystemExit("two threads and one give different fitness")
    if not rounds:
        return Row(name, math.nan, note="never undisturbed")
    share = statistics.median(threads.speedups(rounds)) / 2
    rate = statistics.median(turn["two threads"] for turn in rounds)
    required = Requirement(
        "speed over two processes", share, OF_TWO_PROCESSES, "x", at_least=True)
    note = f"{rate / 1e6:.3g} million steps/s; {rejected} rounds thrown away"
    return Row(name, 1 / rate, {}, [required], note=note)


def worker(argv):
    """Evaluates the same generation whenever it is asked to."""
    options = threads.worker_options("python -m benchmarks.neat_poles", argv)
    from fastnet import neat

    task = neat.tasks.DoublePole()
    smoke = os.environ.get(SMOKE) == "1"
    genomes = generation(task, smoke)

    def run():
        population = population_of(task, genomes, 10 if smoke else N_EPISODES)
        population.run(task, generations=1, target=np.inf, n_threads=options.n_threads)
        run.fitness = population.fitness
        return float(run.fitness.sum())

    run()
    threads.serve(run, {"fitness": hashlib.sha256(run.fitness.tobytes()).hexdigest()})
    return 0


def main(argv=None):
    argv = sys.argv[1:] if argv is None else argv
    if "--n-threads" in argv:
        return worker(argv)
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.neat_poles", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=9, help="turns that count (9)")
    parser.add_argument("--smoke", action="store_true", help="only whether it runs")
    options = parser.parse_args(argv)
    os.environ[SMOKE] = str(int(options.smoke))
    processors = dense.processors_of_this_process()
    timing.pin_to_one_processor()
    import fastnet as fn
    from fastnet import neat
    from fastnet._kernels import dispatch, probe

    context = SimpleNamespace(
        repeats=1 if options.smoke else options.repeats,
        seconds=1e-4 if options.smoke else 0.05,
        smoke=options.smoke, quick=False, processors=processors,
        peak=lambda: probe.fma_peak(dispatch.supported()[-1]))
    print(f"{report.machine()}; {fn.isa()}")
    print(report.HEADER, flush=True)
    task = neat.tasks.DoublePole()
    genomes = generation(task, options.smoke)
    chosen = balancers(genomes) or genomes
    rows = []
    for row in (
        lambda: alone(context, task, chosen),
        lambda: in_lanes(context, task, chosen),
        *([lambda: on_threads(context)] if len(processors) > 1 else []),
    ):
        rows.append(row())
        print(report.text(rows[-1]), flush=True)
    required = [r for row in rows for r in row.requirements]
    met = sum(r.met for r in required)
    print(f"\n{met} of {len(required)} requirements met; times scaled to "
          f"{timing.REFERENCE_PEAK:g} GFLOP/s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
