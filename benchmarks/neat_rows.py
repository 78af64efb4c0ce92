"""The kinds of workloads of NEAT: what is timed, checked and required in each."""

import dataclasses
import math
import statistics

import numpy as np

from benchmarks import neat_adapter as own
from benchmarks.dense_rows import Entry, faster, finish, seconds_at_most
from benchmarks.neat_networks import Shape, deviation
from benchmarks.report import Requirement
from benchmarks.timing import Contender

PEER = "neat-python"
#: A turn of a peer that would take longer is not run, but estimated.
LONGEST = 60.0
#: Turns at most where one of the peer takes longer than this, in seconds.
FEW_TURNS = ((5.0, 3), (1.0, 5))
#: And where it takes longer than this, there is one of the peer, after all those of fastnet.
ONE_TURN = 20.0
#: Generations of each run of XOR.
GENERATIONS = 30
#: Members and founders of the population that a longer turn is estimated from.
SAMPLE, SAMPLE_FOUNDERS = 64, 8
CHECKED_ROWS = 8
CHECKED_FOUNDERS = 8


# ---- what is compared ----------------------------------------------------------------------------


def networks(context, shape, activation="sigmoid", dtype="float64"):
    """(Entry of networks by name, the plain one) of a grown genome, after a look at the outputs."""
    peer = context.peers[PEER]
    genome, config = peer.grown(shape, seed=1, activation=activation)
    plain = peer.translate(genome, config)
    theirs, ours = peer.network(genome, config), own.network(plain, dtype)
    rows = input_rows(shape, CHECKED_ROWS)
    entry = Entry({"fastnet": ours, PEER: theirs}, [])
    outputs = {
        "fastnet": (ours(rows), dtype),
        "fastnet one row": ([ours.activate(list(x)) for x in rows.tolist()], dtype),
        PEER: ([theirs.activate(x) for x in rows.tolist()], "float64"),
    }
    for name, (found, precision) in outputs.items():
        refuse_others(context, entry, name, deviation(plain, rows, found, precision))
    return entry, plain, (genome, config)


def refuse_others(context, entry, name, worst):
    """Note, and leave out, who computes something else."""
    if worst <= 1:
        return
    entry.notes.append(f"{name} computes something else: {worst:.3g} times what rounding explains")
    context.wrong.append(f"NEAT networks: {entry.notes[-1]}")
    if name == PEER:
        entry.adapters.pop(PEER, None)


def input_rows(shape, n):
    return np.random.default_rng(2).standard_normal((n, shape.n_inputs))


def ratio(timings, bound):
    """The requirement to be ``bound`` times as fast as the peer, in a list; none without bound."""
    found = None if bound is None else faster(PEER, [PEER], timings, bound)
    return [] if found is None else [found]


def repeated(function, *arguments):
    """A run(n) of a call."""

    def run(n):
        for _ in range(n):
            function(*arguments)

    return run


# ---- networks ------------------------------------------------------------------------------------


def activation(context, workload, shape, limit, least):
    """``activate`` of one row of Python numbers; ``limit`` in ns."""
    entry, _, _ = networks(context, shape)
    row = input_rows(shape, 1)[0].tolist()
    timings = context.measure(
        Contender(name, repeated(net.activate, row)) for name, net in entry.adapters.items()
    )
    requirements = [seconds_at_most("one row", timings["fastnet"].best, limit, "ns")]
    return finish(entry, workload, timings, requirements + ratio(timings, least))


def creation(context, workload, shape, limit=None):
    """A network of a genome; ``limit`` in us."""
    entry, plain, (genome, config) = networks(context, shape)
    translated = own.genome(plain)
    makers = {"fastnet": repeated(translated.network)}
    if PEER in entry.adapters:
        makers[PEER] = repeated(context.peers[PEER].network, genome, config)
    timings = context.measure(Contender(name, run) for name, run in makers.items())
    build = timings["fastnet"].best
    requirements = [] if limit is None else [seconds_at_most("a network", build, limit, "us")]
    return finish(entry, workload, timings, requirements,
                  details={"ns a connection": build * 1e9 / shape.n_connections})  # fmt: skip


def child(context, workload, shapes, limit, population_size=150):
    """Networks of children with their parents' structure, for each of two shapes.

    ``limit`` in ns: what a further connection costs, which leaves out what an object costs.
    """
    peer = context.peers[PEER]
    runs = []
    contenders = []
    for shape in shapes:
        plain = peer.translate(*peer.grown(shape, seed=1))
        runs.append(own.Children(plain, population_size))
        name = f"{shape.n_connections} connections"
        contenders.append(Contender(name, runs[-1].run, population_size, runs[-1].prepare))
    timings = context.measure(contenders)
    # the networks alone, without what bred them
    small, large = (statistics.median(run.seconds) for run in runs)
    turns = timings[contenders[1].name]
    built = dataclasses.replace(turns, seconds=[large] * len(turns.seconds))
    slope = (large - small) * 1e9 / (shapes[1].n_connections - shapes[0].n_connections)
    whole = {f"ns, {c.name}": ns * 1e9 for c, ns in zip(contenders, (small, large), strict=True)}
    return finish(
        Entry({"fastnet": None}, []), workload, {"fastnet": built},
        [Requirement("a further connection", slope, limit, "ns")], details=whole,
    )  # fmt: skip


def many_rows(context, workload, shape, dtype, least, n_rows=2048):
    """relu, many rows in a call; ``least`` in 1e9 connections a second."""
    entry, _, _ = networks(context, shape, "relu", dtype)
    rows = input_rows(shape, n_rows)
    ours = entry.adapters["fastnet"]
    contenders = [
        Contender("fastnet", repeated(ours, rows.astype(dtype))),
        Contender("fastnet, 128 rows", repeated(ours, rows[:128].astype(dtype))),
    ]
    if PEER in entry.adapters:
        activate, lists = entry.adapters[PEER].activate, rows.tolist()

        def one_by_one():
            for row in lists:
                activate(row)

        contenders.append(Contender(PEER, repeated(one_by_one)))
    timings = context.measure(contenders)

    def speed(name, n):
        return shape.n_connections * n / timings[name].best / 1e9

    requirement = Requirement("speed", speed("fastnet", n_rows), least, "G connections/s", True)
    return finish(
        entry, workload, timings, [requirement],
        details={"G connections/s, 128 rows a call": speed("fastnet, 128 rows", 128)},
    )  # fmt: skip


# ---- XOR -----------------------------------------------------------------------------------------


def xor(context, workload, in_python, limit=None, least=None, population_size=150):
    """A generation of XOR, the mean over the first ones of runs from new populations.

    ``limit`` in ms, ``least`` speed over the peer.
    """
    peer = context.peers[PEER]
    n = 3 if context.smoke else GENERATIONS
    task = own.xor_fitness if in_python else own.neat.tasks.XOR()
    runs = own.XorRuns(population_size, task, 1 if context.smoke else 10, n)
    theirs = peer.XorRun(population_size)
    entry = Entry({"fastnet": runs, PEER: theirs}, [])
    for seed in range(4):
        check_xor(context, entry, peer, task, Shape(2, 1, seed, 2 + 2 * seed), seed)
    contenders = [Contender("fastnet", runs.run, runs.unit, runs.prepare)]
    if PEER in entry.adapters:
        contenders.append(Contender(PEER, theirs.run, n, theirs.prepare))
    timings = context.measure(contenders)
    requirements = []
    if limit is not None:
        requirements.append(seconds_at_most("generation", timings["fastnet"].best, limit, "ms"))
    sizes = {f"connections of {name}": adapter.mean_size() for name, adapter in
             entry.adapters.items()}  # fmt: skip
    return finish(entry, workload, timings, requirements + ratio(timings, least), details=sizes)


def check_xor(context, entry, peer, task, shape, seed):
    """Both give a genome the same fitness."""
    genome, config = peer.grown(shape, seed, counted=peer.n_genes)
    net = own.network(peer.translate(genome, config))
    found = task(net) if callable(task) else task.evaluate(net)
    expected = peer.xor_fitness(peer.network(genome, config))
    plain = peer.translate(genome, config)
    error = sum(sum(plain.evaluate(x)[1]) for x, _ in peer.XOR_CASES)
    # (4 - e)^2 moves by at most 8 times what e does, in both; and a few roundings of up to 16
    bound = 2 * 8 * error + 8 * 16 * 2.0**-53
    difference = abs(found - expected)
    refuse_others(context, entry, PEER,
                  difference / bound if math.isfinite(difference) else math.inf)  # fmt: skip


# ---- generations ---------------------------------------------------------------------------------


class Generations:
    """Generations without a task, each measured once for all rows that want a part of it.

    ``part``: "both", or of what is timed together only "reproduction" or "speciation".
    """

    def __init__(self):
        self.measured = {}

    def __call__(self, context, workload, population_size, shape, part="both", limit=None):
        """``limit`` in ms."""
        key = population_size, shape
        if key not in self.measured:
            self.measured[key] = generation(context, population_size, shape)
        timings, shares, details, estimate, notes = self.measured[key]
        entry = Entry(dict.fromkeys(timings), list(notes))
        if estimate is not None:
            entry.notes.append(f"{PEER} not run: about {estimate:.0f} s, by {SAMPLE} genomes")
        row = finish(entry, workload, timings, [], details=details)
        if estimate is not None:
            row.estimates[PEER] = estimate
        if part != "both":
            k = ("reproduction", "speciation").index(part)
            row.fastnet *= shares["fastnet"][k]
            row.scaled = None if row.scaled is None else row.scaled * shares["fastnet"][k]
            row.peers = {name: t * shares[name][k] for name, t in row.peers.items()}
            # The estimate is of both
            row.estimates = {}
            row.details = {}
        if limit is not None:
            best = row.fastnet if row.scaled is None else row.scaled
            row.requirements.append(seconds_at_most("generation", best, limit, "ms"))
        return row


def n_founders(population_size, shape):
    """Founders of a population, which become about its species: one for 25 genomes.

    Growing them takes long where they are large, and more say nothing new.
    """
    return max(4, min(population_size // 25, 40_000 // shape.n_connections))


def generation(context, population_size, shape):
    """(timings, {name: shares of reproduction and speciation}, details, estimate, notes)."""
    peer = context.peers[PEER]
    config, founders = peer.lineages(shape, n_founders(population_size, shape))
    plains = [peer.translate(founder, config) for founder in founders]
    notes = Entry({PEER: None}, [])
    rows = input_rows(shape, 2)
    for founder, plain in list(zip(founders, plains, strict=True))[:CHECKED_FOUNDERS]:
        theirs = [peer.network(founder, config).activate(x) for x in rows.tolist()]
        refuse_others(context, notes, PEER, deviation(plain, rows, theirs))
        refuse_others(context, notes, "fastnet", deviation(plain, rows, own.network(plain)(rows)))
    fitness = np.random.default_rng(3).uniform(0.0, 1.0, population_size)
    # Short generations are timed several at once
    n_copies = 1 if context.smoke else max(1, 500_000 // (population_size * shape.n_connections))
    runs = {"fastnet": own.GenerationRun(plains, fitness, n_copies)}
    estimate, limited = None, context
    if PEER in notes.adapters:
        expected = estimated(context, peer, founders, config, population_size)
        if expected > LONGEST:
            estimate = expected
        else:
            runs[PEER] = peer.GenerationRun(founders, config, fitness)
            limited = context.limited(turns(expected, context.repeats))
    units = {"fastnet": n_copies, PEER: 1}
    contenders = [Contender(name, run.run, units[name], run.prepare) for name, run in runs.items()]
    if PEER in runs and expected > ONE_TURN:
        timings = context.measure(contenders[:1]) | context.limited(1).measure(contenders[1:])
        notes.notes.append(f"one turn of {PEER}")
    else:
        timings = limited.measure(contenders)
    shares, details = {}, {}
    for name, run in runs.items():
        parts = [statistics.median(part) for part in zip(*run.seconds, strict=True)]
        shares[name] = [part / sum(parts) for part in parts]
        details[f"species of {name}"] = run.n_species
        if run.n_bred != population_size:
            context.wrong.append(f"{name} bred {run.n_bred} genomes, not {population_size}")
    return timings, shares, details, estimate, notes.notes


def turns(seconds, repeats):
    """How many turns of a peer that takes so long count."""
    for longer, few in FEW_TURNS:
        if seconds > longer:
            return min(few, repeats)
    return repeats


def estimated(context, peer, founders, config, population_size):
    """Seconds of a turn of the peer by one of a few genomes.

    Reproduction grows with the genomes, speciation with genomes times species.
    """
    if population_size <= SAMPLE:
        return 0.0
    few = founders[:SAMPLE_FOUNDERS]
    run = peer.GenerationRun(few, config, np.linspace(0.0, 1.0, SAMPLE))
    context.limited(1).measure([Contender(PEER, run.run, 1, run.prepare)])
    reproduction, speciation = (statistics.median(part) for part in zip(*run.seconds, strict=True))
    speciation *= len(founders) / len(few)
    return (reproduction + speciation) * population_size / SAMPLE
